"""A network of streets: its arcs, components, parts and courses, and what is refused."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from commonweal.access import Points
from commonweal.access.distance import great_circle_m
from commonweal.access.streets import GRAIN_M, Streets, on_grain
from commonweal.errors import DataError


def row(n: int) -> Points:
    """Nodes from west to east."""
    return Points(np.arange(n) * 0.01, np.full(n, 52.0))


def arcs_of(streets: Streets, node: int, into: bool = False) -> list[tuple[int, float]]:
    arcs = streets.into if into else streets.out
    at = slice(arcs.starts[node], arcs.starts[node + 1])
    return sorted(zip(arcs.target[at].tolist(), arcs.length_m[at].tolist(), strict=True))


def bent() -> Streets:
    """Two streets of two bends and one, and a straight one between them; the last is one-way."""
    return Streets(
        row(4),
        np.array([0, 1, 2], np.int32),
        np.array([1, 2, 3], np.int32),
        np.array([10.0, 20.0, 30.0]),
        np.array([True, True, False]),
        np.array([7, 8, 9]),
        np.array([0, 2, 2, 3]),
        Points(np.array([0.001, 0.002, 0.025]), np.array([52.1, 52.2, 52.3])),
    )


def test_arcs_go_both_ways_but_along_a_one_way_street() -> None:
    streets = bent()
    assert [arcs_of(streets, v) for v in range(4)] == [
        [(1, 10.0)],
        [(0, 10.0), (2, 20.0)],
        [(1, 20.0), (3, 30.0)],
        [],
    ]
    assert arcs_of(streets, 3, into=True) == [(2, 30.0)]
    assert arcs_of(streets, 2, into=True) == [(1, 20.0)]


def test_where_all_is_two_way_arcs_are_kept_once() -> None:
    streets = Streets.from_edges(row(3), [0, 1], [1, 2])
    assert streets.into is streets.out


def test_a_length_that_is_not_given_is_the_straight_line() -> None:
    streets = Streets.from_edges(row(3), [0, 2], [1, 0])
    straight = great_circle_m([0.0, 0.02], 52.0, [0.01, 0.0], 52.0)
    np.testing.assert_allclose(streets.length_m, straight, atol=GRAIN_M)


@given(st.lists(st.floats(0, 1e5), min_size=2, max_size=50))
def test_sums_of_lengths_on_the_grain_do_not_depend_on_the_order(lengths: list[float]) -> None:
    metres = on_grain(lengths)
    assert np.abs(metres - lengths).max() <= GRAIN_M / 2
    assert metres.cumsum()[-1] == metres[::-1].cumsum()[-1]


def test_the_component_with_the_most_nodes_comes_first() -> None:
    # Nodes 0-1, 2-3-4 (one-way towards each other: they still hang together) and 5 alone.
    streets = Streets.from_edges(row(6), [0, 2, 4], [1, 3, 3], two_way=[True, False, False])
    n, component = streets.components()
    assert (n, component.tolist()) == (3, [1, 1, 0, 0, 0, 2])
    largest = streets.largest()
    assert largest.n_nodes == 3
    np.testing.assert_array_equal(largest.points.longitude, row(6).longitude[2:5])
    assert (largest.tail.tolist(), largest.head.tolist()) == ([0, 2], [1, 1])
    assert largest.two_way.tolist() == [False, False]


def test_many_streets_between_the_same_nodes_connect_them() -> None:
    streets = Streets.from_edges(row(2), np.zeros(256, int), np.ones(256, int))
    assert streets.components()[0] == 1


def test_bends_stay_with_their_street() -> None:
    streets = bent()
    assert streets.course(0).latitude.tolist() == [52.0, 52.1, 52.2, 52.0]
    assert streets.course(1).latitude.tolist() == [52.0, 52.0]
    east = streets.kept(np.array([False, False, True, True]))
    assert (east.n_streets, east.way.tolist()) == (1, [9])
    course = east.course(0)
    assert course.longitude.tolist() == [0.02, 0.025, 0.03]
    assert course.latitude.tolist() == [52.0, 52.3, 52.0]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"head": np.array([1, 2], np.int32)}, "2 values of head for 3 streets"),
        ({"way": np.zeros(4, np.int64)}, "4 values of way for 3 streets"),
        (
            {"tail": np.array([0, 1, 4], np.int32)},
            "street 3: tail is node 4; expected one of the 4",
        ),
        ({"head": np.array([-1, 2, 3], np.int32)}, "street 1: head is node -1"),
        ({"length_m": np.array([1, np.nan, -1])}, r"street 2 has length nan m \(2 such\)"),
        ({"length_m": np.array([1, 1, 2e7])}, "street 3 has length 2e.07 m .*0 to 10,000,000"),
        ({"bend_starts": np.array([0, 2, 1, 3])}, "bend_starts do not divide 3 bends among 3"),
        ({"bend_starts": np.array([0, 2, 2, 2])}, "bend_starts do not divide 3 bends among 3"),
    ],
)
def test_parts_that_do_not_fit_are_refused(change: dict[str, Any], said: str) -> None:
    with pytest.raises(DataError, match=said):
        replace(bent(), **change)


@pytest.mark.parametrize(
    ("nodes", "tail", "head", "said"),
    [
        (2, [], [], "there is no street"),
        (2, [0, 1], [1], "1 values of head for 2 streets"),
        (2, [0], [2], "street 1: head is node 2; expected one of the 2 nodes"),
        (0, [0], [1], "street 1: tail is node 0; expected one of the 0 nodes"),
    ],
)
def test_edges_that_do_not_fit_are_refused(
    nodes: int, tail: list[int], head: list[int], said: str
) -> None:
    with pytest.raises(DataError, match=said):
        Streets.from_edges(row(nodes), tail, head)


def test_nothing_kept_is_refused() -> None:
    with pytest.raises(DataError, match="there is no street"):
        bent().kept(np.zeros(4, np.bool_))
