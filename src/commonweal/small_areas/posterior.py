"""Draws of coefficients and effects that allow for not knowing the standard deviations of the factors."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.special import logsumexp
from scipy.stats import multivariate_normal, qmc

from commonweal.small_areas.laplace import LEAST, MOST, criterion, find_mode, lowest, restricted

if TYPE_CHECKING:
    from commonweal.small_areas.checks import Array
    from commonweal.small_areas.laplace import Mode
    from commonweal.small_areas.multilevel import Multilevel

POINTS = 64  # standard deviations at which the posterior is looked at
PRIOR_SD = 1.0  # scale of the Rayleigh prior of each standard deviation, in log-odds: flat on small variances
STEP = 0.02  # of the logs, for second derivatives
FLAT = 0.25  # least second derivative believed
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
    their mode; those are integrated over 64 points, spread by a normal approximation about the mode and
    weighted by the Laplace approximation of the likelihood times a Rayleigh prior of scale 1. A factor
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


def _points(model: Multilevel, rng: np.random.Generator) -> tuple[Array, Array, list[Mode]]:
    """Give standard deviations, the posterior weight of each, and the mode given each."""
    centre, spread, near = _normal(model)
    drawn = qmc.MultivariateNormalQMC(centre, spread, rng=rng).random(POINTS)
    proposed = multivariate_normal(centre, spread).logpdf(drawn)
    points = np.exp(np.clip(drawn, np.log(LEAST), np.log(MOST)))
    modes = [find_mode(model.data, theta, None, near) for theta in points]
    heights = [
        -criterion(model.data, theta, mode) for theta, mode in zip(points, modes, strict=True)
    ]
    log_weights = np.array(heights) + _log_prior(points) - proposed
    return points, np.exp(log_weights - logsumexp(log_weights)), modes


def _log_prior(theta: Array) -> Array:
    """Give the log of the Rayleigh prior of standard deviations, as a density of their logs."""
    return (2 * np.log(theta) - (theta / PRIOR_SD) ** 2 / 2).sum(axis=-1)


def _normal(model: Multilevel) -> tuple[Array, Array, Mode | None]:
    """Give centre and covariance of a normal for the logs of the standard deviations, and a mode near it."""
    last: list[Mode | None] = [None]

    def posterior(theta: Array) -> tuple[float, Array]:
        value, slope, last[0] = restricted(model.data, theta, last[0])
        return value - float(_log_prior(theta)), slope - 2 / theta + theta / PRIOR_SD**2

    best = lowest(posterior, np.clip(model.sd, 0.1, PRIOR_SD), len(model.sd), precise=1e-7)
    centre, rows = np.log(np.maximum(best, LEAST)), []
    for step in np.eye(len(best)) * STEP:
        up, down = np.exp(centre + step), np.exp(centre - step)
        rows.append((posterior(up)[1] * up - posterior(down)[1] * down) / (2 * STEP))
    values, vectors = np.linalg.eigh((np.array(rows) + np.array(rows).T) / 2)
    return centre, (vectors * (WIDER**2 / np.maximum(values, FLAT))) @ vectors.T, last[0]
