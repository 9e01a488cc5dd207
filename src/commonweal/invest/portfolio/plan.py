"""A portfolio: the mix, what it meets, what less or more money would, and how stable the choice is."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np

from commonweal.errors import CommonwealError
from commonweal.invest.portfolio.builder import (
    Builder,
    drawn,
    expected,
    moved_values,
    uncertain_numbers,
)
from commonweal.invest.portfolio.optimise import GAP, need_met, optimise_mix
from commonweal.invest.portfolio.problem import Rules

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import NDArray

    from commonweal.invest.interventions import Interventions
    from commonweal.invest.portfolio.builder import Key, NeedIndex, PortfolioAreas
    from commonweal.invest.portfolio.optimise import Mix
    from commonweal.invest.portfolio.problem import PortfolioProblem

    Floats = NDArray[np.float64]


SHARES = (0.1, 0.25, 0.5, 0.75, 1.0, 1.5, 2.0)
"""Budgets that are tried, as shares of the one that was asked about."""


@dataclass(frozen=True)
class Point:
    """The best mix for one budget."""

    budget: float
    mix: Mix


def frontier(
    problem: PortfolioProblem,
    rules: Rules,
    shares: Sequence[float] = SHARES,
    *,
    known: Mix | None = None,
    gap: float = 5e-3,
    seconds: float = 20.0,
    progress: Callable[[str, int, int], None] | None = None,
) -> tuple[Point, ...]:
    """Choose the best mix for shares of the money, by rising budget; a limit on a single year is scaled too.

    A mix that more money did not better, within the gap, is kept: need met never falls. It need not rise evenly, and
    no such shape is assumed.
    """
    if not shares or min(shares) <= 0:
        raise CommonwealError(f"shares of the budget: found {list(shares)}; expected some above 0")
    points: list[Point] = []
    for k, share in enumerate(sorted(shares)):
        scaled = rules.scaled(share)
        mix = known if known is not None and share == 1 else None
        mix = mix or optimise_mix(problem, scaled, gap=gap, seconds=seconds)
        if points and mix.met < (before := points[-1].mix).met:
            mix = replace(before, bound=max(mix.bound, before.met))
        points.append(Point(scaled.budget, mix))
        if progress is not None:
            progress("need met against money", k + 1, len(shares))
    return tuple(points)


@dataclass(frozen=True)
class Recount:
    """The need that a mix meets, without the shortcuts of the programme that chose it."""

    met: Floats  # (n_areas,) person-years of one standard deviation, weighted by need
    # measured, stated: how much of it is measured on the index, and how much stands by the stated size of outcomes
    measured: float
    stated: float
    by_year: Floats  # (years,) the same by year
    year: int  # the year in which most is met, 0 = the first
    values: Floats  # (n_areas, n_indicators) the indicators of the areas in that year


def recount(
    builder: Builder,
    problem: PortfolioProblem,
    rules: Rules,
    start: NDArray[np.intp],
    numbers: Mapping[Key, Floats],
) -> Recount:
    """Score the index anew for every year of a mix.

    The programme adds up what each intervention gains on its own. Here all that work in a year move the indicators
    together, those on one outcome in line, and the areas are scored against all areas as they are today. Outcomes that
    the index has no indicator for count by their stated size, year by year.
    """
    years, measure = rules.years, builder.measure
    works = problem.working(years)[np.maximum(start, 0), np.arange(len(problem.interventions))]
    works = np.where((start >= 0)[:, :, None], works, 0.0)
    cases = [
        moved_values(builder, problem, works[:, :, y], rules.repeat, numbers) for y in range(years)
    ]
    measured = measure.shortfall - measure.short(measure.scores_with(np.stack(cases)))
    stated = np.stack([_stated(problem, works[:, :, y], rules.repeat) for y in range(years)])
    weight = problem.weight
    by_year = (measured + stated) @ weight
    year = int(by_year.argmax())
    return Recount(
        weight * (measured + stated).sum(axis=0),
        float((measured @ weight).sum()),
        float((stated @ weight).sum()),
        by_year,
        year,
        cases[year],
    )


def _stated(problem: PortfolioProblem, works: Floats, repeat: float) -> Floats:
    """(n_areas,) standard deviations of stated outcomes in a year."""
    whole = problem.gains[:, :, ~problem.measured] * works[:, :, None]
    good = -np.sort(-np.maximum(whole, 0.0), axis=1)
    factors = repeat ** np.arange(whole.shape[1])
    return (np.tensordot(good, factors, (1, 0)) + np.minimum(whole, 0.0).sum(axis=1)).sum(axis=1)


@dataclass(frozen=True)
class Stability:
    """What draws of costs and effects say of a mix."""

    # draws, seed: how many draws, and from which seed
    draws: int
    seed: int
    # (n_areas, n_interventions) the share of draws in whose best mix it is, in whatever year
    often: Floats
    areas: Floats  # (n_areas,) the share of draws in which the neighbourhood gets anything
    met: Floats  # (draws,) need that the mix itself meets
    cost: Floats  # (draws,) GBP that it costs
    best: Floats  # (draws,) need that the best mix of the draw meets, within the budget
    over: float  # the share of draws in which the mix costs more than the budget
    gap: float  # how far from the best the mix of a draw may be, at most, as a share


# Wide: the mix with its problem and rules, and five settings with a usual value.
def stability(
    builder: Builder,
    rules: Rules,
    mix: Mix,
    draws: int = 30,
    seed: int = 1,
    progress: Callable[[str, int, int], None] | None = None,
    *,
    gap: float = GAP,
    seconds: float = 15.0,
) -> Stability:
    """Draw costs, years and effects, and choose anew for each draw.

    Each number of the interventions' file is drawn by itself, for all places at once. Give the gap that the mix was
    chosen with: a wider one would tell what the solver left open as if it were not known. In each draw the chooser
    knows what came of every number, which nobody does when the money is spent: the shares say how far a choice hangs
    on numbers that are not known, not how likely it is to be right.
    """
    if draws < 2:
        raise CommonwealError(f"draws: found {draws}; expected 2 or more")
    often = np.zeros(mix.start.shape)
    areas = np.zeros(len(mix.start))
    met, cost, best, gaps = (np.zeros(draws) for _ in range(4))
    for k, problem in enumerate(
        builder.problems(drawn(uncertain_numbers(builder.interventions), draws, seed))
    ):
        of_draw = optimise_mix(problem, rules, gap=gap, seconds=seconds)
        often += of_draw.chosen
        areas += of_draw.chosen.any(axis=1)
        met[k] = need_met(problem, mix.start, rules).sum()
        cost[k] = problem.spent(mix.start, rules.years).sum()
        best[k], gaps[k] = of_draw.met, of_draw.gap
        if progress is not None:
            progress("draws of costs and effects", k + 1, draws)
    over = float((cost > rules.budget * (1 + 1e-9)).mean())
    return Stability(
        draws, seed, often / draws, areas / draws, met, cost, best, over, float(gaps.max())
    )


@dataclass(frozen=True)
class After:
    """The study scored anew with the mix in place, in the year in which most need is met."""

    # (n_areas,) ranks on the index among all areas, the others as they are today; 1 = most need
    rank: Floats
    # by designation, (before, after): how many of the neighbourhoods are selected
    selected: Mapping[str, tuple[int, int]]


@dataclass(frozen=True)
class Portfolio:
    """What is proposed for some neighbourhoods."""

    title: str  # what the neighbourhoods are together
    index_label: str  # of the index that need is measured on
    plural: str
    # rules, builder, problem: what was asked, and the problem that it made
    rules: Rules
    builder: Builder
    problem: PortfolioProblem
    mix: Mix  # what is done where, and when
    recount: Recount  # what that meets when the index is scored anew
    frontier: tuple[Point, ...]  # the best mixes for less money and for more
    stability: Stability | None  # what draws of costs and effects say; None without draws
    # what the study would say then; None where the mix moves no indicator of it
    after: After | None = None
    # names of neighbourhoods that were asked about and have no score or no people
    left_out: tuple[str, ...] = ()
    fictional: bool = False  # whether the places are made up
    abroad: bool = False  # whether they lie outside the United Kingdom, whose costs these are

    @property
    def spent(self) -> float:
        """GBP over all years."""
        return float(self.mix.spent.sum())

    @property
    def reached(self) -> NDArray[np.bool_]:
        """(n_areas,) whether a neighbourhood gets anything."""
        return np.any(self.mix.chosen, axis=1)


SELECTED = "selected"
"""What is said for all areas that the study's designation selects."""


