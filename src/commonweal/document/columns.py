"""Lists and tables as lines of text, for a terminal."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

__all__ = ["MOST_LINES", "capped", "coefficient", "in_columns"]

WIDEST = 100
GAP = "  "

MOST_LINES = 10
"""Lines of a list that a terminal shows; the list ends by saying how many follow, and where all are."""


def capped(lines: Iterable[str], whole: str, most: int = MOST_LINES) -> Iterator[str]:
    r"""Cut a list short, and say how many lines follow.

    Parameters
    ----------
    lines
        The list.
    whole
        Where all of it is.
    most
        How many lines to show.

    Examples
    --------
    >>> print(*capped(["  A01", "  A02", "  A03"], "--out FILE writes them", most=2), sep="\n")
      A01
      A02
      and 1 more (--out FILE writes them)
    """
    told = list(lines)
    yield from told[:most]
    if len(told) > most:
        indent = told[0][: len(told[0]) - len(told[0].lstrip())]
        yield f"{indent}and {len(told) - most:,} more ({whole})"


def coefficient(value: float | None) -> str:
    """Give a correlation for a cell: empty where there is none, as among areas that are all alike."""
    return "" if value is None or math.isnan(value) else f"{value:.2f}"


def in_columns(
    heads: Sequence[str], rows: Sequence[Sequence[str]], *, indent: str = "  ", whole: str = ""
) -> Iterator[str]:
    r"""Align a table: columns of numbers to the right, of words to the left.

    Parameters
    ----------
    heads
        Names of the columns. One that starts with ``>`` is of numbers.
    rows
        Their cells.
    indent
        What each line starts with.
    whole
        Where all rows are, if the table is to be cut short as by `capped`.

    Yields
    ------
    str
        The heads, then a line a row, at most 100 characters wide as long as the numbers leave room:
        the widest columns of words are cut.

    Examples
    --------
    >>> print(*in_columns(["Place", ">Rank"], [["Leeds", "12"], ["York", "1,204"]]), sep="\n")
      Place   Rank
      Leeds     12
      York   1,204
    """
    n = MOST_LINES if whole else len(rows)
    right = [head.startswith(">") for head in heads]
    cells = [[head.lstrip(">") for head in heads], *map(list, rows[:n])]
    wide = [max(map(len, column)) for column in zip(*cells, strict=True)]
    words = [k for k, number in enumerate(right) if not number]
    while words and sum(wide) + len(GAP) * (len(wide) - 1) + len(indent) > WIDEST:
        widest = max(words, key=lambda k: wide[k])
        if wide[widest] <= 12:
            break
        wide[widest] -= 1
    for line in cells:
        told = (
            _cut(cell, w).rjust(w) if number else _cut(cell, w).ljust(w)
            for cell, w, number in zip(line, wide, right, strict=True)
        )
        yield f"{indent}{GAP.join(told)}".rstrip()
    if len(rows) > n:
        yield f"{indent}and {len(rows) - n:,} more ({whole})"


def _cut(text: str, n: int) -> str:
    return text if len(text) <= n else f"{text[: n - 3].rstrip()}..."
