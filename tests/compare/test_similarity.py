"""Rank correlation and worst tenths."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import spearmanr

from commonweal.compare.similarity import spearman, worst_tenth

values = st.lists(st.tuples(st.integers(0, 6), st.integers(0, 6)), min_size=3, max_size=40)


@given(values, st.integers(0, 2))
def test_spearman_is_scipys_over_those_that_have_both(
    pairs: list[tuple[int, int]], gaps: int
) -> None:
    x, y = np.array(pairs, dtype=np.float64).T
    full = spearmanr(x, y).statistic if len(set(x)) > 1 and len(set(y)) > 1 else np.nan
    x, y = np.append(x, [np.nan] * gaps), np.append(y, [3.0] * gaps)
    np.testing.assert_allclose(spearman(x, y), full, atol=1e-12)


def test_nothing_is_said_of_one_area_or_of_a_constant() -> None:
    one = np.array([1.0])
    assert np.isnan(spearman(one, one))
    assert np.isnan(spearman(np.ones(5), np.arange(5.0)))


def test_the_worst_tenth_is_of_those_that_have_a_value() -> None:
    need = np.append(np.arange(30.0), [np.nan] * 100)
    assert worst_tenth(need).nonzero()[0].tolist() == [27, 28, 29]
    assert not worst_tenth(np.arange(9.0)).any()  # a tenth of nine is less than one
