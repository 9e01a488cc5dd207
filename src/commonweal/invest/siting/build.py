"""A problem from places on the ground: who lives where, what could be built, what is there, how far it is."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from commonweal.access.mixed import mixed_reach
from commonweal.access.points import Points
from commonweal.errors import DataError
from commonweal.invest.siting.problem import problem_from_reach

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import ArrayLike, NDArray

    from commonweal.access.reach import Reach
    from commonweal.access.streets import Streets
    from commonweal.areas import Areas
    from commonweal.invest.siting.candidates import Candidates
    from commonweal.invest.siting.problem import SitingProblem

    Walker = Callable[[Points, Points, float], Reach]

__all__ = ["Demand", "build_problem", "demand_of", "near", "need_of_ranks", "walker"]


@dataclass(frozen=True, slots=True)
class Demand:
    """Demand points, checked once here.

    Attributes
    ----------
    codes, names
        (n,) of each, such as an area's.
    points
        (n,) where.
    people
        (n,) how many live there.
    need
        (n,) as a multiple of the average.

    Raises
    ------
    DataError
        If there is none, or the parts do not fit together.
    """

    codes: Sequence[str]
    names: Sequence[str]
    points: Points
    people: NDArray[np.float64]
    need: NDArray[np.float64]

    def __post_init__(self) -> None:
        n = len(self.points)
        if not n:
            raise DataError("no demand points; expected at least one")
        if not len(self.codes) == len(self.names) == len(self.people) == len(self.need) == n:
            raise DataError(
                f"{len(self.codes):,} codes, {len(self.names):,} names, {len(self.people):,} numbers of people "
                f"and {len(self.need):,} needs for {n:,} demand points"
            )

    def __len__(self) -> int:
        return len(self.points)


def demand_of(
    areas: Areas, need: ArrayLike | None = None, rows: NDArray[np.intp] | None = None
) -> Demand:
    """Take the points of areas as demand points.

    Parameters
    ----------
    areas
        With a point and a population.
    need
        (n_areas,) as a multiple of the average; 1 if not given.
    rows
        Of which areas; of all that have a point if not given.

    Raises
    ------
    DataError
        If one of the rows lacks a point, a population or a need.
    """
    table = areas.table
    lon, lat, people = (
        table[c].cast(pl.Float64).fill_null(np.nan).to_numpy()
        for c in ("longitude", "latitude", "population")
    )
    needs = np.ones(len(areas)) if need is None else np.asarray(need, np.float64)
    if rows is None:
        rows = np.flatnonzero(np.isfinite(lon) & np.isfinite(lat))
    for what, values in (("point", lon + lat), ("population", people), ("need", needs)):
        lacking = rows[np.isnan(values[rows])]
        if len(lacking):
            raise DataError(
                f"{len(lacking):,} of {len(rows):,} areas of {areas.system} have no {what}, such as "
                f"{areas.codes[lacking[0]]}; expected one for each"
            )
    names = table["name"].fill_null(table["code"]).gather(rows).to_list()
    codes = table["code"].gather(rows).to_list()
    return Demand(codes, names, Points(lon[rows], lat[rows]), people[rows], needs[rows])


def need_of_ranks(rank: ArrayLike) -> NDArray[np.float64]:
    """Turn ranks into need as a multiple of the average: nearly 2 for the first, nearly 0 for the last.

    Scores of an index have no zero and no unit that sums would make sense of; ranks do.

    Parameters
    ----------
    rank
        (n,) 1 = most need; NaN where there is none.

    Returns
    -------
    ndarray
        (n,) float64 with a mean of 1 where no ranks are tied; NaN where there is no rank.

    Examples
    --------
    >>> need_of_ranks([1, 2, 3, 4]).tolist()
    [1.75, 1.25, 0.75, 0.25]
    """
    ranks = np.asarray(rank, np.float64)
    n = int((~np.isnan(ranks)).sum())
    return 2.0 * (n - ranks + 0.5) / max(n, 1)


def walker(streets: Sequence[Streets] = (), detour: float = 1.3, snap_m: float = 500.0) -> Walker:
    """Give what measures walks: along streets where there is a map, a straight line times the detour elsewhere."""
    return partial(mixed_reach, streets=streets, detour=detour, snap_m=snap_m)


def near(origins: Points, places: Points, walk: Walker, limit_m: float) -> Points:
    """Give the places that are within a limit of any origin, in order."""
    if not len(places):
        return places
    kept = np.unique(walk(origins, places, limit_m).place)
    return Points(places.longitude[kept], places.latitude[kept])


def build_problem(
    demand: Demand,
    candidates: Candidates,
    existing: Points,
    walk: Walker,
    limit_m: float,
    *,
    equity: float = 1.0,
) -> SitingProblem:
    """Pose a siting problem.

    Parameters
    ----------
    demand
        Who lives where.
    candidates
        What could be built. Capacities count where each has one.
    existing
        Where places of that kind are already; those beyond the limit of everyone are left out.
    walk
        From `walker`.
    limit_m
        Metres; what is farther is out of reach.
    equity
        To what power need counts: 0 counts people alike, 1 in proportion to their need.

    Returns
    -------
    SitingProblem
        Its sites are the candidates, in order, then the existing places.

    Raises
    ------
    DataError
        If a number makes no sense.
    """
    n = len(candidates)
    existing = near(demand.points, existing, walk, limit_m)
    spots = candidates.points
    both = Points(
        np.concatenate([spots.longitude, existing.longitude]),
        np.concatenate([spots.latitude, existing.latitude]),
    )
    there = np.arange(len(both)) >= n
    capacity = None
    if not candidates.table["capacity"].is_null().all():
        stated = candidates.table["capacity"].fill_null(np.inf).to_numpy()
        capacity = np.concatenate([stated, np.full(len(existing), np.inf)])
    return problem_from_reach(
        walk(demand.points, both, limit_m),
        demand.people,
        need=demand.need,
        equity=equity,
        cost=np.concatenate([candidates.table["cost"].to_numpy(), np.zeros(len(existing))]),
        existing=there,
        capacity=capacity,
    )
