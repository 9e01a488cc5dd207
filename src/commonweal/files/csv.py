"""Tables as CSV, safe to open in a spreadsheet: the only place that writes them for readers.

A spreadsheet runs a cell of a CSV file that begins with a sign as a formula, whoever wrote it. Such
a text gets an apostrophe before it, as OWASP advises ("CSV Injection"). In a workbook that is not
needed: there a text says of itself that it is one.

All are UTF-8. Excel takes a CSV file for the encoding of its country, and spoils accents without a word, unless the
file begins with a byte-order mark; most programs take that mark for a part of the first header. So the rule is: what
a browser hands over, which a click opens in a spreadsheet, has the mark; a file that is written has a workbook
next to it for spreadsheets, is there for programs, and has none.
"""

from __future__ import annotations

import csv
import io
import re
from typing import TYPE_CHECKING, Any

import polars as pl
import polars.selectors as cs

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


_STARTS_FORMULA = r"^(?: *[\t\r\n]|\s*[=+\-@＝＋－＠])"
"""Signs of full width count too: a spreadsheet of East Asian settings reads them as the others."""
_RISKY = re.compile(_STARTS_FORMULA)


def plain_cell(value: Any) -> Any:
    """Give a cell of which no spreadsheet makes a formula: a text that would begin one gets an apostrophe.

    >>> plain_cell("=HYPERLINK(1)"), plain_cell("St Mary"), plain_cell(-3), plain_cell(None)
    ("'=HYPERLINK(1)", 'St Mary', -3, None)
    """
    return f"'{value}" if isinstance(value, str) and _RISKY.match(value) else value


def csv_of_frame(frame: pl.DataFrame) -> bytes:
    """Give a table as CSV for a file: in UTF-8 without a mark, names of columns included."""
    text = cs.by_dtype(pl.String, pl.Categorical, pl.Enum)
    plain = frame.with_columns(text.cast(pl.String))
    risky = cs.string().str.contains(_STARTS_FORMULA)
    plain = plain.with_columns(
        pl.when(risky).then("'" + cs.string()).otherwise(cs.string()).name.keep()
    )
    plain.columns = [plain_cell(name) for name in plain.columns]
    return plain.write_csv().encode()


def csv_of_rows(head: Sequence[str], rows: Iterable[Sequence[Any]]) -> bytes:
    """Give rows as CSV for a browser: in UTF-8 with the mark that spreadsheets know it by; None is an empty cell."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow([plain_cell(name) for name in head])
    writer.writerows(["" if v is None else plain_cell(v) for v in row] for row in rows)
    return text.getvalue().encode("utf-8-sig")
