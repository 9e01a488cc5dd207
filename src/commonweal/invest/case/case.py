"""From a programme, or a part of a study, to the whole case: who, what, where, at what cost, worth what."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from commonweal.errors import CommonwealError, DataError
from commonweal.invest.appraisal import DRAWS
from commonweal.invest.case.model import Asked, Case
from commonweal.invest.case.named import check_names, few_places
from commonweal.invest.case.options import Stated, buys_nothing, make_option
from commonweal.invest.case.places import worked_places
from commonweal.invest.case.steady import DRAWS as STEADY_DRAWS
from commonweal.invest.case.steady import steadiness
from commonweal.invest.case.values import load_values
from commonweal.invest.interventions import load_interventions
from commonweal.invest.parameters import load_parameters
from commonweal.invest.portfolio import (
    Builder,
    Places,
    Rules,
    expected,
    frontier,
    measure_of,
    uncertain_numbers,
)
from commonweal.invest.siting.build import need_of_ranks
from commonweal.invest.siting.on_study import Ask, ground_of, is_fictional, site
from commonweal.study.scope import Scope

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from commonweal.invest.allocation.worked import Worked
    from commonweal.invest.case.options import Sharing
    from commonweal.invest.case.values import Values
    from commonweal.invest.interventions import Interventions
    from commonweal.invest.portfolio.model import Mix
    from commonweal.invest.portfolio.problem import Problem
    from commonweal.invest.siting.sited import Sited
    from commonweal.sources import Store
    from commonweal.study.results import Results

    Progress = Callable[[str, int, int], None]

__all__ = [
    "make_case",
    "portfolio_builder",
]


SHARES = (0.25, 0.5, 1.0, 1.5, 2.0)
"""Budgets that are tried, as shares of the one that there is."""

GAP = 1e-2
"""How far from the best their mixes may be."""

LEAST_DRAWS = 500
"""Draws below which an interval says little."""


_OTHER: dict[Sharing, Sharing] = {"each": "pooled", "pooled": "each"}


def make_case(
    asked: Asked,
    store: Store,
    progress: Progress | None = None,
    results: Results | None = None,
) -> Case:
    """Make a case: allocation, then a mix of interventions, then sites for what is built, then what it is worth.

    Parameters
    ----------
    asked
        What it is made for.
    store
        Where source files come from.
    progress
        Called as ``progress(what, done, total)``.
    results
        A run of its study, with boundaries; run if not given.

    Raises
    ------
    CommonwealError
        If something asked for is not there or makes no sense, no place is selected, there is no site where
        something has to be built, or the budget buys nothing that is expected to do good.
    """
    tell = progress or (lambda *_: None)
    interventions, values = load_interventions(asked.interventions), load_values(asked.values)
    check_names(asked, interventions, values)
    _refuse_prices(asked, interventions, values)
    worked, rows, title = worked_places(
        asked.subject, asked.areas, asked.places, store,
        exclude=asked.exclude, draws=asked.draws, results=results, progress=progress,
    )  # fmt: skip
    budget, budget_from = _budget(asked, worked, len(rows), values)
    rules = Rules(budget=budget, years=asked.years, last_start=(asked.years - 1) // 2)
    tell("choosing what to do where", 0, 0)
    builder = portfolio_builder(worked.results, rows, interventions)
    problem = builder.problems(expected(uncertain_numbers(interventions)))[0]
    draws = DRAWS if asked.draws is None else max(asked.draws, LEAST_DRAWS)
    stated = Stated(title, asked.first_year, draws, asked.seed, is_fictional(worked.results.study))
    option, other = (
        make_option(sharing, interventions, problem, rules, values, stated, asked.seconds, progress)
        for sharing in (asked.sharing, _OTHER[asked.sharing])
    )
    if option is None:
        few = few_places(asked, worked, len(rows))
        raise CommonwealError("; ".join((buys_nothing(problem, rules, asked.sharing), *few)))
    again = STEADY_DRAWS if asked.draws is None else min(asked.draws, STEADY_DRAWS)
    steady = (
        steadiness(
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
    sited, built = _sites(asked, worked, rows, problem, option.mix, values, store, progress)
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
    measure = measure_of(scores, scores.tree, results.indicators[index], rows)
    table = areas.table[rows.tolist()]
    authority = next((p for p in areas.parents if p.startswith("lad")), None)
    places = Places(
        tuple(table["code"].to_list()),
        tuple(table["name"].fill_null(table["code"]).to_list()),
        tuple((table[authority].fill_null("") if authority else table["code"]).to_list()),
        areas.population[rows],
        need_of_ranks(scores.rank)[rows],
    )
    return Builder.of(interventions, places, measure)


def _refuse_prices(asked: Asked, interventions: Interventions, values: Values) -> None:
    """Refuse costs in prices of a year to which what wellbeing is worth cannot be brought."""
    year = interventions.price_year
    for series in (values.prices, values.incomes):
        if year not in series.index and year != load_parameters().wellby.price_year:
            raise DataError(
                f"{asked.interventions}: price_year: found {year}; expected {min(series.index)} to "
                f"{max(series.index)}, the years that {values.name} has prices and incomes of"
            )


def _budget(asked: Asked, worked: Worked, places: int, values: Values) -> tuple[float, str]:
    """Give the money there is, and who says so."""
    if asked.budget is not None:
        return asked.budget, "as asked"
    money = worked.allocation.programme.money
    if money is not None and money.award is not None:
        return money.award * places, f"the programme's award of £{money.award:,.0f} for each place"
    return (
        values.grant.each * places,
        f"£{values.grant.each:,.0f} for each place: {values.grant.source}",
    )


def _sites(
    asked: Asked,
    worked: Worked,
    rows: NDArray[np.intp],
    problem: Problem,
    mix: Mix,
    values: Values,
    store: Store,
    progress: Progress | None,
) -> tuple[Sited | None, tuple[str, ...]]:
    """Find a site for each place that gets a building; for each place where a kind is asked for and none does."""
    builds = [
        name
        for at, name in enumerate(problem.interventions)
        if (mix.start[:, at] >= 0).any() and values.kind_of(name)
    ]
    kind = asked.kind or next((values.kind_of(n) for n in builds), None)
    if kind is None:
        return None, ()
    if progress is not None:
        progress("finding sites", 0, 0)
    names = tuple(n for n in builds if n == values.built.get(kind))
    gets = mix.chosen[:, [problem.interventions.index(n) for n in names]].any(axis=1)
    there = np.sort(rows[gets] if names else rows)
    areas = worked.results.areas
    number = f"{len(there):,} {areas.plural if len(there) > 1 else areas.singular}"
    ask = Ask(
        number, kind, sites=len(there), model="p_median", minutes=asked.minutes,
        candidates=asked.candidates, seconds=asked.seconds,
    )  # fmt: skip
    scope = Scope(number, there, np.zeros(len(there), dtype=bool))
    ground = ground_of(worked.results, store, progress)
    sited = site(worked.results, ask, store, ground=ground, scope=scope, progress=progress)
    if sited.solution.interrupted:  # siting gives its best; a case is whole or not made
        raise KeyboardInterrupt
    return sited, names
