"""Make the case for an investment: for a programme or a part of a study, or for new places alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from commonweal.document.format import percent
from commonweal.errors import CommonwealError, DataError
from commonweal.invest.appraisal import appraise
from commonweal.invest.appraisal.appraise import DRAWS, money, ratio
from commonweal.invest.case.cautions import check_names, few_places
from commonweal.invest.case.model import Case, CaseOptions, worked_places
from commonweal.invest.case.options import DRAWS as STEADY_DRAWS
from commonweal.invest.case.options import (
    OptionSettings,
    buys_nothing,
    make_option,
    mix_stability,
)
from commonweal.invest.case.valuation import ProjectMix, gains_of, load_values, project_of
from commonweal.invest.interventions import load_interventions
from commonweal.invest.parameters import load_parameters
from commonweal.invest.portfolio import PortfolioProblem, Rules
from commonweal.invest.portfolio.builder import (
    Builder,
    PortfolioAreas,
    expected,
    need_index,
    uncertain_numbers,
)
from commonweal.invest.portfolio.plan import frontier
from commonweal.invest.siting.demand import need_of_ranks
from commonweal.invest.siting.on_study import SitingOptions, is_fictional, load_siting_data, site
from commonweal.study.names import Scope

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from commonweal.invest.allocation.on_study import AllocationResult
    from commonweal.invest.appraisal import Appraisal, Project
    from commonweal.invest.case.options import Sharing
    from commonweal.invest.case.valuation import Values
    from commonweal.invest.interventions import Interventions
    from commonweal.invest.parameters import Parameters
    from commonweal.invest.portfolio.optimise import Mix
    from commonweal.invest.siting.result import SitingResult
    from commonweal.sources import Store
    from commonweal.study.results import Results

    Floats = NDArray[np.float64]
    Progress = Callable[[str, int, int], None]


YEARS, FIRST_YEAR, SITES_DRAWS, SITES_SEED = 10, 2026, 2_000, 1

COSTED = "Each is costed and valued as a {built}."
ABROAD = (
    "Costs and benefits are in pounds, and come from England. We have none for this country, so do not use them as "
    "amounts."
)
COST = "{costed} Cost to the public sector over {years} years, in present value: {cost} ({low} to {high})."
WORTH = (
    "Benefits for the people newly reached: {each} for each pound (95% interval {low} to {high}). Benefits exceed "
    "costs in {sure} of {draws} recalculations. Most of these numbers are assumptions, listed below."
)
_UNTOLD = "We cannot put a value on this: it brings nobody new within reach, or we know of no effect of such a venue."
_UNREAD = "We cannot put a value on this, because we do not know who has such a venue already."


def appraise_sites(
    sited: SitingResult,
    interventions: Interventions,
    values: Values,
    *,
    years: int = YEARS,
    draws: int = SITES_DRAWS,
    parameters: Parameters | None = None,
) -> Appraisal | None:
    """Appraise new places."""
    people = sited.sites["newly"].to_numpy().astype(np.float64)
    plan = None if sited.unread else plan_sites(sited.kind, people, interventions, values, years)
    if plan is None:
        return None
    title = f"{len(people):,} new: {sited.label.lower()}, {sited.title}"
    project = sites_project(plan, title, values, sited)
    return appraise(project, parameters, draws=draws, seed=SITES_SEED)


def plan_sites(
    kind: str,
    people: Floats,
    interventions: Interventions,
    values: Values,
    years: int = YEARS,
) -> ProjectMix | None:
    """Say what new places do for the people who come to be within reach: one at every site, from the first year."""
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
    problem = PortfolioProblem(
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
    gains = gains_of(one, problem, rules, start, SITES_SEED)
    return (
        ProjectMix(one, problem, rules, start, gains) if sum(g.total for g in gains) > 0 else None
    )


def sites_project(plan: ProjectMix, title: str, values: Values, sited: SitingResult) -> Project:
    """Make a project of new places, as `valuation.project_of`, which says what they are costed as, and for where.

    Nobody stated a budget.
    """
    project = project_of(title, plan, values, first_year=FIRST_YEAR, fictional=sited.fictional)
    (built,) = plan.interventions.interventions.values()
    costed = COSTED.format(built=built.label.lower())
    about = f"{costed} {ABROAD}" if sited.abroad else costed
    return project.model_copy(update={"budget": None, "about": about})


def why_not_valued(sited: SitingResult) -> str:
    """Say why it is not told what new places are worth."""
    return _UNREAD if sited.unread else _UNTOLD


def site_value_sentences(sited: SitingResult, worth: Appraisal | None) -> list[str]:
    """Say what new places cost, what they are worth and how sure that is, in a sentence each."""
    if worth is None:
        return [why_not_valued(sited)]
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


SHARES = (0.25, 0.5, 1.0, 1.5, 2.0)
"""Budgets that are tried, as shares of the one that there is."""

GAP = 1e-2
"""How far from the best their mixes may be."""

LEAST_DRAWS = 500
"""Draws below which an interval says little."""


_OTHER: dict[Sharing, Sharing] = {"each": "pooled", "pooled": "each"}


def make_case(
    asked: CaseOptions,
    store: Store,
    progress: Progress | None = None,
    results: Results | None = None,
) -> Case:
    """Make a case: allocation, then a mix of interventions, then sites for what is built, then what it is worth."""
    tell = progress or (lambda *_: None)
    interventions, values = load_interventions(asked.interventions), load_values(asked.values)
    check_names(asked, interventions, values)
    _refuse_prices(asked, interventions, values)
    worked, rows, title = worked_places(asked, store, results, progress)
    budget, budget_from = _budget(asked, worked, len(rows), values)
    rules = Rules(budget=budget, years=asked.years, last_start=(asked.years - 1) // 2)
    tell("choosing what to do where", 0, 0)
    builder = portfolio_builder(worked.results, rows, interventions)
    problem = builder.problems(expected(uncertain_numbers(interventions)))[0]
    draws = DRAWS if asked.draws is None else max(asked.draws, LEAST_DRAWS)
    fictional = is_fictional(worked.results.study)
    stated = OptionSettings(title, asked.first_year, draws, asked.seed, fictional, asked.seconds)
    option, other = (
        make_option(sharing, interventions, problem, rules, values, stated, progress)
        for sharing in (asked.sharing, _OTHER[asked.sharing])
    )
    if option is None:
        few = few_places(asked, worked, len(rows))
        raise CommonwealError("; ".join((buys_nothing(problem, rules, asked.sharing), *few)))
    again = STEADY_DRAWS if asked.draws is None else min(asked.draws, STEADY_DRAWS)
    steady = (
        mix_stability(
            builder, rules, option,
            draws=again, seed=asked.seed, seconds=asked.seconds, progress=progress,
        )
        if again >= 2
        else None
    )  # fmt: skip
    pooled = next((o.mix for o in (option, other) if o is not None and o.sharing == "pooled"), None)
    points = frontier(
        problem, rules, SHARES, known=pooled, gap=GAP, seconds=asked.seconds, progress=progress
    )
    kind, built = _kind_to_site(asked, problem, option.mix, values)
    sited = None
    if kind is not None:
        tell("finding sites", 0, 0)
        gets = option.mix.chosen[:, [problem.interventions.index(n) for n in built]].any(axis=1)
        there = np.sort(rows[gets] if built else rows)
        sited = _sites(asked, kind, worked, there, store, progress)
    return Case(
        asked, title, worked, rows, budget_from, interventions, values, problem, rules, option, other,
        steady, points, sited, built,
    )  # fmt: skip


def portfolio_builder(
    results: Results, rows: NDArray[np.intp], interventions: Interventions
) -> Builder:
    """Say what there is to choose from in some areas of a study, on its first index."""
    index, areas = next(iter(results.scores)), results.areas
    scores = results.scores[index]
    measure = need_index(scores, scores.tree, results.indicators[index], rows)
    table = areas.table[rows.tolist()]
    authority = next((p for p in areas.parents if p.startswith("lad")), None)
    places = PortfolioAreas(
        tuple(table["code"].to_list()),
        tuple(table["name"].fill_null(table["code"]).to_list()),
        tuple((table[authority].fill_null("") if authority else table["code"]).to_list()),
        areas.population[rows],
        need_of_ranks(scores.rank)[rows],
    )
    return Builder.of(interventions, places, measure)


def _refuse_prices(asked: CaseOptions, interventions: Interventions, values: Values) -> None:
    """Refuse costs in prices of a year to which what wellbeing is worth cannot be brought."""
    year = interventions.price_year
    for series in (values.prices, values.incomes):
        if year not in series.index and year != load_parameters().wellby.price_year:
            raise DataError(
                f"{asked.interventions}: price_year: found {year}; expected {min(series.index)} to "
                f"{max(series.index)}, the years that {values.name} has prices and incomes of"
            )


def _budget(
    asked: CaseOptions, worked: AllocationResult, places: int, values: Values
) -> tuple[float, str]:
    """Give the money there is, and who says so."""
    if asked.budget is not None:
        return asked.budget, "as you set it"
    money = worked.allocation.programme.money
    if money is not None and money.award is not None:
        return money.award * places, f"the programme's award of £{money.award:,.0f} for each area"
    return (
        values.grant.each * places,
        f"£{values.grant.each:,.0f} for each area: {values.grant.source}",
    )


def _kind_to_site(
    asked: CaseOptions, problem: PortfolioProblem, mix: Mix, values: Values
) -> tuple[str | None, tuple[str, ...]]:
    """Say which kind of place sites are found for, and which interventions in the mix build one."""
    builds = [
        name
        for at, name in enumerate(problem.interventions)
        if (mix.start[:, at] >= 0).any() and values.kind_of(name)
    ]
    kind = asked.kind or next((values.kind_of(n) for n in builds), None)
    return kind, () if kind is None else tuple(n for n in builds if n == values.built.get(kind))


def _sites(
    asked: CaseOptions,
    kind: str,
    worked: AllocationResult,
    there: NDArray[np.intp],
    store: Store,
    progress: Progress | None,
) -> SitingResult:
    """Find a site for each place that gets a building; for each place where a kind is asked for and none does."""
    areas = worked.results.areas
    number = f"{len(there):,} {areas.plural if len(there) > 1 else areas.singular}"
    ask = SitingOptions(
        number, kind, sites=len(there), model="p_median", minutes=asked.minutes,
        candidates=asked.candidates, seconds=asked.seconds,
    )  # fmt: skip
    scope = Scope(number, there, np.zeros(len(there), dtype=bool))
    ground = load_siting_data(worked.results, store, progress)
    sited = site(worked.results, ask, store, ground=ground, scope=scope, progress=progress)
    if sited.solution.interrupted:  # siting gives its best; a case is whole or not made
        raise KeyboardInterrupt
    return sited
