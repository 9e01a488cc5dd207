"""Where people of the fictional county meet, learn, shop and are looked after, and the indicators measured."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from commonweal.demo import settlements as names
from commonweal.demo.ground_truth import (
    CATCHMENT_M,
    binomial,
    logistic,
    nearby,
    nearest,
    nearest_few,
    poisson,
    rate_se,
    share_se,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from commonweal.demo.ground_truth import Land, LatentFactors
    from commonweal.demo.transport import Timetable

    Counts = NDArray[np.int64]
    Floats = NDArray[np.float64]


@dataclass(frozen=True)
class PlaceKind:
    """One kind of place: how many per 1,000 people at average need, and what it is for."""

    name: str
    per_1000: float
    slope: float  # fall of the log rate per standard deviation of need
    most: float  # expected in any one area, however little its need
    use: str  # 'meeting', answering to the need for places, or 'service', to connectivity


PLACE_KINDS = (
    PlaceKind("library", 0.035, 1.8, 0.6, "meeting"),
    PlaceKind("community centre", 0.40, 0.65, 3.0, "meeting"),
    PlaceKind("pub", 0.70, 0.65, 4.0, "meeting"),
    PlaceKind("park", 0.65, 0.55, 3.0, "meeting"),
    PlaceKind("worship", 0.65, 0.55, 3.0, "meeting"),
    PlaceKind("sports ground", 0.40, 0.65, 3.0, "meeting"),
    PlaceKind("school", 0.40, 0.4, 2.0, "service"),
    PlaceKind("shop", 0.80, 0.6, 9.0, "service"),
    PlaceKind("surgery", 0.16, 0.8, 1.0, "service"),
    PlaceKind("post office", 0.20, 0.7, 1.0, "service"),
)
_VILLAGE_LIBRARIES = 3.0  # villages keep more, and smaller ones, for their numbers
_LOOK_AT = 150  # areas gone through for an expected distance
_CLOSED_SHARE = 0.12  # closed places per open one, at average need
_CLOSED_YEARS = (2008, 2025)


@dataclass(frozen=True)
class CountyPlaces:
    """Places, open and closed; arrays (n_places,)."""

    kind: NDArray[np.intp]  # index into `PLACE_KINDS`
    # easting, northing: grid metres
    easting: Floats
    northing: Floats
    area: NDArray[np.intp]  # index of the area that the place stands in
    closed: Counts  # year it closed, or 0 for a place that is open
    name: tuple[str, ...]

    def open_of(self, *kinds: str) -> Floats:
        """Where the open places of these kinds stand, (m, 2) in metres."""
        wanted = [i for i, kind in enumerate(PLACE_KINDS) if kind.name in kinds]
        keep = (self.closed == 0) & np.isin(self.kind, wanted)
        return np.column_stack([self.easting[keep], self.northing[keep]])


def expected_places(land: Land, leanings: LatentFactors, population: Counts) -> Floats:
    """Work out how many places of each kind an area is to have on average.

    Gives (n_areas, n_kinds) float64, in the order of `PLACE_KINDS`.
    """
    from commonweal.demo.ground_truth import REMOTE, VILLAGE

    rate = np.array([kind.per_1000 for kind in PLACE_KINDS])
    mean = rate * population[:, None] / 1_000 * np.exp(-_slopes() * _answered(leanings))
    mean[np.isin(land.kind, (VILLAGE, REMOTE)), 0] *= _VILLAGE_LIBRARIES
    most = np.array([kind.most for kind in PLACE_KINDS])
    return np.asarray(np.round(np.minimum(mean, most), 9), dtype=np.float64)


def expected_distance_m(land: Land, expected: Floats, *kinds: str) -> Floats:
    """Work out the expected distance to the nearest place of a kind, averaged over kinds.

    Numbers of places are taken as Poisson, so that none stands in areas that expect `m` together
    with probability exp(-m); areas are gone through from the nearest.

    Gives (n_areas,) float64 metres, before chance decides where places stand.
    """
    away, area = nearest_few(land.centres, land.centres, min(_LOOK_AT, len(expected)))
    away[:, 0] = 0.5 * np.minimum(land.reach_m, 500.0)  # a place of the area's own
    total = np.zeros(len(expected))
    for name in kinds:
        i = [kind.name for kind in PLACE_KINDS].index(name)
        none_yet = np.exp(-np.cumsum(expected[area, i], axis=1))
        # Whatever lies beyond the last one looked at counts as if it stood there.
        until = np.hstack([none_yet[:, :-1], np.zeros((len(expected), 1))])
        before = np.hstack([np.ones((len(expected), 1)), none_yet[:, :-1]])
        total += (away * (before - until)).sum(axis=1)
    return total / len(kinds)


def found_places(
    rng: np.random.Generator, land: Land, leanings: LatentFactors, expected: Floats, noise: float
) -> CountyPlaces:
    """Found the places that each neighbourhood's needs leave it with."""
    # Without noise a third of a library in each of three neighbours is one library.
    count = _blend(rng, expected, noise)
    # A county spreads its libraries with care, where pubs and shops come and go.
    count[:, 0] = _blend(rng, expected, 0.0)[:, 0]
    # Every area once had its share; where there is more need, more of it has closed.
    once = expected * np.exp((_slopes() + 0.2) * np.minimum(_answered(leanings), 2))
    shut = poisson(rng, once * _CLOSED_SHARE, 1.0)

    total = count + shut
    area, kind = np.divmod(np.repeat(np.arange(total.size), total.ravel()), len(PLACE_KINDS))
    serial = np.arange(area.size) - np.repeat(
        np.cumsum(total.ravel()) - total.ravel(), total.ravel()
    )
    is_shut = serial >= count.ravel()[area * len(PLACE_KINDS) + kind]
    year = rng.integers(*_CLOSED_YEARS, size=area.size)
    at, area = _scatter(rng, land, area)
    order = np.lexsort((serial, kind, area))
    return CountyPlaces(
        kind=kind[order],
        easting=at[order, 0],
        northing=at[order, 1],
        area=area[order],
        closed=np.where(is_shut, year, 0)[order].astype(np.int64),
        name=tuple(
            names.place_names(
                rng,
                [PLACE_KINDS[k].name for k in kind[order]],
                [land.area_names[a] for a in area[order]],
            )
        ),
    )


