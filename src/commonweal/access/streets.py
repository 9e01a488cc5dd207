"""A network of streets, and points put on the nearest of them."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from commonweal.access.distance import EARTH_RADIUS_M, Points, great_circle_m
from commonweal.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any

    from numpy.typing import ArrayLike, NDArray


GRAIN_M = 2.0**-20
"""Lengths are whole multiples of this (a thousandth of a millimetre): sums of them are exact, so a
walk has the same length to the bit whichever way round it is added up."""

LONGEST_M = 1e7


def on_grain(length_m: ArrayLike) -> NDArray[np.float64]:
    """Round metres to whole multiples of `GRAIN_M`."""
    return np.asarray(np.rint(np.asarray(length_m, np.float64) / GRAIN_M) * GRAIN_M)


@dataclass(frozen=True, slots=True)
class Arcs:
    """Directed arcs in compressed rows: those of node v are ``starts[v]:starts[v + 1]``."""

    starts: NDArray[np.int64]  # (n_nodes + 1,) int64
    target: NDArray[np.int32]  # (n_arcs,) int32 node at the other end
    length_m: NDArray[np.float64]  # (n_arcs,) float64 metres


@dataclass(frozen=True, slots=True)
class Streets:
    """Streets that people can walk along, checked once here.

    A street runs from one node to another and may bend in between. Nodes are junctions and ends; bends are no nodes,
    so that searches have little to visit, and still each bend is in its place when a point is put on the nearest
    street.
    """

    points: Points  # (n_nodes,) where the nodes are
    # tail, head: (n_streets,) int32 nodes at the two ends
    tail: NDArray[np.int32]
    head: NDArray[np.int32]
    length_m: NDArray[np.float64]  # (n_streets,) float64 metres, on `GRAIN_M`
    two_way: NDArray[np.bool_]  # (n_streets,) bool: False where one may walk from tail to head only
    # (n_streets,) int64 OpenStreetMap way, to look a street up; 0 where it is of none
    way: NDArray[np.int64]
    # (n_streets + 1,) int64: the bends of street e, without its ends, are ``bend_starts[e]:bend_starts[e + 1]``
    bend_starts: NDArray[np.int64]
    bends: Points  # (n_bends,) where streets bend
    # out, into: arcs that leave each node, and, turned round, those that enter it: one and the same where all is
    # two-way
    out: Arcs = field(init=False, repr=False)
    into: Arcs = field(init=False, repr=False)

    def __post_init__(self) -> None:
        n = len(self.tail)
        for name in ("head", "length_m", "two_way", "way"):
            found = len(getattr(self, name))
            if found != n:
                raise DataError(f"{found:,} values of {name} for {n:,} streets")
        if n == 0:
            raise DataError("there is no street; expected at least one")
        _refuse_strangers(len(self.points), self.tail, self.head)
        bad = ~((self.length_m >= 0) & (self.length_m <= LONGEST_M))  # NaN too
        if bad.any():
            row = int(bad.argmax())
            raise DataError(
                f"street {row + 1} has length {self.length_m[row]:g} m ({int(bad.sum()):,} such); "
                f"expected 0 to {LONGEST_M:,.0f}"
            )
        if (
            self.bend_starts.shape != (n + 1,)
            or self.bend_starts[0] != 0
            or self.bend_starts[-1] != len(self.bends)
            or (np.diff(self.bend_starts) < 0).any()
        ):
            raise DataError(
                f"bend_starts do not divide {len(self.bends):,} bends among {n:,} streets"
            )
        object.__setattr__(self, "length_m", on_grain(self.length_m))
        out = self._arcs(self.tail, self.head)
        object.__setattr__(self, "out", out)
        into = out if self.two_way.all() else self._arcs(self.head, self.tail)
        object.__setattr__(self, "into", into)

    def _arcs(self, tail: NDArray[np.int32], head: NDArray[np.int32]) -> Arcs:
        from commonweal.access.kernels import fill_arcs  # brings numba

        n_nodes = len(self.points)
        counts = np.bincount(tail, minlength=n_nodes)
        counts += np.bincount(head[self.two_way], minlength=n_nodes)
        starts = np.zeros(n_nodes + 1, np.int64)
        np.cumsum(counts, out=starts[1:])
        target = np.empty(starts[-1], np.int32)
        length_m = np.empty(starts[-1])
        fill_arcs(tail, head, self.length_m, self.two_way, starts[:-1].copy(), target, length_m)
        return Arcs(starts, target, length_m)

    @classmethod
    def from_edges(
        cls,
        points: Points,
        tail: ArrayLike,
        head: ArrayLike,
        length_m: ArrayLike | None = None,
        two_way: ArrayLike = True,
    ) -> Streets:
        """Make streets without bends."""
        a, b = (np.asarray(v, np.int64).astype(np.int32) for v in (tail, head))
        n = len(a)
        if len(b) != n:
            raise DataError(f"{len(b):,} values of head for {n:,} streets")
        if length_m is None:
            _refuse_strangers(len(points), a, b)
            x, y = points.longitude, points.latitude
            length_m = great_circle_m(x[a], y[a], x[b], y[b])
        return cls(
            points,
            a,
            b,
            np.asarray(length_m, np.float64),
            np.broadcast_to(np.asarray(two_way, np.bool_), (n,)).copy(),
            np.zeros(n, np.int64),
            np.zeros(n + 1, np.int64),
            Points(np.empty(0), np.empty(0)),
        )

    @property
    def n_nodes(self) -> int:
        """How many nodes there are."""
        return len(self.points)

    @property
    def n_streets(self) -> int:
        """How many streets there are."""
        return len(self.tail)

    def components(self) -> tuple[int, NDArray[np.int32]]:
        """Say which nodes hang together, one-way streets taken either way.

        Gives how many components there are, and (n_nodes,) the component of each node.
        """
        from scipy.sparse import csr_array
        from scipy.sparse.csgraph import connected_components

        n = self.n_nodes
        pairs = csr_array((np.ones(self.n_streets, np.int32), (self.tail, self.head)), shape=(n, n))
        n_components, found = connected_components(pairs, directed=False)
        by_size = np.argsort(-np.bincount(found), kind="stable")
        rank = np.empty(n_components, np.int32)
        rank[by_size] = np.arange(n_components)
        return int(n_components), rank[found]

    def largest(self) -> Streets:
        """Give the component with the most nodes."""
        return self.kept(self.components()[1] == 0)

    def kept(self, nodes: NDArray[np.bool_]) -> Streets:
        """Give the streets of which both ends are kept; nodes keep their order."""
        number = np.cumsum(nodes, dtype=np.int32) - 1
        streets = nodes[self.tail] & nodes[self.head]
        bends = np.repeat(streets, np.diff(self.bend_starts))
        return Streets(
            Points(self.points.longitude[nodes], self.points.latitude[nodes]),
            number[self.tail[streets]],
            number[self.head[streets]],
            self.length_m[streets],
            self.two_way[streets],
            self.way[streets],
            np.r_[0, np.cumsum(np.diff(self.bend_starts)[streets])],
            Points(self.bends.longitude[bends], self.bends.latitude[bends]),
        )

    def course(self, street: int) -> Points:
        """Give the course of a street: its tail, its bends, its head."""
        at = slice(self.bend_starts[street], self.bend_starts[street + 1])
        ends = self.tail[street], self.head[street]
        x, y = self.points.longitude, self.points.latitude
        return Points(
            np.r_[x[ends[0]], self.bends.longitude[at], x[ends[1]]],
            np.r_[y[ends[0]], self.bends.latitude[at], y[ends[1]]],
        )


def _refuse_strangers(n_nodes: int, tail: NDArray[np.int32], head: NDArray[np.int32]) -> None:
    """Refuse streets with an end that is no node."""
    for name, nodes in (("tail", tail), ("head", head)):
        bad = (nodes < 0) | (nodes >= n_nodes)
        if bad.any():
            row = int(bad.argmax())
            raise DataError(
                f"street {row + 1}: {name} is node {nodes[row]}; expected one of the {n_nodes:,} "
                "nodes, counted from 0"
            )


DEGREE_M = EARTH_RADIUS_M * np.pi / 180
SMALLEST_CELL_M = 50.0


@dataclass(frozen=True, slots=True)
class Snapped:
    """Where points are on streets."""

    # (n,) int32; -1 where no street is near enough, or where the point is a node itself
    street: NDArray[np.int32]
    # (n, 2) int32 nodes at the street's two ends; -1 where there is none, or where the point is on the other one
    node: NDArray[np.int32]
    at_m: NDArray[np.float64]  # (n,) float64 metres from the street's tail, along it
    # (n,) float64 metres in a straight line to the street; NaN where none is near enough
    off_m: NDArray[np.float64]
    length_m: NDArray[np.float64]  # (n,) float64 length of the street; 0 where there is none

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
    """Put each point on the nearest street."""
    if not 0 <= snap_m <= 100_000:
        raise DataError(f"snap_m: {snap_m:g} found; expected metres from 0 to 100,000")
    n = len(points)
    x, y, street_starts = _vertices(streets)
    found, along = np.full(n, -1, np.int64), np.zeros(n)
    if n:
        from commonweal.access.kernels import nearest_segment

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
    return _along(streets, (x, y, street_starts), street, on, along, off_m)


def _along(
    streets: Streets,
    course: tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.int64]],
    street: NDArray[np.int32],
    segment: NDArray[np.int64],
    along: NDArray[np.float64],
    off_m: NDArray[np.float64],
) -> Snapped:
    """Say how far along its street each point is: the street's length shared out by its course."""
    x, y, street_starts = course
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
    from commonweal.access.kernels import cells_of_segments

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
