import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from commonweal.access import (
    Decay,
    Exponential,
    Gaussian,
    GaussianWithin,
    Nearest,
    Power,
    Reach,
    Steps,
    any_within,
    count_within,
    decayed_count,
    effective_kinds,
    kth_nearest_m,
    nearest_m,
    variety,
    within_minutes,
)
from commonweal.access.measures import AreaMeans, by_area, kind_counts, where_placed
from commonweal.errors import DataError

KINDS = ["pub", "pub", "hall", "library"]
# Origin 0 has two pubs and a hall, origin 1 the library, origin 2 nothing.
TOWN = Reach(
    n_origins=3,
    n_places=4,
    starts=np.array([0, 3, 4, 4]),
    place=np.array([1, 2, 0, 3], np.int32),
    distance_m=np.array([0.0, 800.0, 1200.0, 1600.0]),
    limit_m=1600.0,
    how="straight line",
)
NEAR = Nearest(
    place=np.array([[1, 2], [3, -1], [-1, -1]], np.int32),
    distance_m=np.array([[0.0, 800.0], [1600.0, np.nan], [np.nan, np.nan]]),
    how="straight line",
)


def test_distances_are_missing_where_there_is_nothing() -> None:
    np.testing.assert_array_equal(nearest_m(NEAR), [0, 1600, np.nan])
    np.testing.assert_array_equal(kth_nearest_m(NEAR, 2), [800, np.nan, np.nan])
    nearest_m(NEAR)[:] = 0
    assert np.isnan(NEAR.distance_m[2, 0])  # it is a copy


def test_counts_are_0_where_there_is_nothing() -> None:
    assert count_within(TOWN, within_minutes(10)).tolist() == [2, 0, 0]
    assert count_within(TOWN, within_minutes(20)).tolist() == [3, 1, 0]
    assert any_within(TOWN, 800).tolist() == [1, 0, 0]
    assert within_minutes(10, speed_m_per_min=50) == 500


def test_a_decayed_count_by_hand() -> None:
    half = Exponential.half_at(800)
    np.testing.assert_allclose(decayed_count(TOWN, half), [1 + 0.5 + 2**-1.5, 0.25, 0])
    np.testing.assert_allclose(decayed_count(TOWN, half, [0, 10, 20, 40]), [20, 10, 0])
    everything = Steps((1600,), (1,))
    assert decayed_count(TOWN, everything).tolist() == count_within(TOWN, 1600).tolist()


halves = st.floats(101, 1e5)


@given(halves, halves, st.sampled_from(["exponential", "gaussian", "power", "ends"]))
def test_a_decayed_count_never_falls_as_places_count_half_from_farther_off(
    one: float, other: float, law: str
) -> None:
    half_at: Callable[[float], Decay] = {
        "exponential": Exponential.half_at,
        "gaussian": Gaussian.half_at,
        "power": lambda half: Power.half_at(half, floor_m=100),
        "ends": GaussianWithin.half_at,
    }[law]
    nearer, farther = (decayed_count(TOWN, half_at(half)) for half in sorted((one, other)))
    assert (nearer <= farther * (1 + 1e-12)).all()
    assert (farther <= count_within(TOWN, TOWN.limit_m)).all()


def test_kinds_by_hand() -> None:
    names, counts = kind_counts(TOWN, KINDS, 1200)
    assert names == ["hall", "library", "pub"]
    assert counts.tolist() == [[1, 0, 2], [0, 0, 0], [0, 0, 0]]
    assert variety(TOWN, KINDS, 1600).tolist() == [2, 1, 0]
    two_to_one = 3 / 2 ** (2 / 3)
    np.testing.assert_allclose(effective_kinds(TOWN, KINDS, 1600), [two_to_one, 1, 0])
    np.testing.assert_allclose(effective_kinds(TOWN, ["a", "b", "c", "d"], 1600), [3, 1, 0])


def test_nothing_within_reach_of_anyone_is_0_for_all() -> None:
    nowhere = Reach(
        2, 4, np.zeros(3, np.int64), np.empty(0, np.int32), np.empty(0), 800.0, "straight line"
    )
    half = Exponential(100)
    for found in (
        count_within(nowhere, 800),
        decayed_count(nowhere, half),
        decayed_count(nowhere, half, [1, 1, 1, 1]),
        variety(nowhere, KINDS, 800),
        effective_kinds(nowhere, KINDS, 800),
    ):
        assert found.dtype == np.float64
        assert found.tolist() == [0, 0]


