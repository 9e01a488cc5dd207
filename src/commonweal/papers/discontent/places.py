"""Everything that is asked of the vote of 2016, from the published tables to the answers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from commonweal.papers.discontent.authorities import Authorities, authorities
from commonweal.papers.discontent.columns import (
    GROWTH,
    Column,
    Reading,
    SpatialDependence,
    among_neighbours,
    other_readings,
    three_columns,
    without_most_influential,
)
from commonweal.papers.discontent.influence import Influence, influence, variance_inflation
from commonweal.papers.discontent.question import (
    Held,
    left_behind_authorities,
    left_behind_difference,
)
from commonweal.papers.discontent.wards import Wards, left_behind_share, wards
from commonweal.survey.regression import Jackknife, jackknife

if TYPE_CHECKING:
    from commonweal.sources import Store
    from commonweal.survey.regression import Fit

__all__ = ["Discontent", "discontent"]


@dataclass(frozen=True)
class Discontent:
    """What the published tables say about the vote of 2016, decline and left-behind areas.

    Attributes
    ----------
    authorities, wards
        The two tables, with what was joined and lost.
    columns
        The model in three columns.
    readings
        The same by other readings of its words, the first of them as in `columns`.
    influence, inflation
        Of the last column: what each authority does to it, and how much predictors overlap.
    by_region
        Growth in the last column without each region in turn.
    without
        The last column without its ten most influential authorities.
    dependence
        Of the last column: what neighbours share, and models that allow for it.
    held
        How left-behind wards differ from others of their authority, with more and more held constant.
    checks
        The same in other ways.
    by_authority
        The same question for local authorities.
    listed_authorities
        How many authorities of the ward table have wards of both kinds: the comparison rests on these.
    """

    authorities: Authorities
    columns: tuple[Column, ...]
    readings: tuple[Reading, ...]
    influence: Influence
    inflation: dict[str, float]
    by_region: Jackknife
    without: Fit
    dependence: SpatialDependence
    wards: Wards
    held: tuple[Held, ...]
    checks: tuple[Held, ...]
    by_authority: tuple[Held, ...]
    listed_authorities: int


def discontent(store: Store) -> Discontent:
    """Read the tables, fit the models and check them.

    Parameters
    ----------
    store
        Where source files come from.

    Raises
    ------
    SourceError
        If a file cannot be had.
    DataError
        If a table is not what it should be.
    """
    import polars as pl

    found, small = authorities(store), wards(store)
    columns = three_columns(found.table)
    last = columns[-1].model
    held, checks = left_behind_difference(small.table)
    listed = pl.col("left_behind")
    both = small.table.group_by("authority").agg(some=listed.max() > 0, others=listed.min() < 1)
    return Discontent(
        authorities=found,
        columns=columns,
        readings=other_readings(store, found),
        influence=influence(last),
        inflation=variance_inflation(last),
        by_region=jackknife(last, GROWTH),
        without=without_most_influential(found.table, last),
        dependence=among_neighbours(found.table, last),
        wards=small,
        held=held,
        checks=checks,
        by_authority=left_behind_authorities(
            found.table.join(left_behind_share(store), on="code", how="inner")
        ),
        listed_authorities=both.filter(pl.col("some") & pl.col("others")).height,
    )
