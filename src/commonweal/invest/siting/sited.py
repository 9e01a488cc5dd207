"""What siting gives for a real place, as a value: whoever tells of it needs no more than this."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from commonweal.access.points import Points
    from commonweal.invest.siting.build import Demand
    from commonweal.invest.siting.candidates import Candidates
    from commonweal.invest.siting.problem import SitingProblem
    from commonweal.invest.siting.solution import Solution

__all__ = ["Effect", "Sited", "chosen_sites"]


@dataclass(frozen=True, slots=True)
class Effect:
    """What building changes in a study's indicators, indices and lists.

    Attributes
    ----------
    indicators
        One row an indicator that moves: ``label``, ``unit``, and its mean over the area's people ``before``
        and ``after``.
    areas
        One row an area and index: ``code``, ``name``, ``population``, ``index`` (label), ``score_before``,
        ``score``, ``rank_before``, ``rank`` (1 = most need), for the areas asked about.
    lists
        One row a designation: ``list`` (label), ``before`` and ``after`` (how many areas of the study are on
        it), ``inside_before`` and ``inside_after`` (of those asked about).
    moves
        One row an area that comes or goes: ``list``, ``code``, ``name``, ``move`` (``leaves`` or
        ``enters``), ``inside`` (whether it is one of those asked about).
    how
        How the indicators were measured anew, in a sentence.
    """

    indicators: pl.DataFrame
    areas: pl.DataFrame
    lists: pl.DataFrame
    moves: pl.DataFrame
    how: str


@dataclass(frozen=True, slots=True)
class Sited:
    """New places for an area, who is reached, and what that changes.

    Attributes
    ----------
    title
        Of the area.
    kind, label
        Of the places, as the taxonomy names it and as readers do.
    minutes
        Within how many minutes on foot one counts as reached.
    equity
        To what power need counted.
    need
        What need is, in words.
    how
        How walks were measured, in words.
    plural
        What the demand points are called.
    demand
        Who lives where.
    candidates
        What could be built.
    existing
        Where places of that kind are already, near enough to count.
    problem, solution
        What was solved, and how.
    sites
        One row a new site, those first that reach most people anew: ``id``, ``name``, ``longitude``,
        ``latitude``, ``cost``, ``nearest`` (people whose nearest place it is), ``newly`` (of those, people who
        had none within the minutes).
    effect
        What changes in the study; None where nothing in it is measured from such places.
    outlines
        ``code`` and ``geometry`` (WKB, WGS 84) of the areas, for maps; null where unknown.
    sources
        Ids of the sources used.
    fictional
        Whether the place is made up.
    unread
        Whether no place of the kind was read anywhere, so that none that is there counts.
    """

    title: str
    kind: str
    label: str
    minutes: float
    equity: float
    need: str
    how: str
    plural: str
    demand: Demand
    candidates: Candidates
    existing: Points
    problem: SitingProblem
    solution: Solution
    sites: pl.DataFrame
    effect: Effect | None
    outlines: pl.DataFrame
    sources: tuple[str, ...] = ()
    fictional: bool = False
    unread: bool = False

    @property
    def limit_m(self) -> float:
        """How many metres the minutes are."""
        from commonweal.access.measures import within_minutes

        return within_minutes(self.minutes)

    def reached(self) -> tuple[float, float]:
        """Give how many people have a place within the minutes, before and after."""
        return _reached(self.demand.people, self.solution, self.limit_m)

    def mean_m(self) -> tuple[float, float]:
        """Give the people's mean distance to the nearest place, those out of reach counting as at the limit."""
        people = self.demand.people
        before, after = (
            float(people @ np.where(np.isnan(d), self.problem.limit, d) / people.sum())
            for d in (self.solution.distance_before, self.solution.distance)
        )
        return before, after

    def lost(self) -> list[str]:
        """Name the demand points with people that no site reaches, whatever is built."""
        out = np.flatnonzero(self.problem.beyond() & (self.demand.people > 0))
        return [self.demand.names[i] for i in out.tolist()]


def chosen_sites(
    candidates: Candidates, people: NDArray[np.float64], solution: Solution, limit_m: float
) -> pl.DataFrame:
    """List the sites chosen, those first that reach most people anew; see `Sited.sites`."""
    late = ~(solution.distance_before <= limit_m) & (solution.distance <= limit_m)
    n = len(candidates)
    mine = (solution.place >= 0) & (solution.place < n)
    nearest, newly = (
        np.bincount(solution.place[some], weights=people[some], minlength=n)
        for some in (mine, mine & late)
    )
    return (
        candidates.table.with_columns(nearest=nearest, newly=newly)
        .with_row_index()
        .filter(pl.col("index").is_in(solution.chosen.tolist()))
        .sort(-pl.col("newly"), -pl.col("nearest"), "index")
        .select("id", "name", "longitude", "latitude", "cost", "nearest", "newly")
    )


def _reached(
    people: NDArray[np.float64], solution: Solution, limit_m: float
) -> tuple[float, float]:
    before, after = (
        float(people[d <= limit_m].sum()) for d in (solution.distance_before, solution.distance)
    )
    return before, after
