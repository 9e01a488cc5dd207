"""Estimates by hand, against samplics, and their properties."""

from __future__ import annotations

import importlib
import warnings
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
import pytest
from polars.testing import assert_frame_equal
from scipy.stats import t as student

from commonweal.errors import DataError, UnknownNameError
from commonweal.survey import estimate
from commonweal.survey.estimate import changes, summarise, suppress
from commonweal.survey.spec import make_spec
from commonweal.survey.survey import make_survey

if TYPE_CHECKING:
    from collections.abc import Callable

    from commonweal.survey import Survey
    from commonweal.survey.read import Microdata

    Make = Callable[..., Survey]

EXACT = 1e-8


def by_hand(
    y: np.ndarray[Any, Any],
    w: np.ndarray[Any, Any],
    stratum: list[Any],
    cluster: list[Any],
    inside: np.ndarray[Any, Any],
) -> tuple[float, float]:
    """Mean and standard error of a group, by Taylor linearisation, written out from the textbook."""
    size = sum(w[inside])
    mean = sum(w[inside] * y[inside]) / size
    score = np.where(inside, w * (y - mean) / size, 0.0)
    variance = 0.0
    for h in set(stratum):
        totals: dict[Any, float] = {}
        for s, c, z in zip(stratum, cluster, score, strict=True):
            if s == h:
                totals[c] = totals.get(c, 0.0) + z
        n = len(totals)
        middle = sum(totals.values()) / n
        variance += n / (n - 1) * sum((z - middle) ** 2 for z in totals.values())
    return float(mean), float(np.sqrt(variance))


def norwegian(norway: Microdata, **more: Any) -> Survey:
    spec = {
        "title": "ESS 10, Norway", "file": "ess.sav", "weight": "pspwght", "strata": "stratum", "clusters": "psu",
        "outcomes": {
            "interested": {"column": "polint", "yes": 1},
            "good": {"column": "imbgeco"},
            "joins": {"column": "eu_vote", "yes": "Join EU", "missing": ["Not Eligible", "Refuse to Answer"]},
        },
        "groups": {"female": "female", "age": {"column": "agea", "bands": [15, 35, 65]}},
    }  # fmt: skip
    return make_survey(make_spec({**spec, **more}, "norway", Path()), norway)


def test_the_twelve_are_as_worked_out_by_hand(twelve: Make) -> None:
    """Of the weights of the ten who answered, 15, those who trust have 9."""
    row = estimate(twelve(), "trusts").row(0, named=True)
    assert row["respondents"] == 10
    assert row["value"] == pytest.approx(9 / 15)
    assert row["effective_sample"] == pytest.approx(15**2 / (1 + 4 + 1 + 4 + 1 + 9 + 1 + 4 + 1 + 1))
    # Scores w (y - 0.6) / 15 add up by cluster to -0.8, 1.2, -0.6 and, in the second stratum, 1.6, -1.8, 0.4.
    first, second = np.array([-0.8, 1.2, -0.6]) / 15, np.array([1.6, -1.8, 0.4]) / 15
    variance = 3 / 2 * sum(((s - s.mean()) ** 2).sum() for s in (first, second))
    assert row["standard_error"] == pytest.approx(np.sqrt(variance))
    assert row["degrees_of_freedom"] == 4
    logit, half = np.log(0.6 / 0.4), student.ppf(0.975, 4) * np.sqrt(variance) / 0.24
    assert row["lower"] == pytest.approx(1 / (1 + np.exp(-(logit - half))))
    assert row["upper"] == pytest.approx(1 / (1 + np.exp(-(logit + half))))
    assert row["design_effect"] == pytest.approx(variance / (0.24 / 9))
    assert row["coefficient_of_variation"] == pytest.approx(np.sqrt(variance) / 0.6)


