"""An Excel workbook that people and screen readers can read: a cover and one table a sheet."""

from __future__ import annotations

import io
import re
import textwrap
import zipfile
from binascii import crc32
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

import polars as pl

from commonweal.document.model import TableData
from commonweal.files.extras import needs

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from commonweal.document.model import TableData


_LEVEL = 6
"""Of compression: the usual one, 6, takes 2% off England's long sheets in half as much time again; level 2 makes a
fifth more bytes."""

WRITTEN = 2
"""Rows of a long table that are to be written cell by cell."""

_CONTROL = "[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]"


@dataclass(frozen=True, slots=True)
class LongTable:
    """A table of a workbook of which the first `WRITTEN` rows are there."""

    name: str  # of the table in the workbook; a sheet has one table
    # all its rows, text and numbers; null is an empty cell. The header is in the first row.
    frame: pl.DataFrame


def fill(packed: io.BytesIO, tables: Mapping[int, LongTable]) -> bytes:
    """Put the rest of the rows of each table, by position of its sheet from 1, into a workbook."""
    of_sheet = {f"xl/worksheets/sheet{number}.xml": table for number, table in tables.items()}
    out = io.BytesIO()
    with (
        zipfile.ZipFile(packed) as plain,
        zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as full,
    ):
        for item in plain.infolist():
            content = plain.read(item)
            if item.filename in of_sheet:
                content = _with_rows(content, of_sheet[item.filename])
            elif item.filename.startswith("xl/tables/"):
                for table in tables.values():
                    if f'displayName="{table.name}"'.encode() in content:
                        content = _stretched(content, table)
            entry = zipfile.ZipInfo(item.filename, date_time=(1980, 1, 1, 0, 0, 0))
            entry.compress_type = zipfile.ZIP_DEFLATED
            full.writestr(entry, content, compresslevel=_LEVEL)
    return out.getvalue()


def _stretched(xml: bytes, table: LongTable) -> bytes:
    """Let references to the rows written so far reach to the last row."""
    short, whole = 1 + WRITTEN, 1 + table.frame.height
    return re.sub(rf'(ref="[A-Z]+\d+:[A-Z]+){short}"'.encode(), rf'\g<1>{whole}"'.encode(), xml)


def _with_rows(sheet: bytes, table: LongTable) -> bytes:
    from xlsxwriter.utility import xl_col_to_name

    first, last = 2, 1 + table.frame.height  # Excel counts from 1
    styles = dict(re.findall(rf'<c r="([A-Z]+){first}" s="(\d+)"'.encode(), sheet))
    rows = pl.int_range(first + WRITTEN, last + 1)
    rest = table.frame[WRITTEN:].with_columns(rows.alias("__row"))
    row = pl.col("__row").cast(pl.String)
    cells: list[pl.Expr] = [pl.lit('<row r="'), row, pl.lit('">')]
    for k, (header, kind) in enumerate(table.frame.schema.items()):
        letters = xl_col_to_name(k)
        style = styles.get(letters.encode(), b"0").decode()
        start = pl.concat_str(pl.lit(f'<c r="{letters}'), row, pl.lit(f'" s="{style}"'))
        value = pl.col(header)
        if kind == pl.String:
            clean = value.str.replace_all(_CONTROL, "").str.replace_many(
                ["&", "<", ">"], ["&amp;", "&lt;", "&gt;"]
            )
            full = pl.concat_str(
                start,
                pl.lit(' t="inlineStr"><is><t xml:space="preserve">'),
                clean,
                pl.lit("</t></is></c>"),
            )
        else:
            number = value.cast(pl.String).str.strip_suffix(".0")  # 6029.0 is 6029
            full = pl.concat_str(start, pl.lit("><v>"), number, pl.lit("</v></c>"))
        cells.append(pl.coalesce(full, pl.concat_str(start, pl.lit("/>"))))
    text = rest.select(pl.concat_str(*cells, pl.lit("</row>")).str.join("").alias("all"))["all"][0]
    at = sheet.rindex(b"</sheetData>")
    return _stretched(sheet[:at], table) + text.encode() + sheet[at:]


_LINE = 15.0  # points
_WRAP = 45  # characters from which on a column of text is wrapped
_MOST_PLACES = 4  # of decimals
_STAMP = datetime(1980, 1, 1)  # the earliest date of a zip archive


