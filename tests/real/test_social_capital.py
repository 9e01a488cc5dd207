"""Social capital on the real files: one neighbourhood, the country's figures, and nothing else changed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl
import pytest

from commonweal.report.place import describe
from commonweal.social_capital import latest, load_framework
from commonweal.social_capital.framework import national_figures
from commonweal.spec.fields import HeadlineSpec
from commonweal.spec.study import load_study
from commonweal.study.run import run

if TYPE_CHECKING:
    from commonweal.report.study.social_capital import SocialCapital
    from commonweal.sources import Store
    from commonweal.study.results import Results

pytestmark = pytest.mark.real

LINCOLN_007C = "E01026129"


@pytest.fixture(scope="module")
def lincoln(open_england: Results) -> SocialCapital:
    found = describe(open_england, open_england.areas.position[LINCOLN_007C]).capital
    assert found is not None
    return found


def test_one_neighbourhood_has_the_values_of_the_files(
    lincoln: SocialCapital, real_store: Store
) -> None:
    turnout, lonely = (
        next(h for h in lincoln.headlines if h.id == id_) for id_ in ("turnout", "lonely")
    )
    votes = real_store.table("eu-referendum-lad").filter(pl.col("Area") == "Lincoln")
    assert turnout.value == pytest.approx(float(votes["Pct_Turnout"][0]))
    assert turnout.state == "proxy"
    table = real_store.table("loneliness-lsoa21").filter(pl.col("lsoa21_code") == LINCOLN_007C)
    assert lonely.value == pytest.approx(float(table["perc"][0]))
    assert (lonely.state, lonely.interval, lonely.low) == (
        "modelled",
        "no margin of error given",
        None,
    )
    assert "only 26 numbers" in lonely.caution


def test_neither_loneliness_nor_turnout_states_an_uncertainty(open_england: Results) -> None:
    """Mixed from 26 kinds of areas, loneliness has 11,320 values; turnout has one an authority."""
    found = open_england.capital
    assert found is not None
    assert found.standard_errors is None
    distinct = {
        m.name: len(np.unique(np.round(found.values[:, k], 6))) for k, m in enumerate(found.meta)
    }
    assert distinct["loneliness"] == 11_320
    assert distinct["turnout"] < 400


def test_what_is_known_of_england_is_counted(lincoln: SocialCapital) -> None:
    states = [h.state for h in lincoln.headlines]
    assert {s: states.count(s) for s in set(states)} == {
        "modelled": 1, "proxy": 1, "national": 17, "unknown": 6,
    }  # fmt: skip


def test_figures_of_the_mirror_are_read_with_interval_and_are_not_verified(
    real_store: Store,
) -> None:
    ons = load_framework()
    engaged = national_figures(ons.headline("political_action"), real_store)
    assert [f.when for f in engaged] == [
        "2013/14", "2014/15", "2015/16", "2016/17", "2017/18", "2018/19", "2019/20", "2020/21",
        "2021/22", "2023/24", "2024/25",
    ]  # fmt: skip
    (newest,) = latest(engaged)
    assert (newest.value, newest.low, newest.high) == (33.585, 33.303, 33.868)
    trust = national_figures(ons.headline("most_people_trusted"), real_store)
    assert (len(trust), latest(trust)[0].value) == (11, 5.402)
    assert not any(f.verified for f in (*engaged, *trust))


def test_the_section_changes_no_result(real_store: Store) -> None:
    study = load_study("open-england").model_copy(update={"where": {"lad24": "E07000138"}})
    bare = study.model_copy(update={"social_capital": {}})
    told, without = (run(s, real_store, draws=0, geometry=False) for s in (study, bare))
    for index, scores in told.scores.items():
        np.testing.assert_array_equal(scores.score, without.scores[index].score)
    selected = told.designations["left_behind"].selected
    assert selected.tolist() == without.designations["left_behind"].selected.tolist()
    assert told.capital is not None
    assert without.capital is None
    ours, theirs = ({s["id"] for s in r.provenance["sources"]} for r in (told, without))
    assert ours - theirs == {"civic-engagement-england", "trust-fairness-uk"}


def test_an_indicator_of_an_index_on_other_areas_is_carried_as_the_index_is(
    real_store: Store,
) -> None:
    study = load_study("left-behind-2019")
    spec = HeadlineSpec(indicator="income", how="proxy", caution="Income is no social capital.")
    study = study.model_copy(update={"social_capital": {"lonely": spec}})
    results = run(study, real_store, draws=0, geometry=False)
    found, deprivation = results.capital, results.indicators["deprivation"]
    assert found is not None
    assert (found.system, deprivation.system) == ("wd17", "lsoa11")
    move = results.scores["deprivation"].move
    assert move is not None
    carried = deprivation.moved(move)
    np.testing.assert_allclose(found.values[:, 0], carried.values[:, carried.column("income")])
