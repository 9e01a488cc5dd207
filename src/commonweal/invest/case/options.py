"""Options to share the money, each appraised, and how stable the chosen mix is."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

import numpy as np

from commonweal.invest.appraisal import appraise
from commonweal.invest.case.valuation import ProjectMix, effect_of_gain, gains_of, project_of
from commonweal.invest.portfolio import Mix, optimise_mix
from commonweal.invest.portfolio.builder import drawn, uncertain_numbers
from commonweal.invest.portfolio.plan import stability

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from commonweal.invest.appraisal import Appraisal
    from commonweal.invest.case.valuation import Gain, Values
    from commonweal.invest.interventions import Interventions
    from commonweal.invest.portfolio import PortfolioProblem, Rules
    from commonweal.invest.portfolio.builder import Builder

    Progress = Callable[[str, int, int], None]
    Floats = NDArray[np.float64]


Sharing = Literal["each", "pooled"]

STUDIED = ("causal", "synthesis")
"""Quality of the evidence of effects that a study of cause, or a review of several, stands behind."""


@dataclass(frozen=True)
class StudiedEffect:
    """An effect that a study of cause, or a review of several, stands behind, set against its own cost."""

    intervention: str
    outcome: str
    # what the intervention costs wherever the mix has it, and what that effect alone is worth
    appraisal: Appraisal


@dataclass(frozen=True)
class Option:
    """A way to share the money, chosen and appraised."""

    sharing: Sharing  # ``each``: every place an equal part; ``pooled``: where it meets most need
    mix: Mix  # what is done where, and when
    gains: tuple[Gain, ...]  # what that does for people
    appraisal: Appraisal  # what it costs and is worth
    # its studied effects, each by itself; empty where the mix has none
    studied: tuple[StudiedEffect, ...]


@dataclass(frozen=True)
class OptionSettings:
    """What every option is appraised with: the project's title, first year, draws, seed; whether it is made up.

    Choosing its mix takes at most so many seconds.
    """

    title: str
    first_year: int
    draws: int
    seed: int
    fictional: bool
    seconds: float


def make_option(
    sharing: Sharing,
    interventions: Interventions,
    problem: PortfolioProblem,
    rules: Rules,
    values: Values,
    stated: OptionSettings,
    progress: Progress | None = None,
) -> Option | None:
    """Choose a mix and appraise it."""
    mix = (
        optimise_mix(problem, rules, seconds=stated.seconds)
        if sharing == "pooled"
        else _each(problem, rules, stated.seconds, progress)
    )
    gains = tuple(gains_of(interventions, problem, rules, mix.start, stated.seed))
    if not sum(g.total for g in gains) > 0:
        return None

    def appraised(start: NDArray[np.intp], some: list[Gain]) -> Appraisal:
        project = project_of(
            stated.title,
            ProjectMix(interventions, problem, rules, start, some),
            values,
            first_year=stated.first_year,
            fictional=stated.fictional,
        )
        return appraise(project, draws=stated.draws, seed=stated.seed)

    def alone_in_mix(gain: Gain) -> Appraisal:
        own = np.array(problem.interventions) == gain.intervention
        return appraised(np.where(own, mix.start, -1), [gain])

    studied = tuple(
        StudiedEffect(g.intervention, g.outcome, alone_in_mix(g))
        for g in gains
        if g.total > 0 and effect_of_gain(interventions, g).quality in STUDIED
    )
    return Option(sharing, mix, gains, appraised(mix.start, list(gains)), studied)


def _each(
    problem: PortfolioProblem, rules: Rules, seconds: float, progress: Progress | None
) -> Mix:
    """Choose for every place by itself, with an equal part of the money."""
    n = len(problem.codes)
    own = rules.scaled(1 / n)
    found = []
    for k in range(n):
        if progress is not None:
            progress("choosing what to do where", k, n)
        found.append(optimise_mix(alone(problem, k), own, seconds=seconds))
    return Mix(
        np.vstack([mix.start for mix in found]),
        sum(mix.met for mix in found),
        sum(mix.bound for mix in found),
        np.sum([mix.spent for mix in found], axis=0),
        sum(mix.seconds for mix in found),
    )


def buys_nothing(problem: PortfolioProblem, rules: Rules, sharing: Sharing) -> str:
    """Say why a budget buys nothing that is expected to do good: what there is, and the least that anything costs."""
    helps = problem.gains.sum(axis=2) > 0
    n = len(problem.codes)
    part = rules.budget / n if sharing == "each" else rules.budget
    whose = f"each of {n:,} places" if sharing == "each" else f"{n:,} places together"
    first = (
        f"a budget of £{rules.budget:,.0f} over {rules.years} years buys nothing that is expected to do good: "
        f"£{part:,.0f} for {whose}"
    )
    if not helps.any():
        return f"{first}, and no intervention does any; expected others"
    cost = np.where(helps, costs_by_start(problem, rules).min(axis=0), np.inf)
    least = float(cost.min())
    name = problem.interventions[int(np.unravel_index(cost.argmin(), cost.shape)[1])]
    pooled = ", --pooled" if sharing == "each" and rules.budget >= least else ""
    fewer = ", fewer places" if sharing == "each" and n > 1 else ""
    return (
        f"{first}, while the cheapest is {name}, £{least:,.0f} in one place; expected a larger budget{fewer}{pooled} "
        "or other interventions"
    )


def costs_by_start(problem: PortfolioProblem, rules: Rules) -> NDArray[np.float64]:
    """(n_starts, n_areas, n_interventions) GBP that each costs within the years, by the year in which it is begun."""
    last = rules.years - 1 if rules.last_start is None else rules.last_start
    shape = (len(problem.codes), len(problem.interventions))
    starts = (np.full(shape, year, dtype=np.intp) for year in range(last + 1))
    return np.stack([problem.spent(start, rules.years).sum(axis=2) for start in starts])


def alone(problem: PortfolioProblem, k: int) -> PortfolioProblem:
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


DRAWS = 30
"""As a portfolio of its own has them: a share of them is good to about a tenth."""

PLACES = 50
"""How many places are chosen for again where each has its own part: a draw is of all of them at once, so more
places would say little more."""

POOLED = 15.0
"""Seconds at most for the mix of one draw where money is pooled; how close it came is told."""


@dataclass(frozen=True)
class MixStability:
    """How often each choice is made again."""

    # draws, seed: how many draws of costs and effects, and from which seed
    draws: int
    seed: int
    places: NDArray[np.intp]  # (n_places,) rows of the problem's places that were chosen for again
    chosen: NDArray[np.bool_]  # (n_places, n_interventions) whether the mix has it there
    # (n_places, n_interventions) the share of draws in whose best mix it is there, begun in whatever year
    often: Floats
    # how far from the best a mix of a draw may be, at most, as a share: choices that differ by less are not told apart
    gap: float

    @property
    def stays(self) -> Floats:
        """(n_interventions,) where the mix has it, in what share of the draws it has it still; NaN where nowhere."""
        return _mean(self.often, self.chosen)

    @property
    def comes(self) -> Floats:
        """(n_interventions,) where the mix lacks it, in what share of the draws it comes in; NaN where nowhere."""
        return _mean(self.often, ~self.chosen)


def mix_stability(
    builder: Builder,
    rules: Rules,
    option: Option,
    *,
    draws: int = DRAWS,
    seed: int = 1,
    seconds: float = 60.0,
    progress: Progress | None = None,
) -> MixStability:
    """Draw costs and effects, and choose anew for each draw, as the option shares the money.

    In each draw the chooser knows what came of every number, which nobody does when the money is spent: the shares say
    how far a choice hangs on numbers that are not known, not how likely it is to be right.
    """
    n, chosen = len(builder.places.codes), option.mix.chosen
    if option.sharing == "pooled":
        at_most = min(seconds, POOLED)
        found = stability(builder, rules, option.mix, draws, seed, progress, seconds=at_most)
        return MixStability(draws, seed, np.arange(n), chosen, found.often, found.gap)
    at = np.unique(np.linspace(0, n - 1, min(n, PLACES)).round().astype(np.intp))
    own, often, gap = rules.scaled(1 / n), np.zeros((len(at), chosen.shape[1])), 0.0
    problems = builder.problems(drawn(uncertain_numbers(builder.interventions), draws, seed))
    for k, problem in enumerate(problems):
        for row, place in enumerate(at):
            mix = optimise_mix(alone(problem, place), own, seconds=seconds)
            often[row] += mix.chosen[0]
            gap = max(gap, mix.gap)
        if progress is not None:
            progress("draws of costs and effects", k + 1, draws)
    return MixStability(draws, seed, at, chosen[at], often / draws, gap)


def _mean(often: Floats, where: NDArray[np.bool_]) -> Floats:
    total = where.sum(axis=0)
    return np.divide(
        (often * where).sum(axis=0), total, out=np.full(len(total), np.nan), where=total > 0
    )
