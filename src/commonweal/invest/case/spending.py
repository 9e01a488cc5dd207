"""What a mix spends beside its budget: with optimism bias, and after the last year."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from commonweal.document.words import percent
from commonweal.invest.appraisal.words import money

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from commonweal.invest.appraisal import Appraisal
    from commonweal.invest.case.model import Case
    from commonweal.invest.portfolio import Problem

__all__ = ["after_told", "begun_costs_after", "bias_words", "over_told", "spent_with_bias"]


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


def begun_costs_after(problem: Problem, start: NDArray[np.intp], years: int) -> NDArray[np.float64]:
    """Give what it costs to run what was begun after the years of a programme, until it ends.

    Parameters
    ----------
    problem
        The places and what can be done there.
    start
        (n_areas, n_interventions) year of start, 0 = the first; -1 = not done.
    years
        Of the programme.

    Returns
    -------
    numpy.ndarray
        (n,) GBP in each year after the last, at the problem's costs and not discounted; as long as anything goes on.
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
        f"Not discounted, and {bias_words(case.appraisal)}, spending is expected to be {money(total)}, {excess} the "
        f"budget of {money(budget)}, and is above it in {percent(over)} of draws."
    )


def after_told(case: Case) -> str:
    """Say what is not counted since it comes after the last year."""
    after = begun_costs_after(case.problem, case.mix.start, case.rules.years)
    last = case.asked.first_year + case.rules.years - 1
    first = f"Costs and benefits after {last} are not counted"
    if not after.sum() > 0:
        return f"{first}; nothing that was begun has to be run after it."
    return (
        f"{first}: to run what was begun until it ends, in {last + len(after)}, would cost {money(float(after.sum()))} "
        "more, expected and not discounted, which the budget does not hold."
    )
