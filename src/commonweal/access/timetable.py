"""Timetables of public transport: a GTFS feed read, checked and made small."""

from __future__ import annotations

import csv
import shutil
import tempfile
import zipfile
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from commonweal.access.points import Points
from commonweal.errors import DataError, SourceError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from numpy.typing import NDArray

__all__ = ["WEEKDAYS", "Timetable", "read_timetable"]

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")

_NO_PICKUP = "1"
_MOST_SQUEEZED = 200
"""Timetables are 5 to 20 times larger than their zip; what is far beyond that is no timetable."""
_SMALL_BYTES = 100_000_000

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
class Timetable:
    """A feed, checked once here; rows of one table name rows of another by their number.

    Attributes
    ----------
    name
        Of the file.
    agencies
        ``agency_id``, ``agency_name``; no rows where the feed does not say.
    routes
        ``route_id``, ``agency_id``, ``route_short_name``, ``route_long_name``, ``route_type``.
    stops
        ``stop_id``, ``stop_name``, ``station`` (the id of the parent station, or its own),
        ``longitude`` and ``latitude`` (degrees, null where unusable), ``served`` (whether anyone
        can board there on any day, and its place is known).
    trips
        ``trip_id``, ``route_id``, ``service_id``, ``direction_id``.
    calls
        In the order in which trips make them: ``trip`` and ``stop`` (rows of those tables),
        ``departure_s`` (seconds after the start of the service day; may be 24 h or more) and
        ``boards`` (whether people may board).
    calendar
        ``service_id``, a truth for each weekday, ``start`` and ``end`` (dates, both included).
    exceptions
        ``service_id``, ``date``, ``added`` (false = removed).
    frequencies
        ``trip`` (row), ``start_s``, ``end_s``, ``headway_s``.
    report
        What was left out or filled in, and how many of each.
    """

    name: str
    agencies: pl.DataFrame
    routes: pl.DataFrame
    stops: pl.DataFrame
    trips: pl.DataFrame
    calls: pl.DataFrame
    calendar: pl.DataFrame
    exceptions: pl.DataFrame
    frequencies: pl.DataFrame
    report: dict[str, int]

    def served_rows(self) -> NDArray[np.int64]:
        """(n_served,) rows of the stops that are served: the places of every measure."""
        return np.flatnonzero(self.stops["served"].to_numpy())

    def served_points(self) -> Points:
        """Where the served stops are, in the order of `served_rows`."""
        served = self.stops.filter("served")
        return Points(served["longitude"].to_numpy(), served["latitude"].to_numpy())


