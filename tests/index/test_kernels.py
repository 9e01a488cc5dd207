"""The compiled loops against scipy and numpy, on rows chosen to trip them."""

from __future__ import annotations

from typing import Literal

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.stats import rankdata

from commonweal.index.kernels import (
    N_EXACT,
    bin_ends,
    combine_rows,
    count_ranks,
    exponential_rows,
    rank_bins,
    rank_rows,
    upward_rows,
)
from commonweal.index.rank_transforms import exponential, normal_quantile, normal_score
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
@settings(max_examples=60)
def test_ranks_of_anything_are_scipys(need: np.ndarray) -> None:
    ranks = np.empty(need.shape, np.int32)
    rank_rows(need, ranks)
    np.testing.assert_array_equal(ranks, np.vstack([rankdata(-r, "min") for r in need]))


def combined(
    x: np.ndarray,
    weights: np.ndarray,
    powers: np.ndarray,
    *,
    needed: float = 0.0,
    as_log: bool = False,
) -> np.ndarray:
    """Combine (n_children, n_units) rows of one node."""
    n_runs, n_children = weights.shape
    out = np.empty((n_runs, x.shape[1]))
    combine_rows(
        x, np.log(x), np.empty((0, n_runs, x.shape[1])), np.array([0, n_children]),
        np.tile(np.arange(n_children), (n_runs, 1)), weights, np.ones(n_children), powers[:, None],
        np.full((n_runs, 1), needed), np.full((n_runs, 1), as_log), out,
    )  # fmt: skip
    return out


@pytest.mark.parametrize("power", [1.0, 0.0, -1.0, 0.5, 3.0, -2.5])
def test_combine_is_numpys(power: float) -> None:
    x = RNG.uniform(0.1, 100, (5, 700))
    weights = RNG.dirichlet(np.ones(5), 7)
    mean = np.exp(weights @ np.log(x)) if power == 0 else (weights @ x**power) ** (1 / power)
    powers = np.full(7, power)
    np.testing.assert_allclose(combined(x, weights, powers), mean, rtol=1e-11)
    logs = combined(x, weights, powers, as_log=True)
    np.testing.assert_allclose(logs, np.log(mean), rtol=1e-11, atol=1e-11)


def test_weights_of_a_sum_are_used_as_they_stand() -> None:
    x, weights = RNG.uniform(0.1, 100, (3, 40)), np.array([[2.0, 1.0, 0.5]])
    np.testing.assert_allclose(combined(x, weights, np.ones(1)), weights @ x, rtol=1e-11)


def test_combine_lets_the_others_carry_what_is_missing() -> None:
    x = np.array([[1.0, np.nan, np.nan], [4.0, 4.0, np.nan], [16.0, 9.0, np.nan]])
    weights = np.array([[0.5, 0.25, 0.25]] * 3)
    out = combined(x, weights, np.array([1.0, 0.0, -1.0]))
    np.testing.assert_allclose(
        out[:, 0], [5.5, (1 * 1 * 4 * 16) ** 0.25, 1 / (0.5 + 1 / 16 + 1 / 64)]
    )
    np.testing.assert_allclose(out[:, 1], [6.5, 6, 1 / (1 / 8 + 1 / 18)])
    assert np.isnan(out[:, 2]).all()


@pytest.mark.parametrize(("needed", "there"), [(0.6, True), (2 / 3, True), (0.7, False)])
def test_a_unit_needs_its_share_of_the_stated_weight(needed: float, there: bool) -> None:
    x = np.array([[np.nan], [4.0], [9.0]])
    for weights in ([0.98, 0.01, 0.01], [0.0, 0.5, 0.5]):  # what is left out is not needed
        out = combined(x, np.array([weights]), np.ones(1), needed=needed)
        assert np.isfinite(out[0, 0]) == (there or weights[0] == 0)


def test_values_that_a_mean_does_not_take_leave_nothing() -> None:
    x = np.array([[0.0, -1.0, 2.0], [1.0, 1.0, 2.0]])
    with np.errstate(all="ignore"):
        out = combined(x, np.full((4, 2), 0.5), np.array([0.0, -1.0, 0.5, 1.0]))
    np.testing.assert_array_equal(np.isnan(out[:, 1]), [True, True, True, False])
    np.testing.assert_allclose(out[:, 2], 2)
    assert out[2, 0] == pytest.approx(0.25)  # a power above 0 takes 0
    assert np.isnan(out[1, 0])


def test_nodes_feed_nodes_and_runs_have_values_of_their_own() -> None:
    """(row 0, own values) in a geometric mean, inside a mean with row 1."""
    x, own = RNG.uniform(1, 9, (2, 300)), RNG.uniform(1, 9, (1, 4, 300))
    weights = np.array([[0.3, 0.7, 0.4, 0.6]] * 4)
    picks = np.array([[0, 2, 3, 1]] * 4)
    inner = np.exp(0.3 * np.log(x[0]) + 0.7 * np.log(own[0]))
    for outer, as_log in ((0.0, True), (0.0, False), (1.0, False)):
        powers = np.array([[0.0, outer]] * 4)
        logs = np.array([[as_log, False]] * 4)
        out = np.empty((4, 300))
        combine_rows(
            x, np.log(x), own, np.array([0, 2, 4]), picks, weights, np.ones(4), powers,
            np.zeros((4, 2)), logs, out,
        )  # fmt: skip
        mean = inner**0.4 * x[1] ** 0.6 if outer == 0 else 0.4 * inner + 0.6 * x[1]
        np.testing.assert_allclose(out, mean, rtol=1e-11)


