"""What a user brings, from a file of theirs to the pack and the explorer: one answer everywhere."""

from __future__ import annotations

import hashlib
import json
import math
from functools import partial
from typing import TYPE_CHECKING, Any

import polars as pl
import pyogrio
import pypdf
import pytest

from commonweal.index.rank import rank
from commonweal.sources import Store
from commonweal.spec import Study
from commonweal.web import Explorer, create_app
from tests.conftest import areas_csv, recipe
from tests.scenarios.follow import follow, get, table

if TYPE_CHECKING:
    from tests.conftest import Small

CITY = {"A": (-51.23, -30.03), "B": (-51.21, -30.04), "C": (-51.19, -30.02), "D": (-51.17, -30.05)}
"""Four districts of a city in the southern hemisphere, west of Greenwich."""


def square(longitude: float, latitude: float, size: float = 0.01) -> list[list[list[float]]]:
    """A square around a point, as GeoJSON has it."""
    west, south = longitude - size / 2, latitude - size / 2
    ring = [(west, south), (west + size, south), (west + size, south + size), (west, south + size)]
    return [[list(p) for p in (*ring, ring[0])]]


def test_one_authority(small: Small, tell: Any) -> None:
    """Its ten places with everybody's ranks and cut-off, and an indicator that only it has."""
    rows = [f"A{i:02d},{100 - i}" for i in range(11, 21)]
    (small.path / "volunteers.csv").write_text("\n".join(["code,volunteers", *rows]), "utf-8")
    study = small.write(
        focus={"district": "S"},
        indicators__volunteers={
            **{"file": "volunteers.csv", "column": "volunteers", "label": "Volunteers"},
            "higher_is": "less",
        },
        show=["volunteers"],
    )
    found = follow(study, small.store, small.path / "out", tell, draws=20)
    assert list(found.rows) == [f"A{i}" for i in range(11, 21)]
    assert found.selected == ["A17", "A18", "A20"]
    # A11 is the tenth of twenty on income, not the last of ten.
    assert [found.rows[c].ranks["deprivation"] for c in ("A11", "A20")] == [10, 1]
    assert "3 of 10 " in found.terminal
    answer = get(create_app(Explorer(found.results)), "/api/areas/A11").json()
    (deprivation, _) = answer["standings"]
    assert deprivation["worse_than"] == pytest.approx(
        10 / 19
    )  # ten have less need, of nineteen others
    averages = {a["label"]: (a["worse_than"], a["places"]) for a in deprivation["averages"]}
    assert averages["Southside"] == (pytest.approx(14.5 / 19), 10)
    assert averages["All places"] == (pytest.approx(0.5), 20)
    values = {
        row["Code"]: row["Volunteers"] for row in table(found.folder / "results.xlsx", "Areas")
    }
    assert values["A20"] == 80
    assert set(values) == set(found.rows)


