"""From degrees to metres: the one projector of the house, and the outlines and points of areas on its plane."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import polars as pl

    from commonweal.areas import Areas


Floats: TypeAlias = NDArray[np.float64]
Rows: TypeAlias = NDArray[np.intp]
Outlines: TypeAlias = NDArray[np.object_]
Box: TypeAlias = tuple[float, float, float, float]
"""West, south, east and north, in metres."""

_BRITAIN = (-9.0, 49.5, 2.5, 61.0)
_GAP_M = 25.0
"""Outlines were made simpler each by itself, and leave slivers up to about this wide between them."""


class Projector:
    """From degrees to metres on a plane: the National Grid in Great Britain, elsewhere one that keeps areas.

    The middle of the points chooses the plane.
    """

    def __init__(self, lon: Floats, lat: Floats) -> None:
        import pyproj

        known = np.isfinite(lon) & np.isfinite(lat)
        x, y = (float(np.median(v[known])) if known.any() else 0.0 for v in (lon, lat))
        west, south, east, north = _BRITAIN
        britain = west < x < east and south < y < north
        plane = "EPSG:27700" if britain else f"+proj=laea +lat_0={y:.3f} +lon_0={x:.3f} +units=m"
        self._to_metres = pyproj.Transformer.from_crs("EPSG:4326", plane, always_xy=True).transform

    def points(self, lon: Floats, lat: Floats) -> Floats:
        """(n, 2) points in metres; NaN where there is none."""
        found = np.column_stack([np.asarray(v, float) for v in self._to_metres(lon, lat)])
        found[~np.isfinite(found).all(axis=1)] = np.nan
        return found

    def shapes(self, shapes: Outlines) -> Outlines:
        """Shapes in metres."""
        import shapely

        return np.asarray(shapely.transform(shapes, self._to_metres, interleaved=False))

    def outlines(self, wkb: pl.Series) -> Outlines:
        """Shapes in metres of a column of geometries; None where one is missing or broken."""
        import shapely

        return self.shapes(shapely.from_wkb(wkb.to_list(), on_invalid="ignore"))


def degrees_of(areas: Areas) -> tuple[Floats, Floats]:
    """(n_areas,) longitude and latitude of areas; NaN where not known."""
    lon, lat = (
        areas.table[c].cast(float).fill_null(np.nan).to_numpy() for c in ("longitude", "latitude")
    )
    return lon, lat


def bounds_of(points: Floats, shapes: Outlines) -> Box:
    """Give the box about points and outlines; those that are not known are left out."""
    import shapely

    boxes = np.vstack([np.tile(points, 2), np.atleast_2d(shapely.bounds(shapes))])
    low, high = np.nanmin(boxes[:, :2], axis=0), np.nanmax(boxes[:, 2:], axis=0)
    return float(low[0]), float(low[1]), float(high[0]), float(high[1])


def padded(box: Box, share: float, least: float = 200.0) -> Box:
    """Give a box with a margin around it: a share of its longer side, or of `least` metres where that is more."""
    west, south, east, north = box
    pad = share * max(east - west, north - south, least)
    return west - pad, south - pad, east + pad, north + pad


class Grouping(Protocol):
    """Larger areas of one kind: the number that each area has (-1: none), and codes by number."""

    @property
    def key(self) -> str:
        """Their system."""

    @property
    def numbers(self) -> Rows:
        """(n_areas,) which one each area lies in."""

    @property
    def codes(self) -> list[str]:
        """By number."""


class Shapes:
    """Outlines and points of areas, in metres, from boundaries in degrees; `outline` is what lies behind them."""

    def __init__(self, areas: Areas, boundaries: pl.DataFrame, outline: pl.DataFrame) -> None:
        import shapely

        table = areas.table
        lon, lat = degrees_of(areas)
        known = boundaries.select("code", "geometry") if len(boundaries) else None
        wkb = [None] * len(table) if known is None else table.join(
            known, on="code", how="left", maintain_order="left"
        )["geometry"].to_list()  # fmt: skip
        shapes = shapely.from_wkb(wkb, on_invalid="ignore")
        at = lon, lat
        if not np.isfinite(np.column_stack(at)).all(axis=1).any():
            middles = shapely.centroid(shapes)
            at = shapely.get_x(middles), shapely.get_y(middles)
        self.projector = Projector(*at)
        self.of = self.projector.shapes(shapes)
        self.points = self.projector.points(lon, lat)
        unknown = np.isnan(self.points).any(axis=1)
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
        self._outline = self.projector.outlines(outline["geometry"])
        codes = outline["code"].to_list() if "code" in outline.columns else []
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

    def bounds(self, rows: Rows) -> Box:
        """Box about the outlines of areas, or their points where there are none."""
        there = rows[self._has[rows]]
        if len(there):
            return bounds_of(np.empty((0, 2)), self.of[there])
        return bounds_of(self.points[rows], np.empty(0, object))

    def middle(self, row: int) -> Floats:
        """(1, 2) a point inside an area, or its own where its outline is not known."""
        import shapely

        if not self.has(row):
            return self.points[[row]]
        return np.asarray(shapely.get_coordinates(shapely.point_on_surface(self.of[row])))

    def cut(self, rows: Rows, box: Box) -> Outlines:
        """Outlines of areas, cut to a box."""
        import shapely

        return np.asarray(shapely.clip_by_rect(self.of[rows], *box))

    def ground(self, box: Box) -> Outlines:
        """Outlines of what lies behind the areas, cut to a box: land where an area's own is missing."""
        import shapely

        at = np.sort(self._behind.query(shapely.box(*box)))
        return np.atleast_1d(shapely.clip_by_rect(self._outline[at], *box))

    def joined(self, group: Grouping, number: int) -> Any:
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

    def edge(self, group: Grouping, number: int) -> Any:
        """One outline of a larger area: joined, or as published where an outline in it is missing."""
        rows = group.numbers == number
        return self.joined(group, number) if self._has[rows].all() else self.whole(group, number)

    def whole(self, group: Grouping, number: int) -> Any:
        """One outline of a larger area for a small drawing: as published, else joined."""
        found = self._outline_of.get(group.codes[number])
        return self.joined(group, number) if found is None else found
