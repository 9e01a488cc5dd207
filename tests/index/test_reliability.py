"""Do indicators belong together: COINr's numbers, and cases by hand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from commonweal.errors import DataError, UnknownNameError
from commonweal.index.multivariate import cronbach, flag_denominators, flag_pairs, with_ancestors

from . import golden

golden.CHECKED.update(
    {
        "cronbach.csv": "matched",
        "corr_agg_L1_L2_withparent.csv": "matched",
        "corr_agg_family_P2P.csv": "matched",
        "corr_norm_L1_grouplev2.csv": "matched",
        "corr_flags_low.csv": "matched",
        "corr_denom.csv": "matched",
    }
)


def pillars() -> dict[str, list[str]]:
    """By pillar of the example, its indicators."""
    parent = golden.meta("Parent")
    return {p: sorted(n for n in golden.names() if parent[n] == p) for p in golden.level(2)}


def test_alpha_is_coinrs() -> None:
    names = golden.names()
    raw, normalised = golden.matrix(golden.RAW), golden.matrix("example_Normalised.csv", names)
    groups = {**pillars(), "ALL": names}
    ours = []
    for group in golden.texts("cronbach.csv", "iCode"):
        at = [names.index(n) for n in groups[group]]
        ours.append(
            [cronbach(raw[:, at]), cronbach(raw[:, at], complete=True), cronbach(normalised[:, at])]
        )
    golden.agrees(ours, golden.matrix("cronbach.csv"))


def test_correlations_with_ancestors_are_coinrs() -> None:
    names = golden.columns("example_Aggregated.csv")
    names = [n for n in names if n in golden.meta("Level")]
    parent = {n: p for n in names if (p := golden.meta("Parent")[n]) != "NA"}
    pairs = with_ancestors(golden.matrix("example_Aggregated.csv", names), names, parent)
    r = {(p.first, p.second): p.r for p in pairs}
    file = "corr_agg_L1_L2_withparent.csv"
    theirs = zip(golden.texts(file, "Var2"), golden.texts(file, "Var1"), strict=True)
    golden.agrees([r[pair] for pair in theirs], golden.numbers(file, "Correlation"))
    file = "corr_agg_family_P2P.csv"
    family = {"Pillar": "P2P", "Sub-index": "Conn", "Index": "Index"}
    of = [family[level] for level in golden.texts(file, "Var1")]
    ours = [r[name, node] for name, node in zip(golden.texts(file, "Var2"), of, strict=True)]
    golden.agrees(ours, golden.numbers(file, "Correlation"))


def test_pairs_within_groups_are_coinrs() -> None:
    names = golden.names()
    x = golden.matrix("example_Normalised.csv", names)
    below, above = flag_pairs(x, names, pillars(), collinear=0.0, contrary=0.0)
    r = {(p.first, p.second): p.r for p in (*below, *above)}
    file = "corr_norm_L1_grouplev2.csv"
    for first, second, theirs in zip(
        golden.texts(file, "Var1"),
        golden.texts(file, "Var2"),
        golden.numbers(file, "Correlation"),
        strict=True,
    ):
        ours = 1.0 if first == second else r[min(first, second), max(first, second)]
        golden.agrees(ours, theirs)
    _, contrary = flag_pairs(x, names, pillars(), contrary=-0.5)
    file = "corr_flags_low.csv"
    ours = {(p.group, p.first, p.second): p.r for p in contrary}
    theirs = [(row["Group"], row["Ind1"], row["Ind2"]) for row in golden.rows(file)]
    assert sorted(ours) == sorted(theirs)
    golden.agrees([ours[pair] for pair in theirs], golden.numbers(file, "Corr"))


def test_denominators_that_are_correlated_are_coinrs() -> None:
    names, denominators = golden.names(), ["Area", "Energy", "GDP", "Population"]
    pairs = flag_denominators(
        golden.matrix(golden.RAW), names, golden.example(denominators), denominators
    )
    ours = {(p.first, p.second): p.r for p in pairs}
    theirs = [(row["Ind"], row["Denom"]) for row in golden.rows("corr_denom.csv")]
    assert sorted(ours) == sorted(theirs)
    golden.agrees([ours[pair] for pair in theirs], golden.numbers("corr_denom.csv", "Corr"))


def test_alpha_by_hand() -> None:
    x = np.array([[1.0, 1.0], [2.0, 2.0], [3.0, 3.0]])
    assert cronbach(x) == pytest.approx(1)
    assert cronbach(x * [1, -2]) == pytest.approx(4 * -2 / (1 + 4 - 4))


@given(arrays(np.float64, (10, 3), elements=st.floats(-5, 5)), st.permutations(range(10)))
def test_alpha_ignores_order_and_common_unit(x: np.ndarray, order: list[int]) -> None:
    x = x + np.arange(10.0)[:, None] * 10
    assert cronbach(x[order] * 3 + 1) == pytest.approx(cronbach(x))
    assert cronbach(x) <= 1 + 1e-12


def test_errors_name_what_is_wrong() -> None:
    with pytest.raises(DataError, match="of 1 indicator"):
        cronbach([[1.0], [2.0]])
    with pytest.raises(DataError, match="indicator 'column 1' has fewer than 2 units"):
        cronbach([[1.0, 2.0]])
    with pytest.raises(DataError, match="'column 1' and 'column 2' share fewer than 2 units"):
        cronbach([[1.0, np.nan], [2.0, np.nan], [np.nan, 1.0], [np.nan, 2.0]])
    with pytest.raises(DataError, match="'halls' and 'pubs' share fewer than 2"):
        cronbach([[1.0, np.nan], [2.0, 1.0], [3.0, np.nan]], names=["halls", "pubs"])
    with pytest.raises(DataError, match="of constants"):
        cronbach([[0.1, 0.2], [0.1, 0.2], [0.1, 0.2]])
    x = np.eye(3)
    with pytest.raises(DataError, match=r"collinear: 1\.5 found; .* from 0 to 1"):
        flag_pairs(x, ["a", "b", "c"], {}, collinear=1.5)
    with pytest.raises(DataError, match=r"contrary: 0\.4 found; .* from -1 to 0"):
        flag_pairs(x, ["a", "b", "c"], {}, contrary=0.4)
    with pytest.raises(UnknownNameError, match="'z' not found"):
        flag_pairs(x, ["a", "b", "c"], {"g": ["a", "z"]})
    with pytest.raises(UnknownNameError, match="parent of 'a'"):
        with_ancestors(x, ["a", "b", "c"], {"a": "d"})
    with pytest.raises(UnknownNameError, match=r"'d' not found.*\(parent of 'b'\)"):
        with_ancestors(x, ["a", "b", "c"], {"a": "b", "b": "d"})
    for circle in ({"a": "b", "b": "a"}, {"a": "b", "b": "c", "c": "b"}, {"a": "a"}):
        with pytest.raises(DataError, match="own ancestor"):
            with_ancestors(x, ["a", "b", "c"], circle)