@pytest.mark.parametrize("outcome", ["interested", "good", "joins"])
@pytest.mark.parametrize("by", [(), ("female",), ("female", "age")])
def test_linearisation_by_hand_on_real_microdata(
    norway: Microdata, outcome: str, by: tuple[str, ...]
) -> None:
    survey = norwegian(norway)
    frame = survey.frame
    table = estimate(survey, outcome, by)
    y, w = frame[outcome].fill_null(0).to_numpy(), frame["weight"].to_numpy()
    clusters = list(zip(frame["stratum"], frame["cluster"], strict=True))
    assert len(table) == {0: 1, 1: 2, 2: 6}[len(by)]
    for row in table.iter_rows(named=True):
        same = pl.all_horizontal(pl.col(outcome).is_not_null(), *(pl.col(g) == row[g] for g in by))
        inside = frame.select(same.fill_null(value=False)).to_series().to_numpy()
        mean, error = by_hand(y, w, frame["stratum"].to_list(), clusters, inside)
        assert row["respondents"] == inside.sum()
        assert row["value"] == pytest.approx(mean, rel=EXACT)
        assert row["standard_error"] == pytest.approx(error, rel=EXACT)


def test_samplics_agrees_on_real_microdata(norway: Microdata) -> None:
    """Another implementation, of the same strata and clusters; it drops who did not answer, so without missing ones."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)  # samplics is archived, and says so
        from samplics.estimation import TaylorEstimator
        from samplics.utils.types import PopParam
    survey = norwegian(norway)
    f = survey.frame
    for by in (None, "female"):
        peer = TaylorEstimator(PopParam.mean)
        peer.estimate(
            y=f["interested"].to_numpy(),
            samp_weight=f["weight"].to_numpy(),
            stratum=f["stratum"].to_numpy(),
            psu=pl.concat_str("stratum", "cluster", separator="/")
            .pipe(f.select)
            .to_series()
            .to_numpy(),
            domain=f[by].to_numpy() if by else None,
        )
        table = estimate(survey, "interested", by or ())
        points, errors = (
            list(x.values()) if isinstance(x, dict) else [x]
            for x in (peer.point_est, peer.stderror)
        )
        assert table["value"].to_list() == pytest.approx(points, rel=EXACT)
        assert table["standard_error"].to_list() == pytest.approx(errors, rel=EXACT)


def test_weights_in_other_units_change_nothing(twelve: Make) -> None:
    survey = twelve()
    other = replace(survey, frame=survey.frame.with_columns(pl.col("weight") * 1234.5))
    assert_frame_equal(estimate(survey, "satisfied", "sex"), estimate(other, "satisfied", "sex"))


def test_the_order_of_respondents_changes_nothing(norway: Microdata) -> None:
    survey = norwegian(norway)
    other = replace(survey, frame=survey.frame.sample(fraction=1.0, shuffle=True, seed=1))
    assert_frame_equal(
        estimate(survey, "good", ["age", "female"]), estimate(other, "good", ["age", "female"])
    )


def test_groups_stand_in_their_order_and_their_crossing(twelve: Make) -> None:
    table = estimate(twelve(), "satisfied", ["age", "sex"])
    assert table.select("age", "sex").rows()[:2] == [("16 to 34", "F"), ("16 to 34", "M")]
    assert table["respondents"].sum() == 11
    one = estimate(twelve(), "satisfied", "age")
    assert one["age"].to_list() == ["16 to 34", "35 to 64", "65 or over"]


def test_the_value_of_all_is_that_of_the_groups_weighted(norway: Microdata) -> None:
    survey = norwegian(norway)
    whole, parts = estimate(survey, "good"), estimate(survey, "good", "female")
    weight = (
        survey.frame.filter(pl.col("good").is_not_null())
        .group_by("female")
        .agg(pl.col("weight").sum())
    )
    joined = parts.join(weight, on="female")
    assert (joined["value"] * joined["weight"]).sum() / joined["weight"].sum() == pytest.approx(
        whole["value"][0]
    )


def test_a_whole_population_has_no_sampling_error(twelve: Make) -> None:
    survey = twelve({"n": [3] * 12}, population="n")
    assert estimate(survey, "satisfied")["standard_error"][0] == pytest.approx(0, abs=1e-12)
    half = twelve({"n": [6] * 12}, population="n")
    plain = estimate(twelve(), "satisfied")["standard_error"][0]
    assert estimate(half, "satisfied")["standard_error"][0] == pytest.approx(plain * np.sqrt(0.5))


@pytest.mark.parametrize("rule", ["centre", "average", "skip"])
def test_a_stratum_of_one_cluster_is_treated_as_the_file_says(twelve: Make, rule: str) -> None:
    """Strata of 3, 2 and 1 clusters; the variance by hand for each rule."""
    columns = {"stratum": [1] * 6 + [2] * 4 + [3] * 2}
    survey = twelve(columns, singletons=rule)
    f = survey.frame
    row = estimate(survey, "satisfied").row(0, named=True)
    y, w = f["satisfied"].fill_null(0).to_numpy(), f["weight"].to_numpy()
    inside = f["satisfied"].is_not_null().to_numpy()
    score = np.where(inside, w * (y - row["value"]) / w[inside].sum(), 0)
    totals = [score[i : i + 2].sum() for i in range(0, 12, 2)]
    first, second = np.array(totals[:3]), np.array(totals[3:5])
    known = 3 / 2 * ((first - first.mean()) ** 2).sum() + 2 * ((second - second.mean()) ** 2).sum()
    expected = {
        "skip": known,
        "average": known * 3 / 2,
        "centre": known + (totals[5] - np.mean(totals)) ** 2,
    }
    assert row["standard_error"] == pytest.approx(np.sqrt(expected[rule]), rel=EXACT)


@pytest.mark.parametrize(("answer", "low", "high"), [(1, 0.63, 1.0), (2, 0.0, 0.37)])
def test_where_all_answer_alike_the_interval_has_one_side(
    twelve: Make, answer: int, low: float, high: float
) -> None:
    """Clopper and Pearson: with 12 of 12 the lower end is 0.025^(1/12) = 0.735; the weights make fewer of 12."""
    trust = [1.0] * 12 if answer == 1 else [2.0] * 11 + [1.0]
    survey = twelve({"trust": trust}, weight=None, strata=None, clusters=None)
    survey = replace(survey, frame=survey.frame.head(11)) if answer == 2 else survey
    row = estimate(survey, "trusts").row(0, named=True)
    n = row["respondents"]
    margin = 1 - 0.025 ** (1 / n)
    assert (row["lower"], row["upper"]) == pytest.approx(
        (1 - margin, 1.0) if answer == 1 else (0.0, margin)
    )
    assert row["standard_error"] == 0
    assert low < row["lower"] or answer == 2
    assert row["upper"] < high or answer == 1


def test_a_mean_can_leave_0_and_1_but_a_share_cannot(norway: Microdata) -> None:
    table = estimate(norwegian(norway, groups={"region": "region"}), "joins", "region")
    assert (table["lower"] > 0).all()
    assert (table["upper"] < 1).all()
    assert (table["lower"] < table["value"]).all()
    assert (table["value"] < table["upper"]).all()


def test_what_is_too_weak_is_not_published_and_says_why(twelve: Make) -> None:
    survey = twelve(suppress={"respondents": 4, "variation": "20%"})
    table = estimate(survey, "satisfied", "age")
    reasons = dict(table.select("age", "reason").iter_rows())
    assert reasons["35 to 64"] == "fewer than 4 respondents (3)"
    assert reasons["16 to 34"] == "coefficient of variation of 20% or more"
    assert table["value"].null_count() == 0  # models of small areas need them
    hidden = suppress(table)
    assert not hidden["published"].any()
    for column in ("value", "standard_error", "lower", "upper", "coefficient_of_variation"):
        assert hidden[column].null_count() == len(hidden)
    assert hidden["respondents"].to_list() == table["respondents"].to_list()
    loose = twelve(suppress={"respondents": 3, "variation": 9}, clusters=None)
    kept = estimate(loose, "satisfied", "age")
    assert kept["published"].all()
    assert_frame_equal(suppress(kept), kept)


def test_at_the_limit_of_variation_it_is_not_published(twelve: Make) -> None:
    at = estimate(twelve(), "satisfied")["coefficient_of_variation"][0]
    for limit, published_ in ((at, False), (at * (1 + 1e-9), True)):
        survey = twelve(suppress={"respondents": 1, "variation": limit})
        assert estimate(survey, "satisfied")["published"].to_list() == [published_]


def test_a_group_in_one_cluster_has_no_standard_error(twelve: Make) -> None:
    survey = twelve({"sex": ["F", "F", *["M"] * 10]})
    row = estimate(survey, "satisfied", "sex").row(0, named=True)
    assert row["value"] == pytest.approx((7 + 2 * 3) / 3)
    assert [row[k] for k in ("standard_error", "lower", "upper", "design_effect")] == [None] * 4
    assert row["reason"] == "respondents of one cluster in each stratum only: no standard error"


def test_a_share_of_nobody_has_no_coefficient_of_variation(twelve: Make) -> None:
    survey = twelve({"trust": [2.0] * 6 + [1.0] * 6}, groups={"stratum_": "stratum"})
    row = estimate(survey, "trusts", "stratum_").row(0, named=True)
    assert row["value"] == 0
    assert row["coefficient_of_variation"] is None
    assert row["reason"] == "a value of 0: no coefficient of variation"


def test_waves_one_by_one_and_together(twelve: Make) -> None:
    survey = twelve({"psu": range(12)}, wave="year")
    table = estimate(survey, "satisfied", "wave")
    assert table["wave"].to_list() == ["2020", "2022"]
    one = estimate(survey, "satisfied", wave="2022").drop("degrees_of_freedom")
    assert_frame_equal(table.filter(wave="2022").drop("wave", "degrees_of_freedom"), one)
    assert estimate(survey, "satisfied")["respondents"][0] == 11


def test_waves_follow_their_numbers(twelve: Make) -> None:
    survey = twelve({"psu": range(12), "year": [9, 10, 11] * 4}, wave="year")
    assert survey.levels["wave"] == ("9", "10", "11")
    summary = summarise(survey, ["sex"])
    pairs = summary.changes.filter(outcome="satisfied").select("since", "until").rows()
    assert pairs == [("9", "10"), ("10", "11"), ("9", "11")]
    assert [f.by for f in summary.findings if f.outcome == "trusts"] == [(), ("sex",)]


def test_a_change_between_independent_waves_adds_variances(twelve: Make) -> None:
    survey = twelve({"psu": range(12)}, wave="year")
    before, after = (
        estimate(survey, "satisfied", wave=w).row(0, named=True) for w in ("2020", "2022")
    )
    row = changes(survey, "satisfied", "2020", "2022").row(0, named=True)
    assert row["change"] == pytest.approx(after["value"] - before["value"])
    assert row["standard_error"] == pytest.approx(
        np.hypot(before["standard_error"], after["standard_error"])
    )
    df = before["degrees_of_freedom"] + after["degrees_of_freedom"]
    assert row["degrees_of_freedom"] == df
    assert row["upper"] - row["change"] == pytest.approx(
        student.ppf(0.975, df) * row["standard_error"]
    )
    back = changes(survey, "satisfied", "2022", "2020").row(0, named=True)
    assert back["change"] == pytest.approx(-row["change"])
    assert back["standard_error"] == pytest.approx(row["standard_error"])


def test_a_panel_asked_the_same_twice_has_not_changed_and_knows_it(twelve: Make) -> None:
    survey = twelve({"psu": [*range(6), *range(6)], "stratum": [1] * 12, "wt": [1.0] * 12,
                     "score": [7, 3, 8, 10, 0, 5] * 2, "year": [1] * 6 + [2] * 6}, wave="year", panel=True)  # fmt: skip
    row = changes(survey, "satisfied", "1", "2").row(0, named=True)
    assert row["change"] == pytest.approx(0)
    assert row["standard_error"] == pytest.approx(0, abs=1e-9)
    assert row["degrees_of_freedom"] == 5


def test_changes_by_group_leave_out_groups_of_one_wave(twelve: Make) -> None:
    survey = twelve({"psu": range(12)}, wave="year")
    table = changes(survey, "satisfied", "2020", "2022", "age")
    assert table["age"].to_list() == ["16 to 34", "35 to 64"]
    weak = twelve({"psu": range(12)}, wave="year", suppress={"respondents": 9})
    reason = changes(weak, "satisfied", "2020", "2022")["reason"][0]
    assert reason == "2020: fewer than 9 respondents (5); 2022: fewer than 9 respondents (6)"


@pytest.mark.parametrize("rule", ["centre", "average", "skip"])
def test_many_groups_are_estimated_as_few_are(
    norway: Microdata, monkeypatch: pytest.MonkeyPatch, rule: str
) -> None:
    """They are worked out a hundred at a time: in other portions they come out the same."""
    module = importlib.import_module("commonweal.survey.estimate")
    survey = norwegian(
        norway, groups={"age": "agea", "region": "region"}, singletons=rule, wave="female"
    )
    clusters = survey.frame.group_by("wave", "stratum").agg(pl.n_unique("cluster"))
    assert (clusters["cluster"] == 1).any()
    expected = estimate(survey, "good", ["age", "region"])
    assert len(expected) > 3 * module.TOGETHER
    monkeypatch.setattr(module, "TOGETHER", 10_000)
    assert_frame_equal(estimate(survey, "good", ["age", "region"]), expected)


def test_groups_may_be_called_what_they_are(twelve: Make) -> None:
    """Names that the estimation might use inside change nothing."""
    plain = estimate(twelve(), "satisfied", ["sex", "age"])
    named = twelve(
        groups={"group": "sex", "asked": {"column": "age", "bands": [16, 35, 65]}, "cell": "sex"}
    )
    other = estimate(named, "satisfied", ["group", "asked"]).rename(
        {"group": "sex", "asked": "age"}
    )
    assert_frame_equal(other, plain)


def test_areas_are_a_group(twelve: Make) -> None:
    table = estimate(twelve(area={"column": "lsoa", "system": "lsoa21"}), "trusts", "area")
    assert table["area"].to_list() == ["E01000001", "E01000002"]
    assert table["value"].to_list() == pytest.approx([4 / 7, 5 / 8])


@pytest.mark.parametrize(
    ("call", "error", "said"),
    [
        (lambda s: estimate(s, "trust"), UnknownNameError, "outcome 'trust' not found in twelve; did you mean"),
        (lambda s: estimate(s, "trusts", "sexx"), UnknownNameError, "group 'sexx' not found in twelve; did you mean"),
        (lambda s: estimate(s, "trusts", ["sex", "sex"]), DataError, "group 'sex' is there twice"),
        (lambda s: estimate(s, "trusts", wave="2020"), DataError, "names no column of waves"),
        (lambda s: estimate(s, "trusts", "area"), UnknownNameError, "group 'area' not found"),
        (lambda s: changes(s, "trusts", "2020", "2022"), DataError, "names no column of waves"),
    ],
)  # fmt: skip
def test_what_is_not_there_is_told(
    twelve: Make, call: Callable[[Survey], object], error: type[Exception], said: str
) -> None:
    with pytest.raises(error, match=said):
        call(twelve())


def test_waves_that_cannot_be_compared_are_told(twelve: Make) -> None:
    survey = twelve(
        {"psu": range(12), "trust": [1.0, 2, 1, None, None, None, 1, 2, 1, None, None, None]},
        wave="year",
    )
    for call, error, said in (
        (
            lambda: changes(survey, "trusts", "2020", "2021"),
            UnknownNameError,
            "wave '2021' not found",
        ),
        (
            lambda: changes(survey, "trusts", "2020", "2020"),
            DataError,
            "from wave '2020' to itself",
        ),
        (
            lambda: changes(survey, "trusts", "2020", "2022", "wave"),
            DataError,
            "a change by 'wave'",
        ),
        (
            lambda: changes(survey, "trusts", "2020", "2022"),
            DataError,
            "nobody answered 'trusts' in both waves",
        ),
        (
            lambda: estimate(survey, "trusts", wave="2022"),
            DataError,
            "nobody answered 'trusts' in wave '2022'",
        ),
    ):
        with pytest.raises(error, match=said):
            call()
