"""The best choice and its proof: branch and cut, part by part where a problem decomposes."""

from __future__ import annotations

import heapq
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from commonweal.invest.siting import kernels
from commonweal.invest.siting.lagrangian import (
    Core,
    Incumbent,
    fix_by_bound,
    greedy,
    interchange,
    lagrangian_bound,
    shaken,
    with_sites,
)
from commonweal.invest.solver import load_highs

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from commonweal.invest.siting.lagrangian import FixedCore, Tell
    from commonweal.invest.solver import TimeLimit

    Floats = NDArray[np.float64]
    Rows = NDArray[np.intp]
    Node = tuple[float, int, Floats, Floats, Floats]
    Last = Callable[[FixedCore, Incumbent, float, TimeLimit, Tell | None], None]


GROUPS, MOST_LINES = 500, 2_000
_SUM = 1e4  # what all costs add up to in HiGHS, whose tolerances are absolute
_TIGHT = 1e-7
_WHOLE = 1e-6
_TAIL = 0.02  # lines that close less than this share of the gap wait for branching
_NEAR = 1.02  # a rounded choice within 2% of the best is worth improving


def branch_and_cut(
    left: FixedCore,
    found: Incumbent,
    gap: float,
    clock: TimeLimit,
    tell: Tell | None = None,
    nodes: float = np.inf,
) -> None:
    """Improve a choice, and raise the bound, until they meet or time is up."""
    if found.met(gap):
        return
    if not len(left.core.weight):  # no site helps anybody beyond what is fixed
        found.bound = found.cost
        return
    _Tree(left.core, found, gap, clock, tell).grow(left.price, left.open_, nodes)


class _Tree:
    """Branch and bound over which sites are open."""

    def __init__(
        self, core: Core, found: Incumbent, gap: float, clock: TimeLimit, tell: Tell | None
    ) -> None:
        self.core, self.found, self.gap, self.clock, self.tell = core, found, gap, clock, tell
        self.m = len(core.columns)
        most = core.untouched - core.fixed
        self.scale = _SUM / max(found.cost - core.fixed, _TIGHT * most)
        self.lines = _Lines(core, self.scale)
        self.seen: set[bytes] = set()
        self.worth = kernels.gains(*core.by_site, core.weight, core.base, np.arange(self.m))
        self.pruned = np.inf

    def grow(self, price: Floats, open_: NDArray[np.bool_], nodes: float) -> None:
        self.lines.add(*self.lines.at_prices(price))
        self.lines.cut(self._shares(self.found.chosen))
        lower, upper = open_.astype(np.float64), np.ones(self.m)
        rooted = self._solve(lower, upper, self.found.bound, fix=True)
        heap: list[Node] = [] if rooted is None else [(rooted[0], 0, lower, upper, rooted[1])]
        n = 0
        while heap and not self.clock.up():
            self._raise(min(heap[0][0], self.pruned))
            if self._done(heap[0][0]) or n >= nodes:
                return
            least, _, lower, upper, y = heapq.heappop(heap)
            doubt = np.where(upper > lower, np.minimum(y, 1.0 - y), -1.0)
            branch = int((doubt * self.worth).argmax())
            for side in (1.0, 0.0):
                low, high = lower.copy(), upper.copy()
                low[branch] = high[branch] = side
                solved = self._solve(low, high, least)
                if solved is not None:
                    n += 1
                    heapq.heappush(heap, (solved[0], -n, low, high, solved[1]))
        if not self.clock.up():
            self._raise(min(self.pruned, self.found.cost))

    def _solve(
        self, lower: Floats, upper: Floats, least: float, fix: bool = False
    ) -> tuple[float, Floats] | None:
        """Give the bound and the shares of a node; None if nothing there is better, or no more can be known.

        It costs `least` at least. With `fix`, bounds are tightened to what a better choice can have.
        """
        bound = -np.inf
        steady = self._shares(self.found.chosen)
        self.lines.limit(lower, upper)
        while not self.clock.up():
            solved = self.lines.solve(self.clock.left())
            if solved is None:
                # Where HiGHS failed, what was known before stays in doubt.
                if not self.lines.impossible():
                    self.pruned = min(self.pruned, max(least, bound))
                return None
            before, bound = bound, self.core.fixed + solved[0] / self.scale
            y, reduced = solved[1:]
            self._try(y)
            if fix:
                self._raise(bound)
                room = self.scale * (self.found.cost - bound)
                upper[(reduced > room) & (y < _WHOLE)] = 0.0
                lower[(-reduced > room) & (y > 1 - _WHOLE)] = 1.0
                self.lines.limit(lower, upper)
            if self._done(bound):
                self.pruned = min(self.pruned, bound)
                return None
            self.lines.purge()
            steady = (steady + y) / 2  # lines between here and where it has been go deeper
            if not (fix and self.lines.cut((steady + y) / 2)) and not self.lines.cut(y):
                if np.abs(y - y.round()).max() < _WHOLE:
                    self.pruned = min(self.pruned, bound)
                    return None
                return bound, y
            slow = bound - before < _TAIL * (self.found.cost - bound)
            if not fix and slow and np.abs(y - y.round()).max() >= _WHOLE:
                return bound, y
        return None

    def _done(self, bound: float) -> bool:
        return bound >= self.found.cost - self.gap * abs(self.found.cost)

    def _raise(self, bound: float) -> None:
        if bound > self.found.bound:
            self.found.bound = min(bound, self.found.cost)
            if self.tell:
                self.tell(self.found.cost, self.found.bound)

    def _shares(self, chosen: Rows) -> Floats:
        y = np.zeros(self.m)
        y[chosen] = 1.0
        return y

    def _try(self, y: Floats) -> None:
        """Try the sites that are open most, made better by swaps."""
        core = self.core
        chosen: list[int] = []
        left = core.budget
        for j in np.argsort(-y, kind="stable"):
            if len(chosen) < core.most and y[j] > _WHOLE and core.cost[j] <= left:
                chosen.append(j)
                left -= core.cost[j]
        some = np.sort(np.array(chosen, np.intp))
        if some.tobytes() in self.seen:
            return
        self.seen.add(some.tobytes())
        if core.of(some) < _NEAR * self.found.cost:
            some = interchange(core, some)
        if self.found.better(core, some) and self.tell:
            self.tell(self.found.cost, self.found.bound)


