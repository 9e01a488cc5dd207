"""Weighted least squares, held against statsmodels."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from commonweal.survey.regression import fit


@pytest.mark.parametrize("clusters", ["", "region"])
@pytest.mark.parametrize("seed", range(5))
def test_terms_are_those_of_statsmodels(clusters: str, seed: int) -> None:
    import statsmodels.api as sm  # not above: every worker reads this file

    rng = np.random.default_rng(seed)
    n, k = int(rng.integers(40, 400)), int(rng.integers(1, 6))
    x, weights, region = rng.normal(size=(n, k)), rng.uniform(1, 9, n), rng.integers(0, 12, n)
    y = x @ rng.normal(size=k) + rng.normal(size=n) + rng.normal(size=12)[region]
    names = [f"x{at}" for at in range(k)]
    table = pl.DataFrame(
        {**dict(zip(names, x.T, strict=True)), "y": y, "weight": weights, "region": region}
    )
    ours = fit(table, "y", names, weights="weight", clusters=clusters)

    model = sm.WLS(y, sm.add_constant(x), weights=weights)
    robust = (
        {"cov_type": "cluster", "cov_kwds": {"groups": region}} if clusters else {"cov_type": "HC1"}
    )
    theirs = model.fit(**robust, use_t=True)
    expected = np.column_stack([theirs.params, theirs.bse, theirs.conf_int(), theirs.pvalues])
    found = [[t.estimate, t.se, t.low, t.high, t.p] for t in ours.terms]
    np.testing.assert_allclose(found, expected, rtol=1e-10)
    assert ours.r2 == pytest.approx(theirs.rsquared, rel=1e-12)
