"""Which effects a study stands behind, and why one way to share the money has them and another has not."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from commonweal.document.words import joined
from commonweal.invest.appraisal.words import money
from commonweal.invest.case.options import STUDIED, costs_by_start

if TYPE_CHECKING:
    from commonweal.invest.case.model import Case
    from commonweal.invest.case.options import Option

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
    if case.other is None:
        has_it = (
            "has none of it"
            if case.option.firm is None
            else f"has it in {_places(case, case.option)}"
        )
        return f"{first} The proposed option {has_it}."
    if case.option.firm is None and case.other.firm is None:
        return f"{first} Neither option has any of it, so neither has a figure for studied effects."
    if case.option.firm is not None and case.other.firm is not None:
        return (
            f"{first} The last row sets what those bring, in {_places(case, case.option)} of the proposed option and "
            f"{_places(case, case.other)} of the other, against the cost of the whole mix: all else costs money there "
            "and brings nothing."
        )
    has, lacks = (
        (case.other, case.option) if case.option.firm is None else (case.option, case.other)
    )
    named = (
        ("The proposed option", "the other")
        if has is case.option
        else ("The other option", "the proposed one")
    )
    chosen = [
        name for name in studied if has.mix.chosen[:, case.problem.interventions.index(name)].any()
    ]
    paid = joined(case.interventions.interventions[name].label.lower() for name in chosen)
    return (
        f"{first} {named[0]} pays for {paid} in {_places(case, has)}, {named[1]} for none of them: "
        f"{_why_not(case, lacks, chosen)} So its empty cell says that nothing is known of it without its assumptions, "
        "not that it is worth less."
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


def _why_not(case: Case, lacks: Option, names: list[str]) -> str:
    """Say why an option has none of what the other has: it does not fit, or other things count for more."""
    if lacks.sharing == "pooled":
        return "the same money meets more need, by this count, with effects that were assumed."
    part = case.rules.budget / len(case.rows)
    low, high = _cost(case, names)
    cost = money(low) if money(low) == money(high) else f"{money(low)} to {money(high)}"
    if low > part:
        return f"a place's equal part is {money(part)}, and that costs {cost}."
    return (
        f"that would take {cost} of a place's equal part of {money(part)}, and for that part other things, whose "
        "effects were assumed, meet more need by this count."
    )


def _cost(case: Case, names: list[str]) -> tuple[float, float]:
    """Give the least and the most that any of some interventions costs a place, by when it begins."""
    at = [case.problem.interventions.index(name) for name in names]
    costs = costs_by_start(case.problem, case.rules)[..., at]
    return float(np.min(costs)), float(np.max(costs))
