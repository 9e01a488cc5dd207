"""Benefit of the doubt: each unit under the weights that suit it best.

Unit i chooses weights w that make its own score the highest, where no unit may exceed 1 under the
same weights: one linear programme a unit. Bounds keep each child's share of the score, ``w_k y_ik
/ sum_m w_m y_im``, within reason; without them a unit may live by its best child alone.

What makes it fast: written in the shares s, which range over the same set for every unit, the
programme is to minimise ``t = max_j sum_k s_k y_jk / y_ik`` (the score is 1 / t). Few of the units
j ever attain that maximum. A unit is solved against a small pool of them by the dual simplex
method, one violated peer at a time; its answer is then held against all units, many at once in
one matrix product, and who still exceeds 1 joins the pool. It is exact: the last check covers
every unit.

Source: Cherchye, Moesen, Rogge and Van Puyenbroeck (2007), Social Indicators Research 82, 111-145;
bounds on shares: Wong and Beasley (1990), Journal of the Operational Research Society 41, 829-835.
"""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from commonweal.errors import DataError
from commonweal.index.methods import Count, Share, strict
from commonweal.index.tables import Matrix, NamedMatrix, table
from commonweal.index.weigh import given

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from commonweal.index.tables import Floats

__all__ = ["Benefit", "around", "benefit_of_the_doubt"]

_HULL_CHILDREN = 4
"""Up to this many children the convex hull is quick to find, and holds every possible peer."""

_EXCESS = 1e-10
"""A peer that exceeds 1 by no more than this is within bounds."""

_SAMPLE = 500
_BLOCK = 256
_ROUNDS = 200


@dataclass(frozen=True, slots=True)
class Benefit:
    """What `benefit_of_the_doubt` gives.

    Attributes
    ----------
    score
        (n_units,) score in 0..1, higher = more; NaN where a child is missing.
    weights
        (n_units, n_children) the unit's own weights, with which no unit exceeds 1.
    shares
        (n_units, n_children) what each child puts into the unit's score; rows add up to 1. NaN
        where the score is 0.
    """

    score: Floats
    weights: Floats
    shares: Floats


@strict
def around(weights: ArrayLike, spread: Share) -> tuple[Floats, Floats]:
    """Give bounds on shares around given weights: each between ``w (1 -+ spread)``.

    Parameters
    ----------
    weights
        (n_children,) weights, rescaled to add up to 1.
    spread
        0 (the weights as they are) to 1 (nothing to twice as much).

    Returns
    -------
    tuple of ndarray
        (n_children,) lower and (n_children,) upper bounds.

    Examples
    --------
    >>> around([1, 3], 0.5)
    (array([0.125, 0.375]), array([0.375, 1.   ]))
    """
    w = given(weights)
    return w * (1 - spread), np.minimum(w * (1 + spread), 1.0)


