"""A case in words: the answer, lines for a terminal, and plain data."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from commonweal.briefing.columns import in_columns
from commonweal.briefing.words import SURE, counted, people, percent
from commonweal.case.tables import by_intervention, by_place, by_year
from commonweal.case.worth import effect_of
from commonweal.investment.appraisal.words import money, ratio
from commonweal.reports.allocation import allocation_data
from commonweal.reports.appraisal import appraisal_data
from commonweal.reports.siting import siting_data

if TYPE_CHECKING:
    from collections.abc import Iterator

    from commonweal.case.case import Case
    from commonweal.investment.appraisal import Estimate

__all__ = ["case_answer", "case_assumptions", "case_data", "case_lines"]

_SHOWN = 15


def case_answer(case: Case) -> tuple[str, ...]:
    """Give the answer: how far it can be relied on, who gets what, what that costs and is worth, what drives it."""
    return (_rests(case), _who(case), _what(case), _where(case), *_worth(case), _drives(case))


def _who(case: Case) -> str:
    a = case.worked.allocation
    n = len(case.rows)
    in_need = int(a.in_need[case.rows].sum())
    sure, c = "", case.worked.chance
    if c is not None:
        often = int((c.selected[case.rows] >= SURE).sum())
        sure = (
            f" When the weights behind the indices vary, {often:,} of the {n:,} are selected in at least 95 % of "
            f"{c.n_draws:,} draws."
        )
    are = "is" if in_need == 1 else "are"
    return (
        f"Who: {case.title}, with {people(case.people)}; {in_need:,} of the {n:,} {are} in need by the yardstick of "
        f"the rule. The rule: {a.programme.title}.{sure}"
    )


def _what(case: Case) -> str:
    chosen = [
        f"{case.interventions.interventions[name].label.lower()} in {int(done.sum()):,}"
        for name, done in zip(case.problem.interventions, case.mix.chosen.T, strict=True)
        if done.any()
    ]
    left = len(case.rows) - int(case.mix.chosen.any(axis=1).sum())
    why = (
        "the money meets more need elsewhere"
        if case.option.sharing == "pooled"
        else "their part buys nothing"
    )
    none = f" {left:,} get nothing: {why}." if left else ""
    listed = ", ".join(chosen[:-1]) + (" and " if len(chosen) > 1 else "") + chosen[-1]
    return (
        f"What: {money(float(case.mix.spent.sum()))} of {money(case.rules.budget)} over {case.rules.years} "
        f"years pays for {listed}.{none}"
    )


def _where(case: Case) -> str:
    _, reached = case.sited.reached()
    total = float(case.sited.demand.people.sum())
    n, kind = len(case.sited.sites), case.sited.label.lower()
    unpaid = "" if case.built else ", which the money does not pay for"
    would = "would be" if case.built else "would be, if one were built,"
    return (
        f"Where: {counted(n, 'site', 'sites')} for a {kind}{unpaid}; "
        f"{percent(reached / total)} of those who live there {would} within {case.sited.minutes:g} minutes' walk of "
        "one."
    )


def _worth(case: Case) -> Iterator[str]:
    m, a = case.appraisal.measures, case.appraisal
    given = ", on those assumptions" if _guessed(case) > 0 else ""
    yield (
        f"Cost: {money(m['public_cost'].expected)} to the public sector in present value, with optimism bias "
        f"({_between(m['public_cost'])})."
    )
    yield (
        f"Worth{given}: benefits of {money(m['benefits'].expected)} ({_between(m['benefits'])}), or "
        f"{money(m['bcr'].expected)} for each pound (95 % interval {_ratios(m['bcr'])}). Net present social value is "
        f"{money(m['npsv'].expected)} ({_between(m['npsv'])}), and above 0 in {percent(a.worth_it)} of "
        f"{a.draws:,} draws."
    )


def _rests(case: Case) -> str:
    """Say before any figure how much of the benefit was assumed, and what is left without that."""
    guessed = _guessed(case)
    share = "none" if guessed <= 0 else "all" if guessed >= 1 else percent(guessed)
    first = f"How sure: {share} of the benefit told here has a size that was assumed, not verified."
    if guessed > 0:
        first += " What it is worth follows from those assumptions; it is not a finding."
    if case.option.firm is None:
        return (
            f"{first} No effect in this mix has a study of cause behind it: without its assumptions, its worth is "
            "not known."
        )
    f = case.option.firm.measures["bcr"]
    return (
        f"{first} Counting only kinds of effect that a study of cause, or a review of several, stands behind, it is "
        f"{money(f.expected)} for each pound (95 % interval {_ratios(f)}), and worth its cost in "
        f"{percent(case.option.firm.worth_it)} of draws."
    )


def _guessed(case: Case) -> float:
    """Share of the benefit whose size was assumed."""
    total = sum(g.total for g in case.gains)
    return sum(g.total for g in case.gains if not effect_of(case.interventions, g).verified) / total


def _drives(case: Case) -> str:
    """Say which number the answer hangs on most, and where it would turn."""
    return " ".join(case.appraisal.drivers[1:3])


def _between(e: Estimate) -> str:
    return f"{money(e.low)} to {money(e.high)}"


def _ratios(e: Estimate) -> str:
    return f"{ratio(e.low)} to {ratio(e.high)}"


def case_assumptions(case: Case) -> tuple[str, ...]:
    """List what was assumed and not verified, over all parts, each once."""
    chosen = [
        case.interventions.interventions[name]
        for at, name in enumerate(case.problem.interventions)
        if (case.mix.start[:, at] >= 0).any()
    ]
    rule = case.worked.allocation.programme
    costs = [
        one.cost.source for one in chosen
    ]  # which the interventions' own assumptions tell already
    said = [
        *(
            f"{part}: {note or 'our choice'}"
            for part, official, note in rule.parts()
            if not official
        ),
        *(text for one in chosen for text in one.assumptions),
        *(text for text in case.appraisal.assumptions if not any(cost in text for cost in costs)),
        f"Money there is: {case.budget_from}.",
        "Of several interventions on one outcome in one place, each further one counts "
        f"{percent(case.rules.repeat)} of what the one before it counts.",
        "A standard deviation counts the same whatever outcome it is in.",
    ]
    return tuple(dict.fromkeys(said))


def case_lines(case: Case) -> Iterator[str]:
    """Tell a case on a terminal: the answer, what is done, the first places, what to beware of."""
    yield f"The case for {case.title}"
    if case.fictional:
        yield "FICTIONAL: the program made these places up."
    yield ""
    yield from case_answer(case)
    yield ""
    heads, rows = _columns(by_intervention(case))
    yield from in_columns(heads, rows)
    yield ""
    places = by_place(case)
    yield f"The first {min(_SHOWN, len(places)):,} of {len(places):,} places, by need:"
    yield from in_columns(*_columns(places.head(_SHOWN).drop("Code", strict=False)))
    for caution in case.appraisal.cautions:
        yield f"Beware: {caution}"
    yield ""
    yield f"{counted(len(case_assumptions(case)), 'assumption', 'assumptions')} in the report (--out)."


def _columns(frame: Any) -> tuple[list[str], list[list[str]]]:
    heads = [f">{c}" if frame.schema[c].is_numeric() else c for c in frame.columns]
    rows = [
        ["" if v is None else f"{v:,}" if isinstance(v, int) else f"{v:,.2f}" if isinstance(v, float) else str(v)
         for v in row]
        for row in frame.rows()
    ]  # fmt: skip
    return heads, rows


def case_data(case: Case) -> dict[str, Any]:
    """Give every number of a case as plain data."""
    return {
        "title": case.title,
        "fictional": case.fictional,
        "answer": list(case_answer(case)),
        "budget": case.rules.budget,
        "budget_from": case.budget_from,
        "years": case.rules.years,
        "spent": case.mix.spent.tolist(),
        "people": case.people,
        "need_met": case.mix.met,
        "need_met_at_most": case.mix.bound,
        "gap": case.mix.gap,
        "interventions": by_intervention(case).to_dicts(),
        "places": by_place(case).to_dicts(),
        "by_year": by_year(case).to_dicts(),
        "gains": [
            {
                "intervention": g.intervention,
                "outcome": g.outcome,
                "each": g.each,
                "reach": g.reach.tolist(),
                "low": float(np.quantile(g.draws, 0.025)),
                "high": float(np.quantile(g.draws, 0.975)),
                "quality": effect_of(case.interventions, g).quality,
                "verified": effect_of(case.interventions, g).verified,
            }
            for g in case.gains
        ],
        "allocation": allocation_data(case.worked),
        "siting": siting_data(case.sited),
        "appraisal": appraisal_data(case.appraisal),
        "appraisal_of_studied_effects": None
        if case.option.firm is None
        else appraisal_data(case.option.firm),
        "assumptions": list(case_assumptions(case)),
    }
