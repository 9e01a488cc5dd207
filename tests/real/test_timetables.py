"""Published timetables, counted again with the csv module and loops."""

from __future__ import annotations

import csv
import datetime as dt
import io
import zipfile
from collections import Counter, defaultdict
from functools import cache
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
import pytest

from commonweal.access import Points
from commonweal.access.departures import (
    BANDS,
    covered,
    departures,
    departures_per_hour,
    stops_within,
    timetable_table,
)
from commonweal.access.distance import great_circle_m
from commonweal.access.gtfs import WEEKDAYS
from commonweal.access.timetable import (
    dates_covered,
    read_timetable,
    services_on,
    trips_by_date,
    typical_day,
)
from commonweal.study import run as study

if TYPE_CHECKING:
    from pathlib import Path

    from commonweal.sources import Store

pytestmark = pytest.mark.real

FEEDS = {
    # feed: stops, trips, calls, first and last date, a date to count on
    "gtfs-chester": (1_320, 804, 34_249, "2023-07-31", "2024-04-26", "2023-09-12"),
    "gtfs-newport": (2_686, 176, 7_765, "2023-06-05", "2024-03-01", "2023-09-12"),
    "gtfs-manchester-rail": (125, 8_632, 64_291, "2020-12-13", "2021-05-15", "2021-02-23"),
    "gtfs-porto-alegre-bus": (3_986, 2_374, 130_019, "2019-04-15", "2019-07-15", "2019-05-14"),
    "gtfs-porto-alegre-rail": (24, 1_248, 14_855, "2019-03-01", "2019-12-31", "2019-05-14"),
}
HOURS = {"night": [*range(6), 22, 23], "morning_peak": range(6, 10), "midday": range(10, 15)}
HOURS |= {"afternoon_peak": range(15, 18), "evening": range(18, 22)}


@cache
def rows(path: Path, name: str) -> list[dict[str, str]]:
    with zipfile.ZipFile(path) as archive:
        if name not in archive.namelist():
            return []
        lines = csv.DictReader(io.TextIOWrapper(archive.open(name), "utf-8-sig"))
        return [{k.strip(): v.strip() for k, v in row.items()} for row in lines]


def runs_on(path: Path, date: dt.date) -> set[str]:
    """Services of a date."""
    said = f"{date:%Y%m%d}"
    names = {
        row["service_id"]
        for row in rows(path, "calendar.txt")
        if row[WEEKDAYS[date.weekday()]] == "1" and row["start_date"] <= said <= row["end_date"]
    }
    for row in rows(path, "calendar_dates.txt"):
        if row["date"] == said:
            (names.add if row["exception_type"] == "1" else names.discard)(row["service_id"])
    return names


@cache
def counted(path: Path, date: dt.date, cut: bool = False) -> dict[str, list[tuple[int, str]]]:
    """(second of the date, run) of each departure, by stop."""
    calls = defaultdict(list)
    for row in rows(path, "stop_times.txt"):
        calls[row["trip_id"]].append(row)
    found = defaultdict(list)
    for back in range(3):
        running = runs_on(path, date - dt.timedelta(days=back))
        for trip in rows(path, "trips.txt"):
            if trip["service_id"] not in running:
                continue
            made = sorted(calls[trip["trip_id"]], key=lambda row: int(row["stop_sequence"]))
            seconds: list[int | None] = []
            for row in made:
                parts = row["departure_time"].split(":")
                seconds.append(
                    sum(int(p) * s for p, s in zip(parts, (3600, 60, 1), strict=True))
                    if len(parts) == 3
                    else None
                )
            for k, row in enumerate(made if cut else made[:-1]):
                second = seconds[k]
                if second is None:  # the last timed call before, the first after, evenly between
                    a = max(
                        i for i in range(k) if seconds[i] is not None and made[i]["departure_time"]
                    )
                    b = min(i for i in range(k, len(made)) if made[i]["arrival_time"])
                    start, end = seconds[a], seconds[b]
                    assert start is not None
                    assert end is not None
                    second = start + (end - start) * (k - a) // (b - a)
                second -= 86_400 * back
                if row.get("pickup_type") != "1" and 0 <= second < 86_400:
                    found[row["stop_id"]].append((second, f"{trip['trip_id']} {back}"))
    return found


@pytest.mark.parametrize("feed", FEEDS)
def test_each_feed_is_read_whole(feed: str, real_store: Store) -> None:
    n_stops, n_trips, n_calls, first, last, _ = FEEDS[feed]
    path = real_store.path(feed)
    timetable = read_timetable(path)
    assert timetable.stops.height == n_stops == len(rows(path, "stops.txt"))
    assert timetable.trips.height == n_trips == len(rows(path, "trips.txt"))
    assert timetable.calls.height == n_calls == len(rows(path, "stop_times.txt"))
    assert [d.isoformat() for d in dates_covered(timetable)] == [first, last]
    assert timetable.exceptions.height == len(rows(path, "calendar_dates.txt"))
    blank = sum(not row["departure_time"] for row in rows(path, "stop_times.txt"))
    assert timetable.report["calls without a time, spaced evenly"] == blank


