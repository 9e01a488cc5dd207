"""A report is told once: its page, PDF, workbook and tables say the same."""

from __future__ import annotations

import csv
import io
import json
import re
from typing import TYPE_CHECKING, Any

import openpyxl
import polars as pl
import pypdf
import pytest
from pypdf.generic import NameObject
from tests.pdf_ua import elements, pdf_ua_faults

from commonweal.chart.theme import svg
from commonweal.document import Document, Section, Table
from commonweal.document.data import document_data
from commonweal.document.model import Chart, Figure, TableData
from commonweal.document.pdf import document_pdf
from commonweal.document.text import document_lines
from commonweal.document.write import source_lines, write_document
from commonweal.errors import CommonwealError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

NUMBERS = TableData(
    pl.DataFrame({"Place": ["=Tarn", "Fell", "Mere"], "People": [1200, 900, 30], "Trust": [0.5, 0.25, None]}),
    frozenset({"Trust"}),
)  # fmt: skip


def told(**more: object) -> Document:
    chart = Chart(
        "bars", "Bars <b>", "Longer is more.", svg("bars", "Bars", "Longer", 10, 10, []), NUMBERS
    )
    section = Section(
        "What was found",
        text=("People trust each other in Tarn & Fell.",),
        charts=(chart,),
        tables=(Table("places", "Every place", NUMBERS, "A row each.", rows=2),),
        warnings=("It is fictional.",),
        points=("One point.",),
        figures=(
            Figure("gain", "Gain a year", 1234.5, "£1,234", "GBP", 900.0, 1600.0, "£900 to £1,600"),
            Figure("unknown", "Gain for each person", float("nan"), "not known"),
        ),
    )
    base: dict[str, object] = {
        "name": "trial",
        "title": "Trust in the dale",
        "heading": "Three places",
        "answer": ("Half of Tarn trusts.",),
        "sections": (section,),
        "assumptions": ("That trust is worth something.",),
        "works": ("local-trust-2019",),
        "sources": source_lines(["trust-world"]),
        "account": (("seed", 7),),
    }
    return Document(**{**base, **more})  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_document(told(), tmp_path_factory.mktemp("told") / "trial")


def test_the_page_tells_all_of_it_and_asks_for_nothing(folder: Path) -> None:
    page = (folder / "report.html").read_text("utf-8")
    for said in ("Half of Tarn trusts.", "Tarn &amp; Fell", "One point.", "It is fictional."):
        assert said in page
    assert "We did not verify these" in page
    assert "Bars &lt;b&gt;" in page
    assert "default-src 'none'" in page
    assert "<script" not in page


def test_a_figure_is_in_every_file_and_unrounded_for_programs(folder: Path) -> None:
    assert "<dt>Gain a year</dt><dd><strong>£1,234</strong>" in (folder / "report.html").read_text(
        "utf-8"
    )
    paper = pypdf.PdfReader(folder / "report.pdf")
    assert "Gain a year £1,234 £900 to £1,600" in " ".join(
        " ".join(p.extract_text() for p in paper.pages).split()
    )
    assert "  Gain a year: £1,234 (£900 to £1,600)" in list(document_lines(told()))
    notes = openpyxl.load_workbook(folder / "report.xlsx")["Notes"]
    assert "Gain a year: £1,234 (£900 to £1,600)" in [
        row[1].value for row in notes.iter_rows(min_row=2)
    ]
    data = json.loads((folder / "report.json").read_text("utf-8"))
    assert data["figures"]["gain"] == {
        "label": "Gain a year", "value": 1234.5, "unit": "GBP", "low": 900.0, "high": 1600.0,
    }  # fmt: skip
    assert data["figures"]["unknown"]["value"] is None


