"""The explorer's charts, and the map's outlines and pictures: as SVG, PNG and GeoJSON."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
import shapely

from commonweal.chart.map import Map, Projector, bounds_of, degrees_of, padded
from commonweal.chart.theme import QUIET, Mark, solid
from commonweal.chart.vega import bars
from commonweal.document.model import TableData
from commonweal.document.pdf import printer
from commonweal.report.place.charts import domain_chart
from commonweal.report.study.larger_areas import tiers
from commonweal.study.postcodes import shapes_of
from commonweal.web.tables import as_json

if TYPE_CHECKING:
    from collections.abc import Iterator

    from commonweal.report.place import Place
    from commonweal.study.results import Results
    from commonweal.web.explorer import Explorer
    from commonweal.web.view import Layer


def domains_chart(place: Place) -> str:
    """Draw how an area compares on each index and domain with its peers and larger areas."""
    return domain_chart("domains", place.name, place.kinds, place.standings).svg


def png_of(drawing: str, ppi: float = 200) -> bytes:
    """Make a PNG picture of a drawing."""
    with printer() as made:
        return made.png(drawing, ppi)


_SLACK_DEGREES = 0.001


def outline_of(results: Results) -> bytes:
    """Give outlines as lines and, for every kind of larger area, names as points."""
    return as_json({"type": "FeatureCollection", "features": [*_lines(results), *_names(results)]})


def _lines(results: Results) -> Iterator[dict[str, Any]]:
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
    lon, lat = degrees_of(results.areas)
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


_WIDE, _TALL = 640.0, 680.0
_MOST_EDGED = 5000
"""Areas; of more, edges would cover what they are the edges of."""


def map_svg(explorer: Explorer, layer: Layer) -> str:
    """Draw the map of a layer, to be a picture by itself."""
    results = explorer.results
    rows, shapes = shapes_of(results.areas, results.boundaries)
    rows, shapes = rows[explorer.focus[rows]], shapes[explorer.focus[rows]]
    middles = shapely.centroid(shapes)
    projector = Projector(shapely.get_x(middles), shapely.get_y(middles))
    shapes = projector.shapes(shapes)
    drawing = Map("map", padded(bounds_of(np.empty((0, 2)), shapes), 0.01), _WIDE, _TALL, hug=True)
    letters = np.frombuffer(layer.letters.encode("ascii"), dtype=np.uint8)[rows]
    alone = shapely.get_dimensions(shapes) == 0
    many = len(rows) > _MOST_EDGED
    for one in layer.classes:
        edge = one.colour if many else "#7d8891"
        here = letters == ord(one.letter)
        drawing.areas(
            shapes[here & ~alone], f'fill="{one.colour}" stroke="{edge}" stroke-width="0.4"'
        )
        points = shapely.get_coordinates(shapes[here & alone])
        drawing.points(points, Mark("circle", f'fill="{one.colour}" stroke="{edge}"', 2))
    if len(results.outline) and not results.study.focus:
        style = f'fill="none" stroke="{QUIET}" stroke-width="0.5"'
        drawing.areas(projector.outlines(results.outline["geometry"].drop_nulls()), style)
    if many:
        colours = {ord(c.letter): c.colour for c in layer.classes}
        for row in [r for r in layer.marked.tolist() if r in explorer.points]:
            colour = colours[ord(layer.letters[row])]
            lon, lat = np.array([explorer.points[row]]).T
            drawing.points(projector.points(lon, lat), Mark("circle", solid(colour), 3))
    numbers = pl.DataFrame(
        {"Class": [c.label for c in layer.classes], "Areas": [c.areas for c in layer.classes]}
    )
    note = results.study.briefing.note
    foot = "Fictional. " if "fictional" in note.casefold() else ""
    return drawing.chart(
        layer.title, "; ".join(f"{c.label}: {c.areas:,}" for c in layer.classes),
        TableData(numbers), bars("Class", "Areas"),
        [(f'fill="{c.colour}" stroke="{QUIET}"', f"{c.label}: {c.areas:,}") for c in layer.classes],
        f"{foot}{results.study.title}. Made with Commonweal.",
    ).svg  # fmt: skip
