"""What would change the answer: how far one domain alone would have to move."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from commonweal.errors import DataError
from commonweal.index.aggregate import RELATIVE, aggregate
from commonweal.index.methods import name_of, settings_of
from commonweal.index.rank_transforms import BY_RANK
from commonweal.index.scales import unchanged
from commonweal.index.score import entered
from commonweal.index.tables import Floats

if TYPE_CHECKING:
    from commonweal.designation.rule import ConditionResult
    from commonweal.index import Node, Scores
    from commonweal.index.methods import MethodSpec
    from commonweal.index.rank import TieRule


Rows: TypeAlias = NDArray[np.intp]
Bools: TypeAlias = NDArray[np.bool_]
Others: TypeAlias = Callable[[Rows, Rows], Floats]
Enter: TypeAlias = Callable[[Floats], Floats]

_FIXED = frozenset({"none", "scaled", "goalposts"})
"""Transforms that put a value where they put it whatever the others are."""

_BY_ENDS = frozenset(
    {
        "min_max",
        "adjusted",
        "distance_to_max",
        "distance_to_reference",
        "distance_to_target",
        "fraction_of_max",
    }
)
"""Straight lines that are laid through the least or the greatest value, or a reference area's."""

_SHIFTS = {"min": (2, 0), "average": (1, -1), "max": (0, -2)}
"""By tie rule, the half places that equals of a mover move by: as it rises from them, as it falls."""


@dataclass(frozen=True, slots=True)
class Ladder:
    """The values that areas have, greatest first, each once."""

    values: Floats  # (n_rungs,) the values
    # first, last: (n_rungs,) the first and the last of the places that a value takes up, 1 = greatest
    first: Rows
    last: Rows
    rung: Rows  # (n_areas,) where each area stands; -1 where its value is missing

    @classmethod
    def of(cls, values: Floats) -> Ladder:
        """Order (n_areas,) values."""
        present = ~np.isnan(values)
        found, rung, size = np.unique(-values[present], return_inverse=True, return_counts=True)
        rungs = np.full(len(values), -1)
        rungs[present] = rung
        last = np.cumsum(size)
        return cls(-found, last - size + 1, last, rungs)

    def beside(self, rungs: Rows, falls: Bools) -> Floats:
        """Give values of who stands just below a rung, or just above it."""
        apart = np.abs(np.diff(self.values)).min(initial=np.inf)
        hair = min(1e-9 * np.ptp(self.values), apart / 2)
        return self.values[rungs] + np.where(falls, -hair, hair)


Move: TypeAlias = Callable[[Rows, Rows, Bools], tuple[Floats, Others]]
"""Takes movers (areas), the rungs that they come to stand beside, and whether they fall to them: to
just below those on the rung, and otherwise to just above them. Gives the movers' own values, and
what gives the others': of pairs of a mover (its number in the list) and another area."""


@dataclass(frozen=True, slots=True)
class Way:
    """How what a child puts in follows from one area's move."""

    ladder: Ladder  # where the areas stand on the child
    move: Move  # moves areas, each on its own
    # low, high: (n_areas,) the least and the greatest that another area's value can become; None where others stay
    low: Floats | None
    high: Floats | None
    alone: Bools  # (n_areas,) the movers for whom that does not hold


def can_follow(how: MethodSpec, ties: TieRule) -> bool:
    """Say whether it is known how values follow; of a function of the user's own nothing is.

    >>> can_follow("z_score", "min"), can_follow("rank", "ordinal"), can_follow(np.sqrt, "min")
    (True, False, False)
    """
    if callable(how):
        return False
    name = name_of(how)
    return name in _FIXED | _BY_ENDS | {"z_score"} or (name in BY_RANK and ties in _SHIFTS)


def way_of(x: Floats, need: Floats, how: MethodSpec, ties: TieRule, enter: Enter) -> Way:
    """Give the way in which values follow a move."""
    ladder = Ladder.of(need)
    if name_of(how) in _FIXED:
        return _fixed(x, ladder, enter)
    if name_of(how) in BY_RANK:
        return _by_rank(x, ladder, ties, enter)
    if name_of(how) == "z_score":
        return _by_spread(x, ladder)
    return _by_ends(x, ladder, need, settings_of(how), enter)


