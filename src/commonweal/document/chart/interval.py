"""Estimates by group, drawn: a dot for each, a line for its interval."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from commonweal.document.chart.canvas import LINE, PLACE, QUIET, svg, text
from commonweal.document.chart.chart import Chart

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from commonweal.document.table import Shown

__all__ = ["Estimate", "interval_chart"]

WIDTH, LEFT, RIGHT, ROW, HEAD, TOP = 640.0, 220.0, 64.0, 22.0, 26.0, 34.0


class Estimate(NamedTuple):
    """A row of the chart: what it is of and, where it may be told, its value and interval."""

    heading: str
    label: str
    value: float | None
    low: float | None
    high: float | None


def interval_chart(
    id_: str,
    title: str,
    about: str,
    rows: Sequence[Estimate],
    numbers: Shown,
    say: Callable[[float], str],
    middle: float | None = None,
    whole: bool = False,
) -> Chart:
    """Draw estimates, with a heading above each run of rows that has the same.

    Parameters
    ----------
    id_
        Of the drawing.
    title, about
        What it shows, and how to read it.
    rows
        The estimates, in order.
    numbers
        The same as a table.
    say
        How a value is written.
    middle
        Where an upright line marks the value of all.
    whole
        Whether the axis is of shares, so that it ends at 0 and 1 at most.
    """
    known = [v for r in rows for v in (r.value, r.low, r.high) if v is not None]
    low, high, ticks = _axis(known or [0.0, 1.0], whole)

    def at(value: float) -> float:
        return LEFT + (value - low) / (high - low) * (WIDTH - LEFT - RIGHT)

    runs = sum(1 for heading, _ in groupby(r.heading for r in rows) if heading)
    height = TOP + len(rows) * ROW + HEAD * runs + 10
    parts = [*_grid(ticks, at, height, say)]
    if middle is not None:
        x = at(middle)
        parts.append(
            f'<path d="M{x:.1f} {TOP:g}V{height - 8:g}" stroke="{QUIET}" stroke-width="1.6"/>'
        )
    y, heading = TOP, ""
    for row in rows:
        if row.heading and row.heading != heading:
            heading, y = row.heading, y + HEAD
            parts.append(text(8, y - 6, heading, 13, bold=True))
        y += ROW
        parts += _row(row, y - ROW / 2, at, say)
    return Chart(id_, title, about, svg(id_, title, about, WIDTH, height, parts), numbers)


def _axis(known: Sequence[float], whole: bool) -> tuple[float, float, list[float]]:
    """Give the ends of the axis and round numbers on it."""
    low, high = min(known), max(known)
    span = (high - low) or abs(high) or 1.0
    step = 10.0 ** np.floor(np.log10(span))
    step *= next(f for f in (0.2, 0.5, 1.0, 2.0) if span / (step * f) <= 6)
    low, high = np.floor(low / step) * step, np.ceil(high / step) * step
    if whole:
        low, high = max(low, 0.0), min(high, 1.0)
    high = high if high > low else low + step
    return float(low), float(high), [float(t) for t in np.arange(low, high + step / 2, step)]


def _grid(
    ticks: Sequence[float], at: Callable[[float], float], height: float, say: Callable[[float], str]
) -> Iterator[str]:
    for tick in ticks:
        x = at(tick)
        yield f'<path d="M{x:.1f} {TOP:g}V{height - 8:g}" stroke="{LINE}" stroke-width="1"/>'
        yield text(x, TOP - 10, say(tick), 12, "middle", QUIET)


def _row(
    row: Estimate, y: float, at: Callable[[float], float], say: Callable[[float], str]
) -> Iterator[str]:
    label = row.label if len(row.label) <= 30 else f"{row.label[:29].rstrip()}…"
    yield text(20 if row.heading else 8, y + 4.5, label, 12.5)
    if row.value is None:
        yield text(LEFT + 6, y + 4, "too few to publish", 11.5, fill=QUIET)
        return
    if row.low is not None and row.high is not None:
        yield (
            f'<path d="M{at(row.low):.1f} {y:.1f}H{at(row.high):.1f}" stroke="{PLACE}" stroke-width="4" '
            'stroke-opacity="0.45" stroke-linecap="round"/>'
        )
    yield f'<circle cx="{at(row.value):.1f}" cy="{y:.1f}" r="5.5" fill="{PLACE}"/>'
    yield text(WIDTH - 8, y + 4.5, say(row.value), 12.5, "end")
