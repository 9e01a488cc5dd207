"""Put points on the nearest street, no farther away than a cap.

A point goes to the nearest point of the nearest street, not to the nearest node: streets in the country run for
hundreds of metres without one. The walk to the street is straight, and counts. A point at a node is put on the
node, so that questions about nodes have the answers that programs give which know nodes only.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from commonweal.access.points import EARTH_RADIUS_M, Points, great_circle_m
from commonweal.access.streets import on_grain
from commonweal.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any

    from numpy.typing import NDArray

    from commonweal.access.streets import Streets

__all__ = ["Snapped", "in_threads", "snap"]

DEGREE_M = EARTH_RADIUS_M * np.pi / 180
SMALLEST_CELL_M = 50.0


@dataclass(frozen=True, slots=True)
class Snapped:
    """Where points are on streets.

    Attributes
    ----------
    street
        (n,) int32; -1 where no street is near enough, or where the point is a node itself.
    node
        (n, 2) int32 nodes at the street's two ends; -1 where there is none, or where the point is
        on the other one.
    at_m
        (n,) float64 metres from the street's tail, along it.
    off_m
        (n,) float64 metres in a straight line to the street; NaN where none is near enough.
    length_m
        (n,) float64 length of the street; 0 where there is none.
    """

    street: NDArray[np.int32]
    node: NDArray[np.int32]
    at_m: NDArray[np.float64]
    off_m: NDArray[np.float64]
    length_m: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.street)

    @property
    def on_street(self) -> NDArray[np.bool_]:
        """(n,) bool: a street is near enough."""
        return ~np.isnan(self.off_m)

    def ends(
        self, streets: Streets, leaving: bool
    ) -> tuple[NDArray[np.int32], NDArray[np.float64]]:
        """Give (n, 2) nodes that one can walk to (or come from, if not leaving), and the metres."""
        metres = np.column_stack([self.at_m, self.length_m - self.at_m]) + self.off_m[:, None]
        node = self.node.copy()
        real = self.street >= 0
        one_way = np.zeros(len(self), np.bool_)
        one_way[real] = ~streets.two_way[self.street[real]]
        against = 0 if leaving else 1  # the end that a one-way street does not lead to, or from
        node[one_way & (metres[:, against] > self.off_m), against] = -1
        return node, metres

    @classmethod
    def every_node(cls, streets: Streets) -> Snapped:
        """Put one point on each node."""
        n = streets.n_nodes
        node = np.column_stack([np.arange(n, dtype=np.int32), np.full(n, -1, np.int32)])
        nothing = np.zeros(n)
        return cls(np.full(n, -1, np.int32), node, nothing, nothing, nothing)


def snap(streets: Streets, points: Points, snap_m: float) -> Snapped:
    """Put each point on the nearest street.

    Parameters
    ----------
    streets
        The network.
    points
        (n,) what to put on it.
    snap_m
        A point farther than so many metres from every street is on none.

    Raises
    ------
    DataError
        If snap_m is not a number from 0 to 100,000.
    """
    if not 0 <= snap_m <= 100_000:
        raise DataError(f"snap_m: {snap_m:g} found; expected metres from 0 to 100,000")
    n = len(points)
    x, y, street_starts = _vertices(streets)
    found, along = np.full(n, -1, np.int64), np.zeros(n)
    if n:
        from commonweal.access.snap_kernels import nearest_segment

        grid = _grid(x, y, street_starts)

        def some(first: int, last: int) -> None:
            x_y = points.longitude[first:last], points.latitude[first:last]
            filled = found[first:last], along[first:last]
            given: tuple[Any, ...] = (*x_y, x, y, *grid, DEGREE_M, float(snap_m), *filled)
            nearest_segment(*given)

        for _ in in_threads(some, n, 20_000):
            pass
    street = np.searchsorted(street_starts, found, side="right").astype(np.int32) - np.int32(1)
    on = np.maximum(found, 0)
    at_x, at_y = x[on] + along * (x[on + 1] - x[on]), y[on] + along * (y[on + 1] - y[on])
    off_m = on_grain(great_circle_m(points.longitude, points.latitude, at_x, at_y))
    off_m[(found < 0) | (off_m > snap_m)] = np.nan
    street[np.isnan(off_m)] = -1
    return _along(streets, x, y, street_starts, street, on, along, off_m)


def _along(
    streets: Streets,
    x: NDArray[np.float64],
    y: NDArray[np.float64],
    street_starts: NDArray[np.int64],
    street: NDArray[np.int32],
    segment: NDArray[np.int64],
    along: NDArray[np.float64],
    off_m: NDArray[np.float64],
) -> Snapped:
    """Say how far along its street each point is: the street's length shared out by its course."""
    # On the grain sums are exact, so that a point at a street's end is there to the bit.
    piece = on_grain(great_circle_m(x[:-1], y[:-1], x[1:], y[1:]))
    piece[street_starts[1:-1] - 1] = 0  # from one street to the next
    up_to = np.concatenate([[0.0], np.cumsum(piece)])
    real = np.flatnonzero(street >= 0)
    e = street[real]
    first, last = street_starts[:-1][e], street_starts[1:][e] - 1
    here = segment[real]
    before = up_to[here] - up_to[first] + on_grain(along[real] * piece[here])
    whole = up_to[last] - up_to[first]
    length = streets.length_m[e]
    share = np.divide(before, whole, out=np.zeros_like(before), where=whole > 0)
    at_m, length_m = np.zeros(len(street)), np.zeros(len(street))
    at_m[real] = np.clip(on_grain(share * length), 0, length)
    length_m[real] = length
    node = np.full((len(street), 2), -1, np.int32)
    node[real, 0], node[real, 1] = streets.tail[e], streets.head[e]
    return Snapped(street, node, at_m, off_m, length_m)


