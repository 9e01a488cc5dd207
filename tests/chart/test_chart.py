"""The three forms of charts: what stands in the drawing, where, and that its numbers travel with it."""

from __future__ import annotations

import re
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

import commonweal
from commonweal.chart import vega
from commonweal.chart.lines import Band, Columns, Level, Line, Points, line_chart
from commonweal.chart.map import Map, Name, Projector, bounds_of, padded
from commonweal.chart.rows import Bar, Row, Upright, row_chart
from commonweal.chart.theme import (
    BLUE,
    DOT,
    RING,
    RUST,
    hatch,
    round_axis,
    short_number,
    solid,
)
from commonweal.document.model import Chart, TableData
from commonweal.errors import MissingExtraError

SVG = "{http://www.w3.org/2000/svg}"
NUMBERS = TableData(pl.DataFrame({"Place [x.y]": ["A & B", "<C>"], "Share": [0.25, -0.5]}))


def rows() -> Chart:
    made = [
        Row("A & B", (Bar(0, 0.25, solid(BLUE)), Bar(0.25, 0.4, hatch(RUST))), after="25%"),
        Row(
            "<C> with a name that is much too long for one line, and for two lines as well as that"
        ),
        Row("D", marks=((-0.5, RING), (0.1, DOT)), span=(-0.5, 0.1), before="−50%", after="10%"),
        Row("E", note="too few to publish", heading="Others"),
    ]
    axis = round_axis([-0.5, 0.4], short_number, "Share")
    drawn = vega.dots("Place [x.y]", "Share")
    return row_chart(
        "r", "A & B has most", "Bars.", made, NUMBERS, drawn, axis,
        [(solid(BLUE), "Here"), (hatch(RUST), "There"), (DOT, "A dot")], [Upright(0.1, "all", True)],
    )  # fmt: skip


def lines() -> Chart:
    x, y = np.array([0.0, 1.0, 2.0]), np.array([1.0, 3.0, 2.0])
    layers = [
        Band(x, y - 1, y + 1), Line(x, y), Points(x, y, [DOT], names={2: "the last"}, whiskers=y + 1),
        Columns(np.array([0.0, 1.0, 2.0]), np.array([1.0, 2.0]), [solid(BLUE)] * 2), Level(1.0, "now"),
    ]  # fmt: skip
    axes = (
        round_axis(x.tolist(), short_number, "Years"),
        round_axis([0.0, 4.0], short_number, "People"),
    )
    return line_chart(
        "l", "It rises", "A line.", layers, NUMBERS, vega.curves("Share", "Share"), *axes
    )


def map_chart() -> Chart:
    square = shapely.box(0, 0, 1000, 2000)
    drawing = Map("m", padded(bounds_of(np.array([[500.0, 500.0]]), np.array([square])), 0.1))
    drawing.areas([square, None], hatch(BLUE))
    drawing.points(np.array([[500.0, 500.0], [np.nan, 0.0]]), DOT, titles=["<One>", "Nowhere"])
    drawing.names([Name(200, 250, "First"), Name(205, 252, "Second"), Name(200, 300, "Third")])
    return drawing.chart("One of two", "A map.", NUMBERS, {}, [(DOT, "A place")])


@pytest.mark.parametrize("made", [rows, lines, map_chart])
def test_a_chart_is_the_same_each_time_and_says_what_it_shows(made: object) -> None:
    chart = made()  # type: ignore[operator]
    assert chart.svg == made().svg  # type: ignore[operator]
    root = ET.fromstring(chart.svg)
    assert root.attrib["role"] == "img"
    assert root.find(f"{SVG}title").text == chart.title  # type: ignore[union-attr]
    assert root.find(f"{SVG}desc").text == chart.about  # type: ignore[union-attr]
    width, height = (float(v) for v in root.attrib["viewBox"].split()[2:])
    for text in root.iter(f"{SVG}text"):
        assert 0 <= float(text.attrib["x"]) <= width
        assert 0 < float(text.attrib["y"]) < height
    ids = [found.attrib["id"] for found in root.iter() if "id" in found.attrib]
    assert len(ids) == len(set(ids))
    assert set(re.findall(r"url\(#([^)]+)\)", chart.svg)) <= set(ids)


