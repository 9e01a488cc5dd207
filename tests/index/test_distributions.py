"""Laws of chance: each against the law of scipy that it is, by a named statistical test.

Seeds are fixed, so a test gives the same p-value everywhere; one of 0.001 is where it fails.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy import stats

from commonweal.errors import DataError
from commonweal.index.distributions import NumberDistribution, WeightDistribution, choice

N = 20_000
LEAST_P = 0.001
U = np.random.default_rng(17).random(N)
LAWS: dict[str, tuple[dict[str, Any], Any]] = {
    "uniform": ({"uniform": (-1, 3)}, stats.uniform(-1, 4)),
    "triangular": ({"triangular": (2, 3, 7)}, stats.triang(0.2, 2, 5)),
    "triangular at its end": ({"triangular": (0, 0, 1)}, stats.triang(0, 0, 1)),
    "normal": ({"normal": (5, 2)}, stats.norm(5, 2)),
    "normal within": ({"normal": (0, 1), "within": (-0.5, 2)}, stats.truncnorm(-0.5, 2)),
}


@pytest.mark.parametrize("name", LAWS)
def test_a_number_follows_its_law_by_kolmogorov_and_smirnov(name: str) -> None:
    said, law = LAWS[name]
    assert stats.kstest(NumberDistribution(**said).values(U), law.cdf).pvalue > LEAST_P


def test_the_test_tells_a_wrong_law() -> None:
    assert (
        stats.kstest(NumberDistribution(normal=(5, 2.2)).values(U), stats.norm(5, 2).cdf).pvalue
        < LEAST_P
    )


@pytest.mark.parametrize("name", LAWS)
def test_a_grid_is_the_middles_of_parts_of_equal_chance(name: str) -> None:
    said, law = LAWS[name]
    np.testing.assert_allclose(
        law.cdf(NumberDistribution(**said).grid(8)), (np.arange(8) + 0.5) / 8
    )


def test_choices_are_as_likely_as_each_other_by_chi_square() -> None:
    drawn = NumberDistribution(choices=(1, 5, 2)).values(U)
    values, counts = np.unique(drawn, return_counts=True)
    assert values.tolist() == [1, 2, 5]
    assert stats.chisquare(counts).pvalue > LEAST_P
    assert stats.chisquare(np.bincount(choice(U, 7))).pvalue > LEAST_P


def test_the_ends_are_reached_and_not_passed() -> None:
    ends = np.array([0.0, 1 - 2.0**-53])
    for said, (low, high) in {"uniform": (2, 4), "triangular": (1, 4)}.items():
        law = NumberDistribution(**{said: (low, 3, high)[:: 2 if said == "uniform" else 1]})
        np.testing.assert_allclose(law.values(ends), [low, high], rtol=1e-7)
    assert NumberDistribution(normal=(0, 1), within=(-1, 1)).values(ends) == pytest.approx([-1, 1])
    assert np.isfinite(NumberDistribution(normal=(0, 1)).values(ends)).all()
    assert choice(ends, 3).tolist() == [0, 2]


@pytest.mark.parametrize(
    ("said", "message"),
    [
        ({}, "found none; expected exactly one of: uniform, triangular, normal, choices"),
        ({"uniform": (0, 1), "choices": (1, 2)}, "found uniform and choices"),
        ({"uniform": (1, 0)}, "from low to high"),
        ({"uniform": (1, 1)}, "from low to high"),
        ({"triangular": (0, 2, 1)}, "from low to high"),
        ({"uniform": (0, 1), "within": (0, 1)}, "'within' goes with 'normal'"),
        ({"normal": (0, 0)}, "greater than 0"),
        ({"choices": (1,)}, "at least 2"),
        ({"uniform": (0, float("inf"))}, "finite"),
    ],
)
def test_laws_of_a_number_that_are_none(said: dict[str, Any], message: str) -> None:
    with pytest.raises(DataError, match=message):
        NumberDistribution(**said)


STATED = np.array([1.0, 2.0, 5.0])


def drawn(law: WeightDistribution, n: int = N, seed: int = 5) -> np.ndarray:
    return law.draw(STATED, n, np.random.default_rng(seed))


@pytest.mark.parametrize(
    ("law", "alpha"),
    [
        (WeightDistribution(dirichlet=4), 4 * 3 * STATED / 8),
        (WeightDistribution(dirichlet=0.5), 0.5 * 3 * STATED / 8),
        (WeightDistribution(uniform=True), np.ones(3)),
    ],
)
def test_shares_are_dirichlet_their_margins_beta_by_kolmogorov_and_smirnov(
    law: WeightDistribution, alpha: np.ndarray
) -> None:
    shares = drawn(law) / STATED.sum()
    np.testing.assert_allclose(shares.sum(axis=1), 1)
    for column, own in zip(shares.T, alpha, strict=True):
        assert stats.kstest(column, stats.beta(own, alpha.sum() - own).cdf).pvalue > LEAST_P
    # Each share of what another leaves is a beta by itself: the draws are Dirichlet jointly.
    rest = shares[:, 1] / shares[:, 1:].sum(axis=1)
    assert stats.kstest(rest, stats.beta(alpha[1], alpha[2]).cdf).pvalue > LEAST_P


def test_three_equal_weights_with_10_are_dirichlet_10_10_10() -> None:
    weights = WeightDistribution(dirichlet=10).draw(np.ones(3), 500, np.random.default_rng(7))
    expected = np.random.default_rng(7).dirichlet([10, 10, 10], 500) * 3
    np.testing.assert_allclose(weights, expected, rtol=1e-12)


def test_an_interval_is_uniform_around_each_weight_and_keeps_the_total() -> None:
    weights = drawn(WeightDistribution(interval=0.2))
    np.testing.assert_allclose(weights.sum(axis=1), STATED.sum())
    # The ratio of two weights does not know that both were rescaled.
    ratio = weights[:, 0] / STATED[0] / (weights[:, 1] / STATED[1])
    reference = np.random.default_rng(9).uniform(0.8, 1.2, (2, N))
    assert stats.ks_2samp(ratio, reference[0] / reference[1]).pvalue > LEAST_P
    assert 0.8 / 1.2 <= ratio.min() < 0.70
    assert 1.45 < ratio.max() <= 1.2 / 0.8


def test_given_sets_are_used_as_they_stand_and_more_draws_begin_with_the_fewer() -> None:
    given = ((1.0, 1.0, 1.0), (3.0, 1.0, 0.5))
    np.testing.assert_array_equal(drawn(WeightDistribution(given=given)), given)
    for law in (
        WeightDistribution(dirichlet=3),
        WeightDistribution(interval=0.1),
        WeightDistribution(uniform=True),
    ):
        np.testing.assert_array_equal(drawn(law, 40)[:25], drawn(law, 25))
        assert not np.isclose(drawn(law, 5), drawn(law, 5, seed=6)).any()


def test_no_weight_is_drawn_as_nothing() -> None:
    assert drawn(WeightDistribution(dirichlet=1e-3), 2000).min() > 0


@pytest.mark.parametrize(
    "said",
    [{}, {"dirichlet": 1, "interval": 0.1}, {"dirichlet": 0}, {"dirichlet": -1},
     {"dirichlet": float("inf")}, {"dirichlet": float("nan")}, {"interval": 1}, {"interval": 0},
     {"uniform": False}, {"given": ((1.0,),)}, {"given": ((1.0, 2.0), (1.0,))},
     {"given": ((1.0, 0.0), (1.0, 1.0))}, {"intervall": 0.2}],
)  # fmt: skip
def test_laws_of_weights_that_are_none(said: dict[str, Any]) -> None:
    with pytest.raises(DataError):
        WeightDistribution(**said)
