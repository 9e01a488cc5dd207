"""Charts of two scales: lines with bands, points with whiskers, histograms."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from numpy.typing import NDArray

from commonweal.chart.theme import (
    BLUE,
    INK,
    LINE,
    PALE,
    QUIET,
    Axis,
    Mark,
    svg,
    text,
    width_of,
)
from commonweal.document.model import Chart

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from commonweal.document.model import TableData

    Place: TypeAlias = Callable[[float], float]


Floats: TypeAlias = NDArray[np.float64]

WIDTH, _TALL, _TOP, _BOTTOM, _RIGHT = 640.0, 270.0, 28.0, 24.0, 16.0


@dataclass(frozen=True, slots=True)
class Line:
    """A line through points."""

    x: Floats
    y: Floats
    width: float = 2.5
    colour: str = BLUE

    def drawn(self, across: Place, up: Place) -> Iterator[str]:
        """Draw it."""
        yield (
            f'<path d="M{_path(self.x, self.y, across, up)}" fill="none" stroke="{self.colour}" '
            f'stroke-width="{self.width:g}"/>'
        )


@dataclass(frozen=True, slots=True)
class Band:
    """What lies between two lines."""

    x: Floats
    low: Floats
    high: Floats

    def drawn(self, across: Place, up: Place) -> Iterator[str]:
        """Draw it."""
        there = _path(self.x, self.high, across, up)
        back = _path(self.x[::-1], self.low[::-1], across, up)
        yield f'<path d="M{there}L{back}z" fill="{PALE}"/>'


@dataclass(frozen=True, slots=True)
class Points:
    """Points: of a mark, or one each; of a size each; some with a name; some with a whisker up or down to a value."""

    x: Floats
    y: Floats
    marks: Sequence[Mark]
    sizes: Floats | None = None
    names: Mapping[int, str] | None = None
    whiskers: Floats | None = None

    def drawn(self, across: Place, up: Place) -> Iterator[str]:
        """Draw them, and the names above all."""
        at = [(across(a), up(b)) for a, b in zip(self.x, self.y, strict=True)]
        for k, (x, y) in enumerate(at):
            if self.whiskers is not None:
                end = up(self.whiskers[k])
                yield f'<path d="M{x:.1f} {y:.1f}V{end:.1f}M{x - 5:.1f} {end:.1f}h10" stroke="{INK}" fill="none"/>'
            size = None if self.sizes is None else round(float(self.sizes[k]), 1)
            yield self.marks[k % len(self.marks)].at(x, y, size)
        for k, name in (self.names or {}).items():
            x, y = at[k]
            left = x + 8 + width_of(name, 12) > WIDTH - 4
            yield text(
                x - 8 if left else x + 8, y + 4, name, 12, "end" if left else "start", halo=True
            )


@dataclass(frozen=True, slots=True)
class Columns:
    """Columns of a histogram that stand on the lower axis, between edges."""

    edges: Floats
    heights: Floats
    styles: Sequence[str]

    def drawn(self, across: Place, up: Place) -> Iterator[str]:
        """Draw them."""
        ends = zip(self.edges[:-1], self.edges[1:], self.heights, self.styles, strict=True)
        for start, end, height, style in ends:
            x, wide, y = across(start) + 0.75, across(end) - across(start) - 1.5, up(height)
            yield (
                f'<rect x="{x:.1f}" y="{y:.1f}" width="{max(wide, 0.5):.1f}" height="{up(0) - y:.1f}" {style}/>'
            )


@dataclass(frozen=True, slots=True)
class Level:
    """An upright line at a value, with words at its top."""

    x: float
    words: str

    def drawn(self, across: Place, up: Place) -> Iterator[str]:  # noqa: ARG002
        """Draw it from the top of the drawing to just below the axis."""
        x = across(self.x)
        yield f'<path d="M{x:.1f} {_TOP - 8:g}V{_TOP + _TALL + 4:g}" stroke="{INK}" stroke-width="1.5"/>'
        yield text(x, _TOP - 12, self.words, 12, "middle")


Layer: TypeAlias = Line | Band | Points | Columns | Level


# Wide: half of them are what a Chart says of itself.
def line_chart(
    id_: str,
    title: str,
    about: str,
    layers: Sequence[Layer],
    numbers: TableData,
    vega: Mapping[str, object],
    x: Axis,
    y: Axis,
) -> Chart:
    """Draw `layers` above one another, from the back; the rest is as in `commonweal.document.model.Chart`."""
    left = 12 + max((width_of(words, 11.5) for _, words in y.ticks), default=0.0)
    floor = _TOP + _TALL
    across, up = x.along(left, WIDTH - _RIGHT), y.along(floor, _TOP)
    parts = [text(2, 14, y.title, 12)] if y.title else []
    for value, words in y.ticks:
        parts.append(f'<path d="M{left:.1f} {up(value):.1f}H{WIDTH - _RIGHT:g}" stroke="{LINE}"/>')
        parts.append(text(left - 7, up(value) + 4, words, 11.5, "end", QUIET))
    if not y.ticks:
        parts.append(f'<path d="M{left:.1f} {floor:g}H{WIDTH - _RIGHT:g}" stroke="{INK}"/>')
    parts += _below(x, across, floor)
    for layer in layers:
        parts += layer.drawn(across, up)
    height = floor + _BOTTOM
    if x.title:
        height += 20
        parts.append(text((left + WIDTH - _RIGHT) / 2, height - 8, x.title, 12, "middle"))
    return Chart(id_, title, about, svg(id_, title, about, WIDTH, height, parts), numbers, vega)


def _below(axis: Axis, across: Place, floor: float) -> Iterator[str]:
    """Write the words of the lower axis inside the drawing, where they do not meet."""
    free = 0.0
    for value, words in axis.ticks:
        half = width_of(words, 11.5) / 2
        x = min(max(across(value), half + 2), WIDTH - 2 - half)
        if x - half >= free:
            yield f'<path d="M{across(value):.1f} {floor:g}v4" stroke="{QUIET}"/>'
            yield text(x, floor + 17, words, 11.5, "middle", QUIET)
            free = x + half + 12


def _path(x: Floats, y: Floats, across: Place, up: Place) -> str:
    return "L".join(f"{across(a):.1f} {up(b):.1f}" for a, b in zip(x, y, strict=True))
