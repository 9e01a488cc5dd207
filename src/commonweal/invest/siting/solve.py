"""Solve a siting problem: a good answer at once, then the best, with the proof."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from commonweal.errors import DataError, UnknownNameError
from commonweal.invest.siting.branch_and_cut import best_of_parts, close_gap
from commonweal.invest.siting.covering import solve_capacitated, solve_p_center, solve_set_covering
from commonweal.invest.siting.lagrangian import (
    Incumbent,
    greedy,
    interchange,
    reduce_problem,
    shaken,
)
from commonweal.invest.siting.problem import Solution, measured
from commonweal.invest.solver import TimeLimit, time_limit

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from commonweal.invest.siting.problem import Goal, SitingProblem

    Rows = NDArray[np.intp]
    Progress = Callable[[float, float, float], None]
    Method = Literal["greedy", "search", "exact"]


METHODS = ("greedy", "search", "exact")
SEARCH_SHARE = 0.2
"""Of the time: swaps from places at random end after it."""

GAP = 1e-6
"""Share of the objective that a proof may leave in doubt: numbers in HiGHS are good for no more."""


@dataclass(frozen=True, slots=True)
class _Asked:
    """What holds while one problem is solved."""

    clock: TimeLimit
    gap: float
    progress: Progress | None

    def tell(self, flip: float | None = None) -> Callable[[float, float], None] | None:
        """Give a function of cost and bound; with `flip`, what is lost of a total is told as what is won."""
        progress = self.progress
        if progress is None:
            return None

        def told(cost: float, bound: float) -> None:
            if flip is not None:
                cost, bound = flip - cost, flip - bound
            progress(cost, bound, self.clock.spent())

        return told


def solve(
    problem: SitingProblem,
    goal: Goal,
    *,
    method: Method = "exact",
    seconds: float = 60.0,
    gap: float = GAP,
    seed: int = 0,
    progress: Progress | None = None,
) -> Solution:
    """Find where to build.

    Parameters
    ----------
    problem
        Demand points, sites and what is between them.
    goal
        What is asked.
    method
        ``greedy``: one site after another. ``search``: then swaps, again from places at random. ``exact``: then
        bounds, until no choice can be better by more than the gap, or time is up.
    seconds
        At most so long; a good answer comes within the first moments.
    gap
        Share of the objective that may be left in doubt.
    seed
        Of the order in which swaps are tried.
    progress
        Called as ``progress(objective, bound, seconds)`` while bounds close in.

    Returns
    -------
    Solution
        Ctrl-C ends the search with the best so far; `Solution.interrupted` says so.

    Raises
    ------
    DataError, UnknownNameError
        If there are fewer candidates than sites, the budget buys none, capacities don't suffice, or
        ``p_center`` can't be had; and for a number that makes no sense.

    Examples
    --------
    Three villages in a row, 1 km apart, and a hall for two of them:

    >>> from commonweal.invest.siting import Goal, problem_from_matrix
    >>> km = [[0.0, 1, 2], [1, 0, 1], [2, 1, 0]]
    >>> halls = solve(problem_from_matrix(km, [300, 200, 100]), Goal("p_median", sites=2))
    >>> halls.chosen.tolist(), halls.objective, halls.proven
    ([0, 1], 100.0, True)
    """
    if method not in METHODS:
        raise UnknownNameError("method", method, METHODS)
    if not seconds > 0:
        raise DataError(f"seconds: {seconds:g} found; expected more than 0")
    if not 0 <= gap < 1:
        raise DataError(f"gap: {gap:g} found; expected 0 or more, below 1")
    with time_limit(seconds) as clock:
        asked = _Asked(clock, gap, progress)
        if problem.capacity is not None:
            return _with_capacities(problem, goal, method, seed, asked)
        if goal.model in ("p_median", "maximal_covering"):
            return _of_sums(problem, goal, method, seed, asked)
        exact = method == "exact"
        if goal.model == "p_center":
            found = solve_p_center(problem, goal, exact, clock, asked.tell())
        else:
            found = solve_set_covering(problem, goal, exact, gap, clock, asked.tell())
        how = "coverings" if goal.model == "p_center" else "set covering"
        how = f"greedy, then {how} in HiGHS" if exact else "greedy"
        return _solution(
            problem, goal, asked, _Choice(found.chosen, found.bound, how, exact, found.state)
        )


def evaluate_sites(problem: SitingProblem, goal: Goal, chosen: NDArray[np.intp]) -> Solution:
    """Say what building certain sites does, without looking for better ones; the goal's limits are not tested.

    Sites with capacities are refused: then who goes where has to be solved.
    """
    if problem.capacity is not None:
        raise DataError("sites with capacities can't be weighed as they stand; expected none")
    asked = _Asked(TimeLimit(1.0), 0.0, None)
    return _solution(problem, goal, asked, _Choice(chosen, _unknown(goal), "as picked"))


def _of_sums(
    problem: SitingProblem, goal: Goal, method: Method, seed: int, asked: _Asked
) -> Solution:
    """Solve a p-median or a maximal covering."""
    core = reduce_problem(problem, goal)
    covering = goal.model == "maximal_covering"
    total = float(problem.weight.sum()) if covering else None
    found = Incumbent(np.empty(0, np.intp), core.untouched, core.fixed)
    found.better(core, greedy(core))
    if np.isfinite(core.budget):
        found.better(core, greedy(core, by_cost=True))
    how = "greedy"
    if method != "greedy" and len(core.weight):
        how = "greedy and swaps"
        found.better(core, interchange(core, found.chosen, seed, stop=lambda _: asked.clock.up()))
        tell, soon = asked.tell(total), SEARCH_SHARE * asked.clock.seconds
        if tell is not None:
            tell(found.cost, found.bound)
        found.better(
            core,
            shaken(
                core,
                found.chosen,
                seed,
                lambda _: asked.clock.interrupted or asked.clock.spent() > soon,
            ),
        )
    gap = _gap_of_cost(asked.gap, found.cost, total)
    if method == "exact" and len(core.weight):
        how = "greedy, swaps, Lagrangian bound"
        if close_gap(core, found, gap, asked.clock, asked.tell(total), best_of_parts):
            how += ", branch and cut in HiGHS"
    chosen = core.columns[found.chosen]
    bound = found.bound if total is None else total - found.bound
    state = "optimal" if found.met(gap) else "time"
    if not len(core.weight):
        bound = core.fixed if total is None else total - core.fixed
        state = "optimal"
    return _solution(problem, goal, asked, _Choice(chosen, bound, how, method == "exact", state))


def _gap_of_cost(gap: float, cost: float, total: float | None) -> float:
    """Give what a gap is as a share of the cost: of a covering it is one of what is covered, and that only grows."""
    if total is None or cost <= 0:
        return gap
    return max(gap * (total - cost) / cost, min(gap, GAP))


def _with_capacities(
    problem: SitingProblem, goal: Goal, method: Method, seed: int, asked: _Asked
) -> Solution:
    """Solve a problem whose sites serve only so many."""
    first = None
    if goal.model in ("p_median", "maximal_covering"):
        core = reduce_problem(problem, goal)
        first = greedy(core)
        first = core.columns[first if method == "greedy" else interchange(core, first, seed)]
    covering = goal.model == "maximal_covering"
    total = float(problem.weight[problem.people > 0].sum()) if covering else None
    exact = method == "exact"
    if exact or first is None:
        found = solve_capacitated(
            problem, goal, start=first, gap=asked.gap, clock=asked.clock, tell=asked.tell(total)
        )
        how = "capacities in HiGHS"
    else:
        found = solve_capacitated(problem, goal, only=first, clock=asked.clock)
        how = f"{method} without capacities, then who goes where in HiGHS"
    objective = found.cost if total is None else total - found.cost
    bound = (found.bound if total is None else total - found.bound) if exact else _unknown(goal)
    choice = _Choice(found.chosen, bound, how, exact, found.state, found.amount, objective)
    return _solution(problem, goal, asked, choice)


def _unknown(goal: Goal) -> float:
    return np.inf if goal.model == "maximal_covering" else 0.0


@dataclass(frozen=True, slots=True)
class _Choice:
    """Sites that were chosen, what none can beat, how that was found and ended; who goes where, if that is set."""

    sites: Rows
    bound: float
    how: str
    exact: bool = False
    state: str = "optimal"
    amount: NDArray[np.float64] | None = None
    objective: float | None = None


def _solution(problem: SitingProblem, goal: Goal, asked: _Asked, choice: _Choice) -> Solution:
    """Say what a choice of sites does."""
    chosen, bound, objective = np.sort(choice.sites), choice.bound, choice.objective
    open_ = problem.existing.copy()
    open_[chosen] = True
    place_before, distance_before = problem.nearest(problem.existing)
    place, distance = problem.nearest(open_)
    spent = float(problem.cost[chosen].sum())
    before = 0.0 if goal.model == "set_covering" else measured(problem, goal, distance_before)
    if objective is None:
        objective = spent if goal.model == "set_covering" else measured(problem, goal, distance)
    within = goal.within if goal.within and "covering" in goal.model else problem.limit
    served = np.where(distance <= within, problem.people, 0.0)
    served_before = np.where(distance_before <= within, problem.people, 0.0)
    if choice.amount is not None:
        place, distance, served = _assigned(problem, choice.amount)
    gap = abs(objective - bound) / max(abs(objective), np.finfo(float).tiny)
    gap = 0.0 if objective == bound else float(gap)
    proven = choice.exact and (choice.state == "optimal" or gap <= asked.gap)
    ended = "proven" if proven else "interrupted" if asked.clock.interrupted else "time"
    return Solution(
        goal, chosen, place, distance, place_before, distance_before, served, served_before,
        objective, before, bound, spent, gap, proven, asked.clock.spent(),
        choice.how, ended if choice.exact else "asked", asked.clock.interrupted,
    )  # fmt: skip


def _assigned(
    problem: SitingProblem, amount: NDArray[np.float64]
) -> tuple[NDArray[np.int32], NDArray[np.float64], NDArray[np.float64]]:
    """Give the site that serves most of each point, how far it is, and how many are served in all."""
    point = problem.point()
    some = np.flatnonzero(amount > 1e-9)
    order = some[np.lexsort((amount[some], point[some]))]  # the largest comes last, and stays
    place = np.full(problem.n_demand, -1, np.int32)
    distance = np.full(problem.n_demand, np.nan)
    place[point[order]] = problem.site[order]
    distance[point[order]] = problem.distance[order]
    served = np.zeros(problem.n_demand)
    np.add.at(served, point, amount)
    return place, distance, served
