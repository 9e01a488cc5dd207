"""How sure a mix is: costs and effects drawn again and again, and the best mix chosen for each draw."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from commonweal.errors import CommonwealError
from commonweal.invest.portfolio.model import GAP, choose, need_met
from commonweal.invest.portfolio.numbers import drawn, uncertain_numbers

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from commonweal.invest.portfolio.build import Builder
    from commonweal.invest.portfolio.model import Mix
    from commonweal.invest.portfolio.problem import Rules

    Floats = NDArray[np.float64]

__all__ = ["Stability", "stability"]


@dataclass(frozen=True)
class Stability:
    """What draws of costs and effects say of a mix.

    Attributes
    ----------
    draws, seed
        How many draws, and from which seed.
    often
        (n_areas, n_interventions) the share of draws in whose best mix it is, in whatever year.
    areas
        (n_areas,) the share of draws in which the neighbourhood gets anything.
    met
        (draws,) need that the mix itself meets.
    cost
        (draws,) GBP that it costs.
    best
        (draws,) need that the best mix of the draw meets, within the budget.
    over
        The share of draws in which the mix costs more than the budget.
    gap
        How far from the best the mix of a draw may be, at most, as a share.
    """

    draws: int
    seed: int
    often: Floats
    areas: Floats
    met: Floats
    cost: Floats
    best: Floats
    over: float
    gap: float


def stability(
    builder: Builder,
    rules: Rules,
    mix: Mix,
    draws: int = 30,
    seed: int = 1,
    progress: Callable[[str, int, int], None] | None = None,
    *,
    gap: float = GAP,
    seconds: float = 15.0,
) -> Stability:
    """Draw costs, years and effects, and choose anew for each draw.

    Parameters
    ----------
    builder, rules, mix
        The mix, its rules and what its problem was made of.
    draws
        How often. Each number of the interventions' file is drawn by itself, for all places at once.
    seed
        The same seed gives the same answer.
    progress
        Called as ``progress(what, done, total)``.
    gap, seconds
        As of `commonweal.invest.portfolio.choose`, for each draw. Give the gap that the mix was chosen with: a
        wider one would tell what the solver left open as if it were not known.

    Raises
    ------
    CommonwealError
        If there are fewer than two draws.

    Notes
    -----
    In each draw the chooser knows what came of every number, which nobody does when the money is spent: the
    shares say how far a choice hangs on numbers that are not known, not how likely it is to be right.
    """
    if draws < 2:
        raise CommonwealError(f"draws: found {draws}; expected 2 or more")
    often = np.zeros(mix.start.shape)
    areas = np.zeros(len(mix.start))
    met, cost, best, gaps = (np.zeros(draws) for _ in range(4))
    for k, problem in enumerate(
        builder.problems(drawn(uncertain_numbers(builder.interventions), draws, seed))
    ):
        of_draw = choose(problem, rules, gap=gap, seconds=seconds)
        often += of_draw.chosen
        areas += of_draw.chosen.any(axis=1)
        met[k] = need_met(problem, mix.start, rules).sum()
        cost[k] = problem.spent(mix.start, rules.years).sum()
        best[k], gaps[k] = of_draw.met, of_draw.gap
        if progress is not None:
            progress("draws of costs and effects", k + 1, draws)
    over = float((cost > rules.budget * (1 + 1e-9)).mean())
    return Stability(
        draws, seed, often / draws, areas / draws, met, cost, best, over, float(gaps.max())
    )
