"""The regressions of places that don't matter: three columns, and other readings of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from commonweal.papers.discontent.data import authorities
from commonweal.papers.discontent.diagnostics import (
    Moran,
    SpatialFit,
    influence,
    moran,
    neighbours,
    spatial_error,
    spatial_lag,
)
from commonweal.survey.regression import Fit, fit

if TYPE_CHECKING:
    from collections.abc import Sequence

    import polars as pl

    from commonweal.papers.discontent.data import Authorities
    from commonweal.sources import Store


GROWTH = "growth"
_ALONE = (GROWTH, "ln_gva", "wales")
_INDUSTRY = (*_ALONE, "people_growth", "manufacturing", "manufacturing_change")

COLUMNS = {
    "growth alone": _ALONE,
    "with industry": _INDUSTRY,
    "with people": (*_INDUSTRY, "degree", "older", "unemployed"),
}
"""Predictors of the Leave share, by column; growth alone is beside the level of 1998 and Wales."""

NEIGHBOURS = 6
"""How many nearest authorities count as neighbours."""


@dataclass(frozen=True)
class Column:
    """One column of the table."""

    title: str  # its key in `COLUMNS`
    model: Fit  # leave share on its predictors


@dataclass(frozen=True)
class Specification:
    """The same models by another reading of a word or another choice."""

    title: str
    models: tuple[Fit, ...]  # the three columns, in their order


@dataclass(frozen=True)
class SpatialDependence:
    """What neighbours share, in the last column."""

    moran: dict[int, Moran]  # by number of nearest neighbours, Moran's I of the residuals
    plain: Fit  # the model with every authority counted equally, for what follows
    # error, lag: the same with errors, or the outcome, that neighbours share
    error: SpatialFit
    lag: SpatialFit


def three_columns(table: pl.DataFrame) -> tuple[Column, ...]:
    """Fit the model of Rodríguez-Pose (2018) and Dijkstra et al. (2020) to the vote of 2016.

    Weighted by electorate; errors clustered by region, as growth and industry are measured for regions.
    """
    return tuple(Column(title, _fit(table, names)) for title, names in COLUMNS.items())


def shrinkage(columns: Sequence[Column]) -> float:
    """Give how much smaller the coefficient of growth is in the last column than before it: 0.79 for 79%.

    Measured from the second column, which adds industry, to the last, which adds people.
    """
    before, last = (column.model.term(GROWTH).estimate for column in columns[-2:])
    return 1 - last / before


def other_specifications(store: Store, found: Authorities) -> tuple[Specification, ...]:
    """Fit the three columns by other readings of their words, one at a time."""
    import polars as pl

    table = found.table
    money = {
        "manufacturing": "manufacturing_money",
        "manufacturing_change": "manufacturing_money_change",
    }
    gdp = {GROWTH: "growth_gdp", "ln_gva": "ln_gdp"}
    equal = table.with_columns(electorate=pl.lit(1.0))
    outside = table.filter(pl.col("london") == 0)
    readings = {
        "as above": table,
        "manufacturing at current prices, as is usual": _renamed(table, money),
        "growth as a difference of logs": _renamed(table, {GROWTH: "growth_log"}),
        "GDP in place of GVA": _renamed(table, gdp),
        "unemployed of the economically active": _renamed(
            table, {"unemployed": "unemployed_active"}
        ),
        "every authority counts equally": equal,
        "without London": outside,
        "with the eight authorities of Dorset": authorities(store, redrawn=True).table,
    }
    return tuple(
        Specification(title, tuple(_fit(rows, names) for names in COLUMNS.values()))
        for title, rows in readings.items()
    )


def without_most_influential(table: pl.DataFrame, model: Fit, many: int = 10) -> Fit:
    """Fit a column again without the authorities of the largest Cook's distance."""
    out = influence(model).most(many)
    kept = [i for i in range(table.height) if i not in set(out.tolist())]
    return _fit(table[kept], [t.name for t in model.terms[1:]])


def among_neighbours(
    table: pl.DataFrame, model: Fit, *, others: Sequence[int] = (4, 8, 10)
) -> SpatialDependence:
    """Measure what neighbouring authorities share that a column does not say, and allow for it."""
    from commonweal.access import Points

    points = Points(table["longitude"].to_numpy(), table["latitude"].to_numpy())
    near = neighbours(points, max(NEIGHBOURS, *others))
    ks = sorted({NEIGHBOURS, *others})
    names = [t.name for t in model.terms[1:]]
    plain = fit(table, model.outcome, names, clusters=model.clusters)
    return SpatialDependence(
        {k: moran(model.residuals, near[:, :k]) for k in ks},
        plain,
        spatial_error(plain, near[:, :NEIGHBOURS]),
        spatial_lag(plain, near[:, :NEIGHBOURS]),
    )


def _fit(table: pl.DataFrame, names: Sequence[str]) -> Fit:
    return fit(table, "leave", names, weights="electorate", clusters="region")


def _renamed(table: pl.DataFrame, swaps: dict[str, str]) -> pl.DataFrame:
    """Put other columns in the place of the model's."""
    return table.drop(swaps).rename({new: old for old, new in swaps.items()})
