"""Where people set out from: by hand, on two square areas and the postcodes in them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import polars as pl
import pytest
import shapely

from commonweal.access.postcodes import Postcodes, grid_to_degrees
from commonweal.areas import Areas
from commonweal.errors import DataError
from commonweal.study.reach import area_points, postcodes_inside, postcodes_kept


def areas(**columns: list[float | None]) -> Areas:
    nothing: list[float | None] = [None, None]
    known = {"population": nothing, "longitude": nothing, "latitude": nothing} | columns
    table = pl.DataFrame(
        {"code": ["a", "b"], "name": ["A", "B"], **known},
        schema_overrides=dict.fromkeys(known, pl.Float64),
    )
    return Areas("toy", "toy", "area", "areas", table)


def corner(east: float, north: float) -> tuple[float, float]:
    x, y = grid_to_degrees(np.array([east]), np.array([north]))
    return float(x[0]), float(y[0])


def square(east: float) -> bytes:
    """A kilometre of the grid, its corners in degrees."""
    at = [(0, 0), (1000, 0), (1000, 1000), (0, 1000)]
    return bytes(shapely.to_wkb(shapely.Polygon([corner(east + x, 300_000 + y) for x, y in at])))


SHAPES = pl.DataFrame({"code": ["a", "b"], "geometry": [square(480_000), square(481_000)]})
DIRECTORY = Postcodes(
    "a directory",
    pl.DataFrame(
        {
            "postcode": ["LE151AA", "LE151AB", "LE151AC", "LE151AD", "LE151AE", "LE151AF"],
            "easting": [480_100, 480_900, 481_500, 481_600, 490_000, None],
            "northing": [300_500, 300_500, 300_500, 300_500, 300_500, None],
            "ended": [None, False, False, True, False, False],
        }
    ),
)


def test_points_of_areas_that_have_one() -> None:
    here = areas(longitude=[None, 0.5], latitude=[None, 52.0], population=[10.0, 20.0])
    origins = area_points(here)
    np.testing.assert_array_equal(origins.at_areas(np.array([7.0])), [np.nan, 7])
    np.testing.assert_array_equal(origins.people(), [20])
    assert origins.account() == {"from": "points of toy", "points": 1, "areas without a point": 1}
    with pytest.raises(DataError, match="none of the 2 areas of toy has a point"):
        area_points(areas())


def test_postcodes_lie_in_their_area_and_those_that_ended_are_left_out() -> None:
    origins = postcodes_inside(areas(population=[30.0, 20.0]), SHAPES, DIRECTORY)
    assert origins.rows.tolist() == [0, 0, 1]
    np.testing.assert_allclose(origins.points.longitude[0], corner(480_100, 300_500)[0])
    np.testing.assert_array_equal(origins.people(), [15, 15, 20])
    assert origins.account() == {"from": "postcodes of toy", "points": 3}


def test_a_postcode_on_a_border_goes_to_the_first_area() -> None:
    """Forty bands in no order, and a postcode on each border between two."""
    n = 40
    at = [corner(480_000 + 100 * k, 300_000) for k in range(1, n)]
    west, east = corner(470_000, 300_000)[0], corner(490_000, 300_000)[0]
    edges = [west, *(lon for lon, _ in at), east]
    shuffled = np.random.default_rng(1).permutation(n)
    boxes = [shapely.box(edges[k], 52.0, edges[k + 1], 53.0) for k in shuffled]
    codes = [f"s{k}" for k in range(n)]
    table = pl.DataFrame({"code": codes, "name": codes, "population": [1.0] * n})
    here = Areas("toy", "toy", "area", "areas", table)
    directory = Postcodes(
        "a directory",
        pl.DataFrame(
            {
                "postcode": [f"LE15{k}AA" for k in range(1, n)],
                "easting": [480_000 + 100 * k for k in range(1, n)],
                "northing": [300_000] * (n - 1),
                "ended": [False] * (n - 1),
            }
        ),
    )
    shapes = pl.DataFrame({"code": codes, "geometry": shapely.to_wkb(boxes).tolist()})
    row_of = np.argsort(shuffled)
    expected = [min(row_of[k - 1], row_of[k]) for k in range(1, n)]
    assert postcodes_inside(here, shapes, directory).rows.tolist() == expected


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([100.0, 300.0, 50.0], [200, 50]),
        ([100.0, np.nan, np.nan], [100, np.nan]),  # half of the postcodes are enough, none are not
        ([0.0, 0.0, 0.0], [0, 0]),
    ],
)
def test_an_area_gets_the_mean_of_its_postcodes(values: list[float], expected: list[float]) -> None:
    origins = postcodes_inside(areas(), SHAPES, DIRECTORY)
    np.testing.assert_array_equal(origins.at_areas(np.array(values)), expected)


def test_fewer_than_half_of_the_postcodes_do_not_speak_for_an_area() -> None:
    origins = replace(
        postcodes_inside(areas(), SHAPES, DIRECTORY), rows=np.array([0, 0, 0], dtype=np.intp)
    )
    np.testing.assert_array_equal(origins.at_areas(np.array([np.nan, np.nan, 1])), [np.nan] * 2)


def test_postcodes_need_boundaries_and_areas_that_hold_some() -> None:
    bare = SHAPES.with_columns(geometry=pl.lit(None, pl.Binary))
    with pytest.raises(DataError, match="none of the 2 areas of toy has a boundary"):
        postcodes_inside(areas(), bare, DIRECTORY)
    elsewhere = replace(DIRECTORY, table=DIRECTORY.table.filter(pl.col("postcode") == "LE151AE"))
    with pytest.raises(
        DataError, match="no postcode of a directory lies in one of the areas of toy"
    ):
        postcodes_inside(areas(), SHAPES, elsewhere)


def test_an_area_keeps_the_share_of_its_postcodes_that_lie_in_other_districts() -> None:
    """B1 was lost, and neither B11 nor B1A: the pattern is of the whole district."""
    codes = ["B11AA", "B111AB", "B1A1AC", "B11AD", "B11AE", "B11AF"]
    directory = Postcodes("a directory", DIRECTORY.table.with_columns(postcode=pl.Series(codes)))
    kept = postcodes_kept(areas(), SHAPES, directory, "[A-Z][0-9]")
    np.testing.assert_array_equal(kept, [0.5, 1])
    away = replace(directory, table=directory.table.head(2))
    np.testing.assert_array_equal(
        postcodes_kept(areas(), SHAPES, away, "[A-Z][0-9]"), [0.5, np.nan]
    )
