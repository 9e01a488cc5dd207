"""Walks on the real maps: what is read of each, and the same distances and counts as scipy finds."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import osmium
import pytest
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components, dijkstra

from commonweal.access import Points
from commonweal.access.distance import great_circle_m
from commonweal.access.osm_streets import StreetsRead, barrier_closed, read_streets, walked
from commonweal.access.walks import street_counts, street_nearest, street_reach

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from commonweal.access.streets import Streets
    from commonweal.sources import Store

pytestmark = pytest.mark.real

MAPS = ("osm-rutland", "osm-newport", "osm-leeds-campus", "osm-porto-alegre")
DOCS = Path(__file__).parents[2] / "docs" / "methods" / "walking.md"
LIMIT_M, N_SAMPLE, K = 1600.0, 150, 5


@pytest.fixture(scope="module")
def read(real_store: Store) -> Callable[[str], StreetsRead]:
    return cache(lambda name: read_streets(real_store.path(name)))


def arcs(streets: Streets) -> csr_array[Any]:
    """The streets as scipy has them: of several between two nodes the shortest."""
    ends = [(streets.tail, streets.head), (streets.head, streets.tail)]
    tail, head = (np.concatenate([a, b[streets.two_way]]) for a, b in zip(*ends, strict=True))
    length_m = np.concatenate([streets.length_m, streets.length_m[streets.two_way]])
    order = np.lexsort([length_m, head, tail])
    first = np.unique(np.column_stack([tail, head])[order], axis=0, return_index=True)[1]
    kept = order[first]
    n = streets.n_nodes
    return csr_array((length_m[kept], (tail[kept], head[kept])), shape=(n, n))


def some_nodes(streets: Streets, n: int, seed: int) -> tuple[NDArray[np.int64], Points]:
    rows = np.random.default_rng(seed).choice(streets.n_nodes, min(n, streets.n_nodes), False)
    return rows, Points(streets.points.longitude[rows], streets.points.latitude[rows])


@pytest.mark.parametrize("name", MAPS)
def test_distances_and_counts_are_scipys(name: str, read: Callable[[str], StreetsRead]) -> None:
    streets = read(name).streets
    rows, places = some_nodes(streets, N_SAMPLE, 1)
    # From each place against the streets: what is found are walks from every node to it.
    all_m = dijkstra(arcs(streets).T, indices=rows).T
    by_hand = np.sort(all_m, axis=1)[:, :K]
    near = street_nearest(streets, None, places, K)
    np.testing.assert_array_equal(np.isnan(near.distance_m), np.isinf(by_hand))
    np.testing.assert_allclose(
        near.distance_m, np.where(np.isinf(by_hand), np.nan, by_hand), atol=1
    )
    counts = (all_m <= LIMIT_M).sum(axis=1)
    assert street_counts(streets, None, places, LIMIT_M).tolist() == counts.tolist()
    reach = street_reach(streets, None, places, LIMIT_M)
    assert np.diff(reach.starts).tolist() == counts.tolist()
    np.testing.assert_array_equal(reach.distance_m, all_m[reach.origin(), reach.place])
    assert counts.sum() > 1_000


@pytest.mark.parametrize("name", MAPS)
def test_no_walk_is_shorter_than_a_straight_line(
    name: str, read: Callable[[str], StreetsRead]
) -> None:
    """From anywhere on the map to anywhere, by streets that are near enough."""
    streets = read(name).streets
    x, y = streets.points.longitude, streets.points.latitude
    rng = np.random.default_rng(2)
    origins, places = (
        Points(rng.uniform(x.min(), x.max(), n), rng.uniform(y.min(), y.max(), n))
        for n in (500, 200)
    )
    reach = street_reach(streets, origins, places, 3_000)
    o, p = reach.origin(), reach.place
    straight = great_circle_m(
        origins.longitude[o], origins.latitude[o], places.longitude[p], places.latitude[p]
    )
    assert len(p) > 200
    assert (reach.distance_m >= straight - 0.1).all()


@pytest.mark.parametrize("name", MAPS)
def test_what_is_kept_of_each_map(name: str, read: Callable[[str], StreetsRead]) -> None:
    found = read(name)
    report, streets = found.report, found.streets
    assert streets.n_nodes == report["nodes"]
    assert streets.n_streets == report["streets"]
    row = (
        f"| `{name}` | {report['highways read']:,} | {report['highways walked']:,} | "
        f"{report['barriers']:,} | {report['components found']:,} | {report['components']:,} | "
        f"{report['length, km']:,.0f} of {report['length found, km']:,.0f} | "
        f"{report['share in the largest']:.1%} |"
    )
    assert row in DOCS.read_text("utf-8")
    n, component = connected_components(arcs(streets), directed=False)
    assert n == report["components"]
    assert np.bincount(component).min() >= 50
    # Each course is as long as its street, and no node hangs by nothing.
    courses = [streets.course(e) for e in range(0, streets.n_streets, 50)]
    long = [
        great_circle_m(c.longitude[:-1], c.latitude[:-1], c.longitude[1:], c.latitude[1:]).sum()
        for c in courses
    ]
    np.testing.assert_allclose(streets.length_m[::50], long, atol=0.01)
    assert np.unique([streets.tail, streets.head]).size == streets.n_nodes


@pytest.mark.parametrize("name", MAPS)
def test_what_is_found_by_a_second_reading(
    name: str, read: Callable[[str], StreetsRead], real_store: Store
) -> None:
    """With pyosmium's own way of joining nodes to ways, way by way: no graph, no cutting."""
    metres, highways, ways, crossed = 0.0, 0, 0, set()
    reader = osmium.FileProcessor(str(real_store.path(name))).with_locations()
    shut = set()
    for thing in reader.with_filter(osmium.filter.KeyFilter("highway", "barrier")):
        if thing.is_node() and barrier_closed(thing.tags):
            shut.add(thing.id)
        elif thing.is_way() and "highway" in thing.tags:
            highways += 1
            if walked(thing.tags) != "no":
                ways += 1
                crossed.update(node.ref for node in thing.nodes)
                x, y = np.array([(node.lon, node.lat) for node in thing.nodes]).T
                metres += float(great_circle_m(x[:-1], y[:-1], x[1:], y[1:]).sum())
    report = read(name).report
    assert report["highways read"] == highways > ways == report["highways walked"]
    assert report["barriers"] == len(shut & crossed)
    assert report["nodes missing"] == 0
    assert report["length found, km"] == pytest.approx(metres / 1000, rel=1e-6)