def test_rows_stand_where_their_values_are() -> None:
    root = ET.fromstring(rows().svg)
    bars = [
        r.attrib
        for r in root.iter(f"{SVG}rect")
        if r.attrib.get("height") == "13" and "y" in r.attrib
    ]
    bars = [r for r in bars if float(r["x"]) > 100]
    first, second = ((float(r["x"]), float(r["width"])) for r in bars[:2])
    assert first[1] / second[1] == pytest.approx(0.25 / 0.15, rel=0.01)
    assert first[0] + first[1] == pytest.approx(second[0], abs=0.11)
    dots = [float(c.attrib["cx"]) for c in root.iter(f"{SVG}circle")][-2:]
    assert dots[1] - dots[0] == pytest.approx(0.6 * first[1] / 0.25, abs=0.5)


def test_names_on_a_map_do_not_meet() -> None:
    said = [t.text for t in ET.fromstring(map_chart().svg).iter(f"{SVG}text")]
    assert "First" in said
    assert "Third" in said
    assert "Second" not in said
    assert "500 m" in said


def test_the_plane_is_the_national_grid_in_britain_and_keeps_areas_elsewhere() -> None:
    # The point that the Ordnance Survey gives as an example for its transformation: Caister water tower.
    lon, lat = np.array([1.716073]), np.array([52.658007])
    assert Projector(lon, lat).points(lon, lat)[0] == pytest.approx([651409, 313177], abs=5)
    for north in (0.0, 40.0, 70.0):
        degree = shapely.box(20, north, 20.01, north + 0.01)
        (found,) = Projector(np.array([20.0]), np.array([north])).shapes(np.array([degree]))
        height = 111_320 * np.cos(np.radians(north)) * 0.01 * 0.01 * 111_130
        assert found.area == pytest.approx(height, rel=0.01)


@given(st.lists(st.floats(-1e9, 1e9), min_size=1, max_size=5), st.integers(3, 9))
def test_an_axis_holds_its_values_between_round_numbers(values: list[float], most: int) -> None:
    axis = round_axis(values, short_number, most=most)
    slack = 1e-6 * (axis.high - axis.low)
    assert axis.low - slack <= min(values)
    assert max(values) <= axis.high + slack
    assert 2 <= len(axis.ticks) <= most + 3


@pytest.mark.parametrize(
    "drawn",
    [
        {},
        vega.bars("Place [x.y]", "Share"),
        vega.stacked("Place [x.y]", "Share"),
        vega.dots("Place [x.y]", "Share", ends=("Share", "Share")),
        vega.curves("Share", "Share"),
        vega.scatter("Share", "Share", "Share"),
        vega.histogram("Share", "Share", "Share"),
    ],
)
def test_altair_has_the_same_numbers(drawn: vega.Vega) -> None:
    made = Chart("c", "A finding", "How to read it.", "", NUMBERS, drawn).to_altair().to_dict()
    assert made["title"] == "A finding"
    assert made["description"] == "How to read it."
    values = made.get("data", {}).get("values") or next(iter(made["datasets"].values()))
    assert values == NUMBERS.frame.to_dicts()


def test_without_altair_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "altair", None)
    with pytest.raises(MissingExtraError, match=re.escape("commonweal[toolbox]")):
        Chart("c", "A finding", "", "", NUMBERS).to_altair()


def test_nothing_but_the_room_draws() -> None:
    house = Path(commonweal.__file__).parent
    element = re.compile("<(?:rect|path|circle|text|polyline|line|pattern) ")
    found = {f for f in house.rglob("*.py") if element.search(f.read_text("utf-8"))}
    assert {f.parent.name for f in found} == {"chart"}
