"""Factor weights of the English Indices of Deprivation 2019, rebuilt from their indicators."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl
import pytest

from commonweal.index.means import arithmetic
from commonweal.index.normalise import normalise
from commonweal.index.rank import rank
from commonweal.index.weigh import factor

if TYPE_CHECKING:
    from commonweal.sources import Store

pytestmark = pytest.mark.real

HEALTH = {
    "years_of_potential_life_lost_indicator": 0.271,
    "comparative_illness_and_disability_ratio_indicator": 0.300,
    "acute_morbidity_indicator": 0.256,
    "mood_and_anxiety_disorders_indicator": 0.172,
}
"""Health deprivation and disability, weights derived from the published scores."""


def test_health_domain(real_store: Store) -> None:
    table = real_store.table("imd2019-lsoa11-indicators", ["lsoa11_code", *HEALTH])
    x = table.select(pl.col(*HEALTH).cast(pl.Float64)).to_numpy()
    weights = factor(x)
    np.testing.assert_allclose(weights, list(HEALTH.values()), atol=0.0006)
    # The domain's published ranks, from its indicators: 32,844 areas.
    scores = arithmetic(normalise(x, "normal_score"), weights)
    ranks = real_store.table("imd2019-lsoa11", ["lsoa11_code", "Health_rank"])
    both = table.select("lsoa11_code").with_columns(ours=rank(scores)).join(ranks, on="lsoa11_code")
    apart = (both["ours"] - both["Health_rank"]).abs()
    assert len(both) == 32_844
    assert apart.mean() < 1
    # The coefficients of the factor score, which the method's name suggests, are another thing.
    others = rank(arithmetic(normalise(x, "normal_score"), factor(x, "coefficient")))
    assert np.abs(others - both["Health_rank"].to_numpy()).mean() > 1000