@dataclass(frozen=True, slots=True)
class PortfolioOptions:
    """What is asked of a portfolio."""

    # budget, years, a_year, starts_a_year, most_each, repeat: as of `commonweal.invest.portfolio.Rules`
    budget: float
    years: int = 10
    # ``selected`` for those that the study's designation selects, or codes and names of areas or of larger ones that
    # the study knows
    areas: tuple[str, ...] = (SELECTED,)
    designation: str = ""  # which, where the study has several; its only one if empty
    # on which need is measured; the first that is built on the study's own areas if empty
    index: str = ""
    interventions: str = "first-set"  # a file that ships, or the path of one
    only: tuple[str, ...] = ()  # some of its interventions; all if empty
    equity: float = 1.0  # to what power need counts: 0 = everyone alike
    a_year: float | None = None
    starts_a_year: Mapping[str, int] = field(default_factory=dict)
    most_each: int | None = None
    # by the code or name of an authority, its least share of what is spent
    least_shares: Mapping[str, float] = field(default_factory=dict)
    repeat: float = 0.5
    # what one standard deviation of an outcome that the index has no indicator for counts, beside one standard
    # deviation of the index; 0 leaves such outcomes out
    stated_counts: float = 1.0
    # draws, seed: as of `commonweal.invest.portfolio.stability`; 0 draws for none
    draws: int = 30
    seed: int = 1
    shares: Sequence[float] = SHARES  # budgets to try beside it, as shares of it
    # gap, seconds: as of `commonweal.invest.portfolio.optimise_mix`
    gap: float = 5e-3
    seconds: float = 60.0

    def __post_init__(self) -> None:
        if not 0 <= self.equity <= 10:
            raise CommonwealError(f"equity: found {self.equity:g}; expected 0 to 10")
        self.rules(self.least_shares)

    def rules(self, least_shares: Mapping[str, float]) -> Rules:
        """Give the limits, with least shares by the names of authorities."""
        return Rules(
            self.budget,
            self.years,
            self.a_year,
            least_shares,
            self.starts_a_year,
            self.most_each,
            self.repeat,
        )


