"""Outlines of areas in metres, and the map of a larger area: which are on the list, and how stable that is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import polars as pl
from numpy.typing import NDArray

from commonweal.document.chart import INK, LAND, LINE, QUIET, Frame, svg, text
from commonweal.document.format import SURE, list_name
from commonweal.document.model import Chart, TableData
from commonweal.report.study.tables import label_of, probability

if TYPE_CHECKING:
    from collections.abc import Iterator

    from commonweal.document.chart import Box
    from commonweal.report.place.drivers import LargerAreas
    from commonweal.study.names import Scope
    from commonweal.study.results import Results

    Bools = NDArray[np.bool_]


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

    def joined(self, group: LargerAreas, number: int) -> Any:
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

    def edge(self, group: LargerAreas, number: int) -> Any:
        """One outline of a larger area: joined, or as published where an outline in it is missing."""
        rows = group.numbers == number
        return self.joined(group, number) if self._has[rows].all() else self.whole(group, number)

    def whole(self, group: LargerAreas, number: int) -> Any:
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


WIDTH, HEIGHT, FOOT = 480.0, 520.0, 78.0
_MOST_OUTLINES = 900
"""Above this many places each is too small to be seen, and those on the list are drawn as marks."""

_FILLS = {"sure": "#12436d", "open": "#7fa6cf"}
"""Near misses have stripes: see `_defs`."""


def overview_map(
    id_: str,
    results: Results,
    designation: str,
    scope: Scope,
    shapes: Shapes,
    groups: list[LargerAreas],
) -> Chart | None:
    """Draw the places of a larger area in classes of a designation that differ by fill and by outline.

    None if it is not known where any of them is.
    """
    if not shapes.seen(scope.rows):
        return None
    d, chance = results.designations[designation], probability(results, designation)
    sure = d.selected if chance is None else d.selected & (chance >= SURE)
    classes = {
        "sure": scope.rows[sure[scope.rows]],
        "open": scope.rows[(d.selected & ~sure)[scope.rows]],
        "near": scope.rows[d.near_miss[scope.rows]],
    }
    words = {
        "sure": "On the list"
        if chance is None
        else "On the list in at least 95% of recalculations",
        "open": "On the list, in fewer recalculations",
        "near": "Just outside the cut-off",
    }
    listed = list_name(label_of(results, designation), results.areas.plural)
    n = int(d.selected[scope.rows].sum())
    title = f"{n:,} of {len(scope.rows):,} {results.areas.plural} in {scope.title} on {listed}"
    told = "; ".join(
        f"{words[k].lower()}: {len(rows):,}" for k, rows in classes.items() if len(rows)
    )
    about = f"Map of {scope.title}. {told[:1].upper()}{told[1:] or 'none on the list'}."
    small = len(scope.rows) > _MOST_OUTLINES
    west, south, east, north = _bounds(scope, shapes, groups, small)
    pad = 0.03 * max(east - west, north - south, 200.0)
    box = (west - pad, south - pad, east + pad, north + pad)
    frame = Frame(box, WIDTH, HEIGHT)
    drawn = [f'<rect width="{WIDTH:g}" height="{HEIGHT:g}" fill="#fff"/>']
    drawn += _land(scope, shapes, frame, groups, small)
    fills = {**_FILLS, "near": f"url(#{id_}-near)"}
    for key in ("near", "open", "sure"):
        drawn += [_place(int(row), key, fills[key], shapes, frame, small) for row in classes[key]]
    if not small:
        drawn += _edges(scope, shapes, frame, groups)
    parts = [_defs(id_), f'<g clip-path="url(#{id_}-frame)">{"".join(drawn)}</g>']
    parts += _legend(classes, words, fills, frame, small)
    numbers = TableData(
        pl.DataFrame(
            {
                "Class": [words[k] for k in classes],
                results.areas.plural.capitalize(): [len(rows) for rows in classes.values()],
            }
        )
    )
    return Chart(id_, title, about, svg(id_, title, about, WIDTH, HEIGHT + FOOT, parts), numbers)


def _defs(id_: str) -> str:
    """Define the stripes of those just outside the cut-off, and the frame."""
    return (
        f'<defs><pattern id="{id_}-near" width="6" height="6" patternUnits="userSpaceOnUse" '
        'patternTransform="rotate(45)"><rect width="6" height="6" fill="#fff"/>'
        '<rect width="2.4" height="6" fill="#a33b0b"/></pattern>'
        f'<clipPath id="{id_}-frame">'
        f'<rect width="{WIDTH:g}" height="{HEIGHT:g}"/></clipPath></defs>'
    )


def _bounds(scope: Scope, shapes: Shapes, groups: list[LargerAreas], small: bool) -> Box:
    """Box about the places, and about the larger areas that they make up where some have no outline."""
    import shapely

    boxes = [shapes.bounds(scope.rows)]
    if groups and not small:
        inside = np.isin(np.arange(len(groups[0].numbers)), scope.rows)
        boxes += [
            shapely.bounds(shapes.edge(groups[0], number)).tolist()
            for number in np.unique(groups[0].numbers[scope.rows]).tolist()
            if number >= 0 and inside[groups[0].numbers == number].all()
        ]
    found = np.array(boxes)
    low, high = np.nanmin(found[:, :2], axis=0), np.nanmax(found[:, 2:], axis=0)
    return float(low[0]), float(low[1]), float(high[0]), float(high[1])


def _land(
    scope: Scope, shapes: Shapes, frame: Frame, groups: list[LargerAreas], small: bool
) -> Iterator[str]:
    if small and groups:
        for number in np.unique(groups[0].numbers[scope.rows]).tolist():
            if number >= 0:
                whole = shapes.whole(groups[0], number)
                yield frame.path(whole, f'fill="{LAND}" stroke="#fff" stroke-width="0.6"', 0.7)
        return
    if small:
        return
    for shape in shapes.ground(frame.box):
        yield frame.path(shape, 'fill="#f7f8f9"')
    for number in np.unique(groups[0].numbers[scope.rows]).tolist() if groups else ():
        if number >= 0:
            yield frame.path(shapes.edge(groups[0], number), f'fill="{LAND}"')
    for row in scope.rows:
        if shapes.has(int(row)):
            style = f'fill="{LAND}" stroke="{LINE}" stroke-width="0.8"'
            yield frame.path(shapes.of[row], style)


def _place(row: int, key: str, fill: str, shapes: Shapes, frame: Frame, small: bool) -> str:
    edge = "#a33b0b" if key == "near" else "#fff"
    if shapes.has(row) and not small:
        return frame.path(shapes.of[row], f'fill="{fill}" stroke="{edge}" stroke-width="0.8"')
    if np.isnan(shapes.points[row]).any():
        return ""
    x, y = frame.at(shapes.points[[row]])[0]
    return _mark(key, x, y, 3.2)


def _mark(key: str, x: float, y: float, r: float) -> str:
    if key == "open":
        return (
            f'<rect x="{x - r:.1f}" y="{y - r:.1f}" width="{2 * r:.1f}" height="{2 * r:.1f}" '
            'fill="#7fa6cf" stroke="#12436d" stroke-width="0.8"/>'
        )
    fill, edge = ("#12436d", "#fff") if key == "sure" else ("#fff", "#a33b0b")
    wide = 0.4 if key == "sure" else 1.1
    return (
        f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{r:.1f}" fill="{fill}" stroke="{edge}" '
        f'stroke-width="{wide}"/>'
    )


def _edges(scope: Scope, shapes: Shapes, frame: Frame, groups: list[LargerAreas]) -> Iterator[str]:
    """Draw the edges of the authorities in it, and name them where there are several."""
    if not groups:
        return
    numbers = [n for n in np.unique(groups[0].numbers[scope.rows]).tolist() if n >= 0]
    for number in numbers:
        whole = shapes.edge(groups[0], number)
        yield frame.path(whole, f'fill="none" stroke="{INK}" stroke-width="1.4"', 0.6)
    if 1 < len(numbers) <= 40:
        import shapely

        for number in numbers:
            point = shapely.point_on_surface(shapes.edge(groups[0], number))
            if not shapely.is_empty(point):
                x, y = frame.at(shapely.get_coordinates(point))[0]
                yield text(x, y, groups[0].names[number], 11, "middle", QUIET, halo=True)


def _legend(
    classes: dict[str, Rows],
    words: dict[str, str],
    fills: dict[str, str],
    frame: Frame,
    small: bool,
) -> Iterator[str]:
    y = HEIGHT + 16
    for key in [k for k, rows in classes.items() if len(rows)]:
        edge = "#a33b0b" if key == "near" else "#12436d"
        yield (
            _mark(key, 11, y - 5, 5)
            if small
            else (
                f'<rect x="2" y="{y - 11:g}" width="18" height="13" fill="{fills[key]}" stroke="{edge}"/>'
            )
        )
        yield text(28, y, f"{words[key]}: {len(classes[key]):,}", 13)
        y += 21
    yield frame.scale_bar(WIDTH - 2, HEIGHT + 16)
