"""The area systems on the real files: counts, parents, people, changes between vintages."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl
import pytest

from commonweal.areas.areas import link_table, load_areas
from commonweal.areas.catalogue import load_systems
from commonweal.areas.crosswalk import build_crosswalk
from commonweal.sources import Store
from commonweal.sources.catalogue import local_source

if TYPE_CHECKING:
    from pathlib import Path

    from commonweal.areas import Areas

pytestmark = pytest.mark.real

ENGLAND = {"country": "E92000001"}
SYSTEMS = load_systems()


@pytest.fixture(scope="module")
def lsoa11(real_store: Store) -> Areas:
    return load_areas(real_store, "lsoa11", within=ENGLAND)


@pytest.fixture(scope="module")
def lsoa21(real_store: Store) -> Areas:
    return load_areas(real_store, "lsoa21", within=ENGLAND)


@pytest.mark.parametrize(
    ("system", "england", "all_of_it"),
    [
        ("lsoa11", 32_844, 34_753),
        ("lsoa21", 33_755, 35_672),
        ("wd17", 7445, 8297),
        ("lad17", 326, 348),
        ("lad19", 317, 317),
        ("lad24", 296, 318),
    ],
)
def test_how_many_there_are(real_store: Store, system: str, england: int, all_of_it: int) -> None:
    assert len(load_areas(real_store, system, within=ENGLAND)) == england
    assert len(load_areas(real_store, system)) == all_of_it


@pytest.mark.parametrize("system", SYSTEMS.systems)
def test_every_system_loads_with_names_people_and_codes_of_its_pattern(
    real_store: Store, system: str
) -> None:
    areas = load_areas(real_store, system)
    assert areas.table["code"].is_sorted()
    assert areas.table["code"].str.contains(f"^{SYSTEMS.system(system).pattern}$").all()
    assert areas.table["name"].null_count() == 0
    if SYSTEMS.system(system).populations:
        # residents of England: 53.0 million in 2011, 55.6 in mid-2017, 57.1 in mid-2022; of Scotland 5.48 in mid-2021
        scottish = system in ("dz11", "iz11", "ca20")
        low, high = (5.47e6, 5.49e6) if scottish else (53e6 if system == "oa11" else 55e6, 57.5e6)
        people = areas.table.filter(pl.col("code").str.starts_with("S" if scottish else "E"))[
            "population"
        ]
        assert people.null_count() == 0
        assert low < people.sum() < high
    if SYSTEMS.system(system).points:
        assert areas.table["longitude"].drop_nulls().is_between(-9, 2).all()
        assert areas.table["latitude"].drop_nulls().is_between(49, 61).all()


@pytest.mark.parametrize(
    ("system", "parents"),
    [
        ("lsoa11", {"msoa11": 6791, "lad17": 326, "lad19": 317, "region": 9}),
        ("lsoa21", {"msoa21": 6856, "lad22": 309, "lad24": 296, "region": 9}),
        ("wd17", {"lad17": 326, "lad19": 317, "region": 9}),
    ],
)
def test_every_area_has_its_parents(
    real_store: Store, system: str, parents: dict[str, int]
) -> None:
    table = load_areas(real_store, system, within=ENGLAND).table
    for parent, count in parents.items():
        assert table[parent].null_count() == 0
        assert table[f"{parent}_name"].null_count() == 0
        assert table[parent].n_unique() == count


def test_people_of_smaller_areas_add_up(real_store: Store, lsoa11: Areas) -> None:
    lads = load_areas(real_store, "lad17", within=ENGLAND, population_at="mid-2017")
    sums = lsoa11.table.group_by("lad17").agg(pl.col("population").sum()).sort("lad17")
    assert sums["lad17"].to_list() == lads.codes
    np.testing.assert_allclose(sums["population"], lads.population)


def test_the_mergers_of_2019(lsoa11: Areas) -> None:
    """Poole, Bournemouth and Christchurch are one authority, and Suffolk's four are two."""
    pairs = lsoa11.table.select("lad17_name", "lad19_name").unique()
    now = (
        pairs.group_by("lad19_name")
        .agg(pl.col("lad17_name").sort())
        .filter(pl.col("lad17_name").list.len() > 1)
    )
    merged = dict(now.iter_rows())
    assert len(merged) == 5
    assert merged["Bournemouth, Christchurch and Poole"] == ["Bournemouth", "Christchurch", "Poole"]
    assert merged["East Suffolk"] == ["Suffolk Coastal", "Waveney"]


