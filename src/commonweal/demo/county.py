"""The fictional county as tables: generated from a seed, described column by column, written to a folder."""

from __future__ import annotations

import hashlib
import io
import json
import operator
from dataclasses import dataclass, fields
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
import yaml

from commonweal.demo import ground_truth as land
from commonweal.demo import ground_truth as needs
from commonweal.demo import people, places
from commonweal.demo import people as residents
from commonweal.demo import places as measures
from commonweal.demo import settlements as names
from commonweal.demo import transport as buses
from commonweal.demo import transport as streets
from commonweal.demo.people import RESIDENT_KINDS
from commonweal.demo.places import PLACE_KINDS
from commonweal.demo.settlements import make_land
from commonweal.demo.transport import STREET_KINDS, numbered
from commonweal.errors import DataError, UnknownNameError
from commonweal.files.atomic import SUMS, atomic_write, write_sums

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from commonweal.demo.places import CountyPlaces
    from commonweal.demo.transport import Streets, Timetable


def codes(prefix: str, count: int) -> list[str]:
    """Make codes such as 'F01000001'."""
    # No office for statistics issues codes that start with F.
    return [f"{prefix}{i:06d}" for i in range(1, count + 1)]


def per_area(
    code: list[str], columns: Mapping[str, NDArray[Any]], *, whole: bool = False
) -> pl.DataFrame:
    """Put columns beside the codes of their areas; NaN becomes null."""
    table = pl.DataFrame({"code": code, **columns}).fill_nan(None)
    return table.with_columns(pl.exclude("code").cast(pl.Int64)) if whole else table


def per_kind(code: list[str], columns: Mapping[str, NDArray[Any]]) -> pl.DataFrame:
    """Put columns beside areas and kinds of residents, each (n_areas, len(KINDS))."""
    age, sex, tenure = (list(part) * len(code) for part in zip(*RESIDENT_KINDS, strict=True))
    return pl.DataFrame(
        {"code": np.repeat(code, len(RESIDENT_KINDS)), "age": age, "sex": sex, "tenure": tenure}
        | {name: values.ravel() for name, values in columns.items()}
    )


def areas_table(
    ground: land.Land, code: list[str], population: NDArray[Any], households: NDArray[Any]
) -> pl.DataFrame:
    """Make the `areas` table."""
    lon, lat = land.to_lonlat(ground.easting, ground.northing)
    district = codes("F02", land.N_DISTRICTS)
    return pl.DataFrame(
        {
            "code": code,
            "name": ground.area_names,
            "district_code": [district[i] for i in ground.district],
            "district_name": [ground.district_names[i] for i in ground.district],
            "settlement": [ground.settlements[i].name for i in ground.settlement],
            "kind": [land.KINDS[i] for i in ground.kind],
            "population": population,
            "households": households,
            "easting": ground.easting,
            "northing": ground.northing,
            "lon": lon,
            "lat": lat,
            "geometry": land.boundaries_wkb(ground),
        }
    )


def street_tables(network: Streets, code: list[str]) -> dict[str, pl.DataFrame]:
    """Make the tables `street_nodes` and `street_edges`."""
    node = numbered("N", pl.col("i"), 6)
    nodes = pl.DataFrame(
        {
            "i": np.arange(len(network.at)),
            "easting": network.at[:, 0],
            "northing": network.at[:, 1],
            "area_code": [code[i] for i in network.area],
        }
    )
    edges = pl.DataFrame(
        {
            "a": network.start,
            "b": network.end,
            "length_m": network.length_m,
            "kind": [STREET_KINDS[i] for i in network.kind],
        }
    )
    return {
        "street_nodes": nodes.select(node.alias("id"), pl.exclude("i")),
        "street_edges": edges.select(
            numbered("N", pl.col("a"), 6).alias("from"),
            numbered("N", pl.col("b"), 6).alias("to"),
            "length_m",
            "kind",
        ),
    }


def places_table(found: CountyPlaces, code: list[str]) -> pl.DataFrame:
    """Make the `places` table."""
    lon, lat = land.to_lonlat(found.easting, found.northing)
    return pl.DataFrame(
        {
            "i": np.arange(len(found.kind)),
            "name": found.name,
            "kind": [PLACE_KINDS[i].name for i in found.kind],
            "easting": found.easting,
            "northing": found.northing,
            "lon": lon,
            "lat": lat,
            "area_code": [code[i] for i in found.area],
            "closed": found.closed,
        }
    ).select(
        numbered("P", pl.col("i"), 6).alias("id"),
        pl.exclude("i", "closed"),
        closed=pl.when(pl.col("closed") > 0).then("closed"),
    )


