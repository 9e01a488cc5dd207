"""Walks on a network that can be added up by hand, and on any network as scipy has them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numba
import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy.sparse.csgraph import csgraph_from_dense, dijkstra

from commonweal.access import Nearest, Points, Reach, walks
from commonweal.access.streets import Snapped, Streets, snap
from commonweal.access.walks import street_counts, street_nearest, street_reach
from commonweal.errors import DataError

if TYPE_CHECKING:
    from numpy.typing import NDArray

STEP = 0.001


def points(*at: tuple[float, float]) -> Points:
    """Points in steps from where the equator meets the meridian."""
    longitude, latitude = STEP * np.array(at, dtype=np.float64).reshape(-1, 2).T
    return Points(longitude.copy(), latitude.copy())


def square(two_way: bool = True) -> Streets:
    """Four nodes round a square, 100 m a side, the last side 700 m; and a street that hangs by none.

     3 --100-- 2
     |         |
    700       100     4 --50-- 5
     |         |
     0 --100-- 1
    """
    nodes = points((0, 0), (10, 0), (10, 10), (0, 10), (30, 0), (35, 0))
    metres = [100.0, 100.0, 100.0, 700.0, 50.0]
    return Streets.from_edges(nodes, [0, 1, 2, 3, 4], [1, 2, 3, 0, 5], metres, two_way)


def nearest(streets: Streets, origins: Points | None, places: Points, **how: Any) -> Nearest:
    return street_nearest(streets, origins, places, **{"snap_m": 50, **how})


def test_the_way_round_is_shorter_than_the_straight_street() -> None:
    near = nearest(square(), points((0, 0)), points((0, 10)))
    assert near.distance_m.tolist() == [[300.0]]
    assert near.how == "along streets"


def test_one_way_streets_are_walked_one_way() -> None:
    streets, corners = square(two_way=False), points((0, 0), (0, 10))
    there = nearest(streets, corners, points((0, 10)))
    back = nearest(streets, corners, points((0, 0)))
    assert there.distance_m.tolist() == [[300.0], [0.0]]
    assert back.distance_m.tolist() == [[0.0], [700.0]]


def test_both_on_one_street_walk_straight_along_it_unless_it_leads_the_other_way() -> None:
    near_0, near_1 = (2, 0), (5, 0)  # 20 m and 50 m from node 0
    for two_way, there, back in ((True, 30, 30), (False, 30, 970)):
        streets = square(two_way)
        to_1, to_0 = (
            nearest(streets, points(a), points(b)) for a, b in ((near_0, near_1), (near_1, near_0))
        )
        np.testing.assert_allclose(to_1.distance_m, [[there]], atol=1e-3)
        np.testing.assert_allclose(to_0.distance_m, [[back]], atol=1e-3)


def test_the_way_to_the_street_counts_at_both_ends() -> None:
    origin, place = points((2, 0.1)), points((8, -0.2))
    near = nearest(square(), origin, place)
    off_m = sum(snap(square(), p, 50).off_m[0] for p in (origin, place))
    assert off_m == pytest.approx(0.3 * STEP * 111_195, rel=1e-3)
    assert near.distance_m[0, 0] == pytest.approx(60 + off_m, abs=1e-3)


def test_where_no_street_leads_there_is_no_walk() -> None:
    streets, origins = square(), points((0, 0), (35, 0), (90, 90))
    near = nearest(streets, origins, points((10, 0), (30, 0), (99, 0)), k=2)
    assert near.place.tolist() == [[0, -1], [1, -1], [-1, -1]]
    np.testing.assert_array_equal(near.distance_m, [[100, np.nan], [50, np.nan], [np.nan, np.nan]])
    reach = street_reach(streets, origins, points((10, 0), (30, 0), (99, 0)), 1e6, snap_m=50)
    assert (reach.starts.tolist(), reach.place.tolist()) == ([0, 1, 2, 2], [0, 1])


def test_of_places_equally_near_the_first_stands_first() -> None:
    streets, places = square(), points((10, 10), (0, 0), (10, 10), (0, 0))
    middle = points((10, 0))
    assert nearest(streets, middle, places, k=3).place.tolist() == [[0, 1, 2]]
    assert nearest(streets, None, places, k=3).place[1].tolist() == [0, 1, 2]
    assert street_reach(streets, middle, places, 500, 50).place.tolist() == [0, 1, 2, 3]


def test_a_place_at_the_limit_is_within_it() -> None:
    streets, here, there = square(), points((0, 0)), points((10, 10))
    for limit_m, n in ((200.0, 1), (np.nextafter(200, 0), 0)):
        assert street_counts(streets, here, there, limit_m, 50).tolist() == [n]
        assert len(street_reach(streets, here, there, limit_m, 50).place) == n
        assert (nearest(streets, here, there, limit_m=limit_m).place >= 0).sum() == n


# --- any network: scipy's Dijkstra on a graph where each point is a node of its own


def network(seed: int, n_nodes: int, n_streets: int) -> Streets:
    """Streets of tens of metres, so that many walks are equally long; some of none, some one-way."""
    rng = np.random.default_rng(seed)
    nodes = points(*rng.uniform(-5, 5, (n_nodes, 2)))
    tail, head = rng.integers(0, n_nodes, (2, n_streets))
    length_m = rng.integers(0, 6, n_streets) * 10.0
    two_way = (rng.random(n_streets) < 0.7) | (length_m == 0)
    return Streets.from_edges(nodes, tail, head, length_m, two_way)


def some(streets: Streets, seed: int, n: int) -> Points:
    """Points at nodes and anywhere, some of them far from every street."""
    rng = np.random.default_rng(seed)
    anywhere = rng.uniform(-8, 8, (n, 2)) * STEP
    nodes = np.column_stack([streets.points.longitude, streets.points.latitude])
    at_node = rng.random(n) < 0.5
    anywhere[at_node] = nodes[rng.integers(0, len(nodes), at_node.sum())]
    return Points(anywhere[:, 0].copy(), anywhere[:, 1].copy())


def every_m(streets: Streets, begin: Snapped, end: Snapped) -> NDArray[np.float64]:
    """(n_origins, n_places) metres, infinite where there is no walk."""
    n, n_points = streets.n_nodes, len(begin) + len(end)
    weights = np.full((n + n_points, n + n_points), np.inf)

    def arc(a: int, b: int, metres: float, two_way: bool) -> None:
        weights[a, b] = min(weights[a, b], metres)
        if two_way:
            weights[b, a] = min(weights[b, a], metres)

    street = np.concatenate([begin.street, end.street])
    at_m = np.concatenate([begin.at_m, end.at_m])
    for e in range(streets.n_streets):
        on = np.flatnonzero(street == e)
        on = on[np.argsort(at_m[on], kind="stable")]
        stops = [streets.tail[e], *(n + on), streets.head[e]]
        metres = [0.0, *at_m[on], streets.length_m[e]]
        for i in range(len(stops) - 1):
            # What is at one spot is reached from each other whichever way the street leads.
            step = metres[i + 1] - metres[i]
            arc(stops[i], stops[i + 1], step, bool(streets.two_way[e]) or step == 0)
    for i in np.flatnonzero(begin.street < 0):  # on a node, or on nothing
        if begin.node[i, 0] >= 0:
            arc(n + i, begin.node[i, 0], 0.0, True)
    found = dijkstra(
        csgraph_from_dense(weights, null_value=np.inf), indices=n + np.arange(len(begin))
    )
    return found[:, n + len(begin) :] + begin.off_m[:, None] + end.off_m


@pytest.mark.slow
@given(
    st.integers(0, 2**32 - 1), st.integers(2, 12), st.integers(1, 25), st.integers(0, 12),
    st.integers(1, 12), st.integers(1, 14), st.sampled_from([10.0, 50.0, 100.0, 5000.0]),
    st.booleans(),
)  # fmt: skip
@settings(max_examples=200)
def test_it_is_what_scipy_finds(
    seed: int, n_nodes: int, n_streets: int, n_origins: int, n_places: int, k: int, limit_m: float,
    every_node: bool,
) -> None:  # fmt: skip
    streets = network(seed, n_nodes, n_streets)
    places = some(streets, seed + 1, n_places)
    end = snap(streets, places, 100)
    assume(end.on_street.any())
    origins = None if every_node else some(streets, seed + 2, n_origins)
    begin = Snapped.every_node(streets) if origins is None else snap(streets, origins, 100)
    all_m = every_m(streets, begin, end)
    all_m[~(all_m <= limit_m)] = np.inf
    counts = np.isfinite(all_m).sum(axis=1)
    near = street_nearest(streets, origins, places, k, limit_m, 100)
    reach = street_reach(streets, origins, places, limit_m, 100)
    assert street_counts(streets, origins, places, limit_m, 100).tolist() == counts.tolist()
    assert np.diff(reach.starts).tolist() == counts.tolist()
    for o in range(len(begin)):
        order = np.lexsort([np.arange(n_places), all_m[o]])[: counts[o]]
        pairs = slice(reach.starts[o], reach.starts[o + 1])
        assert reach.place[pairs].tolist() == order.tolist()
        assert reach.distance_m[pairs].tolist() == all_m[o, order].tolist()
        lack = max(k - len(order), 0)
        assert near.place[o].tolist() == order[:k].tolist() + [-1] * lack
        np.testing.assert_array_equal(near.distance_m[o], [*all_m[o, order[:k]], *[np.nan] * lack])


def lattice(side: int) -> Streets:
    """A town of streets of various lengths."""
    node = np.arange(side * side).reshape(side, side)
    tail = np.concatenate([node[:, :-1].ravel(), node[:-1].ravel()])
    head = np.concatenate([node[:, 1:].ravel(), node[1:].ravel()])
    length_m = np.random.default_rng(1).uniform(80, 160, len(tail))
    nodes = points(*np.argwhere(node >= 0))
    return Streets.from_edges(nodes, tail, head, length_m)


def scattered(n: int, seed: int, side: int) -> Points:
    return points(*np.random.default_rng(seed).uniform(0, side, (n, 2)))


def parts(found: Reach | Nearest) -> list[bytes]:
    arrays = [found.place, found.distance_m] + ([found.starts] if isinstance(found, Reach) else [])
    return [a.tobytes() for a in arrays]


@pytest.mark.parametrize(("n_origins", "n_places"), [(700, 90), (90, 700)])
def test_threads_and_chunks_change_nothing(
    n_origins: int, n_places: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    streets = lattice(30)
    origins, places = scattered(n_origins, 1, 30), scattered(n_places, 2, 30)

    def found() -> list[bytes]:
        counts = street_counts(streets, origins, places, 800)
        of_all = parts(street_reach(streets, origins, places, 800))
        return [counts.tobytes(), *of_all, *parts(street_nearest(streets, origins, places, 3))]

    whole = found()
    monkeypatch.setattr(walks, "CHUNK", 7)
    monkeypatch.setattr(walks, "LABELS_A_STEP", 100)
    assert found() == whole
    before = numba.get_num_threads()
    numba.set_num_threads(1)
    try:
        assert found() == whole
    finally:
        numba.set_num_threads(before)


def test_another_place_takes_nothing_away() -> None:
    streets, origins, places = lattice(20), scattered(50, 1, 20), scattered(60, 2, 20)
    fewer = Points(places.longitude[:40], places.latitude[:40])
    few, many = (street_nearest(streets, origins, p, 3).distance_m for p in (fewer, places))
    assert (many <= few).all()
    few_n, many_n = (street_counts(streets, origins, p, 900) for p in (fewer, places))
    assert (many_n >= few_n).all()
    assert many_n.sum() > few_n.sum()


def test_progress_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(walks, "CHUNK", 2)
    monkeypatch.setattr(walks, "LABELS_A_STEP", 3)
    told: list[tuple[str, int, int]] = []
    streets, corner = square(), points((0, 0), (10, 0), (10, 10))
    street_reach(streets, corner, corner, 500, progress=lambda *step: told.append(step))
    street_counts(streets, corner, corner, 500, progress=lambda *step: told.append(step))
    assert told == [("walking", 2, 3), ("walking", 3, 3)] * 2
    told.clear()
    nearest(streets, corner, corner, progress=lambda *step: told.append(step))
    assert told == [("walking", 3, 6), ("walking", 4, 6)]


@pytest.mark.parametrize(
    ("numbers", "said"),
    [
        ({"k": 0}, "k: 0 found; expected 1 or more places"),
        ({"limit_m": 0.0}, "limit_m: 0 found; expected metres above 0"),
        ({"limit_m": np.nan}, "limit_m: nan found"),
        ({"snap_m": -1.0}, "snap_m: -1 found; expected metres from 0"),
    ],
)
def test_numbers_that_make_no_sense_are_refused(numbers: dict[str, Any], said: str) -> None:
    with pytest.raises(DataError, match=said):
        street_nearest(square(), None, points((0, 0)), **numbers)


@pytest.mark.parametrize("search", [street_reach, street_counts])
@pytest.mark.parametrize("limit_m", [0.0, -1.0, np.inf, np.nan])
def test_all_within_needs_a_finite_limit(search: Any, limit_m: float) -> None:
    with pytest.raises(DataError, match=f"limit_m: {limit_m:g} found; expected"):
        search(square(), None, points((0, 0)), limit_m)


@pytest.mark.parametrize("places", [points(), points((900, 900))])
def test_places_off_the_network_are_refused(places: Points) -> None:
    with pytest.raises(DataError, match=f"none of {len(places)} places is within 50 m of a street"):
        nearest(square(), points((0, 0)), places)


def test_nobody_walks_nowhere() -> None:
    nobody, hall = points(), points((0, 0))
    assert nearest(square(), nobody, hall, k=2).place.shape == (0, 2)
    assert street_reach(square(), nobody, hall, 100).n_origins == 0
    assert street_counts(square(), nobody, hall, 100).shape == (0,)
