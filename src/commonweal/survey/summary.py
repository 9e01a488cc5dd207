"""What a survey says of each outcome: for all, by group, and from wave to wave."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import polars as pl

from commonweal.survey.estimate import changes, estimate, published

if TYPE_CHECKING:
    from collections.abc import Sequence

    from commonweal.survey.rake import Raking
    from commonweal.survey.survey import Survey

__all__ = ["Finding", "Summary", "summarise"]

_TOGETHER = "+"


@dataclass(frozen=True)
class Finding:
    """One outcome by one grouping.

    Attributes
    ----------
    outcome
        Its name.
    by
        The groups, one or more; none for all respondents.
    table
        As `estimate` gives it, without the numbers that are too weak to publish.
    """

    outcome: str
    by: tuple[str, ...]
    table: pl.DataFrame


@dataclass(frozen=True)
class Summary:
    """What a survey says.

    Attributes
    ----------
    survey
        The respondents.
    raking
        What raking did to the weights, if they were raked.
    findings
        Each outcome for all respondents, then by each grouping.
    changes
        As `changes` gives it, a row an outcome and pair of waves (``outcome``, ``since``, ``until`` before the
        rest): from each wave to the next, and from the first to the last. Empty of a survey without waves.
    """

    survey: Survey
    raking: Raking | None
    findings: tuple[Finding, ...]
    changes: pl.DataFrame


def summarise(
    survey: Survey, by: Sequence[str] | None = None, raking: Raking | None = None
) -> Summary:
    """Estimate every outcome of a survey.

    Parameters
    ----------
    survey
        The respondents.
    by
        Groupings: names of groups, or several joined by ``+``. Every group, and the wave, if not given.
    raking
        What raking did to the weights, to be told along.

    Returns
    -------
    Summary
        Of all waves together, but for the changes. An outcome that was not asked in a wave is left out there.

    Raises
    ------
    UnknownNameError
        If a group is not one of the survey's.
    DataError
        If nobody answered.
    """
    if by is None:
        waves = ["wave"] if len(survey.levels.get("wave", ())) > 1 else []
        by = [*waves, *survey.spec.groups]
    groupings = [tuple(survey.groupings(b.split(_TOGETHER))) for b in dict.fromkeys(by)]
    found = [
        Finding(outcome, grouping, published(estimate(survey, outcome, grouping)))
        for outcome in survey.spec.outcomes
        for grouping in [(), *groupings]
    ]
    return Summary(survey, raking, tuple(found), _changes(survey))


def _changes(survey: Survey) -> pl.DataFrame:
    waves = survey.levels.get("wave", ())
    pairs = list(dict.fromkeys([*pairwise(waves), (waves[0], waves[-1])])) if len(waves) > 1 else []
    rows = []
    for outcome in survey.spec.outcomes:
        asked = set(survey.frame.filter(pl.col(outcome).is_not_null())["wave"]) if pairs else set()
        for since, until in pairs:
            if {since, until} <= asked:
                told = published(changes(survey, outcome, since, until))
                about = {"outcome": outcome, "since": since, "until": until}
                rows.append(told.select(**{k: pl.lit(v) for k, v in about.items()}).hstack(told))
    return pl.concat(rows, how="vertical_relaxed") if rows else pl.DataFrame()