def read_timetable(
    path: Path | str,
    progress: Callable[[str, int, int], None] | None = None,
    *,
    cut: bool = False,
) -> Timetable:
    """Read a GTFS feed.

    Columns may come in any order and with spaces, files with a byte-order mark. Only the columns
    that are used are read, and stop times are kept as numbers (13 bytes a call).

    Parameters
    ----------
    path
        A zip or a folder with ``stops.txt``, ``routes.txt``, ``trips.txt``, ``stop_times.txt`` and
        ``calendar.txt`` or ``calendar_dates.txt``; ``agency.txt`` and ``frequencies.txt`` if there.
    progress
        Told what is being read, how many bytes are done and how many there are.
    cut
        True for an extract that cuts trips at the edge of its area: the last call that it keeps of
        a trip is then a departure, unless its ``pickup_type`` is 1. Otherwise nobody boards at
        the last call, whatever it says.

    Returns
    -------
    Timetable
        Calls without a time are spaced evenly between the timed ones about them.

    Raises
    ------
    SourceError
        If there is no such file or folder.
    DataError
        If a file or a column that must be there is not; an id, a time, a date or a number is not
        one; a call names an unknown trip or stop, a trip an unknown route or service; a trip has
        two calls of one ``stop_sequence``, departures that go backwards, or no time at its first
        or last call; or the zip is not whole.

    Notes
    -----
    Source: General Transit Feed Specification, Schedule Reference (MobilityData).
    """
    path = Path(path)
    with _unpacked(path, progress or _quiet) as files:
        stops, report = _stops(files)
        routes = files.table("routes")
        _once(routes, ["route_id"], "routes.txt")
        trips = files.table("trips")
        _once(trips, ["trip_id"], "trips.txt")
        _known(trips, "route_id", routes["route_id"], "trips.txt")
        calendar, exceptions = _calendar(files)
        services = pl.concat([calendar["service_id"], exceptions["service_id"]])
        _known(trips, "service_id", services, "trips.txt")
        calls, told = _calls(files, trips["trip_id"], stops["stop_id"], cut)
        frequencies = _frequencies(files, trips["trip_id"], calls)
        agencies = files.table("agency", needed=False)
    boarded = np.zeros(stops.height, dtype=bool)
    boarded[calls.filter("boards")["stop"].to_numpy()] = True
    placed = stops["longitude"].is_not_null().to_numpy()
    report["stops that people board at, left out"] = int((boarded & ~placed).sum())
    return Timetable(
        path.name,
        agencies.select("agency_id", "agency_name"),
        routes.select(
            "route_id",
            "agency_id",
            "route_short_name",
            "route_long_name",
            pl.col("route_type").cast(pl.Int32, strict=False),
        ),
        stops.with_columns(served=pl.Series(boarded & placed)),
        trips,
        calls,
        calendar,
        exceptions,
        frequencies,
        report | told,
    )


def _quiet(what: str, done: int, total: int) -> None:
    """Tell nobody."""


@dataclass(frozen=True, slots=True)
class _Files:
    """The text files of a feed, by name without ``.txt``."""

    feed: str
    paths: dict[str, Path]

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
        if not header:
            raise DataError(f"{file} is empty; expected a header at least")
        needed, wanted = _COLUMNS[name]
        twice = sorted({c for c in header if c and header.count(c) > 1})
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
def _unpacked(path: Path, progress: Callable[[str, int, int], None]) -> Iterator[_Files]:
    """Give the files of a feed; those of a zip are on disk for as long as they are read."""
    if path.is_dir():
        found = {name: path / f"{name}.txt" for name in _COLUMNS}
        yield _Files(path.name, {n: f for n, f in found.items() if f.is_file()})
        return
    if not path.is_file():
        raise SourceError(f"timetable {path} is not there; expected a GTFS zip or a folder")
    with tempfile.TemporaryDirectory(prefix="commonweal-") as folder:
        try:
            with zipfile.ZipFile(path) as archive:
                entries = _entries(archive, path.name)
                total, done = sum(e.file_size for e in entries.values()), 0
                for name, entry in entries.items():
                    progress(f"unpacking {name}.txt", done, total)
                    with archive.open(entry) as packed, (Path(folder) / name).open("wb") as out:
                        shutil.copyfileobj(packed, out, 1 << 20)
                    done += entry.file_size
                progress(f"reading {path.name}", done, total)
        except (zipfile.BadZipFile, EOFError) as error:
            raise DataError(
                f"{path.name} is not a whole zip ({error}); it may have been cut short"
            ) from None
        yield _Files(path.name, {name: Path(folder) / name for name in entries})


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
        squeezed = entry.file_size / max(entry.compress_size, 1)
        if entry.file_size > _SMALL_BYTES and squeezed > _MOST_SQUEEZED:
            raise DataError(
                f"{inside.name} of {feed} would unpack to {entry.file_size / 1e6:,.0f} MB, "
                f"{squeezed:,.0f} times its size; expected at most {_MOST_SQUEEZED} times"
            )
        entries[inside.stem] = entry
    return entries