def test_a_town_in_another_country(small: Small, tell: Any) -> None:
    """Areas with outlines and two libraries, all south of the equator: the nearest is the nearest."""
    rows = [f"{c},District {c},{1000 + k},{x},{y}" for k, (c, (x, y)) in enumerate(CITY.items())]
    small.areas.write_text("\n".join(["code,name,population,lon,lat", *rows]) + "\n", "utf-8")
    small.indicators.write_text("code,income\nA,1\nB,2\nC,3\nD,4\n", "utf-8")
    (small.path / "libraries.csv").write_text(
        "name,kind,longitude,latitude\nCentral,library,-51.23,-30.03\nNorth,library,-51.21,-30.04\n",
        "utf-8",
    )
    shapes = {
        "type": "FeatureCollection",
        "features": [
            {
                "type": "Feature",
                "properties": {"code": c},
                "geometry": {"type": "Polygon", "coordinates": square(x, y)},
            }
            for c, (x, y) in CITY.items()
        ],
    }
    (small.path / "districts.geojson").write_text(json.dumps(shapes), "utf-8")
    study = small.write(
        areas={
            **{"file": "areas.csv", "code": "code", "name": "name", "population": "population"},
            **{
                "longitude": "lon",
                "latitude": "lat",
                "singular": "district",
                "plural": "districts",
            },
            "boundaries": {"file": "districts.geojson"},
        },
        access={"registers": [], "points": [{"file": "libraries.csv"}]},
        indicators__halls={
            "label": "Distance to a library",
            "reach": {"to": "library", "measure": "nearest"},
            "unit": "m",
            "higher_is": "more",
        },
        designate__priority__all=[{"index": "community_needs", "worst": "50%"}],
    )
    found = follow(study, small.store, small.path / "out", tell, draws=0)
    assert found.selected == ["C", "D"]
    metres = pl.read_parquet(found.folder / "indicators.parquet")["halls"].to_list()
    assert metres[:2] == [0, 0]
    # From C and D the nearest is the one in B: great circles by the haversine formula, times the detour.
    straight = [haversine(CITY[c], CITY["B"]) for c in "CD"]
    assert metres[3] / metres[2] == pytest.approx(straight[1] / straight[0], rel=1e-6)
    shapes_of = pyogrio.read_dataframe(found.folder / "commonweal.gpkg", layer="areas")
    assert shapes_of.total_bounds == pytest.approx([-51.235, -30.055, -51.165, -30.015], abs=1e-6)


def haversine(a: tuple[float, float], b: tuple[float, float]) -> float:
    """Metres between two points on a sphere."""
    (x1, y1), (x2, y2) = (tuple(map(math.radians, p)) for p in (a, b))
    h = math.sin((y2 - y1) / 2) ** 2 + math.cos(y1) * math.cos(y2) * math.sin((x2 - x1) / 2) ** 2
    return 2 * 6_371_008.8 * math.asin(math.sqrt(h))


def test_an_indicator_with_gaps(small: Small, tell: Any) -> None:
    """Five places have no count of halls: no rank, never on the list, and empty in every file."""
    lines = small.indicators.read_text("utf-8").splitlines()
    gaps = {"A01", "A05", "A09", "A18", "A20"}
    kept = [",".join([*line.split(",")[:2], "", line.split(",")[3]]) if line[:3] in gaps else line
            for line in lines]  # fmt: skip
    small.indicators.write_text("\n".join(kept) + "\n", "utf-8")
    study = small.write(designate__priority__all=[{"index": "community_needs", "worst": "20%"}])
    found = follow(study, small.store, small.path / "out", tell, show="A18", draws=20)
    # Of fifteen with a value the worst fifth are three: A10 (2 halls), A17 (4), A16 (5).
    assert found.selected == ["A10", "A16", "A17"]
    assert all(found.rows[code].ranks["community_needs"] is None for code in gaps)
    assert all(
        row.ranks["community_needs"] is not None
        for code, row in found.rows.items()
        if code not in gaps
    )
    values = pl.read_parquet(found.folder / "indicators.parquet").filter(pl.col("halls").is_null())
    assert set(values["code"]) == gaps


