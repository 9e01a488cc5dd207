"""The area of a postcode: what the command line, a briefing pack and the explorer all ask."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache, cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from commonweal.access.postcodes import Postcodes, load_postcodes, place_postcodes, tidy_postcodes
from commonweal.errors import CommonwealError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from numpy.typing import NDArray

    from commonweal.areas import Areas


NEAR_M = 100.0
"""Boundaries are drawn simplified: an area this near may be the right one."""
MOST_NEAR = 5
FARTHEST_M = 2000.0
"""Outside every outline, a postcode is in the nearest area, if within this: outlines are simplified along coasts."""
_METRES_A_DEGREE = 111_195.0


@dataclass(frozen=True, slots=True)
class PostcodeMatch:
    """What was found for a postcode."""

    postcode: str
    row: int | None  # the area that it lies in; None if none holds it
    near: tuple[int, ...]  # rows of other areas that it may belong to, nearest first
    words: str  # why none was found, or a caution; empty if all is plain
    away: float = np.inf  # how far away the first of `near` is where `row` is None, in metres


def shapes_of(
    areas: Areas, boundaries: pl.DataFrame
) -> tuple[NDArray[np.intp], NDArray[np.object_]]:
    """Give the rows of areas with a known place, and their shapes: a boundary, or a point where there is none."""
    import shapely

    table = areas.table
    wkb = boundaries["geometry"].to_list() or [None] * len(areas)
    shapes = shapely.from_wkb(wkb, on_invalid="ignore")
    lon, lat = (
        table[c].cast(float).fill_null(np.nan).to_numpy() for c in ("longitude", "latitude")
    )
    alone = shapely.is_missing(shapes) & np.isfinite(lon) & np.isfinite(lat)
    shapes[alone] = shapely.points(lon[alone], lat[alone])
    rows = np.flatnonzero(~shapely.is_missing(shapes) & ~shapely.is_empty(shapes))
    return rows, shapes[rows]


@dataclass(frozen=True)
class PostcodeLookup:
    """The directory and the shapes, indexed."""

    # areas, boundaries: those of the study, in the same order
    areas: Areas
    boundaries: pl.DataFrame
    directory: Postcodes  # postcodes and where they are

    @cached_property
    def _shapes(self) -> tuple[Any, Any, Any]:
        """Rows, their shapes, and a tree of these."""
        import shapely

        rows, shapes = shapes_of(self.areas, self.boundaries)
        return rows, shapes, shapely.STRtree(shapes)

    def _placed(self, postcode: str) -> dict[str, Any]:
        """Look a postcode up in the directory."""
        bare = tidy_postcodes(pl.Series([postcode], dtype=pl.String))[0]
        # A filter goes through millions of rows in milliseconds; the join behind this sorts them.
        here = Postcodes("", self.directory.table.filter(pl.col("postcode") == bare))
        return place_postcodes([postcode], here).row(0, named=True)

    def row(self, postcode: str) -> int:
        """Give the row of the area that a postcode lies in, or just beside."""
        placed = self._placed(postcode)
        if not placed["found"]:
            raise CommonwealError(
                f"postcode {postcode}: {placed['status']} ({self.directory.title})"
            )
        found = self.at(postcode, float(placed["longitude"]), float(placed["latitude"]))
        if found.row is not None:
            return found.row
        if found.away > FARTHEST_M:
            raise CommonwealError(
                f"postcode {postcode} lies in none of the areas of the study; expected a postcode inside one, a code "
                "or a name; or give your own directory with --postcodes"
            )
        return found.near[0]

    def find(self, postcode: str) -> PostcodeMatch:
        """Find the area of a postcode."""
        found = self._placed(postcode)
        written = str(found["postcode"] or postcode)
        if not found["found"]:
            known = found["status"] == "no position"
            why = "has no position in" if known else "is not in"
            return PostcodeMatch(written, None, (), f"{written} {why} the directory of postcodes.")
        return self.at(written, float(found["longitude"]), float(found["latitude"]))

    def where(self, postcode: str) -> tuple[float, float] | None:
        """Give longitude and latitude of a postcode; None if it has none."""
        found = self._placed(postcode)
        return (float(found["longitude"]), float(found["latitude"])) if found["found"] else None

    def at(self, written: str, longitude: float, latitude: float) -> PostcodeMatch:
        """Find the area of a point in degrees."""
        import shapely

        rows, shapes, tree = self._shapes
        point = shapely.Point(longitude, latitude)
        degrees = NEAR_M / _METRES_A_DEGREE
        within = tree.query(point, predicate="intersects")
        within = within[shapely.get_dimensions(shapes[within]) == 2]
        # A degree of longitude is shorter than one of latitude, so this reaches a little too far east.
        box = shapely.box(
            longitude - 2 * degrees, latitude - degrees, longitude + 2 * degrees, latitude + degrees
        )
        if len(within):
            around = np.setdiff1d(tree.query(box, predicate="intersects"), within[:1])
            around = around[np.argsort(shapely.distance(shapes[around], point), kind="stable")]
            close = tuple(int(rows[i]) for i in around[:MOST_NEAR])
            return PostcodeMatch(written, int(rows[within[0]]), close, "")
        reach = tree.query(point.buffer(0.5))
        order = np.argsort(shapely.distance(shapes[reach], point), kind="stable")[:MOST_NEAR]
        close = tuple(int(rows[reach[i]]) for i in order)
        if not close:
            return PostcodeMatch(
                written, None, (), f"{written} is outside the area that this study covers."
            )
        one = self.areas.singular
        return PostcodeMatch(
            written, None, close,
            f"No {one} in this study has a boundary around {written}. The nearest are listed.",
            float(shapely.distance(shapes[reach[order[0]]], point)) * _METRES_A_DEGREE,
        )  # fmt: skip


def postcode_finder(
    areas: Areas, boundaries: pl.DataFrame, file: Path | None = None, kept: Path | None = None
) -> Callable[[str], int]:
    """Give a function from a postcode to the row of its area; the directory is read when it is first asked."""

    @cache
    def lookup() -> PostcodeLookup:
        return PostcodeLookup(areas, boundaries, load_postcodes(file, kept))

    return lambda postcode: lookup().row(postcode)
