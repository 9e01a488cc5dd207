"""From a survey to a table of neighbourhoods: what each is estimated to be, how surely, on what basis."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
import polars as pl

from commonweal.errors import DataError, UnknownNameError, nearest
from commonweal.social_capital.neighbourhoods.model import (
    Kinds,
    Method,
    Modelled,
    SurveyAnswers,
    fit_areas,
    fit_kinds,
)
from commonweal.survey import estimate

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import NDArray

    from commonweal.areas import Areas
    from commonweal.social_capital.neighbourhoods.model import Covariates
    from commonweal.survey import Survey

    Floats: TypeAlias = NDArray[np.float64]
    Progress: TypeAlias = Callable[[str, int, int], None]


def larger_estimates(
    survey: Survey, outcome: str, area: str, areas: Areas, parent: str
) -> pl.DataFrame:
    """Estimate larger areas (of the `parent`) directly, by the survey's design: a row each with respondents."""
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


@dataclass(frozen=True, slots=True, eq=False)
class PopulationCounts:
    """Who lives where, kind by kind.

    Attributes
    ----------
    area
        (n_cells,) row of the area of each cell.
    count
        (n_cells,) people, 0 or more.
    groups
        By the survey's name of the grouping, (n_cells,) name of the group.
    """

    area: NDArray[np.int64]
    count: Floats
    groups: Mapping[str, NDArray[np.str_]]


@dataclass(frozen=True, slots=True, eq=False)
class Estimates:
    """One outcome for every neighbourhood; arrays are (n_areas,).

    Attributes
    ----------
    outcome, label, share
        What is estimated: its name, what readers call it, and whether it is a share from 0 to 1.
    modelled
        What the model gave, before it was made to add up.
    estimate, standard_error, lower, upper
        What to use: with a benchmark, moved to add up, and the standard errors widened by how far.
    variation
        Coefficient of variation: the standard error over the estimate; infinite at an estimate of 0.
    publish
        Whether it is below the limit.
    larger
        With a benchmark: the larger areas, with ``code``, ``name``, ``direct``, ``standard_error``,
        ``respondents``, ``model`` (what the model adds up to) and ``used`` (whether it was made to add up).
    outside
        How many respondents who answered live in none of the areas.
    of_no_kind
        How many who live there are of no known kind, which a model by kind of person leaves out.
    """

    outcome: str
    label: str
    share: bool
    modelled: Modelled
    estimate: Floats
    standard_error: Floats
    lower: Floats
    upper: Floats
    variation: Floats
    publish: NDArray[np.bool_]
    larger: pl.DataFrame | None
    outside: int = 0
    of_no_kind: int = 0

    @property
    def asked(self) -> NDArray[np.int64]:
        """(n_areas,) respondents who answered."""
        counts = np.zeros(len(self.estimate), dtype=np.int64)
        counts[self.modelled.direct.rows] = self.modelled.direct.respondents
        return counts


@dataclass(frozen=True, slots=True, eq=False)
class Neighbourhoods:
    """Every outcome of a survey for every neighbourhood.

    Attributes
    ----------
    areas
        The neighbourhoods.
    survey
        The survey's title.
    outcomes
        By name.
    covariates
        What the model borrowed strength from.
    method, level, limit, benchmark
        How: the model, the share of intervals that should cover, the coefficient of variation from which on
        an estimate is not to be published, and the larger areas that were added up to.
    """

    areas: Areas
    survey: str
    outcomes: Mapping[str, Estimates]
    covariates: Covariates
    method: Method
    level: float
    limit: float
    benchmark: str

    def table(self) -> pl.DataFrame:
        """Give one row a neighbourhood: `code`, `name` and, for each outcome, ten columns that begin with it.

        Returns
        -------
        polars.DataFrame
            The estimate itself under the outcome's name, then ``_se``, ``_lower``, ``_upper``, ``_cv``,
            ``_publish``, ``_respondents``, ``_from_survey`` (the share of the estimate that comes from the
            neighbourhood's own answers), ``_direct`` and ``_direct_se`` (these answers alone; null where
            nobody was asked).
        """
        columns: dict[str, object] = {}
        for name, found in self.outcomes.items():
            direct = found.modelled.direct
            alone = np.full((2, len(self.areas)), np.nan)
            alone[:, direct.rows] = direct.value, np.sqrt(direct.variance)
            columns |= {
                name: found.estimate,
                f"{name}_se": found.standard_error,
                f"{name}_lower": found.lower,
                f"{name}_upper": found.upper,
                f"{name}_cv": np.where(np.isfinite(found.variation), found.variation, np.nan),
                f"{name}_publish": found.publish,
                f"{name}_respondents": found.asked,
                f"{name}_from_survey": found.modelled.from_survey,
                f"{name}_direct": alone[0],
                f"{name}_direct_se": alone[1],
            }
        table = self.areas.table.select("code", "name")
        return table.hstack(pl.DataFrame(columns)).fill_nan(None)


