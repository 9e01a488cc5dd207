"""Benefit of the doubt: against scipy's linear programmes, and what must hold of any."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.optimize import linprog

from commonweal.errors import DataError
from commonweal.index import benefit
from commonweal.index.benefit import around, benefit_of_the_doubt


def plain(x: np.ndarray, unit: int, low: np.ndarray, high: np.ndarray) -> float:
    """The programme as it is written: weights, every unit a constraint, shares as bounds."""
    if not x[unit].any():
        return 0.0
    y = x[unit] / x[unit].max()
    bounds = np.vstack([np.outer(low, y) - np.diag(y), np.diag(y) - np.outer(high, y)])
    answer = linprog(
        -y,
        A_ub=np.vstack([x, bounds]),
        b_ub=np.r_[np.ones(len(x)), np.zeros(2 * x.shape[1])],
        bounds=(0, None),
        options={"primal_feasibility_tolerance": 1e-10, "dual_feasibility_tolerance": 1e-10},
    )
    assert answer.success
    return float(-answer.fun * x[unit].max())


KINDS = {
    "skewed": lambda rng, shape: rng.lognormal(0, 1.5, shape),
    "even": lambda rng, shape: rng.uniform(0, 1, shape),
    "whole numbers with ties and zeros": lambda rng, shape: rng.integers(0, 5, shape) * 1.0,
    "far apart": lambda rng, shape: 10.0 ** rng.uniform(-2, 2, shape),
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("n", "k", "low", "high"),
    [
        (80, 1, 0, 1),
        (200, 2, 0, 1),
        (200, 3, 0.1, 0.6),
        (200, 4, 0.25, 0.25),
        (150, 6, 0.05, 0.4),
        (120, 12, 0, 1),
        (120, 28, 0.01, 0.1),
    ],
)
def test_scores_are_those_of_plain_linear_programmes(
    kind: str, n: int, k: int, low: float, high: float
) -> None:
    rng = np.random.default_rng([n, k])
    x = KINDS[kind](rng, (n, k))
    found = benefit_of_the_doubt(x, low, high)
    units = rng.choice(n, 12, replace=False)
    bounds = np.full(k, low), np.full(k, high)
    expected = [plain(x / x.max(axis=0), int(i), *bounds) for i in units]
    np.testing.assert_allclose(found.score[units], expected, rtol=1e-7, atol=1e-9)
    # The weights are a proof: nobody exceeds 1, and the shares are within their bounds.
    assert (found.weights @ x.T).max() <= 1 + 1e-9
    np.testing.assert_allclose((found.weights * x).sum(axis=1), found.score, rtol=1e-9)
    able = found.score > 0
    shares = (found.weights * x)[able] / found.score[able, None]
    np.testing.assert_allclose(shares, found.shares[able], atol=1e-9)
    assert shares.min() >= low - 1e-9
    assert shares.max() <= high + 1e-9


TABLE = arrays(np.float64, (12, 5), elements=st.floats(0.05, 10))


@settings(max_examples=25)
@given(TABLE, st.permutations(range(12)), st.integers(0, 11), st.integers(0, 4))
def test_what_must_hold(x: np.ndarray, order: list[int], unit: int, child: int) -> None:
    score = benefit_of_the_doubt(x).score
    assert (score > 0).all()
    assert score.max() == pytest.approx(1)
    assert (score <= 1).all()
    np.testing.assert_allclose(benefit_of_the_doubt(x[order]).score, score[order], rtol=1e-9)
    units_of_measurement = np.array([1.0, 100.0, 0.01, 3.0, 1e6])
    np.testing.assert_allclose(
        benefit_of_the_doubt(x * units_of_measurement).score, score, rtol=1e-9
    )
    # Bounds only ever take away; more of a child never lowers a unit's own score.
    bounded = benefit_of_the_doubt(x, 0.1, 0.5).score
    assert (bounded <= score * (1 + 1e-9)).all()
    raised = x.copy()
    raised[unit, child] *= 2
    for low, high, before in ((0.0, 1.0, score), (0.1, 0.5, bounded)):
        after = benefit_of_the_doubt(raised, low, high).score
        assert after[unit] >= before[unit] * (1 - 1e-9)
        others = np.arange(12) != unit
        assert (after[others] <= before[others] * (1 + 1e-9)).all()


def test_bounds_for_each_child_and_around_given_weights() -> None:
    x = np.random.default_rng(3).uniform(1, 2, (40, 3))
    low, high = around([2, 1, 1], 0.2)
    np.testing.assert_allclose(low, [0.4, 0.2, 0.2])
    np.testing.assert_allclose(high, [0.6, 0.3, 0.3])
    found = benefit_of_the_doubt(x, low, high)
    assert (found.shares >= low - 1e-9).all()
    assert (found.shares <= high + 1e-9).all()
    np.testing.assert_allclose(found.score[7], plain(x, 7, low, high))
    fixed = benefit_of_the_doubt(x, *around([2, 1, 1], 0))
    np.testing.assert_allclose(fixed.shares, np.tile([0.5, 0.25, 0.25], (40, 1)))


def test_a_unit_without_a_child_that_must_have_a_share_scores_0() -> None:
    x = np.array([[0.0, 4.0, 3.0], [2.0, 3.0, 3.0], [1.0, 0.0, 5.0]])
    found = benefit_of_the_doubt(x, [0.1, 0.0, 0.0])
    assert found.score[0] == 0
    assert (found.weights[0] == 0).all()
    assert np.isnan(found.shares[0]).all()
    assert found.score[1] == pytest.approx(1)
    # Without that bound it lives by what it has, unless no other child may have so much.
    assert benefit_of_the_doubt(x).score[0] == pytest.approx(1)
    assert benefit_of_the_doubt(x, 0.0, 0.45).score[0] == 0


def test_missing_values() -> None:
    x = np.array([[1.0, 4.0], [np.nan, 100.0], [2.0, 2.0]])
    found = benefit_of_the_doubt(x)
    whole = [0, 2]
    assert np.isnan(found.score[1])
    assert np.isnan(found.weights[1]).all()
    np.testing.assert_array_equal(found.score[whole], benefit_of_the_doubt(x[whole]).score)
    assert np.isnan(benefit_of_the_doubt(np.full((3, 2), np.nan)).score).all()


def test_threads_do_not_change_a_byte() -> None:
    x = np.random.default_rng(5).lognormal(0, 1, (900, 8))
    one, three = (benefit_of_the_doubt(x, 0.02, 0.4, workers=n) for n in (1, 3))
    assert one.weights.tobytes() == three.weights.tobytes()


def test_the_general_method_agrees_where_the_quick_one_is_stopped() -> None:
    rng = np.random.default_rng(6)
    x = rng.lognormal(0, 1, (60, 4))
    x[0, 1] = 0.0
    low, high = np.full(4, 0.0), np.full(4, 0.6)
    found = benefit_of_the_doubt(x, low, high)
    for unit in (0, 10, 20):
        shares = benefit._by_highs(x[unit], x, low, high)
        np.testing.assert_allclose(shares.sum(), 1)
        w = np.divide(shares, x[unit], out=np.zeros(4), where=shares > 0)
        np.testing.assert_allclose(1 / (x @ w).max(), found.score[unit], rtol=1e-7)


@pytest.mark.parametrize(
    ("low", "high", "message"),
    [
        (0.5, 1.0, "lower bounds add up to 1.5"),
        (0.0, 0.3, "upper to 0.9"),
        (0.4, 0.3, "lower <= upper"),
        (-0.1, 1.0, "0 <= lower"),
        ([0.1, 0.1], 1.0, "one number or 3"),
    ],
)
def test_bounds_that_cannot_be_are_errors(low: object, high: object, message: str) -> None:
    with pytest.raises(DataError, match=message):
        benefit_of_the_doubt(np.ones((4, 3)), low, high)  # type: ignore[arg-type]


def test_values_that_cannot_be_are_errors() -> None:
    with pytest.raises(
        DataError, match=r"value -1 \('column \d', row \d\); expected values of at least 0"
    ):
        benefit_of_the_doubt([[1.0, -1.0]])
    with pytest.raises(DataError, match="child 'column 2' has infinite"):
        benefit_of_the_doubt([[1.0, np.inf]])
    with pytest.raises(DataError, match="expected units x children"):
        benefit_of_the_doubt([1.0, 2.0])
    with pytest.raises(DataError, match="spread: 2 found; expected a number from 0 to 1"):
        around([1, 1], 2)


def test_units_are_held_against_those_of_a_base() -> None:
    base = [[2.0, 4.0], [4.0, 2.0], [np.nan, 9.0]]
    # Of weights a, b with 2a + 4b and 4a + 2b at most 1, a = b = 1/6 make 4a + 4b the greatest.
    found = benefit_of_the_doubt([[4.0, 4.0], [2.0, 2.0], [np.nan, 1.0]], reference=base)
    np.testing.assert_allclose(found.score, [4 / 3, 2 / 3, np.nan])
    rng = np.random.default_rng(4)
    for n_children in (3, 6):  # by the hull of the peers, and by the pool of them
        x = rng.lognormal(size=(300, n_children))
        alone = benefit_of_the_doubt(x, 0.05, 0.9).score
        np.testing.assert_allclose(
            benefit_of_the_doubt(x, 0.05, 0.9, reference=x).score, alone, rtol=1e-9
        )
        twice = benefit_of_the_doubt(2 * x, 0.05, 0.9, reference=x).score
        np.testing.assert_allclose(twice, 2 * alone, rtol=1e-9)
    with pytest.raises(
        DataError, match="the reference has nothing of child 'column 2' to measure by"
    ):
        benefit_of_the_doubt([[1.0, 1.0]], reference=[[1.0, 0.0]])
