"""How sure the choice of a mix is: costs and effects drawn again, and the mix chosen anew for each draw."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from commonweal.invest.case.options import alone
from commonweal.invest.portfolio import choose, drawn, stability, uncertain_numbers

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from commonweal.invest.case.options import Option
    from commonweal.invest.portfolio import Builder, Rules

    Floats = NDArray[np.float64]
    Progress = Callable[[str, int, int], None]

__all__ = ["Steady", "steadiness"]

DRAWS = 30
"""As a portfolio of its own has them: a share of them is good to about a tenth."""

PLACES = 50
"""How many places are chosen for again where each has its own part: a draw is of all of them at once, so more
places would say little more."""

POOLED = 15.0
"""Seconds at most for the mix of one draw where money is pooled; how close it came is told."""


@dataclass(frozen=True)
class Steady:
    """How often each choice is made again.

    Attributes
    ----------
    draws, seed
        How many draws of costs and effects, and from which seed.
    places
        (n_places,) rows of the problem's places that were chosen for again.
    chosen
        (n_places, n_interventions) whether the mix has it there.
    often
        (n_places, n_interventions) the share of draws in whose best mix it is there, begun in whatever year.
    gap
        How far from the best a mix of a draw may be, at most, as a share: choices that differ by less are not
        told apart.
    """

    draws: int
    seed: int
    places: NDArray[np.intp]
    chosen: NDArray[np.bool_]
    often: Floats
    gap: float

    @property
    def stays(self) -> Floats:
        """(n_interventions,) where the mix has it, in what share of the draws it has it still; NaN where nowhere."""
        return _mean(self.often, self.chosen)

    @property
    def comes(self) -> Floats:
        """(n_interventions,) where the mix lacks it, in what share of the draws it comes in; NaN where nowhere."""
        return _mean(self.often, ~self.chosen)


def steadiness(
    builder: Builder,
    rules: Rules,
    option: Option,
    *,
    draws: int = DRAWS,
    seed: int = 1,
    seconds: float = 60.0,
    progress: Progress | None = None,
) -> Steady:
    """Draw costs and effects, and choose anew for each draw, as the option shares the money.

    Parameters
    ----------
    builder, rules, option
        What the problem was made of, its rules, and the mix.
    draws, seed
        How often, 2 or more; the same seed gives the same answer.
    seconds
        At most for each choice; where money is pooled no more than `POOLED` of them.
    progress
        Called as ``progress(what, done, total)``.

    Returns
    -------
    Steady
        Of all places where money is pooled. Where each has an equal part, of at most `PLACES`, evenly spread
        from the neediest on.

    Notes
    -----
    In each draw the chooser knows what came of every number, which nobody does when the money is spent: the
    shares say how far a choice hangs on numbers that are not known, not how likely it is to be right.
    """
    n, chosen = len(builder.places.codes), option.mix.chosen
    if option.sharing == "pooled":
        at_most = min(seconds, POOLED)
        found = stability(builder, rules, option.mix, draws, seed, progress, seconds=at_most)
        return Steady(draws, seed, np.arange(n), chosen, found.often, found.gap)
    at = np.unique(np.linspace(0, n - 1, min(n, PLACES)).round().astype(np.intp))
    own, often, gap = rules.scaled(1 / n), np.zeros((len(at), chosen.shape[1])), 0.0
    problems = builder.problems(drawn(uncertain_numbers(builder.interventions), draws, seed))
    for k, problem in enumerate(problems):
        for row, place in enumerate(at):
            mix = choose(alone(problem, place), own, seconds=seconds)
            often[row] += mix.chosen[0]
            gap = max(gap, mix.gap)
        if progress is not None:
            progress("draws of costs and effects", k + 1, draws)
    return Steady(draws, seed, at, chosen[at], often / draws, gap)


def _mean(often: Floats, where: NDArray[np.bool_]) -> Floats:
    total = where.sum(axis=0)
    return np.divide(
        (often * where).sum(axis=0), total, out=np.full(len(total), np.nan), where=total > 0
    )
