"""Charts of an appraisal: from benefits to net value, the effect of each input, and the spread of results."""

from __future__ import annotations

import re
from textwrap import wrap
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from commonweal.document.chart import INK, LINE, OTHER, PLACE, QUIET, svg, text
from commonweal.document.format import percent
from commonweal.document.model import Chart, TableData
from commonweal.invest.appraisal.appraise import figure, money

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from commonweal.invest.appraisal import Appraisal


LEFT, WIDE, RIGHT, ROW = 310, 320, 130, 30
ROOM = 70  # for the values at the left ends of a tornado's bars
_LINE = 38  # letters
MOST = 12
"""Inputs that a tornado shows; its table has all."""


def chart_id(appraisal: Appraisal, what: str) -> str:
    """Name a chart or table: after the project, so that several appraisals may stand in one report."""
    name = re.sub(r"[^a-z0-9]+", "-", appraisal.project.name.lower()).strip("-") or "project"
    return f"{name}-{what}"


def waterfall_chart(appraisal: Appraisal) -> Chart:
    """Draw how benefits and costs add up to the net present social value, line by line."""
    rows, at = [], 0.0
    for side, sign in (("social", 1), ("fiscal", 1), ("others", -1), ("public", -1)):
        for result in appraisal.lines:
            if result.line.side == side:
                value = sign * result.present.expected
                rows.append((result.line.label, at, at + value, value))
                at += value
    npsv = appraisal.measures["npsv"]
    rows.append(("Net present social value", 0.0, npsv.expected, npsv.expected))
    place = _scale([v for _, a, b, _ in rows for v in (a, b)] + [npsv.low, npsv.high])
    parts = [_upright(place(0.0), len(rows))]
    for k, (label, a, b, value) in enumerate(rows):
        y, last = 8 + k * ROW, k == len(rows) - 1
        fill = INK if last else PLACE if value >= 0 else OTHER
        parts += [
            *_label(label, y, bold=last),
            _bar(place(a), place(b), y + 3, fill),
            text(max(place(a), place(b)) + 8, y + 18, _signed(value), bold=last, halo=True),
        ]
    y = 8 + len(rows) * ROW
    parts += [
        _whisker(place(npsv.low), place(npsv.high), y + 8),
        text(LEFT - 12, y + 13, "95% interval", anchor="end", fill=QUIET),
    ]
    id_ = chart_id(appraisal, "waterfall")
    title = f"Benefits minus costs come to {money(npsv.expected)}"
    about = (
        f"Present values in {appraisal.project.price_year} pounds, every input at its expected value. Each bar starts "
        "where the one above ends: benefits go right, costs go left. The last bar is the net value, and the line under "
        "it holds 95% of recalculations. Transfers are left out."
    )
    numbers = TableData(
        pl.DataFrame(
            {
                "Line": [label for label, *_ in rows],
                "Present value (£)": [round(v) for *_, v in rows],
            }
        )
    )
    return Chart(id_, title, about, _drawn(id_, title, about, y + 26, parts), numbers)