def _vertices(
    streets: Streets,
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.int64]]:
    """Lay the courses of all streets one after the other: x, y, and where each street starts."""
    starts = streets.bend_starts + 2 * np.arange(streets.n_streets + 1)
    tails, heads = starts[:-1], starts[1:] - 1
    between = np.ones(starts[-1], np.bool_)
    between[tails] = between[heads] = False
    laid = []
    for nodes, bends in (
        (streets.points.longitude, streets.bends.longitude),
        (streets.points.latitude, streets.bends.latitude),
    ):
        values = np.empty(starts[-1])
        values[tails], values[heads] = nodes[streets.tail], nodes[streets.head]
        values[between] = bends
        laid.append(values)
    return laid[0], laid[1], starts


def _grid(
    x: NDArray[np.float64], y: NDArray[np.float64], street_starts: NDArray[np.int64]
) -> tuple[Any, ...]:
    """Lay a grid of cells over the segments: about one a cell, so that neither is wasted."""
    from commonweal.access.snap_kernels import cells_of_segments

    x0, y0 = float(x.min()), float(y.min())
    squeeze = max(float(np.cos(np.radians(y.mean()))), 0.01)
    across, up = (x.max() - x0) * squeeze * DEGREE_M, (y.max() - y0) * DEGREE_M
    cell_m = max(SMALLEST_CELL_M, float(np.sqrt(across * up / len(x))), (across + up) / len(x))
    high = cell_m / DEGREE_M
    wide = high / squeeze
    n_x, n_y = int((x.max() - x0) / wide) + 1, int((y.max() - y0) / high) + 1
    last = np.zeros(len(x), np.bool_)
    last[street_starts[1:] - 1] = True
    starts = np.zeros(n_x * n_y + 1, np.int64)
    where = (x, y, last, x0, y0, wide, high, n_x, n_y)
    cells_of_segments(*where, starts, np.empty(0, np.int32))
    np.cumsum(starts, out=starts)
    segment = np.empty(starts[-1], np.int32)
    cells_of_segments(*where, starts[:-1].copy(), segment)
    return x0, y0, wide, high, n_x, n_y, starts, segment


def in_threads(work: Callable[[int, int], Any], n: int, size: int) -> Iterator[Any]:
    """Yield ``work(first, last)`` of one chunk of 0..n after the other, several at work at a time.

    Chunks do not depend on the number of threads, and come in order. An interrupt waits for the
    chunks at work and starts no more.
    """
    chunks = [(i, min(i + size, n)) for i in range(0, n, size)]
    pool = ThreadPoolExecutor(_n_threads())
    try:
        waiting = [pool.submit(work, *chunk) for chunk in chunks]
        waiting.reverse()
        while waiting:
            yield waiting.pop().result()
    finally:
        pool.shutdown(cancel_futures=True)


def _n_threads() -> int:
    import numba

    return int(numba.get_num_threads())
