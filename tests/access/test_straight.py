import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from commonweal.access import Nearest, Points, Reach, straight_nearest, straight_reach
from commonweal.access.distance import EARTH_RADIUS_M, great_circle_m, straight_count
from commonweal.errors import DataError

HALF_ROUND_M = math.pi * EARTH_RADIUS_M


def points(*at: tuple[float, float]) -> Points:
    longitude, latitude = np.array(at, dtype=np.float64).reshape(-1, 2).T
    return Points(longitude.copy(), latitude.copy())


def some(n: int, seed: int, spread: float = 0.05) -> Points:
    """Points about a dozen towns of very different size."""
    rng = np.random.default_rng(seed)
    towns = np.random.default_rng(0).uniform([-3, 51], [1, 54], (12, 2))
    town = rng.choice(12, n, p=rng.dirichlet(np.full(12, 0.4)))
    return points(*(towns[town] + rng.normal(0, spread, (n, 2))))


def every_m(origins: Points, places: Points) -> NDArray[np.float64]:
    """(n_origins, n_places) metres by the chord: the definition, by brute force."""
    a, b = origins.on_sphere()[:, None], places.on_sphere()[None]
    square = np.zeros((len(origins), len(places)))
    for axis in range(3):  # in this order
        square = square + (b[..., axis] - a[..., axis]) ** 2
    half = np.sqrt(square) / (2 * EARTH_RADIUS_M)
    return np.array(
        [[2 * EARTH_RADIUS_M * math.asin(min(h, 1)) for h in row] for row in half]
    ).reshape(square.shape)


# A coarse lattice, so that there are places at one spot, opposite spots, poles and the date line.
coarse = st.tuples(
    st.sampled_from([-180.0, -179.999, -90.0, -0.001, 0.0, 0.001, 45.0, 179.999, 180.0]),
    st.sampled_from([-90.0, -89.999, -45.0, -0.001, 0.0, 0.001, 51.5, 89.999, 90.0]),
)
anywhere = st.tuples(st.floats(-180, 180), st.floats(-90, 90))
local = st.tuples(st.floats(-0.02, 0.02), st.floats(51.49, 51.51))
lists = st.one_of(*(st.lists(kind, min_size=1, max_size=40) for kind in (coarse, anywhere, local)))
detours = st.sampled_from([1.0, 1.3])


@given(lists, lists, st.integers(1, 45), detours, st.floats(1, 2.1e7))
@settings(max_examples=150)
def test_it_is_what_brute_force_finds(
    at: list[tuple[float, float]],
    where: list[tuple[float, float]],
    k: int,
    detour: float,
    limit_m: float,
) -> None:
    origins, places = points(*at), points(*where)
    all_m = every_m(origins, places) * detour
    np.testing.assert_allclose(
        all_m,
        great_circle_m(
            origins.longitude[:, None], origins.latitude[:, None], places.longitude, places.latitude
        )
        * detour,
        rtol=1e-7,
        atol=1e-6,
    )
    nearest = straight_nearest(origins, places, k, detour=detour, limit_m=limit_m)
    reach = straight_reach(origins, places, limit_m, detour=detour)
    assert nearest.how == reach.how == ("straight line" if detour == 1 else "straight line x 1.3")
    counts = straight_count(origins, places, [limit_m], detour=detour)[:, 0]
    assert np.diff(reach.starts).tolist() == counts.tolist()
    for o in range(len(origins)):
        # What a rounding puts on either side of the limit may be on either.
        within, almost = (int((all_m[o] <= limit_m * (1 + hair)).sum()) for hair in (-1e-9, 1e-9))
        assert within <= counts[o] <= almost
        pairs = slice(reach.starts[o], reach.starts[o + 1])
        near = np.sort(all_m[o])[: counts[o]]
        for place, far in (
            (reach.place[pairs], reach.distance_m[pairs]),
            (nearest.place[o, : counts[o]], nearest.distance_m[o, : counts[o]]),
        ):
            assert len(set(place)) == len(place)  # each once, and as far as it is said to be
            close(far, near[: len(far)])
            close(far, all_m[o, place])
            assert sorted(zip(far, place, strict=True)) == list(zip(far, place, strict=True))
        lacks = np.arange(k) >= counts[o]
        assert (nearest.place[o] < 0).tolist() == lacks.tolist()
        assert np.isnan(nearest.distance_m[o]).tolist() == lacks.tolist()


