"""Everyone within a distance, with the fewest or cheapest sites."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from commonweal.invest.highs import run_mip
from commonweal.invest.siting import kernels
from commonweal.invest.siting.core import Core, joined, without_dominated
from commonweal.invest.siting.search import greedy

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray
    from scipy.sparse import csr_array

    from commonweal.invest.clock import Clock
    from commonweal.invest.siting.problem import Goal, SitingProblem

    Floats = NDArray[np.float64]
    Rows = NDArray[np.intp]
    Tell = Callable[[float, float], None]

__all__ = ["Covered", "cover_all", "greedy_cover", "needed", "pairs_matrix", "to_cover"]


@dataclass(frozen=True, slots=True)
class Covered:
    """An answer: rows of the problem's sites, what it costs (or how far it is), a bound, and how it ended."""

    chosen: Rows
    cost: float
    bound: float
    state: str


def cover_all(
    problem: SitingProblem, goal: Goal, exact: bool, gap: float, clock: Clock, tell: Tell | None
) -> Covered:
    """Cover every point that a candidate or an existing place can, at least cost.

    Parameters
    ----------
    problem, goal
        The goal's model is ``set_covering``.
    exact
        Whether to prove it; else greedy, without what turns out redundant.
    gap, clock, tell
        As of `commonweal.invest.highs.run_mip`.

    Returns
    -------
    Covered
    """
    within = min(goal.within or problem.limit, problem.limit)
    core = to_cover(problem, within, problem.candidates)
    first = greedy_cover(core)
    first_cost = float(core.cost[first].sum())
    bound = float(core.cost[core.cost > 0].min()) if len(core.weight) and core.cost.all() else 0.0
    if not len(core.weight):
        return Covered(core.columns[:0], 0.0, 0.0, "optimal")
    if not exact:
        return Covered(core.columns[first], first_cost, bound, "search")
    start = np.zeros(len(core.columns))
    start[first] = 1.0
    m, n = len(core.columns), len(core.weight)
    found = run_mip(
        core.cost, pairs_matrix(core), np.ones(n), np.full(n, np.inf), np.ones(m), np.ones(m, np.bool_),
        start=start, clock=clock, gap=gap, tell=tell,
    )  # fmt: skip
    bound = max(bound, found.bound)
    if found.value is None or found.cost >= first_cost:
        return Covered(core.columns[first], first_cost, min(bound, first_cost), found.state)
    chosen = needed(core, np.flatnonzero(found.value > 0.5))
    return Covered(core.columns[chosen], float(core.cost[chosen].sum()), bound, found.state)


def to_cover(problem: SitingProblem, within: float, candidates: Rows) -> Core:
    """Give the points that are not covered within a distance and can be; those that the same sites cover are one."""
    _, now = problem.nearest(problem.existing)
    rows = np.flatnonzero((problem.weight > 0) & ~(now <= within))
    column = np.full(problem.n_sites, -1, np.int32)
    column[candidates] = np.arange(len(candidates))
    starts, site, zero = kernels.useful(
        problem.starts, problem.site, problem.distance, now, column, rows, within
    )
    sizes = np.diff(starts)
    starts = np.concatenate([[0], np.cumsum(sizes[sizes > 0])]).astype(np.int64)
    starts, site, weight = joined(starts, site, np.ones(int((sizes > 0).sum())))
    zero = np.zeros(len(site))
    core = Core(
        starts, site, zero, weight, np.ones(len(weight)),
        kernels.by_site(starts, site, zero, len(candidates)), candidates,
        problem.cost[candidates], len(candidates), np.inf, 0.0,
    )  # fmt: skip
    return without_dominated(core)


def greedy_cover(core: Core) -> Rows:
    """Cover every row of a core, each time by what covers most for its cost; leave out what turns out redundant."""
    return needed(core, greedy(core, by_cost=True)) if len(core.weight) else np.empty(0, np.intp)


def needed(core: Core, chosen: Rows) -> Rows:
    """Leave out sites without which all is still covered, the dearest first."""
    columns, row, _ = core.by_site
    times = np.zeros(len(core.weight), np.int64)
    for j in chosen:
        times[row[columns[j] : columns[j + 1]]] += 1
    kept = []
    for j in sorted(chosen, key=lambda j: (-core.cost[j], columns[j + 1] - columns[j], j)):
        mine = row[columns[j] : columns[j + 1]]
        if (times[mine] > 1).all():
            times[mine] -= 1
        else:
            kept.append(j)
    return np.sort(np.array(kept, np.intp))


def pairs_matrix(core: Core) -> csr_array:
    """Give (rows, sites) of a core: 1 where a site covers a row."""
    from scipy.sparse import csr_array

    return csr_array(
        (np.ones(len(core.site)), core.site, core.starts),
        shape=(len(core.weight), len(core.columns)),
    )
