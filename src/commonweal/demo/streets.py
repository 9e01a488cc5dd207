"""The fictional county's streets: one connected network, without the bends."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from commonweal.demo.nearest import nearest, nearest_few

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from commonweal.demo.land import Land

    Floats = NDArray[np.float64]
    Ints = NDArray[np.intp]

STREET_KINDS = ("street", "lane", "road", "main road")
_NODES = 10  # junctions an area, before those that fall in the sea are dropped
_BEND = {"street": 1.05, "lane": 1.25, "road": 1.15, "main road": 1.1}  # length over straight


@dataclass(frozen=True)
class Streets:
    """Junctions and the streets between them.

    Attributes
    ----------
    at
        (n_nodes, 2) grid metres.
    area
        (n_nodes,) index of the area that each junction lies in.
    start, end
        (n_edges,) indices of junctions; a street is passable both ways and listed once.
    length_m
        (n_edges,) metres along the street, bends included.
    kind
        (n_edges,) index into `STREET_KINDS`.
    """

    at: Floats
    area: Ints
    start: Ints
    end: Ints
    length_m: Floats
    kind: Ints


def lay_streets(rng: np.random.Generator, land: Land) -> Streets:
    """Lay out streets within neighbourhoods, lanes between them, and roads between towns.

    Junctions are joined where no third one lies in the circle between them (the Gabriel
    graph): connected, planar, and much like a street map. Those on the shortest ways from
    the county town to the others become main roads; to villages, roads.

    Parameters
    ----------
    rng
        Where chance comes from.
    land
        The county's ground.

    Returns
    -------
    Streets
        Connected; the first junction of each area is its centre.
    """
    from commonweal.demo.land import REMOTE, VILLAGE

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
