"""The map as a picture: every area in the colour of its class, with a key that says how many."""

from __future__ import annotations

from itertools import pairwise
from textwrap import wrap
from typing import TYPE_CHECKING

import numpy as np
import shapely

from commonweal.document.chart.canvas import QUIET, svg, text
from commonweal.web.tiles import shapes_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from commonweal.web.explorer import Explorer
    from commonweal.web.layers import Layer

__all__ = ["map_svg"]

TALL = 1200.0
"""Units from top to bottom of the map itself."""
_MOST_WIDE = 1600.0
_LEAST_WIDE = 720.0
_KEY = 34
_MOST_EDGED = 5000
"""Areas; of more, edges would cover what they are the edges of."""


def map_svg(explorer: Explorer, layer: Layer) -> str:
    """Draw the map of a layer.

    Returns
    -------
    str
        An ``svg`` element with a title, a description and a key. Areas have edges where they are few enough to
        be told apart; where the layer marks areas, each has a dot as well.
    """
    rows, shapes = shapes_of(explorer.results)
    rows, shapes = rows[explorer.focus[rows]], shapes[explorer.focus[rows]]
    drawing = _Drawing(shapes)
    letters = np.frombuffer(layer.letters.encode("ascii"), dtype=np.uint8)
    many = len(rows) > _MOST_EDGED
    paths = drawing.paths(shapes, 0 if many else 1)
    parts = []
    for one in layer.classes:
        edge = (
            f'stroke="{one.colour}" stroke-width="0.6"'
            if many
            else 'stroke="#7d8891" stroke-width="0.8"'
        )
        of_class = "".join(paths[letters[rows] == ord(one.letter)])
        parts.append(f'<path d="{of_class}" fill="{one.colour}" {edge} stroke-linejoin="round"/>')
    if len(explorer.results.outline) and not explorer.results.study.focus:
        lines = shapely.from_wkb(explorer.results.outline["geometry"].drop_nulls().to_list())
        edges = "".join(drawing.paths(shapely.simplify(lines, 0.002), 0))
        parts.append(f'<path d="{edges}" fill="none" stroke="{QUIET}" stroke-width="0.7"/>')
    if many:
        parts += _dots(explorer, layer, letters, drawing)
    return _framed(explorer, layer, parts, drawing.wide)


def _dots(
    explorer: Explorer, layer: Layer, letters: NDArray[np.uint8], drawing: _Drawing
) -> Iterator[str]:
    colours = {ord(c.letter): c.colour for c in layer.classes}
    for row in layer.marked.tolist():
        if row in explorer.points:
            x, y = shapely.get_coordinates(
                drawing.fitted(np.array([shapely.Point(explorer.points[row])]))
            )[0]
            colour = colours[int(letters[row])]
            yield f'<circle cx="{x:.0f}" cy="{y:.0f}" r="5" fill="{colour}" stroke="#fff"/>'


def _framed(explorer: Explorer, layer: Layer, parts: list[str], wide: float) -> str:
    """Put title, key and source around a map."""
    lines = wrap(layer.title, int(max(wide, _LEAST_WIDE) / 17))
    top = 34 * len(lines) + 22
    heads = [text(0, 28 + 34 * k, line, 26, bold=True) for k, line in enumerate(lines)]
    for k, one in enumerate(layer.classes):
        y = top + _KEY * k
        heads.append(
            f'<rect x="2" y="{y - 16}" width="26" height="20" fill="{one.colour}" stroke="{QUIET}"/>'
        )
        heads.append(text(40, y, f"{one.label}: {one.areas:,}", 20))
    top += _KEY * len(layer.classes)
    note = explorer.results.study.briefing.note
    foot = "Fictional. " if "fictional" in note.casefold() else ""
    foot += f"{explorer.results.study.title}. Made with Commonweal."
    body = f'<g transform="translate(0 {top})">{"".join(parts)}</g>'
    about = "; ".join(f"{c.label}: {c.areas:,}" for c in layer.classes)
    source = text(0, top + TALL + 36, foot, 16, fill=QUIET)
    return svg(
        "map", layer.title, about, max(wide, _LEAST_WIDE), top + TALL + 50, [*heads, body, source]
    )


class _Drawing:
    """From degrees to units, in Mercator's projection as on the page."""

    def __init__(self, shapes: NDArray[np.object_]) -> None:
        west, south, east, north = shapely.total_bounds(shapes)
        (left, right), (bottom, top) = np.radians([west, east]), _north(np.array([south, north]))
        self.scale = float(
            min(TALL / max(top - bottom, 1e-9), _MOST_WIDE / max(right - left, 1e-9))
        )
        self.left, self.top = left, top
        self.wide = float((right - left) * self.scale)

    def fitted(self, shapes: NDArray[np.object_]) -> NDArray[np.object_]:
        """Give shapes in units from left and top."""
        found: NDArray[np.object_] = shapely.transform(
            shapes,
            lambda c: np.column_stack(
                [
                    (np.radians(c[:, 0]) - self.left) * self.scale,
                    (self.top - _north(c[:, 1])) * self.scale,
                ]
            ),
        )
        return found

    def paths(self, shapes: NDArray[np.object_], digits: int) -> NDArray[np.object_]:
        """(n_shapes,) the outline of each as a path; a point is a small circle."""
        fitted = self.fitted(shapes)
        parts, shape_of = shapely.get_parts(fitted, return_index=True)
        rings, part_of = shapely.get_rings(parts, return_index=True)
        units, ring_of = shapely.get_coordinates(rings, return_index=True)
        units = np.round(units, digits)
        keep = (
            np.r_[True, (np.diff(units, axis=0) != 0).any(axis=1) | (np.diff(ring_of) != 0)]
            if len(units)
            else []
        )
        units, ring_of = units[keep], ring_of[keep]
        said = [f"{x:g} {y:g}" for x, y in units.tolist()]
        ends = np.searchsorted(ring_of, np.arange(len(rings) + 1)).tolist()
        found = np.full(len(shapes), "", dtype=object)
        for ring, (first, last) in enumerate(pairwise(ends)):
            if last - first > 2:  # fewer are a speck that rounds to nothing
                found[shape_of[part_of[ring]]] += f"M{'L'.join(said[first:last])}z"
        for k in np.flatnonzero(shapely.get_dimensions(fitted) == 0):
            x, y = shapely.get_coordinates(fitted[k])[0]
            found[k] = f"M{x - 2:.1f} {y:.1f}a2 2 0 1 0 4 0a2 2 0 1 0 -4 0z"
        return found


def _north(degrees: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.arcsinh(np.tan(np.radians(degrees)))
