"""Statistics of indicators: COINr's numbers, and what must hold of any."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from commonweal.errors import DataError
from commonweal.index.describe import (
    describe,
    flags,
    iqr_outliers,
    skew_kurtosis,
)

from . import golden

golden.CHECKED.update(
    {
        "stats_raw_full.csv": "matched",
        "stats_aggregated_full.csv": "matched",
    }
)

FIELDS = {
    "Min": "min",
    "Max": "max",
    "Mean": "mean",
    "Median": "median",
    "Std": "sd",
    "Skew": "skew",
    "Kurt": "kurtosis",
    "N.Avail": "n",
    "N.NonZero": "n_nonzero",
    "N.Unique": "n_unique",
    "N.Same": "n_same",
    "Frc.Avail": "available",
    "Frc.NonZero": "nonzero",
    "Frc.Unique": "unique",
    "Frc.Same": "same",
}
FLAGS = {
    "Flag.Avail": "available",
    "Flag.NonZero": "nonzero",
    "Flag.Unique": "unique",
    "Flag.SkewKurt": "outliers",
}


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (golden.RAW, "stats_raw_full.csv"),
        ("example_Aggregated.csv", "stats_aggregated_full.csv"),
    ],
)
def test_statistics_are_those_of_coinr(data: str, expected: str) -> None:
    names = golden.texts(expected, "iCode")
    summary = describe(golden.matrix(data, names), names)
    for theirs, ours in FIELDS.items():
        golden.agrees(getattr(summary, ours), golden.numbers(expected, theirs))
    raised = flags(summary)
    for theirs, ours in FLAGS.items():
        said = [t != "ok" for t in golden.texts(expected, theirs)]
        assert getattr(raised, ours).tolist() == said, theirs


def test_quartiles_and_outliers_by_hand() -> None:
    x = np.array([[1.0, -50.0], [2.0, 2.0], [3.0, 3.0], [4.0, np.nan], [100.0, 4.0]])
    summary = describe(x)
    assert summary.q25.tolist() == [2.0, -11.0]
    assert summary.q75.tolist() == [4.0, 3.25]
    assert iqr_outliers(x).tolist() == [[0, -1], [0, 0], [0, 0], [0, 0], [1, 0]]


def test_a_column_without_values_or_variance_is_described() -> None:
    summary = describe([[np.nan, 0.1], [np.nan, 0.1], [np.nan, 0.1], [np.nan, 0.1]])
    assert summary.n.tolist() == [0, 4]
    assert np.isnan([summary.mean[0], summary.skew[0], summary.skew[1], summary.same[0]]).all()
    assert flags(summary).available.tolist() == [True, False]
    assert not flags(summary).outliers.any()


def test_no_units_have_no_statistics() -> None:
    summary = describe(np.empty((0, 2)), ["pubs", "halls"])
    assert summary.n.tolist() == [0, 0]
    assert summary.available.tolist() == [0, 0]
    assert np.isnan([summary.mean, summary.sd, summary.skew, summary.kurtosis]).all()
    assert iqr_outliers(np.empty((0, 2))).shape == (0, 2)


@given(
    arrays(np.float64, (12, 2), elements=st.integers(-50, 50)),
    st.permutations(range(12)),
    st.integers(1, 9),
    st.integers(-99, 99),
)
def test_skew_and_kurtosis_ignore_order_unit_and_origin(
    x: np.ndarray, order: list[int], scale: int, shift: int
) -> None:
    before = np.array(skew_kurtosis(x))
    np.testing.assert_allclose(skew_kurtosis(x[order]), before, atol=1e-9)
    np.testing.assert_allclose(skew_kurtosis(x * scale + shift), before, atol=1e-9)
    np.testing.assert_allclose(skew_kurtosis(-x), before * [[-1], [1]], atol=1e-9)
    gaps = np.vstack([x, np.full((3, 2), np.nan)])
    np.testing.assert_allclose(skew_kurtosis(gaps), before, atol=1e-12)


def test_errors_name_the_column_and_the_range() -> None:
    with pytest.raises(DataError, match="'halls' has infinite"):
        describe([[1.0, np.inf]], ["pubs", "halls"])
    with pytest.raises(DataError, match="'pubs' is there twice"):
        describe([[1.0, 2.0]], ["pubs", "pubs"])
    with pytest.raises(DataError, match="1 names for 2"):
        describe([[1.0, 2.0]], ["pubs"])
    with pytest.raises(DataError, match="available: 65 found; expected a number from 0 to 1"):
        flags(describe([[1.0]]), available=65)
    with pytest.raises(DataError, match="summary: ndarray found; expected what `describe` gives"):
        flags(np.ones((3, 2)))  # type: ignore[arg-type]
