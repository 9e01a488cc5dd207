"""The five summaries of the English Indices of Deprivation, by hand."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from commonweal.areas.summaries import extent_weight, summarise
from commonweal.errors import DataError

if TYPE_CHECKING:
    import polars as pl


def test_extent_weights_at_the_edges_of_percentiles() -> None:
    n = 1000
    step = 0.9 / 19
    expected = {1: 1, 100: 1, 101: 0.95, 110: 0.95, 111: 0.95 - step, 120: 0.95 - step,
                200: 0.95 - 9 * step, 290: 0.05 + step, 291: 0.05, 300: 0.05, 301: 0, 1000: 0}  # fmt: skip
    np.testing.assert_allclose(
        extent_weight(list(expected), n), list(expected.values()), atol=1e-12
    )


def test_extent_weights_of_england_end_where_deciles_do() -> None:
    weights = extent_weight(np.arange(1, 32_845), 32_844)
    assert (weights == 1).sum() == 3284
    assert (weights > 0).sum() == int(0.3 * 32_844)
    assert (np.diff(weights) <= 0).all()


@pytest.fixture
def by_hand() -> pl.DataFrame:
    """Of 100 areas nationally p holds those of ranks 2, 15 and 60, q those of 10 and 31."""
    groups = ["p", "q", "p", None, "q", "p"]
    people = [100, 300, 500, 800, 100, 400]
    score, ranks = [50, 40, 30, 99, 20, 10], [2, 10, 15, 1, 31, 60]
    return summarise(groups, people, score, ranks, n=100)


def test_all_five_by_hand(by_hand: pl.DataFrame) -> None:
    assert by_hand["code"].to_list() == ["p", "q"]
    assert by_hand["areas"].to_list() == [3, 2]
    assert by_hand["population"].to_list() == [1000, 400]
    score = [(50 * 100 + 30 * 500 + 10 * 400) / 1000, (40 * 300 + 20 * 100) / 400]
    assert by_hand["average_score"].to_list() == pytest.approx(score)
    rank = [(99 * 100 + 86 * 500 + 41 * 400) / 1000, (91 * 300 + 70 * 100) / 400]
    assert by_hand["average_rank"].to_list() == pytest.approx(rank)
    assert by_hand["proportion"].to_list() == pytest.approx([1 / 3, 1 / 2])
    fifteenth = 0.95 - 4 * 0.9 / 19
    extent = [(100 + fifteenth * 500) / 1000, 300 / 400]
    assert by_hand["extent"].to_list() == pytest.approx(extent)
    # p: a tenth of the people are exactly those of its worst area; q: 40 of the 300 of its worst
    assert by_hand["local_concentration"].to_list() == pytest.approx([99, 91])


def test_local_concentration_takes_the_last_area_in_part() -> None:
    """A tenth of 1,000 people: 60 of rank 5, 30 of rank 7, and 10 of the 110 of rank 9."""
    got = summarise(["p"] * 4, [60, 30, 110, 800], [9, 8, 7, 6], [5, 7, 9, 50], n=100)
    expected = (96 * 60 + 94 * 30 + 92 * 10) / 100
    assert got["local_concentration"].item() == pytest.approx(expected)


def test_areas_of_no_group_are_still_ranked_among() -> None:
    """Ranks are national: with 20 areas the worst two are the worst tenth, wherever they lie."""
    ranks = np.arange(1.0, 21)
    groups = ["p" if i % 2 else None for i in range(20)]
    got = summarise(groups, np.ones(20), 21 - ranks, ranks)
    np.testing.assert_allclose(got["average_rank"].item(), np.mean(21 - ranks[1::2]))
    assert got["proportion"].item() == pytest.approx(1 / 10)


def test_areas_without_a_score_are_left_out() -> None:
    ranks = np.array([1, np.nan, 2, 3])
    got = summarise(["p"] * 4, [10, 5000, 10, 10], -ranks, ranks)
    assert got["areas"].item() == 3
    assert got["population"].item() == 30
    assert got["average_rank"].item() == pytest.approx(2)


@given(
    people=st.lists(st.integers(1, 3000), min_size=2, max_size=60),
    seed=st.integers(0, 99),
    factor=st.floats(0.1, 10),
)
@settings(max_examples=50)
def test_what_holds_of_any_areas(people: list[int], seed: int, factor: float) -> None:
    n = len(people)
    rng = np.random.default_rng(seed)
    ranks = rng.permutation(n) + 1.0
    groups = [f"g{i}" for i in rng.integers(0, 4, n)]
    score = 100 - ranks
    got = summarise(groups, people, score, ranks)
    order = rng.permutation(n)
    mixed = summarise(
        [groups[i] for i in order], np.array(people)[order] * factor, score[order], ranks[order]
    )
    for column in ("average_score", "average_rank", "proportion", "extent", "local_concentration"):
        # order and the unit of population change nothing
        np.testing.assert_allclose(mixed[column], got[column], rtol=1e-9)
    assert (got["local_concentration"] >= got["average_rank"] - 1e-9).all()
    assert got["extent"].is_between(0, 1).all()
    assert got["population"].sum() == sum(people)
    # the groups' averages average to the nation's
    whole = np.average(n + 1 - ranks, weights=people)
    assert np.average(got["average_rank"], weights=got["population"]) == pytest.approx(whole)


def test_a_group_without_people_has_no_means() -> None:
    got = summarise(["p", "p", "q"], [0, 0, 10], [3, 2, 1], [1, 2, 3])
    assert got["areas"].to_list() == [2, 1]
    for column in ("average_score", "average_rank", "extent", "local_concentration"):
        assert got[column][0] is None, column
        assert got[column][1] is not None
    assert got["proportion"][0] == 0


def test_an_area_whose_population_is_unknown_is_counted() -> None:
    """It is in the proportion; what people would weigh is unknown with it, in its group alone."""
    got = summarise(["p", "p", "q"], [np.nan, 20, 10], [3, 2, 1], [1, 2, 3], n=10)
    assert got["areas"].to_list() == [2, 1]
    assert got["proportion"].to_list() == [1 / 2, 0]
    for column in ("population", "average_score", "average_rank", "extent", "local_concentration"):
        assert got[column][0] is None, column
        assert got[column][1] is not None


@pytest.mark.parametrize("bad", [-1, np.inf])
def test_a_population_that_is_none(bad: float) -> None:
    with pytest.raises(DataError, match="a population is negative or infinite"):
        summarise(["p", "p"], [1, bad], [1, 2], [2, 1])


def test_columns_of_two_lengths() -> None:
    with pytest.raises(DataError, match="columns of 2, 2, 1 and 2 areas"):
        summarise(["p", "p"], [1, 1], [1], [2, 1])
