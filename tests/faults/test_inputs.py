"""Hostile and damaged input: each is a plain error that names file and place, or the right result.

`check` and `run` have to say the same, in one to three lines, with exit code 2.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import polars as pl
import pyproj
import pytest
import shapely

if TYPE_CHECKING:
    from collections.abc import Callable

    Change = Callable[[Any], object]

LON, LAT = 12.5, 41.9


def refused(small: Any, tell: Any, *expected: str) -> None:
    """Both commands refuse the study in the same plain words."""
    said = [tell("check", small.study), tell("run", small.study, "--draws", "0")]
    for code, _, complaint in said:
        assert code == 2, complaint
        assert 1 <= len(complaint.splitlines()) <= 3, complaint
        assert len(complaint) < 2000
        for words in expected:
            assert words in complaint
    assert said[0][2] == said[1][2]


# Places that cannot be ----------------------------------------------------------------------


def outlines(small: Any, change: Any = None, crs: Any = None, **properties: Any) -> None:
    """Write a square an area, 0.01 degrees wide, in WGS 84 or in another system that is declared."""
    features = []
    for number in range(1, 21):
        x, y = LON + number / 100, LAT
        ring = [[x, y], [x + 0.01, y], [x + 0.01, y + 0.01], [x, y + 0.01], [x, y]]
        if crs:
            move = pyproj.Transformer.from_crs(4326, crs, always_xy=True).transform
            ring = [list(move(*point)) for point in ring]
        shape = {"type": "Polygon", "coordinates": [ring]}
        own = {"code": f"A{number:02d}", **{k: v[number - 1] for k, v in properties.items()}}
        features.append({"type": "Feature", "properties": own, "geometry": shape})
    content = {"type": "FeatureCollection", "features": features}
    if crs:
        content["crs"] = {"type": "name", "properties": {"name": crs}}
    if change:
        change(content)
    (small.path / "shapes.geojson").write_text(json.dumps(content), "utf-8")
    small.write(areas__boundaries={"file": "shapes.geojson"})


@pytest.mark.parametrize("crs", ["EPSG:32633", "urn:ogc:def:crs:EPSG::32633", "EPSG:3857"])
def test_outlines_in_another_system_are_brought_to_degrees(small: Any, crs: str) -> None:
    outlines(small)
    plain = shapely.from_wkb(small.run(draws=0).boundaries["geometry"].to_list())
    outlines(small, crs=crs)
    moved = shapely.from_wkb(small.run(draws=0).boundaries["geometry"].to_list())
    assert all(a.equals_exact(b, 1e-7) for a, b in zip(plain, moved, strict=True))
    assert shapely.total_bounds(moved)[:2] == pytest.approx([LON + 0.01, LAT])


def test_geoparquet_in_another_system_is_brought_to_degrees(small: Any, tell: Any) -> None:
    crs = pyproj.CRS("EPSG:32633")
    move = pyproj.Transformer.from_crs(4326, crs, always_xy=True).transform
    points = [move(LON + n / 100, LAT) for n in range(1, 21)]
    table = pl.DataFrame(
        {
            "code": [f"A{n:02d}" for n in range(1, 21)],
            "geometry": shapely.to_wkb([shapely.Point(p).buffer(100) for p in points]).tolist(),
        }
    )
    about = {"columns": {"geometry": {"encoding": "WKB", "crs": crs.to_json_dict()}}}
    file = small.path / "shapes.parquet"
    table.write_parquet(file, metadata={"geo": json.dumps(about)})
    small.write(areas__boundaries={"file": "shapes.parquet"})
    moved = shapely.from_wkb(small.run(draws=0).boundaries["geometry"].to_list())
    assert moved[0].centroid.coords[0] == pytest.approx((LON + 0.01, LAT))
    table.write_parquet(file)
    refused(small, tell, "shapes.parquet", "-180 to 180 and -90 to 90")
    table.with_columns(geometry=pl.lit(b"no WKB")).write_parquet(file)
    refused(small, tell, "shapes.parquet", "well-known binary")


@pytest.mark.parametrize(
    ("crs", "words"),
    [
        ({"type": "name", "properties": {"name": "EPSG:99999"}}, "EPSG:99999"),
        ({"type": "name", "properties": {"name": "x" * 5000}}, "not understood"),
        ({"type": "link", "properties": {"href": "http://x"}}, "not understood"),
        ("EPSG:4326", "not understood"),
        ([], "not understood"),
        ({"type": "EPSG", "properties": {"code": "abc"}}, "EPSG:abc"),
    ],
)
def test_a_system_that_is_not_understood(small: Any, tell: Any, crs: Any, words: str) -> None:
    outlines(small, lambda content: content.update(crs=crs))
    refused(small, tell, "shapes.geojson", words)


@pytest.mark.parametrize(
    "wrong", [1e300, -1e300, 627306.0, 180.5, 1e309, float("nan"), None, "12", [], 10**400]
)
def test_an_outline_that_is_not_on_earth(small: Any, tell: Any, wrong: Any) -> None:
    def change(content: Any) -> None:
        content["features"][2]["geometry"]["coordinates"][0][1][0] = wrong

    outlines(small, change)
    refused(small, tell, "shapes.geojson")


@pytest.mark.parametrize(
    ("lon", "lat", "found"),
    [
        ("12.5", "999", "longitude 12.5, latitude 999"),
        ("12.5", "-90.1", "latitude -90.1"),
        ("180.5", "41", "longitude 180.5"),
        ("12.5", "inf", "latitude inf"),
        ("-inf", "41", "longitude -inf"),
        ("12.5", "", "latitude nothing"),
        ("", "41", "longitude nothing"),
        ("627306", "3636468", "longitude 627306"),
    ],
)
def test_a_point_that_is_not_on_earth(
    small: Any, tell: Any, lon: str, lat: str, found: str
) -> None:
    rows = small.areas.read_text("utf-8").splitlines()
    ends = ["lon,lat", *[f"{LON},{LAT}"] * 20]
    ends[3] = f"{lon},{lat}"
    small.areas.write_text(
        "\n".join(f"{row},{end}" for row, end in zip(rows, ends, strict=True)), "utf-8"
    )
    small.write(areas__longitude="lon", areas__latitude="lat")
    refused(small, tell, "area A03", found, "areas.csv", "-180 to 180 and -90 to 90")


def test_an_empty_column_of_latitudes(small: Any, tell: Any) -> None:
    table = pl.read_csv(small.areas).with_columns(lon=pl.lit(LON), lat=pl.lit(None, pl.String))
    table.write_csv(small.areas)
    small.write(areas__longitude="lon", areas__latitude="lat")
    refused(small, tell, "area A01", "latitude nothing", "(20 such areas)")