class _Lines:
    """The linear programme of shares and lines, in HiGHS."""

    def __init__(self, core: Core, scale: float) -> None:
        highspy = load_highs()
        self.core, self.m = core, len(core.columns)
        self.weight = core.weight * scale
        self.status = highspy.HighsModelStatus
        _, of = np.unique(core.site[core.starts[:-1]], return_inverse=True)
        n_groups = int(of.max()) + 1
        if n_groups > GROUPS:
            of, n_groups = of * GROUPS // n_groups, GROUPS
        self.member = np.argsort(of, kind="stable")
        self.starts = np.concatenate([[0], np.bincount(of, minlength=n_groups).cumsum()])
        self.sums = np.zeros(n_groups)
        h = self.highs = highspy.Highs()
        h.setOptionValue("output_flag", False)
        h.setOptionValue("threads", 1)
        n = self.m + n_groups
        h.addVars(n, np.zeros(n), np.concatenate([np.ones(self.m), np.full(n_groups, np.inf)]))
        h.changeColsCost(n_groups, np.arange(self.m, n, dtype=np.int32), np.ones(n_groups))
        self.every = np.arange(self.m, dtype=np.int32)
        h.addRow(-np.inf, float(core.most), self.m, self.every, np.ones(self.m))
        if np.isfinite(core.budget):
            h.addRow(-np.inf, core.budget, self.m, self.every, core.cost)
        self.n_limits, self.n_most = h.getNumRow(), MOST_LINES

    def limit(self, lower: Floats, upper: Floats) -> None:
        self.highs.changeColsBounds(self.m, self.every, lower, upper)

    def solve(self, seconds: float) -> tuple[float, Floats, Floats] | None:
        """Give the cost, the shares and their reduced costs; None if there is no solution, or none is found."""
        h = self.highs
        h.setOptionValue("time_limit", h.getRunTime() + max(seconds, 0.0))
        h.run()
        if h.getModelStatus() != self.status.kOptimal:
            return None
        solution = h.getSolution()
        values = np.array(solution.col_value)
        self.sums = values[self.m :]
        y = np.clip(values[: self.m], 0.0, 1.0)
        return h.getInfo().objective_function_value, y, np.array(solution.col_dual)[: self.m]

    def impossible(self) -> bool:
        """Whether it is known that there is no solution."""
        return bool(self.highs.getModelStatus() == self.status.kInfeasible)

    def purge(self) -> None:
        """Drop the lines that don't bind, once there are many; those that bind stay with their basis."""
        h = self.highs
        if h.getNumRow() < self.n_most:
            return
        slack = np.abs(np.array(h.getSolution().row_dual)) < _TIGHT
        slack[: self.n_limits] = False
        some = np.flatnonzero(slack).astype(np.int32)
        h.deleteRows(len(some), some)
        self.n_most = h.getNumRow() + MOST_LINES

    def cut(self, y: Floats) -> int:
        """Add the lines that are tight at some shares and above the present ones; say how many."""
        core = self.core
        constant, slope = kernels.cut_rows(
            core.starts, core.site, core.distance, self.weight, core.base,
            self.starts, self.member, y,
        )  # fmt: skip
        over = constant - slope @ y > self.sums + _TIGHT * np.maximum(1, self.sums)
        return self.add(constant[over], slope[over], np.flatnonzero(over))

    def at_prices(self, price: Floats) -> tuple[Floats, Floats, Rows]:
        """Give the lines that bound as the prices do."""
        core = self.core
        scaled = price * (self.weight / core.weight)
        row = np.repeat(np.arange(len(price)), np.diff(core.starts))
        saved = np.maximum(scaled[row] - self.weight[row] * core.distance, 0.0)
        n_groups = len(self.starts) - 1
        group = np.empty(len(price), np.intp)
        group[self.member] = np.repeat(np.arange(n_groups), np.diff(self.starts))
        slope = np.zeros((n_groups, self.m))
        np.add.at(slope, (group[row], core.site), saved)
        constant = np.zeros(n_groups)
        np.add.at(constant, group, scaled)
        return constant, slope, np.arange(n_groups)

    def add(self, constant: Floats, slope: Floats, group: Rows) -> int:
        """Add a line to each of some groups."""
        n = len(group)
        if n:
            at_row, at = np.nonzero(slope)
            at_row, at = (
                np.concatenate([at_row, np.arange(n)]),
                np.concatenate([at, self.m + group]),
            )
            value = np.concatenate([slope[slope != 0], np.ones(n)])
            order = np.lexsort((at, at_row))
            starts = np.searchsorted(at_row[order], np.arange(n)).astype(np.int32)
            self.highs.addRows(
                n, constant, np.full(n, np.inf), len(at), starts,
                at[order].astype(np.int32), value[order],
            )  # fmt: skip
        return n


