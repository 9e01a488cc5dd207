"""The best choice where a problem falls apart, as towns do that lie farther from each other than people go.

Parts share neither points nor sites, only the number that may be built. For each but the largest, what 1, 2, 3 ...
sites cost is found as far as it can matter. In its place each further site is then a site of its own that saves what it
saves there, and what is left is the largest part beside a row of such sites. Branching in all parts at once multiplies
their doubts; this adds them up.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from commonweal.invest.siting import kernels
from commonweal.invest.siting.branch import best_choice
from commonweal.invest.siting.core import Core, with_sites
from commonweal.invest.siting.relax import Found, narrowed, relax
from commonweal.invest.siting.search import greedy, interchange, shaken

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from commonweal.invest.clock import Clock
    from commonweal.invest.siting.relax import Narrowed, Tell

    Floats = NDArray[np.float64]
    Rows = NDArray[np.intp]
    Last = Callable[[Narrowed, Found, float, Clock, Tell | None], None]

__all__ = ["best_of_parts", "part_by_part", "parts_of", "settle"]

FEW = 8
"""Nodes that are tried in all parts at once: what they prove needs no more."""


def settle(
    core: Core,
    found: Found,
    gap: float,
    clock: Clock,
    tell: Tell | None = None,
    last: Last = best_choice,
) -> bool:
    """Bring cost and bound together: by prices, and by branching in what they leave open.

    Parameters
    ----------
    core
        The problem.
    found
        A choice to begin with; changed as better is known.
    gap, clock, tell
        As of `commonweal.invest.siting.branch.best_choice`.
    last
        What proves the rest: that, or `best_of_parts`.

    Returns
    -------
    bool
        Whether prices left something open.
    """
    prices = relax(core, found, gap, clock, tell)
    if found.met(gap) or clock.up():
        return False
    left = narrowed(core, found, prices)
    inside = Found(np.searchsorted(left.sites, found.chosen), found.cost, found.bound)
    last(left, inside, gap, clock, tell)
    found.chosen, found.cost, found.bound = left.sites[inside.chosen], inside.cost, inside.bound
    return True


def best_of_parts(
    left: Narrowed, found: Found, gap: float, clock: Clock, tell: Tell | None = None
) -> None:
    """Improve a choice, and raise the bound, until they meet or time is up; part by part where there are parts.

    Parameters
    ----------
    left, found, gap, clock, tell
        As of `commonweal.invest.siting.branch.best_choice`, which solves what does not fall apart, what has a
        budget, and what is left open because sites save more together than one by one.
    """
    part = parts_of(left.core)
    if np.isinf(left.core.budget) and len(part) and part.max() > 0:
        best_choice(left, found, gap, clock, tell, nodes=FEW)
        if found.met(gap) or clock.up():
            return
        part_by_part(left, part, found, gap, clock, tell)
    best_choice(left, found, gap, clock, tell)


def part_by_part(
    left: Narrowed, part: Rows, found: Found, gap: float, clock: Clock, tell: Tell | None = None
) -> None:
    """Improve a choice, and raise the bound, as far as convex curves of what the smaller parts cost allow.

    Parameters
    ----------
    left, found, gap, clock, tell
        As of `commonweal.invest.siting.branch.best_choice`; number alone bounds what is built.
    part
        (m,) the part of each site; the largest has the highest number.
    """
    core = left.core
    curves, choices = _curves(left, part, found, gap, clock)
    large = np.flatnonzero(part == len(curves))
    beside, of = _beside(core, large, curves)
    first = interchange(beside, greedy(beside), stop=lambda _: clock.up())
    one = Found(first, min(beside.of(first), found.cost), found.bound)
    one.better(beside, shaken(beside, first, stop=lambda _: clock.up()))
    settle(beside, one, gap, clock, tell and (lambda _, bound: tell(found.cost, bound)))
    mine = one.chosen < len(large)
    numbers = np.bincount(of[one.chosen[~mine] - len(large)], minlength=len(curves))
    chosen = [choices[c][number] for c, number in enumerate(numbers)]
    found.better(core, np.concatenate([large[one.chosen[mine]], *chosen]))
    found.bound = min(max(found.bound, one.bound), found.cost)


def parts_of(core: Core) -> Rows:
    """(m,) the part of each site, in order of size: the largest has the highest number."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    m = len(core.columns)
    first = np.repeat(core.site[core.starts[:-1]], np.diff(core.starts))
    pairs = coo_array((np.ones(len(first)), (first, core.site)), shape=(m, m))
    _, part = connected_components(pairs, directed=False)
    rank = np.argsort(np.argsort(np.bincount(part), kind="stable"))
    return np.asarray(rank[part], np.intp)


