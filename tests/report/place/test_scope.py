"""Which places a pack is about."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from commonweal.access.postcodes import load_postcodes
from commonweal.chart.map import Shapes
from commonweal.errors import CommonwealError
from commonweal.report.study.folder import write_results
from commonweal.study.names import codes_in, file_name, find_scope
from commonweal.study.postcodes import postcode_finder

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import Small

    from commonweal.study.results import Results


def test_nothing_is_everything(demo: Results) -> None:
    scope = find_scope(demo.areas, [])
    assert scope.whole
    assert len(scope.rows) == 400
    assert not scope.named.any()


def test_a_larger_area_and_places_beside_it(demo: Results) -> None:
    areas = demo.areas
    inside = areas.table.with_row_index().filter(areas.table["district_name"] == "Vesselhoe")
    other = next(i for i, d in enumerate(areas.table["district_name"]) if d != "Vesselhoe")
    scope = find_scope(areas, ["vesselhoe", areas.codes[other]])
    assert set(scope.rows.tolist()) == {*inside["index"].to_list(), other}
    assert scope.rows[scope.named].tolist() == [other]
    assert scope.title == f"Vesselhoe and {areas.table['name'][other]}"
    by_code = find_scope(areas, [inside["district"][0]])
    assert by_code.rows.tolist() == inside["index"].to_list()


def test_one_place_by_name_is_a_single(demo: Results) -> None:
    scope = find_scope(demo.areas, [demo.areas.table["name"][7]])
    assert scope.single
    assert scope.rows.tolist() == [7]
    assert find_scope(demo.areas, [demo.areas.codes[7]] * 3).rows.tolist() == [7]


def test_a_larger_area_of_one_place_is_no_single(small: Small) -> None:
    text = small.areas.read_text("utf-8").replace(
        "A20,Place 20,2000,S,Southside", "A20,Place 20,2000,E,East"
    )
    small.areas.write_text(text, "utf-8")
    areas = small.run(draws=0).areas
    assert not find_scope(areas, ["East"]).single
    assert find_scope(areas, ["A20"]).single


def test_wrong_names_are_told_with_the_nearest(demo: Results) -> None:
    with pytest.raises(
        CommonwealError,
        match="no neighbourhood or larger area 'Veselhoe'; did you mean 'Vesselhoe'",
    ):
        find_scope(demo.areas, ["Veselhoe"])


def test_a_name_that_shares_a_word_with_an_authority_is_told_that_one(demo: Results) -> None:
    with pytest.raises(
        CommonwealError, match=r"expected a name or code, .* of a district: Vesselhoe$"
    ):
        find_scope(demo.areas, ["Greater Metropolitan Vesselhoe"])
    with pytest.raises(CommonwealError, match=r"of a district: \w+.*, .*Vesselhoe"):
        find_scope(demo.areas, ["zzzz"])


def test_a_name_of_several_larger_areas_asks_for_a_code(small: Small) -> None:
    text = (
        small.areas.read_text("utf-8")
        .replace("N,Northside", "N,Side")
        .replace("S,Southside", "S,Side")
    )
    small.areas.write_text(text, "utf-8")
    with pytest.raises(CommonwealError, match="'Side' is the name of 2 districts: N, S"):
        find_scope(small.run(draws=0).areas, ["Side"])


def test_the_region_of_a_name_goes_before_a_ward_of_it(small: Small) -> None:
    lines = small.areas.read_text("utf-8").splitlines()
    rows = [
        f"{row},W{i % 4},{'North East' if i % 4 == 0 else i % 4}" for i, row in enumerate(lines[1:])
    ]
    rows = [f"{row},R{i // 10},{'North East' if i < 10 else 'South'}" for i, row in enumerate(rows)]
    small.areas.write_text("\n".join([f"{lines[0]},w,wn,r,rn", *rows]) + "\n", "utf-8")
    study = small.write(
        areas__parents={
            "district": ["district", "district_name"],  # stands for the authority: it comes first
            "ward": ["w", "wn"],
            "region": ["r", "rn"],
        }
    )
    areas = small.run(study, draws=0).areas
    assert find_scope(areas, ["north east"]).rows.tolist() == list(range(10))
    assert find_scope(areas, ["W0"]).rows.tolist() == [0, 4, 8, 12, 16]


def test_lists_of_codes(tmp_path: Path) -> None:
    file = tmp_path / "list.csv"
    file.write_text('\ufeffward code,name\nE1,One\n\n"E2", Two\n', "utf-8")
    assert codes_in(file) == ["E1", "E2"]
    file.write_text("E1\nE2\n", "utf-8")
    assert codes_in(file) == ["E1", "E2"]
    file.write_text("code\n", "utf-8")
    with pytest.raises(CommonwealError, match="holds none"):
        codes_in(file)
    with pytest.raises(CommonwealError, match=r"no such\.csv is not there"):
        codes_in(tmp_path / "no such.csv")
    plain = tmp_path / "list.txt"
    plain.write_text("Codeford\nSeaton, Devon\n", "utf-8")
    assert codes_in(plain) == ["Codeford", "Seaton, Devon"]


def test_a_postcode_is_in_the_area_around_it(demo: Results, tmp_path: Path) -> None:
    import pyproj

    row = 123
    shapes = Shapes(demo.areas, demo.boundaries, demo.outline)
    x, y = shapes.points[row]
    assert pyproj  # the county lies on the National Grid, as its plane shows
    file = tmp_path / "directory.csv"
    file.write_text(
        f"pcds,oseast1m,osnrth1m\nQS1 1AA,{x:.0f},{y:.0f}\nQS9 9ZZ,100000,10000\n", "utf-8"
    )
    find = postcode_finder(demo.areas, demo.boundaries, file)
    scope = find_scope(demo.areas, ["qs11aa"], find)
    assert scope.rows.tolist() == [row]
    with pytest.raises(CommonwealError, match="QS9 9ZZ lies in none of the areas"):
        find("QS9 9ZZ")
    with pytest.raises(CommonwealError, match="QS2 2BB: unknown"):
        find("QS2 2BB")
    with pytest.raises(CommonwealError, match="looks like a postcode"):
        find_scope(demo.areas, ["QS1 1AA"])


def test_show_finds_a_postcode_in_the_outlines_of_its_results(
    demo: Results, tell: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_results(demo, tmp_path / "results" / "demo")
    x, y = Shapes(demo.areas, demo.boundaries, demo.outline).points[123]
    file = tmp_path / "directory.csv"
    file.write_text(f"pcds,oseast1m,osnrth1m\nQS1 1AA,{x:.0f},{y:.0f}\n", "utf-8")
    directory = load_postcodes(file)
    monkeypatch.setattr("commonweal.study.postcodes.load_postcodes", lambda *_: directory)
    for read_again in ("study_shapes", "study_areas"):
        monkeypatch.setattr(
            f"commonweal.study.fingerprint.{read_again}",
            lambda *_, **__: pytest.fail("it was read again"),
        )
    code, said, _ = tell("show", "QS1 1AA", "--study", "demo", "--draws", "0")
    assert code == 0
    assert demo.areas.codes[123] in said.splitlines()[1]


@pytest.mark.parametrize(
    "code", ["../../etc/passwd", "a/b", "..", "C:\\x", "", "Ä", "e1", "x" * 300]
)
def test_names_of_files_lead_nowhere_else(code: str) -> None:
    name = file_name(code)
    assert name.replace("-", "").isalnum()
    assert name.isascii()
    assert len(name) < 60


def test_names_of_files_differ_where_codes_do() -> None:
    codes = ["E01", "e01", "E 01", "E-01", "E/01", "é01"]
    assert len({file_name(c).casefold() for c in codes}) == len(codes)
