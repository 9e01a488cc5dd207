"""The best mix: an integer programme over neighbourhood, intervention and year of start."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from commonweal.invest.portfolio.branch import solve_rows
from commonweal.invest.portfolio.rows import Rows

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from commonweal.invest.portfolio.problem import Problem, Rules

    Floats = NDArray[np.float64]

__all__ = ["Mix", "choose", "need_met"]

GAP = 5e-3
"""How far from the best a mix may be, as a share, where nothing else is asked."""


@dataclass(frozen=True)
class Mix:
    """What is done where, and when.

    Attributes
    ----------
    start
        (n_areas, n_interventions) year of start, 0 = the first; -1 = not done.
    met
        Need met as the programme counts it: person-years of one standard deviation, weighted by need.
    bound
        What no mix can exceed.
    spent
        (years,) GBP.
    seconds
        How long the solver took.
    """

    start: NDArray[np.intp]
    met: float
    bound: float
    spent: Floats
    seconds: float

    @property
    def gap(self) -> float:
        """How far `met` could lie below the best, as a share of `bound`."""
        return max(0.0, self.bound - self.met) / self.bound if self.bound > 0 else 0.0

    @property
    def chosen(self) -> NDArray[np.bool_]:
        """(n_areas, n_interventions) whether it is done."""
        return self.start >= 0


def need_met(problem: Problem, start: NDArray[np.intp], rules: Rules) -> Floats:
    """Count the need that a mix meets, as the programme does.

    Parameters
    ----------
    problem, rules
        As in `choose`.
    start
        (n_areas, n_interventions) year of start; -1 = not done.

    Returns
    -------
    ndarray
        (n_areas,) person-years of one standard deviation, weighted by need.

    Notes
    -----
    On each outcome an area's interventions are ordered by what each gains over the years; the k-th counts
    ``repeat ** (k - 1)`` of its own. Harm counts whole. What is measured on the index is at most the
    area's shortfall for all the years.
    """
    years = rules.years
    works = problem.working(years).sum(axis=2)  # by start and intervention
    at = np.arange(len(problem.interventions))
    lasting = np.where(start >= 0, works[np.maximum(start, 0), at], 0.0)
    whole = problem.gains * lasting[:, :, None]
    good = -np.sort(-np.maximum(whole, 0.0), axis=1)
    factors = rules.repeat ** np.arange(len(problem.interventions))
    totals = np.tensordot(good, factors, (1, 0)) + np.minimum(whole, 0.0).sum(axis=1)
    measured = totals[:, problem.measured].sum(axis=1)
    stated = totals[:, ~problem.measured].sum(axis=1)
    return problem.weight * (np.minimum(measured, problem.shortfall * years) + stated)


def choose(problem: Problem, rules: Rules, *, gap: float = GAP, seconds: float = 60.0) -> Mix:
    """Choose the mix that meets most need within the rules.

    Parameters
    ----------
    problem
        What there is to choose from.
    rules
        What the mix must keep to.
    gap
        How far from the best it may be, as a share.
    seconds
        After how long the best mix found so far is taken.

    Returns
    -------
    Mix
        With the gap that was proven.

    Raises
    ------
    CommonwealError
        If the rules name what is not there, or no mix was found in time.

    Notes
    -----
    Variables are binary: neighbourhood x intervention x year of start; only what helps somebody is one.
    `commonweal.invest.portfolio.rows` has the constraints. Where there are many, the linear programme
    without "binary" comes first. It gives a bound, and prices each variable: a mix is sought among the
    cheapest, and where that is not near enough to the bound, among all that could be in a better one. HiGHS
    solves both (Huangfu and Hall, 2018, Mathematical Programming Computation 10).
    """
    problem.refuse(rules)
    began = time.perf_counter()
    rows = Rows.of(problem, rules)
    start = np.full((len(problem.codes), len(problem.interventions)), -1, dtype=np.intp)
    if not len(rows.area):
        return Mix(start, 0.0, 0.0, np.zeros(rules.years), 0.0)
    taken, bound = solve_rows(rows, gap, seconds)
    start[rows.area[taken], rows.intervention[taken]] = rows.start[taken]
    met = float(need_met(problem, start, rules).sum())
    spent = problem.spent(start, rules.years).sum(axis=(0, 1))
    return Mix(start, met, max(bound, met), spent, time.perf_counter() - began)