def close(found: NDArray[np.float64], expected: NDArray[np.float64]) -> None:
    """Almost opposite points are where a chord hardly tells how far."""
    opposite = expected > 0.999 * HALF_ROUND_M
    np.testing.assert_allclose(found[~opposite], expected[~opposite], rtol=1e-12)
    np.testing.assert_allclose(found[opposite], expected[opposite], rtol=1e-7)


def test_it_is_what_scipy_finds_about_towns() -> None:
    origins, places = some(400, 1), some(5_000, 2)
    tree = cKDTree(places.on_sphere())
    chord, row = tree.query(origins.on_sphere(), 5)
    nearest = straight_nearest(origins, places, 5)
    assert nearest.place.tolist() == row.tolist()
    np.testing.assert_allclose(nearest.distance_m, chord, rtol=1e-6)
    within = tree.query_ball_point(origins.on_sphere(), 1600, return_length=True)
    assert straight_count(origins, places, [1600, 800])[:, 0].tolist() == within.tolist()
    reach = straight_reach(origins, places, 1600)
    assert np.diff(reach.starts).tolist() == within.tolist()


def test_places_equally_far_stand_in_their_order() -> None:
    here, there = (0.0, 51.5), (0.01, 51.5)
    places = points(there, *[here] * 100, there)
    three = straight_nearest(points(here), places, 3)
    assert three.distance_m.tolist() == [[0, 0, 0]]  # any three of those that are here
    assert (np.diff([0, *three.place[0], 101]) > 0).all()
    assert straight_nearest(points(there), places, 102).place.tolist() == [[0, 101, *range(1, 101)]]
    assert straight_reach(points(here), places, 100).place.tolist() == list(range(1, 101))


def test_the_shortest_way_may_cross_the_date_line_or_a_pole() -> None:
    places = points((0.0, 0.0), (-179.99, 10.0), (90.0, -89.99))
    nearest = straight_nearest(points((179.99, 10.0), (-90.0, -89.99)), places)
    assert nearest.place[:, 0].tolist() == [1, 2]
    assert nearest.distance_m[0, 0] == pytest.approx(
        math.radians(0.02) * math.cos(math.radians(10)) * EARTH_RADIUS_M, rel=1e-6
    )
    assert nearest.distance_m[1, 0] == pytest.approx(math.radians(0.02) * EARTH_RADIUS_M, rel=1e-6)


def test_a_place_at_the_limit_is_within_it() -> None:
    home, hall = points((0.0, 51.5)), points((0.0125, 51.507))
    for detour in (1.0, 1.3):
        far = float(straight_nearest(home, hall, detour=detour).distance_m[0, 0])
        short = far * (1 - 1e-12)
        assert straight_count(home, hall, [far, short], detour=detour).tolist() == [[1, 0]]
        assert len(straight_reach(home, hall, far, detour=detour).place) == 1
        assert straight_nearest(home, hall, detour=detour, limit_m=short).place.tolist() == [[-1]]


def test_a_detour_brings_the_limit_nearer() -> None:
    origins, places = some(100, 1), some(3_000, 2)
    longer = straight_count(origins, places, [1300], detour=1.3)
    assert longer.tolist() == straight_count(origins, places, [1000]).tolist()
    straight, round_about = (straight_nearest(origins, places, 2, detour=d) for d in (1.0, 1.3))
    assert round_about.place.tolist() == straight.place.tolist()
    np.testing.assert_allclose(round_about.distance_m, straight.distance_m * 1.3)