def test_an_origin_without_a_position_is_unknown() -> None:
    counts = where_placed(count_within(TOWN, 1600), [True, True, False])
    np.testing.assert_array_equal(counts, [3, 1, np.nan])


def test_areas_by_hand() -> None:
    values, area, people = (
        [300.0, 600.0, np.nan, 50.0, np.nan],
        [0, 0, 0, -1, 1],
        [10, 20, 10, 99, 5],
    )
    found = by_area(values, area, 3, people)
    np.testing.assert_array_equal(found.mean, [500, np.nan, np.nan])
    np.testing.assert_array_equal(found.missing_share, [0.25, 1, np.nan])
    alike = by_area(values, area, 3)
    np.testing.assert_allclose(alike.mean, [450, np.nan, np.nan])
    np.testing.assert_allclose(alike.missing_share, [1 / 3, 1, np.nan])


def test_points_where_nobody_lives_tell_nothing_of_their_area() -> None:
    found = by_area([300.0, 900.0, 500.0], [0, 0, 1], 2, [0, 10, 0])
    np.testing.assert_array_equal(found.mean, [900, np.nan])
    np.testing.assert_array_equal(found.missing_share, [0, np.nan])


points = st.lists(
    st.tuples(
        # What underflows when it is weighted is nothing that anybody measures.
        st.floats(-1e6, 1e6).map(lambda v: v if abs(v) > 1e-290 else 0.0) | st.just(math.nan),
        st.integers(-1, 4),
        st.sampled_from([0.0, 0.1, 1.0, 250.0]),
    ),
    max_size=30,
)


@given(points)
def test_an_area_lies_between_its_points(given_points: list[tuple[float, int, float]]) -> None:
    value, area, weight = np.array(given_points, np.float64).reshape(-1, 3).T
    of = area.astype(np.int64)
    found = by_area(value, of, 5, weight)
    for a in range(5):
        mine = (of == a) & (weight > 0)
        known = mine & ~np.isnan(value)
        if not mine.any():
            assert np.isnan(found.missing_share[a])
            assert np.isnan(found.mean[a])
            continue
        lacking = weight[mine & ~known].sum() / weight[mine].sum()
        assert found.missing_share[a] == pytest.approx(lacking)
        assert np.isnan(found.mean[a]) == (not known.any())
        if known.any():
            hair = 1e-9 * np.abs(value[known]).max()
            assert value[known].min() - hair <= found.mean[a] <= value[known].max() + hair


Call = Callable[[], Any]


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: within_minutes(0), "0 minutes; expected a number above 0"),
        (lambda: within_minutes(10, math.nan), "nan metres a minute"),
        (lambda: kth_nearest_m(NEAR, 3), "nearest place 3 wanted; expected 1 to 2"),
        (lambda: kth_nearest_m(NEAR, 0), "nearest place 0 wanted"),
        (lambda: count_within(TOWN, 1601), "within 1601 m wanted of what is within 1600 m"),
        (lambda: any_within(TOWN, -1), "within -1 m wanted"),
        (lambda: variety(TOWN, KINDS, math.nan), "within nan m wanted"),
        (lambda: variety(TOWN, KINDS[:3], 800), "3 kinds; expected 4, one for each place"),
        (lambda: variety(TOWN, [*KINDS[:3], ""], 800), "place 4 has kind ''; expected a name"),
        (lambda: decayed_count(TOWN, Exponential(1), [1, 1, 1, -2]), "place 4 has supply -2"),
        (lambda: where_placed(np.ones(3), [1, 0, 1]), "expected true or false for each of 3"),
        (lambda: where_placed(np.ones(3), [True]), r"placed: bool of shape \(1,\)"),
        (lambda: by_area([1.0, 2.0], [0, 2], 2), "point 2 has area 2; expected a row from 0 to 1"),
        (lambda: by_area([1.0, 2.0], [0, -2], 2), "point 2 has area -2"),
        (lambda: by_area([math.inf], [0], 1), "point 1 has value inf"),
        (lambda: by_area([1.0], [0], 1, [-1]), "point 1 has weight -1"),
        (lambda: by_area([1.0], [0.0], 1), "the row of an area for each point"),
        (lambda: by_area([1.0], [0, 1], 2), r"areas of shape \(2,\)"),
    ],
)
def test_what_makes_no_sense_is_refused(call: Call, said: str) -> None:
    with pytest.raises(DataError, match=said):
        call()


def test_area_means_of_no_points() -> None:
    none: AreaMeans = by_area([], np.empty(0, np.int64), 2)
    np.testing.assert_array_equal(none.mean, [np.nan, np.nan])
