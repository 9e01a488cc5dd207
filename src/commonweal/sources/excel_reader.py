"""Excel files: one sheet becomes a table, once it is sure that its bytes are whole and its cells can be held."""

from __future__ import annotations

import re
import zipfile
from typing import IO, TYPE_CHECKING, Any
from xml.etree import ElementTree

from commonweal.errors import DataError, UnknownNameError
from commonweal.sources.catalogue import Reader
from commonweal.sources.damaged import reading
from commonweal.sources.packed import opened_zip

if TYPE_CHECKING:
    from pathlib import Path

    import polars as pl

__all__ = ["NO_EXCEL", "check_workbook", "read_excel"]

NO_EXCEL = "not an Excel file that can be read"

MOST_CELLS = 50_000_000
"""From the first cell to the last, empty ones with them: a full sheet of 47 columns."""

_CELL = re.compile(rb'<(?:\w+:)?c\s[^>]*?\br="([A-Za-z]{1,7})([0-9]{1,10})"[^>]*(?<!/)>\s*<(?!/)')
"""A cell with something in it: of those that are only formatted, readers take no notice."""

_PIECE = 1 << 20
_LONGEST_TAG = 300
_SHEETS = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}sheet"
_ID = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}id"


def read_excel(path: Path, **options: Any) -> tuple[pl.DataFrame, list[str]]:
    """Read a sheet.

    Parameters
    ----------
    path
        The file.
    **options
        Those of a `Reader` that are not the default: its sheet, rows above the header, names and types of columns.

    Returns
    -------
    table : polars.DataFrame
        A row a row of the sheet that is not empty.
    notes : list of str
        None.

    Raises
    ------
    DataError
        If it is damaged, its cells lie too far apart, or the sheet has no rows.
    UnknownNameError
        If there is no such sheet.
    """
    import fastexcel
    import polars as pl

    from commonweal.sources.columns import check_header, plain, typed

    reader = Reader.model_validate({"format": "excel", **options})
    check_workbook(path, [reader.sheet] if reader.sheet else None)
    with reading(path, NO_EXCEL):
        book = fastexcel.read_excel(path)
        if not book.sheet_names:
            raise DataError(f"{path}: a workbook without sheets; expected one with a table")
        sheet = reader.sheet or book.sheet_names[0]
        if sheet not in book.sheet_names:
            raise UnknownNameError("sheet", sheet, book.sheet_names, f" in {path}")

        def load(skip: int, rows: int | None) -> pl.DataFrame:
            # All rows decide the type of a column: the first few would make later text a gap.
            page = book.load_sheet(
                sheet, header_row=None, skip_rows=skip, n_rows=rows, schema_sample_rows=None
            )
            frame: pl.DataFrame = page.to_polars()
            return frame

        def load_body(skip: int) -> pl.DataFrame:
            whole = load(skip, None)
            if reader.rows is None:
                return whole
            filled = whole.select(~pl.all_horizontal(pl.all().is_null())).to_series().arg_true()
            if len(filled) < reader.rows:
                raise DataError(
                    f"{path}: sheet '{sheet}': expected {reader.rows:,} rows, found {len(filled):,}"
                )
            # Read again, so that remarks below do not decide the types of the columns.
            return load(skip, int(filled[reader.rows - 1]) + 1)

        top = load(reader.skip_rows, 1)
        if top.height == 0:
            raise DataError(f"{path}: sheet '{sheet}' is empty")
        if reader.columns is None:
            names = ["" if cell is None else str(cell).strip() for cell in top.row(0)]
            body = load_body(reader.skip_rows + 1)
        else:
            names, body = list(reader.columns), load_body(reader.skip_rows)
    names += [""] * (body.width - len(names))
    used = [i for i in range(body.width) if names[i] or body.to_series(i).drop_nulls().len()]
    header = check_header([names[i] for i in used], path)
    columns = [body.to_series(i).alias(name) for i, name in zip(used, header, strict=True)]
    table = pl.DataFrame(columns)
    table = table.filter(~pl.all_horizontal(pl.all().is_null()))
    if table.height == 0:
        others = [name for name in book.sheet_names if name != sheet]
        hint = f"; there are also: {', '.join(others)} (name one with 'sheet')" if others else ""
        raise DataError(f"{path}: sheet '{sheet}' has a header and no rows{hint}")
    return table.select(
        typed(column, reader, path) if column.dtype == pl.String else plain(column)
        for column in table
    ), []


def check_workbook(path: Path, sheets: list[str] | None = None) -> None:
    """Check that a workbook is whole, and that its cells can be held.

    Readers do not look at the checksums that each of its parts has, and make room for every cell from the first to
    the last, also where two are all that there are.

    Parameters
    ----------
    path
        The file; one of the old kind (``.xls``) has no checksums, and is small.
    sheets
        The sheets that will be read; the first if not given.

    Raises
    ------
    DataError
        If it is damaged, would unpack to far more than it is, or its cells lie too far apart.
    """
    if not zipfile.is_zipfile(path):
        return
    with opened_zip(path) as archive:
        damaged = archive.testzip()
        if damaged is not None:
            raise DataError(f"{path}: damaged ({damaged} does not fit its checksum)")
        parts = _parts(archive)
        for sheet in sheets or list(parts)[:1]:
            if parts.get(sheet) in archive.namelist():
                with archive.open(parts[sheet]) as file:
                    _check_extent(file, f"{path}: sheet '{sheet}'")


def _parts(archive: zipfile.ZipFile) -> dict[str, str]:
    """Give the file of each sheet; none where it is not a workbook of the usual kind."""
    book, links = "xl/workbook.xml", "xl/_rels/workbook.xml.rels"
    if not {book, links} <= set(archive.namelist()):
        return {}
    files = {e.get("Id"): e.get("Target", "") for e in ElementTree.fromstring(archive.read(links))}
    found = {}
    for sheet in ElementTree.fromstring(archive.read(book)).iter(_SHEETS):
        target = files.get(sheet.get(_ID), "")
        found[sheet.get("name", "")] = target[1:] if target.startswith("/") else f"xl/{target}"
    return found


def _check_extent(file: IO[bytes], sheet: str) -> None:
    """Refuse a sheet from whose first cell to the last are more than can be held."""
    columns: set[bytes] = set()
    first, last, rest = 2**40, 0, b""
    while piece := file.read(_PIECE):
        found = _CELL.findall(text := rest + piece)
        rest = text[-_LONGEST_TAG:]
        if found:
            letters, rows = zip(*found, strict=True)
            columns.update(letters)
            numbers = list(map(int, rows))
            first, last = min(first, *numbers), max(last, *numbers)
    if not columns:
        return
    places = [_place(letters) for letters in columns]
    cells = (last - first + 1) * (max(places) - min(places) + 1)
    if cells > MOST_CELLS:
        furthest = max(columns, key=_place).decode()
        raise DataError(
            f"{sheet} reaches to row {last:,} and column {furthest}, {cells:,} cells; expected at most "
            f"{MOST_CELLS:,} (a stray cell far out? Ctrl+End shows the last)"
        )


def _place(letters: bytes) -> int:
    """Give the number of a column from its letters."""
    number = 0
    for letter in letters.upper():
        number = 26 * number + letter - 64
    return number