@given(lists, lists, anywhere, st.integers(1, 5))
@settings(max_examples=100)
def test_another_place_never_makes_the_nearest_farther(
    at: list[tuple[float, float]],
    where: list[tuple[float, float]],
    another: tuple[float, float],
    k: int,
) -> None:
    origins = points(*at)
    before, after = (straight_nearest(origins, points(*p), k) for p in (where, [*where, another]))
    # Missing is beyond all: another place may fill it, and none may come to lack.
    assert (
        np.nan_to_num(after.distance_m, nan=np.inf) <= np.nan_to_num(before.distance_m, nan=np.inf)
    ).all()


def test_another_place_takes_nothing_away_and_order_does_not_matter() -> None:
    origins, places = some(80, 1), some(1_000, 2)
    fewer = Points(places.longitude[:-100], places.latitude[:-100])
    assert (
        straight_nearest(origins, places).distance_m <= straight_nearest(origins, fewer).distance_m
    ).all()
    more, less = (straight_count(origins, p, [500, 1600, 5000]) for p in (places, fewer))
    assert (more >= less).all()
    assert (np.diff(more, axis=1) >= 0).all()
    mixed, shuffled = (
        np.random.default_rng(3).permutation(80),
        np.random.default_rng(4).permutation(1_000),
    )
    turned = straight_nearest(
        Points(origins.longitude[mixed], origins.latitude[mixed]),
        Points(places.longitude[shuffled], places.latitude[shuffled]),
        5,
    )
    plain = straight_nearest(origins, places, 5)
    assert shuffled[turned.place].tolist() == plain.place[mixed].tolist()
    assert turned.distance_m.tolist() == plain.distance_m[mixed].tolist()


def test_nobody_anywhere_is_no_error() -> None:
    nobody, hall = points(), points((0.0, 51.5))
    assert straight_nearest(nobody, hall, 2).place.shape == (0, 2)
    assert straight_reach(nobody, hall, 100).n_origins == 0
    assert straight_count(nobody, hall, [100]).shape == (0, 1)


def test_two_hundred_thousand_places_at_one_spot_are_places_too() -> None:
    crowd = Points(np.zeros(200_000), np.full(200_000, 51.5))
    assert straight_nearest(points((0.0, 51.5)), crowd, 2).distance_m.tolist() == [[0, 0]]
    assert straight_reach(points((0.0, 51.5)), crowd, 1).place[-1] == 199_999


HERE = points((0.0, 51.5))
Search = Callable[..., Nearest | Reach | NDArray[np.int64]]


@pytest.mark.parametrize(
    ("search", "places", "numbers", "said"),
    [
        (straight_nearest, HERE, {"k": 0}, "k = 0; expected 1 or more"),
        (straight_nearest, HERE, {"limit_m": 0.0}, "limit 0 m; expected more than 0"),
        (straight_nearest, HERE, {"detour": 0.9}, "detour 0.9; expected 1 or more"),
        (straight_nearest, points(), {}, "no places; expected at least one"),
        (straight_reach, HERE, {"limit_m": math.inf}, "limit inf m; expected a finite one"),
        (straight_reach, HERE, {"limit_m": math.nan}, "limit nan m; expected more than 0"),
        (straight_reach, HERE, {"limit_m": 100.0, "detour": math.nan}, "detour nan"),
        (straight_reach, points(), {"limit_m": 100.0}, "no places"),
        (straight_count, HERE, {"limits_m": [100, -1]}, "limit -1 m; expected more than 0"),
        (straight_count, HERE, {"limits_m": [100], "detour": math.inf}, "detour inf"),
        (straight_count, points(), {"limits_m": [100]}, "no places"),
    ],
)
def test_what_makes_no_sense_is_refused(
    search: Search, places: Points, numbers: dict[str, Any], said: str
) -> None:
    with pytest.raises(DataError, match=said):
        search(HERE, places, **numbers)


def test_a_limit_around_the_world_reaches_everything() -> None:
    ends = points((0.0, 0.0), (180.0, 0.0), (0.0, 90.0))
    assert straight_count(ends, ends, [math.inf, 1.1 * HALF_ROUND_M]).tolist() == [[3, 3]] * 3
    assert len(straight_reach(ends, ends, 1.1 * HALF_ROUND_M).place) == 9
