"""Frameworks as data: the official recipes, and what is refused."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from commonweal.errors import StudyError, UnknownNameError
from commonweal.index import Node, load_preset, presets, with_indicators

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
        ({"indicator": "a", "transform": "rank"}, "transform"),
        ({"indicator": "a", "aggregate": "median"}, "aggregate"),
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
