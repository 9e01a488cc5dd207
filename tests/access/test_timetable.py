"""Timetables of a few trips, which can be counted by hand."""

from __future__ import annotations

import datetime as dt
import zipfile
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from commonweal.access import Points
from commonweal.access.departures import (
    BANDS,
    Band,
    covered,
    departures,
    departures_per_hour,
    stops_within,
    timetable_table,
)
from commonweal.access.distance import great_circle_m, straight_reach
from commonweal.access.timetable import (
    Timetable,
    dates_covered,
    read_timetable,
    services_on,
    trips_by_date,
    typical_day,
)
from commonweal.errors import DataError, SourceError, UnknownNameError

if TYPE_CHECKING:
    from pathlib import Path

NAMES = [band.name for band in BANDS]
TUESDAY = dt.date(2024, 3, 5)


def feed(**files: str) -> dict[str, str]:
    """Three stops 200 m apart on a parallel; a bus out at 7:50 and back at 8:30 on working days."""
    plain = {
        "agency": "agency_id,agency_name\n1,Redbridge Buses\n",
        "stops": "stop_id,stop_name,stop_lat,stop_lon\n"
        "A,Church,51.5,0.0\nB,Green,51.5,0.00288932\nC,Mill,51.5,0.0057\n",
        "routes": "route_id,agency_id,route_type\nR,1,3\n",
        "trips": "route_id,service_id,trip_id\nR,W,out\nR,W,back\n",
        "stop_times": "trip_id,arrival_time,departure_time,stop_id,stop_sequence\n"
        "out,7:50:00,7:50:00,A,1\nout,7:55:00,7:55:00,B,2\nout,8:00:00,8:00:00,C,3\n"
        "back,08:30:00,08:30:00,C,1\nback,08:35:00,08:35:00,B,2\nback,08:40:00,08:40:00,A,3\n",
        "calendar": "service_id,monday,tuesday,wednesday,thursday,friday,saturday,sunday,"
        "start_date,end_date\nW,1,1,1,1,1,0,0,20240301,20240430\n",
    }
    return {name: text for name, text in {**plain, **files}.items() if text}


def write(folder: Path, files: dict[str, str]) -> Path:
    folder.mkdir(exist_ok=True)
    for old in folder.iterdir():
        old.unlink()
    for name, text in files.items():
        (folder / f"{name}.txt").write_bytes(text.encode())
    return folder


def read(folder: Path, *, cut: bool = False, **files: str) -> Timetable:
    return read_timetable(write(folder / "feed", feed(**files)), cut=cut)


def by_stop(timetable: Timetable, date: dt.date = TUESDAY, **how: Any) -> dict[str, list[int]]:
    """Departures of each stop: night, morning, midday, afternoon, evening, day."""
    return {row[0]: list(row[2:]) for row in departures(timetable, date, **how).iter_rows()}


def at(*metres_east: float) -> Points:
    """Points on the parallel of the stops, so far to the east of the first."""
    return Points(np.array(metres_east) * 0.00288932 / 200, np.full(len(metres_east), 51.5))


def test_a_bus_out_and_back(tmp_path: Path) -> None:
    timetable = read(tmp_path)
    assert by_stop(timetable) == {
        "A": [0, 1, 0, 0, 0, 1],  # where it ends, nobody boards
        "B": [0, 2, 0, 0, 0, 2],
        "C": [0, 1, 0, 0, 0, 1],
    }
    assert timetable.agencies["agency_name"].to_list() == ["Redbridge Buses"]
    assert not any(
        count for what, count in timetable.report.items() if not what.startswith("last calls")
    )


