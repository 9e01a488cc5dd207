"""Points put on the nearest street: which one, where along it, and how far off is too far."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from commonweal.access import Points
from commonweal.access.distance import EARTH_RADIUS_M, great_circle_m
from commonweal.access.streets import GRAIN_M, Snapped, Streets, in_threads, snap
from commonweal.errors import DataError

DEGREE_M = EARTH_RADIUS_M * np.pi / 180


def points(*at: tuple[float, float]) -> Points:
    longitude, latitude = np.array(at, dtype=np.float64).reshape(-1, 2).T
    return Points(longitude.copy(), latitude.copy())


def hook(length_m: float = 400.0, two_way: bool = True) -> Streets:
    """One street on the equator: a step east, and by a bend there three steps north."""
    return Streets(
        points((0, 0), (0.001, 0.003)),
        np.array([0], np.int32),
        np.array([1], np.int32),
        np.array([length_m]),
        np.array([two_way]),
        np.array([1]),
        np.array([0, 1]),
        points((0.001, 0)),
    )


def test_a_point_goes_to_the_nearest_point_of_a_street_that_bends() -> None:
    # On the equator a step is the same length both ways, so the bend is a quarter of the way.
    on = snap(hook(), points((0.0005, -0.0002), (0.0012, 0.0015), (0.0011, -0.0001)), 100)
    assert on.street.tolist() == [0, 0, 0]
    assert on.node.tolist() == [[0, 1]] * 3
    np.testing.assert_allclose(on.at_m, [50, 250, 100], rtol=1e-6)
    steps = np.array([0.2, 0.2, np.hypot(0.1, 0.1)])
    np.testing.assert_allclose(on.off_m, steps * 0.001 * DEGREE_M, rtol=1e-6)
    assert on.length_m.tolist() == [400.0] * 3


def test_a_length_that_is_not_that_of_the_course_is_shared_out_by_it() -> None:
    """Steps, or a length that another program has measured."""
    assert snap(hook(800.0), points((0.001, 0.0015)), 1).at_m[0] == pytest.approx(500, rel=1e-6)


def test_beyond_the_cap_there_is_no_street() -> None:
    off_m = snap(hook(), points((0.0005, -0.001)), 1_000).off_m[0]
    assert snap(hook(), points((0.0005, -0.001)), off_m).on_street.tolist() == [True]
    far = snap(hook(), points((0.0005, -0.001), (3, 3)), off_m - GRAIN_M)
    assert far.on_street.tolist() == [False, False]
    assert np.isnan(far.off_m).all()
    assert far.street.tolist() == [-1, -1]
    assert far.node.tolist() == [[-1, -1]] * 2


def test_a_cap_of_nothing_takes_what_lies_on_a_street() -> None:
    on = snap(hook(), points((0, 0), (0.001, 0), (0.0005, 1e-6)), 0)
    assert on.on_street.tolist() == [True, True, False]


def test_of_streets_equally_near_the_first_is_taken() -> None:
    fork = Streets.from_edges(points((0, 0), (0.001, 0.001), (0.001, -0.001)), [0, 0], [1, 2])
    assert snap(fork, points((0.0005, 0), (-0.001, 0)), 1_000).street.tolist() == [0, 0]


def test_a_street_of_no_length_is_a_point() -> None:
    dot = Streets.from_edges(points((0, 0), (0, 0)), [0], [1])
    on = snap(dot, points((0, 0.001)), 200)
    assert (on.at_m[0], on.length_m[0]) == (0, 0)
    assert on.off_m[0] == pytest.approx(0.001 * DEGREE_M)


@pytest.mark.parametrize(
    ("at", "leaving", "arriving"),
    [
        ((0.001, 0), [-1, 1], [0, -1]),  # midway: on to the head, and come from the tail
        ((0, 0), [0, 1], [0, -1]),  # the tail is a node: any street may lead there
        ((0.001, 0.003), [-1, 1], [0, 1]),
    ],
)
def test_a_one_way_street_is_left_at_its_head_and_entered_at_its_tail(
    at: tuple[float, float], leaving: list[int], arriving: list[int]
) -> None:
    streets = hook(two_way=False)
    on = snap(streets, points(at), 10)
    assert on.ends(streets, leaving=True)[0].tolist() == [leaving]
    assert on.ends(streets, leaving=False)[0].tolist() == [arriving]


def test_metres_to_the_ends_count_the_way_to_the_street() -> None:
    streets = hook()
    on = snap(streets, points((0.0005, -0.0002)), 100)
    metres = on.ends(streets, leaving=True)[1][0]
    np.testing.assert_allclose(metres, [50 + on.off_m[0], 350 + on.off_m[0]], rtol=1e-6)


def winding(seed: int, n_nodes: int, n_streets: int) -> Streets:
    """Streets that wind about, over one another, some from a node to itself."""
    rng = np.random.default_rng(seed)
    n_bends = rng.integers(0, 5, n_streets)
    starts = np.r_[0, np.cumsum(n_bends)]
    some = rng.uniform([-0.01, 51.99], [0.01, 52.01], (n_nodes + starts[-1], 2))
    nodes, bends = points(*some[:n_nodes]), points(*some[n_nodes:])
    tail, head = rng.integers(0, n_nodes, (2, n_streets)).astype(np.int32)
    course = [np.vstack([some[a], some[n_nodes + i : n_nodes + j], some[b]])
              for a, b, i, j in zip(tail, head, starts[:-1], starts[1:], strict=True)]  # fmt: skip
    length_m = [great_circle_m(*c[:-1].T, *c[1:].T).sum() for c in course]
    two_way = np.ones(n_streets, np.bool_)
    return Streets(
        nodes, tail, head, np.array(length_m), two_way, np.arange(n_streets), starts, bends
    )


def by_hand(streets: Streets, longitude: float, latitude: float) -> list[tuple[float, int, float]]:
    """Metres to the nearest point of each piece, its street and metres along it, in the plane."""
    found = []
    scale = np.array([np.cos(np.radians(latitude)), 1]) * DEGREE_M
    for e in range(streets.n_streets):
        course = streets.course(e)
        at = (np.column_stack([course.longitude, course.latitude]) - [longitude, latitude]) * scale
        gone = 0.0
        for a, b in pairwise(at):
            long = float(np.hypot(*(b - a)))
            share = 0.0 if long == 0 else float(np.clip(-(a @ (b - a)) / long**2, 0, 1))
            found.append((float(np.hypot(*(a + share * (b - a)))), e, gone + share * long))
            gone += long
    return found


coordinate = st.tuples(st.floats(-0.02, 0.02), st.floats(51.98, 52.02))


@pytest.mark.slow
@given(st.integers(0, 10_000), st.integers(1, 30), st.lists(coordinate, min_size=1, max_size=8))
@settings(max_examples=60)
def test_it_is_what_a_look_at_every_street_finds(
    seed: int, n_streets: int, at: list[tuple[float, float]]
) -> None:
    streets = winding(seed, 10, n_streets)
    on = snap(streets, points(*at), 100_000)
    for i, (x, y) in enumerate(at):
        pieces = by_hand(streets, x, y)
        away_m = min(pieces)[0]
        assert on.off_m[i] == pytest.approx(away_m, rel=1e-3, abs=1e-3)
        assert any(
            away <= away_m + 1e-6
            and street == on.street[i]
            and on.at_m[i] == pytest.approx(along_m, rel=1e-3, abs=0.01)
            for away, street, along_m in pieces
        )


@given(st.integers(0, 10_000), st.integers(1, 30))
@settings(max_examples=60)
def test_a_node_is_put_on_itself_to_the_bit(seed: int, n_streets: int) -> None:
    streets = winding(seed, 10, n_streets)
    used = np.unique([streets.tail, streets.head])
    on = snap(streets, Points(streets.points.longitude[used], streets.points.latitude[used]), 0)
    node, metres = on.ends(streets, leaving=True)
    assert on.off_m.tolist() == [0] * len(used)
    assert metres.min(axis=1).tolist() == [0] * len(used)
    assert np.where(metres[:, 0] == 0, node[:, 0], node[:, 1]).tolist() == used.tolist()


def test_a_long_street_among_many_bends_is_found_at_once() -> None:
    """A street of 20,000 bends beside a town: each point along it knows how far along it is."""
    n = 20_001
    x = np.linspace(0, 0.2, n)
    streets = Streets(
        points((0, 0), (0.2, 0)), np.array([0], np.int32), np.array([1], np.int32),
        np.array([1_000.0]), np.array([True]), np.array([1]), np.array([0, n - 2]),
        Points(x[1:-1], np.zeros(n - 2)),
    )  # fmt: skip
    asked = np.random.default_rng(1).uniform(0, 0.2, 5_000)
    on = snap(streets, Points(asked, np.full(5_000, 1e-4)), 20)
    np.testing.assert_allclose(on.at_m, asked / 0.2 * 1_000, atol=1e-3)


def test_nothing_to_snap_and_nothing_to_say() -> None:
    on = snap(hook(), points(), 100)
    assert len(on) == 0
    assert on.node.shape == (0, 2)


def test_every_node_is_a_point_on_itself() -> None:
    streets = winding(1, 10, 30)
    on = Snapped.every_node(streets)
    node, metres = on.ends(streets, leaving=True)
    assert node.tolist() == [[v, -1] for v in range(10)]
    assert not metres.any()


@pytest.mark.parametrize("snap_m", [-1.0, np.nan, np.inf, 100_001.0])
def test_a_cap_that_makes_no_sense_is_refused(snap_m: float) -> None:
    with pytest.raises(DataError, match=f"snap_m: {snap_m:g} found; expected metres from 0 to"):
        snap(hook(), points((0, 0)), snap_m)


def test_chunks_come_in_order_and_an_error_comes_through() -> None:
    assert list(in_threads(lambda a, b: (a, b), 10, 4)) == [(0, 4), (4, 8), (8, 10)]
    assert list(in_threads(lambda a, b: (a, b), 0, 4)) == []

    def fail(first: int, last: int) -> None:
        raise DataError(f"chunk {first}")

    with pytest.raises(DataError, match="chunk 0"):
        list(in_threads(fail, 10, 4))
