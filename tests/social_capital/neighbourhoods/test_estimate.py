"""From the fictional county's survey to its neighbourhoods: what adds up, what is refused, what covers the truth."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
import pytest

from commonweal.demo import County, generate_county
from commonweal.errors import DataError, UnknownNameError
from commonweal.report.small_areas import findings
from commonweal.sources import Store
from commonweal.study.small_areas import (
    CovariateData,
    EstimatesSpec,
    estimate_survey,
    example_spec,
    example_survey,
    read_covariates,
)
from commonweal.survey import estimate

if TYPE_CHECKING:
    from pathlib import Path

    from commonweal.social_capital.neighbourhoods import Neighbourhoods

OUTCOMES = ("trust", "belonging", "loneliness")


@cache
def county() -> County:
    return generate_county()


@pytest.fixture(scope="module")
def spec() -> EstimatesSpec:
    return example_spec()


@pytest.fixture(scope="module")
def ground(spec: EstimatesSpec, tmp_path_factory: pytest.TempPathFactory) -> CovariateData:
    cache: Path = tmp_path_factory.mktemp("ground")
    return read_covariates(spec, Store(cache=cache, offline=True))


@pytest.fixture(scope="module")
def found(spec: EstimatesSpec, ground: CovariateData) -> Neighbourhoods:
    return estimate_survey(spec, example_survey(county()), ground)


def truth(outcome: str) -> np.ndarray:
    return county().social_capital_truth[outcome].to_numpy()


class TestTable:
    def test_every_neighbourhood_has_an_estimate_within_its_interval(
        self, found: Neighbourhoods
    ) -> None:
        table = found.table()
        assert table["code"].to_list() == county().areas["code"].to_list()
        for name in OUTCOMES:
            value, low, high = (table[f"{name}{end}"] for end in ("", "_lower", "_upper"))
            assert value.null_count() == 0
            assert ((low <= value) & (value <= high)).all()
            assert low.min() >= 0  # type: ignore[operator]
            assert high.max() <= 1  # type: ignore[operator]
            cv = table[f"{name}_se"] / value
            np.testing.assert_allclose(table[f"{name}_cv"], cv)
            assert (table[f"{name}_publish"] == (cv < 0.2)).all()

    def test_own_answers_count_only_where_people_were_asked(self, found: Neighbourhoods) -> None:
        survey = example_survey(county()).frame
        for name in OUTCOMES:
            table = found.table()
            asked = table[f"{name}_respondents"] > 0
            assert asked.sum() == survey["neighbourhood"].n_unique()
            assert table[f"{name}_respondents"].sum() == survey[name].is_not_null().sum()
            share = table[f"{name}_from_survey"]
            assert ((share > 0) == asked).all()
            assert share.max() < 1  # type: ignore[operator]
            assert (table[f"{name}_direct"].is_not_null() == asked).all()

    def test_an_estimate_lies_between_the_answers_and_the_like(self, found: Neighbourhoods) -> None:
        m = found.outcomes["trust"].modelled
        d = m.direct
        expected = d.value - m.residual * np.sqrt(d.variance + m.model_sd**2)  # the regression
        low, high = np.minimum(d.value, expected), np.maximum(d.value, expected)
        here = m.estimate[d.rows]
        assert ((here >= low - 0.01) & (here <= high + 0.01)).all()


class TestAddingUp:
    def test_districts_are_what_the_survey_says_of_them(self, found: Neighbourhoods) -> None:
        survey = example_survey(county())
        district = dict(county().areas.select("code", "district_code").iter_rows())
        there = survey.frame.with_columns(district=pl.col("neighbourhood").replace_strict(district))
        with_district = replace(
            survey,
            frame=there,
            levels={**survey.levels, "district": tuple(sorted(set(district.values())))},
        )
        direct = estimate(with_district, "trust", by="district")
        adults = county().people["people_16_plus"].to_numpy()
        table = (
            county()
            .areas.select("district_code")
            .with_columns(adults=adults, yes=adults * found.outcomes["trust"].estimate)
        )
        sums = table.group_by("district_code").agg(pl.sum("adults", "yes")).sort("district_code")
        np.testing.assert_allclose(sums["yes"] / sums["adults"], direct["value"], atol=1e-10)

    def test_a_move_counts_as_error(self, found: Neighbourhoods) -> None:
        e = found.outcomes["trust"]
        moved = e.estimate - e.modelled.estimate
        np.testing.assert_allclose(
            e.standard_error, np.sqrt(e.modelled.standard_error**2 + moved**2)
        )
        assert e.larger is not None
        assert e.larger["used"].all()

    def test_where_no_district_is_fit_to_publish_nothing_is_said_to_add_up(
        self, found: Neighbourhoods
    ) -> None:
        e = found.outcomes["trust"]
        assert e.larger is not None
        unfit = replace(e, larger=e.larger.with_columns(used=pl.lit(value=False)))
        said = " ".join(findings(found, unfit))
        assert "fit to publish for none of the 5 larger areas (district)" in said
        assert "The estimates add up" not in said
        assert "The estimates add up" in " ".join(findings(found, e))

    def test_without_a_benchmark_nothing_moves(
        self, spec: EstimatesSpec, ground: CovariateData
    ) -> None:
        plain = spec.model_copy(update={"benchmark": "", "outcomes": ("trust",)})
        e = estimate_survey(plain, example_survey(county()), ground).outcomes["trust"]
        assert e.larger is None
        np.testing.assert_array_equal(e.estimate, e.modelled.estimate)


class TestTruth:
    def test_far_nearer_to_the_truth_than_the_answers_alone(self, found: Neighbourhoods) -> None:
        for name in OUTCOMES:
            e = found.outcomes[name]
            rows = e.modelled.direct.rows
            ours = np.sqrt(((e.estimate - truth(name))[rows] ** 2).mean())
            alone = np.sqrt(((e.modelled.direct.value - truth(name)[rows]) ** 2).mean())
            assert ours < 0.65 * alone

    @pytest.mark.slow
    def test_intervals_cover_at_their_rate(
        self, spec: EstimatesSpec, ground: CovariateData
    ) -> None:
        # benchmarks/small_area_coverage.py has 200 surveys. Over 12 the mean of 400 intervals an outcome
        # has a standard error of about one point, since those of a survey share a model.
        hits: dict[str, list[float]] = {name: [] for name in OUTCOMES}
        for seed in range(12):
            result = estimate_survey(spec, example_survey(county(), 100 + seed), ground)
            for name, e in result.outcomes.items():
                hits[name].append(((e.lower <= truth(name)) & (truth(name) <= e.upper)).mean())
        for name in OUTCOMES:
            assert 0.92 < np.mean(hits[name]) < 0.98, name

    def test_intervals_of_half_cover_about_half(
        self, spec: EstimatesSpec, ground: CovariateData
    ) -> None:
        narrow = spec.model_copy(update={"level": 0.5, "benchmark": ""})
        hits = []
        for seed in range(8):
            result = estimate_survey(narrow, example_survey(county(), 300 + seed), ground)
            hits += [
                ((e.lower <= truth(name)) & (truth(name) <= e.upper)).mean()
                for name, e in result.outcomes.items()
            ]
        assert 0.44 < np.mean(hits) < 0.58


class TestKinds:
    def test_kinds_of_people_give_much_the_same(
        self, spec: EstimatesSpec, ground: CovariateData, found: Neighbourhoods
    ) -> None:
        by_kind = spec.model_copy(
            update={"model": "mrp", "outcomes": ("trust",), "benchmark": "", "draws": 200}
        )
        e = estimate_survey(by_kind, example_survey(county()), ground).outcomes["trust"]
        other = found.outcomes["trust"].modelled.estimate
        assert np.corrcoef(e.estimate, other)[0, 1] > 0.95
        assert abs((e.estimate - other).mean()) < 0.02
        assert np.sqrt(((e.estimate - truth("trust")) ** 2).mean()) < 0.09
        assert ((e.asked > 0) == (e.modelled.from_survey > 0)).all()

    @pytest.mark.slow
    def test_who_is_of_no_known_kind_is_counted(
        self, spec: EstimatesSpec, ground: CovariateData
    ) -> None:
        by_kind = spec.model_copy(
            update={"model": "mrp", "outcomes": ("trust",), "benchmark": "", "draws": 50}
        )
        survey = example_survey(county())
        answered = survey.frame.with_row_index().filter(pl.col("trust").is_not_null())["index"]
        silent = pl.int_range(pl.len()).is_in(answered.head(7).implode())
        frame = survey.frame.with_columns(age=pl.when(silent).then(None).otherwise(pl.col("age")))
        e = estimate_survey(by_kind, replace(survey, frame=frame), ground).outcomes["trust"]
        whole = estimate_survey(by_kind, survey, ground).outcomes["trust"]
        assert e.of_no_kind - whole.of_no_kind == 7
        assert e.asked.sum() == whole.asked.sum() - 7

    def test_a_group_that_nobody_counts(self, spec: EstimatesSpec, ground: CovariateData) -> None:
        assert ground.people is not None
        ages = np.where(ground.people.groups["age"] == "65+", "65-99", ground.people.groups["age"])
        people = replace(ground.people, groups={**ground.people.groups, "age": ages})
        by_kind = spec.model_copy(update={"model": "mrp"})
        with pytest.raises(DataError, match=r"group 'age': '65\+' of the survey is not one"):
            estimate_survey(by_kind, example_survey(county()), replace(ground, people=people))

    def test_needs_people(self, spec: EstimatesSpec, ground: CovariateData) -> None:
        by_kind = spec.model_copy(update={"model": "mrp"})
        with pytest.raises(DataError, match="who lives where"):
            estimate_survey(by_kind, example_survey(county()), replace(ground, people=None))


class TestRefused:
    def test_codes_of_another_system(self, spec: EstimatesSpec, ground: CovariateData) -> None:
        survey = example_survey(county())
        strange = survey.frame.with_columns(neighbourhood=pl.lit("E01000001"))
        with pytest.raises(DataError, match="such as 'E01000001'; expected such as 'F01000001'"):
            estimate_survey(spec, replace(survey, frame=strange), ground)

    @pytest.mark.parametrize("method", ["fay-herriot", "mrp"])
    def test_an_outcome_that_all_share(
        self, spec: EstimatesSpec, ground: CovariateData, method: str
    ) -> None:
        survey = example_survey(county())
        same = survey.frame.with_columns(trust=pl.when(pl.col("trust").is_not_null()).then(1.0))
        with pytest.raises(
            DataError, match=r"outcome 'trust': all 1,877 respondents .* answer alike"
        ):
            estimate_survey(
                spec.model_copy(update={"model": method}), replace(survey, frame=same), ground
            )

    def test_those_from_elsewhere_are_counted(
        self, spec: EstimatesSpec, ground: CovariateData
    ) -> None:
        survey = example_survey(county())
        first = survey.frame["neighbourhood"][0]
        away = pl.when(pl.col("neighbourhood") == first).then(pl.lit("F01999999"))
        moved = survey.frame.with_columns(neighbourhood=away.otherwise("neighbourhood"))
        e = estimate_survey(
            spec.model_copy(update={"outcomes": ("trust",), "benchmark": ""}),
            replace(survey, frame=moved),
            ground,
        ).outcomes["trust"]
        answered = survey.frame.filter(pl.col("neighbourhood") == first)["trust"].is_not_null()
        assert e.outside == answered.sum() > 0

    @pytest.mark.parametrize(
        ("change", "said"),
        [
            ({"outcomes": ("trst",)}, "did you mean 'trust'"),
            ({"area": "neighborhood"}, "did you mean 'neighbourhood'"),
            ({"benchmark": "districts"}, "did you mean 'district'"),
        ],
    )
    def test_names_that_are_not_there(
        self, change: dict[str, object], said: str, spec: EstimatesSpec, ground: CovariateData
    ) -> None:
        with pytest.raises(UnknownNameError, match=said):
            estimate_survey(spec.model_copy(update=change), example_survey(county()), ground)
