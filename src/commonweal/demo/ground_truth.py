"""What is true of the fictional county: its land, its needs, and how observations are drawn from them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Counts = NDArray[np.int64]
    Ints = NDArray[np.intp]


def logistic(x: Floats) -> Floats:
    """Turn log odds into probabilities, to 9 decimals: alike on every processor."""
    return np.round(1 / (1 + np.exp(-x)), 9)


def binomial(rng: np.random.Generator, trials: Counts, p: Floats, noise: float) -> Counts:
    """Count successes; with `noise` 0 the expected number, with 1 an honest draw."""
    return _scaled(trials * p, rng.binomial(trials, p), noise)


def poisson(rng: np.random.Generator, mean: Floats, noise: float) -> Counts:
    """Count events; with `noise` 0 the expected number, with 1 an honest draw.

    >>> poisson(np.random.default_rng(1), np.array([2.2, 7.9]), noise=0.0)
    array([2, 8])
    """
    mean = np.round(mean, 9)
    return _scaled(mean, rng.poisson(mean), noise)


def share_se(count: Counts | Floats, trials: Counts | Floats, noise: float) -> Floats:
    """Give the standard error of a share; never 0, as nobody of thirty is not nobody at all.

    The count gets one success and one failure more first (Agresti and Coull, 1998).
    """
    p = (count + 1) / (trials + 2)
    return np.asarray(noise * np.sqrt(p * (1 - p) / (trials + 2)))


def rate_se(count: Counts | Floats, exposure: Floats | Counts, noise: float) -> Floats:
    """Give the standard error of a count per exposure.

    Half an event is added, as none seen is not none possible.
    """
    return np.asarray(noise * np.sqrt(count + 0.5) / exposure)


def _scaled(expected: Floats, drawn: Counts, noise: float) -> Counts:
    return np.rint(expected + noise * (drawn - expected)).astype(np.int64)


def nearest(points: Floats, at: Floats) -> tuple[Floats, Ints]:
    """Find the nearest of `points`, (m, 2), to each of `at`, (n, 2): (n,) metres, and (n,) which it is."""
    distance, index = nearest_few(points, at, 1)
    return distance[:, 0], index[:, 0]


def nearest_few(points: Floats, at: Floats, k: int) -> tuple[Floats, Ints]:
    """Find the nearest `k` of `points` to each of `at`, nearest first, as two (n, k) arrays."""
    from scipy.spatial import cKDTree

    distance, index = cKDTree(points).query(at, k=np.arange(1, k + 1))
    return np.asarray(distance, dtype=np.float64), np.asarray(index, dtype=np.intp)


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
    """The county's ground; arrays hold one entry an area, in the order of the area codes."""

    outline: Any  # the county, a shapely polygon in grid metres
    # easting, northing: (n_areas,) float64, centre of population in metres
    easting: Floats
    northing: Floats
    kind: Ints  # (n_areas,) index into `KINDS`
    settlement: Ints  # (n_areas,) index into `settlements`
    group: Ints  # (n_areas,) areas that share a fate: one estate, one village, the rest of a town
    district: Ints  # (n_areas,) index into `district_names`
    cells: NDArray[np.object_]  # (n_areas,) shapely polygons in grid metres
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
    """Turn grid metres into longitude and latitude."""
    from pyproj import Transformer

    lon, lat = Transformer.from_pipeline(_TO_LONLAT).transform(easting, northing)
    return np.round(lon, 7), np.round(lat, 7)


def boundaries_wkb(land: Land) -> list[bytes]:
    """Each area's boundary as WKB in longitude and latitude (EPSG:4326)."""
    import shapely

    def project(points: Floats) -> Floats:
        return np.column_stack(to_lonlat(points[:, 0], points[:, 1]))

    return list(shapely.to_wkb(shapely.transform(land.cells, project), byte_order=1))


STRANDS = ("places", "connectivity", "engagement")
CATCHMENT_M = 1_600.0  # a walk of twenty minutes
WORST_SHARE = 0.1  # left behind: in the worst tenth on both counts

# How each kind of neighbourhood fares on average, in standard deviations; higher is more
# need. The pattern to be found: estates lack places, ties and money together, a town centre
# is poor amid plenty of places, and remote country lacks buses but not incomes.
_MEANS = {
    #               places  connectivity  engagement  deprivation
    "town centre": (-1.1, -1.3, 0.4, 0.9),
    "suburb": (-0.1, -0.5, -0.4, -0.6),
    "estate": (1.6, 0.6, 1.2, 1.4),
    "seaside": (0.1, 0.3, 0.6, 0.6),
    "village": (-0.3, 0.4, -0.6, -0.5),
    "remote": (0.2, 0.9, -0.7, -0.5),
}
_GROUP_SD = 0.55  # one estate or village against others of its kind
_AREA_SD = 0.4  # neighbours within one
_DRIVE_TO = 5  # areas of open country that share their places
_SHARED = 0.5  # share of both that the four needs have in common


