"""The map of new places, as a drawing, and their GeoPackage."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from commonweal.briefing.charts import Chart
from commonweal.briefing.geopackage import still, write_layer
from commonweal.briefing.shown import Shown
from commonweal.pack.drawing import AUTHORITY, LAND, PLACE, QUIET, Frame, svg, text

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from commonweal.investment.siting.sited import Sited

__all__ = ["siting_map", "write_sites"]

WIDTH, HEIGHT, FOOT = 640.0, 560.0, 58.0
REACHED, ANEW, NOT = "#b7cbdd", "#28a197", "#f3d3c4"
"""Fills of areas: reached before, reached anew, not reached."""
_EARTH_M = 6_371_009.0


def siting_map(sited: Sited) -> Chart | None:
    """Draw the areas by whether they are reached, the places that are there and the new ones.

    Parameters
    ----------
    sited
        What was found.

    Returns
    -------
    Chart or None
        None where there is nothing to draw.
    """
    import shapely

    points = sited.demand.points
    middle = float(points.latitude.mean())

    def plane(xy: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.radians(xy) * [_EARTH_M * np.cos(np.radians(middle)), _EARTH_M]

    wanted = pl.DataFrame({"code": list(dict.fromkeys(sited.demand.codes))})
    shapes = wanted.join(sited.outlines, on="code", how="left", maintain_order="left")
    outlines = shapely.transform(shapely.from_wkb(shapes["geometry"].to_numpy()), plane)
    new = plane(sited.sites.select("longitude", "latitude").to_numpy())
    there = plane(np.column_stack([sited.existing.longitude, sited.existing.latitude]))
    people_at = plane(np.column_stack([points.longitude, points.latitude]))
    known = ~shapely.is_missing(outlines)
    corners = [people_at, new] if len(new) else [people_at]
    if known.any():
        box = shapely.total_bounds(outlines[known]).reshape(2, 2)
        corners.append(box)
    every = np.vstack(corners)
    (west, south), (east, north) = every.min(axis=0), every.max(axis=0)
    edge = 0.04 * max(east - west, north - south, 500.0)
    frame = Frame((west - edge, south - edge, east + edge, north + edge), WIDTH, HEIGHT)
    parts = [f'<rect width="{WIDTH:g}" height="{HEIGHT:g}" fill="#fff"/>']
    state = _state(sited)
    by_code = {c: s for c, s in zip(sited.demand.codes, state, strict=True)}  # noqa: C416
    fills = {"before": REACHED, "anew": ANEW, "not": NOT}
    for code, outline, has in zip(shapes["code"], outlines, known, strict=True):
        if has:
            fill = fills.get(by_code.get(code, ""), LAND)
            parts.append(frame.path(outline, f'fill="{fill}" stroke="#fff" stroke-width="0.6"'))
    if not known.all():
        spots = frame.at(people_at)
        for (x, y), s in zip(spots, state, strict=True):
            parts.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{fills[s]}"/>')
    for x, y in frame.at(there) if len(there) else []:
        if 0 <= x <= WIDTH and 0 <= y <= HEIGHT:
            parts.append(
                f'<rect x="{x - 4:.1f}" y="{y - 4:.1f}" width="8" height="8" fill="#fff" '
                f'stroke="{AUTHORITY}" stroke-width="2"/>'
            )
    for k, (x, y) in enumerate(frame.at(new) if len(new) else []):
        parts.append(
            f'<circle cx="{x:.1f}" cy="{y:.1f}" r="10" fill="{PLACE}" stroke="#fff" stroke-width="1.5"/>'
        )
        parts.append(text(x, y + 4, str(k + 1), 12, "middle", "#fff", True))
    parts.append(frame.scale_bar(WIDTH - 4, HEIGHT + 18))
    parts += _key()
    title = f"New places in {sited.title}"
    about = (
        f"Map of {sited.title}. Numbered circles are the {len(sited.sites):,} new sites, squares the places that are "
        f"there. Areas are filled by whether a place is within {sited.minutes:g} minutes' walk: before, only with the "
        "new places, or not."
    )
    counts = {s: float(sited.demand.people[state == s].sum()) for s in fills}
    numbers = Shown(
        pl.DataFrame(
            {
                f"A place within {sited.minutes:g} minutes' walk": ["Already", "With the new places", "Not"],
                "Points": [int((state == s).sum()) for s in fills],
                "People": [round(counts[s]) for s in fills],
            }
        )
    )  # fmt: skip
    drawn = svg("siting-map", title, about, WIDTH, HEIGHT + FOOT, parts)
    return Chart("siting-map", title, about, drawn, numbers)


def write_sites(sited: Sited, path: Path) -> None:
    """Write the layers ``new_sites``, ``existing_places`` and ``demand_points`` as a GeoPackage (WGS 84).

    Parameters
    ----------
    sited
        What was found.
    path
        The file to write; it must not exist.
    """
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
    still(path)


def _wkb(lon: NDArray[np.float64], lat: NDArray[np.float64]) -> NDArray[np.object_]:
    import shapely

    return np.asarray(shapely.to_wkb(shapely.points(lon, lat)), dtype=object)


def _state(sited: Sited) -> NDArray[np.str_]:
    """Say of each demand point whether it was reached before, is anew, or is not."""
    s = sited.solution
    now, then = s.distance <= sited.limit_m, s.distance_before <= sited.limit_m
    return np.where(then, "before", np.where(now, "anew", "not"))


def _key() -> list[str]:
    """Draw what fills and marks mean."""
    y = HEIGHT + 18
    parts = []
    for k, (fill, words) in enumerate(
        ((REACHED, "reached already"), (ANEW, "reached anew"), (NOT, "not reached"))
    ):
        x = 4 + 130 * k
        parts.append(f'<rect x="{x:g}" y="{y - 11:g}" width="14" height="14" fill="{fill}"/>')
        parts.append(text(x + 20, y, words, 12, fill=QUIET))
    y += 24
    parts.append(f'<circle cx="11" cy="{y - 4:g}" r="7" fill="{PLACE}"/>')
    parts.append(text(24, y, "new site", 12, fill=QUIET))
    parts.append(
        f'<rect x="134" y="{y - 9:g}" width="9" height="9" fill="#fff" stroke="{AUTHORITY}" stroke-width="2"/>'
    )
    parts.append(text(154, y, "there already", 12, fill=QUIET))
    return parts
