"""The partial regression of the vote on growth, as a drawing with its numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from commonweal.document.chart.canvas import INK, LINE, PLACE, QUIET, svg, text
from commonweal.document.chart.chart import Chart
from commonweal.document.table import Shown
from commonweal.papers.discontent import partial_regression
from commonweal.papers.discontent.columns import GROWTH

if TYPE_CHECKING:
    from collections.abc import Sequence

    from commonweal.papers.discontent import Column

__all__ = ["growth_chart"]

_WIDTH, _HEIGHT = 640, 400
_LEFT, _RIGHT, _TOP, _BOTTOM = 64, 16, 28, 52


def growth_chart(
    id_: str, column: Column, table: pl.DataFrame, named: Sequence[int], held: str
) -> Chart:
    """Draw the Leave share beside growth, each without what the other predictors say of it.

    Parameters
    ----------
    id_
        Id of the chart, and name of its table.
    column
        The model.
    table
        The authorities that it was fitted to.
    named
        Positions of the authorities that get their name.
    held
        What is held constant, in words.
    """
    x, y = partial_regression(column.model, GROWTH)
    slope = column.model.term(GROWTH).estimate
    title = f"Growth and the Leave share, {column.title}"
    about = (
        f"A dot an authority: its growth, and its Leave share, beyond what {held} say of them; larger dots "
        f"have more electors. The line falls by {-slope:.2f} points for each 1 % a year."
        if slope < 0
        else f"A dot an authority: its growth, and its Leave share, beyond what {held} say of them. The line "
        f"rises by {slope:.2f} points for each 1 % a year."
    )
    numbers = Shown(
        pl.DataFrame(
            {
                "Authority": table["name"],
                "Growth beyond, % a year": x,
                "Leave beyond, points": y,
                "Electorate": table["electorate"].cast(pl.Int64),
            }
        ).sort("Growth beyond, % a year", "Authority")
    )
    parts = _drawing(x, y, table["electorate"].to_numpy(), slope, table["name"].to_list(), named)
    return Chart(id_, title, about, svg(id_, title, about, _WIDTH, _HEIGHT, parts), numbers)


def _drawing(
    x: np.ndarray,
    y: np.ndarray,
    people: np.ndarray,
    slope: float,
    names: Sequence[str],
    named: Sequence[int],
) -> list[str]:
    x_ticks, y_ticks = _ticks(x), _ticks(y)

    def across(value: float) -> float:
        return _LEFT + (value - x_ticks[0]) / (x_ticks[-1] - x_ticks[0]) * (_WIDTH - _LEFT - _RIGHT)

    def down(value: float) -> float:
        part = (value - y_ticks[0]) / (y_ticks[-1] - y_ticks[0])
        return _HEIGHT - _BOTTOM - part * (_HEIGHT - _TOP - _BOTTOM)

    floor = _HEIGHT - _BOTTOM
    parts = []
    for tick in x_ticks:
        at = across(tick)
        parts.append(_line(at, _TOP, at, floor, LINE))
        parts.append(text(at, floor + 18, _number(tick), 12, "middle", QUIET))
    for tick in y_ticks:
        at = down(tick)
        parts.append(_line(_LEFT, at, _WIDTH - _RIGHT, at, LINE))
        parts.append(text(_LEFT - 8, at + 4, _number(tick), 12, "end", QUIET))
    middle = (_LEFT + _WIDTH - _RIGHT) / 2
    parts.append(
        text(middle, _HEIGHT - 10, "Growth beyond what the others say, % a year", 13, "middle", INK)
    )
    parts.append(
        text(_LEFT, 12, "Leave share beyond what the others say, points", 13, "start", INK)
    )
    for a, b, n in zip(x, y, people, strict=True):
        r = 2 + 5 * np.sqrt(n / people.max())
        parts.append(
            f'<circle cx="{across(a):.1f}" cy="{down(b):.1f}" r="{r:.1f}" fill="{PLACE}" fill-opacity="0.45"/>'
        )
    ends = [max(x.min(), x_ticks[0]), min(x.max(), x_ticks[-1])]
    parts.append(
        _line(
            across(ends[0]), down(slope * ends[0]), across(ends[1]), down(slope * ends[1]), INK, 2
        )
    )
    for i in named:
        right = across(x[i]) > _WIDTH * 0.75
        shift = -8 if right else 8
        anchor = "end" if right else "start"
        parts.append(text(across(x[i]) + shift, down(y[i]) + 4, names[i], 12, anchor, halo=True))
    return parts


def _line(x1: float, y1: float, x2: float, y2: float, colour: str, width: float = 1) -> str:
    return (
        f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="{colour}" '
        f'stroke-width="{width:g}"/>'
    )


def _number(value: float) -> str:
    return f"{value:g}".replace("-", "\N{MINUS SIGN}")


def _ticks(values: np.ndarray) -> list[float]:
    """Give about six round numbers around all values."""
    spread = float(values.max() - values.min())
    rough = spread / 5
    power = 10.0 ** np.floor(np.log10(rough))
    step = next(m * power for m in (1, 2, 2.5, 5, 10) if m * power >= rough)
    low, high = np.floor(values.min() / step), np.ceil(values.max() / step)
    return [round(float(k * step), 10) for k in np.arange(low, high + 1)]
