"""Populations recovered from counts and the ranks of their rates."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from commonweal.areas.summaries import implied_population
from commonweal.errors import DataError


def country(seed: int, n: int = 2001) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Make counts, ranks of their rates, the true populations and those of a later date."""
    generator = np.random.default_rng(seed)
    true = generator.integers(1000, 3000, n).astype(float)
    rate = np.linspace(0.4, 0.3, n)
    later = true.copy()
    changed = generator.random(n) < 0.3
    later[changed] *= generator.uniform(0.7, 1.4, changed.sum())
    shuffle = generator.permutation(n)
    rank = np.arange(1.0, n + 1)
    return (rate * true)[shuffle], rank[shuffle], true[shuffle], later[shuffle]


def test_it_finds_the_populations_that_it_was_not_told() -> None:
    count, rank, true, later = country(1)
    implied = implied_population(count, rank, later)
    inner = (rank > 100) & (rank < 1901)
    assert np.abs(later / true - 1)[inner].max() > 0.25
    np.testing.assert_allclose(implied[inner], true[inner], rtol=0.01)


@given(st.integers(0, 50))
def test_the_order_of_areas_does_not_matter(seed: int) -> None:
    count, rank, _, later = country(seed, 301)
    order = np.random.default_rng(seed).permutation(301)
    expected = implied_population(count, rank, later)[order]
    np.testing.assert_array_equal(
        implied_population(count[order], rank[order], later[order]), expected
    )


def test_suppressed_counts_keep_the_known_population_and_do_not_disturb_others() -> None:
    count = [10.0, np.nan, 20.0, 0.0, 10.0, 10.0]
    rank = [1, 2, 3, 4, 5, np.nan]
    found = implied_population(count, rank, [100, 700, 100, 900, 100, 300], window=3)
    assert found.tolist() == [100, 700, 200, 900, 100, 300]


def test_all_suppressed() -> None:
    assert implied_population([np.nan], [1], [50]).tolist() == [50]


@pytest.mark.parametrize(
    ("count", "rank", "people", "window", "words"),
    [
        ([1, 2], [1], [5, 5], 3, "columns of 2, 1 and 2 areas"),
        ([1], [1], [5], 4, "window 4 found; expected an odd number"),
        ([1], [1], [0], 3, "a population is missing, 0 or negative"),
        ([1], [1], [np.nan], 3, "a population is missing, 0 or negative"),
        ([-5], [1], [5], 3, "numerator -5 found"),
    ],
)
def test_wrong_input_is_said(
    count: list[float], rank: list[float], people: list[float], window: int, words: str
) -> None:
    with pytest.raises(DataError, match=words):
        implied_population(count, rank, people, window)
