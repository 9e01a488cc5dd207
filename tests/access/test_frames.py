"""Points from GeoDataFrames, tables and lists, in their own reference system; swapped axes are refused."""

from __future__ import annotations

from typing import Any

import geopandas
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from commonweal.access import Points, nearest, points_of, straight_nearest, straight_reach
from commonweal.access.distance import straight_count
from commonweal.access.mixed import mixed_nearest
from commonweal.errors import CommonwealError

LONGITUDE, LATITUDE = [-1.20, -1.25], [54.70, 54.65]
HALLS = {"hall": ["Far", "Near"], "longitude": [-1.0, -1.21], "latitude": [54.70, 54.70]}


def shapes(crs: int | None = 27700, index: list[str] | None = None) -> geopandas.GeoDataFrame:
    points = geopandas.points_from_xy(LONGITUDE, LATITUDE)
    frame = geopandas.GeoDataFrame({"home": ["A", "B"]}, geometry=points, crs=4326, index=index)
    return frame.set_crs(None, allow_override=True) if crs is None else frame.to_crs(crs)


TABLE = {"home": ["A", "B"], "longitude": LONGITUDE, "latitude": LATITUDE}


@pytest.mark.parametrize(
    "given",
    [
        Points(np.array(LONGITUDE), np.array(LATITUDE)),
        (LONGITUDE, LATITUDE),
        (pl.Series(LONGITUDE), pl.Series(LATITUDE)),
        (pd.Series(LONGITUDE), pd.Series(LATITUDE)),
        pl.DataFrame(TABLE),
        pd.DataFrame(TABLE),
        pa.table(TABLE),
        shapes(),
        shapes(4326),
        shapes(3857).geometry,
    ],
    ids=lambda g: f"{type(g).__module__.split('.')[0]}-{type(g).__name__}",
)
def test_points_of_anything_that_holds_them(given: Any) -> None:
    found = points_of(given)
    np.testing.assert_allclose(found.longitude, LONGITUDE, atol=1e-6)
    np.testing.assert_allclose(found.latitude, LATITUDE, atol=1e-6)
    halls = pl.DataFrame(HALLS)
    near = straight_nearest(given, halls)
    assert near.place[:, 0].tolist() == [1, 1]
    assert straight_reach(given, halls, 1000).place.tolist() == [1]
    assert straight_count(given, halls, [1000]).tolist() == [[1], [0]]
    assert mixed_nearest(given, halls, streets=()).place.tolist() == near.place.tolist()


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (shapes(None), "homes: these shapes have no reference system; say which with set_crs"),
        (shapes().buffer(1), "homes: row 1 is Polygon; expected points"),
        (pl.DataFrame({"lon": [1.0]}), "column 'longitude' not found in the table of homes"),
        ([1, 2, 3], "homes: list found; expected Points, a GeoDataFrame, a table"),
        ((["a"], ["b"]), "longitude: list found; expected numbers"),
        (([486653.0], [300000.0]), "longitude 486653; expected degrees .*national grid.*crs"),
        (
            ([51.5], [100.0]),
            r"latitude 100; expected degrees from -90 to 90 \(longitude comes first",
        ),
    ],
)
def test_what_holds_no_points_is_refused_in_words(given: Any, said: str) -> None:
    with pytest.raises(CommonwealError, match=said):
        points_of(given, "homes")


@pytest.mark.parametrize("search", [straight_nearest, nearest])
def test_swapped_axes_are_told(search: Any) -> None:
    with pytest.raises(CommonwealError, match="longitude and latitude are swapped in one of them"):
        search((LATITUDE, LONGITUDE), pl.DataFrame(HALLS))
    with pytest.raises(CommonwealError, match="swapped"):
        search((LONGITUDE, LATITUDE), (HALLS["latitude"], HALLS["longitude"]))


def test_far_apart_is_not_swapped() -> None:
    assert straight_nearest((LONGITUDE, LATITUDE), ([151.2], [-33.9])).distance_m.min() > 1e7


def test_the_nearest_keeps_the_homes_as_they_are() -> None:
    homes = shapes(27700, index=["x", "y"])
    halls = pd.DataFrame(HALLS, index=[7, 8])
    found = nearest(homes, halls)
    assert isinstance(found, geopandas.GeoDataFrame)
    assert found.crs.to_epsg() == 27700
    assert found.index.tolist() == ["x", "y"]
    assert found["nearest"].tolist() == [8, 8]
    assert found["metres"].iloc[0] == pytest.approx(643, abs=2)
    assert "nearest" not in homes.columns
    named = nearest(homes, halls, label="hall", limit_m=1000)
    assert named["nearest"].iloc[0] == "Near"
    assert named["nearest"].isna().tolist() == [False, True]
    with pytest.raises(CommonwealError, match="did you mean 'hall'"):
        nearest(homes, halls, label="halls")


@pytest.mark.parametrize("library", [pl.DataFrame, pd.DataFrame, pa.table])
def test_a_table_gives_one_of_its_library(library: Any) -> None:
    found = nearest(library(TABLE), library(HALLS), 2, label="hall")
    assert type(found) is type(library(TABLE))
    frame = pl.DataFrame(found) if not isinstance(found, pl.DataFrame) else found
    assert frame["home"].to_list() == ["A", "B"]
    assert frame["nearest_1"].to_list() == ["Near", "Near"]
    assert frame["nearest_2"].to_list() == ["Far", "Far"]
    assert (frame["metres_2"] > frame["metres_1"]).all()


def test_points_give_a_polars_frame() -> None:
    found = nearest((LONGITUDE, LATITUDE), (HALLS["longitude"], HALLS["latitude"]))
    assert found["nearest"].to_list() == [1, 1]
