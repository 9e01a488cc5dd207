"""Tables as CSV and JSON, safe to open in a spreadsheet."""

from __future__ import annotations

import csv
import io
import json
from typing import TYPE_CHECKING, Any

from fastapi import Response
from pydantic_core import to_json

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

__all__ = [
    "as_csv",
    "as_json",
    "csv_answer",
    "file_answer",
    "json_answer",
    "plain_cell",
    "said_answer",
]

_STARTS_FORMULA = ("=", "+", "-", "@", "＝", "＋", "－", "＠", "\t", "\r", "\n")
"""Signs of full width count too: a spreadsheet of East Asian settings reads them as the others."""


def plain_cell(value: Any) -> Any:
    """Give a cell of which no spreadsheet makes a formula: a text that would begin one gets an apostrophe.

    Examples
    --------
    >>> plain_cell("=HYPERLINK(1)"), plain_cell("St Mary"), plain_cell(-3), plain_cell(None)
    ("'=HYPERLINK(1)", 'St Mary', -3, '')
    """
    if value is None:
        return ""
    if isinstance(value, str) and value.lstrip(" ").startswith(_STARTS_FORMULA):
        return f"'{value}"
    return value


def as_csv(head: Sequence[str], rows: Iterable[Sequence[Any]]) -> bytes:
    """Give a table as CSV in UTF-8 with the mark that spreadsheets know it by."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow([plain_cell(h) for h in head])
    writer.writerows([plain_cell(v) for v in row] for row in rows)
    return text.getvalue().encode("utf-8-sig")


def as_json(data: Any) -> bytes:
    """Give plain data as strict JSON in UTF-8."""
    return json.dumps(data, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode()


def said_answer(value: Any) -> Response:
    """Answer with what frozen dataclasses hold, as JSON: what their ``to_dict`` gives, several times as fast."""
    return file_answer(to_json(value), "application/json")


def json_answer(data: Any, name: str = "") -> Response:
    """Answer with JSON; as a file to keep if it has a name."""
    return file_answer(as_json(data), "application/json", name)


def csv_answer(head: Sequence[str], rows: Iterable[Sequence[Any]], name: str) -> Response:
    """Answer with a CSV file to keep."""
    return file_answer(as_csv(head, rows), "text/csv; charset=utf-8", name)


def file_answer(content: bytes, kind: str, name: str = "") -> Response:
    """Answer with bytes of a kind; as a file to keep if it has a name (of plain letters)."""
    headers = {"Content-Disposition": f'attachment; filename="{name}"'} if name else None
    return Response(content, media_type=kind, headers=headers)
