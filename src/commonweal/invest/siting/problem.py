"""A location problem and its solution: demand, candidate sites, the goal, and who is served."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, get_args

import numpy as np
import polars as pl

from commonweal.errors import DataError, UnknownNameError
from commonweal.files.extras import in_parts

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from commonweal.access.distance import Reach


Model = Literal["set_covering", "maximal_covering", "p_median", "p_center"]


@dataclass(frozen=True, slots=True)
class SitingProblem:
    """Demand points, sites, and every pair of them that is within a limit.

    Attributes
    ----------
    starts
        (n_demand + 1,) int64: the pairs of demand point i are ``starts[i]:starts[i + 1]``.
    site
        (n_pairs,) int32 row of the site.
    distance
        (n_pairs,) float64, ascending within a demand point, none above the limit. What is not there is out of
        reach.
    limit
        How far demand points reach, in the unit of the distances.
    people
        (n_demand,) float64, how many live there: what fills a capacity.
    weight
        (n_demand,) float64, what it counts to reach them: people x need^equity.
    cost
        (n_sites,) float64, 0 or more.
    existing
        (n_sites,) bool: there already. Those serve at no cost and are never closed.
    capacity
        (n_sites,) float64 people that a site can serve, or None: no limit.
    unit
        Of distances, for people: ``m`` or ``minutes``.

    Raises
    ------
    DataError
        If the parts do not fit together, or a number makes no sense; the message names the row.
    """

    starts: NDArray[np.int64]
    site: NDArray[np.int32]
    distance: NDArray[np.float64]
    limit: float
    people: NDArray[np.float64]
    weight: NDArray[np.float64]
    cost: NDArray[np.float64]
    existing: NDArray[np.bool_]
    capacity: NDArray[np.float64] | None = None
    unit: str = "m"

    def __post_init__(self) -> None:
        n_demand, n_sites, n_pairs = len(self.weight), len(self.cost), len(self.site)
        if not n_demand:
            raise DataError("no demand points; expected at least one")
        if not n_sites or self.existing.all():
            raise DataError("no candidate sites; expected at least one that is not there yet")
        _amounts("demand point", "weight", self.weight, n_demand)
        _amounts("demand point", "people", self.people, n_demand)
        _amounts("site", "cost", self.cost, n_sites)
        if self.capacity is not None:
            _amounts("site", "capacity", self.capacity, n_sites, endless=True)
        if self.existing.shape != (n_sites,):
            raise DataError(f"{len(self.existing):,} marks of existing for {n_sites:,} sites")
        if not 0 < self.limit < np.inf:
            raise DataError(f"limit: {self.limit:g} found; expected a distance above 0")
        if not self.weight.any():
            raise DataError("the weight of every demand point is 0; expected people somewhere")
        if (
            self.starts.shape != (n_demand + 1,)
            or self.starts[0] != 0
            or self.starts[-1] != n_pairs
            or (np.diff(self.starts) < 0).any()
        ):
            raise DataError(f"starts do not divide {n_pairs:,} pairs among {n_demand:,} points")
        if self.distance.shape != (n_pairs,):
            raise DataError(f"{len(self.distance):,} distances for {n_pairs:,} pairs")
        if n_pairs and (self.site.min() < 0 or self.site.max() >= n_sites):
            raise DataError(f"a pair names a site that is not one of the {n_sites:,}")
        bad = ~((self.distance >= 0) & (self.distance <= self.limit))
        if bad.any():
            at = int(bad.argmax())
            point = int(np.searchsorted(self.starts, at, "right"))
            raise DataError(
                f"distance {self.distance[at]:g} from demand point {point} to site {self.site[at] + 1}; "
                f"expected 0 to the limit of {self.limit:g}, and no pair where there is no way"
            )
        falls = np.flatnonzero(np.diff(self.distance) < 0) + 1
        if not np.isin(falls, self.starts).all():
            raise DataError("distances do not ascend within a demand point")

    @property
    def n_demand(self) -> int:
        """How many demand points there are."""
        return len(self.weight)

    @property
    def n_sites(self) -> int:
        """How many sites there are, existing ones too."""
        return len(self.cost)

    @property
    def candidates(self) -> NDArray[np.intp]:
        """Rows of the sites that are not there yet."""
        return np.flatnonzero(~self.existing)

    def point(self) -> NDArray[np.int64]:
        """(n_pairs,) row of the demand point of each pair."""
        return np.repeat(np.arange(self.n_demand), np.diff(self.starts))

    def nearest(self, open_: NDArray[np.bool_]) -> tuple[NDArray[np.int32], NDArray[np.float64]]:
        """Give the nearest open site of each demand point, and how far it is.

        Parameters
        ----------
        open_
            (n_sites,) bool.

        Returns
        -------
        tuple
            (n_demand,) rows of sites, -1 where none is within the limit, and distances, NaN there.
        """
        from commonweal.invest.siting.kernels import nearest_open

        return nearest_open(self.starts, self.site, self.distance, open_)

    def beyond(self) -> NDArray[np.bool_]:
        """(n_demand,) which points no site reaches, whatever is built."""
        return np.diff(self.starts) == 0


@dataclass(frozen=True, slots=True)
class Goal:
    """What is asked of a problem.

    Attributes
    ----------
    model
        ``set_covering``: everyone who can be, within a distance, at least cost (Toregas and others 1971).
        ``maximal_covering``: the most weight within a distance (Church and ReVelle 1974).
        ``p_median``: the least weighted sum of distances, where no site is within the limit counting as
        at it (Hakimi 1964; ReVelle and Swain 1970). ``p_center``: the least distance of the worst
        served (Hakimi 1964).
    sites
        At most so many new ones; None for no limit.
    budget
        They cost at most so much; None for no limit.
    within
        The distance of a covering; the problem's limit if not given.
    divide
        Where capacities bind: whether the people of one demand point may go to several sites.

    Raises
    ------
    DataError, UnknownNameError
        If a number makes no sense, or neither sites nor a budget bound what has no end.
    """

    model: Model
    sites: int | None = None
    budget: float | None = None
    within: float | None = None
    divide: bool = True

    def __post_init__(self) -> None:
        if self.model not in get_args(Model):
            raise UnknownNameError("siting model", self.model, get_args(Model))
        if self.sites is not None and self.sites < 1:
            raise DataError(f"sites: {self.sites} found; expected 1 or more")
        if self.budget is not None and not self.budget > 0:
            raise DataError(f"budget: {self.budget:g} found; expected more than 0")
        if self.within is not None and not self.within > 0:
            raise DataError(f"within: {self.within:g} found; expected a distance above 0")
        if self.model == "set_covering":
            if self.sites is not None or self.budget is not None:
                raise DataError(
                    "set_covering finds how many sites it takes; expected neither sites nor a budget"
                )
        elif self.sites is None and self.budget is None:
            raise DataError(f"{self.model}: expected a number of sites, a budget or both")


def problem_from_reach(
    reach: Reach,
    people: ArrayLike,
    *,
    need: ArrayLike | None = None,
    equity: float = 1.0,
    cost: ArrayLike | None = None,
    existing: ArrayLike | None = None,
    capacity: ArrayLike | None = None,
) -> SitingProblem:
    """Pose a problem on what is within reach, in metres.

    `need` is a multiple of the average; `equity` the power to which it counts: 0 counts people alike, 1 in proportion.
    """
    counted = np.asarray(people, np.float64)
    needs = np.ones(len(counted)) if need is None else np.asarray(need, np.float64)
    _amounts("demand point", "need", needs, len(counted))
    if not 0 <= equity < np.inf:
        raise DataError(f"equity: {equity:g} found; expected 0 or more")
    n = reach.n_places
    return SitingProblem(
        reach.starts,
        reach.place,
        reach.distance_m,
        reach.limit_m,
        counted,
        counted * needs**equity,
        np.ones(n) if cost is None else np.asarray(cost, np.float64),
        np.zeros(n, np.bool_) if existing is None else np.asarray(existing, np.bool_),
        None if capacity is None else np.asarray(capacity, np.float64),
    )


# Wide: the arrays of a SitingProblem, all but two with a usual value.
def problem_from_matrix(
    distance: ArrayLike,
    people: ArrayLike,
    *,
    limit: float | None = None,
    weight: ArrayLike | None = None,
    cost: ArrayLike | None = None,
    existing: ArrayLike | None = None,
    capacity: ArrayLike | None = None,
    unit: str = "m",
) -> SitingProblem:
    """Pose a problem on a matrix of distances.

    Parameters
    ----------
    distance
        (n_demand, n_sites); infinite where there is no way.
    people
        (n_demand,).
    limit
        What is farther is out of reach; the largest distance if not given.
    weight
        (n_demand,) what it counts to reach each; people if not given.
    cost, existing, capacity, unit
        As of `SitingProblem`; costs are 1 if not given.

    Raises
    ------
    DataError
        If a distance is NaN or negative, and as `SitingProblem`.

    Examples
    --------
    >>> problem = problem_from_matrix([[1.0, 4.0], [3.0, np.inf]], [10, 20])
    >>> problem.limit, problem.distance.tolist()
    (4.0, [1.0, 4.0, 3.0])
    """
    matrix = np.ascontiguousarray(distance, np.float64)
    if matrix.ndim != 2:
        raise DataError(f"distances have shape {matrix.shape}; expected demand points by sites")
    bad = ~(matrix >= 0)
    if bad.any():
        row, column = (int(x) for x in np.argwhere(bad)[0])
        raise DataError(
            f"distance {matrix[row, column]:g} from demand point {row + 1} to site {column + 1}; "
            "expected 0 or more, infinite where there is no way"
        )
    if limit is None:
        ways = matrix[np.isfinite(matrix)]
        limit = max(float(ways.max()) if len(ways) else 0.0, np.finfo(float).tiny)
    starts, site, metres = _nearest_first(matrix, limit)
    n = matrix.shape[1]
    if cost is not None:
        _amounts("site", "cost", np.asarray(cost, np.float64), n)
    counted = np.asarray(people, np.float64)
    if len(counted) != len(matrix):
        raise DataError(f"people for {len(counted):,} of {len(matrix):,} demand points")
    return SitingProblem(
        starts,
        site,
        metres,
        float(limit),
        counted,
        counted if weight is None else np.asarray(weight, np.float64),
        np.ones(n) if cost is None else np.asarray(cost, np.float64),
        np.zeros(n, np.bool_) if existing is None else np.asarray(existing, np.bool_),
        None if capacity is None else np.asarray(capacity, np.float64),
        unit,
    )


_BLOCK = 256
"""Demand points that are sorted at once, so that no second matrix is held."""


def _nearest_first(
    matrix: NDArray[np.float64], limit: float
) -> tuple[NDArray[np.int64], NDArray[np.int32], NDArray[np.float64]]:
    """Give the starts of rows, and the site and distance of each pair within the limit, ascending."""
    starts = np.zeros(len(matrix) + 1, np.int64)
    np.cumsum(np.count_nonzero(matrix <= limit, axis=1), out=starts[1:])
    site, distance = np.empty(starts[-1], np.int32), np.empty(starts[-1])

    def sort(first: int, last: int) -> None:
        for row in range(first * _BLOCK, min(last * _BLOCK, len(matrix)), _BLOCK):
            rows = matrix[row : row + _BLOCK]
            order = np.argsort(rows, axis=1, kind="stable")
            ascending = np.take_along_axis(rows, order, axis=1)
            within = ascending <= limit
            pairs = slice(starts[row], starts[row + len(rows)])
            site[pairs], distance[pairs] = order[within], ascending[within]

    in_parts(-(-len(matrix) // _BLOCK), sort)
    return starts, site, distance


def _amounts(
    of: str, name: str, values: NDArray[np.float64], n: int, *, endless: bool = False
) -> None:
    """Refuse amounts that are missing or negative."""
    if values.shape != (n,):
        raise DataError(f"{name}: shape {values.shape} found; expected one for each of {n:,} {of}s")
    bad = ~(values >= 0) if endless else ~((values >= 0) & (values < np.inf))
    if bad.any():
        row = int(bad.argmax())
        raise DataError(f"{of} {row + 1} has {name} {values[row]:g}; expected 0 or more")


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
    """Give the objective where distances to the nearest open site are known; a set covering has none."""
    if goal.model == "maximal_covering":
        return float(problem.weight[distance <= (goal.within or problem.limit)].sum())
    if goal.model == "p_median":
        return float(problem.weight @ np.where(np.isnan(distance), problem.limit, distance))
    counts = problem.weight > 0
    return float(np.where(np.isnan(distance), np.inf, distance)[counts].max())
