"""Places on a map: points, outlines, areas with holes, and what is left out."""

from __future__ import annotations

from typing import TYPE_CHECKING

import osmium
import pytest
from osmium.osm.mutable import Node, Relation, Way

from commonweal.access.osm_places import read_places_pbf
from commonweal.access.places import load_taxonomy
from commonweal.errors import DataError

if TYPE_CHECKING:
    from pathlib import Path

    from commonweal.access.places import Places

Corners = list[tuple[float, float]]
SQUARE: Corners = [(0, 0), (4, 0), (4, 4), (0, 4)]
HOLE: Corners = [(1, 1), (3, 1), (3, 3), (1, 3)]
HORSESHOE: Corners = [(0, 0), (4, 0), (4, 4), (3, 4), (3, 1), (1, 1), (1, 4), (0, 4)]
STEP = 0.001  # degrees: 70 to 110 m


class Map:
    """A map to be written: numbers are given as things are added."""

    def __init__(self) -> None:
        self.nodes: list[Node] = []
        self.ways: list[Way] = []
        self.relations: list[Relation] = []

    def node(self, x: float, y: float, **tags: str) -> int:
        number = len(self.nodes) + 1
        self.nodes.append(Node(id=number, location=(x * STEP, 52 + y * STEP), tags=tags))
        return number

    def way(self, corners: Corners, closed: bool = True, lost: int = 0, **tags: str) -> int:
        refs = [self.node(*corner) for corner in corners]
        refs += refs[:1] if closed else []
        number = len(self.ways) + 1
        self.ways.append(
            Way(id=number, nodes=[r + 10_000 * (i < lost) for i, r in enumerate(refs)], tags=tags)
        )
        return number

    def relation(self, members: list[tuple[str, int, str]], **tags: str) -> int:
        number = len(self.relations) + 1
        self.relations.append(Relation(id=number, members=members, tags=tags))
        return number

    def read(self, folder: Path, taxonomy: Path | None = None) -> Places:
        file = folder / "map.osm.pbf"
        with osmium.SimpleWriter(str(file), overwrite=True) as writer:
            for n in self.nodes:
                writer.add_node(n)
            for w in self.ways:
                writer.add_way(w)
            for r in self.relations:
                writer.add_relation(r)
        return read_places_pbf(file, load_taxonomy(taxonomy))


def at(places: Places, row: int = 0) -> tuple[float, float]:
    """Where a place lies, in steps."""
    points = places.points
    return float(points.longitude[row] / STEP), float((points.latitude[row] - 52) / STEP)


def test_a_point(tmp_path: Path) -> None:
    m = Map()
    m.node(9, 9, highway="crossing")
    m.node(1, 2, amenity="pub", name="Red Lion", **{"addr:postcode": "le15 6hw"})
    row = m.read(tmp_path).table.row(0, named=True)
    assert row["id"] == "osm:n2"
    assert (row["name"], row["kind"], row["postcode"]) == ("Red Lion", "pub", "LE15 6HW")
    assert at(m.read(tmp_path)) == pytest.approx((1, 2))


def test_an_outline_is_placed_at_its_centroid(tmp_path: Path) -> None:
    m = Map()
    m.way(SQUARE, leisure="park")
    places = m.read(tmp_path)
    assert places.table["id"].to_list() == ["osm:w1"]
    assert at(places) == pytest.approx((2, 2))


def test_where_the_centroid_lies_outside_a_point_within_is_taken(tmp_path: Path) -> None:
    m = Map()
    m.way(HORSESHOE, leisure="park")
    x, y = at(m.read(tmp_path))
    assert (0 <= x <= 4 and 0 <= y <= 1) or ((0 <= x <= 1 or 3 <= x <= 4) and 1 <= y <= 4)


def test_an_area_with_a_hole(tmp_path: Path) -> None:
    m = Map()
    outer, inner = m.way(SQUARE), m.way(HOLE)
    m.relation([("w", outer, "outer"), ("w", inner, "inner")], type="multipolygon", leisure="park")
    places = m.read(tmp_path)
    assert places.table["id"].to_list() == ["osm:r1"]
    x, y = at(places)
    assert not (1 < x < 3 and 1 < y < 3)
    assert 0 <= x <= 4
    assert 0 <= y <= 4


