"""Registers of places: what is left out, in which order, and why."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import polars as pl
import pytest
from pydantic import ValidationError

from commonweal.access.places import load_taxonomy
from commonweal.access.postcodes import Postcodes
from commonweal.access.registers import Register, load_registers, places_of, read_register
from commonweal.errors import DataError, UnknownNameError
from commonweal.sources import Store

if TYPE_CHECKING:
    from commonweal.access.places import Places

DIRECTORY = Postcodes(
    "two postcodes",
    pl.DataFrame(
        {
            "postcode": ["OX495NU", "IM11AA"],
            "easting": [465900, None],
            "northing": [195900, None],
            "ended": [None, None],
        },
        schema_overrides={"ended": pl.Boolean},
    ),
)
POINTS: dict[str, Any] = {
    "title": "Pubs",
    "covers": "a village",
    "id": "number",
    "name": "name",
    "longitude": "x",
    "latitude": "y",
    "kinds": [{"kind": "bar", "where": {"type": ["bar"]}}, {"kind": "pub"}],
}


def read(rows: dict[str, list[Any]], **changes: Any) -> Places:
    register = Register.model_validate(POINTS | changes)
    return places_of(pl.DataFrame(rows), "pubs", register, load_taxonomy(), DIRECTORY)


def rows(n: int, **columns: list[Any]) -> dict[str, list[Any]]:
    base = {"number": list(range(1, n + 1)), "name": ["A"] * n, "x": [0.1] * n, "y": [52.0] * n}
    return {**base, "type": ["pub"] * n, **columns}


def reasons(places: Places) -> dict[str, str]:
    return dict(zip(places.left_out["id"], places.left_out["reason"], strict=True))


def test_a_row_counts_under_the_first_reason_that_holds() -> None:
    drop = [
        {"reason": "closed", "why": "shut", "where": {"state": ["closed"]}},
        {"reason": "mobile", "why": "moves", "matches": {"name": "^mobile"}},
        {"reason": "old", "why": "long ago", "unless": {"year": ["na"]}},
    ]
    places = read(
        rows(
            5,
            state=["open", " CLOSED ", "closed", None, "open"],
            name=["A", "B", "Mobile C", "MOBILE D", "E"],
            year=["na", "na", "1999", "na", "1999"],
        ),
        drop=drop,
    )
    assert places.table["id"].to_list() == ["pubs:1"]
    assert reasons(places) == {
        "pubs:2": "closed", "pubs:3": "closed", "pubs:4": "mobile", "pubs:5": "old",
    }  # fmt: skip
    assert places.left_out["detail"].to_list() == ["shut", "shut", "moves", "long ago"]


def test_coordinates_that_are_text_are_named_with_their_row() -> None:
    said = (
        r"register 'pubs': column 'y' has 'north' in row 2; expected degrees.*1 of 3 rows are not"
    )
    with pytest.raises(DataError, match=said):
        read(rows(3, y=["52.0", "north", None]))
    assert read(rows(3, y=["52.0", "51.5", None])).table["latitude"].to_list() == [52.0, 51.5]


def test_names_and_ids_may_be_numbers() -> None:
    places = read(rows(2, name=[7, 8], number=[1.0, float("inf")]))
    assert places.table["name"].to_list() == ["7", "8"]
    assert places.table["id"].to_list() == ["pubs:1", "pubs:inf"]


def test_all_conditions_of_a_reason_have_to_hold() -> None:
    drop = {"reason": "odd", "why": "", "where": {"type": ["bar"]}, "matches": {"name": "x"}}
    places = read(rows(3, type=["bar", "bar", "pub"], name=["x", "y", "x"]), drop=[drop])
    assert reasons(places) == {"pubs:1": "odd"}


def test_the_first_kind_that_holds_is_taken() -> None:
    assert read(rows(2, type=["Bar", "pub"])).table["kind"].to_list() == ["bar", "pub"]
    some = read(rows(2, type=["bar", "pub"]), kinds=[{"kind": "bar", "where": {"type": ["bar"]}}])
    assert reasons(some) == {"pubs:2": "no kind"}


def test_what_is_twice_has_no_place_or_lies_abroad_is_counted() -> None:
    places = read(
        rows(
            6,
            number=[1, 2, 2, 4, 5, 6],
            x=[0.1, 0.1, 0.1, None, float("nan"), -7.557],
            y=[52.0, 52.0, 52.0, 52.0, 52.0, 49.767],  # the last is the grid's zero point
        )
    )
    assert [row[1:] for row in places.account().rows()] == [
        ("read", 6), ("kept", 2), ("no place", 2), ("outside", 1), ("twice", 1),
    ]  # fmt: skip


def test_names_that_say_so_are_closed() -> None:
    drop = [{"reason": "closed", "why": "its name", "closed_name": True}]
    places = read(rows(2, name=["Red Lion (CLOSED)", "The Closed Shop"]), drop=drop)
    assert reasons(places) == {"pubs:1": "closed"}


def test_postcodes_place_rows_and_those_unknown_are_listed() -> None:
    register = POINTS | {"longitude": "", "latitude": "", "postcode": "pc", "id": ""}
    places = read({"name": ["A", "B", "C", "D"], "type": ["pub"] * 4,
                   "pc": ["ox495nu ", "ZZ1 1ZZ", None, "IM1 1AA"]}, **register)  # fmt: skip
    assert places.table["postcode"].to_list() == ["OX49 5NU"]
    assert places.table["id"].to_list() == ["pubs:1"]
    assert places.left_out["detail"].to_list() == [
        "postcode: unknown", "postcode: none", "postcode: no position",
    ]  # fmt: skip


def test_ids_that_are_no_whole_numbers_stay_apart() -> None:
    places = read(rows(4, number=[1.5, 1.7, 2.0, -0.5]))
    assert places.table["id"].to_list() == ["pubs:1.5", "pubs:1.7", "pubs:2", "pubs:-0.5"]
    assert reasons(places) == {}


def test_numbers_that_are_ids_are_whole() -> None:
    assert read(rows(1, number=[100000.0])).table["id"].to_list() == ["pubs:100000"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"latitude": ""}, "give both longitude and latitude"),
        ({"longitude": "", "latitude": ""}, "give longitude and latitude, or postcode"),
        ({"kinds": []}, "at least 1 item"),
        ({"kinds": [{"kind": "pub", "where": {"": ["a"]}}]}, "at least 1 character"),
        ({"name": ""}, "at least 1 character"),
        ({"drop": [{"reason": "x", "why": "y", "matches": {"name": "^[a"}}]}, "is not a regular"),
        ({"kinds": [{"kind": "pub", "matches": {"name": "(?=a)"}}]}, "is not a regular"),
    ],
)
def test_a_register_that_cannot_be(change: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        Register.model_validate(POINTS | change)


def test_a_kind_that_the_taxonomy_lacks() -> None:
    with pytest.raises(DataError, match="register 'pubs' holds the kind 'inn'"):
        read(rows(1), kinds=[{"kind": "inn"}])


def test_an_unknown_register(tmp_path: Any) -> None:
    with pytest.raises(UnknownNameError, match="did you mean 'museums'"):
        read_register("museum", Store(tmp_path, offline=True))


def test_every_register_is_a_source_and_says_where_it_stops(tmp_path: Any) -> None:
    store = Store(tmp_path, offline=True)
    for id_, register in load_registers().items():
        assert store.source(id_).use == "open"
        assert register.covers
