"""From a postcode to an area: inside, near an edge, outside, and where there is no outline."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import polars as pl
import pytest
import shapely

from commonweal.access.postcodes import Postcodes
from commonweal.web.postcode import PostcodeBox, is_postcode, postcode_box

if TYPE_CHECKING:
    from pathlib import Path

    from commonweal.results import Results

# Of Ordnance Survey's "A guide to coordinate systems in Great Britain": easting 651410, northing 313177.
CAISTER = (1.717922, 52.657571)


@pytest.fixture(scope="module")
def box(county: Results) -> PostcodeBox:
    """Two areas side by side at Caister, the border 50 m east of it, and a third without an outline."""
    x, y = CAISTER
    border = x + 50 / 111_195 / 0.6066  # metres to degrees at this latitude
    squares = [
        shapely.box(x - 0.02, y - 0.02, border, y + 0.02),
        shapely.box(border, y - 0.02, border + 0.02, y + 0.02),
    ]
    areas = replace(
        county.areas,
        table=county.areas.table.head(3).with_columns(
            longitude=pl.lit(x).cast(pl.Float64), latitude=pl.lit(y + 0.3)
        ),
    )
    shapes = pl.DataFrame(
        {"code": areas.table["code"], "geometry": [*shapely.to_wkb(squares), None]}
    )
    directory = pl.DataFrame(
        {
            "postcode": ["NR305NY", "NR309ZZ", "ZE10AA", "BT11AA"],
            "easting": [651410, 651410, 447_000, None],
            "northing": [313177, 313177 + 8_000, 1_141_000, None],
            "ended": [None, None, None, None],
        },
        schema_overrides={"ended": pl.Boolean},
    )
    return PostcodeBox(replace(county, areas=areas, boundaries=shapes), Postcodes("own", directory))


def test_a_postcode_lies_in_the_area_about_it_and_its_neighbour_is_told(box: PostcodeBox) -> None:
    found = box.find("nr30 5ny")
    assert (found.postcode, found.row, found.near, found.words) == ("NR30 5NY", 0, (1,), "")


def test_outside_every_outline_the_nearest_are_offered_and_none_is_claimed(
    box: PostcodeBox,
) -> None:
    found = box.find("NR30 9ZZ")
    assert found.row is None
    assert set(found.near) == {0, 1, 2}
    assert "no neighbourhood with a boundary that holds NR30 9ZZ" in found.words


def test_what_is_not_here_is_said(box: PostcodeBox) -> None:
    assert box.find("ZE1 0AA").words == "ZE1 0AA is not in a place that this study covers."
    assert box.find("BT1 1AA").words == "BT1 1AA has no position in the directory of postcodes."
    assert box.find("AB1 2CD").words == "AB1 2CD is not in the directory of postcodes."


@pytest.mark.parametrize(
    ("text", "is_one"),
    [("ox495nu", True), ("OX49 5NU", True), ("OX49", False), ("E01000001", False)],
)
def test_a_postcode_is_told_from_a_name(text: str, is_one: bool) -> None:
    assert is_postcode(text) == is_one


def test_a_fictional_county_has_no_postcodes(county: Results, cache: Path) -> None:
    assert postcode_box(county, cache) is None
