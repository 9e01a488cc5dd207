"""Tables as text and as Excel: the header found, every row accounted for."""

from __future__ import annotations

import codecs
import csv
import io
import re
import zipfile
from dataclasses import dataclass
from itertools import islice, pairwise
from typing import IO, TYPE_CHECKING, Any
from xml.etree import ElementTree

from commonweal.errors import DataError, UnknownNameError
from commonweal.sources.catalogue import Reader
from commonweal.sources.columns import (
    by_name,
    check_columns,
    check_declared,
    check_header,
    typed,
)
from commonweal.sources.sandbox import explain_damage, open_zip

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    import polars as pl

    from commonweal.sources.catalogue import Source


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
    """Read a sheet."""
    import fastexcel
    import polars as pl

    from commonweal.sources.columns import check_header, plain, typed

    reader = Reader.model_validate({"format": "excel", **options})
    check_workbook(path, [reader.sheet] if reader.sheet else None)
    with explain_damage(path, NO_EXCEL):
        book = fastexcel.read_excel(path)
        if not book.sheet_names:
            raise DataError(f"{path}: a workbook without sheets; expected one with a table")
        sheet = reader.sheet or book.sheet_names[0]
        if sheet not in book.sheet_names:
            raise UnknownNameError("sheet", sheet, book.sheet_names, f" in {path}")

        def load(skip: int, rows: int | None) -> pl.DataFrame:
            # All rows decide the type of a column: the first few would make later text a gap.
            try:
                page = book.load_sheet(
                    sheet, header_row=None, skip_rows=skip, n_rows=rows, schema_sample_rows=None
                )
            except fastexcel.InvalidParametersError:
                raise DataError(
                    f"{path}: sheet '{sheet}' has no row below the {skip:,} that 'skip_rows' leaves out; "
                    "expected the names of the columns and the rows"
                ) from None
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
    texts = typed(pl.DataFrame([c for c in table if c.dtype == pl.String]), reader, path)
    return pl.DataFrame([texts[c.name] if c.name in texts.columns else plain(c) for c in table]), []


def check_workbook(path: Path, sheets: list[str] | None = None) -> None:
    """Check that a workbook is whole, and that its cells can be held.

    Readers do not look at the checksums that each of its parts has, and make room for every cell from the first to
    the last, also where two are all that there are.
    """
    if not zipfile.is_zipfile(path):
        return
    with open_zip(path) as archive:
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


LOOK_INTO = 50
"""Rows that are looked into for a header: titles and notes above a table seldom take more."""

_Row = tuple[int, list[str]]
"""How many lines, or rows of a sheet, stand above a row; and its cells."""


def where_header_is(path: Path, reader: Reader, wanted: Sequence[str]) -> str:
    """Say where the columns wanted are named, as a clause that ends a message."""
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

    from commonweal.sources.sandbox import explain_damage

    with explain_damage(path, NO_EXCEL):
        book = fastexcel.read_excel(path)
    for sheet in book.sheet_names:
        try:
            check_workbook(path, [sheet])
        except DataError:  # too far apart to be held; another may have the header
            continue
        with explain_damage(path, NO_EXCEL):
            top = book.load_sheet(sheet, header_row=None, n_rows=LOOK_INTO, dtypes="string")
            rows = top.to_polars().rows()
        yield sheet, [(n, [str(cell) for cell in row]) for n, row in enumerate(rows)]


def read_text(
    data: Path | bytes, name: Path, source: Source, columns: Sequence[str] | None
) -> pl.DataFrame:
    """Read a text table.

    Only the columns wanted are kept in memory, so a file may be far larger than it.
    """
    import polars as pl

    reader = source.reader
    separator = reader.separator or ("\t" if reader.format == "tsv" else ",")
    if reader.encoding.lower().replace("_", "-") not in {"utf-8", "utf8", "utf-8-sig"}:
        data = _recode(data, reader.encoding, name)
    data = _with_line_feeds(data)
    header, lines = _header(data, name, reader, separator)
    check_declared(header, source)
    wanted = check_columns(columns, header, source)
    walk: _Walk | None = None
    if reader.rows is not None:
        walk = _walk(data, name, header, lines, separator, reader.rows)
        data = _first_lines(data, walk.lines)
    try:
        table = (
            pl.scan_csv(
                io.BytesIO(data) if isinstance(data, bytes) else data,
                has_header=False,
                skip_lines=lines,
                separator=separator,
                schema=dict.fromkeys(header, pl.String),
                glob=False,
            )
            .select(by_name(list(dict.fromkeys([*wanted, header[-1]]))))
            .collect()
        )
    except pl.exceptions.NoDataError:
        raise DataError(f"{name}: a header and no rows") from None
    except pl.exceptions.PolarsError as error:
        if "utf-8" in str(error) or "utf8" in str(error):
            raise DataError(_not_utf8(data, name)) from None
        _walk(data, name, header, lines, separator)  # names the line, if one is ragged
        raise DataError(f"{name}: cannot be read as a table ({error})") from None
    if walk is None and _has_empty(table[header[-1]]):
        # Polars fills a short row without a word; an empty last field is how one shows.
        walk = _walk(data, name, header, lines, separator)
    if walk is not None:
        if walk.records != table.height:
            raise DataError(
                f"{name}: {table.height} rows by one count and {walk.records} by another; "
                "a quotation mark may not be closed"
            )
        keep = [number not in walk.blank for number in range(table.height)]
        table = table.filter(pl.Series(keep, dtype=pl.Boolean))
    if table.height == 0:
        raise DataError(f"{name}: a header and no rows")
    return typed(pl.DataFrame([table[column] for column in wanted]), reader, name)


