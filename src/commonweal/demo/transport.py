"""The fictional county's streets and a weekday's buses, in the columns of GTFS."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from commonweal.demo.ground_truth import nearest, nearest_few, poisson

if TYPE_CHECKING:
    import polars as pl
    from numpy.typing import NDArray

    from commonweal.demo.ground_truth import Land, LatentFactors

    Floats = NDArray[np.float64]
    Ints = NDArray[np.intp]
    Counts = NDArray[np.int64]


STREET_KINDS = ("street", "lane", "road", "main road")
_NODES = 10  # junctions an area, before those that fall in the sea are dropped
_BEND = {"street": 1.05, "lane": 1.25, "road": 1.15, "main road": 1.1}  # length over straight


@dataclass(frozen=True)
class Streets:
    """Junctions and the streets between them."""

    at: Floats  # (n_nodes, 2) grid metres
    area: Ints  # (n_nodes,) index of the area that each junction lies in
    # start, end: (n_edges,) indices of junctions; a street is passable both ways and listed once
    start: Ints
    end: Ints
    length_m: Floats  # (n_edges,) metres along the street, bends included
    kind: Ints  # (n_edges,) index into `STREET_KINDS`


def lay_streets(rng: np.random.Generator, land: Land) -> Streets:
    """Lay out streets within neighbourhoods, lanes between them, and roads between towns.

    Junctions are joined where no third one lies in the circle between them (the Gabriel
    graph): connected, planar, and much like a street map. Those on the shortest ways from
    the county town to the others become main roads; to villages, roads.
    """
    from commonweal.demo.ground_truth import REMOTE, VILLAGE

    at, area = _junctions(rng, land)
    start, end = _gabriel(at)
    straight = np.linalg.norm(at[start] - at[end], axis=1)
    start, end, straight = _off_the_sea(land, at, start, end, straight)
    rural = np.isin(land.kind, (VILLAGE, REMOTE))
    kind = np.where((rural[area[start]] | rural[area[end]]) & (straight > 250), 1, 0)
    seats = np.array([(s.easting, s.northing) for s in land.settlements])
    town = np.array([s.kind not in (VILLAGE, REMOTE) for s in land.settlements])
    hub = nearest(land.centres, seats)[1]  # the first junctions are the areas' centres
    on_road, on_main = _on_the_way(len(at), start, end, straight, hub, town)
    kind[on_road] = 2
    kind[on_main] = 3
    bend = np.array([_BEND[name] for name in STREET_KINDS])[kind]
    return Streets(at, area, start, end, np.round(straight * bend, 1), kind.astype(np.intp))


def _junctions(rng: np.random.Generator, land: Land) -> tuple[Floats, Ints]:
    import shapely

    n = len(land.easting)
    reach = land.reach_m
    # The core of each place is dense; a few junctions lie farther out.
    near, far = 0.5 * np.minimum(reach, 500.0), 0.5 * np.minimum(reach, 2_500.0)
    spread = np.column_stack([np.tile(near, (_NODES - 4, 1)).T, np.tile(far, (3, 1)).T])
    around = land.centres[:, None] + rng.normal(size=(n, _NODES - 1, 2)) * spread[:, :, None]
    points = np.round(around.reshape(-1, 2), 0)
    inner = shapely.buffer(land.outline, -30)
    shapely.prepare(inner)
    points = points[shapely.contains_xy(inner, points[:, 0], points[:, 1])]
    points = np.vstack([land.centres, np.unique(points, axis=0)])
    gap = nearest_few(points, points, 2)[0][:, 1]
    keep = (gap > 25) | (np.arange(len(points)) < n)
    points = points[keep]
    return points, nearest(land.centres, points)[1]


def _gabriel(at: Floats) -> tuple[Ints, Ints]:
    from scipy.spatial import Delaunay

    triangles = Delaunay(at).simplices
    pairs = np.sort(np.vstack([triangles[:, [0, 1]], triangles[:, [1, 2]], triangles[:, [0, 2]]]))
    pairs = np.unique(pairs, axis=0)
    middle = (at[pairs[:, 0]] + at[pairs[:, 1]]) / 2
    half = np.linalg.norm(at[pairs[:, 0]] - at[pairs[:, 1]], axis=1) / 2
    free = nearest(at, middle)[0] > half - 1e-6
    return pairs[free, 0].astype(np.intp), pairs[free, 1].astype(np.intp)


def _off_the_sea(
    land: Land, at: Floats, start: Ints, end: Ints, straight: Floats
) -> tuple[Ints, Ints, Floats]:
    import shapely
    from scipy.sparse.csgraph import minimum_spanning_tree

    shapely.prepare(land.outline)
    lines = shapely.linestrings(np.stack([at[start], at[end]], axis=1))
    dry = shapely.covers(land.outline, lines)
    # A causeway stays where without it a place would be cut off.
    n = len(at)
    cost = np.where(dry, straight, straight + 1e6)
    tree = minimum_spanning_tree(_graph(n, start, end, cost)).tocoo()
    needed = np.isin(start * n + end, tree.row.astype(np.intp) * n + tree.col)
    keep = dry | needed
    return start[keep], end[keep], straight[keep]


def _graph(n_nodes: int, start: Ints, end: Ints, length: Floats) -> Any:
    from scipy.sparse import coo_array

    # Older scipy walks graphs with 32-bit indices only.
    ends = (start.astype(np.int32), end.astype(np.int32))
    return coo_array((length, ends), shape=(n_nodes, n_nodes)).tocsr()


def _on_the_way(
    n_nodes: int, start: Ints, end: Ints, straight: Floats, hub: Ints, town: NDArray[np.bool_]
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    from scipy.sparse.csgraph import dijkstra

    graph = _graph(n_nodes, start, end, straight)
    _, before = dijkstra(graph, directed=False, indices=hub[0], return_predecessors=True)
    code = start * n_nodes + end
    found = []
    for walkers in (hub, hub[town]):  # all walk home to the county town, in step
        steps = []
        walkers = np.unique(walkers)
        while walkers.size:
            walkers = walkers[before[walkers] >= 0]
            home = before[walkers].astype(np.intp)
            steps.append(np.minimum(walkers, home) * n_nodes + np.maximum(walkers, home))
            walkers = np.unique(home)
        found.append(np.isin(code, np.concatenate(steps)))
    return found[0], found[1]


_LEVEL, _SLOPE = np.log(34.0), -0.85  # calls a weekday at average need; fall per s.d. of need
_DAY_S = (6 * 3_600, 22 * 3_600)  # first and last departure
_SPEED_M_PER_S = 8.0  # along the straight line, stops and bends included
_STOP_S = 60
_ROUTE_SIZE = 8  # areas a route serves
_EXPRESS_TRIPS = 24  # a day each way between the county town and another


@dataclass(frozen=True)
class Timetable:
    """Tables of GTFS (see columns.yaml), and where the stops stand."""

    routes: pl.DataFrame
    trips: pl.DataFrame
    stop_times: pl.DataFrame
    stop_area: Ints
    at: Floats  # (n_stops, 2) grid metres, in the order of `stops`
    calls: Counts  # (n_stops,) buses that call in the day


def _stop_times(trip: Counts, stop: Counts, second: Counts, sequence: Counts) -> pl.DataFrame:
    """Write the calls down as a timetable has them."""
    import polars as pl

    clock = pl.format(
        "{}:{}:00",
        (pl.col("s") // 3_600).cast(pl.String).str.zfill(2),
        (pl.col("s") // 60 % 60).cast(pl.String).str.zfill(2),
    )
    times = pl.DataFrame({"t": trip, "p": stop, "s": second, "stop_sequence": sequence})
    return times.select(
        numbered("T", pl.col("t"), 7).alias("trip_id"),
        clock.alias("arrival_time"),
        clock.alias("departure_time"),
        numbered("B", pl.col("p"), 5).alias("stop_id"),
        "stop_sequence",
    )


def run_buses(
    rng: np.random.Generator, land: Land, leanings: LatentFactors, noise: float
) -> Timetable:
    """Draw up a weekday's timetable.

    Each area has a stop near its centre, if any bus calls there. Routes leave the nearest
    town and pass areas in order of distance; of a route's trips only as many call at a stop
    as its area's need for connectivity allows, spread evenly over the day.
    """
    import polars as pl

    wanted = poisson(rng, np.exp(_LEVEL + _SLOPE * leanings.connectivity), noise)
    at = np.round(land.centres + rng.uniform(-110, 110, (len(wanted), 2)), 1)
    hubs, routes = _plan_routes(land)
    builder: list[tuple[Counts, Counts, Counts, Counts]] = []
    heads: list[tuple[int, int, int]] = []  # route, direction, trips
    n_trips = 0
    for number, (hub, served) in enumerate(routes):
        express = hub == hubs[0] and served.size == 1 and served[0] in hubs
        calls = np.full(1, 2 * _EXPRESS_TRIPS) if express else wanted[served]
        for direction in (0, 1):  # out of town, then back
            each = (calls + 1 - direction) // 2
            trip, stop, second, sequence = _run(hub, served, each, at, direction)
            builder.append((trip + n_trips, stop, second, sequence))
            heads.append((number, direction, int(each.max())))
            n_trips += int(each.max())
    trip, stop, second, sequence = (np.concatenate(part) for part in zip(*builder, strict=True))
    used, stop_number = np.unique(stop, return_inverse=True)
    stop_times = _stop_times(trip, stop_number, second, sequence)
    size = [count for _, _, count in heads]
    trips = pl.DataFrame(
        {
            "r": np.repeat([head[0] for head in heads], size),
            "t": np.arange(n_trips),
            "direction_id": np.repeat([head[1] for head in heads], size),
        }
    ).select(
        numbered("R", pl.col("r"), 4).alias("route_id"),
        pl.lit("WEEKDAY").alias("service_id"),
        numbered("T", pl.col("t"), 7).alias("trip_id"),
        "direction_id",
    )
    return Timetable(
        routes=_route_table(land, routes).filter(
            pl.col("route_id").is_in(trips["route_id"].unique().to_list())
        ),
        trips=trips,
        stop_times=stop_times,
        stop_area=used.astype(np.intp),
        at=at[used],
        calls=np.bincount(stop_number, minlength=used.size).astype(np.int64),
    )


def numbered(prefix: str, number: pl.Expr, digits: int) -> pl.Expr:
    """Make identifiers such as 'T0000001' of numbers that start at 0."""
    import polars as pl

    return pl.lit(prefix) + (number + 1).cast(pl.String).str.zfill(digits)


def _plan_routes(land: Land) -> tuple[Ints, list[tuple[int, Ints]]]:
    from commonweal.demo.ground_truth import REMOTE, VILLAGE

    towns = [i for i, s in enumerate(land.settlements) if s.kind not in (VILLAGE, REMOTE)]
    at = np.array([(land.settlements[i].easting, land.settlements[i].northing) for i in towns])
    gap = np.linalg.norm(land.centres[:, None] - at, axis=2)
    member = np.where(
        np.isin(land.settlement, towns), np.searchsorted(towns, land.settlement), gap.argmin(1)
    )
    hubs = np.array(
        [np.argmin(np.where(land.settlement == t, gap[:, k], np.inf)) for k, t in enumerate(towns)]
    )
    routes: list[tuple[int, Ints]] = [(int(hubs[0]), hubs[k : k + 1]) for k in range(1, len(hubs))]
    is_hub = np.isin(np.arange(len(member)), hubs)
    for k, hub in enumerate(hubs):
        others = np.flatnonzero((member == k) & ~is_hub)
        away = land.centres[others] - land.centres[hub]
        by_angle = others[np.argsort(np.arctan2(away[:, 1], away[:, 0]), kind="stable")]
        for sector in np.array_split(by_angle, max(1, round(others.size / _ROUTE_SIZE))):
            order = np.argsort(gap[sector, k], kind="stable")
            routes.append((int(hub), sector[order]))
    return hubs, routes


def _run(
    hub: int, served: Ints, each: Counts, at: Floats, direction: int
) -> tuple[Counts, Counts, Counts, Counts]:
    # Trips of one route one way: for every call its trip, area, second of the day, place in
    # the trip. A stop with d calls among f trips is called at by every (f/d)-th of them.
    f = max(int(each.max()), 1)
    j = np.arange(int(each.max()))[:, None]
    calls = np.hstack([np.ones_like(j, dtype=bool), (j + 1) * each // f > j * each // f])
    stops = np.concatenate([[hub], served])
    legs = np.linalg.norm(np.diff(at[stops], axis=0), axis=1)
    offset = np.concatenate([[0.0], np.cumsum(legs / _SPEED_M_PER_S + _STOP_S)])
    if direction == 1:
        calls, stops, offset = calls[:, ::-1], stops[::-1], offset[-1] - offset[::-1]
    first, last = _DAY_S
    start = first + (j + 0.5) * ((last - first) / f)
    trip, position = np.nonzero(calls)
    # Whole minutes, as timetables have; a leg takes more than one, so order survives.
    second = np.floor((start + offset)[trip, position] / 60).astype(np.int64) * 60
    sequence = np.cumsum(calls, axis=1)[trip, position]
    return trip, stops[position], second, sequence


def _route_table(land: Land, routes: list[tuple[int, Ints]]) -> pl.DataFrame:
    import polars as pl

    ends = [f"{land.area_names[hub]} - {land.area_names[served[-1]]}" for hub, served in routes]
    number = np.arange(len(routes))
    return pl.DataFrame({"r": number, "route_long_name": ends}).select(
        numbered("R", pl.col("r"), 4).alias("route_id"),
        (pl.col("r") + 1).cast(pl.String).alias("route_short_name"),
        "route_long_name",
        pl.lit(3).alias("route_type"),
    )
