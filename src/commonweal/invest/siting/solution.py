"""An answer: where to build, who is reached before and after, and how sure it is that nothing is better."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from commonweal.invest.siting.problem import Goal, SitingProblem

__all__ = ["Solution", "measured"]


@dataclass(frozen=True, slots=True)
class Solution:
    """Where to build.

    Attributes
    ----------
    goal
        What was asked.
    chosen
        (k,) rows of the sites to build, ascending.
    place, distance
        (n_demand,) the nearest open site of each demand point, and how far it is, with those built: -1 and
        NaN where none is within the limit. Where capacities bind, the one that serves most of a point.
    place_before, distance_before
        The same with what is there already.
    served
        (n_demand,) float64 people of each point that are served: within the distance of a covering, the limit
        otherwise, and as far as capacities reach.
    served_before
        The same with what is there already.
    objective, objective_before
        Cost of the sites (set covering), weight covered (maximal covering), weighted sum of distances
        (p-median), the largest distance (p-center; infinite if someone is out of reach).
    bound
        What no choice can do better than; 0 or infinite where nothing is known.
    spent
        What the sites cost.
    gap
        How far objective and bound are apart, as a share of the objective.
    proven
        Whether no choice is better, within the gap that was asked for.
    seconds
        What it took.
    how
        By what, in words.
    ended
        Why it stopped: ``proven``, ``time``, ``interrupted`` or ``asked`` (no proof was asked for).
    interrupted
        Whether there was a Ctrl-C, even if it came too late to change anything.
    """

    goal: Goal
    chosen: NDArray[np.intp]
    place: NDArray[np.int32]
    distance: NDArray[np.float64]
    place_before: NDArray[np.int32]
    distance_before: NDArray[np.float64]
    served: NDArray[np.float64]
    served_before: NDArray[np.float64]
    objective: float
    objective_before: float
    bound: float
    spent: float
    gap: float
    proven: bool
    seconds: float
    how: str
    ended: str
    interrupted: bool

    def by_point(self) -> pl.DataFrame:
        """One row a demand point: the nearest site, the distance and the people served, before and after.

        Returns
        -------
        polars.DataFrame
            ``site_before``, ``distance_before``, ``served_before``, ``site``, ``distance``, ``served``;
            null where none is within reach.
        """

        def site(of: NDArray[np.int32]) -> pl.Series:
            return pl.Series(of).set(pl.Series(of < 0), None)

        return pl.DataFrame(
            {
                "site_before": site(self.place_before),
                "distance_before": pl.Series(self.distance_before, nan_to_null=True),
                "served_before": self.served_before,
                "site": site(self.place),
                "distance": pl.Series(self.distance, nan_to_null=True),
                "served": self.served,
            }
        )


def measured(problem: SitingProblem, goal: Goal, distance: NDArray[np.float64]) -> float:
    """Give the objective where distances to the nearest open site are known; a set covering has none.

    Parameters
    ----------
    problem, goal
        What was asked.
    distance
        (n_demand,); NaN where no site is within the limit.

    Returns
    -------
    float
    """
    if goal.model == "maximal_covering":
        return float(problem.weight[distance <= (goal.within or problem.limit)].sum())
    if goal.model == "p_median":
        return float(problem.weight @ np.where(np.isnan(distance), problem.limit, distance))
    counts = problem.weight > 0
    return float(np.where(np.isnan(distance), np.inf, distance)[counts].max())
