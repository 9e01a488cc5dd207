"""Walks from every node of a street graph: ours against pandana, in one process on the same graph.

Claims on 490,000 nodes with a place on each hundredth: the nearest, the five nearest (within 10 km)
and the count within 1.6 km at least 5 times as fast as pandana *with its build*, in under 500 MB;
distances equal to a metre, counts exactly. Ours is timed with its build too, and goes first, so that
the peak memory read after it is its own. Lengths are whole millimetres, which is what pandana keeps;
it cuts off the rest, so it is handed half a millimetre more. Where the two differ, scipy judges.

The large graph is the map of Newport laid side by side, or, where that is not to be had, a lattice
with noise; then each real map as it is. Needs the maps (COMMONWEAL_MIRROR or the network) and pandana,
which is no dependency: install it with pip into an environment of its own beside requirements.lock,
and run this there with PYTHONPATH=src. With the names of graphs, only those are run.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib.util
import os
import resource
import sys
import time
from typing import TYPE_CHECKING

import numpy as np
from scipy.sparse import csr_array
from scipy.sparse.csgraph import dijkstra

from commonweal.access import Points
from commonweal.access.distance import great_circle_m
from commonweal.access.osm_streets import read_streets
from commonweal.access.streets import Streets
from commonweal.access.walks import street_counts, street_nearest
from commonweal.errors import CommonwealError
from commonweal.sources import Store

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    Found = tuple[NDArray[np.float64], NDArray[np.int64]]

N_NODES, A_PLACE, K = 490_000, 100, 5
MM = 0.001
HALF = MM / 2  # within it what is told apart in millimetres is the same
FAR_M, WALK_M = 10_000 + HALF, 1_600 + HALF
FASTER, MEGABYTES = 5, 500
MAPS = ("osm-rutland", "osm-newport", "osm-leeds-campus", "osm-porto-alegre")


# --- the graphs


def graph(name: str) -> Streets:
    """Give a real map, or as `large` one of Newport after the other."""
    if name == "large":
        return large()
    return read_streets(Store.from_environment().path(name)).streets


def large(n_nodes: int = N_NODES) -> Streets:
    """Give about so many nodes, all connected: Newport side by side, else a lattice."""
    try:
        return tiled(
            read_streets(Store.from_environment().path("osm-newport")).streets.largest(), n_nodes
        )
    except CommonwealError as error:
        print(f"no map of Newport ({error}); a lattice instead")
        return lattice(n_nodes)


def tiled(tile: Streets, n_nodes: int, n_joints: int = 40) -> Streets:
    """Lay a map side by side, in rows, and join each to the next by streets between near edges."""
    n_tiles = max(round(n_nodes / tile.n_nodes), 1)
    n_across = int(np.ceil(np.sqrt(n_tiles)))
    x, y = tile.points.longitude, tile.points.latitude
    wide, high = np.ptp(x) * 1.002, np.ptp(y) * 1.002
    column, row = np.arange(n_tiles) % n_across, np.arange(n_tiles) // n_across
    all_x = (x + wide * (column - n_across // 2)[:, None]).ravel()
    all_y = (y + high * (row - n_across // 2)[:, None]).ravel()
    first = tile.n_nodes * np.arange(n_tiles)[:, None]
    by_x, by_y = np.argsort(x), np.argsort(y)
    tail, head = [(first + tile.tail).ravel()], [(first + tile.head).ravel()]
    for step, order, other, there in (
        (1, by_x, y, column[1:] > 0),
        (n_across, by_y, x, np.ones(max(n_tiles - n_across, 0), np.bool_)),
    ):
        last_nodes, first_nodes = order[-n_joints:], order[:n_joints]
        here = first[:-step][there] if n_tiles > step else first[:0]
        tail.append((here + last_nodes[np.argsort(other[last_nodes])]).ravel())
        head.append(
            (here + step * tile.n_nodes + first_nodes[np.argsort(other[first_nodes])]).ravel()
        )
    a, b = np.concatenate(tail), np.concatenate(head)
    joints = great_circle_m(all_x[a], all_y[a], all_x[b], all_y[b])[n_tiles * tile.n_streets :]
    length_m = np.concatenate([np.tile(tile.length_m, n_tiles), joints])
    two_way = np.concatenate([np.tile(tile.two_way, n_tiles), np.ones(len(joints), np.bool_)])
    return Streets.from_edges(Points(all_x, all_y), a, b, length_m, two_way)


def lattice(n_nodes: int) -> Streets:
    """Lay streets about 100 m long that wind a little, a fifth of a lattice's left out."""
    side = round(np.sqrt(n_nodes))
    rng = np.random.default_rng(1)
    x, y = np.meshgrid(np.arange(side), np.arange(side))
    x, y = ((v + rng.uniform(-0.3, 0.3, v.shape)).ravel() for v in (x, y))
    x, y = x * 0.00145, 52 + y * 0.0009
    node = np.arange(side * side).reshape(side, side)
    tail = np.concatenate([node[:, :-1].ravel(), node[:-1].ravel()])
    head = np.concatenate([node[:, 1:].ravel(), node[1:].ravel()])
    kept = rng.random(len(tail)) < 0.8
    tail, head = tail[kept], head[kept]
    length_m = great_circle_m(x[tail], y[tail], x[head], y[head])
    longer = rng.uniform(1, 1.3, len(tail))
    return Streets.from_edges(Points(x, y), tail, head, length_m * longer).largest()


