"""Charts in rows: bars, stacked shares, dots with intervals, before and after."""

from __future__ import annotations

from dataclasses import dataclass
from textwrap import wrap
from typing import TYPE_CHECKING, NamedTuple

from commonweal.chart.theme import (
    BLUE,
    INK,
    PAPER,
    QUIET,
    SHADE,
    Axis,
    Mark,
    fitted,
    grid,
    key,
    svg,
    text,
    width_of,
)
from commonweal.document.model import Chart

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from commonweal.document.model import TableData


WIDTH = 640.0
_LABELS = 228.0
"""Most that labels take of the width; longer ones go on over a second line."""
_ROW, _SECOND, _BAR, _HEAD = 22.0, 13.0, 13.0, 27.0
_GAP, _TOLD = 10.0, 7.0


class Bar(NamedTuple):
    """A stretch of a row, and its fill."""

    start: float
    end: float
    style: str


class Upright(NamedTuple):
    """A value that every row is compared with, and what is written below its line."""

    value: float
    words: str = ""
    dashed: bool = False


@dataclass(frozen=True, slots=True)
class Row:
    """A row of a chart."""

    label: str
    bars: tuple[Bar, ...] = ()  # its bars, in the order in which they are drawn
    marks: tuple[tuple[float, Mark], ...] = ()
    span: tuple[float, float] | None = None  # an interval, or a change from one end to the other
    # before, after: words at the left and at the right end of what is drawn
    before: str = ""
    after: str = ""
    note: str = ""  # words in place of a drawing
    heading: str = ""  # what it and its neighbours are of: written above the first of them
    strong: bool = False  # whether the rows after it are parts of it

    def ends(self) -> tuple[float, float]:
        """Give the least and the most that it draws."""
        drawn = [v for bar in self.bars for v in (bar.start, bar.end)]
        drawn += [v for v, _ in self.marks]
        drawn += self.span or ()
        return (min(drawn), max(drawn)) if drawn else (0.0, 0.0)


# Wide: half of them are what a Chart says of itself.
def row_chart(
    id_: str,
    title: str,
    about: str,
    rows: Sequence[Row],
    numbers: TableData,
    vega: Mapping[str, object],
    axis: Axis | None = None,
    keys: Sequence[tuple[Mark | str, str]] = (),
    lines: Sequence[Upright] = (),
    shade: tuple[float, float] | None = None,
) -> Chart:
    """Draw rows below each other on one scale; without an axis, on one that begins at 0 and is not written."""
    ends = [row.ends() for row in rows]
    if axis is None:
        low, high = min(0.0, *(a for a, _ in ends)), max(0.0, *(b for _, b in ends))
        axis = Axis(low, high if high > low else low + 1.0)
    nested = any(row.heading or row.strong for row in rows)
    labels = max(_label_width(row, nested) for row in rows) + _GAP
    left = labels + max(width_of(row.before, 12) + _TOLD if row.before else 0.0 for row in rows)
    at = axis.along(left, _right(rows, ends, axis, left))
    parts, top = key(keys, WIDTH)
    top += 22.0 if any(words for _, words in axis.ticks) else 6.0
    body, bottom = _rows(rows, top, at, labels, nested)
    if shade is not None:
        x, wide = at(shade[0]), at(shade[1]) - at(shade[0])
        parts.append(
            f'<rect x="{x:.1f}" y="{top:.1f}" width="{wide:.1f}" height="{bottom - top:.1f}" '
            f'fill="{SHADE}"/>'
        )
    parts += [*grid(axis, at, top, bottom), *_uprights(lines, at, top, bottom), *body]
    bottom += 16 if any(line.words for line in lines) else 0
    if axis.title:
        bottom += 18
        parts.append(text((left + at(axis.high)) / 2, bottom - 2, axis.title, 12, "middle", QUIET))
    drawn = svg(id_, title, about, WIDTH, bottom + 6, parts)
    return Chart(id_, title, about, drawn, numbers, vega)


def _label_width(row: Row, nested: bool) -> float:
    indent = 16.0 if nested and not row.strong else 4.0
    return indent + max(width_of(line, bold=row.strong) for line in _lines(row))


