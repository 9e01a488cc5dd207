"""What is true of the fictional county: the needs that everything observed is drawn from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from commonweal.demo.nearest import nearest_few

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from commonweal.demo.land import Land

    Floats = NDArray[np.float64]

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
class Leanings:
    """How the county treats each area: what supply, ties and hardship are drawn from.

    Each is (n_areas,) float64 with mean 0 and standard deviation 1; higher is worse.
    """

    places: Floats
    connectivity: Floats
    engagement: Floats
    deprivation: Floats


@dataclass(frozen=True)
class Needs:
    """True needs, each (n_areas,) float64, mean 0 and standard deviation 1, higher = more need.

    Attributes
    ----------
    places, connectivity, engagement
        The three strands of social infrastructure.
    community_need
        The three together: the sum of their exponentially transformed ranks, standardised.
    deprivation
        Lack of income, work, schooling, health and safety.
    left_behind
        (n_areas,) bool, in the worst tenth of both community need and deprivation.
    """

    places: Floats
    connectivity: Floats
    engagement: Floats
    community_need: Floats
    deprivation: Floats
    left_behind: NDArray[np.bool_]


def plant_leanings(rng: np.random.Generator, land: Land) -> Leanings:
    """Plant what decides the lot of every neighbourhood.

    Parameters
    ----------
    rng
        Where chance comes from.
    land
        The county's ground.

    Returns
    -------
    Leanings
        Values to 6 decimals, so that no last bit of a sine or logarithm, which differ
        between processors, decides a later draw.
    """
    from commonweal.demo.land import KINDS

    n = len(land.kind)
    means = np.array([_MEANS[kind] for kind in KINDS])[land.kind]
    group = _correlated(rng, int(land.group.max()) + 1)[land.group]
    raw = means + _GROUP_SD * group + _AREA_SD * _correlated(rng, n)
    # Places serve whoever can reach them, so their lack is shared between neighbours.
    raw[:, 0] = 0.15 * raw[:, 0] + 0.85 * _shared(land, raw[:, 0])
    return Leanings(*(_standard(raw[:, k]) for k in range(4)))


def true_needs(leanings: Leanings, to_library_m: Floats, to_services_m: Floats) -> Needs:
    """Work out the true needs: what the indicators would say if nothing were left to chance.

    Parameters
    ----------
    leanings
        What was planted.
    to_library_m, to_services_m
        (n_areas,) expected distances, see `places.expected_distance_m`.

    Returns
    -------
    Needs
        Need for places is half lack of places for the people there are, half distance;
        need for connectivity is distance by a third.
    """
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
