"""A street that winds, with a hall on it, a hall off the map, and homes on and off it."""

from __future__ import annotations

import numpy as np
import pytest

from commonweal.access import Points, straight_nearest, straight_reach
from commonweal.access.distance import great_circle_m
from commonweal.access.mixed import mixed_nearest, mixed_reach
from commonweal.access.streets import Streets

# A hairpin: up one side, along, and down the other; its two feet are close as the crow flies.
LONGITUDE = np.array([0.0, 0.0, 0.002, 0.002])
LATITUDE = np.array([52.0, 52.01, 52.01, 52.0])
HOMES = Points(np.array([0.0, 0.3]), np.array([52.0, 52.0]))  # the first on the map
HALLS = Points(np.array([0.002, -0.01, 0.3]), np.array([52.0, 52.0, 52.001]))  # the first on it


def street() -> Streets:
    tail, head = np.array([0, 1, 2]), np.array([1, 2, 3])
    length_m = great_circle_m(LONGITUDE[tail], LATITUDE[tail], LONGITUDE[head], LATITUDE[head])
    return Streets.from_edges(Points(LONGITUDE, LATITUDE), tail, head, length_m)


def test_homes_on_the_map_walk_and_the_others_fly() -> None:
    near = mixed_nearest(HOMES, HALLS, 2, streets=[street()], detour=1.3, snap_m=50)
    walk = sum(
        great_circle_m(LONGITUDE[i], LATITUDE[i], LONGITUDE[i + 1], LATITUDE[i + 1])
        for i in range(3)
    )
    west = 1.3 * great_circle_m(0.0, 52.0, -0.01, 52.0)
    # Round the hairpin it is farther to the hall next door than to the one off the map.
    assert near.place[0].tolist() == [1, 0]
    np.testing.assert_allclose(near.distance_m[0], [west, walk], atol=0.05)
    assert near.place[1, 0] == 2
    assert near.distance_m[1, 0] == pytest.approx(1.3 * great_circle_m(0.3, 52.0, 0.3, 52.001))
    assert near.how == "along streets for 1 of 2 points, straight line x 1.3 for the others"


def test_within_a_limit_it_finds_the_same() -> None:
    near = mixed_nearest(HOMES, HALLS, 3, streets=[street()], detour=1.3, snap_m=50)
    reach = mixed_reach(HOMES, HALLS, 2_000, streets=[street()], detour=1.3, snap_m=50)
    within = near.distance_m <= 2_000
    assert np.diff(reach.starts).tolist() == within.sum(axis=1).tolist() == [1, 1]
    assert reach.place.tolist() == near.place[within].tolist()
    np.testing.assert_allclose(reach.distance_m, near.distance_m[within])


def test_without_a_map_everyone_flies() -> None:
    near = mixed_nearest(HOMES, HALLS, 2, detour=1.3)
    plain = straight_nearest(HOMES, HALLS, 2, detour=1.3)
    np.testing.assert_array_equal(near.place, plain.place)
    reach, flat = mixed_reach(HOMES, HALLS, 900), straight_reach(HOMES, HALLS, 900)
    np.testing.assert_array_equal(reach.place, flat.place)
    assert reach.how == flat.how


def test_a_map_that_nobody_lives_on_changes_nothing() -> None:
    far = Points(HOMES.longitude + 5, HOMES.latitude)
    near = mixed_nearest(far, HALLS, 1, streets=[street()], detour=1.3)
    np.testing.assert_array_equal(near.place, straight_nearest(far, HALLS, 1, detour=1.3).place)
    assert near.how == "along streets for 0 of 2 points, straight line x 1.3 for the others"


def test_a_place_on_the_map_that_no_street_leads_to_is_not_reached() -> None:
    two = Streets.from_edges(
        Points(np.append(LONGITUDE, [0.0035, 0.004]), np.append(LATITUDE, [52.0, 52.0])),
        np.array([0, 1, 4]),
        np.array([1, 2, 5]),
        np.array([1112.0, 137.0, 35.0]),
    )
    island = Points(np.array([0.004]), np.array([52.0]))
    near = mixed_nearest(_first(HOMES), island, 1, streets=[two], detour=1.3, snap_m=30)
    assert near.place.tolist() == [[-1]]
    assert np.isnan(near.distance_m).all()
    assert len(mixed_reach(_first(HOMES), island, 5_000, streets=[two], snap_m=30).place) == 0


def _first(points: Points) -> Points:
    return Points(points.longitude[:1], points.latitude[:1])