def _lines(row: Row) -> list[str]:
    """Break a label where it is long, in the middle; what is longer than two lines is cut."""
    if width_of(row.label, bold=row.strong) <= _LABELS:
        return [row.label]
    most = int(_LABELS / width_of("n", bold=row.strong))
    first, *rest = wrap(row.label, min(max(len(row.label) // 2 + 4, 12), most))
    return [first, fitted(" ".join(rest), _LABELS)] if rest else [fitted(first, _LABELS)]


def _right(
    rows: Sequence[Row], ends: Sequence[tuple[float, float]], axis: Axis, left: float
) -> float:
    """Find where the scale may end so that what stands after bars and marks is not cut off."""
    room = [(axis.high, 10.0), *((v, width_of(w, 11.5) / 2 + 5) for v, w in axis.ticks)]
    room += [
        (high, width_of(row.after, 12) + _TOLD + 8)
        for row, (_, high) in zip(rows, ends, strict=True)
        if row.after
    ]
    span = axis.high - axis.low
    units = [(WIDTH - left - wide) * span / (v - axis.low) for v, wide in room if v > axis.low]
    return left + min(units)


def _rows(
    rows: Sequence[Row], top: float, at: Callable[[float], float], labels: float, nested: bool
) -> tuple[list[str], float]:
    """Draw the rows, and give where they end."""
    parts = []
    y, heading = top, ""
    for row in rows:
        if row.heading and row.heading != heading:
            heading, y = row.heading, y + _HEAD
            parts.append(text(4, y - 7, heading, bold=True, halo=True))
        lines = _lines(row)
        height = _ROW + _SECOND * (len(lines) - 1)
        if row.strong:
            parts.append(f'<path d="M4 {y:.1f}h{WIDTH - 8:g}" stroke="{INK}" stroke-width="0.8"/>')
        x, anchor = (4.0 if row.strong else 16.0, "start") if nested else (labels - _GAP, "end")
        for k, line in enumerate(lines):
            base = y + height / 2 + 4.5 + _SECOND * (k - (len(lines) - 1) / 2)
            parts.append(text(x, base, line, 12.5, anchor, bold=row.strong))
        parts += _drawn(row, y + height / 2, at, labels)
        y += height
    return parts, y + 4


def _drawn(row: Row, y: float, at: Callable[[float], float], left: float) -> Iterator[str]:
    if row.note:
        yield text(left + 4, y + 4, row.note, 11.5, fill=QUIET)
        return
    for start, end, style in row.bars:
        if start == end:
            continue
        a, b = sorted((at(start), at(end)))
        if b - a < 3:  # its white edge would hide it
            style = style.replace(f' stroke="{PAPER}"', "")
        yield (
            f'<rect x="{a:.1f}" y="{y - _BAR / 2:.1f}" width="{max(b - a, 0.8):.1f}" '
            f'height="{_BAR:g}" {style}/>'
        )
    if row.span is not None:
        low, high = (at(value) for value in row.span)
        line = f'd="M{low:.1f} {y:.1f}H{high:.1f}'
        if row.bars:
            yield f'<path {line}" stroke="{PAPER}" stroke-width="4.5"/>'
            caps = f"M{low:.1f} {y - 4:.1f}v8M{high:.1f} {y - 4:.1f}v8"
            yield f'<path {line}{caps}" stroke="{INK}" stroke-width="1.6"/>'
        else:
            style = 'stroke-width="4" stroke-opacity="0.4" stroke-linecap="round"'
            yield f'<path {line}" stroke="{BLUE}" {style}/>'
    for value, mark in row.marks:
        yield mark.at(at(value), y)
    low, high = (at(v) for v in row.ends())
    push = 3.0 if row.marks else 0.0
    if row.before:
        yield text(low - _TOLD - push, y + 4.5, row.before, 12, "end", halo=True)
    if row.after:
        yield text(high + _TOLD + push, y + 4.5, row.after, 12, halo=True)


def _uprights(
    lines: Sequence[Upright], at: Callable[[float], float], top: float, bottom: float
) -> Iterator[str]:
    for value, words, dashed in lines:
        style = f'stroke="{QUIET}" stroke-width="1.6"' + (
            ' stroke-dasharray="5 3"' if dashed else ""
        )
        yield f'<path d="M{at(value):.1f} {top:.1f}V{bottom:.1f}" {style}/>'
        if words:
            yield text(at(value), bottom + 14, words, 12, "middle", QUIET)
