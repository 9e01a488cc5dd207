"""Demand, candidates and the distances between them, for a part of a study."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from commonweal.access.distance import EARTH_RADIUS_M, Points
from commonweal.access.mixed import mixed_reach
from commonweal.access.own_places import read_own_places
from commonweal.access.places import load_taxonomy
from commonweal.access.postcodes import grid_to_degrees, load_postcodes
from commonweal.areas.crosswalk import build_crosswalk
from commonweal.errors import CommonwealError, DataError, UnknownNameError
from commonweal.invest.siting.problem import problem_from_reach

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import ArrayLike, NDArray

    from commonweal.access.distance import Reach
    from commonweal.access.places import Places
    from commonweal.access.postcodes import Postcodes
    from commonweal.access.streets import Streets
    from commonweal.areas import Areas
    from commonweal.invest.siting.problem import SitingProblem
    from commonweal.sources import Store
    from commonweal.study.reach import Origins
    from commonweal.study.results import Results

    Walker = Callable[[Points, Points, float], Reach]
    Progress = Callable[[str, int, int], None]

CANDIDATES = {
    "id": pl.String,
    "name": pl.String,
    "longitude": pl.Float64,
    "latitude": pl.Float64,
    "cost": pl.Float64,
    "capacity": pl.Float64,
}
"""Columns of candidates; a capacity of null is none."""

MOST = 50_000
_COST = ("cost", "price", "cost_gbp")
_CAPACITY = ("capacity", "places")


@dataclass(frozen=True, slots=True)
class Candidates:
    """Sites that could be built, checked once here."""

    # one row a site: ``id``, ``name``, ``longitude``, ``latitude`` (degrees, WGS 84), ``cost`` (0 or more),
    # ``capacity`` (people; null where nothing bounds it)
    table: pl.DataFrame
    of: str  # what they are, for people: ``primary schools``, ``a grid of 500 m``
    costed: bool = False  # whether the costs are stated; else each is 1, and a budget counts sites

    def __post_init__(self) -> None:
        if self.table.schema != pl.Schema(CANDIDATES):
            raise DataError(
                f"candidates have columns {dict(self.table.schema)}; expected {CANDIDATES}"
            )
        if self.table.is_empty():
            raise DataError(f"no candidate sites among {self.of}; expected at least one")
        if len(self.table) > MOST:
            raise DataError(
                f"{len(self.table):,} candidate sites found; expected {MOST:,} at most: a coarser grid, or "
                "a smaller area"
            )
        for column in ("cost", "capacity"):
            bad = self.table.filter(
                pl.col(column).is_nan() | (pl.col(column) < 0) | pl.col(column).is_infinite()
            )
            if len(bad):
                raise DataError(
                    f"candidate {bad['id'][0]} has {column} {bad[column][0]:g}; expected 0 or more"
                )
        if self.table["cost"].null_count():
            raise DataError(
                f"{self.table['cost'].null_count():,} candidates have no cost, such as "
                f"{self.table.filter(pl.col('cost').is_null())['id'][0]}; expected one for each"
            )
        _ = self.points  # checks the coordinates

    def __len__(self) -> int:
        return len(self.table)

    @property
    def points(self) -> Points:
        """Where they are, in order."""
        return Points(
            *(self.table[c].fill_null(np.nan).to_numpy() for c in ("longitude", "latitude"))
        )

    def inside(self, shape: object, margin_m: float = 0.0) -> Candidates:
        """Give those that lie in an outline (shapely, degrees), or so many metres beyond it."""
        kept = self._inside(shape, margin_m)
        return Candidates(self.table.filter(kept), self.of, self.costed)

    def count_inside(self, shape: object, margin_m: float = 0.0) -> int:
        """Count those that lie in an outline, or so many metres beyond it."""
        return int(self._inside(shape, margin_m).sum())

    def _inside(self, shape: object, margin_m: float) -> NDArray[np.bool_]:
        import shapely

        lon, lat = (self.table[c].to_numpy() for c in ("longitude", "latitude"))
        middle = float(shapely.get_y(shapely.centroid(shape)))
        stretch = np.cos(np.radians(middle))
        flat = shapely.transform(shape, lambda xy: xy * [stretch, 1.0])
        grown = shapely.buffer(flat, np.degrees(margin_m / EARTH_RADIUS_M)) if margin_m else flat
        shapely.prepare(grown)
        return np.asarray(shapely.intersects_xy(grown, lon * stretch, lat))


def place_candidates(places: Places, of: str) -> Candidates:
    """Take existing places, such as schools that could open a room in the evening; each costs 1."""
    return Candidates(_uncosted(places.table.select("id", "name", "longitude", "latitude")), of)


def postcode_candidates(directory: Postcodes, shape: object) -> Candidates:
    """Take the live postcodes in an outline (shapely, degrees): a place somewhere in each; each costs 1."""
    import shapely

    west, south, east, north = shapely.bounds(shape).tolist()
    live = directory.table.filter(
        pl.col("easting").is_not_null()
        & ~pl.col("ended").fill_null(False)
        & ~pl.col("postcode").str.starts_with("BT")
    )
    lon, lat = grid_to_degrees(live["easting"].to_numpy(), live["northing"].to_numpy())
    near = np.flatnonzero((lon >= west) & (lon <= east) & (lat >= south) & (lat <= north))
    near = near[shapely.intersects_xy(shape, lon[near], lat[near])]
    code = live["postcode"][near]
    name = code.str.head(-3) + " " + code.str.tail(3)
    table = pl.DataFrame({"id": code, "name": name, "longitude": lon[near], "latitude": lat[near]})
    return Candidates(_uncosted(table), "postcodes")


def grid_candidates(shape: object, step_m: float) -> Candidates:
    """Lay a square grid over an outline (shapely, degrees); each of its points costs 1."""
    import shapely

    if not 0 < step_m < np.inf:
        raise DataError(f"grid: a step of {step_m:g} m found; expected metres above 0")
    west, south, east, north = shapely.bounds(shape).tolist()
    up = np.degrees(step_m / EARTH_RADIUS_M)
    across = up / np.cos(np.radians((south + north) / 2))
    size = ((east - west) / across + 1) * ((north - south) / up + 1)
    if size > 100 * MOST:
        raise DataError(
            f"grid: a step of {step_m:g} m gives {size:,.0f} points; expected {MOST:,} at most"
        )
    x = np.arange(west + across / 2, east, across)
    y = np.arange(south + up / 2, north, up)
    lon, lat = (v.ravel() for v in np.meshgrid(x, y))
    kept = shapely.intersects_xy(shape, lon, lat)
    lon, lat = lon[kept], lat[kept]
    ids = [f"grid:{k + 1}" for k in range(len(lon))]
    names = [
        f"{abs(b):.4f} {'N' if b >= 0 else 'S'}, {abs(a):.4f} {'E' if a >= 0 else 'W'}"
        for a, b in zip(lon, lat, strict=True)
    ]
    table = pl.DataFrame({"id": ids, "name": names, "longitude": lon, "latitude": lat})
    return Candidates(_uncosted(table), f"a grid of {step_m:g} m")


def read_candidates(path: Path, postcodes: Postcodes | None = None) -> Candidates:
    """Read candidates of one's own."""
    kind = None if "kind" in _header(path) or "type" in _header(path) else "community-centre"
    places = read_own_places(path, kind=kind, postcodes=postcodes)
    if len(places.left_out):
        lost = places.left_out
        raise DataError(
            f"{path}: {len(lost):,} of {len(places) + len(lost):,} rows have no position, the first is row "
            f"{lost['id'][0].rsplit(':', 1)[1]} ({lost['detail'][0]}); expected one for each"
        )
    texts = pl.read_csv(path, infer_schema=False)
    cost, capacity = (_amounts(path, texts, names) for names in (_COST, _CAPACITY))
    if cost is not None and cost.null_count():
        row = int(cost.is_null().arg_max() or 0) + 1
        raise DataError(f"{path}, row {row}: no cost; expected one for each, or no such column")
    table = places.table.select("id", "name", "longitude", "latitude").with_columns(
        cost=pl.lit(1.0) if cost is None else cost,
        capacity=pl.lit(None, pl.Float64) if capacity is None else capacity,
    )
    return Candidates(table, path.name, cost is not None)


