"""Where people set out from: the point of each small area, or the postcodes that lie in it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from commonweal.access import Points, by_area
from commonweal.access.national_grid import grid_to_degrees
from commonweal.errors import DataError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from commonweal.access.postcodes import Postcodes
    from commonweal.areas import Areas

__all__ = ["POSTCODES", "Origins", "area_points", "postcodes_inside"]

POSTCODES = "postcodes"
"""What a study calls them."""


@dataclass(frozen=True, slots=True)
class Origins:
    """Where people set out from.

    Attributes
    ----------
    areas
        The areas that they live in.
    points
        (n_points,) where.
    rows
        (n_points,) the row of the area that each lies in.
    of
        What the points are, for the account.
    """

    areas: Areas
    points: Points
    rows: NDArray[np.intp]
    of: str

    def at_areas(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Give each area the mean of its points.

        Parameters
        ----------
        values
            (n_points,) NaN where there is none, such as out of reach.

        Returns
        -------
        ndarray
            (n_areas,) the mean of the points that have a value; NaN in an area without a point, or
            where fewer than half of them have one.
        """
        found = by_area(values, self.rows, len(self.areas))
        return np.where(found.missing_share <= 0.5, found.mean, np.nan)

    def people(self) -> NDArray[np.float64]:
        """Give (n_points,) residents: an area's, shared out equally over its points.

        Raises
        ------
        DataError
            If an area that has a point has no population.
        """
        unknown = np.unique(self.rows[np.isnan(self.areas.population[self.rows])])
        if len(unknown):
            raise DataError(
                f"{len(unknown):,} of {len(self.areas):,} areas of {self.areas.system} have no "
                f"population, such as {self.areas.codes[unknown[0]]}; expected that of each, as a "
                "catchment shares places among people"
            )
        points = np.bincount(self.rows, minlength=len(self.areas))
        shared: NDArray[np.float64] = (self.areas.population / np.maximum(points, 1))[self.rows]
        return shared

    def account(self) -> dict[str, Any]:
        """Say what was set out from, and how many areas nobody set out from."""
        empty = len(self.areas) - len(np.unique(self.rows))
        told = {"from": self.of, "points": len(self.points)}
        return told | ({"areas without a point": empty} if empty else {})


def area_points(areas: Areas) -> Origins:
    """Take the points of areas, one each.

    Raises
    ------
    DataError
        If no area has one, or that of one is nowhere on Earth.
    """
    longitude, latitude = (
        areas.table[c].cast(pl.Float64).fill_null(np.nan).to_numpy()
        for c in ("longitude", "latitude")
    )
    rows = np.flatnonzero(~(np.isnan(longitude) | np.isnan(latitude)))
    if not len(rows):
        raise DataError(
            f"none of the {len(areas):,} areas of {areas.system} has a point; expected their "
            "longitude and latitude, which reach is measured from"
        )
    beyond = rows[~((np.abs(longitude[rows]) <= 180) & (np.abs(latitude[rows]) <= 90))]
    if len(beyond):
        row = beyond[0]
        raise DataError(
            f"area {areas.codes[row]} has longitude {longitude[row]:g} and latitude "
            f"{latitude[row]:g}; expected degrees from -180 to 180 and from -90 to 90"
        )
    return Origins(
        areas, Points(longitude[rows], latitude[rows]), rows, f"points of {areas.system}"
    )


def postcodes_inside(areas: Areas, shapes: pl.DataFrame, directory: Postcodes) -> Origins:
    """Take the postcodes that lie in areas.

    Parameters
    ----------
    areas
        The areas.
    shapes
        ``code`` and ``geometry`` (WKB, WGS 84) of them, in their order.
    directory
        The postcodes; those that have ended are left out where it says so.

    Raises
    ------
    DataError
        If no area has a boundary, or no postcode lies in one.

    Notes
    -----
    How many people live at a postcode is not published openly for every year, so each counts the
    same: about fifteen addresses.
    """
    import shapely

    polygons = shapely.from_wkb(shapes["geometry"].to_numpy())
    if shapely.is_missing(polygons).all():
        raise DataError(
            f"none of the {len(areas):,} areas of {areas.system} has a boundary; expected some, which "
            "say what postcodes lie in them"
        )
    live = directory.table.filter(
        pl.col("easting").is_not_null()
        & ~pl.col("ended").fill_null(False)
        & ~pl.col("postcode").str.starts_with("BT")
    )
    longitude, latitude = grid_to_degrees(live["easting"].to_numpy(), live["northing"].to_numpy())
    west, south, east, north = shapely.total_bounds(polygons)
    near = np.flatnonzero(
        (longitude >= west) & (longitude <= east) & (latitude >= south) & (latitude <= north)
    )
    points = shapely.points(longitude[near], latitude[near])
    at, rows = shapely.STRtree(polygons).query(points, predicate="intersects")
    order = np.lexsort((rows, at))  # one on a border goes to the first area
    _, first = np.unique(at[order], return_index=True)
    at, rows = near[at[order][first]], rows[order][first]
    if not len(at):
        raise DataError(f"no postcode of {directory.title} lies in an area of {areas.system}")
    return Origins(areas, Points(longitude[at], latitude[at]), rows, f"postcodes of {areas.system}")
