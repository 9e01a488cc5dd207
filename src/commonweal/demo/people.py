"""Who lives in the fictional county, how they vote, help and fare, and what is true of their social capital."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from commonweal.demo import ground_truth as land
from commonweal.demo.ground_truth import binomial, logistic, poisson

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from commonweal.demo.ground_truth import Land, LatentFactors

    Counts = NDArray[np.int64]
    Floats = NDArray[np.float64]


SURVEY_MINIMUM = 12  # fewer answers than this are not published
# How a need moves the log odds (or, of charities and crimes, the log rate): level at average
# need, slope per standard deviation, and the spread of what the need does not explain.
_VOTES = (-0.45, -0.40, 0.12)
_VOLUNTEERS = (-1.05, -0.50, 0.10)
_MEMBERS = (-0.30, -0.50, 0.10)
_CHARITIES = (np.log(2.4), -0.45, 0.15)
_INCOME = (-2.00, 0.60, 0.15)
_EMPLOYMENT = (-2.25, 0.55, 0.18)
_NO_QUALIFICATIONS = (-1.50, 0.45, 0.20)
_ILLNESS = (-1.60, 0.35, 0.15)
_CRIME = (np.log(80.0), 0.45, 0.22)
_HOME_SIZE = {"town centre": 1.9, "seaside": 2.05, "remote": 2.3}  # people; 2.35 elsewhere


def settle_people(rng: np.random.Generator, land: Land) -> tuple[Counts, Counts]:
    """Fill the neighbourhoods.

    Gives (n_areas,) int64; populations lie between 1,000 and 3,000.
    """
    from commonweal.demo.ground_truth import KINDS

    n = len(land.kind)
    population = np.rint(np.clip(rng.normal(1_650, 300, n), 1_000, 3_000)).astype(np.int64)
    size = np.array([_HOME_SIZE.get(kind, 2.35) for kind in KINDS])[land.kind]
    return population, np.rint(population / (size * rng.uniform(0.95, 1.05, n))).astype(np.int64)


def count_people(
    rng: np.random.Generator, leanings: LatentFactors, population: Counts, noise: float
) -> dict[str, Counts | NDArray[np.float64]]:
    """Count what offices, polls and surveys would count."""
    n = len(population)
    adults = np.rint(population * rng.uniform(0.77, 0.85, n)).astype(np.int64)
    working_age = np.rint(adults * rng.uniform(0.72, 0.80, n)).astype(np.int64)
    electorate = np.rint(adults * rng.uniform(0.88, 0.96, n)).astype(np.int64)
    # Surveys reach few people in any one place: some tens, seldom under a dozen.
    sample = np.rint(np.clip(rng.normal(45, 15, n), 8, None)).astype(np.int64)

    def share(of: Counts, need: Floats, curve: tuple[float, float, float]) -> Counts:
        return binomial(rng, of, logistic(_expected(rng, need, curve)), noise)

    def rate(need: Floats, curve: tuple[float, float, float]) -> Counts:
        mean = np.exp(_expected(rng, need, curve)) * population / 1_000
        return poisson(rng, mean, noise)

    counts: dict[str, Counts | Floats] = {
        "people_16_plus": adults,
        "working_age": working_age,
        "electorate": electorate,
        "votes": share(electorate, leanings.engagement, _VOTES),
        "survey_sample": sample,
        "volunteers": share(sample, leanings.engagement, _VOLUNTEERS),
        "members": share(sample, leanings.engagement, _MEMBERS),
        "charities": rate(leanings.engagement, _CHARITIES),
        "income_deprived": share(population, leanings.deprivation, _INCOME),
        "employment_deprived": share(working_age, leanings.deprivation, _EMPLOYMENT),
        "no_qualifications": share(adults, leanings.deprivation, _NO_QUALIFICATIONS),
        "ill": share(population, leanings.deprivation, _ILLNESS),
        "crimes": rate(leanings.deprivation, _CRIME),
    }
    uncontested = rng.permutation(n)[: n // 100 + 1]
    counts["votes"] = _without(counts["votes"], uncontested)
    for name in ("volunteers", "members"):
        counts[name] = _without(counts[name], np.flatnonzero(sample < SURVEY_MINIMUM))
    return counts


def _expected(rng: np.random.Generator, need: Floats, curve: tuple[float, float, float]) -> Floats:
    level, slope, spread = curve
    return np.round(level + slope * need + rng.normal(0, spread, len(need)), 9)


def _without(counts: Counts | Floats, where: NDArray[np.intp]) -> Floats:
    kept = counts.astype(np.float64)
    kept[where] = np.nan
    return kept


AGES = ("16-29", "30-44", "45-64", "65+")
SEXES = ("female", "male")
TENURES = ("owned", "private rented", "social rented")
RESIDENT_KINDS = tuple((age, sex, tenure) for age in AGES for sex in SEXES for tenure in TENURES)
OUTCOMES = ("trust", "belonging", "loneliness")

# Who lives in each kind of neighbourhood: log odds of each age group against 45-64.
_AGES = {
    "town centre": (0.25, 0.25, 0.0, -0.75),
    "suburb": (-0.45, -0.25, 0.0, -0.30),
    "estate": (-0.15, -0.10, 0.0, -0.45),
    "seaside": (-0.65, -0.55, 0.0, 0.15),
    "village": (-0.80, -0.55, 0.0, -0.05),
    "remote": (-0.90, -0.60, 0.0, -0.05),
}
_AGES_SD = 0.15
# Renting, as log odds against owning: level, by standard deviation of deprivation, by age group.
_RENTS = {
    "private rented": (-1.25, 0.25, (1.1, 0.5, -0.3, -1.1)),
    "social rented": (-1.75, 0.90, (0.2, 0.1, -0.1, 0.0)),
}
_RENTS_SD = 0.25


@dataclass(frozen=True)
class _Law:
    """What moves the log odds of an outcome."""

    level: float
    deprivation: float  # a standard deviation more
    engagement: float  # a standard deviation more lack of it
    rural: float
    age: tuple[float, float, float, float]
    tenure: tuple[float, float, float]
    own_sd: float = 0.25  # what is a neighbourhood's own


# The directions are those that surveys find (trust is higher in the country, with age and among owners);
# the sizes are made up.
_LAWS = {
    "trust": _Law(0.45, -0.45, -0.15, 0.35, (-0.35, -0.1, 0.1, 0.4), (0.15, -0.2, -0.35)),
    "belonging": _Law(0.60, -0.20, -0.30, 0.35, (-0.3, -0.05, 0.1, 0.4), (0.2, -0.45, 0.0)),
    "loneliness": _Law(-1.15, 0.35, 0.10, -0.10, (0.35, 0.0, -0.1, 0.1), (-0.1, 0.15, 0.4)),
}


def count_residents(
    rng: np.random.Generator, ground: land.Land, leanings: LatentFactors, adults: Counts
) -> Counts:
    """Divide the residents of 16 and over by kind.

    Gives (n_areas, len(KINDS)) whole people that add up to `adults`.
    """
    n = len(adults)
    age = np.array([_AGES[kind] for kind in land.KINDS])[ground.kind]
    of_age = _shares(age + rng.normal(0, _AGES_SD, (n, len(AGES))))
    odds = np.zeros((n, len(AGES), len(TENURES)))
    for at, (level, slope, by_age) in enumerate(_RENTS.values(), start=1):
        own = level + slope * leanings.deprivation + rng.normal(0, _RENTS_SD, n)
        odds[:, :, at] = own[:, None] + np.array(by_age)
    of_tenure = _shares(odds)
    of_sex = 0.5 + np.round(rng.normal(0, 0.01, n), 9)
    sexes = np.stack([of_sex, 1 - of_sex], axis=1)
    share = of_age[:, :, None, None] * sexes[:, None, :, None] * of_tenure[:, :, None, :]
    return _whole(share.reshape(n, -1), adults)


def plant_outcomes(
    rng: np.random.Generator, ground: land.Land, leanings: LatentFactors
) -> dict[str, Floats]:
    """Plant what is true: the probability of each outcome for each kind of resident of each area."""
    rural = np.isin(ground.kind, [land.VILLAGE, land.REMOTE])
    found = {}
    for outcome, law in _LAWS.items():
        here = (
            law.level
            + law.deprivation * leanings.deprivation
            + law.engagement * leanings.engagement
            + law.rural * rural
            + rng.normal(0, law.own_sd, len(rural))
        )
        who = [law.age[AGES.index(a)] + law.tenure[TENURES.index(t)] for a, _, t in RESIDENT_KINDS]
        found[outcome] = logistic(np.round(here[:, None] + np.array(who), 9))
    return found


def of_areas(people: Counts, outcomes: Mapping[str, Floats]) -> dict[str, Floats]:
    """Give the share of each area's residents that each outcome is true of, (n_areas,)."""
    return {
        name: np.round((people * p).sum(axis=1) / people.sum(axis=1), 9)
        for name, p in outcomes.items()
    }


def _shares(odds: Floats) -> Floats:
    # To 9 decimals, alike on every processor, as in `chance.logistic`.
    size = np.round(np.exp(np.round(odds, 9)), 9)
    return np.asarray(size / size.sum(axis=-1, keepdims=True))


def _whole(share: Floats, total: Counts) -> Counts:
    """Round shares of a total to whole numbers by largest remainder; ties go to the first kind."""
    exact = np.round(share * total[:, None], 6)
    whole = np.floor(exact).astype(np.int64)
    rest = np.argsort(-(exact - whole), axis=1, kind="stable")
    left = total - whole.sum(axis=1)
    np.put_along_axis(
        whole,
        rest,
        np.take_along_axis(whole, rest, axis=1) + (np.arange(share.shape[1]) < left[:, None]),
        axis=1,
    )
    return whole
