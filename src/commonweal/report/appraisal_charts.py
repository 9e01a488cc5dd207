"""Charts of an appraisal: from benefits to net value, the effect of each input, and the spread of results."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from commonweal.chart.lines import Columns, Level, line_chart
from commonweal.chart.rows import Bar, Row, Upright, row_chart
from commonweal.chart.theme import BLUE, INK, ORANGE, Axis, hatch, hollow, solid
from commonweal.chart.vega import bars, dots, histogram
from commonweal.document.format import percent
from commonweal.document.model import TableData
from commonweal.invest.appraisal.appraise import figure, money

if TYPE_CHECKING:
    from commonweal.document.model import Chart
    from commonweal.invest.appraisal import Appraisal


MOST = 12
"""Inputs that a tornado shows; its table has all."""


def chart_id(appraisal: Appraisal, what: str) -> str:
    """Name a chart or table: after the project, so that several appraisals may stand in one report."""
    name = re.sub(r"[^a-z0-9]+", "-", appraisal.project.name.lower()).strip("-") or "project"
    return f"{name}-{what}"


def waterfall_chart(appraisal: Appraisal) -> Chart:
    """Draw how benefits and costs add up to the net present social value, line by line."""
    rows, values, at = [], [], 0.0
    for side, sign in (("social", 1), ("fiscal", 1), ("others", -1), ("public", -1)):
        for result in appraisal.lines:
            if result.line.side == side:
                value = sign * result.present.expected
                bar = Bar(at, at + value, solid(BLUE) if value >= 0 else hatch(ORANGE))
                rows.append(
                    Row(result.line.label, (bar,), after=_signed(value), heading="Line by line")
                )
                values.append(round(value))
                at += value
    npsv = appraisal.measures["npsv"]
    rows.append(
        Row(
            "Net present social value",
            (Bar(0.0, npsv.expected, solid(INK)),),
            span=(npsv.low, npsv.high),
            after=_signed(npsv.expected),
            heading="In all, with a 95% interval",
        )
    )
    about = (
        f"Present values in {appraisal.project.price_year} pounds, every input at its expected value. Each bar starts "
        "where the one above ends: benefits go right, costs go left. The last bar is the net value, and the line on "
        "it holds 95% of recalculations. Transfers are left out."
    )
    numbers = pl.DataFrame(
        {"Line": [row.label for row in rows], "Present value (£)": [*values, round(npsv.expected)]}
    )
    return row_chart(
        chart_id(appraisal, "waterfall"),
        f"Benefits minus costs come to {money(npsv.expected)}",
        about, rows, TableData(numbers), bars(*numbers.columns),
        keys=[(solid(BLUE), "Benefits"), (hatch(ORANGE), "Costs")],
        lines=[Upright(0.0, "£0")],
    )  # fmt: skip


def tornado_chart(appraisal: Appraisal) -> Chart | None:
    """Draw the effect of each uncertain input by itself; None if none is uncertain."""
    swings = [s for s in appraisal.swings if s.width > 0]
    if not swings:
        return None
    shown, middle = swings[:MOST], appraisal.measures["npsv"].expected
    rows = []
    for s in shown:
        low, high = min(s.npsv), max(s.npsv)
        ends = (s.low, s.high) if s.npsv[0] <= s.npsv[1] else (s.high, s.low)
        before, after = (figure(end, s.input) for end in ends)
        both = (Bar(low, middle, hatch(ORANGE)), Bar(middle, high, solid(BLUE)))
        rows.append(Row(s.input.label, both, before=before, after=after))
    about = (
        "Net present social value when one input goes from the low to the high end of its 95% interval and all others "
        "stay at their expected values. The numbers at the ends of a bar are the input. Dashed line: expected value. "
        "Solid line: £0."
    )
    numbers = TableData(
        pl.DataFrame(
            {
                "Input": [s.input.label for s in swings],
                "Low end": [figure(s.low, s.input) for s in swings],
                "High end": [figure(s.high, s.input) for s in swings],
                "Net value at the low end (£)": [round(s.npsv[0]) for s in swings],
                "Net value at the high end (£)": [round(s.npsv[1]) for s in swings],
                "Share of the variance": [s.share for s in swings],
            }
        ),
        frozenset({"Share of the variance"}),
    )
    found = [v for s in shown for v in s.npsv]
    return row_chart(
        chart_id(appraisal, "tornado"), f"“{shown[0].input.label}” matters most", about, rows, numbers,
        dots("Input", "Net value at the low end (£)", "Net value at the high end (£)"),
        Axis(min(0.0, *found), max(0.0, *found)),
        lines=[
            Upright(0.0, "£0" if abs(middle) > 0.2 * (max(0.0, *found) - min(0.0, *found)) else ""),
            Upright(middle, f"expected: {money(middle)}", dashed=True),
        ],
    )  # fmt: skip


def chance_chart(appraisal: Appraisal) -> Chart | None:
    """Draw how often the net present social value is how much; None if it never varies."""
    npsv = appraisal.npsv_draws
    low, high = (float(v) for v in np.quantile(npsv, [0.005, 0.995]))
    if not high > low:
        return None
    edges = np.linspace(low, high, 31)
    if low < 0 < high:  # no bar has both sides of nought in it
        edges = np.concatenate([edges[edges < 0], [0.0], edges[edges > 0]])
    counts, _ = np.histogram(np.clip(npsv, low, high), edges)
    # The area of a bar is its share of the draws, as not all are as wide.
    density = counts / np.diff(edges)
    styles = [solid(BLUE) if edge >= 0 else hollow(ORANGE) for edge in edges[:-1]]
    zero = [Level(0.0, "£0")] if low < 0 < high else []
    about = (
        f"How often each net present social value came out in {appraisal.draws:,} recalculations: the area of a bar is "
        "its share. Filled bars are above £0, hollow bars below. The outer half per cent is in the outer bars."
    )
    numbers = TableData(
        pl.DataFrame(
            {
                "From (£)": [round(e) for e in edges[:-1]],
                "To (£)": [round(e) for e in edges[1:]],
                "Recalculations": counts.astype(np.int64),
            }
        )
    )
    return line_chart(
        chart_id(appraisal, "chance"),
        f"Benefits exceed costs in {percent(appraisal.worth_it)} of recalculations",
        about, [Columns(edges, density, styles), *zero], numbers,
        histogram("From (£)", "To (£)", "Recalculations"),
        Axis(low, high, ((low, money(low)), (high, money(high)))), Axis(0.0, float(density.max())),
    )  # fmt: skip


def _signed(value: float) -> str:
    return money(value) if value < 0 else f"+{money(value)}"
