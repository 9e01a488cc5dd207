"""Maps of new places, as drawings, and their GeoPackage."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from commonweal.document.chart.canvas import AUTHORITY, PLACE, QUIET, Frame, svg, text
from commonweal.document.chart.chart import Chart
from commonweal.document.table import Shown
from commonweal.report.study.geopackage import still, write_layer

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from commonweal.invest.siting.sited import Sited

__all__ = ["pick_map", "siting_map", "write_sites"]

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
    ground = _ground(sited, sited.sites.select("longitude", "latitude").to_numpy())
    state = _state(sited)
    fills = {"before": REACHED, "anew": ANEW, "not": NOT}
    parts = ground.areas([f'fill="{fills[s]}"' for s in state]) + ground.existing()
    for k, (x, y) in enumerate(ground.spots):
        parts.append(
            f'<circle cx="{x:.1f}" cy="{y:.1f}" r="10" fill="{PLACE}" stroke="#fff" stroke-width="1.5"/>'
        )
        parts.append(text(x, y + 4, str(k + 1), 12, "middle", "#fff", True))
    parts.append(ground.frame.scale_bar(WIDTH - 4, HEIGHT + 18))
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


def pick_map(sited: Sited, sites: pl.DataFrame, points: Sequence[int]) -> str:
    """Draw the areas with sites that a reader can pick; a script fills in what is picked.

    Parameters
    ----------
    sited
        What was found.
    sites
        Those that can be picked, with ``name``, ``longitude`` and ``latitude``: each is a group ``data-site``.
    points
        Rows of the demand points that some of them reach anew: the shape of the k-th, an outline or a circle, has
        ``data-point="k"``.

    Returns
    -------
    str
        SVG.
    """
    ground = _ground(sited, sites.select("longitude", "latitude").to_numpy())
    styles = [f'fill="{NOT if np.isnan(d) else REACHED}"' for d in sited.solution.distance_before]
    for k, row in enumerate(points):
        styles[row] += f' data-point="{k}"'
    parts = ground.areas(styles) + ground.existing()
    for k, ((x, y), name) in enumerate(zip(ground.spots, sites["name"], strict=True)):
        circle = f'<circle cx="{x:.1f}" cy="{y:.1f}" r="10" fill="#fff" stroke="{PLACE}" stroke-width="1.5"/>'
        number = text(x, y + 4, str(k + 1), 11, "middle", PLACE, True)
        parts.append(f'<g data-site="{k}"><title>{escape(name)}</title>{circle}{number}</g>')
    parts.append(ground.frame.scale_bar(WIDTH - 4, HEIGHT + 18))
    parts += _key("candidate site, filled when picked")
    about = (
        f"Map of {sited.title} with the candidate sites, numbered as in the list, which does the same as the map. "
        "Squares are the places that are there."
    )
    return svg("pick-map", "Candidate sites", about, WIDTH, HEIGHT + FOOT, parts)


@dataclass(frozen=True, slots=True)
class _Ground:
    """What every map of new places stands on: the frame, outlines of areas, where people, places and sites are."""

    frame: Frame
    codes: tuple[str, ...]
    outlines: dict[str, object]
    people: NDArray[np.float64]
    there: NDArray[np.float64]
    spots: NDArray[np.float64]

    def areas(self, styles: Sequence[str]) -> list[str]:
        """Draw one shape a demand point: its area's outline if that is known and all its own, else a circle."""
        number = Counter(self.codes)
        outlines, circles = [], []
        for code, style, (x, y) in zip(self.codes, styles, self.people, strict=True):
            outline = self.outlines[code]
            if outline is not None and number[code] == 1:
                outlines.append(
                    self.frame.path(outline, f'{style} stroke="#fff" stroke-width="0.6"')
                )
            else:
                circles.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" {style}/>')
        shared = [
            self.frame.path(outline, f'fill="none" stroke="{QUIET}" stroke-width="0.6"')
            for code, outline in self.outlines.items()
            if outline is not None and number[code] > 1
        ]
        paper = f'<rect width="{WIDTH:g}" height="{HEIGHT:g}" fill="#fff"/>'
        return [paper, *outlines, *shared, *circles]

    def existing(self) -> list[str]:
        """Draw the places that are there."""
        return [
            f'<rect x="{x - 4:.1f}" y="{y - 4:.1f}" width="8" height="8" fill="#fff" '
            f'stroke="{AUTHORITY}" stroke-width="2"/>'
            for x, y in self.there
            if 0 <= x <= WIDTH and 0 <= y <= HEIGHT
        ]


def _ground(sited: Sited, spots: NDArray[np.float64]) -> _Ground:
    """Fit the areas, their people and (n, 2) spots in degrees into the frame of a map."""
    import shapely

    points = sited.demand.points
    middle = float(points.latitude.mean())

    def plane(xy: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.radians(xy) * [_EARTH_M * np.cos(np.radians(middle)), _EARTH_M]

    wanted = pl.DataFrame({"code": list(dict.fromkeys(sited.demand.codes))})
    shapes = wanted.join(sited.outlines, on="code", how="left", maintain_order="left")
    outlines = shapely.transform(shapely.from_wkb(shapes["geometry"].to_numpy()), plane)
    people_at = plane(np.column_stack([points.longitude, points.latitude]))
    known = ~shapely.is_missing(outlines)
    corners = [people_at, plane(spots)]
    if known.any():
        corners.append(shapely.total_bounds(outlines[known]).reshape(2, 2))
    every = np.vstack(corners)
    (west, south), (east, north) = every.min(axis=0), every.max(axis=0)
    edge = 0.04 * max(east - west, north - south, 500.0)
    frame = Frame((west - edge, south - edge, east + edge, north + edge), WIDTH, HEIGHT)
    there = plane(np.column_stack([sited.existing.longitude, sited.existing.latitude]))
    return _Ground(
        frame,
        tuple(sited.demand.codes),
        dict(zip(shapes["code"].to_list(), outlines.tolist(), strict=True)),
        frame.at(people_at),
        frame.at(there),
        frame.at(plane(spots)),
    )


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


def _key(site: str = "new site") -> list[str]:
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
    parts.append(
        f'<rect x="6" y="{y - 9:g}" width="9" height="9" fill="#fff" stroke="{AUTHORITY}" stroke-width="2"/>'
    )
    parts.append(text(24, y, "there already", 12, fill=QUIET))
    parts.append(f'<circle cx="141" cy="{y - 4:g}" r="7" fill="{PLACE}"/>')
    parts.append(text(154, y, site, 12, fill=QUIET))
    return parts