FEW = 8
"""Nodes that are tried in all parts at once: what they prove needs no more."""


def close_gap(
    core: Core,
    found: Incumbent,
    gap: float,
    clock: TimeLimit,
    tell: Tell | None = None,
    last: Last = branch_and_cut,
) -> bool:
    """Bring cost and bound together: by prices, and by branching in what they leave open."""
    prices = lagrangian_bound(core, found, gap, clock, tell)
    if found.met(gap) or clock.up():
        return False
    left = fix_by_bound(core, found, prices)
    inside = Incumbent(np.searchsorted(left.sites, found.chosen), found.cost, found.bound)
    last(left, inside, gap, clock, tell)
    found.chosen, found.cost, found.bound = left.sites[inside.chosen], inside.cost, inside.bound
    return True


def best_of_parts(
    left: FixedCore, found: Incumbent, gap: float, clock: TimeLimit, tell: Tell | None = None
) -> None:
    """Improve a choice, and raise the bound, until they meet or time is up; part by part where there are parts."""
    part = parts_of(left.core)
    if np.isinf(left.core.budget) and len(part) and part.max() > 0:
        branch_and_cut(left, found, gap, clock, tell, nodes=FEW)
        if found.met(gap) or clock.up():
            return
        part_by_part(left, part, found, gap, clock, tell)
    branch_and_cut(left, found, gap, clock, tell)


def part_by_part(
    left: FixedCore,
    part: Rows,
    found: Incumbent,
    gap: float,
    clock: TimeLimit,
    tell: Tell | None = None,
) -> None:
    """Improve a choice, and raise the bound, as far as convex curves of what the smaller parts cost allow."""
    core = left.core
    curves, choices = _curves(left, part, found, gap, clock)
    large = np.flatnonzero(part == len(curves))
    beside, of = _beside(core, large, curves)
    first = interchange(beside, greedy(beside), stop=lambda _: clock.up())
    one = Incumbent(first, min(beside.of(first), found.cost), found.bound)
    one.better(beside, shaken(beside, first, stop=lambda _: clock.up()))
    close_gap(beside, one, gap, clock, tell and (lambda _, bound: tell(found.cost, bound)))
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
    left: FixedCore, part: Rows, found: Incumbent, gap: float, clock: TimeLimit
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
                one = Incumbent(choice, min(some.of(choice), most[k]), curve[k])
                close_gap(some, one, gap, clock)
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