class TestFrom2011To2021:
    def test_the_report_is_the_published_count_of_each_change(
        self, real_store: Store, lsoa11: Areas, lsoa21: Areas
    ) -> None:
        report = build_crosswalk(real_store, lsoa11, lsoa21).report
        link = SYSTEMS.link("lsoa11", "lsoa21")
        assert link is not None
        changes = link_table(real_store, link).filter(pl.col("destination").is_in(lsoa21.codes))
        said = dict(changes.group_by("change").agg(pl.col("destination").n_unique()).iter_rows())
        # U unchanged, S split, M merged, X irregular
        assert report["unchanged"] == said["U"] == 31_810
        assert report["split"] + report["merged"] + report["irregular"] == sum(
            said[c] for c in "SMX"
        )
        # Some of the irregular look like splits: all of one old area, and part of no other.
        assert abs(report["split"] - said["S"]) <= said["X"]
        assert abs(report["merged"] - said["M"]) <= said["X"]
        assert (report["split"], report["merged"], report["irregular"]) == (1845, 97, 3)
        assert report["got nothing"] == report["went nowhere"] == 0

    def test_values_of_unchanged_areas_are_the_same_to_the_bit(
        self, real_store: Store, lsoa11: Areas, lsoa21: Areas
    ) -> None:
        values = np.random.default_rng(1).normal(size=len(lsoa11))
        move = build_crosswalk(real_store, lsoa11, lsoa21)
        moved = dict(zip(lsoa21.codes, move.mean(values), strict=True))
        same = sorted(set(lsoa11.codes) & set(lsoa21.codes))
        off = [c for c in same if moved[c] != values[lsoa11.position[c]]]
        # a code that stays is an area that stays, but for a few that took people from another
        assert len(same) > 31_800
        assert len(off) < 10

    def test_people_are_kept(self, real_store: Store, lsoa11: Areas, lsoa21: Areas) -> None:
        moved = build_crosswalk(real_store, lsoa11, lsoa21).total(lsoa11.population)
        assert moved.sum() == pytest.approx(lsoa11.population.sum())

    def test_wards_get_there_through_neighbourhoods(self, real_store: Store, lsoa21: Areas) -> None:
        wards = load_areas(real_store, "wd17", within=ENGLAND)
        move = build_crosswalk(real_store, wards, lsoa21)
        moved = move.mean(np.ones(len(wards)))
        # one neighbourhood of the City of London lies in a ward that is not in the list
        assert np.isnan(moved).sum() == move.report["got nothing"] == 1
        np.testing.assert_allclose(moved[~np.isnan(moved)], 1)


def test_neighbourhoods_carry_the_names_that_people_use(lsoa11: Areas, lsoa21: Areas) -> None:
    """The House of Commons Library named the MSOAs of 2011; those that are new since have no name."""
    table = lsoa21.table
    (lincoln,) = table.filter(official_name="Lincoln 007C").rows(named=True)
    assert (lincoln["code"], lincoln["local_name"], lincoln["name"]) == (
        "E01026129", "Birchwood West", "Birchwood West (Lincoln 007C)",
    )  # fmt: skip
    nameless = table.filter(pl.col("local_name").is_null())
    assert (len(nameless), nameless["msoa21"].n_unique()) == (836, 179)
    assert (nameless["name"] == nameless["official_name"]).all()
    assert not set(nameless["msoa21"]) & set(lsoa11.table["msoa11"])
    assert lsoa11.table["local_name"].null_count() == 0
    assert lsoa21.table["local_name"].n_unique() > 6_000


def test_what_is_the_same_is_loaded_once_and_stands_in_each_account(real_store: Store) -> None:
    stores = [Store(real_store.cache, mirror=real_store.mirror, offline=True) for _ in range(2)]
    first, second = (load_areas(store, "lad24") for store in stores)
    assert second is first
    assert stores[0].used
    assert stores[1].used == stores[0].used
    assert len(load_areas(stores[0], "lad24", within=ENGLAND)) < len(first)


def test_areas_of_another_file_are_read_anew(real_store: Store, tmp_path: Path) -> None:
    before = load_areas(real_store, "lad24")
    column = SYSTEMS.system("lad24").areas
    table = real_store.table(column.source)
    other = tmp_path / "names.parquet"
    table.with_columns(pl.col(column.name) + " (new)").write_parquet(other)
    changed = real_store.replacing({column.source: local_source(other, name=column.source)})
    assert load_areas(changed, "lad24").table["name"].str.ends_with(" (new)").all()
    assert load_areas(real_store, "lad24").table.equals(before.table)
