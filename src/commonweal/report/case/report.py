"""The annex to a business case: one report that joins allocation, portfolio, siting and appraisal."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from commonweal.document.format import join_words, percent
from commonweal.document.model import Report, Section, Table, TableData
from commonweal.invest.appraisal import appraise, load_project
from commonweal.invest.appraisal.appraise import money
from commonweal.invest.case.cautions import after_told, case_cautions, over_told, why_studied
from commonweal.report.allocation import allocation_report, allocation_sections
from commonweal.report.appraisal import appraisal_sections
from commonweal.report.case.sites import commercial
from commonweal.report.case.tables import (
    by_gain,
    by_intervention,
    by_place,
    by_year,
    options,
    packages,
    pounds,
    risks,
    stability_table,
)
from commonweal.report.case.text import case_answer, case_assumptions, case_data
from commonweal.report.portfolio import frontier_chart
from commonweal.report.portfolio_text import more_than
from commonweal.report.siting import siting_report

if TYPE_CHECKING:
    from commonweal.invest.case.model import Case
    from commonweal.invest.case.options import MixStability


_ROWS, _FEW = 25, 10
"""Rows of a long list that stand on the page; its file has all."""

_ALIKE = 0.5
"""Sets of interventions for each place above which places have little in common."""
_PUBLISHED = "frontier-per-million"

_TWO_COUNTS = (
    "People are those of the study's year, and for sites those of the points that they set out from; the two differ a "
    "little."
)

_SHARES = {"stays": "Stays where it is", "comes": "Comes in elsewhere"}
_NO_SITES = "Nothing: the mix has no building of a kind that sites are found for."
_COVERS = (
    (
        "Strategic",
        "Which places, by what rule, how sure that is, and who is passed over.",
        "How it fits other policy, and what those who live there want.",
    ),
    (
        "Economic",
        "What could be done, the mix that meets most need for the money, what it costs and is worth, how sure that is, "
        "and what drives it.",
        "Options outside the list of interventions, effects on places nearby, and savings to the public purse.",
    ),
    (
        "Commercial",
        "Where what has to be built could go.",
        "Whether a site can be had, who would supply, and by what contract.",
    ),
    (
        "Financial",
        "What is spent in each year, capital and running, beside the budget.",
        "Who pays, whether they can afford it, and how it is accounted for.",
    ),
    (
        "Management",
        "What could go wrong, and what to measure before and after.",
        "Who is responsible, the plan, and assurance.",
    ),
)


def case_report(case: Case) -> Report:
    """Make the annex."""
    allocated = allocation_report(case.worked)
    sited = None if case.sited is None else siting_report(case.sited)
    notes = [*case_cautions(case), *allocated.notes]
    if case.fictional:
        notes.insert(0, "These places are fictional: the program made them up.")
    chosen = np.any([option.mix.chosen for option in case.options], axis=(0, 1))
    names = [case.problem.interventions[at] for at in np.flatnonzero(chosen)]
    works = [
        *allocated.works,
        *case.interventions.only(names).works,
        *case.values.works,
        *case.appraisal.works,
        *load_project(_PUBLISHED).benefits["fiscal"].evidence.split(),
    ]
    programme = tuple(pair for pair in allocated.account if pair[0] == "programme")
    return Report(
        name="case",
        title=f"The case for {case.title}",
        heading=f"Annex to a business case: {money(case.rules.budget)} over {case.rules.years} years from "
        f"{case.asked.first_year}, in prices of {case.appraisal.project.price_year}",
        answer=case_answer(case),
        sections=(
            _figures(case),
            *_strategic(case),
            *_economic(case),
            commercial(case, _ROWS, _FEW),
            _financial(case),
            _management(case),
            _covers(case),
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
        account=(("case", case_data(case)), *programme),
    )


def _figures(case: Case) -> Section:
    """Give the ways to share the money side by side, doing nothing among them."""
    return Section(
        "The options in figures",
        text=(
            "Doing nothing is what each option is compared with. Money is shared in one of two ways: every "
            "place gets an equal part, or all of it goes where it meets most need.",
            *(
                ()
                if case.other is not None
                else ("An equal part for each place would buy nothing.",)
            ),
            why_studied(case),
        ),
        tables=(
            Table(
                "options",
                "Options side by side",
                TableData(options(case)),
                "Need met: residents, times how many times the average their place's need is, times the "
                "standard deviations by which they are better off, times years. Money is in prices of "
                f"{case.appraisal.project.price_year}; costs, benefits and net value are present values of "
                f"{case.appraisal.project.start}, and what is spent is not discounted. In brackets are 95% intervals.",
            ),
        ),
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
            "The Green Book asks for five cases. This annex gives the numbers that they need and can be worked "
            "out from published data; a business case has to add the rest.",
        ),
        tables=(Table("covers", "The five cases, and what is here of each", TableData(frame)),),
    )


def _under(case: str, sections: tuple[Section, ...]) -> tuple[Section, ...]:
    """Put sections under one of the five cases."""
    return tuple(
        replace(s, title=f"{case} case: {s.title[:1].lower()}{s.title[1:]}") for s in sections
    )


def _strategic(case: Case) -> tuple[Section, ...]:
    """Tell the allocation; its long lists are cut, since what each place gets is listed once, in the next part."""
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
    left_out = (
        f" Chosen nowhere: {join_words(name.lower() for name in nowhere)}." if nowhere else ""
    )
    alone = len(together) > _ALIKE * len(places)
    prices = f"in prices of {case.interventions.price_year}, before optimism bias and discounting"
    return (
        Table(
            "by-intervention",
            "What is done",
            TableData(done.filter(pl.col("Places") > 0), frozenset({"Share of the gain"})),
            f"Cost over all years, {prices}. The gain is that which is valued.{left_out}",
        ),
        *(
            ()
            if alone
            else (
                Table(
                    "packages",
                    "What places get together",
                    TableData(together),
                    f"Cost over all years, {prices}.",
                    _FEW,
                ),
            )
        ),
        Table(
            "by-place",
            "What each place gets, neediest first",
            TableData(places, frozenset({"Share of draws"} & set(places.columns)), {"Need met": 0}),
            "Rank 1 = most need. Share of draws: how often the place is selected. In brackets is the year in which "
            f"something begins. Cost over all years, {prices}. Need met is in weighted person-years.",
            _ROWS if alone else _FEW,
        ),
        Table(
            "by-gain",
            "What the gain rests on",
            TableData(
                by_gain(case),
                frozenset({"Share of the gain"}),
                {"Gain of a resident": 4, "Low": 4, "High": 4},
            ),
            "Gain of a resident: standard deviations in a year that it works, averaged over all residents; 95 "
            "% of the draws lie between low and high. Each gain is counted once: by its size, and not also by "
            "what it does to an index.",
        ),
    )


def _done(case: Case) -> Section:
    mix, rules = case.mix, case.rules
    alike = " that gives each place an equal part" if case.option.sharing == "each" else ""
    shared = "gives each place an equal part, and " if alike else ""
    proven = (
        f"By the programme's count no other mix{alike} meets more{more_than(mix.met, mix.bound)}"
    )
    first = rules.years if rules.last_start is None else rules.last_start + 1
    return Section(
        "What is done, and for whom",
        text=(
            f"{case.interventions.title}: each of {len(case.interventions.interventions):,} can be begun in each of "
            f"the {len(case.rows):,} places in each of the first {first} of {rules.years} years. The mix {shared}meets "
            f"most need for the money: {float(f'{mix.met:.3g}'):,.0f} weighted person-years. {proven}.",
            case.interventions.note,
        ),
        charts=(frontier_chart(case.frontier, rules.budget),),
        tables=_tables_of_done(case),
    )


def _chosen_again(case: Case) -> tuple[Section, ...]:
    """Tell how sure the choice of each intervention is."""
    s = case.steady
    if s is None:
        return ()
    whole = len(s.places) == len(case.rows)
    of = "" if whole else f", for {len(s.places):,} of the places, evenly from the neediest on"
    return (
        Section(
            "How sure the choice is",
            text=(
                f"Costs, years and effects were drawn {s.draws:,} times from their ranges (seed {s.seed}), and the "
                f"best mix was chosen anew each time{of}. A choice that few draws make again hangs on numbers that are "
                "not known: find them out before money is spent on it. Each mix is within "
                f"{100 * s.gap:.1f}% of the best of its draw; what differs by less is not told apart.",
            ),
            tables=(
                Table(
                    "choice-in-draws",
                    "How often each is chosen again",
                    TableData(stability_table(case), frozenset(_SHARES.values())),
                    "Shares of the draws, on average over places: of those that get it in the mix, and of those that "
                    "do not. Each draw knows its numbers, as nobody does beforehand, so this is not how likely a "
                    f"choice is to be right; shares are good to about {percent(0.5 / s.draws**0.5)}.{_empty(s)}",
                ),
            ),
        ),
    )


def _empty(s: MixStability) -> str:
    """Say why a share is left empty, where one is."""
    why = {"stays": "not in the mix of the places looked at", "comes": "in the mix of all of them"}
    told = [
        f"“{_SHARES[name]}”, {words}"
        for name, words in why.items()
        if np.isnan(getattr(s, name)).any()
    ]
    return f" Empty under {'; under '.join(told)}." if told else ""


def _another_way(case: Case) -> Section:
    """Set the value beside other ways to look at it."""
    published = appraise(load_project(_PUBLISHED), draws=100)
    rows = [("All effects of the mix, as appraised here", case.appraisal)]
    if case.option.firm is not None:
        rows.append(
            ("Only effects with a study of cause or a review behind them", case.option.firm)
        )
    table = [
        (what, pounds(a.measures["bcr"].expected),
         f"{pounds(a.measures['bcr'].low)} to {pounds(a.measures['bcr'].high)}", percent(a.worth_it))
        for what, a in rows
    ]  # fmt: skip
    table.append(
        (
            "A model commissioned by an advocate (Frontier for Local Trust, 2021), for any social infrastructure",
            pounds(published.measures["bcr"].expected),
            "states none",
            "states none",
        )
    )
    heads = ["Way", "Benefits for each £1", "95% interval", "Draws that are worth their cost"]
    return Section(
        "Other ways to count",
        text=(
            "The rows are not added: each counts the same money in its own way. The last is of a published model "
            "and not of this mix; it counts savings to the public purse and jobs, which are not claimed here, and "
            "its range is not known.",
        ),
        tables=(
            Table(
                "other-ways",
                "What a pound brings, counted in other ways",
                TableData(pl.DataFrame(table, schema=heads, orient="row")),
            ),
        ),
    )


def _financial(case: Case) -> Section:
    return Section(
        "Financial case: what is spent when",
        text=(
            f"The budget is {money(case.rules.budget)} ({case.budget_from}). At expected costs the mix spends "
            f"{money(float(case.mix.spent.sum()))} of it.",
            f"{over_told(case)} To be surer, ask for the same case with a smaller budget and hold back the rest.",
            after_told(case),
        ),
        tables=(
            Table(
                "by-year",
                "Spending by year",
                TableData(by_year(case)),
                f"In prices of {case.interventions.price_year}, at expected costs and not discounted; before "
                "optimism bias unless a column says otherwise.",
            ),
        ),
    )


def _management(case: Case) -> Section:
    return Section(
        "Management case: what could go wrong, and how one would know",
        text=(
            "Before money is spent, keep a baseline: how each place, and every other, is now. When newer figures are "
            "published, what moved can then be set beside similar places that got nothing.",
        ),
        tables=(Table("risks", "Risks", TableData(risks(case))),),
    )
