"""Diagnostics: quiet on a model that holds, loud on one that does not."""

from __future__ import annotations

import numpy as np
import pytest

from commonweal.errors import DataError
from commonweal.small_areas import against_direct, fay_herriot, precision


def fitted(seed: int = 0):
    rng = np.random.default_rng(seed)
    x, d = rng.normal(size=200), rng.uniform(0.2, 1, 200)
    y = 1 + 2 * x + rng.normal(0, 0.7, 200) + rng.normal(0, np.sqrt(d))
    return fay_herriot(y, d, x)


def test_a_model_that_holds_is_not_faulted() -> None:
    fit = fitted()
    alone = against_direct(
        fit.direct, fit.variance, fit.synthetic, np.full(200, fit.model_variance)
    )
    assert alone.slope == pytest.approx(1, abs=3 * alone.slope_se)
    assert alone.bias_p > 0.05
    assert 0.01 < alone.wald_p < 0.99
    assert alone.overlap == pytest.approx(0.95, abs=0.04)
    found = against_direct(fit.direct, fit.variance, fit.estimate, fit.mse)
    assert found.slope > 1  # the direct estimate is part of the other
    assert found.wald_df == 200
    assert found.wald_p > 0.5
    assert found.overlap_p > 0.05


def test_a_biased_one_is() -> None:
    fit = fitted()
    shifted = against_direct(fit.direct, fit.variance, fit.estimate + 2, fit.mse)
    assert shifted.bias_p < 1e-6
    assert shifted.wald_p < 1e-6
    assert shifted.overlap_p < 1e-6
    halved = against_direct(fit.direct, fit.variance, fit.estimate / 2, fit.mse)
    assert halved.slope == pytest.approx(2, abs=0.2)
    assert halved.bias_p < 1e-6


def test_regression_is_that_of_statsmodels() -> None:
    import statsmodels.api as sm

    fit = fitted(1)
    found = against_direct(fit.direct, fit.variance, fit.estimate, fit.mse)
    peer = sm.OLS(fit.direct, sm.add_constant(fit.estimate)).fit()
    np.testing.assert_allclose([found.intercept, found.slope], peer.params)
    np.testing.assert_allclose([found.intercept_se, found.slope_se], peer.bse)
    joint = peer.f_test((np.eye(2), [0, 1]))
    assert found.bias_p == pytest.approx(float(joint.pvalue))


def test_precision() -> None:
    found = precision([0.5, 0.5, -0.5, 0.0, 1.0], [0.0025, 0.01, 0.01, 0.01, 0.0])
    np.testing.assert_allclose(found.cv, [0.1, 0.2, 0.2, np.inf, 0])
    assert found.publish.tolist() == [True, False, False, False, True]
    assert dict(zip(found.bands, found.counts, strict=True)) == {
        0.05: 1, 0.1: 0, 0.2: 1, 0.33: 2, np.inf: 1,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([1, 2], [1, 1], [1, 2], [1, 1]), "expected as many of both, 3 or more"),
        (([1, 2, 3], [1, 1, 1], [2, 2, 2], [1, 1, 1]), "model estimates are all alike"),
        (([1, 2, 3], [1, 0, 1], [1, 2, 2], [1, 1, 1]), "variance is 0 in row 1"),
    ],
)
def test_refuses_bad_input(arguments: tuple, message: str) -> None:
    with pytest.raises(DataError, match=message):
        against_direct(*arguments)


def test_refuses_a_negative_error() -> None:
    with pytest.raises(DataError, match="mse is -1 in row 1"):
        precision([1, 2], [1, -1])
