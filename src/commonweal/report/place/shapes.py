"""Outlines of areas in metres: looked up, joined and cut to a frame."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from commonweal.document.chart.canvas import Box
    from commonweal.report.place.standing import Group
    from commonweal.study.results import Results

__all__ = [
    "Shapes",
]

Floats: TypeAlias = NDArray[np.float64]
Rows: TypeAlias = NDArray[np.intp]

_BRITAIN = (-9.0, 49.5, 2.5, 61.0)
_GAP_M = 25.0
"""Outlines were made simpler each by itself, and leave slivers up to about this wide between them."""


class Shapes:
    """Outlines and points of the areas of a run, in metres on a plane that keeps shape or area.

    In Great Britain that is the National Grid, elsewhere an equal-area plane about the middle.
    """

    def __init__(self, results: Results) -> None:
        import pyproj
        import shapely

        table = results.areas.table
        lon, lat = (
            table[c].cast(float).fill_null(np.nan).to_numpy() for c in ("longitude", "latitude")
        )
        known = results.boundaries.select("code", "geometry") if len(results.boundaries) else None
        wkb = [None] * len(table) if known is None else table.join(
            known, on="code", how="left", maintain_order="left"
        )["geometry"].to_list()  # fmt: skip
        shapes = shapely.from_wkb(wkb, on_invalid="ignore")
        plane = _plane(lon, lat, shapes)
        to_metres = pyproj.Transformer.from_crs("EPSG:4326", plane, always_xy=True).transform
        self._to_metres = to_metres
        self.of = shapely.transform(shapes, to_metres, interleaved=False)
        px, py = (np.asarray(v, dtype=np.float64) for v in to_metres(lon, lat))
        self.points = np.column_stack([px, py])
        unknown = ~np.isfinite(self.points).all(axis=1)
        middles = shapely.centroid(self.of[unknown])
        self.points[unknown] = np.column_stack([shapely.get_x(middles), shapely.get_y(middles)])
        self.names = [name or code for code, name in table.select("code", "name").iter_rows()]
        self._has = ~shapely.is_missing(self.of) & ~shapely.is_empty(self.of)
        self._rows = np.flatnonzero(self._has)
        self._tree = shapely.STRtree(self.of[self._rows])
        self.kept: dict[tuple[str, ...], list[str]] = {}
        """Parts of drawings that many maps share."""
        self._joined: dict[tuple[str, int], Any] = {}
        # Published outlines of larger areas are whole, also where outlines of small ones are missing.
        behind = results.outline
        shapes = shapely.from_wkb(behind["geometry"].to_list(), on_invalid="ignore")
        self._outline = shapely.transform(shapes, to_metres, interleaved=False)
        codes = behind["code"].to_list() if "code" in behind.columns else []
        self._outline_of = dict(zip(codes, self._outline, strict=False))
        self._behind = shapely.STRtree(self._outline)

    def seen(self, rows: Rows) -> bool:
        """Whether any of some areas has a place on a map."""
        return bool(np.isfinite(self.points[rows]).any())

    def has(self, row: int) -> bool:
        """Whether the outline of an area is known."""
        return bool(self._has[row])

    def within(self, box: Box) -> Rows:
        """Rows of the areas whose outlines meet a box."""
        import shapely

        return self._rows[np.sort(self._tree.query(shapely.box(*box)))]

    def at(self, longitude: float, latitude: float, farthest_m: float) -> int | None:
        """Row of the area that a point lies in, or else whose own point is nearest within a distance."""
        import shapely

        x, y = self._to_metres(longitude, latitude)
        inside = self._rows[self._tree.query(shapely.Point(x, y), "intersects")]
        if len(inside):
            return int(inside.min())
        away = np.hypot(*(self.points - (x, y)).T)
        if np.isnan(away).all() or np.nanmin(away) > farthest_m:
            return None
        return int(np.nanargmin(away))

    def bounds(self, rows: Rows) -> Box:
        """Box about the outlines of areas, or their points where there are none."""
        import shapely

        there = rows[self._has[rows]]
        if len(there):
            west, south, east, north = shapely.total_bounds(self.of[there]).tolist()
        else:
            (west, south), (east, north) = (
                f(self.points[rows], axis=0) for f in (np.nanmin, np.nanmax)
            )
        return float(west), float(south), float(east), float(north)

    def cut(self, rows: Rows, box: Box) -> NDArray[np.object_]:
        """Outlines of areas, cut to a box."""
        import shapely

        return np.asarray(shapely.clip_by_rect(self.of[rows], *box))

    def ground(self, box: Box) -> list[Any]:
        """Outlines of what lies behind the areas, cut to a box: land where an area's own is missing."""
        import shapely

        at = np.sort(self._behind.query(shapely.box(*box)))
        return list(np.atleast_1d(shapely.clip_by_rect(self._outline[at], *box)))

    def joined(self, group: Group, number: int) -> Any:
        """One outline about all areas of a larger one, without the slivers between them."""
        import shapely

        key = group.key, number
        if key not in self._joined:
            rows = np.flatnonzero((group.numbers == number) & self._has)
            grown = shapely.buffer(self.of[rows], _GAP_M, quad_segs=1, join_style="mitre")
            self._joined[key] = shapely.buffer(
                shapely.union_all(grown), -_GAP_M, quad_segs=1, join_style="mitre"
            )
        return self._joined[key]

    def edge(self, group: Group, number: int) -> Any:
        """One outline of a larger area: joined, or as published where an outline in it is missing."""
        rows = group.numbers == number
        return self.joined(group, number) if self._has[rows].all() else self.whole(group, number)

    def whole(self, group: Group, number: int) -> Any:
        """One outline of a larger area for a small drawing: as published, else joined."""
        found = self._outline_of.get(group.codes[number])
        return self.joined(group, number) if found is None else found


def _plane(lon: Floats, lat: Floats, shapes: NDArray[np.object_]) -> str:
    """Name the plane that areas are drawn on, for PROJ."""
    import shapely

    points = np.column_stack([lon, lat])
    if not np.isfinite(points).all(axis=1).any():
        points = shapely.get_coordinates(shapely.centroid(shapes))
    points = points[np.isfinite(points).all(axis=1)]
    x, y = np.median(points, axis=0) if len(points) else (0.0, 0.0)
    west, south, east, north = _BRITAIN
    if west < x < east and south < y < north:
        return "EPSG:27700"
    return f"+proj=laea +lat_0={y:.3f} +lon_0={x:.3f} +units=m"
