"""The files of a GTFS feed: found, read as text, and refused where they are none."""

from __future__ import annotations

import csv
import shutil
import tempfile
from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

import polars as pl

from commonweal.errors import DataError, SourceError
from commonweal.sources.sandbox import open_zip

if TYPE_CHECKING:
    import zipfile
    from collections.abc import Callable, Iterator, Sequence


WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")

_COLUMNS: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "agency": (("agency_name",), ("agency_id",)),
    "stops": (("stop_id", "stop_lat", "stop_lon"), ("stop_name", "parent_station")),
    "routes": (("route_id", "route_type"), ("agency_id", "route_short_name", "route_long_name")),
    "trips": (("trip_id", "route_id", "service_id"), ("direction_id",)),
    "stop_times": (
        ("trip_id", "stop_id", "stop_sequence", "arrival_time", "departure_time"),
        ("pickup_type",),
    ),
    "calendar": (("service_id", *WEEKDAYS, "start_date", "end_date"), ()),
    "calendar_dates": (("service_id", "date", "exception_type"), ()),
    "frequencies": (("trip_id", "start_time", "end_time", "headway_secs"), ()),
}
"""Of each file, the columns that must be there and those that may."""


@dataclass(frozen=True, slots=True)
class FeedFiles:
    """The text files of a feed."""

    feed: str  # what the feed is called in messages
    paths: dict[str, Path]  # where each file is, by name without ``.txt``

    def scan(self, name: str) -> pl.LazyFrame:
        """Give the columns of a file that are used, as text without spaces about it."""
        file = f"{name}.txt"
        if name not in self.paths:
            found = (
                ", ".join(f"{n}.txt" for n in sorted(self.paths)) or "none that is of a timetable"
            )
            raise DataError(f"{self.feed} has no {file}; found: {found}")
        path = self.paths[name]
        try:
            with path.open(encoding="utf-8-sig", newline="") as lines:
                header = [c.strip() for c in next(csv.reader(lines), [])]
        except UnicodeDecodeError:
            raise DataError(f"{file} is not text in UTF-8") from None
        except csv.Error as error:
            raise DataError(f"{file} cannot be read as a table: {error}") from None
        if not header:
            raise DataError(f"{file} is empty; expected a header at least")
        needed, wanted = _COLUMNS[name]
        twice = sorted(c for c, n in Counter(header).items() if c and n > 1)
        if twice:
            raise DataError(f"{file} has the column {twice[0]} twice")
        absent = [c for c in needed if c not in header]
        if absent:
            raise DataError(f"{file} has no column {', '.join(absent)}; found: {', '.join(header)}")
        # A header may end in commas.
        names = [c or f"nameless {k}" for k, c in enumerate(header)]
        rows = pl.scan_csv(
            path,
            has_header=False,
            skip_lines=1,
            schema=dict.fromkeys(names, pl.String),
            glob=False,
            raise_if_empty=False,
        )
        used = [c for c in (*needed, *wanted) if c in header]
        text = [pl.col(c).str.strip_chars() for c in used]
        lacking = [pl.lit(None, pl.String).alias(c) for c in wanted if c not in header]
        return (
            rows.select(text)
            .with_columns(pl.when(pl.col(c) != "").then(pl.col(c)).alias(c) for c in used)
            .filter(pl.any_horizontal(pl.col(used).is_not_null()))
            .with_columns(lacking)
        )

    def table(self, name: str, needed: bool = True) -> pl.DataFrame:
        """Give a file whole; with no rows, where it need not be there and is not."""
        if not needed and name not in self.paths:
            must, may = _COLUMNS[name]
            return pl.DataFrame(schema=dict.fromkeys((*must, *may), pl.String))
        return self.collected(name, self.scan(name))

    def collected(self, name: str, rows: pl.LazyFrame) -> pl.DataFrame:
        """Run what was made of a scan; a file that is no table is named."""
        try:
            return rows.collect(engine="streaming")
        except pl.exceptions.PolarsError as error:
            said = str(error).strip().splitlines()[0]
            raise DataError(f"{name}.txt cannot be read as a table: {said}") from None


