"""Maps: ground, areas, points, names where there is room, a legend and a scale bar."""

from __future__ import annotations

from itertools import pairwise
from textwrap import wrap
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from commonweal.chart.theme import INK, PAPER, QUIET, Mark, said, svg, swatch, text, width_of
from commonweal.document.model import Chart

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from commonweal.chart.outlines import Box, Floats, Outlines
    from commonweal.document.model import TableData


WIDTH, HEIGHT = 440.0, 500.0
BORDER = "#9aa5ae"
_LINE = 20.0


class Frame:
    """From metres to units of a drawing; what is left over of a box goes to both sides."""

    def __init__(self, box: Box, width: float, height: float, left: float = 0, top: float = 0):
        west, south, east, north = box
        self.scale = min(width / max(east - west, 1.0), height / max(north - south, 1.0))
        self.box, self.width, self.height = box, width, height
        self._x = left + (width - (east - west) * self.scale) / 2 - west * self.scale
        self._y = top + (height - (north - south) * self.scale) / 2 + north * self.scale

    def at(self, points: Floats) -> Floats:
        """(n, 2) units from left and top."""
        return np.column_stack(
            [points[:, 0] * self.scale + self._x, self._y - points[:, 1] * self.scale]
        )

    def seen(self) -> Box:
        """Give the box that the drawing shows, in metres: its own, and what is left over at the sides."""
        west, south, east, north = self.box
        wide = (self.width / self.scale - (east - west)) / 2
        tall = (self.height / self.scale - (north - south)) / 2
        return west - wide, south - tall, east + wide, north + tall

    def paths(self, shapes: Outlines, slack: float = 0.4) -> list[str]:
        """Outline of each shape as the data of a path; `slack` is by how many units it may be off."""
        import shapely

        simple = shapely.simplify(np.atleast_1d(shapes), slack / self.scale)
        parts, shape_of = shapely.get_parts(simple, return_index=True)
        rings, part_of = shapely.get_rings(parts, return_index=True)
        points, ring_of = shapely.get_coordinates(rings, return_index=True)
        units = np.rint(self.at(points) * 10).astype(np.int64)
        ends = np.searchsorted(ring_of, np.arange(len(rings) + 1)).tolist()
        found = [""] * len(simple)
        owner = shape_of[part_of].tolist()
        for ring, (first, last) in enumerate(pairwise(ends)):
            steps = np.diff(units[first:last], axis=0)
            steps = steps[(steps != 0).any(axis=1)]
            if len(steps) < 3:
                continue  # a speck that rounds to nothing
            line = " ".join(f"{a / 10:g} {b / 10:g}" for a, b in steps[:-1].tolist())
            x, y = units[first].tolist()
            found[owner[ring]] += f"M{x / 10:g} {y / 10:g}l{line}z"
        return found

    def drawn(self, shapes: Outlines, style: str, slack: float = 0.4) -> list[str]:
        """Draw outlines in one style, each by itself."""
        return [f'<path d="{path}" {style}/>' for path in self.paths(shapes, slack) if path]

    def lines(self, shape: object, style: str, slack: float = 0.4) -> str:
        """Draw lines that are not closed, such as an edge cut off at the frame."""
        import shapely

        parts = []
        for part in shapely.get_parts(shapely.simplify(shape, slack / self.scale)):
            units = self.at(shapely.get_coordinates(part))
            if len(units) > 1:
                parts.append("M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in units.tolist()))
        return f'<path d="{"".join(parts)}" {style}/>' if parts else ""

    def scale_bar(self, right: float, y: float) -> tuple[str, float]:
        """Draw a bar of 1, 2 or 5 times a power of ten, about a quarter of the width; and where it starts."""
        wanted = 0.28 * self.width / self.scale
        power = 10 ** np.floor(np.log10(wanted))
        metres = float(max(k * power for k in (1, 2, 5) if k * power <= wanted))
        units = metres * self.scale
        words = f"{metres / 1000:,g} km" if metres >= 1000 else f"{metres:g} m"
        left = right - units
        bar = (
            f'<path d="M{left:.1f} {y - 5:.1f}v5h{units:.1f}v-5" fill="none" stroke="{INK}" '
            f'stroke-width="1.5"/>{text(left - 6, y, words, 12, "end")}'
        )
        return bar, left - 6 - width_of(words, 12)


def border(x: float, y: float, width: float, height: float, fill: str = "none") -> str:
    """Draw the edge of a map, or of a smaller one in its corner."""
    return (
        f'<rect x="{x + 0.5:g}" y="{y + 0.5:g}" width="{width - 1:g}" height="{height - 1:g}" '
        f'fill="{fill}" stroke="{BORDER}"/>'
    )


class Name(NamedTuple):
    """A name on a map, in the middle of what it names; `inside` is written white on dark."""

    x: float
    y: float
    words: str
    size: float = 11
    colour: str = QUIET
    bold: bool = False
    inside: bool = False


class Map:
    """A map of a `box` (in metres) that is being drawn, from the ground up; `hug` makes it narrower or lower."""

    def __init__(
        self, id_: str, box: Box, width: float = WIDTH, height: float = HEIGHT, hug: bool = False
    ) -> None:
        west, south, east, north = box
        if hug:
            scale = min(width / (east - west), height / (north - south))
            height = round((north - south) * scale)
        self.id, self.width, self.height = id_, width, height
        self.frame = Frame(box, width, height)
        self._parts = [f'<rect width="{width:g}" height="{height:g}" fill="{PAPER}"/>']
        self._taken: list[Box] = []

    def add(self, *parts: str) -> None:
        """Add what is drawn otherwise."""
        self._parts += parts

    def areas(self, shapes: Outlines | Sequence[object], style: str, slack: float = 0.4) -> None:
        """Draw areas in one style."""
        self._parts += self.frame.drawn(np.asarray(shapes, dtype=object), style, slack)

    def points(
        self, points: Floats, mark: Mark, r: float | None = None, titles: Sequence[str] = ()
    ) -> None:
        """Draw (n, 2) points; titles are shown where one points at them. Those not known are left out."""
        for k, (x, y) in enumerate(self.frame.at(points).tolist()):
            if np.isfinite(x):
                inside = f"<title>{said(titles[k])}</title>" if titles else ""
                self._parts.append(mark.at(x, y, r, inside))

    def keep_free(self, *boxes: Box) -> None:
        """Keep names out of boxes: left, top, right and bottom, in units."""
        self._taken += boxes

    def names(self, names: Iterable[Name]) -> None:
        """Write names where they meet neither each other nor the edge; the first is moved away from the edge."""
        for k, name in enumerate(names):
            half = width_of(name.words, name.size, name.bold) / 2
            if k == 0:
                size = min(name.size, name.size * (self.width / 2 - 3) / half)
                half *= size / name.size
                x = min(max(name.x, half + 3), self.width - half - 3)
                name = name._replace(x=x, size=size)
            box = name.x - half, name.y - name.size * 0.75, name.x + half, name.y + name.size * 0.75
            outside = (
                box[0] < 3 or box[2] > self.width - 3 or box[1] < 3 or box[3] > self.height - 3
            )
            if k > 0 and (outside or any(_meet(box, other) for other in self._taken)):
                continue
            self._taken.append(box)
            colour = PAPER if name.inside else name.colour
            self._parts.append(
                text(
                    name.x,
                    name.y + 4,
                    name.words,
                    name.size,
                    "middle",
                    colour,
                    name.bold,
                    not name.inside,
                )
            )

    # Wide: half of them are what a Chart says of itself.
    def chart(
        self,
        title: str,
        about: str,
        numbers: TableData,
        vega: Mapping[str, object],
        legend: Sequence[tuple[Mark | str, str]] = (),
        foot: str = "",
    ) -> Chart:
        """Finish it: cut at its frame, with a legend and a scale bar below.

        `foot` stands at the very end where it is to be a picture by itself, which then has its title too.
        """
        wide, y = self.width, self.height + 16
        parts = [
            f'<defs><clipPath id="{self.id}-frame"><rect width="{wide:g}" height="{self.height:g}"/></clipPath></defs>'
            f'<g clip-path="url(#{self.id}-frame)">{"".join(self._parts)}</g>'
        ]
        bar, start = self.frame.scale_bar(wide - 2, y)
        parts.append(bar)
        if any(24 + width_of(words, 12.5) > start for _, words in legend):
            y += _LINE
        for mark, words in legend:
            parts += [swatch(mark, 3, y), text(24, y, words)]
            y += _LINE
        y = max(y - _LINE, self.height + 16) + 8
        if foot:
            heads = wrap(title, int(wide / width_of("m", 17, bold=True)))
            parts = [
                *(text(0, 18 + 22 * k, line, 17, bold=True) for k, line in enumerate(heads)),
                f'<g transform="translate(0 {22 * len(heads) + 8})">{"".join(parts)}</g>',
                text(0, y + 22 * len(heads) + 26, foot, 11, fill=QUIET),
            ]
            y += 22 * len(heads) + 34
        drawn = svg(self.id, title, about, wide, y, parts, "map")
        return Chart(self.id, title, about, drawn, numbers, vega)


def _meet(a: Box, b: Box) -> bool:
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]
