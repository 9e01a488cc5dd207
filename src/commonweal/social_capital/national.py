"""National figures of a headline: those that are published, and those that a source holds."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from commonweal.errors import DataError, UnknownNameError
from commonweal.social_capital.framework import Figure

if TYPE_CHECKING:
    from collections.abc import Iterable

    from commonweal.social_capital.framework import Framework, Headline, Series
    from commonweal.sources import Store

__all__ = ["figures_of", "latest", "national_figures", "read_series"]


def national_figures(headline: Headline, store: Store) -> tuple[Figure, ...]:
    """Give the national figures of a headline, its levels by year and then its changes.

    Parameters
    ----------
    headline
        The headline.
    store
        Where the sources come from that hold figures.

    Raises
    ------
    CommonwealError
        If a source cannot be had, or lacks a column or rows that the framework names.
    """
    found = [*headline.published, *(f for s in headline.series for f in read_series(s, store))]
    return tuple(sorted(found, key=lambda f: (f.value is None, f.when)))


def figures_of(framework: Framework, store: Store) -> dict[str, tuple[Figure, ...]]:
    """Give the national figures of every headline of a framework by its id, as `national_figures`."""
    return {h.id: national_figures(h, store) for h in framework.headlines.values()}


def read_series(series: Series, store: Store) -> tuple[Figure, ...]:
    """Read the figures of each year from the source that holds them; years without one are left out.

    Raises
    ------
    CommonwealError
        If the source cannot be had, or lacks a column or rows that the framework names.
    """
    table = store.table(series.source)
    ends = [column for column in (series.low, series.high) if column]
    for column in (series.column, series.when_column, *ends, *series.only):
        if column not in table.columns:
            raise UnknownNameError("column", column, table.columns, f" in source {series.source}")
    for column, value in series.only.items():
        table = table.filter(pl.col(column).cast(pl.String) == value)
    if table.is_empty():
        wanted = ", ".join(f"{column} = {value}" for column, value in series.only.items())
        raise DataError(f"source {series.source}: found no row; expected some with {wanted}")
    told = series.model_dump(include={"where", "group", "survey", "unit", "verified", "note"})
    rows = table.select(
        when=pl.col(series.when_column).cast(pl.String),
        value=pl.col(series.column).cast(pl.Float64),
        low=pl.col(series.low).cast(pl.Float64) if series.low else None,
        high=pl.col(series.high).cast(pl.Float64) if series.high else None,
    ).drop_nulls("value")
    return tuple(Figure(**told, source=series.source, **row) for row in rows.iter_rows(named=True))


def latest(figures: Iterable[Figure]) -> tuple[Figure, ...]:
    """Choose what stands beside a place: the newest level of everyone.

    Where there is none, the newest levels of groups, and where there is none of these either, the newest
    changes.

    Examples
    --------
    >>> from commonweal.social_capital import load_framework
    >>> [(f.value, f.when) for f in latest(load_framework().headline("belongs").published)]
    [(65.0, '2020/21')]
    """
    given = list(figures)
    levels = [f for f in given if f.value is not None]
    best = [f for f in levels if not f.group] or levels or given
    newest = max((f.when for f in best), default="")
    return tuple(f for f in best if f.when == newest)