def test_a_share_in_a_csv_file_stands_under_no_percent_sign() -> None:
    """0.93 below '% of others' would be read as less than 1%."""
    heads = ["Worse off than (% of others)", "Gwaeth na (% o'r lleill)", "Share"]
    frame = pl.DataFrame({"Place": ["A"], **{head: [0.93] for head in heads}})
    table = TableData(frame, frozenset(heads))
    assert table.csv().decode().splitlines() == [
        "Place,Worse off than (share of others),Gwaeth na (cyfran o'r lleill),Share",
        "A,0.93,0.93,0.93",
    ]
    assert table.cells() == [("A", "93%", "93%", "93%")]


def test_a_table_keeps_to_the_terminal_or_is_a_list() -> None:
    words = {"Place": ["Skellingthorpe and the fens around it"], "Rank": ["1,361 of 33,755"]}
    numbers = {f"Share of part {k} of the whole": [0.5] for k in range(4)}
    shown = TableData(pl.DataFrame({**words, **numbers}), frozenset(numbers))
    section = Section("All", tables=(Table("all", "All places", shown),))
    document = told(sections=(section,), within="The study")

    def lines(width: int | None) -> list[str]:
        found = list(document_lines(document, width=width))
        assert found[2] == "The study"
        start = found.index("  All places") + 1
        return found[start : found.index("", start)]

    assert lines(None)[-1] == (
        "    Skellingthorpe and the fens around it  1,361 of 33,755       50%       50%       50%       50%"
    )
    narrow = lines(80)
    assert max(map(len, narrow)) <= 80
    assert narrow[-2].endswith("1,361 of 33,755       50%       50%       50%       50%")
    assert [row[:24].strip() for row in narrow[-2:]] == ["Skellingthorpe and", "the fens around it"]
    assert lines(60) == [
        "    Skellingthorpe and the fens around it; Rank: 1,361 of 33,755; Share of part 0 of the whole: 50%; "
        "Share of part 1 of the whole: 50%; Share of part 2 of the whole: 50%; Share of part 3 of the whole: 50%"
    ]


def test_a_document_as_data_has_all_rows_by_the_names_of_columns() -> None:
    data = document_data(told())
    assert data["report"] == "trial"
    assert data["seed"] == 7
    assert data["answer"] == ["Half of Tarn trusts."]
    assert data["tables"]["places"] == [
        {"place": "=Tarn", "people": 1200, "trust": 0.5},
        {"place": "Fell", "people": 900, "trust": 0.25},
        {"place": "Mere", "people": 30, "trust": None},
    ]
    assert data["tables"]["bars"] == data["tables"]["places"]
    (section,) = data["sections"]
    assert section["text"] == ["People trust each other in Tarn & Fell.", "One point."]
    assert section["warnings"] == ["It is fictional."]


def test_a_table_is_cut_on_the_page_and_whole_in_its_file(folder: Path) -> None:
    page = (folder / "report.html").read_text("utf-8")
    table = page[page.index('<table id="table-places">') :]
    assert table[: table.index("</table>")].count('scope="row"') == 2
    assert "The first 2 of 3 rows" in page
    rows = list(csv.reader(io.StringIO((folder / "tables" / "places.csv").read_text("utf-8"))))
    assert len(rows) == 4
    assert rows[1][0] == "'=Tarn"  # no spreadsheet runs it


def test_the_pdf_is_tagged_and_has_the_text(folder: Path) -> None:
    paper = pypdf.PdfReader(folder / "report.pdf")
    assert pdf_ua_faults(folder / "report.pdf") == []
    assert paper.metadata is not None
    assert paper.metadata.title == "Trust in the dale"
    text = " ".join(" ".join(p.extract_text() for p in paper.pages).split())
    assert "Half of Tarn trusts." in text
    assert "All 3 rows are in the file" in text


def _element(root: Any, *kinds: str) -> Any:
    return next(one for one in elements(root["/StructTreeRoot"]) if one["/S"] in kinds)


