"""Results: COINr's tables of its own example, one by one."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from commonweal.errors import CommonwealError, DataError
from commonweal.index.rank_tables import (
    compare_ranks,
    compare_versions,
    group_ranks,
    results_table,
    strengths,
    unit_summary,
    weaknesses,
)

from . import golden

golden.CHECKED.update(
    {
        "example_results_scores.csv": "matched",
        "example_results_ranks.csv": "matched",
        "example_results_groupranks.csv": "matched",
        "example_rank_df.csv": "matched",
        "example_unit_summary_AUT.csv": "matched",
        "example_strengths_AUT.csv": "matched",
        "example_weaknesses_AUT.csv": "differs: COINr passes over indicators on which nobody has "
        "less than the unit; ours do with `leave_out_least`, and then match",
    }
)

AGGREGATED = "example_Aggregated.csv"
TIES = arrays(np.float64, 12, elements=st.sampled_from([1.0, 2.0, 3.0, np.nan]))


def units() -> list[str]:
    return golden.texts(AGGREGATED, "uCode")


def scores(nodes: list[str]) -> dict[str, np.ndarray]:
    return {node: golden.numbers(AGGREGATED, node) for node in nodes}


def top_down() -> list[str]:
    return [node for at in (4, 3, 2) for node in golden.level(at)]


def test_scores_in_order() -> None:
    file, nodes = "example_results_scores.csv", top_down()
    table = results_table(scores(nodes), units())
    assert table["unit"].to_list() == golden.texts(file, "uCode")
    golden.agrees(table["rank"], golden.numbers(file, "Rank"))
    golden.agrees(table.select(nodes), golden.matrix(file, nodes))


def test_ranks_of_every_node_and_indicator() -> None:
    file = "example_results_ranks.csv"
    nodes = golden.columns(file)
    table = results_table(scores(nodes), units(), show="ranks")
    assert table["unit"].to_list() == golden.texts(file, "uCode")
    golden.agrees(table.select(nodes), golden.matrix(file))
    file = "example_rank_df.csv"
    table = results_table(scores(golden.columns(file)), units(), show="ranks").sort("unit")
    assert table["unit"].to_list() == golden.texts(file, "uCode")
    golden.agrees(table.select(golden.columns(file)), golden.matrix(file))


def test_ranks_within_groups() -> None:
    file, nodes = "example_results_groupranks.csv", top_down()
    group = dict(
        zip(*(golden.texts("in_asem_iData.csv", c) for c in ("uCode", "GDP_group")), strict=True)
    )
    groups = [group[u] for u in units()]
    table = results_table(scores(nodes), units(), show="group_ranks", groups=groups).sort("unit")
    at = np.argsort(golden.texts(file, "uCode"))
    assert table["unit"].to_list() == [golden.texts(file, "uCode")[i] for i in at]
    assert table["group"].to_list() == [golden.texts(file, "GDP_group")[i] for i in at]
    golden.agrees(table.select(nodes), golden.matrix(file, nodes)[at])


def test_one_unit_on_every_node() -> None:
    file = "example_unit_summary_AUT.csv"
    table = unit_summary(scores(golden.texts(file, "Code")), units().index("AUT"))
    assert table["node"].to_list() == golden.texts(file, "Code")
    golden.agrees(table["score"], golden.numbers(file, "Score"))
    golden.agrees(table["rank"], golden.numbers(file, "Rank"))
    assert set(table["of"]) == {51}


def test_strengths_and_weaknesses_of_austria() -> None:
    names, its = golden.columns(golden.RAW), golden.meta("Direction")
    x, at = golden.matrix(golden.RAW), golden.texts(golden.RAW, "uCode").index("AUT")
    signs = [float(its[n]) for n in names]
    for file, table in (
        ("example_strengths_AUT.csv", strengths(x, at, names, directions=signs)),
        (
            "example_weaknesses_AUT.csv",
            weaknesses(x, at, names, directions=signs, leave_out_least=True),
        ),
    ):
        assert table["name"].to_list() == golden.texts(file, "Code")
        golden.agrees(table["rank"], golden.numbers(file, "Rank"))
        golden.agrees(table["value"], golden.numbers(file, "Value"))
    # Austria has no coast: nobody has less shipping, and in ours that is its greatest weakness.
    assert weaknesses(x, at, names, directions=signs)["name"][-1] == "Ship"


def test_no_strength_at_the_bottom_and_no_weakness_at_the_top() -> None:
    x = np.array([[1.0, 0.0, np.nan], [1.0, 0.0, 5.0], [0.0, 0.0, 6.0]])
    names = ["halls", "nothing anywhere", "gap"]
    assert strengths(x, 0, names)["name"].to_list() == ["halls"]
    assert weaknesses(x, 0, names)["name"].to_list() == []
    assert weaknesses(x, 2, names)["name"].to_list() == ["halls"]
    assert weaknesses(x, 2, names, most=0).is_empty()
    assert strengths(x, 2, names, directions=[-1, 1, 1])["name"].to_list() == ["halls", "gap"]


@settings(max_examples=30)
@given(TIES, st.permutations(range(12)))
def test_ranks_in_groups_are_ranks_of_each_group_alone(x: np.ndarray, order: list[int]) -> None:
    groups = ["a", "b", None] * 4
    ranks = group_ranks(x, groups)
    for group in ("a", "b"):
        own = [i for i, g in enumerate(groups) if g == group]
        for i in own:
            above = sum(x[j] > x[i] for j in own)
            assert np.isnan(ranks[i]) if np.isnan(x[i]) else ranks[i] == above + 1
    assert np.isnan(ranks[2::3]).all()
    np.testing.assert_array_equal(group_ranks(x[order], [groups[i] for i in order]), ranks[order])


def test_versions_side_by_side() -> None:
    versions = {"a": [3.0, 2.0, np.nan], "b": [1.0, 2.0, 3.0]}
    table = compare_versions(versions, ["x", "y", "z"])
    assert table.rows() == [("x", 1.0, 3.0), ("y", 2.0, 2.0), ("z", None, 1.0)]
    assert compare_versions(versions, ["x", "y", "z"], show="scores")["a"].to_list() == [3, 2, None]
    pair = compare_ranks(versions["a"], versions["b"], ["x", "y", "z"])
    assert pair.columns == ["unit", "nominal", "other", "shift", "absolute"]
    assert pair.rows()[0] == ("x", 1, 3, -2, 2)
    assert pair["unit"].to_list() == ["x", "y", "z"]
    assert pair["shift"].to_list() == [-2, 0, None]


def test_errors() -> None:
    with pytest.raises(DataError, match="groups: 2 found; expected 3"):
        group_ranks([1.0, 2.0, 3.0], ["a", "b"])
    with pytest.raises(DataError, match="need `groups`"):
        results_table({"a": [1.0]}, ["x"], show="group_ranks")
    with pytest.raises(DataError, match="no node"):
        results_table({}, [])
    with pytest.raises(DataError, match="no version"):
        compare_versions({}, [])
    with pytest.raises(DataError, match="unit 9 found; expected a position from 0"):
        unit_summary({"a": [1.0]}, 9)
    with pytest.raises(DataError, match="names for"):
        strengths([[1.0, 2.0]], 0, ["a"])


def test_a_unit_is_its_position_or_its_code() -> None:
    x = pd.DataFrame({"halls": [5.0, 4.0, 1.0], "shops": [1.0, 2.0, 3.0]}, index=["A", "B", "C"])
    for listed in (strengths, weaknesses):
        by_code = listed(x, "A", directions={"shops": -1})
        assert by_code.rows() == listed(x, 0, directions=[1, -1]).rows()
        in_arrays = listed(x.to_numpy(), "A", ["halls", "shops"], units=["A", "B", "C"],
                           directions=[1, -1])  # fmt: skip
        assert in_arrays.rows() == by_code.rows()
    scores = {"index": x["halls"], "shops": x["shops"]}
    assert unit_summary(scores, "B", units=x.index).rows() == unit_summary(scores, 1).rows()


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: strengths([[1.0]], "A", ["a"]), "unit 'A' is a code; expected the codes of all"),
        (
            lambda: strengths([[1.0]], "B", ["a"], units=["A"]),
            "unit 'B' not found; expected one of: A",
        ),
        (lambda: strengths([[1.0]], 0, ["a"], most=-2), "most: -2 found; expected a whole number"),
        (
            lambda: results_table({"a": [1.0]}, ["x"], show="rank"),
            "show 'rank' not found; did you mean 'ranks'",
        ),
        (lambda: results_table({"a": [1.0, 2.0]}, ["x", "x"]), "units: 'x' is there twice"),
        (
            lambda: results_table({"a": [1.0], "b": [1.0, 2.0]}, ["x"]),
            "scores of 'b': 2 found; expected 1",
        ),
        (lambda: results_table({"a": [1.0]}, ["x", "y"]), "units: 2 found; expected 1, one a row"),
        (
            lambda: compare_ranks([1.0, 2.0], [1.0], ["x", "y"]),
            "scores of 'other': 1 found; expected 2",
        ),
        (
            lambda: compare_versions({"a": [1.0]}, ["x"], show="shift"),
            "show 'shift' not found; did you mean 'shifts'",
        ),
        (lambda: group_ranks(["1"], ["a"]), "scores, row 1: '1' found; expected a number"),
    ],
)
def test_what_no_table_can_show_is_named(call: Any, said: str) -> None:
    with pytest.raises(CommonwealError, match=said):
        call()


def test_a_group_that_is_missing_has_no_ranks() -> None:
    ranks = group_ranks([1.0, 2.0, 3.0], pd.Series(["a", np.nan, "a"]))
    np.testing.assert_array_equal(ranks, [2.0, np.nan, 1.0])
