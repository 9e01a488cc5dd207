"""Maps of an allocation and of proposed sites, and the sites as a GeoPackage."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from commonweal.document.chart import AUTHORITY, LAND, OTHER, PLACE, QUIET, Frame, svg, text
from commonweal.document.format import format_people
from commonweal.document.model import Chart, TableData
from commonweal.report.study.geopackage import fix_timestamp, write_layer

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from commonweal.document.chart import Box
    from commonweal.invest.allocation import Allocation
    from commonweal.invest.siting.result import SitingResult


_WIDTH, _HEIGHT, _FOOT = 480.0, 560.0, 60.0
_KINDS = {"selected": "On the list", "passed over": "Miss out because of a cap"}
_PART = 0.15
"""Marks within such a part of the land are drawn close up: in a map of a country they would be one dot."""


def _plane(lon: np.ndarray, lat: np.ndarray) -> str:
    """Name the projection for some points: the National Grid in Britain, else one that keeps areas."""
    if (np.abs(lon + 3) < 6).all() and (np.abs(lat - 55) < 6).all():
        return "EPSG:27700"
    return f"+proj=laea +lat_0={lat.mean():.3f} +lon_0={lon.mean():.3f}"


def _padded(bounds: Box, share: float) -> Box:
    """Give bounds with a margin, a share of the longer side, around them."""
    west, south, east, north = bounds
    pad = share * max(east - west, north - south, 1000.0)
    return west - pad, south - pad, east + pad, north + pad


def allocation_map(
    id_: str,
    allocation: Allocation,
    outline: pl.DataFrame,
    shapes: pl.DataFrame | None = None,
) -> Chart | None:
    """Draw the areas on the list as discs, and those that miss out because of a cap as hollow diamonds."""
    import pyproj
    import shapely

    kinds = {"selected": allocation.selected, "passed over": allocation.cost.passed_over}
    table = allocation.areas.table
    lon, lat = (
        table[c].cast(float).fill_null(np.nan).to_numpy() for c in ("longitude", "latitude")
    )
    shown = (kinds["selected"] | kinds["passed over"]) & np.isfinite(lon) & np.isfinite(lat)
    if not shown.any():
        return None
    to_metres = pyproj.Transformer.from_crs(
        "EPSG:4326", _plane(lon[shown], lat[shown]), always_xy=True
    ).transform
    land = shapely.transform(
        shapely.from_wkb(outline["geometry"].drop_nulls().to_list()), to_metres, interleaved=False
    )
    points = np.column_stack(to_metres(lon, lat))
    marked = (*points[shown].min(axis=0), *points[shown].max(axis=0))
    whole = shapely.total_bounds(land) if len(land) else marked
    near = _across(marked) < _PART * _across(whole)
    box = _padded(marked, 0.25) if near else _padded(whole, 0.03)
    if near:
        box = _filling(box)
        land = shapely.clip_by_rect(land, *box)
        land = land[~shapely.is_empty(land)]
    frame = Frame(box, _WIDTH, _HEIGHT)
    parts = [f'<rect width="{_WIDTH:g}" height="{_HEIGHT:g}" fill="#fff"/>']
    parts += [frame.path(s, f'fill="{LAND}" stroke="#fff" stroke-width="0.6"', 0.7) for s in land]
    if near and shapes is not None:
        codes = np.array(allocation.areas.codes)[allocation.selected].tolist()
        inside = shapes.filter(pl.col("code").is_in(codes))["geometry"].drop_nulls().to_list()
        drawn = shapely.transform(shapely.from_wkb(inside), to_metres, interleaved=False)
        style = f'fill="{PLACE}" fill-opacity="0.25" stroke="{PLACE}" stroke-width="0.8"'
        parts += [frame.path(s, style, 0.7) for s in shapely.clip_by_rect(drawn, *box)]
    counts = {kind: int((which & shown).sum()) for kind, which in kinds.items()}
    for kind in ("passed over", "selected"):
        at = frame.at(points[np.flatnonzero(kinds[kind] & shown)])
        parts += [_mark(kind, x, y) for x, y in at]
    parts += _legend(counts, frame)
    plural = allocation.areas.plural
    title = f"The {counts['selected']:,} {plural} on the list"
    over = counts["passed over"]
    about = f"Map. On the list: {counts['selected']:,} {plural}" + (
        f". Missing out because of a cap: {over:,}." if over else "."
    )
    numbers = TableData(
        pl.DataFrame(
            {"What": [_KINDS[k] for k in counts], plural.capitalize(): list(counts.values())}
        )
    )
    return Chart(id_, title, about, svg(id_, title, about, _WIDTH, _HEIGHT + _FOOT, parts), numbers)


def _across(box: Sequence[float]) -> float:
    """Longer side of west, south, east, north."""
    return float(max(box[2] - box[0], box[3] - box[1]))


def _filling(box: Box) -> Box:
    """Widen or heighten a box about its middle to the proportions of the drawing."""
    west, south, east, north = box
    width = max(east - west, (north - south) * _WIDTH / _HEIGHT)
    height = width * _HEIGHT / _WIDTH
    x, y = (west + east) / 2, (south + north) / 2
    return x - width / 2, y - height / 2, x + width / 2, y + height / 2


def _mark(kind: str, x: float, y: float, r: float = 3.4) -> str:
    if kind == "selected":
        return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{r:g}" fill="{PLACE}" stroke="#fff" stroke-width="0.5"/>'
    d = r + 0.8
    return (
        f'<path d="M{x:.1f} {y - d:.1f}l{d:g} {d:g}l{-d:g} {d:g}l{-d:g} {-d:g}z" fill="#fff" '
        f'stroke="{OTHER}" stroke-width="1.6"/>'
    )


def _legend(counts: dict[str, int], frame: Frame) -> Iterator[str]:
    y = _HEIGHT + 16
    for kind in [k for k, n in counts.items() if n]:
        yield _mark(kind, 11, y - 5, 5)
        yield text(28, y, f"{_KINDS[kind]}: {counts[kind]:,}", 13)
        y += 21
    yield frame.scale_bar(_WIDTH - 2, _HEIGHT + 16)


WIDTH, HEIGHT, FOOT = 640.0, 560.0, 58.0
REACHED, ANEW, NOT = "#b7cbdd", "#28a197", "#f3d3c4"
"""Fills of areas: within reach already, newly within reach, not within reach."""
_EARTH_M = 6_371_009.0


def siting_map(sited: SitingResult) -> Chart | None:
    """Draw the areas by whether they are within reach, the existing venues and the proposed ones."""
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
    about = (
        f"Map of {sited.title}. Numbered circles: the {len(sited.sites):,} proposed sites. Squares: existing venues. "
        f"Colours: areas within {sited.minutes:g} minutes' walk already, with the new venues only, or not."
    )
    counts = {s: float(sited.demand.people[state == s].sum()) for s in fills}
    title = (
        f"{format_people(counts['anew'])} would come within {sited.minutes:g} minutes' walk"
        if counts["anew"]
        else "Nobody would newly come within reach"
    )
    numbers = TableData(
        pl.DataFrame(
            {
                f"Within {sited.minutes:g} minutes' walk": ["Already", "With the new venues", "Not"],
                "Points": [int((state == s).sum()) for s in fills],
                "People": [round(counts[s]) for s in fills],
            }
        )
    )  # fmt: skip
    drawn = svg("siting-map", title, about, WIDTH, HEIGHT + FOOT, parts)
    return Chart("siting-map", title, about, drawn, numbers)


def pick_map(sited: SitingResult, sites: pl.DataFrame, points: Sequence[int]) -> str:
    """Draw the areas with sites that a reader can pick; a script fills in what is picked."""
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
        "Squares are existing venues."
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
        """Draw the existing venues."""
        return [
            f'<rect x="{x - 4:.1f}" y="{y - 4:.1f}" width="8" height="8" fill="#fff" '
            f'stroke="{AUTHORITY}" stroke-width="2"/>'
            for x, y in self.there
            if 0 <= x <= WIDTH and 0 <= y <= HEIGHT
        ]


def _ground(sited: SitingResult, spots: NDArray[np.float64]) -> _Ground:
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


def _key(site: str = "proposed site") -> list[str]:
    """Draw what fills and marks mean."""
    y = HEIGHT + 18
    parts = []
    for k, (fill, words) in enumerate(
        ((REACHED, "within reach"), (ANEW, "newly within reach"), (NOT, "not within reach"))
    ):
        x = 4 + 130 * k
        parts.append(f'<rect x="{x:g}" y="{y - 11:g}" width="14" height="14" fill="{fill}"/>')
        parts.append(text(x + 20, y, words, 12, fill=QUIET))
    y += 24
    parts.append(
        f'<rect x="6" y="{y - 9:g}" width="9" height="9" fill="#fff" stroke="{AUTHORITY}" stroke-width="2"/>'
    )
    parts.append(text(24, y, "existing venue", 12, fill=QUIET))
    parts.append(f'<circle cx="141" cy="{y - 4:g}" r="7" fill="{PLACE}"/>')
    parts.append(text(154, y, site, 12, fill=QUIET))
    return parts
