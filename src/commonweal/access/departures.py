"""Departures by time of day: at each stop, and within reach of where people live."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from commonweal.access.distance import straight_nearest, straight_reach
from commonweal.access.timetable import dates_covered, services_on
from commonweal.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from commonweal.access.distance import Points, Reach
    from commonweal.access.timetable import Timetable

__all__ = ["Band", "departures", "timetable_table"]

COVERAGE_M = 2_000.0
"""How far from a served stop a timetable is taken to know all there is, where nobody says."""

_DAY_S = 86_400


@dataclass(frozen=True, slots=True)
class Band:
    """A part of the day, checked once here.

    Attributes
    ----------
    name
        What its column is called.
    spans
        From and until, in hours after midnight; until is not included.
    """

    name: str
    spans: tuple[tuple[float, float], ...]

    def __post_init__(self) -> None:
        if self.name == "day":
            raise DataError("a band is called 'day', which is the whole day; expected another name")
        ends = [hour for span in sorted(self.spans) for hour in span]
        if not ends or ends != sorted(ends) or ends[0] < 0 or ends[-1] > 24 or not self.hours > 0:
            raise DataError(
                f"band {self.name} has the hours {self.spans}; expected spans within 0 to 24, "
                "each longer than nothing and none over another"
            )

    @property
    def hours(self) -> float:
        """How long it is."""
        return sum(until - since for since, until in self.spans)


BANDS = (
    Band("night", ((0, 6), (22, 24))),
    Band("morning_peak", ((6, 10),)),
    Band("midday", ((10, 15),)),
    Band("afternoon_peak", ((15, 18),)),
    Band("evening", ((18, 22),)),
)
"""Those of the national count of public-transport runs by LSOA (University of Leeds)."""


def departures(
    timetable: Timetable,
    date: dt.date,
    bands: Sequence[Band] = BANDS,
    *,
    by: str = "stop",
    service_day: bool = False,
) -> pl.DataFrame:
    """Count departures at each stop on a date.

    A departure is a call at which people may board: not the last of its trip (see
    `read_timetable` for extracts) and not one with ``pickup_type`` 1. A trip that runs at a headway
    leaves at the start of its period and every headway until before the end, whether or not its
    times are exact. A trip that calls twice at a stop leaves twice.

    Parameters
    ----------
    timetable
        The timetable.
    date
        A date that it covers.
    bands
        The parts of the day.
    by
        ``stop``, or ``station`` to count the platforms of a station as one.
    service_day
        What leaves at 25:10 belongs to the service day on which its trip began and leaves at 01:10
        of the next. False counts what leaves between midnight and midnight of the date, which is
        partly the service of the day before; True counts the trips of the date's service, at
        01:10.

    Returns
    -------
    polars.DataFrame
        ``stop_id`` and ``stop_name`` (or ``station``), a column for each band, and ``day``: the
        whole day. One row a served stop, in the timetable's order; 0 where nothing leaves that
        day.

    Raises
    ------
    DataError
        If the timetable does not cover the date: its service is not known.
    """
    if by not in ("stop", "station"):
        raise DataError(f"departures by '{by}'; expected stop or station")
    leaving = _leaving(timetable, date, service_day)
    names = [*(band.name for band in bands), "day"]
    counted = (
        pl.DataFrame(_in_bands(leaving["time_s"].to_numpy(), bands), schema=names)
        .cast(pl.Int64)
        .with_columns(leaving["stop"])
        .group_by("stop")
        .sum()
    )
    table = (
        timetable.stops.with_row_index("stop")
        .filter("served")
        .join(counted, on="stop", how="left", maintain_order="left")
        .with_columns(pl.col(names).fill_null(0))
    )
    if by == "station":
        return table.group_by("station", maintain_order=True).agg(pl.col(names).sum())
    return table.select("stop_id", "stop_name", *names)


def stops_within(
    origins: Points,
    timetable: Timetable,
    limit_m: float = 400.0,
    *,
    reach: Reach | None = None,
    within: NDArray[np.bool_] | None = None,
) -> NDArray[np.float64]:
    """Count the stops within reach that are served on any day; NaN where the timetable does not cover the origin.

    Each platform or bay that people board at is a stop; entrances and stations are not.
    """
    found = _reach(origins, timetable, limit_m, reach)
    count = np.diff(found.starts).astype(np.float64)
    count[~_within(origins, timetable, within)] = np.nan
    return count


# Wide: all but the first three have a usual value, and a notebook names the one that it changes.
def departures_per_hour(
    origins: Points,
    timetable: Timetable,
    date: dt.date,
    limit_m: float = 400.0,
    bands: Sequence[Band] = BANDS,
    *,
    reach: Reach | None = None,
    within: NDArray[np.bool_] | None = None,
    once: bool = True,
    service_day: bool = False,
) -> pl.DataFrame:
    """Give the departures per hour within reach of each origin on a date, by band, and ``day``, over 24 hours.

    0 where nothing leaves within reach; null where the timetable does not cover the origin (`within`, else `covered`).
    The places of `reach` are ``timetable.served_points()`` in their order. With `once`, each trip counts once an
    origin, at the nearest of the stops that it leaves from (if it leaves there twice, the first time); so a bus that
    stops twice on the way past is one bus. Without, every departure at every stop within reach counts.
    """
    from commonweal.access.kernels import count_runs

    found = _reach(origins, timetable, limit_m, reach)
    inside = _within(origins, timetable, within)
    leaving = _leaving(timetable, date, service_day)
    stop, run, time_s = (leaving[c].to_numpy().astype(np.int64) for c in leaving.columns)
    # Departures at stops without a place go first, and are left out: nobody knows who reaches them.
    place_of = np.full(timetable.stops.height, -1)
    place_of[timetable.served_rows()] = np.arange(found.n_places)
    place = place_of[stop]
    order = np.argsort(place * _DAY_S + time_s)
    first = np.searchsorted(place[order], np.arange(found.n_places + 1))
    in_band = _in_bands(time_s[order], bands)
    counts = np.zeros((len(origins), len(bands) + 1), dtype=np.int64)
    n_runs = int(run.max(initial=-1)) + 1
    count_runs(found.starts, found.place, first, run[order], in_band, n_runs, once, counts)
    hours = np.array([*(band.hours for band in bands), 24.0])
    rates = np.where(inside[:, None], counts / hours, np.nan)
    return pl.DataFrame(rates, schema=[*(band.name for band in bands), "day"]).fill_nan(None)


def covered(
    origins: Points, timetable: Timetable, coverage_m: float = COVERAGE_M
) -> NDArray[np.bool_]:
    """Say which origins a timetable covers, as well as can be told from its stops.

    Those with a served stop within coverage_m in a straight line. A feed does not say for what area it is complete: a
    coach or a train takes its stops far beyond, and a village without a bus may lie within. Who knows the area for
    which it was published gives `within` instead.
    """
    nearest = straight_nearest(origins, timetable.served_points(), 1, limit_m=coverage_m)
    return nearest.place[:, 0] >= 0


# Wide: as departures_per_hour, with the codes.
def timetable_table(
    codes: Sequence[str],
    origins: Points,
    timetable: Timetable,
    date: dt.date,
    limit_m: float = 400.0,
    bands: Sequence[Band] = BANDS,
    *,
    reach: Reach | None = None,
    within: NDArray[np.bool_] | None = None,
) -> pl.DataFrame:
    """Give a table of areas: stops within reach, and departures per hour in each band.

    Parameters
    ----------
    codes
        (n_origins,) the area of each origin.
    origins, timetable, date, limit_m, bands, reach, within
        As for `departures_per_hour`.

    Returns
    -------
    polars.DataFrame
        ``code``, ``stops_400m`` (or whatever the limit is), ``departures_per_hour_<band>`` and
        ``departures_per_hour_day``; null where the timetable does not cover the area.
    """
    if len(codes) != len(origins):
        raise DataError(f"{len(codes):,} codes for {len(origins):,} origins; expected one each")
    found = _reach(origins, timetable, limit_m, reach)
    inside = _within(origins, timetable, within)
    stops = stops_within(origins, timetable, limit_m, reach=found, within=inside)
    rates = departures_per_hour(
        origins, timetable, date, limit_m, bands, reach=found, within=inside
    )
    return pl.DataFrame(
        {"code": codes, f"stops_{found.limit_m:g}m": pl.Series(stops).fill_nan(None)}
    ).hstack(rates.select(pl.all().name.prefix("departures_per_hour_")))


def _leaving(timetable: Timetable, date: dt.date, service_day: bool) -> pl.DataFrame:
    """Give every departure of a date: ``stop`` and ``run`` (rows), ``time_s`` after midnight."""
    first, last = dates_covered(timetable)
    if not first <= date <= last:
        raise DataError(f"{timetable.name} does not cover {date}; it covers {first} to {last}")
    runs = _runs(timetable, date, service_day)
    leaving = (
        timetable.calls.lazy()
        .filter("boards")
        .join(runs.lazy(), on="trip")
        .select("stop", "run", time_s=pl.col("departure_s") + pl.col("shift_s"))
    )
    if service_day:
        return leaving.with_columns(pl.col("time_s") % _DAY_S).collect()
    return leaving.filter(pl.col("time_s").is_between(0, _DAY_S - 1)).collect()


def _runs(timetable: Timetable, date: dt.date, service_day: bool) -> pl.DataFrame:
    """Give every run that may leave on a date: ``run``, ``trip``, ``shift_s`` of its times.

    Runs of earlier service days are among them, as far back as the latest time reaches.
    """
    first_call = (
        timetable.calls.join(timetable.frequencies, on="trip", how="semi", maintain_order="left")
        .group_by("trip", maintain_order=True)
        .first()
    )
    often = timetable.frequencies.join(first_call, on="trip").select(
        "trip",
        shift_s=pl.int_ranges("start_s", "end_s", "headway_s") - pl.col("departure_s"),
    )
    often = often.explode("shift_s").cast({"shift_s": pl.Int64})
    plain = timetable.trips.with_row_index("trip").select(
        "trip", "service_id", shift_s=pl.lit(0, pl.Int64)
    )
    runs = pl.concat(
        [
            plain.join(often, on="trip", how="anti"),
            often.join(plain.drop("shift_s"), on="trip").select(plain.columns),
        ]
    )
    latest = _number(timetable.calls["departure_s"]) + max(_number(runs["shift_s"]), 0)
    n_days = 1 if service_day else latest // _DAY_S + 1
    return pl.concat(
        runs.filter(
            pl.col("service_id").is_in(services_on(timetable, date - dt.timedelta(days=back)))
        ).with_columns(pl.col("shift_s") - back * _DAY_S)
        for back in range(n_days)
    ).with_row_index("run")


def _number(column: pl.Series) -> int:
    """Give the greatest of whole numbers, or 0."""
    return int(column.to_numpy().max(initial=0))


def _in_bands(time_s: NDArray[np.int64], bands: Sequence[Band]) -> NDArray[np.bool_]:
    """(n_departures, n_bands + 1) whether each is in each band; all are in the last, the day."""
    if len({band.name for band in bands}) < len(bands):
        raise DataError(f"two bands of the same name: {', '.join(b.name for b in bands)}")
    inside = np.zeros((len(time_s), len(bands) + 1), dtype=bool)
    for k, band in enumerate(bands):
        for since, until in band.spans:
            inside[:, k] |= (time_s >= since * 3600) & (time_s < until * 3600)
    inside[:, -1] = True
    return inside


def _reach(origins: Points, timetable: Timetable, limit_m: float, reach: Reach | None) -> Reach:
    """Give the stops within reach: those given, or those in a straight line."""
    places = timetable.served_points()
    if reach is None:
        return straight_reach(origins, places, limit_m)
    if (reach.n_origins, reach.n_places) != (len(origins), len(places)):
        raise DataError(
            f"reach is of {reach.n_origins:,} origins and {reach.n_places:,} places; expected "
            f"{len(origins):,} origins and {len(places):,} served stops"
        )
    return reach


def _within(
    origins: Points, timetable: Timetable, within: NDArray[np.bool_] | None
) -> NDArray[np.bool_]:
    """Give which origins are covered: as given, or as the stops tell."""
    if within is None:
        return covered(origins, timetable)
    if within.shape != (len(origins),) or within.dtype != np.bool_:
        raise DataError(
            f"within has shape {within.shape} of {within.dtype}; expected one truth for each of "
            f"{len(origins):,} origins"
        )
    return within
