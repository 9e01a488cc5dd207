"""Weights: given, from the data, fitted and drawn."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given as sampled
from hypothesis import settings
from hypothesis import strategies as st
from scipy.stats import kstest

from commonweal.errors import DataError, UnknownNameError
from commonweal.index.importance import importance, to_importance
from commonweal.index.means import arithmetic
from commonweal.index.weigh import (
    entropy,
    equal,
    factor,
    given,
    noisy,
    principal_component,
)

from . import golden

BOUND = (
    "differs: draws need R's random numbers; ours have the same distribution (Kolmogorov-Smirnov)"
)
golden.CHECKED.update(
    {
        "agg_cA_opt_weights_balance.csv": "differs: COINr stops early; ours reach an objective "
        "smaller than that of COINr's weights",
        "ua_B_noisy_weights.csv": BOUND,
        "sa_V_noisy_weights.csv": BOUND,
        "sa_B_noisy_weights.csv": BOUND,
    }
)


def test_given_weights_are_checked() -> None:
    np.testing.assert_allclose(given([2.0, 6.0]), [0.25, 0.75])
    np.testing.assert_allclose(given({"b": 3, "a": 1}, ["a", "b"]), [0.25, 0.75])
    with pytest.raises(UnknownNameError, match="did you mean 'income'"):
        given({"incom": 1.0}, ["income"])
    with pytest.raises(DataError, match="weights: none for child 'crime'"):
        given({"income": 1.0}, ["income", "crime"])
    with pytest.raises(DataError, match="crime: weight -1"):
        given({"income": 1.0, "crime": -1.0}, ["income", "crime"])
    with pytest.raises(DataError, match="every weight is 0"):
        given([0.0])
    with pytest.raises(DataError, match="expected 2"):
        given([1.0], ["a", "b"])
    with pytest.raises(
        DataError, match="n_children: 0 found; expected a whole number of 1 or more"
    ):
        equal(0)


def test_component_weights() -> None:
    rng = np.random.default_rng(1)
    common = rng.normal(size=(500, 1))
    x = common + rng.normal(size=(500, 4)) * [0.3, 0.6, 1.0, 2.0]
    by_loading, by_square = principal_component(x, by="loading"), principal_component(x)
    assert (np.diff(by_loading) < 0).all()
    np.testing.assert_allclose(by_square, by_loading**2 / (by_loading**2).sum())
    x[:, 0] *= -1
    np.testing.assert_allclose(principal_component(x), by_square)
    with pytest.raises(
        DataError, match=r"'column 1' \(-0\.\d+\) pulls against the other children on the first"
    ):
        principal_component(x, by="loading")


def test_factor_weights_find_a_planted_factor() -> None:
    rng = np.random.default_rng(2)
    noise = np.array([0.5, 0.8, 1.2, 2.0])
    x = rng.normal(size=(60_000, 1)) + rng.normal(size=(60_000, 4)) * noise
    sd = np.sqrt(1 + noise**2)
    planted = (1 / sd) / (noise**2 / sd**2)  # loading over uniqueness of the standardised children
    np.testing.assert_allclose(factor(x, "coefficient"), planted / planted.sum(), atol=0.01)
    np.testing.assert_allclose(factor(x), (1 / sd) / (1 / sd).sum(), atol=0.01)
    # Normal scores: any increasing function of a child gives the same weights.
    np.testing.assert_allclose(factor(np.exp(x)), factor(x), rtol=1e-6)
    np.testing.assert_allclose(factor(x[:, ::-1]), factor(x)[::-1], rtol=1e-4)


def test_factor_weights_refuse_what_has_no_factor() -> None:
    rng = np.random.default_rng(3)
    with pytest.raises(DataError, match="expected at least 3"):
        factor(rng.normal(size=(50, 2)))
    common = rng.normal(size=(500, 1))
    contrary = (common + rng.normal(size=(500, 4))) * [1, 1, 1, -1]
    with pytest.raises(
        DataError, match=r"'column 4' \(-0\.\d+\) pulls against the other children on the factor"
    ):
        factor(contrary)
    with pytest.raises(DataError, match="column 1 is the factor itself"):
        factor(np.c_[common, common + 0.5 * rng.normal(size=(500, 2)) * [0.01, 1]])
    with pytest.raises(DataError, match="column 2 does not vary"):
        factor(np.c_[common, np.ones(500), common])
    with pytest.raises(DataError, match="a, b, c: one repeats what the others say"):
        factor(np.c_[common, rng.normal(size=(500, 1)), common], names=["a", "b", "c"])
    with pytest.raises(UnknownNameError, match="by 'square' not found; expected one of: coeff"):
        factor(rng.normal(size=(50, 3)), by="square")  # type: ignore[arg-type]


def test_entropy_weights() -> None:
    x = np.array([[1.0, 1.0, 5.0], [1.0, 3.0, 5.1], [1.0, 8.0, 4.9]])
    w = entropy(x)
    assert w[0] == pytest.approx(0, abs=1e-12)
    assert w[1] > w[2] > 0
    np.testing.assert_allclose(entropy(x * [1, 7, 3]), w, atol=1e-12)  # units of measurement
    p = np.array([1, 3, 8]) / 12
    q = np.array([5.0, 5.1, 4.9]) / 15
    spread = [1 + (s * np.log(s)).sum() / np.log(3) for s in (p, q)]
    np.testing.assert_allclose(w[1:], np.array(spread) / sum(spread))
    with pytest.raises(DataError, match=r"entropy of -1 \('column 1', row \d\)"):
        entropy([[-1.0], [2.0]])
    with pytest.raises(DataError, match="spread evenly"):
        entropy(np.ones((3, 2)))
    with pytest.raises(DataError, match="entropy of column 2: expected two values"):
        entropy([[1.0, 0.0], [2.0, 0.0]])


def test_optimised_weights_are_better_than_coinrs() -> None:
    """Pillars of equal importance in the index, through the two sub-indices above them."""
    parent, file = golden.meta("Parent"), "agg_cA_opt_weights_balance.csv"
    theirs = dict(zip(golden.texts(file, "iCode"), golden.numbers(file, "Weight"), strict=True))
    pillars, above = golden.level(2), golden.level(3)
    x = golden.matrix("agg_cA_amean_equal.csv", pillars)

    def build(w: np.ndarray) -> np.ndarray:
        subs = []
        for node in above:
            at = [i for i, p in enumerate(pillars) if parent[p] == node]
            subs.append(arithmetic(x[:, at], w[at]))
        return arithmetic(np.column_stack(subs))

    nominal = golden.numbers("agg_cA_amean_equal.csv", "Index")
    golden.agrees(build(equal(8)), nominal)

    def misfit(w: np.ndarray) -> float:
        found = importance(x, build(w))
        return float(((found / found.sum() - 1 / 8) ** 2).sum())

    fitted = to_importance(x, build=build)
    assert fitted.misfit == pytest.approx(misfit(fitted.weights))
    assert fitted.misfit < misfit(np.array([theirs[p] for p in pillars]))
    assert fitted.misfit < misfit(equal(8)) / 2
    assert fitted.weights.sum() == pytest.approx(1)
    assert (fitted.weights >= 0).all()


def test_importance_reaches_its_target() -> None:
    rng = np.random.default_rng(4)
    x = rng.normal(size=(400, 3)) + rng.normal(size=(400, 1))
    for target in ([1.0, 1.0, 1.0], [3.0, 2.0, 2.0]):
        fitted = to_importance(x, target)
        reached = fitted.importance / fitted.importance.sum()
        np.testing.assert_allclose(reached, np.array(target) / sum(target), atol=1e-4)
    ranks = importance(x, x[:, 0], "spearman")
    assert ranks[0] == pytest.approx(1)
    with pytest.raises(DataError, match="column 2 or the score does not vary"):
        importance([[1.0, 2.0], [2.0, 2.0]], [1.0, 2.0])
    with pytest.raises(DataError, match="halls or the score does not vary"):
        to_importance([[1.0, 0.1], [2.0, 0.1], [4.0, 0.1]], names=["pubs", "halls"])
    with pytest.raises(UnknownNameError, match="correlation 'kendall' not found; expected one of"):
        importance(x, x[:, 0], "kendall")  # type: ignore[arg-type]


def test_importance_from_covariances_is_that_of_the_scores() -> None:
    """The short way and the one that builds every score must end at the same weights."""
    rng = np.random.default_rng(9)
    x = rng.normal(size=(300, 4)) * [1, 5, 0.1, 2] + rng.normal(size=(300, 1))
    quick = to_importance(x)
    slow = to_importance(x, build=lambda w: arithmetic(x, w))
    np.testing.assert_allclose(quick.weights, slow.weights, atol=1e-5)
    np.testing.assert_allclose(quick.importance, importance(x, x @ quick.weights))
    assert quick.misfit < 1e-9


@pytest.mark.parametrize("file", ["ua_B", "sa_V", "sa_B"])
def test_noisy_weights_are_drawn_as_coinrs(file: str) -> None:
    """Every weight that varies: uniform within a quarter either way, by Kolmogorov and Smirnov."""
    name = f"{file}_noisy_weights.csv"
    theirs = golden.matrix(name, [c for c in golden.columns(name) if c.startswith("w")])
    nominal = np.ones(len(theirs))
    varies = np.ptp(theirs, axis=1) > 0
    ours = noisy(nominal, np.where(varies, 0.25, 0.0), theirs.shape[1], seed=1).T
    assert (ours[~varies] == 1).all()
    for draws in (ours, theirs):
        assert kstest(draws[varies].ravel(), "uniform", (0.75, 0.5)).pvalue > 0.001
        assert draws.min() >= 0.75
        assert draws.max() <= 1.25


@settings(max_examples=20)
@sampled(st.integers(0, 2**32 - 1), st.floats(0, 1))
def test_noisy_weights_repeat_and_stay_near(seed: int, spread: float) -> None:
    w = np.array([0.2, 1.0, 3.0])
    draws = noisy(w, spread, 7, seed)
    np.testing.assert_array_equal(draws, noisy(w, spread, 7, np.random.default_rng(seed)))
    assert (np.abs(draws - w) <= spread * w + 1e-12).all()
    with pytest.raises(DataError, match="expected 0 to 1"):
        noisy(w, 1.5, 1, 0)
