"""On which days a timetable's services run, and which day is a usual one."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from commonweal.access.feed import WEEKDAYS
from commonweal.errors import DataError, UnknownNameError

if TYPE_CHECKING:
    from commonweal.access.timetable import Timetable

__all__ = ["dates_covered", "services_on", "trips_by_date", "typical_day"]


def dates_covered(timetable: Timetable) -> tuple[dt.date, dt.date]:
    """Give the first and the last date on which a service of the timetable could run.

    Beyond them the timetable says nothing: service is not known, rather than none.

    Returns
    -------
    tuple of date
        The least start and the greatest end of the services in the calendar and of the days that
        exceptions add.
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
    """Count the trips of every date that the timetable covers.

    Returns
    -------
    polars.DataFrame
        ``date`` and ``trips``, one row a date from the first to the last; a trip that runs at a
        headway counts as often as it leaves.
    """
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
