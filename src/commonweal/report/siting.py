"""New sites for an area in words, as data, as a section of a report, and as a report of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from commonweal.areas import load_systems
from commonweal.document.format import capped, format_count, format_people, percent
from commonweal.document.model import Report, Section, Table, TableData
from commonweal.document.write import source_lines
from commonweal.report.invest_maps import siting_map

if TYPE_CHECKING:
    from commonweal.invest.siting.result import SitingEffect, SitingResult


MODELS = {
    "maximal_covering": "the most people, counted by need, within {minutes:g} minutes' walk",
    "set_covering": "everyone who can be within {minutes:g} minutes' walk, at the least cost",
    "p_median": "the shortest walk for all people together, counted by need",
    "p_center": "the shortest walk for whoever has the longest",
}
WITHIN = "within {minutes:g} minutes' walk of one"

_REACHED = (
    "{new} would bring {anew} {within} who have none: {share} of {total} instead of {before}."
)
_UNREAD = (
    "This study has read no place of the kind “{label}”, so none that is there is counted; your own can be added under "
    "“access: points” of a study."
)
_AS_IF_NONE = "As if there were none, {new} would bring {anew} {within}: {share} of {total}."

_ENDED = {
    "time": "time was up",
    "interrupted": "it was interrupted",
    "asked": "no proof was asked for",
}
_MOST_NAMES = 8


def reached_words(sited: SitingResult) -> str:
    """Give the sentence that answers, with ``{new}``, ``{anew}`` and other numbers to be filled in.

    Where no place of the kind was read it says so first, and nothing of those who have one.
    """
    return f"{_unread(sited)} {_AS_IF_NONE}" if sited.unread else _REACHED


def _unread(sited: SitingResult) -> str:
    return _UNREAD.format(label=sited.label.lower())


def siting_lines(sited: SitingResult) -> list[str]:
    """Tell it on a terminal: plain words first, then aligned columns."""
    lines = [f"New places for {sited.title}: {sited.label.lower()}"]
    if sited.fictional:
        lines.append("This place is FICTIONAL: the program made it up.")
    lines += ["", *siting_answer(sited), ""]
    if len(sited.sites):
        cost = ["Cost (£)"] if sited.candidates.costed else []
        head, *rows = _columns(
            [
                "",
                "New site",
                "People reached anew",
                "People it is nearest to",
                *cost,
                "Longitude",
                "Latitude",
            ],
            [
                [
                    str(k + 1),
                    row["name"] or row["id"],
                    f"{row['newly']:,.0f}",
                    f"{row['nearest']:,.0f}",
                    *([f"{row['cost']:,.0f}"] if cost else []),
                    f"{row['longitude']:.5f}",
                    f"{row['latitude']:.5f}",
                ]
                for k, row in enumerate(sited.sites.iter_rows(named=True))
            ],
        )
        lines += [head, *capped(rows, "--out FOLDER writes them, --json prints them"), ""]
    lines += [*siting_certainty(sited), *siting_warnings(sited)]
    if sited.effect is not None:
        lines += ["", *change_lines(sited.effect)]
    else:
        lines += ["", NO_EFFECT]
    return lines


NO_EFFECT = (
    "Nothing in this study is measured from such places, so its indices and lists stay as they are."
)


def siting_data(sited: SitingResult) -> dict[str, Any]:
    """Give every number unrounded, as plain data."""
    s, goal = sited.solution, sited.solution.goal
    before, after = sited.reached()
    mean_before, mean = sited.mean_m()
    effect = sited.effect
    return {
        "area": sited.title,
        "answer": siting_answer(sited),
        "kind": sited.kind,
        "kind_read": not sited.unread,
        "fictional": sited.fictional,
        "model": goal.model,
        "sites_asked": goal.sites,
        "budget_gbp": goal.budget,
        "minutes": sited.minutes,
        "equity": sited.equity,
        "demand_points": len(sited.demand),
        "candidates": len(sited.candidates),
        "existing": None if sited.unread else len(sited.existing),
        "people": float(sited.demand.people.sum()),
        "reached_before": None if sited.unread else before,
        "reached": after,
        "mean_m_before": None if sited.unread else mean_before,
        "mean_m": mean,
        "out_of_reach_of_any_site": sited.lost(),
        "objective_before": None if sited.unread else _finite(s.objective_before),
        "objective": _finite(s.objective),
        "bound": _finite(s.bound),
        "gap": s.gap if np.isfinite(s.gap) else None,
        "proven": s.proven,
        "ended": s.ended,
        "how": s.how,
        "spent_gbp": s.spent if sited.candidates.costed else None,
        "sites": _sites_data(sited),
        "effect": None
        if effect is None
        else {
            "how": effect.how,
            "indicators": effect.indicators.to_dicts(),
            "lists": effect.lists.to_dicts(),
            "moves": effect.moves.to_dicts(),
            "areas": effect.areas.to_dicts(),
        },
    }


def _sites_data(sited: SitingResult) -> list[dict[str, Any]]:
    """Give the sites with units in the names; what a site costs only where that was stated."""
    names = {"cost": "cost_gbp", "nearest": "people_nearest", "newly": "people_newly_reached"}
    shown = sited.sites if sited.candidates.costed else sited.sites.drop("cost")
    return shown.rename(names, strict=False).to_dicts()


def siting_answer(sited: SitingResult) -> list[str]:
    """Say who is reached, or how much nearer places come, in a sentence or two.

    Where no place of the kind was read, that comes first.
    """
    s, total = sited.solution, float(sited.demand.people.sum())
    before, after = sited.reached()
    n = len(sited.sites)
    within = WITHIN.format(minutes=sited.minutes)
    if not n and sited.unread:
        return [f"{_unread(sited)} No candidate can be walked to by any of {format_people(total)}."]
    if not n:
        return [
            f"No candidate improves on what is there: {percent(before / total)} of {format_people(total)} are {within}."
        ]
    paid = f" for £{s.spent:,.0f}" if sited.candidates.costed else ""
    word = "place" if n == 1 else "places"
    new, metres = f"{n} new {word}{paid}", _metres(sited)
    if metres and after == before:  # chosen for metres, so told in metres
        first = f"{_unread(sited)} " if sited.unread else ""
        nobody = f"{new} would bring nobody {'more ' if before else ''}{within}"
        return [
            first + metres,
            f"{nobody}: {percent(after / total)} of {format_people(total)} are.",
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
    s, limit = sited.solution, f"{sited.problem.limit:,.0f} metres"
    far, near = sited.mean_m()
    none = np.isnan(s.distance_before).any()
    if s.goal.model == "p_median":
        if sited.unread:
            return f"The mean way to the nearest new one would be {near:,.0f} metres."
        counted = f", who has none within {limit} counted as that far" if none else ""
        return f"The mean way to the nearest falls from {far:,.0f} to {near:,.0f} metres{counted}."
    if s.goal.model == "p_center":
        if sited.unread:
            return f"The longest way to the nearest new one would be {s.objective:,.0f} metres."
        before = f"more than {limit}" if none else f"{s.objective_before:,.0f} metres"
        return f"The longest way to the nearest falls from {before} to {s.objective:,.0f} metres."
    return ""


def siting_certainty(sited: SitingResult) -> list[str]:
    """Say what was chosen for, out of what, and whether another choice could be better."""
    s = sited.solution
    asked = MODELS[s.goal.model].format(minutes=sited.minutes)
    there = f"with {format_count(len(sited.existing), 'place', 'places')} there already"
    chosen = (
        f"Chosen for {asked}, out of {len(sited.candidates):,} candidates ({sited.candidates.of}), "
        f"{'as if no place were there already' if sited.unread else there}."
    )
    if s.proven:
        sure = f"No other choice is better{' on that footing' if sited.unread else ''}: proven."
    elif np.isfinite(s.gap) and s.ended != "asked":
        sure = f"No choice is better by more than {100 * s.gap:.2g}%; {_ENDED[s.ended]}, so it is not proven."
    else:
        sure = f"Whether another choice is better is not known: {_ENDED.get(s.ended, s.ended)}."
    return [chosen, sure]


def siting_warnings(sited: SitingResult) -> list[str]:
    """Say whom no place can reach."""
    lost = sited.lost()
    if not lost:
        return []
    there = "" if sited.unread else " and no place that is there"
    named = ", ".join(lost[:_MOST_NAMES])
    more = f" and {len(lost) - _MOST_NAMES:,} more" if len(lost) > _MOST_NAMES else ""
    return [
        f"No candidate{there} is within {sited.problem.limit:,.0f} metres of "
        f"{len(lost):,} of {len(sited.demand):,} {_origins(sited)}: {named}{more}."
    ]


def _origins(sited: SitingResult) -> str:
    """Say in plain words where people set out from: areas by their name, points by that of their areas."""
    what, _, system = sited.plural.partition(" of ")
    known = load_systems().systems.get(system)
    if known is None:
        return sited.plural
    return known.plural if what == "points" else f"{what} of {known.plural}"


def change_lines(effect: SitingEffect, whole: bool = True) -> list[str]:
    """Say what changes in the study: indicators, ranks and lists; `whole` with a heading, as a terminal has it."""
    lines = ["What that would change in the study:"] if whole else []
    indent = "  " if whole else ""
    lines += [
        f"{indent}{row['label']}: {row['before']:,.4g} to {row['after']:,.4g} {row['unit']} for the mean person here."
        for row in effect.indicators.iter_rows(named=True)
    ]
    for label in effect.areas["index"].unique(maintain_order=True):
        part = effect.areas.filter(pl.col("index") == label)
        better = int((part["rank"] > part["rank_before"]).sum())
        worse = int((part["rank"] < part["rank_before"]).sum())
        lines.append(
            f"{indent}{label}: of {len(part):,} here {better:,} rank as less in need than before, "
            f"{worse:,} as more."
        )
    for row in effect.lists.iter_rows(named=True):
        moves = effect.moves.filter(pl.col("list") == row["list"])
        leaving = moves.filter(pl.col("move") == "leaves")
        gone, also = (
            leaving.filter(there)["name"].to_list() for there in ("inside", ~pl.col("inside"))
        )
        come = moves.filter(pl.col("move") == "enters")["name"].to_list()
        said = f"{row['inside_before']:,} here before, {row['inside_after']:,} after"
        said += f"; leaves: {_named(gone)}" if gone else ""
        said += f"; elsewhere leaves, since scores are relative: {_named(also)}" if also else ""
        said += f"; comes onto the list, since ranks are relative: {_named(come)}" if come else ""
        lines.append(f"{indent}List “{row['list']}”: {said}.")
    return lines


def _named(names: list[str]) -> str:
    more = f" and {len(names) - _MOST_NAMES:,} more" if len(names) > _MOST_NAMES else ""
    return ", ".join(names[:_MOST_NAMES]) + more


def _columns(headers: list[str], rows: list[list[str]]) -> list[str]:
    """Align columns: words to the left, numbers to the right."""
    table = [headers, *rows]
    wide = [max(len(row[k]) for row in table) for k in range(len(headers))]
    return [
        "  "
        + "  ".join(
            cell.ljust(w) if k == 1 else cell.rjust(w)
            for k, (cell, w) in enumerate(zip(row, wide, strict=True))
        ).rstrip()
        for row in table
    ]


def _finite(value: float) -> float | None:
    return value if np.isfinite(value) else None


def siting_section(sited: SitingResult) -> Section:
    """Tell it as a part of a report: text, a map, and tables of sites, people and effects."""
    chart = siting_map(sited)
    beware = [*siting_warnings(sited)]
    tables = []
    if len(sited.sites):
        tables.append(Table("sites", f"Where the new places go in {sited.title}", _sites(sited)))
    shorter = _shorter(sited)
    if len(shorter.frame):
        tables.append(
            Table(
                "reach-by-point",
                "Whose way to the nearest place gets shorter",
                shorter,
                f"What gets shorter by most first. Empty where none is within {sited.problem.limit:,.0f} metres, which "
                "counts as that far.",
                rows=20,
            )
        )
    text = [*siting_answer(sited), " ".join(siting_certainty(sited))]
    if sited.effect is not None:
        tables += _effect_tables(sited.effect)
        text.append(" ".join(change_lines(sited.effect, whole=False)))
    else:
        text.append(NO_EFFECT)
    return Section(
        f"Where new places go: {sited.label.lower()}",
        text=tuple(text),
        charts=() if chart is None else (chart,),
        tables=tuple(tables),
        beware=tuple(beware),
    )


def siting_report(sited: SitingResult) -> Report:
    """Tell it as a report of its own."""
    goal = sited.solution.goal
    asked = [
        None if goal.sites is None else f"at most {goal.sites}",
        None if goal.budget is None else f"for at most {goal.budget:,.0f}",
        MODELS[goal.model].format(minutes=sited.minutes),
    ]
    return Report(
        "siting",
        f"Where new places should go in {sited.title}",
        f"{sited.label}: " + ", ".join(a for a in asked if a),
        tuple(siting_answer(sited)),
        (siting_section(sited),),
        notes=("This place is fictional: the program made it up.",) if sited.fictional else (),
        assumptions=_assumptions(sited),
        limits=(
            "Whether a building is for sale or hire, and what running a place costs, is not known here.",
            "People are placed at one point of each area; those at its edge walk less or more.",
            "A new place is taken to be as good as those that are there, and everybody to go to the nearest.",
        ),
        sources=() if sited.fictional else source_lines(sited.sources),
        account=(("siting", siting_data(sited)),),
    )


def _assumptions(sited: SitingResult) -> tuple[str, ...]:
    said = [
        f"Walks are {sited.how}, at 80 metres a minute.",
        f"People count by need to the power of {sited.equity:g}; need falls evenly with {sited.need}, from "
        "twice the average to none.",
    ]
    if not sited.candidates.costed:
        said.append("Every candidate costs the same: no costs were given.")
    return tuple(said)


def _sites(sited: SitingResult) -> TableData:
    frame = sited.sites.select(
        pl.int_range(1, pl.len() + 1).alias("Site"),
        pl.col("name").fill_null(pl.col("id")).alias("Where"),
        pl.col("newly").round().cast(pl.Int64).alias("People reached anew"),
        pl.col("nearest").round().cast(pl.Int64).alias("People it is nearest to"),
        pl.col("cost").alias("Cost (£)"),
        pl.col("longitude").alias("Longitude"),
        pl.col("latitude").alias("Latitude"),
        pl.col("id").alias("Id"),
    )
    if not sited.candidates.costed:
        frame = frame.drop("Cost (£)")
    return TableData(frame, places={"Longitude": 5, "Latitude": 5, "Cost (£)": 0})


def _shorter(sited: SitingResult) -> TableData:
    s, d = sited.solution, sited.demand
    frame = pl.DataFrame(
        {
            "Place": list(d.names),
            "Code": list(d.codes),
            "People": d.people.round().astype(np.int64),
            "Need, times the average": d.need,
            "Metres before": pl.Series(s.distance_before, nan_to_null=True).round().cast(pl.Int64),
            "Metres after": pl.Series(s.distance, nan_to_null=True).round().cast(pl.Int64),
        }
    )
    limit = int(sited.problem.limit)
    by = pl.col("Metres before").fill_null(limit) - pl.col("Metres after").fill_null(limit)
    return TableData(frame.filter(by > 0).sort(by, descending=True, maintain_order=True))


def _effect_tables(effect: SitingEffect) -> list[Table]:
    areas = effect.areas.select(
        pl.col("name").alias("Place"),
        pl.col("code").alias("Code"),
        pl.col("index").alias("Index"),
        pl.col("rank_before").alias("Rank before"),
        pl.col("rank").alias("Rank after"),
        pl.col("score_before").alias("Score before"),
        pl.col("score").alias("Score after"),
    )
    order = (pl.col("Rank before") - pl.col("Rank after")).fill_null(0)
    tables = [
        Table(
            "siting-indices",
            "What the indices would say",
            TableData(areas.sort(order, maintain_order=True)),
            f"Rank 1 = most need. {effect.how}",
            rows=20,
        )
    ]
    if len(effect.moves):
        moves = effect.moves.select(
            pl.col("list").alias("List"),
            pl.col("name").alias("Place"),
            pl.col("code").alias("Code"),
            pl.col("move").alias("Comes or goes"),
            pl.when("inside").then(pl.lit("Yes")).otherwise(pl.lit("No")).alias("Asked about"),
        )
        tables.append(
            Table(
                "siting-lists",
                "Who leaves and enters a list",
                TableData(moves),
                "Scores are relative: where some change, others can come or go, though nothing changes there.",
            )
        )
    return tables
