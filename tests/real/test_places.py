"""Places on the real files: what each register and map holds, keeps and leaves out."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import osmium
import polars as pl
import pytest

from commonweal.access.conflation import load_places
from commonweal.access.distance import great_circle_m
from commonweal.access.osm_places import read_places_pbf
from commonweal.access.postcodes import load_postcodes, place_postcodes
from commonweal.access.registers import load_registers, read_registers

if TYPE_CHECKING:
    from commonweal.access.conflation import MergedPlaces
    from commonweal.access.places import Places
    from commonweal.sources import Store

pytestmark = pytest.mark.real

DOCS = Path(__file__).parents[2] / "docs" / "methods" / "places.md"

ACCOUNT = {
    "libraries-england": {
        "read": 3487, "kept": 2877, "closed": 349, "mobile": 97, "archive": 81, "prison": 64,
        "closed for now": 19,
    },
    "museums": {"read": 4141, "kept": 3307, "closed": 834},
    "pubs": {"read": 38087, "kept": 19774, "no place": 18172, "closed": 103, "twice": 38},
    "rail-stations": {"read": 2606, "kept": 2606},
    "schools": {
        "read": 27153, "kept": 26405, "overseas": 331, "no place": 180, "offshore": 125,
        "no school": 76, "secure": 18, "outside": 9, "online": 8, "misplaced": 1,
    },
}  # fmt: skip


@pytest.fixture(scope="module")
def registers(real_store: Store) -> Places:
    return read_registers(real_store)


@pytest.fixture(scope="module")
def merged(real_store: Store) -> MergedPlaces:
    maps = {name: real_store.path(name) for name in ("osm-rutland", "osm-newport")}
    return load_places(real_store, maps=maps)


def test_each_register_adds_up(registers: Places) -> None:
    account: dict[str, dict[str, int]] = {}
    for source, outcome, rows in registers.account().iter_rows():
        account.setdefault(source, {})[outcome] = rows
    assert account == ACCOUNT
    for counts in account.values():
        assert counts["read"] == sum(n for outcome, n in counts.items() if outcome != "read")


def test_the_page_gives_the_account() -> None:
    page = DOCS.read_text("utf-8")
    for source, counts in ACCOUNT.items():
        out = ", ".join(
            f"{outcome} {n:,}" for outcome, n in counts.items() if outcome not in ("read", "kept")
        )
        assert f"| `{source}` | {counts['read']:,} | {counts['kept']:,} | {out or 'none'} |" in page
        assert f"`{source}`: {load_registers()[source].covers}" in page


def test_libraries_by_a_second_count(real_store: Store) -> None:
    table = real_store.table("libraries-england")
    lower = {c: table[c].str.to_lowercase().str.strip_chars() for c in ("type", "operation_23")}
    static = lower["type"] == "static library"
    assert int(static.sum()) == 3245
    open_ = static & ~lower["operation_23"].is_in(["closed", "temporary closure"])
    shut = open_ & table["hours"].is_in(["N/A Closed", "Not Currently Open"])
    assert int(open_.sum()) - int(shut.sum()) == ACCOUNT["libraries-england"]["kept"]


def test_schools_of_england_are_of_every_kind(registers: Places) -> None:
    kinds = dict(registers.of("education").table["kind"].value_counts().iter_rows())
    assert kinds == {
        "primary-school": 16723, "secondary-school": 3408, "special-school": 2271,
        "independent-school": 1661, "school": 1394, "college": 442, "nursery": 378,
        "university": 128,
    }  # fmt: skip


def test_no_school_overseas_is_placed_in_london(registers: Places) -> None:
    """Fifteen of them share the coordinates of an office."""
    places = registers.table.filter(pl.col("source") == "schools")
    assert not places["name"].is_in(["Panaga School", "Ecole Yenzi", "OSA School"]).any()


def test_postcodes_lie_where_museums_do(real_store: Store) -> None:
    """Museums have coordinates of their own: half lie within 10 m of their postcode, also in Belfast."""
    museums = real_store.table("museums")
    placed = place_postcodes(museums["postcode"], load_postcodes(cache=real_store.cache))
    assert dict(placed["status"].value_counts().iter_rows()) == {"found": 4140, "unknown": 1}
    here = placed.hstack(museums.select(x="longitude", y="latitude", country="admin_area_1"))
    for (country,), part in here.filter("found").group_by("country"):
        way = great_circle_m(part["longitude"], part["latitude"], part["x"], part["y"])
        assert np.median(way) < 10, country


def raw_count(path: Path, key: str, value: str) -> int:
    """Count elements of the map with one tag, and nothing else."""
    return sum(element.tags.get(key) == value for element in osmium.FileProcessor(str(path)))


@pytest.mark.parametrize(
    ("map_", "kind", "tag", "count"),
    [
        ("osm-rutland", "pub", ("amenity", "pub"), 44),
        ("osm-rutland", "library", ("amenity", "library"), 3),
        ("osm-newport", "pub", ("amenity", "pub"), 55),
        ("osm-newport", "library", ("amenity", "library"), 6),
        ("osm-leeds-campus", "cafe", ("amenity", "cafe"), 19),
        ("osm-porto-alegre", "bank", ("amenity", "bank"), 1),
    ],
)
def test_maps_by_a_raw_count(
    real_store: Store, map_: str, kind: str, tag: tuple[str, str], count: int
) -> None:
    path = real_store.path(map_)
    places = read_places_pbf(path, source=map_)
    assert raw_count(path, *tag) == count
    assert len(places.of(kind)) == count


def test_what_maps_leave_out(real_store: Store) -> None:
    reasons: Counter[str] = Counter()
    for map_ in ("osm-rutland", "osm-newport"):
        places = read_places_pbf(real_store.path(map_), source=map_)
        reasons.update(places.left_out["reason"].to_list())
    assert reasons == {"private": 18, "too small": 9, "closed": 1, "no outline": 1}


@pytest.mark.parametrize(("map_", "both"), [("osm-rutland", 30), ("osm-newport", 36)])
def test_pubs_of_one_number_are_one_place(merged: MergedPlaces, map_: str, both: int) -> None:
    """The register of pubs was made from the map, and kept its numbers: who is the same is known."""
    number = pl.col("kept").str.split(":").list.last().str.slice(1)
    pairs = merged.pairs.filter(
        pl.col("kept").str.starts_with(f"{map_}:n") & pl.col("merged").str.starts_with("pubs:")
    ).with_columns(right=number == pl.col("merged").str.strip_prefix("pubs:"))
    assert int(pairs["right"].sum()) >= both
    others = pairs.filter(~pl.col("right")).select("kept_name", "merged_name").rows()
    assert set(others) <= {("The Talisman", "The Talisman")}  # mapped anew, 1 m away
    kept = merged.places.table.filter(pl.col("id").str.starts_with(f"{map_}:n"))["id"]
    still = merged.places.table.filter(pl.col("source") == "pubs")["id"].str.strip_prefix("pubs:")
    assert not kept.str.strip_prefix(f"{map_}:n").is_in(still.to_list()).any()


def test_how_many_are_the_same(merged: MergedPlaces) -> None:
    assert merged.summary().rows() == [
        ("libraries-england", "osm-rutland", 1),
        ("museums", "osm-rutland", 1),
        ("osm-newport", "osm-newport", 2),
        ("osm-newport", "pubs", 38),
        ("osm-rutland", "pubs", 30),
        ("pubs", "pubs", 19),
        ("rail-stations", "osm-newport", 2),
        ("rail-stations", "osm-rutland", 1),
        ("schools", "osm-newport", 25),
        ("schools", "osm-rutland", 14),
    ]
