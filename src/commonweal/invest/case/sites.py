"""What new places are worth: their cost, and what they do for the people who come to be within reach."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from commonweal.document.words import percent
from commonweal.errors import CommonwealError
from commonweal.invest.appraisal import appraise
from commonweal.invest.appraisal.words import money, ratio
from commonweal.invest.case.worth import gains_of, project_of
from commonweal.invest.portfolio import Problem, Rules

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from commonweal.invest.appraisal import Appraisal, Project
    from commonweal.invest.case.values import Values
    from commonweal.invest.case.worth import Gain
    from commonweal.invest.interventions import Interventions
    from commonweal.invest.parameters import Parameters
    from commonweal.invest.siting.sited import Sited

    Floats = NDArray[np.float64]

__all__ = [
    "COST",
    "DRAWS",
    "SEED",
    "WORTH",
    "SitesPlan",
    "plan_sites",
    "sites_project",
    "sites_worth",
    "untold",
    "worth_told",
]

YEARS, FIRST_YEAR, DRAWS, SEED = 10, 2026, 2_000, 1

COSTED = "Each is costed and valued as a {built}."
COST = "{costed} Cost over {years} years, to the public sector in present value: {cost} ({low} to {high})."
WORTH = (
    "Worth for those reached anew: {each} for each pound (95 % interval {low} to {high}); more than it costs in "
    "{sure} of {draws} draws. Most of the numbers behind that are assumptions, listed below."
)
_UNTOLD = (
    "What it is worth is not told: nobody comes to be within reach who was not, or nothing is known of what such a "
    "place does."
)
_UNREAD = "What it is worth is not told, since it is not known who has such a place already."


@dataclass(frozen=True)
class SitesPlan:
    """New places as a mix of interventions: one, at every site, from the first year.

    Attributes
    ----------
    intervention
        What such a place is built as, alone.
    problem, rules, start, gains
        As `commonweal.invest.case.worth.project_of` takes them.
    """

    intervention: Interventions
    problem: Problem
    rules: Rules
    start: NDArray[np.intp]
    gains: list[Gain]


def sites_worth(
    sited: Sited,
    interventions: Interventions,
    values: Values,
    *,
    years: int = YEARS,
    first_year: int = FIRST_YEAR,
    draws: int = DRAWS,
    seed: int = SEED,
    parameters: Parameters | None = None,
) -> Appraisal | None:
    """Appraise new places.

    Parameters
    ----------
    sited
        Where they go, and who is reached anew.
    interventions, values
        What such a place costs and does, and what that is worth.
    years
        Over how many years it is appraised.
    first_year
        The calendar year in which they are built.
    draws, seed
        Of uncertain numbers.
    parameters
        Of appraisal; read anew if not given.

    Returns
    -------
    Appraisal or None
        None where nobody is reached anew, no place of the kind was read, so that nobody knows who is, or the values
        have no intervention for such a kind of place. Those
        who had one within the minutes before gain nothing by its count, which is why it is at least that.

    Raises
    ------
    CommonwealError
        If the values name an intervention that there is not.
    """
    people = sited.sites["newly"].to_numpy().astype(np.float64)
    plan = (
        None if sited.unread else plan_sites(sited.kind, people, interventions, values, years, seed)
    )
    if plan is None:
        return None
    title = f"{len(people):,} new: {sited.label.lower()}, {sited.title}"
    project = sites_project(plan, title, values, first_year=first_year, fictional=sited.fictional)
    return appraise(project, parameters, draws=draws, seed=seed)


def plan_sites(
    kind: str,
    people: Floats,
    interventions: Interventions,
    values: Values,
    years: int = YEARS,
    seed: int = SEED,
) -> SitesPlan | None:
    """Say what new places do for the people who come to be within reach.

    Parameters
    ----------
    kind
        Of the places.
    people
        (n_sites,) who have none now and one of these nearest.
    interventions, values, years, seed
        As of `sites_worth`.

    Returns
    -------
    SitesPlan or None
        None where `sites_worth` gives none.

    Raises
    ------
    CommonwealError
        If the values name an intervention that there is not.
    """
    name = values.built.get(kind)
    if name is None or not people.sum() > 0:
        return None
    if name not in interventions.interventions:
        raise CommonwealError(
            f"'{kind}' is built as '{name}', which is not in {interventions.name}"
        )
    one = interventions.only([name])
    each = one.interventions[name]
    effects = [e for e in each.effects if e.size is not None]
    n = len(people)
    per = people / 1000.0 if each.cost.per == "1000_residents" else np.ones(n)
    names = tuple(f"site {k + 1}" for k in range(n))
    problem = Problem(
        codes=names,
        names=names,
        authorities=("",) * n,
        people=people,
        need=np.ones(n),
        interventions=(name,),
        outcomes=tuple(e.outcome for e in effects),
        groups=("",),
        capital=(each.cost.capital.mean * per)[:, None],
        yearly=(each.cost.yearly.mean * per)[:, None],
        lead=np.array([float(each.lead)]),
        lasts=np.array([each.lasts.mean]),
        gains=np.zeros((n, 1, len(effects))),
        measured=np.zeros(len(effects), dtype=bool),
        shortfall=np.full(n, np.inf),
    )
    start = np.zeros((n, 1), dtype=np.intp)
    rules = Rules(budget=float(problem.spent(start, years).sum()), years=years)
    gains = gains_of(one, problem, rules, start, seed)
    return SitesPlan(one, problem, rules, start, gains) if sum(g.total for g in gains) > 0 else None


def sites_project(
    plan: SitesPlan, title: str, values: Values, *, first_year: int = FIRST_YEAR, fictional: bool
) -> Project:
    """Make a project of new places, as `commonweal.invest.case.worth.project_of`, which says what they are costed as.

    Nobody stated a budget.
    """
    project = project_of(
        title, plan.intervention, plan.problem, plan.rules, plan.start, plan.gains, values,
        first_year=first_year, fictional=fictional,
    )  # fmt: skip
    (built,) = plan.intervention.interventions.values()
    return project.model_copy(
        update={"budget": None, "about": COSTED.format(built=built.label.lower())}
    )


def untold(sited: Sited) -> str:
    """Say why it is not told what new places are worth."""
    return _UNREAD if sited.unread else _UNTOLD


def worth_told(sited: Sited, worth: Appraisal | None) -> list[str]:
    """Say what new places cost, what they are worth and how sure that is, in a sentence each."""
    if worth is None:
        return [untold(sited)]
    cost, bcr = worth.measures["public_cost"], worth.measures["bcr"]
    return [
        COST.format(
            costed=worth.project.about,
            years=worth.project.horizon,
            cost=money(cost.expected),
            low=money(cost.low),
            high=money(cost.high),
        ),
        WORTH.format(
            each=money(bcr.expected),
            low=ratio(bcr.low),
            high=ratio(bcr.high),
            sure=percent(worth.worth_it),
            draws=f"{worth.draws:,}",
        ),
    ]
