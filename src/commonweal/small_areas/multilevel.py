"""Logistic regression with random intercepts, and draws from its posterior."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.sparse import csr_array, hstack
from scipy.special import gammaln, logsumexp
from scipy.stats import multivariate_normal, qmc

from commonweal.errors import DataError
from commonweal.small_areas.checks import (
    Array,
    Codes,
    between,
    column_names,
    covariates,
    independent,
    positive,
)
from commonweal.small_areas.laplace import (
    LEAST,
    MOST,
    Data,
    Method,
    Mode,
    beyond,
    climb,
    criterion,
    factorise,
    find_mode,
    lowest,
    merged,
    one_thread,
    restricted,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import ArrayLike

    from commonweal.small_areas.checks import Array
    from commonweal.small_areas.laplace import Mode


ETA = 25.0  # a linear predictor beyond it is a probability of 0 or 1: the outcome is separated


@dataclass(frozen=True, slots=True, eq=False)
class Multilevel:
    """A fitted multilevel logistic regression.

    Attributes
    ----------
    names, coefficients, covariance
        Fixed effects in log-odds; the first is ``intercept`` unless it was left out.
    factors
        Names of the factors with random intercepts.
    levels, effects, effect_se
        Per factor its levels (sorted), their intercepts in log-odds, and posterior standard deviations.
    sd
        Standard deviation of each factor's intercepts, in log-odds; 0 where the levels do not differ.
    log_likelihood
        Laplace approximation at the estimates, with constants (as lme4 gives it under ``ml``).
    method
        ``reml`` or ``ml``.
    rows
        Of data, after equal ones were put together.
    trials
        Sum of trials (after weighting).
    data
        What was fitted, to draw from the posterior.
    """

    names: tuple[str, ...]
    coefficients: Array
    covariance: Array
    factors: tuple[str, ...]
    levels: tuple[np.ndarray[Any, Any], ...]
    effects: tuple[Array, ...]
    effect_se: tuple[Array, ...]
    sd: Array
    log_likelihood: float
    method: Method
    rows: int
    trials: float
    data: Data


# Wide: a model's arguments, named as statistical libraries have them.
def fit_multilevel(
    successes: ArrayLike,
    x: ArrayLike | None,
    factors: Mapping[str, ArrayLike],
    *,
    trials: ArrayLike | None = None,
    weights: ArrayLike | None = None,
    names: Sequence[str] | None = None,
    intercept: bool = True,
    method: Method = "reml",
) -> Multilevel:
    """Fit a multilevel logistic regression.

    Parameters
    ----------
    successes
        0 or 1 for each respondent, or a count for each group of them.
    x
        Covariates with fixed effects, rows x covariates; None for none. Put them on like scales first
        (z-scores): they are taken as they come.
    factors
        Name to label of each row, for every factor with random intercepts; at least one.
    trials
        Of which the successes; 1 each if not given.
    weights
        Survey weights of the rows, above 0. They enter as a pseudo-likelihood, scaled so that all trials
        add up to Kish's effective sample size; intervals then allow for unequal weights, not for clusters.
    names
        Of the covariates.
    intercept
        Put a column of ones before `x`.
    method
        ``reml``: coefficients are integrated out as well as effects, and each level of the largest factor by
        quadrature; both take out downward bias of the standard deviations. ``ml``: only effects are, and all
        by the Laplace approximation, as in lme4's ``glmer``.

    Returns
    -------
    Multilevel
        Coefficients, standard deviations, effects, and a normal approximation to draw from.

    Raises
    ------
    DataError
        For missing or infinite values, lengths that differ, successes above trials, collinear covariates,
        no factor, or an outcome that never varies.

    Notes
    -----
    Laplace approximation as in Breslow and Clayton (1993) and Bates et al. (2015), its gradient by implicit
    differentiation of the mode. Standard deviations are then taken as known (empirical Bayes).

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> area = np.repeat(np.arange(40), 50)
    >>> effect = rng.normal(0, 0.8, 40)
    >>> trusts = rng.random(2000) < 1 / (1 + np.exp(-effect[area]))
    >>> fit = fit_multilevel(trusts, None, {"area": area})
    >>> fit.sd.round(1)
    array([0.8])
    """
    y = between("successes", successes, 0, np.inf)
    n = np.ones(len(y)) if trials is None else positive("trials", trials, len(y))
    if len(wrong := np.flatnonzero(y > n)):
        raise DataError(
            f"successes is {y[wrong[0]]:g} of {n[wrong[0]]:g} trials in row {wrong[0]}; expected no more than trials"
        )
    design = covariates(x, len(y), intercept)
    named = column_names(names, design.shape[1], intercept)
    independent(design, named)
    if method not in ("reml", "ml"):
        raise DataError(f"method is '{method}'; expected 'reml' or 'ml'")
    levels, codes = coded(factors, len(y))
    constant = float((gammaln(n + 1) - gammaln(y + 1) - gammaln(n - y + 1)).sum())
    if weights is not None:
        w = positive("weights", weights, len(y))
        w = w * (w @ n) / (w**2 @ n)
        y, n, constant = y * w, n * w, 0.0
    if not 0 < y.sum() < n.sum():
        raise DataError(
            "successes are all alike; expected an outcome that some have and others have not"
        )
    data = merged(y, n, design, codes, tuple(len(level) for level in levels), method == "reml")
    with one_thread():
        climbed = climb(data, method)
    if (reached := float(np.abs(climbed[2].eta).max())) > ETA:
        raise DataError(
            f"the linear predictor reaches {reached:.0f}: covariates tell the outcome apart completely, so "
            "coefficients have no estimate; expected an outcome that they do not decide"
        )
    return _result(data, climbed, named, tuple(factors), levels, method, constant)


def coded(
    factors: Mapping[str, ArrayLike], length: int
) -> tuple[tuple[np.ndarray[Any, Any], ...], tuple[Codes, ...]]:
    """Give the sorted levels of each factor and the place of each row among them."""
    if not factors:
        raise DataError(
            "no factors; expected at least one with random intercepts, such as the area"
        )
    levels, codes = [], []
    for name, labels in factors.items():
        array = np.asarray(labels)
        if array.shape != (length,):
            raise DataError(
                f"factor '{name}' has shape {array.shape}; expected {length:,} labels, one for each row"
            )
        if array.dtype.kind == "f" and not np.isfinite(array).all():
            raise DataError(f"factor '{name}' has missing labels; expected one for each row")
        found, places = np.unique(array, return_inverse=True)
        levels.append(found)
        codes.append(places.astype(np.int64))
    return tuple(levels), tuple(codes)


def _result(
    data: Data,
    climbed: tuple[Array, Array | None, Mode],
    names: tuple[str, ...],
    factors: tuple[str, ...],
    levels: tuple[np.ndarray[Any, Any], ...],
    method: Method,
    constant: float,
) -> Multilevel:
    """Lay the mode out by coefficient and factor."""
    theta, beta, mode = climbed
    p = data.x.shape[1]
    height = -mode.height - mode.arrow.log_determinant() / 2 + constant
    height += beyond(data, theta, mode)[0]
    if beta is not None:  # the posterior is that of coefficients and effects together
        columns = csr_array(hstack([csr_array(data.x), mode.columns]))
        c = np.concatenate([beta, mode.c])
        penalty = np.concatenate([np.zeros(p), np.ones(len(mode.c))])
        arrow = factorise(
            mode.weight, columns, penalty, data.codes[data.largest],
            data.sizes[data.largest], float(theta[data.largest]),
        )  # fmt: skip
    else:
        c, arrow, height = mode.c, mode.arrow, height + p / 2 * float(np.log(2 * np.pi))
    inverse_c, inverse_u = arrow.inverse_diagonals()
    half = np.linalg.inv(arrow.root)
    effects, errors, start = [], [], p
    for f, size in enumerate(data.sizes):
        if f == data.largest:
            effects.append(theta[f] * mode.u)
            errors.append(theta[f] * np.sqrt(inverse_u))
            continue
        effects.append(theta[f] * c[start : start + size])
        errors.append(theta[f] * np.sqrt(inverse_c[start : start + size]))
        start += size
    return Multilevel(
        names, c[:p], (half @ half.T)[:p, :p], factors, levels, tuple(effects), tuple(errors), theta,
        height, method, len(data.y), float(data.n.sum()), data,
    )  # fmt: skip


POINTS = 64  # standard deviations at which the posterior is looked at
PRIOR_SD = 1.0  # scale of the Rayleigh prior of each standard deviation, in log-odds: flat on small variances
STEP = 0.02  # of the logs, for second derivatives
FLAT = 0.25  # least second derivative believed
WIDER = 1.25  # than the normal approximation, to reach its tails


def draw_posterior(
    model: Multilevel, draws: int, rng: np.random.Generator
) -> tuple[Array, list[Array], Array]:
    """Draw from the posterior of a multilevel logistic regression.

    A nested Laplace approximation: given the standard deviations, coefficients and effects are normal about their
    mode; those are integrated over 64 points, spread by a normal approximation about the mode and weighted by the
    Laplace approximation of the likelihood times a Rayleigh prior of scale 1. A factor whose standard deviation is
    estimated as 0 is therefore not taken to be without effect.
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
