"""The vintage model: what was planted is found, chances come true, and what it cannot take is refused."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from scipy.stats import norm, rankdata, t

from commonweal.designation import Rule, VintageModel, designate, fit_vintage, vintage
from commonweal.designation.vintage import (
    INDICES_OF_DEPRIVATION,
    cut_score,
    next_release,
    normal_scores,
)
from commonweal.errors import DataError, StudyError
from commonweal.index import Node, score

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from commonweal.areas import Areas
    from commonweal.index import Scores
    from commonweal.indicators import Indicators

    MakeAreas = Callable[..., Areas]
    MakeIndicators = Callable[..., Indicators]

N = 400
WORST = {"index": "x", "worst": "10%"}
PLANTED = VintageModel(
    own=0.8, scale=0.25, constant=0.1, domains={"a": 0.3, "b": -0.2}, freedom=5.0
)


def drawn(n: int, seed: int) -> tuple[NDArray[np.float64], dict[str, NDArray[np.float64]]]:
    rng = np.random.default_rng(seed)
    return rng.standard_normal(n), {name: rng.standard_normal(n) for name in "ab"}


def moved(model: VintageModel, n: int, seed: int) -> NDArray[np.float64]:
    own, domains = drawn(n, seed)
    noise = t.rvs(model.freedom, size=n, random_state=seed + 1)
    return model.expected(own, domains) + model.scale * noise


def test_what_was_planted_is_found() -> None:
    own, domains = drawn(40_000, 1)
    found = fit_vintage(own, domains, moved(PLANTED, 40_000, 1))
    assert found.own == pytest.approx(PLANTED.own, abs=0.006)
    assert found.constant == pytest.approx(PLANTED.constant, abs=0.006)
    assert found.domains == pytest.approx(PLANTED.domains, abs=0.006)
    assert found.scale == pytest.approx(PLANTED.scale, rel=0.02)
    assert found.freedom == pytest.approx(PLANTED.freedom, rel=0.06)


def test_the_fit_is_that_of_the_highest_likelihood() -> None:
    own, domains = drawn(2_000, 2)
    after = moved(PLANTED, 2_000, 2)
    found = fit_vintage(own, domains, after)
    stated = np.array(
        [found.constant, found.own, *found.domains.values(), found.scale, found.freedom]
    )

    def likelihood(numbers: NDArray[np.float64]) -> float:
        x = np.column_stack([np.ones(2_000), own, *domains.values()])
        return float(t.logpdf(after - x @ numbers[:4], numbers[5], scale=numbers[4]).sum())

    best = likelihood(stated)
    for k in range(6):
        for factor in (0.99, 1.01):
            other = stated.copy()
            other[k] *= factor
            assert likelihood(other) < best


def test_with_normal_noise_it_is_least_squares() -> None:
    own, _ = drawn(20_000, 3)
    after = 0.9 * own + 0.3 * np.random.default_rng(4).standard_normal(20_000)
    found = fit_vintage(own, {}, after)
    slope, constant = np.polyfit(own, after, 1)
    assert (found.own, found.constant) == pytest.approx((slope, constant), abs=0.001)
    assert found.freedom > 50


def test_chances_come_true() -> None:
    own, domains = drawn(100_000, 5)
    after = moved(PLANTED, 100_000, 5)
    chance = PLANTED.chance(own, domains, 1.2)
    for low in np.arange(0, 1, 0.1):
        here = (chance >= low) & (chance < low + 0.1)
        error = np.sqrt(0.25 / here.sum())
        assert (after[here] > 1.2).mean() == pytest.approx(chance[here].mean(), abs=4 * error)


def test_the_model_of_one_number() -> None:
    z = np.linspace(-2, 3, 11)
    found = VintageModel.of_correlation(0.95).chance(z, {}, 1.28)
    np.testing.assert_allclose(found, norm.cdf((0.95 * z - 1.28) / np.sqrt(1 - 0.95**2)))
    for rho in (-0.1, 1.0, np.nan):
        with pytest.raises(DataError, match="expected 0 to below 1"):
            VintageModel.of_correlation(rho)


def test_normal_scores_are_of_ranks_from_the_top() -> None:
    np.testing.assert_allclose(
        normal_scores(np.array([1.0, 50.5, 100.0]), 100), norm.isf([0.005, 0.5, 0.995]), atol=1e-12
    )
    assert cut_score(10, 100) == pytest.approx(norm.isf(0.1))


@pytest.mark.parametrize("holes", [True, False])
def test_what_a_fit_refuses(holes: bool) -> None:
    own, domains = drawn(400 if holes else 40, 6)
    after = own.copy()
    after[0] = np.nan if holes else 0.0
    with pytest.raises(DataError, match="every score" if holes else "found 40 areas for 4"):
        fit_vintage(own, domains, after)


@pytest.fixture
def indices(indicators_of: MakeIndicators) -> dict[str, Scores]:
    """An index with the domains of the Indices of Deprivation, and one of two domains of its own."""
    rng = np.random.default_rng(7)
    names = {"x": list(INDICES_OF_DEPRIVATION.domains), "y": ["p", "q"]}
    made = {}
    for index, of in names.items():
        values = {name: rng.permutation(N).astype(float) for name in of}
        values[of[0]][0] = np.nan
        tree = Node.model_validate({"children": {name: {"indicator": name} for name in of}})
        made[index] = score(index, tree, indicators_of(**values))
    return made


def ask(
    rule: dict[str, object], indices: dict[str, Scores], areas: Areas, **models: VintageModel
) -> dict[str, NDArray[np.float64]]:
    designation = designate("listed", Rule.model_validate(rule), indices, areas)
    return next_release(designation, indices, models or None)


@pytest.fixture
def as_many_as_england(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vintage, "N_ENGLAND", N)


def test_of_larger_areas_or_a_part_of_the_country_nothing_is_known(
    indices: dict[str, Scores], areas_of: MakeAreas
) -> None:
    assert ask(WORST, indices, areas_of(N)) == {}
    assert list(ask(WORST, indices, areas_of(N), x=INDICES_OF_DEPRIVATION)) == ["x"]


def test_an_index_with_those_domains_has_that_model(
    indices: dict[str, Scores], areas_of: MakeAreas, as_many_as_england: None
) -> None:
    both = {"all": [WORST, {"index": "y", "worst": 30}]}
    found = ask(both, indices, areas_of(N))
    assert list(found) == ["x"]
    model, x = INDICES_OF_DEPRIVATION, indices["x"]
    z = {}
    for path, values in x.need.items():
        here = ~np.isnan(values)
        z[path] = np.full(N, np.nan)
        z[path][here] = norm.isf((rankdata(-values[here], "min") - 0.5) / here.sum())
    mean = model.constant + model.own * z["x"]
    for name, carried in model.domains.items():
        mean += carried * z[f"x/{name}"]
    expected = t.cdf((mean - norm.isf(0.1)) / model.scale, model.freedom)
    np.testing.assert_allclose(found["x"], expected, rtol=1e-9)
    assert np.isnan(found["x"]).tolist() == [True] + [False] * (N - 1)


def test_a_domain_and_any_index_can_have_a_model_of_ones_own(
    indices: dict[str, Scores], areas_of: MakeAreas
) -> None:
    rule = {"all": [{"index": "x.crime", "worst": "10%"}, {"index": "y", "worst": 30}]}
    model = VintageModel.of_correlation(0.9)
    assert ask(rule, indices, areas_of(N)) == {}
    found = ask(rule, indices, areas_of(N), **{"x/crime": model, "y": model})
    assert list(found) == ["x.crime", "y"]
    z = norm.isf((rankdata(-indices["x"].need["x/crime"]) - 0.5) / N)
    np.testing.assert_allclose(
        found["x.crime"], norm.cdf((0.9 * z - norm.isf(0.1)) / np.sqrt(0.19)), rtol=1e-9
    )


@pytest.mark.parametrize(
    "rule",
    [
        {"any": [WORST, {"index": "y", "worst": 30}]},
        {"not": WORST},
        {"all": [WORST, {"index": "x.crime", "worst": 30}]},
        {"all": [WORST, {"any": [{"index": "y", "worst": 30}, {"index": "y.p", "worst": 3}]}]},
        {"all": [WORST], "at_most": {"number": 1, "within": "lad", "by": "x"}},
    ],
)
def test_other_rules_are_refused(
    rule: dict[str, object],
    indices: dict[str, Scores],
    areas_of: MakeAreas,
    as_many_as_england: None,
) -> None:
    areas = areas_of(N, lad=[f"L{i % 4}" for i in range(N)])
    with pytest.raises(StudyError, match="a vintage model takes one condition, or several"):
        ask(rule, indices, areas)


@pytest.mark.parametrize(
    "condition", [{"index": "x", "score_above": 40}, {**WORST, "within": "lad"}]
)
def test_only_the_worst_of_one_list_move(
    condition: dict[str, object],
    indices: dict[str, Scores],
    areas_of: MakeAreas,
    as_many_as_england: None,
) -> None:
    areas = areas_of(N, lad=[f"L{i % 4}" for i in range(N)])
    with pytest.raises(StudyError, match="a vintage model takes the worst of one list"):
        ask(condition, indices, areas)
