"""Cautions of a case: names that do not match, spending beyond the budget, effects that studies support."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from commonweal.document.format import join_words, percent
from commonweal.errors import UnknownNameError
from commonweal.invest.appraisal.appraise import money
from commonweal.invest.case.model import NEEDIEST, without_people
from commonweal.invest.case.options import STUDIED, costs_by_start
from commonweal.invest.case.valuation import shipped_values
from commonweal.invest.siting.demand import SCHOOLS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from commonweal.invest.allocation.on_study import AllocationResult
    from commonweal.invest.appraisal import Appraisal
    from commonweal.invest.case.model import Case, CaseOptions
    from commonweal.invest.case.options import Option
    from commonweal.invest.case.valuation import Values
    from commonweal.invest.interventions import Interventions
    from commonweal.invest.portfolio import PortfolioProblem


BUILDING = "building"
"""The group of interventions that need a site."""


def check_names(asked: CaseOptions, interventions: Interventions, values: Values) -> None:
    """Refuse values of one's own that name an intervention that there is not.

    Those that ship go with the interventions that ship: what they do not name of others `case_cautions` tells.
    """
    if asked.values in shipped_values():
        return
    known = interventions.interventions
    for key, named in (("built", values.built.values()), ("optimism_bias", values.optimism_bias)):
        for name in named:
            if name not in known:
                where = f" in {asked.interventions}, but named in {asked.values} under '{key}'"
                raise UnknownNameError("intervention", name, known, where)


def case_cautions(case: Case) -> tuple[str, ...]:
    """Say what was asked for or left out and so is not as a reader may think, a sentence each."""
    return tuple(_cautions(case))


def _cautions(case: Case) -> Iterator[str]:
    asked, bare, homeless = case.asked, _without_bias(case), unsited(case)
    if bare:
        yield (
            f"No optimism bias is added to the capital cost of {join_words(bare)}: "
            f"{asked.values} has no category for that key under 'optimism_bias'. Set one, or 'none'."
        )
    if homeless:
        yield (
            f"No sites are found for {join_words(homeless)}, of the group '{BUILDING}': "
            f"{asked.values} names no kind of venue for that key under 'built'."
        )
    if case.sited is None and asked.candidates != SCHOOLS:
        yield (
            f"Candidates ({asked.candidates}) are not used: the mix has nothing that 'built' in {asked.values} names. "
            "--kind names a kind of venue to find sites for."
        )
    if empty := without_people(asked, case.worked):
        yield f"Left out, since we know of no people there: {join_words(empty)}."
    yield from few_places(asked, case.worked, len(case.rows))


def few_places(asked: CaseOptions, worked: AllocationResult, there: int) -> Iterator[str]:
    """Say that more places of a part of a study were asked for than there are."""
    if worked.allocation.programme.name == NEEDIEST and asked.places > there:
        have = "has" if len(asked.areas) == 1 else "have"
        yield f"You asked for {asked.places:,} areas, and {join_words(asked.areas)} {have} {there:,}."


def unsited(case: Case) -> list[str]:
    """Give the keys of buildings of the mix that no kind of place is named for."""
    return [
        name
        for name in _chosen(case)
        if case.interventions.interventions[name].group == BUILDING
        and case.values.kind_of(name) is None
    ]


def _without_bias(case: Case) -> list[str]:
    return [
        name
        for name in _chosen(case)
        if case.interventions.interventions[name].cost.capital.mean > 0
        and name not in case.values.optimism_bias
    ]


def _chosen(case: Case) -> list[str]:
    return [case.problem.interventions[at] for at in np.flatnonzero(case.mix.chosen.any(axis=0))]


def spent_with_bias(appraisal: Appraisal) -> NDArray[np.float64]:
    """(years,) GBP that the public sector is expected to spend, with optimism bias and not discounted."""
    lines = appraisal.model.lines
    public = [
        by_year for name, by_year in appraisal.by_year.items() if lines[name].side == "public"
    ]
    return np.sum(public, axis=0) if public else np.zeros(appraisal.project.horizon)


def bias_words(appraisal: Appraisal) -> str:
    """Say whether any cost of a case has optimism bias added."""
    costs = appraisal.project.costs.values()
    biased = any(c.optimism_bias is not None and c.optimism_bias.mix for c in costs)
    return "with optimism bias" if biased else "without optimism bias"


def begun_costs_after(
    problem: PortfolioProblem, start: NDArray[np.intp], years: int
) -> NDArray[np.float64]:
    """Give what it costs to run what was begun after the years of a programme, until it ends.

    Gives (n,) GBP in each year after the last, at the problem's costs and not discounted.
    """
    if not (start >= 0).any():
        return np.zeros(0)
    longest = int(
        np.ceil((start.max(axis=0) + problem.lead + problem.lasts)[start.max(axis=0) >= 0].max())
    )
    return problem.spent(start, max(years, longest)).sum(axis=(0, 1))[years:]


def over_told(case: Case) -> str:
    """Say what is expected to be spent beside the budget, and how likely it is to be more."""
    total, budget = float(spent_with_bias(case.appraisal).sum()), case.rules.budget
    over = case.appraisal.over_budget or 0.0
    excess = f"{money(total - budget)} above" if total > budget else "within"
    return (
        f"Expected spending is {money(total)}, {excess} the budget of {money(budget)} (not discounted, "
        f"{bias_words(case.appraisal)}). It exceeds the budget in {percent(over)} of recalculations."
    )


def after_told(case: Case) -> str:
    """Say what is not counted since it comes after the last year."""
    after = begun_costs_after(case.problem, case.mix.start, case.rules.years)
    last = case.asked.first_year + case.rules.years - 1
    first = f"Costs and benefits after {last} are not counted"
    if not after.sum() > 0:
        return f"{first}; nothing has to run after it."
    return (
        f"{first}. To run everything until it ends, in {last + len(after)}, would cost {money(float(after.sum()))} "
        "more, not discounted. The budget does not cover that."
    )


def studied_interventions(case: Case) -> dict[str, list[str]]:
    """Give the interventions that have a studied effect of a stated size, with the labels of its outcomes."""
    found = {
        name: [
            case.interventions.outcomes[e.outcome].label.lower()
            for e in one.effects
            if e.quality in STUDIED and e.size is not None
        ]
        for name, one in case.interventions.interventions.items()
    }
    return {name: outcomes for name, outcomes in found.items() if outcomes}


def why_studied(case: Case) -> str:
    """Say what the figures for studied effects alone rest on, and why an option has none."""
    studied = studied_interventions(case)
    if not studied:
        return (
            "No intervention in the list has causal evidence, so neither option has a figure for effects with causal "
            "evidence."
        )
    first = (
        f"Only these interventions have causal evidence (a causal study, or a review of several): "
        f"{_named(case, studied)}."
    )
    if case.other is None:
        has_it = (
            "has none of them"
            if not case.option.studied
            else f"has them in {_places(case, case.option)}"
        )
        return f"{first} The proposed option {has_it}."
    if not case.option.studied and not case.other.studied:
        return f"{first} Neither option has any of them, so neither has a figure for that evidence."
    if case.option.studied and case.other.studied:
        return (
            f"{first} The last row sets each against its own cost, in {_places(case, case.option)} of the proposed "
            f"option and {_places(case, case.other)} of the other."
        )
    has, lacks = (case.option, case.other) if case.option.studied else (case.other, case.option)
    named = (
        ("The proposed option", "the other")
        if has is case.option
        else ("The other option", "the proposed one")
    )
    chosen = [
        name for name in studied if has.mix.chosen[:, case.problem.interventions.index(name)].any()
    ]
    paid = join_words(case.interventions.interventions[name].label.lower() for name in chosen)
    return (
        f"{first} {named[0]} pays for {paid} in {_places(case, has)}, {named[1]} for none of them: "
        f"{_why_not(case, lacks, chosen)} Its empty cell means that its value is not known without assumptions, "
        "not that it is worth less."
    )


def _named(case: Case, studied: dict[str, list[str]]) -> str:
    return join_words(
        f"{case.interventions.interventions[name].label.lower()} ({join_words(outcomes)})"
        for name, outcomes in studied.items()
    )


def _places(case: Case, option: Option) -> str:
    """Say in how many places an option has anything with a studied effect."""
    at = [case.problem.interventions.index(name) for name in studied_interventions(case)]
    n = int(option.mix.chosen[:, at].any(axis=1).sum())
    return f"{n:,} {case.results.areas.singular if n == 1 else case.results.areas.plural}"


def _why_not(case: Case, lacks: Option, names: list[str]) -> str:
    """Say why an option has none of what the other has: it does not fit, or other things count for more."""
    if lacks.sharing == "pooled":
        return "the same money meets more need, by this count, with assumed effects."
    part = case.rules.budget / len(case.rows)
    low, high = _cost(case, names)
    cost = money(low) if money(low) == money(high) else f"{money(low)} to {money(high)}"
    if low > part:
        return f"an equal share is {money(part)}, and that costs {cost}."
    return (
        f"that would take {cost} of an equal share of {money(part)}. Other interventions, with assumed effects, meet "
        "more need for it by this count."
    )


def _cost(case: Case, names: list[str]) -> tuple[float, float]:
    """Give the least and the most that any of some interventions costs a place, by when it begins."""
    at = [case.problem.interventions.index(name) for name in names]
    costs = costs_by_start(case.problem, case.rules)[..., at]
    return float(np.min(costs)), float(np.max(costs))
