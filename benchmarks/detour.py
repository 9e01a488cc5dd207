"""How much longer walks are than straight lines: the detour factor, measured on real maps.

From addresses to the nearest place of each group on the same map: the median and the quartiles of
metres along streets over metres in a straight line. "The same place" holds the walk to the nearest
place against the straight line to that place; "the nearest" holds it against the straight line to
whatever is nearest that way, which is what an index with no street map would take. The last table
is of the same place, by the length of the straight line. Addresses are postcodes, and in Porto
Alegre hexagons where people live. Pairs closer than 100 m are left out: there the way to the street
decides. Beside it stands what a study takes unless it says otherwise, `access: detour`. Needs the
data (COMMONWEAL_MIRROR or the network).
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import polars as pl

from commonweal.access import Points, straight_nearest
from commonweal.access.distance import great_circle_m
from commonweal.access.osm_places import read_places_pbf
from commonweal.access.osm_streets import read_streets
from commonweal.access.places import load_taxonomy
from commonweal.access.postcodes import load_postcodes, place_postcodes
from commonweal.access.streets import snap
from commonweal.access.walks import street_nearest
from commonweal.sources import Store
from commonweal.spec.indicators import AccessSpec

MAPS = ("osm-rutland", "osm-newport", "osm-leeds-campus", "osm-porto-alegre")
SNAP_M, CLOSE_M = 100.0, 100.0
BANDS_M = (100, 300, 600, 1_000, 2_000, 5_000)
FEW = 100


def addresses(name: str, store: Store) -> Points:
    if name == "osm-porto-alegre":
        table = store.table("hexagons-porto-alegre").filter(pl.col("population") > 0)
        return Points(table["lon"].to_numpy(), table["lat"].to_numpy())
    directory = load_postcodes()
    table = place_postcodes(directory.table["postcode"], directory).drop_nulls()
    return Points(table["longitude"].to_numpy(), table["latitude"].to_numpy())


def measure(name: str, store: Store) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Give ratios of walks to straight lines to the same place, these lines, and ratios to the nearest."""
    path = store.path(name)
    streets = read_streets(path).streets
    x, y = streets.points.longitude, streets.points.latitude
    every = addresses(name, store)
    inside = (every.longitude > x.min()) & (every.longitude < x.max())
    inside &= (every.latitude > y.min()) & (every.latitude < y.max())
    origins = Points(every.longitude[inside], every.latitude[inside])
    on = snap(streets, origins, SNAP_M).on_street
    origins = Points(origins.longitude[on], origins.latitude[on])
    places = read_places_pbf(path)
    same, straight_m, nearest = [], [], []
    for group in load_taxonomy().groups:
        points = places.of(group).points
        if not len(points) or not snap(streets, points, SNAP_M).on_street.any():
            continue
        walk = street_nearest(streets, origins, points, snap_m=SNAP_M)
        there = walk.place[:, 0] >= 0
        row = walk.place[there, 0]
        x, y = origins.longitude[there], origins.latitude[there]
        straight = great_circle_m(x, y, points.longitude[row], points.latitude[row])
        shortest = straight_nearest(origins, points).distance_m[there, 0]
        walked = walk.distance_m[there, 0]
        far = straight >= CLOSE_M
        same.append(walked[far] / straight[far])
        straight_m.append(straight[far])
        nearest.append((walked / shortest)[shortest >= CLOSE_M])
    return np.concatenate(same), np.concatenate(straight_m), np.concatenate(nearest)


def main() -> None:
    store = Store.from_environment()
    found = {name: measure(name, store) for name in MAPS}
    print("| map | walks | same place: quartile, median, quartile | the nearest: the same three |")
    print("| --- | ---: | ---: | ---: |")
    for name, (same, _, nearest) in found.items():
        cells = [_quartiles(ratios) for ratios in (same, nearest)]
        print(f"| {name} | {len(same):,} | {cells[0]} | {cells[1]} |")
    bands = list(pairwise(BANDS_M))
    print(f"\n| map | {' | '.join(f'{low:,} to {high:,} m' for low, high in bands)} |")
    print(f"| --- |{' ---: |' * len(bands)}")
    for name, (same, straight_m, _) in found.items():
        inside = [same[(straight_m >= low) & (straight_m < high)] for low, high in bands]
        cells = [f"{np.median(r):.2f}" if len(r) >= FEW else "" for r in inside]
        print(f"| {name} | {' | '.join(cells)} |")
    print(f"\na study takes {AccessSpec().detour:g} unless it says otherwise")


def _quartiles(ratios: np.ndarray) -> str:
    return " ".join(f"{q:.2f}" for q in np.quantile(ratios, [0.25, 0.5, 0.75]))


if __name__ == "__main__":
    main()