@dataclass(frozen=True, slots=True)
class EstimateOptions:
    """What is asked of estimates for neighbourhoods."""

    outcomes: Sequence[str] = ()  # which of the survey's; all if empty
    area: str = "area"  # the survey's group that holds the codes of the areas
    method: Method = "fay-herriot"  # ``fay-herriot`` or ``mrp``
    # larger areas whose direct estimates, where fit to publish, the neighbourhoods are to add up to
    benchmark: str = ""
    level: float = 0.95  # the share of intervals that should cover the truth
    limit: float = 0.2  # an estimate is to be published below this coefficient of variation
    # draws, seed: with ``mrp``
    draws: int = 1000
    seed: int = 1


def estimate_neighbourhoods(
    survey: Survey,
    areas: Areas,
    covariates: Covariates,
    ask: EstimateOptions | None = None,
    *,
    people: PopulationCounts | None = None,
    progress: Progress | None = None,
) -> Neighbourhoods:
    """Estimate outcomes of a survey for every neighbourhood.

    ``mrp`` needs `people`, who live where; with a benchmark, areas are weighted by them, or by residents.
    """
    ask = ask or EstimateOptions()
    method, benchmark = ask.method, ask.benchmark
    chosen = [survey.outcome(name) for name in ask.outcomes or survey.spec.outcomes]
    (area,) = survey.groupings(ask.area)
    if benchmark and benchmark not in areas.parents:
        raise UnknownNameError("larger area", benchmark, areas.parents, f" of {areas.title}")
    if method == "mrp" and people is None:
        raise DataError("mrp needs to know who lives where; expected 'people'")
    row = survey.frame[area].replace_strict(areas.position, default=-1, return_dtype=pl.Int64)
    if (row < 0).all():
        example = survey.frame[area].drop_nulls()
        found = f"such as '{example[0]}'" if len(example) else "empty"
        raise DataError(
            f"{survey.spec.title}: no respondent lives in one of the {len(areas):,} {areas.plural}: codes in "
            f"'{area}' are {found}; expected such as '{areas.codes[0]}'"
        )
    weights = areas.population
    if people is not None:
        weights = np.bincount(people.area, people.count, len(areas)).astype(np.float64)
    if benchmark and not np.isfinite(weights).all():
        raise DataError(f"the people of {areas.plural} are not known; a benchmark needs 'people'")
    done = {}
    for at, name in enumerate(chosen):
        if progress is not None:
            progress(f"estimating {name}", at, len(chosen))
        answered = survey.frame[name].is_not_null() & row.is_not_null()
        inside = (answered & (row >= 0)).to_numpy()
        answers = _answers(survey, name, row, inside)
        if len(answers.value) and (answers.value == answers.value[0]).all():
            raise DataError(
                f"outcome '{name}': all {len(answers.value):,} respondents who live in one of the {areas.plural} "
                "answer alike; expected answers that differ, or there is nothing to tell them apart by"
            )
        if method == "mrp":
            assert people is not None
            kinds, kept = _kinds(survey, people, inside)
            modelled = fit_kinds(
                _only(answers, kept), covariates, kinds, ask.level, ask.draws, ask.seed
            )
        else:
            kept = np.ones(len(answers.value), dtype=bool)
            modelled = fit_areas(answers, covariates, ask.level)
        larger = larger_estimates(survey, name, area, areas, benchmark) if benchmark else None
        outside = int(answered.sum() - inside.sum())
        within = areas.table[benchmark] if benchmark else None
        finished = _finished(survey, name, modelled, larger, within, weights, ask.limit)
        done[name] = replace(finished, outside=outside, of_no_kind=int((~kept).sum()))
    return Neighbourhoods(
        areas, survey.spec.title, done, covariates, ask.method, ask.level, ask.limit, benchmark
    )


