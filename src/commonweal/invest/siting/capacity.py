"""Sites that can serve only so many: who goes where is part of the question."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from commonweal.errors import DataError
from commonweal.invest.highs import run_mip
from commonweal.invest.siting.core import affordable

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray
    from scipy.sparse import csr_array

    from commonweal.invest.clock import Clock
    from commonweal.invest.siting.problem import Goal, SitingProblem

    Floats = NDArray[np.float64]
    Rows = NDArray[np.intp]
    Tell = Callable[[float, float], None]

__all__ = ["Served", "serve"]


@dataclass(frozen=True, slots=True)
class Served:
    """An answer: rows of the problem's sites, people of each pair, what it costs, a bound, and how it ended."""

    chosen: Rows
    amount: Floats
    cost: float
    bound: float
    state: str


def serve(
    problem: SitingProblem,
    goal: Goal,
    *,
    only: Rows | None = None,
    start: Rows | None = None,
    gap: float = 0.0,
    clock: Clock | None = None,
    tell: Tell | None = None,
) -> Served:
    """Choose sites and who goes where, so that none serves more than it can.

    Parameters
    ----------
    problem
        With capacities.
    goal
        Any model but ``p_center``. In a p-median and a set covering everyone who is within the limit
        of some site has to be served; a maximal covering serves as much weight as it can.
    only
        The sites that are built, where they are chosen already.
    start
        A choice to begin with.
    gap, clock, tell
        As of `commonweal.invest.highs.run_mip`.

    Returns
    -------
    Served
        The cost of a maximal covering is the weight that is not served.

    Raises
    ------
    DataError
        If there is not capacity enough, or the model is ``p_center``.
    """
    from scipy.sparse import csr_array, vstack

    if goal.model == "p_center":
        raise DataError("p_center: capacities found; expected none, or another model")
    assert problem.capacity is not None
    sites = np.concatenate([np.flatnonzero(problem.existing), affordable(problem, goal)])
    within = (
        problem.limit if goal.model == "p_median" else min(goal.within or np.inf, problem.limit)
    )
    column = np.full(problem.n_sites, -1)
    column[sites] = np.arange(len(sites))
    point = problem.point()
    kept = np.flatnonzero(
        (column[problem.site] >= 0) & (problem.distance <= within) & (problem.people[point] > 0)
    )
    points, row = np.unique(point[kept], return_inverse=True)
    people, weight = problem.people[points], problem.weight[points]
    at, m, n, k = column[problem.site[kept]], len(sites), len(points), len(kept)
    capacity = np.minimum(problem.capacity[sites], people.sum())
    partly = goal.model == "maximal_covering"
    is_new = ~problem.existing[sites]
    spend = np.where(is_new, problem.cost[sites], 0.0)
    if not partly:
        _check_enough(goal, people, capacity, is_new)
    # Columns: sites, then the share of a point's people that goes to a site.
    pairs = np.arange(k)
    one = np.ones(k)
    most_a_site = csr_array(
        (
            np.concatenate([people[row], -capacity]),
            (np.concatenate([at, np.arange(m)]), np.concatenate([m + pairs, np.arange(m)])),
        ),
        shape=(m, m + k),
    )
    all_of_them = csr_array((one, (row, m + pairs)), shape=(n, m + k))
    only_where_open = csr_array(
        (
            np.concatenate([one, -one]),
            (np.concatenate([pairs, pairs]), np.concatenate([m + pairs, at])),
        ),
        shape=(k, m + k),
    )
    limits = csr_array(np.hstack([np.vstack([is_new, spend]), np.zeros((2, k))]))
    matrix: csr_array = csr_array(vstack([most_a_site, all_of_them, only_where_open, limits]))
    if goal.model == "p_median":
        cost = np.concatenate([np.zeros(m), weight[row] * problem.distance[kept]])
    elif partly:
        cost = np.concatenate([np.zeros(m), -weight[row]])
    else:
        cost = np.concatenate([spend, np.zeros(k)])
    number = np.inf if goal.sites is None else goal.sites
    budget = np.inf if goal.budget is None else goal.budget
    lower = np.concatenate([~is_new, np.zeros(k)]).astype(np.float64)
    upper = np.ones(m + k)
    if only is not None:
        lower[:m] = upper[:m] = ~is_new | np.isin(sites, only)
    first = None
    if start is not None:
        first = np.full(m + k, np.nan)
        first[:m] = ~is_new | np.isin(sites, start)
    fixed = _fixed(problem, goal, points)
    found = run_mip(
        cost,
        matrix,
        np.concatenate([np.full(m, -np.inf), np.full(n, -np.inf if partly else 1.0), np.full(k + 2, -np.inf)]),
        np.concatenate([np.zeros(m), np.ones(n), np.zeros(k), [number, budget]]),
        upper,
        np.arange(m + k) < (m if goal.divide else m + k),
        lower=lower,
        start=first,
        gap=gap,
        clock=clock,
        tell=None if tell is None else lambda cost, bound: tell(cost + fixed, bound + fixed),
    )  # fmt: skip
    if found.value is None:
        if found.state == "infeasible":
            raise DataError(
                f"{goal.model}: no choice of sites has capacity within reach for all of "
                f"{people.sum():,.0f} people; expected larger capacities, more sites or a larger limit"
            )
        if found.state == "interrupted":
            raise KeyboardInterrupt
        raise DataError(f"{goal.model}: no choice of sites was found in time; expected more time")
    amount = np.zeros(len(problem.site))
    amount[kept] = found.value[m:] * people[row]
    chosen = np.sort(sites[(found.value[:m] > 0.5) & is_new])
    return Served(chosen, amount, found.cost + fixed, found.bound + fixed, found.state)


def _fixed(problem: SitingProblem, goal: Goal, points: Rows) -> float:
    """Give what those out of reach cost; for a covering, what is lost if nobody is served."""
    if goal.model == "set_covering":
        return 0.0
    lost = np.ones(problem.n_demand, np.bool_)
    lost[points] = goal.model == "maximal_covering"
    counted = problem.weight if goal.model == "maximal_covering" else problem.limit * problem.weight
    return float(counted[lost & (problem.people > 0)].sum())


def _check_enough(goal: Goal, people: Floats, capacity: Floats, is_new: NDArray[np.bool_]) -> None:
    """Refuse at once what can't hold everyone even at its best."""
    new = np.sort(capacity[is_new])[::-1][: goal.sites]
    holds = float(new.sum() + capacity[~is_new].sum())
    if holds < people.sum() * (1 - 1e-12):
        raise DataError(
            f"{goal.model}: {people.sum():,.0f} people within reach of a site found, and capacity for "
            f"{holds:,.0f} at most; expected capacity for all of them"
        )
