"""A column of a table as numbers, and all that keeps it from being so."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import polars as pl

from commonweal.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from commonweal.sources import Source

__all__ = ["numbers"]

MOST_VALUES = 6
"""How many different values are named that are no numbers."""
MOST_ROWS = 3
"""How many rows of each."""
_THOUSANDS = re.compile(r"\s*[+-]?[0-9]{1,3}(,[0-9]{3})+(\.[0-9]+)?\s*")
_DECIMAL_COMMA = re.compile(r"\s*[+-]?[0-9.]*,[0-9]+\s*")


def numbers(table: pl.DataFrame, column: str, source: Source) -> pl.Series:
    """Give a column of a source's table as numbers.

    Parameters
    ----------
    table
        The table.
    column
        The column: numbers, truths (1 and 0), or text that is numbers.
    source
        Whose it is, for messages.

    Returns
    -------
    polars.Series
        Float64, null where there is none.

    Raises
    ------
    DataError
        If values are something else; the message gives them all with their rows, and what to say of
        the file so that they are read.
    """
    value = table[column]
    if value.dtype.is_numeric() or value.dtype == pl.Boolean:
        return value.cast(pl.Float64)
    text = value.cast(pl.String)
    found = text.cast(pl.Float64, strict=False)
    wrong = found.is_null() & text.is_not_null()
    if not wrong.any():
        return found
    rows: dict[str, list[int]] = {}
    for row in wrong.arg_true().to_list():
        rows.setdefault(str(text[row]), []).append(row + 1)
    said = [f"'{value}' ({_rows(at)})" for value, at in list(rows.items())[:MOST_VALUES]]
    if len(rows) > MOST_VALUES:
        said.append(f"{len(rows) - MOST_VALUES:,} more values")
    raise DataError(
        f"column '{column}' of {source.called} has {_and(said)}; expected numbers, or nothing where "
        f"there is none ({int(wrong.sum()):,} of {len(table):,} rows below the header are not)"
        + (_what_to_say(list(rows)) if source.path else "")
    )


def _rows(at: Sequence[int]) -> str:
    if len(at) == 1:
        return f"row {at[0]:,}"
    some = [f"{row:,}" for row in at[:MOST_ROWS]]
    return "rows " + _and([*some, *([f"{len(at) - MOST_ROWS:,} more"] if at[MOST_ROWS:] else [])])


def _and(parts: Sequence[str]) -> str:
    return " and ".join([p for p in (", ".join(parts[:-1]), parts[-1]) if p])


def _what_to_say(values: Sequence[str]) -> str:
    """Say which settings of a file would make numbers, or gaps, of such values."""
    by_thousand = [v for v in values if _THOUSANDS.fullmatch(v)]
    by_comma = [v for v in values if _DECIMAL_COMMA.fullmatch(v) and v not in by_thousand]
    gaps = [v for v in values if v not in (*by_thousand, *by_comma)]
    say = []
    if by_thousand and not by_comma:
        say.append("'thousands: true'")
    if by_comma:
        say.append("'decimal: \",\"'")
    if gaps:
        listed = ", ".join(f'"{v}"' for v in gaps[:MOST_VALUES])
        listed += ", ..." if len(gaps) > MOST_VALUES else ""
        say.append(f"'null_values: [{listed}]' (if that means that there is no number)")
    return f"; say {_and(say)} beside its name"
