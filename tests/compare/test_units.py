"""A study of twenty places beside the same on the ten that pairs of them make up."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest
from scipy.stats import spearmanr

from commonweal.compare.units import compare_units, on_unit, run_on_units
from commonweal.document.data import document_data
from commonweal.document.text import document_lines
from commonweal.errors import DataError, StudyError
from commonweal.report.study.units import unit_table, units_document
from commonweal.sources import Store
from commonweal.spec.study import load_study

if TYPE_CHECKING:
    from collections.abc import Callable

    from commonweal.areas import Areas
    from commonweal.compare.units import UnitComparison
    from commonweal.spec import Study
    from commonweal.study.results import Results

    RunWith = Callable[..., Results]

NO_STORE = object.__new__(Store)
"""Nothing can be asked of it."""


def lists(poor: int, few_halls: int) -> dict[str, Any]:
    return {
        "designate": {
            "poor": {"index": "deprivation", "worst": poor},
            "few_halls": {"index": "community_needs", "worst": few_halls},
        },
        "certainty": None,
    }


@pytest.fixture
def found(run_with: RunWith, in_pairs: RunWith) -> UnitComparison:
    """Small: A17 to A20 are poor, A20 and A10 short of halls. Large: B10 is poor, B05 is short."""
    return compare_units(run_with(**lists(4, 2)), in_pairs(**lists(1, 1)), NO_STORE)


def test_who_is_in_and_out(found: UnitComparison) -> None:
    poor, halls = found.designations.rows(named=True)
    assert (poor["small_selected"], poor["large_selected"]) == (4, 1)
    assert (poor["small_inside"], poor["large_holding"]) == (2, 1)  # A19 and A20 in B10
    assert (poor["people_gained"], poor["people_lost"]) == (0, 1700 + 1800)
    assert (poor["small_people"], poor["large_people"]) == (7400, 3900)
    assert poor["small_share"] == pytest.approx(7400 / 21000)
    assert (halls["small_inside"], halls["large_holding"]) == (1, 1)  # A10 in B05
    assert (halls["people_gained"], halls["people_lost"]) == (900, 2000)  # A09; A20


def test_ranks_and_deciles(found: UnitComparison) -> None:
    """On income each pair is a decile of the twenty and one of the ten: all stay where they are."""
    node = found.nodes.row(by_predicate=pl.col("index") == "deprivation", named=True)
    assert (node["same_decile"], node["within_one_decile"]) == (1, 1)
    assert (node["worst_tenth"], node["worst_both"]) == (2, 2)
    assert node["people_small"] == node["people_large"] == pytest.approx(3900 / 21000)
    pairs = [(i + 1) // 2 for i in range(1, 21)]
    assert node["spearman"] == pytest.approx(spearmanr(range(1, 21), pairs).statistic)
    halls = found.nodes.row(by_predicate=pl.col("index") == "community_needs", named=True)
    assert (halls["worst_tenth"], halls["worst_both"]) == (2, 1)  # A20 is in B10, which is second
    assert halls["same_decile"] < 1
    assert halls["people_small"] == pytest.approx((2000 + 1000) / 21000)
    assert halls["people_large"] == pytest.approx((900 + 1000) / 21000)


def test_every_small_area_beside_the_larger_one(found: UnitComparison) -> None:
    nine = found.places.row(by_predicate=pl.col("code") == "A09", named=True)
    assert nine["lies_in"] == "B05"
    assert (nine["few_halls.selected_small"], nine["few_halls.selected_large"]) == (False, True)
    assert (nine["deprivation.rank_small"], nine["deprivation.rank_large"]) == (12, 6)
    assert (nine["deprivation.decile_small"], nine["deprivation.decile_large"]) == (6, 6)
    assert len(unit_table([found, found])) == 40
    assert len(repr(found)) < 200


def test_told(found: UnitComparison) -> None:
    document = units_document([found], "Twenty places", "a priority")
    lines = list(document_lines(document))
    assert max(len(line) for line in lines if line.startswith("    ")) <= 100
    said = "\n".join(lines)
    assert "The list of “poor” areas" in said
    assert "2 of the 4 small areas on the list lie in a larger one on its list." in said
    assert "1 of the 1 larger area on the list contains a small one on its list." in said
    assert "In a small area on the list, but not in a larger one: 3,500 people." in said
    data = document_data(document)
    assert (data["small"]["number"], data["large"][0]["number"]) == (20, 10)
    assert data["tables"]["list-poor"][0]["people_lost"] == 3500


def test_people_who_are_not_counted_are_said_to_be_unknown(found: UnitComparison) -> None:
    unknown = found.designations.with_columns(people_lost=float("nan"))
    document = units_document([replace(found, designations=unknown)], "Twenty places", "poor")
    said = "\n".join(document_lines(document))
    assert "In a small area on the list, but not in a larger one: population not given." in said
    assert "not given live" not in said


def test_the_same_recipe_on_larger_areas_says_where_its_numbers_are_from() -> None:
    """Of indices on the study's own areas only: others say for themselves where they are built."""
    study = load_study("left-behind-2023")
    there = on_unit(study, "msoa21")
    assert there.areas == "msoa21"
    assert there.certainty is None
    here = study.model_copy(update={"focus": {"lad24": "E06000001"}})
    assert (
        on_unit(here, "wd24").focus == {}
    )  # wards may lie in no such thing; small areas are counted
    assert {there.indicators[name].areas for name in study.leaves("community_needs")} == {"lsoa21"}
    assert {there.indicators[name].areas for name in study.leaves("deprivation")} == {""}
    open_england = on_unit(load_study("open-england"), "wd24")
    assert open_england.indicators["library"].areas == ""  # made from what is within reach
    assert open_england.indicators["surgery"].areas == "lsoa11"  # as it says


def test_a_unit_that_is_none_is_told_before_a_long_run(
    run_with: RunWith, monkeypatch: pytest.MonkeyPatch
) -> None:
    areas = run_with().areas
    monkeypatch.setattr("commonweal.compare.units.study_areas", lambda *_: areas)
    monkeypatch.setattr("commonweal.compare.units.run", lambda *_, **__: pytest.fail("it has run"))
    with pytest.raises(StudyError, match=r"'msoa' is no larger unit than its own.*: district"):
        run_on_units("left-behind-2023", NO_STORE, ["district", "msoa"])
    with pytest.raises(
        StudyError, match=r"larger than lsoa21.*expected --areas with one of: district"
    ):
        run_on_units("left-behind-2023", NO_STORE)


def test_only_larger_units_that_can_be_read_are_suggested(
    run_with: RunWith, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = run_with().areas

    def read(study: Study, _: object) -> Areas:
        if study.areas == "district":
            raise DataError("population of district 'mid-2017' not found")
        return own

    monkeypatch.setattr("commonweal.compare.units.study_areas", read)
    with pytest.raises(StudyError, match=r"--areas with one of: \(there is none\)"):
        run_on_units("left-behind-2023", NO_STORE)
    with pytest.raises(StudyError, match=r"'district' is no larger unit .* that it can be run on"):
        run_on_units("left-behind-2023", NO_STORE, ["district"])


def test_parts_are_not_needed_where_areas_nest() -> None:
    """Authorities of 2017 have no outlines here; the neighbourhoods of 2011 nest in them."""
    study = load_study("left-behind-2019")
    assert study.index["deprivation"].move.by == "parts"
    assert on_unit(study, "lad17").index["deprivation"].move.by == "link"
    assert on_unit(study, "wd17").index["deprivation"].move.by == "parts"  # a best fit
