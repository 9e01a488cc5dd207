"""The Fay-Herriot model: published results, a peer, properties, coverage, and what it refuses."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from commonweal.errors import DataError
from commonweal.small_areas import check_model, fay_herriot, fay_herriot_shares, predict
from commonweal.small_areas.fay_herriot import predict_shares

if TYPE_CHECKING:
    from pathlib import Path

# R's sae 1.3 on its `milk` data (expenditure on fresh milk, 43 areas, Arora and Lahiri 1997), as published with
# the package and in the tests of samplics: eblupFH(yi ~ factor(MajorArea), SD^2), mseFH, both methods.
REML = {
    "coefficients": [0.9681890, 0.1327801, 0.2269462, -0.2413011],
    "se": [0.06936208, 0.10300072, 0.09232981, 0.08161707],
    "estimate": [1.0219703, 1.0476018, 1.0679513, 0.7608170, 0.8461574, 0.9743727, 1.0584523],
    "mse": [0.013460220, 0.005372876, 0.005701990, 0.008541740, 0.009579594, 0.011670632],
}
ML = {
    "coefficients": [0.9677986, 0.1278756, 0.2266909, -0.2425804],
    "estimate": [1.0161733, 1.0436968, 1.0628168, 0.7753489, 0.8554903, 0.9735857, 1.0474786],
    "mse": [0.013579953, 0.005512868, 0.005850584, 0.008735454, 0.009774528, 0.011840745],
}


@pytest.fixture(scope="module")
def milk(peer_data: Path) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    table = pl.read_csv(peer_data / "expenditure_on_milk.csv")
    major = table["major_area"].to_numpy()
    x = np.column_stack([major == k for k in (2, 3, 4)]).astype(float)
    return table["direct_est"].to_numpy(), table["std_error"].to_numpy() ** 2, x


def simulated(seed: int, n: int = 60, s2: float = 0.5) -> tuple[np.ndarray, ...]:
    rng = np.random.default_rng(seed)
    x, d = rng.normal(size=n), rng.uniform(0.2, 2, n)
    truth = 1 + 2 * x + rng.normal(0, np.sqrt(s2), n)
    return truth + rng.normal(0, np.sqrt(d)), d, x, truth


class TestPublished:
    def test_reml_on_milk(self, milk) -> None:
        fit = fay_herriot(*milk)
        assert fit.model_variance == pytest.approx(0.01855022, abs=2e-7)  # sae stops at 1e-4 of it
        np.testing.assert_allclose(fit.coefficients, REML["coefficients"], atol=1e-6)
        np.testing.assert_allclose(np.sqrt(np.diag(fit.covariance)), REML["se"], atol=2e-7)
        np.testing.assert_allclose(fit.estimate[:7], REML["estimate"], atol=1e-6)
        np.testing.assert_allclose(fit.mse[:6], REML["mse"], atol=1e-7)
        assert fit.log_likelihood == pytest.approx(12.67748, abs=1e-5)
        assert fit.aic == pytest.approx(-15.35496, abs=2e-5)
        assert fit.bic == pytest.approx(-6.548956, abs=2e-5)

    def test_ml_on_milk(self, milk) -> None:
        fit = fay_herriot(*milk, method="ml")
        np.testing.assert_allclose(fit.coefficients, ML["coefficients"], atol=1e-6)
        np.testing.assert_allclose(fit.estimate[:7], ML["estimate"], atol=1e-6)
        np.testing.assert_allclose(fit.mse[:6], ML["mse"], atol=1e-7)

    def test_agrees_with_samplics(
        self, milk
    ) -> None:  # its ML stops after two steps, short of the top
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # samplics says on import that it is archived
            from samplics.sae.eblup_area_model import EblupAreaModel
            from samplics.utils.types import FitMethod
        y, d, x = milk
        areas = np.arange(len(y))
        peer = EblupAreaModel(method=FitMethod.reml)
        peer.fit(yhat=y, X=x, area=areas, error_std=np.sqrt(d), intercept=True, tol=1e-14)
        peer.predict(X=x, area=areas, intercept=True)
        fit = fay_herriot(y, d, x)
        assert fit.model_variance == pytest.approx(peer.re_std**2, rel=1e-8)
        np.testing.assert_allclose(fit.estimate, list(peer.area_est.values()), rtol=1e-8)
        np.testing.assert_allclose(fit.mse, list(peer.area_mse.values()), rtol=1e-7)


class TestProperties:
    @given(seed=st.integers(0, 10_000))
    @settings(max_examples=25)
    def test_order_of_areas_does_not_matter(self, seed: int) -> None:
        y, d, x, _ = simulated(seed)
        order = np.random.default_rng(seed).permutation(len(y))
        one, two = fay_herriot(y, d, x), fay_herriot(y[order], d[order], x[order], areas=order)
        np.testing.assert_allclose(two.estimate, one.estimate[order], rtol=1e-7, atol=1e-9)
        np.testing.assert_allclose(two.mse, one.mse[order], rtol=1e-7)
        assert two.areas == tuple(order)

    @given(seed=st.integers(0, 10_000), scale=st.floats(1e-3, 1e3), shift=st.floats(-5, 5))
    @settings(max_examples=25)
    def test_unit_of_the_outcome_does_not_matter(self, seed, scale, shift) -> None:
        y, d, x, _ = simulated(seed)
        one, two = fay_herriot(y, d, x), fay_herriot(scale * (y + shift), scale**2 * d, 7 * x + 3)
        np.testing.assert_allclose(
            two.estimate, scale * (one.estimate + shift), rtol=1e-6, atol=1e-6 * scale
        )
        np.testing.assert_allclose(two.mse, scale**2 * one.mse, rtol=1e-6)

    @given(seed=st.integers(0, 10_000))
    @settings(max_examples=25)
    def test_estimate_lies_between_the_direct_and_the_synthetic(self, seed: int) -> None:
        y, d, x, _ = simulated(seed, n=20)
        fit = fay_herriot(y, d, x)
        assert ((fit.shrinkage >= 0) & (fit.shrinkage < 1)).all()
        low, high = np.minimum(y, fit.synthetic), np.maximum(y, fit.synthetic)
        assert ((fit.estimate >= low - 1e-9) & (fit.estimate <= high + 1e-9)).all()
        np.testing.assert_allclose(fit.mse, fit.g1 + fit.g2 + 2 * fit.g3)

    @given(seed=st.integers(0, 10_000))
    @settings(max_examples=25)
    def test_reml_is_the_top_of_the_restricted_likelihood(self, seed: int) -> None:
        y, d, x, _ = simulated(seed, n=15, s2=0.2)
        fit = fay_herriot(y, d, x)
        design = np.column_stack([np.ones(15), x])

        def likelihood(s2: float) -> float:
            v = s2 + d
            a = design.T @ (design / v[:, None])
            r = y - design @ np.linalg.solve(a, design.T @ (y / v))
            return -(np.log(v).sum() + np.linalg.slogdet(a)[1] + (r**2 / v).sum()) / 2

        tries = np.concatenate([[0], np.geomspace(1e-4, 100, 400)])
        assert likelihood(fit.model_variance) >= max(map(likelihood, tries)) - 1e-9

    def test_a_precise_direct_estimate_stands(self) -> None:
        y, d, x, _ = simulated(1)
        fit = fay_herriot(y, d * 1e-9, x)
        np.testing.assert_allclose(fit.estimate, y, atol=1e-6)
        np.testing.assert_allclose(fit.mse, d * 1e-9, rtol=1e-5)

    def test_a_direct_estimate_worth_nothing_gives_the_synthetic(self) -> None:
        y, d, x, _ = simulated(1)
        d[7] = 1e12
        fit = fay_herriot(y, d, x)
        there = predict(fit, [x[7]])
        assert fit.estimate[7] == pytest.approx(there.estimate[0])
        assert fit.mse[7] == pytest.approx(there.mse[0], rel=1e-6)

    def test_variance_of_zero_is_reported(self) -> None:
        x = np.arange(10.0)
        fit = fay_herriot(2 * x + [0.1, -0.1] * 5, np.full(10, 4.0), x)
        assert fit.at_zero
        assert fit.model_variance == 0
        np.testing.assert_array_equal(fit.shrinkage, 0)
        np.testing.assert_allclose(fit.estimate, fit.synthetic)


class TestCoverage:
    """Shares of 95% intervals that hold the truth over 200 simulated surveys; fixed seeds."""

    def test_sampled_and_unsampled_areas(self) -> None:
        sampled, unsampled = [], []
        for seed in range(200):
            y, d, x, truth = simulated(seed, n=100)
            fit = fay_herriot(y[:80], d[:80], x[:80])
            sampled.append((fit.lower <= truth[:80]) & (truth[:80] <= fit.upper))
            new = predict(fit, x[80:])
            unsampled.append((new.lower <= truth[80:]) & (truth[80:] <= new.upper))
        assert np.mean(sampled) == pytest.approx(0.95, abs=0.01)
        assert np.mean(unsampled) == pytest.approx(0.955, abs=0.015)

    def test_shares(self) -> None:
        rng = np.random.default_rng(3)
        hits, bias = [], []
        for _ in range(150):
            x, n = rng.normal(size=80), rng.integers(8, 60, 80)
            truth = np.sin(np.clip(0.7 + 0.15 * x + rng.normal(0, 0.08, 80), 0, np.pi / 2)) ** 2
            fit = fay_herriot_shares(rng.binomial(n, truth) / n, n, x)
            hits.append((fit.lower <= truth) & (truth <= fit.upper))
            bias.append((fit.estimate - truth).mean())
        assert np.mean(hits) == pytest.approx(0.95, abs=0.02)
        assert abs(np.mean(bias)) < 0.003


class TestShares:
    def test_stay_between_0_and_1(self) -> None:
        fit = fay_herriot_shares([0, 1, 0.5, 0.9, 0.02, 0.4], [4, 6, 20, 8, 30, 12])
        for values in (fit.estimate, fit.lower, fit.upper):
            assert ((values >= 0) & (values <= 1)).all()
        assert (fit.lower <= fit.estimate).all()
        assert (fit.estimate <= fit.upper).all()

    def test_back_transformation_is_the_mean_of_the_normal(self) -> None:
        rng = np.random.default_rng(0)
        share, n = rng.uniform(0.2, 0.8, 30), rng.integers(5, 40, 30)
        fit = fay_herriot_shares(share, n)
        draws = fit.model.estimate[:, None] + np.sqrt(fit.model.g1)[:, None] * rng.normal(
            size=(30, 40_000)
        )
        np.testing.assert_allclose(fit.estimate, (np.sin(draws) ** 2).mean(axis=1), atol=0.004)

    def test_unsampled_areas_are_less_certain(self) -> None:
        rng = np.random.default_rng(0)
        x, n = rng.normal(size=40), np.full(40, 30)
        fit = fay_herriot_shares(
            rng.binomial(n, 0.5 + 0.1 * np.tanh(x) + rng.normal(0, 0.1, 40).clip(-0.3, 0.3)) / n,
            n,
            x,
        )
        new = predict_shares(fit, [0.0], areas=["new"])
        assert new.areas == ("new",)
        assert new.mse[0] > np.median(fit.mse)


class TestChecks:
    def test_left_out_residuals_are_those_of_refitting(self) -> None:
        y, d, x, _ = simulated(4, n=30)
        fit = fay_herriot(y, d, x)
        checks = check_model(fit)
        design, v = fit.design, fit.model_variance + d
        keep = np.arange(30) != 5
        a = design[keep].T @ (design[keep] / v[keep, None])
        b = np.linalg.solve(a, design[keep].T @ (y[keep] / v[keep]))
        se = np.sqrt(v[5] + design[5] @ np.linalg.solve(a, design[5]))
        assert checks.left_out[5] == pytest.approx((y[5] - design[5] @ b) / se)
        moved = b - fit.coefficients
        cook = moved @ np.linalg.solve(fit.covariance, moved) / 2
        assert checks.influence[5] == pytest.approx(cook)
        assert checks.leverage.sum() == pytest.approx(2)

    def test_explained_is_high_for_a_covariate_that_explains(self) -> None:
        y, d, x, _ = simulated(4, n=200, s2=0.1)
        assert check_model(fay_herriot(y, d, x)).explained > 0.9
        assert abs(check_model(fay_herriot(y, d, np.sin(np.arange(200)))).explained) < 0.1

    def test_a_wild_area_fails_normality(self) -> None:
        y, d, x, _ = simulated(5, n=100)
        assert check_model(fay_herriot(y, d, x)).normality > 0.05
        y[0] += 30
        assert check_model(fay_herriot(y, d, x)).normality < 0.001


class TestRefuses:
    @pytest.mark.parametrize(
        ("change", "message"),
        [
            ({"direct": [1, np.nan, 3, 4]}, "direct is nan in row 1"),
            ({"direct": [1, 2, np.inf, 4]}, "direct is inf in row 2"),
            ({"direct": [[1, 2, 3, 4]]}, "direct has 2 dimensions"),
            ({"direct": []}, "direct is empty"),
            ({"direct": ["a", "b", "c", "d"]}, "direct is not numeric"),
            ({"variance": [1, 1, -1, 1]}, "variance is -1 in row 2"),
            ({"variance": [0, 1, 1, 1]}, "variance is 0 in row 0"),
            ({"variance": [1, 1, 1]}, "variance has 3 values; expected 4"),
            ({"x": [1, 2, 3]}, r"x has shape \(3, 1\); expected 4 rows"),
            ({"x": [1, 2, np.nan, 4]}, "x is nan in row 2, column 0"),
            (
                {"x": [[1, 2], [2, 4], [3, 6], [4, 8]], "names": ["a", "b"]},
                "covariate 'b' is a comb",
            ),
            ({"x": [5, 5, 5, 5]}, "covariate 'x1' is a combination"),
            ({"x": np.eye(4)[:, :3]}, "4 rows for 4 coefficients"),
            ({"names": ["a", "b"]}, "2 names of covariates; expected 1"),
            ({"areas": ["a", "b", "a", "d"]}, "area 'a' is there 2 times"),
            ({"areas": ["a", "b"]}, "areas has 2 values; expected 4"),
            ({"method": "bayes"}, "method is 'bayes'; expected 'reml' or 'ml'"),
            ({"level": 95}, "level is 95; expected a number between 0 and 1"),
        ],
    )
    def test_bad_input(self, change: dict, message: str) -> None:
        good = {"direct": [1, 2, 3, 5], "variance": [1, 1, 1, 1], "x": [1, 2, 3, 4]}
        with pytest.raises(DataError, match=message):
            fay_herriot(**(good | change))

    def test_shares_beyond_1(self) -> None:
        with pytest.raises(DataError, match=r"share is 1.2 in row 0.*from 0 to 1"):
            fay_herriot_shares([1.2, 0.5, 0.1], [5, 5, 5])

    def test_predicting_with_other_covariates(self) -> None:
        fit = fay_herriot([1, 2, 3, 5], [1, 1, 1, 1], [1, 2, 3, 4])
        with pytest.raises(DataError, match="x has 2 columns; expected 1, as in the fit"):
            predict(fit, [[1, 2]])
