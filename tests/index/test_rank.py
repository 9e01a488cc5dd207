"""Ranks and deciles against scipy and by hand."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.stats import rankdata

from commonweal.errors import DataError, UnknownNameError
from commonweal.index import decile, rank

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from commonweal.index import TieRule

RULES: tuple[TieRule, ...] = ("min", "average", "max", "dense", "ordinal")
#: Few distinct values, so that ties are common; signed zeros, infinities and missing among them.
TIED = st.sampled_from([-np.inf, -2.5, -0.0, 0.0, 1.0, 1.0 + 1e-15, 1e300, np.inf, np.nan])
values = arrays(np.float64, st.integers(0, 40), elements=TIED)


@pytest.mark.parametrize("ties", RULES)
@settings(max_examples=60)
@given(need=values)
def test_every_tie_rule_is_scipys(ties: TieRule, need: NDArray[np.float64]) -> None:
    ours = rank(need, ties)
    present = ~np.isnan(need)
    np.testing.assert_array_equal(ours[present], rankdata(-need[present], ties))
    assert np.isnan(ours[~present]).all()


@pytest.mark.parametrize("ties", ["min", "average", "max", "dense"])
@settings(max_examples=40)
@given(need=values, seed=st.integers(0, 9))
def test_permuting_areas_permutes_ranks(
    ties: TieRule, need: NDArray[np.float64], seed: int
) -> None:
    order = np.random.default_rng(seed).permutation(len(need))
    np.testing.assert_array_equal(rank(need[order], ties), rank(need, ties)[order])


def test_the_first_decile_of_32844_areas_ends_at_rank_3284() -> None:
    deciles = decile(np.arange(1.0, 32_845))
    assert np.flatnonzero(deciles == 1)[-1] + 1 == 3284
    assert np.bincount(deciles.astype(int)).tolist() == [0, *([3284, 3284, 3285, 3284, 3285] * 2)]


def test_deciles_count_only_areas_that_are_ranked() -> None:
    got = decile([1.0, np.nan, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0, 10.0, np.nan])
    np.testing.assert_array_equal(got, [1, np.nan, 2, 3, 4, 5, 6, 7, 8, 9, 10, np.nan])


@given(n=st.integers(1, 5000))
@settings(max_examples=50)
def test_deciles_are_1_to_10_and_as_equal_as_can_be(n: int) -> None:
    deciles = decile(np.arange(1.0, n + 1))
    assert deciles[0] >= 1
    assert deciles[-1] == 10
    assert (np.diff(deciles) >= 0).all()
    counts = np.bincount(deciles.astype(int), minlength=11)[1:]
    assert counts.max() - counts.min() <= 1


def test_nothing_to_rank() -> None:
    assert rank([]).shape == (0,)
    assert decile([]).shape == (0,)
    assert np.isnan(rank([np.nan, np.nan])).all()


def test_what_is_no_column_or_no_rule_is_refused() -> None:
    with pytest.raises(DataError, match=r"shape \(1, 2\); expected one number for each area"):
        rank([[1.0, 2.0]])
    with pytest.raises(UnknownNameError, match="ties 'first' not found; expected one of: average"):
        rank([1.0, 2.0], "first")  # type: ignore[arg-type]
