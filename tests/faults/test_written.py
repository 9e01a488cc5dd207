"""Hostile things in what people write: YAML, names, numbers beyond measure, and two areas only."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
import pytest

from commonweal.access.gtfs import open_feed
from commonweal.access.postcodes import load_postcodes
from commonweal.areas.summaries import summarise
from commonweal.errors import DataError
from commonweal.files.inputs import _loader, read_keys, read_strict
from commonweal.index.scales import z_score
from commonweal.invest.appraisal.green_book import welfare_weight
from commonweal.invest.parameters import read_number
from commonweal.papers.wealth.coefficients import read_weight
from commonweal.sources.catalogue import local_source
from commonweal.survey.read import as_text
from tests.faults.test_inputs import outlines, refused

if TYPE_CHECKING:
    from pathlib import Path

MERGED = "\n".join(
    ["b0: &b0 {" + ", ".join(f"k{i}: 1" for i in range(20)) + "}"]
    + [f"b{i}: &b{i} {{<<: [{','.join([f'*b{i - 1}'] * 10)}], z: 1}}" for i in range(1, 9)]
)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('title: !!int ""', "line 1: not valid YAML: '' is not a valid int"),
        ('title: !!float ""', "'' is not a valid float"),
        ("title: !!map [a]", "is not a valid map"),
        ('a: 1\ntitle: "\\U00110000"', "line 2: not valid YAML: a character that Unicode does not"),
        ('title: "\\ud800"', "a character that no page can show"),
        ('title: "a\\0b"', "a character that no page can show"),
        ("a: 0x" + "f" * 5000, "line 1: not valid YAML: a whole number of 5,002 digits"),
        ("a: " + "9" * 5000, "is not a valid int"),
        ("a: " + "9" * 400, "a whole number of 400 digits; expected at most 18"),
        (MERGED, "line 4: not valid YAML: more than 10,000 keys are merged"),
        ("a: &a {<<: *a}", "lie in each other too deep"),
        ("a: " + "[" * 5000, "lie in each other too deep"),
        (
            "1: 2",
            "x.yaml, line 1: the key 1 is not text (put it in quotes); expected keys such as title",
        ),
        ("title:\ty\n1: x", "x.yaml, line 2: the key 1 is not text"),
        ("title: [a?]\n1: x", "x.yaml, line 2: the key 1 is not text"),
        ("title: |#x\n  y", "line 1: not valid YAML: expected chomping or indentation indicators"),
    ],
)
def test_yaml_that_trips_its_reader(text: str, expected: str) -> None:
    with pytest.raises(DataError) as caught:
        read_keys(text, "x.yaml", "title")
    assert expected in str(caught.value)
    assert str(caught.value).startswith("x.yaml")
    assert len(str(caught.value)) < 1000


@pytest.mark.parametrize(
    "text", ["a: !", "a: ! #c", "a: [! , b]", "a: !\nb: 1", "a: ! 5", "a: Go!\n"]
)
def test_compiled_or_not_the_same_is_read(text: str) -> None:
    assert read_strict(text) == _loader()(text).get_single_data()


def test_keys_that_are_merged_once_are_read() -> None:
    found = read_keys("a: &a {x: 1, y: 2}\nb: {<<: *a, y: 3}", "x.yaml", "a")
    assert found["b"] == {"x": 1, "y": 3}


def test_a_number_as_a_key_of_coefficients(tmp_path: Path) -> None:
    (tmp_path / "own.yaml").write_text("1: 2\nb: 0.5\n", "utf-8")
    with pytest.raises(
        DataError,
        match=r"own\.yaml, line 1: the key 1 is not text \(put it in quotes\); expected keys such as b",
    ):
        read_weight(str(tmp_path / "own.yaml"))


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"index__deprivation__transform": ["a"]}, ["transform", "['a']", "not found"]),
        ({"index__deprivation__transform": [["a"]]}, ["transform", "not found"]),
        ({"areas__file": "a" * 300 + ".csv"}, ["aaa.csv is not there"]),
        ({"indicators__income__file": "b" * 300 + ".csv"}, ["bbb.csv is not there"]),
        ({"index__deprivation__children__income__weight": 1e-320}, ["weight", "found 1e-320"]),
        ({"index__deprivation__children__income__weight": 1e308}, ["weight", "1000000000000"]),
        ({"indicators__income__column": "i" * 100_000}, ["letters left out", "not found"]),
    ],
)
def test_a_study_that_asks_for_what_cannot_be(
    small: Any, tell: Any, changes: dict[str, Any], expected: list[str]
) -> None:
    small.write(**changes)
    refused(small, tell, *expected)


def test_a_study_of_a_name_that_is_too_long(tell: Any) -> None:
    for command in ("check", "run", "survey"):
        code, _, complaint = tell(command, "a" * 300 + ".yaml")
        assert code == 2
        assert len(complaint.splitlines()) == 1


@pytest.mark.parametrize(
    ("file", "old", "new", "expected"),
    [
        ("areas", "A03,Place 3,300,", "A03,Place 3,1e300,", ["area A03 has population 1e+300"]),
        ("areas", "A03,Place 3,300,", "A03,Pl\0ace 3,300,", ["area 'A03' has name 'Pl\\x00ace 3'"]),
        ("areas", "A03,Place 3,300,N,", "A03,Place 3,300,N\x1b,", ["has district 'N\\x1b'"]),
        ("indicators", "A03,3,", "A03,1e308,", ["income: area A03 has a value beyond 1e+60"]),
        ("indicators", "A03,3,", "A03,-1.7e308,", ["income: area A03 has a value beyond 1e+60"]),
        ("indicators", "A03,3,", f"A03,{'x' * 3_000_000},", ["letters left out", "income"]),
        ("indicators", "code,income", f"code,{'y' * 100_000}", ["'income' not found"]),
    ],
)
def test_a_table_with_what_cannot_be(
    small: Any, tell: Any, file: str, old: str, new: str, expected: list[str]
) -> None:
    small.replace(getattr(small, file), old, new)
    small.write(index__deprivation__transform={"min_max": {"low": 0, "high": 1}})
    refused(small, tell, *expected)


@pytest.mark.parametrize(
    ("properties", "type_"),
    [
        ({"m": [1, [2]] * 10}, pl.String),
        ({"m": [{}] * 20}, pl.String),
        ({"m": [{"a": [1]}, "b"] * 10}, pl.String),
        ({"m": [1, 2.5] * 10}, pl.Float64),
    ],
)
def test_properties_of_outlines_that_are_no_cells(
    small: Any, properties: dict[str, Any], type_: Any
) -> None:
    """Those that are not asked for are in nobody's way."""
    outlines(small, **properties)
    assert small.run(draws=0).boundaries["geometry"].null_count() == 0
    table = small.store.table(local_source(small.path / "shapes.geojson"))
    assert table["m"].dtype == type_


