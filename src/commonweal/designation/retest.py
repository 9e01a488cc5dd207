"""A condition tested anew, after one child of its node has moved in one area: many areas at once.

Scoring every area anew for every mover would take the square of their number. Few need it: the
scores of others move within bounds, and only where the mover's new score lies within those of
another area is it in doubt which of the two is above.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from commonweal.errors import DataError
from commonweal.index.aggregate import aggregate

if TYPE_CHECKING:
    from commonweal.designation.follow import Others, Way
    from commonweal.designation.rule import Tested
    from commonweal.index import Node, Scores

__all__ = ["Field", "Parent", "Retest"]

Floats: TypeAlias = NDArray[np.float64]
Rows: TypeAlias = NDArray[np.intp]
Bools: TypeAlias = NDArray[np.bool_]

_MOST = 1 << 20
"""Pairs of a mover and another area that are looked at together: bounds memory."""


@dataclass(frozen=True, slots=True)
class Parent:
    """The node that a condition is on, with what its children put in.

    Attributes
    ----------
    node
        The node; one without children is its own only child.
    need
        (n_areas,) its score.
    x
        (n_areas, n_children) what its children put in.
    carried
        Whether the index was moved from other areas.
    """

    node: Node
    need: Floats
    x: Floats
    carried: bool

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
    """Those among whom areas are placed, group by group in the order of their scores.

    Attributes
    ----------
    need
        (n_pool,) their scores.
    levels
        The scores that there are, in order.
    keys, order
        (n_present,) group and level of each, in order, and which one it is.
    group
        (n_areas,) the group of each area.
    place, end
        (n_areas,) where in that order the area itself is, -1 if it is not among them, and where its
        group ends.
    """

    need: Floats
    levels: Floats
    keys: Rows
    order: Rows
    group: Rows
    place: Rows
    end: Rows

    @classmethod
    def of(cls, scores: Scores, tested: Tested, groups: Rows | None) -> Field:
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
    """A condition, to be tested anew after one child of its node has moved in one area.

    Parameters
    ----------
    tested
        The condition as it stands.
    parent, child, way
        Its node, the position of the child that moves, and how values follow.
    field
        Those among whom areas are placed.
    """

    def __init__(self, tested: Tested, parent: Parent, child: int, way: Way, field: Field) -> None:
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
