"""The lie of the fictional county: its shape, its settlements, its neighbourhoods.

Coordinates are metres on the British National Grid, on the Dogger Bank: open sea, so that
no map shows the county on top of anybody's home. Neighbourhoods are the Voronoi cells of
their centres of population, cut to the county's outline: they tile it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Ints = NDArray[np.intp]

KINDS = ("town centre", "suburb", "estate", "seaside", "village", "remote")
CENTRE, SUBURB, ESTATE, SEASIDE, VILLAGE, REMOTE = range(len(KINDS))
N_DISTRICTS = 5
ORIGIN_M = (600_000.0, 555_000.0)  # south-west corner of a county of 400 areas
SIZE_M = (40_000.0, 30_000.0)  # of a county of 400 areas; larger ones grow at the same density
TOWN_RADIUS_M = 330.0  # times the root of the number of areas: about 4,700 people a square km
# The whole way from grid to longitude is spelled out, so that no grid-shift file that one
# machine has and another lacks can move the county.
_TO_LONLAT = (
    "+proj=pipeline +step +inv +proj=tmerc +lat_0=49 +lon_0=-2 +k=0.9996012717"
    " +x_0=400000 +y_0=-100000 +ellps=airy +step +proj=cart +ellps=airy"
    " +step +proj=helmert +x=446.448 +y=-125.157 +z=542.06 +rx=0.1502 +ry=0.247 +rz=0.8421"
    " +s=-20.4894 +convention=position_vector"
    " +step +inv +proj=cart +ellps=WGS84 +step +proj=unitconvert +xy_in=rad +xy_out=deg"
)


@dataclass(frozen=True)
class Settlement:
    """A town, village or stretch of remote country: its name, kind and centre in metres."""

    name: str
    kind: int
    easting: float
    northing: float


@dataclass(frozen=True)
class Land:
    """The county's ground; arrays hold one entry an area, in the order of the area codes.

    Attributes
    ----------
    outline
        The county, a shapely polygon in grid metres.
    easting, northing
        (n_areas,) float64, centre of population in metres.
    kind
        (n_areas,) index into `KINDS`.
    settlement
        (n_areas,) index into `settlements`.
    group
        (n_areas,) areas that share a fate: one estate, one village, the rest of a town.
    district
        (n_areas,) index into `district_names`.
    cells
        (n_areas,) shapely polygons in grid metres.
    """

    outline: Any
    easting: Floats
    northing: Floats
    kind: Ints
    settlement: Ints
    group: Ints
    district: Ints
    cells: NDArray[np.object_]
    settlements: tuple[Settlement, ...]
    district_names: tuple[str, ...]
    area_names: tuple[str, ...]

    @property
    def centres(self) -> Floats:
        """Centres of population, (n_areas, 2) in metres."""
        return np.column_stack([self.easting, self.northing])

    @property
    def reach_m(self) -> Floats:
        """Radius of the circle as large as each area, (n_areas,) in metres."""
        import shapely

        return np.asarray(np.round(np.sqrt(shapely.area(self.cells) / np.pi), 1))


def to_lonlat(easting: Floats, northing: Floats) -> tuple[Floats, Floats]:
    """Turn grid metres into longitude and latitude.

    Parameters
    ----------
    easting, northing
        British National Grid, metres.

    Returns
    -------
    lon, lat
        WGS 84, decimal degrees, to 7 decimals (a centimetre).
    """
    from pyproj import Transformer

    lon, lat = Transformer.from_pipeline(_TO_LONLAT).transform(easting, northing)
    return np.round(lon, 7), np.round(lat, 7)


def boundaries_wkb(land: Land) -> list[bytes]:
    """Each area's boundary as WKB in longitude and latitude (EPSG:4326)."""
    import shapely

    def project(points: Floats) -> Floats:
        return np.column_stack(to_lonlat(points[:, 0], points[:, 1]))

    return list(shapely.to_wkb(shapely.transform(land.cells, project), byte_order=1))
