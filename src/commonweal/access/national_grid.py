"""Eastings and northings of the national grids to longitude and latitude."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Literal

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray
    from pyproj import Transformer

__all__ = ["grid_to_degrees"]

Grid = Literal["britain", "ireland"]

# Spelled out, so that every machine gives the same digits whatever grid files it has: by name, PROJ takes
# the best transformation that it finds files for.
_PIPELINE = (
    "+proj=pipeline +step +inv +proj=tmerc {projection} +step +proj=cart +{ellipsoid} "
    "+step +proj=helmert {shift} +convention=position_vector "
    "+step +inv +proj=cart +ellps=WGS84 +step +proj=unitconvert +xy_in=rad +xy_out=deg"
)
_GRIDS: dict[Grid, dict[str, str]] = {
    "britain": {
        "projection": "+lat_0=49 +lon_0=-2 +k=0.9996012717 +x_0=400000 +y_0=-100000 +ellps=airy",
        "ellipsoid": "ellps=airy",
        "shift": "+x=446.448 +y=-125.157 +z=542.06 +rx=0.15 +ry=0.247 +rz=0.842 +s=-20.489",
    },
    "ireland": {
        "projection": "+lat_0=53.5 +lon_0=-8 +k=1.000035 +x_0=200000 +y_0=250000 +ellps=mod_airy",
        "ellipsoid": "ellps=mod_airy",
        "shift": "+x=482.5 +y=-130.6 +z=564.6 +rx=-1.042 +ry=-0.214 +rz=-0.631 +s=8.15",
    },
}


def grid_to_degrees(
    easting: ArrayLike, northing: ArrayLike, grid: Grid = "britain"
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Give the longitude and latitude (WGS 84) of points of a national grid.

    Parameters
    ----------
    easting, northing
        (n,) metres.
    grid
        ``britain`` (EPSG:27700), or ``ireland`` (EPSG:29903), which the postcodes of Northern Ireland use.

    Returns
    -------
    longitude, latitude
        (n,) float64 degrees; NaN where a coordinate is missing.

    Notes
    -----
    By seven parameters (EPSG transformations 1314 and 1641): within about 5 m of the official grid files
    in Britain and 1 m in Ireland, which is less than a postcode is wide.

    Examples
    --------
    >>> longitude, latitude = grid_to_degrees([533498.0], [181201.0])
    >>> print(f"{longitude[0]:.4f} {latitude[0]:.4f}")
    -0.0775 51.5140
    """
    x = np.atleast_1d(np.asarray(easting, dtype=np.float64))
    y = np.atleast_1d(np.asarray(northing, dtype=np.float64))
    known = np.isfinite(x) & np.isfinite(y)
    longitude, latitude = np.full(x.shape, np.nan), np.full(x.shape, np.nan)
    longitude[known], latitude[known], _ = _transformer(grid).transform(
        x[known], y[known], np.zeros(int(known.sum()))
    )
    return longitude, latitude


@cache
def _transformer(grid: Grid) -> Transformer:
    from pyproj import Transformer

    return Transformer.from_pipeline(_PIPELINE.format(**_GRIDS[grid]))
