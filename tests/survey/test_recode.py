"""From codes to outcomes and groups, and what is told of codes that do not fit."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import polars as pl
import pytest

from commonweal.errors import CommonwealError, DataError, StudyError

if TYPE_CHECKING:
    from collections.abc import Callable

    from commonweal.survey import Survey


def outcome(twelve: Callable[..., Survey], **about: Any) -> list[float | None]:
    return twelve(outcomes={"y": about}).frame["y"].to_list()


def test_a_share_by_code_and_by_label(twelve: Callable[..., Survey]) -> None:
    expected = [1, 0, 1, 1, 0, None, 1, 1, 0, 0, 1, None]
    for yes in (1, 1.0, [1], "Most can be trusted"):
        for missing in (9, "Don't know"):
            assert outcome(twelve, column="trust", yes=yes, missing=missing) == expected
    both = {"yes": 1, "no": "Can't be too careful"}
    assert outcome(twelve, column="trust", **both, missing=9) == expected


def test_a_number_as_it_is_and_recoded(twelve: Callable[..., Survey]) -> None:
    assert outcome(twelve, column="score", missing=77)[8:] == [None, 4, 7, 2]
    recoded = outcome(
        twelve, column="trust", recode={1: 10, "Can't be too careful": 2.5}, missing=9
    )
    assert recoded == [10, 2.5, 10, 10, 2.5, None, 10, 10, 2.5, 2.5, 10, None]


def test_missing_codes_of_the_whole_survey(twelve: Callable[..., Survey]) -> None:
    survey = twelve(
        missing=[9, 77], outcomes={"y": {"column": "trust", "yes": 1}, "z": {"column": "score"}}
    )
    assert survey.frame["y"].null_count() == 2
    assert survey.frame["z"].to_list() == [7, 3, 8, 10, 0, 5, 6, None, None, 4, 7, 2]


def test_bare_yes_and_no_of_yaml_mean_the_words(twelve: Callable[..., Survey]) -> None:
    """YAML reads them as true and false; in the data they are text, or labels."""
    meets = ["Yes", "No"] * 6
    survey = twelve(
        {"meets": meets}, outcomes={"y": {"column": "meets", "yes": [True], "no": [False]}}
    )
    assert survey.frame["y"].to_list() == [1, 0] * 6
    survey = twelve(
        {"meets": [m == "Yes" for m in meets]}, outcomes={"y": {"column": "meets", "yes": True}}
    )
    assert survey.frame["y"].to_list() == [1, 0] * 6


def test_groups_by_value_list_and_band(twelve: Callable[..., Survey]) -> None:
    survey = twelve(
        groups={
            "sex": "sex",
            "gender": {"column": "sex", "values": {"Women": "F", "Men": "M"}},
            "years": {"column": "age", "bands": [18, 35]},
            "answer": "trust",
        }
    )
    assert survey.levels["sex"] == ("F", "M")
    assert survey.levels["gender"] == ("Women", "Men")  # as the file has them, not the alphabet
    assert survey.frame["gender"].to_list()[:2] == ["Women", "Men"]
    assert survey.levels["years"] == ("18 to 34", "35 or over")
    assert survey.frame["years"].to_list()[:4] == [None, "18 to 34", "35 or over", "35 or over"]
    assert survey.frame["years"][8] == "35 or over"  # 35: the lower end belongs to the band
    assert survey.levels["answer"] == ("Most can be trusted", "Can't be too careful", "Don't know")


def test_labels_follow_numbers_not_the_alphabet(twelve: Callable[..., Survey]) -> None:
    survey = twelve({"home": [2, 10, 1] * 4}, groups={"home": "home"})
    assert survey.levels["home"] == ("1", "2", "10")


@pytest.mark.parametrize(
    ("about", "said"),
    [
        (
            {"column": "trust", "yes": "Most can be trustd"},
            "answer 'Most can be trustd' not found in column 'trust'; did you mean 'Most can be trusted'",
        ),
        (
            {"column": "trust", "yes": [7, 8]},
            "nobody answers 7 or 8 in column 'trust'; it has Most can be trusted, Can't be too careful, Don't know",
        ),
        ({"column": "score", "yes": "often"}, "column 'score' has numbers without value labels"),
        (
            {"column": "trust", "yes": 1, "no": 2},
            "column 'trust' holds 9; expected each answer in yes or no, or missing",
        ),
        (
            {"column": "trust", "recode": {1: 1}},
            "holds 2, 9; expected each answer in recode, or missing",
        ),
        ({"column": "trust", "yes": 1, "no": [1, 2]}, "1 is there twice, with different meanings"),
        ({"column": "sex"}, "column 'sex' holds text such as 'F'; expected numbers"),
        ({"column": "sex", "yes": "f"}, "answer 'f' not found in column 'sex'; did you mean 'F'"),
        (
            {"column": "trust", "yes": 1, "missing": [1, 2, 9]},
            "column 'trust' has no answer among 12 respondents",
        ),
    ],
)
def test_answers_that_do_not_fit_are_told(
    twelve: Callable[..., Survey], about: dict[str, Any], said: str
) -> None:
    with pytest.raises(DataError) as told:
        outcome(twelve, **about)
    assert str(told.value).startswith("twelve: outcomes.y: ")
    assert said in str(told.value)


@pytest.mark.parametrize(
    ("about", "said"),
    [
        (
            {"column": "sex", "values": {"Women": "F", "All": ["F", "M"]}},
            "'F' is in 'Women' and in 'All'",
        ),
        ({"column": "age", "values": {"Old": [99]}}, "no respondent is in group 'Old'"),
        ({"column": "age", "bands": [16, 90]}, "no respondent is in group '90 or over'"),
        ({"column": "sex", "bands": [1, 2]}, "bands of column 'sex', which holds text such as 'F'"),
    ],
)
def test_groups_that_do_not_fit_are_told(
    twelve: Callable[..., Survey], about: dict[str, Any], said: str
) -> None:
    with pytest.raises(DataError) as told:
        twelve(groups={"g": about})
    assert str(told.value).startswith("twelve: groups.g: ")
    assert said in str(told.value)


@pytest.mark.parametrize(
    ("columns", "changes", "said"),
    [
        ({"wt": [1.0] * 11 + [0.0]}, {}, "1 of 12 respondents have no usable weight in column 'wt' (row 12: 0)"),
        ({"wt": [-1.0, *[1.0] * 11]}, {}, "(row 1: -1)"),
        ({"wt": [float("nan"), *[1.0] * 11]}, {}, "(row 1: nothing)"),
        ({"wt": [None, None, *[1.0] * 10]}, {}, "2 of 12 respondents"),
        ({"wt": [float("inf"), *[1.0] * 11]}, {}, "(row 1: inf)"),
        ({"score": [float("-inf"), *[1.0] * 11]}, {}, "1 of 12 respondents have an infinite answer in column 'score'"),
        ({"score": [1e300, *[1.0] * 11]}, {}, "1 of 12 respondents have an answer beyond 1e60 in column 'score'"),
        ({"wt": [1e300, *[1.0] * 11]}, {}, "1 of 12 respondents have no usable weight in column 'wt' (row 1: 1e+300)"),
        ({"wt": ["a"] * 12}, {}, "weight: column 'wt' holds text"),
        ({"wt": [None] * 12}, {}, "weight: column 'wt' is empty; expected numbers"),
        ({"trust": [1, 2] * 6}, {"weight": "trust"}, "'trust' holds answers with labels (1 is 'Most can be trusted')"),
        ({"wt": list(range(5, 17))}, {}, "weight: column 'wt' counts from 5 to 16, as numbers of rows do"),
        ({"psu": [None, *range(11)]}, {}, "cluster: 1 of 12 respondents have nothing in column 'psu'"),
        ({"stratum": [None, *[1.0] * 11]}, {}, "stratum: 1 of 12"),
        ({"year": [None, *[2020] * 11]}, {"wave": "year"}, "wave: 1 of 12"),
        ({}, {"area": {"column": "lsoa", "system": "lsoa12"}}, "area.system: 'lsoa12' not found; did you mean 'lsoa"),
        ({"psu": [1, 1, 1, 1, 1, 1, 4, 4, 5, 5, 6, 6]}, {}, "1 of 2 strata have one cluster only ('1')"),
        ({"stratum": list(range(12))}, {"clusters": None}, "12 of 12 strata have one respondent only"),
        ({"n": [5] * 6 + [2] * 6}, {"population": "n"}, "stratum '2' has 2, fewer than the 3 clusters sampled"),
        ({"n": [5] * 5 + [6] * 7}, {"population": "n"}, "stratum '1' has 5 and 6; expected one number"),
    ],
)  # fmt: skip
def test_a_design_that_does_not_hold_is_told(
    twelve: Callable[..., Survey], columns: dict[str, Any], changes: dict[str, Any], said: str
) -> None:
    with pytest.raises(CommonwealError) as told:
        twelve(columns, **changes)
    assert isinstance(told.value, DataError | StudyError)
    assert str(told.value).startswith("twelve: ")
    assert said in str(told.value)


def test_columns_of_strata_are_taken_together(twelve: Callable[..., Survey]) -> None:
    survey = twelve(strata=["lsoa", "stratum"])
    assert survey.frame["stratum"].unique().sort().to_list() == ["E01000001 | 1", "E01000002 | 2"]


def test_a_respondent_without_an_area_is_kept(twelve: Callable[..., Survey]) -> None:
    lsoa = [None, *["E01000001"] * 5, *["E01000002"] * 6]
    survey = twelve({"lsoa": pl.Series(lsoa)}, area={"column": "lsoa", "system": "lsoa21"})
    assert survey.frame["area"].null_count() == 1
    assert survey.levels["area"] == ("E01000001", "E01000002")


def test_columns_of_any_kind_mean_the_same(twelve: Callable[..., Survey]) -> None:
    """Whole numbers, text, categories and truth values, as files of other kinds hold them."""
    answers = [1, 2] * 6
    outcomes = {
        "y": {"column": "q", "yes": 1, "missing": 9},
        "z": {"column": "q", "recode": {1: 5, 2: 0.5}},
    }
    expected = [1, 0] * 6
    text = pl.Series([str(a) for a in answers])
    for column in (
        pl.Series(answers, dtype=pl.Int8),
        pl.Series(answers, dtype=pl.Float32),
        text,
        text.cast(pl.Categorical),
    ):
        survey = twelve({"q": column}, outcomes=outcomes, groups={"group": "q"})
        assert survey.frame["y"].to_list() == expected
        assert survey.frame["z"].to_list() == [5, 0.5] * 6
        assert survey.levels["group"] == ("1", "2")
    truth = pl.Series([a == 1 for a in answers])
    survey = twelve(
        {"q": truth}, outcomes={"y": {"column": "q", "yes": 1, "missing": 9}, "z": {"column": "q"}}
    )
    assert survey.frame["y"].to_list() == survey.frame["z"].to_list() == expected


def test_a_large_code_in_text_is_found(twelve: Callable[..., Survey]) -> None:
    survey = twelve(
        {"q": ["1000000", "2.5"] * 6},
        outcomes={"y": {"column": "q", "recode": {1000000: 1, 2.5: 0}}},
    )
    assert survey.frame["y"].to_list() == [1, 0] * 6


def test_long_numbers_of_clusters_stay_apart(twelve: Callable[..., Survey]) -> None:
    """Two numbers of 18 digits that a float could not tell apart."""
    psu = [123456789012345678 + k // 2 for k in range(12)]
    assert twelve({"psu": psu}, strata=None).frame["cluster"].n_unique() == 6


def test_a_column_of_nothing_is_told(twelve: Callable[..., Survey]) -> None:
    for empty in (
        pl.Series([None] * 12),
        pl.Series([None] * 12, dtype=pl.String),
        pl.Series([float("nan")] * 12),
    ):
        with pytest.raises(DataError, match="column 'q' has no answer among 12 respondents"):
            twelve({"q": empty}, outcomes={"y": {"column": "q"}})
