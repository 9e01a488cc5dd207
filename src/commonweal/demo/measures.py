"""What can be observed of the fictional county: indicators, each with its standard error."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from commonweal.demo.chance import binomial, logistic, rate_se, share_se
from commonweal.demo.nearest import nearest
from commonweal.demo.needs import CATCHMENT_M, nearby
from commonweal.demo.places import PLACE_KINDS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from commonweal.demo.buses import Timetable
    from commonweal.demo.land import Land
    from commonweal.demo.needs import Leanings
    from commonweal.demo.places import Places

    Counts = NDArray[np.int64]
    Floats = NDArray[np.float64]

STOP_M = 400.0  # a walk of five minutes to a bus
SERVICES = ("surgery", "post office", "shop")
_CENTRE_ERROR = 0.15  # of an area's radius: centres of population are estimates, too
_BROADBAND = (1.0, -0.9, 0.25)  # log odds: level, slope, spread that the need leaves over


def connect_homes(
    rng: np.random.Generator, leanings: Leanings, households: Counts, noise: float
) -> Counts:
    """Count the households that can have gigabit broadband, (n_areas,)."""
    level, slope, spread = _BROADBAND
    odds = level + slope * leanings.connectivity + rng.normal(0, spread, len(households))
    return binomial(rng, households, logistic(np.round(odds, 9)), noise)


def measure(
    rng: np.random.Generator,
    land: Land,
    people: Mapping[str, Counts | Floats],
    places: Places,
    buses: Timetable,
    noise: float,
) -> dict[str, Floats]:
    """Work out the indicators of the `demo` study from counts, places and the timetable.

    Parameters
    ----------
    rng
        Where chance comes from: it misplaces the estimated centres of population.
    land
        The county's ground.
    people
        Columns of the `people` table, each (n_areas,).
    places, buses
        What stands and what runs.
    noise
        Scale of the sampling error, and of the standard errors that report it.

    Returns
    -------
    dict
        Columns of the `indicators` table but the code: each indicator, then its `_se`.
        NaN where it is missing, for the table to turn to null.
    """
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
