"""A case in words: the answer and the assumptions."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from commonweal.document.format import (
    NOT_A_CHANCE,
    SURE,
    format_count,
    format_people,
    join_words,
    percent,
    with_article,
)
from commonweal.invest.appraisal.appraise import figure, money
from commonweal.invest.case.cautions import after_told, bias_words, over_told
from commonweal.invest.case.valuation import BENEFIT, effect_of_gain
from commonweal.report.allocation_text import rule_parts
from commonweal.report.case.tables import pounds, studied_label
from commonweal.report.siting import siting_answer

if TYPE_CHECKING:
    from collections.abc import Iterator

    from commonweal.invest.appraisal import Estimate
    from commonweal.invest.case.model import Case


_FEW = 0.05
"""Share of the places, and of the money, below which an intervention is not named in a sentence."""

_INPUTS = {
    f"{BENEFIT}.points": "how many points (0 to 10) life satisfaction rises for somebody who is better off by one "
    "standard deviation in an outcome",
    f"{BENEFIT}.quantity": "how many standard deviations better off the average resident is in the best year",
    f"{BENEFIT}.additionality": "the share of the benefit that would not have happened anyway",
}
"""What the inputs of the benefit are, in plain words."""

FICTIONAL_CASE = "These neighbourhoods are fictional: the program made them up."


def case_answer(case: Case) -> tuple[str, ...]:
    """Give the answer: where it breaks even, studied effects, the assumed total; who gets what, what it costs."""
    return (
        _breaks_even(case),
        _studied(case),
        _assumed(case),
        _who(case),
        _what(case),
        *_held(case),
        *_where(case),
        *_worth(case),
        _drives(case),
    )


def _who(case: Case) -> str:
    a = case.worked.allocation
    n = len(case.rows)
    in_need = int(a.in_need[case.rows].sum())
    sure, c = "", case.worked.certainty
    if c is not None:
        often = int((c.selected[case.rows] >= SURE).sum())
        sure = (
            f" We recalculated the list {c.n_draws:,} times with different assumptions: {often:,} of the {n:,} stay on "
            f"it in at least 95% of recalculations. {NOT_A_CHANCE}"
        )
    all_ = "all of them" if in_need == n else f"{in_need:,} of the {n:,}"
    return (
        f"Who: {case.title}, with {format_people(case.people)}. By the rule's own yardstick {all_} "
        f"{'is' if in_need == 1 < n else 'are'} in need. The rule: {a.programme.title}.{sure}"
    )


def _what(case: Case) -> str:
    spent = case.problem.spent(case.mix.start, case.rules.years).sum(axis=(0, 2))
    chosen = case.mix.chosen.sum(axis=0)
    done = [
        (case.interventions.interventions[name].label.lower(), int(n), float(cost))
        for name, n, cost in zip(case.problem.interventions, chosen, spent, strict=True)
        if n
    ]
    left = len(case.rows) - int(case.mix.chosen.any(axis=1).sum())
    why = (
        "the money meets more need elsewhere"
        if case.option.sharing == "pooled"
        else "their share buys nothing"
    )
    none = f" {left:,} get nothing: {why}." if left else ""
    areas = case.results.areas
    return (
        f"What: {money(float(case.mix.spent.sum()))} of {money(case.rules.budget)} over {case.rules.years} "
        f"years pays for {mix_words(done, areas.singular, areas.plural)}.{none}"
    )


def mix_words(done: list[tuple[str, int, float]], one: str, many: str) -> str:
    """Say what is done in how many places, the most widespread first.

    What only a few places get, for little of the money, is what the last pounds went into: it is not named.
    """
    most, total = max(n for _, n, _ in done), sum(cost for *_, cost in done)
    ordered = sorted(done, key=lambda row: (-row[1], -row[2]))
    named = [row for row in ordered if row[1] >= _FEW * most or row[2] >= _FEW * total]
    words = [f"{label} in {n:,}" for label, n, _ in named]
    words[0] += f" {one if named[0][1] == 1 else many}"
    return join_words(words + (["others in few"] if len(named) < len(done) else []))


def _held(case: Case) -> Iterator[str]:
    """Say of each widespread intervention how often it is chosen again."""
    if case.steady is None:
        return
    n, stays = case.mix.chosen.sum(axis=0), case.steady.stays
    told = [
        f"{case.interventions.interventions[case.problem.interventions[at]].label.lower()} in {percent(stays[at])}"
        for at in np.argsort(-n, kind="stable")
        if n[at] >= _FEW * n.max() and not np.isnan(stays[at])
    ]
    if not told:
        return
    yield (
        f"How stable the mix is: we chose it again {case.steady.draws:,} times with different costs and effects. It "
        f"would still have {join_words(told)} of recalculations, on average over the {case.results.areas.plural} that "
        "get it."
    )


def _where(case: Case) -> Iterator[str]:
    if case.sited is None:
        return
    sited, asked = case.sited, case.sited.solution.goal.sites or 0
    n, kind = len(sited.sites), sited.label.lower()
    fewer = f" and not {asked:,}, because no other candidate shortens a walk" if n < asked else ""
    unpaid = (
        "" if case.built or not n else f"; the money does not pay for {'it' if n == 1 else 'them'}"
    )
    sites = f"{format_count(n, 'site', 'sites')} for {with_article(kind)}"
    yield f"Where: {sites}{fewer}{unpaid}. {' '.join(siting_answer(sited))}"


def _worth(case: Case) -> Iterator[str]:
    m, a = case.appraisal.measures, case.appraisal
    given = ", on those assumptions" if _guessed(case) > 0 else ""
    yield (
        f"Cost: {money(m['public_cost'].expected)} to the public sector (95% interval "
        f"{_between(m['public_cost'])}), {bias_words(a)}, in present value of {a.project.start} and "
        f"{a.project.price_year} prices. {over_told(case)} {after_told(case)}"
    )
    yield (
        f"Worth{given}: benefits of {money(m['benefits'].expected)} (95% interval {_between(m['benefits'])}). Net "
        f"present social value is {money(m['npsv'].expected)} ({_between(m['npsv'])}). It is above 0 in "
        f"{percent(a.worth_it)} of {a.draws:,} recalculations."
    )


def _breaks_even(case: Case) -> str:
    """Say how much those who gain would have to gain: what a reader can judge without any of the assumptions."""
    points = next(s for s in case.appraisal.switching_values if s.input.name == f"{BENEFIT}.points")
    stated = figure(points.expected, points.input)
    known = "" if case.values.wellbeing.verified else "; that is not verified"
    if points.value is None:
        return (
            "Break-even: no gain in life satisfaction that is possible would make the mix worth its cost. We assume "
            f"{stated} points (0 to 10) for each standard deviation{known}."
        )
    return (
        "Break-even: the mix is worth its cost if those who gain rate life "
        f"{figure(points.value, points.input)} points higher (0 to 10) for each standard deviation by which they are "
        f"better off in an outcome. We assume {stated}{known}."
    )


def _studied(case: Case) -> str:
    """Say what each studied effect is worth on the cost of its own intervention."""
    if not case.option.studied:
        why = (
            " The other way to share the money has some; “The options in figures” says why."
            if case.other is not None and case.other.studied
            else ""
        )
        return f"Studied effects: none. No study has shown that what is funded here causes these effects.{why}"
    told = [
        f"{studied_label(case, s)} {pounds(s.appraisal.measures['bcr'].expected)} for each pound (95% interval "
        f"{_ratios(s.appraisal.measures['bcr'])}; worth it in {percent(s.appraisal.worth_it)} of recalculations)"
        for s in case.option.studied
    ]
    unclear = [
        s
        for s in case.option.studied
        if s.appraisal.measures["bcr"].low < 1 < s.appraisal.measures["bcr"].high
    ]
    last = ""
    if unclear:
        which = (
            "This"
            if len(told) == 1
            else "All"
            if len(unclear) == len(told)
            else f"{len(unclear):,} of them"
        )
        last = (
            f" {which} may cost more than it brings."
            if len(unclear) == 1
            else f" {which} may cost more than they bring."
        )
    return (
        f"Studied effects, each on its own cost: {join_words(told)}.{last} What such an effect is worth to people is "
        "assumed."
    )


def _assumed(case: Case) -> str:
    """Say what the total comes to on the assumptions, and how much of it is assumed."""
    guessed, bcr = _guessed(case), case.appraisal.measures["bcr"]
    share = "none" if guessed <= 0 else "all" if guessed >= 1 else percent(guessed)
    finding = (
        " The value follows from those assumptions; it is not a finding." if guessed > 0 else ""
    )
    return (
        f"Assumed total: {pounds(bcr.expected)} for each pound of cost with all effects ({_ratios(bcr)}; worth it in "
        f"{percent(case.appraisal.worth_it)} of recalculations). The size of {share} of the benefit is assumed, not "
        f"verified.{finding}"
    )


def _guessed(case: Case) -> float:
    """Share of the benefit whose size was assumed."""
    total = sum(g.total for g in case.gains)
    return (
        sum(g.total for g in case.gains if not effect_of_gain(case.interventions, g).verified)
        / total
    )


def _drives(case: Case) -> str:
    """Say which number matters most, and where the project breaks even."""
    a = case.appraisal
    if not a.swings:
        return a.drivers[-1]
    first = a.swings[0]
    switch = next(s for s in a.switching_values if s.input.name == first.input.name)
    what = _INPUTS.get(first.input.name) or f"“{first.input.label}”"
    turns = (
        "No plausible value of it would bring that to £0."
        if switch.value is None
        else f"It breaks even at {figure(switch.value, first.input)}."
    )
    low, high = sorted(first.npsv)
    return (
        f"Biggest source of uncertainty: {what}. We expect {figure(switch.expected, first.input)}. From "
        f"{figure(first.low, first.input)} to {figure(first.high, first.input)}, its 95% interval, net present social "
        f"value goes from {money(low)} to {money(high)}. {turns}"
    )


def _between(e: Estimate) -> str:
    return f"{money(e.low)} to {money(e.high)}"


def _ratios(e: Estimate) -> str:
    return f"{pounds(e.low)} to {pounds(e.high)}"


def case_assumptions(case: Case) -> tuple[str, ...]:
    """List what was assumed and not verified, over all parts, each once."""
    chosen = [
        case.interventions.interventions[name]
        for at, name in enumerate(case.problem.interventions)
        if (case.mix.start[:, at] >= 0).any()
    ]
    costs = [
        one.cost.source for one in chosen
    ]  # which the interventions' own assumptions tell already
    said = [
        *(
            f"{part}: {note or 'our choice'}"
            for part, official, note in rule_parts(case.worked)
            if not official
        ),
        *(text for one in chosen for text in one.assumptions),
        *(text for text in case.appraisal.assumptions if not any(cost in text for cost in costs)),
        *([] if case.asked.budget else [f"The budget: {case.budget_from}."]),
        "Where several interventions act on the same outcome, each further one counts "
        f"{percent(case.rules.repeat)} of the one before it.",
        "A standard deviation counts the same in every outcome.",
    ]
    return tuple(dict.fromkeys(text.replace(": An assumption: ", ": ") for text in said))
