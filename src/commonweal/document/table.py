"""A table for readers: what workbook and report have in common."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import polars as pl

from commonweal.document.words import percent
from commonweal.files.csv import csv_of_frame

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy as np
    from numpy.typing import NDArray

__all__ = ["Shown", "framed", "whole"]


@dataclass(frozen=True, slots=True)
class Shown:
    """A table for readers: the frame's columns are named by their headers.

    Attributes
    ----------
    frame
        Text, whole numbers (integers), decimals (floats) and shares (floats, 0..1).
    shares
        Headers of the columns that are shares.
    places
        Decimal places of columns of decimals that are not shown with two.
    counts
        Headers of columns of text that hold counts, such as ``1,200``, and words where one is not shown; in a
        workbook they are numbers.
    """

    frame: pl.DataFrame
    shares: frozenset[str] = frozenset()
    places: Mapping[str, int] = field(default_factory=dict)
    counts: frozenset[str] = frozenset()

    def __len__(self) -> int:
        return len(self.frame)

    def is_number(self, header: str) -> bool:
        """Whether a column holds numbers."""
        return self.frame.schema[header].is_numeric()

    def csv(self) -> bytes:
        """Give the table as CSV, safe to open in a spreadsheet."""
        return csv_of_frame(self.frame)

    def cells(self) -> list[tuple[str, ...]]:
        """Give every row as text for readers; empty where there is no value."""
        columns = []
        for header, kind in self.frame.schema.items():
            values = self.frame[header].to_list()
            if header in self.shares:
                text = ["" if v is None else percent(v) for v in values]
            elif kind.is_integer():
                text = ["" if v is None else f"{v:,}" for v in values]
            elif kind.is_float():
                digits = self.places.get(header, 2)
                text = ["" if v is None else f"{v:,.{digits}f}" for v in values]
            else:
                text = ["" if v is None else str(v) for v in values]
            columns.append(text)
        return list(zip(*columns, strict=True)) if len(self.frame) else []


def framed(
    columns: Sequence[tuple[str, pl.Series]], shares: Sequence[str] = (), counts: Sequence[int] = ()
) -> Shown:
    """Make a table of headed columns; a header that occurs twice is numbered, and counts are given by their place."""
    headers = _unique([header for header, _ in columns])
    series = [s.alias(h) for h, (_, s) in zip(headers, columns, strict=True)]
    return Shown(
        pl.DataFrame(series), frozenset(shares), counts=frozenset(headers[i] for i in counts)
    )


def _unique(headers: Sequence[str]) -> list[str]:
    """Set a number to headers that occur twice, case ignored: those of an Excel table must differ."""
    seen: dict[str, int] = {}
    out = []
    for header in headers:
        key = header.casefold()
        seen[key] = seen.get(key, 0) + 1
        out.append(header if seen[key] == 1 else f"{header} ({seen[key]})")
    return out


def whole(values: NDArray[np.float64]) -> pl.Series:
    """Give numbers as whole ones; NaN is no value."""
    return pl.Series(values, dtype=pl.Float64).fill_nan(None).round(0).cast(pl.Int64)
