"""What would change the answer: do it, recompute everything, and see.

A domain's area is really put in the place that is reported, or one short of it; all other values
stay, all ranks and scores are computed anew. Those that it passes shift by one place each, which
`rank_needed` leaves out and says so: always in the mover's favour, so the place reported suffices,
and some places less may do.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from commonweal.designation import Rule, designate
from commonweal.designation.change import can_tell
from commonweal.index import Node, score

if TYPE_CHECKING:
    from collections.abc import Callable

    from commonweal.areas import Areas
    from commonweal.designation import Designation
    from commonweal.index import Scores
    from commonweal.indicators import Indicators

    MakeAreas = Callable[..., Areas]
    MakeIndicators = Callable[..., Indicators]
    MakeScores = Callable[..., Scores]

N = 60
SETTINGS = {"ordered": {"ordered": {"orness": 0.7}}, "generalised": {"generalised": {"p": 0.5}}}


def columns(seed: int, n: int = N) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(seed)
    common = rng.normal(size=n)
    return {name: common + rng.normal(size=n) for name in "abc"}


def put(values: np.ndarray, area: int, place: int) -> np.ndarray:
    """Give the area a value just so that it ranks `place`, 1 = highest; the others keep theirs."""
    others = np.sort(np.delete(values, area))[::-1]
    edges = np.r_[others[0] + 1, others, others[-1] - 1]
    moved = values.copy()
    moved[area] = (edges[place - 1] + edges[place]) / 2
    assert (moved > moved[area]).sum() + 1 == place
    return moved


def tree(aggregate: str = "sum", transform: str = "exponential", available: float = 1.0) -> Node:
    weights = {"a": 0.5, "b": 0.3, "c": 0.2}
    if aggregate == "ordered":
        weights = dict.fromkeys(weights, 1.0)
    return Node.model_validate(
        {
            "aggregate": SETTINGS.get(aggregate, aggregate),
            "transform": transform,
            "available": available,
            "children": {n: {"indicator": n, "weight": w} for n, w in weights.items()},
        }
    )


@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize(
    ("aggregate", "transform", "slack"),
    [
        ("sum", "exponential", 80),
        ("geometric", "exponential", 80),
        ("arithmetic", "percentile_rank", 3),
        ("harmonic", "exponential", 80),
        ("generalised", "exponential", 80),
        ("mazziotta_pareto", "exponential", 80),
        ("mean_min", "percentile_rank", 6),
        ("ordered", "percentile_rank", 6),
        ("sum", "none", 2),
    ],
)
def test_the_place_reported_turns_the_answer_and_one_well_short_does_not(
    areas_of: MakeAreas,
    indicators_of: MakeIndicators,
    aggregate: str,
    transform: str,
    slack: int,
    seed: int,
) -> None:
    n, k = 1000, 200
    given, how = columns(seed, n), tree(aggregate, transform)
    if aggregate == "geometric":
        given = {name: np.exp(values) for name, values in given.items()}

    def selected(**values: np.ndarray) -> np.ndarray:
        return score("x", how, indicators_of(**values)).rank <= k

    stated = score("x", how, indicators_of(**given))
    rule = Rule.model_validate({"index": "x", "worst": k})
    before = designate("d", rule, {"x": stated}, areas_of(n))
    np.testing.assert_array_equal(before.selected, selected(**given))
    tried = short = barely = 0
    for name in "abc":
        for area in range(0, n, 29):
            place, now = before.changes[f"x/{name}"][area], before.ranks[f"x/{name}"][area]
            inside = before.selected[area]
            if np.isnan(place):
                # Not even the first or the last place would do, others held still.
                end = selected(**{**given, name: put(given[name], area, n if inside else 1)})
                barely += transform != "none" and end[area] != inside
                continue
            after = selected(**{**given, name: put(given[name], area, int(place))})
            assert after[area] != inside, (name, area, now, place)
            tried += 1
            less = int(place) + (-slack if inside else slack)
            if (less > now) if inside else (less < now):
                after = selected(**{**given, name: put(given[name], area, less)})
                assert after[area] == inside, (name, area, now, place, less)
                short += 1
    assert tried >= 35
    assert short > 20
    assert barely <= 1


def test_where_no_place_suffices_none_does(
    areas_of: MakeAreas, indicators_of: MakeIndicators
) -> None:
    """A domain of weight 0.2 cannot lift an area that is last on the two others."""
    given = columns(1)
    given["a"][0], given["b"][0] = -9, -9
    found = score("x", tree(), indicators_of(**given))
    d = designate("d", Rule.model_validate({"index": "x", "worst": 6}), {"x": found}, areas_of(N))
    assert np.isnan(d.changes["x/c"][0])
    path, _, _ = d.least_change()
    assert path[0] != "x/c"


def test_a_missing_domain_is_carried_by_the_others_here_too(
    areas_of: MakeAreas, indicators_of: MakeIndicators
) -> None:
    areas, given = areas_of(N), columns(2)
    given["b"][::3] = np.nan
    rule = Rule.model_validate({"index": "x", "worst": "20%"})

    def judge(**values: np.ndarray) -> Designation:
        found = score("x", tree(available=0.5), indicators_of(**values))
        return designate("d", rule, {"x": found}, areas)

    before = judge(**given)
    tried = 0
    for area in range(0, N, 3):
        assert np.isnan(before.changes["x/b"][area])
        place = before.changes["x/c"][area]
        if not np.isnan(place):
            after = judge(**{**given, "c": put(given["c"], area, int(place))})
            assert after.selected[area] != before.selected[area]
            tried += 1
    assert tried > 3


@pytest.mark.parametrize("seed", range(3))
def test_with_two_indices_one_domain_has_to_suffice_alone(
    areas_of: MakeAreas, indicators_of: MakeIndicators, plain: MakeScores, seed: int
) -> None:
    areas, given = areas_of(N), columns(seed)
    other = plain(np.random.default_rng(seed + 50).normal(size=N), "y")
    rule = Rule.model_validate({"all": [{"index": "x", "worst": 20}, {"index": "y", "worst": 20}]})

    def judge(**values: np.ndarray) -> Designation:
        found = score("x", tree(), indicators_of(**values))
        return designate("d", rule, {"x": found, "y": other}, areas)

    before = judge(**given)
    on_y = before.tested[1].passes
    for name in "abc":
        # who is not in on y gets in by no domain of x
        assert np.isnan(before.changes[f"x/{name}"][~on_y]).all()
        for area in np.flatnonzero(on_y & ~np.isnan(before.changes[f"x/{name}"])):
            place = int(before.changes[f"x/{name}"][area])
            after = judge(**{**given, name: put(given[name], area, place)})
            assert after.selected[area] != before.selected[area]


def test_the_least_change_is_the_least(areas_of: MakeAreas, indicators_of: MakeIndicators) -> None:
    found = score("x", tree(), indicators_of(**columns(3)))
    d = designate("d", Rule.model_validate({"index": "x", "worst": 9}), {"x": found}, areas_of(N))
    path, now, then = d.least_change()
    for area in range(N):
        distances = {p: abs(d.changes[p][area] - found.rank_of(p)[area]) for p in d.changes}
        possible = {p: v for p, v in distances.items() if not np.isnan(v)}
        if not possible:
            assert path[area] is None
            assert np.isnan([now[area], then[area]]).all()
            continue
        assert possible[path[area]] == min(possible.values())
        assert now[area] == found.rank_of(path[area])[area]
        assert then[area] == d.changes[path[area]][area]


@pytest.mark.parametrize("seed", range(3))
def test_improving_a_domain_never_lets_an_area_in_nor_worsening_out(
    areas_of: MakeAreas, indicators_of: MakeIndicators, seed: int
) -> None:
    areas, given = areas_of(N), columns(seed)
    rule = Rule.model_validate({"index": "x", "worst": 12})

    def selected(values: dict[str, np.ndarray]) -> np.ndarray:
        found = score("x", tree(), indicators_of(**values))
        return designate("d", rule, {"x": found}, areas).selected

    before = selected(given)
    for area in range(0, N, 4):
        for step in (-0.7, 0.7):
            moved = given["a"].copy()
            moved[area] += step
            after = selected({**given, "a": moved})[area]
            assert after <= before[area] if step < 0 else after >= before[area]


@pytest.mark.parametrize("aggregate", ["sum", "geometric", "generalised"])
def test_where_all_are_inside_no_place_takes_one_out(
    areas_of: MakeAreas, indicators_of: MakeIndicators, aggregate: str
) -> None:
    found = score("x", tree(aggregate), indicators_of(**columns(4)))
    d = designate("d", Rule.model_validate({"index": "x", "worst": N}), {"x": found}, areas_of(N))
    assert d.selected.all()
    assert all(np.isnan(needed).all() for needed in d.changes.values())


@pytest.mark.parametrize("aggregate", ["sum", "generalised"])
def test_a_domain_that_no_area_has_changes_nothing(
    areas_of: MakeAreas, indicators_of: MakeIndicators, aggregate: str
) -> None:
    """The others carry its weight: they turn the answer where they did without it."""
    given, rule = columns(6), Rule.model_validate({"index": "x", "worst": 9})
    both = tree(aggregate)
    both = both.model_copy(update={"children": {n: both.children[n] for n in "ac"}})
    without = designate("d", rule, {"x": score("x", both, indicators_of(**given))}, areas_of(N))
    given["b"] = np.full(N, np.nan)
    empty = score("x", tree(aggregate, available=0.5), indicators_of(**given))
    d = designate("d", rule, {"x": empty}, areas_of(N))
    assert np.isnan(d.changes["x/b"]).all()
    for child in ("x/a", "x/c"):
        np.testing.assert_array_equal(d.changes[child], without.changes[child])


class TestOneIndicator:
    """On the indicator itself the rank to reach is the cut-off's."""

    def test_rank(self, areas_of: MakeAreas, indicators_of: MakeIndicators) -> None:
        given = columns(5)
        found = score("x", tree(), indicators_of(**given))
        rule = Rule.model_validate({"index": "x.b", "worst": 7})
        d = designate("d", rule, {"x": found}, areas_of(N))
        expected = np.where(found.rank_of("x/b") <= 7, 8, 7)
        np.testing.assert_array_equal(d.changes["x/b"], expected)

    def test_score_above(self, areas_of: MakeAreas, plain: MakeScores) -> None:
        rule = Rule.model_validate({"index": "x", "score_above": 6})
        d = designate("d", rule, {"x": plain([9.0, 8, 7, 6, 5])}, areas_of(5))
        np.testing.assert_array_equal(
            d.changes["x/only"], [4, 4, 4, 3, 4]
        )  # the last just above the fourth

    def test_of_many_that_tie_the_rank_is_the_first(
        self, areas_of: MakeAreas, plain: MakeScores
    ) -> None:
        rule = Rule.model_validate({"index": "x", "worst": 3})
        d = designate("d", rule, {"x": plain([9.0, 5, 5, 5, 5, 1])}, areas_of(6))
        assert d.selected.tolist() == [True] * 5 + [False]
        np.testing.assert_array_equal(d.changes["x/only"], [5, 5, 5, 5, 5, 2])

    def test_nobody_can_get_into_nothing(self, areas_of: MakeAreas, plain: MakeScores) -> None:
        rule = Rule.model_validate({"index": "x", "worst": "10%"})
        d = designate("d", rule, {"x": plain([3.0, 2, 1])}, areas_of(3))
        assert np.isnan(d.changes["x/only"]).all()
        rule = Rule.model_validate({"index": "x", "worst": 3})
        d = designate("d", rule, {"x": plain([3.0, 2, 1])}, areas_of(3))
        assert np.isnan(d.changes["x/only"]).all()  # nor out of all


