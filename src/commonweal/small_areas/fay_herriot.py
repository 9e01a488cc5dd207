"""Fay-Herriot: an area's own estimate and what its covariates say, each by its precision; shares too."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from scipy.optimize import brentq
from scipy.stats import t

from commonweal.errors import DataError
from commonweal.small_areas.checks import (
    Array,
    between,
    column_names,
    covariates,
    distinct,
    independent,
    numbers,
    positive,
    quantile,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import ArrayLike


GRID = 60  # places looked at before the climb: such a likelihood can have two tops


def maximise(
    height: Callable[[float], float], slope: Callable[[float], float], low: float, high: float
) -> float:
    """Find the top on a grid from 0 and `low` to `high`, then where its slope is 0; 0 if it only falls."""
    grid = [0.0, *np.geomspace(low, high, GRID).tolist()]
    best = int(np.argmax([height(value) for value in grid]))
    rising = slope(grid[best]) > 0
    if best == 0 and not rising:
        return 0.0
    left, right = grid[best - (not rising)], grid[min(best + rising, GRID)]
    while slope(right) > 0:
        right *= 2
    if slope(left) <= 0:  # flat to the last digit
        return left
    return float(brentq(slope, left, right, xtol=1e-15 * right, rtol=1e-14))


Method = Literal["reml", "ml"]


@dataclass(frozen=True, slots=True, eq=False)
class FayHerriot:
    """A fitted Fay-Herriot model; vectors are one number an area, in the order given.

    Attributes
    ----------
    areas
        Their codes, or 0, 1, 2, ...
    direct, variance
        What went in: estimates of the survey and their sampling variances.
    estimate, mse
        Empirical best linear unbiased predictor and its mean squared error g1 + g2 + 2 g3.
    lower, upper
        ``estimate`` less and plus z times the root of ``mse``.
    g1, g2, g3
        Parts of ``mse``: of the area's effect, of the coefficients, of the model variance.
    shrinkage
        Weight of the direct estimate, g = s2 / (s2 + D), 0 to 1.
    synthetic
        What the covariates alone say, x'b.
    names, coefficients, covariance
        Of the regression; the first name is ``intercept`` unless it was left out.
    model_variance, model_variance_se
        s2 and its asymptotic standard error.
    at_zero
        s2 was estimated as 0: then every estimate is synthetic, and ``mse`` has no g1 and is too small.
    log_likelihood, aic, bic
        Of the full (not the restricted) likelihood at the estimates, as R's sae gives them.
    method, level
        ``reml`` or ``ml``; what share of intervals should cover.
    design
        The matrix of covariates, areas x coefficients.
    """

    areas: tuple[Any, ...]
    direct: Array
    variance: Array
    estimate: Array
    mse: Array
    lower: Array
    upper: Array
    g1: Array
    g2: Array
    g3: Array
    shrinkage: Array
    synthetic: Array
    names: tuple[str, ...]
    coefficients: Array
    covariance: Array
    model_variance: float
    model_variance_se: float
    at_zero: bool
    log_likelihood: float
    aic: float
    bic: float
    method: Method
    level: float
    design: Array


@dataclass(frozen=True, slots=True, eq=False)
class Predicted:
    """Estimates for areas without a sample: one number an area, as in `FayHerriot`."""

    areas: tuple[Any, ...]
    estimate: Array
    mse: Array
    lower: Array
    upper: Array


# Wide: a model's arguments, named as statistical libraries have them.
def fay_herriot(
    direct: ArrayLike,
    variance: ArrayLike,
    x: ArrayLike | None = None,
    *,
    areas: Sequence[Any] | None = None,
    names: Sequence[str] | None = None,
    intercept: bool = True,
    method: Method = "reml",
    level: float = 0.95,
) -> FayHerriot:
    """Combine direct estimates with covariates of the areas (Fay and Herriot 1979).

    Parameters
    ----------
    direct
        Estimate of each area from the survey, in any unit.
    variance
        Sampling variance of each, in that unit squared; above 0 and taken as known.
    x
        Covariates, areas x covariates; a vector is one covariate, None is the mean alone.
    areas
        Code of each area, each once; 0, 1, 2, ... if not given.
    names
        Of the covariates, for messages and tables.
    intercept
        Put a column of ones before `x`.
    method
        ``reml`` (restricted maximum likelihood) or ``ml``.
    level
        Share of the intervals that should cover.

    Returns
    -------
    FayHerriot
        Estimates, mean squared errors, intervals, coefficients.

    Raises
    ------
    DataError
        For values that are missing or infinite, a variance that is not above 0, covariates that are
        collinear, no more areas than coefficients, lengths that differ, an area that is there twice.

    Notes
    -----
    The mean squared error is that of Prasad and Rao (1990), for REML and ML as in Datta and Lahiri (2000):
    g1 = g D, g2 = (1 - g)^2 x'(X'V^-1 X)^-1 x, g3 = D^2 / (s2 + D)^3 x 2 / sum (s2 + D)^-2; under ML the
    bias of g1 is taken out as well.

    Examples
    --------
    >>> fit = fay_herriot([0.62, 0.41, 0.70, 0.55, 0.30], [0.004, 0.002, 0.02, 0.003, 0.001],
    ...                   [0.1, 0.5, 0.2, 0.3, 0.8])
    >>> fit.estimate.round(3)
    array([0.631, 0.438, 0.583, 0.534, 0.294])
    >>> fit.at_zero
    True
    """
    y = numbers("direct", direct)
    d = positive("variance", variance, len(y))
    design = covariates(x, len(y), intercept)
    named = column_names(names, design.shape[1], intercept)
    codes = distinct(areas, len(y))
    independent(design, named)
    if method not in ("reml", "ml"):
        raise DataError(f"method is '{method}'; expected 'reml' or 'ml'")
    z = quantile(level)

    s2 = _model_variance(y, d, design, method)
    b, covariance = _coefficients(y, d, design, s2)
    v = s2 + d
    shrinkage, synthetic = s2 / v, design @ b
    spread = 2 / (1 / v**2).sum()
    g1 = shrinkage * d
    g2 = (1 - shrinkage) ** 2 * ((design @ covariance) * design).sum(axis=1)
    g3 = d**2 / v**3 * spread
    mse = g1 + g2 + 2 * g3
    if method == "ml":  # s2 is too small by this much on average, and g1 with it
        bias = spread / 2 * np.trace(covariance @ (design.T @ (design / v[:, None] ** 2)))
        mse = mse + (1 - shrinkage) ** 2 * bias
    estimate = shrinkage * y + (1 - shrinkage) * synthetic
    half = z * np.sqrt(mse)
    log_likelihood = float(-0.5 * (np.log(2 * np.pi * v) + (y - synthetic) ** 2 / v).sum())
    k = len(b) + 1
    return FayHerriot(
        areas=codes, direct=y, variance=d, estimate=estimate, mse=mse, lower=estimate - half,
        upper=estimate + half, g1=g1, g2=g2, g3=g3, shrinkage=shrinkage, synthetic=synthetic,
        names=named, coefficients=b, covariance=covariance, model_variance=s2,
        model_variance_se=float(np.sqrt(spread)), at_zero=s2 == 0, log_likelihood=log_likelihood,
        aic=2 * k - 2 * log_likelihood, bic=k * float(np.log(len(y))) - 2 * log_likelihood,
        method=method, level=level, design=design,
    )  # fmt: skip


def predict(
    fit: FayHerriot, x: ArrayLike | None = None, *, areas: Sequence[Any] | None = None
) -> Predicted:
    """Estimate areas that have no sample, from their covariates alone.

    Parameters
    ----------
    fit
        The fitted model.
    x
        Their covariates, areas x covariates as in the fit, without the column of ones; for a model of the
        mean alone a matrix without columns.
    areas
        Code of each area, each once.

    Returns
    -------
    Predicted
        x'b, with mean squared error s2 + x'(X'V^-1 X)^-1 x. Here all rests on s2, so the interval takes
        the t distribution with Satterthwaite's 2 mse^2 / var(s2) degrees of freedom, 2 at the least.

    Examples
    --------
    >>> fit = fay_herriot([1.0, 2.0, 3.5, 4.0], [0.1, 0.1, 0.1, 0.1], [1, 2, 3, 4])
    >>> predict(fit, [5]).estimate.round(2)
    array([5.25])
    """
    intercept = fit.names[0] == "intercept"
    matrix = np.asarray(x, dtype=np.float64) if x is not None else np.empty((0, 0))
    design = covariates(matrix, len(matrix), intercept)
    if design.shape[1] != len(fit.names):
        raise DataError(
            f"x has {design.shape[1] - intercept} columns; expected {len(fit.names) - intercept}, as in the fit"
        )
    estimate = design @ fit.coefficients
    mse = fit.model_variance + ((design @ fit.covariance) * design).sum(axis=1)
    freedom = np.maximum(2 * mse**2 / fit.model_variance_se**2, 2)
    half = t.ppf(0.5 + fit.level / 2, freedom) * np.sqrt(mse)
    return Predicted(distinct(areas, len(design)), estimate, mse, estimate - half, estimate + half)


def _model_variance(y: Array, d: Array, x: Array, method: Method) -> float:
    """Give the s2 >= 0 that maximises the likelihood."""
    q, _ = np.linalg.qr(
        x
    )  # the likelihood is that of any basis of the columns, and this one is stable
    residual = y - q @ (q.T @ y)
    top = float(residual @ residual) / (len(y) - x.shape[1])
    if top <= 1e-28 * float(y @ y):
        return 0.0  # the covariates say it all
    low = min(float(d.min()), top) * 1e-6
    return maximise(
        lambda s2: _log_likelihood(s2, y, d, q, method),
        lambda s2: _slope(s2, y, d, q, method),
        low,
        10 * top,
    )


def _log_likelihood(s2: float, y: Array, d: Array, q: Array, method: Method) -> float:
    """Give the log-likelihood, restricted or not, up to a constant."""
    w = 1 / (s2 + d)
    a = q.T @ (q * w[:, None])
    residual = y - q @ np.linalg.solve(a, q.T @ (w * y))
    value = np.log(w).sum() - w @ residual**2
    return float(value - (np.linalg.slogdet(a)[1] if method == "reml" else 0.0)) / 2


def _slope(s2: float, y: Array, d: Array, q: Array, method: Method) -> float:
    """Give the derivative of the log-likelihood by s2."""
    w = 1 / (s2 + d)
    a = q.T @ (q * w[:, None])
    residual = y - q @ np.linalg.solve(a, q.T @ (w * y))
    trace = w.sum()
    if method == "reml":
        trace = trace - np.trace(np.linalg.solve(a, q.T @ (q * w[:, None] ** 2)))
    return float((w**2) @ residual**2 - trace) / 2


def _coefficients(y: Array, d: Array, x: Array, s2: float) -> tuple[Array, Array]:
    """Give generalised least squares, through an orthogonal basis so that units do not matter."""
    root = 1 / np.sqrt(s2 + d)
    q, r = np.linalg.qr(x * root[:, None])
    inverse = np.linalg.inv(r)
    return inverse @ (q.T @ (root * y)), inverse @ inverse.T


@dataclass(frozen=True, slots=True, eq=False)
class Shares:
    """Estimated shares, 0 to 1: one number an area.

    Attributes
    ----------
    areas
        Their codes.
    estimate, mse
        Share, and its mean squared error.
    lower, upper
        Ends of the interval, those of the arcsine scale turned back: not symmetric about the estimate.
    model
        The model on the arcsine scale.
    """

    areas: tuple[Any, ...]
    estimate: Array
    mse: Array
    lower: Array
    upper: Array
    model: FayHerriot


# Wide: as fay_herriot.
def fay_herriot_shares(
    share: ArrayLike,
    effective: ArrayLike,
    x: ArrayLike | None = None,
    *,
    areas: Sequence[Any] | None = None,
    names: Sequence[str] | None = None,
    intercept: bool = True,
    method: Method = "reml",
    level: float = 0.95,
) -> Shares:
    """Combine direct shares with covariates of the areas.

    Parameters
    ----------
    share
        Share of each area from the survey, 0 to 1; 0 and 1 themselves may occur.
    effective
        Effective sample size of each, respondents over design effect; above 0.
    x, areas, names, intercept, method, level
        As in `fay_herriot`.

    Returns
    -------
    Shares
        Estimates, mean squared errors, intervals.

    Notes
    -----
    The model is that of ``arcsin sqrt(share)``, with sampling variance 1 / (4 effective). With t the estimate
    there and v its g1, the share is ``E sin^2(t + N(0, v)) = (1 - exp(-2 v) cos 2t) / 2``: the
    back-transformation with its bias taken out (Sugasawa and Kubokawa 2017; Hadam, Wuerz and Kreutzmann 2020).
    The mean squared error is the variance of ``sin^2(t + N(0, m))``, m the mean squared error there.

    Examples
    --------
    >>> fit = fay_herriot_shares([0.2, 0.5, 0.9, 0.4, 0.0], [20, 40, 10, 25, 5], [1, 2, 4, 2, 1])
    >>> fit.estimate.round(2)
    array([0.17, 0.43, 0.93, 0.43, 0.17])
    """
    p = between("share", share, 0, 1)
    n = positive("effective", effective, len(p))
    fit = fay_herriot(
        np.arcsin(np.sqrt(p)), 1 / (4 * n), x, areas=areas, names=names, intercept=intercept, method=method, level=level
    )  # fmt: skip
    return _back(fit, fit, fit.g1)


def predict_shares(
    fit: Shares, x: ArrayLike | None = None, *, areas: Sequence[Any] | None = None
) -> Shares:
    """Estimate the share in areas that have no sample, from their covariates alone; as `predict`."""
    there = predict(fit.model, x, areas=areas)
    return _back(there, fit.model, np.full(len(there.estimate), fit.model.model_variance))


def _back(there: FayHerriot | Predicted, model: FayHerriot, v: Array) -> Shares:
    """Turn arcsine-scale estimates into shares."""
    t = np.clip(there.estimate, 0, np.pi / 2)
    estimate = (1 - np.exp(-2 * v) * np.cos(2 * t)) / 2
    fall = np.exp(-2 * there.mse)
    mse = ((1 + fall**4 * np.cos(4 * t)) / 2 - (fall * np.cos(2 * t)) ** 2) / 4
    lower, upper = (np.sin(np.clip(end, 0, np.pi / 2)) ** 2 for end in (there.lower, there.upper))
    return Shares(there.areas, estimate, mse, lower, upper, model)
