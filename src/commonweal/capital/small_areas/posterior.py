"""Draws of coefficients and effects that allow for not knowing the standard deviations of the factors."""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.special import logsumexp
from scipy.stats import multivariate_normal, qmc

from .multilevel import SD, criterion

if TYPE_CHECKING:
    from .checks import Array
    from .multilevel import Multilevel

POINTS = 32  # standard deviations at which the posterior is looked at
PRIOR_SD = 1.0  # of the half-normal prior of each standard deviation, in log-odds
STEP = 1e-3
WIDER = 1.25  # than the normal approximation, to reach its tails


def draw_posterior(
    model: Multilevel, draws: int, rng: np.random.Generator
) -> tuple[Array, list[Array], Array]:
    """Draw from the posterior of a multilevel logistic regression.

    Parameters
    ----------
    model
        Of `fit_multilevel`.
    draws
        How many.
    rng
        To draw with.

    Returns
    -------
    tuple
        Coefficients x draws; for each factor levels x draws, in log-odds; factors x draws, the standard
        deviations.

    Notes
    -----
    A nested Laplace approximation: given the standard deviations, coefficients and effects are normal about
    their mode; those are integrated over 32 points, spread by a normal approximation about the mode and
    weighted by the Laplace approximation of the likelihood times a half-normal prior of scale 1. A factor
    whose standard deviation is estimated as 0 is therefore not taken to be without effect.
    """
    points, weights, modes = _points(model, rng)
    ends = np.floor(np.cumsum(weights) * draws + rng.random()).astype(int)
    ends[-1] = draws
    p = len(model.names)
    sizes = model.data.sizes
    beta = np.empty((p, draws))
    effects = [np.empty((size, draws)) for size in sizes]
    scales = np.empty((len(sizes), draws))
    begin = 0
    for theta, mode, end in zip(points, modes, np.minimum(ends, draws).tolist(), strict=True):
        if end == begin:
            continue
        span = slice(begin, end)
        top, bottom = mode.arrow.draws(end - begin, rng)
        top, bottom = top + mode.c[:, None], bottom + mode.u[:, None]
        beta[:, span], scales[:, span], start = top[:p], theta[:, None], p
        for f, size in enumerate(sizes):
            if f == model.data.largest:
                effects[f][:, span] = theta[f] * bottom
                continue
            effects[f][:, span] = theta[f] * top[start : start + size]
            start += size
        begin = end
    return beta, effects, scales


def _points(model: Multilevel, rng: np.random.Generator) -> tuple[Array, Array, list[Any]]:
    """Give standard deviations, the posterior weight of each, and the mode given each."""
    centre = np.minimum(model.sd, 2 * PRIOR_SD)
    spread = WIDER**2 * np.linalg.inv(_curvature(model, centre))
    drawn = qmc.MultivariateNormalQMC(centre, spread, rng=rng).random(POINTS)
    points = np.clip(np.abs(drawn), 0, SD)  # the likelihood is the same for -sd
    signs = np.array(list(product([-1, 1], repeat=len(centre))))
    density = multivariate_normal(centre, spread, allow_singular=True)
    modes, log_weights = [], []
    for theta in points:
        value, _, mode = criterion(model.data, theta)
        modes.append(mode)
        prior = -(theta @ theta) / (2 * PRIOR_SD**2)
        log_weights.append(prior - value - logsumexp(density.logpdf(signs * theta)))
    log_weights = np.array(log_weights) - logsumexp(log_weights)
    return points, np.exp(log_weights), modes


def _curvature(model: Multilevel, centre: Array) -> Array:
    """Give the second derivatives of minus the log posterior, made positive definite."""
    f = len(centre)
    rows = []
    for step in np.eye(f) * STEP:
        up, down = centre + step, np.abs(centre - step)
        slope = criterion(model.data, up)[1]
        sign = np.where(centre - step < 0, -1, 1)
        rows.append((slope - sign * criterion(model.data, down)[1]) / (2 * STEP))
    matrix = (np.array(rows) + np.array(rows).T) / 2 + np.eye(f) / PRIOR_SD**2
    values, vectors = np.linalg.eigh(matrix)
    return (vectors * np.maximum(values, 1 / PRIOR_SD**2)) @ vectors.T
