"""Tables as people have them: titles above the header, a second sheet, marks for what is missing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import xlsxwriter

from commonweal.errors import CommonwealError, StudyError
from commonweal.spec.study import load_study
from commonweal.study.check import check_files

if TYPE_CHECKING:
    from pathlib import Path

GAPS = {"null_values": ["-", "n/a"], "thousands": True}
TITLE = "Halls and incomes by place, 2026\n\n"


def council_csv(plain: str) -> str:
    """The table of indicators as a council saves it: a title, marks of gaps, commas in thousands."""
    lines = plain.splitlines()
    lines[0] = lines[0].replace("code", "place_code")
    lines[1] = "A01,-,20,0.5"
    lines[2] = "A02,n/a,19,0.5"
    lines[20] = 'A20,"1,020",1,0.5'
    return TITLE + "\n".join([*lines, "Total,,210,"]) + "\n"


def workbook(path: Path, csv: str, title_rows: int = 2) -> None:
    """Save a table on the second sheet of a workbook, under a title."""
    with xlsxwriter.Workbook(path) as book:
        book.add_worksheet("Read me").write(0, 0, "What this is")
        sheet = book.add_worksheet("Data")
        sheet.write(0, 0, "Halls and incomes")
        for row, line in enumerate(csv.splitlines(), start=title_rows):
            for column, cell in enumerate(line.split(",")):
                try:
                    sheet.write_number(row, column, float(cell))
                except ValueError:
                    sheet.write_string(row, column, cell)


def incomes(small: Any) -> list[float]:
    values: list[float] = small.run(draws=0).indicators["deprivation"].values[:, 0].tolist()
    return values


def refused(small: Any) -> str:
    with pytest.raises(CommonwealError) as error:
        check_files(load_study(small.study), small.store)
    return str(error.value)


def test_what_is_said_once_of_a_file_counts_for_all_that_refer_to_it(small: Any) -> None:
    small.write()
    plain = small.run(draws=0)
    small.indicators.write_text(council_csv(small.indicators.read_text("utf-8")), "utf-8")
    small.write(files={"indicators.csv": {"skip_rows": 2, "code": "place_code", **GAPS}})
    results = small.run(draws=0)
    values = results.indicators["deprivation"].values[:, 0]
    assert np.isnan(values[:2]).all()
    assert values[2:19].tolist() == list(range(3, 20))
    assert values[19] == 1020
    np.testing.assert_array_equal(
        results.indicators["community_needs"].values, plain.indicators["community_needs"].values
    )


def test_settings_stand_as_well_beside_the_file(small: Any) -> None:
    small.indicators.write_text(council_csv(small.indicators.read_text("utf-8")), "utf-8")
    once: dict[str, Any] = {"skip_rows": 2, "code": "place_code", **GAPS}
    small.write(
        **{f"indicators__{i}__{k}": v for i in ("income", "halls") for k, v in once.items()}
    )
    assert incomes(small)[19] == 1020


def test_a_second_sheet_is_read_and_one_workbook_may_hold_two_tables(small: Any) -> None:
    workbook(small.path / "book.xlsx", small.indicators.read_text("utf-8"))
    small.write(
        files={
            "figures": {"file": "book.xlsx", "sheet": "Data", "skip_rows": 2},
            "notes": {"file": "book.xlsx", "columns": ["note"]},
        },
        indicators__income__file="figures",
        indicators__halls__file="figures",
        indicators__unused={"file": "notes", "column": "note", "higher_is": "more"},
    )
    assert incomes(small) == list(range(1, 21))
    assert [s["path"] for s in small.run(draws=0).provenance["sources"]][-1] == "book.xlsx"


def test_a_results_folder_finds_a_workbook_by_its_short_name(small: Any, tmp_path: Path) -> None:
    workbook(small.path / "book.xlsx", small.indicators.read_text("utf-8"))
    once = {"figures": {"file": "book.xlsx", "sheet": "Data", "skip_rows": 2}}
    small.write(files=once, indicators__income__file="figures", indicators__halls__file="figures")
    moved = load_study(small.study).moved_to(tmp_path / "elsewhere" / "results")
    assert moved.indicators["income"].file == "figures"
    assert moved.files["figures"].file.endswith("/book.xlsx")


def test_all_that_is_no_number_is_told_at_once_with_its_rows(small: Any) -> None:
    text = council_csv(small.indicators.read_text("utf-8")).replace("A03,3,", "A03,<5,")
    small.indicators.write_text(text.replace("A04,4,17", "A04,4,-"), "utf-8")
    small.write(files={"indicators.csv": {"skip_rows": 2, "code": "place_code"}})
    said = refused(small).splitlines()
    assert len(said) == 2
    assert said[0].startswith("income: column 'income' of indicators.csv has ")
    assert "'-' (row 1), 'n/a' (row 2), '<5' (row 3) and '1,020' (row 20); expected" in said[0]
    assert 'say \'thousands: true\' and \'null_values: ["-", "n/a", "<5"]\'' in said[0]
    assert "halls: column 'halls' of indicators.csv has '-' (row 4); expected" in said[1]
    small.write(
        files={
            "indicators.csv": {
                "skip_rows": 2,
                "code": "place_code",
                "thousands": True,
                "null_values": ["-", "n/a", "<5"],
            }
        }
    )
    check_files(load_study(small.study), small.store)  # what was to be said is enough


@pytest.mark.parametrize(
    ("cells", "settings", "found", "say"),
    [
        (
            ["1,20", "1,2045", "13"],
            {"thousands": True},
            "'1,20' (row 1) and '1,2045' (row 2)",
            "'thousands: true' takes a comma only before three digits; say 'decimal: \",\"' in its place",
        ),
        (
            ["12,34,567", "1,204"],
            {"thousands": True},
            "'12,34,567' (row 1)",
            "before three digits; write '12,34,567' in the file",
        ),
        (["1.204", "57,1"], {"decimal": ","}, "'1.204' (row 1)", "say 'thousands: true'"),
        (
            ["1.204", "2.500"],  # 1.204 and 2.5 as they would be read without 'decimal'
            {"decimal": ","},
            "'1.204' (row 1) and '2.500' (row 2)",
            "say 'thousands: true'",
        ),
        (["57.1", "57,1"], {"decimal": ","}, "'57.1' (row 1)", "takes no point before decimals"),
        (["1.204,5"], {}, "'1.204,5' (row 1)", "say 'decimal: \",\"' and 'thousands: true' beside"),
        (["10%", "1 204", "£5"], {}, "'10%' (row 1)", "write '10%', '1 204', '£5' in the file"),
        (["NA", "#N/A", "-"], {}, "has '-' (row 3); expected", "say 'null_values: [\"-\"]'"),
    ],
)
def test_a_mark_of_thousands_or_decimals_stands_where_the_study_says(
    small: Any, cells: list[str], settings: dict[str, Any], found: str, say: str
) -> None:
    """Read by other marks a number would be ten or a thousand times another; what is said is what is wrong."""
    lines = [line.replace(",", ";") for line in small.indicators.read_text("utf-8").splitlines()]
    for row, cell in enumerate(cells, start=1):
        code, _, *rest = lines[row].split(";")
        lines[row] = ";".join([code, cell, *rest])
    small.indicators.write_text("\n".join(lines).replace("0.5", "1") + "\n", "utf-8")
    small.write(files={"indicators.csv": {"separator": ";", **settings}})
    said = refused(small)
    assert said.startswith(
        f"income: column 'income' of indicators.csv has {found.removeprefix('has ')}"
    )
    assert say in said
    with pytest.raises(CommonwealError) as error:
        small.run(draws=0)
    assert str(error.value) == said


def test_a_formula_does_not_take_text_for_numbers(small: Any) -> None:
    text = small.indicators.read_text("utf-8").replace(",", ";").replace("0.5", "1")
    lines = text.splitlines()
    lines[1:] = [line.replace(";", ";1.20", 1) for line in lines[1:]]
    small.indicators.write_text("\n".join(lines) + "\n", "utf-8")
    small.write(
        files={"indicators.csv": {"separator": ";", "decimal": ","}},
        indicators__income__column=None,
        indicators__income__formula="income",
    )
    assert "formula 'income' gives text" in refused(small)


def test_many_bad_values_are_capped_and_counted(small: Any) -> None:
    lines = small.indicators.read_text("utf-8").splitlines()
    lines[1:] = [line.replace(",", f",x{i % 9},", 1) for i, line in enumerate(lines[1:])]
    lines[1:] = [",".join(x for k, x in enumerate(line.split(",")) if k != 2) for line in lines[1:]]
    small.indicators.write_text("\n".join(lines) + "\n", "utf-8")
    small.write()
    said = refused(small)
    assert "'x0' (rows 1, 10 and 19)" in said
    assert "and 3 more values; expected" in said


def test_all_columns_that_are_missing_are_told_at_once(small: Any) -> None:
    small.write(indicators__income__column="incme", indicators__halls__column="hals")
    said = refused(small)
    assert said.startswith("columns 'incme' (did you mean 'income'?) and 'hals' (did you mean")
    assert "not found in indicators.csv; expected one of: code, halls, income, income_se" in said


@pytest.mark.parametrize("title", [TITLE, "Halls and incomes,,,\n,,,\n"])
def test_a_title_above_the_header_is_recognised(small: Any, title: str) -> None:
    small.indicators.write_text(title + small.indicators.read_text("utf-8"), "utf-8")
    small.write()
    assert "say 'skip_rows: 2' beside its name" in refused(small)
    small.write(files={"indicators.csv": {"skip_rows": 2}})
    check_files(load_study(small.study), small.store)


def test_the_sheet_and_row_of_a_header_are_named(small: Any) -> None:
    workbook(small.path / "book.xlsx", small.indicators.read_text("utf-8"))
    with xlsxwriter.Workbook(small.path / "two.xlsx") as book:
        book.add_worksheet("Read me").write_column(0, 0, ["What", "this", "is"])
        sheet = book.add_worksheet("Data")
        sheet.write(0, 0, "A title")
        for row, line in enumerate(small.indicators.read_text("utf-8").splitlines(), start=3):
            sheet.write_row(row, 0, line.split(","))
    both = ("indicators__income__file", "indicators__halls__file")
    small.write(**dict.fromkeys(both, "book.xlsx"))
    assert "there are also: Data (name one with 'sheet')" in refused(small)
    small.write(**dict.fromkeys(both, "two.xlsx"))
    assert "row 4 of sheet 'Data' names them: say 'sheet: Data' and 'skip_rows: 3'" in refused(
        small
    )


def test_a_file_that_nothing_refers_to_is_a_slip(small: Any) -> None:
    with pytest.raises(StudyError, match=r"files.indicator.csv: no 'file' of the study .*did you"):
        load_study(small.write(files={"indicator.csv": {"skip_rows": 2}}))


def test_the_column_of_codes_is_found_where_it_is_called_otherwise(small: Any) -> None:
    text = small.indicators.read_text("utf-8").replace("code,", "soa01,")
    small.indicators.write_text(text, "utf-8")
    small.write()
    assert incomes(small) == list(range(1, 21))


def test_check_tells_how_many_areas_have_a_value_and_what_is_left_aside(
    small: Any, tell: Any
) -> None:
    text = small.indicators.read_text("utf-8").replace("A03,3,", "A03,,")
    small.indicators.write_text(text + "Total,210,210,\n", "utf-8")
    small.write()
    said = tell("check", small.study)[1].splitlines()
    assert said[2:] == [
        "income: 19 of 20 areas have a value (indicators.csv); 'Total' is not an area of the study.",
        "halls: 20 of 20 areas have a value (indicators.csv); 'Total' is not an area of the study.",
    ]
    small.indicators.write_text(text + "".join(f"B{i},1,1,\n" for i in range(5)), "utf-8")
    said = tell("check", small.study)[1].splitlines()
    assert said[2].endswith("; 5 codes are not areas of the study: 'B0', 'B1', 'B2' and 2 more.")


def test_check_lists_twenty_columns_with_gaps_and_counts_the_rest(small: Any, tell: Any) -> None:
    names = [f"n{i:02d}" for i in range(23)]
    rows = [[f"A{k:02d}", *([str(k) if k > 1 else ""] * 23)] for k in range(1, 21)]
    table = "\n".join(map(",".join, [["code", *names], *rows]))
    (small.path / "many.csv").write_text(table + "\n", "utf-8")
    own = {name: {"file": "many.csv", "column": name, "higher_is": "more"} for name in names}
    small.write(
        **{f"indicators__{name}": spec for name, spec in own.items()},
        index__deprivation={"children": {name: {"indicator": name} for name in names}},
    )
    said = tell("check", small.study)[1].splitlines()
    assert [line for line in said if "19 of 20 areas have a value (many.csv)." in line] == said[
        2:22
    ]
    assert said[22:24] == ["(and 3 more)", "1 column has a value for every area."]


@pytest.mark.parametrize("where", ["", "where: {lad24: E06000001}\n"])
def test_check_says_what_it_could_not_see_without_the_areas(
    small: Any, tell: Any, tmp_path: Path, where: str
) -> None:
    (small.path / "own.csv").write_text("code,n\nE01011949,3\nE01011950,4\n", "utf-8")
    small.study.write_text(
        f"title: Own\nareas: lsoa21\n{where}"
        "indicators: {n: {file: own.csv, column: n, higher_is: more}}\n"
        "index: {needs: {children: {n: {indicator: n}}}}\n",
        "utf-8",
    )
    nowhere = {"COMMONWEAL_CACHE": str(tmp_path / "empty"), "COMMONWEAL_MIRROR": ""}
    code, said, complaint = tell("check", small.study, **nowhere)
    assert (code, complaint) == (0, "")
    assert said.splitlines()[1:] == [
        "Its 1 file has the columns and codes that it names.",
        "The areas are not on this machine, so this did not check "
        + ("'where' or " if where else "")
        + "how many areas have a value.",
    ]
    # The look of a code is known all the same.
    (small.path / "own.csv").write_text("code,n\nX1,3\n", "utf-8")
    code, _, complaint = tell("check", small.study, **nowhere)
    assert (code, "no code in column" in complaint) == (2, True)


def test_check_names_the_sources_that_are_not_on_this_machine(
    small: Any, tell: Any, tmp_path: Path
) -> None:
    nowhere = {"COMMONWEAL_CACHE": str(tmp_path / "empty"), "COMMONWEAL_MIRROR": ""}
    study = (
        "title: Published\nareas: lsoa21\n"
        "indicators: {n: {source: imd2025-lsoa21, column: IMD_rank, higher_is: less}}\n"
        "index: {needs: {children: {n: {indicator: n}}}}\n"
    )
    small.study.write_text(study, "utf-8")
    code, said, complaint = tell("check", small.study, **nowhere)
    assert (code, complaint) == (0, "")
    assert "did not look into them: imd2025-lsoa21. To have" in said
    assert "The areas are not on this machine" in said
    # Dates of residents are known without the tables.
    small.study.write_text(study + "population: mid-2032\n", "utf-8")
    code, _, complaint = tell("check", small.study, **nowhere)
    assert (code, "'mid-2032' not found; did you mean 'mid-2022'" in complaint) == (2, True)


@pytest.mark.parametrize("transform", ["min_max", "z_score"])
def test_check_refuses_a_constant_that_a_run_cannot_compare(small: Any, transform: str) -> None:
    lines = small.indicators.read_text("utf-8").splitlines()
    lines[1:] = [f"A{i:02d},5,{i},0.5" for i in range(1, 21)]
    small.indicators.write_text("\n".join(lines) + "\n", "utf-8")
    small.write(index__deprivation__transform=transform, index__deprivation__aggregate="arithmetic")
    said = refused(small)
    assert said.startswith("deprivation.income: ")
    with pytest.raises(CommonwealError) as error:
        small.run(draws=0)
    assert str(error.value) == said


def test_a_constant_that_ranks_take_is_told_by_check_and_run(small: Any, tell: Any) -> None:
    lines = small.indicators.read_text("utf-8").splitlines()
    lines[1:] = [f"A{i:02d},5,{i},0.5" for i in range(1, 21)]
    small.indicators.write_text("\n".join(lines) + "\n", "utf-8")
    small.write(index__deprivation__transform="percentile_rank")
    said = "in every area that has a value, so it does not tell them apart."
    assert f"income is 5 {said}" in tell("check", small.study)[1]
    assert f"is 5 {said}" in tell("run", small.study, "--draws", "0")[1]
    assert f"is 5 {said}" in (small.path / "results/study/report.html").read_text("utf-8")


def test_check_refuses_codes_of_no_area_in_the_table_of_a_rate(small: Any) -> None:
    text = small.indicators.read_text("utf-8").replace("\nA", "\nB")
    small.indicators.write_text(text, "utf-8")
    small.write(indicators__income__per="population")
    assert "income: no code of indicators.csv is one of the 20 " in refused(small)


def test_check_tells_all_bad_values_of_a_made_indicator_too(small: Any) -> None:
    text = small.indicators.read_text("utf-8").replace("A03,3,", "A03,-,")
    small.indicators.write_text(text, "utf-8")
    small.write(indicators__income__per="population")
    assert "column 'income' of indicators.csv has '-' (row 3); expected numbers" in refused(small)


def test_a_register_that_is_not_there_is_refused_before_anything_is_read(small: Any) -> None:
    with pytest.raises(StudyError, match=r"access.registers.0: register 'libaries-england' not"):
        load_study(small.write(access={"registers": ["libaries-england"]}))


@pytest.mark.slow
def test_remarks_below_a_sheet_are_left_out(small: Any) -> None:
    """They are no areas, and do not make text of the numbers above."""
    small.write()
    plain = incomes(small)
    csv = small.indicators.read_text("utf-8")
    workbook(small.path / "book.xlsx", csv.rstrip() + "\nTotal,210,210,\nSource: own counts,,,\n")
    said = {"sheet": "Data", "skip_rows": 2, "rows": 20}
    small.write(
        files={"book.xlsx": said},
        indicators__income__file="book.xlsx",
        indicators__halls__file="book.xlsx",
    )
    assert incomes(small) == plain
    found = check_files(load_study(small.study), small.store)
    assert [of.aside for of in found.coverage] == [(), ()]
    small.write(files={"book.xlsx": {**said, "rows": 40}}, indicators__income__file="book.xlsx")
    assert "book.xlsx: sheet 'Data': expected 40 rows, found 22" in refused(small)


@pytest.mark.parametrize(
    ("setting", "said"),
    [
        (
            {"sheet": "Data"},
            "'sheet' does nothing for a .csv file; expected it only with .xlsx, .xls",
        ),
        ({"layer": "a"}, "'layer' does nothing for a .csv file; expected it only with .gpkg, .shp"),
        ({"object": "a"}, "'object' does nothing for a .csv file; expected it only with .rda"),
        ({"member": "a"}, "'member' names a file in a zip; expected it only with .zip"),
    ],
)
def test_a_setting_that_would_do_nothing_is_refused(
    small: Any, setting: dict[str, str], said: str
) -> None:
    small.write(files={"indicators.csv": setting})
    assert f"indicators.csv: {said}" in refused(small)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        (
            "http://x.org/a.csv",
            "http://x.org/a.csv is an address; expected a file beside the study",
        ),
        (".", "'.' is a folder; expected a file"),
        ("~/indicators.csv", "~/indicators.csv is not there; expected a file of that name"),
    ],
)
def test_what_is_no_file_is_told_with_its_own_line(
    small: Any, tell: Any, name: str, said: str
) -> None:
    small.write(indicators__halls__file=name)
    line = 1 + small.study.read_text("utf-8").splitlines().index(f"    file: {name}")
    for command in ("check", "run"):
        code, _, complaint = tell(command, "study.yaml")
        assert code == 2
        assert complaint.startswith(f"commonweal: study.yaml, line {line}: {said}")


def test_a_file_that_is_not_there_is_told_with_its_line_and_the_nearest(
    small: Any, tell: Any
) -> None:
    small.write(indicators__halls__file="indicatrs.csv")
    text = small.study.read_text("utf-8").splitlines()
    line = 1 + next(n for n, said in enumerate(text) if "indicatrs.csv" in said)
    for command in ("check", "run"):
        code, _, said = tell(command, "study.yaml")
        assert (code, said) == (
            2,
            f"commonweal: study.yaml, line {line}: indicatrs.csv is not there; did you mean 'indicators.csv'?\n",
        )
