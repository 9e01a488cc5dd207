"""A bound at once: what it would cost at least if points could pay several sites to serve them.

Every point offers a price to be served; a site is worth what the points that gain by it would pay. The prices that make
the total dearest are climbed to by subgradients (Held, Wolfe and Crowder 1974; for the p-median Narula, Ogbu and
Samuelsson 1977; for coverings Galvao and ReVelle 1996). What a site lacks to be worth opening then says which sites no
better choice has, and which all have.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from commonweal.invest.siting import kernels
from commonweal.invest.siting.core import with_sites
from commonweal.invest.siting.search import interchange

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from commonweal.invest.clock import Clock
    from commonweal.invest.siting.core import Core

    Floats = NDArray[np.float64]
    Rows = NDArray[np.intp]
    Tell = Callable[[float, float], None]

__all__ = ["Found", "Narrowed", "Prices", "narrowed", "relax"]

STEPS = 1_000
PATIENCE = 15
LEAST_STEP = 2e-4
LEAST_RISE, ENOUGH_S = 0.1, 5.0
"""Share of the gap that every 50 steps have to close after so many seconds; else cutting planes close it faster."""
MEMORY = 0.7
_HAIR = 1e-9


@dataclass(slots=True)
class Found:
    """The best choice so far, what it costs, and what no choice can cost less than.

    Attributes
    ----------
    chosen
        Rows of a core's sites.
    cost, bound
        Of the choice, and of all choices.
    """

    chosen: Rows
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
class Prices:
    """The prices that give the best bound.

    Attributes
    ----------
    bound
        What no choice can cost less than.
    price
        (n,) that each row offers.
    lack
        (m,) what the bound rises by if the site is opened (above 0) or closed (below 0).
    """

    bound: float
    price: Floats
    lack: Floats


def relax(core: Core, found: Found, gap: float, clock: Clock, tell: Tell | None = None) -> Prices:
    """Climb to the prices that give the best bound, and try the choices met on the way.

    Parameters
    ----------
    core
        The problem.
    found
        A choice to begin with; changed as better is known.
    gap, clock, tell
        As of `commonweal.invest.siting.branch.best_choice`.

    Returns
    -------
    Prices
    """
    pairs = core.starts, core.site, core.distance
    m, cap = len(core.columns), core.weight * core.base
    price = _first_prices(core, found.chosen)
    best = Prices(-np.inf, price, np.zeros(m))
    direction = np.zeros(len(price))
    step, since, looked, began, mark = 1.0, 0, 0.0, clock.spent(), -np.inf
    for round_ in range(STEPS):
        worth = kernels.relaxed_costs(*pairs, core.weight, price, m)
        value, share, lack = _worth_most(core, worth)
        bound = core.fixed + float(price.sum()) + value
        if bound > best.bound:
            best, since = Prices(bound, price, lack), 0
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
class Narrowed:
    """What is left of a core.

    Attributes
    ----------
    core
        The smaller core; rows that no site left helps are part of what is fixed.
    sites
        Rows of its sites in the former core.
    open_
        (m,) which of them every better choice has.
    price
        (n,) prices of its rows.
    """

    core: Core
    sites: Rows
    open_: NDArray[np.bool_]
    price: Floats


def narrowed(core: Core, found: Found, prices: Prices) -> Narrowed:
    """Leave out the sites that no choice better than the one found has."""
    over = prices.bound + np.abs(prices.lack) > found.cost + _HAIR * abs(found.cost)
    mine = np.zeros(len(over), np.bool_)
    mine[found.chosen] = True
    sites = np.flatnonzero(~over | (prices.lack <= 0) | mine)
    useful = np.zeros(len(core.weight), np.bool_)
    for j in sites.tolist():
        useful[core.rows_of(j)] = True
    return Narrowed(
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
