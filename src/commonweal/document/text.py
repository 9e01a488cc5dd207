"""A report as lines for a terminal."""

from __future__ import annotations

from dataclasses import replace
from itertools import zip_longest
from statistics import median
from textwrap import wrap
from typing import TYPE_CHECKING

from commonweal.document.format import GAP, WIDEST, align_columns
from commonweal.document.model import MAKER
from commonweal.document.words import words

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from commonweal.document.model import Document, Section, Table
    from commonweal.document.words import Words

WHOLE = "--out FOLDER writes them, --json prints them"
WRITTEN = "the report has them"
"""Where the rows are that a table on a terminal leaves out, before and after the report is written."""

_NARROW, _SHORT, _WORD = 8, 12, 24
"""Letters of a line of a head, and of a column of words that is made narrower, at least; of a word kept whole."""

_PROSE, _SENTENCE = 75, 110
"""Letters of half of the cells of a column, or of any cell, from which on a table is a list."""

_INDENT = "    "
_FEW_ROWS, _FEW_COLUMNS = 5, 7  # of a table that `brief` shows


def document_lines(
    report: Document,
    rows: int = 10,
    whole: str = WHOLE,
    width: int | None = None,
    brief: bool = False,
) -> Iterator[str]:
    """Give a report as lines, not wrapped: the answer first, then each section, then assumptions and limits.

    Of a table or list `rows` lines are shown, and how many follow (`whole` says where); of a chart its finding, of the
    annex the titles. A sentence that stood above is not repeated. `width` is what a table keeps to; None for no limit.
    With `brief`, for a report that is written beside it, longer and wider tables, assumptions and limits are only
    named, and what the report is about and what its charts show is left out.
    """
    rows = _FEW_ROWS if brief else rows
    w = words("document", report.language)
    yield report.title
    within = "" if report.within == MAKER else report.within
    yield from filter(None, ("" if brief else report.heading, within))
    yield from (f"{w['please_note']} {note}" for note in report.notes)
    yield ""
    yield from report.answer
    shown = {*report.notes, *report.answer}
    more = []
    for section in report.sections:
        fits = tuple(t for t in section.tables if not brief or _is_small(t, rows))
        charts = () if brief else section.charts
        rest = (fits, section.points, section.figures, section.warnings, charts)
        if section.annex or ((section.tables or section.charts) and not any(rest)):
            more.append(section.title)
            continue
        more += [table.title for table in section.tables if table not in fits]
        part = replace(section, tables=fits, charts=charts)
        if lines := list(_section_lines(part, rows, shown, w, whole, width)):
            yield from ("", section.title, *lines)
    for title, texts in ((w["assumed"], report.assumptions), (w["limits"], report.limits)):
        lines = list(_cut([f"  {text}" for text in _new(texts, shown)], rows, w, whole))
        if lines and brief:
            more.append(title)
        elif lines:
            yield from ("", title, *lines)
    if more:
        yield from ("", f"More ({whole})", *(f"  {title}" for title in dict.fromkeys(more)))


def _is_small(table: Table, rows: int) -> bool:
    return len(table.shown) <= rows and len(table.seen.frame.columns) <= _FEW_COLUMNS


def _section_lines(
    section: Section, rows: int, shown: set[str], w: Words, whole: str, width: int | None
) -> Iterator[str]:
    """Give a section as lines, without its title; what was `shown` above is not repeated."""
    yield from (f"  {text}" for text in _new(section.text, shown))
    yield from (f"  - {text}" for text in _new(section.points, shown))
    yield from (f"  {figure.line}" for figure in section.figures)
    yield from (f"  {w['please_note']} {text}" for text in _new(section.warnings, shown))
    yield from _cut([f"  {term.name}: {term.line}" for term in section.terms], rows, w, whole)
    yield from (f"  {title}" for title in _new([c.title for c in section.charts], shown))
    for table in section.tables:
        yield from _table_lines(table, shown, w, (rows, whole, width))