def bus_tables(ground: land.Land, timetable: Timetable, code: list[str]) -> dict[str, pl.DataFrame]:
    """Make the tables of the timetable."""
    lon, lat = land.to_lonlat(timetable.at[:, 0], timetable.at[:, 1])
    stops = pl.DataFrame(
        {
            "i": np.arange(len(timetable.at)),
            "stop_name": [ground.area_names[i] for i in timetable.stop_area],
            "stop_lat": lat,
            "stop_lon": lon,
            "easting": timetable.at[:, 0],
            "northing": timetable.at[:, 1],
            "area_code": [code[i] for i in timetable.stop_area],
        }
    )
    days = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
    week = {day: [int(day[0] != "s")] for day in days}
    dates = {"start_date": ["20250101"], "end_date": ["20251231"]}
    return {
        "routes": timetable.routes,
        "stops": stops.select(numbered("B", pl.col("i"), 5).alias("stop_id"), pl.exclude("i")),
        "trips": timetable.trips,
        "stop_times": timetable.stop_times,
        "calendar": pl.DataFrame({"service_id": ["WEEKDAY"], **week, **dates}),
    }


COUNTY_VERSION = 2  # raise it whenever any seed's bytes change: caches are keyed by it
N_AREAS_RANGE = (50, 10_000)


@dataclass(frozen=True)
class County:
    """A fictional county, table by table; `county_columns` describes every column.

    Attributes
    ----------
    seed, n_areas, noise
        What it was generated from.
    name
        The county's name.
    areas, districts, people
        The neighbourhoods, what they belong to and who lives in them; one row a
        neighbourhood (or district), in the order of their codes.
    street_nodes, street_edges
        A connected street network.
    places
        Where people meet, learn, shop and are looked after, closed ones included.
    routes, stops, trips, stop_times, calendar
        A weekday's bus timetable in the columns of GTFS.
    indicators
        What is observed of each neighbourhood, with standard errors; nulls are missing.
    truth
        What is true of each neighbourhood: the needs that all the rest was drawn from.
    residents
        How many people of 16 and over of each age group, sex and tenure live in each neighbourhood.
    residents_truth, social_capital_truth
        What is true of their trust, belonging and loneliness: of each kind in each neighbourhood, and
        of each neighbourhood. `draw_survey` asks some of them.
    """

    seed: int
    n_areas: int
    noise: float
    name: str
    areas: pl.DataFrame
    districts: pl.DataFrame
    people: pl.DataFrame
    street_nodes: pl.DataFrame
    street_edges: pl.DataFrame
    places: pl.DataFrame
    routes: pl.DataFrame
    stops: pl.DataFrame
    trips: pl.DataFrame
    stop_times: pl.DataFrame
    calendar: pl.DataFrame
    indicators: pl.DataFrame
    truth: pl.DataFrame
    residents: pl.DataFrame
    residents_truth: pl.DataFrame
    social_capital_truth: pl.DataFrame

    @property
    def label(self) -> str:
        """The name to show: it always says that the county is fictional."""
        return f"{self.name} (a fictional county)"

    @property
    def tables(self) -> dict[str, pl.DataFrame]:
        """All tables by name."""
        held = {field.name: getattr(self, field.name) for field in fields(self)}
        return {name: value for name, value in held.items() if isinstance(value, pl.DataFrame)}


# Long: one subject after the other, in the order of their streams, so that the county stays the same.
def generate_county(seed: int = 1, n_areas: int = 400, *, noise: float = 1.0) -> County:
    """Generate a fictional county whose truth is known.

    Parameters
    ----------
    seed
        0 or more; the same seed gives the same county, byte for byte.
    n_areas
        Number of neighbourhoods, 50 to 10,000, of 1,000 to 3,000 people each.
    noise
        Scale of the sampling error, 0 (none) to 1 (honest), for tests of what noise does:
        the truth stays the same, and counts draw near to what it makes them on average.

    Returns
    -------
    County
        Tables in the order of their codes.

    Raises
    ------
    DataError
        An argument is of the wrong type or out of its range.

    Examples
    --------
    >>> county = generate_county(seed=1, n_areas=60)
    >>> county.areas["code"][0], county.truth.height
    ('F01000001', 60)
    """
    seed = _whole_number("seed", seed, 0, 2**63 - 1)
    n_areas = _whole_number("n_areas", n_areas, *N_AREAS_RANGE)
    if isinstance(noise, bool) or not isinstance(noise, (int, float)) or not 0 <= noise <= 1:
        raise DataError(f"noise must be a number from 0 to 1; got {noise!r}")
    # One stream a subject: a change to the buses leaves the people as they were.
    streams = (
        np.random.Generator(np.random.PCG64(child))
        for child in np.random.SeedSequence(seed).spawn(11)
    )
    ground = make_land(next(streams), n_areas)
    planted = needs.draw_latent_factors(next(streams), ground)
    population, households = people.settle_people(next(streams), ground)
    expected = places.expected_places(ground, planted, population)
    truth = needs.true_needs(
        planted,
        places.expected_distance_m(ground, expected, "library"),
        places.expected_distance_m(ground, expected, *measures.SERVICES),
    )
    found = places.found_places(next(streams), ground, planted, expected, noise)
    timetable = buses.run_buses(next(streams), ground, planted, noise)
    gigabit = measures.connect_homes(next(streams), planted, households, noise)
    counts: dict[str, NDArray[Any]] = {
        "population": population,
        "households": households,
        "gigabit_households": gigabit,
    }
    counts |= people.count_people(next(streams), planted, population, noise)
    observed = measures.measure(next(streams), ground, counts, found, timetable, noise)
    network = streets.lay_streets(next(streams), ground)
    kinds = residents.count_residents(next(streams), ground, planted, counts["people_16_plus"])
    outcomes = residents.plant_outcomes(next(streams), ground, planted)

    code = codes("F01", n_areas)
    return County(
        seed=seed,
        n_areas=n_areas,
        noise=float(noise),
        name=names.COUNTY_NAME,
        areas=areas_table(ground, code, population, households),
        districts=pl.DataFrame(
            {"code": codes("F02", land.N_DISTRICTS), "name": ground.district_names}
        ),
        people=per_area(code, counts, whole=True),
        **street_tables(network, code),
        places=places_table(found, code),
        **bus_tables(ground, timetable, code),
        indicators=per_area(code, observed),
        truth=per_area(
            code,
            {name: getattr(truth, name) for name in (*needs.STRANDS, "community_need")}
            | {"deprivation": truth.deprivation, "left_behind": truth.left_behind},
        ),
        residents=per_kind(code, {"people": kinds}),
        residents_truth=per_kind(code, outcomes),
        social_capital_truth=per_area(code, residents.of_areas(kinds, outcomes)),
    )