def _curves(
    left: Narrowed, part: Rows, found: Found, gap: float, clock: Clock
) -> tuple[list[Floats], list[list[Rows]]]:
    """Give, for each part but the largest, what 0, 1, 2 ... sites cost at least, convex, and a choice of as many."""
    core = left.core
    sites = [np.flatnonzero(part == c) for c in range(part.max() + 1)]
    row_part = part[core.site[core.starts[:-1]]]
    price = np.bincount(row_part, left.price)
    nothing = np.bincount(row_part, core.weight * core.base)
    pairs = core.starts, core.site, core.distance
    worth = kernels.relaxed_costs(*pairs, core.weight, left.price, len(part))
    gain = kernels.gains(*core.by_site, core.weight, core.base, np.arange(len(part)))
    curves = [_least(price[c], worth[at], core.most) for c, at in enumerate(sites)]
    choices = []
    for c, at in enumerate(sites[:-1]):
        others = curves[:c] + curves[c + 1 :]
        saved = np.concatenate([np.diff(curve) for curve in others])
        rest = _least(core.fixed + sum(curve[0] for curve in others), saved, core.most)
        curve = curves[c]
        curve[:2] = nothing[c], nothing[c] - gain[at].max()
        number = np.arange(len(curve))
        most = found.cost - rest[np.minimum(core.most - number, len(rest) - 1)]
        doubt = np.flatnonzero((number > 1) & (curve < most))
        choices.append([at[:0]] + [at[[gain[at].argmax()]]] * (len(curve) - 1))
        if len(doubt):
            mine = replace(with_sites(core, at), fixed=0.0)
            for k in doubt:
                if clock.up():  # what was known at least still holds
                    break
                some = replace(mine, most=int(k))
                choice = interchange(some, greedy(some), stop=lambda _: clock.up())
                one = Found(choice, min(some.of(choice), most[k]), curve[k])
                settle(some, one, gap, clock)
                curve[k], choices[c][k] = max(curve[k], one.bound), at[one.chosen]
        curves[c] = _convex(np.maximum.accumulate(curve[::-1])[::-1])
    return curves[:-1], choices


def _least(nothing: float, worth: Floats, most: int) -> Floats:
    """Give what 0, 1, 2 ... sites cost where each adds what it is worth (below 0)."""
    dearest = np.sort(np.minimum(worth, 0.0))[:most]
    return nothing + np.append(0.0, np.cumsum(dearest))


def _convex(curve: Floats) -> Floats:
    """Give the largest convex curve below one."""
    ends: list[int] = []
    for k in range(len(curve)):
        while len(ends) > 1 and (curve[k] - curve[ends[-2]]) * (ends[-1] - ends[-2]) <= (
            curve[ends[-1]] - curve[ends[-2]]
        ) * (k - ends[-2]):
            ends.pop()
        ends.append(k)
    return np.interp(np.arange(len(curve)), ends, curve[ends])


def _beside(core: Core, large: Rows, curves: list[Floats]) -> tuple[Core, Rows]:
    """Put a site for each step of the curves beside the largest part; give the parts of these sites too."""
    mine = with_sites(core, large)
    saved = [-np.diff(curve) for curve in curves]
    of = np.repeat(np.arange(len(curves)), [(some > 0).sum() for some in saved])
    gain = np.concatenate([some[some > 0] for some in saved])
    m, n = len(large) + len(gain), len(gain)
    starts = np.append(mine.starts, mine.starts[-1] + np.arange(1, n + 1))
    site = np.append(mine.site, np.arange(len(large), m, dtype=np.int32))
    distance = np.append(mine.distance, np.zeros(n))
    beside = Core(
        starts, site, distance, np.append(mine.weight, gain), np.append(mine.base, np.ones(n)),
        kernels.by_site(starts, site, distance, m), np.arange(m), np.ones(m),
        min(core.most, m), np.inf, core.fixed + sum(float(curve[-1]) for curve in curves),
    )  # fmt: skip
    return beside, of
