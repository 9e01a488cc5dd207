"""A problem reduced to what decides it: the points that can be helped, and the sites that help them.

A p-median and a maximal covering are one: each point costs its weight times the distance to the nearest open site, at
most its base. In a covering that distance is 0 where it is covered and 1 where it is not.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from commonweal.errors import DataError
from commonweal.invest.siting import kernels

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from commonweal.invest.siting.problem import Goal, SitingProblem

    Floats = NDArray[np.float64]
    Rows = NDArray[np.intp]

__all__ = ["Core", "affordable", "core_of", "joined", "with_sites", "without_dominated"]


@dataclass(frozen=True, slots=True)
class Core:
    """What decides a p-median or a maximal covering; lower is better.

    Attributes
    ----------
    starts, site, distance
        The pairs of each row, ascending; sites are rows of `columns`.
    weight, base
        (n,) of each row, and what it costs, times its weight, if nothing is built.
    by_site
        The same pairs by site: starts, row, distance.
    columns
        (m,) rows of the problem's sites.
    cost
        (m,) of each.
    most, budget
        How many may be built, and for how much.
    fixed
        What the other points cost, whatever is built.
    """

    starts: NDArray[np.int64]
    site: NDArray[np.int32]
    distance: Floats
    weight: Floats
    base: Floats
    by_site: tuple[NDArray[np.int64], NDArray[np.int32], Floats]
    columns: Rows
    cost: Floats
    most: int
    budget: float
    fixed: float

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
    """Give the candidates that the goal can pay for.

    Raises
    ------
    DataError
        If there is none, or fewer candidates than sites asked for.
    """
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


def core_of(problem: SitingProblem, goal: Goal) -> Core:
    """Reduce a problem to what decides a p-median or a maximal covering.

    Parameters
    ----------
    problem, goal
        The goal's model is one of these two.

    Returns
    -------
    Core
        Without points that no candidate helps or that weigh nothing, and without sites that another is as
        good as. Points that the same sites cover are one. Costs of a covering are the weight that is not covered.

    Raises
    ------
    DataError
        See `affordable`.
    """
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
