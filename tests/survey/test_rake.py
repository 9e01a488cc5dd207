"""Raked weights meet the margins, agree with svy's, and say what was done."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from commonweal.errors import DataError, UnknownNameError
from commonweal.survey import estimate, rake_survey
from commonweal.survey.rake import _rake
from commonweal.survey.spec import make_spec
from commonweal.survey.survey import make_survey

if TYPE_CHECKING:
    from collections.abc import Callable

    from commonweal.survey import Survey
    from commonweal.survey.read import Microdata

    Make = Callable[..., Survey]

SEX = {"0": 2_700_000, "1": 2_600_000}
REGION = {
    "Agder og Sør-Østlandet": 800_000,
    "Innlandet": 370_000,
    "Nord-Norge": 480_000,
    "Oslo og Viken": 1_950_000,
    "Trøndlet": 480_000,
    "Vestlandet": 1_220_000,
}


@pytest.fixture(scope="module")
def norwegians(norway: Microdata) -> Survey:
    spec: dict[str, Any] = {
        "title": "ESS 10, Norway", "file": "ess.sav", "weight": "dweight", "strata": "stratum", "clusters": "psu",
        "outcomes": {"good": {"column": "imbgeco"}},
        "groups": {"female": "female", "region": "region", "age": {"column": "agea", "bands": [16, 35, 65]}},
    }  # fmt: skip
    return make_survey(make_spec(spec, "norway", Path()), norway)


def shares(survey: Survey, group: str) -> dict[str, float]:
    w = survey.frame.drop_nulls(group).group_by(group).agg(pl.col("weight").sum())
    return dict(zip(w[group], w["weight"] / survey.frame["weight"].sum(), strict=True))


def test_margins_are_met_and_told(norwegians: Survey) -> None:
    raked, report = rake_survey(norwegians, {"female": SEX, "region": REGION})
    total = sum(SEX.values())
    assert raked.frame["weight"].sum() == pytest.approx(total)
    for group, margin in (("female", SEX), ("region", REGION)):
        found = shares(raked, group)
        assert {k: v * total for k, v in found.items()} == pytest.approx(margin)
        told = report.margins.filter(margin=group)
        assert dict(told.select("group", "after").iter_rows()) == pytest.approx(found)
        assert dict(told.select("group", "before").iter_rows()) == pytest.approx(
            shares(norwegians, group)
        )
        assert told["respondents"].sum() == 1411
    w = raked.frame["weight"].to_numpy()
    assert report.design_effect_after == pytest.approx(len(w) * (w**2).sum() / w.sum() ** 2)
    assert report.design_effect_before < report.design_effect_after
    ratio = w / w.sum() / (norwegians.frame["weight"] / norwegians.frame["weight"].sum()).to_numpy()
    assert (report.smallest_change, report.largest_change) == pytest.approx(
        (ratio.min(), ratio.max())
    )
    assert report.smallest_change < 1 < report.largest_change
    assert 1 <= report.iterations < 50
    assert report.trimmed == 0


def test_svy_rakes_to_the_same_weights_and_standard_errors(norwegians: Survey) -> None:
    import svy

    raked, _ = rake_survey(norwegians, {"female": SEX, "region": REGION})
    sample = svy.Sample(
        norwegians.frame, svy.Design(stratum="stratum", psu="cluster", wgt="weight")
    )
    peer = sample.weighting.rake(
        controls={"female": SEX, "region": REGION}, wgt_name="rk", tol=1e-12, max_iter=500
    )
    assert raked.frame["weight"].to_list() == pytest.approx(peer.data["rk"].to_list(), rel=1e-8)
    found = peer.estimation.mean("good", where=pl.col("good").is_not_null())
    assert estimate(raked, "good")["standard_error"][0] == pytest.approx(
        found.to_polars()["se"][0], rel=1e-8
    )


def test_a_cap_holds_and_the_margins_are_met_all_the_same(norwegians: Survey) -> None:
    region = {k: (5.0 if k == "Nord-Norge" else 1.0) for k in REGION}
    free, loose = rake_survey(norwegians, {"female": {"0": 5, "1": 5}, "region": region})
    assert free.frame["weight"].max() > 7.7 * free.frame["weight"].mean()  # type: ignore[operator]
    capped, report = rake_survey(
        norwegians, {"female": {"0": 5, "1": 5}, "region": region}, cap=7.7
    )
    assert capped.frame["weight"].max() <= 7.7 * capped.frame["weight"].mean() * (1 + 1e-6)  # type: ignore[operator]
    assert report.trimmed > 0
    assert report.design_effect_after < loose.design_effect_after
    assert shares(capped, "region")["Nord-Norge"] == pytest.approx(0.5, abs=1e-9)
    with pytest.raises(
        DataError, match=r"no weights under a cap of 7 mean weights meet all margins.*a higher cap"
    ):
        rake_survey(
            norwegians, {"region": region}, cap=7
        )  # 92 of 1,411 can hold 7 x 92 / 1,411 = 46%


def test_those_in_no_group_keep_their_share(norwegians: Survey) -> None:
    before = 1 - sum(shares(norwegians, "age").values())
    assert before > 0
    age = {"16 to 34": 0.3, "35 to 64": 0.5, "65 or over": 0.2}
    raked, report = rake_survey(norwegians, {"age": age, "female": {"0": 0.5, "1": 0.5}})
    found = shares(raked, "age")
    assert sum(found.values()) == pytest.approx(1 - before)
    assert found["16 to 34"] / sum(found.values()) == pytest.approx(0.3)
    assert report.margins.filter(group="no answer")["respondents"].to_list() == [8]
    # Shares of 1 leave the total as it was.
    assert raked.frame["weight"].sum() == pytest.approx(norwegians.frame["weight"].sum())


def test_margins_that_hold_already_change_nothing(twelve: Make) -> None:
    survey = twelve()
    raked, report = rake_survey(survey, {"sex": shares(survey, "sex")})
    assert report.iterations == 0
    assert raked.frame["weight"].to_list() == pytest.approx(survey.frame["weight"].to_list())
    assert report.largest_change == pytest.approx(1)


@settings(max_examples=50)
@given(
    st.lists(st.floats(0.1, 10), min_size=12, max_size=12),
    st.lists(st.floats(0.2, 1), min_size=3, max_size=3),
    st.floats(0.2, 0.8),
)
def test_raking_meets_every_margin_of_a_full_table(
    weights: list[float], first: list[float], second: float
) -> None:
    """Twelve people in all six cells: every pair of margins can be met."""
    index = [np.arange(12) % 3, np.arange(12) // 3 % 2]
    target = [np.array(first) / sum(first), np.array([second, 1 - second])]
    w, _, off = _rake(np.array(weights) / sum(weights), index, target, np.inf, 1e-10, 2000)
    assert off <= 1e-10
    for k, s in zip(index, target, strict=True):
        assert np.bincount(k, w) == pytest.approx(s, abs=1e-9)
    # Raking multiplies by a factor a group, so odds ratios stay as they were.
    odds = (w[0] * w[4]) / (w[1] * w[3])
    assert odds == pytest.approx(weights[0] * weights[4] / (weights[1] * weights[3]), rel=1e-6)


def test_the_file_states_margins_and_cap(twelve: Make) -> None:
    survey = twelve(rake={"margins": {"sex": {"F": "55%", "M": "45%"}}, "cap": 2.5})
    raked, report = rake_survey(survey)
    assert shares(raked, "sex") == pytest.approx({"F": 0.55, "M": 0.45})
    assert report.margins["target"].to_list() == pytest.approx([0.55, 0.45])


@pytest.mark.parametrize(
    ("margins", "error", "said"),
    [
        ({}, DataError, "there are no margins"),
        (
            {"sexx": {"F": 1}},
            UnknownNameError,
            "group 'sexx' not found in twelve; did you mean 'sex'",
        ),
        ({"sex": {"F": 1, "M": 1, "X": 1}}, DataError, "rake.margins.sex: no respondent is in 'X'"),
        (
            {"sex": {"F": 1}},
            DataError,
            "rake.margins.sex: there are respondents in 'M' but no number for it",
        ),
        ({"sex": {"F": 1, "M": 0}}, DataError, "'M' is 0; expected a number above 0"),
        ({"sex": {"F": 1, "M": float("nan")}}, DataError, "'M' is nan; expected a number above 0"),
        (
            {"sex": {"F": 50, "M": 50}, "age": {"16 to 34": 40, "35 to 64": 40, "65 or over": 30}},
            DataError,
            "margins do not add up to the same total: sex 100, age 110",
        ),
    ],
)
def test_margins_that_cannot_be_met_are_told(
    twelve: Make, margins: dict[str, dict[str, float]], error: type[Exception], said: str
) -> None:
    with pytest.raises(error) as told:
        rake_survey(twelve(), margins)
    assert said in str(told.value)


def test_margins_that_contradict_each_other_are_told(twelve: Make) -> None:
    """Every woman lives in the first half: the halves cannot be 90 : 10 while the sexes are 10 : 90."""
    survey = twelve(
        {"sex": ["F"] * 6 + ["M"] * 6, "half": ["a"] * 6 + ["b"] * 6},
        groups={"sex": "sex", "half": "half"},
    )
    with pytest.raises(
        DataError,
        match=r"no weights meet all margins: after 500 rounds a share is still off by 0\.8",
    ):
        rake_survey(survey, {"sex": {"F": 10, "M": 90}, "half": {"a": 90, "b": 10}})


def test_weights_are_raked_once(twelve: Make) -> None:
    raked, _ = rake_survey(twelve(), {"sex": {"F": 1, "M": 1}})
    with pytest.raises(DataError, match="found weights that are raked already"):
        rake_survey(raked, {"sex": {"F": 1, "M": 2}})
    with pytest.raises(DataError, match="found a cap of 1 mean weights; expected more than 1"):
        rake_survey(twelve(), {"sex": {"F": 1, "M": 1}}, cap=1)
