"""The county's arrays as Polars tables; `columns.yaml` describes their columns."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from commonweal.demo import land
from commonweal.demo.buses import numbered
from commonweal.demo.places import PLACE_KINDS
from commonweal.demo.residents import KINDS
from commonweal.demo.streets import STREET_KINDS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from commonweal.demo.buses import Timetable
    from commonweal.demo.places import Places
    from commonweal.demo.streets import Streets


def codes(prefix: str, count: int) -> list[str]:
    """Make codes such as 'F01000001'."""
    # No office for statistics issues codes that start with F.
    return [f"{prefix}{i:06d}" for i in range(1, count + 1)]


def per_area(
    code: list[str], columns: Mapping[str, NDArray[Any]], *, whole: bool = False
) -> pl.DataFrame:
    """Put columns beside the codes of their areas; NaN becomes null.

    Parameters
    ----------
    code
        Codes of the areas.
    columns
        Each (n_areas,).
    whole
        Whether they are counts, to be held as whole numbers.
    """
    table = pl.DataFrame({"code": code, **columns}).fill_nan(None)
    return table.with_columns(pl.exclude("code").cast(pl.Int64)) if whole else table


def per_kind(code: list[str], columns: Mapping[str, NDArray[Any]]) -> pl.DataFrame:
    """Put columns beside areas and kinds of residents, each (n_areas, len(KINDS))."""
    age, sex, tenure = (list(part) * len(code) for part in zip(*KINDS, strict=True))
    return pl.DataFrame(
        {"code": np.repeat(code, len(KINDS)), "age": age, "sex": sex, "tenure": tenure}
        | {name: values.ravel() for name, values in columns.items()}
    )


def areas(
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


def places(found: Places, code: list[str]) -> pl.DataFrame:
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
