"""Neighbours: Moran's I, and the spatial models beside a likelihood written out by hand."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from scipy.optimize import minimize_scalar

from commonweal.access import Points
from commonweal.errors import DataError
from commonweal.papers.discontent import Fit, moran, spatial_error, spatial_lag
from commonweal.papers.discontent.models import neighbours
from commonweal.survey.regression import fit

N, K = 144, 4


def grid() -> Points:
    at = np.arange(12)
    x, y = np.meshgrid(at, at)
    rng = np.random.default_rng(1)  # shaken a little, so that no two neighbours are equally near
    wobble = rng.uniform(-0.2, 0.2, (2, N))
    return Points((x.ravel() + wobble[0]) / 100, 52 + (y.ravel() + wobble[1]) / 100)


def weights(near: np.ndarray) -> np.ndarray:
    w = np.zeros((N, N))
    for i, row in enumerate(near):
        w[i, row] = 1 / K
    return w


def places(kind: str, strength: float) -> tuple[Fit, np.ndarray]:
    """Places with y = 1 + 2 x, and errors or outcomes that neighbours share."""
    near = neighbours(grid(), K)
    rng = np.random.default_rng(5)
    x, e = rng.normal(size=N), rng.normal(size=N)
    multiplier = np.linalg.inv(np.eye(N) - strength * weights(near))
    y = 1 + 2 * x + multiplier @ e if kind == "error" else multiplier @ (1 + 2 * x + e)
    return fit(pl.DataFrame({"y": y, "x": x}), "y", ["x"]), near


def by_hand(model: Fit, near: np.ndarray, kind: str) -> tuple[float, np.ndarray, float]:
    """Maximise the concentrated log-likelihood: the parameter, coefficients and log-likelihood."""
    w, x, y = weights(near), model.design, model.observed

    def at(r: float) -> tuple[float, np.ndarray]:
        a = np.eye(N) - r * w
        left, right = (a @ x, a @ y) if kind == "error" else (x, a @ y)
        b = np.linalg.lstsq(left, right, rcond=None)[0]
        squares = float(np.sum((right - left @ b) ** 2)) / N
        log = np.linalg.slogdet(a)[1] - N / 2 * (np.log(2 * np.pi * squares) + 1)
        return log, b

    best = minimize_scalar(lambda r: -at(r)[0], bounds=(-0.99, 0.99), options={"xatol": 1e-10})
    return best.x, at(best.x)[1], at(best.x)[0]


@pytest.mark.parametrize("kind", ["error", "lag"])
def test_spatial_models_maximise_the_likelihood(kind: str) -> None:
    model, near = places(kind, 0.6)
    found = {"error": spatial_error, "lag": spatial_lag}[kind](model, near)
    r, b, log = by_hand(model, near, kind)
    assert found.spatial.estimate == pytest.approx(r, abs=1e-5)
    assert [t.estimate for t in found.terms] == pytest.approx(b, abs=1e-4)
    assert found.aic == pytest.approx(2 * 4 - 2 * log, abs=1e-4)
    assert found.spatial.low < 0.6 < found.spatial.high
    assert found.terms[1].low < 2 < found.terms[1].high
    assert found.aic < found.aic_ols
    passed_on = 1 - r if kind == "lag" else 1
    assert found.total["x"] == pytest.approx(b[1] / passed_on, abs=1e-3)


def test_errors_of_the_error_model_are_those_of_the_information_by_hand() -> None:
    """Minus the inverse second derivatives of the log-likelihood, by differences."""
    model, near = places("error", 0.6)
    found = spatial_error(model, near)
    w, x, y = weights(near), model.design, model.observed

    def log(p: np.ndarray) -> float:
        a = np.eye(N) - p[2] * w
        left = a @ (y - x @ p[:2])
        return np.linalg.slogdet(a)[1] - N / 2 * np.log(2 * np.pi * p[3]) - left @ left / (2 * p[3])

    a = np.eye(N) - found.spatial.estimate * w
    b = np.array([t.estimate for t in found.terms])
    squares = float(np.sum((a @ (y - x @ b)) ** 2)) / N
    p, h = np.array([*b, found.spatial.estimate, squares]), 1e-3
    step = np.eye(4) * h
    second = np.array(
        [
            [log(p + i + j) - log(p + i - j) - log(p - i + j) + log(p - i - j) for j in step]
            for i in step
        ]
    ) / (4 * h * h)
    errors = np.sqrt(np.diag(np.linalg.inv(-second)))
    # spreg takes the expected information, so the two agree but for sampling.
    assert found.terms[1].se == pytest.approx(errors[1], rel=0.02)
    assert found.spatial.se == pytest.approx(errors[2], rel=0.1)


def test_without_neighbours_the_models_are_the_plain_one() -> None:
    model, near = places("error", 0.0)
    for found in (spatial_error(model, near), spatial_lag(model, near)):
        assert found.spatial.low < 0 < found.spatial.high
        assert found.terms[1].estimate == pytest.approx(model.term("x").estimate, abs=0.1)


def test_neighbours_are_the_nearest() -> None:
    points = grid()
    near = neighbours(points, K)
    apart = np.hypot(
        (points.longitude[:, None] - points.longitude) * np.cos(np.deg2rad(52.05)),
        points.latitude[:, None] - points.latitude,
    )
    np.fill_diagonal(apart, np.inf)
    kth = np.sort(apart, axis=1)[:, K - 1]
    assert (apart[np.arange(N)[:, None], near] <= kth[:, None] * 1.001).all()


def test_moran_is_the_sum_over_pairs() -> None:
    near = neighbours(grid(), K)
    values = np.random.default_rng(2).normal(size=N)
    z = values - values.mean()
    pairs = sum(z[i] * z[j] / K for i in range(N) for j in near[i])
    found = moran(values, near, draws=99)
    assert found.i == pytest.approx(pairs / (z @ z))
    assert found.expected == pytest.approx(-1 / (N - 1))
    assert found.p > 0.05


def test_moran_tells_a_slope_from_disorder_and_a_chessboard_from_both() -> None:
    points = grid()
    near = neighbours(points, K)
    slope = moran(points.latitude, near)
    board = moran(np.indices((12, 12)).sum(0).ravel() % 2 * 1.0, near)
    assert slope.i > 0.8
    assert board.i < -0.3
    assert slope.p == board.p == 1 / 1000
    assert moran(points.latitude, near) == slope  # the same seed, the same answer


def test_what_makes_no_sense_is_refused() -> None:
    points, (model, near) = grid(), places("error", 0.3)
    with pytest.raises(DataError, match="144 neighbours of 144 places"):
        neighbours(points, N)
    twice = Points(np.zeros(3), np.array([52.0, 52.0, 53.0]))
    with pytest.raises(DataError, match="the same point"):
        neighbours(twice, 1)
    with pytest.raises(DataError, match="constant"):
        moran(np.ones(N), near)
    with pytest.raises(DataError, match="3 values and neighbours of 144"):
        moran(np.ones(3), near)
    with pytest.raises(DataError, match="neighbours of 100 places for 144 rows"):
        spatial_error(model, near[:100])