def _stops(files: _Files) -> tuple[pl.DataFrame, dict[str, int]]:
    """Read stops; the place of one that has none, or lies at 0, 0 or beyond the Earth, is null."""
    table = files.table("stops")
    _once(table, ["stop_id"], "stops.txt")
    degrees = table.select(
        longitude=pl.col("stop_lon").cast(pl.Float64, strict=False),
        latitude=pl.col("stop_lat").cast(pl.Float64, strict=False),
    )
    x, y = (degrees[c].fill_null(np.nan).to_numpy() for c in ("longitude", "latitude"))
    missing, nowhere = np.isnan(x) | np.isnan(y), (x == 0) & (y == 0)
    outside = (np.abs(x) > 180) | (np.abs(y) > 90)
    usable = pl.Series(~(missing | nowhere | outside))
    report = {
        "stops without coordinates": int(missing.sum()),
        "stops at 0, 0": int(nowhere.sum()),
        "stops out of range": int(outside.sum()),
    }
    stops = table.select(
        "stop_id",
        "stop_name",
        station=pl.coalesce("parent_station", "stop_id"),
        longitude=pl.when(usable).then(degrees["longitude"]),
        latitude=pl.when(usable).then(degrees["latitude"]),
    )
    return stops, report


def _calendar(files: _Files) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Read when services run; a feed may have either file, or both."""
    if not {"calendar", "calendar_dates"} & files.paths.keys():
        raise DataError(
            f"{files.feed} has neither calendar.txt nor calendar_dates.txt; expected one at least"
        )
    regular = files.table("calendar", needed=False)
    _once(regular, ["service_id"], "calendar.txt")
    for day in WEEKDAYS:
        _one_of(regular, day, ("0", "1"), "calendar.txt")
    calendar = regular.select(
        "service_id",
        pl.col(WEEKDAYS) == "1",
        start=_dates(regular, "start_date", "calendar.txt"),
        end=_dates(regular, "end_date", "calendar.txt"),
    )
    turned = calendar.filter(pl.col("end") < pl.col("start"))
    if turned.height:
        raise DataError(
            f"calendar.txt: {turned.height:,} services end before they start, such as "
            f"{turned['service_id'][0]} ({turned['start'][0]} to {turned['end'][0]})"
        )
    other = files.table("calendar_dates", needed=False)
    _one_of(other, "exception_type", ("1", "2"), "calendar_dates.txt")
    _once(other, ["service_id", "date"], "calendar_dates.txt")
    exceptions = other.select(
        "service_id",
        _dates(other, "date", "calendar_dates.txt").alias("date"),
        added=pl.col("exception_type") == "1",
    )
    if not calendar.height + exceptions.height:
        raise DataError(f"{files.feed} has no service in calendar.txt or calendar_dates.txt")
    return calendar, exceptions


def _calls(
    files: _Files, trip_ids: pl.Series, stop_ids: pl.Series, cut: bool
) -> tuple[pl.DataFrame, dict[str, int]]:
    """Read the calls of all trips, in order, with a departure time each."""
    scan = files.scan("stop_times")
    table = files.collected(
        "stop_times",
        scan.join(_numbered(trip_ids, "trip"), on="trip_id", how="left")
        .join(_numbered(stop_ids, "stop"), on="stop_id", how="left")
        .select(
            "trip",
            "stop",
            pl.col("stop_sequence").cast(pl.UInt32, strict=False),
            _seconds("arrival_time"),
            _seconds("departure_time"),
            boards=pl.col("pickup_type").fill_null("0") != _NO_PICKUP,
        ),
    )
    if table.height == 0:
        raise DataError("stop_times.txt has no rows")
    for column, ids in (("trip", trip_ids), ("stop", stop_ids)):
        if table[column].null_count():
            _known(files.collected("stop_times", scan), f"{column}_id", ids, "stop_times.txt")
    for column, expected in (
        ("stop_sequence", "a whole number, 0 or more"),
        ("arrival_time", "H:MM:SS"),
        ("departure_time", "H:MM:SS"),
    ):
        wrong = table[column].is_null() if column == "stop_sequence" else table[column] == _NO_TIME
        if wrong.any():
            _refuse(files, scan, column, expected)
    table = table.sort("trip", "stop_sequence")
    trip = table["trip"].to_numpy()
    same = trip[1:] == trip[:-1]
    first, last = np.r_[True, ~same], np.r_[~same, True]
    twice = np.flatnonzero(
        same & (np.diff(table["stop_sequence"].to_numpy().astype(np.int64)) == 0)
    )
    if len(twice):
        row = twice[0]
        raise DataError(
            f"stop_times.txt: {len(twice):,} calls repeat the stop_sequence of another, such as "
            f"{table['stop_sequence'][int(row)]} of trip {trip_ids[int(trip[row])]}"
        )
    arrival, departure, untimed = _filled(
        table.select(
            pl.coalesce("arrival_time", "departure_time").alias("arrival"),
            pl.coalesce("departure_time", "arrival_time").alias("departure"),
        ),
        first | last,
        lambda row: str(trip_ids[int(trip[row])]),
    )
    back = np.flatnonzero(same & (np.diff(departure) < 0))
    if len(back):
        row = back[0]
        raise DataError(
            f"stop_times.txt: {len(back):,} departures are before that of the call before, such as "
            f"on trip {trip_ids[int(trip[row])]}: {_clock(departure[row])}, then "
            f"{_clock(departure[row + 1])}"
        )
    early = np.r_[False, same & (arrival[1:] < departure[:-1])] | (arrival > departure)
    marked = table["boards"].to_numpy()
    calls = table.select(
        "trip",
        "stop",
        departure_s=pl.Series(departure),
        boards=pl.Series(marked if cut else marked & ~last),
    )
    return calls, {
        "calls without a time, spaced evenly": untimed,
        "arrivals out of order, not used": int(early.sum()),
        "last calls that say people may board": int((marked & last).sum()),
        "trips without calls": len(trip_ids) - int(first.sum()),
    }


def _filled(
    times: pl.DataFrame, ends: NDArray[np.bool_], called: Callable[[int], str]
) -> tuple[NDArray[np.int32], NDArray[np.int32], int]:
    """Space calls without a time evenly between the timed ones, in whole seconds."""
    arrival, departure = (times[c].fill_null(-1).to_numpy().copy() for c in times.columns)
    timed = departure >= 0
    lacking = np.flatnonzero(ends & ~timed)
    if len(lacking):
        raise DataError(
            f"stop_times.txt: {len(lacking):,} first or last calls have no time, such as one of "
            f"trip {called(int(lacking[0]))}; expected a time at both ends of a trip"
        )
    gaps = np.flatnonzero(~timed)
    # Both ends of a trip are timed, so the timed calls about a gap are of the same trip.
    known = np.flatnonzero(timed)
    after = np.searchsorted(known, gaps)
    before, after = known[after - 1], known[after]
    span = arrival[after].astype(np.int64) - departure[before]
    departure[gaps] = departure[before] + span * (gaps - before) // (after - before)
    arrival[gaps] = departure[gaps]
    return arrival, departure, len(gaps)


def _frequencies(files: _Files, trip_ids: pl.Series, calls: pl.DataFrame) -> pl.DataFrame:
    """Read the headways of trips that stand for many."""
    file = "frequencies.txt"
    table = files.table("frequencies", needed=False)
    _known(table, "trip_id", trip_ids, file)
    for column in ("start_time", "end_time"):
        wrong = table.filter(table.select(_seconds(column))[column].fill_null(_NO_TIME) == _NO_TIME)
        _say_wrong(wrong, column, "H:MM:SS", file)
    numbers = table.join(_numbered(trip_ids, "trip").collect(), on="trip_id", how="left").select(
        "trip_id",
        "trip",
        _seconds("start_time").alias("start_s"),
        _seconds("end_time").alias("end_s"),
        pl.col("headway_secs").cast(pl.Int32, strict=False).alias("headway_s"),
    )
    short = ~(numbers["headway_s"] > 0).fill_null(False)
    _say_wrong(table.filter(short), "headway_secs", "seconds, more than 0", file)
    _say_wrong(
        table.filter(numbers["end_s"] <= numbers["start_s"]),
        "end_time",
        "one after start_time",
        file,
    )
    idle = numbers.filter(~pl.col("trip").is_in(calls["trip"].unique().implode()))
    _say_wrong(idle, "trip_id", "a trip that has calls", file)
    return numbers.drop("trip_id")


_NO_TIME = -2
"""Stands for what is there and is no time."""


def _seconds(column: str) -> pl.Expr:
    """Seconds of a time H:MM:SS, of any hour; null where empty, `_NO_TIME` where it is none."""
    text = pl.col(column)
    hour, minute, second = (
        part.cast(pl.Int32, strict=False)
        for part in (text.str.head(-6), text.str.slice(-5, 2), text.str.tail(2))
    )
    return (
        pl.when(text.str.contains(r"^[0-9]{1,3}:[0-5][0-9]:[0-5][0-9]$"))
        .then(3600 * hour + 60 * minute + second)
        .when(text.is_not_null())
        .then(_NO_TIME)
        .alias(column)
    )


def _clock(seconds: int) -> str:
    return f"{seconds // 3600}:{seconds // 60 % 60:02}:{seconds % 60:02}"


def _dates(table: pl.DataFrame, column: str, file: str) -> pl.Series:
    """Dates YYYYMMDD."""
    dates = table[column].str.to_date("%Y%m%d", strict=False)
    _say_wrong(table.filter(dates.is_null()), column, "a date YYYYMMDD", file)
    return dates


def _numbered(ids: pl.Series, name: str) -> pl.LazyFrame:
    return pl.LazyFrame({f"{name}_id": ids}).with_row_index(name)


def _once(table: pl.DataFrame, key: Sequence[str], file: str) -> None:
    """Check that a key is there and no two rows have the same."""
    for column in key:
        _say_wrong(table.filter(pl.col(column).is_null()), column, "an id in each row", file)
    twice = table.filter(table.select(key).is_duplicated()).select(key).unique(maintain_order=True)
    if twice.height:
        raise DataError(
            f"{file}: {twice.height:,} of {' and '.join(key)} stand in more than one row, such as "
            + " and ".join(twice.row(0))
        )


def _known(table: pl.DataFrame, column: str, ids: pl.Series, file: str) -> None:
    """Check that a column names only what there is."""
    strange = table.filter(~pl.col(column).is_in(ids.unique().implode()).fill_null(False))
    if strange.height:
        names = strange[column].unique(maintain_order=True)
        raise DataError(
            f"{file}: {strange.height:,} rows name {len(names):,} unknown {column}, such as "
            f"{names[0]}; expected one of the {ids.n_unique():,} that there are, such as "
            f"{ids[0] if len(ids) else 'none'}"
        )


def _one_of(table: pl.DataFrame, column: str, valid: tuple[str, ...], file: str) -> None:
    wrong = table.filter(~pl.col(column).is_in(valid).fill_null(False))
    _say_wrong(wrong, column, " or ".join(valid), file)


def _refuse(files: _Files, scan: pl.LazyFrame, column: str, expected: str) -> None:
    """Find what is wrong in a column of stop times, and say so."""
    wrong = (
        pl.col(column).cast(pl.UInt32, strict=False).is_null()
        if column == "stop_sequence"
        else _seconds(column) == _NO_TIME
    )
    found = files.collected("stop_times", scan.filter(wrong))
    _say_wrong(found, column, expected, "stop_times.txt")


def _say_wrong(wrong: pl.DataFrame, column: str, expected: str, file: str) -> None:
    """Refuse rows, if there are any, by the value of the first."""
    if wrong.height:
        first = wrong[column][0]
        found = "nothing" if first is None else f"'{first}'"
        raise DataError(
            f"{file}: {wrong.height:,} rows have a wrong {column}, the first {found}; "
            f"expected {expected}"
        )
