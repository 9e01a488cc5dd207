"""Frameworks as data: the official recipes, and what is refused."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from commonweal.errors import DataError, StudyError, UnknownNameError
from commonweal.index import (
    AGGREGATORS,
    NORMALISERS,
    WEIGHINGS,
    Node,
    load_preset,
    presets,
    with_indicators,
)

if TYPE_CHECKING:
    import numpy as np

ONE = {"b": {"indicator": "b"}}
IOD = {
    "income": 0.225,
    "employment": 0.225,
    "education": 0.135,
    "health": 0.135,
    "crime": 0.093,
    "barriers": 0.093,
    "living_environment": 0.093,
}


@pytest.mark.parametrize("name", ["iod2019", "iod2025"])
def test_the_weights_of_the_imd_are_as_printed(name: str) -> None:
    tree = load_preset(name)
    assert tree.weights == IOD
    assert sum(tree.weights.values()) == pytest.approx(0.999, abs=1e-12)
    assert (tree.transform, tree.aggregate, tree.available) == ("exponential", "sum", 1)


def test_the_cni_is_a_plain_sum_of_three() -> None:
    tree = load_preset("cni")
    assert list(tree.weights.values()) == [1, 1, 1]
    assert (tree.transform, tree.aggregate) == ("exponential", "sum")


def test_the_list_of_presets_stays_a_function_when_one_is_loaded() -> None:
    """Their folder was once a package, and took the function's name as it was imported."""
    from commonweal import index

    load_preset.cache_clear()
    index.load_preset("cni")
    assert "cni" in index.presets()


def test_every_preset_that_ships_can_be_loaded_and_is_cited() -> None:
    assert {"cni", "iod2019", "iod2025"} <= set(presets())
    for name in presets():
        tree = load_preset(name)
        assert tree.reference
        assert tree.label


def test_an_unknown_preset_is_answered_with_the_nearest() -> None:
    with pytest.raises(UnknownNameError, match=r"preset 'iod2091' not found; did you mean 'iod20"):
        load_preset("iod2091")


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ({}, "has neither of 'indicator' and 'children'"),
        ({"indicator": "a", "children": {"b": {"indicator": "b"}}}, "has both of 'indicator'"),
        ({"indicator": "a", "weight": 0}, "weight"),
        ({"indicator": "a", "weight": -1}, "weight"),
        ({"indicator": "a", "weight": float("nan")}, "weight"),
        ({"indicator": "a", "weight": float("inf")}, "weight"),
        ({"children": ONE, "available": 1.5}, "available"),
        ({"children": ONE, "transform": "percentile"}, "did you mean 'percentile_rank'"),
        ({"children": ONE, "transform": 3}, "transform 3 not found"),
        ({"children": ONE, "transform": {"min_max": {}, "none": {}}}, "found min_max, none; exp"),
        ({"children": ONE, "transform": {}}, "found nothing; expected one transform"),
        (
            {"children": ONE, "transform": {"min_max": {"lo": 1}}},
            "no such setting; did you mean 'lo",
        ),
        (
            {"children": ONE, "transform": {"min_max": {"low": "x"}}},
            "found 'x'; expected a valid num",
        ),
        (
            {"children": ONE, "transform": {"min_max": {"low": True}}},
            "found True; expected a number",
        ),
        ({"children": ONE, "transform": {"min_max": 3}}, "found 3; expected settings by name"),
        ({"children": ONE, "transform": {"z_score": {"divisor": "m"}}}, "expected 'n-1' or 'n'"),
        ({"children": ONE, "transform": {"none": {"a": 1}}}, "no such setting; none takes none"),
        ({"children": ONE, "transform": {"exponential": {"ties": "min"}}}, "no such setting"),
        ({"children": ONE, "transform": "goalposts"}, "needs lower and upper"),
        (
            {"children": ONE, "transform": {"goalposts": {"lower": 2, "upper": 1}}},
            "lower below upper",
        ),
        ({"indicator": "a", "enters_as": "nne"}, "did you mean 'none'"),
        ({"children": ONE, "aggregate": "medain"}, "did you mean 'median'"),
        (
            {"children": ONE, "aggregate": {"mean_min": {"alpha": 2}}},
            "alpha: 2 found; expected a number from 0 to 1",
        ),
        ({"children": ONE, "aggregate": {"generalised": {"p": float("nan")}}}, "found nan"),
        (
            {"children": ONE, "aggregate": "ordered"},
            "expected exactly one of 'orness' and 'places'",
        ),
        ({"children": ONE, "weigh": "pcs"}, "weighing 'pcs' not found; expected one of"),
        (
            {"weigh": "pca", "children": {"b": {"indicator": "b", "weight": 2}}},
            "computes the weights",
        ),
        (
            {
                "aggregate": {"ordered": {"orness": 1}},
                "children": {"b": {"indicator": "b", "weight": 2}, "c": {"indicator": "c"}},
            },
            "weighs places, not children",
        ),
        (
            {"aggregate": {"ordered": {"places": [1, 2]}}, "children": {"b": {"indicator": "b"}}},
            "found 2 of places; expected 1, one a child",
        ),
        (
            {
                "weigh": {"importance": {"target": [1]}},
                "children": {"b": {"indicator": "b"}, "c": {"indicator": "c"}},
            },
            "found 1 of target; expected 2, one a child",
        ),
        ({"children": ONE, "weigh": {"importance": {"targt": [1]}}}, "did you mean 'target'"),
        (
            {
                "aggregate": {"benefit_of_the_doubt": {"upper": 0.3}},
                "children": {n: {"indicator": n} for n in "bcd"},
            },
            "lower bounds add up to 0 and upper to 0.9",
        ),
        (
            {
                "aggregate": "benefit_of_the_doubt",
                "children": {"b": {"indicator": "b", "weight": 2}, "c": {"indicator": "c"}},
            },
            "finds weights for each area, expected none",
        ),
        ({"children": ONE, "transform": {"min_max": {"low": 9, "high": 1}}}, "low below high"),
        ({"children": ONE, "transform": {"z_score": {"sd": 0}}}, "sd: 0 found; expected a number"),
        ({"children": ONE, "transform": "distance_to_reference"}, "needs unit"),
        (
            {"base": ["b"], "children": {"b": {"indicator": "b"}}},
            "goes with an indicator; found children",
        ),
        (
            {"transform": "none", "children": {"b": {"indicator": "b", "base": ["c"]}}},
            "'none' has no base; expected one of: min_max, z_score, adjusted, rank, percentile_rank",
        ),
        (
            {"transform": lambda x: x, "children": {"b": {"indicator": "b", "base": ["c"]}}},
            "has no base",
        ),
        ({"indicator": "a", "wieght": 2}, "wieght"),
        ({"indicator": "a", "transform": "min_max"}, "'enters_as' says how it enters"),
        ({"indicator": "a", "available": 0.5}, "goes with children; found an indicator"),
        ({"children": {"b": {"indicator": "b", "weight": -2}}}, r"children\.b\.weight"),
    ],
)
def test_what_a_node_refuses(data: dict[str, object], said: str) -> None:
    with pytest.raises(DataError, match=said):
        Node.model_validate(data)


