"""Kendall's tau-b of every pair of columns, in the time that it takes to sort them.

A pair of units is discordant where one has more of the first column and less of the second. Put in
the order of the first column, the units' ranks in the second have as many inversions, which merging
sorted runs counts (Knight, 1966, Journal of the American Statistical Association 61, 436-439).
"""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, TypeVar, cast

import numpy as np
from numba import njit

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from commonweal.index.types import Floats

    Ints = NDArray[np.int64]
    Ordered = tuple[NDArray[np.intp], Floats]

__all__ = ["kendall_counts", "tau_and_p"]

_F = TypeVar("_F", bound="Callable[..., Any]")
_compiled: Callable[[_F], _F] = cast("Any", njit)(cache=True, nogil=True)

_N_EXACT = 49
"""Up to how many units without ties R takes p from the distribution itself."""

N, DISCORDANT, BOTH = 0, 1, 2
TIES_X, SKEW_X, SPREAD_X = 3, 4, 5
TIES_Y, SKEW_Y, SPREAD_Y = 6, 7, 8
"""What is counted of a pair of columns: units with both values; discordant pairs of units, and
pairs tied in both; of each column the sums of t(t-1)/2, t(t-1)(t-2) and t(t-1)(2t+5) over groups of
t tied units."""


def kendall_counts(
    x: Sequence[Ordered], y: Sequence[Ordered], n_units: int, pairs: Sequence[tuple[int, int]]
) -> Floats:
    """Count what tau-b is made of.

    Parameters
    ----------
    x, y
        A column each: the units that have a value in the order of their values, and these.
    n_units
        Number of units.
    pairs
        Positions of the two columns.

    Returns
    -------
    ndarray
        (n_pairs, 9) the counts named above, as float64.
    """
    ranks_x = [_dense(column, n_units) for column in x]
    ranks_y = ranks_x if y is x else [_dense(column, n_units) for column in y]
    counts = np.empty((len(pairs), 9))

    def one(at: int) -> None:
        i, j = pairs[at]
        _count(y[j][0], ranks_x[i], ranks_y[j], counts[at])

    with ThreadPoolExecutor(os.cpu_count()) as threads:
        list(threads.map(one, range(len(pairs))))
    return counts


def tau_and_p(counts: Floats) -> tuple[Floats, Floats]:
    """Give tau-b and its two-sided p-value.

    Parameters
    ----------
    counts
        (n_pairs, 9) from `kendall_counts`.

    Returns
    -------
    tuple of ndarray
        (n_pairs,) tau, NaN where a column is constant; (n_pairs,) p, exact below 50 units without
        ties, else normal with the variance that ties leave (Kendall, 1970, Rank Correlation Methods).
    """
    n, discordant, both = counts[:, N], counts[:, DISCORDANT], counts[:, BOTH]
    ties_x, ties_y = counts[:, TIES_X], counts[:, TIES_Y]
    total = n * (n - 1) / 2
    with np.errstate(invalid="ignore", divide="ignore"):
        lead = total - ties_x - ties_y + both - 2 * discordant
        tau = np.clip(lead / np.sqrt(total - ties_x) / np.sqrt(total - ties_y), -1.0, 1.0)
        variance = (
            (n * (n - 1) * (2 * n + 5) - counts[:, SPREAD_X] - counts[:, SPREAD_Y]) / 18
            + ties_x * ties_y / total
            + counts[:, SKEW_X] * counts[:, SKEW_Y] / (18 * total * np.maximum(n - 2, 1))
        )
        p = _two_sided(lead / np.sqrt(variance))
    p[np.isnan(tau)] = np.nan
    distributions: dict[int, Floats] = {}
    for at in np.flatnonzero((n > 1) & (n <= _N_EXACT) & (ties_x + ties_y == 0)):
        k, d = int(n[at]), int(discordant[at])
        if k not in distributions:
            distributions[k] = _of_inversions(k)
        chance = distributions[k]
        p[at] = min(2 * chance[: d + 1].sum(), 2 * chance[d:].sum(), 1.0)
    return tau, p


def _two_sided(z: Floats) -> Floats:
    from scipy.special import ndtr

    p: Floats = 2 * ndtr(-np.abs(z))
    return p


def _of_inversions(n: int) -> Floats:
    """Chance of each number of inversions in a random order of n."""
    chance = np.ones(1)
    for k in range(2, n + 1):  # the k-th to come can be put before any number of those there
        chance = np.convolve(chance, np.full(k, 1 / k))
    return chance


def _dense(column: Ordered, n_units: int) -> Ints:
    """Rank a column's units from 0 without gaps, equal values alike; -1 where there is no value."""
    order, values = column
    ranks = np.full(n_units, -1, dtype=np.int64)
    ranks[order] = np.cumsum(np.r_[False, values[1:] != values[:-1]]) if len(order) else 0
    return ranks


@_compiled
def _count(order: Ints, first: Ints, second: Ints, counts: Floats) -> None:
    """Count for one pair; `order` is that of the second column."""
    # Sorted by the first column, and by the second where that is tied: a counting sort of units
    # that come in the order of the second.
    starts = np.zeros(len(first) + 1, np.int64)
    n, last, run = 0, np.int64(-1), 0
    counts[:] = 0.0
    for at in range(len(order)):
        unit = order[at]
        if first[unit] < 0:
            continue
        n += 1
        starts[first[unit] + 1] += 1
        if second[unit] != last:
            _add_ties(run, counts, TIES_Y)
            last, run = second[unit], 0
        run += 1
    _add_ties(run, counts, TIES_Y)
    for group in range(len(first)):
        _add_ties(starts[group + 1], counts, TIES_X)
        starts[group + 1] += starts[group]
    ranks, tied = np.empty(n, np.int64), np.zeros(n, np.bool_)
    place = starts[:-1].copy()
    for at in range(len(order)):
        unit = order[at]
        group = first[unit]
        if group < 0:
            continue
        to = place[group]
        ranks[to] = second[unit]
        tied[to] = to > starts[group] and ranks[to - 1] == second[unit]
        place[group] += 1
    run = 1
    for at in range(n):
        run = run + 1 if tied[at] else 1
        counts[BOTH] += run - 1
    counts[N] = n
    counts[DISCORDANT] = _inversions(ranks)


@_compiled
def _add_ties(t: int, counts: Floats, at: int) -> None:
    if t > 1:
        pairs = t * (t - 1.0)
        counts[at] += pairs / 2
        counts[at + 1] += pairs * (t - 2)
        counts[at + 2] += pairs * (2 * t + 5)


@_compiled
def _inversions(ranks: Ints) -> float:
    """Count the pairs that stand in the wrong order, sorting `ranks` on the way."""
    n, width, found = len(ranks), 1, 0
    source, target = ranks, np.empty_like(ranks)
    while width < n:
        for left in range(0, n, 2 * width):
            middle, right = min(left + width, n), min(left + 2 * width, n)
            i, j = left, middle
            for at in range(left, right):
                if i < middle and (j >= right or source[i] <= source[j]):
                    target[at] = source[i]
                    i += 1
                else:
                    target[at] = source[j]
                    found += middle - i
                    j += 1
        source, target = target, source
        width *= 2
    return float(found)
