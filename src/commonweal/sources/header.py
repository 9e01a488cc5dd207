"""Where the header of a table stands, if not where it was looked for: under a title, on another sheet.

Only for messages: nothing is read as if it had been said.
"""

from __future__ import annotations

import csv
from itertools import islice, pairwise
from typing import TYPE_CHECKING

from commonweal.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from commonweal.sources.catalogue import Reader

__all__ = ["lines_above", "where_header_is"]

LOOK_INTO = 50
"""Rows that are looked into for a header: titles and notes above a table seldom take more."""

_Row = tuple[int, list[str]]
"""How many lines, or rows of a sheet, stand above a row; and its cells."""


def where_header_is(path: Path, reader: Reader, wanted: Sequence[str]) -> str:
    """Say where the columns wanted are named, as a clause that ends a message.

    Parameters
    ----------
    path
        A text table or a workbook in which they were not found.
    reader
        How it was read.
    wanted
        The columns.

    Returns
    -------
    str
        ``''`` where no row near the top names them all.
    """
    if reader.format == "excel":
        for sheet, rows in _sheets(path):
            above = _first_with(rows, wanted)
            if above is not None:
                say = [f"'sheet: {sheet}'"] if sheet != (reader.sheet or "") else []
                say += [f"'skip_rows: {above}'"] if above != reader.skip_rows else []
                return (
                    f"; row {above + 1} of sheet '{sheet}' names them: "
                    f"say {' and '.join(say)} beside its name"
                )
        return ""
    if reader.format not in ("csv", "tsv") or path.suffix.lower() == ".zip":
        return ""
    separator = reader.separator or ("\t" if reader.format == "tsv" else ",")
    try:
        with path.open(encoding=reader.encoding, newline="") as text:
            above = _first_with(_records(text, separator), wanted)
    except (OSError, UnicodeError, csv.Error):
        return ""
    if above is None or above == reader.skip_rows:
        return ""
    return f"; line {above + 1} names them: say 'skip_rows: {above}' beside its name"


def lines_above(text: Iterable[str], separator: str) -> int:
    r"""Give how many lines stand above the first row that is as wide as the next, and wider than the first.

    Examples
    --------
    >>> lines_above(["Halls by ward", "", "ward,halls", "A1,3"], ",")
    2
    """
    rows = [(above, cells) for above, cells in _records(text, separator) if cells]
    for (above, cells), (_, below) in pairwise(rows):
        if len(cells) > len(rows[0][1]) and len(below) == len(cells):
            return above
    return 0


def _records(text: Iterable[str], separator: str) -> list[_Row]:
    rows = csv.reader(text, delimiter=separator)
    found, above = [], 0
    for cells in islice(rows, LOOK_INTO):
        found.append((above, cells))
        above = rows.line_num
    return found


def _first_with(rows: Sequence[_Row], wanted: Sequence[str]) -> int | None:
    """Give how many lines stand above the first row that names all columns wanted."""
    for above, cells in rows:
        if set(wanted) <= {str(cell).strip() for cell in cells}:
            return above
    return None


def _sheets(path: Path) -> Iterable[tuple[str, list[_Row]]]:
    """Give the top of each sheet of a workbook."""
    import fastexcel

    from commonweal.sources.damaged import reading
    from commonweal.sources.excel_reader import NO_EXCEL, check_workbook

    with reading(path, NO_EXCEL):
        book = fastexcel.read_excel(path)
    for sheet in book.sheet_names:
        try:
            check_workbook(path, [sheet])
        except DataError:  # too far apart to be held; another may have the header
            continue
        with reading(path, NO_EXCEL):
            top = book.load_sheet(sheet, header_row=None, n_rows=LOOK_INTO, dtypes="string")
            rows = top.to_polars().rows()
        yield sheet, [(n, [str(cell) for cell in row]) for n, row in enumerate(rows)]
