"""Text tables: CSV and its relatives, of any size, with every row accounted for."""

from __future__ import annotations

import codecs
import csv
import io
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING

from commonweal.errors import DataError
from commonweal.sources.columns import by_name, check_columns, check_header, typed
from commonweal.sources.header import lines_above

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import polars as pl

    from commonweal.sources.catalogue import Reader, Source

__all__ = [
    "read_text",
]


def read_text(
    data: Path | bytes, name: Path, source: Source, columns: Sequence[str] | None
) -> pl.DataFrame:
    """Read a text table.

    Only the columns wanted are kept in memory, so a file may be far larger than it.

    Parameters
    ----------
    data
        The file, or its bytes if it came out of a zip.
    name
        What to call it in messages.
    source
        Its description; the reader's options are used.
    columns
        The columns wanted; all if not given.

    Returns
    -------
    polars.DataFrame
        The columns wanted. A column is Int64, Float64 or Boolean if every value in it is; else
        String. Empty fields are null, and so are 'NA' and 'NaN' in a column of numbers. Blank
        lines are left out.

    Raises
    ------
    DataError
        If it is not text in the encoding, has no rows, or a row has more or fewer fields than
        the header; the message names the line.
    UnknownNameError
        If a column is not there.
    """
    import polars as pl

    reader = source.reader
    separator = reader.separator or ("\t" if reader.format == "tsv" else ",")
    if reader.encoding.lower().replace("_", "-") not in {"utf-8", "utf8", "utf-8-sig"}:
        data = _recode(data, reader.encoding, name)
    header, lines = _header(data, name, reader, separator)
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
    return pl.DataFrame([typed(table[column], reader, name) for column in wanted])


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
