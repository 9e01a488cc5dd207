"""What is near in a straight line: no streets needed, and no streets known."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from commonweal.access.points import EARTH_RADIUS_M
from commonweal.access.reach import Nearest, Reach
from commonweal.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray
    from scipy.spatial import KDTree

    from commonweal.access.points import Points

__all__ = ["straight_count", "straight_nearest", "straight_reach"]

_ACROSS_M = 2 * EARTH_RADIUS_M
_HAIR = 1 + 1e-14  # what is exactly at a limit is within it, however the limit is rounded
_CELLS = 2_000_000  # looked at in one go: some 100 MB besides the result


def straight_nearest(
    origins: Points,
    places: Points,
    k: int = 1,
    *,
    detour: float = 1.0,
    limit_m: float = math.inf,
) -> Nearest:
    """Find the k nearest places of every origin, as the crow flies.

    Parameters
    ----------
    origins, places
        Where people are, and where they might go.
    k
        How many places, at least 1. With fewer places than that the last columns are missing.
    detour
        What distances are multiplied by, at least 1: how much longer ways are than straight lines.
    limit_m
        Metres, after the detour. Beyond it a place is out of reach.

    Returns
    -------
    Nearest
        Ascending; places equally far in their order. Where more of those are k-th than there is
        room for, any of them may be the one.

    Raises
    ------
    DataError
        If there are no places, or a number makes no sense.

    Notes
    -----
    The chord c between two points on a sphere of radius R is a way of 2 R asin(c / 2 R) over it: exact,
    at the poles and across the date line too.

    Examples
    --------
    >>> from commonweal.access import Points
    >>> home = Points(np.array([0.0]), np.array([51.5]))
    >>> halls = Points(np.array([0.02, 0.01, 0.3]), np.array([51.5, 51.5, 51.5]))
    >>> near = straight_nearest(home, halls, k=2, detour=1.3)
    >>> near.place.tolist(), near.distance_m.round().tolist(), near.how
    ([[1, 0]], [[900.0, 1800.0]], 'straight line x 1.3')
    """
    if k < 1:
        raise DataError(f"k = {k}; expected 1 or more nearest places")
    tree, how, at = _tree(places), _said(detour), origins.on_sphere()
    place = np.full((len(origins), k), -1, np.int32)
    distance_m = np.full((len(origins), k), np.nan)
    found = min(k, len(places))
    for rows in _blocks(np.full(len(origins), found)):
        row, way_m = _query(tree, at[rows], found, limit_m, detour)
        place[rows, :found] = np.where(np.isnan(way_m), -1, row)
        distance_m[rows, :found] = way_m
    return Nearest(place, distance_m, how)


def straight_reach(
    origins: Points, places: Points, limit_m: float, *, detour: float = 1.0
) -> Reach:
    """Find every place within a limit of every origin, as the crow flies.

    Parameters
    ----------
    origins, places, detour
        As of `straight_nearest`.
    limit_m
        Metres, after the detour; above 0 and finite.

    Returns
    -------
    Reach
        12 bytes a pair; places equally far in their order. For counts alone `straight_count` makes
        no pairs.

    Raises
    ------
    DataError
        If there are no places, or a number makes no sense.

    Examples
    --------
    >>> from commonweal.access import Points
    >>> home = Points(np.array([0.0]), np.array([51.5]))
    >>> halls = Points(np.array([0.02, 0.01, 0.3]), np.array([51.5, 51.5, 51.5]))
    >>> straight_reach(home, halls, 1600).place
    array([1, 0], dtype=int32)
    """
    if limit_m == math.inf:
        raise DataError("limit inf m; expected a finite one, or every place would be a pair")
    tree, how, at = _tree(places), _said(detour), origins.on_sphere()
    many = _count(tree, at, limit_m, detour)
    starts = np.concatenate([[0], np.cumsum(many)])
    place = np.empty(starts[-1], np.int32)
    distance_m = np.empty(starts[-1])
    for rows in _blocks(many):
        column = np.arange(many[rows].max())
        row, way_m = _query(tree, at[rows], len(column), limit_m, detour)
        there = column < many[rows, None]
        pair = (starts[rows, None] + column)[there]
        place[pair], distance_m[pair] = row[there], way_m[there]
    return Reach(len(origins), len(places), starts, place, distance_m, limit_m, how)


def straight_count(
    origins: Points, places: Points, limits_m: Sequence[float], *, detour: float = 1.0
) -> NDArray[np.int64]:
    """Count the places within each limit of every origin, as the crow flies.

    Parameters
    ----------
    origins, places, detour
        As of `straight_nearest`.
    limits_m
        (n_limits,) metres, after the detour.

    Returns
    -------
    ndarray
        (n_origins, n_limits) counts: those of `straight_reach`, without its pairs.

    Raises
    ------
    DataError
        If there are no places, or a number makes no sense.

    Examples
    --------
    >>> from commonweal.access import Points
    >>> home = Points(np.array([0.0]), np.array([51.5]))
    >>> halls = Points(np.array([0.02, 0.01, 0.3]), np.array([51.5, 51.5, 51.5]))
    >>> straight_count(home, halls, [800, 1600])
    array([[1, 2]])
    """
    _said(detour)
    tree, at = _tree(places), origins.on_sphere()
    counts = np.empty((len(origins), len(limits_m)), np.int64)
    for column, limit_m in enumerate(limits_m):
        counts[:, column] = _count(tree, at, limit_m, detour)
    return counts


def _tree(places: Points) -> KDTree:
    from scipy.spatial import KDTree

    if len(places) == 0:
        raise DataError("no places; expected at least one to look for")
    return KDTree(places.on_sphere())


def _said(detour: float) -> str:
    if not 1 <= detour < math.inf:
        raise DataError(f"detour {detour:g}; expected 1 or more: no way is shorter than straight")
    return "straight line" if detour == 1 else f"straight line x {detour:g}"


def _chord_m(limit_m: float, detour: float) -> float:
    """Give the chord of a limit; beyond half the Earth's round, that between opposite points."""
    if not limit_m > 0:
        raise DataError(f"limit {limit_m:g} m; expected more than 0")
    return _ACROSS_M * math.sin(min(limit_m / detour / _ACROSS_M, math.pi / 2)) * _HAIR


