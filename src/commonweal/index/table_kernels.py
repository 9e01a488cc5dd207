"""The inner loops on tables, compiled: Kendall's tau-b of each pair of columns, and benefit of the doubt."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, TypeVar, cast

import numpy as np

from commonweal.files.extras import njit

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from commonweal.index.tables import Floats

    Ints = NDArray[np.int64]
    Ordered = tuple[NDArray[np.intp], Floats]

__all__ = [
    "best_shares",
    "kendall_counts",
    "tau_and_p",
]


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

    Gives (n_pairs, 9) the counts named above, as float64.
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

    Gives (n_pairs,) tau, NaN where a column is constant.
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


_compiled_numpy: Callable[[_F], _F] = cast("Any", njit)(cache=True, nogil=True, error_model="numpy")

_ZERO, _TWO = cast("tuple[int, int]", (np.int64(0), np.int64(2)))
"""What numbers that grow begin with: for 0 and 2 themselves, what takes them would be compiled once more."""

_NEAR = 1e-11
"""Relative precision of t."""

_LEAST_PIVOT = 1e-9
_MOST_ROWS = 512


@_compiled_numpy
def best_shares(
    units: Floats, peers: Floats, low: Floats, high: Floats, shares: Floats, failed: Ints
) -> None:
    """Find the best shares of each unit."""
    k = units.shape[1]
    table = np.empty((_MOST_ROWS, k + 1))
    for i in range(len(units)):
        failed[i] = _solve(units[i], peers, low, high, shares[i], table)


@_compiled_numpy
def _solve(
    unit: Floats, peers: Floats, low: Floats, high: Floats, share: Floats, table: Floats
) -> int:
    k = len(unit)
    inverse, free, n_free = np.zeros(k), np.empty(k, np.int64), _ZERO
    rest, room = 1.0, 0.0
    for c in range(k):
        share[c] = low[c]
        rest -= low[c]
        if unit[c] > 0:
            inverse[c] = 1 / unit[c]
            if high[c] > low[c]:
                free[n_free] = c
                n_free += 1
                room += high[c] - low[c]
    if n_free == 0 or rest <= 1e-15:
        return 0
    rest = min(rest, room)
    for v in range(n_free):
        share[free[v]] += (high[free[v]] - low[free[v]]) * rest / room
    first, scale = _most(share, inverse, peers)
    # Variables: shares 0..n_free-1, then slacks. place: row of a basic one, -column of another.
    upper = np.full(n_free + _MOST_ROWS, np.inf)
    turned = np.zeros(n_free + _MOST_ROWS, np.bool_)
    place = np.zeros(n_free + _MOST_ROWS, np.int64)
    for v in range(n_free):
        upper[v] = high[free[v]] - low[free[v]]
    variable = np.empty(_MOST_ROWS + k + 1, np.int64)  # by row, then by column from _MOST_ROWS
    ratio = peers[first] * inverse
    _start(table, scale, ratio, low, free[:n_free], rest, upper, turned, place, variable)
    n_rows = _TWO
    while True:
        if not _restore(table, n_rows, n_free, upper, turned, place, variable):
            return 1
        for v in range(n_free):
            value = table[place[v], 0] if place[v] > 0 else 0.0
            above = upper[v] - value if turned[v] else value
            share[free[v]] = low[free[v]] + min(max(above, 0.0), upper[v])
        peer, most = _most(share, inverse, peers)
        if most <= table[0, 0] * (1 + 2 * _NEAR):
            return 0
        if n_rows == _MOST_ROWS:
            return 1
        for c in range(k):
            ratio[c] = peers[peer, c] * inverse[c]
        _add(table, n_rows, most, ratio, low, free[:n_free], upper, turned, place, variable)
        n_rows += 1


@_compiled_numpy
def _most(share: Floats, inverse: Floats, peers: Floats) -> tuple[int, float]:
    """Give the peer with the highest score under a unit's shares, and that score."""
    w = share * inverse
    best, most = 0, -np.inf
    for p in range(len(peers)):
        score = 0.0
        for c in range(len(w)):
            score += w[c] * peers[p, c]
        if score > most:
            best, most = p, score
    return best, most


