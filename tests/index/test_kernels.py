"""The compiled loops against scipy and numpy, on rows chosen to trip them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.stats import rankdata

from commonweal.index.kernels import (
    N_EXACT,
    bin_middle,
    combine_rows,
    count_ranks,
    rank_bins,
    rank_rows,
)
from commonweal.index.uncertainty import RankCounter

RNG = np.random.default_rng(11)
#: The same sign, exponent and first 21 bits of the mantissa: only the last 31 bits differ.
LAST_BITS = (np.full(700, 1.5).view(np.uint64) + RNG.integers(0, 2**31, 700, np.uint64)).view(
    np.float64
)
ROWS = {
    "one": np.array([3.0]),
    "two": np.array([3.0, 4.0]),
    "all equal": np.full(300, 0.1),
    "signed zeros": np.array([0.0, -0.0, 1.0, -1.0, -0.0, 0.0]),
    "many ties": RNG.integers(0, 5, 1000).astype(float),
    "sorted": np.arange(2000.0),
    "reversed": -np.arange(2000.0),
    "tiny and huge": RNG.permutation(np.r_[10.0 ** np.arange(-300, 301.0), -(10.0 ** np.arange(-300, 301.0))]),
    "subnormal": np.array([5e-324, 0.0, -5e-324, 1e-310, 2.2e-308, -1e-310]),
    "infinite": np.array([np.inf, 1.0, -np.inf, np.finfo(float).max, -np.finfo(float).max]),
    "equal in the first 33 bits": LAST_BITS,
    "equal but for an outlier": np.r_[LAST_BITS, 1e300, -1e300],
    "neighbours": np.nextafter(100.0, np.inf) + np.arange(50) * np.spacing(100.0),
    "scores": RNG.uniform(0, 300, 7433),
    "negative": -RNG.uniform(1, 2, 500),
}  # fmt: skip


@pytest.mark.parametrize("row", ROWS.values(), ids=ROWS)
def test_ranks_are_scipys(row: np.ndarray) -> None:
    need = np.vstack([row, row[::-1], RNG.permutation(row)])
    ranks = np.empty(need.shape, np.int32)
    rank_rows(need, ranks)
    expected = np.vstack([rankdata(-r, "min") for r in need])
    np.testing.assert_array_equal(ranks, expected)


@given(need=arrays(np.float64, st.tuples(st.integers(1, 4), st.integers(1, 60)),
                   elements=st.floats(allow_nan=False)))  # fmt: skip
@settings(max_examples=60, deadline=None)
def test_ranks_of_anything_are_scipys(need: np.ndarray) -> None:
    ranks = np.empty(need.shape, np.int32)
    rank_rows(need, ranks)
    np.testing.assert_array_equal(ranks, np.vstack([rankdata(-r, "min") for r in need]))


def test_combine_is_numpys() -> None:
    x = RNG.uniform(0.1, 100, (5, 400))
    weights = RNG.uniform(0.01, 2, (7, 5))
    geometric = np.array([False, True] * 3 + [False])
    out = np.empty((7, 400))
    combine_rows(x, weights, geometric, out)
    total = weights.sum(axis=1, keepdims=True)
    sums = weights @ x
    products = total * np.exp((weights / total) @ np.log(x))
    np.testing.assert_allclose(out, np.where(geometric[:, None], products, sums), rtol=1e-12)


def test_combine_lets_the_others_carry_what_is_missing() -> None:
    x = np.array([[1.0, np.nan, np.nan], [4.0, 4.0, np.nan], [16.0, 9.0, np.nan]])
    weights = np.array([[2.0, 1.0, 1.0]] * 2)
    out = np.empty((2, 3))
    combine_rows(x, weights, np.array([False, True]), out)
    np.testing.assert_allclose(out[:, 0], [22, 4 * (1 * 1 * 4 * 16) ** 0.25])
    np.testing.assert_allclose(out[:, 1], [4 * 6.5, 4 * 6])
    assert np.isnan(out[:, 2]).all()


@pytest.mark.parametrize("n", [1, 511, 512, 513, 7433, 33_755, 100_000])
def test_bins_are_exact_below_512_and_within_a_fifth_of_a_percent_above(n: int) -> None:
    ranks = np.arange(n + 1)
    bins = rank_bins(n).astype(np.intp)
    middle = bin_middle(bins)
    np.testing.assert_array_equal(middle[:N_EXACT], ranks[:N_EXACT])
    assert (np.abs(middle - ranks) <= 0.002 * ranks).all()
    assert (np.diff(bins) >= 0).all()
    assert (np.diff(bins) <= 1).all()  # none is empty
    assert (np.diff(middle) >= 0).all()


def test_counts_are_histograms() -> None:
    n, draws = 37, 50
    ranks = np.vstack([RNG.permutation(n) + 1 for _ in range(draws)]).astype(np.int32)
    counts = np.zeros((n, n + 1), np.uint16)
    count_ranks(ranks, rank_bins(n), counts)
    expected = np.vstack([np.bincount(column, minlength=n + 1) for column in ranks.T])
    np.testing.assert_array_equal(counts, expected)


@pytest.mark.parametrize("draws", [1, 2, 19, 20, 100, 257])
def test_quantiles_are_exact_below_512(draws: int) -> None:
    n = 60
    ranks = np.vstack([RNG.permutation(n) + 1 for _ in range(draws)]).astype(np.int32)
    counter = RankCounter(n, draws)
    for start in range(0, draws, 40):
        counter.add(ranks[start : start + 40])
    at = (0.0, 0.05, 0.1, 0.25, 0.5, 0.75, 0.95, 1.0)
    expected = np.quantile(ranks, at, axis=0, method="inverted_cdf").T
    np.testing.assert_array_equal(counter.quantiles(at), expected)


def test_quantiles_are_near_above_512() -> None:
    n, draws = 5000, 40
    ranks = np.vstack([RNG.permutation(n) + 1 for _ in range(draws)]).astype(np.int32)
    counter = RankCounter(n, draws)
    counter.add(ranks)
    expected = np.quantile(ranks, (0.05, 0.5, 0.95), axis=0, method="inverted_cdf").T
    np.testing.assert_allclose(counter.quantiles((0.05, 0.5, 0.95)), expected, rtol=0.002)


@pytest.mark.parametrize("draws", [2**16, 2**16 + 10])
def test_more_draws_than_a_short_integer_counts(draws: int) -> None:
    counter = RankCounter(2, draws)
    counter.add(np.tile(np.array([[1, 2]], np.int32), (draws, 1)))
    np.testing.assert_array_equal(counter.quantiles((0.0, 0.5, 1.0)), [[1, 1, 1], [2, 2, 2]])
