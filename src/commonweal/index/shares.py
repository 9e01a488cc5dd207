"""The inner loop of benefit of the doubt, compiled: best shares of each unit against a pool.

For one unit with ratios ``r_pk = y_pk / y_ik``: minimise t subject to ``t >= sum_k r_pk s_k`` for
every peer p, ``low <= s <= high`` and ``sum s = 1``. A dictionary in the sense of Chvatal (1983),
Linear Programming, holds t and the basic variables as a constant plus a combination of the
non-basic ones; the variables are the shares above their lower bounds and the slacks of the peers
met so far. It starts optimal for one peer, where the cheapest children are filled in turn. A peer
that is violated adds a row, and the dual simplex method restores feasibility; a variable above
its upper bound is replaced by its distance from it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar, cast

import numpy as np
from numba import njit

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from commonweal.index.types import Floats

    Ints = NDArray[np.int64]

__all__ = ["best_shares"]

_F = TypeVar("_F", bound="Callable[..., Any]")
_compiled: Callable[[_F], _F] = cast("Any", njit)(cache=True, nogil=True, error_model="numpy")

_NEAR = 1e-11
"""Relative precision of t."""

_LEAST_PIVOT = 1e-9
_MOST_ROWS = 512


@_compiled
def best_shares(
    units: Floats, peers: Floats, low: Floats, high: Floats, shares: Floats, failed: Ints
) -> None:
    """Find the best shares of each unit.

    Parameters
    ----------
    units
        (n, k) values of at least 0, of units whose children without any may have no share.
    peers
        (n_peers, k) values, at least one row.
    low, high
        (k,) bounds of the shares.
    shares
        (n, k) filled with the answer.
    failed
        (n,) filled with 1 where rounding prevented one, else 0.
    """
    k = units.shape[1]
    table = np.empty((_MOST_ROWS, k + 1))
    for i in range(len(units)):
        failed[i] = _solve(units[i], peers, low, high, shares[i], table)


@_compiled
def _solve(
    unit: Floats, peers: Floats, low: Floats, high: Floats, share: Floats, table: Floats
) -> int:
    k = len(unit)
    inverse, free, n_free = np.zeros(k), np.empty(k, np.int64), 0
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
    n_rows = 2
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


@_compiled
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


@_compiled
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


@_compiled
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


@_compiled
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
        leaving, worst, over = 0, 0.0, False
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


@_compiled
def _entering(table: Floats, leaving: int, n_free: int, variable: Ints, by_name: bool) -> int:
    """Choose the column that raises the leaving row at the least cost in t; 0 if none does."""
    entering, least = 0, np.inf
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


@_compiled
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
