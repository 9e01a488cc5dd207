"""Pictures of an index before it is ranked: its framework, its indicators, how they move together."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING, Annotated

import numpy as np

from commonweal.errors import DataError
from commonweal.index.arguments import Within, strict
from commonweal.index.correlate import Coefficient, correlate
from commonweal.index.describe import describe, flags
from commonweal.index.drawing import (
    BLUE,
    COLOURS,
    GREY,
    INK,
    VERMILION,
    Plot,
    line,
    numeral,
    picture,
    rectangle,
    shorten,
    text,
    tint,
)
from commonweal.index.framework_table import child_weights, framework_table
from commonweal.index.lists import keys, positions
from commonweal.index.tables import Matrix, labelled

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from commonweal.index.framework import Node
    from commonweal.index.lists import Weights
    from commonweal.index.rank import Floats

__all__ = ["correlation_plot", "distribution_plot", "framework_plot"]

_PAGE = 920.0
_MARGIN = 170.0  # around a sunburst, for names; cut to what they need
_EM = 0.6  # mean width of a letter, in its size: that of a wide typeface


@strict
def framework_plot(
    index: str, tree: Node, title: str = "", weights: Mapping[str, Weights] | None = None
) -> Plot:
    """Draw the framework as a sunburst: a ring a level, each part as wide as its weight.

    Parameters
    ----------
    index, tree
        Name and tree of the index.
    title
        Of the picture; made from the label of the tree if not given.
    weights
        As in `commonweal.index.framework_table.framework_table`.

    Returns
    -------
    Plot
        Numbers: `commonweal.index.framework_table.framework_table`.
    """
    numbers = framework_table(index, tree, weights)
    depth = max(int(numbers["level"].max() or 0), 1)  # type: ignore[arg-type]
    inner, radius = 78.0, 300.0
    middle = radius + _MARGIN
    ring = (radius - inner) / depth
    parts: list[str] = []
    words: list[str] = []
    corners = [_point(middle, radius, quarter * np.pi / 2) for quarter in range(4)]
    unnamed = 0

    def draw(path: str, node: Node, start: float, width: float, colour: str) -> None:
        nonlocal unnamed
        at, level = start, path[len(index) :].count("/") + 1
        own = child_weights(path, node, weights) if node.children else np.empty(0)
        for k, (name, child) in enumerate(node.children.items()):
            share = width * float(own[k] / own.sum())
            hue = COLOURS[k % len(COLOURS)] if level == 1 else colour
            r0, r1 = inner + (level - 1) * ring, inner + level * ring
            label = child.label or name
            fill = tint(hue, max(0.75 - 0.2 * level, 0.2))
            parts.append(_wedge(middle, r0, r1, at, at + share, fill))
            named = _wedge_label(middle, r0, r1, at, share, label, leaf=not child.children)
            words.extend(named)
            if named and not child.children:
                reach = r1 + 20 + 12 * _EM * min(len(label), int((_MARGIN - 12) / 12 / _EM))
                corners.append(_point(middle, reach, at + share / 2))
            unnamed += not named
            if child.children:
                draw(f"{path}/{name}", child, at, share, hue)
            at += share

    draw(index, tree, 0.0, 2 * np.pi, COLOURS[0])
    label = tree.label or index
    centre = textwrap.wrap(shorten(label, 48), 16)
    for k, part in enumerate(centre):
        y = middle + 5 + 17 * (k - (len(centre) - 1) / 2)
        words.append(text(middle, y, part, size=14, anchor="middle", weight=700))
    about = (
        "From the index in the middle outwards to its indicators. The width of a part is its weight "
        "in the index."
    )
    about += f" {unnamed} parts are too narrow for their names." if unnamed else ""
    heading = title or f"What makes up the index: {label}"
    # As large as the circle and the names around it, and no larger.
    (left, up), (right, down) = np.min(corners, axis=0) - 12, np.max(corners, axis=0) + 12
    drawn = "".join([*parts, *words])
    placed = f'<g transform="translate({-left:.1f} {-up:.1f})">{drawn}</g>'
    return picture(heading, about, right - left, down - up, [placed], numbers)


def _point(middle: float, r: float, angle: float) -> tuple[float, float]:
    """Give a place by distance and angle: 0 is upwards, and it grows clockwise."""
    return middle + r * float(np.sin(angle)), middle - r * float(np.cos(angle))


def _wedge(middle: float, r0: float, r1: float, start: float, end: float, fill: str) -> str:
    # A whole ring starts where it ends, which an arc cannot draw: it stops just before.
    end = min(end, start + 2 * np.pi - 1e-4)
    (ax, ay), (bx, by) = _point(middle, r1, start), _point(middle, r1, end)
    (cx, cy), (dx, dy) = _point(middle, r0, end), _point(middle, r0, start)
    large = int(end - start > np.pi)
    return (
        f'<path d="M{ax:.2f} {ay:.2f}A{r1:.2f} {r1:.2f} 0 {large} 1 {bx:.2f} {by:.2f}'
        f'L{cx:.2f} {cy:.2f}A{r0:.2f} {r0:.2f} 0 {large} 0 {dx:.2f} {dy:.2f}z" '
        f'fill="{fill}" stroke="#404040" stroke-width="0.8"/>'
    )


def _wedge_label(
    middle: float, r0: float, r1: float, start: float, width: float, label: str, *, leaf: bool
) -> list[str]:
    """Write a part's name: a leaf's outside its ring, another's within; none if there is no room."""
    angle = start + width / 2
    left = np.sin(angle) < -1e-9
    turn = float(np.degrees(angle)) - 90 + (180 if left else 0)
    if leaf:
        size = min(12.0, width * r1 * 0.9)
        if size < 7:
            return []
        x, y = _point(middle, r1 + 6, angle + (0.32 * size / r1) * (-1 if left else 1))
        anchor = "end" if left else "start"
        return [
            text(
                x,
                y,
                shorten(label, int((_MARGIN - 12) / size / _EM)),
                size=size,
                anchor=anchor,
                turn=turn,
            )
        ]
    # Across the ring or along it, whichever is longer; smaller before a word would be cut.
    ring, arc = r1 - r0 - 8, width * (r0 + r1) / 2 * 0.8
    along = arc > ring
    length, depth = (min(arc, r1), ring) if along else (ring, arc)
    longest = max(len(word) for word in label.split() or [label])
    size = float(np.clip(length / longest / _EM, 8, 13))
    fits = max(int(length / size / _EM), 4)
    lines = textwrap.wrap(label, fits, break_long_words=False) or [label]
    room = int(depth / (size * 1.2))
    if room < 1 or length < 4 * size * _EM:
        return []
    if len(lines) > room:
        lines = [*lines[: room - 1], " ".join(lines[room - 1 :])]
    if along:
        below = bool(np.cos(angle) < 0)
        turn = float(np.degrees(angle)) + (180 if below else 0)
    x, y = _point(middle, (r0 + r1) / 2, angle)
    parts = []
    for k, part in enumerate(lines):
        off = 1.2 * size * (k - (len(lines) - 1) / 2) + 0.35 * size
        at = x - off * float(np.sin(np.radians(turn))), y + off * float(np.cos(np.radians(turn)))
        parts.append(text(*at, shorten(part, fits), size=size, anchor="middle", turn=turn))
    return parts


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
    wide, tall, gap = 206.0, 150.0, 20.0
    across = int(min(4, len(called)))
    parts: list[str] = []
    rows: list[tuple[str, float, float, int]] = []
    for j, name in enumerate(called):
        left = gap + (j % across) * (wide + gap)
        top = (j // across) * (tall + gap)
        column = values[:, j][~np.isnan(values[:, j])]
        base = top + 112
        parts.append(
            text(left, top + 12, shorten((labels or {}).get(name, name), 26), size=12, weight=600)
        )
        if not len(column):
            parts.append(text(left, top + 60, "no values", fill=GREY))
            continue
        counts, edges = _histogram(column, bins)
        rows += [(name, float(edges[k]), float(edges[k + 1]), int(n)) for k, n in enumerate(counts)]
        each = wide / len(counts)
        scale = 78 / counts.max()
        fill = VERMILION if outliers[j] else BLUE
        parts += [
            rectangle(left + k * each, base - n * scale, max(each - 1, 1), n * scale, fill)
            for k, n in enumerate(counts)
            if n
        ]
        parts.append(line(left, base, left + wide, base, GREY))
        parts.append(text(left, base + 14, numeral(edges[0]), size=11, fill=GREY))
        parts.append(
            text(left + wide, base + 14, numeral(edges[-1]), size=11, anchor="end", fill=GREY)
        )
        told = _shape(summary.skew[j], summary.kurtosis[j], bool(outliers[j]))
        missing = len(values) - len(column)
        told += f", {missing:,} missing" if missing else ""
        parts.append(text(left, top + 27, told, size=11, fill=INK if outliers[j] else GREY))
    height = -(-len(called) // across) * (tall + gap)
    schema = {"indicator": pl.String, "from": pl.Float64, "to": pl.Float64, "units": pl.Int64}
    about = "Bars count units. ▲ and another colour: |skew| above 2 and kurtosis above 3.5."
    width = max(gap + across * (wide + gap), 480)
    return picture(title, about, width, height, parts, pl.DataFrame(rows, schema, orient="row"))


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
    room = 14 + 7 * max(len(s) for s in shown)
    cell = float(np.clip((_PAGE - room) / n, 12, 44))
    told = cell >= 29
    parts = []
    for i, name in enumerate(shown):
        at = room + (i + 0.5) * cell
        size = min(12.0, cell * 0.85)
        parts.append(text(room - 6, at + size * 0.35, name, size=size, anchor="end"))
        parts.append(text(at + size * 0.35, room - 6, name, size=size, turn=-90))
        for j in range(n):
            parts += _cell(room + j * cell, room + i * cell, cell, float(found.r[i, j]), told)
    for k in ends[:-1]:
        at = room + k * cell
        parts.append(line(at, room, at, room + n * cell, INK, 2))
        parts.append(line(room, at, room + n * cell, at, INK, 2))
    bottom = room + n * cell
    named = [shorten((labels or {}).get(group, group), 22) for group in groups or {}]
    for start, end, name in zip([0, *ends], ends, named, strict=False):
        middle = room + (start + end) / 2 * cell
        parts.append(text(bottom + 8, middle + 4, name, size=12, weight=600))
    width = max(bottom + 20 + 7.5 * max(map(len, named), default=0), 460)
    parts += _ramp(room, bottom + 16)
    about = (
        f"{method.capitalize()} correlations over the units that have both. "
        + ("" if told else "A stroke through a cell: negative. ")
        + "White with a dot: undefined."
    )
    return picture(title, about, width, bottom + 62, parts, found.to_frame())


def _cell(x: float, y: float, size: float, r: float, told: bool) -> list[str]:
    if np.isnan(r):
        return [
            rectangle(x, y, size, size, "#ffffff", "#ffffff"),
            text(x + size / 2, y + size / 2 + 4, "·", anchor="middle", fill=GREY),
        ]
    parts = [rectangle(x, y, size, size, _diverging(r), "#ffffff")]
    if told:
        fill = "#ffffff" if r > 0.77 or r < -0.9 else "#000000"
        number = f"{round(r, 2) + 0.0:.2f}".replace("-", "−")
        parts.append(
            text(x + size / 2, y + size / 2 + 4, number, size=11, anchor="middle", fill=fill)
        )
    elif r <= -0.05:
        ink = "#ffffff" if r < -0.9 else INK
        parts.append(line(x + 2, y + size - 2, x + size - 2, y + 2, ink, 0.8))
    return parts


def _diverging(r: float) -> str:
    """Blue for positive, vermilion for negative, the paler the nearer to 0."""
    return tint("#00568a" if r > 0 else "#b34700", min(abs(r), 1.0))


def _ramp(x: float, y: float) -> list[str]:
    parts = [
        rectangle(x + 10 * k, y, 10, 12, _diverging(float(r)))
        for k, r in enumerate(np.linspace(-1, 1, 21))
    ]
    for r, words in ((-1, "−1"), (0, "0"), (1, "1")):
        parts.append(text(x + 105 + 100 * r, y + 27, words, size=11, anchor="middle", fill=GREY))
    return parts
