"""The fictional county's residents and their survey: whole, true to what was planted, and read by SPSS's rules."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
import pyreadstat
import pytest

from commonweal.demo import County, generate_county
from commonweal.demo.survey import draw_survey, write_survey
from commonweal.errors import DataError

if TYPE_CHECKING:
    from pathlib import Path

YES = {"trust": ("trust", [1]), "belong": ("belonging", [1, 2]), "lonely": ("loneliness", [1, 2])}
KIND = ["age", "sex", "tenure"]


@cache
def county() -> County:
    return generate_county()


def truth(outcome: str) -> float:
    cells = county().residents_truth.join(county().residents, on=["code", *KIND])
    return float((cells[outcome] * cells["people"]).sum() / cells["people"].sum())


class TestResidents:
    def test_kinds_add_up_to_the_adults_of_each_neighbourhood(self) -> None:
        sums = county().residents.group_by("code", maintain_order=True).agg(pl.sum("people"))
        assert sums["people"].equals(county().people["people_16_plus"].rename("people"))
        assert (county().residents["people"] >= 0).all()

    def test_a_neighbourhood_is_the_mean_of_its_people(self) -> None:
        cells = county().residents_truth.join(county().residents, on=["code", *KIND])
        found = cells.group_by("code", maintain_order=True).agg(
            (pl.col("trust", "belonging", "loneliness") * pl.col("people")).sum()
            / pl.col("people").sum()
        )
        known = county().social_capital_truth
        np.testing.assert_allclose(found.drop("code"), known.drop("code"), atol=1e-8)

    def test_the_patterns_that_surveys_find(self) -> None:
        cells = county().residents_truth.join(county().residents, on=["code", *KIND])

        def mean(by: str) -> dict[str, float]:
            total = (pl.col("trust") * pl.col("people")).sum() / pl.col("people").sum()
            return dict(cells.group_by(by).agg(total).iter_rows())

        assert mean("age")["16-29"] < mean("age")["45-64"] < mean("age")["65+"]
        assert mean("tenure")["social rented"] < mean("tenure")["owned"]
        places = county().areas.join(county().social_capital_truth, on="code")
        by_kind = dict(places.group_by("kind").agg(pl.mean("trust")).iter_rows())
        assert by_kind["estate"] < by_kind["suburb"] < by_kind["village"]
        lonely = dict(places.group_by("kind").agg(pl.mean("loneliness")).iter_rows())
        assert lonely["estate"] > lonely["suburb"] > lonely["village"]


class TestSurvey:
    def test_a_seed_draws_the_same_people(self) -> None:
        assert draw_survey(county(), 3).equals(draw_survey(county(), 3))
        assert not draw_survey(county(), 3).equals(draw_survey(county(), 4))

    def test_two_neighbourhoods_or_more_in_each_stratum(self) -> None:
        survey = draw_survey(county())
        drawn = survey.group_by("stratum").agg(pl.col("area").n_unique())
        assert len(drawn) == 10
        assert drawn["area"].min() >= 2
        assert 115 <= survey["area"].n_unique() <= 122
        assert survey.group_by("area").len()["len"].max() <= 30

    def test_the_young_answer_less_and_weigh_more(self) -> None:
        survey = draw_survey(county())
        people = county().residents.group_by("age").agg(pl.sum("people")).sort("age")["people"]
        share = survey.group_by("age").len().sort("age")["len"] / len(survey)
        weighed = survey.group_by("age").agg(pl.sum("weight")).sort("age")["weight"] / len(survey)
        assert share[0] < 0.8 * people[0] / people.sum()
        np.testing.assert_allclose(weighed, people / people.sum(), atol=1e-4)

    def test_weighted_surveys_find_the_truth_on_average_and_unweighted_ones_do_not(self) -> None:
        drawn = [draw_survey(county(), seed) for seed in range(60)]
        for question, (outcome, yes) in YES.items():
            weighted, plain = [], []
            for survey in drawn:
                said = survey.filter(pl.col(question) > 0)
                is_yes = said[question].is_in(yes).cast(pl.Float64)
                weighted.append((is_yes * said["weight"]).sum() / said["weight"].sum())
                plain.append(is_yes.mean())
            error = np.std(weighted) / np.sqrt(len(drawn))
            assert abs(np.mean(weighted) - truth(outcome)) < 4 * error
            assert abs(np.mean(plain) - truth(outcome)) > 8 * error

    def test_too_few_to_draw(self) -> None:
        with pytest.raises(DataError, match="expected 20 or more neighbourhoods"):
            draw_survey(county(), neighbourhoods=5)

    def test_as_spss_has_it(self, tmp_path: Path) -> None:
        survey = draw_survey(county())
        file = write_survey(survey, tmp_path / "residents.sav")
        kept, about = pyreadstat.read_sav(file, output_format="polars", user_missing=True)
        assert kept["trust"].cast(pl.Int64).to_list() == survey["trust"].to_list()
        assert about.variable_value_labels["trust"][1.0] == "Most of them"
        assert about.column_names_to_labels["area"] == "Neighbourhood (primary sampling unit)"
        missing, _ = pyreadstat.read_sav(file, output_format="polars")
        assert missing["trust"].is_null().sum() == (survey["trust"] < 0).sum() > 20
        assert [f.name for f in tmp_path.iterdir()] == ["residents.sav"]
        with pytest.raises(DataError, match=r"ends in \.sav"):
            write_survey(survey, tmp_path / "residents.csv")