BREAKS: dict[str, Callable[[Any, Any], object]] = {
    "no structure tree": lambda root, _: root.pop("/StructTreeRoot"),
    "not marked as tagged": lambda root, _: root.pop("/MarkInfo"),
    "language: None": lambda root, _: root.pop("/Lang"),
    "a viewer does not show its title": lambda root, _: root.pop("/ViewerPreferences"),
    "a figure without words": lambda root, _: _element(root, "/Figure").pop("/Alt"),
    "a heading of level 4 after level 1": lambda root, _: _element(root, "/H2").update(
        {NameObject("/S"): NameObject("/H4")}
    ),
    "a head of a table without a scope": lambda root, _: _element(root, "/TH").pop("/A"),
    "page 1: text that is not tagged": lambda _, page: page["/Contents"].set_data(b"BT (word) Tj ET"),
    "its letters cannot be read": lambda _, page: [
        f.get_object().pop("/ToUnicode") for f in page["/Resources"]["/Font"].values()
    ],
}  # fmt: skip


@pytest.mark.parametrize("fault", BREAKS)
def test_the_check_of_a_pdf_finds_what_screen_readers_would_miss(folder: Path, fault: str) -> None:
    paper = pypdf.PdfWriter(clone_from=folder / "report.pdf")
    BREAKS[fault](paper.root_object, paper.pages[0])
    broken = io.BytesIO()
    paper.write(broken)
    assert any(found.endswith(fault) for found in pdf_ua_faults(broken))


def test_the_workbook_has_every_table_and_what_the_page_says(folder: Path) -> None:
    book = openpyxl.load_workbook(folder / "report.xlsx")
    assert book.sheetnames == ["Cover", "Notes", "Places", "Bars"]
    cells = [[c.value for c in row] for row in book["Places"].iter_rows(min_row=1)]
    assert cells[0] == ["Place", "People", "Trust"]
    assert cells[1] == ["=Tarn", 1200, 0.5]
    notes = [row[1].value for row in book["Notes"].iter_rows(min_row=2)]
    assert "That trust is worth something." in notes


def test_the_account_names_every_file(folder: Path) -> None:
    account = json.loads((folder / "provenance.json").read_text("utf-8"))
    assert account["seed"] == 7
    assert account["files"] == sorted(path.name for path in folder.iterdir())


def test_a_report_replaces_itself_and_nothing_else(tmp_path: Path) -> None:
    write_document(told(), tmp_path / "a")
    write_document(told(title="Anew"), tmp_path / "a")
    assert "Anew" in (tmp_path / "a" / "report.html").read_text("utf-8")
    other = tmp_path / "mine"
    other.mkdir()
    (other / "letter.txt").write_text("dear", "utf-8")
    with pytest.raises(CommonwealError, match=r"letter\.txt"):
        write_document(told(), other)
    assert [path.name for path in other.iterdir()] == ["letter.txt"]


def test_two_tables_of_one_name_stop_it_before_anything_is_written(tmp_path: Path) -> None:
    twice = Section("Twice", tables=(Table("places", "", NUMBERS), Table("places", "", NUMBERS)))
    with pytest.raises(CommonwealError, match="two tables are called 'places'"):
        write_document(told(sections=(twice,)), tmp_path / "a")
    assert not list(tmp_path.iterdir())


def test_decimals_have_the_places_that_are_asked_for() -> None:
    shown = TableData(pl.DataFrame({"a": [1234.5678], "b": [0.5]}), places={"a": 0})
    assert shown.cells() == [("1,235", "0.50")]


