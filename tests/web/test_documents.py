"""A subject from scratch: a result, one function that makes a document of it, and every file and page of it."""

from __future__ import annotations

import io
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

import openpyxl
import polars as pl
import pytest

from commonweal.chart.theme import svg, text
from commonweal.cli.console import print_document
from commonweal.document.model import Chart, Document, Figure, Section, Table, make_table
from commonweal.document.write import write_document
from commonweal.web.documents import SUBJECTS, Subject

if TYPE_CHECKING:
    from pathlib import Path

    from commonweal.study.results import Results
    from conftest import Client


@dataclass(frozen=True)
class Crowding:
    """The result: how many people live in an area for each that the median area has."""

    areas: pl.DataFrame
    median: float


def crowding(results: Results) -> Crowding:
    table = results.areas.table.select("code", "name", "population").drop_nulls()
    median = float(table["population"].median())  # type: ignore[arg-type]
    ratio = (pl.col("population") / median).alias("ratio")
    return Crowding(table.with_columns(ratio).sort("ratio", descending=True).head(20), median)


def crowding_document(found: Crowding) -> Document:
    """Tell it: this is all that a subject has to write."""
    heads = {"code": "Code", "name": "Name", "population": "People", "ratio": "Times the median"}
    table = make_table(
        found.areas.rename(heads), whole=["People"], names={"Times the median": "ratio"}
    )
    first = found.areas.row(0, named=True)
    title = f"{first['name']} has the most residents"
    names = [text(0, 20 * k, name) for k, name in enumerate(found.areas["name"], start=1)]
    drawn = svg("crowded-bars", title, "The largest first.", 400, 420, names)
    return Document(
        name="crowding",
        title="The largest areas",
        heading="By residents",
        answer=(f"{title}: {first['population']:,.0f} people.",),
        sections=(
            Section(
                "The twenty largest",
                charts=(Chart("crowded-bars", title, "Times the median.", drawn, table),),
                tables=(Table("largest", "The largest areas", table),),
                figures=(Figure("median", "Median area", found.median, f"{found.median:,.0f} people", "people"),),
            ),
        ),
        limits=("Residents are not users.",),
    )  # fmt: skip


@pytest.fixture
def document(county: Results) -> Document:
    return crowding_document(crowding(county))


def test_a_new_subject_gets_every_file(
    document: Document, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = write_document(document, tmp_path / "told")
    names = {p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file()}
    files = {"report.html", "report.pdf", "report.xlsx", "report.json", "tables/largest.csv"}
    assert files <= names
    assert "Residents are not users." in (folder / "report.html").read_text("utf-8")
    print_document(document, folder, as_json=False)
    said = capsys.readouterr().out
    assert said.startswith(f"The largest areas\nBy residents\n\n{document.answer[0]}\n")
    assert "and 10 more" in said
    print_document(document, None, as_json=True)
    data = json.loads(capsys.readouterr().out)
    assert data == json.loads((folder / "report.json").read_text("utf-8"))
    assert len(data["tables"]["largest"]) == 20
    assert data["figures"]["median"]["unit"] == "people"


def test_a_new_subject_is_in_the_explorer(
    document: Document, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(
        SUBJECTS,
        "crowding",
        Subject(lambda explorer, _: crowding_document(crowding(explorer.results))),
    )
    page = client.get("/documents/crowding")
    assert page.status_code == 200
    for said in (document.title, document.answer[0], "Residents are not users.", "Median area"):
        assert said in page.text
    at = "/api/documents/crowding"
    data = client.get(f"{at}.json").json()
    assert data["tables"]["largest"][0]["ratio"] == crowding_first(document)
    assert client.get(f"{at}.pdf").content.startswith(b"%PDF")
    book = openpyxl.load_workbook(io.BytesIO(client.get(f"{at}.xlsx").content))
    assert "Largest" in book.sheetnames
    assert len(client.get(f"{at}/largest.csv").text.splitlines()) == 21
    assert client.get(f"{at}/crowded-bars.svg").text.startswith("<svg")
    assert client.get(f"{at}/crowded-bars.png").content.startswith(b"\x89PNG")
    for path in (f"{at}/none.csv", f"{at}/none.svg", "/api/documents/none.json", "/documents/none"):
        assert client.get(path).status_code == 404, path
    assert client.get("/documents/crowding?colour=red").status_code == 422


def crowding_first(document: Document) -> object:
    return next(document.tables()).shown.rows()[0]["ratio"]
