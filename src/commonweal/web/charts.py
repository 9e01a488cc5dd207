"""The explorer's charts, and the map's outlines and pictures: as SVG, PNG and GeoJSON."""

from __future__ import annotations

from itertools import pairwise
from textwrap import wrap
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely

from commonweal.document.chart import (
    AUTHORITY,
    INK,
    LINE,
    OTHER,
    PEER,
    PLACE,
    QUIET,
    REGION,
    svg,
    text,
)
from commonweal.document.pdf import papers
from commonweal.report.place.charts import rows_of, strand_chart
from commonweal.report.study.larger_areas import tiers
from commonweal.study.postcodes import shapes_of
from commonweal.web.tables import as_json

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from commonweal.report.place import Place
    from commonweal.study.results import Results
    from commonweal.web.explorer import Explorer
    from commonweal.web.view import Layer


_LEFT, _PLOT, _ROW, _KEY = 248.0, 340.0, 25.0, 20.0
_COLOURS = (PLACE, OTHER, PEER, AUTHORITY, REGION)


def strands_chart(place: Place) -> str:
    """Draw how an area compares on each index and domain with its peers and larger areas."""
    return strand_chart("strands", place.name, place.kinds, place.standings).svg


def compare_chart(places: Sequence[Place]) -> str:
    """Draw up to five areas on each index and domain."""
    rows = [rows_of(p.standings) for p in places]
    top = 14 + _KEY * ((len(places) + 1) // 2) + 22
    parts = []
    for k, place in enumerate(places):
        x, y = 8 + 300 * (k % 2), 14 + _KEY * (k // 2)
        parts += [_mark(k, x + 6, y - 4), text(x + 20, y, _short(place.name, 38), 12)]
    bottom = top + _ROW * len(rows[0])
    for share in (0.0, 0.25, 0.5, 0.75, 1.0):
        colour, wide = (QUIET, 1.6) if share == 0.5 else (LINE, 1)
        parts.append(
            f'<path d="M{_x(share):.1f} {top:g}V{bottom:g}" stroke="{colour}" stroke-width="{wide}"/>'
        )
    for share, words, anchor in (
        (0.0, "least need", "start"),
        (0.5, "median", "middle"),
        (1.0, "most need", "end"),
    ):
        parts.append(text(_x(share), top - 8, words, 11.5, anchor, QUIET))
    for number, (standing, is_index) in enumerate(rows[0]):
        y = top + _ROW * (number + 0.5)
        if is_index:
            parts.append(
                f'<path d="M8 {y - _ROW / 2:g}H{_LEFT + _PLOT:g}" stroke="{INK}" stroke-width="0.8"/>'
            )
        parts.append(
            text(8 if is_index else 20, y + 4.5, _short(standing.label, 34), 12.5, bold=is_index)
        )
        for k in reversed(range(len(places))):
            at = rows[k][number][0].worse_than
            if at is not None:
                parts.append(_mark(k, _x(at), y))
    kinds = places[0].kinds
    about = f"Each row is one measure. Further right is worse: a larger share of {kinds} are better off."
    names = ", ".join(p.name for p in places)
    return svg(
        "compare", f"How they compare: {names}", about, _LEFT + _PLOT + 12, bottom + 6, parts
    )


def _x(share: float) -> float:
    return _LEFT + share * _PLOT


def _short(words: str, most: int) -> str:
    return words if len(words) <= most else f"{words[: most - 1].rstrip()}…"


def _mark(k: int, x: float, y: float) -> str:
    """Draw the mark of the k-th place: dot, square, diamond, triangle, ring."""
    line = f'fill="{"#fff" if k == 4 else _COLOURS[k]}" stroke="{_COLOURS[k]}" stroke-width="2"'
    shapes = (
        f'<circle cx="{x:.1f}" cy="{y:.1f}" r="5.5" ',
        f'<rect x="{x - 4.5:.1f}" y="{y - 4.5:.1f}" width="9" height="9" ',
        f'<path d="M{x:.1f} {y - 6:.1f}l6 6l-6 6l-6 -6z" ',
        f'<path d="M{x:.1f} {y - 5.5:.1f}l5.5 9.5h-11z" ',
        f'<circle cx="{x:.1f}" cy="{y:.1f}" r="5" ',
    )
    return f"{shapes[k]}{line}/>"


def png_of(drawing: str, ppi: float = 200) -> bytes:
    """Make a PNG picture of a drawing."""
    with papers() as made:
        return made["picture"].png(drawing, ppi)


_SLACK_DEGREES = 0.001


def outline_of(results: Results) -> bytes:
    """Give outlines as lines and, for every kind of larger area, names as points."""
    return as_json({"type": "FeatureCollection", "features": [*_lines(results), *_names(results)]})


def _lines(results: Results) -> Iterator[dict[str, Any]]:
    import shapely

    shapes = shapely.from_wkb(results.outline["geometry"].drop_nulls().to_list())
    for shape in shapely.simplify(shapes, _SLACK_DEGREES):
        parts = [
            np.round(shapely.get_coordinates(ring), 4).tolist()
            for ring in shapely.get_rings(shapely.get_parts(shape))
        ]
        if parts:
            yield _feature({"type": "MultiLineString", "coordinates": parts}, {"kind": "outline"})


def _names(results: Results) -> Iterator[dict[str, Any]]:
    table = results.areas.table
    lon, lat = (
        table[c].cast(float).fill_null(np.nan).to_numpy() for c in ("longitude", "latitude")
    )
    people = np.nan_to_num(results.areas.population, nan=1.0)
    for number, tier in enumerate(tiers(results)):
        names = np.array(table[f"{tier.key}_name"].fill_null("").to_list())
        for name in sorted(set(names.tolist()) - {""}):
            at = (names == name) & np.isfinite(lon)
            if not at.any():
                continue
            weight = np.maximum(people[at], 1.0)
            middle = [round(float(np.average(v[at], weights=weight)), 4) for v in (lon, lat)]
            told = {"kind": "name", "name": name, "tier": number, "people": int(people[at].sum())}
            yield _feature({"type": "Point", "coordinates": middle}, told)


def _feature(geometry: dict[str, Any], properties: dict[str, Any]) -> dict[str, Any]:
    return {"type": "Feature", "geometry": geometry, "properties": properties}


TALL = 1200.0
"""Units from top to bottom of the map itself."""
_MOST_WIDE = 1600.0
_LEAST_WIDE = 720.0
_MAP_KEY = 34
_MOST_EDGED = 5000
"""Areas; of more, edges would cover what they are the edges of."""


def map_svg(explorer: Explorer, layer: Layer) -> str:
    """Draw the map of a layer."""
    rows, shapes = shapes_of(explorer.results.areas, explorer.results.boundaries)
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
        y = top + _MAP_KEY * k
        heads.append(
            f'<rect x="2" y="{y - 16}" width="26" height="20" fill="{one.colour}" stroke="{QUIET}"/>'
        )
        heads.append(text(40, y, f"{one.label}: {one.areas:,}", 20))
    top += _MAP_KEY * len(layer.classes)
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
