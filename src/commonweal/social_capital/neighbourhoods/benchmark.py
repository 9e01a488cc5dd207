"""What the survey says directly of the larger areas that neighbourhoods lie in, for them to add up to."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import polars as pl

from commonweal.survey import estimate

if TYPE_CHECKING:
    from commonweal.areas import Areas
    from commonweal.survey import Survey

__all__ = ["larger_estimates"]


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
        A row each with respondents: `code`, `name`, and the columns of `commonweal.survey.estimate`.
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
