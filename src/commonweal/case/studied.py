"""Which effects a study stands behind, and why one way to share the money has them and another has not."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from commonweal.briefing.choices import joined
from commonweal.case.options import STUDIED
from commonweal.investment.appraisal.words import money

if TYPE_CHECKING:
    from commonweal.case.case import Case
    from commonweal.case.options import Option

__all__ = ["studied_interventions", "why_studied"]


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
            "No intervention in the list has an effect that a study of cause, or a review of several, stands behind, "
            "so neither option has a figure for studied effects."
        )
    first = (
        "Of all that can be chosen, an effect that a study of cause, or a review of several, stands behind is known "
        f"only of {_named(case, studied)}."
    )
    if case.option.firm is None and case.other.firm is None:
        return f"{first} Neither option has any of it, so neither has a figure for studied effects."
    if case.option.firm is not None and case.other.firm is not None:
        return (
            f"{first} The last row sets what those bring, in {_places(case, case.option)} of the proposed option and "
            f"{_places(case, case.other)} of the other, against the cost of the whole mix: all else costs money there "
            "and brings nothing."
        )
    has = case.option if case.other.firm is None else case.other
    proposed = has is case.option
    return (
        f"{first} {'The proposed option' if proposed else 'The other option'} has it in {_places(case, has)}, and "
        f"{'the other' if proposed else 'the proposed one'} nowhere: {_why_not(case)} So the empty cell says that "
        "nothing is known of that option without its assumptions, not that it is worth less."
    )


def _named(case: Case, studied: dict[str, list[str]]) -> str:
    return joined(
        f"{case.interventions.interventions[name].label.lower()} ({joined(outcomes)})"
        for name, outcomes in studied.items()
    )


def _places(case: Case, option: Option) -> str:
    """Say in how many places an option has anything with a studied effect."""
    at = [case.problem.interventions.index(name) for name in studied_interventions(case)]
    n = int(option.mix.chosen[:, at].any(axis=1).sum())
    return f"{n:,} {case.results.areas.singular if n == 1 else case.results.areas.plural}"


def _why_not(case: Case) -> str:
    """Say why the option without studied effects has none: they do not fit, or other things count for more."""
    without = case.option if case.option.firm is None else case.other
    if without.sharing == "pooled":
        return "the same money meets more need, by this count, with effects that were assumed."
    part = case.rules.budget / len(case.rows)
    low, high = _cost(case)
    cost = f"between {money(low)} and {money(high)}" if high > low else money(low)
    if low > part:
        return f"it would cost {cost} a place, and an equal part is {money(part)}."
    return (
        f"it would cost {cost} of an equal part of {money(part)}, and for that part other things, whose effects were "
        "assumed, meet more need by this count."
    )


def _cost(case: Case) -> tuple[float, float]:
    """Give what something with a studied effect costs a place at the least and at the most, by when it begins."""
    at = [case.problem.interventions.index(name) for name in studied_interventions(case)]
    last = case.rules.years - 1 if case.rules.last_start is None else case.rules.last_start
    shape = (len(case.rows), len(case.problem.interventions))
    costs = [
        case.problem.spent(np.full(shape, start, dtype=np.intp), case.rules.years).sum(axis=2)[
            :, at
        ]
        for start in range(last + 1)
    ]
    return float(np.min(costs)), float(np.max(costs))
