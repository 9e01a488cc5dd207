"""The inner loops of the draws, compiled: combine, rank and count, one draw a thread.

Each draw is computed by one thread in a fixed order and counts are integers, so the results are
the same bytes on any number of threads.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numba import njit, prange

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = [
    "N_EXACT",
    "bin_middle",
    "bins_reached",
    "combine_rows",
    "count_ranks",
    "rank_bins",
    "rank_rows",
]

N_EXACT = 512
"""Ranks below this are counted one by one; above it, in bins at most 1/256 of the rank wide."""

_DIGIT_BITS = 11
_N_DIGITS = 3


@njit(cache=True, parallel=True)
def combine_rows(x, weights, geometric, out):  # type: ignore[no-untyped-def]
    """Combine (n_children, n_areas) x by (n_draws, n_children) weights into (n_draws, n_areas) out.

    Weighted sums; in rows flagged in `geometric`, the weighted geometric mean times the weights'
    total. A missing child (NaN) is carried by the others in proportion to their weights.
    """
    n_children, n_areas = x.shape
    for d in prange(weights.shape[0]):
        total = 0.0
        for k in range(n_children):
            total += weights[d, k]
        row = out[d]
        if not geometric[d]:  # plain loops, which the compiler makes the most of
            row[:] = 0.0
            for k in range(n_children):
                w, child = weights[d, k], x[k]
                for i in range(n_areas):
                    row[i] += w * child[i]
        for i in range(n_areas):
            if not geometric[d] and not np.isnan(row[i]):
                continue
            score = 0.0
            present = 0.0
            for k in range(n_children):
                if not np.isnan(x[k, i]):
                    value = np.log(x[k, i]) if geometric[d] else x[k, i]
                    score += weights[d, k] * value
                    present += weights[d, k]
            if geometric[d]:
                row[i] = total * np.exp(score / present)
            else:
                row[i] = score * (total / present)


@njit(cache=True)
def _rank_row(row, ranks, keys, keys2, order, order2, counts):  # type: ignore[no-untyped-def]
    """Competition ranks of one row, highest first.

    A radix sort on the leading 33 bits of the range that the keys span brings the row almost into
    order; an insertion sort on the whole keys finishes it, so the ranks are exact.
    """
    n = row.shape[0]
    bits = row.view(np.uint64)
    top = np.uint64(1) << np.uint64(63)
    low, high = ~np.uint64(0), np.uint64(0)
    for i in range(n):
        b = bits[i]
        if b == top:  # -0.0 ties with 0.0
            b = np.uint64(0)
        # Order-preserving map of floats to integers, then reversed: the highest comes first.
        key = b if b & top else ~(b | top)
        keys[i] = key
        order[i] = i
        low, high = min(low, key), max(high, key)
    spare = 0
    while spare < 63 and not ((high - low) << np.uint64(spare)) & top:
        spare += 1
    shift = np.uint64(max(64 - _N_DIGITS * _DIGIT_BITS - spare, 0))
    mask = np.uint64((1 << _DIGIT_BITS) - 1)
    counts[:] = 0
    for i in range(n):
        key = (keys[i] - low) >> shift
        for digit in range(_N_DIGITS):
            counts[digit, (key >> np.uint64(digit * _DIGIT_BITS)) & mask] += 1
    for digit in range(_N_DIGITS):
        start = 0
        for v in range(counts.shape[1]):
            count = counts[digit, v]
            counts[digit, v] = start
            start += count
        by = np.uint64(digit * _DIGIT_BITS)
        for i in range(n):
            key = keys[i]
            v = (((key - low) >> shift) >> by) & mask
            at = counts[digit, v]
            counts[digit, v] = at + 1
            keys2[at] = key
            order2[at] = order[i]
        keys, keys2 = keys2, keys
        order, order2 = order2, order
    for i in range(1, n):
        key, area, at = keys[i], order[i], i
        while at > 0 and keys[at - 1] > key:
            keys[at], order[at] = keys[at - 1], order[at - 1]
            at -= 1
        keys[at], order[at] = key, area
    rank = 1
    for i in range(n):
        if i > 0 and keys[i] != keys[i - 1]:
            rank = i + 1
        ranks[order[i]] = rank


@njit(cache=True, parallel=True)
def rank_rows(need, ranks):  # type: ignore[no-untyped-def]
    """Ranks of each row of (n_draws, n_areas) need into int32 ranks: 1 = highest, ties lowest."""
    n_draws, n = need.shape
    for d in prange(n_draws):
        keys = np.empty(n, np.uint64)
        keys2 = np.empty(n, np.uint64)
        order = np.empty(n, np.int32)
        order2 = np.empty(n, np.int32)
        counts = np.empty((_N_DIGITS, 1 << _DIGIT_BITS), np.int64)
        _rank_row(need[d], ranks[d], keys, keys2, order, order2, counts)


def rank_bins(n_areas: int) -> NDArray[np.uint16]:
    """Give the bin of each rank 0..n_areas: one rank each below `N_EXACT`, then ever wider."""
    ranks = np.arange(n_areas + 1)
    half = N_EXACT // 2
    shift = np.maximum(np.frexp(ranks)[1] - int(np.log2(N_EXACT)), 0)
    bins = np.where(shift == 0, ranks, N_EXACT + (shift - 1) * half + (ranks >> shift) - half)
    return bins.astype(np.uint16)


def bin_middle(bins: NDArray[np.intp]) -> NDArray[np.float64]:
    """Give the middle rank of each bin: the rank itself where bins are one rank wide."""
    half = N_EXACT // 2
    shift = np.where(bins < N_EXACT, 0, (bins - N_EXACT) // half + 1)
    low = np.where(bins < N_EXACT, bins, ((bins - N_EXACT) % half + half) << shift)
    middle: NDArray[np.float64] = low + ((1 << shift) - 1) / 2
    return middle


@njit(cache=True, parallel=True)
def count_ranks(ranks, bins, counts):  # type: ignore[no-untyped-def]
    """Add (n_draws, n_areas) ranks to (n_areas, n_bins) counts, by `rank_bins`."""
    n_draws, n = ranks.shape
    width = 16  # areas whose ranks share a cache line
    for chunk in prange((n + width - 1) // width):
        for d in range(n_draws):
            for i in range(chunk * width, min(n, (chunk + 1) * width)):
                counts[i, bins[np.uint32(ranks[d, i])]] += 1


@njit(cache=True, parallel=True)
def bins_reached(counts, wanted, reached):  # type: ignore[no-untyped-def]
    """Fill (n_areas, n_wanted) with the first bin up to which an area has so many of its counts."""
    for i in prange(counts.shape[0]):
        for q in range(len(wanted)):
            reached[i, q] = counts.shape[1]
        total = 0
        for b in range(counts.shape[1]):
            total += counts[i, b]
            for q in range(len(wanted)):
                if total >= wanted[q] and reached[i, q] == counts.shape[1]:
                    reached[i, q] = b