@dataclass(frozen=True)
class LatentFactors:
    """How the county treats each area: what supply, ties and hardship are drawn from.

    Each is (n_areas,) float64 with mean 0 and standard deviation 1; higher is worse.
    """

    places: Floats
    connectivity: Floats
    engagement: Floats
    deprivation: Floats


@dataclass(frozen=True)
class Needs:
    """True needs, each (n_areas,) float64, mean 0 and standard deviation 1, higher = more need."""

    # places, connectivity, engagement: the three strands of social infrastructure
    places: Floats
    connectivity: Floats
    engagement: Floats
    # the three together: the sum of their exponentially transformed ranks, standardised
    community_need: Floats
    deprivation: Floats  # lack of income, work, schooling, health and safety
    # (n_areas,) bool, in the worst tenth of both community need and deprivation
    left_behind: NDArray[np.bool_]


def draw_latent_factors(rng: np.random.Generator, land: Land) -> LatentFactors:
    """Plant what decides the lot of every neighbourhood."""
    n = len(land.kind)
    means = np.array([_MEANS[kind] for kind in KINDS])[land.kind]
    group = _correlated(rng, int(land.group.max()) + 1)[land.group]
    raw = means + _GROUP_SD * group + _AREA_SD * _correlated(rng, n)
    # Places serve whoever can reach them, so their lack is shared between neighbours.
    raw[:, 0] = 0.15 * raw[:, 0] + 0.85 * _shared(land, raw[:, 0])
    return LatentFactors(*(_standard(raw[:, k]) for k in range(4)))


def true_needs(leanings: LatentFactors, to_library_m: Floats, to_services_m: Floats) -> Needs:
    """Work out the true needs: what the indicators would say if nothing were left to chance."""
    places = _standard(leanings.places + _standard(np.log(to_library_m)))
    connectivity = _standard(2 * leanings.connectivity + _standard(np.log(to_services_m)))
    community_need = combine(places, connectivity, leanings.engagement)
    return Needs(
        places=places,
        connectivity=connectivity,
        engagement=leanings.engagement,
        community_need=community_need,
        deprivation=leanings.deprivation,
        left_behind=worst(community_need) & worst(leanings.deprivation),
    )


def combine(*strands: Floats) -> Floats:
    """Combine strands of need as the Community Needs Index does, and standardise the sum.

    Each strand's rank R (1 = most need, scaled as (N + 1 - rank) / N) becomes
    X = -23 ln(1 - R (1 - exp(-100/23))), and the X are summed.
    """
    total = np.zeros(len(strands[0]))
    for strand in strands:
        share = _place_in_order(strand) / len(strand)
        total += -23 * np.log(1 - share * (1 - np.exp(-100 / 23)))
    return _standard(total)


def worst(need: Floats) -> NDArray[np.bool_]:
    """Tell which areas are the worst tenth (rounded down) by need."""
    n = len(need)
    return _place_in_order(need) > n - int(np.floor(WORST_SHARE * n))


def nearby(land: Land) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Pairs of areas (each with itself, too) whose centres are within a walk of each other."""
    from scipy.spatial import cKDTree

    n = len(land.easting)
    pairs = cKDTree(land.centres).query_pairs(CATCHMENT_M, output_type="ndarray")
    own = np.arange(n)
    first = np.concatenate([own, pairs[:, 0], pairs[:, 1]])
    second = np.concatenate([own, pairs[:, 1], pairs[:, 0]])
    order = np.lexsort((second, first))  # a sum of floats depends on its order
    return first[order], second[order]


def _shared(land: Land, values: Floats) -> Floats:
    # The mean over whoever uses the same places: areas within a walk, and in open country,
    # where people drive, the nearest few.
    first, second = nearby(land)
    walk = np.bincount(first, values[second]) / np.bincount(first)
    drive = values[nearest_few(land.centres, land.centres, _DRIVE_TO)[1]].mean(axis=1)
    return np.where(np.bincount(first) < _DRIVE_TO, drive, walk)


def _correlated(rng: np.random.Generator, n: int) -> Floats:
    common, own = rng.normal(size=(n, 1)), rng.normal(size=(n, 4))
    return np.asarray(np.sqrt(_SHARED) * common + np.sqrt(1 - _SHARED) * own)


def _place_in_order(need: Floats) -> NDArray[np.intp]:
    # 1 = least need; ties, all but impossible, go by area code.
    place = np.empty(len(need), dtype=np.intp)
    place[np.argsort(need, kind="stable")] = np.arange(1, len(need) + 1)
    return place


def _standard(values: Floats) -> Floats:
    return np.asarray(np.round((values - values.mean()) / values.std(), 6))
