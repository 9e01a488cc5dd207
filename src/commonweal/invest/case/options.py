"""Ways to share the money: every place an equal part, or all of it where it meets most need."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

import numpy as np

from commonweal.invest.appraisal import appraise
from commonweal.invest.case.worth import effect_of, gains_of, project_of
from commonweal.invest.portfolio import Mix, choose

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from commonweal.invest.appraisal import Appraisal
    from commonweal.invest.case.values import Values
    from commonweal.invest.case.worth import Gain
    from commonweal.invest.interventions import Interventions
    from commonweal.invest.portfolio import Problem, Rules

    Progress = Callable[[str, int, int], None]

__all__ = [
    "STUDIED",
    "Option",
    "Sharing",
    "Stated",
    "alone",
    "buys_nothing",
    "costs_by_start",
    "make_option",
]

Sharing = Literal["each", "pooled"]

STUDIED = ("causal", "synthesis")
"""Quality of the evidence of effects that a study of cause, or a review of several, stands behind."""


@dataclass(frozen=True)
class Option:
    """A way to share the money, chosen and appraised.

    Attributes
    ----------
    sharing
        ``each``: every place an equal part; ``pooled``: where it meets most need.
    mix
        What is done where, and when.
    gains
        What that does for people.
    appraisal
        What it costs and is worth.
    firm
        The same with nothing but effects that a study of cause or a review of several stands behind; None
        where the mix has none.
    """

    sharing: Sharing
    mix: Mix
    gains: tuple[Gain, ...]
    appraisal: Appraisal
    firm: Appraisal | None


@dataclass(frozen=True)
class Stated:
    """What every option is appraised with: the project's title, first year, draws, seed; whether it is made up."""

    title: str
    first_year: int
    draws: int
    seed: int
    fictional: bool


def make_option(
    sharing: Sharing,
    interventions: Interventions,
    problem: Problem,
    rules: Rules,
    values: Values,
    stated: Stated,
    seconds: float,
    progress: Progress | None = None,
) -> Option | None:
    """Choose a mix and appraise it.

    Parameters
    ----------
    sharing
        How the money is shared.
    interventions, problem, rules
        What there is to choose from, and the limits.
    values, stated
        What the appraisal takes.
    seconds
        At most for the choice.
    progress
        Called as ``progress(what, done, total)``.

    Returns
    -------
    Option or None
        None where the budget buys nothing that is expected to do good.
    """
    mix = (
        choose(problem, rules, seconds=seconds)
        if sharing == "pooled"
        else _each(problem, rules, seconds, progress)
    )
    gains = tuple(gains_of(interventions, problem, rules, mix.start, stated.seed))
    if not sum(g.total for g in gains) > 0:
        return None

    def appraised(some: list[Gain]) -> Appraisal:
        project = project_of(
            stated.title, interventions, problem, rules, mix.start, some, values,
            first_year=stated.first_year, fictional=stated.fictional,
        )  # fmt: skip
        return appraise(project, draws=stated.draws, seed=stated.seed)

    studied = [g for g in gains if effect_of(interventions, g).quality in STUDIED]
    firm = appraised(studied) if sum(g.total for g in studied) > 0 else None
    return Option(sharing, mix, gains, appraised(list(gains)), firm)


def _each(problem: Problem, rules: Rules, seconds: float, progress: Progress | None) -> Mix:
    """Choose for every place by itself, with an equal part of the money."""
    n = len(problem.codes)
    own = rules.scaled(1 / n)
    found = []
    for k in range(n):
        if progress is not None:
            progress("choosing what to do where", k, n)
        found.append(choose(alone(problem, k), own, seconds=seconds))
    return Mix(
        np.vstack([mix.start for mix in found]),
        sum(mix.met for mix in found),
        sum(mix.bound for mix in found),
        np.sum([mix.spent for mix in found], axis=0),
        sum(mix.seconds for mix in found),
    )


def buys_nothing(problem: Problem, rules: Rules, sharing: Sharing) -> str:
    """Say why a budget buys nothing that is expected to do good: what there is, and the least that anything costs."""
    helps = problem.gains.sum(axis=2) > 0
    n = len(problem.codes)
    part = rules.budget / n if sharing == "each" else rules.budget
    whose = f"each of {n:,} places" if sharing == "each" else f"{n:,} places together"
    first = (
        f"a budget of {rules.budget:,.0f} pounds over {rules.years} years buys nothing that is expected to do good: "
        f"{part:,.0f} for {whose}"
    )
    if not helps.any():
        return f"{first}, and no intervention does any; expected others"
    cost = np.where(helps, costs_by_start(problem, rules).min(axis=0), np.inf)
    least = float(cost.min())
    name = problem.interventions[int(np.unravel_index(cost.argmin(), cost.shape)[1])]
    pooled = ", --pooled" if sharing == "each" and rules.budget >= least else ""
    fewer = ", fewer places" if sharing == "each" and n > 1 else ""
    return (
        f"{first}, while the cheapest is {name}, {least:,.0f} in one place; expected a larger budget{fewer}{pooled} or "
        "other interventions"
    )


def costs_by_start(problem: Problem, rules: Rules) -> NDArray[np.float64]:
    """(n_starts, n_areas, n_interventions) GBP that each costs within the years, by the year in which it is begun."""
    last = rules.years - 1 if rules.last_start is None else rules.last_start
    shape = (len(problem.codes), len(problem.interventions))
    starts = (np.full(shape, year, dtype=np.intp) for year in range(last + 1))
    return np.stack([problem.spent(start, rules.years).sum(axis=2) for start in starts])


def alone(problem: Problem, k: int) -> Problem:
    """Give the problem of one place, the `k`-th."""
    one = slice(k, k + 1)
    return replace(
        problem,
        codes=problem.codes[one],
        names=problem.names[one],
        authorities=problem.authorities[one],
        people=problem.people[one],
        need=problem.need[one],
        capital=problem.capital[one],
        yearly=problem.yearly[one],
        gains=problem.gains[one],
        shortfall=problem.shortfall[one],
    )
