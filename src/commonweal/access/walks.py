"""How far it is to walk: the nearest places along streets, and all within a limit.

A walk is the straight way from where one is to the nearest street, the shortest way along streets, and the straight
way from the street to the place. Where a street is not near enough, or no way leads there, there is no
walk: missing, never a number.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from commonweal.access.distance import Nearest, Reach, points_of, sides
from commonweal.access.kernels import (
    by_origin,
    count_from,
    labels_at,
    reach_from,
    seed_labels,
    settle_labels,
)
from commonweal.access.streets import Snapped, in_threads, snap
from commonweal.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Sequence
    from typing import Any

    from numpy.typing import NDArray

    from commonweal.access.distance import Points, PointsLike
    from commonweal.access.streets import Arcs, Streets

    Progress = Callable[[str, int, int], None]

__all__ = ["Region", "street_counts", "street_nearest", "walk_regions"]

SNAP_M = 500.0
"""Farther than this from every street, a point is on none."""

ALONG = "along streets"
CHUNK = 256
LABELS_A_STEP = 1_000_000


def street_nearest(
    streets: Streets,
    origins: PointsLike | None,
    places: PointsLike,
    k: int = 1,
    limit_m: float = np.inf,
    snap_m: float = SNAP_M,
    progress: Progress | None = None,
) -> Nearest:
    """Find the k nearest places of each origin, along streets.

    One search spreads from all places at once and stops at a node when k of them have arrived, so
    the cost does not depend on how many origins there are.

    Parameters
    ----------
    streets
        The network.
    origins
        (n_origins,) where walks begin; None for every node of the network.
    places
        (n_places,) where they may end.
    k
        How many places to look for.
    limit_m
        Walks longer than so many metres do not count.
    snap_m
        An origin or place farther than so many metres from every street has no walks.
    progress
        Called as ``progress("walking", labels settled, most there can be)``.

    Returns
    -------
    Nearest
        Of places equally near, the first.

    Raises
    ------
    DataError
        If k is below 1, limit_m not above 0, or no place is near a street.
    """
    if k < 1:
        raise DataError(f"k: {k} found; expected 1 or more places")
    begin, end = _both(streets, origins, places, limit_m, snap_m)
    limit_m = float(limit_m)  # for a whole number the loops would be compiled again
    n_nodes, two_way = streets.n_nodes, streets.two_way
    place = np.full((n_nodes, k), -1, np.int32)
    metres = np.full((n_nodes, k), np.inf)
    key, entry, size = seed_labels(
        *end.ends(streets, leaving=False), limit_m, place, metres,
        np.empty(4096), np.empty(4096, np.int64),
    )  # fmt: skip
    into, most, done = _arcs(streets.into, two_way), n_nodes * k, 0
    while size:
        key, entry, size, n = settle_labels(
            into, limit_m, place, metres, key, entry, size, LABELS_A_STEP
        )
        done += n
        if progress:
            progress("walking", min(done, most), most)
    if origins is not None:
        of_nodes = place, metres
        place = np.full((len(begin), k), -1, np.int32)
        metres = np.full((len(begin), k), np.inf)
        seeds = _seeds(streets, begin, leaving=True)
        leaves = _leaves(streets, end, leaving=False)

        def some(first: int, last: int) -> None:
            labels_at(first, last, seeds, two_way, leaves, limit_m, *of_nodes, place, metres)

        for _ in in_threads(some, len(begin), 20_000):
            pass
    metres[place < 0] = np.nan
    return Nearest(place, metres, ALONG)


def street_reach(
    streets: Streets,
    origins: PointsLike | None,
    places: PointsLike,
    limit_m: float,
    snap_m: float = SNAP_M,
    progress: Progress | None = None,
) -> Reach:
    """Find every pair of an origin and a place within a limit, along streets.

    One search for each origin or each place, whichever are fewer, as far as the limit. Of places equally near, the
    first stands first.
    """
    begin, end = _both(streets, origins, places, limit_m, snap_m, finite=True)
    limit_m = float(limit_m)  # for a whole number the loops would be compiled again
    from_origins = len(begin) <= len(end)
    seeds, arcs, leaves, n_leaves = _sides(streets, begin, end, from_origins, origins is None)
    n = len(begin) if from_origins else len(end)
    done, counts, found, found_m = 0, [], [], []

    def some(first: int, last: int) -> Any:
        return reach_from(first, last, seeds, arcs, leaves, n_leaves, limit_m)

    for c, f, m in in_threads(some, n, CHUNK):
        counts.append(c)
        found.append(f)
        found_m.append(m)
        done += len(c)
        if progress:
            progress("walking", done, n)
    sizes = np.concatenate([np.zeros(1, np.int64), *counts])
    pairs = np.concatenate([np.empty(0, np.int32), *found])
    metres = np.concatenate([np.empty(0), *found_m])
    starts = np.cumsum(sizes)
    if not from_origins:
        starts, pairs, metres = by_origin(sizes[1:], pairs, metres, len(begin))
    return Reach(len(begin), len(end), starts, pairs, metres, limit_m, ALONG)


def street_counts(
    streets: Streets,
    origins: PointsLike | None,
    places: PointsLike,
    limit_m: float,
    snap_m: float = SNAP_M,
    progress: Progress | None = None,
) -> NDArray[np.int32]:
    """Count the places within a limit of each origin, along streets.

    As `street_reach`, but no pair is kept: memory does not grow with the number of pairs.

    Parameters
    ----------
    streets, origins, places, limit_m, snap_m, progress
        As for `street_reach`.

    Returns
    -------
    ndarray
        (n_origins,) int32.

    Raises
    ------
    DataError
        If limit_m is not above 0 and finite, or no place is near a street.
    """
    begin, end = _both(streets, origins, places, limit_m, snap_m, finite=True)
    limit_m = float(limit_m)  # for a whole number the loops would be compiled again
    from_origins = len(begin) <= len(end)
    seeds, arcs, leaves, n_leaves = _sides(streets, begin, end, from_origins, origins is None)
    n = len(begin) if from_origins else len(end)
    size = CHUNK if from_origins else max(CHUNK, -(-n // 64))  # a chunk counts for all leaves
    counts = np.zeros(len(begin), np.int32)

    def some(first: int, last: int) -> Any:
        return count_from(first, last, seeds, arcs, leaves, n_leaves, limit_m, not from_origins)

    done = 0
    for one in in_threads(some, n, size):
        if from_origins:
            counts[done : done + len(one)] = one
        else:
            counts += one
        done = min(done + size, n)
        if progress:
            progress("walking", done, n)
    return counts


def _both(
    streets: Streets,
    origins: PointsLike | None,
    places: PointsLike,
    limit_m: float,
    snap_m: float,
    finite: bool = False,
) -> tuple[Snapped, Snapped]:
    if not limit_m > 0 or (finite and not np.isfinite(limit_m)):
        raise DataError(f"limit_m: {limit_m:g} found; expected metres above 0")
    if origins is None:
        places = points_of(places, "places")
    else:
        origins, places = sides(origins, places)
    end = snap(streets, places, snap_m)
    if not end.on_street.any():
        raise DataError(
            f"none of {len(places):,} places is within {snap_m:g} m of a street; "
            "expected places where the network is"
        )
    begin = Snapped.every_node(streets) if origins is None else snap(streets, origins, snap_m)
    return begin, end


def _sides(
    streets: Streets, begin: Snapped, end: Snapped, from_origins: bool, every_node: bool
) -> tuple[Any, Any, Any, int]:
    """Say what to search from, along which arcs, and what to look for."""
    if from_origins:
        return (
            _seeds(streets, begin, leaving=True),
            _arcs(streets.out, streets.two_way),
            _leaves(streets, end, leaving=False),
            len(end),
        )
    return (
        _seeds(streets, end, leaving=False),
        _arcs(streets.into, streets.two_way),
        _leaves(streets, begin, leaving=True, every_node=every_node),
        len(begin),
    )


def _arcs(arcs: Arcs, two_way: NDArray[np.bool_]) -> tuple[Any, ...]:
    return arcs.starts, arcs.target, arcs.length_m, two_way


def _seeds(streets: Streets, points: Snapped, leaving: bool) -> tuple[Any, ...]:
    node, metres = points.ends(streets, leaving)
    return node, metres, points.street, points.at_m, points.off_m, 1.0 if leaving else -1.0


def _leaves(
    streets: Streets, points: Snapped, leaving: bool, every_node: bool = False
) -> tuple[Any, ...]:
    """Hang points on the nodes that they are reached through, and on their streets."""
    if every_node:
        none, nothing = np.empty(0, np.int32), np.empty(0)
        return np.empty(0, np.int64), none, nothing, none, none, nothing, nothing
    node, metres = points.ends(streets, leaving)
    flat = node.ravel()
    hangs = np.flatnonzero(flat >= 0)
    hangs = hangs[np.argsort(flat[hangs], kind="stable")]
    starts = np.zeros(streets.n_nodes + 1, np.int64)
    np.cumsum(np.bincount(flat[hangs], minlength=streets.n_nodes), out=starts[1:])
    order = np.flatnonzero(points.street >= 0)
    order = order[np.argsort(points.street[order], kind="stable")].astype(np.int32)
    return (
        starts,
        (hangs // 2).astype(np.int32),
        metres.ravel()[hangs],
        order,
        points.street[order],
        points.at_m,
        points.off_m,
    )


@dataclass(frozen=True, slots=True)
class Region:
    """One region of a country: its streets, and what to walk between there.

    Attributes
    ----------
    streets
        The network, or the OpenStreetMap file (PBF) to read it from. It should go on beyond the
        origins by the limit of the walk, or walks that leave the region are not found.
    origins, places
        Where walks begin, and where they may end.
    """

    streets: Streets | Path | str
    origins: Points
    places: Points


def walk_regions(
    regions: Sequence[Region],
    limit_m: float,
    snap_m: float = SNAP_M,
    client: Any = None,
    progress: Progress | None = None,
) -> list[Reach]:
    """Find what is within reach in several regions, here or on a cluster.

    Parameters
    ----------
    regions
        What to walk on and between.
    limit_m, snap_m
        As for `street_reach`.
    client
        A Dask client, for those who outgrow one machine: the same results to the bit.
    progress
        Called as ``progress("regions", done, regions)``.

    Returns
    -------
    list of Reach
        One a region, in order.

    Raises
    ------
    DataError
        See `street_reach`, and `commonweal.access.osm_streets.read_streets`.
    """
    found: list[Reach] = []
    for reach in _walked(regions, limit_m, snap_m, client):
        found.append(reach)
        if progress:
            progress("regions", len(found), len(regions))
    return found


def _walked(
    regions: Sequence[Region], limit_m: float, snap_m: float, client: Any
) -> Generator[Reach]:
    if client is None:
        yield from (_walk(region, limit_m, snap_m) for region in regions)
        return
    ahead = 2 * max(len(client.nthreads()), 1)  # one region a worker at work, one in waiting
    waiting: deque[Any] = deque()
    try:
        for region in regions:
            given = (client.scatter(region, hash=False), limit_m, snap_m)
            waiting.append(client.submit(_walk, *given, pure=False))
            del given  # else an error would keep the region on the cluster
            if len(waiting) == ahead:
                yield waiting[0].result()
                waiting.popleft().release()
        while waiting:
            yield waiting[0].result()
            waiting.popleft().release()
    finally:  # after an error or an interrupt too: the cluster drops what nobody waits for
        for future in waiting:
            future.release()


def _walk(region: Region, limit_m: float, snap_m: float) -> Reach:
    streets = region.streets
    if isinstance(streets, (str, Path)):
        from commonweal.access.osm_streets import read_streets

        streets = read_streets(streets).streets
    return street_reach(streets, region.origins, region.places, limit_m, snap_m)
