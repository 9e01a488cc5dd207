"""One area's child put elsewhere, and all that follows from it, for thousands of areas at once.

An area that moves on one child does not move alone. By rank, those that it passes make way by one
place, and those that were level with it no longer are. By distance, the mean and the spread, or the
ends, that every value is measured from move with it. A way gives the values that follow.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from commonweal.errors import DataError
from commonweal.index.by_rank import BY_RANK
from commonweal.index.methods import name_of, settings_of
from commonweal.index.types import Floats

if TYPE_CHECKING:
    from commonweal.index.methods import How
    from commonweal.index.rank import TieRule

__all__ = ["Ladder", "Move", "Way", "can_follow", "way_of"]

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
    """The values that areas have, greatest first, each once.

    Attributes
    ----------
    values
        (n_rungs,) the values.
    first, last
        (n_rungs,) the first and the last of the places that a value takes up, 1 = greatest.
    rung
        (n_areas,) where each area stands; -1 where its value is missing.
    """

    values: Floats
    first: Rows
    last: Rows
    rung: Rows

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
    """How what a child puts in follows from one area's move.

    Attributes
    ----------
    ladder
        Where the areas stand on the child.
    move
        Moves areas, each on its own.
    low, high
        (n_areas,) the least and the greatest that another area's value can become; None where
        others stay.
    alone
        (n_areas,) the movers for whom that does not hold.
    """

    ladder: Ladder
    move: Move
    low: Floats | None
    high: Floats | None
    alone: Bools


def can_follow(how: How, ties: TieRule) -> bool:
    """Say whether it is known how values follow; of a function of the user's own nothing is.

    Examples
    --------
    >>> can_follow("z_score", "min"), can_follow("rank", "ordinal"), can_follow(np.sqrt, "min")
    (True, False, False)
    """
    if callable(how):
        return False
    name = name_of(how)
    return name in _FIXED | _BY_ENDS | {"z_score"} or (name in BY_RANK and ties in _SHIFTS)


def way_of(x: Floats, need: Floats, how: How, ties: TieRule, enter: Enter) -> Way:
    """Give the way in which values follow a move.

    Parameters
    ----------
    x
        (n_areas,) what the child puts in; at least one of them.
    need
        (n_areas,) the child's own score, by which its areas are ranked.
    how, ties
        How the one is made from the other, of which `can_follow` says yes.
    enter
        Makes the one from the other, or from other scores.
    """
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
