"""A document as plain data: what `--json` prints, and the file that programs read."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from commonweal.files.folder import plain_data

if TYPE_CHECKING:
    from commonweal.document.model import Document, Section


def document_data(document: Document) -> dict[str, Any]:
    """Give a document as data that JSON can hold: nothing is rounded, and a missing number is None."""
    return {
        "report": document.name,
        **plain_data(dict(document.account)),
        "title": document.title,
        "heading": document.heading,
        "answer": list(document.answer),
        "notes": list(document.notes),
        "figures": {
            f.name: {
                "label": f.label,
                "value": plain_data(f.value),
                "unit": f.unit,
                "low": plain_data(f.low),
                "high": plain_data(f.high),
            }
            for f in document.figures()
        },
        "tables": {table.name: plain_data(table.shown.rows()) for table in document.tables()},
        "sections": [_texts(section) for section in document.sections],
        "assumptions": list(document.assumptions),
        "limits": list(document.limits),
        "works": list(document.works),
        "sources": list(document.sources),
    }


def document_json(document: Document) -> str:
    """Give the same as text."""
    return json.dumps(document_data(document), indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def _texts(section: Section) -> dict[str, Any]:
    return {
        "title": section.title,
        "text": [
            *section.text,
            *section.points,
            *(f"{term.name}: {term.line}" for term in section.terms),
        ],
        "warnings": list(section.warnings),
        "tables": [*(c.id for c in section.charts), *(t.name for t in section.tables)],
    }
