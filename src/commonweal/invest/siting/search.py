"""Good choices at once: greedy, then swaps until none saves anything."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from commonweal.invest.siting import kernels

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from commonweal.invest.siting.core import Core

    Rows = NDArray[np.intp]

__all__ = ["greedy", "interchange", "shaken"]

MOST_ROUNDS, PAIRS_TO_LOOK_AT = 60, 10_000_000
LEAST_SAVING = 1e-9
"""Share of what nothing built costs: a swap that saves less is rounding."""


def greedy(core: Core, *, by_cost: bool = False) -> Rows:
    """Build one site after another, each time the one that saves the most.

    A saving can only fall as sites are added, so one that was found earlier bounds the present one, and few
    have to be found again (Minoux 1978).

    Parameters
    ----------
    core
        The problem.
    by_cost
        Take the one that saves most for its cost.

    Returns
    -------
    ndarray
        Rows of the core's sites, in the order taken.

    Notes
    -----
    At least 1 - 1/e of the best possible saving where only the number of sites is bounded (Nemhauser, Wolsey
    and Fisher 1978).
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
    """Swap an open for a closed site as long as that saves (Teitz and Bart 1968).

    Parameters
    ----------
    core
        The problem.
    chosen
        Rows of the core's sites to begin with.
    seed
        Of the order in which sites are tried.
    only
        The sites to try; all if not given.
    stop
        Told the choice after each pass; true ends the search.

    Returns
    -------
    ndarray
        Rows of the core's sites, ascending; no better by one swap or addition unless stopped.
    """
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

    Parameters
    ----------
    core, chosen, seed, stop
        As of `interchange`.

    Returns
    -------
    ndarray
        Rows of the core's sites; never worse than those given.
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
