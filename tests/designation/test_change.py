"""What would change the answer: do it, recompute everything, and see.

A domain's area is really put at the rank that is told, just above or below those who have it, or at
a rank nearer to its own; all else is computed anew. The first turns the answer, the second does not.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl
import pytest

from commonweal.areas import crosswalk_from_pairs
from commonweal.designation import Rule, designate
from commonweal.designation.change import can_tell, way_of
from commonweal.errors import DataError
from commonweal.index import Node, rank, score
from commonweal.index.scales import min_max

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from commonweal.areas import Areas
    from commonweal.designation import Designation
    from commonweal.index import Scores
    from commonweal.indicators import Indicators

    MakeAreas = Callable[..., Areas]
    MakeIndicators = Callable[..., Indicators]
    MakeScores = Callable[..., Scores]

N = 60
SETTINGS = {"ordered": {"ordered": {"orness": 0.7}}, "generalised": {"generalised": {"p": 0.5}}}
HAIR = 1e-6


def columns(seed: int, n: int = N, decimals: int = 9) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(seed)
    common = rng.normal(size=n)
    return {name: (common + rng.normal(size=n)).round(decimals) for name in "abc"}


def place_of(values: np.ndarray, area: int, value: float) -> int:
    """The rank that the area would have with a value of its own."""
    return int((values > value).sum()) - int(values[area] > value) + 1


def ways(values: np.ndarray, area: int) -> Iterator[tuple[int, np.ndarray]]:
    """Give each rank that others have now, and the values once the area stands just beside them."""
    others = np.delete(values, area)
    for value in np.unique(others[~np.isnan(others)]):
        moved = values.copy()
        moved[area] = value + (HAIR if value > values[area] else -HAIR)
        yield place_of(values, area, moved[area]), moved


def tree(
    aggregate: str = "sum",
    transform: object = "exponential",
    available: float = 1.0,
    ties: str = "average",
) -> Node:
    weights = {"a": 0.5, "b": 0.3, "c": 0.2}
    if aggregate == "ordered":
        weights = dict.fromkeys(weights, 1.0)
    return Node.model_validate(
        {
            "aggregate": SETTINGS.get(aggregate, aggregate),
            "transform": transform,
            "available": available,
            "ties": ties,
            "children": {n: {"indicator": n, "weight": w} for n, w in weights.items()},
        }
    )


def nearest_that_turns(
    values: np.ndarray, area: int, turned: Callable[[np.ndarray], bool]
) -> float:
    """Try every rank, the nearest first: how far away is the first that turns the answer?"""
    now = place_of(values, area, values[area])
    for place, moved in sorted(ways(values, area), key=lambda way: abs(way[0] - now)):
        if turned(moved):
            return abs(place - now)
    return np.nan


@pytest.mark.slow
@pytest.mark.parametrize("decimals", [9, 0])  # by one decimal most areas tie with others
@pytest.mark.parametrize(
    ("aggregate", "transform", "ties"),
    [
        ("sum", "exponential", "average"),
        ("sum", "exponential", "min"),
        ("arithmetic", "percentile_rank", "max"),
        ("geometric", "exponential", "average"),
        ("harmonic", "exponential", "average"),
        ("generalised", "exponential", "average"),
        ("ordered", "normal_score", "average"),
        ("mean_min", "borda", "min"),
        ("median", "rank", "average"),
        ("sum", "none", "average"),
        ("arithmetic", {"goalposts": {"lower": -1, "upper": 1}}, "average"),
        ("sum", "z_score", "average"),
        ("mazziotta_pareto", {"z_score": {"mean": 100, "sd": 10, "divisor": "n"}}, "average"),
        ("arithmetic", "min_max", "average"),
        ("mean_min", "adjusted", "average"),
        ("sum", {"distance_to_target": {"target": 1.0, "cap": True}}, "average"),
        ("arithmetic", {"distance_to_reference": {"unit": "A00003"}}, "average"),
    ],
)
def test_the_rank_told_is_the_nearest_that_turns_the_answer(
    areas_of: MakeAreas,
    indicators_of: MakeIndicators,
    aggregate: str,
    transform: object,
    ties: str,
    decimals: int,
) -> None:
    n, k = 18, 5
    given, how = columns(4, n, decimals), tree(aggregate, transform, ties=ties)

    def selected(values: dict[str, np.ndarray]) -> np.ndarray:
        return score("x", how, indicators_of(**values)).rank <= k

    stated = score("x", how, indicators_of(**given))
    d = designate("d", Rule.model_validate({"index": "x", "worst": k}), {"x": stated}, areas_of(n))
    for name, values in given.items():
        for area in range(n):
            told = abs(d.changes[f"x/{name}"][area] - d.ranks[f"x/{name}"][area])

            def turned(moved: np.ndarray, name: str = name, area: int = area) -> bool:
                try:
                    return bool(selected({**given, name: moved})[area] != d.selected[area])
                except DataError:  # no index at all, if the reference has the least value
                    return False

            np.testing.assert_equal(told, nearest_that_turns(values, area, turned))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("aggregate", "transform"),
    [
        ("sum", "exponential"),
        ("geometric", "exponential"),
        ("arithmetic", "percentile_rank"),
        ("mazziotta_pareto", "exponential"),
        ("sum", "none"),
        ("arithmetic", "z_score"),
        ("sum", "min_max"),
    ],
)
def test_among_many_areas_too_it_turns_the_answer_and_a_little_less_does_not(
    areas_of: MakeAreas, indicators_of: MakeIndicators, aggregate: str, transform: str
) -> None:
    n, k = 1000, 200
    given, how = columns(1, n), tree(aggregate, transform)

    def selected(**values: np.ndarray) -> np.ndarray:
        return score("x", how, indicators_of(**values)).rank <= k

    stated = score("x", how, indicators_of(**given))
    rule = Rule.model_validate({"index": "x", "worst": k})
    before = designate("d", rule, {"x": stated}, areas_of(n))
    tried = 0
    for name, values in given.items():
        extremes = [int(values.argmax()), int(values.argmin())]
        for area in [*range(0, n, 29), *extremes]:
            place, now = before.changes[f"x/{name}"][area], before.ranks[f"x/{name}"][area]
            inside = before.selected[area]
            if np.isnan(place):
                continue
            by_place = dict(ways(values, area))
            assert selected(**{**given, name: by_place[int(place)]})[area] != inside
            tried += 1
            less = int(place) + (-1 if inside else 1)
            if less != now:
                assert selected(**{**given, name: by_place[less]})[area] == inside
    assert tried >= 35


@pytest.mark.slow
@pytest.mark.parametrize(
    ("rule", "holds"),
    [
        (
            {"all": [{"index": "x", "worst": 12}, {"not": {"index": "x", "worst": 4}}]},
            lambda r, _: (r["x"] <= 12) & (r["x"] > 4),
        ),
        (
            {"all": [{"index": "x", "worst": 9}, {"index": "x", "worst": "50%", "within": "lad"}]},
            lambda r, g: (r["x"] <= 9) & (within(r["x"], g) <= 4),
        ),
        (
            {"all": [{"index": "x", "worst": 12}, {"not": {"index": "x.a", "worst": 3}}]},
            lambda r, _: (r["x"] <= 12) & (r["a"] > 3),
        ),
        (
            {"any": [{"index": "x", "worst": 2}, {"index": "x.a", "worst": 3}]},
            lambda r, _: (r["x"] <= 2) | (r["a"] <= 3),
        ),
    ],
)
def test_a_child_in_several_conditions_turns_the_answer_not_just_one_of_them(
    areas_of: MakeAreas, indicators_of: MakeIndicators, rule: object, holds: Callable[..., object]
) -> None:
    n = 18
    given, groups = columns(7, n), np.arange(n) % 2
    areas = areas_of(n, ["pq"[g] for g in groups])

    def selected(values: dict[str, np.ndarray]) -> np.ndarray:
        found = score("x", tree(), indicators_of(**values))
        return np.asarray(holds({"x": found.rank, "a": rank(values["a"])}, groups))

    stated = score("x", tree(), indicators_of(**given))
    d = designate("d", Rule.model_validate(rule), {"x": stated}, areas)
    np.testing.assert_array_equal(d.selected, selected(given))
    for name, values in given.items():
        for area in range(n):
            told = abs(d.changes[f"x/{name}"][area] - d.ranks[f"x/{name}"][area])

            def turned(moved: np.ndarray, name: str = name, area: int = area) -> bool:
                return bool(selected({**given, name: moved})[area] != d.selected[area])

            np.testing.assert_equal(told, nearest_that_turns(values, area, turned))


def within(ranks: np.ndarray, groups: np.ndarray) -> np.ndarray:
    """Rank the ranks of each group."""
    out = np.empty(len(ranks))
    for g in np.unique(groups):
        out[groups == g] = rank(-ranks[groups == g])
    return out


@pytest.mark.parametrize("among", [None, "built"])
def test_on_a_moved_index_it_is_what_the_child_puts_in(
    areas_of: MakeAreas, indicators_of: MakeIndicators, among: str | None
) -> None:
    """Forty old areas make twenty new ones: put another value into the moved index, and look."""
    here, there = areas_of(40), areas_of(20, system="new", letter="B")
    pairs = pl.DataFrame(
        {"origin": here.codes, "destination": [there.codes[i // 2] for i in range(40)]}
    )
    found = score("x", tree(), indicators_of(**columns(3, 40)))
    moved = found.moved(crosswalk_from_pairs(here, there, pairs))
    condition = {"index": "x", "worst": 6, "among": among} if among else {"index": "x", "worst": 6}
    rule = Rule.model_validate(condition)
    d = designate("d", rule, {"x": moved}, there)
    tried = 0
    for name, weight in (("a", 0.5), ("b", 0.3), ("c", 0.2)):
        values = moved.transformed[f"x/{name}"]
        for area in range(20):
            told = abs(d.changes[f"x/{name}"][area] - d.ranks[f"x/{name}"][area])

            def turned(
                new: np.ndarray,
                area: int = area,
                values: np.ndarray = values,
                weight: float = weight,
            ) -> bool:
                need = moved.score + weight * (new - values)
                pool = found.score if among else np.delete(need, area)
                return bool(((pool > need[area]).sum() < 6) != d.selected[area])

            np.testing.assert_equal(told, nearest_that_turns(values, area, turned))
            tried += not np.isnan(told)
    assert tried >= 7


def test_a_moved_index_that_is_not_a_sum_is_not_worked_out(
    areas_of: MakeAreas, indicators_of: MakeIndicators
) -> None:
    """The mean of geometric means follows from each area's, not from the mean of the children."""
    areas = areas_of(20)
    same = pl.DataFrame({"origin": areas.codes, "destination": areas.codes})
    found = score("x", tree("geometric"), indicators_of(**columns(3, 20)))
    moved = found.moved(crosswalk_from_pairs(areas, areas, same))
    d = designate("d", Rule.model_validate({"index": "x", "worst": 6}), {"x": moved}, areas)
    assert not can_tell(moved, "x")
    assert all(np.isnan(needed).all() for needed in d.changes.values())


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
            after = judge(**{**given, "c": dict(ways(given["c"], area))[int(place)]})
            assert after.selected[area] != before.selected[area]
            tried += 1
    assert tried > 3


