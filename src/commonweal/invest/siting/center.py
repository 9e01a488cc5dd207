"""The least distance of the worst served that number and budget can pay for."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from commonweal.errors import DataError
from commonweal.invest.highs import run_mip
from commonweal.invest.siting.core import affordable
from commonweal.invest.siting.covering import Covered, greedy_cover, needed, pairs_matrix, to_cover

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from commonweal.invest.clock import Clock
    from commonweal.invest.siting.problem import Goal, SitingProblem

    Rows = NDArray[np.intp]
    Tell = Callable[[float, float], None]

__all__ = ["nearest_worst"]


def nearest_worst(
    problem: SitingProblem, goal: Goal, exact: bool, clock: Clock, tell: Tell | None = None
) -> Covered:
    """Bring the farthest point as near as number and budget allow, by halving over coverings (Minieka 1970).

    Parameters
    ----------
    problem, goal
        The goal's model is ``p_center``.
    exact
        Whether to prove it; else by greedy coverings.
    clock
        Says when to stop.
    tell
        Told the distance and its bound as they change.

    Returns
    -------
    Covered

    Raises
    ------
    DataError
        If a point with people is beyond every site, or number and budget don't suffice to bring everyone
        within the limit.
    """
    candidates = affordable(problem, goal)
    counts = problem.weight > 0
    lost = np.flatnonzero(counts & problem.beyond())
    if len(lost):
        raise DataError(
            f"p_center: no site is within {problem.limit:g} {problem.unit} of {len(lost):,} of "
            f"{int(counts.sum()):,} demand points, the first is {lost[0] + 1}; expected every point in reach of one"
        )
    now = problem.nearest(problem.existing)[1][counts]
    nearest = problem.nearest(_open(problem, candidates))[1][counts]
    if np.isnan(nearest).any():
        raise _too_far(problem, goal)
    low, high = nearest.max(), problem.limit if np.isnan(now).any() else now.max()
    radii = np.unique(problem.distance[(problem.distance >= low) & (problem.distance <= high)])
    best = None if np.isnan(now).any() else candidates[:0]
    last = len(radii) - (best is not None)  # the nearest known to do
    first, state = 0, "search"
    for sure in (False, True) if exact else (False,):
        first, state = 0, "optimal" if sure else "search"  # all before are known not to do
        while first < last and not clock.up():
            middle = (first + last) // 2
            found, state = _within(problem, goal, candidates, float(radii[middle]), sure, clock)
            if found is not None:
                best, last = found, middle
            elif sure and state != "infeasible":
                break
            else:
                first = middle + 1
            if tell and last < len(radii):
                tell(float(radii[last]), float(radii[first if sure else 0]))
    if best is None:
        if exact and first == last:
            raise _too_far(problem, goal)
        raise DataError(
            f"p_center: no choice that brings everyone within {problem.limit:g} {problem.unit} was found; "
            "expected more sites, a larger budget or more time"
        )
    if not exact:
        return Covered(best, float(radii[last]), float(radii[0]), "search")
    if first == last:
        state = "optimal"
    return Covered(best, float(radii[last]), float(radii[first]), state)


def _within(
    problem: SitingProblem, goal: Goal, candidates: Rows, radius: float, sure: bool, clock: Clock
) -> tuple[Rows | None, str]:
    """Give sites that bring everyone within a radius; None if there are none, or, unless sure, none found."""
    core = to_cover(problem, radius, candidates)
    most = len(candidates) if goal.sites is None else goal.sites
    budget = np.inf if goal.budget is None else goal.budget
    if not len(core.weight):
        return candidates[:0], "optimal"
    if (problem.nearest(_open(problem, candidates))[1][problem.weight > 0] > radius).any():
        return None, "infeasible"
    if not sure:
        chosen = greedy_cover(core)
        if len(chosen) <= most and core.cost[chosen].sum() <= budget:
            return core.columns[chosen], "optimal"
        return None, "search"
    from scipy.sparse import csr_array, vstack

    m, n = len(core.columns), len(core.weight)
    limits = csr_array(np.vstack([np.ones(m), core.cost]))
    found = run_mip(
        np.zeros(m),
        csr_array(vstack([pairs_matrix(core), limits])),
        np.concatenate([np.ones(n), [-np.inf, -np.inf]]),
        np.concatenate([np.full(n, np.inf), [most, budget]]),
        np.ones(m),
        np.ones(m, np.bool_),
        clock=clock,
    )
    if found.value is None:
        return None, found.state
    return core.columns[needed(core, np.flatnonzero(found.value > 0.5))], "optimal"


def _open(problem: SitingProblem, candidates: Rows) -> NDArray[np.bool_]:
    open_ = problem.existing.copy()
    open_[candidates] = True
    return open_


def _too_far(problem: SitingProblem, goal: Goal) -> DataError:
    paid = " and ".join(
        text
        for text, given in (
            (f"{goal.sites} sites", goal.sites),
            (f"a budget of {goal.budget:g}" if goal.budget else "", goal.budget),
        )
        if given
    )
    return DataError(
        f"p_center: {paid} can't bring everyone within {problem.limit:g} {problem.unit}; "
        "expected more, or a larger limit"
    )
