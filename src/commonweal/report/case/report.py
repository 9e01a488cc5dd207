"""The annex to a business case: one report that joins allocation, portfolio, siting and appraisal."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from commonweal.document.format import format_people, join_words, percent
from commonweal.document.model import Document, Figure, Section, Table, TableData, make_table
from commonweal.invest.appraisal import appraise, load_project
from commonweal.invest.appraisal.appraise import money
from commonweal.invest.case.case import ABROAD
from commonweal.invest.case.cautions import (
    after_told,
    begun_costs_after,
    case_cautions,
    over_told,
    spent_with_bias,
    why_studied,
)
from commonweal.report.allocation import allocation_document, allocation_sections
from commonweal.report.allocation_text import in_need_words
from commonweal.report.appraisal import appraisal_document, appraisal_sections
from commonweal.report.case.sites import commercial
from commonweal.report.case.tables import (
    by_gain,
    by_intervention,
    by_place,
    by_year,
    option_numbers,
    options,
    packages,
    pounds,
    readable,
    risks,
    stability_table,
    studied_label,
)
from commonweal.report.case.text import FICTIONAL_CASE, case_answer, case_assumptions
from commonweal.report.portfolio import frontier_chart
from commonweal.report.portfolio_text import more_than
from commonweal.report.siting import siting_document

if TYPE_CHECKING:
    from commonweal.invest.case.model import Case
    from commonweal.invest.case.options import MixStability


_ROWS, _FEW = 25, 10
"""Rows of a long list that stand on the page; its file has all."""

_ALIKE = 0.5
"""Sets of interventions for each place above which places have little in common."""
_PUBLISHED = "frontier-per-million"

_TWO_COUNTS = (
    "People are those of the study's year; for sites they are those of the points where walks start. The two differ a "
    "little."
)

_FIRST = ("The options in figures", "what is funded, and for whom")
"""Ends of the titles of the sections that a terminal shows."""
_SHARES = {"stays": "Chosen again", "comes": "Chosen elsewhere"}
_NO_SITES = "Nothing: the mix has no building that needs a site."
_COVERS = (
    (
        "Strategic",
        "Which areas are on the list, by what rule, how certain that is, and who misses out.",
        "How it fits other policy, and what residents want.",
    ),
    (
        "Economic",
        "The options, the mix that meets most need for the money, its costs and benefits, and the biggest sources of "
        "uncertainty.",
        "Options outside the list of interventions, effects nearby, and savings to the public purse.",
    ),
    (
        "Commercial",
        "Sites for what has to be built.",
        "Whether a site is available, who would supply, and by what contract.",
    ),
    (
        "Financial",
        "Spending by year, capital and running, compared with the budget.",
        "Who pays, whether they can afford it, and how it is accounted for.",
    ),
    (
        "Management",
        "Risks, and what to measure before and after.",
        "Who is responsible, the plan, and assurance.",
    ),
)


def case_document(case: Case) -> Document:
    """Make the annex."""
    allocated = allocation_document(case.worked)
    sited = None if case.sited is None else siting_document(case.sited)
    notes = [*case_cautions(case), *allocated.notes]
    if case.fictional:
        notes.insert(0, FICTIONAL_CASE)
    if case.abroad:
        notes.insert(0, ABROAD)
    chosen = np.any([option.mix.chosen for option in case.options], axis=(0, 1))
    names = [case.problem.interventions[at] for at in np.flatnonzero(chosen)]
    works = [
        *allocated.works,
        *case.interventions.only(names).works,
        *case.values.works,
        *case.appraisal.works,
        *load_project(_PUBLISHED).benefits["fiscal"].evidence.split(),
    ]
    return Document(
        name="case",
        title=f"The case for {case.title}",
        heading=f"Annex to a business case: {money(case.rules.budget)} over {case.rules.years} years from "
        f"{case.asked.first_year}, in {case.appraisal.project.price_year} prices",
        answer=case_answer(case),
        sections=tuple(
            replace(section, annex=not section.title.endswith(_FIRST))
            for section in (
                _figures(case),
                *_strategic(case),
                *_economic(case),
                commercial(case, _ROWS, _FEW),
                _financial(case),
                _management(case),
                _covers(case),
            )
        ),
        notes=tuple(notes),
        assumptions=case_assumptions(case),
        limits=(
            *case.appraisal.project.unquantified,
            *allocated.limits,
            *(() if sited is None else (*sited.limits, _TWO_COUNTS)),
        ),
        works=tuple(dict.fromkeys(works)),
        sources=tuple(
            dict.fromkeys((*allocated.sources, *(() if sited is None else sited.sources)))
        ),
        account=(
            *_account(case),
            ("allocation", dict(allocated.account)),
            ("siting", None if sited is None else dict(sited.account)),
        ),
    )


def _account(case: Case) -> tuple[tuple[str, object], ...]:
    """Give what was asked, what is spent in each year, and what only studied effects are worth."""
    steady, appraised = case.steady, case.appraisal
    return (
        ("fictional", case.fictional),
        ("budget_gbp", case.rules.budget),
        ("budget_from", case.budget_from),
        ("years", case.rules.years),
        ("spent_by_year_gbp", case.mix.spent.tolist()),
        ("spent_by_year_with_optimism_bias_gbp", spent_with_bias(appraised).tolist()),
        (
            "to_run_after_the_last_year_gbp",
            begun_costs_after(case.problem, case.mix.start, case.rules.years).tolist(),
        ),
        ("gap", case.mix.gap),
        (
            "choices_in_draws",
            None
            if steady is None
            else {
                "draws": steady.draws,
                "seed": steady.seed,
                "places": len(steady.places),
                "gap": steady.gap,
            },
        ),
        ("appraisal", dict(appraisal_document(appraised).account)),
        (
            "appraisal_of_studied_effects",
            {
                f"{s.intervention}.{s.outcome}": {
                    t.name: t.shown.rows() for t in appraisal_document(s.appraisal).tables()
                }
                for s in case.option.studied
            },
        ),
    )


def _figures(case: Case) -> Section:
    """Give the ways to share the money side by side, doing nothing among them."""
    return Section(
        "The options in figures",
        text=(
            "Each option is compared with doing nothing. There are two ways to share the money: an equal share for "
            "each, or all of it where it meets most need.",
            *(() if case.other is not None else ("An equal share for each would buy nothing.",)),
            why_studied(case),
            f"In need means {in_need_words(case.worked)}.",
        ),
        figures=_main_figures(case),
        tables=(
            Table(
                "options",
                "Options side by side",
                replace(TableData(options(case)), data=option_numbers(case)),
                "Need met: residents x need (times the average) x standard deviations better off x years. Money is in "
                f"{case.appraisal.project.price_year} prices. Costs, benefits and net value are present values of "
                f"{case.appraisal.project.start}; spending is not discounted. Brackets hold 95% intervals.",
            ),
        ),
    )


def _main_figures(case: Case) -> tuple[Figure, ...]:
    met, most, unit = case.mix.met, case.mix.bound, "person-years"
    return (
        Figure(
            "people", "People in these areas", case.people, format_people(case.people), "people"
        ),
        Figure("need_met", "Need met (weighted person-years)", met, f"{met:,.0f}", unit),
        Figure("need_met_at_most", "At most, by any mix", most, f"{most:,.0f}", unit),
    )


def _covers(case: Case) -> Section:
    rows = [
        (part, _NO_SITES if part == "Commercial" and case.sited is None else here, missing)
        for part, here, missing in _COVERS
    ]
    frame = pl.DataFrame(
        rows, schema=["Part of the case", "In this annex", "Not in it"], orient="row"
    )
    return Section(
        "What this annex covers",
        text=(
            "The Green Book asks for five cases. This annex gives the numbers that published data can provide. A "
            "business case has to add the rest.",
        ),
        tables=(Table("covers", "The five cases: what this annex covers", TableData(frame)),),
    )


def _under(case: str, sections: tuple[Section, ...]) -> tuple[Section, ...]:
    """Put sections under one of the five cases."""
    return tuple(
        replace(s, title=f"{case} case: {s.title[:1].lower()}{s.title[1:]}") for s in sections
    )


def _strategic(case: Case) -> tuple[Section, ...]:
    """Give the allocation; its long lists are cut, since the next part lists what each area gets."""
    sections = [
        replace(s, tables=tuple(replace(t, rows=min(t.rows or _FEW, _FEW)) for t in s.tables))
        for s in allocation_sections(case.worked)
    ]
    return _under("Strategic", tuple(sections))


def _economic(case: Case) -> tuple[Section, ...]:
    return _under(
        "Economic",
        (
            _done(case),
            *_chosen_again(case),
            *appraisal_sections(case.appraisal),
            _another_way(case),
        ),
    )


def _tables_of_done(case: Case) -> tuple[Table, ...]:
    """Give what is done, by intervention, package and place, and what the gain rests on."""
    done, together, places = by_intervention(case), packages(case), by_place(case)
    nowhere = done.filter(pl.col("Places") == 0)["Intervention"].to_list()
    left_out = f" Not chosen: {join_words(name.lower() for name in nowhere)}." if nowhere else ""
    alone = len(together) > _ALIKE * len(places)
    prices = f"in {case.interventions.price_year} prices, before optimism bias and discounting"
    return (
        Table(
            "by-intervention",
            "What is funded",
            readable(case, done.filter(pl.col("Places") > 0), "Share of the gain"),
            f"Cost over all years, {prices}. The gain is the part that is valued.{left_out}",
        ),
        *(
            ()
            if alone
            else (
                Table(
                    "packages",
                    "Which interventions go together",
                    readable(case, together),
                    f"Cost over all years, {prices}.",
                    _FEW,
                ),
            )
        ),
        Table(
            "by-place",
            f"What each {case.results.areas.singular} gets, neediest first",
            readable(case, places, "Share of draws", **{"Need met": 0}),
            "Rank 1 is the greatest need. In brackets: the year in which something begins. "
            f"Cost over all years, {prices}. Need met is in weighted person-years.",
            _ROWS if alone else _FEW,
        ),
        Table(
            "by-gain",
            "The effects behind the gain",
            make_table(
                by_gain(case),
                ["Share of the gain"],
                dict.fromkeys(("Gain per resident", "Low", "High"), 4),
                whole=["Person-years"],
                hidden=("intervention", "outcome", "reach", "quality", "verified"),
                names={
                    "Gain per resident": "each",
                    "Intervention": "intervention_label",
                    "Outcome": "outcome_label",
                },
            ),
            "Gain per resident: standard deviations in a year of operation, averaged over all residents. 95% of "
            "recalculations lie between low and high. Each gain counts once: by its size, not also by its effect on an "
            "index.",
        ),
    )


def _done(case: Case) -> Section:
    mix, rules = case.mix, case.rules
    alike = " that gives equal shares" if case.option.sharing == "each" else ""
    shared = f"gives each {case.results.areas.singular} an equal share and " if alike else ""
    proven = f"By this count no other mix{alike} meets more{more_than(mix.met, mix.bound)}"
    first = rules.years if rules.last_start is None else rules.last_start + 1
    return Section(
        "What is funded, and for whom",
        text=(
            f"The mix {shared}meets most need for the money: {float(f'{mix.met:.3g}'):,.0f} weighted person-years. "
            f"{proven}.",
            f"{case.interventions.title}: each of {len(case.interventions.interventions):,} can start in each of the "
            f"{len(case.rows):,} {case.results.areas.plural} in each of the first {first} of {rules.years} years.",
            case.interventions.note,
        ),
        charts=(frontier_chart(case.frontier, rules.budget, case.results.areas.plural),),
        tables=_tables_of_done(case),
    )


def _chosen_again(case: Case) -> tuple[Section, ...]:
    """Say how often each intervention is chosen again."""
    s = case.steady
    if s is None:
        return ()
    whole = len(s.places) == len(case.rows)
    of = "" if whole else f", for {len(s.places):,} of the areas, evenly from the neediest on"
    return (
        Section(
            "How stable the choice is",
            text=(
                f"We varied costs, years and effects within their ranges {s.draws:,} times (seed {s.seed}) and chose "
                f"the best mix each time{of}. A choice that is rarely chosen again depends on unknown numbers: find "
                f"them out before you spend money on it. Each mix is within {100 * s.gap:.1f}% of the best possible; "
                "smaller differences are not distinguished.",
            ),
            tables=(
                Table(
                    "choice-in-draws",
                    "How often each intervention is chosen again",
                    readable(
                        case, stability_table(case), "Stays where it is", "Comes in elsewhere"
                    ),
                    "Share of recalculations, averaged over the areas that get it (chosen again) and over the others "
                    "(chosen elsewhere). It is not how likely a choice is to be right. Shares are accurate to about "
                    f"{percent(0.5 / s.draws**0.5)}.{_empty(s)}",
                ),
            ),
        ),
    )


def _empty(s: MixStability) -> str:
    """Say why a share is left empty, where one is."""
    why = {"stays": "not in the mix of these areas", "comes": "in the mix of all of them"}
    told = [
        f"“{_SHARES[name]}”, {words}"
        for name, words in why.items()
        if np.isnan(getattr(s, name)).any()
    ]
    return f" Empty in {'; in '.join(told)}." if told else ""


def _another_way(case: Case) -> Section:
    """Compare the value with other ways to count it."""
    published = appraise(load_project(_PUBLISHED), draws=100)
    rows = [
        ("All effects of the mix, as appraised here", case.appraisal),
        *(
            (f"A studied effect on its own cost: {studied_label(case, s)}", s.appraisal)
            for s in case.option.studied
        ),
    ]
    table = [
        (what, pounds(a.measures["bcr"].expected),
         f"{pounds(a.measures['bcr'].low)} to {pounds(a.measures['bcr'].high)}", percent(a.worth_it))
        for what, a in rows
    ]  # fmt: skip
    table.append(
        (
            "A model commissioned by an advocate (Frontier for Local Trust, 2021), for any social infrastructure",
            pounds(published.measures["bcr"].expected),
            "not stated",
            "not stated",
        )
    )
    heads = [
        "Way",
        "Benefits for each £1",
        "95% interval",
        "Benefits exceed costs (% of recalculations)",
    ]
    return Section(
        "Other ways to count",
        text=(
            "Each row counts in its own way, so do not add them up. A studied effect stands against the cost of its "
            "own intervention. The last is a published model of another programme. It counts public "
            "savings and jobs, which we do not claim, and has no stated range.",
        ),
        tables=(
            Table(
                "other-ways",
                "Benefits for each pound, counted in other ways",
                TableData(pl.DataFrame(table, schema=heads, orient="row")),
            ),
        ),
    )


def _financial(case: Case) -> Section:
    return Section(
        "Financial case: spending by year",
        text=(
            f"The budget is {money(case.rules.budget)} ({case.budget_from}). At expected costs the mix spends "
            f"{money(float(case.mix.spent.sum()))} of it.",
            f"{over_told(case)} To be safer, make the same case with a smaller budget and keep the rest in reserve.",
            after_told(case),
        ),
        tables=(
            Table(
                "by-year",
                "Spending by year",
                readable(case, by_year(case)),
                f"In {case.interventions.price_year} prices, at expected costs and not discounted. Before optimism "
                "bias unless a column says otherwise.",
            ),
        ),
    )


def _management(case: Case) -> Section:
    return Section(
        "Management case: risks and monitoring",
        text=(
            "Before you spend money, keep a baseline of all areas today. When newer figures are published, you can "
            "compare the change with similar areas that got nothing.",
        ),
        tables=(Table("risks", "Risks", TableData(risks(case))),),
    )
