"""All results on the vote of 2016, with how left-behind areas voted at equal deprivation and education."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from commonweal.errors import DataError
from commonweal.papers.discontent.data import (
    Authorities,
    Wards,
    authorities,
    left_behind_share,
    wards,
)
from commonweal.papers.discontent.models import (
    COLUMNS,
    GROWTH,
    Column,
    Influence,
    SpatialDependence,
    Specification,
    among_neighbours,
    influence,
    other_specifications,
    three_columns,
    variance_inflation,
    without_most_influential,
)
from commonweal.survey.regression import Fit, Jackknife, fit, jackknife

if TYPE_CHECKING:
    from collections.abc import Sequence

    import polars as pl

    from commonweal.sources import Store
    from commonweal.survey.regression import Fit


_EDUCATION = ("education", "few_skills", "no_university")

HELD = {
    "nothing": (),
    "deprivation": ("deprivation",),
    "education": _EDUCATION,
    "deprivation and education": ("deprivation", *_EDUCATION),
    "deprivation, education and age": ("deprivation", *_EDUCATION, "older"),
}
"""What is held constant, from nothing on, by the columns of `Wards.table`."""

ANSWER = "deprivation and education"
"""The row of `HELD` that the question asks for."""

_CURVED = ("deprivation", "education", "few_skills")


@dataclass(frozen=True)
class ControlledDifference:
    """The difference with something held constant."""

    held: str  # what is held constant, or what else is different
    term: str  # the column whose coefficient is the difference
    model: Fit
    left_behind: int  # how many of its rows are left behind, or hold left-behind areas
    # the difference without each cluster in turn, and an interval that is safe where few hold it
    jackknife: Jackknife


def left_behind_difference(
    table: pl.DataFrame,
) -> tuple[tuple[ControlledDifference, ...], tuple[ControlledDifference, ...]]:
    """Compare left-behind wards with other wards of their own authority.

    Every ward is weighted by its votes and compared within its authority; errors are clustered by authority. Gives the
    difference with more and more held constant (`HELD`), then with the answer's columns held constant in other ways or
    on fewer wards.
    """
    import polars as pl

    steps = tuple(_within(table, title, "left_behind", names) for title, names in HELD.items())
    base = HELD[ANSWER]
    curved = table.with_columns(
        (pl.col(name) - pl.col(name).mean()).pow(2).alias(f"{name}_squared") for name in _CURVED
    )
    squares = [f"{name}_squared" for name in _CURVED]
    near = _most_deprived(table)
    checks = (
        _within(curved, "with squares of the columns", "left_behind", [*base, *squares]),
        _within(near, "only wards as deprived as those", "left_behind", base),
        _within(table.filter(~pl.col("no_postals").cast(bool)), "only counts with postal votes", "left_behind", base),
        _within(table.filter(pl.col("whole")), "only authorities with every ward counted", "left_behind", base),
        _within(table.with_columns(votes=pl.lit(1.0)), "every ward counts equally", "left_behind", base),
        _across(table, "across authorities, not within them", "left_behind", base),
        _within(_standardised(table), "Community Needs Index, per s.d.", "community_needs", base),
    )  # fmt: skip
    return steps, checks


def left_behind_authorities(table: pl.DataFrame) -> tuple[ControlledDifference, ...]:
    """Ask the same of local authorities of England: per 10 points of people who live in left-behind wards."""
    import polars as pl

    table = table.with_columns(left_behind_share=pl.col("left_behind_share") / 10)
    last = [name for name in COLUMNS["with people"] if name != "wales"]
    held: dict[str, Sequence[str]] = {
        "nothing": (),
        "deprivation": ("deprivation",),
        "deprivation and education": ("deprivation", "degree"),
        "deprivation and all of the last column": ("deprivation", *last),
    }
    many = table.filter(pl.col("left_behind_share") > 0).height
    options = {"weights": "electorate", "clusters": "region"}
    models = {
        title: fit(table, "leave", ["left_behind_share", *names], **options)
        for title, names in held.items()
    }
    return tuple(_held(title, "left_behind_share", m, many) for title, m in models.items())


def _held(title: str, term: str, model: Fit, many: int) -> ControlledDifference:
    return ControlledDifference(title, term, model, many, jackknife(model, term))


def _within(
    table: pl.DataFrame, title: str, term: str, names: Sequence[str]
) -> ControlledDifference:
    options = {"weights": "votes", "clusters": "authority", "within": "authority"}
    return _held(title, term, fit(table, "leave", [term, *names], **options), _listed(table))


def _across(
    table: pl.DataFrame, title: str, term: str, names: Sequence[str]
) -> ControlledDifference:
    options = {"weights": "votes", "clusters": "authority"}
    return _held(title, term, fit(table, "leave", [term, *names], **options), _listed(table))


def _listed(table: pl.DataFrame) -> int:
    many = int(table["left_behind"].sum())
    if not 0 < many < table.height:
        raise DataError(
            f"{many} of {table.height} wards are left behind; expected some, and others"
        )
    return many


def _most_deprived(table: pl.DataFrame) -> pl.DataFrame:
    """Keep wards from the least deprived left-behind one on, with another of their authority."""
    import polars as pl

    least = table.filter(pl.col("left_behind") == 1)["deprivation"].min()
    return table.filter(pl.col("deprivation") >= least).filter(pl.len().over("authority") > 1)


def _standardised(table: pl.DataFrame) -> pl.DataFrame:
    import polars as pl

    needs = pl.col("community_needs")
    return table.with_columns(community_needs=(needs - needs.mean()) / needs.std())


@dataclass(frozen=True)
class Discontent:
    """What the published tables say about the vote of 2016, decline and left-behind areas."""

    # authorities, wards: the two tables, with what was joined and lost
    authorities: Authorities
    columns: tuple[Column, ...]  # the model in three columns
    # the same by other readings of its words, the first of them as in `columns`
    readings: tuple[Specification, ...]
    # influence, inflation: of the last column: what each authority does to it, and how much predictors overlap
    influence: Influence
    inflation: dict[str, float]
    by_region: Jackknife  # growth in the last column without each region in turn
    without: Fit  # the last column without its ten most influential authorities
    # of the last column: what neighbours share, and models that allow for it
    dependence: SpatialDependence
    wards: Wards
    # how left-behind wards differ from others of their authority, with more and more held constant
    held: tuple[ControlledDifference, ...]
    checks: tuple[ControlledDifference, ...]  # the same in other ways
    by_authority: tuple[ControlledDifference, ...]  # the same question for local authorities
    # how many authorities of the ward table have wards of both kinds: the comparison rests on these
    listed_authorities: int


def discontent(store: Store) -> Discontent:
    """Read the tables, fit the models and check them."""
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
        readings=other_specifications(store, found),
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