@pytest.mark.slow
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
            after = judge(**{**given, name: dict(ways(given[name], area))[place]})
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


def test_in_two_conditions_both_have_to_turn(areas_of: MakeAreas, plain: MakeScores) -> None:
    rule = Rule.model_validate({"all": [{"index": "x", "worst": 4}, {"index": "x", "worst": 6}]})
    d = designate("d", rule, {"x": plain(-np.arange(10.0))}, areas_of(10))
    # in the worst 4: out at 5 by the first; 5 and 6 fail the first alone; the others pass both at 4
    np.testing.assert_array_equal(d.changes["x/only"], [5] * 4 + [4] * 6)


@pytest.mark.parametrize(
    "how",
    [
        {"aggregate": "copeland"},
        {"aggregate": lambda x, weights: x @ weights},
        {"transform": np.exp},
        {"ties": "ordinal"},
        {
            "children": {
                **tree().children,
                "a": tree().children["a"].model_copy(update={"base": ("b",)}),
            }
        },
    ],
)
def test_what_cannot_be_worked_out_is_missing(
    areas_of: MakeAreas, indicators_of: MakeIndicators, how: dict[str, object]
) -> None:
    found = score("x", tree().model_copy(update=how), indicators_of(**columns(3)))
    assert not can_tell(found, "x")
    assert can_tell(score("x", tree("median"), indicators_of(**columns(3))), "x")
    d = designate("d", Rule.model_validate({"index": "x", "worst": 6}), {"x": found}, areas_of(N))
    assert all(np.isnan(needed).all() for needed in d.changes.values())
    assert d.least_change()[0].tolist() == [None] * N


def test_who_rises_beyond_equals_at_the_end_is_above_them() -> None:
    """Whatever the others do who are asked about with it, and wherever it stands among them."""
    need = np.array([0.0, 1.0, 2.0, 2.0])
    way = way_of(min_max(need), need, "min_max", "min", min_max)
    movers, rungs = np.array([2, 2, 1]), np.array([1, 1, 0])
    own, others = way.move(movers, rungs, np.array([True, True, False]))
    assert own[2] > 100.0
    assert own[:2].tolist() == pytest.approx([50.0, 50.0])
    assert others(np.array([2, 2]), np.array([2, 3])).tolist() == [100.0, 100.0]
