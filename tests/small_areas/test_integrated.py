"""Fay-Herriot with its variance integrated out: against quadrature, at its limits, and beside REML."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.integrate import quad

from commonweal.errors import DataError
from commonweal.small_areas import fay_herriot, predict
from commonweal.small_areas import fay_herriot_bayes as integrated
from commonweal.small_areas.fay_herriot_bayes import fay_herriot_posterior


def example(m: int = 60, s: float = 0.08, seed: int = 1) -> tuple[np.ndarray, ...]:
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(m + 20, 2))
    d = rng.uniform(0.005, 0.02, m)
    truth = 0.6 + 0.1 * x[:, 0] + rng.normal(0, s, m + 20)
    rows = rng.choice(m + 20, m, replace=False)
    return truth[rows] + rng.normal(0, np.sqrt(d)), d, x, rows, truth


def test_against_quadrature_where_only_the_mean_is_unknown() -> None:
    # y ~ N(b, s2 + d), flat on b and on s2: integrated by scipy, without a grid and without matrices.
    y = np.array([0.5, 0.62, 0.41, 0.7, 0.55, 0.48, 0.6, 0.3])
    d = np.array([0.004, 0.006, 0.01, 0.003, 0.008, 0.005, 0.012, 0.006])

    def given(s2: float) -> tuple[float, float, float]:
        w = 1 / (s2 + d)
        b = (w @ y) / w.sum()
        likelihood = np.sqrt(np.prod(w) / w.sum()) * np.exp(-(w @ (y - b) ** 2) / 2)
        g = s2 / (s2 + d[0])
        return likelihood, g * y[0] + (1 - g) * b, g * d[0] + (1 - g) ** 2 / w.sum()

    top = 2.5**2 * np.var(y, ddof=1)  # the reach of the grid

    def integral(of: object) -> float:
        return quad(of, 0, top, epsabs=0, epsrel=1e-10, limit=500)[0]  # type: ignore[call-overload,arg-type]

    whole = integral(lambda s2: given(s2)[0])
    mean = integral(lambda s2: given(s2)[0] * given(s2)[1]) / whole
    square = integral(lambda s2: given(s2)[0] * (given(s2)[1] ** 2 + given(s2)[2])) / whole
    found = fay_herriot_posterior(y, d, np.empty((8, 0)), np.arange(8))
    assert found.estimate[0] == pytest.approx(mean, rel=1e-4)
    assert found.variance[0] == pytest.approx(square - mean**2, rel=1e-3)


def test_twice_as_many_points_change_next_to_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    y, d, x, rows, _ = example()
    once = fay_herriot_posterior(y, d, x, rows)
    monkeypatch.setattr(integrated, "POINTS", 160)
    twice = fay_herriot_posterior(y, d, x, rows)
    np.testing.assert_allclose(np.sqrt(once.variance), np.sqrt(twice.variance), rtol=1e-3)
    assert (np.abs(once.estimate - twice.estimate) < 1e-3 * np.sqrt(twice.variance)).all()


def test_near_restricted_maximum_likelihood_where_areas_are_many() -> None:
    y, d, x, rows, _ = example(m=2_000)
    fit = fay_herriot(y, d, x[rows])
    found = fay_herriot_posterior(y, d, x, rows)
    np.testing.assert_allclose(found.estimate[rows], fit.estimate, atol=2e-3)
    # A posterior variance answers to how far an area lies off; a mean squared error does not.
    apart = np.abs(found.variance[rows] / fit.mse - 1)
    assert np.median(apart) < 0.005
    assert apart.max() < 0.05


def test_exact_answers_are_kept_and_worthless_ones_are_not() -> None:
    y, d, x, rows, _ = example()
    exact = fay_herriot_posterior(y, np.full(len(y), 1e-10), x, rows)
    np.testing.assert_allclose(exact.estimate[rows], y, atol=1e-6)
    assert (exact.shrinkage[rows] > 0.999).all()
    worthless = d.copy()
    worthless[0] = 1e6
    found = fay_herriot_posterior(y, worthless, x, rows)
    assert found.shrinkage[rows[0]] < 1e-6
    assert found.estimate[rows[0]] == pytest.approx(found.synthetic[rows[0]], abs=1e-4)


def test_areas_without_a_sample_have_no_share_and_wider_intervals() -> None:
    y, d, x, rows, _ = example()
    found = fay_herriot_posterior(y, d, x, rows)
    others = np.setdiff1d(np.arange(len(x)), rows)
    assert (found.shrinkage[others] == 0).all()
    assert (found.shrinkage[rows] > 0).all()
    assert found.variance[others].min() > found.model_variance
    assert np.median(found.variance[others]) > np.median(found.variance[rows])
    assert found.weight.sum() == pytest.approx(1)


def test_no_area_effect_is_never_certain() -> None:
    # Where REML says 0, its intervals of unsampled areas hold the error of the line alone.
    at_zero = 0
    for seed in range(10):
        y, d, x, rows, _ = example(s=0.0, seed=seed)
        at_zero += fay_herriot(y, d, x[rows]).at_zero
        assert fay_herriot_posterior(y, d, x, rows).model_variance > 1e-5
    assert at_zero >= 2


def test_covers_where_taking_s2_as_known_does_not() -> None:
    hits, reml = [], []
    for seed in range(150):
        y, d, x, rows, truth = example(m=30, s=0.05, seed=seed)
        found = fay_herriot_posterior(y, d, x, rows)
        hits.append((np.abs(found.estimate - truth) < 1.96 * np.sqrt(found.variance)).mean())
        others = np.setdiff1d(np.arange(len(x)), rows)
        known = predict(fay_herriot(y, d, x[rows]), x[others])
        reml.append((np.abs(known.estimate - truth[others]) < 1.96 * np.sqrt(known.mse)).mean())
    assert 0.94 < np.mean(hits) < 0.985
    assert np.mean(reml) < 0.92


def test_what_cannot_be_used() -> None:
    y, d, x, rows, _ = example()
    with pytest.raises(DataError, match="variance is 0"):
        fay_herriot_posterior(y, np.zeros(len(y)), x, rows)
    with pytest.raises(DataError, match="covariate 'x2' is a combination"):
        fay_herriot_posterior(y, d, np.column_stack([x[:, 0], 2 * x[:, 0]]), rows)
