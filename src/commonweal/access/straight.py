"""What is near in a straight line: no streets needed, and no streets known."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from commonweal.access import straight_kernels as kernels
from commonweal.access.points import EARTH_RADIUS_M
from commonweal.access.reach import Nearest, Reach
from commonweal.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from commonweal.access.points import Points

__all__ = ["straight_count", "straight_nearest", "straight_reach"]


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
        Ascending; of places equally far, the one that comes first.

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
    tree, how = _tree(places), _said(detour)
    most = _square_within(limit_m, detour)
    k_there = min(k, len(places))
    place = np.full((len(origins), k), -1, np.int32)
    distance = np.full((len(origins), k), np.nan)
    found, far = place[:, :k_there].copy(), distance[:, :k_there].copy()
    kernels.nearest_k(
        origins.on_sphere(), tree.points, tree.rows, tree.boxes, tree.ranges, most, detour, found, far
    )  # fmt: skip
    place[:, :k_there], distance[:, :k_there] = found, far
    return Nearest(place, distance, how)


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
        12 bytes a pair. For counts alone `straight_count` makes no pairs.

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
    tree, how = _tree(places), _said(detour)
    most = _square_within(limit_m, detour)
    at = origins.on_sphere()
    counts = np.empty((len(origins), 1), np.int64)
    kernels.count_near(at, tree.points, tree.boxes, tree.ranges, np.array([most]), counts)
    starts = np.concatenate([[0], np.cumsum(counts[:, 0])])
    place = np.empty(starts[-1], np.int32)
    distance = np.empty(starts[-1])
    kernels.fill_near(
        at, tree.points, tree.rows, tree.boxes, tree.ranges, most, detour, starts, place, distance
    )
    return Reach(len(origins), len(places), starts, place, distance, limit_m, how)


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
        (n_origins, n_limits) counts: those of `straight_reach`, without its pairs. A box of places
        that lies within the limit as a whole is counted as a whole.

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
    tree = _tree(places)
    most = np.array([_square_within(limit, detour) for limit in limits_m], dtype=np.float64)
    counts = np.empty((len(origins), len(most)), np.int64)
    kernels.count_near(origins.on_sphere(), tree.points, tree.boxes, tree.ranges, most, counts)
    return counts


@dataclass(frozen=True, slots=True)
class _Tree:
    """Places in boxes: points (n, 3) in the order of the tree, their rows, and the boxes."""

    points: NDArray[np.float64]
    rows: NDArray[np.int32]
    boxes: NDArray[np.float64]
    ranges: NDArray[np.int64]


def _tree(places: Points) -> _Tree:
    n = len(places)
    if n == 0:
        raise DataError("no places; expected at least one to look for")
    depth = max(math.ceil(math.log2(n / kernels.LEAF)), 0)
    boxes = np.empty((2 ** (depth + 1) - 1, 6))
    ranges = np.empty((len(boxes), 2), np.int64)
    order = np.arange(n, dtype=np.int32)
    at = places.on_sphere()
    kernels.build(at, boxes, ranges, order)
    return _Tree(at[order], order, boxes, ranges)


def _said(detour: float) -> str:
    if not 1 <= detour < math.inf:
        raise DataError(f"detour {detour:g}; expected 1 or more: no way is shorter than straight")
    return "straight line" if detour == 1 else f"straight line x {detour:g}"


def _square_within(limit_m: float, detour: float) -> float:
    """Give the greatest squared chord of which the way, as it is rounded, is within the limit."""
    if not limit_m > 0:
        raise DataError(f"limit {limit_m:g} m; expected more than 0")
    if limit_m / detour >= math.pi * EARTH_RADIUS_M * (1 - 1e-9):
        return math.inf  # nothing on the sphere is farther
    chord = 2 * EARTH_RADIUS_M * math.sin(limit_m / detour / (2 * EARTH_RADIUS_M))

    def within(square: float) -> bool:
        return bool(kernels.arcs(np.array([square]), detour)[0] <= limit_m)

    square = chord * chord
    while not within(square):
        square = math.nextafter(square, 0)
    while within(math.nextafter(square, math.inf)):
        square = math.nextafter(square, math.inf)
    return square
