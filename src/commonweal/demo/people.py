"""Who lives in the fictional county, how they vote, help and fare: counts, as offices hold them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from commonweal.demo.chance import binomial, logistic, poisson

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from commonweal.demo.land import Land
    from commonweal.demo.needs import Leanings

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

    Returns
    -------
    population, households
        (n_areas,) int64; populations lie between 1,000 and 3,000.
    """
    from commonweal.demo.land import KINDS

    n = len(land.kind)
    population = np.rint(np.clip(rng.normal(1_650, 300, n), 1_000, 3_000)).astype(np.int64)
    size = np.array([_HOME_SIZE.get(kind, 2.35) for kind in KINDS])[land.kind]
    return population, np.rint(population / (size * rng.uniform(0.95, 1.05, n))).astype(np.int64)


def count_people(
    rng: np.random.Generator, leanings: Leanings, population: Counts, noise: float
) -> dict[str, Counts | NDArray[np.float64]]:
    """Count what offices, polls and surveys would count.

    Parameters
    ----------
    rng
        Where chance comes from.
    leanings
        What the counts are drawn from.
    population
        (n_areas,) people.
    noise
        Scale of the sampling error: 0 none, 1 honest.

    Returns
    -------
    dict
        Columns of the `people` table but the code; NaN where a count was never made
        (an uncontested ward) or is too small to be published, for the table to turn to null.
    """
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
