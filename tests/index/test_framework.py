"""Frameworks as data: the official recipes, and what is refused."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from pydantic import ValidationError

from commonweal.errors import StudyError, UnknownNameError
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
        ({"indicator": "a", "available": 1.5}, "available"),
        ({"indicator": "a", "transform": "percentile"}, "did you mean 'percentile_rank'"),
        ({"indicator": "a", "transform": 3}, "transform 3 not found"),
        ({"indicator": "a", "transform": {"min_max": {}, "none": {}}}, "found min_max, none; exp"),
        ({"indicator": "a", "transform": {}}, "found nothing; expected one transform"),
        (
            {"indicator": "a", "transform": {"min_max": {"lo": 1}}},
            "no such setting; did you mean 'lo",
        ),
        (
            {"indicator": "a", "transform": {"min_max": {"low": "x"}}},
            "found 'x'; expected a valid num",
        ),
        (
            {"indicator": "a", "transform": {"min_max": {"low": True}}},
            "found True; expected a number",
        ),
        ({"indicator": "a", "transform": {"min_max": 3}}, "found 3; expected settings by name"),
        ({"indicator": "a", "transform": {"z_score": {"divisor": "m"}}}, "expected 'n-1' or 'n'"),
        ({"indicator": "a", "transform": {"none": {"a": 1}}}, "no such setting; none takes none"),
        ({"indicator": "a", "transform": {"exponential": {"ties": "min"}}}, "no such setting"),
        ({"indicator": "a", "transform": "goalposts"}, "needs lower and upper"),
        (
            {"indicator": "a", "transform": {"goalposts": {"lower": 2, "upper": 1}}},
            "lower below upper",
        ),
        ({"indicator": "a", "enters_as": "nne"}, "did you mean 'none'"),
        ({"indicator": "a", "aggregate": "medain"}, "did you mean 'median'"),
        ({"indicator": "a", "aggregate": {"mean_min": {"alpha": 2}}}, "expected alpha in 0..1"),
        ({"indicator": "a", "aggregate": {"generalised": {"p": float("nan")}}}, "found nan"),
        (
            {"indicator": "a", "aggregate": "ordered"},
            "expected exactly one of 'orness' and 'places'",
        ),
        ({"indicator": "a", "weigh": "pcs"}, "weighing 'pcs' not found; expected one of"),
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
            "found 2 weights of places; expected 1",
        ),
        ({"indicator": "a", "wieght": 2}, "wieght"),
        ({"children": {"b": {"indicator": "b", "weight": -2}}}, r"children\.b\.weight"),
    ],
)
def test_what_a_node_refuses(data: dict[str, object], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
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
    tree = Node.model_validate({"indicator": "a", "transform": {"min_max": None}})
    assert tree.transform == "min_max"
    given = {"min_max": {"low": 1.0, "high": 9.0}}
    tree = Node.model_validate({"indicator": "a", "transform": given})
    assert tree.model_dump(mode="json")["transform"] == given
    assert Node.model_validate(tree.model_dump()) == tree


def test_every_method_can_be_named() -> None:
    needed = {
        "scaled": {"lower": 0, "upper": 9},
        "goalposts": {"lower": 0, "upper": 9},
        "distance_to_target": {"target": 9},
        "distance_to_reference": {"unit": 0},
        "ordered": {"orness": 0.5},
    }
    for key, known in (
        ("transform", NORMALISERS),
        ("aggregate", AGGREGATORS),
        ("weigh", WEIGHINGS),
    ):
        for name in known:
            how = {name: needed[name]} if name in needed else name
            assert getattr(Node.model_validate({"indicator": "a", key: how}), key) == how


def test_a_function_takes_the_place_of_a_name() -> None:
    def halved(need: np.ndarray) -> np.ndarray:
        return need / 2

    tree = Node(indicator="a", transform=halved)
    assert tree.transform is halved
    assert tree.model_dump(mode="json")["transform"] == "halved"
