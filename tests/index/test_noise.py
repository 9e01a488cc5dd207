"""Sampling errors: each law against scipy's, by a named statistical test with a fixed seed."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from commonweal.errors import DataError
from commonweal.index import Node
from commonweal.index.assumptions import SamplingError
from commonweal.index.distributions import Noise, normal_errors, rates_from_counts, smooth_errors
from commonweal.index.uncertainty import build_ensemble
from commonweal.indicators import Counts

N = 20_000
LEAST_P = 0.001


def rng(seed: int = 3) -> np.random.Generator:
    return np.random.default_rng(seed)


def test_errors_are_standard_normal_by_kolmogorov_and_smirnov() -> None:
    assert stats.kstest(normal_errors(N, rng()), stats.norm.cdf).pvalue > LEAST_P


@pytest.mark.parametrize(("k", "n"), [(0, 12), (3, 12), (12, 12), (40, 900)])
def test_a_share_is_drawn_from_jeffreys_beta_by_kolmogorov_and_smirnov(k: int, n: int) -> None:
    counts = Counts(np.full(N, float(k)), np.full(N, float(n)), 100, "binomial")
    law = stats.beta(k + 0.5, n - k + 0.5, scale=100)
    assert stats.kstest(rates_from_counts(counts, rng()), law.cdf).pvalue > LEAST_P


@pytest.mark.parametrize(("k", "n"), [(0, 12.0), (7, 3.5), (400, 900.0)])
def test_a_rate_is_drawn_from_jeffreys_gamma_by_kolmogorov_and_smirnov(k: int, n: float) -> None:
    counts = Counts(np.full(N, float(k)), np.full(N, n), 1000, "poisson")
    law = stats.gamma(k + 0.5, scale=1000 / n)
    assert stats.kstest(rates_from_counts(counts, rng()), law.cdf).pvalue > LEAST_P


def test_large_counts_are_normal_with_the_standard_error_that_is_published() -> None:
    k, n = 90_000.0, 400_000.0
    drawn = rates_from_counts(Counts(np.full(N, k), np.full(N, n), 1, "binomial"), rng())
    p = k / n
    law = stats.norm(p, np.sqrt(p * (1 - p) / n))
    assert stats.kstest(drawn, law.cdf).pvalue > LEAST_P


def test_smooth_errors_have_the_stated_correlation() -> None:
    points = np.array([[0.0, 0.0], [1000.0, 0.0], [5000.0, 0.0]])
    drawn = np.array([smooth_errors(points, 1000.0, rng(i)) for i in range(4000)])
    r = np.corrcoef(drawn.T)
    # Fisher's z of a correlation over 4,000 draws has a standard error of 0.016.
    assert abs(np.arctanh(r[0, 1]) - np.arctanh(np.exp(-0.5))) < 4 * 0.016
    assert abs(np.arctanh(r[0, 2])) < 4 * 0.016
    for column in drawn.T:
        assert stats.kstest(column, stats.norm.cdf).pvalue > LEAST_P


def test_an_indicator_has_its_own_errors_in_each_set_and_the_same_ones_everywhere() -> None:
    need, error = np.zeros(500), np.ones(500)
    a, again, b = (Noise(n, 1, error) for n in ("a", "a", "b"))
    np.testing.assert_array_equal(a.of(need, 4), again.of(need, 4))
    for other in (a.of(need, 5), b.of(need, 4), Noise("a", 2, error).of(need, 4)):
        assert abs(np.corrcoef(a.of(need, 4), other)[0, 1]) < 4 / np.sqrt(500)


def test_what_has_no_error_stays_and_what_is_missing_stays_missing() -> None:
    need = np.array([1.0, np.nan, 3.0, 4.0])
    drawn = Noise("a", 1, np.array([0.0, 1.0, 0.0, 1.0])).of(need, 0)
    np.testing.assert_array_equal(np.isnan(drawn), np.isnan(need))
    assert drawn[0] == 1
    assert drawn[2] == 3
    assert drawn[3] != 4
    counts = Counts(np.array([1.0, 1.0, np.nan, 5.0]), np.array([9.0, 9.0, 9.0, np.nan]))
    drawn = Noise("a", 1, counts=counts, sign=-1).of(need, 0)
    assert drawn[0] < 0  # a rate of which less is more need
    np.testing.assert_array_equal(drawn[1:], need[1:])


@pytest.mark.parametrize(
    ("events", "base", "law", "message"),
    [
        ([-1.0], [4.0], "poisson", "1 units have a negative count"),
        ([1.0], [0.0], "poisson", "a base of 0 or less"),
        ([5.0], [4.0], "binomial", "more events than its base"),
        ([1.0, 2.0], [4.0], "poisson", "expected pairs"),
    ],
)
def test_counts_that_are_none(
    events: list[float], base: list[float], law: str, message: str
) -> None:
    with pytest.raises(DataError, match=message):
        Counts(np.array(events), np.array(base), 1, law)  # type: ignore[arg-type]


def test_more_crimes_than_people_are_fine() -> None:
    assert Counts(np.array([5.0]), np.array([4.0]), 1, "poisson").known.all()


def test_units_of_a_group_share_one_error_and_units_of_none_have_their_own() -> None:
    groups = np.array([0, 1, 0, 1, -1, -1])
    drawn = Noise("a", 1, np.ones(6), groups=groups).of(np.zeros(6), 0)
    assert drawn[0] == drawn[2]
    assert drawn[1] == drawn[3]
    assert len(set(drawn.tolist())) == 4
    law = [
        Noise("a", 1, np.ones(2), groups=np.zeros(2, int)).of(np.zeros(2), k)[1]
        for k in range(2000)
    ]
    assert stats.kstest(law, stats.norm.cdf).pvalue > LEAST_P


@pytest.mark.parametrize("transform", ["z_score", "exponential"])
def test_noise_shrinks_and_spreads_as_its_share_says(transform: str) -> None:
    """True values differ less than published ones, by the root of 1 - noise, which is their correlation too."""
    value, share = rng().lognormal(size=N), 0.3
    tree = Node(children={"a": {"indicator": "a", "enters_as": transform}, "b": {"indicator": "b"}})
    vary = [SamplingError(standard_errors=["a"], noise=share)]
    made = build_ensemble("x", tree, {"a": value, "b": np.zeros(N)}, vary)
    own = stats.norm.ppf((stats.rankdata(value) - 0.5) / N) if transform == "exponential" else value
    ((_, noise),) = made.noise.values()
    drawn = noise.of(value, 0)
    assert drawn.std() == pytest.approx(own.std() * np.sqrt(1 - share), rel=0.02)
    assert np.corrcoef(drawn, own)[0, 1] == pytest.approx(np.sqrt(1 - share), abs=0.02)
    assert drawn.mean() == pytest.approx(own.mean(), abs=0.03)


def test_errors_go_together_in_one_way() -> None:
    with pytest.raises(ValueError, match="found both range_m and shared_by"):
        SamplingError(range_m=100, shared_by="lad")