@pytest.mark.parametrize(
    "change",
    [
        lambda content: content.update(features="x"),
        lambda content: content["features"].append(3),
        lambda content: content["features"][0].update(properties=[1]),
        lambda content: content["features"][0].pop("geometry"),
        lambda content: content["features"][0].update(geometry=5),
        lambda content: content["features"][0].update(geometry={"type": "Circle"}),
        lambda content: content["features"][0]["geometry"].update(coordinates=[[[0]]]),
    ],
)
def test_outlines_that_are_none(small: Any, tell: Any, change: Any) -> None:
    outlines(small, change)
    refused(small, tell, "shapes.geojson")


def test_outlines_nested_a_hundred_thousand_deep(small: Any, tell: Any) -> None:
    outlines(small)
    deep = "[" * 100_000 + "]" * 100_000
    text = json.dumps({"type": "FeatureCollection", "features": [0]}).replace("0", deep)
    (small.path / "shapes.geojson").write_text(text, "utf-8")
    refused(small, tell, "shapes.geojson: not JSON, or cut short")


def test_two_areas_with_min_max(small: Any, tell: Any) -> None:
    """The worst one is selected, and what would change it is told."""
    small.areas.write_text("code,name,population\nA01,One,10\nA02,Two,20\n", "utf-8")
    small.indicators.write_text("code,income,halls\nA01,1,5\nA02,3,7\n", "utf-8")
    scale = {"transform": {"min_max": {"low": 1, "high": 100}}, "aggregate": "arithmetic"}
    children = {"income": {"indicator": "income"}, "halls": {"indicator": "halls", "weight": 0.5}}
    small.write(
        areas__parents={},
        index={"deprivation": {**scale, "children": children}},
        designate={"priority": {"index": "deprivation", "worst": 1}},
        certainty=None,
    )
    results = small.run()
    assert results.scores["deprivation"].score.tolist() == pytest.approx([34.0, 67.0])
    assert results.designations["priority"].selected.tolist() == [False, True]
    assert tell("run", small.study, "--out", small.path / "out")[0] == 0


