"""Pictures of an index before it is ranked: its framework, its indicators, how they move together."""

from __future__ import annotations

import textwrap
from itertools import cycle, pairwise
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np

from commonweal.document.format import clean_text, shorten
from commonweal.errors import DataError
from commonweal.index.correlate import Coefficient, correlate
from commonweal.index.describe import describe, flags
from commonweal.index.framework import framework_table
from commonweal.index.methods import Within, strict
from commonweal.index.tables import Matrix, keys, labelled, positions
from commonweal.toolbox.figure import (
    BLUE,
    COLOURS,
    GREY,
    INK,
    VERMILION,
    WIDTH,
    blank,
    numeral,
    plot,
    style,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from commonweal.index.framework import Node
    from commonweal.index.tables import Floats, WeightsLike
    from commonweal.toolbox.figure import Plot

__all__ = ["correlation_plot", "distribution_plot", "framework_plot"]

_ACROSS = 4  # histograms beside each other
_LINE, _LETTER = 16.0, 7.2  # pixels of a line, and of a letter of a wide typeface


@strict
def framework_plot(
    index: str, tree: Node, title: str = "", weights: Mapping[str, WeightsLike] | None = None
) -> Plot:
    """Draw the framework as a tree of boxes: a column a level, each box as high as its weight.

    Parameters
    ----------
    index, tree
        Name and tree of the index.
    title
        Of the picture; made from the label of the tree if not given.
    weights
        As in `commonweal.index.framework.framework_table`.

    Returns
    -------
    Plot
        Numbers: `commonweal.index.framework.framework_table`.
    """
    import polars as pl

    numbers = framework_table(index, tree, weights)
    parts = numbers.filter(pl.col("level") > 0) if tree.children else numbers
    parents = set(numbers["parent"])
    column = WIDTH / float(parts["level"].n_unique())
    least = min((s for s in parts["weight in the index"] if s > 0), default=1.0)
    tall = min(max(_LINE / least, 240.0), 1600.0)
    start = {"": 0.0, index: 0.0}  # where the next child of a node begins
    hue: dict[str, str] = {}
    colours = cycle(COLOURS)
    unnamed = 0
    with style():
        figure = blank(tall)
        axes = figure.add_subplot()
        shown = parts.select("node", "name", "parent", "level", "weight in the index")
        for path, name, above, level, share in shown.iter_rows():
            at, left = start[above], column * max(level - 1, 0)
            start[path], start[above] = at, at + share
            hue[path] = hue.get(above) or next(colours)
            # An indicator reaches to the right edge, wherever in the tree it is.
            wide = column if path in parents else WIDTH - left
            fill = hue[path], max(0.6 - 0.15 * level, 0.2)
            axes.barh(at, wide, share, left, align="edge", color=fill, edgecolor="white")
            room = int(share * tall / _LINE + 0.01)
            if room:
                told = f": {100 * share:.1f}%"
                lines = _fitted(clean_text(name), told, max(int(wide / _LETTER) - 1, 2), room)
                weight = "bold" if path in parents else "normal"
                axes.text(left + 7, at + share / 2, "\n".join(lines), va="center", weight=weight)
            unnamed += not room
        axes.set(xlim=(0, WIDTH), ylim=(1, 0))
        axes.axis("off")
        about = (
            "From the parts of the index at the left to its indicators at the right. As high as its "
            "weight in the index, which stands after its name."
        )
        about += f" {unnamed} parts are too narrow for their names." if unnamed else ""
        heading = title or f"What makes up the index: {tree.label or index}"
        return plot(figure, heading, about, numbers)


def _fitted(name: str, told: str, letters: int, room: int) -> list[str]:
    """Wrap a name and what is told of it into lines; where it is too long, the name is cut short."""
    lines = textwrap.wrap(name + told, letters)
    while len(lines) > room and name:
        name = name.rpartition(" ")[0] or name[:-1]
        lines = textwrap.wrap(f"{name}…{told}", letters)
    return lines[:room]


@strict
def distribution_plot(
    x: Matrix,
    names: Sequence[str] | None = None,
    *,
    labels: Mapping[str, str] | None = None,
    bins: Annotated[int, Within(2)] = 15,
    title: str = "How the indicators are distributed",
) -> Plot:
    """Draw a histogram of each indicator, with its skew and kurtosis.

    Parameters
    ----------
    x
        (n_units, n_indicators) values, NaN = missing.
    names
        (n_indicators,) names.
    labels
        By name, what to call an indicator in the picture.
    bins
        Bars of each, 2 or more.
    title
        Of the picture.

    Returns
    -------
    Plot
        Numbers: a row a bar, with indicator, from, to (the last bar includes it) and units.

    Raises
    ------
    DataError
        If there are no indicators, fewer than 2 bins, or `x` does not fit its names.
    """
    import polars as pl

    values, called = labelled(x, names)
    if not called:
        raise DataError("no indicators to draw; expected at least one")
    keys(labels or {}, called, where=" (labels)")
    summary = describe(values, called)
    outliers = flags(summary).outliers
    rows: list[tuple[str, float, float, int]] = []
    down = -(-len(called) // _ACROSS)
    with style():
        figure = blank(155.0 * down)
        grid = figure.subplots(down, _ACROSS, squeeze=False).ravel()
        for axes in grid[len(called) :]:
            axes.axis("off")
        for j, (name, axes) in enumerate(zip(called, grid, strict=False)):
            column = values[:, j][~np.isnan(values[:, j])]
            told = shorten((labels or {}).get(name, name), 22)
            axes.set_title(told, loc="left", size=9, weight="bold", pad=18)
            if not len(column):
                axes.text(0.5, 0.5, "no values", ha="center", color=GREY, transform=axes.transAxes)
                axes.set(xticks=[], yticks=[])
                axes.spines[:].set_visible(False)
                continue
            counts, edges = _histogram(column, bins)
            bars = edges[:-1].tolist(), edges[1:].tolist(), counts.tolist()
            rows += [(name, *bar) for bar in zip(*bars, strict=True)]
            fill = VERMILION if outliers[j] else BLUE
            axes.bar(edges[:-1], counts, np.diff(edges), align="edge", color=fill, edgecolor=fill)
            ends = sorted({float(edges[0]), float(edges[-1])})
            axes.set_xticks(ends, [numeral(end) for end in ends])
            if len(ends) == 2:
                axes.set_xlim(*ends)
                for label, side in zip(axes.get_xticklabels(), ("left", "right"), strict=True):
                    label.set_ha(side)
            axes.set_yticks([0, int(counts.max())], ["0", numeral(counts.max())])
            told = _shape(summary.skew[j], summary.kurtosis[j], bool(outliers[j]))
            ink = INK if outliers[j] else GREY
            axes.text(0, 1.05, told, size=8, color=ink, transform=axes.transAxes)
            missing = len(values) - len(column)
            if missing:
                axes.set_xlabel(f"{missing:,} missing", size=8, color=GREY, labelpad=-8)
        schema = {"indicator": pl.String, "from": pl.Float64, "to": pl.Float64, "units": pl.Int64}
        about = "Bars count units. ▲ and another colour: |skew| above 2 and kurtosis above 3.5."
        return plot(figure, title, about, pl.DataFrame(rows, schema, orient="row"))


def _histogram(column: Floats, bins: int) -> tuple[np.ndarray, Floats]:
    low, high = float(column.min()), float(column.max())
    edges = np.linspace(low, high, bins + 1)
    if not (np.diff(edges) > 0).all():  # a constant, or nearly: no bars between its values
        return np.array([len(column)]), np.array([low, high])
    counts, _ = np.histogram(column, edges)
    return counts, edges


def _shape(skew: float, kurtosis: float, flagged: bool) -> str:
    if np.isnan(kurtosis):
        return "constant, or too few"
    return f"{'▲ ' if flagged else ''}skew {skew:.1f}, kurtosis {kurtosis:.1f}".replace("-", "−")


def _mark_groups(axes: Any, ends: Sequence[int], names: Sequence[str]) -> None:
    """Draw lines between groups of rows, which end at some, and name them at the right."""
    for k in ends[:-1]:
        axes.axhline(k, color=INK, lw=1.5)
        axes.axvline(k, color=INK, lw=1.5)
    named = [shorten(name, 24) for name in names]
    right = axes.secondary_yaxis("right")
    halfway = [(a + b) / 2 for a, b in pairwise([0, *ends])]
    right.set_yticks(halfway, named, weight="bold")
    right.tick_params(length=0, labelcolor=INK)
    right.spines[:].set_visible(False)


@strict
def correlation_plot(
    x: Matrix,
    names: Sequence[str] | None = None,
    groups: Mapping[str, Sequence[str]] | None = None,
    *,
    method: Coefficient = "pearson",
    labels: Mapping[str, str] | None = None,
    title: str = "How the indicators move together",
) -> Plot:
    """Draw the correlations of all pairs as a heat map.

    Parameters
    ----------
    x
        (n_units, n_indicators) values, NaN = missing; turned to one direction, so that a negative
        correlation means contrary.
    names
        (n_indicators,) names.
    groups
        By group, its indicators: drawn in that order, with lines between and the names of the
        groups at the right; the others are left out.
    method
        As in `commonweal.index.correlate.correlate`.
    labels
        By name, what to call an indicator or a group in the picture.
    title
        Of the picture.

    Returns
    -------
    Plot
        Numbers: each pair once, with first, second, r, p and n.

    Raises
    ------
    DataError
        If there are fewer than 2 indicators, one is in two groups, or the method is unknown.
    UnknownNameError
        If a group has an indicator that is not there.
    """
    values, called = labelled(x, names)
    keys(labels or {}, [*called, *(groups or {})], where=" (labels)")
    ends: list[int] = []
    if groups is not None:
        order = [j for group, of in groups.items() for j in positions(called, of, group)]
        if len(set(order)) < len(order):
            twice = next(called[j] for j in order if order.count(j) > 1)
            raise DataError(f"indicator '{twice}' is in two groups; expected one")
        ends = np.cumsum([len(of) for of in groups.values()]).tolist()
        values, called = values[:, order], [called[j] for j in order]
    n = len(called)
    if n < 2:
        raise DataError(f"{n} indicators to correlate; expected 2 or more")
    found = correlate(values, method=method, names=called)
    shown = [shorten((labels or {}).get(name, name), 26) for name in called]
    told = n <= 16
    tall = n * float(np.clip(480 / n, 13, 32))
    size = min(9.0, 350 / n)
    with style():
        figure = blank(tall + 7 * max(map(len, shown)) + 70)
        axes, key = figure.subplots(2, height_ratios=(tall, 12))
        drawn = np.ma.masked_invalid(found.r)
        look: dict[str, Any] = {"cmap": "RdBu", "vmin": -1, "vmax": 1}
        map_ = axes.pcolormesh(drawn, edgecolors="white", lw=0.6, rasterized=not told, **look)
        middles = np.arange(n) + 0.5
        axes.set_xticks(middles, shown, rotation=90)
        axes.set_yticks(middles, shown)
        axes.tick_params(length=0, labelcolor=INK, labelsize=size)
        axes.tick_params(labelbottom=False, labeltop=True)
        axes.set(xlim=(0, n), ylim=(n, 0))
        axes.spines[:].set_visible(False)
        for (i, j), r in np.ndenumerate(found.r):
            ink = "white" if abs(r) > 0.7 else INK
            if np.isnan(r) or told:
                number = "·" if np.isnan(r) else f"{round(r, 2) + 0.0:.2f}".replace("-", "−")
                look = {"ha": "center", "va": "center", "color": ink, "size": 8.5}
                axes.text(j + 0.5, i + 0.5, number, **look)
            elif r <= -0.05:
                axes.plot([j + 0.2, j + 0.8], [i + 0.8, i + 0.2], color=ink, lw=0.8)
        if groups is not None:
            _mark_groups(axes, ends, [(labels or {}).get(group, group) for group in groups])
        figure.colorbar(map_, key, orientation="horizontal", ticks=[-1, -0.5, 0, 0.5, 1])
        about = (
            f"{method.capitalize()} correlations over the units that have both. "
            + ("" if told else "A stroke through a cell: negative. ")
            + "White with a dot: undefined."
        )
        return plot(figure, title, about, found.to_frame())