@_compiled_numpy
def _start(
    table: Floats,
    scale: float,
    ratio: Floats,
    low: Floats,
    free: Ints,
    rest: float,
    upper: Floats,
    turned: Any,
    place: Ints,
    variable: Ints,
) -> None:
    """Fill the table for one peer, its slack in parts of `scale`: shares go where they cost least."""
    n_free = len(free)
    order = np.argsort(ratio[free])
    at = 0
    while at < n_free - 1 and upper[order[at]] <= rest:
        rest -= upper[order[at]]
        turned[order[at]] = True
        at += 1
    basic = order[at]
    table[0, 0] = np.sum(ratio * low) + ratio[free[basic]] * rest
    table[1, 0] = rest
    place[basic], variable[1] = 1, basic
    column = 0
    for v in range(n_free):
        if v == basic:
            continue
        column += 1
        sign = -1.0 if turned[v] else 1.0
        if turned[v]:
            table[0, 0] += ratio[free[v]] * upper[v]
        table[0, column] = sign * (ratio[free[v]] - ratio[free[basic]])
        table[1, column] = -sign
        place[v], variable[_MOST_ROWS + column] = -column, v
    table[0, n_free], table[1, n_free] = scale, 0.0
    place[n_free], variable[_MOST_ROWS + n_free] = -n_free, n_free


@_compiled_numpy
def _add(
    table: Floats,
    row: int,
    scale: float,
    ratio: Floats,
    low: Floats,
    free: Ints,
    upper: Floats,
    turned: Any,
    place: Ints,
    variable: Ints,
) -> None:
    """Add a peer's slack, in parts of `scale`, as a basic variable."""
    n_free = len(free)
    for j in range(n_free + 1):
        table[row, j] = table[0, j]
    table[row, 0] -= np.sum(ratio * low)
    for v in range(n_free):
        r = ratio[free[v]]
        if turned[v]:
            table[row, 0] -= r * upper[v]
            r = -r
        if place[v] > 0:
            for j in range(n_free + 1):
                table[row, j] -= r * table[place[v], j]
        else:
            table[row, -place[v]] -= r
    for j in range(n_free + 1):
        table[row, j] /= scale
    slack = n_free + row - 1
    place[slack], variable[row] = row, slack


@_compiled_numpy
def _restore(
    table: Floats,
    n_rows: int,
    n_free: int,
    upper: Floats,
    turned: Any,
    place: Ints,
    variable: Ints,
) -> bool:
    """Pivot until every basic variable is within its bounds; say whether that was reached."""
    patience = 4 * (n_rows + n_free)
    for step in range(25 * patience):
        # The worst variable leaves; after many steps the first one does, which cannot cycle.
        by_name = step > patience
        leaving, worst, over = _ZERO, 0.0, False
        for b in range(1, n_rows):
            below, above = -table[b, 0], table[b, 0] - upper[variable[b]]
            excess = max(below, above)
            if excess <= _NEAR:
                continue
            first = leaving == 0 or variable[b] < variable[leaving]
            if first if by_name else excess > worst:
                leaving, worst, over = b, excess, above > below
        if leaving == 0:
            return True
        if over:
            v = variable[leaving]
            turned[v] = not turned[v]
            table[leaving, 0] -= upper[v]
            for j in range(n_free + 1):
                table[leaving, j] = -table[leaving, j]
        entering = _entering(table, leaving, n_free, variable, by_name)
        if entering == 0:
            return False
        _pivot(table, leaving, entering, n_rows, n_free)
        out, into = variable[leaving], variable[_MOST_ROWS + entering]
        variable[leaving], variable[_MOST_ROWS + entering] = into, out
        place[into], place[out] = leaving, -entering
    return False


@_compiled_numpy
def _entering(table: Floats, leaving: int, n_free: int, variable: Ints, by_name: bool) -> int:
    """Choose the column that raises the leaving row at the least cost in t; 0 if none does."""
    entering, least = _ZERO, np.inf
    for j in range(1, n_free + 1):
        slope = table[leaving, j]
        if slope <= _LEAST_PIVOT:
            continue
        cost = max(table[0, j], 0.0) / slope
        tied = abs(cost - least) <= 1e-13
        if by_name:
            better = variable[_MOST_ROWS + j] < variable[_MOST_ROWS + entering]
        else:
            better = slope > table[leaving, entering]
        if cost < least - 1e-13 or (tied and better):
            entering, least = j, min(cost, least)
    return entering


@_compiled_numpy
def _pivot(table: Floats, leaving: int, entering: int, n_rows: int, n_free: int) -> None:
    """Exchange a basic and a non-basic variable."""
    slope = table[leaving, entering]
    table[leaving, entering] = -1.0
    for j in range(n_free + 1):
        table[leaving, j] = -table[leaving, j] / slope
    for b in range(n_rows):
        if b != leaving:
            factor = table[b, entering]
            if factor != 0.0:
                table[b, entering] = 0.0
                for j in range(n_free + 1):
                    table[b, j] += factor * table[leaving, j]