def test_larger_areas_of_which_no_area_has_a_score() -> None:
    """A system that ships may be wider than a table: none of its regions is among the areas scored."""
    people, none = np.ones(2), np.array([np.nan, np.nan])
    table = summarise(["R1", "R2"], people, none, none)
    assert table.is_empty()
    assert table.schema["code"] == pl.String


@pytest.mark.parametrize(
    "number",
    [10**400, 1e300, {"normal": [1e300, 1]}, {"uniform": [0, 10**400]}, {"normal": [0, 1], "within": [-(10**400), 1]}],
)  # fmt: skip
def test_a_number_of_an_appraisal_without_measure(number: Any) -> None:
    with pytest.raises(ValueError, match=r"beyond 1e\+15"):
        read_number(number)


def test_a_welfare_weight_without_end() -> None:
    with pytest.raises(DataError, match="elasticity of 1000 make a weight without end"):
        welfare_weight(1e6, 1.0, 1000.0)


def test_values_whose_differences_have_no_squares() -> None:
    with pytest.raises(DataError, match="z-score of a constant"):
        z_score([1e-200, 2e-200, 3e-200])


def test_values_of_a_survey_that_are_no_whole_numbers() -> None:
    assert as_text(pl.Series([3e77, 1.0])).to_list() == ["3e+77", "1.0"]
    assert as_text(pl.Series([3.0, 1.0])).to_list() == ["3", "1"]


def test_a_timetable_with_a_cell_without_end(tmp_path: Path) -> None:
    (tmp_path / "stops.txt").write_text("stop_id," + "x" * 200_000 + "\n", "utf-8")
    with (
        open_feed(tmp_path, lambda *_: None) as feed,
        pytest.raises(DataError, match=r"stops\.txt"),
    ):
        feed.scan("stops")


def test_a_directory_of_postcodes_that_is_no_table(tmp_path: Path) -> None:
    file = tmp_path / "codes.csv"
    file.write_text('pcds,oseast1m,osnrth1m\nAB1 2CD,1,2,3,4\n"x\n', "utf-8")
    with pytest.raises(DataError, match=r"codes\.csv: not a table that can be read"):
        load_postcodes(file)


def test_a_message_is_never_longer_than_a_page() -> None:
    error = DataError(f"areas.csv: column 'a' has '{'x' * 3_000_000}'; expected numbers")
    assert str(error).startswith("areas.csv: column 'a' has 'xxx")
    assert str(error).endswith("xxx'; expected numbers")
    assert "letters left out" in str(error)
    assert len(str(error)) < 1000
    assert len(str(DataError("\n".join(map(str, range(10_000)))))) < 1000