def test_no_column_of_a_wide_table_is_squeezed_to_nothing_on_paper(tmp_path: Path) -> None:
    heads = [f"What is known of headline number {k} of many" for k in range(9)]
    wide = pl.DataFrame(
        {"Name": ["Upper Tarnthwaite"], "Code": ["T00000001"], **{head: [0.25] for head in heads}}
    )
    section = Section("Wide", tables=(Table("wide", "Wide", TableData(wide)),))
    folder = write_document(told(sections=(section,)), tmp_path / "wide")
    left: dict[str, float] = {}
    for page in pypdf.PdfReader(folder / "report.pdf").pages:
        page.extract_text(visitor_text=lambda text, at, *_: left.update({text.strip(): at[4]}))
    name = next(at for text, at in left.items() if text.startswith("Upper"))
    assert left["T00000001"] - name > 30  # points: the code stands beside the name


@pytest.mark.parametrize("before", range(14, 34, 3))
def test_what_follows_a_chart_that_goes_overleaf_fills_the_page_before_it(before: int) -> None:
    """A chart is kept whole: where it does not fit, it is drawn smaller or stands at the top of the next page."""
    square = svg("bars", "Bars", "Longer", 480, 300, ['<rect width="480" height="300"/>'])
    chart = Chart("bars", "Bars of it", "Longer is more.", square, NUMBERS)
    table = Table("places", "A table after it", NUMBERS)
    first = Section("First", ("Words before it.",), (chart,), (table,))
    after = Section("Second", ("Words after it.",) * 30)
    made = document_pdf(told(answer=("Filler.",) * before, sections=(first, after)))
    pages = [page.extract_text() for page in pypdf.PdfReader(io.BytesIO(made)).pages]
    drawn, listed = (
        next(k for k, page in enumerate(pages) if text in page)
        for text in ("Bars of it", "A table after it")
    )
    assert drawn in (0, 1)
    if drawn == 0:
        assert pages[0].index("Words before it.") < pages[0].index("Bars of it")
    if drawn == 1 and before < 30:
        assert listed == 0
        down: dict[str, float] = {}
        first_page = pypdf.PdfReader(io.BytesIO(made)).pages[0]
        first_page.extract_text(
            visitor_text=lambda text, at, *_: down.update({text.strip(): at[5]})
        )
        assert down["Words before it."] - down["A table after it"] > 10  # points: they do not touch
        assert pages[1].index("Bars of it") < pages[1].index("Words after it.")


@pytest.mark.parametrize("before", [26, 29])
def test_no_chart_parts_a_table_and_its_title_stands_on_each_of_its_pages(before: int) -> None:
    square = svg("bars", "Bars", "Longer", 480, 300, ['<rect width="480" height="300"/>'])
    chart = Chart("bars", "Bars of it", "Longer is more.", square, NUMBERS)
    rows = TableData(pl.DataFrame({"Row": [f"row {k}." for k in range(60)]}))
    section = Section("First", (), (chart,), (Table("long", "A long table", rows),))
    made = document_pdf(told(answer=("Filler.",) * before, sections=(section,)))
    pages = [page.extract_text() for page in pypdf.PdfReader(io.BytesIO(made)).pages]
    text = "".join(pages)
    assert text.index("row 59.") < text.index("Bars of it")
    of = [page for page in pages if re.search(r"row \d+\.", page)]
    assert len(of) > 1
    assert all("A long table" in page for page in of)


def test_what_is_cut_is_not_said_to_lie_in_a_file_that_is_not_there() -> None:
    def text(files: bool) -> str:
        pages = pypdf.PdfReader(io.BytesIO(document_pdf(told(), files))).pages
        return " ".join(" ".join(page.extract_text() for page in pages).split())

    assert "All 3 rows are in the file" in text(files=True)
    assert "The first 2 of 3 rows." in text(files=False)
    assert "in the file" not in text(files=False)


def test_a_head_is_broken_between_words_only() -> None:
    frame = pl.DataFrame({f"Extraordinarily {k}": [1.5] for k in range(9)})
    made = document_pdf(told(sections=(Section("S", tables=(Table("t", "T", TableData(frame)),)),)))
    text = "".join(page.extract_text() for page in pypdf.PdfReader(io.BytesIO(made)).pages)
    assert text.count("Extraordinarily") == 9