def make_portfolio(
    interventions: Interventions,
    places: PortfolioAreas,
    measure: NeedIndex,
    ask: PortfolioOptions,
    progress: Callable[[str, int, int], None] | None = None,
) -> Portfolio:
    """Choose a mix of interventions, and say what it meets and how sure that is."""
    if not 0 <= ask.stated_counts < np.inf:
        raise CommonwealError(f"stated counts: found {ask.stated_counts:g}; expected 0 or more")
    builder = Builder.of(interventions, places, measure, ask.stated_counts)
    rules = ask.rules(ask.least_shares)
    numbers = expected(uncertain_numbers(interventions))
    problem = builder.problems(numbers)[0]
    mix = optimise_mix(problem, rules, gap=ask.gap, seconds=ask.seconds)
    if not mix.chosen.any():
        raise CommonwealError(_why_nothing(problem, rules))
    return Portfolio(
        "",
        measure.index,
        "neighbourhoods",
        rules,
        builder,
        problem,
        mix,
        recount(builder, problem, rules, mix.start, numbers),
        frontier(problem, rules, ask.shares, known=mix, gap=ask.gap, progress=progress),
        stability(builder, rules, mix, ask.draws, ask.seed, progress, gap=ask.gap)
        if ask.draws
        else None,
    )


def _why_nothing(problem: PortfolioProblem, rules: Rules) -> str:
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
