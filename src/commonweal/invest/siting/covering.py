"""Set covering, p-center and capacitated siting, as integer programmes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from commonweal.errors import DataError
from commonweal.invest.siting import kernels
from commonweal.invest.siting.lagrangian import Core, affordable, greedy, joined, without_dominated
from commonweal.invest.solver import MipProblem, run_mip

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray
    from scipy.sparse import csr_array

    from commonweal.invest.siting.problem import Goal, SitingProblem
    from commonweal.invest.solver import TimeLimit

    Floats = NDArray[np.float64]
    Rows = NDArray[np.intp]
    Tell = Callable[[float, float], None]


@dataclass(frozen=True, slots=True)
class Covered:
    """An answer: rows of the problem's sites, what it costs (or how far it is), a bound, and how it ended."""

    chosen: Rows
    cost: float
    bound: float
    state: str


def solve_set_covering(
    problem: SitingProblem, goal: Goal, exact: bool, gap: float, clock: TimeLimit, tell: Tell | None
) -> Covered:
    """Cover every point that a candidate or an existing place can, at least cost."""
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
    every = np.ones(m, np.bool_)
    posed = MipProblem(
        core.cost, pairs_matrix(core), np.ones(n), np.full(n, np.inf), np.ones(m), every
    )
    found = run_mip(posed, start=start, clock=clock, gap=gap, tell=tell)
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


def solve_p_center(
    problem: SitingProblem, goal: Goal, exact: bool, clock: TimeLimit, tell: Tell | None = None
) -> Covered:
    """Bring the farthest point as near as number and budget allow, by halving over coverings (Minieka 1970)."""
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
    problem: SitingProblem,
    goal: Goal,
    candidates: Rows,
    radius: float,
    sure: bool,
    clock: TimeLimit,
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
    posed = MipProblem(
        np.zeros(m),
        csr_array(vstack([pairs_matrix(core), limits])),
        np.concatenate([np.ones(n), [-np.inf, -np.inf]]),
        np.concatenate([np.full(n, np.inf), [most, budget]]),
        np.ones(m),
        np.ones(m, np.bool_),
    )
    found = run_mip(posed, clock=clock)
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


@dataclass(frozen=True, slots=True)
class Served:
    """An answer: rows of the problem's sites, people of each pair, what it costs, a bound, and how it ended."""

    chosen: Rows
    amount: Floats
    cost: float
    bound: float
    state: str


@dataclass(frozen=True, slots=True)
class _Capacitated:
    """A choice of sites as a programme: its columns are sites, then the share of a point's people that goes to one.

    `sites` are rows of the problem's sites, `is_new` tells those to build; `kept` are rows of its pairs, `row` the
    point of each among `points`, and `people` those of these.
    """

    sites: Rows
    is_new: NDArray[np.bool_]
    kept: Rows
    row: Rows
    points: Rows
    people: Floats
    mip: MipProblem


def _capacity_rows(
    row: Rows, at: Rows, people: Floats, capacity: Floats, spent: Floats
) -> csr_array:
    """Give the rows of the programme: capacities, all people served, by open sites alone, sites and budget.

    Each pair is of the point `row` and the site `at`; `spent` are what each site takes of the number and the budget.
    """
    from scipy.sparse import csr_array, vstack

    m, n, k = len(capacity), len(people), len(row)
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
    limits = csr_array(np.hstack([spent, np.zeros((2, k))]))
    return csr_array(vstack([most_a_site, all_of_them, only_where_open, limits]))


def _with_capacities(problem: SitingProblem, goal: Goal, only: Rows | None) -> _Capacitated:
    """Pose the choice of sites, of some alone if asked, and who goes where, as a programme."""
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
    matrix = _capacity_rows(row, at, people, capacity, np.vstack([is_new, spend]))
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
    mip = MipProblem(
        cost,
        matrix,
        np.concatenate([np.full(m, -np.inf), np.full(n, -np.inf if partly else 1.0), np.full(k + 2, -np.inf)]),
        np.concatenate([np.zeros(m), np.ones(n), np.zeros(k), [number, budget]]),
        upper,
        np.arange(m + k) < (m if goal.divide else m + k),
        lower,
    )  # fmt: skip
    return _Capacitated(sites, is_new, kept, row, points, people, mip)


def solve_capacitated(
    problem: SitingProblem,
    goal: Goal,
    *,
    only: Rows | None = None,
    start: Rows | None = None,
    gap: float = 0.0,
    clock: TimeLimit | None = None,
    tell: Tell | None = None,
) -> Served:
    """Choose sites and who goes where, so that none serves more than it can."""
    if goal.model == "p_center":
        raise DataError("p_center: capacities found; expected none, or another model")
    posed = _with_capacities(problem, goal, only)
    m = len(posed.sites)
    first = None
    if start is not None:
        first = np.full(len(posed.mip.cost), np.nan)
        first[:m] = ~posed.is_new | np.isin(posed.sites, start)
    fixed = _fixed(problem, goal, posed.points)
    found = run_mip(
        posed.mip,
        start=first,
        gap=gap,
        clock=clock,
        tell=None if tell is None else lambda cost, bound: tell(cost + fixed, bound + fixed),
    )
    if found.value is None:
        if found.state == "infeasible":
            raise DataError(
                f"{goal.model}: no choice of sites has capacity within reach for all of "
                f"{posed.people.sum():,.0f} people; expected larger capacities, more sites or a larger limit"
            )
        if found.state == "interrupted":
            raise KeyboardInterrupt
        raise DataError(f"{goal.model}: no choice of sites was found in time; expected more time")
    amount = np.zeros(len(problem.site))
    amount[posed.kept] = found.value[m:] * posed.people[posed.row]
    chosen = np.sort(posed.sites[(found.value[:m] > 0.5) & posed.is_new])
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
