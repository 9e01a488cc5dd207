"""Timetables of public transport: a GTFS feed read and made small, and the days on which it runs."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from commonweal.access.distance import Points
from commonweal.access.gtfs import (
    NO_TIME,
    WEEKDAYS,
    as_dates,
    as_seconds,
    check_known,
    check_once,
    check_one_of,
    open_feed,
    refuse_rows,
)
from commonweal.errors import DataError, UnknownNameError

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from commonweal.access.gtfs import FeedFiles


__all__ = ["Timetable", "read_timetable", "services_on", "typical_day"]


def dates_covered(timetable: Timetable) -> tuple[dt.date, dt.date]:
    """Give the first and the last date on which a service of the timetable could run.

    Beyond them the timetable says nothing: service is not known, rather than none.
    """
    added = timetable.exceptions.filter("added")["date"]
    dates = pl.concat([timetable.calendar["start"], timetable.calendar["end"], added])
    first, last = dates.min(), dates.max()
    if not (isinstance(first, dt.date) and isinstance(last, dt.date)):
        raise DataError(f"{timetable.name}: no service ever runs; every exception removes a day")
    return first, last


def services_on(timetable: Timetable, date: dt.date) -> list[str]:
    """Name the services that run on a date.

    Parameters
    ----------
    timetable
        The timetable.
    date
        A service day: what leaves after midnight belongs to the day on which its trip began.

    Returns
    -------
    list of str
        Those whose weekday and period say so, without the removed and with the added ones, by
        name. A service may be in exceptions alone.
    """
    regular = timetable.calendar.filter(
        pl.col(WEEKDAYS[date.weekday()]) & pl.lit(date).is_between(pl.col("start"), pl.col("end"))
    )["service_id"]
    today = timetable.exceptions.filter(pl.col("date") == date)
    added, removed = (today.filter(pl.col("added") == way)["service_id"] for way in (True, False))
    return sorted((set(regular) - set(removed)) | set(added))


def trips_by_date(timetable: Timetable) -> pl.DataFrame:
    """Count the trips of every date that the timetable covers; one at a headway counts as often as it leaves."""
    first, last = dates_covered(timetable)
    n_dates = (last - first).days + 1
    often = timetable.frequencies.group_by("trip").agg(runs=runs_of_headway().sum())
    of_service = (
        timetable.trips.with_row_index("trip")
        .join(timetable.calls, on="trip", how="semi")
        .join(often, on="trip", how="left")
        .group_by("service_id")
        .agg(runs=pl.col("runs").fill_null(1).sum())
    )
    calendar = timetable.calendar.join(of_service, on="service_id")
    start, end = (
        (calendar[c] - first).dt.total_days().to_numpy().astype(np.int64) for c in ("start", "end")
    )
    runs = calendar["runs"].to_numpy().astype(np.int64)
    trips = np.zeros(n_dates, dtype=np.int64)
    for k, day in enumerate(WEEKDAYS):
        on = calendar[day].to_numpy()
        change = np.zeros(n_dates + 1, dtype=np.int64)
        np.add.at(change, start[on], runs[on])
        np.add.at(change, end[on] + 1, -runs[on])
        ours = slice((k - first.weekday()) % 7, None, 7)
        trips[ours] = np.cumsum(change[:-1])[ours]
    # An exception changes the count only where it changes what the calendar says.
    touched = (
        timetable.exceptions.filter(pl.col("date").is_between(first, last))
        .join(of_service, on="service_id")
        .join(timetable.calendar, on="service_id", how="left")
    )
    weekday = touched["date"].dt.weekday()
    regular = pl.any_horizontal(
        pl.col(day) & (weekday == k) for k, day in enumerate(WEEKDAYS, start=1)
    ) & pl.col("date").is_between(pl.col("start"), pl.col("end"))
    touched = touched.with_columns(regular=regular.fill_null(False)).filter(
        pl.col("regular") != pl.col("added")
    )
    row = (touched["date"] - first).dt.total_days().to_numpy().astype(np.int64)
    sign = np.where(touched["added"].to_numpy(), 1, -1)
    np.add.at(trips, row, sign * touched["runs"].to_numpy().astype(np.int64))
    return pl.DataFrame({"date": pl.date_range(first, last, eager=True), "trips": trips})


def typical_day(
    timetable: Timetable,
    weekday: str,
    between: tuple[dt.date, dt.date] | None = None,
) -> dt.date:
    """Give the date of a weekday with the most usual service.

    The dates of the weekday that have any trip are put in order of their number of trips; the one
    in the middle is typical (of two in the middle, the one with fewer; of dates with as many trips, the
    first). Holidays and the thin ends of a timetable are not in the middle unless they are most of it.

    Parameters
    ----------
    timetable
        The timetable.
    weekday
        ``monday`` to ``sunday``.
    between
        The first and last date to choose from; all that the timetable covers if not given.

    Returns
    -------
    date
        Where no date of the weekday has a trip, the first one: service on it is none.

    Raises
    ------
    UnknownNameError
        If the weekday is none.
    DataError
        If there is no such weekday among the dates.
    """
    if weekday not in WEEKDAYS:
        raise UnknownNameError("weekday", weekday, WEEKDAYS)
    days = trips_by_date(timetable)
    first, last = dates_covered(timetable)
    if between is not None:
        days = days.filter(pl.col("date").is_between(*between))
    days = days.filter(pl.col("date").dt.weekday() == WEEKDAYS.index(weekday) + 1)
    if days.height == 0:
        within = f" between {between[0]} and {between[1]}" if between else ""
        raise DataError(f"{timetable.name} has no {weekday}{within}; it covers {first} to {last}")
    busy = days.filter(pl.col("trips") > 0)
    if busy.height == 0:
        return days["date"][0]
    usual = busy["trips"].sort()[(busy.height - 1) // 2]
    return busy.filter(pl.col("trips") == usual)["date"][0]


def runs_of_headway() -> pl.Expr:
    """How often a trip leaves from ``start_s`` until before ``end_s``, every ``headway_s``."""
    return (pl.col("end_s") - pl.col("start_s") + pl.col("headway_s") - 1) // pl.col("headway_s")


_NO_PICKUP = "1"


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
    with open_feed(path, progress or _quiet) as files:
        stops, report = _stops(files)
        routes = files.table("routes")
        check_once(routes, ["route_id"], "routes.txt")
        trips = files.table("trips")
        check_once(trips, ["trip_id"], "trips.txt")
        check_known(trips, "route_id", routes["route_id"], "trips.txt")
        calendar, exceptions = _calendar(files)
        services = pl.concat([calendar["service_id"], exceptions["service_id"]])
        check_known(trips, "service_id", services, "trips.txt")
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


def _stops(files: FeedFiles) -> tuple[pl.DataFrame, dict[str, int]]:
    """Read stops; the place of one that has none, or lies at 0, 0 or beyond the Earth, is null."""
    table = files.table("stops")
    check_once(table, ["stop_id"], "stops.txt")
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


def _calendar(files: FeedFiles) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Read when services run; a feed may have either file, or both."""
    if not {"calendar", "calendar_dates"} & files.paths.keys():
        raise DataError(
            f"{files.feed} has neither calendar.txt nor calendar_dates.txt; expected one at least"
        )
    regular = files.table("calendar", needed=False)
    check_once(regular, ["service_id"], "calendar.txt")
    for day in WEEKDAYS:
        check_one_of(regular, day, ("0", "1"), "calendar.txt")
    calendar = regular.select(
        "service_id",
        pl.col(WEEKDAYS) == "1",
        start=as_dates(regular, "start_date", "calendar.txt"),
        end=as_dates(regular, "end_date", "calendar.txt"),
    )
    turned = calendar.filter(pl.col("end") < pl.col("start"))
    if turned.height:
        raise DataError(
            f"calendar.txt: {turned.height:,} services end before they start, such as "
            f"{turned['service_id'][0]} ({turned['start'][0]} to {turned['end'][0]})"
        )
    other = files.table("calendar_dates", needed=False)
    check_one_of(other, "exception_type", ("1", "2"), "calendar_dates.txt")
    check_once(other, ["service_id", "date"], "calendar_dates.txt")
    exceptions = other.select(
        "service_id",
        as_dates(other, "date", "calendar_dates.txt").alias("date"),
        added=pl.col("exception_type") == "1",
    )
    if not calendar.height + exceptions.height:
        raise DataError(f"{files.feed} has no service in calendar.txt or calendar_dates.txt")
    return calendar, exceptions


