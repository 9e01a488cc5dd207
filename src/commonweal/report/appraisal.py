"""An appraisal as sections of a report, and as a report of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from commonweal.document.model import Report, Section, Table
from commonweal.document.table import Shown, whole
from commonweal.invest.appraisal import MEASURES
from commonweal.invest.appraisal.words import figure
from commonweal.report.appraisal_charts import (
    chance_chart,
    chart_id,
    tornado_chart,
    waterfall_chart,
)
from commonweal.report.appraisal_told import (
    RATIOS,
    SIDES,
    appraisal_answer,
    appraisal_data,
    appraisal_lines,
    definitions,
    shown_measures,
)

if TYPE_CHECKING:
    from commonweal.document.chart.chart import Chart
    from commonweal.invest.appraisal import Appraisal

__all__ = [
    "appraisal_answer",
    "appraisal_data",
    "appraisal_lines",
    "appraisal_report",
    "appraisal_sections",
]

_FIRST_YEARS = 20
"""Years that stand on the page; the workbook and the table's file have all."""


def appraisal_report(appraisal: Appraisal) -> Report:
    """Make a report of an appraisal.

    Parameters
    ----------
    appraisal
        As `commonweal.invest.appraisal.appraise` gives it.

    Returns
    -------
    Report
        For `commonweal.document.write_report`.
    """
    p, parameters = appraisal.project, appraisal.parameters
    return Report(
        name=chart_id(appraisal, "appraisal"),
        title=p.title,
        heading=f"Social cost-benefit analysis over {p.horizon} years from {p.start}, in prices of {p.price_year}",
        answer=appraisal_answer(appraisal),
        sections=appraisal_sections(appraisal),
        notes=("The project, or numbers in it, are made up.",) if p.fictional else (),
        assumptions=appraisal.assumptions,
        limits=p.unquantified,
        works=appraisal.works,
        account=(
            ("project", p.model_dump(mode="json", exclude_defaults=True)),
            ("parameters", parameters.model_dump(mode="json", exclude_defaults=True)),
            ("draws", appraisal.draws),
            ("seed", appraisal.seed),
        ),
    )


def appraisal_sections(appraisal: Appraisal) -> tuple[Section, ...]:
    """Give the sections of a report: what it is worth, how sure that is, what drives it.

    Charts and tables are named after the project, so that those of several fit in one report.
    """
    p = appraisal.project
    return (
        Section(
            "What it costs and what it brings",
            text=tuple(
                filter(
                    None, (p.about, f"It is compared with the reference case: {p.reference_case}.")
                )
            ),
            points=definitions(appraisal),
            charts=(waterfall_chart(appraisal),),
            tables=(*_measures(appraisal), _lines(appraisal), _years(appraisal)),
            beware=appraisal.cautions,
        ),
        Section(
            "How sure that is",
            text=(_how_sure(appraisal),),
            charts=_given(chance_chart(appraisal)),
        ),
        Section(
            "What drives it",
            text=appraisal.drivers,
            charts=_given(tornado_chart(appraisal)),
            tables=(_inputs(appraisal),),
        ),
    )


def _given(chart: Chart | None) -> tuple[Chart, ...]:
    return () if chart is None else (chart,)


def _how_sure(appraisal: Appraisal) -> str:
    if not appraisal.swings:
        return (
            "No input has a range, so how sure the answer is cannot be said: no interval does not mean that it is "
            "certain."
        )
    alone = round(100 * min(1.0, sum(s.share for s in appraisal.swings)))
    return (
        f"Every uncertain input was drawn {appraisal.draws:,} times from the range that the project states for it "
        f"(seed {appraisal.seed}). Inputs by themselves cause {alone} % of the variance of the net value, and "
        "together the rest. The interval is as good as the ranges: what has none counts as certain."
    )


def _measures(appraisal: Appraisal) -> tuple[Table, Table]:
    """Give the amounts, and the ratios: one is in pounds, the other has decimals."""
    names = shown_measures(appraisal)
    amounts = [name for name in names if name not in RATIOS]
    ratios = [name for name in names if name in RATIOS]
    return (
        Table(
            chart_id(appraisal, "amounts"),
            "What it comes to, in pounds",
            Shown(
                _estimates(appraisal, amounts).with_columns(
                    pl.col(pl.Float64).round(0).cast(pl.Int64)
                )
            ),
            "Present values. 95 % of the draws lie between low and high.",
        ),
        Table(
            chart_id(appraisal, "ratios"),
            "What each pound of the public sector brings",
            Shown(_estimates(appraisal, ratios)),
        ),
    )