def _header(path: Path) -> list[str]:
    try:
        first = path.read_bytes().decode("utf-8-sig", "replace").splitlines()[:1]
    except OSError:
        return []  # the reader says what is the matter
    return [c.strip().strip('"').lower() for c in first[0].split(",")] if first else []


def _amounts(path: Path, texts: pl.DataFrame, names: tuple[str, ...]) -> pl.Series | None:
    column = next((c for c in texts.columns if c.strip().lower() in names), None)
    if column is None:
        return None
    text = texts[column].fill_null("").str.strip_chars().str.replace_all("[,£ ]", "")
    numbers = text.set(text == "", None).cast(pl.Float64, strict=False)
    bad = (numbers.is_null() & (text != "")) | ~((numbers >= 0) & numbers.is_finite()).fill_null(
        True
    )
    if bad.any():
        row = int(bad.arg_max() or 0)
        raise DataError(
            f"{path}, row {row + 1}: {column} is '{texts[column][row]}'; expected a number of 0 or more"
        )
    return numbers


def _uncosted(table: pl.DataFrame) -> pl.DataFrame:
    return table.select(
        *(pl.col(c).cast(t) for c, t in CANDIDATES.items() if c not in ("cost", "capacity")),
        cost=pl.lit(1.0),
        capacity=pl.lit(None, pl.Float64),
    )


