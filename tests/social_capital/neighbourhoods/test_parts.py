"""Covariates on one scale, and what the survey alone says of an area: known answers by hand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from commonweal.errors import DataError
from commonweal.indicators import Indicator, Indicators
from commonweal.social_capital.neighbourhoods import SurveyAnswers, direct_estimates, standardised


def indicators(values: np.ndarray) -> Indicators:
    names = [f"v{i}" for i in range(values.shape[1])]
    meta = tuple(Indicator(n, n.upper(), "", "more", "one, two") for n in names)
    return Indicators("own", [f"A{i:03d}" for i in range(len(values))], values, meta)


class TestCovariates:
    def test_mean_zero_and_standard_deviation_one(self) -> None:
        found = standardised(indicators(np.random.default_rng(1).gamma(2, 3, (50, 3))))
        np.testing.assert_allclose(found.values.mean(axis=0), 0, atol=1e-12)
        np.testing.assert_allclose(found.values.std(axis=0), 1)
        assert found.sources == ("one", "two")
        assert found.filled == {}

    @given(st.floats(1e-3, 1e6), st.floats(-1e3, 1e3))
    @settings(max_examples=25)
    def test_units_do_not_matter(self, scale: float, shift: float) -> None:
        values = np.random.default_rng(2).normal(size=(30, 2))
        one, other = (
            standardised(indicators(values)),
            standardised(indicators(values * scale + shift)),
        )
        np.testing.assert_allclose(one.values, other.values, atol=1e-6)

    def test_gaps_get_the_mean_and_are_counted(self) -> None:
        values = np.array([[1.0], [np.nan], [3.0], [2.0], [2.0], [2.0]])
        found = standardised(indicators(values))
        assert found.values[1, 0] == 0
        assert found.filled == {"v0": 1}

    def test_too_many_gaps_and_no_difference(self) -> None:
        with pytest.raises(DataError, match="'v0': 50% of the areas have no value"):
            standardised(indicators(np.array([[1.0], [np.nan], [3.0], [np.nan]])))
        with pytest.raises(DataError, match="'v0' is the same in every area"):
            standardised(indicators(np.full((5, 1), 0.3)))


def answers(
    value: list[float], area: list[int], weight: list[float] | None = None, *, share: bool = True
) -> SurveyAnswers:
    w = np.ones(len(value)) if weight is None else np.array(weight)
    return SurveyAnswers(np.array(value), w, np.array(area), np.arange(len(value)), share)


class TestDirect:
    def test_weighted_means_and_kish_by_hand(self) -> None:
        area = [0, 0, 0, *np.repeat(np.arange(1, 6), 2)]
        value = [1.0, 0, 1, *[1.0, 0] * 5]
        weight = [1.0, 2, 1, *[1.0] * 10]
        found = direct_estimates(answers(value, area, weight), np.empty((6, 0)))
        assert found.value[0] == pytest.approx(2 / 4)
        assert found.effective[0] == pytest.approx(16 / 6)
        assert found.respondents.tolist() == [3, 2, 2, 2, 2, 2]
        # The mean over areas by effective number is a half everywhere, so S2 is a quarter.
        assert found.variance[0] == pytest.approx(0.25 / (16 / 6))
        assert found.design_effect == 1

    def test_all_saying_yes_is_not_certain(self) -> None:
        area = np.repeat(np.arange(8), 5).tolist()
        value = [1.0] * 5 + [1.0, 0, 1, 0, 1] * 7
        found = direct_estimates(answers(value, area), np.empty((8, 0)))
        assert found.value[0] == 1
        assert found.variance[0] > 0.03

    def test_numbers_have_the_pooled_variance_within_areas(self) -> None:
        area = np.repeat(np.arange(6), 2).tolist()
        value = [0.0, 2.0] * 6  # a variance of 2 in each
        found = direct_estimates(answers(value, area, share=False), np.empty((6, 0)))
        np.testing.assert_allclose(found.variance, 2 / 2)
        with pytest.raises(DataError, match="answers alike"):
            direct_estimates(answers([1.0] * 12, area, share=False), np.empty((6, 0)))

    def test_clusters_within_areas_count(self) -> None:
        # Both people of a household say the same: half as much is known.
        rng = np.random.default_rng(3)
        households = rng.integers(0, 2, (60, 20))
        value = np.repeat(households, 2, axis=1).ravel().astype(float)
        area = np.repeat(np.arange(60), 40)
        pairs = np.repeat(np.arange(60 * 20), 2)
        alone = SurveyAnswers(value, np.ones(len(value)), area, np.arange(len(value)), True)
        together = SurveyAnswers(value, np.ones(len(value)), area, pairs, True)
        x = np.empty((60, 0))
        assert direct_estimates(alone, x).design_effect == 1
        assert direct_estimates(together, x).design_effect == pytest.approx(2, rel=0.1)

    def test_too_few_areas(self) -> None:
        with pytest.raises(DataError, match="3 areas have respondents; expected 7 or more"):
            direct_estimates(answers([1.0, 0, 1], [0, 1, 2]), np.zeros((3, 1)))