def test_walk_gives_parents_first(two_levels: Node) -> None:
    assert [p for p, _ in two_levels.walk("x")] == [
        "x", "x/first", "x/first/a", "x/first/b", "x/c"
    ]  # fmt: skip


def test_the_studys_own_indicators_take_the_leaves(two_levels: Node) -> None:
    tree = with_indicators(two_levels, {"b": "mine"}, "x")
    leaves = {p: n.indicator for p, n in tree.walk("x") if n.indicator}
    assert leaves == {"x/first/a": "a", "x/first/b": "mine", "x/c": "c"}
    assert two_levels.children["first"].children["b"].indicator == "b"


def test_a_leaf_that_is_not_there_is_named() -> None:
    with pytest.raises(StudyError, match=r"index\.d\.indicators\.incom.*did you mean 'income'"):
        with_indicators(load_preset("iod2019"), {"incom": "a"}, "d")


def test_a_method_without_settings_is_its_name() -> None:
    tree = Node.model_validate({"children": ONE, "transform": {"min_max": None}})
    assert tree.transform == "min_max"
    given = {"min_max": {"low": 1.0, "high": 9.0}}
    tree = Node.model_validate({"children": ONE, "transform": given})
    assert tree.model_dump(mode="json")["transform"] == given
    assert Node.model_validate(tree.model_dump()) == tree


def test_every_method_can_be_named() -> None:
    needed = {
        "scaled": {"lower": 0, "upper": 9},
        "goalposts": {"lower": 0, "upper": 9},
        "distance_to_target": {"target": 9},
        "distance_to_reference": {"unit": "A00001"},
        "ordered": {"orness": 0.5},
    }
    for key, known in (
        ("transform", NORMALISERS),
        ("aggregate", AGGREGATORS),
        ("weigh", WEIGHINGS),
    ):
        for name in known:
            how = {name: needed[name]} if name in needed else name
            assert getattr(Node.model_validate({"children": ONE, key: how}), key) == how


def test_a_reference_area_is_a_code_even_where_it_looks_like_a_number() -> None:
    how = {"distance_to_reference": {"unit": 17, "constant": "nan"}}
    tree = Node.model_validate({"children": ONE, "transform": how})
    assert tree.transform == {"distance_to_reference": {"unit": "17", "constant": "nan"}}


def test_bounds_are_checked_with_the_children_that_there_are() -> None:
    """Shares of up to .4 are none for two children, and many for three."""
    how = {"benefit_of_the_doubt": {"upper": 0.4}}
    tree = {"aggregate": how, "children": {n: {"indicator": n} for n in "abc"}}
    assert Node.model_validate(tree).aggregate == how
    del tree["children"]["c"]  # type: ignore[attr-defined]
    with pytest.raises(DataError, match=r"upper to 0\.8"):
        Node.model_validate(tree)


def test_a_function_takes_the_place_of_a_name() -> None:
    def halved(need: np.ndarray) -> np.ndarray:
        return need / 2

    tree = Node(children={"b": Node(indicator="b")}, transform=halved)
    assert tree.transform is halved
    name = tree.model_dump(mode="json")["transform"]["python"]
    assert name.startswith(f"{__name__}.")
    assert name.endswith(".halved")
