"""Correlations: R's numbers through COINr, exact cases, and what must hold of any."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.stats import kendalltau

from commonweal.errors import DataError, UnknownNameError
from commonweal.index.correlate import correlate, pairwise_covariance

from . import golden

METHODS = ["pearson", "spearman", "kendall"]

golden.CHECKED.update(
    {
        "corr_raw_pearson_p05.csv": "matched",
        "corr_raw_spearman_p0.csv": "matched",
        "corr_raw_kendall_p0.csv": "matched",
        "corr_raw_kendall_p05.csv": "matched",
        "pvals_raw_spearman.csv": "matched",
        "pvals_raw_kendall.csv": "matched",
        "timing/ref33755_corr_pearson.csv.gz": "matched",
    }
)


def long_table(file: str, names: list[str]) -> np.ndarray:
    """Read a file of Var1, Var2, Correlation as a square."""
    at = {name: j for j, name in enumerate(names)}
    square = np.full((len(names), len(names)), np.inf)
    for first, second, r in zip(
        golden.texts(file, "Var1"),
        golden.texts(file, "Var2"),
        golden.numbers(file, "Correlation"),
        strict=True,
    ):
        square[at[first], at[second]] = r
    return square


@pytest.mark.slow
@pytest.mark.parametrize(
    ("file", "method", "at_most"),
    [
        ("corr_raw_pearson_p05.csv", "pearson", 0.05),
        ("corr_raw_spearman_p0.csv", "spearman", 1.0),
        ("corr_raw_kendall_p0.csv", "kendall", 1.0),
        ("corr_raw_kendall_p05.csv", "kendall", 0.05),
    ],
)
def test_coefficients_are_those_of_coinr(file: str, method: str, at_most: float) -> None:
    names = golden.names()
    found = correlate(golden.matrix(golden.RAW), method=method)
    golden.agrees(np.where(found.p <= at_most, found.r, np.nan), long_table(file, names))


@pytest.mark.parametrize("method", ["spearman", "kendall"])
def test_p_values_are_those_of_r(method: str) -> None:
    # R takes small exact p-values as one minus the rest: below 1e-12 theirs are rounding noise.
    file = f"pvals_raw_{method}.csv"
    names = golden.texts(file, "row")
    found = correlate(golden.matrix(golden.RAW, names), method=method)
    golden.agrees(found.p, golden.matrix(file, names))


def test_every_neighbourhood_of_the_timing_input_correlates_as_in_coinr() -> None:
    names = golden.columns("timing/timing_iData_33755.csv.gz")
    found = correlate(golden.matrix("timing/timing_iData_33755.csv.gz"))
    golden.agrees(found.r, long_table("timing/ref33755_corr_pearson.csv.gz", names))


@pytest.mark.parametrize("n", [4, 7, 9])
def test_spearmans_p_counts_orders_where_they_are_few(n: int) -> None:
    ranks = np.arange(n, dtype=float)
    sums = np.array([((np.array(o) - ranks) ** 2).sum() for o in permutations(range(n))])
    y = np.roll(ranks, 1)
    observed, mean = ((y - ranks) ** 2).sum(), (n**3 - n) / 6
    tail = sums <= observed if observed <= mean else sums >= observed
    p = correlate(np.column_stack([ranks, y]), method="spearman").p[0, 1]
    assert p == pytest.approx(min(2 * tail.mean(), 1))


@pytest.mark.parametrize("n", [2, 3, 10, 49, 50, 1000])
@pytest.mark.parametrize("distinct", [2, 7, 10**9])
def test_kendalls_tau_and_p_are_scipys(n: int, distinct: int) -> None:
    rng = np.random.default_rng([n, distinct])
    x = rng.integers(0, distinct, (n, 4)).astype(float)
    x[:, 1] += x[:, 0]
    x[(rng.random(x.shape) < 0.1) & (n > 3)] = np.nan
    found = correlate(x, method="kendall")
    for i, j in [(0, 1), (0, 2), (2, 1), (3, 2)]:
        a, b = x[~np.isnan(x[:, [i, j]]).any(axis=1)][:, [i, j]].T
        tied = min(len(np.unique(a)), len(np.unique(b))) < len(a)
        exact = len(a) < 50 and not tied
        expected = kendalltau(a, b, method="exact" if exact else "asymptotic")
        golden.agrees(found.r[i, j], expected.statistic)
        golden.agrees(found.p[i, j], expected.pvalue)
        assert found.n[i, j] == len(a)


@pytest.mark.parametrize("method", METHODS)
def test_a_block_is_the_corner_of_the_whole(method: str) -> None:
    x = np.random.default_rng(1).normal(size=(40, 5))
    x[3, 0] = x[5, 4] = np.nan
    whole, block = correlate(x, method=method), correlate(x[:, :2], x[:, 2:], method=method)
    for part in ("r", "p", "n"):
        golden.agrees(getattr(block, part), getattr(whole, part)[:2, 2:], absolute=1e-14)


@pytest.mark.parametrize("method", METHODS)
def test_what_is_undefined_is_nan(method: str) -> None:
    x = np.array([[0.1, 1.0, np.nan], [0.1, 2.0, np.nan], [0.1, 5.0, 7.0]])
    found = correlate(x, method=method)
    assert np.isnan(found.r[0]).all()
    assert np.isnan(found.r[2]).all()
    assert found.r[1, 1] == 1
    assert found.p[1, 1] == 0
    assert found.n.tolist() == [[3, 3, 1], [3, 3, 1], [1, 1, 1]]


def test_a_column_constant_only_where_both_have_values_is_undefined() -> None:
    x = np.array([[0.1, 1.0], [0.1, 2.0], [0.1, 3.0], [9.0, np.nan]])
    assert np.isnan(correlate(x).r[0, 1])
    assert correlate(x).r[0, 0] == 1


@given(
    arrays(np.float64, (15, 3), elements=st.integers(-20, 20)),
    arrays(np.bool_, (15, 3)),
    st.permutations(range(15)),
    st.sampled_from(METHODS),
)
def test_correlation_ignores_order_unit_and_origin(
    x: np.ndarray, gaps: np.ndarray, order: list[int], method: str
) -> None:
    x = np.where(gaps, np.nan, x)
    found = correlate(x, method=method)
    for other in (x[order], x * 3 + 7):
        again = correlate(other, method=method)
        np.testing.assert_allclose(again.r, found.r, atol=1e-9)
        np.testing.assert_allclose(again.p, found.p, atol=1e-6)
    turned = correlate(x * [-1, 1, 1], method=method)
    np.testing.assert_allclose(turned.r[0, 1:], -found.r[0, 1:], atol=1e-9)
    np.testing.assert_allclose(found.r, found.r.T)


@given(arrays(np.float64, (12, 2), elements=st.integers(-9, 9)), arrays(np.bool_, (12, 2)))
def test_pairwise_is_complete_case_for_two_columns(x: np.ndarray, gaps: np.ndarray) -> None:
    x = np.where(gaps, np.nan, x)
    both = x[~np.isnan(x).any(axis=1)]
    for method in METHODS:
        golden.agrees(correlate(x, method=method).r[0, 1], correlate(both, method=method).r[0, 1])
    if len(both) > 1:
        golden.agrees(pairwise_covariance(x)[0, 1], np.cov(both.T)[0, 1])


def test_errors_say_what_was_expected() -> None:
    with pytest.raises(
        UnknownNameError, match="method 'taub' not found; expected one of: kendall, pearson"
    ):
        correlate([[1.0]], method="taub")
    for method in METHODS:
        with pytest.raises(DataError, match="of 1 and 0 columns; expected at least 1 each"):
            correlate([[1.0], [2.0]], np.empty((2, 0)), method)  # type: ignore[arg-type]
    with pytest.raises(DataError, match="2 and 1 units"):
        correlate([[1.0], [2.0]], [[1.0]])