def test_excluded_areas_have_nothing_to_change(areas_of: MakeAreas, plain: MakeScores) -> None:
    rule = Rule.model_validate({"index": "x", "worst": 2, "excluding": ["A00000", "A00003"]})
    d = designate("d", rule, {"x": plain([4.0, 3, 2, 1])}, areas_of(4))
    np.testing.assert_array_equal(d.changes["x/only"], [np.nan, 3, 2, np.nan])


def test_in_two_conditions_the_nearer_counts(areas_of: MakeAreas, plain: MakeScores) -> None:
    rule = Rule.model_validate({"all": [{"index": "x", "worst": 4}, {"index": "x", "worst": 6}]})
    d = designate("d", rule, {"x": plain(-np.arange(10.0))}, areas_of(10))
    # in the worst 4: out at 5 by the first; 5 and 6 fail the first alone; the others fail both
    np.testing.assert_array_equal(d.changes["x/only"], [5] * 4 + [4] * 2 + [np.nan] * 4)


@pytest.mark.parametrize("how", ["copeland", lambda x, weights: x @ weights])
def test_what_cannot_be_worked_out_is_missing(
    areas_of: MakeAreas, indicators_of: MakeIndicators, how: object
) -> None:
    index = tree().model_copy(update={"aggregate": how})
    assert not can_tell(index)
    assert can_tell(tree("median"))
    found = score("x", index, indicators_of(**columns(3)))
    d = designate("d", Rule.model_validate({"index": "x", "worst": 6}), {"x": found}, areas_of(N))
    assert all(np.isnan(needed).all() for needed in d.changes.values())
    assert d.least_change()[0].tolist() == [None] * N
