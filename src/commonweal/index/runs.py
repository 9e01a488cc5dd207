"""The runs of an ensemble: the numbers that drive each, and the tree laid out for all of them."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING, Any

import numpy as np

from commonweal.errors import DataError
from commonweal.index.assumptions import (
    Aggregation,
    CutOff,
    Inclusion,
    Normalisation,
    Parameter,
    SamplingError,
    SmallCounts,
    Treatment,
    Weights,
)
from commonweal.index.distributions import choice
from commonweal.index.framework import STATED, checked_transform
from commonweal.index.methods import (
    MethodError,
    checked_method,
    name_of,
    settings_of,
    takes,
    with_setting,
)
from commonweal.index.normalise import NORMALISERS, turned
from commonweal.index.targets import alternatives_of
from commonweal.index.treat import TREATMENTS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import polars as pl
    from numpy.typing import NDArray

    from commonweal.index.assumptions import Assumption
    from commonweal.index.framework import Node
    from commonweal.index.methods import Function, MethodSpec
    from commonweal.index.rank import TieRule
    from commonweal.index.tables import Floats
    from commonweal.index.targets import AssumptionTarget


__all__ = [
    "POWERS",
    "Choices",
    "Entry",
    "Part",
    "Settings",
    "Way",
    "cut_factors",
    "draw_numbers",
    "draw_sets",
    "is_plain",
    "label_of",
    "lay_out",
]


Sets = dict[tuple[int, str], "Floats"]


def draw_numbers(found: Sequence[AssumptionTarget], n_runs: int, seed: int, n_sets: int) -> Floats:
    """Draw the numbers of runs at random.

    Gives (n_runs, n_assumptions) in [0, 1).
    """
    u = np.empty((n_runs, len(found)))
    in_turn = (np.arange(n_runs) % n_sets + 0.5) / n_sets
    for k, one in enumerate(found):
        by_set = isinstance(one.assumption, SamplingError | SmallCounts) or (
            bool(one.laws) and not any(law.given for law in one.laws.values())
        )
        u[:, k] = in_turn if by_set else np.random.default_rng([seed, k]).random(n_runs)
    return u


def draw_sets(
    found: Sequence[AssumptionTarget], weights: Mapping[str, Floats], n_sets: int, seed: int
) -> Sets:
    """Draw the sets of weights that runs choose from.

    Gives by number of the assumption and path, (n_sets, n_children).
    """
    sets = {}
    for k, one in enumerate(found):
        for at, (path, law) in enumerate(one.laws.items()):
            rng = np.random.default_rng([seed, k, at] if at else [seed, k])
            sets[k, path] = law.draw(weights[path], n_sets, rng)
    return sets


def cut_factors(found: Sequence[AssumptionTarget], u: Floats, path: str) -> Floats:
    """(n_runs,) what the cut-off of a condition on an index or domain is multiplied by."""
    factor = np.ones(len(u))
    for one, column in zip(found, u.T, strict=True):
        a = one.assumption
        if isinstance(a, CutOff):
            low, high = a.cut
            factor *= low + (high - low) * column
        elif isinstance(a, Parameter) and a.part == "cut" and path in (one.paths or (path,)):
            factor *= a.values(column)
    return factor


def label_of(how: MethodSpec) -> str:
    """Write a method as a reader would.

    >>> label_of("z_score"), label_of({"min_max": {"low": 1, "high": 100}})
    ('z_score', 'min_max (low 1, high 100)')
    """
    settings = ", ".join(
        f"{key} {value:g}" if isinstance(value, float) else f"{key} {value}"
        for key, value in settings_of(how).items()
    )
    return f"{name_of(how)} ({settings})" if settings else name_of(how)


@dataclass(frozen=True, slots=True)
class Settings:
    """What varies in the runs of a designation, and how the numbers that drive a run are read."""

    found: tuple[AssumptionTarget, ...]
    # by number of the assumption and path, the (n_sets, n_children) weights that runs choose from
    sets: Mapping[tuple[int, str], Floats]
    children: Mapping[str, Sequence[str]]  # by node path, the names of the children
    n_sets: int  # how many sets of drawn weights, and of errors, there are

    @property
    def assumptions(self) -> tuple[Assumption, ...]:
        """What varies."""
        return tuple(one.assumption for one in self.found)

    def to_frame(self, u: Floats) -> pl.DataFrame:
        """Say what each run uses: one row for each row of the numbers that drive them."""
        import polars as pl

        columns: dict[str, Any] = {"run": np.arange(1, len(u) + 1)}
        for k, (one, column) in enumerate(zip(self.found, u.T, strict=True)):
            a = one.assumption
            if isinstance(a, Weights):
                for path in one.paths:
                    drawn = self.sets[k, path][choice(column, len(self.sets[k, path]))]
                    for child, weights in zip(self.children[path], drawn.T, strict=True):
                        columns[f"{path.replace('/', '.')}.{child}.weight"] = weights
            elif isinstance(a, Parameter):
                gridded = a.part in ("transform", "treat")
                grid = a.grid(a.steps)
                columns[a.called] = grid[choice(column, len(grid))] if gridded else a.values(column)
            elif isinstance(a, CutOff):
                columns[a.called] = cut_factors([one], column[:, None], "")
            elif isinstance(a, Inclusion):
                columns[a.called] = np.where(column < a.chance, "out", "in").tolist()
            elif isinstance(a, SamplingError | SmallCounts):
                columns[a.called] = choice(column, self.n_sets) + 1
            else:
                columns[a.called] = [label_of(a.of[i]) for i in choice(column, len(a.of))]
        return pl.DataFrame(columns)


POWERS = {"sum": 1.0, "arithmetic": 1.0, "geometric": 0.0, "harmonic": -1.0}
"""The means that are powers; ``generalised`` says its own."""

STEEPEST, FLATTEST = 30.0, 0.01
"""Powers beyond the one overflow in a plain sum, powers within the other of 0 lose digits to
rounding: both go the slow way, which knows what to do."""


@dataclass(frozen=True, slots=True)
class Choices:
    """Which of several things a run uses, by the numbers that some assumptions have in it."""

    of: tuple[Any, ...]  # the things; the first is the stated one
    axes: tuple[int, ...]
    table: NDArray[np.intp]  # one axis an assumption, as long as it has choices: which thing

    def picked(self, u: Floats) -> NDArray[np.intp]:
        """(n_runs,) which thing, for (n_runs, n_assumptions) numbers in [0, 1)."""
        if not self.axes:
            return np.zeros(len(u), dtype=np.intp)
        at = [choice(u[:, a], n) for a, n in zip(self.axes, self.table.shape, strict=True)]
        picked: NDArray[np.intp] = self.table[tuple(at)]
        return picked


@dataclass(frozen=True, slots=True)
class Way:
    """How a child may enter its parent: treated first, then transformed."""

    treatment: MethodSpec
    transform: MethodSpec


_AS_IT_IS = Way("none", "none")


@dataclass(frozen=True, slots=True)
class Entry:
    """A child as it enters a part."""

    path: str
    part: int  # number of its part; -1 of an indicator
    moves: bool  # whether it has values of its own in each run
    # whether it is a part that is worked out together with its parent, unit by unit: it moves, and nothing between
    # them ranks units or needs all children at once
    joined: bool
    ways: Choices  # `Way` s in which it may enter
    first: int  # its first row, where it does not move: one row a way
    sign: float  # -1 of an indicator of which less is more need
    base: tuple[str, ...]  # indicators whose spread its transform takes in place of its own


@dataclass(frozen=True, slots=True)
class Part:
    """A node with children."""

    path: str
    entries: tuple[Entry, ...]  # (n_children,) what enters it
    weights: Floats  # (n_children,) stated weights
    weighed_by: int  # number of the assumption that draws its weights; -1 for none
    forms: Choices
    settings: tuple[tuple[int, str], ...]  # numbers that the form takes: assumption and name
    # available, available_by: share of the weight that an area must have; the assumption that varies it, -1 for none
    available: float
    available_by: int
    # children that may be left out: which, and by which assumption
    left_out: tuple[tuple[int, int], ...]
    ties: TieRule  # rank that tied areas share

    # the least power that its mean may have; infinity if it is never a power mean
    least_power: float
    slow: bool  # whether it may be anything else, or so steep that a plain sum would overflow

    @property
    def varies(self) -> bool:
        """Whether anything in or below it does."""
        own = self.weighed_by >= 0 or self.available_by >= 0 or self.settings or self.left_out
        return bool(own or self.forms.axes or any(e.moves or e.ways.axes for e in self.entries))


def lay_out(
    index: str, tree: Node, found: Sequence[AssumptionTarget], signs: Mapping[str, float]
) -> tuple[Part, ...]:
    """Lay a tree out, with what each assumption may change where."""
    parts: list[Part] = []
    n_rows = 0
    noisy = {
        path
        for one in found
        if isinstance(one.assumption, SamplingError | SmallCounts)
        for path in one.paths
    }

    def visit(path: str, node: Node) -> int:
        nonlocal n_rows
        if node.weigh != STATED:
            raise DataError(
                f"{path.replace('/', '.')} computes its weights ('{name_of(node.weigh)}'); expected "
                "stated ones, such as those of the tree in its scores (`Scores.tree`)"
            )
        entries = []
        forms = _forms(path, node, found)
        settings = tuple((k, a.key) for k, a in _parameters(found, "aggregate", path).items())
        least_power, slow = _powers(forms.of, settings, found)
        for name, child in node.children.items():
            below = f"{path}/{name}"
            part = visit(below, child) if child.children else -1
            moves = parts[part].varies if part >= 0 else below in noisy
            sign = signs.get(child.indicator or "", 1.0)
            ways = _ways(below, node, found, sign)
            joined = moves and part >= 0 and ways.of == (_AS_IT_IS,)
            joined = joined and not (slow or parts[part].slow)
            entries.append(Entry(below, part, moves, joined, ways, n_rows, sign, child.base))
            n_rows += 0 if moves else len(ways.of)
        parts.append(
            Part(
                path,
                tuple(entries),
                np.array(list(node.weights.values())),
                _of_kind(found, Weights, path),
                forms,
                settings,
                node.available,
                next(iter(_parameters(found, "available", path)), -1),
                _left_out(path, node, found),
                node.ties,
                least_power,
                slow,
            )
        )
        return len(parts) - 1

    if tree.children:
        visit(index, tree)
    return tuple(parts)


def _of_kind(found: Sequence[AssumptionTarget], kind: type, path: str) -> int:
    """Give the number of the assumption of a kind that acts on a path; -1 for none."""
    at = [k for k, one in enumerate(found) if type(one.assumption) is kind and path in one.paths]
    return at[0] if at else -1


def _parameters(found: Sequence[AssumptionTarget], part: str, path: str) -> dict[int, Parameter]:
    """Give the parameters of a part of a node, by number."""
    return {
        k: one.assumption
        for k, one in enumerate(found)
        if isinstance(one.assumption, Parameter)
        and one.assumption.part == part
        and path in one.paths
    }


def _left_out(
    path: str, node: Node, found: Sequence[AssumptionTarget]
) -> tuple[tuple[int, int], ...]:
    out = []
    for at, name in enumerate(node.children):
        by = _of_kind(found, Inclusion, f"{path}/{name}")
        if by >= 0:
            out.append((at, by))
    if out and len(out) == len(node.children):
        raise DataError(
            f"every child of {path.replace('/', '.')} may be left out at once; expected one that stays"
        )
    return tuple(out)


def _forms(path: str, node: Node, found: Sequence[AssumptionTarget]) -> Choices:
    ways = alternatives_of("aggregate", path, node, found)
    by = _of_kind(found, Aggregation, path)
    if by < 0:
        return Choices(ways, (), np.zeros((), np.intp))
    of = _unique([node.aggregate, *ways])
    return Choices(tuple(of), (by,), np.array([of.index(way) for way in ways], dtype=np.intp))


def _powers(
    forms: Sequence[MethodSpec],
    settings: Sequence[tuple[int, str]],
    found: Sequence[AssumptionTarget],
) -> tuple[float, bool]:
    """Give the least power that a mean may have, and whether it may be no plain power mean."""
    least, slow = np.inf, False
    drawn = [found[k].assumption for k, key in settings if key == "p"]
    laws = [a for a in drawn if isinstance(a, Parameter)]
    own = [end for a in laws for end in a.ends()]
    for how in forms:
        name = "" if callable(how) else name_of(how)
        if name == "generalised":
            powers = own or [float(settings_of(how).get("p", 1.0))]
            flat = min(powers) < FLATTEST and max(powers) > -FLATTEST
            slow |= not all(map(is_plain, powers)) or (
                flat and any(a.choices is None for a in laws)
            )
        elif name in POWERS:
            powers = [POWERS[name]]
        else:
            slow = True
            continue
        least = min([least, *powers])
    return least, slow


def is_plain(power: float) -> bool:
    """Say whether a power mean is computed to all digits by powers and a sum."""
    return power == 0 or FLATTEST <= abs(power) <= STEEPEST


def _ways(path: str, parent: Node, found: Sequence[AssumptionTarget], sign: float) -> Choices:
    """Give every way in which a child may enter, and which one each choice means."""
    stated = alternatives_of("transform", path, parent, ())[0]
    treat = _options("treat", "none", path, parent, found, sign)
    transform = _options("transform", stated, path, parent, found, sign)
    each = treat.table.reshape(treat.table.shape + (1,) * transform.table.ndim)
    pairs = each * len(transform.of) + transform.table
    used = np.union1d(0, pairs)  # 0 is the stated pair
    of = [Way(treat.of[k // len(transform.of)], transform.of[k % len(transform.of)]) for k in used]
    return Choices(tuple(of), treat.axes + transform.axes, np.asarray(np.searchsorted(used, pairs)))


def _options(
    part: str,
    stated: MethodSpec,
    path: str,
    parent: Node,
    found: Sequence[AssumptionTarget],
    sign: float,
) -> Choices:
    """Give the ways of treating or of transforming one child, with all values of their settings."""
    treats = part == "treat"
    known: Mapping[str, Function] = TREATMENTS if treats else NORMALISERS
    check = _checked_treatment if treats else checked_transform
    by = _of_kind(found, Treatment if treats else Normalisation, path)
    ways: Sequence[MethodSpec] = alternatives_of(part, path, parent, found)
    if by >= 0 and not treats:  # bounds and targets are in the indicator's own units
        ways = [_turned(way, sign) for way in ways]
    parameters = _parameters(found, part, path)
    grids = [a.grid(a.steps) for a in parameters.values()]
    sizes = ([len(ways)] if by >= 0 else []) + [len(grid) for grid in grids]
    of = [stated]
    table = np.zeros(sizes, dtype=np.intp)
    for at in product(*map(range, sizes)):
        way = ways[at[0] if by >= 0 else 0]
        for a, grid, k in zip(parameters.values(), grids, at[len(at) - len(grids) :], strict=True):
            if takes(way, a.key, known):
                way = _set(way, a, float(grid[k]), check, 1.0 if treats else sign)
        if way not in of:
            of.append(way)
        table[at] = of.index(way)
    return Choices(tuple(of), ((by,) if by >= 0 else ()) + tuple(parameters), table)


def _set(
    way: MethodSpec,
    a: Parameter,
    value: float,
    check: Callable[[Any], MethodSpec],
    sign: float = 1.0,
) -> MethodSpec:
    """Give a method with one setting drawn; bounds and targets are turned to the way need goes."""
    key = a.key
    if sign == -1 and key in ("lower", "upper", "target", "middle"):
        key, value = {"lower": "upper", "upper": "lower"}.get(key, key), -value
    made = with_setting(way, key, int(value) if value == int(value) else value)
    try:
        return made if callable(made) else check(made)
    except MethodError as error:
        raise DataError(f"assumption '{a.called}': {error}") from None


def _checked_treatment(how: Any) -> MethodSpec:
    return checked_method(how, TREATMENTS, "treatment")


def _turned(way: MethodSpec, sign: float) -> MethodSpec:
    if not isinstance(way, dict):
        return way
    ((name, settings),) = way.items()
    return {name: turned(settings, sign)}


def _unique(ways: Sequence[MethodSpec]) -> list[MethodSpec]:
    seen: list[MethodSpec] = []
    for way in ways:
        if way not in seen:
            seen.append(way)
    return seen