# --- the two


def ours(streets: Streets, length_m: NDArray[np.float64], places: Points) -> Found:
    """(n_nodes, K) metres to the nearest places, infinite where there is none; (n_nodes,) counts."""
    built = Streets.from_edges(
        streets.points, streets.tail, streets.head, length_m, streets.two_way
    )
    far_m = street_nearest(built, None, places, K, limit_m=FAR_M, snap_m=0).distance_m
    return far_m, street_counts(built, None, places, WALK_M, snap_m=0).astype(np.int64)


def pandana_s(
    streets: Streets, length_m: NDArray[np.float64], rows: NDArray[np.int64]
) -> tuple[Found, float]:
    """Give the same, and the seconds of the build."""
    import pandana
    import pandas as pd

    start = time.perf_counter()
    tail, head, metres = arcs(streets, length_m)
    x, y = streets.points.longitude, streets.points.latitude
    with quiet():
        network = pandana.Network(
            pd.Series(x), pd.Series(y), pd.Series(tail), pd.Series(head),
            pd.DataFrame({"metres": metres + HALF}), twoway=False,
        )  # fmt: skip
    built = time.perf_counter() - start
    network.set_pois("places", FAR_M, K, pd.Series(x[rows]), pd.Series(y[rows]))
    far_m = network.nearest_pois(FAR_M, "places", num_pois=K).to_numpy()
    network.set(pd.Series(rows), name="places")
    counts = network.aggregate(WALK_M, type="count", name="places").to_numpy()
    return (np.where(far_m >= FAR_M - HALF, np.nan, far_m), counts.astype(np.int64)), built


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Let nothing out that a compiled library prints on its way."""
    sys.stdout.flush()
    kept = os.dup(1)
    with open(os.devnull, "wb") as nowhere:  # noqa: PTH123
        os.dup2(nowhere.fileno(), 1)
    try:
        yield
    finally:
        os.dup2(kept, 1)
        os.close(kept)


def arcs(
    streets: Streets, length_m: NDArray[np.float64]
) -> tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.float64]]:
    """Tails, heads and lengths of the streets in each direction in which they are walked."""
    back = streets.two_way
    return (
        np.concatenate([streets.tail, streets.head[back]]),
        np.concatenate([streets.head, streets.tail[back]]),
        np.concatenate([length_m, length_m[back]]),
    )


def judged(
    streets: Streets,
    length_m: NDArray[np.float64],
    rows: NDArray[np.int64],
    nodes: NDArray[np.int64],
) -> Found:
    """Give what scipy says of some nodes."""
    tail, head, metres = arcs(streets, length_m)
    order = np.lexsort([metres, head, tail])  # of several arcs between two nodes the shortest
    first = np.unique(np.column_stack([tail, head])[order], axis=0, return_index=True)[1]
    kept = order[first]
    n = streets.n_nodes
    graph = csr_array((metres[kept], (tail[kept], head[kept])), shape=(n, n))
    all_m = np.vstack([dijkstra(graph, indices=v, limit=FAR_M)[rows] for v in nodes])
    far_m = np.sort(all_m, axis=1)[:, :K]
    return np.where(np.isinf(far_m), np.nan, far_m), (all_m <= WALK_M).sum(axis=1)


# --- the comparison


def differ(a: Found, b: Found) -> NDArray[np.bool_]:
    """(n_nodes,) whether a distance differs by a metre, or is missing from one, or a count differs."""
    apart = ~(np.abs(a[0] - b[0]) < 1) & ~(np.isnan(a[0]) & np.isnan(b[0]))
    return apart.any(axis=1) | (a[1] != b[1])


def peak_mb() -> float:
    unit = 1e6 if sys.platform == "darwin" else 1e3
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit


def compare(name: str, streets: Streets) -> bool:
    """Print how the two compare on a graph; say whether all claims hold that are made of it."""
    rng = np.random.default_rng(1)
    x, y = streets.points.longitude, streets.points.latitude
    _, first, same = np.unique(x + 1j * y, return_index=True, return_counts=True)
    alone = first[
        same == 1
    ]  # two sides of a closed gate are at one spot: a place would be on either
    rows = np.sort(rng.choice(alone, max(streets.n_nodes // A_PLACE, K), replace=False))
    places = Points(x[rows], y[rows])
    length_m = np.rint(streets.length_m / MM) * MM
    start = time.perf_counter()
    mine = ours(streets, length_m, places)
    seconds, memory = time.perf_counter() - start, peak_mb()
    start = time.perf_counter()
    theirs, build = pandana_s(streets, length_m, rows)
    pandana_seconds = time.perf_counter() - start
    ratio = pandana_seconds / seconds
    apart = np.flatnonzero(differ(mine, theirs))
    sample = np.concatenate([apart[:50], rng.choice(streets.n_nodes, 50)])
    true = judged(streets, length_m, rows, sample)
    mine_off, theirs_off = (
        int(differ((f[0][sample], f[1][sample]), true).sum()) for f in (mine, theirs)
    )
    gap = np.nanmax(np.abs(mine[0] - theirs[0]), initial=0)
    print(
        f"{name}: {streets.n_nodes:,} nodes, {streets.n_streets:,} streets, {len(rows):,} places\n"
        f"  ours {seconds:.2f} s; pandana {pandana_seconds:.1f} s, of which build {build:.1f} s: "
        f"{ratio:.0f} x, {(pandana_seconds - build) / seconds:.1f} x without its build\n"
        f"  largest difference {gap:.4f} m; {len(apart):,} nodes differ; of {len(sample)} nodes "
        f"scipy contradicts ours at {mine_off}, pandana at {theirs_off}"
    )
    holds = ratio >= FASTER and mine_off == 0 and (len(apart) == 0 or theirs_off > 0)
    if name == "large":
        print(f"  peak memory {memory:.0f} MB, the graph and all libraries included")
        holds &= memory < MEGABYTES
    return holds


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    asked.add_argument("graphs", nargs="*", default=["large", *MAPS])
    graphs = asked.parse_args().graphs
    if importlib.util.find_spec("pandana") is None:
        print("pandana is not installed, so nothing is compared: install it with pip in an ")
        print("environment of its own, with requirements.lock, and run this there")
        return
    warm = lattice(400)
    ours(warm, warm.length_m, warm.points)  # compiles
    missed = []
    for name in graphs:
        try:
            streets = graph(name)
        except CommonwealError as error:
            print(f"{name}: skipped ({error})")
            continue
        if not compare(name, streets):
            missed.append(name)
    if missed:
        raise SystemExit(f"a claim is missed on {', '.join(missed)}; is the machine busy?")


if __name__ == "__main__":
    main()
