"""The best mix of interventions, as an integer programme over area, intervention and year of start."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.sparse import csr_array

from commonweal.errors import CommonwealError
from commonweal.invest.solver import MipProblem, TimeLimit, run_mip

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from commonweal.invest.portfolio.problem import PortfolioProblem, Rules

    Floats = NDArray[np.float64]
    Columns = NDArray[np.intp]


@dataclass(frozen=True)
class Rows:
    """A programme: the greatest ``objective @ v`` with ``matrix @ v <= limit`` and ``0 <= v <= upper``."""

    # area, intervention, start: (n_starts,) what each of the first variables stands for: an intervention begun
    # somewhere, sometime. The others are slots, in which the interventions of an area stand in line on one outcome,
    # and what is measured beyond an area's shortfall.
    area: Columns
    intervention: Columns
    start: Columns
    # objective, upper: (n_variables,) need met, and the greatest value
    objective: Floats
    upper: Floats
    whole: NDArray[np.bool_]  # (n_variables,) whether a variable is 0 or 1 and nothing between
    matrix: csr_array
    limit: Floats

    @classmethod
    def of(cls, problem: PortfolioProblem, rules: Rules) -> Rows:
        """Write a problem and its rules as rows."""
        lasting = problem.working(rules.years).sum(axis=2).T  # by intervention and start
        # Need met by area, intervention, start and outcome, before what is repeated counts less.
        met = problem.gains[:, :, None, :] * lasting[None, :, :, None]
        cost = problem.capital[:, :, None] + problem.yearly[:, :, None] * lasting[None]
        helps = (met > 0).any(axis=3) & (problem.weight > 0)[:, None, None]
        if rules.last_start is not None:
            helps[:, :, rules.last_start + 1 :] = False
        area, intervention, start = np.nonzero(helps & (cost <= rules.budget))
        rows = _Builder(len(area))
        each = _Starts(problem, rules, area, intervention, start)
        _choice(rows, each)
        _money(rows, each)
        _slots_and_limits(rows, each, met[area, intervention, start])
        objective, upper, whole = rows.variables()
        matrix, limit = rows.constraints()
        return cls(area, intervention, start, objective, upper, whole, matrix, limit)


@dataclass(frozen=True)
class _Starts:
    problem: PortfolioProblem
    rules: Rules
    area: Columns
    intervention: Columns
    start: Columns

    @property
    def columns(self) -> Columns:
        return np.arange(len(self.area))


class _Builder:
    """Rows and variables as they come."""

    def __init__(self, starts: int) -> None:
        self._objective = [np.zeros(starts)]
        self._upper, self._whole = [np.ones(starts)], [np.ones(starts, np.bool_)]
        self._entries: list[tuple[Columns, Columns, Floats]] = []
        self._limits: list[Floats] = []
        self._n_variables, self._n_rows = starts, 0

    def variables(self) -> tuple[Floats, Floats, NDArray[np.bool_]]:
        return tuple(np.concatenate(p) for p in (self._objective, self._upper, self._whole))  # type: ignore[return-value]

    def constraints(self) -> tuple[csr_array, Floats]:
        row, column, value = (np.concatenate(p) for p in zip(*self._entries, strict=True))
        shape = (self._n_rows, self._n_variables)
        return csr_array((value, (row, column)), shape=shape), np.concatenate(self._limits)

    def add(self, objective: Floats, upper: float) -> Columns:
        """Add variables that need not be whole; give their columns."""
        n = len(objective)
        self._objective.append(objective)
        self._upper.append(np.full(n, upper))
        self._whole.append(np.zeros(n, np.bool_))
        self._n_variables += n
        return np.arange(self._n_variables - n, self._n_variables)

    def worth(self, columns: Columns, objective: Floats) -> None:
        """Add to what the first variables are worth."""
        self._objective[0][columns] += objective

    def limit(
        self, keys: Columns, columns: Columns, values: Floats, limits: Floats | float
    ) -> Columns:
        """Add a row for each key, of the columns that have it; `limits` one a key, or one for all."""
        known, row = np.unique(keys, return_inverse=True)
        self._entries.append((row + self._n_rows, columns, np.broadcast_to(values, columns.shape)))
        self._limits.append(np.broadcast_to(np.asarray(limits, np.float64), known.shape).copy())
        self._n_rows += len(known)
        return known


def _choice(rows: _Builder, each: _Starts) -> None:
    """Begin each once, of a group one, and no more in an area or a year than can be."""
    p, rules, one = each.problem, each.rules, np.ones(len(each.area))
    groups = {name: k for k, name in enumerate(dict.fromkeys(g for g in p.groups if g))}
    alike = np.array(
        [groups[g] if g else len(groups) + k for k, g in enumerate(p.groups)], dtype=np.intp
    )[each.intervention]
    width = len(groups) + len(p.groups)
    rows.limit(each.area * width + alike, each.columns, one, 1.0)
    if rules.most_each is not None:
        rows.limit(each.area, each.columns, one, float(rules.most_each))
    for name, most in rules.starts_a_year.items():
        here = each.columns[each.intervention == p.interventions.index(name)]
        rows.limit(each.start[here], here, one[here], float(most))


def _money(rows: _Builder, each: _Starts) -> None:
    """Keep to the budget, of all years and of each, and to the least shares; in shares of the budget."""
    p, rules = each.problem, each.rules
    works = p.working(rules.years)[each.start, each.intervention]
    spent = p.yearly[each.area, each.intervention][:, None] * works
    spent[each.columns, each.start] += p.capital[each.area, each.intervention]
    total = spent.sum(axis=1) / rules.budget
    rows.limit(np.zeros_like(each.columns), each.columns, total, 1.0)
    if rules.a_year is not None:
        column, year = np.nonzero(spent)
        rows.limit(year, column, spent[column, year] / rules.a_year, 1.0)
    authorities = np.array(p.authorities)[each.area]
    for name, share in rules.least_shares.items():
        less = share * total - np.where(authorities == name, total, 0.0)
        rows.limit(np.zeros_like(each.columns), each.columns, less, 0.0)


def _slots_and_limits(rows: _Builder, each: _Starts, met: Floats) -> None:
    """Let what repeats an outcome count less, and nothing measured more than what an area is short of."""
    p, rules = each.problem, each.rules
    weight = p.weight[each.area]
    measured: list[tuple[Columns, Columns, Floats]] = []  # area, column, standard deviation years
    for o in range(len(p.outcomes)):
        good, harm = np.maximum(met[:, o], 0.0), np.minimum(met[:, o], 0.0)
        together = _together(each, good)
        several = together > 1
        alone = np.where(several, harm, good + harm)  # what repeats is worth what its slot says
        rows.worth(each.columns, weight * alone)
        parts = [(each.area, each.columns, alone)]
        at = np.flatnonzero(several & (good > 0))
        taken = []
        for k in range(int(together.max(initial=0)) if len(at) else 0):
            if not (factor := rules.repeat**k):
                break
            slot = rows.add(weight[at] * good[at] * factor, 1.0)
            rows.limit(each.area[at], slot, np.ones(len(at)), 1.0)
            taken.append(slot)
            parts.append((each.area[at], slot, good[at] * factor))
        if taken:
            used = np.concatenate([*taken, at])
            sign = np.repeat([1.0, -1.0], [len(taken) * len(at), len(at)])
            rows.limit(np.tile(np.arange(len(at)), len(taken) + 1), used, sign, 0.0)
        if p.measured[o]:
            measured += parts
    if measured:
        _shortfall_limits(rows, each, measured)


def _together(each: _Starts, good: Floats) -> NDArray[np.intp]:
    """(n_starts,) how many interventions can gain together on an outcome, in the area of each."""
    if each.rules.repeat == 1:
        return np.ones(len(good), dtype=np.intp)
    p = each.problem
    gains = np.zeros((len(p.codes), len(p.interventions)), dtype=bool)
    np.logical_or.at(gains, (each.area, each.intervention), good > 0)
    many = gains[:, [not g for g in p.groups]].sum(axis=1)
    for group in {g for g in p.groups if g}:  # of a group an area gets one
        many = many + gains[:, [g == group for g in p.groups]].any(axis=1)
    if each.rules.most_each is not None:
        many = np.minimum(many, each.rules.most_each)
    return many[each.area]


def _shortfall_limits(
    rows: _Builder, each: _Starts, measured: list[tuple[Columns, Columns, Floats]]
) -> None:
    """Take off what is measured beyond the shortfall of an area."""
    p = each.problem
    area, column, value = (np.concatenate(part) for part in zip(*measured, strict=True))
    most = np.bincount(area, np.maximum(value, 0.0), len(p.codes))
    short = np.flatnonzero(most > p.shortfall * each.rules.years)
    kept = np.isin(area, short) & (value != 0)
    if not kept.any():
        return
    beyond = rows.add(-p.weight[short], np.inf)
    keys = np.concatenate([area[kept], short])
    rows.limit(
        keys,
        np.concatenate([column[kept], beyond]),
        np.concatenate([value[kept], -np.ones(len(short))]),
        p.shortfall[short] * each.rules.years,
    )


_FEW = 400
"""Starts up to which all are tried at once, and how many of the cheapest are tried first."""

_HAIR = 1e-9


def solve_rows(rows: Rows, gap: float, seconds: float) -> tuple[Columns, float]:
    """Find the starts that meet most need."""
    clock = TimeLimit(seconds)
    everything = np.ones(len(rows.area), dtype=bool)
    if len(rows.area) <= _FEW:
        found = _integer(rows, everything, gap, seconds)
        if found.taken is None:
            raise _too_slow(seconds)
        return found.taken, found.bound
    relaxed = _relaxed(rows, clock)
    if relaxed is None:
        raise _too_slow(seconds)
    limit, price, part = relaxed
    cheapest = np.zeros_like(everything)
    # What the relaxed mix takes comes first: much that it leaves out is as cheap to within rounding.
    cheapest[np.lexsort((price, ~part))[:_FEW]] = True
    first = _integer(rows, cheapest, gap / 2, seconds / 4)
    if first.taken is not None and limit - first.met <= gap * limit:
        return first.taken, limit
    # A start that costs more than what is still to be had cannot be in a better mix.
    worth = price <= limit - first.met + _HAIR * limit
    second = _integer(rows, worth, gap, clock.left())
    best = max(first, second, key=lambda found: found.met)
    if best.taken is None:
        raise _too_slow(seconds)
    return best.taken, min(limit, max(second.bound, best.met))


@dataclass(frozen=True)
class _Found:
    """The starts taken, if any were found, the need that they meet, and what no mix can exceed."""

    taken: Columns | None
    met: float
    bound: float


def _too_slow(seconds: float) -> CommonwealError:
    return CommonwealError(
        f"no mix found in {seconds:g} seconds; allow more time, or fewer years, areas or interventions"
    )


def _relaxed(rows: Rows, clock: TimeLimit) -> tuple[float, Floats, NDArray[np.bool_]] | None:
    """Give the most that could be met if starts could be parts, what each costs of it, and which have a part."""
    scale, n = _scale(rows), len(rows.area)
    parts = np.zeros(len(rows.upper), np.bool_)
    found = run_mip(_posed(rows, rows.upper, parts), clock=clock)
    if found.value is None or found.reduced is None:
        return None
    part = found.value[:n] > _HAIR
    return -found.cost * scale, np.where(part, 0.0, found.reduced[:n] * scale), part


def _integer(rows: Rows, allowed: NDArray[np.bool_], gap: float, seconds: float) -> _Found:
    """Solve with some of the starts."""
    scale, n = _scale(rows), len(rows.area)
    upper = rows.upper.copy()
    upper[:n] = np.where(allowed, upper[:n], 0.0)
    posed = _posed(rows, upper, rows.whole)
    found = run_mip(posed, clock=TimeLimit(max(seconds, 0.1)), gap=gap)
    if found.value is None:
        return _Found(None, -np.inf, np.inf)
    return _Found(np.flatnonzero(found.value[:n] > 0.5), -found.cost * scale, -found.bound * scale)


def _posed(rows: Rows, upper: Floats, whole: NDArray[np.bool_]) -> MipProblem:
    """Pose the choice of starts, each of which is taken at most so far, and some of which whole."""
    least = np.full(len(rows.limit), -np.inf)
    return MipProblem(-rows.objective / _scale(rows), rows.matrix, least, rows.limit, upper, whole)


def _scale(rows: Rows) -> float:
    return float(np.abs(rows.objective).max()) or 1.0


GAP = 5e-3
"""How far from the best a mix may be, as a share, where nothing else is asked."""


@dataclass(frozen=True)
class Mix:
    """What is done where, and when.

    Attributes
    ----------
    start
        (n_areas, n_interventions) year of start, 0 = the first; -1 = not done.
    met
        Need met as the programme counts it: person-years of one standard deviation, weighted by need.
    bound
        What no mix can exceed.
    spent
        (years,) GBP.
    seconds
        How long the solver took.
    """

    start: NDArray[np.intp]
    met: float
    bound: float
    spent: Floats
    seconds: float

    @property
    def gap(self) -> float:
        """How far `met` could lie below the best, as a share of `bound`."""
        return max(0.0, self.bound - self.met) / self.bound if self.bound > 0 else 0.0

    @property
    def chosen(self) -> NDArray[np.bool_]:
        """(n_areas, n_interventions) whether it is done."""
        return self.start >= 0


def need_met(problem: PortfolioProblem, start: NDArray[np.intp], rules: Rules) -> Floats:
    """Count the need that a mix meets, as the programme does.

    Gives (n_areas,) person-years of one standard deviation, weighted by need. `start` is (n_areas, n_interventions),
    the year of start, -1 where not done. On each outcome an area's interventions are ordered by what each gains over
    the years; the k-th counts ``repeat ** (k - 1)`` of its own. Harm counts whole. What is measured on the index is at
    most the area's shortfall for all the years.
    """
    years = rules.years
    works = problem.working(years).sum(axis=2)  # by start and intervention
    at = np.arange(len(problem.interventions))
    lasting = np.where(start >= 0, works[np.maximum(start, 0), at], 0.0)
    whole = problem.gains * lasting[:, :, None]
    good = -np.sort(-np.maximum(whole, 0.0), axis=1)
    factors = rules.repeat ** np.arange(len(problem.interventions))
    totals = np.tensordot(good, factors, (1, 0)) + np.minimum(whole, 0.0).sum(axis=1)
    measured = totals[:, problem.measured].sum(axis=1)
    stated = totals[:, ~problem.measured].sum(axis=1)
    return problem.weight * (np.minimum(measured, problem.shortfall * years) + stated)


def optimise_mix(
    problem: PortfolioProblem, rules: Rules, *, gap: float = GAP, seconds: float = 60.0
) -> Mix:
    """Choose the mix that meets most need within the rules.

    Parameters
    ----------
    problem
        What there is to choose from.
    rules
        What the mix must keep to.
    gap
        How far from the best it may be, as a share.
    seconds
        After how long the best mix found so far is taken.

    Returns
    -------
    Mix
        With the gap that was proven.

    Raises
    ------
    CommonwealError
        If the rules name what is not there, or no mix was found in time.

    Notes
    -----
    Variables are binary: neighbourhood x intervention x year of start; only what helps somebody is one.
    `commonweal.invest.portfolio.optimise` has the constraints. Where there are many, the linear programme
    without "binary" comes first. It gives a bound, and prices each variable: a mix is sought among the
    cheapest, and where that is not near enough to the bound, among all that could be in a better one. HiGHS
    solves both (Huangfu and Hall, 2018, Mathematical Programming Computation 10).
    """
    problem.refuse(rules)
    began = time.perf_counter()
    rows = Rows.of(problem, rules)
    start = np.full((len(problem.codes), len(problem.interventions)), -1, dtype=np.intp)
    if not len(rows.area):
        return Mix(start, 0.0, 0.0, np.zeros(rules.years), 0.0)
    taken, bound = solve_rows(rows, gap, seconds)
    start[rows.area[taken], rows.intervention[taken]] = rows.start[taken]
    met = float(need_met(problem, start, rules).sum())
    spent = problem.spent(start, rules.years).sum(axis=(0, 1))
    return Mix(start, met, max(bound, met), spent, time.perf_counter() - began)
