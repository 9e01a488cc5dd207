"""Indicators that are computed: by formula, from counts, from what is within reach."""

from __future__ import annotations

import json
import re
import zipfile
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
import pytest

from commonweal.errors import CommonwealError, DataError, StudyError, UnknownNameError
from commonweal.index.rates import shrink_counts
from commonweal.sources import Store
from commonweal.spec.study import parse_study
from commonweal.study.areas import study_areas
from commonweal.study.check import check_files
from commonweal.study.indicators import make_indicators
from commonweal.study.run import run

if TYPE_CHECKING:
    from pathlib import Path

    from commonweal.indicators import Indicators

AREAS = """code,name,people,district,lon,lat
A,Ash,100,N,0.00,52.00
B,Beech,300,N,0.01,52.00
C,Cedar,400,S,0.02,52.00
D,Damson,0,S,,
"""


def gather(folder: Path, indicators: dict[str, dict[str, Any]], **more: Any) -> Indicators:
    """Give the indicators of a study of four places."""
    import yaml

    (folder / "areas.csv").write_text(AREAS)
    recipe = {
        "title": "Four places",
        "areas": {
            "file": "areas.csv",
            "code": "code",
            "name": "name",
            "population": "people",
            "parents": {"district": "district"},
            "longitude": "lon",
            "latitude": "lat",
        },
        "indicators": {n: {"higher_is": "more", **spec} for n, spec in indicators.items()},
        "index": {"need": {"children": {n: {"indicator": n} for n in indicators}}},
        **more,
    }
    study = parse_study(yaml.safe_dump(recipe), "four.yaml", "four", folder)
    store = Store(folder / "cache", offline=True)
    found, _ = make_indicators(study, list(indicators), study_areas(study, store), store)
    return found


def column(found: Indicators, name: str) -> list[float | None]:
    return pl.Series(found.values[:, found.column(name)]).fill_nan(None).to_list()


def test_a_formula_works_on_the_columns_of_a_table_row_by_row(tmp_path: Path) -> None:
    (tmp_path / "runs.csv").write_text("code,Sunday runs,monday\nA,1,2\nB,,2\nC,0,0\nD,4,2\n")
    found = gather(
        tmp_path, {"runs": {"file": "runs.csv", "formula": '"Sunday runs" / monday', "unit": "x"}}
    )
    assert column(found, "runs") == [0.5, None, None, 2.0]  # 0 / 0 is no number