def _slopes() -> Floats:
    return np.array([kind.slope for kind in PLACE_KINDS])


def _answered(leanings: LatentFactors) -> Floats:
    # The leaning that each kind of place answers to, (n_areas, n_kinds).
    return np.column_stack(
        [
            leanings.places if kind.use == "meeting" else leanings.connectivity
            for kind in PLACE_KINDS
        ]
    )


def _blend(rng: np.random.Generator, mean: Floats, noise: float) -> Counts:
    drawn = rng.poisson(mean)
    running = np.round(np.cumsum(np.clip(mean + noise * (drawn - mean), 0, None), axis=0), 6)
    counts: Counts = np.diff(np.floor(running + 0.5), axis=0, prepend=0.0).astype(np.int64)
    return counts


def _scatter(
    rng: np.random.Generator, land: Land, area: NDArray[np.intp]
) -> tuple[Floats, NDArray[np.intp]]:
    import shapely

    spread = np.minimum(land.reach_m, 500.0) * 0.45
    at = land.centres[area] + rng.normal(size=(area.size, 2)) * spread[area, None]
    inner = shapely.buffer(land.outline, -20)  # dry, also after rounding
    shapely.prepare(inner)
    wet = ~shapely.contains_xy(inner, at[:, 0], at[:, 1])
    at[wet] = land.centres[area[wet]]
    at = np.round(at, 1)
    # A cell is all that is nearer to its own centre than to any other.
    return at, nearest(land.centres, at)[1]


STOP_M = 400.0  # a walk of five minutes to a bus
SERVICES = ("surgery", "post office", "shop")
_CENTRE_ERROR = 0.15  # of an area's radius: centres of population are estimates, too
_BROADBAND = (1.0, -0.9, 0.25)  # log odds: level, slope, spread that the need leaves over


def connect_homes(
    rng: np.random.Generator, leanings: LatentFactors, households: Counts, noise: float
) -> Counts:
    """Count the households that can have gigabit broadband, (n_areas,)."""
    level, slope, spread = _BROADBAND
    odds = level + slope * leanings.connectivity + rng.normal(0, spread, len(households))
    return binomial(rng, households, logistic(np.round(odds, 9)), noise)


def measure(
    rng: np.random.Generator,
    land: Land,
    people: Mapping[str, Counts | Floats],
    places: CountyPlaces,
    buses: Timetable,
    noise: float,
) -> dict[str, Floats]:
    """Work out the indicators of the `demo` study from counts, places and the timetable."""
    population = people["population"].astype(np.float64)
    error = noise * _CENTRE_ERROR * np.minimum(land.reach_m, 2_000.0)
    measured = land.centres + rng.normal(size=land.centres.shape) * error[:, None]
    columns: dict[str, Floats] = {}

    def add(name: str, value: Floats, se: Floats, decimals: int) -> None:
        columns[name] = np.round(value, decimals)
        columns[f"{name}_se"] = np.where(np.isnan(value), np.nan, np.round(se, decimals + 1))

    def add_share(name: str, count: str, of: str) -> None:
        part, whole = people[count], people[of]
        add(name, part / whole, share_se(part, whole, noise), 5)

    def add_rate(name: str, count: Counts, exposure: Floats) -> None:
        add(name, count / exposure, rate_se(count, exposure, noise), 4)

    first, second = nearby(land)
    served = np.bincount(first, population[second])
    meeting = [kind.name for kind in PLACE_KINDS if kind.use == "meeting"]
    within_walk = _count_within(land.centres, places.open_of(*meeting), CATCHMENT_M)
    add_rate("meeting_places_per_1000", within_walk, served / 1_000)
    add("distance_to_library_m", nearest(places.open_of("library"), measured)[0], error, 0)

    calls = _count_within(land.centres, buses.at, STOP_M, buses.calls)
    add_rate("bus_departures_per_day", calls, np.ones(len(calls)))
    add_share("broadband_share", "gigabit_households", "households")
    services = np.mean([nearest(places.open_of(s), measured)[0] for s in SERVICES], axis=0)
    add("distance_to_services_m", services, error, 0)

    add_share("turnout_rate", "votes", "electorate")
    add_share("volunteering_rate", "volunteers", "survey_sample")
    add_share("membership_rate", "members", "survey_sample")
    add_rate("charities_per_1000", people["charities"].astype(np.int64), population / 1_000)

    add_share("income_deprived_rate", "income_deprived", "population")
    add_share("employment_deprived_rate", "employment_deprived", "working_age")
    add_share("no_qualifications_rate", "no_qualifications", "people_16_plus")
    add_share("illness_rate", "ill", "population")
    add_rate("crimes_per_1000", people["crimes"].astype(np.int64), population / 1_000)
    return columns


def _count_within(
    centres: Floats, points: Floats, radius_m: float, weight: Counts | None = None
) -> Counts:
    from scipy.spatial import cKDTree

    near = cKDTree(centres).sparse_distance_matrix(
        cKDTree(points), radius_m, output_type="coo_matrix"
    )
    weights = None if weight is None else weight[near.col]
    return np.bincount(near.row, weights, minlength=len(centres)).astype(np.int64)
