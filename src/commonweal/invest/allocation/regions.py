"""Build larger regions from neighbouring areas to a range of population, the neediest first."""

from __future__ import annotations

from dataclasses import dataclass
from heapq import heappop, heappush
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
import polars as pl
from numpy.typing import NDArray

from commonweal.areas import Areas, crosswalk_from_pairs
from commonweal.designation.designation import group_numbers
from commonweal.errors import DataError
from commonweal.invest.allocation.selection import composite, paths_of, stated_need

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from scipy.sparse import csr_array

    from commonweal.index import Scores
    from commonweal.invest.allocation.programme import Programme


def bordering(pairs: Sequence[tuple[int, int]], n_areas: int) -> csr_array:
    """Make the matrix of neighbours of pairs.

    Parameters
    ----------
    pairs
        Positions of two areas that border on each other, each pair once or twice.
    n_areas
        How many areas there are.

    Returns
    -------
    csr_array
        (n_areas, n_areas) symmetric, 1 where two areas border, columns of a row in order.
    """
    from scipy.sparse import csr_array

    at = np.asarray(pairs, dtype=np.intp).reshape(-1, 2)
    at = at[at[:, 0] != at[:, 1]]
    rows, columns = np.r_[at[:, 0], at[:, 1]], np.r_[at[:, 1], at[:, 0]]
    matrix = csr_array((np.ones(len(rows)), (rows, columns)), shape=(n_areas, n_areas))
    matrix.sum_duplicates()
    matrix.data[:] = 1
    return matrix


def adjacency(geometry: pl.Series) -> csr_array:
    """Find which areas share a stretch of border; one that meets another in a point is no neighbour.

    Outlines (WKB) are drawn so that neighbours share their border's points, as those of one publisher do.
    """
    import shapely

    known = np.flatnonzero(geometry.is_not_null().to_numpy())
    if len(known) == 0:
        raise DataError(
            "no area has an outline; areas are built up from neighbours by their outlines"
        )
    shapes = shapely.from_wkb(geometry.drop_nulls().to_list())
    a, b = shapely.STRtree(shapes).query(shapes, predicate="intersects")
    once = a < b
    a, b = a[once], b[once]
    shared = shapely.intersection(shapes[a], shapes[b])
    # Where outlines overlap a little the shared part is an area, which has a length too.
    along = shapely.length(shared) > 0
    return bordering(np.column_stack([known[a[along]], known[b[along]]]).tolist(), len(geometry))


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
        (n_areas, n_areas) symmetric, nonzero where two areas border (`adjacency`).
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

    >>> from commonweal.invest.allocation.regions import bordering
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


@dataclass(frozen=True, slots=True)
class Built:
    """Areas that were built up."""

    areas: Areas  # the new areas, under the code of the area that each was begun with
    scores: Mapping[str, Scores]  # the study's indices on them: means over residents
    small: Areas  # the areas that they are made of
    regions: Regions  # which is in which, and why some are in none
    shapes: pl.DataFrame  # ``code`` and ``geometry`` (WKB) of the new areas

    def left(self) -> pl.DataFrame:
        """Give the areas that are in none of the new ones: code, name, people, why."""
        out = self.regions.region < 0
        return (
            self.small.table.select("code", "name", "population")
            .filter(out)
            .with_columns(why=pl.Series(self.regions.why_not[out].tolist(), dtype=pl.String))
        )


def build_up(
    programme: Programme, scores: Mapping[str, Scores], areas: Areas, shapes: pl.DataFrame
) -> Built:
    """Build a programme's areas up from those of its study.

    A region keeps a parent where all its areas share it, and takes that of most of its people where they do not.
    """
    build = programme.build
    if build is None:
        raise DataError(f"{programme.name} builds no areas; expected 'build' in its rule")
    parts = {p: stated_need(scores, p) for p in paths_of(programme.rank)}
    within = group_numbers(areas, build.within) if build.within else None
    found = build_regions(
        composite(programme.rank, parts),
        areas.population,
        adjacency(shapes["geometry"]),
        build.min,
        build.max,
        within,
    )
    if len(found.seed) == 0:
        raise DataError(
            f"{programme.name}: none of the {len(areas):,} {areas.plural} can be built up to {build.min:,.0f} to "
            f"{build.max:,.0f} people"
        )
    table, outlines = _tables(areas, found, shapes)
    new = Areas(
        f"{areas.system}-built",
        f"Areas built up from {areas.plural}",
        "built-up area",
        "built-up areas",
        table,
        areas.parents,
    )
    pairs = pl.DataFrame(
        {
            "origin": areas.codes,
            "destination": [areas.codes[found.seed[r]] if r >= 0 else None for r in found.region],
        }
    ).drop_nulls()
    onward = crosswalk_from_pairs(areas, new, pairs)
    carried = {}
    for name, s in scores.items():
        if s.built is not None and s.move is not None:
            carried[name] = s.built.moved(s.move.then(onward))
        else:
            carried[name] = s.moved(onward)
    return Built(new, carried, areas, found, outlines)


def _tables(
    areas: Areas, found: Regions, shapes: pl.DataFrame
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Give the table and the outlines of the new areas, by code."""
    import shapely

    at = pl.Series("_region", found.region)
    small = areas.table.with_columns(at).filter(pl.col("_region") >= 0)
    seeds = areas.table[found.seed.tolist()].select(
        "code", name=pl.col("name") + " and around", _region=pl.int_range(pl.len(), dtype=pl.Int64)
    )
    weight = pl.col("population")
    sums = small.group_by("_region").agg(
        pl.col("population").sum(),
        n_areas=pl.len(),
        longitude=(pl.col("longitude") * weight).sum() / weight.sum(),
        latitude=(pl.col("latitude") * weight).sum() / weight.sum(),
    )
    table = seeds.join(sums, on="_region")
    for parent in areas.parents:
        most = (
            small.drop_nulls(parent)
            .group_by("_region", parent, f"{parent}_name")
            .agg(pl.col("population").sum().alias("_people"))
            .sort("_region", "_people", parent, descending=[False, True, False])
            .unique("_region", keep="first", maintain_order=True)
            .drop("_people")
        )
        table = table.join(most, on="_region", how="left")
    geometry = shapes.select("code", "geometry").with_columns(at).filter(pl.col("_region") >= 0)
    pieces = geometry.sort("_region").group_by("_region", maintain_order=True).agg("geometry")
    joined = [
        shapely.to_wkb(shapely.union_all(shapely.from_wkb(p))) for p in pieces["geometry"].to_list()
    ]
    outlines = pl.DataFrame(
        {"_region": pieces["_region"], "geometry": joined}, schema_overrides={"geometry": pl.Binary}
    )
    table = table.join(outlines, on="_region", how="left").sort("code")
    return table.drop("_region", "geometry"), table.select("code", "geometry")
