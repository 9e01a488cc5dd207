"""Factor weights of the English Indices of Deprivation 2019, rebuilt from their indicators."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from commonweal.index.means import arithmetic
from commonweal.index.normalise import normalise
from commonweal.index.rank import rank
from commonweal.index.weigh import factor
from commonweal.sources import Store

pytestmark = pytest.mark.real

HEALTH = {
    "years_of_potential_life_lost_indicator": 0.271,
    "comparative_illness_and_disability_ratio_indicator": 0.300,
    "acute_morbidity_indicator": 0.256,
    "mood_and_anxiety_disorders_indicator": 0.172,
}
"""Health deprivation and disability, weights derived from the published scores."""


def test_health_domain() -> None:
    mirror = os.environ.get("COMMONWEAL_MIRROR", "")
    if not mirror or not (mirror.startswith("http") or Path(mirror).is_dir()):
        if os.environ.get("CI"):
            pytest.fail("COMMONWEAL_MIRROR is not set to a mirror; these tests need its files")
        pytest.skip("COMMONWEAL_MIRROR is not set to a mirror")
    store = Store.from_environment()
    table = store.table("imd2019-lsoa11-indicators", ["lsoa11_code", *HEALTH])
    x = table.select(pl.col(*HEALTH).cast(pl.Float64)).to_numpy()
    weights = factor(x)
    np.testing.assert_allclose(weights, list(HEALTH.values()), atol=0.0006)
    # The domain's published ranks, from its indicators: 32,844 areas.
    scores = arithmetic(normalise(x, "normal_score"), weights)
    ranks = store.table("imd2019-lsoa11", ["lsoa11_code", "Health_rank"])
    both = table.select("lsoa11_code").with_columns(ours=rank(scores)).join(ranks, on="lsoa11_code")
    apart = (both["ours"] - both["Health_rank"]).abs()
    assert len(both) == 32_844
    assert apart.mean() < 1
    # The coefficients of the factor score, which the method's name suggests, are another thing.
    others = rank(arithmetic(normalise(x, "normal_score"), factor(x, "coefficient")))
    assert np.abs(others - both["Health_rank"].to_numpy()).mean() > 1000
