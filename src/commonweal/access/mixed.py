"""Reach where only some places have a map of their streets: along those, and in a straight line elsewhere."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from commonweal.access.distance import (
    Nearest,
    Points,
    PointsLike,
    Reach,
    sides,
    straight_nearest,
    straight_reach,
)
from commonweal.access.streets import snap

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from commonweal.access.streets import Streets

    Rows = NDArray[np.intp]


def mixed_nearest(
    origins: PointsLike,
    places: PointsLike,
    k: int = 1,
    *,
    streets: Sequence[Streets] = (),
    detour: float = 1.0,
    snap_m: float = 500.0,
) -> Nearest:
    """Find the k nearest places of every origin: along streets where both are on a map.

    An origin on a map (the first, if on several) walks along its streets to the places on it, and as the crow flies,
    times the detour, to those that are not: a place just over the edge of the map counts. An origin on no map goes
    everywhere as the crow flies. What is farther than `snap_m` from every street of a map is not on it; a place on the
    map that no street leads to is out of reach.
    """
    origins, places = sides(origins, places)
    near = straight_nearest(origins, places, k, detour=detour)
    if not streets:
        return near
    from commonweal.access.walks import street_nearest  # brings numba

    place, distance_m = near.place.copy(), near.distance_m.copy()
    n_walking = 0
    for one, rows, on, off in _on_maps(origins, places, streets, snap_m):
        n_walking += len(rows)
        begin = _some(origins, rows)
        parts = []
        if len(on):
            walk = street_nearest(one, begin, _some(places, on), k, snap_m=snap_m)
            parts.append((walk, on))
        if len(off):
            parts.append((straight_nearest(begin, _some(places, off), k, detour=detour), off))
        found = np.hstack([np.where(p.place < 0, -1, at[p.place]) for p, at in parts])
        far_m = np.hstack([p.distance_m for p, _ in parts])
        first = np.argsort(far_m, axis=1, kind="stable")[:, :k]  # NaN comes last
        place[rows] = np.take_along_axis(found, first, axis=1)
        distance_m[rows] = np.take_along_axis(far_m, first, axis=1)
    return Nearest(place, distance_m, _said(n_walking, len(origins), near.how))


def mixed_reach(
    origins: PointsLike,
    places: PointsLike,
    limit_m: float,
    *,
    streets: Sequence[Streets] = (),
    detour: float = 1.0,
    snap_m: float = 500.0,
) -> Reach:
    """Find every place within a limit of every origin; otherwise as `mixed_nearest`."""
    origins, places = sides(origins, places)
    whole = straight_reach(origins, places, limit_m, detour=detour)
    if not streets:
        return whole
    from commonweal.access.walks import street_reach  # brings numba

    walking = np.zeros(len(origins), np.bool_)
    pairs = []
    for one, rows, on, off in _on_maps(origins, places, streets, snap_m):
        walking[rows] = True
        begin = _some(origins, rows)
        if len(on):
            pairs.append(
                _pairs(street_reach(one, begin, _some(places, on), limit_m, snap_m), rows, on)
            )
        if len(off):
            flown = straight_reach(begin, _some(places, off), limit_m, detour=detour)
            pairs.append(_pairs(flown, rows, off))
    everyone, every = np.arange(len(origins)), np.arange(len(places))
    beyond = _pairs(whole, everyone, every)
    others = ~walking[beyond[0]]
    pairs.append((beyond[0][others], beyond[1][others], beyond[2][others]))
    origin, place, distance_m = (np.concatenate(column) for column in zip(*pairs, strict=True))
    order = np.lexsort((place, distance_m, origin))
    starts = np.concatenate([[0], np.bincount(origin, minlength=len(origins)).cumsum()])
    how = _said(int(walking.sum()), len(origins), whole.how)
    return Reach(
        len(origins),
        len(places),
        starts.astype(np.int64),
        place[order].astype(np.int32),
        distance_m[order],
        limit_m,
        how,
    )


def _on_maps(
    origins: Points, places: Points, streets: Sequence[Streets], snap_m: float
) -> Iterator[tuple[Streets, Rows, Rows, Rows]]:
    """Give each map, the origins that walk on it, the places that are on it and those that are not."""
    free = np.ones(len(origins), np.bool_)
    for one in streets:
        rows = np.flatnonzero(free & snap(one, origins, snap_m).on_street)
        free[rows] = False
        on = snap(one, places, snap_m).on_street
        if len(rows):
            yield one, rows, np.flatnonzero(on), np.flatnonzero(~on)


def _pairs(
    reach: Reach, rows: Rows, at: Rows
) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.float64]]:
    return rows[reach.origin()], at[reach.place], reach.distance_m


def _some(points: Points, rows: Rows) -> Points:
    return Points(points.longitude[rows], points.latitude[rows])


def _said(n_walking: int, n_origins: int, else_: str) -> str:
    if n_walking == n_origins:
        return f"along streets, and {else_} to places off the map"
    return f"along streets for {n_walking:,} of {n_origins:,} points, {else_} for the others"
