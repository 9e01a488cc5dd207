"""The 225 left-behind wards, rebuilt: what each way to bring the IMD 2019 to wards gives.

Whole LSOAs in their best-fit wards, and parts of them (docs/methods/wards.md). The left-behind
flag serves for counting at the end, and nowhere before.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl
import pytest

from commonweal.areas import Areas, crosswalk_from_pairs
from commonweal.areas.apportion import apportion
from commonweal.areas.areas import load_areas
from commonweal.areas.catalogue import load_systems
from commonweal.areas.crosswalk import build_crosswalk
from commonweal.index import exponential

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from commonweal.areas import Crosswalk
    from commonweal.areas.catalogue import Systems
    from commonweal.sources import Store

    Parts = tuple[pl.DataFrame, dict[str, float]]

pytestmark = pytest.mark.real

CUT = 743  # a tenth of the 7,433 wards of the CNI 2019, on either list
WEIGHTS = {
    "Income": 0.225, "Employment": 0.225, "Education": 0.135, "Health": 0.135, "Crime": 0.093,
    "Housing_and_Access": 0.093, "Environment": 0.093,
}  # fmt: skip


@pytest.fixture(scope="module")
def lsoas(real_store: Store) -> Areas:
    return load_areas(real_store, "lsoa11", within={"country": "E92000001"})


@pytest.fixture(scope="module")
def wards(real_store: Store) -> Areas:
    return load_areas(real_store, "wd17", within={"country": "E92000001"})


@pytest.fixture(scope="module")
def parts(real_store: Store, lsoas: Areas, wards: Areas) -> Parts:
    return apportion(real_store, lsoas, wards)


def people_of(real_store: Store, date: str) -> Areas:
    return load_areas(real_store, "lsoa11", within={"country": "E92000001"}, population_at=date)


def lsoa_scores(real_store: Store, lsoas: Areas) -> NDArray[np.float64]:
    ranks = real_store.table("imd2019-lsoa11")
    score = sum(
        weight * exponential(-ranks[f"{domain}_rank"].cast(pl.Float64).to_numpy())
        for domain, weight in WEIGHTS.items()
    )
    known = pl.DataFrame({"code": ranks["lsoa11_code"], "score": score})
    joined = lsoas.table.select("code").join(known, on="code", how="left", maintain_order="left")
    return joined["score"].to_numpy()


def judged(real_store: Store, move: Crosswalk) -> tuple[int, set[str], set[str]]:
    """Count the flagged wards that are found; name those missed and the others found."""
    values = pl.Series(move.mean(lsoa_scores(real_store, move.origin))).fill_nan(None)
    imd = move.destination.table.select(ward17_code="code").with_columns(imd=values)
    cni = real_store.table("cni2019-wd17").join(imd, on="ward17_code", how="left")
    assert len(cni) == 7433
    found = (cni["imd"].rank("min", descending=True) <= CUT) & (
        cni["Community Needs Index rank"] <= CUT
    )
    found, flagged, name = found.fill_null(False), cni["Left Behind Area?"], cni["ward17_name"]
    assert flagged.sum() == 225
    missed, others = set(name.filter(flagged & ~found)), set(name.filter(found & ~flagged))
    return int((flagged & found).sum()), missed, others


NESTED = {"Irwell", "Easington", "Holmewood and Heath"}
"""Wards whose neighbourhoods add up to the person: no way to split neighbourhoods moves them, other people do."""


@pytest.mark.parametrize(
    ("date", "found"),
    [("census-2011", (221, 4, 5)), ("mid-2015", (219, 6, 7)), ("mid-2017", (219, 6, 7))],
)
def test_best_fit(real_store: Store, wards: Areas, date: str, found: tuple[int, int, int]) -> None:
    people = people_of(real_store, date)
    matched, missed, others = judged(real_store, build_crosswalk(real_store, people, wards))
    assert (matched, len(missed), len(others)) == found


@pytest.mark.parametrize(
    ("date", "missed", "others"),
    [
        ("census-2011", {"Choppington", "Henley"}, {"Winton", "Ford Green and Smallthorne"}),
        (
            "mid-2015",
            {"Choppington", "Irwell", "Easington"},
            {"Winton", "Holmewood and Heath", "Broadheath"},
        ),
        ("mid-2017", {"Choppington", "Irwell", "Easington"}, {"Winton", "Holmewood and Heath"}),
    ],
)
def test_parts(
    real_store: Store, wards: Areas, parts: Parts, date: str, missed: set[str], others: set[str]
) -> None:
    """The people of the Census of 2011 put the three nested wards right."""
    move = crosswalk_from_pairs(people_of(real_store, date), wards, parts[0])
    assert judged(real_store, move) == (225 - len(missed), missed, others)
    assert bool(NESTED & (missed | others)) == (date != "census-2011")


def test_polygons_of_the_left_behind_wards_are_no_hint(
    real_store: Store, lsoas: Areas, wards: Areas
) -> None:
    """One boundary file holds flagged wards only; without it the result is the same."""
    pairs, report = apportion(real_store, lsoas, wards, _without_left_behind(load_systems()))
    assert report["destinations without polygon"] == 860
    census = crosswalk_from_pairs(people_of(real_store, "census-2011"), wards, pairs)
    matched, missed, others = judged(real_store, census)
    assert (matched, len(missed), len(others)) == (223, 2, 2)
    matched, missed, others = judged(real_store, crosswalk_from_pairs(lsoas, wards, pairs))
    assert (matched, len(missed), len(others)) == (222, 3, 2)


def test_official_people_of_output_areas_and_of_the_imd(real_store: Store) -> None:
    """Usual residents of England in 2011: 53,012,456 (ONS); without prisoners in mid-2015: 54,728,204."""
    assert people_of(real_store, "census-2011").population.sum() == 53_012_456
    assert people_of(real_store, "mid-2015").population.sum() == 54_728_204


def _without_left_behind(systems: Systems) -> Systems:
    wd17 = systems.system("wd17")
    columns = tuple(x for x in wd17.boundaries if x.source != "boundaries-left-behind-wd17")
    assert len(columns) == len(wd17.boundaries) - 1
    changed = systems.systems | {"wd17": wd17.model_copy(update={"boundaries": columns})}
    return systems.model_copy(update={"systems": changed})


def test_the_people_add_up(lsoas: Areas, wards: Areas, parts: Parts) -> None:
    pairs, report = parts
    sums = pairs.group_by("origin").agg(pl.col("share").sum())["share"].to_numpy()
    np.testing.assert_allclose(sums, 1)
    assert len(sums) == len(lsoas) - 1  # the ward of one in the City of London is not in the list
    moved = crosswalk_from_pairs(lsoas, wards, pairs).total(lsoas.population)
    off = np.abs(moved - wards.population)
    assert np.nanmedian(off) < 0.01
    assert np.mean(off < 10) > 0.8
    assert report["destinations nested"] == 4445
    assert report["median difference, people"] < 2.5
    assert report["people moved"] == pytest.approx(1.97e6, rel=0.01)


def test_wards_without_a_best_fit_get_a_value(
    real_store: Store, lsoas: Areas, wards: Areas, parts: Parts
) -> None:
    cni = set(real_store.table("cni2019-wd17", ["ward17_code"])["ward17_code"])
    whole = build_crosswalk(real_store, lsoas, wards)
    split = crosswalk_from_pairs(lsoas, wards, parts[0])
    for move, without in ((whole, 12), (split, 6)):
        empty = {
            code for code, n in zip(wards.codes, np.diff(move.weights.indptr), strict=True) if not n
        }
        assert len(empty & cni) == without
