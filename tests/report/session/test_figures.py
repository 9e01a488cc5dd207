"""Figures are filled in, never typed; an unknown one is told with what there is."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
import pytest

from commonweal.document.format import percent
from commonweal.errors import StudyError
from commonweal.report.session.content import Figure, figures, fill

if TYPE_CHECKING:
    from tests.report.session.conftest import Meeting

    from commonweal.report.session.content import Content
    from commonweal.study.results import Results

KNOWN = {key: Figure(key, key.upper(), "a figure") for key in ("a.b.count", "a.b.people", "c.d")}


def test_placeholders_are_replaced_and_remembered_in_order() -> None:
    text, used = fill("x { c.d } y {a.b.count}{c.d}", KNOWN, "framing")
    assert text == "x C.D y A.B.COUNT" + "C.D"
    assert [f.key for f in used] == ["c.d", "a.b.count", "c.d"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{a.b.cont}", r"framing: {a.b.cont}: no such figure; did you mean 'a.b.count'"),
        ("{a.b.nothing}", "Choose from a.b.count, a.b.people"),
        ("{a.x.count}", "Choose from a.b.…"),
        ("{}", "figures start with a, c"),
    ],
)
def test_an_unknown_figure_is_told_with_what_there_is(text: str, said: str) -> None:
    with pytest.raises(StudyError) as fault:
        fill(text, KNOWN, "framing")
    assert said in str(fault.value)


def test_figures_of_a_study_known_by_hand(meeting: Meeting) -> None:
    told = meeting.told()
    # A17, A18 and A20 are in the worst fifth of both: 1,700 + 1,800 + 2,000 people.
    assert told.framing == ("3 of 20 places.", "5,500 people live there.")
    assert [f.key for f in told.figures] == [
        "county.priority.count",
        "county.areas.count",
        "county.priority.people",
    ]
    found = {f.key: f.text for f in figures("county", meeting.small.run())}
    assert found["county.priority.in.southside.count"] == "3"
    assert found["county.priority.in.northside.count"] == "0"
    assert found["county.priority.authorities"] == "1"
    assert found["county.priority.share"] == "15%"
    assert found["county.areas.people"] == "21,000 people"


def test_a_larger_area_without_a_name_has_no_figure(meeting: Meeting) -> None:
    results = meeting.small.run(draws=0)
    named = pl.when(pl.col("district") == "S").then("district_name")
    areas = replace(results.areas, table=results.areas.table.with_columns(district_name=named))
    found = {f.key for f in figures("county", replace(results, areas=areas))}
    assert {key for key in found if ".in." in key} == {"county.priority.in.southside.count"}


def test_without_draws_nothing_is_said_of_sureness(meeting: Meeting) -> None:
    keys = {f.key for f in figures("county", meeting.small.run(draws=0))}
    assert "county.priority.count" in keys
    assert "county.priority.sure" not in keys


def test_figures_agree_with_the_results(demo: Results, county: Content) -> None:
    found = {f.key: f.text for f in figures("demo", demo)}
    d = demo.designations["left_behind"]
    assert found["demo.left_behind.count"] == f"{d.selected.sum():,}"
    inside = demo.certainty["left_behind"].selected[d.selected]
    assert found["demo.left_behind.sure"] == str(int((inside >= 0.95).sum()))
    assert found["demo.left_behind.share"] == percent(d.selected.mean())
    assert county.framing[0].startswith(
        f"{d.selected.sum()} of Quillshire's 400 neighbourhoods are on the list"
    )
    by_district = [v for k, v in found.items() if ".in." in k]
    assert sum(map(int, by_district)) == d.selected.sum()


def test_a_note_of_a_theme_takes_figures_of_the_state(demo: Results, county: Content) -> None:
    (places,) = [part for part in county.reading if part.theme.id == "places"]
    names = [m.name for m in demo.indicators["community_needs"].meta]
    values = demo.indicators["community_needs"].values[:, names.index("distance_to_library_m")]
    order = np.argsort(values)
    half = np.cumsum(demo.areas.population[order])
    middle = values[order][np.searchsorted(half, half[-1] / 2)]
    assert f"within {middle:,.0f} m of a library" in places.note[0]


def test_an_unknown_figure_in_a_file_names_where_it_stands(meeting: Meeting) -> None:
    with pytest.raises(StudyError, match=r"meeting: themes.0.note: {county.priority.cuont}"):
        meeting.told(themes=[{"theme": "places", "note": "{county.priority.cuont}"}])


def test_where_the_list_is_and_what_is_missing_there(meeting: Meeting) -> None:
    """A17, A18 and A20 are on the list, all in the south; their index has no domains."""
    found = {f.key: f.text for f in figures("county", meeting.small.run(draws=0))}
    assert found["county.priority.where"] == "Southside (3)"
    assert "county.priority.missing" not in found


def test_what_is_missing_adds_up_to_the_list(demo: Results) -> None:
    found = {f.key: f.text for f in figures("demo", demo)}
    n = int(demo.designations["left_behind"].selected.sum())
    assert sum(map(int, re.findall(r" in (\d+)", found["demo.left_behind.missing"]))) == n
