"""Where something could be built: existing buildings, postcodes, a grid, or a list of one's own with costs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from commonweal.access.distance import EARTH_RADIUS_M, Points
from commonweal.access.own_places import read_own_places
from commonweal.access.postcodes import grid_to_degrees
from commonweal.errors import DataError

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from commonweal.access.places import Places
    from commonweal.access.postcodes import Postcodes


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
        f"{b:.4f} N, {abs(a):.4f} {'E' if a >= 0 else 'W'}" for a, b in zip(lon, lat, strict=True)
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