def outline_of(shapes: NDArray[np.object_], points: Points, around_m: float) -> object:
    """Give one outline of areas (degrees): their boundaries joined, or circles about their points."""
    import shapely

    known = shapes[~shapely.is_missing(shapes)]
    if len(known):
        return shapely.union_all(shapely.make_valid(known))
    stretch = np.cos(np.radians(points.latitude.mean()))
    flat = shapely.points(points.longitude * stretch, points.latitude)
    joined = shapely.union_all(shapely.buffer(flat, np.degrees(around_m / EARTH_RADIUS_M)))
    return shapely.transform(joined, lambda xy: xy / [stretch, 1.0])


class NobodyError(DataError):
    """Nobody is known to live in the areas asked about."""


@dataclass(frozen=True, slots=True)
class Demand:
    """Demand points, checked once here."""

    # codes, names: (n,) of each, such as an area's
    codes: Sequence[str]
    names: Sequence[str]
    points: Points  # (n,) where
    people: NDArray[np.float64]  # (n,) how many live there
    need: NDArray[np.float64]  # (n,) as a multiple of the average
    without_people: Sequence[str] = ()  # names of areas left out: no people, or no point, is known

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
    """Take the points of areas as demand points."""
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
                f"no {what} is given for {len(lacking):,} of the {len(rows):,} {areas.called}, such as "
                f"{areas.codes[lacking[0]]}; expected one for each"
            )
    names = table["name"].fill_null(table["code"]).gather(rows).to_list()
    codes = table["code"].gather(rows).to_list()
    return Demand(codes, names, Points(lon[rows], lat[rows]), people[rows], needs[rows])


