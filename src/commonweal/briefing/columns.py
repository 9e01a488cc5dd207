"""Tables as lines of text, for a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

__all__ = ["in_columns"]

WIDEST = 100
GAP = "  "


def in_columns(
    heads: Sequence[str], rows: Sequence[Sequence[str]], *, indent: str = "  "
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
    right = [head.startswith(">") for head in heads]
    cells = [[head.lstrip(">") for head in heads], *map(list, rows)]
    wide = [max(map(len, column)) for column in zip(*cells, strict=True)]
    words = [k for k, number in enumerate(right) if not number]
    while words and sum(wide) + len(GAP) * (len(wide) - 1) + len(indent) > WIDEST:
        widest = max(words, key=lambda k: wide[k])
        if wide[widest] <= 12:
            break
        wide[widest] -= 1
    for line in cells:
        told = (
            _cut(cell, n).rjust(n) if number else _cut(cell, n).ljust(n)
            for cell, n, number in zip(line, wide, right, strict=True)
        )
        yield f"{indent}{GAP.join(told)}".rstrip()


def _cut(text: str, n: int) -> str:
    return text if len(text) <= n else f"{text[: n - 3].rstrip()}..."
