"""A portfolio: the mix, what it meets, what less or more money would, and how sure that is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from commonweal.errors import CommonwealError
from commonweal.invest.portfolio.build import Builder
from commonweal.invest.portfolio.frontier import SHARES, frontier
from commonweal.invest.portfolio.model import choose
from commonweal.invest.portfolio.numbers import expected, uncertain_numbers
from commonweal.invest.portfolio.recount import recount
from commonweal.invest.portfolio.stability import stability

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import NDArray

    from commonweal.invest.interventions import Interventions
    from commonweal.invest.portfolio.build import Places
    from commonweal.invest.portfolio.frontier import Point
    from commonweal.invest.portfolio.measure import Measure
    from commonweal.invest.portfolio.model import Mix
    from commonweal.invest.portfolio.problem import Problem, Rules
    from commonweal.invest.portfolio.recount import Recount
    from commonweal.invest.portfolio.stability import Stability

    Floats = NDArray[np.float64]

__all__ = ["After", "Portfolio", "make_portfolio"]


@dataclass(frozen=True)
class After:
    """The study scored anew with the mix in place, in the year in which most need is met.

    Attributes
    ----------
    rank
        (n_areas,) ranks on the index among all areas, the others as they are today; 1 = most need.
    selected
        By designation, (before, after): how many of the neighbourhoods are selected.
    """

    rank: Floats
    selected: Mapping[str, tuple[int, int]]


@dataclass(frozen=True)
class Portfolio:
    """What is proposed for some neighbourhoods.

    Attributes
    ----------
    title
        What the neighbourhoods are together.
    index_label
        Of the index that need is measured on.
    plural
        What they are called.
    rules, builder, problem
        What was asked, and the problem that it made.
    mix
        What is done where, and when.
    recount
        What that meets when the index is scored anew.
    frontier
        The best mixes for less money and for more.
    stability
        What draws of costs and effects say; None without draws.
    after
        What the study would say then; None where the mix moves no indicator of it.
    left_out
        Names of neighbourhoods that were asked about and have no score or no people.
    fictional
        Whether the places are made up.
    """

    title: str
    index_label: str
    plural: str
    rules: Rules
    builder: Builder
    problem: Problem
    mix: Mix
    recount: Recount
    frontier: tuple[Point, ...]
    stability: Stability | None
    after: After | None = None
    left_out: tuple[str, ...] = ()
    fictional: bool = False

    @property
    def spent(self) -> float:
        """GBP over all years."""
        return float(self.mix.spent.sum())

    @property
    def reached(self) -> NDArray[np.bool_]:
        """(n_areas,) whether a neighbourhood gets anything."""
        return np.any(self.mix.chosen, axis=1)


def make_portfolio(
    interventions: Interventions,
    places: Places,
    measure: Measure,
    rules: Rules,
    *,
    title: str = "",
    index_label: str = "",
    plural: str = "neighbourhoods",
    stated_counts: float = 1.0,
    shares: Sequence[float] = SHARES,
    draws: int = 30,
    seed: int = 1,
    gap: float = 5e-3,
    seconds: float = 60.0,
    progress: Callable[[str, int, int], None] | None = None,
) -> Portfolio:
    """Choose a mix of interventions, and say what it meets and how sure that is.

    Parameters
    ----------
    interventions
        What can be done.
    places
        Where.
    measure
        The index that need is measured on, for the same places.
    rules
        What the mix must keep to.
    title, index_label, plural
        What the places, the index and several of the places are called.
    stated_counts
        What one standard deviation of an outcome that the index has no indicator for counts, beside one
        standard deviation of the index; 0 leaves such outcomes out.
    shares
        Budgets to try beside it, as shares of it.
    draws, seed
        As of `commonweal.invest.portfolio.stability`; 0 draws for none.
    gap, seconds
        As of `commonweal.invest.portfolio.choose`.
    progress
        Called as ``progress(what, done, total)``.

    Raises
    ------
    CommonwealError
        If nothing can be chosen: the message says why; or as the functions that it calls.
    """
    if not 0 <= stated_counts < np.inf:
        raise CommonwealError(f"stated counts: found {stated_counts:g}; expected 0 or more")
    builder = Builder.of(interventions, places, measure, stated_counts)
    numbers = expected(uncertain_numbers(interventions))
    problem = builder.problems(numbers)[0]
    mix = choose(problem, rules, gap=gap, seconds=seconds)
    if not mix.chosen.any():
        raise CommonwealError(_why_nothing(problem, rules))
    return Portfolio(
        title,
        index_label,
        plural,
        rules,
        builder,
        problem,
        mix,
        recount(builder, problem, rules, mix.start, numbers),
        frontier(problem, rules, shares, known=mix, gap=gap, progress=progress),
        stability(builder, rules, mix, draws, seed, progress, gap=gap) if draws else None,
    )


def _why_nothing(problem: Problem, rules: Rules) -> str:
    """Say why no mix meets any need."""
    lasting = problem.working(rules.years).sum(axis=2)
    helps = (problem.gains > 0).any(axis=2) & (lasting > 0).any(axis=0)
    helps &= (problem.weight > 0)[:, None]
    if not helps.any():
        return (
            f"no intervention meets any need within {rules.years} years; expected effects above 0, and areas "
            "that are short of what they move"
        )
    # The cheapest is one that is begun in the last year in which it still helps.
    cost = np.where(lasting[:, None, :] > 0, problem.yearly[None] * lasting[:, None, :], np.inf)
    cost = (problem.capital[None] + cost).min(axis=0)
    least = float(cost[helps].min())
    if least > rules.budget:
        return f"the budget of {rules.budget:,.0f} pounds buys nothing; the cheapest intervention costs {least:,.0f}"
    for name, share in rules.least_shares.items():
        here = np.array(problem.authorities) == name
        if share and not (helps & (cost <= rules.budget))[here].any():
            return f"least share of {name}: found {share:g}; nothing that helps there can be paid for, so expected 0"
    return (
        "no mix keeps to the rules: least shares, starts a year, money in one year or interventions in each "
        "neighbourhood leave nothing to choose"
    )
