"""A session as a PDF: tagged (PDF/UA-1), with bookmarks and real text."""

from __future__ import annotations

from importlib import resources
from typing import TYPE_CHECKING, Any

from commonweal.document.pdf import chart_data, table_data, work_data
from commonweal.document.pdf_engine import Paper, font_folder

if TYPE_CHECKING:
    from commonweal.report.session.content import Content

__all__ = ["session_pdf"]


def session_pdf(told: Content) -> bytes:
    """Make the PDF.

    Parameters
    ----------
    told
        What it tells.

    Returns
    -------
    bytes
        The same for the same content: it holds no time of making.
    """
    with resources.as_file(resources.files(__package__) / "templates") as folder:
        return Paper(folder / "session.typ", font_folder()).pdf(_data(told))


def _data(told: Content) -> dict[str, Any]:
    """Give what the template tells as plain data."""
    s = told.state
    return {
        "title": told.session.title,
        "heading": told.heading,
        "notes": told.notes,
        "framing": told.framing,
        "speakers": [
            {"who": p.name or p.role, "role": p.role if p.name else "", "about": p.about}
            for p in told.speakers
        ],
        "places": [
            {"name": p.name, "where": f"{p.where}. Study: {p.study}", "said": p.sentences}
            for p in told.places
        ],
        "state": None
        if s is None
        else {
            "summary": s.summary,
            "who": table_data(s.who, "Who lives in the worst tenth: share of people"),
            "strands": [
                {
                    "label": strand.label,
                    "table": table_data(strand.table, strand.label),
                    "charts": [chart_data(chart) for chart in strand.charts],
                    "beware": [f"{label}: {note}" for label, note in strand.beware],
                }
                for strand in s.strands
            ],
            "worst": [chart_data(chart) for chart in s.worst],
            "changed": s.changed,
            "change_note": s.change_note,
            "change_tables": [table_data(shown, title) for title, shown in s.change_tables],
            "change_charts": [chart_data(chart) for chart in s.change_charts],
        },
        "reading": [
            {
                "title": part.theme.title,
                "about": part.theme.about,
                "note": part.note,
                "works": [work_data(work.id, told.evidence) for work in part.works],
            }
            for part in told.reading
        ],
        "figures": [
            {"text": f.text, "about": f.about[:1].upper() + f.about[1:], "key": f.key}
            for f in told.figures
        ],
        "limits": [*(s.caveats if s else ()), *told.limits],
        "studies": [
            {
                "title": study.title,
                "description": study.description,
                "rules": study.rules,
                "sources": study.sources,
            }
            for study in told.studies
        ],
    }