@strict
def benefit_of_the_doubt(
    x: Matrix,
    lower: ArrayLike = 0.0,
    upper: ArrayLike = 1.0,
    *,
    workers: Count | None = None,
    reference: Matrix | None = None,
) -> Benefit:
    """Score each unit with the weights that are best for it.

    Parameters
    ----------
    x
        (n_units, n_children) values of at least 0, higher = more, NaN = missing. Only ratios
        within a child matter: its unit of measurement does not, its zero does.
    lower, upper
        Bounds on each child's share of the unit's score, 0..1; one number for all or
        (n_children,). They hold for the unit that is scored, with its own values: a unit with
        nothing of a child that must have a share scores 0.
    workers
        Threads; all processors if not given. The result does not depend on it.
    reference
        (n, n_children) the units of which none may exceed 1, such as those of a base year; those
        of `x` if not given. A unit that is beyond them all has more than 1.

    Returns
    -------
    Benefit
        A unit that lacks a child has no score, and is nobody's peer.

    Raises
    ------
    DataError
        If a value is negative or infinite, the bounds leave no shares that add up to 1, or the
        reference has nothing of a child to measure by.

    Notes
    -----
    Without bounds at least one unit scores 1; with bounds there need not be one. The score is
    unique; where several weights give it, any of them is returned.

    Examples
    --------
    >>> benefit_of_the_doubt([[2.0, 4.0], [4.0, 2.0], [2.0, 2.0]]).score.round(3)
    array([1.   , 1.   , 0.667])
    >>> benefit_of_the_doubt([[2.0, 4.0], [4.0, 2.0]], 0.5, 0.5).score
    array([0.8, 0.8])
    """
    taken = _children(x)
    values = taken.values
    others = values if reference is None else _children(reference).values
    low, high = _bounds(lower, upper, values.shape[1])
    whole = ~np.isnan(values).any(axis=1)
    shares, weights = np.full(values.shape, np.nan), np.full(values.shape, np.nan)
    score = np.full(len(values), np.nan)
    if not whole.any():
        return Benefit(score, weights, shares)
    # A child's unit of measurement does not matter; on a scale of 0 to 1 numbers stay tame.
    others = others[~np.isnan(others).any(axis=1)]
    scale = np.fmax.reduce(others, axis=0, initial=0.0)
    nothing = (scale == 0) & (values[whole] > 0).any(axis=0)
    if nothing.any():
        its = taken.names[int(nothing.argmax())]
        raise DataError(f"the reference has nothing of child '{its}' to measure by")
    scale[scale == 0] = 1.0
    y, peers = values[whole] / scale, others / scale
    candidates = peers[_on_hull(peers)] if values.shape[1] <= _HULL_CHILDREN else peers
    solved = _solve_all(y, candidates, low, high, workers or os.cpu_count() or 1)
    w = _weights(solved, y)
    with np.errstate(invalid="ignore"):
        # Scaled so that the best peer has exactly 1; with all its shares missing, a unit has 0.
        w = np.nan_to_num(w / _greatest(w, candidates)[0][:, None])
    shares[whole], weights[whole] = solved, w / scale
    score[whole] = (w * y).sum(axis=1)
    if reference is None:
        score = np.minimum(score, 1.0)
    return Benefit(score, weights, shares)


def _children(x: Matrix) -> NamedMatrix:
    taken = table(x, what="child")
    if not taken.names:
        raise DataError(f"values of shape {taken.values.shape}; expected (n_units, n_children)")
    wrong = taken.values < 0
    if wrong.any():
        found = taken.values[wrong][0]
        raise DataError(f"value {found:g} ({taken.place(wrong)}); expected values of at least 0")
    return taken


def _bounds(lower: ArrayLike, upper: ArrayLike, n_children: int) -> tuple[Floats, Floats]:
    low, high = (np.asarray(b, dtype=np.float64) for b in (lower, upper))
    if low.shape not in {(), (n_children,)} or high.shape not in {(), (n_children,)}:
        raise DataError(
            f"bounds of shapes {low.shape} and {high.shape}; expected one number or {n_children}"
        )
    low, high = np.broadcast_to(low, n_children), np.broadcast_to(high, n_children)
    if not (low >= 0).all() or not (low <= high).all() or not (high <= 1).all():
        raise DataError(
            f"lower bounds {low.tolist()}, upper {high.tolist()}; "
            "expected 0 <= lower <= upper <= 1 for every child"
        )
    if low.sum() > 1 + 1e-12 or high.sum() < 1 - 1e-12:
        raise DataError(
            f"lower bounds add up to {low.sum():g} and upper to {high.sum():g}; "
            "expected at most 1 and at least 1, or no shares can add up to 1"
        )
    return low, high


def _weights(shares: Floats, y: Floats) -> Floats:
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(shares > 0, shares / y, 0.0)


