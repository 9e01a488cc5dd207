"""Streets from a map: what can be walked, in which direction, and where ways are cut."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import osmium
import pytest
from osmium.osm.mutable import Node, Way

from commonweal.access.distance import great_circle_m
from commonweal.access.osm_streets import StreetsRead, barrier_closed, read_streets, walked
from commonweal.access.streets import GRAIN_M
from commonweal.errors import DataError, SourceError

if TYPE_CHECKING:
    from pathlib import Path

    from commonweal.access.streets import Streets

STEP = 0.001  # degrees


class Map:
    """A map to be written: a node is known by its place on a lattice."""

    def __init__(self) -> None:
        self.nodes: dict[tuple[int, int], Node] = {}
        self.ways: list[Way] = []

    def node(self, x: int, y: int, **tags: str) -> int:
        if tags or (x, y) not in self.nodes:
            number = self.nodes[x, y].id if (x, y) in self.nodes else len(self.nodes) + 1
            at = (x * STEP, 52 + y * STEP)
            self.nodes[x, y] = Node(id=number, location=at, tags=tags)
        return int(self.nodes[x, y].id)

    def way(self, *corners: tuple[int, int], **tags: str) -> int:
        refs = [self.node(*corner) for corner in corners]
        tags = {key.replace("__", ":"): value for key, value in tags.items()}
        self.ways.append(Way(id=100 + len(self.ways), nodes=refs, tags=tags))
        return int(self.ways[-1].id)

    def write(self, folder: Path, without: tuple[tuple[int, int], ...] = ()) -> Path:
        file = folder / "map.osm.pbf"
        with osmium.SimpleWriter(str(file), overwrite=True) as writer:
            for at, node in self.nodes.items():
                if at not in without:
                    writer.add_node(node)
            for way in self.ways:
                writer.add_way(way)
        return file

    def read(self, folder: Path, smallest: int = 1) -> StreetsRead:
        return read_streets(self.write(folder), smallest)


def named(streets: Streets, node: int) -> tuple[int, int]:
    """Where a node lies on the lattice."""
    x, y = streets.points.longitude[node], streets.points.latitude[node]
    return round(x / STEP), round((y - 52) / STEP)


def laid(streets: Streets) -> set[tuple[tuple[int, int], tuple[int, int], bool]]:
    """Tail, head and two-way or not of each street."""
    return {
        (named(streets, int(a)), named(streets, int(b)), bool(two_way))
        for a, b, two_way in zip(streets.tail, streets.head, streets.two_way, strict=True)
    }


@pytest.mark.parametrize(
    ("tags", "how"),
    [
        ({"highway": "residential"}, "both"),
        ({"highway": "residential", "oneway": "yes"}, "both"),
        ({"highway": "steps"}, "both"),
        ({"highway": "footway", "access": "private"}, "no"),
        ({"highway": "track", "access": "no", "foot": "yes"}, "both"),
        ({"highway": "track", "access": "permissive"}, "both"),
        ({"highway": "footway", "foot": "no"}, "no"),
        ({"highway": "motorway"}, "no"),
        ({"highway": "motorway", "foot": "designated"}, "both"),
        ({"highway": "trunk"}, "no"),
        ({"highway": "trunk", "sidewalk": "left"}, "both"),
        ({"highway": "trunk", "sidewalk:right": "yes"}, "both"),
        ({"highway": "trunk", "sidewalk": "none"}, "no"),
        ({"highway": "trunk", "foot": "yes"}, "both"),
        ({"highway": "primary", "motorroad": "yes"}, "no"),
        ({"highway": "primary", "motorroad": "yes", "foot": "yes"}, "both"),
        ({"highway": "proposed", "foot": "yes"}, "no"),
        ({"highway": "construction"}, "no"),
        ({"foot": "yes"}, "no"),
        ({}, "no"),
        ({"highway": "footway", "oneway:foot": "yes"}, "forward"),
        ({"highway": "footway", "oneway:foot": "-1"}, "backward"),
        ({"highway": "footway", "foot:backward": "no"}, "forward"),
        ({"highway": "footway", "foot:forward": "no"}, "backward"),
        ({"highway": "steps", "conveying": "backward"}, "backward"),
        ({"highway": "steps", "conveying": "reversible"}, "both"),
    ],
)
def test_who_may_walk_where(tags: dict[str, str], how: str) -> None:
    assert walked(tags) == how


@pytest.mark.parametrize(
    ("tags", "closed"),
    [
        ({}, False),
        ({"highway": "crossing", "foot": "no"}, False),
        ({"barrier": "wall"}, True),
        ({"barrier": "wall", "foot": "yes"}, False),
        ({"barrier": "stile"}, False),
        ({"barrier": "bollard", "access": "no"}, False),
        ({"barrier": "bollard", "foot": "no"}, True),
        ({"barrier": "gate"}, False),
        ({"barrier": "gate", "locked": "yes"}, True),
        ({"barrier": "gate", "access": "private"}, True),
        ({"barrier": "gate", "access": "private", "foot": "permissive"}, False),
    ],
)
def test_what_stops_a_walker(tags: dict[str, str], closed: bool) -> None:
    assert barrier_closed(tags) is closed


def test_ways_are_cut_where_they_meet_and_nowhere_else(tmp_path: Path) -> None:
    m = Map()
    long = m.way((0, 0), (1, 1), (2, 0), (3, 0), (4, 0), highway="residential")
    side = m.way((2, 0), (2, 5), highway="path")
    m.way((1, 1), (1, 9), highway="motorway")  # nobody walks there, so nobody turns there
    read = m.read(tmp_path)
    streets = read.streets
    assert laid(streets) == {
        ((0, 0), (2, 0), True),
        ((2, 0), (4, 0), True),
        ((2, 0), (2, 5), True),
    }
    assert sorted(streets.way.tolist()) == [long, long, side]
    first = int(np.flatnonzero([named(streets, int(a)) == (0, 0) for a in streets.tail])[0])
    course = streets.course(first)
    np.testing.assert_allclose(course.longitude, [0, STEP, 2 * STEP], atol=1e-9)
    x, y = course.longitude, course.latitude
    by_hand = sum(float(great_circle_m(x[i], y[i], x[i + 1], y[i + 1])) for i in range(2))
    assert streets.length_m[first] == pytest.approx(by_hand, abs=GRAIN_M)
    assert (read.report["highways read"], read.report["highways walked"]) == (3, 2)
    assert read.report["length, km"] == pytest.approx(streets.length_m.sum() / 1000)


def test_ways_that_cross_without_a_node_do_not_meet(tmp_path: Path) -> None:
    m = Map()
    m.way((0, 0), (4, 4), highway="residential")
    m.way((0, 4), (4, 0), highway="footway", bridge="yes")
    assert m.read(tmp_path).report["components found"] == 2


def test_a_way_that_meets_itself_is_cut_there(tmp_path: Path) -> None:
    m = Map()
    m.way((0, 0), (2, 0), (2, 2), (1, 2), (2, 0), (5, 0), highway="path")
    loop = ((2, 0), (2, 0), True)
    assert laid(m.read(tmp_path).streets) == {((0, 0), (2, 0), True), loop, ((2, 0), (5, 0), True)}


def test_a_round_way_is_a_street_from_a_node_to_itself(tmp_path: Path) -> None:
    m = Map()
    m.way((0, 0), (1, 0), (1, 1), (0, 0), highway="pedestrian")
    streets = m.read(tmp_path).streets
    assert laid(streets) == {((0, 0), (0, 0), True)}
    assert len(streets.bends) == 2


def test_one_way_for_walkers_only(tmp_path: Path) -> None:
    m = Map()
    m.way((0, 0), (1, 0), highway="residential", oneway="yes")
    m.way((1, 0), (2, 0), highway="footway", oneway__foot="yes")
    m.way((2, 0), (3, 0), (4, 1), highway="footway", oneway__foot="-1")
    streets = m.read(tmp_path).streets
    assert laid(streets) == {
        ((0, 0), (1, 0), True),
        ((1, 0), (2, 0), False),
        ((4, 1), (2, 0), False),
    }
    turned = int(np.flatnonzero([named(streets, int(a)) == (4, 1) for a in streets.tail])[0])
    np.testing.assert_allclose(streets.course(turned).longitude[1], 3 * STEP)


def test_a_closed_barrier_is_a_dead_end_from_both_sides(tmp_path: Path) -> None:
    m = Map()
    m.node(2, 0, barrier="gate", access="private")
    m.node(3, 0, barrier="stile")
    m.way((0, 0), (1, 0), (2, 0), (3, 0), (4, 0), highway="track")
    read = m.read(tmp_path)
    assert laid(read.streets) == {((0, 0), (2, 0), True), ((2, 0), (4, 0), True)}
    assert read.streets.n_nodes == 4  # the gate is two of them
    assert (read.report["barriers"], read.report["components found"]) == (1, 2)


def test_a_barrier_where_ways_meet_parts_them_all(tmp_path: Path) -> None:
    m = Map()
    m.node(0, 0, barrier="wall")
    for end in ((1, 0), (0, 1), (-1, 0)):
        m.way((0, 0), end, highway="path")
    assert m.read(tmp_path).report["components found"] == 3


def test_nodes_that_the_file_lacks_end_a_street(tmp_path: Path) -> None:
    m = Map()
    m.way((0, 0), (1, 0), (2, 0), (3, 0), (4, 0), highway="residential")
    m.way((9, 9), (8, 8), highway="residential")
    read = read_streets(m.write(tmp_path, without=((2, 0), (9, 9))), 1)
    assert laid(read.streets) == {((0, 0), (1, 0), True), ((3, 0), (4, 0), True)}
    assert read.report["nodes missing"] == 2


def test_a_way_of_one_node_or_the_same_twice_is_none(tmp_path: Path) -> None:
    m = Map()
    m.way((0, 0), (0, 0), highway="path")
    m.way((5, 5), (5, 5), (6, 5), (6, 5), highway="path")
    read = m.read(tmp_path)
    assert laid(read.streets) == {((5, 5), (6, 5), True)}
    assert len(read.streets.bends) == 0


def three_components() -> Map:
    """Of four nodes, three and two."""
    m = Map()
    for y, n in enumerate((4, 3, 2)):
        for x in range(n - 1):
            m.way((x, y), (x + 1, y), highway="footway")
    return m


@pytest.mark.parametrize(("smallest", "kept"), [(1, 3), (3, 2), (4, 1), (50, 1)])
def test_small_components_are_left_out_but_never_the_largest(
    tmp_path: Path, smallest: int, kept: int
) -> None:
    read = three_components().read(tmp_path, smallest)
    assert read.report["components"] == kept
    assert read.streets.n_nodes == sum((4, 3, 2)[:kept]) == read.report["nodes"]
    assert (read.report["nodes found"], read.report["streets found"]) == (9, 6)
    assert read.report["share in the largest"] == pytest.approx(3 / 6, rel=1e-4)
    assert read.report["length found, km"] > read.report["length, km"] - 1e-9


def test_near_nodes_are_near_in_the_order(tmp_path: Path) -> None:
    m = Map()
    side = 8
    for i in range(side):
        for j in range(side - 1):
            m.way((i, j), (i, j + 1), highway="path")
            m.way((j, i), (j + 1, i), highway="path")
    streets = m.read(tmp_path).streets
    where = np.array([named(streets, v) for v in range(streets.n_nodes)])
    # A curve that fills the plane takes each quarter of the square whole before the next.
    quarters = [tuple(q) for q in (where >= side // 2).astype(int)]
    assert sum(a != b for a, b in pairwise(quarters)) == 3


def test_a_large_file_is_read_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from commonweal.access import osm_streets as streets_pbf

    m = three_components()
    m.node(1, 0, barrier="wall")
    file = m.write(tmp_path, without=((0, 1),))
    small = read_streets(file, 1)
    monkeypatch.setattr(streets_pbf, "SMALL_FILE", 0)
    large = read_streets(file, 1)
    assert small.report == large.report
    assert small.report["barriers"] == small.report["nodes missing"] == 1
    assert laid(small.streets) == laid(large.streets)


def test_progress_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from commonweal.access import osm_streets as streets_pbf

    monkeypatch.setattr(streets_pbf, "A_STEP", 1)
    m = Map()
    m.way((0, 0), (1, 0), highway="path")
    told: list[tuple[str, int, int]] = []
    read_streets(m.write(tmp_path), progress=lambda *step: told.append(step))
    assert told == [("reading ways", 1, 0), ("reading nodes", 1, 2), ("reading nodes", 2, 2)]


def test_a_file_that_is_none(tmp_path: Path) -> None:
    with pytest.raises(
        SourceError, match=r"none\.osm\.pbf: no such file; expected an OpenStreetMap"
    ):
        read_streets(tmp_path / "none.osm.pbf")
    bad = tmp_path / "bad.osm.pbf"
    bad.write_bytes(b"this is no map")
    with pytest.raises(DataError, match="cannot be read as an OpenStreetMap PBF"):
        read_streets(bad)
    whole = three_components().write(tmp_path).read_bytes()
    bad.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(DataError, match="cannot be read"):
        read_streets(bad)


def test_a_map_without_streets(tmp_path: Path) -> None:
    m = Map()
    m.way((0, 0), (1, 0), highway="motorway")
    with pytest.raises(DataError, match="none of 1 highways can be walked"):
        m.read(tmp_path)
    m.way((2, 0), (3, 0), highway="path")
    with pytest.raises(DataError, match="the nodes of all 1 ways are missing"):
        read_streets(m.write(tmp_path, without=((2, 0), (3, 0))))