def write_sheets(
    path: Path,
    title: str,
    subject: str,
    lines: Sequence[str],
    listed: Sequence[Sheet],
    day: date | None = None,
) -> None:
    """Write a workbook of a cover with contents and one table a sheet."""
    path.write_bytes(sheets(title, subject, lines, listed, day))


def sheets(
    title: str,
    subject: str,
    lines: Sequence[str],
    listed: Sequence[Sheet],
    day: date | None = None,
) -> bytes:
    """Make the bytes of such a workbook."""
    with needs("xlsx"):
        import xlsxwriter

    packed = io.BytesIO()
    book = xlsxwriter.Workbook(
        packed,
        {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False,
         "strings_to_numbers": False},
    )  # fmt: skip
    created = datetime(day.year, day.month, day.day) if day else _STAMP
    book.set_properties(
        {
            "title": title,
            "subject": subject,
            "author": "Commonweal",
            "comments": " ".join(filter(None, lines)),
            "created": created,
        }
    )
    formats = _formats(book)
    _cover(book, title, lines, listed, formats)
    long: dict[int, LongTable] = {}
    for number, sheet in enumerate(listed, start=2):
        _write(book, sheet, formats)
        if sheet.long and len(sheet.table) > WRITTEN:
            long[number] = LongTable(_called(sheet), sheet.table.frame)
    book.close()
    return fill(packed, long)


def _formats(book: Any) -> dict[str, Any]:
    return {
        "title": book.add_format({"bold": True, "font_size": 16}),
        "head": book.add_format({"bold": True, "text_wrap": True, "valign": "top", "bottom": 1}),
        "wrap": book.add_format({"text_wrap": True, "valign": "top"}),
        "text": book.add_format({"valign": "top"}),
        "whole": book.add_format({"num_format": "#,##0", "valign": "top"}),
        **{
            f"decimal_{k}": book.add_format(
                {"num_format": f"#,##0.{'0' * k}".rstrip("."), "valign": "top"}
            )
            for k in range(_MOST_PLACES + 1)
        },
        "share": book.add_format({"num_format": "0.0%", "valign": "top"}),
        "link": book.add_format({"font_color": "#0B3D91", "underline": 1, "valign": "top"}),
    }


def _cover(
    book: Any, title: str, lines: Sequence[str], listed: Sequence[Sheet], formats: dict[str, Any]
) -> None:
    sheet = book.add_worksheet("Cover")
    sheet.hide_gridlines(2)
    sheet.set_column(0, 0, 60)
    sheet.set_column(1, 1, 34)
    sheet.set_column(2, 2, 90)
    sheet.write_string(0, 0, title, formats["title"])
    lines = [*lines, "This sheet contains one table: the contents of the workbook."]
    head = 0
    for line in filter(None, lines):
        head += 1
        sheet.write_string(head, 0, line, formats["wrap"])
        sheet.set_row(head, _LINE * _lines(line, 60))
    head += 1
    for k, s in enumerate(listed, start=1):
        sheet.write_string(head + k, 0, s.title, formats["wrap"])
        quoted = s.name.replace("'", "''")
        sheet.write_url(head + k, 1, f"internal:'{quoted}'!A1", formats["link"], s.name)
        about = s.about if len(s.table) else f"{s.about} There are none."
        sheet.write_string(head + k, 2, about, formats["wrap"])
        sheet.set_row(head + k, _LINE * max(_lines(s.title, 60), _lines(about, 90)))
    sheet.add_table(
        head, 0, head + len(listed), 2,
        {"name": "Contents", "style": "Table Style Light 1", "autofilter": False, "banded_rows": False,
         "columns": [{"header": "Contents", "header_format": formats["head"]},
                     {"header": "Sheet", "header_format": formats["head"]},
                     {"header": "What it holds", "header_format": formats["head"]}]},
    )  # fmt: skip
    _paged(sheet)


def _paged(page: Any) -> None:
    """Print on as many A4 sheets as it takes, one wide."""
    page.set_landscape()
    page.set_paper(9)
    page.fit_to_pages(1, 0)


