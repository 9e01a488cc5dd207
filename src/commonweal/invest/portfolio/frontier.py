"""Need met against money: the best mix for less money, and for more."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from commonweal.errors import CommonwealError
from commonweal.invest.portfolio.model import choose

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from commonweal.invest.portfolio.model import Mix
    from commonweal.invest.portfolio.problem import Problem, Rules

__all__ = ["SHARES", "Point", "frontier"]

SHARES = (0.1, 0.25, 0.5, 0.75, 1.0, 1.5, 2.0)
"""Budgets that are tried, as shares of the one that was asked about."""


@dataclass(frozen=True)
class Point:
    """The best mix for one budget.

    Attributes
    ----------
    budget
        GBP.
    mix
        The mix.
    """

    budget: float
    mix: Mix


def frontier(
    problem: Problem,
    rules: Rules,
    shares: Sequence[float] = SHARES,
    *,
    known: Mix | None = None,
    gap: float = 5e-3,
    seconds: float = 20.0,
    progress: Callable[[str, int, int], None] | None = None,
) -> tuple[Point, ...]:
    """Choose the best mix for shares of the money.

    Parameters
    ----------
    problem, rules, gap, seconds
        As in `commonweal.invest.portfolio.choose`. A limit on a single year is scaled with the budget.
    shares
        Of the budget, above 0.
    known
        The mix for the whole budget, if it has been chosen.
    progress
        Called as ``progress(what, done, total)``.

    Returns
    -------
    tuple of Point
        By rising budget. A mix that more money did not better, within the gap, is kept: need met never
        falls. It need not rise evenly, and no such shape is assumed.

    Raises
    ------
    CommonwealError
        If there is no share, or one is not above 0.
    """
    if not shares or min(shares) <= 0:
        raise CommonwealError(f"shares of the budget: found {list(shares)}; expected some above 0")
    points: list[Point] = []
    for k, share in enumerate(sorted(shares)):
        scaled = rules.scaled(share)
        mix = known if known is not None and share == 1 else None
        mix = mix or choose(problem, scaled, gap=gap, seconds=seconds)
        if points and mix.met < (before := points[-1].mix).met:
            mix = replace(before, bound=max(mix.bound, before.met))
        points.append(Point(scaled.budget, mix))
        if progress is not None:
            progress("need met against money", k + 1, len(shares))
    return tuple(points)
