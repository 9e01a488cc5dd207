import numpy as np
import pytest
from pyproj import Geod

from commonweal.access import Nearest, Points, Reach
from commonweal.access.distance import great_circle_m
from commonweal.errors import DataError


def test_great_circles_are_within_half_a_percent_of_the_ellipsoid_over_england() -> None:
    rng = np.random.default_rng(1)
    a, b = rng.uniform([-6, 50], [2, 56], (500, 2)), rng.uniform([-6, 50], [2, 56], (500, 2))
    exact = np.array(
        Geod(ellps="WGS84").inv(a[:, 0], a[:, 1], b[:, 0], b[:, 1])[2], dtype=np.float64
    )
    np.testing.assert_allclose(great_circle_m(*a.T, *b.T), exact, rtol=0.005)


def test_the_sphere_gives_the_chord_of_the_great_circle() -> None:
    points = Points(np.array([0.0, 0.01]), np.array([51.5, 51.51]))
    first, second = points.on_sphere()
    way = float(great_circle_m(0.0, 51.5, 0.01, 51.51))
    assert np.linalg.norm(first - second) == pytest.approx(way, rel=1e-7)


@pytest.mark.parametrize(
    ("longitude", "latitude", "said"),
    [
        ([0.0, np.nan], [51.0, 51.0], "point 2 has longitude nan"),
        ([0.0, 1.0], [51.0, np.inf], "point 2 has latitude inf"),
        ([400_000.0], [300_000.0], "point 1 has longitude 400000; expected degrees"),
        ([0.0], [51.0, 52.0], "expected two lists of the same length"),
    ],
)
def test_what_is_no_point_is_named(
    longitude: list[float], latitude: list[float], said: str
) -> None:
    with pytest.raises(DataError, match=said):
        Points(np.array(longitude), np.array(latitude))


def reach(**changed: object) -> Reach:
    parts: dict[str, object] = {
        "n_origins": 2,
        "n_places": 3,
        "starts": np.array([0, 2, 3]),
        "place": np.array([2, 0, 1], np.int32),
        "distance_m": np.array([10.0, 20.0, 5.0]),
        "limit_m": 800.0,
        "how": "straight line",
    }
    return Reach(**{**parts, **changed})  # type: ignore[arg-type]


def test_a_reach_tells_whose_each_pair_is() -> None:
    assert reach().origin().tolist() == [0, 0, 1]
    assert (
        Nearest(np.array([[-1]], np.int32), np.array([[np.nan]]), "straight line").place[0, 0] < 0
    )


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"limit_m": 0.0}, "limit 0 m"),
        ({"starts": np.array([0, 2, 2])}, "do not divide 3 pairs"),
        ({"place": np.array([3, 0, 1], np.int32)}, "one of the 3"),
        ({"distance_m": np.array([10.0, np.nan, 5.0])}, "missing, below 0 or beyond"),
        ({"distance_m": np.array([10.0, 900.0, 5.0])}, "beyond 800 m"),
        ({"distance_m": np.array([20.0, 10.0, 5.0])}, "do not ascend"),
    ],
)
def test_a_reach_that_does_not_fit_together_is_refused(
    changed: dict[str, object], said: str
) -> None:
    with pytest.raises(DataError, match=said):
        reach(**changed)