def _write(book: Any, sheet: Sheet, formats: dict[str, Any]) -> None:
    page = book.add_worksheet(sheet.name)
    shown = sheet.table
    if len(shown) == 0:  # a table in Excel has a row at least
        for column, header in enumerate(shown.frame.columns or ["There are none"]):
            page.write_string(0, column, header, formats["head"])
            page.set_column(column, column, 24)
        return
    kinds = [_kind(shown, h) for h in shown.frame.columns]
    widths = _widths(shown)
    for column, width in enumerate(widths):
        page.set_column(column, column, width)
        if kinds[column] == "text" and width > _WRAP:
            kinds[column] = "wrap"
    headers = zip(shown.frame.columns, widths, strict=True)
    page.set_row(0, _LINE * max(_lines(h, w - 3) for h, w in headers))
    n = min(len(shown), WRITTEN) if sheet.long else len(shown)
    for row in range(n):
        values = shown.frame.row(row)
        _row(page, 1 + row, values, kinds, formats)
        wrapped = zip(values, widths, kinds, strict=True)
        tall = max((_lines(str(v or ""), w) for v, w, k in wrapped if k == "wrap"), default=1)
        if tall > 1:
            page.set_row(1 + row, _LINE * tall)
    columns = [{"header": h, "header_format": formats["head"]} for h in shown.frame.columns]
    page.add_table(
        0, 0, n, shown.frame.width - 1,
        {"name": _called(sheet), "style": "Table Style Light 1", "banded_rows": False,
         "columns": columns},
    )  # fmt: skip
    page.freeze_panes(1, 0)
    _paged(page)
    page.repeat_rows(0)


def _row(
    page: Any, at: int, values: Sequence[Any], kinds: Sequence[str], formats: dict[str, Any]
) -> None:
    for column, (value, kind) in enumerate(zip(values, kinds, strict=True)):
        form = formats[kind]
        if value is None:
            page.write_blank(at, column, None, form)
        elif isinstance(value, str) and kind == "whole" and value.replace(",", "").isdecimal():
            page.write_number(at, column, int(value.replace(",", "")), form)
        elif isinstance(value, str):
            # Never as a formula, whatever it starts with.
            page.write_string(at, column, value, form)
        else:
            page.write_number(at, column, value, form)


def _lines(text: str, width: float) -> int:
    """Count the lines that a text takes; not every program works out the height by itself."""
    if len(text) <= width and "\t" not in text:
        return 1
    return max(1, len(textwrap.wrap(text, max(int(width), 1))))


def _kind(shown: TableData, header: str) -> str:
    kind = shown.frame.schema[header]
    if header in shown.shares:
        return "share"
    if kind.is_integer() or header in shown.counts:
        return "whole"
    return (
        f"decimal_{min(shown.places.get(header, 2), _MOST_PLACES)}" if kind.is_float() else "text"
    )


def _widths(shown: TableData) -> list[float]:
    """Give the width of each column; where many hold long texts, each is narrower, to see them together."""
    widths = [_width(shown, h) for h in shown.frame.columns]
    crowded = sum(width > _WRAP for width in widths) > 2
    return [min(width, _WRAP + 5.0) for width in widths] if crowded else widths


def _width(shown: TableData, header: str) -> float:
    """Wide enough for the longest of the first values and for the longest word of the header."""
    word = max(len(w) for w in header.split())
    if shown.is_number(header):
        return max(12, word + 3)
    longest = shown.frame[header].head(300).str.len_chars().max()
    most = longest if isinstance(longest, int) else 0
    return float(min(max(most + 2, word + 3, 12), 80 if most < 200 else 100))


LONGEST_NAME = 31  # of a sheet, in Excel


@dataclass(frozen=True, slots=True)
class Sheet:
    """One sheet: its name, a title, a sentence on what it holds, and one table."""

    name: str
    title: str
    about: str
    table: TableData
    long: bool = False


def sheet_name(wanted: str, used: set[str]) -> str:
    """Make a name that Excel accepts for a sheet and a table, and that no other sheet has."""
    wanted = re.sub(r"\W+", "_", wanted)
    name, k = _cut(wanted, LONGEST_NAME), 2
    while name.casefold() in used:
        end = f"_{k}"
        name, k = _cut(wanted, LONGEST_NAME - len(end)) + end, k + 1
    used.add(name.casefold())
    return name


def _called(sheet: Sheet) -> str:
    """Name the table of a sheet; where the sheet's name says more than letters, so does a hash of it."""
    plain = re.sub(r"\W", "_", sheet.name)
    return (
        f"Table_{plain}" if plain == sheet.name else f"Table_{plain}_{crc32(sheet.name.encode()):x}"
    )


def _cut(name: str, longest: int) -> str:
    """Cut a name that is too long behind a whole word, where that leaves half of it."""
    if len(name) <= longest:
        return name
    whole = name[: longest + 1].rpartition("_")[0]
    return whole if len(whole) >= longest // 2 else name[:longest]
