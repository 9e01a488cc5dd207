"""The workbook, opened by another library."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import openpyxl
import pandas as pd
import polars as pl
import pytest

from commonweal.document.xlsx import sheet_name
from commonweal.report.study.larger_areas import larger_areas

if TYPE_CHECKING:
    from pathlib import Path

    from openpyxl import Workbook

    from commonweal.study.results import Results


@pytest.fixture(scope="module")
def book(folder: Path) -> Workbook:
    return openpyxl.load_workbook(folder / "results.xlsx")


def test_sheets(book: Workbook) -> None:
    assert book.sheetnames == [
        "Cover", "Notes", "By_province", "On_the_list", "Just_outside", "By_district", "Checks", "Differences",
        "Indices", "Sources", "Areas", "Domains", "Indicator_values", "Larger_areas", "Indicators",
        "Map_priority", "Drivers_priority_1", "Recalculations_priority", "Ranks_priority_1", "Ranks_priority_2",
    ]  # fmt: skip


def test_names_that_excel_forbids_are_made_ones_that_it_takes() -> None:
    used: set[str] = set()
    names = [
        sheet_name(f"By_{word}", used)
        for word in ("a/b:c", "a[b]?*\\c", "it's", "x" * 40, "X" * 40)
    ]
    assert names == ["By_a_b_c", "By_a_b_c_2", "By_it_s", "By_" + "x" * 28, "By_" + "X" * 26 + "_2"]


def test_a_name_that_is_too_long_is_cut_behind_a_word() -> None:
    used: set[str] = set()
    wanted = "Uncertainty_most_deprived_neighbourhoods"
    names = [sheet_name(f"{wanted}_{year}", used) for year in (2019, 2025)]
    assert names == ["Uncertainty_most_deprived", "Uncertainty_most_deprived_2"]


def test_every_sheet_has_one_plain_table(book: Workbook) -> None:
    for sheet in book:
        assert sheet["A1"].value
        assert not sheet.merged_cells.ranges
        if sheet.title == "Just_outside" and not sheet.tables:
            continue
        (table,) = sheet.tables.values()
        rows = sheet[table.ref]
        headers = [cell.value for cell in rows[0]]
        assert all(isinstance(h, str) and h for h in headers)
        assert len({h.casefold() for h in headers}) == len(headers)
        assert all(any(cell.value is not None for cell in row) for row in rows), "a blank row"
        for column in zip(*rows, strict=True):
            assert any(cell.value is not None for cell in column[1:]), "a blank column"
        assert table.ref.split(":")[1] == sheet.dimensions.split(":")[1], (
            "something beside the table"
        )
        if sheet.title != "Cover":
            assert sheet.freeze_panes == "A2"
            assert table.ref.startswith("A1:")


def test_no_formulas_whatever_a_name_starts_with(book: Workbook) -> None:
    kinds = {cell.data_type for sheet in book for row in sheet for cell in row}
    assert "f" not in kinds
    names = [row[1].value for row in book["On_the_list"].iter_rows(min_row=2)]
    assert '=HYPERLINK("http://example.org")' in names
    assert {"+44 & Sons", "@cmd", "-1+1", "<script>alert('x')</script>"} <= set(names)
    everyone = [row[1].value for row in book["Areas"].iter_rows(min_row=2)]
    assert {*names} <= {*everyone}, "the sheet that is written another way says the same"


def test_all_areas_with_their_numbers(book: Workbook, results: Results) -> None:
    sheet = book["Areas"]
    headers = [cell.value for cell in sheet[1]]
    assert headers == [
        "Code", "Name", "District", "Province", "Population", "Need: rank", "Need: decile", "Community: rank",
        "Community: decile", "Result", "Ranks inside the cut-off", "Recalculations on the list", "Certainty",
    ]  # fmt: skip
    rows = [[cell.value for cell in row] for row in sheet.iter_rows(min_row=2)]
    assert [row[0] for row in rows] == results.areas.codes
    assert [row[4] for row in rows] == results.areas.table["population"].to_list()
    assert [row[5] for row in rows] == results.scores["need"].rank.tolist()
    assert rows[50][7] is None, "an area without a score has an empty cell"
    assert [row[11] for row in rows] == pytest.approx(
        results.certainty["priority"].selected, abs=1e-6
    )
    assert {sheet.cell(r, 12).number_format for r in range(2, 62)} == {"0.0%"}
    assert {sheet.cell(r, 5).number_format for r in range(2, 62)} == {"#,##0"}


def test_selected_in_order_of_rank(book: Workbook, results: Results) -> None:
    d = results.designations["priority"]
    rows = list(book["On_the_list"].iter_rows(min_row=2, values_only=True))
    assert {row[0] for row in rows} == set(results.areas.table["code"].filter(d.selected))
    ranks = [row[5] for row in rows]
    assert ranks == sorted(ranks)


def test_differences_have_margins(book: Workbook) -> None:
    sheet = book["Differences"]
    headers = [cell.value for cell in sheet[1]]
    assert {
        "Difference",
        "Need: ranks inside the cut-off",
        "Community: ranks inside the cut-off",
        "Ranks inside the cut-off",
    } <= set(headers)
    assert "V020" in [row[1] for row in sheet.iter_rows(min_row=2, values_only=True)]


def test_properties_and_contents(book: Workbook, results: Results) -> None:
    assert book.properties.title == results.study.title
    cover = book["Cover"]
    linked = [c.hyperlink.location for row in cover for c in row if c.hyperlink]
    assert linked == [f"'{name}'!A1" for name in book.sheetnames[1:]]
    assert "A fictional place." in [c.value for c in cover["A"]]


def test_others_read_it_as_it_is(folder: Path, results: Results) -> None:
    """The header is in the first row of every sheet but the cover."""
    path = folder / "results.xlsx"
    frame = pl.read_excel(path, sheet_name="Areas")
    assert len(frame) == 60
    assert frame["Population"].sum() == sum(range(100, 160))
    sheets = pd.read_excel(path, sheet_name=None)
    assert next(iter(sheets)) == "Cover"
    for name, sheet in list(sheets.items())[1:]:
        assert not [c for c in sheet.columns if str(c).startswith("Unnamed")], name
    assert list(sheets["Areas"]["Code"]) == results.areas.codes


def test_domains_and_indicators_of_every_area(folder: Path, results: Results) -> None:
    path = folder / "results.xlsx"
    ranks = pl.read_excel(path, sheet_name="Domains")
    assert ranks["Code"].to_list() == results.areas.codes
    assert ranks.columns == [
        "Code", "Name", *(
            f"{results.label(index)}: {results.label(domain)}: rank"
            for index, scores in results.scores.items() for domain in scores.domains
        ),
    ]  # fmt: skip
    values = pl.read_excel(path, sheet_name="Indicator_values")
    wanted = pl.read_parquet(folder / "indicators.parquet")
    for about, k in ((m, k) for i in results.indicators.values() for k, m in enumerate(i.meta)):
        index = next(i for i in results.indicators.values() if about in i.meta)
        assert values[about.label].to_numpy() == pytest.approx(index.values[:, k], nan_ok=True)
        assert wanted[about.name].null_count() == values[about.label].null_count()


def test_people_of_a_larger_area_are_added_up_where_all_are_known(results: Results) -> None:
    table = results.areas.table
    first = pl.col("code") == table["code"][0]
    gap = table.with_columns(population=pl.when(~first).then("population"))
    areas = replace(results.areas, table=gap)
    before, after = (
        dict(larger_areas(r).frame.select("Code", "Population").iter_rows())
        for r in (results, replace(results, areas=areas))
    )
    around = {table[parent][0] for parent in results.areas.parents}
    assert {code for code, n in after.items() if n is None} == around
    assert all(after[code] == n for code, n in before.items() if code not in around)
