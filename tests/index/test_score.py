"""Scores of a tree: by hand, direction, missing values, permutation, messages."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import polars as pl
import pytest

from commonweal.areas import Areas, crosswalk_from_pairs
from commonweal.errors import CommonwealError, DataError, UnknownNameError
from commonweal.index import Node, exponential_of_rank, rank, score, score_tree
from commonweal.index.importance import importance
from commonweal.index.weigh import entropy, factor, principal_component

if TYPE_CHECKING:
    from collections.abc import Callable

    from commonweal.index import TieRule
    from commonweal.indicators import Indicators

    Make = Callable[..., Indicators]


def random_index(make: Make, n: int = 40, seed: int = 1) -> Indicators:
    rng = np.random.default_rng(seed)
    a, b, c = rng.normal(size=(3, n))
    a[3], c[5] = np.nan, np.nan
    return make(a=a, b=b, c=np.round(c, 1))


def test_three_levels_by_hand(make: Make, two_levels: Node) -> None:
    indicators = make(a=[9, 7, 5, 3], b=[1, 4, 3, 2], c=[0.2, 0.9, 0.9, 0.1])
    found = score("x", two_levels, indicators)
    r1, r2, r3, r4 = exponential_of_rank([1, 2, 3, 4], 4)
    tied = exponential_of_rank([1.5], 4)[0]
    first = np.array([(r1 + r4) / 2, (r2 + r1) / 2, (r3 + r2) / 2, (r4 + r3) / 2])
    np.testing.assert_allclose(found.need["x/first"], first)
    order = exponential_of_rank(rank(first), 4)
    expected = 0.6 * order + 0.4 * np.array([r3, tied, tied, r4])
    np.testing.assert_allclose(found.score, expected)
    assert found.rank.tolist() == rank(expected).tolist() == [3, 1, 2, 4]
    np.testing.assert_allclose(
        found.contributions["x/c"], [0.4 * r3, 0.4 * tied, 0.4 * tied, 0.4 * r4]
    )
    np.testing.assert_allclose(sum(found.contributions.values()), found.score)
    assert found.domains == ["x/first", "x/c"]
    assert list(found.need) == ["x", "x/first", "x/first/a", "x/first/b", "x/c"]


def test_each_node_has_its_own_transform_and_aggregate(make: Make) -> None:
    tree = Node.model_validate(
        {
            "transform": "none", "aggregate": "geometric",
            "children": {
                "m": {"transform": "min_max", "aggregate": "arithmetic", "weight": 3,
                      "children": {"a": {"indicator": "a"}, "b": {"indicator": "b", "weight": 3}}},
                "c": {"indicator": "c"},
            },
        }
    )  # fmt: skip
    found = score("x", tree, make(a=[np.nan, 0, 1, 2], b=[5, 6, 5.5, 5], c=[2, 4, 8, 3]))
    # a is 0, 50, 100 and b 100, 50, 0; a mean with b three times a is 75, 50, 25
    np.testing.assert_allclose(found.need["x/m"], [np.nan, 75, 50, 25])
    expected = [np.nan, (75**3 * 4) ** 0.25, (50**3 * 8) ** 0.25, (25**3 * 3) ** 0.25]
    np.testing.assert_allclose(found.score, expected)
    logs = np.log(found.score)
    np.testing.assert_allclose(sum(found.contributions.values()), logs)


def test_a_geometric_mean_of_zero_names_its_node(make: Make) -> None:
    tree = Node.model_validate(
        {
            "children": {
                "d": {
                    "transform": "min_max",
                    "aggregate": "geometric",
                    "children": {"a": {"indicator": "a"}},
                }
            }
        }
    )
    with pytest.raises(
        DataError,
        match=r"^x\.d: geometric mean of 0 \('a', unit 'A00000'\); expected values above 0",
    ):
        score("x", tree, make(a=[1, 2, 3]))


def test_a_constant_names_its_node_once(make: Make) -> None:
    leaf = {"a": {"indicator": "a"}}
    tree = Node.model_validate(
        {"children": {"d": {"children": {"e": {"transform": "z_score", "children": leaf}}}}}
    )
    with pytest.raises(DataError, match=r"^x\.d\.e\.a: z-score of a constant"):
        score("x", tree, make(a=[0.1, 0.1, 0.1]))


def test_direction_turns_the_order_round(make: Make) -> None:
    tree = Node.model_validate({"children": {"a": {"indicator": "a"}}})
    values = [3.0, 1.0, 2.0]
    assert score("x", tree, make(a=values)).rank.tolist() == [1, 3, 2]
    assert score("x", tree, make(a=values, less=("a",))).rank.tolist() == [3, 1, 2]


def test_what_is_missing_stays_missing_and_is_counted(make: Make, two_levels: Node) -> None:
    indicators = random_index(make)
    found = score("x", two_levels, indicators)
    assert indicators.missing == {"a": 1, "b": 0, "c": 1}
    assert np.flatnonzero(np.isnan(found.score)).tolist() == [3, 5]
    assert np.flatnonzero(np.isnan(found.need["x/first"])).tolist() == [3]
    assert np.nanmax(found.rank) == 38
    # the areas without a score are not counted in anyone's rank
    here = ~np.isnan(indicators.values[:, 0])
    np.testing.assert_array_equal(
        found.transformed["x/first/a"][here],
        exponential_of_rank(rank(indicators.values[here, 0], "average"), 39),
    )


def test_an_area_with_enough_gets_a_score(make: Make) -> None:
    tree = Node.model_validate(
        {
            "available": 0.6,
            "transform": "none",
            "aggregate": "arithmetic",
            "children": {
                "a": {"indicator": "a", "weight": 0.6},
                "b": {"indicator": "b", "weight": 0.4},
            },
        }
    )
    found = score("x", tree, make(a=[1, np.nan, 3], b=[5, 5, np.nan]))
    np.testing.assert_allclose(found.score, [2.6, np.nan, 3])
    parts = np.column_stack(list(found.contributions.values()))
    np.testing.assert_allclose(np.nansum(parts, axis=1)[[0, 2]], found.score[[0, 2]])


def test_permuting_areas_permutes_everything(make: Make, two_levels: Node) -> None:
    indicators = random_index(make)
    order = np.random.default_rng(2).permutation(40)
    a, b, c = indicators.values[order].T
    plain, mixed = score("x", two_levels, indicators), score("x", two_levels, make(a=a, b=b, c=c))
    for path, need in plain.need.items():
        np.testing.assert_array_equal(mixed.need[path], need[order])
        np.testing.assert_array_equal(mixed.rank_of(path), plain.rank_of(path)[order])
    for path, x in plain.transformed.items():
        np.testing.assert_array_equal(mixed.transformed[path], x[order])


def test_scaling_weights_changes_no_rank(make: Make, two_levels: Node) -> None:
    ten = two_levels.model_dump()
    for child in ten["children"].values():
        child["weight"] *= 10
    indicators = random_index(make)
    plain = score("x", two_levels, indicators)
    scaled = score("x", Node.model_validate(ten), indicators)
    np.testing.assert_allclose(scaled.score, 10 * plain.score)
    np.testing.assert_array_equal(scaled.rank, plain.rank)


def test_more_need_in_one_indicator_never_lowers_the_rank(make: Make, two_levels: Node) -> None:
    indicators = random_index(make)
    before = score("x", two_levels, indicators).rank
    for area in (0, 7, 20):
        worse = indicators.values.copy()
        worse[area, 1] += 1.5
        a, b, c = worse.T
        assert score("x", two_levels, make(a=a, b=b, c=c)).rank[area] <= before[area]


def test_no_area_with_a_score_is_an_error_that_counts(make: Make, two_levels: Node) -> None:
    nothing = np.full(3, np.nan)
    with pytest.raises(DataError, match=r"index x: no area has a score.*a 3, c 1"):
        score("x", two_levels, make(a=nothing, b=[1, 2, 3], c=[np.nan, 1, 2]))


def test_an_indicator_that_is_not_there(make: Make, two_levels: Node) -> None:
    with pytest.raises(UnknownNameError, match="indicator 'c' not found; expected one of: a, b"):
        score("x", two_levels, make(a=[1, 2], b=[1, 2]))


def test_the_frame_has_ranks_as_whole_numbers_and_missing_as_null(
    make: Make, two_levels: Node
) -> None:
    frame = score("x", two_levels, random_index(make)).to_frame()
    assert frame["x.rank"].dtype == pl.Int32
    assert frame["x.decile"].null_count() == 2
    assert frame["x.first.a.score"].null_count() == 1
    assert {"x.first.contribution", "x.c.contribution"} <= set(frame.columns)
    assert not any(frame[c].is_nan().any() for c in frame.columns if frame[c].dtype == pl.Float64)


def test_an_index_of_one_indicator(make: Make) -> None:
    found = score("x", Node(indicator="a"), make(a=[2, 9, 4]))
    assert found.rank.tolist() == [3, 1, 2]
    assert found.contributions == {}
    assert found.to_frame()["x.rank"].to_list() == [3, 1, 2]


def test_a_part_is_the_same_node_as_an_index_of_its_own(make: Make, two_levels: Node) -> None:
    indicators = random_index(make)
    whole = score("x", two_levels, indicators)
    part, alone = whole.part("x/first"), score("first", two_levels.children["first"], indicators)
    np.testing.assert_array_equal(part.score, alone.score)
    assert part.domains == ["x/first/a", "x/first/b"]
    for name in ("a", "b"):
        ours = part.contributions[f"x/first/{name}"]
        np.testing.assert_array_equal(ours, alone.contributions[f"first/{name}"])
    with pytest.raises(UnknownNameError, match="did you mean 'x/first'"):
        whole.part("x/frst")


def test_moved_scores_are_means_by_people(make: Make) -> None:
    """Half of the first place's 100 people and all of the second's 150 live in the new one."""
    places = {
        letter: Areas(
            f"system {letter}",
            "Toy",
            "area",
            "areas",
            pl.DataFrame({"code": codes, "name": codes, "population": people}),
        )
        for letter, codes, people in (
            ("A", ["A00000", "A00001", "A00002"], [100.0, 150.0, 50.0]),
            ("B", ["B0", "B1"], [200.0, 100.0]),
        )
    }
    pairs = pl.DataFrame(
        {
            "origin": ["A00000", "A00000", "A00001", "A00002"],
            "destination": ["B0", "B1", "B0", "B1"],
            "share": [0.5, 0.5, 1.0, 1.0],
        }
    )
    move = crosswalk_from_pairs(places["A"], places["B"], pairs)
    built = score("x", tree_of("a", transform="none"), make(a=[8.0, 4.0, 2.0]))
    found = built.moved(move)
    np.testing.assert_allclose(found.score, [(50 * 8 + 150 * 4) / 200, (50 * 8 + 50 * 2) / 100])
    np.testing.assert_allclose(found.transformed["x/a"], found.score)
    assert (found.system, list(found.codes)) == ("system B", ["B0", "B1"])
    assert found.built is built
    part = found.part("x/a")
    assert part.built is not None
    np.testing.assert_array_equal(part.built.score, [8, 4, 2])
    with pytest.raises(DataError, match=r"x covers 2 areas of toy; the move starts from 3 of"):
        score("x", tree_of("a"), make(a=[1.0, 2.0])).moved(move)


def test_the_rank_of_a_node_that_is_not_there(make: Make, two_levels: Node) -> None:
    with pytest.raises(UnknownNameError, match="did you mean 'x/first'"):
        score("x", two_levels, random_index(make)).rank_of("x/frst")


def tree_of(names: str, **keys: object) -> Node:
    return Node.model_validate({**keys, "children": {n: {"indicator": n} for n in names}})


def test_settings_and_a_childs_own_way_in(make: Make) -> None:
    tree = Node.model_validate(
        {
            "transform": {"min_max": {"low": 1, "high": 11}},
            "children": {
                "a": {"indicator": "a"},
                "b": {"indicator": "b", "enters_as": {"goalposts": {"lower": 0, "upper": 8}}},
            },
        }
    )
    found = score("x", tree, make(a=[0, 5, 10], b=[2, 4, 16]))
    np.testing.assert_allclose(found.score, [1 + 0.25, 6 + 0.5, 11 + 1])


def test_bounds_are_in_the_indicators_own_units(make: Make) -> None:
    """Of 0 to 8 halls, 8 are no need; a target and a middle turn with them."""
    bounds = tree_of("ab", transform={"goalposts": {"lower": 0, "upper": 8}})
    found = score("x", bounds, make(a=[0, 2, 9], b=[0, 2, 9], less=("b",)))
    np.testing.assert_allclose(found.transformed["x/a"], [0, 0.25, 1])
    np.testing.assert_allclose(found.transformed["x/b"], [1, 0.75, 0])
    target = tree_of("b", transform={"distance_to_target": {"target": 2}})
    found = score("x", target, make(b=[2, 4, 6], less=("b",)))
    np.testing.assert_allclose(found.score, [1, 0.5, 0])
    middle = tree_of("b", transform={"adjusted": {"middle": 2}})
    np.testing.assert_allclose(score("x", middle, make(b=[2, 4, 6], less=("b",))).score[0], 100)


@pytest.mark.parametrize("ties", ["min", "average", "max", "dense", "ordinal"])
def test_ties_are_of_ranks_from_the_most_need(make: Make, ties: TieRule) -> None:
    need = np.array([4.0, 9, 4, 1, 4])
    found = score("x", tree_of("a", transform="percentile_rank", ties=ties), make(a=need))
    np.testing.assert_allclose(found.score, 100 * (5 - rank(need, ties)) / 4, atol=1e-9)


def test_computed_weights_stand_in_the_tree(make: Make) -> None:
    rng = np.random.default_rng(5)
    common = rng.normal(size=200)
    indicators = make(
        **{n: common + rng.normal(size=200) * s for n, s in zip("abc", (1, 2, 3), strict=True)}
    )
    for weigh, expected in (
        ("equal", lambda x: np.full(3, 1 / 3)),
        ("none", lambda x: np.ones(3)),
        ("pca", principal_component),
        ("factor", factor),
        ({"factor": {"by": "coefficient"}}, lambda x: factor(x, "coefficient")),
        ("entropy", entropy),
    ):
        tree = tree_of("abc", transform="percentile_rank", weigh=weigh)
        if weigh == "entropy":
            tree = tree.model_copy(update={"transform": "min_max"})
        found = score("x", tree, indicators)
        x = np.column_stack([found.transformed[f"x/{n}"] for n in "abc"])
        weights = list(found.tree.weights.values())
        np.testing.assert_allclose(weights, expected(x))
        assert found.tree.weigh == "stated"
        np.testing.assert_allclose(found.score, x @ weights, rtol=1e-9)
        np.testing.assert_allclose(sum(found.contributions.values()), found.score)
        again = score("x", found.tree, indicators)
        np.testing.assert_array_equal(again.score, found.score)


def test_weights_that_cannot_be_computed_name_the_node(make: Make) -> None:
    with pytest.raises(DataError, match=r"^x: factor weights of 2 children; expected at least 3"):
        score("x", tree_of("ab", weigh="factor"), make(a=[1, 2, 3], b=[3, 1, 2]))


def test_functions_of_ones_own(make: Make) -> None:
    tree = Node(
        transform=lambda need: need * 2,
        aggregate=lambda x, weights: x.max(axis=1),
        children={n: Node(indicator=n) for n in "ab"},
    )
    found = score("x", tree, make(a=[1, 2, 3], b=[3, 1, 2]))
    assert found.score.tolist() == [6, 4, 6]
    assert np.isnan(found.contributions["x/a"]).all()
    assert found.to_frame()["x.a.contribution"].null_count() == 3


def test_a_reference_area_by_its_code(make: Make) -> None:
    tree = tree_of("ab", transform={"distance_to_reference": {"unit": "A00002"}})
    found = score("x", tree, make(a=[0, 1, 2, 4], b=[5, 4, 3, 1], less=("b",)))
    np.testing.assert_allclose(found.transformed["x/a"], [0, 0.5, 1, 2])
    np.testing.assert_allclose(found.transformed["x/b"], [0, 0.5, 1, 2])
    again = score("x", found.tree, make(a=[0, 1, 2, 4], b=[5, 4, 3, 1], less=("b",)))
    np.testing.assert_array_equal(again.score, found.score)
    lost = tree_of("a", transform={"distance_to_reference": {"unit": "A0002"}})
    with pytest.raises(UnknownNameError, match="reference unit 'A0002' not found; did you mean"):
        score("x", lost, make(a=[0, 1, 2]))
    with pytest.raises(DataError, match=r"^x\.a: reference unit 'A0002' is a code; expected the"):
        score_tree("x", lost, lambda _: np.arange(3.0))


def test_a_base_fixes_the_scale(make: Make) -> None:
    """Two years of two indicators: the first on its own base year, the second on both years."""
    tree = Node.model_validate(
        {
            "transform": "min_max",
            "children": {
                "a": {"indicator": "a20", "base": ["a15"]},
                "b": {"indicator": "b20", "base": ["b15", "b20"]},
            },
        }
    )
    years = {"a15": [0, 5, 10], "a20": [5, 10, 20], "b15": [4, 3, 2], "b20": [3, 1, 0]}
    found = score("x", tree, make(**years, less=("b15", "b20")))
    np.testing.assert_allclose(found.transformed["x/a"], [50, 100, 200])
    np.testing.assert_allclose(found.transformed["x/b"], [25, 75, 100])
    with pytest.raises(DataError, match=r"x\.b: its base b15 is turned the other way"):
        score("x", tree, make(**years, less=("b20",)))
    with pytest.raises(UnknownNameError, match="indicator 'a15' not found"):
        score("x", tree, make(a20=[1, 2], b15=[1, 2], b20=[2, 1]))


@pytest.mark.parametrize("form", ["sum", "geometric"])
def test_weights_that_make_children_matter_alike(make: Make, form: str) -> None:
    rng = np.random.default_rng(8)
    a, b, c = rng.normal(size=(3, 300))
    tree = tree_of(
        "abc", transform={"min_max": {"low": 1, "high": 9}}, aggregate=form, weigh="importance"
    )
    found = score("x", tree, make(a=a, b=a + b, c=c))
    reached = importance(np.column_stack([found.transformed[f"x/{n}"] for n in "abc"]), found.score)
    np.testing.assert_allclose(reached, reached.mean(), rtol=2e-3)
    twice = tree.model_copy(update={"weigh": {"importance": {"target": [1, 1, 2]}}})
    found = score("x", twice, make(a=a, b=a + b, c=c))
    x = np.column_stack([found.transformed[f"x/{n}"] for n in "abc"])
    reached = importance(x, found.score)
    np.testing.assert_allclose(reached / reached.sum(), [0.25, 0.25, 0.5], atol=2e-3)


def test_weights_that_cannot_be_computed_name_the_child(make: Make) -> None:
    columns = {"a": [1.0, 2, 3, 4], "b": [0.1] * 4, "c": [4.0, 2, 3, 1]}
    for weigh in ("pca", "factor", "importance"):
        tree = tree_of("abc", transform="none", weigh=weigh)
        with pytest.raises(DataError, match=r"^x: .*\bb'? (is constant|.*does not vary)"):
            score("x", tree, make(**columns))
    with pytest.raises(
        DataError, match=r"^x: entropy of -1 \('b', row \d\); expected values of at least"
    ):
        score("x", tree_of("ab", transform="none", weigh="entropy"), make(a=[1, 2], b=[-1, 2]))


def three(**changed: Any) -> tuple[Node, dict[str, Any]]:
    tree = Node.model_validate(
        {"transform": "min_max", "aggregate": "arithmetic",
         "children": {n: {"indicator": n} for n in ("a", "b")}}
    )  # fmt: skip
    return tree, {"a": [1.0, 2.0, 4.0], "b": [3.0, 1.0, 9.0], **changed}


def test_a_tree_takes_need_by_name_from_a_mapping_a_frame_or_a_function() -> None:
    tree, need = three()
    expected = score_tree("x", tree, {k: np.array(v) for k, v in need.items()}.__getitem__)[0]["x"]
    for given in (need, pl.DataFrame(need), pd.DataFrame(need, index=["A", "B", "C"])):
        np.testing.assert_array_equal(score_tree("x", tree, given)[0]["x"], expected)
    by_name = score_tree("x", tree, need, {"x": {"b": 3.0, "a": 1.0}})[0]["x"]
    in_order = score_tree("x", tree, need, {"x": [1, 3]})[0]["x"]
    np.testing.assert_array_equal(by_name, in_order)


@pytest.mark.parametrize(
    ("changed", "settings", "said"),
    [
        ({}, {"forms": {"x/G": "geometric"}}, r"node 'x/G' not found \(with a form\)"),
        ({}, {"forms": {"x/a": "geometric"}}, r"node 'x/a' not found \(with a form\)"),
        ({}, {"weights": {"x/hh": [1, 1]}}, r"node 'x/hh' not found \(with weights\)"),
        (
            {},
            {"forms": {"x": "harmonik"}},
            "aggregator 'harmonik' not found; did you mean 'harmonic'",
        ),
        ({}, {"weights": {"x": [1, 1, 1]}}, "x: weights: 3 found; expected 2, one for each child"),
        ({}, {"weights": {"x": {"a": 1, "c": 1}}}, r"child 'c' not found \(weights\)"),
        ({}, {"weights": {"x": [1, -1]}}, "x: b: weight -1 found; expected a number of at least 0"),
        ({"b": [1.0, 2.0]}, {}, r"x\.b: need: 2 found; expected 3, one for each area"),
        ({"b": ["1", "2", "3"]}, {}, r"x\.b: 'b', row 1: '1' found; expected a number"),
        ({"b": [1.0, np.inf, 3.0]}, {}, r"x\.b: 'b', row 2: an infinite value found"),
        ({}, {"transform": lambda x: None}, r"x\.a: what <lambda> gives: None found"),
        ({}, {"transform": lambda x: x[1:]}, r"x\.a: what <lambda> gives: 2 found; expected 3"),
        ({}, {"transform": lambda x: x + np.inf}, r"x\.a: what <lambda> gives, row 1: an infinite"),
        ({}, {"forms": {"x": lambda x, w: None}}, "x: what <lambda> gives: None found"),
        ({}, {"forms": {"x": lambda x, w: x}}, r"x: what <lambda> gives of shape \(3, 2\)"),
    ],
)
def test_what_a_tree_cannot_use_is_named(
    changed: dict[str, Any], settings: dict[str, Any], said: str
) -> None:
    tree, need = three(**changed)
    if transform := settings.pop("transform", None):
        tree = tree.model_copy(update={"transform": transform})
    with pytest.raises(CommonwealError, match=said):
        score_tree("x", tree, need, **settings)


def test_an_indicator_that_is_not_given_is_named() -> None:
    tree, need = three()
    with pytest.raises(UnknownNameError, match="indicator 'b' not found; expected one of: a"):
        score_tree("x", tree, {"a": need["a"]})


def test_a_value_that_a_mean_cannot_take_is_told_with_child_and_unit() -> None:
    tree, need = three()
    with pytest.raises(DataError, match=r"x: geometric mean of 0 \('a', unit 'A'\); expected"):
        score_tree("x", tree, pd.DataFrame(need, index=list("ABC")), forms={"x": "geometric"})


def test_an_index_of_no_areas_or_of_one_that_cannot_be_compared_is_refused(make: Make) -> None:
    tree = Node(transform="percentile_rank", children={"a": Node(indicator="a")})
    with pytest.raises(DataError, match=r"x\.a: need of no areas; expected at least one"):
        score_tree("x", tree, {"a": []})
    with pytest.raises(DataError, match="x: no area has a score; no value is missing: one area"):
        score("x", tree, make(a=[1.0]))