def test_a_newer_vintage(small: Small, tell: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A source of the user's own, and a study that reads a newer file in its place: only what it says changes."""
    (small.path / "island.yaml").write_text(
        "publisher: The island\nlicences:\n  open: {licence: Open, attribution: The island}\nsources:\n"
        "  incomes: {title: Incomes, terms: open, vintage: '2019', path: indicators.csv, reader: csv}\n",
        "utf-8",
    )
    monkeypatch.setenv("COMMONWEAL_CATALOGUE", str(small.path / "mine"))
    mine = {"COMMONWEAL_CATALOGUE": str(small.path / "mine")}
    assert tell("sources", "add", "island.yaml", **mine)[::2] == (0, "")
    small.write(indicators__income={"source": "incomes", "column": "income", "higher_is": "more"})
    lines = [f"A{i:02d},{21 - i},0,0.5" for i in range(1, 21)]
    newer = small.path / "newer.csv"
    newer.write_text("\n".join(["code,income,halls,income_se", *lines]) + "\n", "utf-8")
    study = small.write(
        indicators__income={"source": "incomes", "column": "income", "higher_is": "more"},
        replace={"incomes": {"file": "newer.csv", "vintage": "2026"}},
        designate__priority__all=[{"index": "deprivation", "worst": "20%"}],
    )
    store = Store.from_environment()
    found = follow(study, store, small.path / "out", partial(tell, **mine), draws=0)
    assert found.selected == ["A01", "A02", "A03", "A04"]  # A17 to A20 by the file of 2019
    sources = json.loads((found.folder / "provenance.json").read_text("utf-8"))["sources"]
    (entry,) = [s for s in sources if s["id"] == "incomes"]
    assert entry["sha256"] == hashlib.sha256(newer.read_bytes()).hexdigest()
    assert (entry["vintage"], entry["replaces"]["vintage"]) == ("2026", "2019")


def test_ties_at_the_cut_off(small: Small, tell: Any) -> None:
    """The worst fifth of twenty is four; the fourth to the sixth are equal, so six are in, and it is said."""
    halls = {20: 1, 19: 2, 18: 3, 17: 4, 16: 4, 15: 4}
    lines = [f"A{i:02d},{i},{halls.get(i, 30 - i)},0.5" for i in range(1, 21)]
    small.indicators.write_text("\n".join(["code,income,halls,income_se", *lines]) + "\n", "utf-8")
    study = small.write(designate__priority__all=[{"index": "community_needs", "worst": "20%"}])
    found = follow(study, small.store, small.path / "out", tell, draws=0)
    assert found.selected == ["A15", "A16", "A17", "A18", "A19", "A20"]
    assert [found.rows[c].ranks["community_needs"] for c in ("A15", "A16", "A17", "A18")] == [
        4,
        4,
        4,
        3,
    ]
    report = (found.folder / "report.html").read_text("utf-8")
    for text in (found.terminal, report):
        assert "6 are included, because 3 tie at the cut-off" in text


def test_places_without_people(small: Small, tell: Any) -> None:
    """Nobody lives in two of the places on the list: they count as places, and add no people."""
    text = areas_csv().replace("A20,Place 20,2000", "A20,Place 20,0")
    text = text.replace("A18,Place 18,1800", "A18,Place 18,0")
    small.areas.write_text(text, "utf-8")
    found = follow(small.study, small.store, small.path / "out", tell, show="A20", draws=20)
    assert found.selected == ["A17", "A18", "A20"]
    assert sum(found.rows[c].people or 0 for c in found.selected) == 1700
    assert "1,700 people" in found.terminal
    listed = {
        row["Code"]: row["Population"]
        for row in table(found.folder / "results.xlsx", "On_the_list")
    }
    assert listed == {"A17": 1700, "A18": 0, "A20": 0}


def test_a_place_whose_people_are_not_known(small: Small, tell: Any) -> None:
    """It counts among its district's places; what people would weigh is blank there, and nowhere else."""
    text = areas_csv().replace("A15,Place 15,1500", "A15,Place 15,")
    small.areas.write_text(text, "utf-8")
    found = follow(small.study, small.store, small.path / "out", tell, show="A20", draws=20)
    assert found.selected == ["A17", "A18", "A20"]
    known, unknown = table(found.folder / "results.xlsx", "Larger_areas")
    for row, blank in ((unknown, True), (known, False)):
        assert row["All places"] == 10
        assert row["Community needs: proportion"] is not None
        assert (row["Population"] is None) is blank
        assert (row["Community needs: average score"] is None) is blank
    summaries = pl.read_parquet(found.folder / "summaries.parquet")
    assert summaries["areas"].unique().to_list() == [10]
    needs = summaries.filter(pl.col("index") == "community_needs")
    assert needs["average_score"].null_count() == needs["population"].null_count() == 1


def test_two_areas(small: Small, tell: Any) -> None:
    """Two places, scaled from least to most: the one with more need is on the list."""
    small.areas.write_text("code,name,population\nX,Ex,1000\nY,Why,2000\n", "utf-8")
    small.indicators.write_text("code,income,halls\nX,1,3\nY,2,1\n", "utf-8")
    own = recipe()["index"]
    study = small.write(
        areas__parents={},
        index={name: {**tree, "transform": "min_max"} for name, tree in own.items()},
        designate__priority__all=[{"index": "deprivation", "worst": "50%"}],
    )
    found = follow(study, small.store, small.path / "out", tell, draws=0)
    assert found.selected == ["Y"]
    assert [found.rows[c].ranks for c in "XY"] == [
        {"deprivation": 2, "community_needs": 2},
        {"deprivation": 1, "community_needs": 1},
    ]


def test_an_indicator_that_is_the_same_everywhere(small: Small, tell: Any) -> None:
    """A constant tells no place from another: all tie, and the other index decides alone."""
    lines = [f"A{i:02d},{i},7,0.5" for i in range(1, 21)]
    small.indicators.write_text("\n".join(["code,income,halls,income_se", *lines]) + "\n", "utf-8")
    study = small.write(designate__priority__all=[{"index": "deprivation", "worst": "20%"}])
    found = follow(study, small.store, small.path / "out", tell, draws=0)
    assert found.selected == ["A17", "A18", "A19", "A20"]
    assert {row.ranks["community_needs"] for row in found.rows.values()} == {1}


MARKUP = "<b>Bell & Co</b> {{7*7}}"
FORMULA = '=HYPERLINK("x")'


def test_names_with_markup(small: Small, tell: Any) -> None:
    """Names are text: no page runs them, no workbook calculates them, and a PDF prints them."""
    frame = pl.read_csv(small.areas).with_columns(
        name=pl.when(pl.col("code") == "A20").then(pl.lit(MARKUP))
        .when(pl.col("code") == "A18").then(pl.lit(FORMULA)).otherwise("name")
    )  # fmt: skip
    frame.write_csv(small.areas)
    found = follow(small.study, small.store, small.path / "out", tell, show="A20", draws=20)
    assert found.selected == ["A17", "A18", "A20"]
    assert pl.read_parquet(found.folder / "areas.parquet")["name"].to_list()[17:] == [
        FORMULA, "Place 19", MARKUP,
    ]  # fmt: skip
    for path in (found.folder / "report.html", *found.pack.rglob("*.html")):
        page = path.read_text("utf-8")
        assert "<b>Bell" not in page
        assert "49" not in page.split("Bell &amp; Co")[1][:20] if "Bell &amp; Co" in page else True
    assert "Bell &amp; Co" in (found.pack / "profiles" / "A20.html").read_text("utf-8")
    paper = "".join(
        p.extract_text() for p in pypdf.PdfReader(found.pack / "profiles/A20.pdf").pages
    )
    assert "Bell & Co" in paper
    names = {row["Code"]: row["Name"] for row in table(found.folder / "results.xlsx", "Areas")}
    assert names["A20"] == MARKUP
    assert names["A18"].lstrip("'") == FORMULA
    answer = get(create_app(Explorer(found.results)), "/area/A20")
    assert "&lt;b&gt;Bell" in answer.text
    assert "<b>Bell" not in answer.text


def test_a_study_made_in_python(small: Small) -> None:
    """The same fields as in YAML, with the same answers; ranks are those of the library's own function."""
    study = Study.model_validate({**recipe(), "name": "mine", "folder": small.path})
    found = follow(study, small.store, small.path / "out")
    assert found.selected == ["A17", "A18", "A20"]
    table_ = pl.read_csv(small.indicators)
    ranks = rank(table_["income"].to_numpy().astype(float))
    assert [row.ranks["deprivation"] for row in found.rows.values()] == ranks.tolist()
    assert found.rows["A20"].share == 1
    # What it wrote is a study again, with the same answer.
    from commonweal.study.run import run

    again = run(found.folder / "study.yaml", small.store)
    assert again.designations["priority"].selected.tolist() == [
        row.selected for row in found.rows.values()
    ]
