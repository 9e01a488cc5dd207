"""Outranking: one unit against another, child by child, without adding their values.

A child votes with its weight for the unit that has more of it. Values are only compared, so no
normalisation matters and nothing a unit has in plenty makes up for what it lacks.

Source: Munda and Nardo (2009), Applied Economics 41, 1513-1523; OECD and JRC (2008), section 6.
"""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import TYPE_CHECKING

import numpy as np

from commonweal.index.means import children
from commonweal.index.methods import Count, strict

if TYPE_CHECKING:
    from collections.abc import Callable

    from commonweal.index.tables import Floats, Matrix, WeightsLike

__all__ = ["copeland", "outranking_matrix"]

_TIE = 1e-12
"""Votes that differ by no more than this share of the weight are even: sums of decimals round."""

_BLOCK = 2048


def outranking_matrix(x: Matrix, weights: WeightsLike = None) -> Floats:
    """Give the share of the vote by which each unit outranks each other.

    Parameters
    ----------
    x
        (n_units, n_children) values, higher = more, NaN = missing.
    weights
        (n_children,) weights; none = every child counts alike.

    Returns
    -------
    ndarray
        (n_units, n_units): in row i and column j the share of the weight on which i has more than
        j, equal values half each; 0 on the diagonal. Only children that both have vote, so the
        two shares of a pair add up to 1; a pair that has none in common is NaN. Memory grows with
        the square of the units; `copeland` does not need the matrix.

    Notes
    -----
    COINr divides by the weight of all children, so that a pair may share less than 1, and gives
    what is missing to the unit that comes later in the table.

    Examples
    --------
    >>> outranking_matrix([[1.0, 5.0], [2.0, 5.0]])
    array([[0.  , 0.25],
           [0.75, 0.  ]])
    """
    taken, w = children(x, weights)
    values = taken.values
    n = len(values)
    votes, shared = np.zeros((n, n)), np.zeros((n, n))
    for column, weight in zip(values.T, w, strict=True):
        here = ~np.isnan(column)
        votes += weight * (column[:, None] > column)
        votes += 0.5 * weight * (column[:, None] == column)
        shared += weight * (here[:, None] & here)
    with np.errstate(invalid="ignore"):
        share = votes / shared
    np.fill_diagonal(share, 0.0)
    return share


@strict
def copeland(
    x: Matrix,
    weights: WeightsLike = None,
    workers: Count | None = None,
    *,
    reference: Matrix | None = None,
) -> Floats:
    """Count the units that each unit outranks, less those that outrank it.

    Parameters
    ----------
    x, weights
        As in `outranking_matrix`.
    workers
        Threads; all processors if not given. The result does not depend on it.
    reference
        (n, n_children) the units that each is held against, such as those of a base year; those of
        `x` if not given.

    Returns
    -------
    ndarray
        (n_units,) whole numbers from -(n - 1) to n - 1, higher = more; NaN for a unit without any
        value. An even vote, and a pair with no child in common, counts for neither. Time grows
        with the square of the units, memory does not. With a `reference`, from -n to n.

    Examples
    --------
    >>> copeland([[1.0, 4.0, 2.0], [2.0, 3.0, 2.0], [2.0, 3.0, 9.0]], [3, 2, 1])
    array([-2.,  0.,  2.])
    """
    taken, w = children(x, weights)
    values = taken.values
    others = values if reference is None else children(reference, weights)[0].values
    columns, against = np.ascontiguousarray(values.T), np.ascontiguousarray(others.T)
    scores = np.empty(len(values))
    kernel = _kernel()
    starts = range(0, len(values), _BLOCK // 8)
    with ThreadPoolExecutor(workers or os.cpu_count()) as pool:
        stops = [min(start + _BLOCK // 8, len(values)) for start in starts]
        n = len(stops)
        shares, sides = [w / w.sum()] * n, ([columns] * n, [against] * n)
        list(pool.map(kernel, *sides, shares, starts, stops, [scores] * n))
    scores[np.isnan(values).all(axis=1)] = np.nan
    return scores


@cache
def _kernel() -> Callable[[Floats, Floats, Floats, int, int, Floats], None]:
    # numba takes a second to import: only those who outrank wait for it.
    from commonweal.files.extras import njit

    compiled: Callable[[Floats, Floats, Floats, int, int, Floats], None]
    compiled = njit(cache=True, nogil=True)(_count_rows)
    return compiled


def _count_rows(
    columns: Floats, against: Floats, w: Floats, start: int, stop: int, scores: Floats
) -> None:
    """Score units start..stop against all; the votes on a block of opponents fit the cache."""
    n_children, n = against.shape
    lead = np.empty(_BLOCK)
    for i in range(start, stop):
        net = 0
        for first in range(0, n, _BLOCK):
            count = min(_BLOCK, n - first)
            lead[:count] = 0.0
            for k in range(n_children):
                own, weight = columns[k, i], w[k]
                for j in range(count):
                    other = against[k, first + j]
                    lead[j] += weight * ((own > other) - 1.0 * (own < other))
            for j in range(count):
                net += int(lead[j] > _TIE) - int(lead[j] < -_TIE)
        scores[i] = net
