"""From a postcode to an area: inside, near an edge, outside, and where there is no outline."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

import polars as pl
import pyproj
import pytest
import shapely

from commonweal.access.postcodes import Postcodes
from commonweal.study.names import is_postcode
from commonweal.study.postcodes import PostcodeLookup
from commonweal.web import Explorer, create_app
from commonweal.web.explorer import postcode_lookup

if TYPE_CHECKING:
    from pathlib import Path

    from commonweal.study.results import Results
    from conftest import Client


@pytest.fixture(scope="module")
def box(county: Results) -> PostcodeLookup:
    """Two areas side by side at Caister, the border 50 m east of it, and a third without an outline."""
    x, y = pyproj.Transformer.from_crs(27700, 4326, always_xy=True).transform(651410, 313177)
    border = x + 50 / 111_195 / math.cos(math.radians(y))
    squares = [
        shapely.box(x - 0.02, y - 0.02, border, y + 0.02),
        shapely.box(border, y - 0.02, border + 0.02, y + 0.02),
    ]
    table = county.areas.table.with_row_index()
    third = pl.col("index") == 2
    table = table.with_columns(
        longitude=pl.when(third).then(x), latitude=pl.when(third).then(y + 0.3)
    )
    areas = replace(county.areas, table=table.drop("index"))
    wkb = [*shapely.to_wkb(squares), *[None] * (len(areas) - 2)]
    shapes = pl.DataFrame({"code": areas.codes, "geometry": pl.Series(wkb, dtype=pl.Binary)})
    directory = pl.DataFrame(
        {
            "postcode": ["NR305NY", "NR309ZZ", "ZE10AA", "BT11AA"],
            "easting": [651410, 651410, 447_000, None],
            "northing": [313177, 313177 + 8_000, 1_141_000, None],
            "ended": [None, None, None, None],
        },
        schema_overrides={"ended": pl.Boolean},
    )
    return PostcodeLookup(areas, shapes, Postcodes("own", directory))


def test_a_postcode_lies_in_the_area_about_it_and_its_neighbour_is_told(
    box: PostcodeLookup,
) -> None:
    found = box.find("nr30 5ny")
    assert (found.postcode, found.row, found.near, found.words) == ("NR30 5NY", 0, (1,), "")


def test_outside_every_outline_the_nearest_are_offered_and_none_is_claimed(
    box: PostcodeLookup,
) -> None:
    found = box.find("NR30 9ZZ")
    assert found.row is None
    assert set(found.near) == {0, 1, 2}
    assert "No neighbourhood in this study has a boundary around NR30 9ZZ" in found.words


def test_what_is_not_here_is_said(box: PostcodeLookup) -> None:
    assert box.find("ZE1 0AA").words == "ZE1 0AA is outside the area that this study covers."
    assert box.find("BT1 1AA").words == "BT1 1AA has no position in the directory of postcodes."
    assert box.find("AB1 2CD").words == "AB1 2CD is not in the directory of postcodes."


@pytest.mark.parametrize(
    ("text", "is_one"),
    [("ox495nu", True), ("OX49 5NU", True), ("OX49", False), ("E01000001", False)],
)
def test_a_postcode_is_told_from_a_name(text: str, is_one: bool) -> None:
    assert is_postcode(text) == is_one


def test_a_fictional_county_has_no_postcodes(county: Results, cache: Path) -> None:
    assert postcode_lookup(county, cache) is None


def test_the_box_leads_to_the_profile_and_names_the_neighbour(
    county: Results, box: PostcodeLookup, client: Client
) -> None:
    results = replace(county, areas=box.areas, boundaries=box.boundaries)
    asked = type(client)(create_app(Explorer(results, None, box)))
    found = asked.get("/find?q=nr305ny&cut.left_behind.1=12")
    code, other = box.areas.codes[:2]
    assert found.status_code == 303
    assert found.headers["location"] == f"/area/{code}?cut.left_behind.1=12&postcode=NR30+5NY"
    page = asked.get(found.headers["location"]).text
    assert "NR30 5NY is in" in page
    assert f'href="/area/{other}' in page.split("may be in")[1]
    # Said of another area it is not true, and not repeated.
    assert "NR30 5NY" not in asked.get(f"/area/{other}?postcode=NR30+5NY").text
    assert "nearest are listed" in asked.get("/find?q=NR30 9ZZ").text
