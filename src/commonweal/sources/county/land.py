"""The lie of the fictional county: its shape, its settlements, its neighbourhoods.

Coordinates are metres on the British National Grid, on the Dogger Bank: open sea, so that
no map shows the county on top of anybody's home. Neighbourhoods are the Voronoi cells of
their centres of population, cut to the county's outline: they tile it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from commonweal.sources.county import names

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from commonweal.sources.county.settle import Plan

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


def make_land(rng: np.random.Generator, n_areas: int) -> Land:
    """Raise the county from the sea.

    Parameters
    ----------
    rng
        Where chance comes from.
    n_areas
        Number of neighbourhoods; the county's size grows with it.

    Returns
    -------
    Land
        Areas sorted by district and settlement.
    """
    from commonweal.sources.county import settle

    words = names.load_words()
    outline = _outline(rng, np.sqrt(n_areas / 400))
    plan = settle.settle(rng, outline, words, n_areas)
    district, district_names = _districts(plan.settlements, plan.settlement)
    order = np.lexsort((np.arange(n_areas), plan.group, plan.settlement, district))
    points = plan.points[order]
    return Land(
        outline=outline,
        easting=points[:, 0],
        northing=points[:, 1],
        kind=plan.kind[order],
        settlement=plan.settlement[order],
        group=plan.group[order],
        district=district[order],
        cells=_cells(points, outline),
        settlements=plan.settlements,
        district_names=district_names,
        area_names=_area_names(rng, words, plan, order),
    )


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


def _outline(rng: np.random.Generator, scale: float) -> Any:
    import shapely

    # A rectangle whose edge is bent by waves of falling size: a ragged coast in the east,
    # calmer borders elsewhere.
    width, height = SIZE_M[0] * scale, SIZE_M[1] * scale
    corner = np.array([0, width, width + height, 2 * width + height, 2 * (width + height)])
    along = np.linspace(0, corner[-1], 900, endpoint=False)
    x = np.interp(along, corner, [0, width, width, 0, 0])
    y = np.interp(along, corner, [0, 0, height, height, 0])
    coast = np.clip(1 - np.abs(along - (width + height / 2)) / (0.75 * height), 0, 1)
    wave = np.arange(2, 90)
    turn = 2 * np.pi * wave * (along / corner[-1])[:, None]
    size = wave**-1.35 * (0.11 * width)
    bend = [(size * np.sin(turn + rng.uniform(0, 2 * np.pi, wave.size))).sum(1) for _ in "xy"]
    x += bend[0] * (0.5 + 0.8 * coast) - 0.03 * width * coast
    y += bend[1] * (0.5 + 0.2 * coast)
    ring = np.column_stack([ORIGIN_M[0] + x, ORIGIN_M[1] + y])
    shape = shapely.make_valid(shapely.Polygon(np.round(ring, 1)))
    parts = shapely.get_parts(shape)
    return parts[np.argmax(shapely.area(parts))]


def _cells(points: Floats, outline: Any) -> NDArray[np.object_]:
    import shapely
    from scipy.spatial import Voronoi

    # A far ring of helpers closes the outermost cells.
    middle, reach = points.mean(0), 20 * np.ptp(points, axis=0).max()
    angle = np.arange(12) * (np.pi / 6)
    helpers = middle + reach * np.column_stack([np.cos(angle), np.sin(angle)])
    diagram = Voronoi(np.vstack([points, helpers]))
    regions = [diagram.regions[diagram.point_region[i]] for i in range(len(points))]
    corner = np.concatenate([np.asarray(region) for region in regions])
    owner = np.repeat(np.arange(len(points)), [len(region) for region in regions])
    corners = shapely.multipoints(diagram.vertices[corner], indices=owner)
    cells = shapely.intersection(shapely.convex_hull(corners), outline)
    # Neighbours work out a shared corner each for itself; on a decimetre grid they agree.
    return np.asarray(shapely.transform(cells, lambda xy: np.round(xy, 1)))


def _districts(
    settlements: tuple[Settlement, ...], settlement: Ints
) -> tuple[Ints, tuple[str, ...]]:
    # The county town with its surroundings, and around it four sectors of like size; a
    # settlement is never divided.
    at = np.array([(s.easting, s.northing) for s in settlements])
    size = np.bincount(settlement, minlength=len(at))
    away = at - at[0]
    gap = np.linalg.norm(away, axis=1)
    turn = np.arctan2(away[:, 1], away[:, 0]) % (2 * np.pi)
    outside = np.flatnonzero(gap > 1.6 * TOWN_RADIUS_M * np.sqrt(size[0]))
    outside = outside[np.argsort(turn[outside], kind="stable")]
    middle = np.cumsum(size[outside]) - size[outside] / 2
    sectors = N_DISTRICTS - 1
    member = np.zeros(len(at), dtype=np.intp)
    member[outside] = 1 + np.floor(sectors * middle / size[outside].sum()).astype(np.intp)
    styles = iter(("Vale of {}", "{} and Wolds", "{} Forest", "{} Levels", "{} Hundred"))
    titles = []
    for district in range(N_DISTRICTS):
        seat = int(np.argmax(np.where(member == district, size, -1)))
        style = ("{}", "{} Coast")[settlements[seat].kind == SEASIDE]
        title = settlements[seat].name
        titles.append((style if seat == 0 or "Coast" in style else next(styles)).format(title))
    return member[settlement], tuple(titles)


def _area_names(
    rng: np.random.Generator, words: names.Words, plan: Plan, order: Ints
) -> tuple[str, ...]:
    hoods: dict[int, Iterator[str]] = {}
    sizes = np.bincount(plan.settlement, minlength=len(plan.settlements))
    for i, s in enumerate(plan.settlements):
        if s.kind not in (VILLAGE, REMOTE):
            hoods[i] = iter(names.hood_names(rng, words, int(sizes[i])))
    estates: dict[int, tuple[str, int]] = {}
    sides: dict[int, int] = {}
    result = []
    for i in order:
        where, group = int(plan.settlement[i]), int(plan.group[i])
        name = plan.settlements[where].name
        if plan.kind[i] == ESTATE:
            title, number = estates.get(group) or (next(hoods[where]), 0)
            estates[group] = (title, number + 1)
            result.append(f"{name} {title} Estate {number + 1}")
        elif plan.kind[i] in (VILLAGE, REMOTE):
            side = sides[where] = sides.get(where, -1) + 1
            result.append(name if sizes[where] == 1 else f"{name} {('East', 'West')[side]}")
        else:
            result.append(f"{name} {next(hoods[where])}")
    return tuple(result)