def _count(
    tree: KDTree, at: NDArray[np.float64], limit_m: float, detour: float
) -> NDArray[np.int64]:
    within = tree.query_ball_point(at, _chord_m(limit_m, detour), return_length=True, workers=-1)
    return np.asarray(within, dtype=np.int64)


def _blocks(many: NDArray[np.int64]) -> Iterator[NDArray[np.intp]]:
    """Divide the origins that look for any place into blocks that look for about as many."""
    order = np.argsort(many, kind="stable")
    n_cells = many[order]
    start = int(np.searchsorted(n_cells, 1))
    while start < len(order):
        alike = np.searchsorted(n_cells, n_cells[start] * 1.25 + 8, side="right")
        room = _CELLS // int(n_cells[alike - 1])
        stop = min(int(alike), start + max(room, 1))
        yield order[start:stop]
        start = stop


def _query(
    tree: KDTree, at: NDArray[np.float64], k: int, limit_m: float, detour: float
) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
    """Give (n, k) rows of the nearest places and ways to them; NaN where there is none."""
    beyond = _chord_m(limit_m, detour) * _HAIR  # the bound itself is left out
    chord_m, found = tree.query(at, range(1, k + 1), distance_upper_bound=beyond, workers=-1)
    row = np.asarray(found)
    arc_m = _ACROSS_M * np.arcsin(np.minimum(chord_m / _ACROSS_M, 1))
    way_m = np.where(np.isfinite(chord_m), np.minimum(arc_m * detour, limit_m), np.nan)
    tied = np.flatnonzero((way_m[:, 1:] <= way_m[:, :-1]).any(axis=1))
    if len(tied):
        order = np.lexsort((row[tied], way_m[tied]), axis=1)
        row[tied], way_m[tied] = (np.take_along_axis(x[tied], order, axis=1) for x in (row, way_m))
    return row, way_m
