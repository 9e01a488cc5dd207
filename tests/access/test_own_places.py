"""An analyst's own places, by coordinates, grid references or postcodes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import polars as pl
import pytest

from commonweal.access.distance import great_circle_m
from commonweal.access.own_places import read_own_places
from commonweal.access.postcodes import Postcodes
from commonweal.errors import CommonwealError, DataError, SourceError, UnknownNameError

if TYPE_CHECKING:
    from pathlib import Path

DIRECTORY = Postcodes(
    "one postcode",
    pl.DataFrame(
        {"postcode": ["OX495NU"], "easting": [465900], "northing": [195900], "ended": [None]},
        schema_overrides={"ended": pl.Boolean},
    ),
)


@pytest.fixture
def write(tmp_path: Path) -> Any:
    def to_file(text: str) -> Path:
        file = tmp_path / "halls.csv"
        file.write_text(text, "utf-8")
        return file

    return to_file


def test_three_ways_to_say_where(write: Any) -> None:
    by_degrees = read_own_places(
        write("Name,Kind,Lat,Lon\nHall,community-centre,51.6571,-1.0490\n"), postcodes=DIRECTORY
    )
    by_grid = read_own_places(
        write("name,kind,Easting,Northing\nHall,community-centre,465900,195900\n")
    )
    by_postcode = read_own_places(
        write("name,kind,Post Code\nHall,community-centre,ox495nu\n"), postcodes=DIRECTORY
    )
    assert by_postcode.table["postcode"].to_list() == ["OX49 5NU"]
    assert by_degrees.table["id"].to_list() == ["halls:1"]
    points = [p.points for p in (by_degrees, by_grid, by_postcode)]
    for one in points:
        off_m = great_circle_m(one.longitude, one.latitude, points[1].longitude, points[1].latitude)
        assert off_m[0] < 200


def test_fields_and_letters_as_a_spreadsheet_writes_them(tmp_path: Path) -> None:
    file = tmp_path / "halls.csv"
    file.write_bytes("name;lat;lon\nCafé;52;0\n".encode("cp1252"))
    places = read_own_places(file, kind="cafe", separator=";", encoding="cp1252")
    assert places.table["name"].to_list() == ["Café"]
    with pytest.raises(DataError, match="not a CSV file in UTF-8"):
        read_own_places(file, kind="cafe", separator=";")


def test_one_kind_for_all(write: Any) -> None:
    places = read_own_places(write("lat,lon\n52,0\n53,-1\n"), kind="library", source="mine")
    assert places.table["kind"].to_list() == ["library", "library"]
    assert places.table["id"].to_list() == ["mine:1", "mine:2"]
    assert places.table["name"].to_list() == [None, None]


def test_unknown_postcodes_are_listed_not_dropped(write: Any) -> None:
    file = write("name,postcode\nA,OX49 5NU\nB,ZZ1 1ZZ\nC,\n")
    places = read_own_places(file, kind="library", postcodes=DIRECTORY)
    assert places.account().select("outcome", "rows").rows() == [
        ("read", 3), ("kept", 1), ("no place", 2),
    ]  # fmt: skip
    assert places.left_out.select("id", "name", "detail").rows() == [
        ("halls:2", "B", "postcode 'ZZ1 1ZZ': unknown"),
        ("halls:3", "C", "postcode '': none"),
    ]


def test_rows_without_coordinates_are_listed(write: Any) -> None:
    places = read_own_places(write("name,lat,lon\nA,52,0\nB,,\n"), kind="pub")
    assert places.left_out["id"].to_list() == ["halls:2"]


def test_names_that_look_like_formulas_or_numbers_stay_text(write: Any) -> None:
    file = write('name,lat,lon\n=1+1,52,0\n"+44 Bar",52,0\n007,52,0\n"  Ye Inn ",52,0\n')
    names = read_own_places(file, kind="pub").table["name"].to_list()
    assert names == ["=1+1", "+44 Bar", "007", "Ye Inn"]


def test_places_may_lie_in_any_country(write: Any) -> None:
    """A hall in Porto Alegre, one in the far north-east, one on the equator."""
    file = write("lat,lon\n-30.03,-51.2\n70,179.5\n0,36.8\n")
    assert len(read_own_places(file, kind="pub")) == 3


@pytest.mark.parametrize(
    ("text", "settings", "error", "message"),
    [
        ("name,place\nA,here\n", {}, DataError, "no column says where places are; found name, place"),
        ("name,lat\nA,52\n", {}, DataError, "has 'lat' but no column 'longitude'"),
        ("name,easting,northin\nA,1,2\n", {}, DataError, "no column 'northing'; did you mean 'northin'"),
        ("lat,latitude,lon\n52,52,0\n", {}, DataError, "columns 'lat' and 'latitude' both say latitude"),
        ("lat,lon\n-122.4,37.8\n", {}, DataError, "row 1: .* longitude and latitude are swapped"),
        ("lat,lon\n52,0\n52,190\n", {}, DataError, r"row 2: longitude 190, latitude 52 is no place on Earth"),
        ("lat,lon\n0,0\n", {}, DataError, "row 1: longitude 0, latitude 0 is no place"),
        ("easting,northing\n0,0\n", {}, DataError, "row 1: longitude -7.5.* is no place in the United"),
        ("lat,lon\n52,0\nNaN,0\n", {}, DataError, "row 2: lat is 'NaN'; expected a number"),
        ("lat,lon\n52,0\ninf,0\n", {}, DataError, "row 2: lat is 'inf'; expected a number"),
        ("lat,lon\n52,\n", {}, DataError, "row 1: has lat but no lon; expected both"),
        ("easting,northing\n,7\n", {}, DataError, "row 1: has northing but no easting"),
        (
            "lat,lon,kind\n52,0,pubb\n",
            {"kind": None},
            UnknownNameError,
            r"'pubb' not found \(.*row 1\); did you mean 'pub'",
        ),
        ("lat,lon,kind\n52,0,\n", {"kind": None}, DataError, "row 1: no kind"),
        ("lat,lon,kind\n52,0,pub\n", {}, DataError, "has a column 'kind', and kind 'pub' is given"),
        ("lat,lon\n52,0\n", {"kind": None}, DataError, "no column 'kind', and no kind is given"),
        ("lat,lon\n52,0\n", {"kind": "pubb"}, UnknownNameError, "kind of place 'pubb' not found"),
        ("", {}, DataError, "empty; expected a header"),
        ("lat,lon\n", {}, DataError, "no row below the header"),
        ("lat,lon\n,\n", {}, DataError, r"none of 1 rows has a position \(row 1: no coordinates\)"),
        ("name,postcode\nA,Oakham\nB,\n", {}, DataError, "none of 2 rows .*row 1: postcode 'Oakham'"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said(
    write: Any, text: str, settings: dict[str, Any], error: type[CommonwealError], message: str
) -> None:
    with pytest.raises(error, match=message):
        read_own_places(write(text), postcodes=DIRECTORY, **({"kind": "pub"} | settings))


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"none\.csv: cannot be read"):
        read_own_places(tmp_path / "none.csv", kind="pub")


def test_a_file_in_another_encoding(tmp_path: Path) -> None:
    file = tmp_path / "cafes.csv"
    file.write_bytes("name,lat,lon\nCafé,52,0\n".encode("latin-1"))
    with pytest.raises(DataError, match="not a CSV file in UTF-8"):
        read_own_places(file, kind="cafe")
