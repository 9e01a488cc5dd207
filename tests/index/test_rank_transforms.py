"""Normalising by rank, and what else a tree names: known answers, and what each must keep."""

from __future__ import annotations

from statistics import NormalDist
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from commonweal.errors import DataError
from commonweal.index import NORMALISERS, exponential_of_rank, rank
from commonweal.index.rank_transforms import (
    BY_RANK,
    borda,
    exponential,
    normal_score,
    percentile_rank,
    rank_score,
)
from commonweal.index.scales import min_max, unchanged, z_score

PLAIN = (
    "exponential",
    "normal_score",
    "percentile_rank",
    "rank",
    "borda",
    "z_score",
    "min_max",
    "none",
)
if TYPE_CHECKING:
    from commonweal.index import TieRule

needs = st.lists(st.integers(-50, 50), min_size=2, max_size=60).map(
    lambda x: np.array(x, dtype=np.float64)
)


class TestExponential:
    def test_lincoln_007c_in_the_cni_2023(self) -> None:
        total = exponential_of_rank([710, 298, 407], 33_755).sum()
        assert total == pytest.approx(251.21, abs=0.005)

    def test_becontree_in_the_cni_2019(self) -> None:
        parts = exponential_of_rank([1198, 5690, 290], 7433)
        np.testing.assert_allclose(parts, [40.50, 6.06, 68.31], atol=0.005)
        assert parts.sum() == pytest.approx(114.87, abs=0.01)

    @pytest.mark.parametrize("n", [1, 2, 10, 7433, 33_755])
    def test_the_first_scores_100_and_the_last_just_above_0(self, n: int) -> None:
        first, last = exponential_of_rank([1, n], n)
        assert first == pytest.approx(100, abs=1e-10)
        assert last > 0
        assert n < 100 or last < 0.3

    @pytest.mark.parametrize("n", [100, 7433, 32_844, 33_755])
    def test_the_worst_tenth_scores_above_50(self, n: int) -> None:
        x = exponential_of_rank(np.arange(1, n + 1), n)
        assert x[n // 10 - 1] > 50
        assert x[int(n * 0.11)] < 50

    @pytest.mark.parametrize("bad", [0, 11, -1])
    def test_a_rank_outside_is_named(self, bad: int) -> None:
        with pytest.raises(DataError, match=f"rank {bad} found; expected ranks between 1 and 10"):
            exponential_of_rank([1, bad], 10)

    def test_missing_ranks_stay_missing(self) -> None:
        got = exponential_of_rank([np.nan, 1], 5)
        assert np.isnan(got[0])
        assert got[1] == pytest.approx(100)

    def test_tied_areas_get_the_middle_of_their_ranks(self) -> None:
        got = exponential(np.array([3.0, 7.0, 7.0, 1.0]))
        np.testing.assert_array_equal(got, exponential_of_rank([3, 1.5, 1.5, 4], 4))
        lowest = exponential(np.array([3.0, 7.0, 7.0, 1.0]), "min")
        np.testing.assert_array_equal(lowest, exponential_of_rank([3, 1, 1, 4], 4))

    def test_missing_areas_are_not_counted(self) -> None:
        got = exponential(np.array([3.0, np.nan, 7.0]))
        np.testing.assert_array_equal(got[[0, 2]], exponential(np.array([3.0, 7.0])))
        assert np.isnan(got[1])


def test_normal_score_is_the_quantile_of_the_middle_of_each_rank() -> None:
    need = np.array([4.0, 1.0, 3.0, 2.0, 5.0])
    expected = [NormalDist().inv_cdf((r - 0.5) / 5) for r in (4, 1, 3, 2, 5)]
    np.testing.assert_allclose(normal_score(need), expected, atol=1e-14)


@given(needs)
@settings(max_examples=30)
def test_normal_scores_of_the_opposite_are_the_opposite(need: np.ndarray) -> None:
    np.testing.assert_allclose(normal_score(-need), -normal_score(need), atol=1e-12)


def test_bloms_scores_by_hand() -> None:
    expected = [NormalDist().inv_cdf((r - 0.375) / 5.25) for r in (4, 1, 3, 2, 5)]
    scores = normal_score([4.0, 1.0, 3.0, 2.0, 5.0], formula="blom")
    np.testing.assert_allclose(scores, expected, atol=1e-14)


def test_percentile_rank_z_score_and_min_max_by_hand() -> None:
    need = np.array([2.0, 4.0, np.nan, 4.0, 10.0])
    np.testing.assert_allclose(percentile_rank(need), [0, 50, np.nan, 50, 100])
    np.testing.assert_allclose(min_max(need), [0, 25, np.nan, 25, 100])
    # mean 5, squares 9 + 1 + 1 + 25 = 36, divided by 3
    np.testing.assert_allclose(z_score(need), np.array([-3, -1, np.nan, -1, 5]) / np.sqrt(12))


@pytest.mark.parametrize("name", PLAIN)
@given(need=needs)
@settings(max_examples=30)
def test_more_need_is_never_less_after(name: str, need: np.ndarray) -> None:
    if name in ("z_score", "min_max") and np.ptp(need) == 0:
        return
    out = NORMALISERS[name](need)
    higher, lower = np.subtract.outer(need, need) > 0, np.subtract.outer(out, out) > 0
    np.testing.assert_array_equal(higher, lower)


@pytest.mark.parametrize("name", PLAIN)
@given(need=needs, seed=st.integers(0, 9))
@settings(max_examples=20)
def test_permuting_areas_permutes_values(name: str, need: np.ndarray, seed: int) -> None:
    if name in ("z_score", "min_max") and np.ptp(need) == 0:
        return
    order = np.random.default_rng(seed).permutation(len(need))
    out = NORMALISERS[name](need)[order]
    np.testing.assert_allclose(NORMALISERS[name](need[order]), out, rtol=1e-12)


@pytest.mark.parametrize("name", sorted(BY_RANK))
@given(need=needs)
@settings(max_examples=30)
def test_only_the_order_matters_to_ranks(name: str, need: np.ndarray) -> None:
    stretched = np.exp(need / 7) + 3 * need
    out = NORMALISERS[name](need)
    np.testing.assert_array_equal(NORMALISERS[name](stretched), out)


@pytest.mark.parametrize("value", [0.0, 0.1, 1 / 3, 1e9 + 0.1])
@pytest.mark.parametrize("transform", [z_score, min_max])
def test_a_constant_is_refused(transform: object, value: float) -> None:
    need = np.array([value, value, np.nan, value])
    with pytest.raises(DataError, match=r"constant: nothing can be compared"):
        transform(need)  # type: ignore[operator]


@pytest.mark.parametrize("transform", [z_score, min_max])
def test_nothing_at_all_stays_missing(transform: object) -> None:
    assert np.isnan(transform(np.array([np.nan, np.nan]))).all()  # type: ignore[operator]


@pytest.mark.parametrize("ties", ["min", "average", "max", "dense", "ordinal"])
@given(need=needs)
@settings(max_examples=20)
def test_from_the_top_ties_share_the_rank_that_is_published(
    ties: TieRule, need: np.ndarray
) -> None:
    """Rank 2 of 4 from the top is rank 3 upwards, whichever of their ranks equals share."""
    upwards = len(need) + 1 - rank(need, ties)
    np.testing.assert_array_equal(rank_score(need, ties, from_top=True), upwards)
    np.testing.assert_array_equal(borda(need, ties, from_top=True), upwards - 1)
    share = percentile_rank(need, ties, from_top=True)
    np.testing.assert_allclose(share, 100 * (upwards - 1) / (len(need) - 1))
    expected = [NormalDist().inv_cdf((r - 0.5) / len(need)) for r in upwards]
    np.testing.assert_allclose(normal_score(need, ties, from_top=True), expected, atol=1e-9)


@pytest.mark.parametrize("name", sorted(BY_RANK))
def test_ranks_of_nothing_are_missing(name: str) -> None:
    assert np.isnan(NORMALISERS[name](np.array([np.nan, np.nan]))).all()


def test_one_unit_alone_has_no_percentile_and_stands_in_the_middle() -> None:
    assert np.isnan(percentile_rank([7.0])).all()
    assert normal_score([7.0, np.nan])[0] == 0
    assert normal_score([7.0], formula="blom")[0] == 0


@pytest.mark.parametrize("name", sorted(BY_RANK))
def test_no_units_give_no_ranks(name: str) -> None:
    assert NORMALISERS[name]([]).shape == (0,)


def test_unchanged_is() -> None:
    need = np.array([3.0, np.nan])
    np.testing.assert_array_equal(unchanged(need), need)
