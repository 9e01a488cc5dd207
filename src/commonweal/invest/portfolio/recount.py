"""What a mix meets when the index is scored anew with all of it in place, year by year."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from commonweal.invest.portfolio.build import moved_values

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from commonweal.invest.portfolio.build import Builder
    from commonweal.invest.portfolio.numbers import Key
    from commonweal.invest.portfolio.problem import Problem, Rules

    Floats = NDArray[np.float64]

__all__ = ["Recount", "recount"]


@dataclass(frozen=True)
class Recount:
    """The need that a mix meets, without the shortcuts of the programme that chose it.

    Attributes
    ----------
    met
        (n_areas,) person-years of one standard deviation, weighted by need.
    measured, stated
        How much of it is measured on the index, and how much stands by the stated size of outcomes.
    by_year
        (years,) the same by year.
    year
        The year in which most is met, 0 = the first.
    values
        (n_areas, n_indicators) the indicators of the areas in that year.
    """

    met: Floats
    measured: float
    stated: float
    by_year: Floats
    year: int
    values: Floats


def recount(
    builder: Builder,
    problem: Problem,
    rules: Rules,
    start: NDArray[np.intp],
    numbers: Mapping[Key, Floats],
) -> Recount:
    """Score the index anew for every year of a mix.

    Parameters
    ----------
    builder, problem, numbers
        The problem, what made it, and the numbers that it was made for.
    rules, start
        The mix and its rules.

    Notes
    -----
    The programme adds up what each intervention gains on its own. Here all that work in a year move the
    indicators together, those on one outcome in line, and the areas are scored against all areas as they
    are today. Outcomes that the index has no indicator for count by their stated size, year by year.
    """
    years, measure = rules.years, builder.measure
    works = problem.working(years)[np.maximum(start, 0), np.arange(len(problem.interventions))]
    works = np.where((start >= 0)[:, :, None], works, 0.0)
    cases = [
        moved_values(builder, problem, works[:, :, y], rules.repeat, numbers) for y in range(years)
    ]
    measured = measure.shortfall - measure.short(measure.scores_with(np.stack(cases)))
    stated = np.stack([_stated(problem, works[:, :, y], rules.repeat) for y in range(years)])
    weight = problem.weight
    by_year = (measured + stated) @ weight
    year = int(by_year.argmax())
    return Recount(
        weight * (measured + stated).sum(axis=0),
        float((measured @ weight).sum()),
        float((stated @ weight).sum()),
        by_year,
        year,
        cases[year],
    )


def _stated(problem: Problem, works: Floats, repeat: float) -> Floats:
    """(n_areas,) standard deviations of stated outcomes in a year."""
    whole = problem.gains[:, :, ~problem.measured] * works[:, :, None]
    good = -np.sort(-np.maximum(whole, 0.0), axis=1)
    factors = repeat ** np.arange(whole.shape[1])
    return (np.tensordot(good, factors, (1, 0)) + np.minimum(whole, 0.0).sum(axis=1)).sum(axis=1)
