"""A network of streets: junctions, the streets between them, and the way each one bends."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from commonweal.access.kernels import fill_arcs
from commonweal.access.points import Points, great_circle_m
from commonweal.errors import DataError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

__all__ = ["GRAIN_M", "Arcs", "Streets", "on_grain"]

GRAIN_M = 2.0**-20
"""Lengths are whole multiples of this (a thousandth of a millimetre): sums of them are exact, so a
walk has the same length to the bit whichever way round it is added up."""

LONGEST_M = 1e7


def on_grain(length_m: ArrayLike) -> NDArray[np.float64]:
    """Round metres to whole multiples of `GRAIN_M`."""
    return np.asarray(np.rint(np.asarray(length_m, np.float64) / GRAIN_M) * GRAIN_M)


@dataclass(frozen=True, slots=True)
class Arcs:
    """Directed arcs in compressed rows: those of node v are ``starts[v]:starts[v + 1]``.

    Attributes
    ----------
    starts
        (n_nodes + 1,) int64.
    target
        (n_arcs,) int32 node at the other end.
    length_m
        (n_arcs,) float64 metres.
    """

    starts: NDArray[np.int64]
    target: NDArray[np.int32]
    length_m: NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Streets:
    """Streets that people can walk along, checked once here.

    A street runs from one node to another and may bend in between. Nodes are junctions and ends;
    bends are no nodes, so that searches have little to visit, and still each bend is in its place
    when a point is put on the nearest street.

    Attributes
    ----------
    points
        (n_nodes,) where the nodes are.
    tail, head
        (n_streets,) int32 nodes at the two ends.
    length_m
        (n_streets,) float64 metres, on `GRAIN_M`.
    two_way
        (n_streets,) bool: False where one may walk from tail to head only.
    way
        (n_streets,) int64 OpenStreetMap way, to look a street up; 0 where it is of none.
    bend_starts
        (n_streets + 1,) int64: the bends of street e, without its ends, are
        ``bend_starts[e]:bend_starts[e + 1]``.
    bends
        (n_bends,) where streets bend.
    out, into
        Arcs that leave each node, and, turned round, those that enter it: one and the same where
        all is two-way.

    Raises
    ------
    DataError
        If the parts do not fit together, a node is not there, or a length is missing, negative or
        longer than 10,000 km.
    """

    points: Points
    tail: NDArray[np.int32]
    head: NDArray[np.int32]
    length_m: NDArray[np.float64]
    two_way: NDArray[np.bool_]
    way: NDArray[np.int64]
    bend_starts: NDArray[np.int64]
    bends: Points
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
        """Make streets without bends.

        Parameters
        ----------
        points
            (n_nodes,) where the nodes are.
        tail, head
            (n_streets,) nodes at the two ends, from 0.
        length_m
            (n_streets,) metres; the straight line if not given.
        two_way
            (n_streets,) or one for all: False where one may walk from tail to head only.

        Raises
        ------
        DataError
            See `Streets`.

        Examples
        --------
        >>> corner = Points(np.array([0.0, 0.0, 0.01]), np.array([51.0, 51.01, 51.01]))
        >>> streets = Streets.from_edges(corner, [0, 1], [1, 2])
        >>> streets.length_m.round()
        array([1112.,  700.])
        """
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

        Returns
        -------
        int, ndarray
            How many components there are, and (n_nodes,) the component of each node; 0 is the one
            with the most nodes, and so on down.
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
        """Give the streets of which both ends are kept; nodes keep their order.

        Parameters
        ----------
        nodes
            (n_nodes,) bool.
        """
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