def test_a_zip_is_read_as_a_folder_is(tmp_path: Path) -> None:
    files = {f"inside/{name}.txt": text for name, text in feed().items()}
    with zipfile.ZipFile(tmp_path / "feed.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in {**files, "__MACOSX/inside/stops.txt": "x", "notes.txt": "x"}.items():
            archive.writestr(name, text)
    told: list[tuple[str, int, int]] = []
    timetable = read_timetable(tmp_path / "feed.zip", lambda *said: told.append(said))
    assert by_stop(timetable) == by_stop(read(tmp_path))
    assert told[-1] == ("reading feed.zip", told[-1][2], told[-1][2])


def test_marks_spaces_quotes_order_and_missing_ends_of_lines_make_no_difference(
    tmp_path: Path,
) -> None:
    plain = read(tmp_path)
    lines = feed()["stop_times"].splitlines()
    turned = ["\ufeffstop_sequence, stop_id ,departure_time,arrival_time,trip_id,"]
    for line in lines[1:]:
        trip, arrival, departure, stop, sequence = line.split(",")
        turned.append(f' {sequence},"{stop}", {departure} ,{arrival},{trip} ,')
    messy = read(
        tmp_path,
        stop_times="\r\n".join([*turned, "", ""]),
        calendar="\ufeff" + feed()["calendar"].rstrip("\n"),
        agency="",
    )
    assert by_stop(messy) == by_stop(plain)
    assert messy.agencies.height == 0


@pytest.mark.parametrize(
    ("file", "old", "new", "said"),
    [
        ("stops", None, "", "feed has no stops.txt; found: agency.txt, calendar.txt"),
        ("routes", None, "", "has no routes.txt"),
        ("calendar", None, "", "neither calendar.txt nor calendar_dates.txt"),
        ("stop_times", None, "\n", "stop_times.txt is empty"),
        ("stop_times", "back,", "bakc,", "3 rows name 1 unknown trip_id, such as bakc; .* 2 that"),
        ("stop_times", ",C,", ",D,", "2 rows name 1 unknown stop_id, such as D"),
        ("stop_times", ",C,", ",,", "2 rows name 1 unknown stop_id, such as None"),
        ("trips", ",W,", ",X,", "trips.txt: 2 rows name 1 unknown service_id, such as X"),
        ("trips", "R,", "Q,", "trips.txt: 2 rows name 1 unknown route_id, such as Q"),
        ("trips", "back", "out", "trips.txt: 1 of trip_id stand in more than one row, such as out"),
        ("stops", "B,", "A,", "stops.txt: 1 of stop_id stand in more than one row, such as A"),
        ("stops", "stop_lat", "lat", "stops.txt has no column stop_lat; found: stop_id"),
        ("stops", "stop_name", "stop_id", "stops.txt has the column stop_id twice"),
        ("stop_times", "B,2", "B,1", "2 calls repeat the stop_sequence of another, such as 1 of"),
        ("stop_times", "B,2", "B,second", "wrong stop_sequence, the first 'second'; expected a wh"),
        ("stop_times", "7:55:00", "7:45:00", "1 departures .* trip out: 7:50:00, then 7:45:00"),
        ("stop_times", "7:55:00", "7:65:00", "wrong arrival_time, the first '7:65:00'; .* H:MM:SS"),
        ("stop_times", "08:40:00", "", "first or last calls have no time, .* trip back"),
        ("stop_times", "A,1", "A,1,x", "stop_times.txt cannot be read as a table"),
        (
            "calendar",
            "20240301",
            "2024-03-01",
            "wrong start_date, the first '2024-03-01'; expected",
        ),
        ("calendar", "20240301", "20240501", "1 services end before they start, such as W"),
        ("calendar", "W,1", "W,yes", "wrong monday, the first 'yes'; expected 0 or 1"),
    ],
)
def test_what_is_wrong_is_named(
    tmp_path: Path, file: str, old: str | None, new: str, said: str
) -> None:
    text = new if old is None else feed()[file].replace(old, new)
    with pytest.raises(DataError, match=said):
        read(tmp_path, **{file: text})


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("other,6:00:00,7:00:00,600\n", "unknown trip_id, such as other"),
        ("out,6:00:00,7:00:00,0\n", "wrong headway_secs, the first '0'"),
        ("out,7:00:00,6:00:00,600\n", "wrong end_time, the first '6:00:00'"),
        ("out,,6:00:00,600\n", "wrong start_time, the first nothing; expected H:MM:SS"),
    ],
)
def test_a_headway_that_is_none_is_named(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(DataError, match=said):
        read(tmp_path, frequencies="trip_id,start_time,end_time,headway_secs\n" + text)


def test_files_that_are_no_timetable_are_named(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="is not there"):
        read_timetable(tmp_path / "none.zip")
    (tmp_path / "empty.zip").write_bytes(b"")
    with pytest.raises(DataError, match=r"empty\.zip: the zip is damaged or cut short"):
        read_timetable(tmp_path / "empty.zip")
    whole = tmp_path / "whole.zip"
    with zipfile.ZipFile(whole, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in feed().items():
            archive.writestr(f"{name}.txt", text)
    (tmp_path / "cut.zip").write_bytes(whole.read_bytes()[:-40])
    with pytest.raises(DataError, match=r"cut\.zip: the zip is damaged or cut short"):
        read_timetable(tmp_path / "cut.zip")
    damaged = bytearray(whole.read_bytes())
    damaged[80] ^= 255
    (tmp_path / "damaged.zip").write_bytes(damaged)
    with pytest.raises(DataError, match=r"damaged\.zip: the zip is damaged or cut short"):
        read_timetable(tmp_path / "damaged.zip")
    with zipfile.ZipFile(tmp_path / "bomb.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("stops.txt", b"\n" * 100_000_001)
    with pytest.raises(DataError, match=r"bomb\.zip would unpack to 100 MB"):
        read_timetable(tmp_path / "bomb.zip")
    with zipfile.ZipFile(tmp_path / "twice.zip", "w") as archive:
        archive.writestr("a/stops.txt", "x")
        archive.writestr("b/stops.txt", "x")
    with pytest.raises(DataError, match=r"twice\.zip has stops\.txt twice: a/stops\.txt and b"):
        read_timetable(tmp_path / "twice.zip")
    folder = write(tmp_path / "latin", feed())
    (folder / "stops.txt").write_bytes("stop_id,stop_lat,stop_lon,caf\xe9\n".encode("latin-1"))
    with pytest.raises(DataError, match=r"stops\.txt is not text in UTF-8"):
        read_timetable(folder)
    far = "".join(f"s{k},1,1\n" for k in range(3_000))
    (folder / "stops.txt").write_bytes(
        f"stop_id,stop_lat,stop_lon\n{far}\xe9,1,1\n".encode("latin-1")
    )
    with pytest.raises(DataError, match=r"stops\.txt cannot be read as a table"):
        read_timetable(folder)


def test_stops_without_a_place_are_left_out_and_counted(tmp_path: Path) -> None:
    stops = "stop_id,stop_lat,stop_lon\nA,,\nB,0,0\nC,51.5,400\nD,51.5,0\n"
    times = feed()["stop_times"] + "late,9:00:00,9:00:00,D,1\nlate,9:10:00,9:10:00,A,2\n"
    timetable = read(tmp_path, stops=stops, stop_times=times, trips=feed()["trips"] + "R,W,late\n")
    assert [
        timetable.report[f"stops {what}"]
        for what in ("without coordinates", "at 0, 0", "out of range")
    ] == [1, 1, 1]
    assert timetable.report["stops that people board at, left out"] == 3
    assert by_stop(timetable) == {"D": [0, 1, 0, 0, 0, 1]}
    rates = departures_per_hour(at(0), timetable, TUESDAY)
    assert rates["day"].to_list() == [1 / 24]


def test_calls_without_a_time_are_spaced_evenly(tmp_path: Path) -> None:
    times = (
        feed()["stop_times"].replace("out,7:55:00,7:55:00", "out,,").replace("8:00:00", "8:00:01")
    )
    timetable = read(tmp_path, stop_times=times)
    assert timetable.calls["departure_s"].to_list()[:3] == [28_200, 28_500, 28_801]
    assert timetable.report["calls without a time, spaced evenly"] == 1


def test_of_arrival_and_departure_one_is_enough(tmp_path: Path) -> None:
    times = feed()["stop_times"].replace("7:50:00,7:50:00", ",7:50:00")
    assert by_stop(read(tmp_path, stop_times=times)) == by_stop(read(tmp_path))


def test_nobody_boards_where_the_timetable_says_so(tmp_path: Path) -> None:
    lines = feed()["stop_times"].splitlines()
    marked = [lines[0] + ",pickup_type"] + [
        f"{line},{kind}"
        for line, kind in zip(lines[1:], ["2", "1", "0", "3", "", "1"], strict=True)
    ]
    text = "\n".join(marked)
    assert by_stop(read(tmp_path, stop_times=text)) == {
        "A": [0, 1, 0, 0, 0, 1],
        "B": [0, 1, 0, 0, 0, 1],
        "C": [0, 1, 0, 0, 0, 1],
    }
    extract = read(tmp_path, stop_times=text, cut=True)
    assert extract.report["last calls that say people may board"] == 1
    assert by_stop(extract)["C"] == [0, 2, 0, 0, 0, 2]
    assert by_stop(extract)["A"] == [0, 1, 0, 0, 0, 1]


AFTER_MIDNIGHT = {
    "trips": "route_id,service_id,trip_id\nR,F,late\n",
    "stop_times": "trip_id,arrival_time,departure_time,stop_id,stop_sequence\n"
    "late,23:50:00,23:50:00,A,1\nlate,25:10:00,25:10:00,B,2\nlate,49:00:00,49:00:00,C,3\n"
    "late,49:10:00,49:10:00,A,4\n",
    "calendar": "service_id,monday,tuesday,wednesday,thursday,friday,saturday,sunday,"
    "start_date,end_date\nF,0,0,0,0,1,0,0,20240301,20240430\n",
}


def test_after_midnight_is_the_next_date(tmp_path: Path) -> None:
    timetable = read(tmp_path, **AFTER_MIDNIGHT)
    friday, night = dt.date(2024, 3, 8), [1, 0, 0, 0, 0, 1]
    none = [0] * 6
    one_day = dt.timedelta(days=1)
    assert by_stop(timetable, friday) == {"A": night, "B": none, "C": none}
    assert by_stop(timetable, friday + one_day) == {"A": none, "B": night, "C": none}
    assert by_stop(timetable, friday + 2 * one_day) == {"A": none, "B": none, "C": night}
    assert by_stop(timetable, friday, service_day=True) == {"A": night, "B": night, "C": night}
    assert by_stop(timetable, friday + one_day, service_day=True) == dict.fromkeys("ABC", none)


def test_exceptions_add_and_remove_days(tmp_path: Path) -> None:
    timetable = read(
        tmp_path,
        trips="route_id,service_id,trip_id\nR,W,out\nR,X,back\n",
        calendar_dates="service_id,date,exception_type\n"
        "W,20240401,2\nW,20240406,1\nX,20240406,1\nX,20240506,1\nW,20240504,2\n",
    )
    assert services_on(timetable, dt.date(2024, 4, 1)) == []  # Easter Monday
    assert services_on(timetable, dt.date(2024, 4, 2)) == ["W"]
    assert services_on(timetable, dt.date(2024, 4, 6)) == ["W", "X"]
    assert services_on(timetable, dt.date(2024, 5, 6)) == ["X"]  # only an exception
    assert dates_covered(timetable) == (dt.date(2024, 3, 1), dt.date(2024, 5, 6))
    days = dict(trips_by_date(timetable).iter_rows())
    assert len(days) == 67
    assert {d: n for d, n in days.items() if n != (d.weekday() < 5 and d.month < 5)} == {
        dt.date(2024, 4, 1): 0,
        dt.date(2024, 4, 6): 2,
        dt.date(2024, 5, 6): 1,
    }


def test_a_feed_may_have_exceptions_alone(tmp_path: Path) -> None:
    dates = "service_id,date,exception_type\nW,20240305,1\nW,20240307,1\n"
    timetable = read(tmp_path, calendar="", calendar_dates=dates)
    assert dates_covered(timetable) == (TUESDAY, dt.date(2024, 3, 7))
    assert trips_by_date(timetable)["trips"].to_list() == [2, 0, 2]
    removed = read(tmp_path, calendar="", calendar_dates=dates.replace(",1\n", ",2\n"))
    with pytest.raises(DataError, match="no service ever runs"):
        dates_covered(removed)


def test_beyond_its_dates_a_timetable_says_nothing(tmp_path: Path) -> None:
    timetable = read(tmp_path)
    assert by_stop(timetable, dt.date(2024, 3, 3)) == dict.fromkeys("ABC", [0] * 6)  # a Sunday
    with pytest.raises(DataError, match="does not cover 2024-05-01; it covers 2024-03-01 to 2024-"):
        departures(timetable, dt.date(2024, 5, 1))


def test_the_typical_day_is_no_holiday(tmp_path: Path) -> None:
    timetable = read(
        tmp_path,
        calendar_dates="service_id,date,exception_type\nW,20240304,2\nW,20240401,2\n",
    )
    assert typical_day(timetable, "monday") == dt.date(2024, 3, 11)
    assert typical_day(timetable, "sunday") == dt.date(2024, 3, 3)  # none, which is known
    later = (dt.date(2024, 4, 1), dt.date(2024, 4, 30))
    assert typical_day(timetable, "monday", later) == dt.date(2024, 4, 8)
    with pytest.raises(UnknownNameError, match="did you mean 'monday'"):
        typical_day(timetable, "mondy")
    with pytest.raises(DataError, match="no sunday between 2024-05-01 and 2024-05-31; it covers"):
        typical_day(timetable, "sunday", (dt.date(2024, 5, 1), dt.date(2024, 5, 31)))


HEADWAY = "trip_id,start_time,end_time,headway_secs,exact_times\n"


def test_a_trip_at_a_headway_stands_for_many(tmp_path: Path) -> None:
    timetable = read(
        tmp_path,
        frequencies=HEADWAY + "out,09:00:00,10:00:00,1200,0\nout,23:30:00,24:30:00,1800,1\n",
    )
    # 9:00, 9:20, 9:40; 23:30, and 24:00 of Monday's service; the trip's own 7:50 is an example.
    assert by_stop(timetable)["A"] == [2, 3, 0, 0, 0, 5]
    # five minutes later; 23:35, and 0:05 of Monday's
    assert by_stop(timetable)["B"] == [2, 4, 0, 0, 0, 6]
    assert trips_by_date(timetable)["trips"].max() == 6


def test_platforms_are_one_station(tmp_path: Path) -> None:
    stops = (
        "stop_id,stop_name,stop_lat,stop_lon,location_type,parent_station\n"
        "S,Central,51.5,0,1,\nA,Bay 1,51.5,0,0,S\nB,Bay 2,51.5,0.0001,,S\nC,Mill,51.5,0.01,0,\n"
    )
    timetable = read(tmp_path, stops=stops)
    assert departures(timetable, TUESDAY, by="station").select("station", "day").rows() == [
        ("S", 3),
        ("C", 1),
    ]
    assert stops_within(at(0), timetable).tolist() == [2]  # the bays, not the station
    with pytest.raises(DataError, match="by 'platform'; expected stop or station"):
        departures(timetable, TUESDAY, by="platform")


def test_a_bus_that_stops_twice_on_the_way_past_is_one_bus(tmp_path: Path) -> None:
    timetable = read(tmp_path)
    origins = at(0, 100, 590, 900, 2_500)
    # Within 400 m: all of 0 and 100, two of 590, none of 900; 2,500 is beyond what is known.
    assert stops_within(origins, timetable).tolist()[:4] == [3, 3, 2, 0]
    rates = departures_per_hour(origins, timetable, TUESDAY)
    assert rates["morning_peak"].to_list() == [2 / 4, 2 / 4, 2 / 4, 0, None]
    every = departures_per_hour(origins, timetable, TUESDAY, once=False)
    assert every["morning_peak"].to_list() == [4 / 4, 4 / 4, 3 / 4, 0, None]
    assert every["day"].to_list() == [4 / 24, 4 / 24, 3 / 24, 0, None]


def test_a_trip_counts_at_the_nearest_stop(tmp_path: Path) -> None:
    timetable = read(tmp_path)
    before = [Band("before", ((0, 7.9),)), Band("after", ((7.9, 24),))]  # 7:54
    rates = departures_per_hour(at(0, 200), timetable, TUESDAY, 250, before)
    assert (rates["before"] * 7.9).round(9).to_list() == [1, 0]
    assert (rates["after"] * 16.1).round(9).to_list() == [1, 2]


def test_beyond_its_stops_a_timetable_says_nothing_unless_told(tmp_path: Path) -> None:
    timetable = read(tmp_path)
    origins = at(0, 2_300, 2_500)
    assert covered(origins, timetable).tolist() == [True, True, False]
    assert np.isnan(stops_within(origins, timetable)).tolist() == [False, False, True]
    everywhere = np.ones(3, dtype=bool)
    assert stops_within(origins, timetable, within=everywhere).tolist() == [3, 0, 0]
    for wrong in (np.ones(2, dtype=bool), np.ones(3)):
        with pytest.raises(DataError, match="expected one truth for each of 3 origins"):
            stops_within(origins, timetable, within=wrong)  # type: ignore[arg-type]


def test_the_table_of_areas(tmp_path: Path) -> None:
    timetable = read(tmp_path)
    table = timetable_table(["E1", "E2"], at(0, 5_000), timetable, TUESDAY)
    assert table.columns == [
        "code",
        "stops_400m",
        *(f"departures_per_hour_{name}" for name in [*NAMES, "day"]),
    ]
    assert table.row(0) == ("E1", 3.0, 0.0, 0.5, 0.0, 0.0, 0.0, 2 / 24)
    assert table.row(1) == ("E2", *[None] * 7)
    with pytest.raises(DataError, match="1 codes for 2 origins"):
        timetable_table(["E1"], at(0, 5_000), timetable, TUESDAY)


def test_reach_along_streets_may_be_given(tmp_path: Path) -> None:
    timetable = read(tmp_path)
    origins = at(0)
    longer = straight_reach(origins, timetable.served_points(), 300, detour=2)
    table = timetable_table(["E1"], origins, timetable, TUESDAY, reach=longer)
    assert table["stops_300m"].to_list() == [1]
    assert table["departures_per_hour_day"].to_list() == [1 / 24]
    with pytest.raises(DataError, match="1 origins and 3 places; expected 2 origins and 3 served"):
        stops_within(at(0, 0), timetable, reach=longer)


@pytest.mark.parametrize(
    ("name", "spans", "said"),
    [
        ("day", ((0, 1),), "expected another name"),
        ("x", (), "expected spans within"),
        ("x", ((22, 26),), "expected spans within"),
        ("x", ((8, 6),), "expected spans within"),
        ("x", ((6, 8), (7, 9)), "expected spans within"),
        ("x", ((6, 6),), "expected spans within"),
    ],
)
def test_a_band_that_is_none_is_named(
    name: str, spans: tuple[tuple[float, float], ...], said: str
) -> None:
    with pytest.raises(DataError, match=said):
        Band(name, spans)


def test_two_bands_of_one_name_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="two bands of the same name: night, night"):
        departures(read(tmp_path), TUESDAY, [BANDS[0], BANDS[0]])


# Timetables at random, beside loops that count one trip after the other.

Trip = tuple[str, int, list[tuple[int, int]]]  # service, first departure, (minutes on, stop) ...
SERVICES = {"W": range(5), "E": range(5, 7), "D": range(7)}

trips = st.lists(
    st.tuples(
        st.sampled_from(sorted(SERVICES)),
        st.integers(0, 30 * 60),
        st.lists(st.tuples(st.integers(0, 90), st.integers(0, 5)), min_size=1, max_size=5),
    ),
    min_size=1,
    max_size=8,
)
days = st.dates(dt.date(2024, 3, 4), dt.date(2024, 4, 28))
quick = settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
SIX = at(0, 150, 300, 450, 600, 900)


def files_of(some: list[Trip], exceptions: str = "", headway: str = "") -> dict[str, str]:
    """Write trips as a feed of six stops."""
    named = "trip_id,arrival_time,departure_time,stop_id,stop_sequence\n"
    rows = []
    for k, (_, minute, stops) in enumerate(some):
        for n, (wait, stop) in enumerate(stops):
            minute += wait
            time = f"{minute // 60}:{minute % 60:02}:00"
            rows.append(f"t{k},{time},{time},s{stop},{n}\n")
    return feed(
        stops="stop_id,stop_lat,stop_lon\n"
        + "".join(
            f"s{k},{y!r},{x!r}\n"
            for k, (x, y) in enumerate(
                zip(SIX.longitude.tolist(), SIX.latitude.tolist(), strict=True)
            )
        ),
        trips="route_id,service_id,trip_id\n"
        + "".join(f"R,{service},t{k}\n" for k, (service, _, _) in enumerate(some)),
        stop_times=named + "".join(rows),
        calendar=feed()["calendar"].splitlines()[0]
        + "\n"
        + "".join(
            f"{s},{','.join(str(int(d in on)) for d in range(7))},20240301,20240430\n"
            for s, on in SERVICES.items()
        ),
        calendar_dates=exceptions and "service_id,date,exception_type\n" + exceptions,
        frequencies=headway,
    )


def counted(some: list[Trip], date: dt.date) -> dict[tuple[int, int], list[int]]:
    """Give the minutes at which each run leaves from each stop: (run, stop) -> minutes."""
    found: dict[tuple[int, int], list[int]] = {}
    for back in range(3):
        weekday = (date - dt.timedelta(days=back)).weekday()
        for k, (service, minute, stops) in enumerate(some):
            for wait, stop in stops[:-1]:
                minute += wait
                if weekday in SERVICES[service] and 0 <= minute - back * 1440 < 1440:
                    found.setdefault((10 * k + back, stop), []).append(minute - back * 1440)
    return found


@pytest.mark.slow
@quick
@given(some=trips, date=days)
def test_departures_are_those_that_loops_count(
    some: list[Trip], date: dt.date, tmp_path: Path
) -> None:
    timetable = read_timetable(write(tmp_path / "feed", files_of(some)))
    expected = counted(some, date)
    table = departures(timetable, date)
    for row in table.iter_rows(named=True):
        minutes = [m for (_, s), at_ in expected.items() if f"s{s}" == row["stop_id"] for m in at_]
        assert row["day"] == len(minutes)
        assert row["morning_peak"] == sum(360 <= m < 600 for m in minutes)
        assert row["night"] == sum(m < 360 or m >= 1320 for m in minutes)
    assert table.select(pl.sum_horizontal(NAMES)).to_series().to_list() == table["day"].to_list()


@quick
@given(some=trips, date=days, limit_m=st.sampled_from([100.0, 280.0, 500.0]))
def test_runs_within_reach_are_those_that_loops_count(
    some: list[Trip], date: dt.date, limit_m: float, tmp_path: Path
) -> None:
    timetable = read_timetable(write(tmp_path / "feed", files_of(some)))
    if not len(timetable.served_rows()):
        return
    origins = at(10, 320, 1_000)
    expected = counted(some, date)
    rates = departures_per_hour(origins, timetable, date, limit_m, within=np.ones(3, dtype=bool))
    for o in range(3):
        far = great_circle_m(origins.longitude[o], origins.latitude[o], SIX.longitude, SIX.latitude)
        nearest: dict[int, tuple[float, int]] = {}
        for (run, stop), minutes in expected.items():
            if far[stop] <= limit_m:
                nearest[run] = min(nearest.get(run, (np.inf, 0)), (far[stop], min(minutes)))
        assert rates["day"][o] * 24 == pytest.approx(len(nearest))
        midday = sum(600 <= minute < 900 for _, minute in nearest.values())
        assert rates["midday"][o] * 5 == pytest.approx(midday)
    assert (rates[NAMES] * 1.0).select(
        sum(pl.col(band.name) * band.hours for band in BANDS)
    ).to_series().to_numpy() == pytest.approx(rates["day"].to_numpy() * 24)


@pytest.mark.slow
@quick
@given(some=trips, more=trips, date=days)
def test_another_trip_never_lowers_departures(
    some: list[Trip], more: list[Trip], date: dt.date, tmp_path: Path
) -> None:
    before = by_stop(read_timetable(write(tmp_path / "feed", files_of(some))), date) if some else {}
    after = by_stop(read_timetable(write(tmp_path / "feed", files_of(some + more))), date)
    assert all(np.all(np.array(after[stop]) >= counts) for stop, counts in before.items())


@pytest.mark.slow
@quick
@given(some=trips, date=days, data=st.data())
def test_the_order_of_rows_makes_no_difference(
    some: list[Trip], date: dt.date, data: st.DataObject, tmp_path: Path
) -> None:
    files = files_of(some)
    before = by_stop(read_timetable(write(tmp_path / "feed", files)), date)
    mixed = {}
    for name, text in files.items():
        header, *rows = text.splitlines()
        mixed[name] = "\n".join([header, *data.draw(st.permutations(rows))])
    assert by_stop(read_timetable(write(tmp_path / "feed", mixed)), date) == before


@pytest.mark.slow
@quick
@given(some=trips, date=days, removed=st.sampled_from(sorted(SERVICES)), data=st.data())
def test_a_removed_service_is_as_one_without_trips(
    some: list[Trip], date: dt.date, removed: str, data: st.DataObject, tmp_path: Path
) -> None:
    off = "".join(
        f"{removed},{d:%Y%m%d},2\n" for d in (date - dt.timedelta(days=back) for back in range(3))
    )
    without = read_timetable(write(tmp_path / "feed", files_of(some, off)))
    kept = [t for t in some if t[0] != removed]
    left = by_stop(without, date)
    rest = by_stop(read_timetable(write(tmp_path / "feed", files_of(kept))), date) if kept else {}
    assert {stop: n for stop, n in left.items() if n[-1]} == {
        stop: n for stop, n in rest.items() if n[-1]
    }
    table = trips_by_date(without).filter(pl.col("date") == date)
    assert table["trips"].item() == sum(
        date.weekday() in SERVICES[service] and service != removed for service, _, _ in some
    )


@pytest.mark.slow
@quick
@given(
    trip=trips.map(lambda some: some[0]),
    start=st.integers(0, 26 * 60),
    headway=st.integers(1, 60),
    n=st.integers(1, 6),
    rest=st.integers(1, 60),
    date=days,
)
def test_a_headway_is_as_trips_one_by_one(
    trip: Trip, start: int, headway: int, n: int, rest: int, date: dt.date, tmp_path: Path
) -> None:
    service, _, stops = trip
    stops = [(0, stops[0][1]), *stops[1:]]
    end = start + (n - 1) * headway + min(rest, headway)
    said = [f"{m // 60}:{m % 60:02}:00" for m in (start, end)]
    often = f"trip_id,start_time,end_time,headway_secs\nt0,{said[0]},{said[1]},{headway * 60}\n"
    short = read_timetable(write(tmp_path / "feed", files_of([(service, 5, stops)], headway=often)))
    each = [(service, start + k * headway, stops) for k in range(n)]
    long = read_timetable(write(tmp_path / "feed", files_of(each)))
    assert by_stop(short, date) == by_stop(long, date)
    assert trips_by_date(short).equals(trips_by_date(long))
