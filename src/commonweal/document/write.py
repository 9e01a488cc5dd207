"""A report's folder: the page, the PDF, the workbook and every table, put in place whole."""

from __future__ import annotations

from dataclasses import replace
from importlib.metadata import version
from typing import TYPE_CHECKING

import polars as pl

from commonweal.document.data import document_json
from commonweal.document.html import document_html
from commonweal.document.model import TableData
from commonweal.document.pdf import document_pdf
from commonweal.document.xlsx import Sheet, sheet_name, sheets
from commonweal.errors import CommonwealError
from commonweal.files.extras import write_if_installed
from commonweal.files.folder import MARK, atomic_folder, explain_write_errors, marker
from commonweal.files.inputs import given_lines
from commonweal.sources.catalogue import OWN_FILE, load_catalogue

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from pathlib import Path

    from commonweal.document.model import Document, Section
    from commonweal.sources.catalogue import Source


_LONG = 1000
"""Rows from which on a table of the workbook is written the fast way."""


def write_document(
    report: Document,
    folder: Path,
    more: Mapping[str, tuple[str, Callable[[Path], object]]] | None = None,
) -> Path:
    """Write everything that a report gives into one folder; nothing but an earlier folder of results is replaced.

    `more` are further files by name: what each is, and what writes it to a path that it is given.
    """
    report = replace(report, sources=(*report.sources, *given_lines()))
    tables = {}
    for table in report.tables():
        if table.name in tables:
            raise CommonwealError(f"{report.name}: two tables are called {table.name!r}")
        tables[table.name] = table
    books: dict[str, tuple[str, Callable[[Path], object]]] = {
        "report.pdf": (
            "This page as a tagged PDF, for printing.",
            lambda path: path.write_bytes(document_pdf(report)),
        ),
        "report.xlsx": (
            "Every table, one to a sheet.",
            lambda path: path.write_bytes(document_xlsx(report)),
        ),
    }
    more = {
        "report.json": ("Everything here for programs, unrounded.", _write_json(report)),
        **(more or {}),
    }
    listed = [
        *((name, what) for name, (what, _) in more.items()),
        *((f"tables/{table.name}.csv", table.title) for table in tables.values()),
    ]
    with atomic_folder(folder) as (fresh, target), explain_write_errors(target):
        (fresh / "tables").mkdir()
        for table in tables.values():
            (fresh / "tables" / f"{table.name}.csv").write_bytes(table.shown.csv())
        for name, (_, write) in more.items():
            write(fresh / name)
        there = [
            (name, what)
            for name, (what, write) in books.items()
            if not write_if_installed(fresh / name, write)
        ]
        listed = [*there, *listed]
        (fresh / "report.html").write_text(document_html(report, listed), "utf-8")
        names = {"report.html", MARK, *(name.split("/")[0] for name, _ in listed)}
        account = {
            "report": report.name,
            "title": report.title,
            **dict(report.account),
            "sources": report.sources,
        }
        (fresh / MARK).write_text(marker(account, names), "utf-8")
    return target


def _write_json(document: Document) -> Callable[[Path], object]:
    return lambda path: path.write_text(document_json(document), "utf-8")


def document_xlsx(report: Document) -> bytes:
    """Make the workbook: the notes, then every table on a sheet of its own, then the numbers of charts."""
    used: set[str] = set()
    notes = [
        *(("Note", text) for text in report.notes),
        *(("In short", text) for text in report.answer),
        *(note for section in report.sections for note in _notes(section)),
        *(("Assumed, not verified", text) for text in report.assumptions),
        *(("Limit", text) for text in report.limits),
        *(("Source", text) for text in report.sources),
    ]
    schema = {"Subject": pl.String, "Note": pl.String}
    charts = {chart.id for section in report.sections for chart in section.charts}
    about = {table.name: " ".join(s.text) for s in report.sections for table in s.tables}
    listed = [
        Sheet(
            sheet_name("Notes", used),
            "Notes: the answer, the method, and what it does not show",
            "How to read the other sheets.",
            TableData(pl.DataFrame(notes, schema=schema, orient="row")),
        ),
        *(
            Sheet(
                sheet_name(table.name.capitalize(), used),
                table.title,
                table.about or about.get(table.name, ""),
                table.shown,
                long=len(table.shown) > _LONG,
            )
            for table in sorted(report.tables(), key=lambda table: table.name in charts)
        ),
    ]
    made = f"Made with Commonweal {version('commonweal')}."
    dated = f"Created on {report.dated}." if report.day else ""
    lines = [*report.notes, report.heading, dated, made]
    return sheets(report.title, report.heading, lines, listed, report.day)


def _notes(section: Section) -> Iterator[tuple[str, str]]:
    """Give what a section says, each with its subject."""
    said = (*section.text, *section.points, *(figure.line for figure in section.figures))
    yield from ((section.title, text) for text in (*said, *section.warnings))
    yield from ((term.name, term.line) for term in section.terms)


def source_lines(ids: Iterable[str]) -> tuple[str, ...]:
    """Give a line for each source of the catalogue, once: what it is, its date, its terms, its attribution."""
    catalogue = load_catalogue()
    return tuple(source_line(catalogue[id_]) for id_ in dict.fromkeys(ids))


def source_line(s: Source) -> str:
    """Say what a source is, its date, its terms and its attribution; of a file of the user's own, its name."""
    if s.publisher == OWN_FILE:
        return f"{s.title}: a file of the study's own."
    closed = "" if s.use == "open" else " Not open: don't pass its values on."
    return f"{s.title} ({s.publisher}, {s.vintage}). Licence: {s.licence}. {s.attribution}{closed}"
