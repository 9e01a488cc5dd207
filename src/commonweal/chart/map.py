"""Maps: from degrees to metres, ground, areas, points, names where there is room, a legend and a scale bar."""

from __future__ import annotations

from itertools import pairwise
from textwrap import wrap
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from commonweal.chart.theme import INK, PAPER, QUIET, Mark, said, svg, swatch, text, width_of
from commonweal.document.model import Chart

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    import polars as pl

    from commonweal.areas import Areas
    from commonweal.document.model import TableData

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


WIDTH, HEIGHT = 440.0, 500.0
BORDER = "#9aa5ae"
_LINE = 20.0


class Frame:
    """From metres to units of a drawing; what is left over of a box goes to both sides."""

    def __init__(self, box: Box, width: float, height: float, left: float = 0, top: float = 0):
        west, south, east, north = box
        self.scale = min(width / max(east - west, 1.0), height / max(north - south, 1.0))
        self.box, self.width, self.height = box, width, height
        self._x = left + (width - (east - west) * self.scale) / 2 - west * self.scale
        self._y = top + (height - (north - south) * self.scale) / 2 + north * self.scale

    def at(self, points: Floats) -> Floats:
        """(n, 2) units from left and top."""
        return np.column_stack(
            [points[:, 0] * self.scale + self._x, self._y - points[:, 1] * self.scale]
        )

    def seen(self) -> Box:
        """Give the box that the drawing shows, in metres: its own, and what is left over at the sides."""
        west, south, east, north = self.box
        wide = (self.width / self.scale - (east - west)) / 2
        tall = (self.height / self.scale - (north - south)) / 2
        return west - wide, south - tall, east + wide, north + tall

    def paths(self, shapes: Outlines, slack: float = 0.4) -> list[str]:
        """Outline of each shape as the data of a path; `slack` is by how many units it may be off."""
        import shapely

        simple = shapely.simplify(np.atleast_1d(shapes), slack / self.scale)
        parts, shape_of = shapely.get_parts(simple, return_index=True)
        rings, part_of = shapely.get_rings(parts, return_index=True)
        points, ring_of = shapely.get_coordinates(rings, return_index=True)
        units = np.rint(self.at(points) * 10).astype(np.int64)
        ends = np.searchsorted(ring_of, np.arange(len(rings) + 1)).tolist()
        found = [""] * len(simple)
        owner = shape_of[part_of].tolist()
        for ring, (first, last) in enumerate(pairwise(ends)):
            steps = np.diff(units[first:last], axis=0)
            steps = steps[(steps != 0).any(axis=1)]
            if len(steps) < 3:
                continue  # a speck that rounds to nothing
            line = " ".join(f"{a / 10:g} {b / 10:g}" for a, b in steps[:-1].tolist())
            x, y = units[first].tolist()
            found[owner[ring]] += f"M{x / 10:g} {y / 10:g}l{line}z"
        return found

    def drawn(self, shapes: Outlines, style: str, slack: float = 0.4) -> list[str]:
        """Draw outlines in one style, each by itself."""
        return [f'<path d="{path}" {style}/>' for path in self.paths(shapes, slack) if path]

    def lines(self, shape: object, style: str, slack: float = 0.4) -> str:
        """Draw lines that are not closed, such as an edge cut off at the frame."""
        import shapely

        parts = []
        for part in shapely.get_parts(shapely.simplify(shape, slack / self.scale)):
            units = self.at(shapely.get_coordinates(part))
            if len(units) > 1:
                parts.append("M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in units.tolist()))
        return f'<path d="{"".join(parts)}" {style}/>' if parts else ""

    def scale_bar(self, right: float, y: float) -> tuple[str, float]:
        """Draw a bar of 1, 2 or 5 times a power of ten, about a quarter of the width; and where it starts."""
        wanted = 0.28 * self.width / self.scale
        power = 10 ** np.floor(np.log10(wanted))
        metres = float(max(k * power for k in (1, 2, 5) if k * power <= wanted))
        units = metres * self.scale
        words = f"{metres / 1000:,g} km" if metres >= 1000 else f"{metres:g} m"
        left = right - units
        bar = (
            f'<path d="M{left:.1f} {y - 5:.1f}v5h{units:.1f}v-5" fill="none" stroke="{INK}" '
            f'stroke-width="1.5"/>{text(left - 6, y, words, 12, "end")}'
        )
        return bar, left - 6 - width_of(words, 12)


def border(x: float, y: float, width: float, height: float, fill: str = "none") -> str:
    """Draw the edge of a map, or of a smaller one in its corner."""
    return (
        f'<rect x="{x + 0.5:g}" y="{y + 0.5:g}" width="{width - 1:g}" height="{height - 1:g}" '
        f'fill="{fill}" stroke="{BORDER}"/>'
    )


class Name(NamedTuple):
    """A name on a map, in the middle of what it names; `inside` is written white on dark."""

    x: float
    y: float
    words: str
    size: float = 11
    colour: str = QUIET
    bold: bool = False
    inside: bool = False


class Map:
    """A map of a `box` (in metres) that is being drawn, from the ground up; `hug` makes it narrower or lower."""

    def __init__(
        self, id_: str, box: Box, width: float = WIDTH, height: float = HEIGHT, hug: bool = False
    ) -> None:
        west, south, east, north = box
        if hug:
            scale = min(width / (east - west), height / (north - south))
            height = round((north - south) * scale)
        self.id, self.width, self.height = id_, width, height
        self.frame = Frame(box, width, height)
        self._parts = [f'<rect width="{width:g}" height="{height:g}" fill="{PAPER}"/>']
        self._taken: list[Box] = []

    def add(self, *parts: str) -> None:
        """Add what is drawn otherwise."""
        self._parts += parts

    def areas(self, shapes: Outlines | Sequence[object], style: str, slack: float = 0.4) -> None:
        """Draw areas in one style."""
        self._parts += self.frame.drawn(np.asarray(shapes, dtype=object), style, slack)

    def points(
        self, points: Floats, mark: Mark, r: float | None = None, titles: Sequence[str] = ()
    ) -> None:
        """Draw (n, 2) points; titles are shown where one points at them. Those not known are left out."""
        for k, (x, y) in enumerate(self.frame.at(points).tolist()):
            if np.isfinite(x):
                inside = f"<title>{said(titles[k])}</title>" if titles else ""
                self._parts.append(mark.at(x, y, r, inside))

    def keep_free(self, *boxes: Box) -> None:
        """Keep names out of boxes: left, top, right and bottom, in units."""
        self._taken += boxes

    def names(self, names: Iterable[Name]) -> None:
        """Write names where they meet neither each other nor the edge; the first is moved away from the edge."""
        for k, name in enumerate(names):
            half = width_of(name.words, name.size, name.bold) / 2
            if k == 0:
                size = min(name.size, name.size * (self.width / 2 - 3) / half)
                half *= size / name.size
                x = min(max(name.x, half + 3), self.width - half - 3)
                name = name._replace(x=x, size=size)
            box = name.x - half, name.y - name.size * 0.75, name.x + half, name.y + name.size * 0.75
            outside = (
                box[0] < 3 or box[2] > self.width - 3 or box[1] < 3 or box[3] > self.height - 3
            )
            if k > 0 and (outside or any(_meet(box, other) for other in self._taken)):
                continue
            self._taken.append(box)
            colour = PAPER if name.inside else name.colour
            self._parts.append(
                text(
                    name.x,
                    name.y + 4,
                    name.words,
                    name.size,
                    "middle",
                    colour,
                    name.bold,
                    not name.inside,
                )
            )

    # Wide: half of them are what a Chart says of itself.
    def chart(
        self,
        title: str,
        about: str,
        numbers: TableData,
        vega: Mapping[str, object],
        legend: Sequence[tuple[Mark | str, str]] = (),
        foot: str = "",
    ) -> Chart:
        """Finish it: cut at its frame, with a legend and a scale bar below.

        `foot` stands at the very end where it is to be a picture by itself, which then has its title too.
        """
        wide, y = self.width, self.height + 16
        parts = [
            f'<defs><clipPath id="{self.id}-frame"><rect width="{wide:g}" height="{self.height:g}"/></clipPath></defs>'
            f'<g clip-path="url(#{self.id}-frame)">{"".join(self._parts)}</g>'
        ]
        bar, start = self.frame.scale_bar(wide - 2, y)
        parts.append(bar)
        if any(24 + width_of(words, 12.5) > start for _, words in legend):
            y += _LINE
        for mark, words in legend:
            parts += [swatch(mark, 3, y), text(24, y, words)]
            y += _LINE
        y = max(y - _LINE, self.height + 16) + 8
        if foot:
            heads = wrap(title, int(wide / width_of("m", 17, bold=True)))
            parts = [
                *(text(0, 18 + 22 * k, line, 17, bold=True) for k, line in enumerate(heads)),
                f'<g transform="translate(0 {22 * len(heads) + 8})">{"".join(parts)}</g>',
                text(0, y + 22 * len(heads) + 26, foot, 11, fill=QUIET),
            ]
            y += 22 * len(heads) + 34
        drawn = svg(self.id, title, about, wide, y, parts, "map")
        return Chart(self.id, title, about, drawn, numbers, vega)


def _meet(a: Box, b: Box) -> bool:
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]
