"""The core of a location problem, good choices by greedy and interchange, and the Lagrangian bound."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from commonweal.errors import DataError
from commonweal.invest.siting import kernels

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from commonweal.invest.siting.problem import Goal, SitingProblem
    from commonweal.invest.solver import TimeLimit

    Floats = NDArray[np.float64]
    Rows = NDArray[np.intp]
    Tell = Callable[[float, float], None]


@dataclass(frozen=True, slots=True)
class Core:
    """What decides a p-median or a maximal covering; lower is better."""

    # starts, site, distance: the pairs of each row, ascending; sites are rows of `columns`
    starts: NDArray[np.int64]
    site: NDArray[np.int32]
    distance: Floats
    # weight, base: (n,) of each row, and what it costs, times its weight, if nothing is built
    weight: Floats
    base: Floats
    # the same pairs by site: starts, row, distance
    by_site: tuple[NDArray[np.int64], NDArray[np.int32], Floats]
    columns: Rows  # (m,) rows of the problem's sites
    cost: Floats  # (m,) of each
    # most, budget: how many may be built, and for how much
    most: int
    budget: float
    fixed: float  # what the other points cost, whatever is built

    @property
    def untouched(self) -> float:
        """What it all costs if nothing is built."""
        return self.fixed + float(self.weight @ self.base)

    def rows_of(self, j: int) -> NDArray[np.int32]:
        """Give the rows that a site helps."""
        columns, row, _ = self.by_site
        return row[columns[j] : columns[j + 1]]

    def of(self, chosen: Rows) -> float:
        """Give what it all costs with some sites, rows of `columns`."""
        open_ = np.zeros(len(self.columns), np.bool_)
        open_[chosen] = True
        _, metres = kernels.nearest_open(self.starts, self.site, self.distance, open_)
        return self.fixed + float(self.weight @ np.where(np.isnan(metres), self.base, metres))


def affordable(problem: SitingProblem, goal: Goal) -> Rows:
    """Give the candidates that the goal can pay for."""
    candidates = problem.candidates
    if goal.sites is not None and goal.sites > len(candidates):
        raise DataError(
            f"sites: {goal.sites:,} asked for; expected no more than the {len(candidates):,} candidates"
        )
    if goal.budget is None:
        return candidates
    can = candidates[problem.cost[candidates] <= goal.budget]
    if not len(can):
        cheapest = float(problem.cost[candidates].min())
        raise DataError(
            f"budget: {goal.budget:g} buys none of {len(candidates):,} candidates; "
            f"the cheapest costs {cheapest:g}"
        )
    return can


def reduce_problem(problem: SitingProblem, goal: Goal) -> Core:
    """Reduce a problem to what decides a p-median or a maximal covering."""
    covering = goal.model == "maximal_covering"
    within = min(goal.within or problem.limit, problem.limit) if covering else -1.0
    _, now = problem.nearest(problem.existing)
    far = np.where(np.isnan(now), problem.limit, now)
    base = np.where(now <= within, 0.0, 1.0) if covering else far
    candidates = affordable(problem, goal)
    column = np.full(problem.n_sites, -1, np.int32)
    column[candidates] = np.arange(len(candidates))
    rows = np.flatnonzero((problem.weight > 0) & (base > 0))
    starts, site, cost = kernels.useful(
        problem.starts, problem.site, problem.distance, base, column, rows, within
    )
    weight, base_ = problem.weight[rows], base[rows]
    kept = np.diff(starts) > 0
    fixed = float((weight * base_)[~kept].sum())
    starts = np.concatenate([[0], np.cumsum(np.diff(starts)[kept])]).astype(np.int64)
    weight, base_ = weight[kept], base_[kept]
    if covering:
        starts, site, weight = joined(starts, site, weight)
        cost, base_ = np.zeros(len(site)), np.ones(len(weight))
    return without_dominated(
        Core(
            starts,
            site,
            cost,
            weight,
            base_,
            kernels.by_site(starts, site, cost, len(candidates)),
            candidates,
            problem.cost[candidates],
            min(goal.sites or len(candidates), len(candidates)),
            np.inf if goal.budget is None else goal.budget,
            fixed,
        )
    )


def without_dominated(core: Core) -> Core:
    """Leave out each site in whose place another serves all that it serves as well, for no more."""
    sites = np.flatnonzero(
        ~kernels.dominated(core.starts, core.site, core.distance, *core.by_site, core.cost)
    )
    if len(sites) == len(core.columns):
        return core
    return with_sites(core, sites)


def with_sites(core: Core, sites: Rows) -> Core:
    """Give a core with some of its sites; rows that none of them helps are part of what is fixed."""
    column = np.full(len(core.columns), -1, np.int32)
    column[sites] = np.arange(len(sites))
    every = np.arange(len(core.weight))
    starts, site, distance = kernels.useful(
        core.starts, core.site, core.distance, core.base, column, every, -1.0
    )
    kept = np.diff(starts) > 0
    starts = starts[np.append(kept, True)]
    return replace(
        core,
        starts=starts,
        site=site,
        distance=distance,
        weight=core.weight[kept],
        base=core.base[kept],
        by_site=kernels.by_site(starts, site, distance, len(sites)),
        columns=core.columns[sites],
        cost=core.cost[sites],
        most=min(core.most, len(sites)),
        fixed=core.fixed + float((core.weight * core.base)[~kept].sum()),
    )


def joined(
    starts: NDArray[np.int64], site: NDArray[np.int32], weight: Floats
) -> tuple[NDArray[np.int64], NDArray[np.int32], Floats]:
    """Make one row of all rows with the same sites."""
    if not len(weight):
        return starts, site, weight
    marks = np.random.default_rng(0).integers(2**63, size=(2, int(site.max()) + 1), dtype=np.uint64)
    sums = [np.add.reduceat(mark[site], starts[:-1]) for mark in marks]  # modulo 2**64
    key = np.empty(len(weight), [("a", np.uint64), ("b", np.uint64)])
    key["a"], key["b"] = sums
    _, first, of = np.unique(key, return_index=True, return_inverse=True)
    together = np.asarray(np.bincount(of, weights=weight), np.float64)
    sizes = np.diff(starts)[first]
    fresh = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
    at = np.arange(fresh[-1]) - np.repeat(fresh[:-1], sizes) + np.repeat(starts[first], sizes)
    return fresh, site[at], together


MOST_ROUNDS, PAIRS_TO_LOOK_AT = 60, 10_000_000
LEAST_SAVING = 1e-9
"""Share of what nothing built costs: a swap that saves less is rounding."""


def greedy(core: Core, *, by_cost: bool = False) -> Rows:
    """Build one site after another, each time the one that saves the most.

    A saving can only fall as sites are added, so one that was found earlier bounds the present one, and few have to be
    found again (Minoux 1978).

    At least 1 - 1/e of the best possible saving where only the number of sites is bounded (Nemhauser, Wolsey and
    Fisher 1978).
    """
    m = len(core.columns)
    near = core.base.copy()
    divide = _divisors(core.cost) if by_cost else np.ones(m)
    bound = kernels.gains(*core.by_site, core.weight, near, np.arange(m)) / divide
    fresh = np.ones(m, np.bool_)
    columns, row, metres = core.by_site
    taken: list[int] = []
    left = core.budget
    while len(taken) < core.most:
        bound[core.cost > left] = 0.0
        j = int(bound.argmax())
        if bound[j] <= 0:
            break
        if not fresh[j]:
            found = kernels.gains(*core.by_site, core.weight, near, np.array([j]))
            bound[j], fresh[j] = found[0] / divide[j], True
            continue
        taken.append(j)
        left -= core.cost[j]
        bound[j] = 0.0
        fresh[:] = False
        mine = slice(columns[j], columns[j + 1])
        near[row[mine]] = np.minimum(near[row[mine]], metres[mine])
    return np.array(taken, np.intp)


def interchange(
    core: Core,
    chosen: Rows,
    seed: int = 0,
    only: Rows | None = None,
    stop: Callable[[Rows], bool] | None = None,
) -> Rows:
    """Swap an open for a closed site as long as that saves (Teitz and Bart 1968)."""
    rng = np.random.default_rng(seed)
    tried = np.arange(len(core.columns)) if only is None else only
    m, n = len(core.columns), len(core.weight)
    open_ = np.zeros(m, np.bool_)
    open_[chosen] = True
    first, first_m, second_m = np.empty(n, np.int32), np.empty(n), np.empty(n)
    pairs = core.starts, core.site, core.distance
    kernels.two_nearest(*pairs, core.base, open_, np.arange(n), first, first_m, second_m)
    least = LEAST_SAVING * max(core.untouched - core.fixed, np.finfo(float).tiny)
    while kernels.swap_pass(
        *pairs, *core.by_site, core.weight, core.base, core.cost, core.most, core.budget,
        open_, first, first_m, second_m, rng.permutation(tried), least,
    ):  # fmt: skip
        if stop is not None and stop(np.flatnonzero(open_)):
            break
    return np.flatnonzero(open_)


def shaken(
    core: Core, chosen: Rows, seed: int = 0, stop: Callable[[Rows], bool] | None = None
) -> Rows:
    """Put some of the sites elsewhere at random, swap again, and keep what is better (Hansen and Mladenovic 1997).

    As often as costs about as much as looking at ten million pairs, and at most 60 times.
    """
    rng = np.random.default_rng(seed)
    best, cost = chosen, core.of(chosen)
    rounds = min(MOST_ROUNDS, PAIRS_TO_LOOK_AT // max(len(core.site), 1)) if len(chosen) else 0
    for k in range(rounds):
        if stop is not None and stop(best):
            break
        n = max(2, len(best) // 10) * (1 + k % 3)
        some = _filled(core, rng.permutation(best)[n:], rng.permutation(len(core.columns)))
        some = interchange(core, some, seed + k, stop=stop)
        found = core.of(some)
        if found < cost:
            best, cost = some, found
    return best


def _filled(core: Core, kept: Rows, order: Rows) -> Rows:
    """Add sites in an order, as long as number and budget allow."""
    open_ = np.zeros(len(core.columns), np.bool_)
    open_[kept] = True
    room, left = core.most - len(kept), core.budget - float(core.cost[kept].sum())
    for j in order:
        if room <= 0:
            break
        if not open_[j] and core.cost[j] <= left:
            open_[j] = True
            room, left = room - 1, left - core.cost[j]
    return np.flatnonzero(open_)


def _divisors(cost: NDArray[np.float64]) -> NDArray[np.float64]:
    """Give costs to divide by: what is free is a millionth of the cheapest of the others."""
    paid = cost > 0
    return np.where(paid, cost, cost[paid].min() / 1e6) if paid.any() else np.ones(len(cost))


STEPS = 1_000
PATIENCE = 15
LEAST_STEP = 2e-4
LEAST_RISE, ENOUGH_S = 0.1, 5.0
"""Share of the gap that every 50 steps have to close after so many seconds; else cutting planes close it faster."""
MEMORY = 0.7
_HAIR = 1e-9


@dataclass(slots=True)
class Incumbent:
    """The best choice so far, what it costs, and what no choice can cost less than."""

    chosen: Rows  # rows of a core's sites
    # cost, bound: of the choice, and of all choices
    cost: float
    bound: float

    def met(self, gap: float) -> bool:
        """Say whether cost and bound are no farther apart than a share of the cost."""
        return self.cost - self.bound <= gap * abs(self.cost)

    def better(self, core: Core, chosen: Rows) -> bool:
        """Take a choice if it costs less; say whether."""
        cost = core.of(chosen)
        if cost >= self.cost:
            return False
        self.chosen, self.cost = np.sort(chosen), cost
        return True


@dataclass(frozen=True, slots=True)
class Multipliers:
    """The prices that give the best bound."""

    bound: float  # what no choice can cost less than
    price: Floats  # (n,) that each row offers
    lack: Floats  # (m,) what the bound rises by if the site is opened (above 0) or closed (below 0)


def lagrangian_bound(
    core: Core, found: Incumbent, gap: float, clock: TimeLimit, tell: Tell | None = None
) -> Multipliers:
    """Climb to the prices that give the best bound, and try the choices met on the way."""
    pairs = core.starts, core.site, core.distance
    m, cap = len(core.columns), core.weight * core.base
    price = _first_prices(core, found.chosen)
    best = Multipliers(-np.inf, price, np.zeros(m))
    direction = np.zeros(len(price))
    step, since, looked, began, mark = 1.0, 0, 0.0, clock.spent(), -np.inf
    for round_ in range(STEPS):
        worth = kernels.relaxed_costs(*pairs, core.weight, price, m)
        value, share, lack = _worth_most(core, worth)
        bound = core.fixed + float(price.sum()) + value
        if bound > best.bound:
            best, since = Multipliers(bound, price, lack), 0
            if bound > found.bound:
                found.bound = min(bound, found.cost)
        else:
            since += 1
        if round_ % 20 == 0:
            if tell:
                tell(found.cost, found.bound)
            now = clock.spent()
            if round_ and now - began > 2 * looked:  # a third of the time for better choices
                few = np.argsort(best.lack, kind="stable")[: 4 * core.most + 50]
                found.better(core, interchange(core, _paid(core, share, lack), only=few))
                looked += clock.spent() - now
        if found.met(gap) or clock.up() or step < LEAST_STEP:
            break
        if round_ % 50 == 49:
            slow = best.bound - mark < LEAST_RISE * (found.cost - best.bound)
            if slow and clock.spent() - began > ENOUGH_S:
                break
            mark = best.bound
        if since == PATIENCE:
            step, since, price = step / 1.5, 0, best.price
        ascent = 1.0 - kernels.served_times(*pairs, core.weight, price, share)
        direction = ascent + MEMORY * direction
        length = float(direction @ direction)
        if length == 0:
            break
        price = np.clip(price + step * (found.cost - best.bound) / length * direction, 0.0, cap)
    return best


@dataclass(frozen=True, slots=True)
class FixedCore:
    """What is left of a core."""

    core: Core  # the smaller core; rows that no site left helps are part of what is fixed
    sites: Rows  # rows of its sites in the former core
    open_: NDArray[np.bool_]  # (m,) which of them every better choice has
    price: Floats  # (n,) prices of its rows


def fix_by_bound(core: Core, found: Incumbent, prices: Multipliers) -> FixedCore:
    """Leave out the sites that no choice better than the one found has."""
    over = prices.bound + np.abs(prices.lack) > found.cost + _HAIR * abs(found.cost)
    mine = np.zeros(len(over), np.bool_)
    mine[found.chosen] = True
    sites = np.flatnonzero(~over | (prices.lack <= 0) | mine)
    useful = np.zeros(len(core.weight), np.bool_)
    for j in sites.tolist():
        useful[core.rows_of(j)] = True
    return FixedCore(
        with_sites(core, sites), sites, (over & (prices.lack < 0))[sites], prices.price[useful]
    )


def _first_prices(core: Core, chosen: Rows) -> Floats:
    """Offer a price between what the nearest and the second nearest site of a choice cost."""
    n = len(core.weight)
    open_ = np.zeros(len(core.columns), np.bool_)
    open_[chosen] = True
    first, first_m, second_m = np.empty(n, np.int32), np.empty(n), np.empty(n)
    kernels.two_nearest(
        core.starts, core.site, core.distance, core.base, open_, np.arange(n),
        first, first_m, second_m,
    )  # fmt: skip
    return core.weight * (first_m + second_m) / 2


def _worth_most(core: Core, worth: Floats) -> tuple[float, Floats, Floats]:
    """Open what is worth most within number and budget; give its worth, the shares opened and each one's lack."""
    if not np.isfinite(core.budget):
        return _most_of(core, worth, 0.0)
    spare, share, lack = _most_of(core, worth, 0.0)
    if core.cost @ share <= core.budget:
        return spare, share, lack
    low, high = 0.0, float((-worth[core.cost > 0] / core.cost[core.cost > 0]).max())
    best = spare, share, lack
    for _ in range(40):  # the price of money at which the budget is just spent
        middle = (low + high) / 2
        tried = _most_of(core, worth, middle)
        best = max(best, tried, key=lambda t: t[0])
        low, high = (middle, high) if core.cost @ tried[1] > core.budget else (low, middle)
    return best


def _most_of(core: Core, worth: Floats, money: float) -> tuple[float, Floats, Floats]:
    dear = worth + money * core.cost if money else worth
    order = np.argpartition(dear, core.most - 1)
    open_ = order[: core.most]
    share = np.zeros(len(dear))
    share[open_[dear[open_] < 0]] = 1.0
    last = min(float(dear[open_].max()), 0.0)
    rest = order[core.most :]
    next_ = min(float(dear[rest].min()), 0.0) if len(rest) else 0.0
    lack = np.where(share > 0, np.minimum(dear - next_, 0.0), np.maximum(dear - last, 0.0))
    spent = money * core.budget if money else 0.0
    return float(dear @ share) - spent, share, lack


def _paid(core: Core, share: Floats, lack: Floats) -> Rows:
    """Give the sites opened, as many as the budget pays for."""
    open_ = np.flatnonzero(share)
    open_ = open_[np.argsort(lack[open_], kind="stable")]
    return open_[np.cumsum(core.cost[open_]) <= core.budget]