def tornado_chart(appraisal: Appraisal) -> Chart | None:
    """Draw the effect of each uncertain input by itself; None if none is uncertain."""
    swings = [s for s in appraisal.swings if s.width > 0]
    if not swings:
        return None
    shown, middle = swings[:MOST], appraisal.measures["npsv"].expected
    place = _scale([v for s in shown for v in s.npsv], LEFT + ROOM)
    parts = [_upright(place(0.0), len(shown)), _upright(place(middle), len(shown), "5 3")]
    for k, s in enumerate(shown):
        y = 8 + k * ROW
        left, right = min(s.npsv), max(s.npsv)
        ends = (s.low, s.high) if s.npsv[0] <= s.npsv[1] else (s.high, s.low)
        parts += [
            *_label(s.input.label, y),
            _bar(place(left), place(middle), y + 3, OTHER),
            _bar(place(middle), place(right), y + 3, PLACE),
            text(place(left) - 6, y + 18, figure(ends[0], s.input), 12, "end", halo=True),
            text(place(right) + 6, y + 18, figure(ends[1], s.input), 12, halo=True),
        ]
    y = 8 + len(shown) * ROW
    parts.append(
        text(place(middle), y + 16, f"expected: {money(middle)}", 12, "middle", QUIET, halo=True)
    )
    if abs(place(0.0) - place(middle)) > 110:
        parts.append(text(place(0.0), y + 16, "£0", 12, "middle", QUIET))
    id_, title = chart_id(appraisal, "tornado"), f"“{shown[0].input.label}” matters most"
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
    return Chart(id_, title, about, _drawn(id_, title, about, y + 26, parts), numbers)


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
    tall, left, wide, bottom = 190, 40, 680, 214
    scale = wide / (high - low)
    # The area of a bar is its share of the draws, as not all are as wide.
    density = counts / np.diff(edges)
    parts = []
    for k, n in enumerate(density):
        x, w = left + (edges[k] - low) * scale, (edges[k + 1] - edges[k]) * scale
        h = tall * n / density.max()
        style = (
            f'fill="{PLACE}"'
            if edges[k] >= 0
            else f'fill="#fff" stroke="{OTHER}" stroke-width="1.5"'
        )
        parts.append(
            f'<rect x="{x + 0.75:.1f}" y="{bottom - h:.1f}" width="{max(w - 1.5, 0.5):.1f}" height="{h:.1f}" {style}/>'
        )
    parts.append(f'<path d="M{left} {bottom}h{wide}" stroke="{INK}"/>')
    for value, anchor in ((low, "start"), (high, "end")):
        parts.append(text(left + (value - low) * scale, bottom + 18, money(value), 12, anchor))
    if low < 0 < high:
        x = left - low * scale
        parts.append(f'<path d="M{x:.1f} 16V{bottom + 4}" stroke="{INK}" stroke-width="1.5"/>')
        # At the top of its line, where the amounts at the ends of the axis don't come.
        parts.append(text(x, 12, "£0", 12, "middle"))
    above = percent(appraisal.worth_it)
    id_, title = (
        chart_id(appraisal, "chance"),
        f"Benefits exceed costs in {above} of recalculations",
    )
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
    return Chart(id_, title, about, svg(id_, title, about, 760, bottom + 30, parts), numbers)


def _scale(values: Sequence[float], left: float = LEFT) -> Callable[[float], float]:
    """Give where a value stands, from nought or the least at the left to nought or the most."""
    low, high = min(0.0, *values), max(0.0, *values)
    unit = (LEFT + WIDE - left) / ((high - low) or 1.0)
    return lambda value: left + (value - low) * unit


def _bar(a: float, b: float, y: float, fill: str) -> str:
    wide = max(abs(b - a), 1.0)
    return f'<rect x="{min(a, b):.1f}" y="{y}" width="{wide:.1f}" height="20" fill="{fill}"/>'


def _whisker(a: float, b: float, y: float) -> str:
    drawn = f"M{a:.1f} {y - 5}v10M{a:.1f} {y}H{b:.1f}M{b:.1f} {y - 5}v10"
    return f'<path d="{drawn}" stroke="{INK}" stroke-width="2" fill="none"/>'


def _upright(x: float, rows: int, dashes: str = "") -> str:
    dash, ink = (f' stroke-dasharray="{dashes}"', QUIET) if dashes else ("", LINE)
    return f'<path d="M{x:.1f} 4V{8 + rows * ROW}" stroke="{ink}" stroke-width="1.5"{dash}/>'


def _signed(value: float) -> str:
    return money(value) if value < 0 else f"+{money(value)}"


def _label(label: str, y: float, bold: bool = False) -> list[str]:
    """Write a label beside its bar, on two smaller lines where it is long."""
    lines = wrap(label, _LINE) if len(label) > _LINE else [label]
    if len(lines) == 1:
        return [text(LEFT - 12, y + 18, label, anchor="end", bold=bold)]
    first, second = lines[0], lines[1] + ("…" if len(lines) > 2 else "")
    return [
        text(LEFT - 12, y + 12, first, 11.5, "end", bold=bold),
        text(LEFT - 12, y + 25, second, 11.5, "end", bold=bold),
    ]


def _drawn(id_: str, title: str, about: str, tall: float, parts: Iterable[str]) -> str:
    return svg(id_, title, about, LEFT + WIDE + RIGHT, tall, parts)