def county_table(name: str, seed: int = 1, n_areas: int = 400) -> pl.DataFrame:
    """Generate the county and hand over one of its tables; nothing is kept."""
    described = county_columns()
    if name not in described:
        raise UnknownNameError("table", name, described, where=" in the fictional county")
    return generate_county(seed, n_areas).tables[name]


@cache
def county_columns() -> dict[str, dict[str, Any]]:
    """Describe every table: what it holds, and each column's unit and meaning."""
    text = files(__package__).joinpath("columns.yaml").read_text(encoding="utf-8")
    described: dict[str, dict[str, Any]] = yaml.safe_load(text)
    return described


def write_county(county: County, folder: str | Path) -> dict[str, Path]:
    """Write each table as CSV, the areas with boundaries as GeoParquet, a README and checksums.

    Every file appears whole or not at all, and SHA256SUMS last: a folder with it is complete, and ``sha256sum -c
    SHA256SUMS`` checks it.
    """
    folder = Path(folder)
    written: dict[str, Path] = {}
    sums: dict[str, str] = {}

    def write(name: str, file: str, content: bytes) -> None:
        written[name] = folder / file
        with atomic_write(written[name]) as part:
            part.write_bytes(content)
        sums[file] = hashlib.sha256(content).hexdigest()

    for name, table in county.tables.items():
        plain = table.drop("geometry", strict=False)
        write(name, f"{name}.csv", plain.write_csv().encode())
    geometry = io.BytesIO()
    county.areas.write_parquet(geometry, metadata={"geo": _geoparquet_header()})
    write("areas_geometry", "areas.parquet", geometry.getvalue())
    write("readme", "README.txt", _readme(county).encode())
    written["sums"] = folder / SUMS
    write_sums(written["sums"], sums)
    return written


def _whole_number(argument: str, value: object, low: int, high: int) -> int:
    try:
        number = operator.index(value)  # type: ignore[arg-type]
    except TypeError:
        number = None
    if number is None or isinstance(value, bool) or not low <= number <= high:
        raise DataError(f"{argument} must be a whole number from {low} to {high}; got {value!r}")
    return number


def _geoparquet_header() -> str:
    # Without a 'crs' key GeoParquet means longitude and latitude on WGS 84.
    column = {"encoding": "WKB", "geometry_types": ["Polygon", "MultiPolygon"]}
    header = {"version": "1.1.0", "primary_column": "geometry", "columns": {"geometry": column}}
    return json.dumps(header)


def _readme(county: County) -> str:
    lines = [
        f"{county.label.upper()}",
        "",
        "Everything here is made up: a program generated it from a seed. There is no such",
        "place, and nobody lives there. It lies on the open North Sea so that no map shows it",
        "on top of a real place. Codes that start with F are issued by no office.",
        "",
        f"Generated by Commonweal: generate_county(seed={county.seed}, "
        f"n_areas={county.n_areas}, noise={county.noise:g}), version {COUNTY_VERSION}.",
        "Coordinates: easting and northing in metres on the British National Grid; lon and lat",
        "in degrees (WGS 84). Empty cells are missing values, planted as real data have them.",
    ]
    for name, table in county_columns().items():
        lines += ["", f"{name}: {table['about']}"]
        for column, it in table["columns"].items():
            need = f"; higher = {it['direction']}; {it['strand']}" if "direction" in it else ""
            lines.append(f"  {column} [{it['unit']}{need}] {it['about']}")
    return "\n".join(lines) + "\n"
