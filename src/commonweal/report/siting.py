"""New places for an area as a section of a report, and as a report of its own: `commonweal invest site --out`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from commonweal.document.model import Report, Section, Table
from commonweal.document.table import Shown
from commonweal.document.write import source_lines
from commonweal.report.siting_map import siting_map
from commonweal.report.siting_told import (
    MODELS,
    NO_EFFECT,
    WITHIN,
    change_lines,
    how_sure,
    reached_words,
    siting_answer,
    siting_beware,
    siting_data,
    siting_lines,
)

if TYPE_CHECKING:
    from commonweal.invest.siting.sited import Effect, Sited

__all__ = [
    "WITHIN",
    "reached_words",
    "siting_answer",
    "siting_data",
    "siting_lines",
    "siting_report",
    "siting_section",
]


def siting_section(sited: Sited) -> Section:
    """Tell it as a part of a report: text, a map, and tables of sites, people and effects.

    Parameters
    ----------
    sited
        What was found.
    """
    chart = siting_map(sited)
    beware = [*siting_beware(sited)]
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
    text = [*siting_answer(sited), " ".join(how_sure(sited))]
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


def siting_report(sited: Sited) -> Report:
    """Tell it as a report of its own.

    Parameters
    ----------
    sited
        What was found.
    """
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


def _assumptions(sited: Sited) -> tuple[str, ...]:
    said = [
        f"Walks are {sited.how}, at 80 metres a minute.",
        f"People count by need to the power of {sited.equity:g}; need falls evenly with {sited.need}, from "
        "twice the average to none.",
    ]
    if not sited.candidates.costed:
        said.append("Every candidate costs the same: no costs were given.")
    return tuple(said)


def _sites(sited: Sited) -> Shown:
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
    return Shown(frame, places={"Longitude": 5, "Latitude": 5, "Cost (£)": 0})


def _shorter(sited: Sited) -> Shown:
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
    return Shown(frame.filter(by > 0).sort(by, descending=True, maintain_order=True))


def _effect_tables(effect: Effect) -> list[Table]:
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
            Shown(areas.sort(order, maintain_order=True)),
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
                Shown(moves),
                "Scores are relative: where some change, others can come or go, though nothing changes there.",
            )
        )
    return tables