def _cut(lines: list[str], rows: int, w: Words, whole: str) -> Iterator[str]:
    yield from lines[:rows]
    if len(lines) > rows:
        yield f"  {w('more_rows', rows=len(lines) - rows, where=whole)}"


def _table_lines(
    table: Table, shown: set[str], w: Words, limits: tuple[int, str, int | None]
) -> Iterator[str]:
    rows, whole, width = limits
    if not len(table.shown):
        return
    table = replace(table, shown=table.seen, columns=None)
    yield f"  {table.title}"
    yield from (f"  {text}" for text in _new((table.about,), shown))
    cells = table.shown.cells()[:rows]
    columns = [list(map(len, column)) for column in zip(*cells, strict=True)]
    long = max(median(c) for c in columns) > _PROSE or max(map(max, columns)) > _SENTENCE
    wide = _widths(table, cells, min(width or WIDEST, WIDEST))
    if long or (width is not None and _total(wide) > width):
        for row in cells:
            named = zip(table.shown.frame.columns[1:], row[1:], strict=True)
            yield f"    {row[0]}{''.join(f'; {head}: {cell}' for head, cell in named if cell)}"
    else:
        yield from _aligned(table, cells, wide)
    if len(table.shown) > rows:
        yield f"    {w('more_rows', rows=len(table.shown) - rows, where=whole)}"


def _is_number(table: Table, head: str) -> bool:
    return table.shown.is_number(head) or head in table.shown.shares


def _aligned(table: Table, cells: list[tuple[str, ...]], wide: list[int]) -> Iterator[str]:
    """Align a table; words that do not fit a terminal go onto further lines, so nothing is cut."""
    columns = table.shown.frame.columns
    rows = [line for row in cells for line in _lines(row, wide)]
    heads, *more = zip(*_wrapped_heads(columns, rows), strict=True)
    first = [
        f"{'>' if _is_number(table, column) else ''}{head}"
        for column, head in zip(columns, heads, strict=True)
    ]
    yield from align_columns(first, [*more, *rows], indent=_INDENT, most=_total(wide))


def _total(wide: Sequence[int]) -> int:
    return len(_INDENT) + sum(wide) + len(GAP) * (len(wide) - 1)


def _widths(table: Table, cells: list[tuple[str, ...]], most: int) -> list[int]:
    """Give the letters that each column takes: those of words share what numbers leave, down to their longest word."""
    wide, loose = [], {}
    for k, (head, column) in enumerate(
        zip(table.shown.frame.columns, zip(*cells, strict=True), strict=True)
    ):
        longest_cell = max(map(len, column))
        wide.append(max(longest_cell, *map(len, _head_lines(head, longest_cell))))
        if not _is_number(table, head):
            longest = max(len(word) for cell in column for word in cell.split(" "))
            loose[k] = max(_SHORT, *map(len, head.split()), min(longest, _WORD))
    while _total(wide) > most:
        over = [k for k, least in loose.items() if wide[k] > least]
        if not over:
            break
        wide[max(over, key=lambda k: wide[k])] -= 1
    return wide


def _lines(row: tuple[str, ...], wide: list[int]) -> list[tuple[str, ...]]:
    """Break the cells of a row into lines."""
    broken = [
        [line.replace("\N{NO-BREAK SPACE}", " ") for line in wrap(cell, w)] or [""]
        for cell, w in zip(row, wide, strict=True)
    ]
    return list(zip_longest(*broken, fillvalue=""))


def _head_lines(head: str, width: int) -> list[str]:
    return wrap(head, max(_NARROW, width), break_long_words=False) or [""]


def _wrapped_heads(heads: Sequence[str], cells: Sequence[Sequence[str]]) -> Iterator[list[str]]:
    """Break each head into lines no wider than its column, all of one number, the last at the bottom."""
    columns = zip(*cells, strict=True)
    broken = [
        _head_lines(head, max(map(len, column)))
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
