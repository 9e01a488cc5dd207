"""The inner loops of the draws, compiled: combine, rank, count and carry to other areas.

Each works on a part of its rows, and the parts in several threads: a compiler that splits loops itself takes twice as
long, and may be called from one thread only. Arrays are filled in loops: each ``[:] =`` takes a second to compile.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from commonweal.files.extras import in_parts, njit

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]


__all__ = [
    "N_EXACT",
    "bin_ends",
    "bins_reached",
    "carry_rows",
    "combine_rows",
    "count_ranks",
    "exponential_rows",
    "rank_bins",
    "rank_rows",
    "upward_rows",
]


N_EXACT = 512
"""Ranks below this are counted one by one; above it, in bins at most 1/256 of the rank wide."""

_CHUNK = 256
"""Units that are combined at once, so that their rows stay in the cache while every run passes."""

_SPLIT = 2.0**7 + 1
"""x - (x s - x) (Veltkamp's splitting) keeps 46 of the 53 bits of x: what the order of adding changes
is gone, and two scores that differ hardly ever tie."""

_LINE = 16
"""Areas whose ranks share a cache line."""

_DIGIT_BITS = 11
_N_DIGITS = 3


def combine_rows(
    rows: Floats,
    logs: Floats,
    moving: Floats,
    starts: NDArray[np.int64],
    picks: NDArray[np.intp],
    weights: Floats,
    stated: Floats,
    powers: Floats,
    needed: Floats,
    as_log: NDArray[np.bool_],
    out: Floats,
) -> int:
    """Fill (n_runs, n_units) out with the scores of a tree of power means.

    Nodes stand children before parents; edges starts[k] to starts[k + 1] lead to the children of
    node k. In run d edge e takes row picks[d, e] of rows (n_rows, n_units); from there on the runs'
    own values, row d of moving (n_moving, n_runs, n_units); and from there on the nodes.

    weights are (n_runs, n_edges), not negative; those of a node add up to 1, or to anything for a
    sum. powers[d, k] is the power of a mean: 1 arithmetic or a sum, 0 geometric, -1 harmonic; a
    run of which the last node has NaN is left alone. logs are the logarithms of rows, for
    powers of 0. The weight of a missing child is carried by the others; a unit with less than
    needed[d, k] of the stated weight is missing. Where as_log[d, k], a node hands on the logarithm
    of its score: to a parent of power 0, which takes it as it is, or out, if only ranks are wanted.

    Returns the first run in which a mean met a value that it does not take (a geometric one 0, say);
    n_runs if none did.
    """
    n_chunks = (out.shape[1] + _CHUNK - 1) // _CHUNK
    tree = (starts, picks, weights, stated, powers, needed, as_log)
    refused = [len(picks)]
    in_parts(
        n_chunks,
        lambda first, last: refused.append(
            _combine_chunks(first, last, rows, logs, moving, *tree, out)
        ),
    )
    return min(refused)


@njit(cache=True, nogil=True, error_model="numpy")
def _combine_chunks(  # type: ignore[no-untyped-def]
    first_chunk, last_chunk, rows, logs, moving, starts, picks, weights, stated, powers, needed, as_log, out
):  # fmt: skip
    """Combine the units of some chunks; give the first run refused there."""
    n_rows, n_moving, n_nodes = len(rows), len(moving), len(starts) - 1
    n_units = out.shape[1]
    refused = len(picks)
    values = np.empty((n_nodes, _CHUNK))
    for chunk in range(first_chunk, last_chunk):
        begin = chunk * _CHUNK
        n = min(_CHUNK, n_units - begin)
        for d in range(len(picks)):
            if np.isnan(powers[d, n_nodes - 1]):
                continue
            for node in range(n_nodes):
                mine, power = values[node], powers[d, node]
                for i in range(n):
                    mine[i] = 0.0
                for e in range(starts[node], starts[node + 1]):
                    weight, pick = weights[d, e], picks[d, e]
                    if weight == 0:
                        continue
                    ready = power == 1
                    if pick >= n_rows + n_moving:
                        child = pick - n_rows - n_moving
                        row = values[child]
                        ready |= as_log[d, child]
                    elif pick >= n_rows:
                        row = moving[pick - n_rows, d, begin : begin + n]
                    elif power == 0:
                        row = logs[pick, begin : begin + n]
                        ready = True
                    else:
                        row = rows[pick, begin : begin + n]
                    if ready:  # plain loops, which the compiler makes the most of
                        for i in range(n):
                            mine[i] += weight * row[i]
                    else:
                        for i in range(n):
                            mine[i] += weight * _powered(row[i], power)
                for i in range(n):
                    if np.isnan(mine[i]):
                        mine[i] = _carried(
                            i, begin, d, starts[node], starts[node + 1], power, needed[d, node],
                            rows, moving, values, picks, weights, stated, as_log,
                        )  # fmt: skip
                        if np.isinf(mine[i]):
                            mine[i] = np.nan
                            refused = min(refused, d)
                if power == 0:
                    if not as_log[d, node]:
                        for i in range(n):
                            mine[i] = np.exp(mine[i])
                else:
                    if power == -1:
                        for i in range(n):
                            mine[i] = 1 / mine[i]
                    elif power != 1:
                        for i in range(n):
                            mine[i] = mine[i] ** (1 / power)
                    if as_log[d, node]:
                        for i in range(n):
                            if mine[i] <= 0:
                                refused = min(refused, d)
                            mine[i] = np.log(mine[i])
                # Rounded to 46 bits, so that scores that are equal on paper tie.
                for i in range(n):
                    wide = mine[i] * _SPLIT
                    mine[i] = wide - (wide - mine[i])
            for i in range(n):
                out[d, begin + i] = values[n_nodes - 1, i]
    return refused


@njit(cache=True, error_model="numpy")
def _powered(value, power):  # type: ignore[no-untyped-def]
    """Raise a value to a power, 0 meaning its logarithm; NaN where a mean does not take it."""
    if value > 0:
        if power == 0:
            return np.log(value)
        return 1 / value if power == -1 else value**power
    return 0.0 if value == 0 and power > 0 else np.nan


@njit(cache=True, error_model="numpy")
def _carried(  # type: ignore[no-untyped-def]
    i, begin, d, first, last, power, needed, rows, moving, values, picks, weights, stated, as_log
):
    """Combine what a unit has of a node's children; NaN if too little, inf of a value refused."""
    total, score, present, share, whole = 0.0, 0.0, 0.0, 0.0, 0.0
    for e in range(first, last):
        weight, pick = weights[d, e], picks[d, e]
        if weight == 0:
            continue
        ready = power == 1
        if pick >= len(rows) + len(moving):
            child = pick - len(rows) - len(moving)
            value = values[child, i]
            ready |= as_log[d, child]
        elif pick >= len(rows):
            value = moving[pick - len(rows), d, begin + i]
        else:
            value = rows[pick, begin + i]
        total += weight
        whole += stated[e]
        if np.isnan(value):
            continue
        if not ready:
            value = _powered(value, power)
            if np.isnan(value):
                return np.inf
        score += weight * value
        present += weight
        share += stated[e]
    # A hair of tolerance: shares that are sums of decimals miss their round number by 1e-16.
    enough = present > 0 and share >= (needed - 1e-12) * whole
    return score * (total / present) if enough else np.nan


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
    for digit in range(_N_DIGITS):
        for v in range(counts.shape[1]):
            counts[digit, v] = 0
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


def rank_rows(need: Floats, ranks: NDArray[np.int32]) -> None:
    """Ranks of each row of (n_draws, n_areas) need into int32 ranks: 1 = highest, ties lowest."""
    in_parts(len(need), lambda first, last: _rank_part(need[first:last], ranks[first:last]))


@njit(cache=True, nogil=True)
def _rank_part(need, ranks):  # type: ignore[no-untyped-def]
    n_draws, n = need.shape
    keys = np.empty(n, np.uint64)
    keys2 = np.empty(n, np.uint64)
    order = np.empty(n, np.int32)
    order2 = np.empty(n, np.int32)
    counts = np.empty((_N_DIGITS, 1 << _DIGIT_BITS), np.int64)
    for d in range(n_draws):
        _rank_row(need[d], ranks[d], keys, keys2, order, order2, counts)


@njit(cache=True)
def _upwards(row, average):  # type: ignore[no-untyped-def]
    """Put ranks counted from the least need in the place of (n_units,) need; give how many there are."""
    n = len(row)
    ranks = np.empty(n, np.int32)
    filled = np.empty(n)
    present = 0
    for i in range(n):
        missing = np.isnan(row[i])
        filled[i] = -np.inf if missing else row[i]
        present += not missing
    _rank_row(
        filled, ranks, np.empty(n, np.uint64), np.empty(n, np.uint64), np.empty(n, np.int32),
        np.empty(n, np.int32), np.empty((_N_DIGITS, 1 << _DIGIT_BITS), np.int64),
    )  # fmt: skip
    tied = np.zeros(n + 1, np.int32)
    for i in range(n):
        if not np.isnan(row[i]):
            tied[ranks[i]] += 1
    for i in range(n):
        if not np.isnan(row[i]):
            rank = ranks[i] + ((tied[ranks[i]] - 1) / 2 if average else 0.0)
            row[i] = present + 1 - rank
    return present


def upward_rows(need: Floats, average: bool) -> NDArray[np.int64]:
    """Rank each row of (n_runs, n_units) need from the least, in place; give how many have one.

    Ties share the middle of their ranks, or, without `average`, the highest. Missing stays missing.
    """
    present = np.empty(len(need), np.int64)
    in_parts(len(need), lambda first, last: _upward_part(need, average, present, first, last))
    return present


@njit(cache=True, nogil=True)
def _upward_part(need, average, present, first, last):  # type: ignore[no-untyped-def]
    for d in range(first, last):
        present[d] = _upwards(need[d], average)


def exponential_rows(need: Floats, scale: float, average: bool) -> None:
    """Put each row of (n_runs, n_units) need through the exponential transformation, in place.

    As `commonweal.index.rank_transforms.exponential` with so much `scale`; ties as in `upward_rows`.
    """
    in_parts(len(need), lambda first, last: _exponential_part(need[first:last], scale, average))


@njit(cache=True, nogil=True)
def _exponential_part(need, scale, average):  # type: ignore[no-untyped-def]
    n_runs, n = need.shape
    full = np.expm1(-100 / scale)
    for d in range(n_runs):
        row = need[d]
        present = _upwards(row, average)
        for i in range(n):
            if not np.isnan(row[i]):
                row[i] = -scale * np.log1p(row[i] / present * full)


def rank_bins(n_areas: int) -> NDArray[np.uint16]:
    """Give the bin of each rank 0..n_areas: one rank each below `N_EXACT`, then ever wider."""
    ranks = np.arange(n_areas + 1)
    half = N_EXACT // 2
    shift = np.maximum(np.frexp(ranks)[1] - int(np.log2(N_EXACT)), 0)
    bins = np.where(shift == 0, ranks, N_EXACT + (shift - 1) * half + (ranks >> shift) - half)
    return bins.astype(np.uint16)


def bin_ends(bins: NDArray[np.intp]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Give the first and the last rank of each bin: the same where bins are one rank wide."""
    half = N_EXACT // 2
    shift = np.where(bins < N_EXACT, 0, (bins - N_EXACT) // half + 1)
    first = np.where(bins < N_EXACT, bins, ((bins - N_EXACT) % half + half) << shift)
    return first, first + (1 << shift) - 1


def count_ranks(
    ranks: NDArray[np.int32], bins: NDArray[np.uint16], counts: NDArray[np.uint16 | np.uint32]
) -> None:
    """Add (n_draws, n_areas) ranks to (n_areas, n_bins) counts, by `rank_bins`."""
    n_chunks = (ranks.shape[1] + _LINE - 1) // _LINE
    in_parts(n_chunks, lambda first, last: _count_chunks(first, last, ranks, bins, counts))


@njit(cache=True, nogil=True)
def _count_chunks(first, last, ranks, bins, counts):  # type: ignore[no-untyped-def]
    n_draws, n = ranks.shape
    for chunk in range(first, last):
        for d in range(n_draws):
            for i in range(chunk * _LINE, min(n, (chunk + 1) * _LINE)):
                counts[i, bins[np.uint32(ranks[d, i])]] += 1


def bins_reached(
    counts: NDArray[np.uint16 | np.uint32], wanted: NDArray[np.int64], reached: NDArray[np.intp]
) -> None:
    """Fill (n_areas, n_wanted) with the first bin up to which an area has so many of its counts."""
    in_parts(
        len(counts),
        lambda first, last: _bins_of_part(counts[first:last], wanted, reached[first:last]),
    )


@njit(cache=True, nogil=True)
def _bins_of_part(counts, wanted, reached):  # type: ignore[no-untyped-def]
    for i in range(counts.shape[0]):
        for q in range(len(wanted)):
            reached[i, q] = counts.shape[1]
        total = 0
        for b in range(counts.shape[1]):
            total += counts[i, b]
            for q in range(len(wanted)):
                if total >= wanted[q] and reached[i, q] == counts.shape[1]:
                    reached[i, q] = b


def carry_rows(
    scores: Floats,
    starts: NDArray[np.integer],
    origins: NDArray[np.integer],
    shares: Floats,
    out: Floats,
) -> None:
    """Fill (n_draws, n_destination) out with means of (n_draws, n_origin) scores.

    The move is in compressed rows: origins[starts[i] : starts[i + 1]] and their shares belong to
    destination i. A missing score is left out of its mean; a destination without any is NaN.
    """
    in_parts(
        len(scores),
        lambda first, last: _carry_part(
            scores[first:last], starts, origins, shares, out[first:last]
        ),
    )


@njit(cache=True, nogil=True)
def _carry_part(scores, starts, origins, shares, out):  # type: ignore[no-untyped-def]
    for d in range(scores.shape[0]):
        for i in range(out.shape[1]):
            if starts[i + 1] - starts[i] == 1:
                out[d, i] = scores[d, origins[starts[i]]]
                continue
            total, present, n = 0.0, 0.0, 0
            for e in range(starts[i], starts[i + 1]):
                value = scores[d, origins[e]]
                if not np.isnan(value):
                    total += shares[e] * value
                    present += shares[e]
                    n += 1
            if n == 0:
                out[d, i] = np.nan
            else:
                whole = n == starts[i + 1] - starts[i]
                out[d, i] = total if whole else total / present
