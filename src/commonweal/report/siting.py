"""New sites for an area: in words, as a section of a report, and as a report of its own."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from commonweal.areas.catalogue import load_systems
from commonweal.document.format import format_count, format_people, percent
from commonweal.document.model import Document, Figure, Section, Table, TableData, make_table
from commonweal.document.write import source_line
from commonweal.report.invest_maps import siting_map

if TYPE_CHECKING:
    from commonweal.invest.siting.result import SitingEffect, SitingResult


MODELS = {
    "maximal_covering": "the most people within {minutes:g} minutes' walk, weighted by need",
    "set_covering": "everyone who can be within {minutes:g} minutes' walk, at the least cost",
    "p_median": "the shortest average walk, weighted by need",
    "p_center": "the shortest walk for the person with the longest one",
}
WITHIN = "within {minutes:g} minutes' walk of one"

_REACHED = (
    "{new} would bring {anew} {within} for the first time. In all, {share} of {total} would be that near, up from "
    "{before}."
)
_UNREAD = (
    "This study has no data on venues of the kind “{label}”, so existing ones are not counted. List your own under "
    "“access: points” in the study file."
)
_AS_IF_NONE = "If there were none today, {new} would bring {anew} {within}: {share} of {total}."

_ENDED = {
    "time": "The search ran out of time",
    "interrupted": "The search was interrupted",
    "asked": "No proof was asked for",
}
_MOST_NAMES = 8


def reached_words(sited: SitingResult) -> str:
    """Give the sentence that answers, with ``{new}``, ``{anew}`` and other numbers to be filled in.

    Where no place of the kind was read it says so first, and nothing of those who have one.
    """
    return f"{_unread(sited)} {_AS_IF_NONE}" if sited.unread else _REACHED


def _unread(sited: SitingResult) -> str:
    return _UNREAD.format(label=sited.label.lower())


NO_EFFECT = (
    "This study measures nothing from such venues, so its indices and lists would not change."
)

RERUN = (
    "This study prepares its indicators or has several years, so only a new run says what would change in it. List the "
    "sites under “access: points” in the study file, and run it."
)


def siting_answer(sited: SitingResult) -> list[str]:
    """Say who is reached, or how much nearer venues come; first of all where no venue of the kind was read."""
    s, total = sited.solution, float(sited.demand.people.sum())
    before, after = sited.reached()
    n = len(sited.sites)
    within = WITHIN.format(minutes=sited.minutes)
    if not n and sited.unread:
        return [f"{_unread(sited)} None of {format_people(total)} can walk to a candidate site."]
    if not n:
        return [
            f"No candidate site improves on today: {percent(before / total)} of {format_people(total)} are already "
            f"{within}."
        ]
    paid = f" for £{s.spent:,.0f}" if sited.candidates.costed else ""
    new, metres = f"{format_count(n, 'new venue', 'new venues')}{paid}", _metres(sited)
    if metres and after == before:  # chosen for metres, so described in metres
        first = f"{_unread(sited)} " if sited.unread else ""
        nobody = f"{new} would bring nobody {'else ' if before else ''}{within}"
        return [
            first + metres,
            f"{nobody}: {percent(after / total)} of {format_people(total)} are that near.",
        ]
    reached = reached_words(sited).format(
        new=new,
        anew=format_people(after - before),
        within=within,
        share=percent(after / total),
        total=format_people(total),
        before=percent(before / total),
    )
    return [reached, metres] if metres else [reached]


def _metres(sited: SitingResult) -> str:
    """Say how much nearer places come, where they were chosen for that; nothing where they were not."""
    s, limit = sited.solution, _distance(sited.problem.limit)
    far, near = sited.mean_m()
    none = np.isnan(s.distance_before).any()
    near_, far_ = _distance(near), _distance(far)
    if s.goal.model == "p_median":
        if sited.unread:
            return f"The average distance to the nearest new one would be {near_}."
        counted = f" Anyone with none within {limit} counts as that far away." if none else ""
        return f"The average distance to the nearest falls from {far_} to {near_}.{counted}"
    if s.goal.model == "p_center":
        if sited.unread:
            return f"The longest distance to the nearest new one would be {_distance(s.objective)}."
        before = f"more than {limit}" if none else _distance(s.objective_before)
        return (
            f"The longest distance to the nearest falls from {before} to {_distance(s.objective)}."
        )
    return ""


def _distance(metres: float) -> str:
    return f"{metres / 1000:,.2f} km" if metres >= 1000 else f"{metres:,.0f} m"


def siting_certainty(sited: SitingResult) -> list[str]:
    """Say what was chosen for, out of what, and whether another choice could be better."""
    s = sited.solution
    asked = MODELS[s.goal.model].format(minutes=sited.minutes)
    there = f"with {format_count(len(sited.existing), 'existing venue', 'existing venues')}"
    chosen = (
        f"The sites give {asked}. They were chosen from {len(sited.candidates):,} candidates "
        f"({sited.candidates.of}), {'as if there were no existing venue' if sited.unread else there}."
    )
    if s.proven:
        sure = f"We proved that no other choice is better{' on that assumption' if sited.unread else ''}."
    elif np.isfinite(s.gap) and s.ended != "asked":
        sure = f"{_ENDED[s.ended]}: a better choice is possible, by {100 * s.gap:.2g}% at most."
    else:
        ended = _ENDED.get(s.ended, s.ended)
        sure = f"We did not check whether this is the best possible choice. {ended}."
    return [chosen, sure]


def siting_warnings(sited: SitingResult) -> list[str]:
    """Say who is left out, and whom no place can reach."""
    empty = list(sited.demand.without_people)
    said = []
    if empty:
        said = [
            f"Left out, since we know of no people there, or not where they live: {_named(empty)}."
        ]
    lost = sited.lost()
    if not lost:
        return said
    there = "candidate site" if sited.unread else "venue, existing or proposed,"
    return [
        *said,
        f"{len(lost):,} of {len(sited.demand):,} {_origins(sited)} have no {there} within "
        f"{_distance(sited.problem.limit)}: {_named(lost)}.",
    ]


def _origins(sited: SitingResult) -> str:
    """Say in plain words where people set out from: areas by their name, points by that of their areas."""
    what, _, system = sited.plural.partition(" of ")
    known = load_systems().systems.get(system)
    if known is None:
        return sited.plural
    return known.plural if what == "points" else f"{what} of {known.plural}"


def _changes(effect: SitingEffect) -> list[str]:
    """Say what changes in the study: indicators, ranks and lists."""
    lines = [
        f"{row['label']}, for the average resident: from {row['before']:,.4g} to {row['after']:,.4g} {row['unit']}."
        for row in effect.indicators.iter_rows(named=True)
    ]
    for label in effect.areas["index"].unique(maintain_order=True):
        part = effect.areas.filter(pl.col("index") == label)
        better = int((part["rank"] > part["rank_before"]).sum())
        worse = int((part["rank"] < part["rank_before"]).sum())
        lines.append(
            f"{label}: of {len(part):,} here, {better:,} would rank as less in need than before and {worse:,} as "
            "more in need."
        )
    for row in effect.lists.iter_rows(named=True):
        moves = effect.moves.filter(pl.col("list") == row["list"])
        leaving = moves.filter(pl.col("move") == "leaves")
        gone, also = (
            leaving.filter(there)["name"].to_list() for there in ("inside", ~pl.col("inside"))
        )
        entering = moves.filter(pl.col("move") == "enters")
        here, there = (
            entering.filter(inside)["name"].to_list() for inside in ("inside", ~pl.col("inside"))
        )
        said = f"List “{row['list']}”: {row['inside_before']:,} here today, {row['inside_after']:,} then."
        said += f" Leaving the list: {_named(gone)}." if gone else ""
        said += (
            f" Leaving the list elsewhere, because scores are relative: {_named(also)}."
            if also
            else ""
        )
        said += f" Joining the list, because ranks are relative: {_named(here)}." if here else ""
        said += (
            f" Joining the list elsewhere, because ranks are relative: {_named(there)}."
            if there
            else ""
        )
        lines.append(said)
    return lines


def _named(names: list[str]) -> str:
    more = f" and {len(names) - _MOST_NAMES:,} more" if len(names) > _MOST_NAMES else ""
    return ", ".join(names[:_MOST_NAMES]) + more


def siting_section(sited: SitingResult) -> Section:
    """Tell it as a part of a report: text, a map, and tables of sites, people and effects."""
    chart = siting_map(sited)
    tables = []
    if len(sited.sites):
        tables.append(Table("sites", f"Proposed sites in {sited.title}", _sites(sited)))
    shorter = _shorter(sited)
    if len(shorter.frame):
        tables.append(
            Table(
                "reach-by-point",
                "Who would live closer to one",
                shorter,
                "The largest gain first. A blank means none within "
                f"{_distance(sited.problem.limit)}; it counts as that far.",
                rows=20,
            )
        )
    changes: tuple[str, ...] = (RERUN if sited.rerun else NO_EFFECT,)
    if sited.effect is not None:
        tables += _effect_tables(sited.effect)
        changes = tuple(_changes(sited.effect))
    return Section(
        f"Proposed sites: {sited.label.lower()}",
        text=(*siting_answer(sited), " ".join(siting_certainty(sited)), *changes),
        charts=() if chart is None else (chart,),
        tables=tuple(tables),
        warnings=tuple(siting_warnings(sited)),
        figures=_figures(sited),
    )


def _figures(sited: SitingResult) -> tuple[Figure, ...]:
    """Give who is within reach and how far people walk, before and after; no "before" where no venue was read."""
    s, (before, after), (far, near) = sited.solution, sited.reached(), sited.mean_m()
    total = float(sited.demand.people.sum())
    within = f"within {sited.minutes:g} minutes' walk of one"
    told = [Figure("people", "People", total, format_people(total), "people")]
    if not sited.unread:
        shown = format_people(before)
        told.append(Figure("reached_before", f"Now {within}", before, shown, "people"))
    told.append(Figure("reached", f"Then {within}", after, format_people(after), "people"))
    if not sited.unread:
        told.append(Figure("mean_m_before", "Average distance now", far, _distance(far), "m"))
    told.append(Figure("mean_m", "Average distance then", near, _distance(near), "m"))
    if sited.candidates.costed:
        told.append(Figure("sites_spent", "Cost of the sites", s.spent, f"£{s.spent:,.0f}", "GBP"))
    return tuple(told)


def siting_account(sited: SitingResult) -> tuple[tuple[str, object], ...]:
    """Give what was asked, and how the search ended."""
    s, goal, effect = sited.solution, sited.solution.goal, sited.effect
    return (
        ("area", sited.title),
        ("kind", sited.kind),
        ("kind_read", not sited.unread),
        ("fictional", sited.fictional),
        ("model", goal.model),
        ("sites_asked", goal.sites),
        ("budget_gbp", goal.budget),
        ("minutes", sited.minutes),
        ("equity", sited.equity),
        ("demand_points", len(sited.demand)),
        ("candidates", len(sited.candidates)),
        ("existing", None if sited.unread else len(sited.existing)),
        ("out_of_reach_of_any_site", sited.lost()),
        ("objective_before", None if sited.unread else s.objective_before),
        ("objective", s.objective),
        ("bound", s.bound),
        ("gap", s.gap),
        ("proven", s.proven),
        ("ended", s.ended),
        ("how", s.how),
        *(
            ()
            if effect is None
            else (
                ("indicators", effect.indicators.to_dicts()),
                ("lists", effect.lists.to_dicts()),
            )
        ),
    )


def siting_document(sited: SitingResult) -> Document:
    """Tell it as a report of its own."""
    goal, section, answer = (
        sited.solution.goal,
        siting_section(sited),
        tuple(siting_answer(sited)),
    )
    asked = [
        None if goal.sites is None else f"at most {format_count(goal.sites, 'site', 'sites')}",
        None if goal.budget is None else f"at most £{goal.budget:,.0f}",
    ]
    return Document(
        "siting",
        f"Where to put a new {sited.label[:1].lower()}{sited.label[1:]} in {sited.title}",
        f"Aim: {MODELS[goal.model].format(minutes=sited.minutes)}"
        + "".join(f"; {a}" for a in asked if a),
        answer,
        (replace(section, text=section.text[len(answer) :]),),
        notes=("This area is fictional: the program made it up.",) if sited.fictional else (),
        assumptions=_assumptions(sited),
        limits=(
            "We do not know whether a building is for sale or hire, or what running a venue costs.",
            "We count all residents of an area at one point, so some walk less and some walk more.",
            "We assume that a new venue is as good as an existing one, and that everybody goes to the nearest.",
        ),
        sources=() if sited.fictional else tuple(map(source_line, sited.sources)),
        account=siting_account(sited),
    )


def _assumptions(sited: SitingResult) -> tuple[str, ...]:
    said = [
        f"Walks are {sited.how}, at 80 metres a minute.",
        f"People are weighted by need to the power of {sited.equity:g}. Need falls evenly with {sited.need}, from "
        "twice the average to none.",
    ]
    if not sited.candidates.costed:
        said.append("Every candidate costs the same: no costs were given.")
    return tuple(said)


def _sites(sited: SitingResult) -> TableData:
    frame = sited.sites.select(
        pl.int_range(1, pl.len() + 1).alias("Site"),
        pl.col("name").fill_null(pl.col("id")).alias("Where"),
        pl.col("newly").alias("People newly reached"),
        pl.col("nearest").alias("People nearest to it"),
        pl.col("cost").alias("Cost (£)"),
        pl.col("longitude").alias("Longitude"),
        pl.col("latitude").alias("Latitude"),
        pl.col("id").alias("Id"),
    )
    if not sited.candidates.costed:
        frame = frame.drop("Cost (£)")
    return make_table(
        frame,
        places={"Longitude": 5, "Latitude": 5, "Cost (£)": 0},
        whole=("People newly reached", "People nearest to it"),
        names={"Where": "name", "Cost (£)": "cost_gbp"},
    )


def _shorter(sited: SitingResult) -> TableData:
    s, d = sited.solution, sited.demand
    frame = pl.DataFrame(
        {
            "Name": list(d.names),
            "Code": list(d.codes),
            "People": d.people,
            "Need (times the average)": d.need,
            "Metres before": pl.Series(s.distance_before, nan_to_null=True),
            "Metres after": pl.Series(s.distance, nan_to_null=True),
        }
    )
    limit = int(sited.problem.limit)
    before, after = (pl.col(f"Metres {w}").round().fill_null(limit) for w in ("before", "after"))
    closer = frame.filter(before > after).sort(before - after, descending=True, maintain_order=True)
    return make_table(
        closer,
        whole=("People", "Metres before", "Metres after"),
        names={"Need (times the average)": "need"},
    )


def _effect_tables(effect: SitingEffect) -> list[Table]:
    areas = effect.areas.select(
        pl.col("name").alias("Name"),
        pl.col("code").alias("Code"),
        pl.col("index").alias("Index"),
        pl.col("rank_before").alias("Rank before"),
        pl.col("rank").alias("Rank after"),
        pl.col("score_before").alias("Score before"),
        pl.col("score").alias("Score after"),
        "population",
    )
    order = (pl.col("Rank before") - pl.col("Rank after")).fill_null(0)
    tables = [
        Table(
            "siting-indices",
            "How the indices would change",
            make_table(
                areas.sort(order, maintain_order=True),
                hidden=["population"],
                names={"Rank after": "rank", "Score after": "score"},
            ),
            f"Rank 1 is the greatest need. {effect.how}",
            rows=20,
        )
    ]
    if len(effect.moves):
        moves = effect.moves.select(
            pl.col("list").alias("List"),
            pl.col("name").alias("Name"),
            pl.col("code").alias("Code"),
            pl.col("move").alias("Joins or leaves"),
            pl.when("inside").then(pl.lit("Yes")).otherwise(pl.lit("No")).alias("In this area"),
            "inside",
        )
        tables.append(
            Table(
                "siting-lists",
                "Who would leave and join a list",
                make_table(moves, hidden=["inside"], names={"Joins or leaves": "move"}),
                "Scores are relative: an area can join or leave although nothing changes there.",
            )
        )
    return tables
