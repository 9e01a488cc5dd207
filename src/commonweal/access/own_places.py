"""An analyst's own places: a CSV file with coordinates, grid references or postcodes."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from commonweal.access.places import LEFT_OUT, Places, Taxonomy, load_taxonomy, make_places
from commonweal.access.postcodes import Postcodes, grid_to_degrees, load_postcodes, place_postcodes
from commonweal.access.registers import UNITED_KINGDOM
from commonweal.errors import DataError, SourceError, UnknownNameError, nearest
from commonweal.files.inputs import record_input

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["read_own_places"]

_NAMES = {
    "name": ("name", "title", "venue"),
    "kind": ("kind", "type"),
    "longitude": ("longitude", "lon", "long", "lng", "x"),
    "latitude": ("latitude", "lat", "y"),
    "easting": ("easting", "eastings"),
    "northing": ("northing", "northings"),
    "postcode": ("postcode", "postal_code", "post_code"),
}
"""What columns may be called, in any case, with spaces or hyphens for underscores."""


# Wide: how a table is written is said as polars.read_csv has it.
def read_own_places(
    path: str | Path,
    taxonomy: Taxonomy | None = None,
    *,
    kind: str | None = None,
    source: str | None = None,
    postcodes: Postcodes | None = None,
    separator: str = ",",
    encoding: str = "utf-8",
    skip_rows: int = 0,
) -> Places:
    """Read places of one's own.

    Parameters
    ----------
    path
        A CSV file with a header: ``longitude`` and ``latitude`` (degrees), or ``easting`` and
        ``northing`` (metres on the National Grid), or ``postcode``; and, if there are any, ``name`` and
        ``kind``. The first of these ways of placing that has its columns is the one taken.
    taxonomy
        Which kinds there are; that which ships if not given.
    kind
        What all of them are, where there is no column ``kind``.
    source
        What they are said to be from; the file's name without its suffix if not given.
    postcodes
        The directory that postcodes are looked up in; the packaged one if not given.
    separator, encoding
        The character between fields, and the encoding, such as ``cp1252``.
    skip_rows
        Lines above the header.

    Returns
    -------
    Places
        Rows without a position are among `Places.left_out` as ``no place``, with what is the matter;
        nothing else is left out. Ids are numbers of rows, the first below the header being 1.

    Raises
    ------
    SourceError
        If the file is not there or cannot be read.
    DataError
        If there is no row, or none with a position; columns are missing or in use twice; or
        coordinates are half there, are no numbers, are nowhere on Earth or nowhere on the National Grid
        of the United Kingdom, or have been swapped. The message names the row.
    UnknownNameError
        If a kind is not in the taxonomy.
    """
    file, kinds = Path(path), taxonomy or load_taxonomy()
    table = _read(file, separator, encoding, skip_rows)
    said = _columns(file, table.columns)
    label = source or file.stem
    rows = table.select(
        id=pl.format("{}:{}", pl.lit(label), pl.int_range(1, pl.len() + 1)),
        name=_clean(said.get("name")),
        kind=_kinds(file, table, said, kind, kinds),
        source=pl.lit(label),
    ).hstack(_positions(file, table, said, postcodes))
    _check_inside(file, rows["longitude"], rows["latitude"], by_grid="longitude" not in said)
    nowhere = pl.col("longitude").is_null()
    if rows["longitude"].null_count() == len(rows):
        raise DataError(
            f"{file}: none of {len(rows):,} rows has a position (row 1: {rows['detail'][0]}); "
            "expected at least one"
        )
    out = rows.filter(nowhere).with_columns(reason=pl.lit("no place")).select(LEFT_OUT.keys())
    return make_places(rows.filter(~nowhere), kinds, out, {label: len(rows)})


def _read(file: Path, separator: str, encoding: str, skip_rows: int) -> pl.DataFrame:
    """Read everything as text: a name that looks like a formula or a number stays what it is."""
    record_input(file)
    try:
        text = file.read_bytes().decode(encoding)
        table = pl.read_csv(
            text.encode(), infer_schema=False, separator=separator, skip_lines=skip_rows
        )
    except OSError as error:
        raise SourceError(f"{file}: cannot be read: {error.strerror or error}") from None
    except pl.exceptions.NoDataError:
        raise DataError(f"{file}: empty; expected a header and a row for each place") from None
    except (pl.exceptions.PolarsError, UnicodeDecodeError, LookupError) as error:
        reason = str(error).splitlines()[0]
        raise DataError(
            f"{file}: not a CSV file in {encoding.upper()} that can be read: {reason}"
        ) from None
    if table.is_empty():
        raise DataError(f"{file}: no row below the header; expected one for each place")
    return table


def _columns(file: Path, header: Sequence[str]) -> dict[str, str]:
    """Say which column is what."""
    said: dict[str, str] = {}
    for column in header:
        tidy = column.strip().lstrip("\ufeff").lower().replace(" ", "_").replace("-", "_")
        for ours, theirs in _NAMES.items():
            if tidy in theirs:
                if ours in said:
                    raise DataError(
                        f"{file}: columns '{said[ours]}' and '{column}' both say {ours}; expected one"
                    )
                said[ours] = column
    for one, other in (("longitude", "latitude"), ("easting", "northing")):
        if (one in said) != (other in said):
            there, lacking = (one, other) if one in said else (other, one)
            raise DataError(
                f"{file}: has '{said[there]}' but no column '{lacking}'; {nearest(lacking, header)}"
            )
    if not said.keys() & {"longitude", "easting", "postcode"}:
        raise DataError(
            f"{file}: no column says where places are; found {', '.join(header)}; expected longitude "
            "and latitude, or easting and northing, or postcode"
        )
    return said


def _kinds(
    file: Path, table: pl.DataFrame, said: dict[str, str], kind: str | None, taxonomy: Taxonomy
) -> pl.Expr:
    if kind is not None and "kind" in said:
        raise DataError(
            f"{file}: has a column '{said['kind']}', and kind '{kind}' is given; expected one"
        )
    if kind is None and "kind" not in said:
        raise DataError(
            f"{file}: no column 'kind', and no kind is given for all; expected one of them"
        )
    if kind is not None:
        if kind not in taxonomy.kinds:
            raise UnknownNameError("kind of place", kind, taxonomy.kinds)
        return pl.lit(kind)
    found = table.select(_clean(said["kind"])).to_series()
    for row, one in enumerate(found, 1):
        if one is None:
            raise DataError(f"{file}, row {row}: no kind; {nearest('', taxonomy.kinds)}")
        if one not in taxonomy.kinds:
            raise UnknownNameError("kind of place", one, taxonomy.kinds, f" ({file}, row {row})")
    return _clean(said["kind"])


def _positions(
    file: Path, table: pl.DataFrame, said: dict[str, str], postcodes: Postcodes | None
) -> pl.DataFrame:
    """Give longitude, latitude, postcode and, where there is no position, what is the matter."""
    postcode = _clean(said.get("postcode"))
    if "longitude" in said:
        x, y = (_numbers(file, table, said[c]) for c in ("longitude", "latitude"))
        nowhere = "no coordinates"
    elif "easting" in said:
        east, north = (_numbers(file, table, said[c]) for c in ("easting", "northing"))
        _check_both(file, east, north, said["easting"], said["northing"])
        x, y = (
            pl.Series(v, nan_to_null=True)
            for v in grid_to_degrees(east.fill_null(np.nan), north.fill_null(np.nan))
        )
        nowhere = "no grid reference"
    else:
        directory = postcodes or load_postcodes()
        placed = place_postcodes(table[said["postcode"]], directory)
        written = table[said["postcode"]].fill_null("")
        return placed.select(
            "longitude",
            "latitude",
            "postcode",
            detail=pl.lit("postcode '") + written + pl.lit("': ") + pl.col("status"),
        )
    _check_both(file, x, y, said.get("longitude", "easting"), said.get("latitude", "northing"))
    return table.select(longitude=x, latitude=y, postcode=postcode, detail=pl.lit(nowhere))


def _numbers(file: Path, table: pl.DataFrame, column: str) -> pl.Series:
    text = table[column].str.strip_chars()
    numbers = text.cast(pl.Float64, strict=False)
    bad = (numbers.is_null() | ~numbers.is_finite().fill_null(False)) & (text.fill_null("") != "")
    if bad.any():
        row = int(bad.arg_max() or 0)
        raise DataError(
            f"{file}, row {row + 1}: {column} is '{text[row]}'; expected a number, or nothing if not known"
        )
    return numbers


def _check_both(file: Path, x: pl.Series, y: pl.Series, name: str, other: str) -> None:
    half = x.is_null() != y.is_null()
    if half.any():
        row = int(half.arg_max() or 0)
        there, lacking = (other, name) if x[row] is None else (name, other)
        raise DataError(
            f"{file}, row {row + 1}: has {there} but no {lacking}; expected both or neither"
        )


def _check_inside(file: Path, x: pl.Series, y: pl.Series, by_grid: bool) -> None:
    """Refuse what cannot be: off the Earth, at 0 and 0 in the sea, or by the National Grid abroad."""
    (west, east), (south, north) = ((-180.0, 180.0), (-90.0, 90.0))
    where = "on Earth"
    if by_grid:
        (west, east), (south, north) = UNITED_KINGDOM["longitude"], UNITED_KINGDOM["latitude"]
        where = "in the United Kingdom"
    inside = x.is_between(west, east) & y.is_between(south, north) & ~((x == 0) & (y == 0))
    outside = ~inside.fill_null(True)
    if not outside.any():
        return
    row = int(outside.arg_max() or 0)
    swapped = abs(y[row]) > north and abs(y[row]) <= east and abs(x[row]) <= north
    hint = "; longitude and latitude are swapped" if swapped and not by_grid else ""
    raise DataError(
        f"{file}, row {row + 1}: longitude {x[row]:.6g}, latitude {y[row]:.6g} is no place {where} "
        f"({int(outside.sum()):,} such rows){hint}; expected longitude {west:g} to {east:g} and "
        f"latitude {south:g} to {north:g}, and not both 0"
    )


def _clean(column: str | None) -> pl.Expr:
    """Give a text without spaces around it; null where empty or where there is no such column."""
    if column is None:
        return pl.lit(None, pl.String)
    text = pl.col(column).str.strip_chars()
    return pl.when(text != "").then(text)
