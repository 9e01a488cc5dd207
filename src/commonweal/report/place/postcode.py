"""The area that a postcode lies in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from commonweal.access.postcodes import load_postcodes, place_postcodes
from commonweal.errors import CommonwealError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from commonweal.report.place.shapes import Shapes

__all__ = ["postcode_finder"]

_FARTHEST_M = 2000.0
"""Without an outline about it, a postcode is in the area whose middle is nearest, if within this."""


def postcode_finder(
    shapes: Shapes, file: Path | None = None, cache: Path | None = None
) -> Callable[[str], int]:
    """Give a function from a postcode to the row of its area.

    Parameters
    ----------
    shapes
        Outlines of the areas.
    file
        A directory of the user's own; the packaged one if not given.
    cache
        Where the packaged one is kept in a form that is read fast.

    Raises
    ------
    CommonwealError
        By the function: if the postcode is not known, has no place, or lies in no area.
    """

    def find(postcode: str) -> int:
        directory = load_postcodes(file, cache)
        placed = place_postcodes([postcode], directory).row(0, named=True)
        if not placed["found"]:
            raise CommonwealError(f"postcode {postcode}: {placed['status']} ({directory.title})")
        row = shapes.at(placed["longitude"], placed["latitude"], _FARTHEST_M)
        if row is None:
            raise CommonwealError(f"postcode {postcode} lies in none of the areas of the study")
        return row

    return find
