"""A study of a part of a country: no column, title or count carries the name of what is not all there."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import polars as pl
import pytest

from commonweal.chart.map import Shapes
from commonweal.report.place import describe
from commonweal.report.place.describing import PlaceDescriber
from commonweal.report.place.overview import overview
from commonweal.report.study.larger_areas import by_tier, tiers
from commonweal.study.names import find_scope, whole_name

if TYPE_CHECKING:
    from tests.conftest import Small

    from commonweal.study.results import Results


@pytest.fixture
def part(small: Small) -> Results:
    """Twenty places: all of Northside, some of Southside, a few of the country that they lie in."""
    results = small.run(draws=0)
    table = results.areas.table.with_columns(country=pl.lit("X"), country_name=pl.lit("Xland"))
    areas = replace(
        results.areas,
        table=table,
        parents=("district", "country"),
        partial={"district": frozenset("S"), "country": frozenset("X")},
    )
    return replace(results, areas=areas)


def compared(results: Results, row: int) -> dict[str, tuple[str, int]]:
    place = describe(results, row)
    return {a.group: (a.label, a.places) for a in place.standings[0].averages}


def test_a_column_carries_a_name_only_where_all_its_areas_are_there(part: Results) -> None:
    whole = ("All 20 places of this study", 20)
    north = compared(part, 0)
    assert north["district"] == ("Northside", 10)
    assert north["all"] == whole
    south = compared(part, 19)
    assert "district" not in south
    assert south["all"] == whole
    # Where the place lies is said all the same.
    assert [x.name for x in describe(part, 19).larger] == ["Southside"]


def test_the_whole_has_the_name_of_what_is_all_there(part: Results) -> None:
    areas = replace(part.areas, partial={"district": frozenset("S"), "country": frozenset()})
    assert whole_name(areas) == "Xland"
    assert compared(replace(part, areas=areas), 0)["all"] == ("Xland", 20)
    # Of a table of one's own it is not known whether it holds all of a country.
    assert whole_name(replace(areas, partial=None)) == "All places"


def test_the_whole_is_no_column_of_its_own(part: Results) -> None:
    """One district, all of it there: it is the whole, and not a second column with the same numbers."""
    table = part.areas.table.with_columns(district=pl.lit("S"), district_name=pl.lit("Southside"))
    partial = {"district": frozenset[str](), "country": frozenset("X")}
    found = compared(replace(part, areas=replace(part.areas, table=table, partial=partial)), 0)
    assert found["all"] == ("Southside", 20)
    assert "district" not in found


def test_titles_and_tables_say_that_it_is_a_part(part: Results) -> None:
    assert find_scope(part.areas, []).title == part.areas.title
    assert find_scope(part.areas, ["Xland"]).title == "Xland (part)"
    assert find_scope(part.areas, ["Southside"]).title == "Southside (part)"
    assert find_scope(part.areas, ["Northside"]).title == "Northside"
    table = by_tier(part, "priority", tiers(part)[0], everyone=True).frame
    assert set(table["District"]) == {"Northside", "Southside (part)"}


def test_one_of_them_is_told_as_one(small: Small) -> None:
    results = small.run(draws=20)
    scope = find_scope(results.areas, ["A20"])
    document = overview(
        PlaceDescriber(results),
        scope,
        Shapes(results.areas, results.boundaries, results.outline),
        lambda _: "",
    ).document
    told = " ".join(document.answer)
    assert "1 of 1 place in Place 20 is on the list of “priority” places." in told
    assert "It is home to 2,000 of 2,000 people." in told
    assert "It stays on the list in at least 95% of recalculations." in told
    assert "of the 1" not in told
