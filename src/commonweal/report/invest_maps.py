"""Maps of an allocation and of proposed sites, and the sites as a GeoPackage."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from commonweal.chart.map import Map, Projector, bounds_of, degrees_of, padded
from commonweal.chart.theme import (
    BLUE,
    LAND,
    ORANGE,
    PALE,
    PLUM,
    QUIET,
    SAND,
    TEAL,
    Mark,
    hollow,
    said,
    stripes,
    text,
)
from commonweal.chart.vega import bars
from commonweal.document.format import format_people
from commonweal.document.model import TableData
from commonweal.report.study.geopackage import fix_timestamp, write_layer

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from commonweal.document.model import Chart
    from commonweal.invest.allocation.allocate import Allocation
    from commonweal.invest.siting.result import SitingResult


_PART = 0.15
"""Marks within such a part of the land are drawn close up: in a map of a country they would be one dot."""
_KINDS = {
    "passed over": (Mark("diamond", hollow(ORANGE), 3.4), "Miss out because of a cap"),
    "selected": (
        Mark("circle", f'fill="{BLUE}" stroke="#fff" stroke-width="0.5"', 3.4),
        "On the list",
    ),
}
"""The mark of each kind of areas, from the back."""


def allocation_map(
    id_: str,
    allocation: Allocation,
    outline: pl.DataFrame,
    shapes: pl.DataFrame | None = None,
) -> Chart | None:
    """Draw the areas on the list as discs, and those that miss out because of a cap as hollow diamonds."""
    import shapely

    kinds = {"passed over": allocation.cost.passed_over, "selected": allocation.selected}
    lon, lat = degrees_of(allocation.areas)
    shown = (kinds["selected"] | kinds["passed over"]) & np.isfinite(lon) & np.isfinite(lat)
    if not shown.any():
        return None
    projector = Projector(lon[shown], lat[shown])
    points = projector.points(lon, lat)
    land = projector.outlines(outline["geometry"].drop_nulls())
    marked = bounds_of(points[shown], land[:0])
    whole = bounds_of(points[shown], land)
    near = _across(marked) < _PART * _across(whole)
    drawing = Map(id_, padded(marked, 0.25, 1000.0) if near else padded(whole, 0.03))
    if near:
        land = shapely.clip_by_rect(land, *drawing.frame.seen())
    drawing.areas(land, f'fill="{LAND}" stroke="#fff" stroke-width="0.6"', 0.7)
    if near and shapes is not None:
        codes = np.array(allocation.areas.codes)[allocation.selected].tolist()
        inside = projector.outlines(
            shapes.filter(pl.col("code").is_in(codes))["geometry"].drop_nulls()
        )
        style = f'fill="{BLUE}" fill-opacity="0.25" stroke="{BLUE}" stroke-width="0.8"'
        drawing.areas(shapely.clip_by_rect(inside, *drawing.frame.seen()), style, 0.7)
    counts = {kind: int((which & shown).sum()) for kind, which in kinds.items()}
    for kind, which in kinds.items():
        drawing.points(points[which & shown], _KINDS[kind][0])
    front, plural = list(kinds)[::-1], allocation.areas.plural
    over = counts["passed over"]
    title = f"{counts['selected']:,} {plural} are on the list"
    title += f"; {over:,} miss out because of a cap" if over else ""
    about = f"Map. On the list: {counts['selected']:,} {plural}" + (
        f". Missing out because of a cap: {over:,}." if over else "."
    )
    numbers = pl.DataFrame(
        {"What": [_KINDS[k][1] for k in front], plural.capitalize(): [counts[k] for k in front]}
    )
    legend = [(_KINDS[k][0], f"{_KINDS[k][1]}: {counts[k]:,}") for k in front if counts[k]]
    return drawing.chart(title, about, TableData(numbers), bars(*numbers.columns), legend)


def _across(box: Sequence[float]) -> float:
    """Longer side of west, south, east, north."""
    return float(max(box[2] - box[0], box[3] - box[1]))


_WIDTH, _HEIGHT = 600.0, 520.0
_FILLS = {"before": PALE, "anew": stripes(TEAL), "not": SAND}
_WORDS = {"before": "Within reach", "anew": "Newly within reach", "not": "Not within reach"}
_VENUE = Mark("square", hollow(PLUM, 2), 4.5)
_SITE = Mark("circle", f'fill="{BLUE}" stroke="#fff" stroke-width="1.5"', 10)
_OPEN_SITE = Mark("circle", f'fill="#fff" stroke="{BLUE}" stroke-width="1.5"', 10)


def siting_map(sited: SitingResult) -> Chart | None:
    """Draw the areas by whether they are within reach, the existing venues and the proposed ones."""
    state = _state(sited)
    drawing, spots = _ground(
        "siting-map", sited, sited.sites, [f'fill="{_FILLS[s]}"' for s in state]
    )
    for k, (x, y) in enumerate(spots):
        drawing.add(_SITE.at(x, y), text(x, y + 4, str(k + 1), 12, "middle", "#fff", True))
    about = (
        f"Map of {sited.title}. Numbered circles: the {len(sited.sites):,} proposed sites. Squares: existing venues. "
        f"Colours: areas within {sited.minutes:g} minutes' walk already, with the new venues only, or not."
    )
    counts = {s: float(sited.demand.people[state == s].sum()) for s in _FILLS}
    title = (
        f"{format_people(counts['anew'])} would come within {sited.minutes:g} minutes' walk"
        if counts["anew"]
        else "Nobody would newly come within reach"
    )
    numbers = pl.DataFrame(
        {
            f"Within {sited.minutes:g} minutes' walk": ["Already", "With the new venues", "Not"],
            "Points": [int((state == s).sum()) for s in _FILLS],
            "People": [round(counts[s]) for s in _FILLS],
        }
    )
    vega = bars(numbers.columns[0], "People")
    return drawing.chart(title, about, TableData(numbers), vega, _legend("Proposed site", _SITE))


def pick_map(sited: SitingResult, sites: pl.DataFrame, points: Sequence[int]) -> str:
    """Draw the areas with sites that a reader can pick; a script fills in what is picked."""
    before = np.isnan(sited.solution.distance_before)
    styles = [f'fill="{_FILLS["not" if away else "before"]}"' for away in before]
    for k, row in enumerate(points):
        styles[row] += f' data-point="{k}"'
    drawing, spots = _ground("pick-map", sited, sites, styles)
    for k, ((x, y), name) in enumerate(zip(spots, sites["name"], strict=True)):
        number = text(x, y + 4, str(k + 1), 11, "middle", BLUE, True)
        drawing.add(
            f'<g data-site="{k}"><title>{said(name)}</title>{_OPEN_SITE.at(x, y)}{number}</g>'
        )
    about = (
        f"Map of {sited.title} with the candidate sites, numbered as in the list, which does the same as the map. "
        "Squares are existing venues."
    )
    legend = _legend("Candidate site, filled when picked", _OPEN_SITE)
    numbers = TableData(sites.select(pl.col("name").alias("Candidate site")))
    return drawing.chart("Candidate sites", about, numbers, {}, legend).svg


def _legend(site: str, mark: Mark) -> list[tuple[Mark | str, str]]:
    """Say what fills and marks mean."""
    fills: list[tuple[Mark | str, str]] = [
        (f'fill="{fill}" stroke="{QUIET}"', _WORDS[key]) for key, fill in _FILLS.items()
    ]
    return [*fills, (_VENUE, "Existing venue"), (mark, site)]


def _ground(
    id_: str, sited: SitingResult, sites: pl.DataFrame, styles: Sequence[str]
) -> tuple[Map, list[list[float]]]:
    """Draw the demand points and the existing venues; and where sites are, in units.

    A demand point is its area's outline if that is known and all its own, else a circle.
    """
    import shapely

    people, codes = sited.demand.points, sited.demand.codes
    projector = Projector(people.longitude, people.latitude)
    wanted = pl.DataFrame({"code": list(dict.fromkeys(codes))})
    shapes = wanted.join(sited.outlines, on="code", how="left", maintain_order="left")
    outline = dict(
        zip(shapes["code"].to_list(), projector.outlines(shapes["geometry"]), strict=True)
    )
    number = Counter(codes)
    at = projector.points(people.longitude, people.latitude)
    spots = projector.points(sites["longitude"].to_numpy(), sites["latitude"].to_numpy())
    every = np.vstack([at, spots])
    known = np.array([o for o in outline.values() if o is not None], dtype=object)
    drawing = Map(id_, padded(bounds_of(every, known), 0.04, 500.0), _WIDTH, _HEIGHT)
    circles = []
    for code, style, point in zip(codes, styles, at, strict=True):
        if outline[code] is not None and number[code] == 1:
            drawing.areas([outline[code]], f'{style} stroke="#fff" stroke-width="0.6"')
        else:
            circles.append((point, Mark("circle", style, 3)))
    shared = [o for code, o in outline.items() if o is not None and number[code] > 1]
    drawing.areas(shared, f'fill="none" stroke="{QUIET}" stroke-width="0.6"')
    for point, mark in circles:
        drawing.points(point[None], mark)
    there = projector.points(sited.existing.longitude, sited.existing.latitude)
    inside = shapely.contains_xy(shapely.box(*drawing.frame.seen()), there)
    drawing.points(there[inside], _VENUE)
    return drawing, drawing.frame.at(spots).tolist()


def write_sites(sited: SitingResult, path: Path) -> None:
    """Write the layers ``new_sites``, ``existing_places`` and ``demand_points`` as a GeoPackage (WGS 84)."""
    s, d = sited.solution, sited.demand
    layers = {
        "new_sites": (
            sited.sites["longitude"].to_numpy(),
            sited.sites["latitude"].to_numpy(),
            sited.sites.select(
                "id", "name", "cost", people_nearest="nearest", people_newly="newly"
            ),
        ),
        "existing_places": (
            sited.existing.longitude,
            sited.existing.latitude,
            pl.DataFrame({"kind": [sited.kind] * len(sited.existing)}),
        ),
        "demand_points": (
            d.points.longitude,
            d.points.latitude,
            pl.DataFrame(
                {
                    "code": list(d.codes),
                    "name": list(d.names),
                    "people": d.people,
                    "need": d.need,
                    "metres_before": pl.Series(s.distance_before, nan_to_null=True),
                    "metres_after": pl.Series(s.distance, nan_to_null=True),
                    "reached": _state(sited),
                }
            ),
        ),
    }
    for name, (lon, lat, fields) in layers.items():
        if len(fields):
            every = np.ones(len(fields), np.bool_)
            write_layer(path, name, "Point", _wkb(lon, lat), fields, every)
    fix_timestamp(path)


def _wkb(lon: NDArray[np.float64], lat: NDArray[np.float64]) -> NDArray[np.object_]:
    import shapely

    return np.asarray(shapely.to_wkb(shapely.points(lon, lat)), dtype=object)


def _state(sited: SitingResult) -> NDArray[np.str_]:
    """Say of each demand point whether it was reached before, is anew, or is not."""
    s = sited.solution
    now, then = s.distance <= sited.limit_m, s.distance_before <= sited.limit_m
    return np.where(then, "before", np.where(now, "anew", "not"))