def _answers(survey: Survey, name: str, row: pl.Series, inside: NDArray[np.bool_]) -> SurveyAnswers:
    frame = survey.frame
    cluster = np.arange(len(frame))
    if "cluster" in frame.columns:
        cluster = frame["cluster"].rank("dense").cast(pl.Int64).to_numpy()
    return SurveyAnswers(
        frame[name].to_numpy()[inside],
        frame["weight"].to_numpy()[inside],
        row.to_numpy()[inside].astype(np.int64),
        cluster[inside],
        survey.spec.outcomes[name].share,
    )


def _only(answers: SurveyAnswers, kept: NDArray[np.bool_]) -> SurveyAnswers:
    return SurveyAnswers(
        answers.value[kept],
        answers.weight[kept],
        answers.area[kept],
        answers.cluster[kept],
        answers.share,
    )


def _kinds(
    survey: Survey, people: PopulationCounts, inside: NDArray[np.bool_]
) -> tuple[Kinds, NDArray[np.bool_]]:
    """Give the kind of each respondent; those whose kind is not known are left out."""
    known = np.ones(int(inside.sum()), dtype=bool)
    own = {}
    for name, cells in people.groups.items():
        survey.groupings(name)
        column = survey.frame[name].filter(pl.Series(inside))
        strange = set(column.drop_nulls()) - set(cells.tolist())
        if strange:
            first = min(strange)
            hint = nearest(first, set(cells.tolist()))
            raise DataError(
                f"group '{name}': '{first}' of the survey is not one of the people's; {hint}"
            )
        known &= column.is_not_null().to_numpy()
        own[name] = column.fill_null("").to_numpy().astype(np.str_)
    respondents = {name: labels[known] for name, labels in own.items()}
    return Kinds(people.area, people.count, people.groups, respondents), known


def _finished(
    survey: Survey,
    name: str,
    modelled: Modelled,
    larger: pl.DataFrame | None,
    within: pl.Series | None,
    people: Floats,
    limit: float,
) -> Estimates:
    """Make the areas add up, and say which are fit to publish."""
    about = survey.spec.outcomes[name]
    estimate, error = modelled.estimate, modelled.standard_error
    lower, upper = modelled.lower, modelled.upper
    if larger is not None and within is not None:
        larger, moved = _added_up(modelled, larger, within, people)
        wider = np.sqrt(error**2 + moved**2)
        scale = np.where(error > 0, wider / np.where(error > 0, error, 1), 1)
        lower = estimate + moved - (estimate - lower) * scale
        upper = estimate + moved + (upper - estimate) * scale
        estimate, error = estimate + moved, wider
        if about.share:
            estimate, lower, upper = (np.clip(v, 0, 1) for v in (estimate, lower, upper))
    size = np.abs(estimate)
    variation = np.where(size > 0, error / np.where(size > 0, size, 1), np.inf)
    return Estimates(
        name,
        about.label or name.replace("_", " ").capitalize(),
        about.share,
        modelled,
        estimate,
        error,
        lower,
        upper,
        variation,
        variation < limit,
        larger,
    )


def _added_up(
    modelled: Modelled, larger: pl.DataFrame, within: pl.Series, people: Floats
) -> tuple[pl.DataFrame, Floats]:
    """Give the larger areas with what the model adds up to, and what to add to each area."""
    from commonweal.small_areas import benchmark

    estimate = modelled.estimate
    sums = (
        pl.DataFrame({"code": within, "people": people, "estimate": people * estimate})
        .group_by("code")
        .agg(pl.sum("people", "estimate"))
        .select("code", model=pl.col("estimate") / pl.col("people"))
    )
    larger = larger.select(
        "code", "name", "respondents", pl.col("value").alias("direct"), "standard_error",
        pl.col("published").alias("used"),
    ).join(sums, on="code", how="left", maintain_order="left")  # fmt: skip
    totals = dict(larger.filter("used").select("code", "direct").iter_rows())
    moved = np.zeros(len(estimate))
    rows = np.flatnonzero(
        within.is_in(list(totals)).fill_null(value=False).to_numpy() & (people > 0)
    )
    if len(rows):
        made = benchmark(
            estimate[rows],
            modelled.standard_error[rows] ** 2,
            people[rows],
            within.gather(rows).to_numpy(),
            totals,
            how="optimal",
        )
        moved[rows] = made.adjustment
    return larger, moved
