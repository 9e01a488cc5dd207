"""A report as a PDF: tagged (PDF/UA-1), with bookmarks and real text."""

from __future__ import annotations

import json
import re
from importlib import resources
from typing import TYPE_CHECKING, Any

from commonweal.document.html import unbroken
from commonweal.document.pdf_engine import MANY, Paper, broken_heads, column_room, font_folder
from commonweal.evidence import cite, load_evidence

if TYPE_CHECKING:
    from commonweal.document.chart.chart import Chart
    from commonweal.document.model import Report
    from commonweal.document.table import Shown
    from commonweal.evidence import Evidence

__all__ = ["chart_data", "report_pdf", "table_data", "work_data"]

_WIDE = 0.85
"""Share of the page's width that a drawing takes at most."""

_NAME, _LONG = 20, 45
"""Letters of room that a column of names asks for at most in such a table, and letters that a name has at most."""


def report_pdf(report: Report, files: bool = True) -> bytes:
    """Make the PDF.

    Parameters
    ----------
    report
        What it tells.
    files
        Whether the tables lie beside it as files, so that one that is cut can be told to be whole there.

    Returns
    -------
    bytes
        The same for the same report: it holds no time of making.
    """
    data = json.loads(unbroken(json.dumps(_data(report, files), ensure_ascii=False)))
    with resources.as_file(resources.files(__package__) / "templates") as folder:
        return Paper(folder / "report.typ", font_folder()).pdf(data)


def _data(report: Report, files: bool) -> dict[str, Any]:
    """Give what the template tells as plain data."""
    evidence = load_evidence()
    return {
        "title": report.title,
        "heading": report.heading,
        "notes": report.notes,
        "answer": report.answer,
        "sections": [
            {
                "title": section.title,
                "text": section.text,
                "points": section.points,
                "beware": section.beware,
                "charts": [chart_data(chart) for chart in section.charts],
                "tables": [
                    table_data(t.shown, t.title, t.rows)
                    | {
                        "about": t.about,
                        "all": len(t.shown),
                        "file": f"tables/{t.name}.csv" if files else "",
                    }
                    for t in section.tables
                ],
            }
            for section in report.sections
        ],
        "assumptions": report.assumptions,
        "limits": report.limits,
        "works": [work_data(id_, evidence) for id_ in report.works],
        "sources": report.sources,
    }


def work_data(id_: str, evidence: Evidence) -> dict[str, Any]:
    """Give a cited work as plain data for a template."""
    work, cited = evidence.work(id_), cite(id_, evidence)
    return {
        "short": cited.short,
        "full": cited.full.removesuffix(cited.link),
        "link": cited.link,
        "finds": work.finds,
        "strength": work.strength,
        "caution": work.caution,
        "unchecked": "" if work.checked else work.check,
    }


def chart_data(chart: Chart) -> dict[str, Any]:
    """Give a chart as plain data for a template."""
    return {
        "id": chart.id,
        "title": chart.title,
        "about": chart.about,
        "svg": chart.svg,
        "wide": _share(chart.svg),
    }


def _share(svg: str) -> float:
    """Give the share of the page's width that a drawing takes: less where it is taller than wide."""
    box = re.search(r'viewBox="0 0 ([\d.]+) ([\d.]+)"', svg)
    return _WIDE if box is None else _WIDE * min(1.0, (float(box[1]) / float(box[2])) ** 2)


def table_data(shown: Shown, title: str, rows: int | None = None) -> dict[str, Any]:
    """Give a table, or its first rows, as plain data for a template."""
    heads = list(shown.frame.columns)
    numeric = [shown.is_number(head) for head in heads]
    cells = shown.cells()[:rows]
    room = column_room(heads, numeric, cells)
    # A head is broken between words only, so its longest word has to fit.
    words = [max(map(len, head.split()), default=0) + 1 for head in heads]
    wide = [w and max(w, word) for w, word in zip(room, words, strict=True)]
    if (
        len(heads) > MANY
    ):  # numbers take no more than they need, and names share the rest almost evenly
        names = [
            max((len(row[at]) for row in cells), default=0) <= _LONG for at in range(len(heads))
        ]
        wide = [min(w, _NAME) if name else w for w, name in zip(wide, names, strict=True)]
        heads = broken_heads(heads, numeric, cells)
        wide = [0 if number else w for number, w in zip(numeric, wide, strict=True)]
    return {
        "title": title,
        "head": heads,
        "numeric": numeric,
        "wide": wide,
        "rows": cells,
    }