def _stop_times(files: FeedFiles, trip_ids: pl.Series, stop_ids: pl.Series) -> pl.DataFrame:
    """Read the calls of all trips as they are written, and refuse what is no number, no time or not known."""
    scan = files.scan("stop_times")
    table = files.collected(
        "stop_times",
        scan.join(_numbered(trip_ids, "trip"), on="trip_id", how="left")
        .join(_numbered(stop_ids, "stop"), on="stop_id", how="left")
        .select(
            "trip",
            "stop",
            pl.col("stop_sequence").cast(pl.UInt32, strict=False),
            as_seconds("arrival_time"),
            as_seconds("departure_time"),
            boards=pl.col("pickup_type").fill_null("0") != _NO_PICKUP,
        ),
    )
    if table.height == 0:
        raise DataError("stop_times.txt has no rows")
    for column, ids in (("trip", trip_ids), ("stop", stop_ids)):
        if table[column].null_count():
            check_known(files.collected("stop_times", scan), f"{column}_id", ids, "stop_times.txt")
    for column, expected in (
        ("stop_sequence", "a whole number, 0 or more"),
        ("arrival_time", "H:MM:SS"),
        ("departure_time", "H:MM:SS"),
    ):
        wrong = table[column].is_null() if column == "stop_sequence" else table[column] == NO_TIME
        if wrong.any():
            _refuse(files, scan, column, expected)
    return table