@contextmanager
def open_feed(path: Path, progress: Callable[[str, int, int], None]) -> Iterator[FeedFiles]:
    """Give the files of a feed; those of a zip are on disk for as long as they are read."""
    if path.is_dir():
        found = {name: path / f"{name}.txt" for name in _COLUMNS}
        yield FeedFiles(path.name, {n: f for n, f in found.items() if f.is_file()})
        return
    if not path.is_file():
        raise SourceError(f"timetable {path} is not there; expected a GTFS zip or a folder")
    with tempfile.TemporaryDirectory(prefix="commonweal-") as folder:
        with open_zip(path) as archive:
            entries = _entries(archive, path.name)
            total, done = sum(e.file_size for e in entries.values()), 0
            for name, entry in entries.items():
                progress(f"unpacking {name}.txt", done, total)
                with archive.open(entry) as packed, (Path(folder) / name).open("wb") as out:
                    shutil.copyfileobj(packed, out, 1 << 20)
                done += entry.file_size
            progress(f"reading {path.name}", done, total)
        yield FeedFiles(path.name, {name: Path(folder) / name for name in entries})


def _entries(archive: zipfile.ZipFile, feed: str) -> dict[str, zipfile.ZipInfo]:
    """Find the files that are read, in whatever folder of the zip they stand."""
    entries: dict[str, zipfile.ZipInfo] = {}
    for entry in archive.infolist():
        inside = PurePosixPath(entry.filename)
        if inside.suffix != ".txt" or inside.stem not in _COLUMNS or "__MACOSX" in inside.parts:
            continue
        if inside.stem in entries:
            raise DataError(
                f"{feed} has {inside.name} twice: {entries[inside.stem].filename} and {inside}"
            )
        entries[inside.stem] = entry
    return entries


NO_TIME = -2
"""Stands for what is there and is no time."""


def as_seconds(column: str) -> pl.Expr:
    """Seconds of a time H:MM:SS, of any hour; null where empty, `NO_TIME` where it is none."""
    text = pl.col(column)
    hour, minute, second = (
        part.cast(pl.Int32, strict=False)
        for part in (text.str.head(-6), text.str.slice(-5, 2), text.str.tail(2))
    )
    return (
        pl.when(text.str.contains(r"^[0-9]{1,3}:[0-5][0-9]:[0-5][0-9]$"))
        .then(3600 * hour + 60 * minute + second)
        .when(text.is_not_null())
        .then(NO_TIME)
        .alias(column)
    )


def as_dates(table: pl.DataFrame, column: str, file: str) -> pl.Series:
    """Dates YYYYMMDD."""
    dates = table[column].str.to_date("%Y%m%d", strict=False)
    refuse_rows(table.filter(dates.is_null()), column, "a date YYYYMMDD", file)
    return dates


def check_once(table: pl.DataFrame, key: Sequence[str], file: str) -> None:
    """Check that a key is there and no two rows have the same."""
    for column in key:
        refuse_rows(table.filter(pl.col(column).is_null()), column, "an id in each row", file)
    twice = table.filter(table.select(key).is_duplicated()).select(key).unique(maintain_order=True)
    if twice.height:
        raise DataError(
            f"{file}: {twice.height:,} of {' and '.join(key)} stand in more than one row, such as "
            + " and ".join(twice.row(0))
        )


def check_known(table: pl.DataFrame, column: str, ids: pl.Series, file: str) -> None:
    """Check that a column names only what there is."""
    strange = table.filter(~pl.col(column).is_in(ids.unique().implode()).fill_null(False))
    if strange.height:
        names = strange[column].unique(maintain_order=True)
        raise DataError(
            f"{file}: {strange.height:,} rows name {len(names):,} unknown {column}, such as "
            f"{names[0]}; expected one of the {ids.n_unique():,} that there are, such as "
            f"{ids[0] if len(ids) else 'none'}"
        )


def check_one_of(table: pl.DataFrame, column: str, valid: tuple[str, ...], file: str) -> None:
    """Check that a column has only valid values."""
    wrong = table.filter(~pl.col(column).is_in(valid).fill_null(False))
    refuse_rows(wrong, column, " or ".join(valid), file)


def refuse_rows(wrong: pl.DataFrame, column: str, expected: str, file: str) -> None:
    """Refuse rows, if there are any, by the value of the first."""
    if wrong.height:
        first = wrong[column][0]
        found = "nothing" if first is None else f"'{first}'"
        raise DataError(
            f"{file}: {wrong.height:,} rows have a wrong {column}, the first {found}; "
            f"expected {expected}"
        )
