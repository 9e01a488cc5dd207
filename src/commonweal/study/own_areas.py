"""The areas of a study from tables of the user's own: one, or several joined by code."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import polars as pl

from commonweal.areas import Areas, code_texts
from commonweal.errors import DataError, StudyError, UnknownNameError, nearest
from commonweal.indicators import numbers
from commonweal.study.files import code_said, own_source

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from commonweal.sources import Source, Store
    from commonweal.spec import OwnAreas, Study

__all__ = ["own_areas"]

POINT = ("longitude", "latitude")
NUMBERS = ("population", *POINT)


@dataclass(frozen=True, slots=True)
class _Table:
    """A table with columns of the areas, and its own column of their codes."""

    source: Source
    table: pl.DataFrame
    code: str

    def codes(self) -> pl.Series:
        return code_texts(self.table[self.code], self.source.called).replace("", None)


def own_areas(study: Study, own: OwnAreas, store: Store) -> Areas:
    """Load the areas of a study from tables of the user's own.

    Parameters
    ----------
    study
        The study, which says how its files are read.
    own
        Which tables and columns.
    store
        Where they are read.

    Raises
    ------
    UnknownNameError
        If a column is in none of the tables.
    StudyError
        If no row is one that `only` asks for.
    DataError
        If a table's content cannot be used, or a column is in two of those that are joined.
    """
    given = {
        "code": own.code,
        "name": own.name or own.code,
        "population": own.population,
        "longitude": own.longitude,
        "latitude": own.latitude,
    }
    for parent, column in own.parents.items():
        code, name = (column, column) if isinstance(column, str) else column
        given |= {parent: code, f"{parent}_name": name}
    wanted = list(dict.fromkeys([*(c for c in given.values() if c), *own.only]))
    first, joined = _read(study, own, wanted, store)
    inside = _inside(first, own.only)
    # A row that is left out may hold what it will; those that stay keep their place, for messages.
    table = first.table.with_columns(pl.when(inside).then(pl.all()))
    first = replace(first, table=table)
    codes = first.codes()
    columns: dict[str, pl.Series] = {}
    for name, column in given.items():
        if not column:
            kind = pl.Float64 if name in NUMBERS else pl.String
            columns[name] = pl.Series([None] * len(table), dtype=kind)
            continue
        of = joined.get(column, first)
        found = (
            numbers(of.table, column, of.source)
            if name in NUMBERS
            else code_texts(of.table[column], of.source.called).replace("", None)
        )
        found = found.fill_nan(None) if name in POINT else found
        columns[name] = found if of is first else _by_code(found, of, codes)
    tidy = pl.DataFrame(columns).filter(inside).with_columns(name=pl.coalesce("name", "code"))
    # Checked in the file's order, so that a message gives the row where it is.
    areas = Areas(
        own.system,
        own.title,
        own.singular,
        own.plural,
        tidy,
        tuple(own.parents),
        first.source.title,
    )
    return replace(areas, table=tidy.sort("code"))


def _read(
    study: Study, own: OwnAreas, wanted: Sequence[str], store: Store
) -> tuple[_Table, dict[str, _Table]]:
    """Read the first table, and for each column that is not in it the table that it is in."""
    source = own_source(study, own, store)
    if not own.join:
        return _Table(source, store.table(source, wanted), own.code), {}
    first = _Table(source, store.table(source), own.code)
    others = []
    for spec in own.join:
        other = own_source(study, spec, store)
        code = code_said(study, spec) or own.code
        store.table(other, [code])
        others.append(_Table(other, store.table(other), code))
    joined: dict[str, _Table] = {}
    missing = []
    for column in wanted:
        if column in first.table.columns:
            continue
        there = [other for other in others if column in other.table.columns]
        if len(there) > 1:
            raise DataError(
                f"areas: column '{column}' is in {' and in '.join(t.source.called for t in there)}; "
                "expected it in one of them"
            )
        if there and column not in (own.code, *own.only):
            joined[column] = there[0]
        else:
            missing.append(column)
    if missing:
        tables = (first, *others)
        valid = [c for t in tables for c in t.table.columns]
        where = f" in {', '.join(t.source.called for t in tables)}"
        raise UnknownNameError.of_several("column", missing, valid, where)
    return first, joined


def _inside(first: _Table, only: Mapping[str, str | tuple[str, ...]]) -> pl.Series:
    """Say which rows are areas of the study."""
    inside = pl.Series([True] * len(first.table), dtype=pl.Boolean)
    for column, said in only.items():
        values = [said] if isinstance(said, str) else list(said)
        found = code_texts(first.table[column], first.source.called)
        for value in values:
            if not (found == value).any():
                there = found.drop_nulls().unique().to_list()
                raise StudyError(
                    f"areas.only.{column}: no row of {first.source.called} has '{value}'; "
                    f"{nearest(value, there)}"
                )
        inside = inside & found.is_in(values).fill_null(value=False)
    if not inside.any():
        raise StudyError(
            f"areas.only: no row of {first.source.called} fits all of {', '.join(only)}"
        )
    return inside


def _by_code(values: pl.Series, of: _Table, codes: pl.Series) -> pl.Series:
    """Put a column of a joined table into the order of the first."""
    keyed = pl.DataFrame({"code": of.codes(), "value": values}).drop_nulls("code")
    keyed = keyed.filter(pl.col("code").is_in(codes.drop_nulls().unique()))
    if keyed.is_empty():
        raise DataError(
            f"areas: no code in column '{of.code}' of {of.source.called} is one of the areas; expected "
            f"such as {', '.join(codes.drop_nulls().head(2))} (name the column with 'code')"
        )
    twice = keyed.filter(pl.col("code").is_duplicated())["code"].unique().sort()
    if len(twice):
        raise DataError(
            f"areas: {', '.join(twice.head(3))} is in {of.source.called} more than once "
            f"({len(twice):,} in all); expected one row each"
        )
    order = pl.DataFrame({"code": codes})
    return order.join(keyed, on="code", how="left", maintain_order="left")["value"]
