"""A report as lines for a terminal."""

from __future__ import annotations

from statistics import median
from textwrap import wrap
from typing import TYPE_CHECKING

from commonweal.document.format import align_columns

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from commonweal.document.model import Document, Section, Table

WHOLE = "--out FOLDER writes them, --json prints them"
"""Where the rows are that a table on a terminal leaves out."""

_NARROW, _PROSE, _SENTENCE = 8, 75, 110
"""Letters of a line of a head at least; of half of the cells of a column, or any cell, that make a table a list."""

ASSUMED, LIMITS = "Assumed, not verified", "What this does not show"


def document_lines(report: Document, rows: int = 10) -> Iterator[str]:
    """Give a report as lines: the answer first, then each section, then assumptions and limits.

    Parameters
    ----------
    report
        What it tells.
    rows
        How many rows of a table, and lines of a list, are shown; it then says how many follow. Of a chart its
        finding is shown, of the annex the titles.

    Yields
    ------
    str
        A line, not wrapped. A sentence that stood above is not repeated.
    """
    yield report.title
    yield report.heading
    yield from (f"Please note: {note}" for note in report.notes)
    yield ""
    yield from report.answer
    shown = {*report.notes, *report.answer}
    for section in report.sections:
        lines = [] if section.annex else list(section_lines(section, rows, shown))
        if lines:
            yield from ("", section.title, *lines)
    for title, texts in ((ASSUMED, report.assumptions), (LIMITS, report.limits)):
        lines = list(_cut([f"  {text}" for text in _new(texts, shown)], rows))
        if lines:
            yield from ("", title, *lines)
    annex = [section.title for section in report.sections if section.annex]
    if annex:
        yield from ("", f"More ({WHOLE})", *(f"  {title}" for title in annex))


def section_lines(section: Section, rows: int = 10, shown: set[str] | None = None) -> Iterator[str]:
    """Give a section as lines, without its title; what was `shown` above is not repeated."""
    shown = set() if shown is None else shown
    yield from (f"  {text}" for text in _new(section.text, shown))
    yield from (f"  - {text}" for text in _new(section.points, shown))
    yield from (f"  {figure.line}" for figure in section.figures)
    yield from (f"  Please note: {text}" for text in _new(section.warnings, shown))
    yield from (f"  {title}" for title in _new([c.title for c in section.charts], shown))
    for table in section.tables:
        yield from _table_lines(table, shown, rows)


def _cut(lines: list[str], rows: int) -> Iterator[str]:
    yield from lines[:rows]
    if len(lines) > rows:
        yield f"  and {len(lines) - rows:,} more ({WHOLE})"


def _table_lines(table: Table, shown: set[str], rows: int) -> Iterator[str]:
    if not len(table.shown):
        return
    yield f"  {table.title}"
    yield from (f"  {text}" for text in _new((table.about,), shown))
    cells = table.shown.cells()[:rows]
    columns = [list(map(len, column)) for column in zip(*cells, strict=True)]
    if max(median(c) for c in columns) > _PROSE or max(map(max, columns)) > _SENTENCE:
        for row in cells:
            named = zip(table.shown.frame.columns[1:], row[1:], strict=True)
            yield f"    {row[0]}{''.join(f'; {head}: {cell}' for head, cell in named if cell)}"
    else:
        yield from _aligned(table, cells)
    if len(table.shown) > rows:
        yield f"    and {len(table.shown) - rows:,} more ({WHOLE})"


def _aligned(table: Table, cells: list[tuple[str, ...]]) -> Iterator[str]:
    columns = table.shown.frame.columns
    heads, *more = zip(*_wrapped_heads(columns, cells), strict=True)
    right = [">" if table.shown.is_number(h) else "" for h in columns]
    first = [f"{sign}{head}" for sign, head in zip(right, heads, strict=True)]
    yield from align_columns(first, [*more, *cells], indent="    ")


def _wrapped_heads(heads: Sequence[str], cells: Sequence[Sequence[str]]) -> Iterator[list[str]]:
    """Break each head into lines no wider than its column, all of one number, the last at the bottom."""
    columns = zip(*cells, strict=True)
    broken = [
        wrap(head, max(_NARROW, *map(len, column)), break_long_words=False)
        for head, column in zip(heads, columns, strict=True)
    ]
    deep = max(map(len, broken))
    yield from ([""] * (deep - len(lines)) + lines for lines in broken)


def _new(texts: Sequence[str], shown: set[str]) -> Iterator[str]:
    """Give the texts that did not stand above, and note that they do now."""
    for text in texts:
        if text and text not in shown:
            shown.add(text)
            yield text
