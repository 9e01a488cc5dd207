"""From a postcode to an area: the packaged directory and the study's own shapes, no outside request."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from commonweal.access.postcodes import Postcodes, load_postcodes, place_postcodes, tidy_postcodes
from commonweal.web.tiles import shapes_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from typing import Any

    from commonweal.study.results import Results

__all__ = ["Answer", "PostcodeBox", "is_postcode", "postcode_box"]

BRITAIN = ("E", "S", "W", "N")
NEAR_M = 100.0
"""Boundaries are drawn simplified: an area this near may be the right one."""
MOST_NEAR = 5
_METRES_A_DEGREE = 111_195.0


@dataclass(frozen=True, slots=True)
class Answer:
    """What was found for a postcode.

    Attributes
    ----------
    postcode
        As it is written.
    row
        The area that it lies in; None if none holds it.
    near
        Rows of other areas that it may belong to, nearest first.
    words
        Why none was found, or a caution; empty if all is plain.
    """

    postcode: str
    row: int | None
    near: tuple[int, ...]
    words: str


@dataclass(frozen=True)
class PostcodeBox:
    """The directory and the shapes, indexed.

    Attributes
    ----------
    results
        The run.
    directory
        Postcodes and where they are.
    """

    results: Results
    directory: Postcodes

    @cached_property
    def _shapes(self) -> tuple[Any, Any, Any]:
        """Rows, their shapes, and a tree of these."""
        import shapely

        rows, shapes = shapes_of(self.results)
        return rows, shapes, shapely.STRtree(shapes)

    def find(self, postcode: str) -> Answer:
        """Find the area of a postcode."""
        bare = tidy_postcodes(pl.Series([postcode], dtype=pl.String))[0]
        # A filter goes through millions of rows in milliseconds; the join behind this sorts them.
        here = Postcodes("", self.directory.table.filter(pl.col("postcode") == bare))
        found = place_postcodes([postcode], here).row(0, named=True)
        written = str(found["postcode"] or postcode)
        if not found["found"]:
            known = found["status"] == "no position"
            why = "has no position in" if known else "is not in"
            return Answer(written, None, (), f"{written} {why} the directory of postcodes.")
        return self.at(written, float(found["longitude"]), float(found["latitude"]))

    def where(self, postcode: str) -> tuple[float, float] | None:
        """Give longitude and latitude of a postcode; None if it has none."""
        bare = tidy_postcodes(pl.Series([postcode], dtype=pl.String))[0]
        here = Postcodes("", self.directory.table.filter(pl.col("postcode") == bare))
        found = place_postcodes([postcode], here).row(0, named=True)
        return (float(found["longitude"]), float(found["latitude"])) if found["found"] else None

    def at(self, written: str, longitude: float, latitude: float) -> Answer:
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
            return Answer(written, int(rows[within[0]]), close, "")
        reach = tree.query(point.buffer(0.5))
        order = np.argsort(shapely.distance(shapes[reach], point), kind="stable")[:MOST_NEAR]
        close = tuple(int(rows[reach[i]]) for i in order)
        if not close:
            return Answer(written, None, (), f"{written} is not in a place that this study covers.")
        one = self.results.areas.singular
        return Answer(
            written, None, close,
            f"This study has no {one} with a boundary that holds {written}; the nearest are listed.",
        )  # fmt: skip


def is_postcode(text: str) -> bool:
    """Say whether a text looks like a postcode.

    Examples
    --------
    >>> is_postcode(" ox49 5nu"), is_postcode("Oxford")
    (True, False)
    """
    return tidy_postcodes(pl.Series([text], dtype=pl.String))[0] is not None


def postcode_box(
    results: Results, cache: Path, progress: Callable[[str, int, int], None] | None = None
) -> PostcodeBox | None:
    """Make the index; None for a study of areas outside the United Kingdom, or of its own making."""
    if not isinstance(results.study.areas, str):
        return None
    if not {code[0] for code in results.areas.codes} <= set(BRITAIN):
        return None
    return PostcodeBox(results, load_postcodes(cache=cache, progress=progress))
