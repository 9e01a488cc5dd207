"""The annex to a business case: one report that joins allocation, portfolio, siting and appraisal."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from commonweal.briefing.shown import Shown
from commonweal.briefing.words import percent
from commonweal.case.tables import by_gain, by_intervention, by_place, by_year, options, risks
from commonweal.case.told import case_answer, case_assumptions, case_data
from commonweal.investment.appraisal import appraise, load_project
from commonweal.investment.appraisal.words import money, ratio
from commonweal.reports.allocation import allocation_report, allocation_sections
from commonweal.reports.appraisal import appraisal_sections
from commonweal.reports.portfolio import frontier_chart
from commonweal.reports.report import Report, Section, Table
from commonweal.reports.siting import siting_report, siting_section

if TYPE_CHECKING:
    from commonweal.case.case import Case

__all__ = ["case_report"]

_ROWS, _FEW = 25, 10
"""Rows of a long list that stand on the page; its file has all."""

_PROVEN = 1e-3
_TOGETHER = 1.0
"""Degrees within which places lie near enough together for a map of sites."""

_PUBLISHED = "frontier-per-million"

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
    """Make the annex.

    Parameters
    ----------
    case
        As `commonweal.case.make_case` gives it.

    Returns
    -------
    Report
        For `commonweal.reports.write_report`.
    """
    allocated, sited = allocation_report(case.worked), siting_report(case.sited)
    notes = list(allocated.notes)
    if case.fictional:
        notes.insert(0, "These places are fictional: the program made them up.")
    works = [
        *allocated.works,
        *case.interventions.works,
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
            _commercial(case),
            _financial(case),
            _management(case),
            _covers(),
        ),
        notes=tuple(notes),
        assumptions=case_assumptions(case),
        limits=(
            *case.appraisal.project.unquantified,
            *allocated.limits,
            *sited.limits,
            "People are those of the study's year, and for sites those of the points that they set out from; the two "
            "differ a little.",
        ),
        works=tuple(dict.fromkeys(works)),
        sources=tuple(dict.fromkeys((*allocated.sources, *sited.sources))),
        account=(("case", case_data(case)), *programme),
    )


def _figures(case: Case) -> Section:
    """Give the ways to share the money side by side, doing nothing among them."""
    return Section(
        "The options in figures",
        text=(
            "Doing nothing is what each option is compared with. Money is shared in one of two ways: every "
            "place gets an equal part, or all of it goes where it meets most need.",
        ),
        tables=(
            Table(
                "options",
                "Options side by side",
                Shown(options(case)),
                "Need met: residents, times how many times the average their place's need is, times the "
                "standard deviations by which they are better off, times years. In brackets are 95 % intervals.",
            ),
        ),
    )


def _covers() -> Section:
    frame = pl.DataFrame(
        _COVERS, schema=["Part of the case", "In this annex", "Not in it"], orient="row"
    )
    return Section(
        "What this annex covers",
        text=(
            "The Green Book asks for five cases. This annex gives the numbers that they need and can be worked "
            "out from published data; a business case has to add the rest.",
        ),
        tables=(Table("covers", "The five cases, and what is here of each", Shown(frame)),),
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
    mix, rules = case.mix, case.rules
    alike = ", with an equal part for each place" if case.option.sharing == "each" else ""
    proven = (
        f"No other mix{alike} meets more by the programme's count"
        if mix.gap < _PROVEN
        else f"No other mix{alike} can meet more than {percent(mix.gap)} above that"
    )
    first = rules.years if rules.last_start is None else rules.last_start + 1
    places, few = by_place(case), frozenset({"Share of draws"})
    done = Section(
        "What is done, and for whom",
        text=(
            f"{case.interventions.title}: each of {len(case.interventions.interventions):,} can be begun in each of "
            f"the {len(case.rows):,} places in each of the first {first} of {rules.years} years. The mix is the one "
            f"that meets most need for the money{alike}: {mix.met:,.0f}. {proven}.",
            case.interventions.note,
        ),
        charts=(frontier_chart(case.frontier, rules.budget),),
        tables=(
            Table(
                "by-intervention",
                "What is done",
                Shown(by_intervention(case), frozenset({"Share of the gain"})),
                "Cost over all years before optimism bias and discounting. The gain is that which is valued.",
            ),
            Table(
                "by-place",
                "What each place gets, neediest first",
                Shown(places, few & set(places.columns), {"Need met": 0}),
                "Rank 1 = most need. Cost before optimism bias and discounting.",
                _ROWS,
            ),
            Table(
                "by-gain",
                "What the gain rests on",
                Shown(
                    by_gain(case),
                    frozenset({"Share of the gain"}),
                    {"Gain of a resident": 4, "Low": 4, "High": 4},
                ),
                "Gain of a resident: standard deviations in a year that it works, averaged over all residents; 95 "
                "% of the draws lie between low and high. Each gain is counted once: by its size, and not also by "
                "what it does to an index.",
            ),
        ),
    )
    return _under("Economic", (done, *appraisal_sections(case.appraisal), _another_way(case)))


def _another_way(case: Case) -> Section:
    """Set the value beside other ways to look at it."""
    published = appraise(load_project(_PUBLISHED), draws=100)
    rows = [("All effects of the mix, as appraised here", case.appraisal)]
    if case.option.firm is not None:
        rows.append(
            ("Only effects with a study of cause or a review behind them", case.option.firm)
        )
    table = [
        (what, ratio(a.measures["bcr"].expected), f"{ratio(a.measures['bcr'].low)} to {ratio(a.measures['bcr'].high)}",
         percent(a.worth_it))
        for what, a in rows
    ]  # fmt: skip
    table.append(
        (
            "A model commissioned by an advocate (Frontier for Local Trust, 2021), for any social infrastructure",
            ratio(published.measures["bcr"].expected),
            "states none",
            "",
        )
    )
    heads = ["Way", "For each pound", "95 % interval", "Draws above its cost"]
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
                Shown(pl.DataFrame(table, schema=heads, orient="row")),
            ),
        ),
    )


def _commercial(case: Case) -> Section:
    """Tell the sites; a map only where the places lie together."""
    section = siting_section(case.sited)
    label = case.sited.label.lower()
    built = " and ".join(case.interventions.interventions[n].label.lower() for n in case.built)
    first = (
        f"Sites for what the mix builds ({built}): one for each place that gets it."
        if built
        else f"Nothing in this mix is built. If a {label} were, in each of the places, this is where it would "
        "be nearest "
        "to people."
    )
    beware = section.beware
    if not len(case.sited.existing):
        beware = (
            f"No {label} is known in or near these places. If none was read from a register or a map, those "
            "that are there are not counted, and what is reached anew is at most what is said.",
            *beware,
        )
    drawn, areas = case.sited.outlines, case.worked.allocation.areas
    lost = drawn.filter(pl.col("geometry").is_null())["code"].to_list()
    if lost and case.sited.plural != areas.plural:
        names = ", ".join(areas.table["name"][areas.position[code]] or code for code in lost)
        beware = (
            f"No boundary is known of {len(lost):,} of the places ({names}), so the people there are not among those "
            "whom sites are found for.",
            *beware,
        )
    points = case.sited.demand.points
    together = max(np.ptp(points.longitude), np.ptp(points.latitude)) < _TOGETHER
    return replace(
        section,
        title="Commercial case: sites",
        text=(first, *section.text),
        charts=section.charts if together else (),
        tables=tuple(
            replace(t, shown=_with_place(case, t.shown), rows=_ROWS)
            if t.name == "sites"
            else replace(t, rows=_FEW)
            for t in section.tables
        ),
        beware=beware,
    )


def _with_place(case: Case, sites: Shown) -> Shown:
    """Say of each site in which of the places it lies, or to which it is nearest."""
    import shapely

    joined = pl.DataFrame(
        {"code": list(case.problem.codes), "name": list(case.problem.names)}
    ).join(case.worked.shapes, on="code", how="left", maintain_order="left")
    known = joined.drop_nulls("geometry")
    if known.is_empty() or sites.frame.is_empty():
        return sites
    tree = shapely.STRtree(shapely.from_wkb(known["geometry"].to_numpy()))
    points = shapely.points(sites.frame["Longitude"], sites.frame["Latitude"])
    names = known["name"].gather(tree.nearest(points).tolist())
    frame = sites.frame.insert_column(1, names.alias("In or nearest to"))
    return replace(sites, frame=frame)


def _financial(case: Case) -> Section:
    over = case.appraisal.over_budget or 0.0
    return Section(
        "Financial case: what is spent when",
        text=(
            f"The budget is {money(case.rules.budget)} ({case.budget_from}). At expected costs the mix spends "
            f"{money(float(case.mix.spent.sum()))} of it.",
            "With optimism bias, and costs drawn from their ranges, spending is above the budget in "
            f"{percent(over)} of the draws. To be surer, ask for the same case with a smaller budget and hold back "
            "the rest.",
        ),
        tables=(
            Table(
                "by-year",
                "Spending by year",
                Shown(by_year(case)),
                f"In prices of {case.interventions.price_year}, at expected costs, before optimism bias and "
                "discounting.",
            ),
        ),
    )


def _management(case: Case) -> Section:
    return Section(
        "Management case: what could go wrong, and how one would know",
        text=(
            "Before money is spent, write the baseline of each place down (commonweal invest baseline). Later, "
            "commonweal invest track compares them with similar places that got nothing.",
        ),
        tables=(Table("risks", "Risks", Shown(risks(case))),),
    )