def need_of_ranks(rank: ArrayLike) -> NDArray[np.float64]:
    """Turn ranks into need as a multiple of the average: nearly 2 for the first, nearly 0 for the last.

    Scores of an index have no zero and no unit that sums would make sense of; ranks do.
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
    """Pose a siting problem."""
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


SCHOOLS = "schools"
_SCHOOLS = ("primary-school", "secondary-school", "school")

_AROUND_M = 1_000.0
"""How far beyond an area its candidates may lie, and how large an area without a boundary is taken to be."""


def codes_of(results: Results, rows: NDArray[np.intp]) -> list[str]:
    """Give the codes of some areas."""
    return [results.areas.codes[row] for row in rows]


def demand_inside(
    results: Results, index: str, rows: NDArray[np.intp], origins: Origins, store: Store
) -> Demand:
    """Take the points that people of some areas set out from, with their need."""
    areas, codes = origins.areas, set(codes_of(results, rows))
    rank = results.scores[index].rank
    inside = np.zeros(len(areas), np.bool_)
    if areas.system == results.areas.system:
        inside = np.isin(np.array(areas.codes), list(codes))
        kept = inside[origins.rows]
        by_code = dict(zip(results.areas.codes, need_of_ranks(rank), strict=True))
        need = np.array([by_code.get(areas.codes[r], np.nan) for r in origins.rows])
    elif results.areas.system in areas.table.columns:
        parent = areas.table[results.areas.system]
        inside = parent.is_in(codes).fill_null(value=False).to_numpy()
        kept = inside[origins.rows]
        need = build_crosswalk(store, results.areas, areas).mean(need_of_ranks(rank))[origins.rows]
    else:
        held = _held(results, rows, origins.points)
        kept, need = held >= 0, need_of_ranks(rank)[held]
    people = origins.residents()
    at = np.flatnonzero(kept & (people > 0))
    here = origins.rows[at]
    inside[origins.rows[kept]] = True
    inside[here] = False
    called = areas.table["name"].fill_null(areas.table["code"])
    empty = called.filter(pl.Series(inside)).to_list()
    if not len(at):
        raise NobodyError(
            f"found no people in {_some(empty or codes_of(results, rows))}; expected a population above 0, and "
            "longitude and latitude"
        )
    names = called.gather(here).to_list()
    needs = np.where(np.isnan(need[at]), 1.0, need[at])  # what has no rank counts as the average
    points = Points(origins.points.longitude[at], origins.points.latitude[at])
    return Demand([areas.codes[r] for r in here], names, points, people[at], needs, empty)


def _some(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{names[0]} or {len(names) - 1:,} more"


def _held(results: Results, rows: NDArray[np.intp], points: Points) -> NDArray[np.intp]:
    """(n_points,) the row of the area whose boundary each point lies in; -1 for none of them."""
    import shapely

    shapes = shapely.from_wkb(_shapes(results, rows))
    tree = shapely.STRtree(shapes)
    inside, shape = tree.query(
        shapely.points(points.longitude, points.latitude), predicate="within"
    )
    held = np.full(len(points), -1, dtype=np.intp)
    held[inside] = rows[shape]
    return held


def _shapes(results: Results, rows: NDArray[np.intp]) -> NDArray[np.object_]:
    """(n,) boundaries of areas as WKB; None where unknown."""
    wanted = pl.DataFrame({"code": codes_of(results, rows)})
    shapes = wanted.join(results.boundaries, on="code", how="left", maintain_order="left")
    return shapes["geometry"].to_numpy()


def outline_around(results: Results, rows: NDArray[np.intp], points: Points) -> object:
    """Give one outline of some areas (shapely, degrees), or circles about their points where none is known."""
    import shapely

    return outline_of(shapely.from_wkb(_shapes(results, rows)), points, _AROUND_M)


def candidates_near(
    asked: str,
    places: Places,
    outline: object,
    limit_m: float,
    store: Store,
    progress: Progress | None,
) -> Candidates:
    """Take the candidates asked for: those of one's own as they are if some can be walked to, others near the area."""
    kinds = load_taxonomy()
    if asked.startswith("grid:"):
        try:
            step = float(asked.removeprefix("grid:"))
        except ValueError:
            raise CommonwealError(
                f"candidates: '{asked}' found; expected metres after 'grid:', such as grid:500"
            ) from None
        return grid_candidates(outline, step)
    if asked == "postcodes":
        return postcode_candidates(load_postcodes(cache=store.cache, progress=progress), outline)
    if asked == SCHOOLS or asked in kinds.kinds or asked in kinds.groups:
        some = places.of(_SCHOOLS if asked == SCHOOLS else asked)
        if not len(some):
            raise DataError(
                f"candidates: no place known here is one of '{asked}'; expected at least one"
            )
        of = kinds.kinds.get(asked) or kinds.groups.get(asked)
        label = SCHOOLS if of is None else of.label.lower()
        return place_candidates(some, label).inside(outline, _AROUND_M)
    path = Path(asked)
    if path.suffix or path.exists():
        own, near_m = read_candidates(path), max(limit_m, _AROUND_M)
        if not own.count_inside(outline, near_m):
            x, y = own.table.select("longitude", "latitude").row(0)
            raise DataError(
                f"candidates: none of the {len(own):,} in {path} lies within {near_m:,.0f} m of the area, the "
                f"first is at {y:.2f} N, {x:.2f} E; expected places in or near it"
            )
        return own
    raise UnknownNameError(
        "candidates", asked, [SCHOOLS, *kinds.kinds, *kinds.groups, "postcodes", "grid:500"]
    )


def all_near(picked: Candidates, outline: object, limit_m: float) -> Candidates:
    """Give sites that were picked, each in an outline or near it."""
    near_m = max(limit_m, _AROUND_M)
    for k, (x, y) in enumerate(picked.table.select("longitude", "latitude").iter_rows()):
        if not replace(picked, table=picked.table[k : k + 1]).count_inside(outline, near_m):
            raise DataError(
                f"site: found {x:g},{y:g}, which is more than {near_m:,.0f} m from the area; expected "
                "longitude,latitude in or near it"
            )
    return picked
