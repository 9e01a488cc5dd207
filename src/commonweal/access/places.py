"""Places: where they are, of what kind, from which source, and what was left out and why."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from commonweal.access.points import Points
from commonweal.access.taxonomy import Taxonomy, load_taxonomy
from commonweal.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

__all__ = ["LEFT_OUT", "PLACES", "Places", "join_places", "make_places"]

PLACES = {
    "id": pl.String,
    "name": pl.String,
    "kind": pl.String,
    "group": pl.String,
    "longitude": pl.Float64,
    "latitude": pl.Float64,
    "source": pl.String,
    "postcode": pl.String,
}
"""Columns of places; names and postcodes may be null."""

LEFT_OUT = {
    "source": pl.String,
    "id": pl.String,
    "name": pl.String,
    "reason": pl.String,
    "detail": pl.String,
}
"""Columns of what was left out."""


@dataclass(frozen=True, slots=True)
class Places:
    """Places, checked once here.

    Attributes
    ----------
    table
        One row a place: ``id`` (source and number in it), ``name``, ``kind``, ``group``,
        ``longitude`` and ``latitude`` (degrees, WGS 84), ``source``, ``postcode``.
    left_out
        One row for each that was read and is not there: ``source``, ``id``, ``name``, ``reason``
        (a word or two), ``detail``.
    read
        How many were read, by source. What is kept and what is left out add up to it.

    Raises
    ------
    DataError
        If a column is missing, an id occurs twice, or a place lacks a kind or a position.
    """

    table: pl.DataFrame
    left_out: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=LEFT_OUT))
    read: Mapping[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for table, schema in ((self.table, PLACES), (self.left_out, LEFT_OUT)):
            if table.schema != pl.Schema(schema):
                raise DataError(f"places have the columns {dict(table.schema)}; expected {schema}")
        needed = self.table.drop("name", "postcode", "longitude", "latitude").null_count().row(0)
        if any(needed):
            raise DataError("a place has no id, kind, group or source; expected one for each")
        twice = self.table["id"].is_duplicated()
        if twice.any():
            raise DataError(
                f"place '{self.table['id'][int(twice.arg_max() or 0)]}' is there twice; "
                "expected each id once"
            )
        _ = self.points  # checks the coordinates

    def __len__(self) -> int:
        return len(self.table)

    @property
    def points(self) -> Points:
        """Where the places are, in order."""
        return Points(
            self.table["longitude"].fill_null(np.nan).to_numpy(),
            self.table["latitude"].fill_null(np.nan).to_numpy(),
        )

    def of(self, names: str | Iterable[str], taxonomy: Taxonomy | None = None) -> Places:
        """Give the places of some kinds or groups.

        Parameters
        ----------
        names
            Ids of kinds or of groups.
        taxonomy
            The one they are of; that which ships if not given.

        Raises
        ------
        UnknownNameError
            If a name is neither a kind nor a group.
        """
        asked = [names] if isinstance(names, str) else names
        kinds = (taxonomy or load_taxonomy()).kinds_of(asked)
        return Places(self.table.filter(pl.col("kind").is_in(kinds)), self.left_out, self.read)

    def account(self) -> pl.DataFrame:
        """Say how many were read, kept and left out.

        Returns
        -------
        polars.DataFrame
            ``source``, ``outcome`` (``read``, ``kept`` or a reason), ``rows``; in each source first
            what was read, then what is kept, then reasons by how many they touched.
        """
        read = pl.DataFrame(
            {"source": list(self.read), "outcome": "read", "rows": list(self.read.values())},
            schema={"source": pl.String, "outcome": pl.String, "rows": pl.Int64},
        )
        kept = self.table.group_by("source").agg(outcome=pl.lit("kept"), rows=pl.len())
        out = self.left_out.group_by("source", outcome="reason").agg(rows=pl.len())
        order = pl.col("outcome").replace_strict({"read": 0, "kept": 1}, default=2)
        return (
            pl.concat([read, *(t.cast(read.schema) for t in (kept, out))])
            .with_columns(order=order)
            .sort("source", "order", -pl.col("rows"), "outcome")
            .drop("order")
        )


def make_places(
    rows: pl.DataFrame, taxonomy: Taxonomy, left_out: pl.DataFrame, read: Mapping[str, int]
) -> Places:
    """Make places of a table that has all columns but ``group``, which the kind says."""
    table = rows.with_columns(
        group=pl.col("kind")
        .cast(pl.String)
        .replace_strict(taxonomy.group_of, return_dtype=pl.String)
    ).select(pl.col(name).cast(dtype) for name, dtype in PLACES.items())
    return Places(table, left_out.select(pl.col(n).cast(d) for n, d in LEFT_OUT.items()), read)


def join_places(parts: Iterable[Places]) -> Places:
    """Put places of several sources together; the same place in two sources stays twice.

    Raises
    ------
    DataError
        If a source is in two of the parts.
    """
    given = list(parts)
    read: dict[str, int] = {}
    for part in given:
        again = read.keys() & part.read.keys()
        if again:
            raise DataError(f"source '{min(again)}' is in two of the parts; expected each once")
        read |= part.read
    return Places(
        pl.concat([pl.DataFrame(schema=PLACES), *(p.table for p in given)]),
        pl.concat([pl.DataFrame(schema=LEFT_OUT), *(p.left_out for p in given)]),
        read,
    )