def test_a_line_is_placed_at_its_centroid(tmp_path: Path) -> None:
    m = Map()
    m.way([(0, 0), (4, 0)], closed=False, leisure="track")
    assert at(m.read(tmp_path)) == pytest.approx((2, 0))


def test_a_ring_that_is_no_area_is_a_line(tmp_path: Path) -> None:
    m = Map()
    m.way(SQUARE, leisure="track", area="no")
    assert at(m.read(tmp_path)) == pytest.approx((2, 2))


def test_what_is_left_out_and_why(tmp_path: Path) -> None:
    m = Map()
    m.node(0, 0, amenity="pub", name="Open")
    m.node(0, 0, amenity="pub", access="private")
    m.node(0, 0, amenity="pub", name="Bell (closed)")
    m.node(0, 0, railway="station", usage="tourism")
    m.way([(0, 0), (0.1, 0), (0.1, 0.1), (0, 0.1)], leisure="park")  # 7 m by 11 m
    m.way(SQUARE, leisure="park", lost=1)  # cut, yet enough of it is on this map
    m.way([(0, 0), (4, 0)], closed=False, lost=1, leisure="track")
    m.relation([("n", 1, "")], type="site", amenity="school")
    places = m.read(tmp_path)
    assert [row[1:] for row in places.account().rows()] == [
        ("read", 8), ("kept", 2), ("no outline", 2), ("closed", 1), ("excluded", 1), ("private", 1),
        ("too small", 1),
    ]  # fmt: skip
    small = places.left_out.filter(places.left_out["reason"] == "too small").row(0, named=True)
    # 0.0001 degrees each way: 6.85 by 11.12 m
    assert small["detail"] == "76 square metres"


def test_a_tag_on_a_member_makes_no_place_of_another(tmp_path: Path) -> None:
    m = Map()
    outer = m.way(SQUARE, building="yes")
    m.relation([("w", outer, "outer")], type="multipolygon", amenity="school", name="Hill")
    assert m.read(tmp_path).table["id"].to_list() == ["osm:r1"]


def test_any_value_of_a_key_will_do_where_the_taxonomy_says_so(tmp_path: Path) -> None:
    own = tmp_path / "own.yaml"
    own.write_text(
        "title: Shops\ngroups:\n  shops:\n    label: Shops\n    why: Errands.\n    kinds:\n"
        "      shop:\n        label: Shop\n        why: Errands.\n        osm:\n"
        '          - tags: {shop: ["*"]}\n'
    )
    m = Map()
    m.node(0, 0, shop="books")
    m.node(0, 0, amenity="pub")
    assert m.read(tmp_path, own).table["id"].to_list() == ["osm:n1"]


def test_a_map_without_places(tmp_path: Path) -> None:
    m = Map()
    m.way(SQUARE, building="yes")
    assert len(m.read(tmp_path)) == 0


def test_progress_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from commonweal.access import osm_places as places_pbf

    monkeypatch.setattr(places_pbf, "EVERY", 1)
    m = Map()
    m.way(SQUARE, leisure="park")
    m.read(tmp_path)
    told: list[tuple[str, int, int]] = []
    read_places_pbf(tmp_path / "map.osm.pbf", progress=lambda *step: told.append(step))
    assert told == [("finding places on the map", 1, 0), ("drawing outlines of places", 1, 0)]


def test_a_file_that_is_none(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="not there; expected an OpenStreetMap file"):
        read_places_pbf(tmp_path / "none.osm.pbf")
    bad = tmp_path / "bad.osm.pbf"
    bad.write_bytes(b"this is no map")
    with pytest.raises(DataError, match="cannot be read as an OpenStreetMap file"):
        read_places_pbf(bad)
    odd = tmp_path / "map.txt"
    odd.write_bytes(b"this is no map")
    with pytest.raises(DataError, match="cannot be read as an OpenStreetMap file"):
        read_places_pbf(odd)
