"""The lists of Scotland, Wales and Northern Ireland of 2022: all of each published list, and no more."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl
import pytest

from commonweal.report.listings import find_areas
from commonweal.report.place.profile import profile
from commonweal.study.names import authority_of
from commonweal.study.run import run

if TYPE_CHECKING:
    from commonweal.sources import Store
    from commonweal.study.results import Results

pytestmark = pytest.mark.real

NATIONS = {
    # study: areas, on the list, largest areas' system, people on the list
    "left-behind-scotland-2022": (1_279, 59, "ca20", 255_237),
    "left-behind-wales-2022": (410, 18, "lad17", 141_169),
    "left-behind-northern-ireland-2022": (890, 16, "lgd18", None),
}


@pytest.fixture(scope="module", params=NATIONS)
def nation(request: pytest.FixtureRequest, real_store: Store) -> Results:
    return run(request.param, real_store, draws=0)


def test_the_published_list_and_scores_come_out(nation: Results) -> None:
    areas, listed, authority, people = NATIONS[nation.study.name]
    assert len(nation.areas) == areas
    assert nation.designations["left_behind"].selected.sum() == listed
    assert authority_of(nation.areas) == authority
    if people is not None:
        assert nation.designations["left_behind"].population == people
    flag, score, rank = nation.validations
    assert (len(flag.matched), len(flag.missed), len(flag.extra)) == (listed, 0, 0)
    assert score.largest <= 5.2e-5  # the published scores have seven digits
    assert rank.largest == 0


def test_every_area_has_a_larger_one_a_point_and_an_outline(nation: Results) -> None:
    table = nation.areas.table
    authority = authority_of(nation.areas)
    assert table[f"{authority}_name"].null_count() == 0
    assert table["country_name"].n_unique() == 1
    assert table.select(pl.col("longitude", "latitude").null_count()).row(0) == (0, 0)
    assert nation.boundaries["geometry"].null_count() == 0
    assert len(nation.outline) == table[authority].n_unique()


@pytest.mark.parametrize(
    ("study", "asked", "where"),
    [
        ("left-behind-scotland-2022", "Doon Valley North", "East Ayrshire"),
        ("left-behind-wales-2022", "Cydweli & Trimsaran", "Carmarthenshire"),
        ("left-behind-northern-ireland-2022", "95AA01S1", "Antrim and Newtownabbey"),
    ],
)
def test_a_place_is_found_with_its_authority(
    real_store: Store, study: str, asked: str, where: str
) -> None:
    assert where in str(profile(run(study, real_store, draws=0, geometry=False), asked))


def test_all_in_a_council_area_are_listed_with_it(real_store: Store) -> None:
    found = find_areas(real_store, "", inside="East Ayrshire").part
    counts = dict(found.group_by("system").len().iter_rows())
    assert counts == {"iz11": 30, "dz11": 163}
    assert set(found["inside"]) == {"East Ayrshire"}