def _calls(
    files: FeedFiles, trip_ids: pl.Series, stop_ids: pl.Series, cut: bool
) -> tuple[pl.DataFrame, dict[str, int]]:
    """Read the calls of all trips, in order, with a departure time each."""
    table = _stop_times(files, trip_ids, stop_ids).sort("trip", "stop_sequence")
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


def _frequencies(files: FeedFiles, trip_ids: pl.Series, calls: pl.DataFrame) -> pl.DataFrame:
    """Read the headways of trips that stand for many."""
    file = "frequencies.txt"
    table = files.table("frequencies", needed=False)
    check_known(table, "trip_id", trip_ids, file)
    for column in ("start_time", "end_time"):
        wrong = table.filter(table.select(as_seconds(column))[column].fill_null(NO_TIME) == NO_TIME)
        refuse_rows(wrong, column, "H:MM:SS", file)
    numbers = table.join(_numbered(trip_ids, "trip").collect(), on="trip_id", how="left").select(
        "trip_id",
        "trip",
        as_seconds("start_time").alias("start_s"),
        as_seconds("end_time").alias("end_s"),
        pl.col("headway_secs").cast(pl.Int32, strict=False).alias("headway_s"),
    )
    short = ~(numbers["headway_s"] > 0).fill_null(False)
    refuse_rows(table.filter(short), "headway_secs", "seconds, more than 0", file)
    refuse_rows(
        table.filter(numbers["end_s"] <= numbers["start_s"]),
        "end_time",
        "one after start_time",
        file,
    )
    idle = numbers.filter(~pl.col("trip").is_in(calls["trip"].unique().implode()))
    refuse_rows(idle, "trip_id", "a trip that has calls", file)
    return numbers.drop("trip_id")


def _clock(seconds: int) -> str:
    return f"{seconds // 3600}:{seconds // 60 % 60:02}:{seconds % 60:02}"


def _numbered(ids: pl.Series, name: str) -> pl.LazyFrame:
    return pl.LazyFrame({f"{name}_id": ids}).with_row_index(name)


def _refuse(files: FeedFiles, scan: pl.LazyFrame, column: str, expected: str) -> None:
    """Find what is wrong in a column of stop times, and say so."""
    wrong = (
        pl.col(column).cast(pl.UInt32, strict=False).is_null()
        if column == "stop_sequence"
        else as_seconds(column) == NO_TIME
    )
    found = files.collected("stop_times", scan.filter(wrong))
    refuse_rows(found, column, expected, "stop_times.txt")
