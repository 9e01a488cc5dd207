"""The annex to a business case: one report that joins allocation, portfolio, siting and appraisal."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from commonweal.briefing.shown import Shown
from commonweal.briefing.words import percent
from commonweal.case.tables import by_gain, by_intervention, by_place, by_year
from commonweal.case.told import case_answer, case_assumptions, case_data
from commonweal.investment.appraisal.words import money, ratio
from commonweal.reports.allocation import allocation_report, allocation_sections
from commonweal.reports.appraisal import appraisal_sections
from commonweal.reports.report import Report, Section, Table
from commonweal.reports.siting import siting_report, siting_section

if TYPE_CHECKING:
    from pathlib import Path

    from commonweal.case.case import Case

__all__ = ["case_report", "write_places"]

_ROWS = 40
"""Rows of a long list that stand on the page; its file has all."""

_COVERS = (
    ("Strategic", "Which places, by what rule, how sure that is, and who is passed over.", "How it fits other policy; what those who live there want."),
    ("Economic", "What could be done, the mix that meets most need for the money, what it costs and is worth, how sure that is, and what drives it.", "Options outside the list of interventions; effects on places nearby; savings to the public purse."),
    ("Commercial", "Where what has to be built could go.", "Whether a site can be had, who would supply, and by what contract."),
    ("Financial", "What is spent in each year, capital and running, beside the budget.", "Who pays, whether it is affordable to them, and accounting."),
    ("Management", "What could go wrong, and what to measure before and after.", "Who is responsible, the plan, and assurance."),
)  # fmt: skip


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
    allocated = allocation_report(case.worked)
    sited = None if case.sited is None else siting_report(case.sited)
    notes = list(allocated.notes)
    if case.fictional:
        notes.insert(0, "These places are fictional: the program made them up.")
    works = [
        *allocated.works,
        *case.interventions.works,
        *case.values.works,
        *case.appraisal.works,
    ]
    return Report(
        name="case",
        title=f"The case for {case.title}",
        heading=f"Annex to a business case: {money(case.rules.budget)} over {case.rules.years} years from "
        f"{case.asked.first_year}, in prices of {case.appraisal.project.price_year}",
        answer=case_answer(case),
        sections=(_covers(), *_strategic(case), *_economic(case), *_commercial(case), _financial(case), _management(case)),
        notes=tuple(notes),
        assumptions=case_assumptions(case),
        limits=(
            *case.appraisal.project.unquantified,
            *allocated.limits,
            *(sited.limits if sited else ()),
        ),
        works=tuple(dict.fromkeys(works)),
        sources=tuple(dict.fromkeys((*allocated.sources, *(sited.sources if sited else ())))),
        account=(("case", case_data(case)), *(pair for pair in allocated.account if pair[0] == "programme")),
    )  # fmt: skip


def _covers() -> Section:
    frame = pl.DataFrame(
        _COVERS, schema=["Part of the case", "In this annex", "Not in it"], orient="row"
    )
    return Section(
        "What this annex covers",
        text=(
            "The Green Book asks for five cases. This annex gives the numbers that they need and can be worked out from "
            "published data; a business case has to add the rest.",
        ),
        tables=(Table("covers", "The five cases, and what is here of each", Shown(frame)),),
    )


def _under(case: str, sections: tuple[Section, ...]) -> tuple[Section, ...]:
    """Put sections under one of the five cases."""
    from dataclasses import replace

    return tuple(
        replace(s, title=f"{case} case: {s.title[:1].lower()}{s.title[1:]}") for s in sections
    )


def _strategic(case: Case) -> tuple[Section, ...]:
    return _under("Strategic", allocation_sections(case.worked))


def _economic(case: Case) -> tuple[Section, ...]:
    mix, rules = case.mix, case.rules
    proven = (
        "no other mix meets more than that by the programme's count"
        if mix.gap < 1e-3
        else f"no other mix can meet more than {percent(mix.gap)} above it"
    )
    options = Section(
        "What is done, and for whom",
        text=(
            f"{case.interventions.title}: {len(case.interventions.interventions):,} interventions could be begun in each "
            f"of the {len(case.rows):,} places in each of {rules.years} years. The mix meets most need for the money: need "
            "met is the residents of a place, times how far it is from the average in need, times the standard deviations "
            f"by which they are better off, times years. It meets {mix.met:,.0f}; {proven}.",
            case.interventions.note,
        ),
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
                Shown(by_place(case), frozenset({"Share of draws"}) & set(by_place(case).columns), {"Need met": 0}),
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
                "Gain of a resident: standard deviations in a year that it works, all residents counted, those whom it does "
                "not reach too; 95 % of the draws lie between low and high. Each gain is counted once: by its size, and not by "
                "what it does to an index as well.",
            ),
        ),
    )  # fmt: skip
    return _under("Economic", (options, *appraisal_sections(case.appraisal), _another_way(case)))


def _another_way(case: Case) -> Section:
    """Set the value beside other ways to look at it."""
    from commonweal.investment.appraisal import appraise, load_project

    published = appraise(load_project("frontier-per-million"), draws=100)
    rows = [("All effects of the mix, as appraised here", case.appraisal)]
    if case.option.firm is not None:
        rows.append(("Only effects with a study of cause or a review behind them", case.option.firm))
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
            "The rows are not added: each counts the same money in its own way. The last is of a published model and not of "
            "this mix; it counts savings to the public purse and jobs, which are not claimed here, and its range is not "
            "known.",
        ),
        tables=(
            Table(
                "other-ways",
                "What a pound brings, counted in other ways",
                Shown(pl.DataFrame(table, schema=heads, orient="row")),
            ),
        ),
    )


def _commercial(case: Case) -> tuple[Section, ...]:
    if case.sited is None:
        return (
            Section(
                "Commercial case: sites",
                text=("Nothing in this mix has to be built on a site of its own.",),
            ),
        )
    section = siting_section(case.sited)
    built = " and ".join(case.interventions.interventions[n].label.lower() for n in case.built)
    from dataclasses import replace

    beware = section.beware
    if not len(case.sited.existing):
        beware = (
            f"No register of such places ({case.sited.label.lower()}) was read, so those that are there already are not "
            "counted, and what is reached anew is at most what is said.",
            *beware,
        )
    text = (f"Sites for: {built}, one for each place that gets one.", *section.text)
    return _under("Commercial", (replace(section, text=text, beware=beware),))


def _financial(case: Case) -> Section:
    over = case.appraisal.over_budget or 0.0
    return Section(
        "Financial case: what is spent when",
        text=(
            f"The budget is {money(case.rules.budget)} ({case.budget_from}). At expected costs the mix spends "
            f"{money(float(case.mix.spent.sum()))} of it.",
            f"With optimism bias, and costs drawn from their ranges, spending is above the budget in {percent(over)} of the "
            "draws. A board that wants to be surer asks for the same case with a smaller --budget, and holds back the rest.",
        ),
        tables=(
            Table(
                "by-year",
                "Spending by year",
                Shown(by_year(case)),
                f"In prices of {case.interventions.price_year}, at expected costs, before optimism bias and discounting.",
            ),
        ),
    )


def _management(case: Case) -> Section:
    worth, over = 1 - case.appraisal.worth_it, case.appraisal.over_budget or 0.0
    c = case.worked.chance
    rows = [
        ("It is worth less than it costs", f"{percent(worth)} of draws", "Begin where the evidence is best; stop what does not work."),
        ("It costs more than there is", f"{percent(over)} of draws", "Survey sites and ask for quotations before awards; hold money back."),
    ]  # fmt: skip
    if c is not None:
        unsure = int((c.selected[case.rows] < 0.5).sum())
        rows.append(
            ("Other places are more in need", f"{unsure:,} places are selected in fewer than half of draws",
             "Look at those near the line one by one.")
        )  # fmt: skip
    rows += [
        ("An effect does not carry over from where it was found", "not known", "Pilot, and compare with similar places."),
        ("A site cannot be had", "not known", "Ask owners; the next best site is a run of the same command without it."),
        ("People whom it is for are not reached", "not known", "Residents decide and are asked; count who comes."),
    ]  # fmt: skip
    return Section(
        "Management case: what could go wrong, and how one would know",
        text=(
            "Before money is spent, write the baseline of each place down, and compare later with similar places that got "
            "nothing: `commonweal invest track` does both.",
        ),
        tables=(
            Table(
                "risks",
                "Risks",
                Shown(
                    pl.DataFrame(rows, schema=["Risk", "How likely", "What to do"], orient="row")
                ),
            ),
        ),
    )


def write_places(case: Case, path: Path) -> None:
    """Write the places, with what each gets, and the proposed sites as a GeoPackage.

    Parameters
    ----------
    case
        The case.
    path
        The file to write; it must not exist.
    """
    import numpy as np
    import shapely

    from commonweal.briefing.geopackage import polygons, still, write_layer

    frame = by_place(case).rename(
        {
            "Code": "code", "Place": "name", "People": "people", "Rank": "rank", "What is done": "done",
            "Cost (£)": "cost_gbp", "Need met": "need_met", "Authority": "authority", "Share of draws": "probability",
        },
        strict=False,
    )  # fmt: skip
    joined = frame.select("code").join(
        case.worked.shapes, on="code", how="left", maintain_order="left"
    )
    shapes = polygons(joined["geometry"])
    known = np.array([s is not None for s in shapes], dtype=bool)
    if known.any():
        write_layer(path, "places", "MultiPolygon", shapes, frame, known)
    if case.sited is not None and len(case.sited.sites):
        sites = case.sited.sites
        points = shapely.to_wkb(shapely.points(sites["longitude"], sites["latitude"]))
        fields = sites.select("id", "name", people_nearest="nearest", people_newly="newly")
        write_layer(
            path,
            "sites",
            "Point",
            np.asarray(points, dtype=object),
            fields,
            np.ones(len(sites), bool),
        )
    if path.exists():
        still(path)