def _fixed(x: Floats, ladder: Ladder, enter: Enter) -> Way:
    """Leave everybody else in place."""

    def move(_: Rows, rungs: Rows, falls: Bools) -> tuple[Floats, Others]:
        return enter(ladder.beside(rungs, falls)), lambda _, other: x[other]

    return Way(ladder, move, None, None, np.zeros(len(x), dtype=bool))


def _by_rank(x: Floats, ladder: Ladder, ties: TieRule, enter: Enter) -> Way:
    """Let those that are passed make way by a place, and equals that are left close up."""
    n = int(ladder.last[-1])
    scale = np.full(2 * n + 2, np.nan)  # by twice the rank: equals can share the middle of two
    scale[2:-1:2] = enter(-np.arange(n, dtype=np.float64))
    if ties == "average":
        for start in (0, 1):  # equals in pairs, from the first on and from the second on
            pairs = -((np.arange(n) + start) // 2).astype(np.float64)
            scale[3 + 2 * start : -2 : 4] = enter(pairs)[start:-1:2]
    by_ties = {"min": 2 * ladder.first, "max": 2 * ladder.last}
    twice = np.append(by_ties.get(ties, ladder.first + ladder.last), 0)[ladder.rung]

    def move(movers: Rows, rungs: Rows, falls: Bools) -> tuple[Floats, Others]:
        rising, falling = _SHIFTS[ties]

        def others(which: Rows, other: Rows) -> Floats:
            rung, here = ladder.rung[other], ladder.rung[movers[which]]
            there, fell = rungs[which], falls[which]
            passed = np.where(
                fell, (here < rung) & (rung <= there), (there <= rung) & (rung < here)
            )
            by = np.where(passed, np.where(fell, -2, 2), 0)
            by = np.where(rung == here, np.where(fell, falling, rising), by)
            by[rung < 0] = 0
            return np.where(by == 0, x[other], scale[twice[other] + by])

        return scale[2 * np.where(falls, ladder.last[rungs], ladder.first[rungs])], others

    low, high = (scale[np.clip(twice + by, 2, 2 * n)] for by in (2, -2))
    gone = ladder.rung < 0
    low[gone] = high[gone] = np.nan
    return Way(ladder, move, low, high, np.zeros(len(x), dtype=bool))


def _by_spread(x: Floats, ladder: Ladder) -> Way:
    """Move the mean and the standard deviation, by which all are measured, with the mover."""
    of_x = Ladder.of(x)  # a straight line of the child's own score, and so in its order
    present = x[~np.isnan(x)]
    n, mean = len(present), present.mean()
    squares = ((present - mean) ** 2).sum()

    def line(values: Floats, centre: Floats, spread: Floats) -> Floats:
        """Measure by another mean and sum of squares; the scale of `x` is what it is now."""
        with np.errstate(divide="ignore", invalid="ignore"):
            moved: Floats = mean + (values - centre) * np.sqrt(squares / spread)
        return moved

    def move(movers: Rows, rungs: Rows, falls: Bools) -> tuple[Floats, Others]:
        value = of_x.beside(rungs, falls)
        centre = mean + (value - x[movers]) / n
        spread = squares + (value - mean) ** 2 - (x[movers] - mean) ** 2 - n * (centre - mean) ** 2

        def others(which: Rows, other: Rows) -> Floats:
            return line(x[other], centre[which], spread[which])

        return line(value, centre, spread), others

    # However far one moves, the mean moves by less than this, and so does the sum of squares.
    step, most = np.ptp(present) / n, ((present - mean) ** 2).max() * n / (n - 1)
    least = max(squares - most, 0.0)
    corners = [
        line(x, mean + by, spread) for by in (step, -step) for spread in (least, squares + most)
    ]
    low, high = np.minimum.reduce(corners), np.maximum.reduce(corners)
    return Way(ladder, move, low, high, np.full(len(x), least == 0.0))


def _by_ends(
    x: Floats, ladder: Ladder, need: Floats, settings: dict[str, Any], enter: Enter
) -> Way:
    """Move the others where the mover has the least or the greatest value for itself."""
    single = ladder.first == ladder.last
    hair, capped = 1e-9 * np.ptp(x[~np.isnan(x)]), settings.get("cap", False)
    alone = np.isin(ladder.rung, [end for end in (0, len(single) - 1) if single[end]])
    if "unit" in settings:  # the reference area, by whatever name, has just 1
        alone |= x == 1.0
    of_rung = np.empty(len(single))
    of_rung[ladder.rung[~np.isnan(x)]] = x[~np.isnan(x)]

    def anew(mover: int, to: float) -> Floats:
        values = need.copy()
        values[mover] = to
        try:
            return enter(values)
        except DataError:  # nothing is left to measure by
            return np.full(len(x), np.nan)

    def move(movers: Rows, rungs: Rows, falls: Bools) -> tuple[Floats, Others]:
        to = ladder.beside(rungs, falls)
        own = np.interp(to, ladder.values[::-1], of_rung[::-1])
        # Beyond all others it would be just the end that they are measured from, as they are now.
        beyond = np.where(falls, rungs == len(single) - 1, rungs == 0) & (not capped)
        own[beyond] += np.where(falls, -hair, hair)[beyond]
        moved = {int(k): anew(movers[k], to[k]) for k in np.flatnonzero(alone[movers])}
        for k, values in moved.items():
            own[k] = values[movers[k]]

        def others(which: Rows, other: Rows) -> Floats:
            found = x[other]
            for k, values in moved.items():
                found = np.where(which == k, values[other], found)
            return found

        return own, others

    return Way(ladder, move, None, None, alone)


_MOST = 1 << 20
"""Pairs of a mover and another area that are looked at together: bounds memory."""


@dataclass(frozen=True, slots=True)
class Parent:
    """The node that a condition is on, with what its children put in."""

    node: Node  # the node; one without children is its own only child
    need: Floats  # (n_areas,) its score
    x: Floats  # (n_areas, n_children) what its children put in
    carried: bool  # whether the index was moved from other areas

    def combine(self, x: Floats) -> Floats:
        """Score rows of children."""
        if not self.node.children:
            return x[:, 0]
        weights = np.array(list(self.node.weights.values()))
        return aggregate(x, weights, self.node.aggregate, self.node.available)

    def score(self, areas: Rows, child: int, values: Floats) -> Floats:
        """Score areas with other values of one child."""
        x = self.x[areas]
        before = self.combine(x) if self.carried else None
        x[:, child] = values
        # A mean of scores differs from the score of means in its last bits.
        score = self.combine(x)
        return score if before is None else self.need[areas] + (score - before)

    def bounds(self, child: int, way: Way) -> tuple[Floats, Floats]:
        """Give the least and the greatest that scores become when another area's child moves."""
        lowest = highest = self.need
        for end in (way.low, way.high):
            if end is not None:
                try:
                    found = self.score(np.arange(len(self.need)), child, end)
                except DataError:  # the bound is not a value that any area can have
                    return np.full(len(end), -np.inf), np.full(len(end), np.inf)
                lowest, highest = np.minimum(lowest, found), np.maximum(highest, found)
        return lowest, highest


@dataclass(frozen=True, slots=True)
class Field:
    """Those among whom areas are placed, group by group in the order of their scores."""

    need: Floats  # (n_pool,) their scores
    levels: Floats  # the scores that there are, in order
    # keys, order: (n_present,) group and level of each, in order, and which one it is
    keys: Rows
    order: Rows
    group: Rows  # (n_areas,) the group of each area
    # place, end: (n_areas,) where in that order the area itself is, -1 if it is not among them, and where its group
    # ends
    place: Rows
    end: Rows

    @classmethod
    def of(cls, scores: Scores, tested: ConditionResult, groups: Rows | None) -> Field:
        """Take the areas themselves, or those that the index was built on."""
        path, n = tested.condition.path, len(scores.codes)
        built = scores.built if tested.condition.among else None
        need = (built or scores).need[path]
        group = np.zeros(n, np.intp) if groups is None else groups
        present = np.flatnonzero(~np.isnan(need))
        levels = np.sort(need[present])
        keys = np.searchsorted(levels, need[present])
        if not built:
            keys += group[present] * (len(levels) + 1)
        sort = np.argsort(keys, kind="stable")
        place = np.full(n, -1)
        if not built:
            place[present[sort]] = np.arange(len(present))
        end = np.searchsorted(keys[sort], (group + 1) * (len(levels) + 1))
        return cls(need, levels, keys[sort], present[sort], group, place, end)

    def first(self, areas: Rows, score: Floats, side: Literal["left", "right"]) -> Rows:
        """Find in each area's group the first that is at a score or above, or beyond it (right)."""
        level = np.searchsorted(self.levels, score, side)
        return np.searchsorted(self.keys, self.group[areas] * (len(self.levels) + 1) + level)


class Retest:
    """A condition, to be tested anew after one child of its node has moved in one area."""

    def __init__(
        self, tested: ConditionResult, parent: Parent, child: int, way: Way, field: Field
    ) -> None:
        self._tested, self._parent, self._child = tested, parent, child
        self._way, self._field = way, field
        self._lowest, self._highest = parent.bounds(child, way)
        apart = np.maximum(self._highest - parent.need, parent.need - self._lowest)
        self._reach = np.nanmax(apart, initial=0.0)

    def holds(self, movers: Rows, rungs: Rows, falls: Bools) -> Bools:
        """Test the condition for (n_movers,) movers beside the rungs that they move to."""
        own, others = self._way.move(movers, rungs, falls)
        score = self._parent.score(movers, self._child, own)
        if (limit := self._tested.condition.score_above) is not None:
            found: Bools = score > limit
        else:
            found = self._n_above(movers, score, others) < self._tested.cut[movers]
        return np.where(np.isnan(score), falls, found)  # of one without a score nothing is known

    def _n_above(self, movers: Rows, score: Floats, others: Others) -> Rows:
        """Count those that are above each mover, once it has its new score."""
        field, alone = self._field, self._way.alone[movers]
        reach = np.where(alone, np.inf, self._reach)
        start = field.first(movers, score - reach, "left")
        stop = field.first(movers, score + reach, "right")
        place = field.place[movers]
        count = field.end[movers] - stop - (place >= stop)
        width = stop - start
        for part in np.split(
            np.arange(len(movers)), np.flatnonzero(np.diff(np.cumsum(width) // _MOST)) + 1
        ):
            which = np.repeat(part, width[part])
            first = start[part] - (np.cumsum(width[part]) - width[part])
            at = np.repeat(first, width[part]) + np.arange(len(which))
            which, at = which[at != place[which]], at[at != place[which]]
            other = field.order[at]
            above = field.need[other] > score[which]
            if self._way.low is not None or alone.any():
                doubt = self._lowest[other] <= score[which]
                doubt = alone[which] | (doubt & (self._highest[other] > score[which]))
                who, whom = which[doubt], other[doubt]
                above[doubt] = self._parent.score(whom, self._child, others(who, whom)) > score[who]
            count += np.bincount(which[above], minlength=len(movers))
        return count


_TRIES = 32
"""Parts of the way at whose ends a score that may turn back on it is tried."""


def can_tell(scores: Scores, path: str) -> bool:
    """Say whether what would change a node can be worked out at all.

    Copeland scores and the benefit of the doubt follow from all other areas, and of a function of
    the user's own nothing is known. Nor is it known what a child was measured against if not its
    own scores. An index that was moved to other areas is a mean of scores: it follows its children
    as one score does only where they are added up. For all else the least change is missing.
    """
    node = _node_at(scores.tree, path)
    if not node.children:
        return True
    if callable(node.aggregate) or name_of(node.aggregate) in RELATIVE:
        return False
    if scores.built is not None:
        return name_of(node.aggregate) in ("sum", "arithmetic")
    return all(
        can_follow(_form(node, name), node.ties) and _is_own_base(scores, f"{path}/{name}", node)
        for name in node.children
    )


def rank_needed(
    scores: Scores, tested: ConditionResult, rows: Rows, groups: Rows | None = None
) -> dict[str, Floats]:
    """Find the rank at which each child of a condition's node, alone, turns the condition.

    A rank is one that some area has now. Who rises to it comes to stand just above those that have it, who sinks to it
    just below. All that follows is worked out as `score` would: others make way, the ends, the mean and the spread
    that values are measured by move along, and all scores and ranks are new. Weights that were computed from the data
    stay as they are. So do the areas that an index was moved from: there a child's rank is by what it puts into the
    moved index.

    The nearest rank is found by halving the ranks between the area's own and the first or the last. Only a
    Mazziotta-Pareto score can turn back on that way, as it rises with how uneven a profile is: where the end of the
    way does not do, 31 places on it are tried.

    Gives by path of the child, (n_areas,) the nearest rank that turns it.
    """
    path = tested.condition.path
    node = _node_at(scores.tree, path)
    paths = {f"{path}/{name}": name for name in node.children} or {path: ""}
    needed = {child: np.full(len(scores.codes), np.nan) for child in paths}
    if not can_tell(scores, path):
        return needed
    x = np.column_stack([(scores.transformed if n else scores.need)[p] for p, n in paths.items()])
    parent = Parent(node, scores.need[path], x, scores.built is not None)
    field = Field.of(scores, tested, groups)
    tries = _TRIES if name_of(node.aggregate) == "mazziotta_pareto" else 1
    for k, (child, name) in enumerate(paths.items()):
        movers = rows[~np.isnan(x[rows, k])]
        if not len(movers):
            continue
        if parent.carried or not name:
            way = way_of(x[:, k], x[:, k], "none", node.ties, unchanged)
        else:
            enter = partial(entered, child, node, codes=scores.codes)
            way = way_of(x[:, k], scores.need[child], _form(node, name), node.ties, enter)
        retest = Retest(tested, parent, k, way, field)
        needed[child][movers] = _nearest(way.ladder, movers, tested.passes[movers], retest, tries)
    return needed


def _nearest(ladder: Ladder, movers: Rows, inside: Bools, retest: Retest, tries: int) -> Floats:
    """Find by halving the nearest place that turns the condition: a lower one for who passes."""
    here = ladder.rung[movers]
    single = ladder.first[here] == ladder.last[here]
    near = np.where(inside, here + single, here - 1)  # who sinks from its equals is below them
    step, end = np.where(inside, 1, -1), np.where(inside, len(ladder.values) - 1, 0)

    def turned(which: Rows, steps: Rows) -> Bools:
        rungs = near[which] + step[which] * steps
        return retest.holds(movers[which], rungs, inside[which]) != inside[which]

    enough, short = (end - near) * step, np.full(len(movers), -1)
    can, rest = np.empty(0, np.intp), np.flatnonzero(enough >= 0)
    whole = enough.copy()
    for part in range(tries, 0, -1):
        enough[rest] = whole[rest] * part // tries
        turns = turned(rest, enough[rest])
        can, rest = np.append(can, rest[turns]), rest[~turns]
    left = can
    while len(left := left[enough[left] - short[left] > 1]):
        middle = (enough[left] + short[left]) // 2
        turns = turned(left, middle)
        enough[left[turns]], short[left[~turns]] = middle[turns], middle[~turns]
    places = np.full(len(movers), np.nan)
    rung = near[can] + step[can] * enough[can]
    places[can] = np.where(inside[can], ladder.last[rung], ladder.first[rung])
    return places


def _form(node: Node, name: str) -> MethodSpec:
    """Say how a child enters its parent."""
    own = node.children[name].enters_as
    return node.transform if own is None else own


def _is_own_base(scores: Scores, child: str, parent: Node) -> bool:
    """Whether a child is measured against its own scores, not against a base."""
    try:
        alone = entered(child, parent, scores.need[child], codes=scores.codes)
    except DataError:
        return False
    return np.allclose(alone, scores.transformed[child], equal_nan=True)


def _node_at(tree: Node, path: str) -> Node:
    """Give the node of a tree at a slash-joined path that begins with the index."""
    for name in path.split("/")[1:]:
        tree = tree.children[name]
    return tree