def _estimates(appraisal: Appraisal, names: list[str]) -> pl.DataFrame:
    found = [appraisal.measures[name] for name in names]
    return pl.DataFrame(
        {
            "Measure": [MEASURES[name] for name in names],
            "Expected": [e.expected for e in found],
            "Low": [e.low for e in found],
            "Median": [e.median for e in found],
            "High": [e.high for e in found],
        }
    )


def _lines(appraisal: Appraisal) -> Table:
    rows = appraisal.lines
    benefit = [r.line.side not in ("public", "others") for r in rows]
    frame = pl.DataFrame(
        {
            "Line": [r.line.label for r in rows],
            "Kind": [SIDES[r.line.side] for r in rows],
            "Undiscounted (£)": [round(r.plain) for r in rows],
            "Present value (£)": [round(r.present.expected) for r in rows],
            "Low (£)": [round(r.present.low) for r in rows],
            "High (£)": [round(r.present.high) for r in rows],
            "Draws with none": [r.none if b else None for r, b in zip(rows, benefit, strict=True)],
        },
        schema_overrides={"Draws with none": pl.Float64},
    )
    if appraisal.model.weighted:
        weights = [r.line.weight if b else None for r, b in zip(rows, benefit, strict=True)]
        frame = frame.with_columns(pl.Series("Welfare weight", weights, pl.Float64))
    about = (
        "Costs with their optimism bias; of benefits what is additional. “Draws with none” is how often a benefit "
        "is 0 or less. No welfare weight is in the amounts."
    )
    return Table(
        chart_id(appraisal, "lines"), "Every cost and benefit", Shown(frame, frozenset({"Draws with none"})), about
    )  # fmt: skip


def _years(appraisal: Appraisal) -> Table:
    """Give costs and benefits year by year, so that the sum can be done by hand."""
    sides = {r.line.name: r.line.side for r in appraisal.lines}
    heads = {
        "public": "Cost, public (£)",
        "others": "Cost, others (£)",
        "social": "Benefit, social (£)",
        "fiscal": "Benefit, fiscal (£)",
    }
    sums = {
        side: np.sum(
            [flow for name, flow in appraisal.by_year.items() if sides[name] == side], axis=0
        )
        for side in heads
        if side in sides.values()
    }
    net = sum(flow if side in ("social", "fiscal") else -flow for side, flow in sums.items())
    start = appraisal.project.start
    frame = pl.DataFrame(
        {
            "Year": [f"{k} ({start + k})" for k in range(len(appraisal.factors))],
            **{heads[side]: whole(flow) for side, flow in sums.items()},
            "Net (£)": whole(np.asarray(net)),
            "Discount factor": appraisal.factors,
            "Net, present value (£)": whole(np.asarray(net) * appraisal.factors),
        }
    )
    return Table(
        chart_id(appraisal, "years"),
        "Year by year",
        Shown(frame, places={"Discount factor": 6}),
        "Before discounting, with every input at its expected value; the last column adds up to the net present "
        "social value. Transfers are left out.",
        rows=_FIRST_YEARS,
    )


def _inputs(appraisal: Appraisal) -> Table:
    rows = appraisal.switches
    frame = pl.DataFrame(
        {
            "Input": [s.input.label for s in rows],
            "Unit": [s.input.unit for s in rows],
            "As stated": [s.input.number.words() for s in rows],
            "Expected": [figure(s.expected, s.input) for s in rows],
            "Even at": ["none" if s.value is None else figure(s.value, s.input) for s in rows],
            "Chance of being beyond": [None if s.value is None else s.beyond for s in rows],
        },
        schema_overrides={"Chance of being beyond": pl.Float64},
    )
    about = (
        "“Even at” is the switching value: where the net present social value is 0 while all other inputs are at their "
        "expected values; “none” where no value that makes sense does that. “Beyond” is on the other side of it."
    )
    return Table(
        chart_id(appraisal, "inputs"), "Every input, and where it would turn the answer",
        Shown(frame, frozenset({"Chance of being beyond"})), about,
    )  # fmt: skip
