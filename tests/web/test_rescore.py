"""What a reader's setting gives is what a study with that setting gives, to the last bit."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from commonweal.errors import DataError
from commonweal.sources import Store
from commonweal.spec.study import Study, load_study
from commonweal.study.run import run
from commonweal.web.rescore import Choices, choices_from, cuts_of, rescore, weights_of

if TYPE_CHECKING:
    from pathlib import Path

    from commonweal.study.results import Results
    from conftest import Small


def chosen(results: Results, **given: float) -> Choices:
    """Choices by key, with two underscores for a point."""
    keys = {key.replace("__", "."): value for key, value in given.items()}
    return choices_from(keys, weights_of(results), cuts_of(results))


def study_with(results: Results, rescored: Results, changes: dict[str, Any]) -> Study:
    """The study itself with the weights that were used, and rules as given."""
    recipe = load_study("demo").resolved()
    for index, scores in rescored.scores.items():
        children = recipe["index"][index]["children"]
        weights = scores.tree.weights
        recipe["index"][index]["children"] = {
            name: {**child, "weight": weights[name]}
            for name, child in children.items()
            if weights[name] > 0
        }
    recipe |= {"designate": {**recipe["designate"], **changes}, "agreement": []}
    for key in ("certainty", "sensitivity"):
        recipe.pop(key, None)
    return Study.model_validate({**recipe, "name": "own", "folder": results.study.folder})


def same(one: Results, other: Results) -> None:
    for index, scores in other.scores.items():
        for path, need in scores.need.items():
            np.testing.assert_array_equal(one.scores[index].need[path], need)
        np.testing.assert_array_equal(one.scores[index].rank, scores.rank)
    for name, d in other.designations.items():
        np.testing.assert_array_equal(one.designations[name].selected, d.selected)
        np.testing.assert_array_equal(one.designations[name].near_miss, d.near_miss)
        np.testing.assert_array_equal(one.designations[name].just_inside, d.just_inside)


@pytest.mark.slow
@pytest.mark.parametrize(
    "given",
    [
        {"w__community_needs__places": 60},
        {"w__community_needs__places": 0, "w__deprivation__crime": 71.3},
        {"w__deprivation__income": 1000, "cut__left_behind__1": 17.5},
    ],
)
def test_rescoring_is_running_a_study_with_these_weights(
    county: Results, cache: Path, given: dict[str, float]
) -> None:
    rescored = rescore(county, chosen(county, **given))
    share = given.get("cut__left_behind__1", 10)
    rule = {
        "all": [
            {"index": "community_needs", "worst": f"{share}%"},
            {"index": "deprivation", "worst": "10%"},
        ]
    }
    recipe = study_with(county, rescored, {"left_behind": rule})
    same(rescored, run(recipe, Store(cache=cache, offline=True), geometry=False))
    changed = [
        index
        for index, scores in county.scores.items()
        if not np.array_equal(rescored.scores[index].score, scores.score)
    ]
    assert changed == sorted({key.split("__")[1] for key in given if key.startswith("w__")})


def test_nothing_chosen_is_the_study_itself(county: Results) -> None:
    asked = {w.key: w.stated for w in weights_of(county)} | {
        c.key: c.stated for c in cuts_of(county)
    }
    choices = choices_from(asked, weights_of(county), cuts_of(county))
    assert not choices
    same(rescore(county, choices), county)


def test_a_moved_index_is_scored_where_it_was_built(small: Small) -> None:
    """Twenty places carried to two districts: the districts' scores are means of the places' new ones."""
    from commonweal.areas import Areas, crosswalk_from_pairs
    from commonweal.web.rescore import reweighed

    study = small.write(
        index__deprivation={
            "children": {"income": {"indicator": "income"}, "halls": {"indicator": "halls"}},
        }
    )
    results = small.run(study, geometry=False)
    areas = results.areas
    import polars as pl

    table = pl.DataFrame(
        {
            "code": ["N", "S"],
            "name": ["N", "S"],
            "population": [5500.0, 15500.0],
            "longitude": [None, None],
            "latitude": [None, None],
        },
        schema_overrides={"longitude": pl.Float64, "latitude": pl.Float64},
    )
    districts = Areas("district", "Districts", "district", "districts", table)
    pairs = pl.DataFrame(
        {"origin": areas.codes, "destination": areas.table["district"], "people": areas.population}
    )
    move = crosswalk_from_pairs(areas, districts, pairs)
    moved = reweighed(results.scores["deprivation"].moved(move), {"income": 0.25, "halls": 0.75})
    alone = reweighed(results.scores["deprivation"], {"income": 0.25, "halls": 0.75})
    np.testing.assert_array_equal(moved.score, move.mean(alone.score))
    assert moved.built is not None
    np.testing.assert_array_equal(moved.built.score, alone.score)


@settings(max_examples=25)
@given(share=st.floats(0.5, 60), weight=st.floats(0.1, 1000))
def test_a_wider_line_keeps_everybody_inside_and_weights_keep_their_total(
    county: Results, share: float, weight: float
) -> None:
    narrow = rescore(
        county, chosen(county, cut__left_behind__1=share, w__deprivation__crime=weight)
    )
    wide = rescore(
        county, chosen(county, cut__left_behind__1=share + 5, w__deprivation__crime=weight)
    )
    inside = [r.designations["left_behind"].selected for r in (narrow, wide)]
    assert (inside[1] | ~inside[0]).all()
    stated = county.scores["deprivation"].tree.weights
    assert sum(narrow.scores["deprivation"].tree.weights.values()) == pytest.approx(
        sum(stated.values())
    )


def test_an_address_holds_a_setting_to_the_last_bit(county: Results) -> None:
    choices = chosen(county, w__deprivation__crime=100 / 3, cut__left_behind__1=12)
    again = choices_from(choices.query(), weights_of(county), cuts_of(county))
    assert again == choices
    assert choices.query()["cut.left_behind.1"] == "12"


@pytest.mark.parametrize("worst", ["0.05%", "99.95%", 20, 500])
def test_what_the_study_states_may_be_asked_for(small: Small, worst: str | int) -> None:
    rule = {"index": "deprivation", "worst": worst}
    (cut,) = cuts_of(small.run(small.write(designate__priority=rule), geometry=False, draws=0))
    assert cut.low <= cut.stated <= cut.high


def test_an_index_of_nothing_is_refused(county: Results) -> None:
    nothing = {w.key: 0.0 for w in weights_of(county) if w.index == "deprivation"}
    with pytest.raises(DataError, match=r"every domain of deprivation is left out"):
        rescore(county, Choices(weights=nothing))


@pytest.mark.parametrize("weight", [1e308, 1e-320, 1000.5, -1.0, float("nan"), float("inf")])
def test_a_weight_that_cannot_be_counted_with_is_refused(county: Results, weight: float) -> None:
    """One alone, and all of them: the sum of five overflows."""
    every = {w.key: weight for w in weights_of(county) if w.index == "deprivation"}
    for asked in (every, dict(list(every.items())[:1])):
        with pytest.raises(
            DataError, match=r"w\.deprivation\.income: found .*; expected 0, or a num"
        ):
            rescore(county, Choices(weights=asked))


def test_cut_offs_of_every_kind_can_be_set(small: Small) -> None:
    study = small.write(
        designate__priority={
            "any": [
                {"index": "deprivation", "worst": 3},
                {"not": {"index": "community_needs", "score_above": 10}},
            ]
        }
    )
    results = small.run(study, geometry=False, draws=0)
    units = {c.key: (c.unit, c.stated) for c in cuts_of(results)}
    assert units == {"cut.priority.1": ("areas", 3.0), "cut.priority.2": ("points", 10.0)}
    other = rescore(results, chosen(results, cut__priority__1=5, cut__priority__2=3))
    picked = [
        c
        for c, s in zip(results.areas.codes, other.designations["priority"].selected, strict=True)
        if s
    ]
    # The five with the lowest income are A16 to A20; A01 scores 1.2 on needs, A02 2.4, A03 3.7.
    assert set(picked) == {"A01", "A02", "A16", "A17", "A18", "A19", "A20"}