def test_a_formula_puts_indicators_together_and_missing_stays_missing(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("code,n\nA,1\nB,2\n")
    (tmp_path / "b.csv").write_text("code,n\nB,3\nC,4\n")
    either = "CASE WHEN a IS NULL AND b IS NULL THEN NULL ELSE COALESCE(a, 0) + COALESCE(b, 0) END"
    found = gather(
        tmp_path,
        {
            "a": {"file": "a.csv", "column": "n"},
            "b": {"file": "b.csv", "column": "n"},
            "both": {"formula": "a + b"},
            "either": {"formula": either},
        },
    )
    assert column(found, "both") == [None, 5.0, None, None]
    assert column(found, "either") == [1.0, 5.0, 4.0, None]
    assert found.meta[found.column("either")].source == "a, b"


def test_rows_of_an_area_are_added_up_when_asked_and_refused_when_not(tmp_path: Path) -> None:
    (tmp_path / "g.csv").write_text("code,pounds\nA,10\nA,20\nB,\nC,5\nX,7\n")
    spec = {
        "file": "g.csv",
        "formula": "CASE WHEN pounds > 15 THEN 15 ELSE pounds END",
        "add": True,
    }
    found = gather(tmp_path, {"grants": spec})
    assert column(found, "grants") == [25.0, None, 5.0, None]
    with pytest.raises(
        DataError, match=r"area A is in g.csv more than once.*'add: true' to add them up"
    ):
        gather(tmp_path, {"grants": {**spec, "add": False}})


def test_counts_are_missing_where_they_fall_short_of_another_years(tmp_path: Path) -> None:
    """N has 3 of 40, too few; S has 9 of 10; D, which has no number, is missing as it was."""
    (tmp_path / "runs.csv").write_text("code,now,then\nA,1,30\nB,2,10\nC,9,10\nD,,\n")
    whole = {"of": "then", "areas": "district", "at_least": 0.3}
    table = {"file": "runs.csv"}
    indicators: dict[str, dict[str, Any]] = {
        "runs": {**table, "column": "now", "complete": whole},
        "then": {**table, "column": "then"},
    }
    assert column(gather(tmp_path, indicators), "runs") == [None, None, 9, None]
    indicators["runs"]["complete"] = {**whole, "at_least": 0.07}
    assert column(gather(tmp_path, indicators), "runs") == [1, 2, 9, None]
    for wrong, message in (
        ({"of": "thn"}, "complete.of: indicator 'thn' not found"),
        ({"areas": "county"}, "complete.areas: 'county' is not one of the larger areas"),
        ({"column": "n"}, "'of' names an indicator; it goes without a table"),
        ({"of": ""}, "expected exactly one of 'source' and 'file'"),
        ({"of": "", "file": "runs.csv"}, "expected 'column', the table's totals, or 'of'"),
        ({"areas": ""}, "complete.areas: needed"),
        ({"lost_postcodes": "[A-Z][0-9]"}, "'lost_postcodes' goes alone"),
        ({"lost_postcodes": "[A-Z"}, "is no pattern"),
    ):
        indicators["runs"]["complete"] = whole | wrong
        with pytest.raises(StudyError, match=message):
            gather(tmp_path, indicators)


def test_a_rate_is_per_residents_and_shrinks_towards_its_district(tmp_path: Path) -> None:
    (tmp_path / "c.csv").write_text("code,n\nA,9\nB,6\nC,4\nD,0\n")
    plain = {"file": "c.csv", "column": "n", "per": "population", "out_of": 1000}
    found = gather(tmp_path, {"rate": plain})
    assert column(found, "rate") == [90.0, 20.0, 10.0, None]  # nobody lives in D
    assert found.standard_errors is None
    found = gather(tmp_path, {"rate": {**plain, "shrink": "district"}})
    expected = shrink_counts([9, 6, 4], [100, 300, 400], ["N", "N", "S"])
    np.testing.assert_allclose(found.values[:3, 0], 1000 * expected.value, rtol=1e-12)
    assert found.standard_errors is not None
    np.testing.assert_allclose(found.standard_errors[:3, 0], 1000 * expected.standard_error)
    assert np.isnan(found.values[3, 0])
    assert 20 < found.values[1, 0] < found.values[0, 0] < 90


POINTS = """name,latitude,longitude
Hall one,52.0,0.0
Hall two,52.0,0.02
"""


@pytest.mark.parametrize(
    ("spec", "error", "said"),
    [
        ({"file": "c.csv", "formula": "n +"}, StudyError, "formula 'n \\+' is not an expression"),
        ({"file": "c.csv", "formula": "SUM(n)"}, StudyError, "one a row"),
        ({"file": "c.csv", "formula": "m + 1"}, UnknownNameError, "column 'm' not found in c"),
        ({"file": "c.csv", "formula": "1 + 1"}, StudyError, "names no column"),
        ({"file": "c.csv", "formula": "read_csv('c.csv')"}, StudyError, "not an expression"),
        ({"formula": "rat + 1"}, StudyError, "indicator 'rat' not found; did you mean 'rate'"),
        ({"formula": "rate + 1"}, StudyError, "indicators.rate: rate -> rate leads back to itself"),
        ({"file": "c.csv", "column": "n", "per": "rate"}, StudyError, "rate -> rate leads back"),
        (
            {"file": "c.csv", "column": "n", "areas": "lsoa21", "complete": {
                "of": "rate", "areas": "lad24", "at_least": 0.9}},
            StudyError,
            "rate -> rate leads back to itself",
        ),
        ({"file": "c.csv", "column": "n", "out_of": 10}, StudyError, "goes with 'per'"),
        ({"file": "c.csv", "column": "n", "formula": "n"}, StudyError, "'column' and 'formula'"),
        ({"file": "c.csv"}, StudyError, "found none; expected exactly one of 'column'"),
        ({"file": "c.csv", "column": "n", "per": "people"}, StudyError, "'people' not found"),
        (
            {"file": "c.csv", "column": "n", "per": "population", "shrink": "county"},
            StudyError,
            "lie in no 'county'; expected one of: district",
        ),
        ({"file": "neg.csv", "column": "n", "per": "population", "shrink": "district"}, DataError, "rate: "),
        ({"reach": {"to": "library", "measure": "count"}}, StudyError, "needs 'within_m' or 'minutes'"),
        (
            {"reach": {"to": "library", "measure": "nearest", "out_of": 3}},
            StudyError,
            "goes with catchment",
        ),
        (
            {"reach": {"to": "library", "measure": "decay", "minutes": 10}},
            StudyError,
            "expected such as {law: exponential",
        ),
        (
            {"file": "c.csv", "reach": {"to": "library", "measure": "nearest"}},
            StudyError,
            "goes with 'column' or 'formula'",
        ),
    ],
)  # fmt: skip
def test_what_cannot_be_made_says_why(
    tmp_path: Path, spec: dict[str, Any], error: type[Exception], said: str
) -> None:
    (tmp_path / "c.csv").write_text("code,n\nA,9\nB,6\nC,4\nD,0\n")
    (tmp_path / "neg.csv").write_text("code,n\nA,-1\nB,6\nC,4\nD,0\n")
    with pytest.raises(error, match=said):
        gather(tmp_path, {"rate": spec})


PLACES = "name,kind,lon,lat\nHigh Street,library,0.01,52.00\nMill,library,0.01,52.003\n"
FEED = {
    "stops": "stop_id,stop_lat,stop_lon\nS,52.0,0.01\nT,52.0,0.016\n",
    "routes": "route_id,route_type\nR,3\n",
    "trips": "route_id,service_id,trip_id\nR,W,bus\n",
    "stop_times": "trip_id,arrival_time,departure_time,stop_id,stop_sequence\n"
    "bus,18:30:00,18:30:00,S,1\nbus,18:40:00,18:40:00,T,2\n",
    "calendar_dates": "service_id,date,exception_type\nW,20240305,1\n",
}


def gather_near(folder: Path, spec: dict[str, Any], areas: str = AREAS, **feed: str) -> Indicators:
    """Give an indicator of places and buses about the four places."""
    (folder / "places.csv").write_text(PLACES)
    (folder / "other.csv").write_text(areas)
    with zipfile.ZipFile(folder / "feed.zip", "w") as archive:
        for name, text in {**FEED, **feed}.items():
            archive.writestr(f"{name}.txt", text)
    columns = {"code": "code", "longitude": "lon", "latitude": "lat"}
    people = {"population": "people"} if "people" in areas else {}
    return gather(
        folder,
        {"near": spec},
        areas={"file": "other.csv", **columns, **people},
        access={"registers": [], "points": [{"file": "places.csv"}]},
    )


BUSES = {"file": "feed.zip", "date": "2024-03-05"}
LIBRARY = {"to": "library", "measure": "nearest"}
SWAPPED = AREAS.replace("lon,lat", "lat,lon")


def test_reach_and_timetables_of_four_places(tmp_path: Path) -> None:
    def found(**spec: Any) -> list[float | None]:
        return column(gather_near(tmp_path, spec), "near")

    count = {"to": "library", "measure": "count", "within_m": 500}
    assert found(reach=count) == [0, 2, 0, None]  # one of the two is at 334 m x 1.3
    share = {**count, "measure": "catchment", "out_of": 300}
    assert found(reach=share) == pytest.approx([0, 2, 0, None])
    assert found(timetable={**BUSES, "measure": "stops"}) == [0, 1, 0, None]
    evening = {"measure": "departures", "band": "evening"}
    assert found(timetable={**BUSES, **evening}) == [0, 1 / 4, 0, None]


@pytest.mark.parametrize(
    ("indicator", "access", "said"),
    [
        (
            {"reach": {**LIBRARY, "to": "vilage"}},
            {},
            "'vilage' not found; .*\nto list them all, type: commonweal places",
        ),
        (
            {"reach": LIBRARY},
            {"points": [{"file": "halls.csv"}]},
            "halls.csv: no row below the header",
        ),
        ({"reach": LIBRARY}, {"points": [{"file": "none.csv"}]}, "none.csv is not there"),
        ({"reach": LIBRARY}, {"maps": [{"file": "none.osm.pbf"}]}, "none.osm.pbf is not there"),
        ({"reach": LIBRARY}, {"maps": [{"source": "osm-rutlnd"}]}, "did you mean 'osm-rutland'"),
    ],
)
def test_a_check_looks_into_places_and_maps(
    tmp_path: Path, indicator: dict[str, Any], access: dict[str, Any], said: str
) -> None:
    (tmp_path / "halls.csv").write_text("name,kind,postcode\n")
    needs = {"need": {"children": {"near": {"indicator": "near"}}}}
    near = {"near": {"higher_is": "more", **indicator}}
    recipe = {
        "title": "One",
        "areas": "lsoa21",
        "access": access,
        "indicators": near,
        "index": needs,
    }
    study = parse_study(json.dumps(recipe), "one.yaml", "one", tmp_path)
    with pytest.raises(CommonwealError, match=said):
        check_files(study, Store(tmp_path / "cache", offline=True))


def test_check_refuses_a_kind_of_place_that_nothing_has(tmp_path: Path) -> None:
    """In the words of the run, where a study's own places are all that it reads."""
    (tmp_path / "areas.csv").write_text(AREAS, "utf-8")
    (tmp_path / "places.csv").write_text("name,kind,longitude,latitude\nA,pub,0,52\n", "utf-8")
    recipe = {
        "title": "One",
        "areas": {
            "file": "areas.csv", "code": "code", "population": "people", "longitude": "lon", "latitude": "lat",
        },
        "access": {"registers": [], "points": [{"file": "places.csv"}]},
        "indicators": {"near": {"higher_is": "more", "reach": LIBRARY}},
        "index": {"need": {"children": {"near": {"indicator": "near"}}}},
    }  # fmt: skip
    study = parse_study(json.dumps(recipe), "one.yaml", "one", tmp_path)
    store = Store(tmp_path / "cache", offline=True)
    said = []
    for refuse in (check_files, run):
        with pytest.raises(
            DataError, match=r"near: no place is a library, among the 1 of places"
        ) as error:
            refuse(study, store)
        said.append(str(error.value))
    assert said[0] == said[1]


@pytest.mark.parametrize(
    ("spec", "areas", "feed", "said"),
    [
        ({"reach": LIBRARY}, SWAPPED, {}, "places lie far from every area, .* are latitude and longitude swapped"),
        (
            {"reach": LIBRARY},
            AREAS.replace("52.00", "152", 1),
            {},
            "area A has longitude 0, latitude 152 in other.csv; expected -180 to 180",
        ),
        (
            {"reach": {**LIBRARY, "measure": "catchment", "minutes": 10}},
            AREAS.replace("people", "n"),
            {},
            "no population is given for 3 of the 4 areas of other.csv, such as A",
        ),
        (
            {"timetable": {**BUSES, "measure": "stops"}},
            SWAPPED,
            {},
            "feed.zip covers none of the areas: .* expected an area within 2 km of a stop",
        ),
        (
            {"timetable": {**BUSES, "measure": "stops"}},
            AREAS,
            {"stops": FEED["stops"].replace("0.01\n", "\n")},
            "feed.zip has no stop to board at, or none with a place",
        ),
        (
            {"timetable": {**BUSES, "measure": "stops", "band": "evening"}},
            AREAS,
            {},
            "band: goes with departures, not 'stops'",
        ),
        (
            {"timetable": {**BUSES, "measure": "departures", "band": "evenin"}},
            AREAS,
            {},
            "did you mean 'evening'",
        ),
    ],
)  # fmt: skip
def test_what_cannot_be_reached_anywhere_says_why(
    tmp_path: Path, spec: dict[str, Any], areas: str, feed: dict[str, str], said: str
) -> None:
    with pytest.raises(CommonwealError, match=said):
        gather_near(tmp_path, spec, areas, **feed)


def test_a_kind_that_is_nowhere_says_what_counts_and_what_was_searched(tmp_path: Path) -> None:
    with pytest.raises(DataError) as told:
        gather_near(tmp_path, {"reach": {"to": "shop", "measure": "nearest"}})
    first, second = str(told.value).split("\n")
    assert re.fullmatch(
        r"near: no place is a shop, among the \d+ of places.csv; expected at least one", first
    )
    assert second.startswith("what counts: Food or general shop; on a map shop=convenience, super")
