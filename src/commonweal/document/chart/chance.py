"""How often places are on the list when the choices vary: one bar a place, or a count of them."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from commonweal.document.chart.canvas import LINE, QUIET, svg, text
from commonweal.document.chart.chart import Chart
from commonweal.document.table import Shown
from commonweal.document.words import percent, shorten

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

__all__ = ["chance_chart"]

_MOST_BARS = 30
_ENDS = (0.0, 0.05, 0.2, 0.4, 0.6, 0.8, 0.95, 1.0)
_INSIDE, _OUTSIDE = "#12436d", "#a33b0b"


def chance_chart(
    id_: str,
    names: Sequence[str],
    chance: NDArray[np.float64],
    selected: NDArray[np.bool_],
    kinds: str,
    label: str = "",
) -> Chart:
    """Draw the share of draws in which places are on the list.

    Parameters
    ----------
    id_
        Of the drawing.
    names
        Of the places: those on the list, and near misses.
    chance, selected
        (n,) share of draws, and whether each is on the list.
    kinds
        What places are called.
    label
        What those on the list are called, where there are several lists.
    """
    order = np.lexsort((np.arange(len(names)), -chance))
    each = len(names) <= _MOST_BARS
    title = f"How sure it is that {kinds} are {label or 'on the list'}"
    end = "Filled bars are on the list, hollow ones are not."
    if each:
        about = (
            f"Each bar is one of the {kinds}: the share of runs in which it is on the list. {end}"
        )
        rows = [(names[k], float(chance[k]), bool(selected[k])) for k in order]
        numbers = Shown(
            pl.DataFrame(
                [(n, c, "Yes" if s else "No") for n, c, s in rows],
                schema={"Place": pl.String, "Share of runs": pl.Float64, "On the list": pl.String},
                orient="row",
            ),
            frozenset({"Share of runs"}),
        )
        bars = [(n, c, percent(c), s) for n, c, s in rows]
    else:
        about = f"Each bar counts {kinds} by the share of runs in which they are on the list. {end}"
        counted = list(_counted(chance, selected))
        numbers = Shown(
            pl.DataFrame(
                counted,
                schema={
                    "Share of runs": pl.String,
                    "On the list": pl.Int64,
                    "Near misses": pl.Int64,
                },
                orient="row",
            )
        )
        most = max(1, *(max(a, b) for _, a, b in counted))
        bars = []
        for words, inside, outside in counted:
            bars.append((words, inside / most, f"{inside:,}", True))
            bars.append(("", outside / most, f"{outside:,}", False))
    return Chart(id_, title, about, _drawn(id_, title, about, bars, each), numbers)


def _counted(
    chance: NDArray[np.float64], selected: NDArray[np.bool_]
) -> Iterator[tuple[str, int, int]]:
    for low, high in pairwise(_ENDS):
        at = (chance >= low) & ((chance < high) | ((high == 1.0) & (chance == 1.0)))
        words = f"{low:.0%} to {high:.0%}".replace("%", " %")
        yield words, int((at & selected).sum()), int((at & ~selected).sum())


def _drawn(
    id_: str, title: str, about: str, bars: Sequence[tuple[str, float, str, bool]], share: bool
) -> str:
    left, width, row, top = 210.0, 600.0, 20.0, 24.0
    plot = width - left - 84
    height = top + len(bars) * row + 8
    parts = []
    if share:
        for at in (0.0, 0.5, 1.0):
            x = left + at * plot
            parts.append(f'<path d="M{x:g} {top - 4:g}V{height - 6:g}" stroke="{LINE}"/>')
            parts.append(text(x, top - 9, f"{at:.0%}".replace("%", " %"), 11.5, "middle", QUIET))
    for k, (words, value, told, inside) in enumerate(bars):
        y = top + k * row
        parts.append(text(left - 8, y + 13, shorten(words, 30), 12, "end"))
        wide = max(value * plot, 0.8)
        fill, edge = (_INSIDE, _INSIDE) if inside else ("#fff", _OUTSIDE)
        parts.append(
            f'<rect x="{left:g}" y="{y + 3:g}" width="{wide:.1f}" height="12" fill="{fill}" '
            f'stroke="{edge}" stroke-width="1.4"/>'
        )
        parts.append(text(left + wide + 6, y + 13, told, 12))
    return svg(id_, title, about, width, height, parts)
