"""Known answers of the Green Book, and closed forms that were worked out another way."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from commonweal.errors import DataError
from commonweal.invest.appraisal import discount_factors
from commonweal.invest.appraisal.green_book import (
    additional,
    blended_bounds,
    optimism_bias,
    present_value,
    rebase,
    welfare_weight,
    wellby_value,
    wellbys,
)
from commonweal.invest.parameters import DiscountStep, load_parameters

P = load_parameters()
STEPS = P.discount.steps
FLAT = (DiscountStep(rate=0.035),)


@pytest.mark.parametrize(
    ("year", "factor"),
    [
        (0, 1.0), (1, 0.966184), (10, 0.708919), (30, 0.356278), (31, 0.345901), (60, 0.146782),
        (75, 0.094214), (76, 0.091916), (100, 0.050818),
    ],
)  # fmt: skip
def test_discount_factors_are_the_published_ones(year: int, factor: float) -> None:
    assert round(discount_factors(101, STEPS)[year], 6) == factor


def test_discount_factors_are_products_of_powers() -> None:
    """Worked out in closed form: each stretch of years is a power of its own rate."""
    year = np.arange(126)
    closed = 1.035 ** -np.minimum(year, 30.0) * 1.03 ** -np.clip(year - 30.0, 0, 45)
    closed *= 1.025 ** -np.clip(year - 75.0, 0, None)
    np.testing.assert_allclose(discount_factors(126, STEPS), closed, rtol=1e-12)


@given(st.integers(1, 31), st.floats(-1e6, 1e6))
def test_an_annuity_has_its_closed_form(years: int, amount: float) -> None:
    """A pound at the start of each of n years: (1 - v^n) / (1 - v) with v = 1 / (1 + r)."""
    v = 1 / 1.035
    found = present_value(np.full(years, amount), discount_factors(years, STEPS))
    assert found == pytest.approx(amount * (1 - v**years) / (1 - v), rel=1e-9, abs=1e-9)


def test_a_perpetuity_is_approached() -> None:
    factors = discount_factors(500, FLAT)
    assert present_value(np.ones(500), factors) == pytest.approx(1.035 / 0.035, rel=1e-6)


@given(st.integers(1, 120), st.integers(1, 50))
def test_years_of_nothing_change_nothing(years: int, more: int) -> None:
    flow = np.linspace(100, 50, years)
    longer = np.concatenate([flow, np.zeros(more)])
    assert present_value(longer, discount_factors(years + more, STEPS)) == pytest.approx(
        present_value(flow, discount_factors(years, STEPS))
    )


@pytest.mark.parametrize("years", [0, -3])
def test_no_years_are_refused(years: int) -> None:
    with pytest.raises(DataError, match=f"found a horizon of {years} years; expected 1 or more"):
        discount_factors(years, STEPS)


def test_present_value_names_what_is_no_number() -> None:
    with pytest.raises(DataError, match="year 1: found no number"):
        present_value([1.0, math.nan], [1.0, 0.9])
    with pytest.raises(DataError, match="found 3 amounts and 2 discount factors"):
        present_value([1.0, 1.0, 1.0], [1.0, 0.9])


def test_the_combined_building_of_the_guidance() -> None:
    """30% x 51 + 70% x 24 = 32.1% of cost, and 30% x 39 + 70% x 4 = 14.5% of time."""
    categories = P.optimism_bias.categories
    mix = {"non_standard_buildings": 0.3, "standard_buildings": 0.7}
    for of, upper in (("capital", 0.321), ("duration", 0.145)):
        bounds = {name: getattr(categories[name], of) for name in mix}
        assert blended_bounds(mix, bounds)[0] == pytest.approx(upper)


def test_the_bounds_are_those_of_the_guidance() -> None:
    percent = {
        name: tuple(
            None if b is None else (round(b.upper * 100), round(b.lower * 100))
            for b in (c.capital, c.duration, c.running)
        )
        for name, c in P.optimism_bias.categories.items()
    }
    assert percent == {
        "standard_buildings": ((24, 2), (4, 1), None),
        "non_standard_buildings": ((51, 4), (39, 2), None),
        "standard_civil_engineering": ((44, 3), (20, 1), None),
        "non_standard_civil_engineering": ((66, 6), (25, 3), None),
        "equipment": ((200, 10), (54, 10), None),
        "outsourcing": (None, None, (41, 0)),
    }


def test_shares_of_work_have_to_be_the_whole() -> None:
    bounds = {"standard_buildings": P.optimism_bias.categories["standard_buildings"].capital}
    with pytest.raises(DataError, match=r"add up to 0\.5; expected 1"):
        blended_bounds({"standard_buildings": 0.5}, bounds)  # type: ignore[arg-type]


@given(st.floats(0, 1))
def test_optimism_bias_stays_between_its_bounds(mitigated: float) -> None:
    assert 0.02 - 1e-12 <= optimism_bias(0.24, 0.02, mitigated) <= 0.24 + 1e-12


def test_optimism_bias_at_its_ends() -> None:
    assert optimism_bias(0.24, 0.02, 0.0) == 0.24
    assert optimism_bias(0.24, 0.02, 1.0) == pytest.approx(0.02)


def test_additionality_by_hand() -> None:
    """100 jobs, 10% leak, 20% displaced, 5% substituted, x 1.25, less 20: 65.5."""
    assert additional(100, 0.1, 0.2, 0.05, 1.25, 20) == pytest.approx(65.5)
    assert additional(100.0) == 100


@given(st.floats(0, 1), st.floats(0, 1), st.floats(0, 1))
def test_nothing_is_added_by_losing_some(a: float, b: float, c: float) -> None:
    assert 0 <= additional(1.0, a, b, c) <= 1


def test_welfare_weights() -> None:
    assert round(welfare_weight(2, 1, 1.3), 3) == 2.462
    assert welfare_weight(30_000, 30_000, 1.3) == 1
    assert welfare_weight(1, 2, 1.3) < 1
    with pytest.raises(DataError, match="expected both above 0"):
        welfare_weight(30_000, 0, 1.3)


def test_a_wellby_sum_that_was_published() -> None:
    """Haake and others (2024) give 667.4 million; their own factors come to 668.5."""
    value = wellbys(0.257, 400_167, 0.5) * P.wellby.value / 1e6
    assert round(value, 1) == 668.5
    assert value == pytest.approx(667.4, rel=0.002)


def test_prices_go_there_and_back() -> None:
    deflators = {2019: 80.0, 2024: 100.0}
    assert rebase(2019, 2024, deflators) * rebase(2024, 2019, deflators) == pytest.approx(1)
    assert rebase(2019, 2019, {}) == 1
    with pytest.raises(DataError, match="the deflator of 2025 is missing; found years: 2019, 2024"):
        rebase(2019, 2025, deflators)


def test_a_wellby_is_brought_to_another_year_by_prices_and_income() -> None:
    """13,000 x 1.25 x 1.1^1.3, worked out with logarithms."""
    deflators, incomes = {2019: 80.0, 2024: 100.0}, {2019: 100.0, 2024: 110.0}
    expected = math.exp(math.log(13_000) + math.log(1.25) + 1.3 * math.log(1.1))
    assert wellby_value(P.wellby, 2024, deflators, incomes) == pytest.approx(expected)
    assert wellby_value(P.wellby, 2024, deflators) == 16_250
    assert wellby_value(P.wellby, 2019, {}) == 13_000
    with pytest.raises(DataError, match="real income per head of 2024 is missing"):
        wellby_value(P.wellby, 2024, deflators, {2019: 100.0})