def test_a_run_of_another_form_is_left_alone() -> None:
    out = combined(RNG.uniform(1, 2, (2, 9)), np.full((2, 2), 0.5), np.array([np.nan, 1.0]))
    assert np.isfinite(out[1]).all()


@pytest.mark.parametrize("average", [True, False])
@pytest.mark.parametrize("scale", [23.0, 5.0])
def test_the_exponential_of_rows_is_that_of_ranks(average: bool, scale: float) -> None:
    rows = np.vstack([RNG.normal(size=900), RNG.integers(0, 9, 900), RNG.normal(size=900)])
    rows[2, [4, 17, 400]] = np.nan
    expected = [exponential(row, "average" if average else "min", scale) for row in rows]
    exponential_rows(rows, scale, average)
    np.testing.assert_allclose(rows, expected, rtol=1e-12)


@pytest.mark.slow
@pytest.mark.parametrize("formula", ["hazen", "blom"])
def test_the_normal_scores_of_rows_are_those_of_ranks(formula: Literal["hazen", "blom"]) -> None:
    rows = np.vstack([RNG.normal(size=900), RNG.integers(0, 9, 900), RNG.normal(size=900)])
    rows[2, [4, 17, 400]] = np.nan
    expected = [normal_score(row, formula=formula) for row in rows]
    n_ranked = upward_rows(rows, True)
    assert n_ranked.tolist() == [900, 900, 897]
    np.testing.assert_array_equal(normal_quantile(rows, n_ranked[:, None], formula), expected)


@pytest.mark.parametrize("n", [1, 511, 512, 513, 7433, 33_755, 100_000])
def test_bins_are_exact_below_512_and_within_a_fifth_of_a_percent_above(n: int) -> None:
    ranks = np.arange(n + 1)
    bins = rank_bins(n).astype(np.intp)
    first, last = bin_ends(bins)
    np.testing.assert_array_equal(first[:N_EXACT], ranks[:N_EXACT])
    np.testing.assert_array_equal(last[:N_EXACT], ranks[:N_EXACT])
    assert ((first <= ranks) & (ranks <= last)).all()
    assert (last - first < 0.004 * np.maximum(ranks, 1) + 1e-9).all()
    middle = (first + last) / 2
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
    found = counter.quantiles((0.05, 0.5, 0.95))
    np.testing.assert_allclose(found, expected, rtol=0.004)
    np.testing.assert_allclose(found[:, 1], expected[:, 1], rtol=0.002)


def test_a_range_of_ranks_holds_what_it_says_in_whole_ranks() -> None:
    """From the rank at 5% to that at 95% there are at least nine draws of ten, for every area."""
    n, draws = 5000, 200
    ranks = np.vstack([RNG.permutation(n) + 1 for _ in range(draws)]).astype(np.int32)
    counter = RankCounter(n, draws)
    counter.add(ranks)
    low, high = counter.quantiles((0.05, 0.95)).T
    assert (low % 1 == 0).all()
    assert (high % 1 == 0).all()
    lowest, highest = np.quantile(ranks, (0.05, 0.95), axis=0, method="inverted_cdf")
    assert (low <= lowest).all()
    assert (high >= highest).all()
    assert (((ranks >= low) & (ranks <= high)).mean(axis=0) >= 0.9).all()
    assert high.max() <= n


def test_shares_are_exact_below_512_and_end_with_their_bin_above() -> None:
    for n, edges in ((60, (1, 6, 30, 59, 60)), (5000, (100, 511, 600, 2500, 5000))):
        ranks = np.vstack([RNG.permutation(n) + 1 for _ in range(80)]).astype(np.int32)
        counter = RankCounter(n, 80)
        counter.add(ranks)
        shares = counter.shares(edges)
        exact = np.array([(ranks <= edge).mean(axis=0) for edge in edges]).T
        beyond = np.array([(ranks <= edge * 1.004 + 1e-9).mean(axis=0) for edge in edges]).T
        assert (exact <= shares + 1e-12).all()
        assert (shares <= beyond + 1e-12).all()
        small = np.array(edges) < N_EXACT
        np.testing.assert_allclose(shares[:, small], exact[:, small])
        np.testing.assert_allclose(shares[:, -1], 1)


@pytest.mark.slow
@pytest.mark.parametrize("draws", [2**16, 2**16 + 10])
def test_more_draws_than_a_short_integer_counts(draws: int) -> None:
    counter = RankCounter(2, draws)
    counter.add(np.tile(np.array([[1, 2]], np.int32), (draws, 1)))
    np.testing.assert_array_equal(counter.quantiles((0.0, 0.5, 1.0)), [[1, 1, 1], [2, 2, 2]])
