"""Siting on the open index of England: real people, schools and libraries."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from commonweal.invest.siting.on_study import SitingData, SitingOptions, load_siting_data, site
from commonweal.invest.siting.result import moved_by, remeasure

if TYPE_CHECKING:
    from commonweal.sources import Store
    from commonweal.study.results import Results

pytestmark = pytest.mark.real


@pytest.fixture(scope="module")
def ground(open_england: Results, real_store: Store) -> SitingData:
    return load_siting_data(open_england, real_store)


def test_hartlepool(open_england: Results, real_store: Store, ground: SitingData) -> None:
    found = site(
        open_england, SitingOptions("Hartlepool", "library", sites=3), real_store, ground=ground
    )
    assert found.solution.proven
    before, after = found.reached()
    assert 0 < before < after < found.demand.people.sum()
    effect = found.effect
    assert effect is not None
    moved = {row["label"]: row for row in effect.indicators.iter_rows(named=True)}
    nearest = moved["Distance to a public library"]
    assert nearest["after"] < nearest["before"]
    share = moved["Libraries to share"]
    assert share["after"] > share["before"]


def test_without_new_places_measuring_anew_gives_what_the_run_gave(
    open_england: Results, real_store: Store, ground: SitingData
) -> None:
    assert ground.around is not None
    nothing = ground.places.of("library")
    nothing = type(nothing)(nothing.table.clear())
    columns = remeasure(open_england, "library", nothing, ground.around, real_store)
    indicators = open_england.indicators["social_infrastructure"]
    assert set(columns["social_infrastructure"]) == {"library", "library_share", "kinds_of_places"}
    for name, values in columns["social_infrastructure"].items():
        np.testing.assert_array_equal(values, indicators.values[:, indicators.column(name)])


def test_what_a_place_moves(open_england: Results) -> None:
    assert moved_by(open_england.study, "museum") == ["culture", "kinds_of_places"]
    assert moved_by(open_england.study, "cinema") == []


def test_one_authority_is_proven(
    open_england: Results, real_store: Store, ground: SitingData
) -> None:
    """Leeds, 488 neighbourhoods."""
    ask = SitingOptions("Leeds", "library", sites=5, seconds=3600)
    assert site(open_england, ask, real_store, ground=ground, effect=False).solution.proven
