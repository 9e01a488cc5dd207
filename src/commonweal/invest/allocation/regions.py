"""Contiguous areas built up from small ones to a window of people, the neediest first."""

from __future__ import annotations

from dataclasses import dataclass
from heapq import heappop, heappush
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from numpy.typing import NDArray

from commonweal.errors import DataError

if TYPE_CHECKING:
    from scipy.sparse import csr_array

__all__ = ["Regions", "build_regions"]

Floats: TypeAlias = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Regions:
    """Areas built up.

    Attributes
    ----------
    region
        (n_areas,) number of the region that an area is in, from 0 in the order in which they were begun;
        -1 for none.
    seed
        (n_regions,) the area that each was begun with: its neediest when it was begun.
    why_not
        (n_areas,) for an area in none, why: ``no score``, ``population unknown``, ``more people than the
        window``, ``island`` (no neighbour), or ``neighbours do not fill the window``; empty for others.
    """

    region: NDArray[np.int64]
    seed: NDArray[np.int64]
    why_not: NDArray[np.object_]

    def members(self, number: int) -> NDArray[np.intp]:
        """Give the areas of a region, in order."""
        return np.flatnonzero(self.region == number)


def build_regions(
    need: Floats,
    people: Floats,
    borders: csr_array,
    least: float,
    most: float,
    within: NDArray[np.intp] | None = None,
) -> Regions:
    """Build contiguous areas of `least` to `most` people, the neediest first.

    The neediest area that is in no region begins one, and takes in its neediest neighbour that fits under
    `most` until the region has `least` people. If it never does, its areas are free again. At the end areas
    that are left join a neighbouring region that has room, the neediest area first, each the region with the
    most need. The result depends on order alone: the same input gives the same regions, and equals go by
    position.

    Parameters
    ----------
    need
        (n_areas,) higher = more need; an area without a value joins none.
    people
        (n_areas,) residents; an area without a number joins none.
    borders
        (n_areas, n_areas) symmetric, nonzero where two areas border (`neighbours`).
    least, most
        The window of people.
    within
        (n_areas,) number of a larger area whose borders are not crossed.

    Raises
    ------
    DataError
        If the arrays are of different lengths, or the window is empty.

    Examples
    --------
    Four in a row; the neediest two make the first region, and the window closes after them.

    >>> from commonweal.invest.allocation.neighbours import bordering
    >>> row = bordering([(0, 1), (1, 2), (2, 3)], 4)
    >>> need, people = np.array([1.0, 3.0, 4.0, 2.0]), np.array([10.0, 10.0, 10.0, 10.0])
    >>> build_regions(need, people, row, 20, 25).region
    array([-1,  0,  0, -1])
    """
    n = len(need)
    if len(people) != n or borders.shape != (n, n):
        raise DataError(
            f"found {n:,} values of need, {len(people):,} of people and borders of {borders.shape[0]:,} areas; "
            "expected one each"
        )
    if not 0 < least <= most:
        raise DataError(
            f"found a window of {least:,.0f} to {most:,.0f} people; expected 0 < least <= most"
        )
    region = np.full(n, -1, dtype=np.int64)
    usable = ~np.isnan(need) & ~np.isnan(people) & (people <= most)
    order = np.argsort(np.where(usable, -need, np.inf), kind="stable")[: int(usable.sum())]
    place = np.full(n, n, dtype=np.int64)
    place[order] = np.arange(len(order))
    near = _near(borders, usable, within)
    seeds: list[int] = []
    for seed in order:
        if region[seed] < 0:
            members = _grown(int(seed), region, place, people, near, least, most)
            if members:
                region[members] = len(seeds)
                seeds.append(int(seed))
    _join_rest(region, order, need, people, near, most)
    return Regions(
        region, np.array(seeds, dtype=np.int64), _why_not(region, need, people, borders, most)
    )


def _near(
    borders: csr_array, usable: NDArray[np.bool_], within: NDArray[np.intp] | None
) -> list[list[int]]:
    """Neighbours of each area that may share a region with it."""
    rows = [
        borders.indices[a:b] for a, b in zip(borders.indptr[:-1], borders.indptr[1:], strict=True)
    ]
    return [
        [int(j) for j in row if usable[j] and (within is None or within[i] == within[j])]
        for i, row in enumerate(rows)
    ]


def _grown(
    seed: int,
    region: NDArray[np.int64],
    place: NDArray[np.int64],
    people: Floats,
    near: list[list[int]],
    least: float,
    most: float,
) -> list[int]:
    """Grow from a seed; empty if it cannot have enough people."""
    members, total, seen = [seed], float(people[seed]), {seed}
    queue: list[tuple[int, int]] = []

    def reach(area: int) -> None:
        for j in near[area]:
            if region[j] < 0 and j not in seen:
                seen.add(j)
                heappush(queue, (int(place[j]), j))

    reach(seed)
    while total < least and queue:
        _, area = heappop(queue)
        if (
            total + people[area] <= most
        ):  # one that does not fit now never will: the total only grows
            members.append(area)
            total += float(people[area])
            reach(area)
    return members if total >= least else []


def _join_rest(
    region: NDArray[np.int64],
    order: NDArray[np.intp],
    need: Floats,
    people: Floats,
    near: list[list[int]],
    most: float,
) -> None:
    """Let areas that are left join a neighbouring region with room; again while one did."""
    n_regions = int(region.max(initial=-1)) + 1
    inside = region >= 0
    total = np.bincount(region[inside], weights=people[inside], minlength=n_regions)
    mass = np.bincount(region[inside], weights=(need * people)[inside], minlength=n_regions)
    left, moved = [int(a) for a in order if region[a] < 0], True
    while moved:
        moved = False
        for area in left:
            if region[area] >= 0:
                continue
            beside = {int(region[j]) for j in near[area] if region[j] >= 0}
            fits = [r for r in beside if total[r] + people[area] <= most]
            if fits:
                best = min(fits, key=lambda r: (-float(mass[r]) / max(float(total[r]), 1e-9), r))
                region[area], moved = best, True
                total[best] += people[area]
                mass[best] += need[area] * people[area]


def _why_not(
    region: NDArray[np.int64], need: Floats, people: Floats, borders: csr_array, most: float
) -> NDArray[np.object_]:
    why = np.full(len(region), "", dtype=object)
    why[region < 0] = "neighbours do not fill the window"
    why[(region < 0) & (np.diff(borders.indptr) == 0)] = "island"
    why[(region < 0) & (people > most)] = "more people than the window"
    why[np.isnan(people)] = "population unknown"
    why[np.isnan(need)] = "no score"
    return why
