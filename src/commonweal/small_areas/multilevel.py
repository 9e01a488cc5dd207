"""Logistic regression with random intercepts: ``logit p = x'b + u_area + u_age + ...``, ``u_f ~ N(0, sd_f^2)``.

Standard deviations maximise the Laplace approximation of the likelihood; effects are its mode, found by
penalised iteratively reweighted least squares.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.sparse import csr_array, hstack
from scipy.special import gammaln

from commonweal.errors import DataError
from commonweal.small_areas.arrow import factor
from commonweal.small_areas.checks import (
    Array,
    Codes,
    between,
    column_names,
    covariates,
    independent,
    positive,
)
from commonweal.small_areas.laplace import Data, Method, Mode, beyond, climb, merged, one_thread

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import ArrayLike

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
        theta, beta, mode = climb(data, method)
    if (reached := float(np.abs(mode.eta).max())) > ETA:
        raise DataError(
            f"the linear predictor reaches {reached:.0f}: covariates tell the outcome apart completely, so "
            "coefficients have no estimate; expected an outcome that they do not decide"
        )
    return _result(data, theta, beta, mode, named, tuple(factors), levels, method, constant)


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
    theta: Array,
    beta: Array | None,
    mode: Mode,
    names: tuple[str, ...],
    factors: tuple[str, ...],
    levels: tuple[np.ndarray[Any, Any], ...],
    method: Method,
    constant: float,
) -> Multilevel:
    """Lay the mode out by coefficient and factor."""
    p = data.x.shape[1]
    height = -mode.height - mode.arrow.log_determinant() / 2 + constant
    height += beyond(data, theta, mode)[0]
    if beta is not None:  # the posterior is that of coefficients and effects together
        columns = csr_array(hstack([csr_array(data.x), mode.columns]))
        c = np.concatenate([beta, mode.c])
        penalty = np.concatenate([np.zeros(p), np.ones(len(mode.c))])
        arrow = factor(
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