@pytest.mark.parametrize("feed", FEEDS)
def test_departures_of_every_stop_are_those_counted_with_loops(
    feed: str, real_store: Store
) -> None:
    path = real_store.path(feed)
    timetable = read_timetable(path)
    date = dt.date.fromisoformat(FEEDS[feed][-1])
    # a working day, a Sunday, and a Saturday, which has the Friday's night
    for day in (date, date + dt.timedelta(days=5), date + dt.timedelta(days=4)):
        assert services_on(timetable, day) == sorted(runs_on(path, day))
        expected = {
            (stop, name): sum(second // 3600 in hours for second, _ in at)
            for stop, at in counted(path, day).items()
            for name, hours in {**HOURS, "day": range(24)}.items()
        }
        table = departures(timetable, day)
        found = {
            (row["stop_id"], name): row[name]
            for row in table.iter_rows(named=True)
            for name in (*HOURS, "day")
        }
        assert {k: v for k, v in found.items() if v} == {k: v for k, v in expected.items() if v}


@pytest.mark.parametrize("feed", FEEDS)
def test_runs_within_reach_are_those_counted_with_loops(feed: str, real_store: Store) -> None:
    path = real_store.path(feed)
    timetable = read_timetable(path)
    date = dt.date.fromisoformat(FEEDS[feed][-1])
    stops = timetable.served_points()
    ids = timetable.stops.filter("served")["stop_id"].to_list()
    rng = np.random.default_rng(4)
    near = rng.integers(0, len(stops), 40)
    origins = Points(
        stops.longitude[near] + rng.normal(0, 0.003, 40),
        stops.latitude[near] + rng.normal(0, 0.002, 40),
    )
    rates = departures_per_hour(origins, timetable, date)
    n_stops = stops_within(origins, timetable)
    at = counted(path, date)
    for o in range(40):
        far = great_circle_m(
            origins.longitude[o], origins.latitude[o], stops.longitude, stops.latitude
        )
        by_distance = [k for k in np.argsort(far, kind="stable") if far[k] <= 400]
        assert n_stops[o] == len(by_distance)
        seen: dict[str, int] = {}
        for k in by_distance:
            for second, run in sorted(at.get(ids[k], [])):
                seen.setdefault(run, second)
        for band in BANDS:
            n = sum(second // 3600 in HOURS[band.name] for second in seen.values())
            assert rates[band.name][o] * band.hours == pytest.approx(n)
        assert rates["day"][o] * 24 == pytest.approx(len(seen))


def test_trips_by_date_are_those_of_the_calendar_and_its_exceptions(real_store: Store) -> None:
    for feed in ("gtfs-manchester-rail", "gtfs-porto-alegre-bus"):  # both have removed days
        path = real_store.path(feed)
        of_service = Counter(trip["service_id"] for trip in rows(path, "trips.txt"))
        for date, trips in trips_by_date(read_timetable(path)).iter_rows():
            assert trips == sum(of_service[s] for s in runs_on(path, date))


def test_a_holiday_is_not_typical(real_store: Store) -> None:
    timetable = read_timetable(real_store.path("gtfs-porto-alegre-bus"))
    assert timetable.exceptions.filter(pl.col("date") == dt.date(2019, 4, 19)).height > 0
    trips = dict(trips_by_date(timetable).iter_rows())
    # Good Friday, Labour Day and Corpus Christi: less than half of the 2,374 trips
    assert [str(d) for d, n in trips.items() if d.weekday() < 5 and n < 2_374] == [
        "2019-04-19",
        "2019-05-01",
        "2019-06-20",
    ]
    assert trips[typical_day(timetable, "friday")] == 2_374


def test_a_trip_of_the_night_before_leaves_after_midnight(real_store: Store) -> None:
    path = real_store.path("gtfs-newport")
    timetable = read_timetable(path)
    late = timetable.calls.filter(pl.col("departure_s") >= 86_400)
    assert late.height == 50
    assert timetable.calls["departure_s"].max() == 31 * 3600 + 30 * 60  # 31:30, a night coach
    # A Thursday has one coach more after midnight than its own service: Wednesday's.
    thursday = dt.date(2023, 9, 7)
    by_date, by_service = (
        departures(timetable, thursday, service_day=way)["day"].sum() for way in (False, True)
    )
    assert (by_date, by_service) == (7_559, 7_558)


def test_rail_in_greater_manchester(real_store: Store) -> None:
    path = real_store.path("gtfs-manchester-rail")
    places = real_store.table("points-lsoa11-manchester")
    assert places.height == 1_673
    origins = Points(places["longitude"].to_numpy(), places["latitude"].to_numpy())
    timetable = read_timetable(path)
    tuesday = typical_day(timetable, "tuesday")
    # Who knows that the feed is of the whole county says so: no station is then 0.
    county = np.ones(len(origins), dtype=bool)
    table = timetable_table(places["code"].to_list(), origins, timetable, tuesday, within=county)
    assert table.null_count().sum_horizontal().item() == 0
    stops = timetable.served_points()
    near = [
        (great_circle_m(x, y, stops.longitude, stops.latitude) <= 400).sum()
        for x, y in zip(origins.longitude, origins.latitude, strict=True)
    ]
    assert table["stops_400m"].to_list() == near
    assert sum(n > 0 for n in near) == 114
    without = timetable_table(places["code"].to_list(), origins, timetable, tuesday)
    known = covered(origins, timetable)
    assert without["stops_400m"].is_null().sum() == (~known).sum() > 0
    assert without.filter(pl.Series(known)).equals(table.filter(pl.Series(known)))
    # The extract cuts trains at the county's edge: their last call is then a departure.
    extract = read_timetable(path, cut=True)
    assert extract.report["last calls that say people may board"] == 3_116
    date = dt.date(2021, 2, 23)
    wigan = [
        departures(t, date).filter(pl.col("stop_id") == "WGN")["day"].item()
        for t in (timetable, extract)
    ]
    assert wigan == [len(counted(path, date, cut)["WGN"]) for cut in (False, True)] == [115, 159]


CHESTER = """
title: Buses in Cheshire West and Chester
areas: lsoa21
where: {lad24: E06000050}
indicators:
  stops: {timetable: {source: gtfs-chester, date: 2023-08-16, measure: stops}, higher_is: less, coverage: 40%}
  day: {timetable: {source: gtfs-chester, date: 2023-08-16, measure: departures}, higher_is: less, coverage: 40%}
  evening:
    timetable: {source: gtfs-chester, date: 2023-08-16, measure: departures, band: evening, within_m: 800}
    higher_is: less
    coverage: 40%
index:
  buses:
    transform: percentile_rank
    aggregate: arithmetic
    available: 0.5
    children: {stops: {indicator: stops}, day: {indicator: day}, evening: {indicator: evening}}
designate: {few_buses: {index: buses, worst: 10%}}
"""


def boarded(path: Path) -> pl.DataFrame:
    """Every call at which people may board, from the raw tables, and whether on 16 August 2023."""
    with zipfile.ZipFile(path) as archive:
        stops, trips, calls, calendar = (
            pl.read_csv(archive.read(f"{name}.txt"), infer_schema=False)
            for name in ("stops", "trips", "stop_times", "calendar")
        )
    sequence = pl.col("stop_sequence").cast(pl.Int64)
    after_midnight = pl.col("departure_time") >= "24"
    return (
        calls.filter(sequence < sequence.max().over("trip_id"), pl.col("pickup_type") != "1")
        .join(stops, on="stop_id")
        .join(trips, on="trip_id")
        .join(calendar, on="service_id")
        .with_columns(
            # a Wednesday in the middle of all services, and what is left of Tuesday's
            runs=pl.when(after_midnight).then(pl.col("tuesday")).otherwise(pl.col("wednesday"))
            == "1",
            hour=pl.col("departure_time").str.head(2).cast(pl.Int64) % 24,
            x=pl.col("stop_lon").cast(pl.Float64).radians(),
            y=pl.col("stop_lat").cast(pl.Float64).radians(),
        )
    )


def test_a_study_of_buses_is_what_the_raw_tables_say(real_store: Store, tmp_path: Path) -> None:
    (tmp_path / "buses.yaml").write_text(CHESTER)
    results = study.run(tmp_path / "buses.yaml", real_store, geometry=False)
    found = results.indicators["buses"]
    assert len(results.areas) == 222
    calls = boarded(real_store.path("gtfs-chester"))
    assert (
        calls.select((pl.col("start_date") <= "20230816") & (pl.col("end_date") >= "20230816"))
        .to_series()
        .all()
    )
    assert calls.filter(pl.col("departure_time") >= "24", "runs").height > 0
    n_missing, n_served = 0, 0
    for row, (x, y) in enumerate(results.areas.table.select("longitude", "latitude").iter_rows()):
        # Over so few metres the Earth is flat.
        east = (pl.col("x") - np.radians(x)) * np.cos(np.radians(y))
        far = ((east**2 + (pl.col("y") - np.radians(y)) ** 2).sqrt() * 6_371_009).alias("far")
        near = calls.with_columns(far).sort("far", "hour")
        values = found.values[row, [found.column(name) for name in ("stops", "day", "evening")]]
        if near["far"][0] > 2_000:
            assert np.isnan(values).all()
            n_missing += 1
            continue
        at_400, at_800 = (near.filter("runs", pl.col("far") <= m) for m in (400, 800))
        first = at_800.unique("trip_id", keep="first", maintain_order=True)
        evening = first.filter(pl.col("hour").is_between(18, 21)).height
        assert values.tolist() == pytest.approx(
            [
                near.filter(pl.col("far") <= 400)["stop_id"].n_unique(),
                at_400["trip_id"].n_unique() / 24,
                evening / 4,
            ]
        )
        n_served += at_400.height > 0
    # Buses of Chester: Northwich and Winsford, in the same authority, are not covered.
    assert (n_missing, n_served) == (123, 39)
    assert np.isnan(results.scores["buses"].score).sum() == n_missing
    assert "gtfs-chester" in {source["id"] for source in results.provenance["sources"]}
    assert "'covered': 99" in str(results.provenance["steps"])