_START = 1 << 16
"""Bytes in which the first line of any table ends."""


def _with_line_feeds(data: Path | bytes) -> Path | bytes:
    """Give text whose lines end with CR alone, as from an old Mac, with the ends that Polars knows."""
    if isinstance(data, bytes):
        start = data[:_START]
    else:
        with data.open("rb") as file:
            start = file.read(_START)
    if b"\r" not in start or b"\n" in start:
        return data
    return (data if isinstance(data, bytes) else data.read_bytes()).replace(b"\r", b"\n")


def _has_empty(column: pl.Series) -> bool:
    return bool(column.is_null().any()) or bool((column == "").any())


def _recode(data: Path | bytes, encoding: str, name: Path) -> bytes:
    raw = data if isinstance(data, bytes) else data.read_bytes()
    try:
        return raw.decode(encoding).encode("utf-8")
    except UnicodeDecodeError as error:
        raise DataError(f"{name}: not text in {encoding}: {error}") from None
    except LookupError:
        raise DataError(f"{name}: there is no encoding '{encoding}'") from None


def _not_utf8(data: Path | bytes, name: Path) -> str:
    if isinstance(data, bytes):
        start = data[:2]
    else:
        with data.open("rb") as file:
            start = file.read(2)
    if start in {codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE}:
        return f"{name}: UTF-16 text; say 'encoding: utf-16' beside its name, or save it as UTF-8"
    return (
        f"{name}: not UTF-8 text; save it as 'CSV UTF-8', or say 'encoding: cp1252' "
        "beside its name (most files from Excel on Windows)"
    )


def _open(data: Path | bytes) -> io.TextIOWrapper:
    raw = io.BytesIO(data) if isinstance(data, bytes) else data.open("rb")
    return io.TextIOWrapper(raw, encoding="utf-8-sig", newline="")


def _header(
    data: Path | bytes, name: Path, reader: Reader, separator: str
) -> tuple[list[str], int]:
    """Read the names of the columns, and count the lines up to the first row."""
    with _open(data) as text:
        try:
            for _ in range(reader.skip_rows):
                text.readline()
            rows = csv.reader(text, delimiter=separator)
            first = next(rows, None)
            above = reader.skip_rows
            if reader.columns is None:
                above += rows.line_num
                for row in rows:  # Polars would take a blank line here for the width of the table
                    if row:
                        break
                    above = reader.skip_rows + rows.line_num
        except UnicodeDecodeError:
            raise DataError(_not_utf8(data, name)) from None
        except csv.Error as error:
            raise DataError(f"{name}: cannot be read as a table ({error})") from None
    if not first:
        raise DataError(
            f"{name}: expected the names of the columns in line {reader.skip_rows + 1}, "
            "found nothing"
        )
    if any("\0" in cell for cell in first):
        raise DataError(f"{name}: not a text table (it holds null characters)")
    other = next((mark for mark in ";\t|" if mark in first[0] and mark != separator), None)
    if len(first) == 1 and other is not None:
        raise DataError(
            f"{name}: the header has no {separator!r} but {other!r}; "
            f"say 'separator: \"{other}\"' beside its name"
        )
    if reader.columns is not None:
        if len(reader.columns) != len(first):
            raise DataError(
                f"{name}: {len(reader.columns)} column names are given, found {len(first)} fields"
            )
        return check_header(reader.columns, name), above
    return check_header(first, name), above


@dataclass(frozen=True)
class _Walk:
    """What a walk through every record found."""

    records: int
    blank: frozenset[int]
    lines: int


def _walk(
    data: Path | bytes,
    name: Path,
    header: list[str],
    skip: int,
    separator: str,
    wanted: int | None = None,
) -> _Walk:
    """Count the records, and refuse one of another length than the header.

    Stops after `wanted` records that are not blank lines, if that is given.
    """
    blank: list[int] = []
    number = -1
    with _open(data) as text:
        for _ in range(skip):
            text.readline()
        rows = csv.reader(text, delimiter=separator)
        try:
            for number, fields in enumerate(rows):
                if not fields:
                    blank.append(number)
                elif len(fields) != len(header):
                    raise DataError(
                        f"{name}: line {skip + rows.line_num} has {len(fields)} fields, "
                        f"expected {len(header)} as in the header" + _under_a_title(data, separator)
                    )
                if wanted is not None and number + 1 - len(blank) == wanted:
                    break
        except UnicodeDecodeError:
            raise DataError(_not_utf8(data, name)) from None
        except csv.Error as error:
            raise DataError(f"{name}: cannot be read as a table ({error})") from None
    rows_found = number + 1 - len(blank)
    if wanted is not None and rows_found < wanted:
        raise DataError(f"{name}: expected {wanted} rows, found {rows_found}")
    return _Walk(number + 1, frozenset(blank), skip + rows.line_num)


def _under_a_title(data: Path | bytes, separator: str) -> str:
    """Say how to skip what stands above the header, where that seems to be the matter."""
    with _open(data) as text:
        above = lines_above(text, separator)
    lines = f"{above} lines" if above > 1 else "1 line"
    return f"; {lines} above the header? say 'skip_rows: {above}' beside its name" if above else ""


def _first_lines(data: Path | bytes, count: int) -> bytes:
    with io.BytesIO(data) if isinstance(data, bytes) else data.open("rb") as file:
        return b"".join(islice(file, count))
