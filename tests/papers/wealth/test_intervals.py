"""Intervals of a ratio: against the exact distribution, and where the two methods part."""

from __future__ import annotations

import math
from statistics import NormalDist

import numpy as np
import pytest

from commonweal.errors import DataError
from commonweal.papers.wealth import (
    FORMS,
    Weight,
    delta_interval,
    load_weights,
    simulated_interval,
    value_of_trust,
    weight_of,
)
from commonweal.papers.wealth.value import (
    draw_ratio,
    range_interval,
    ratio_error,
    ratio_variance,
)

# As the country regression has it: b = 0.682 (0.037), g = 1.612 (0.359).
KNOWN = {"b": 0.682, "g": 1.612, "var_b": 0.037**2, "var_g": 0.359**2, "cov_bg": -0.0074}


def own(**changes: float) -> Weight:
    return weight_of(**{**KNOWN, **changes})


def fieller(w: Weight, level: float = 0.95) -> tuple[float, float]:
    """Ends of g / b from (g - r b)^2 = z^2 Var(g - r b): exact quantiles while b stays above nought."""
    var_b, cov, _, var_g = w.covariance.ravel()
    z2 = NormalDist().inv_cdf(0.5 + level / 2) ** 2
    assert w.b is not None
    assert w.g is not None
    roots = np.roots([w.b**2 - z2 * var_b, -2 * (w.b * w.g - z2 * cov), w.g**2 - z2 * var_g])
    return float(min(roots)), float(max(roots))


def test_the_ratio_and_its_error_are_those_of_the_formula_sheet() -> None:
    assert own().ratio == pytest.approx(2.36, abs=0.005)
    assert ratio_error(own()) == pytest.approx(0.61, abs=0.005)


def test_the_delta_method_is_the_slope_times_the_error() -> None:
    # By finite differences of g / b along both axes.
    h = 1e-6
    grad = np.array(
        [(own(b=KNOWN["b"] + h).ratio - own(b=KNOWN["b"] - h).ratio) / (2 * h),
         (own(g=KNOWN["g"] + h).ratio - own(g=KNOWN["g"] - h).ratio) / (2 * h)]
    )  # fmt: skip
    assert ratio_variance(**KNOWN) == pytest.approx(grad @ own().covariance @ grad)


def test_perfectly_known_together_they_leave_no_doubt() -> None:
    # Both move in step, so their ratio stands still; the sum must not come out below nought.
    b, g = 0.5, 0.4
    assert ratio_variance(b, g, 0.01, 0.01 * (g / b) ** 2, 0.01 * g / b) == pytest.approx(
        0, abs=1e-15
    )


def test_draws_have_the_exact_distribution() -> None:
    low, high = fieller(own())
    drawn = simulated_interval(own(), 0.0, 1.0, "linear", draws=200_000)
    # An end's standard error is about 0.003 at so many draws.
    assert float(drawn.low) == pytest.approx(low, abs=0.015)
    assert float(drawn.high) == pytest.approx(high, abs=0.015)


@pytest.mark.parametrize("form", FORMS)
def test_for_little_doubt_both_methods_agree(form: str) -> None:
    sure = own(var_b=1e-6, var_g=1e-6, cov_bg=0)
    trust = np.array([0.1, 0.5])
    delta = delta_interval(sure, 0.0, trust, form)  # type: ignore[arg-type]
    drawn = simulated_interval(sure, 0.0, trust, form, draws=100_000)  # type: ignore[arg-type]
    width = delta.high - delta.low
    assert np.abs(delta.low - drawn.low).max() < 0.02 * width.max()
    assert np.abs(delta.high - drawn.high).max() < 0.02 * width.max()


def test_for_much_doubt_of_b_the_draws_lie_higher() -> None:
    unsure = own(var_b=0.15**2, cov_bg=0)
    delta, drawn = (
        method(unsure, 0.0, 0.3, "linear") for method in (delta_interval, simulated_interval)
    )
    assert drawn.low > delta.low
    assert drawn.high > 1.1 * delta.high
    assert delta.high - 0.3 * unsure.ratio == pytest.approx(0.3 * unsure.ratio - delta.low)


def test_an_income_that_may_be_worth_nothing_leaves_no_upper_end() -> None:
    hopeless = own(var_b=0.5**2, cov_bg=0)  # b is below nought in 9 of 100 draws
    drawn = simulated_interval(hopeless, 0.0, np.array([0.3, 0.0]), "linear")
    assert np.isinf(drawn.high[0])
    assert drawn.high[1] == 0
    assert drawn.low[1] == 0


def test_an_unsure_trust_widens_both() -> None:
    for method in (delta_interval, simulated_interval):
        sure = method(own(), 0.0, 0.3)
        unsure = method(own(), 0.0, 0.3, trust_se=0.05)
        assert unsure.high - unsure.low > sure.high - sure.low


def test_the_sampling_of_trust_enters_as_it_should() -> None:
    # With r known, all doubt is r times that of trust.
    r_known = own(var_b=0, var_g=0, cov_bg=0)
    found = delta_interval(r_known, 0.0, 0.3, trust_se=0.01)
    assert float(found.high - found.low) == pytest.approx(2 * 1.959964 * r_known.ratio * 0.01)


def test_the_same_seed_gives_the_same_draws() -> None:
    assert np.array_equal(draw_ratio(own(), 1000, 5), draw_ratio(own(), 1000, 5))
    assert not np.array_equal(draw_ratio(own(), 1000, 5), draw_ratio(own(), 1000, 6))


def test_draws_have_the_covariance_that_was_given() -> None:
    w = own(cov_bg=0.9 * math.sqrt(KNOWN["var_b"] * KNOWN["var_g"]))
    # In step, b and g leave their ratio less unsure than apart.
    assert draw_ratio(w, 50_000, 1).std() < draw_ratio(own(cov_bg=0), 50_000, 1).std() < (
        draw_ratio(own(), 50_000, 1).std()
    )  # fmt: skip


def test_an_assumed_range_is_the_value_at_its_ends() -> None:
    found = range_interval(load_weights()["calibration"], 0.0, 0.4, "compensating")
    assert found.kind == "assumed"
    assert found.level is None
    ends = [value_of_trust(r, 0.4, "compensating") for r in (math.log(2), 1.5)]
    assert [found.low, found.high] == pytest.approx(ends)


def test_a_range_of_a_fall_has_its_ends_in_order() -> None:
    found = range_interval(load_weights()["calibration"], 0.4, 0.3)
    assert found.low < found.high < 0


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: delta_interval(load_weights()["doubling"], 0, 0.3), "found no variances"),
        (lambda: simulated_interval(load_weights()["doubling"], 0, 0.3), "found no variances"),
        (lambda: range_interval(own(), 0, 0.3), "found no range"),
        (lambda: delta_interval(own(), 0, 0.3, level=95), "level: found 95"),
        (lambda: draw_ratio(own(), 0, 1), "draws: found 0"),
        (lambda: ratio_variance(0, 1, 1, 1, 0), "b: found 0"),
    ],
)
def test_what_has_no_interval_says_so(call: object, said: str) -> None:
    with pytest.raises(DataError, match=said):
        call()  # type: ignore[operator]
