"""The workbook of a study: its sheets, written."""

from __future__ import annotations

from typing import TYPE_CHECKING

from commonweal.document.xlsx import write_sheets
from commonweal.report.study.sheets import sheets

if TYPE_CHECKING:
    from datetime import date
    from pathlib import Path

    from commonweal.study.results import Results


__all__ = [
    "write_workbook",
]


def write_workbook(results: Results, path: Path, day: date | None = None) -> None:
    """Write the workbook.

    Parameters
    ----------
    results
        The results.
    path
        The file to write.
    day
        The date that the cover names; none if not given, so that the same results give the same
        file.
    """
    made = f"Made with Commonweal {results.provenance.get('commonweal', '')}".rstrip()
    lines = [
        results.study.briefing.note,
        " ".join(results.study.description.split()),
        f"Created on {day.day} {day:%B %Y}." if day else "",
        f"{made}.",
        "How to read the numbers, and what they do not show: see the sheet Notes. "
        "Licences: see the sheet Sources.",
    ]
    subject = f"{results.areas.plural.capitalize()}: indices, designation, certainty"
    write_sheets(path, results.study.title, subject, lines, list(sheets(results)), day)