def _solve_all(y: Floats, candidates: Floats, low: Floats, high: Floats, workers: int) -> Floats:
    """Give (n_units, n_children) best shares; NaN rows for units that can only score 0."""
    n_children = y.shape[1]
    shares = np.full(y.shape, np.nan)
    needed = ((y > 0) | (low <= 0)).all(axis=1)
    able = np.flatnonzero(needed & (np.where(y > 0, high, 0.0).sum(axis=1) >= 1 - 1e-12))
    with ThreadPoolExecutor(workers) as threads:
        if n_children <= _HULL_CHILDREN:
            _solve(threads, y, able, candidates, low, high, shares)
            return shares
        # A thin sample finds most of the pool while rounds are cheap; then come all the units.
        pool = np.unique(candidates.argmax(axis=0))
        for stage in (able[:: len(able) // _SAMPLE + 1], able):
            left = stage
            for _ in range(_ROUNDS):
                if len(left) == 0:
                    break
                known = _solve(threads, y, left, candidates[pool], low, high, shares)
                most, who = _held(threads, _weights(shares[left], y[left]), candidates)
                exceeds = most > known * (1 + _EXCESS)
                left, pool = left[exceeds], np.union1d(pool, who[exceeds])
            else:
                raise DataError(f"{len(left):,} units unsolved after {_ROUNDS} rounds of peers")
    return shares


def _solve(
    threads: ThreadPoolExecutor,
    y: Floats,
    units: NDArray[np.intp],
    peers: Floats,
    low: Floats,
    high: Floats,
    shares: Floats,
) -> Floats:
    """Fill in the shares of some units, best against some peers; give the peers' highest score."""
    # numba takes a second to import: only those who need the loop wait for it.
    from commonweal.index.table_kernels import best_shares

    low, high = np.array(low), np.array(high)  # for views the loop would be compiled again
    peers = np.ascontiguousarray(peers)

    def block(some: NDArray[np.intp]) -> Floats:
        found, failed = np.empty((len(some), y.shape[1])), np.zeros(len(some), dtype=np.int64)
        best_shares(np.ascontiguousarray(y[some]), peers, low, high, found, failed)
        for at in np.flatnonzero(failed):
            found[at] = _by_highs(y[some[at]], peers, low, high)
        shares[some] = found
        return _greatest(_weights(found, y[some]), peers)[0]

    parts = [units[i : i + _BLOCK] for i in range(0, len(units), _BLOCK)]
    return np.concatenate([np.empty(0), *threads.map(block, parts)])


def _held(
    threads: ThreadPoolExecutor, w: Floats, candidates: Floats
) -> tuple[Floats, NDArray[np.intp]]:
    parts = [w[i : i + _BLOCK] for i in range(0, len(w), _BLOCK)]
    found = list(threads.map(lambda part: _greatest(part, candidates), parts))
    return np.concatenate([f[0] for f in found]), np.concatenate([f[1] for f in found])


def _greatest(w: Floats, y: Floats) -> tuple[Floats, NDArray[np.intp]]:
    """For each row of weights, the highest score that any unit has under them, and whose it is."""
    most, who = np.empty(len(w)), np.empty(len(w), dtype=np.intp)
    for start in range(0, len(w), _BLOCK):
        part = slice(start, start + _BLOCK)
        scores = w[part] @ y.T
        who[part] = scores.argmax(axis=1)
        most[part] = scores[np.arange(len(scores)), who[part]]
    return most, who


def _on_hull(y: Floats) -> NDArray[np.intp]:
    """Positions of the units among which every weighted sum has its maximum."""
    from scipy.spatial import ConvexHull, QhullError

    if y.shape[1] == 1:
        return np.array([y[:, 0].argmax()]) if len(y) else np.array([], dtype=np.intp)
    try:
        return np.sort(ConvexHull(y).vertices.astype(np.intp))
    except (QhullError, ValueError):  # all in one plane, or too few
        return np.arange(len(y))


def _by_highs(unit: Floats, peers: Floats, low: Floats, high: Floats) -> Floats:
    """Solve one unit by the general method, where rounding stopped the quick one."""
    from scipy.optimize import linprog

    with np.errstate(invalid="ignore", divide="ignore"):
        ratios = np.where(unit > 0, peers / unit, 0.0)
    n_children = len(unit)
    usual = max(float(ratios.mean(axis=1).max()), 1e-300)  # t is of this size
    answer = linprog(
        np.r_[np.zeros(n_children), 1.0],
        A_ub=np.c_[ratios / usual, -np.ones(len(peers))],
        b_ub=np.zeros(len(peers)),
        A_eq=np.r_[np.ones(n_children), 0.0][None],
        b_eq=[1.0],
        bounds=[*zip(low, np.where(unit > 0, high, 0.0), strict=True), (0, None)],
    )
    if answer.x is None:
        raise DataError(f"benefit of the doubt: {answer.message}")
    return np.asarray(answer.x[:n_children], dtype=np.float64)
