"""Answers as CSV, JSON and files."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from fastapi import Response
from pydantic_core import to_json

from commonweal.files.csv import csv_of_rows

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

__all__ = [
    "as_json",
    "csv_answer",
    "file_answer",
    "json_answer",
    "said_answer",
]


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
    return file_answer(csv_of_rows(head, rows), "text/csv; charset=utf-8", name)


def file_answer(content: bytes, kind: str, name: str = "") -> Response:
    """Answer with bytes of a kind; as a file to keep if it has a name (of plain letters)."""
    headers = {"Content-Disposition": f'attachment; filename="{name}"'} if name else None
    return Response(content, media_type=kind, headers=headers)
