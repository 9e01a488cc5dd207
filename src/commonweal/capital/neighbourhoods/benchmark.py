"""Making neighbourhoods add up to what the survey says directly of the larger areas they lie in."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
import polars as pl

from commonweal.capital.surveys import estimate

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from commonweal.areas import Areas
    from commonweal.capital.surveys import Survey

    Floats: TypeAlias = NDArray[np.float64]

__all__ = ["larger_estimates", "shifts"]


def larger_estimates(
    survey: Survey, outcome: str, area: str, areas: Areas, parent: str
) -> pl.DataFrame:
    """Estimate larger areas directly, by the survey's design.

    Parameters
    ----------
    survey, outcome
        The survey, and which of its outcomes.
    area
        Its group that holds the codes of `areas`.
    areas, parent
        The neighbourhoods, and which of their larger areas.

    Returns
    -------
    polars.DataFrame
        A row each with respondents: `code`, `name`, and the columns of `commonweal.capital.surveys.estimate`.
    """
    named = f"{parent}_name"
    up = areas.table.select(
        pl.col("code").alias(area),
        pl.col(parent).alias("_larger"),
        pl.col(named if named in areas.table.columns else parent).alias("_name"),
    )
    frame = survey.frame.join(up, on=area, how="left", maintain_order="left")
    there = tuple(sorted(frame["_larger"].drop_nulls().unique()))
    within = replace(survey, frame=frame.drop("_name"), levels={**survey.levels, "_larger": there})
    names = dict(up.select("_larger", "_name").iter_rows())
    found = estimate(within, outcome, by="_larger").rename({"_larger": "code"})
    code = found["code"].cast(pl.String)
    return found.with_columns(code=code).select(
        "code", code.replace_strict(names).alias("name"), pl.exclude("code")
    )


def shifts(
    estimates: Floats, variances: Floats, people: Floats, larger: NDArray[np.int64], totals: Floats
) -> Floats:
    """Give what to add to each area so that areas add up to the totals of larger ones.

    Parameters
    ----------
    estimates, variances, people
        (n_areas,) of the areas.
    larger
        (n_areas,) number of the larger area that each lies in, or -1.
    totals
        (n_larger,) direct estimates; NaN where there is none to add up to.

    Returns
    -------
    ndarray
        (n_areas,) the gap shared out in proportion to the variances: what is well known moves least (Wang,
        Fuller and Qu 2008, with weights of people over variance). 0 where there is no total.

    Examples
    --------
    >>> shifts(np.array([0.5, 0.7]), np.array([0.01, 0.03]), np.ones(2), np.zeros(2, int), np.array([0.64]))
    array([0.02, 0.06])
    """
    inside = larger >= 0
    at, n = larger[inside], len(totals)
    total = np.bincount(at, people[inside], n)
    with np.errstate(invalid="ignore", divide="ignore"):
        gap = totals - np.bincount(at, (people * estimates)[inside], n) / total
        spread = np.bincount(at, (people * variances)[inside], n) / total
        factor = np.where(np.isfinite(gap) & (spread > 0), gap / spread, 0.0)
    moved = np.zeros(len(estimates))
    moved[inside] = factor[at] * variances[inside]
    return moved
