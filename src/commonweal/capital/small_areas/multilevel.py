"""Logistic regression with random intercepts: ``logit p = x'b + u_area + u_age + ...``, ``u_f ~ N(0, sd_f^2)``.

Standard deviations maximise the Laplace approximation of the likelihood; effects are its mode, found by
penalised iteratively reweighted least squares.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from scipy.optimize import minimize
from scipy.sparse import csr_array, hstack
from scipy.special import expit, gammaln, logit, logsumexp

from commonweal.errors import DataError

from .arrow import Arrow, factor
from .checks import Array, Codes, between, column_names, covariates, independent, positive

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import ArrayLike

Method = Literal["reml", "ml"]

NODES = 9  # of quadrature over each level of the largest factor
STEPS = 100  # of Newton; five to eight are usual
SD = 20.0  # log-odds: no factor's levels differ by more
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


@dataclass(frozen=True, slots=True, eq=False)
class Data:
    """Rows with what is in them; `small` are the factors but the largest, in order."""

    y: Array
    n: Array
    x: Array
    codes: tuple[Codes, ...]
    sizes: tuple[int, ...]
    largest: int
    member: Any  # rows x levels of the small factors, ones
    refined: bool  # whether the largest factor is integrated by quadrature

    @property
    def small(self) -> list[int]:
        """Give the places of the factors but the largest."""
        return [f for f in range(len(self.sizes)) if f != self.largest]


@dataclass(frozen=True, slots=True, eq=False)
class Mode:
    """Where the penalised likelihood is highest, for given standard deviations."""

    c: Array
    u: Array
    mu: Array
    weight: Array
    columns: Any
    arrow: Arrow
    height: float  # minus the penalised log-likelihood


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
    array([0.7])
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
    data = _merged(y, n, design, codes, tuple(len(level) for level in levels), method == "reml")
    theta, beta, mode = _climb(data, method)
    if (reached := float(np.abs(logit(mode.mu)).max())) > ETA:
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


def _merged(
    y: Array,
    n: Array,
    x: Array,
    codes: tuple[Codes, ...],
    sizes: tuple[int, ...],
    refined: bool,
) -> Data:
    """Put equal rows together and lay out the factors."""
    keys = np.column_stack([*codes, x])
    found, place = np.unique(keys, axis=0, return_inverse=True)
    place = place.ravel()
    f = len(codes)
    merged = tuple(found[:, j].astype(np.int64) for j in range(f))
    largest = int(np.argmax(sizes))
    rows = np.arange(len(found))
    blocks = [
        csr_array((np.ones(len(found)), (rows, merged[j])), shape=(len(found), sizes[j]))
        for j in range(f)
        if j != largest
    ]
    member = hstack(blocks, format="csr") if blocks else csr_array((len(found), 0))
    return Data(
        _sums(place, y, len(found)), _sums(place, n, len(found)), np.ascontiguousarray(found[:, f:]),
        merged, sizes, largest, member, refined,
    )  # fmt: skip


def _sums(place: Codes, values: Array, size: int) -> Array:
    """Add values up by place."""
    return np.bincount(place, values, size).astype(np.float64, copy=False)


def _climb(data: Data, method: Method) -> tuple[Array, Array | None, Mode]:
    """Find the standard deviations (and under ML the coefficients) that maximise the approximation."""
    f, p = len(data.sizes), data.x.shape[1]
    last: list[Mode | None] = [None]

    def joint(theta: Array) -> tuple[float, Array]:
        value, slope, last[0] = criterion(data, theta, last[0])
        return value, slope

    theta = _lowest(joint, np.full(f, 0.5), f)
    mode = _mode(data, theta, None, last[0])
    if method == "reml":
        return theta, None, mode
    scale = np.sqrt(mode.arrow.inverse_diagonals()[0][:p])
    centre, last[0] = mode.c[:p], None

    def marginal(free: Array) -> tuple[float, Array]:
        beta = centre + scale * free[f:]
        mode = last[0] = _mode(data, free[:f], beta, last[0])
        slope = _gradient(data, free[:f], mode, fixed=False)
        slope[f:] *= scale
        return mode.height + mode.arrow.log_determinant() / 2, slope

    best = _lowest(marginal, np.concatenate([np.maximum(theta, 1e-3), np.zeros(p)]), f)
    beta = centre + scale * best[f:]
    return best[:f], beta, _mode(data, best[:f], beta, last[0])


def criterion(data: Data, theta: Array, start: Mode | None = None) -> tuple[float, Array, Mode]:
    """Give minus the restricted log-likelihood for given standard deviations, its slope, and the mode there."""
    mode = _mode(data, theta, None, start)
    value = mode.height + mode.arrow.log_determinant() / 2 - _beyond(data, theta, mode)[0]
    return value, _gradient(data, theta, mode, fixed=True), mode


def _beyond(data: Data, theta: Array, mode: Mode) -> tuple[float, Array, Array, float]:
    """Give what quadrature over each level of the largest factor adds to the Laplace approximation.

    It matters where levels have few rows each: an approximation by a normal is poor there. Adaptive Gauss-Hermite
    nodes about each level's mode, all else at the joint mode (Pinheiro and Bates 1995). Also its slopes: by
    the linear predictors, by them without the level's own effect, and by the factor's standard deviation.
    """
    if not data.refined:
        return 0.0, np.zeros(len(data.y)), np.zeros(len(data.y)), 0.0
    code, size, t = data.codes[data.largest], data.sizes[data.largest], float(theta[data.largest])
    s2 = _sums(code, mode.weight, size)
    h2 = 1 + t**2 * s2
    nodes, weights = np.polynomial.hermite.hermgauss(NODES)
    eta = logit(mode.mu)
    residual = data.y - data.n * mode.mu
    logs, moves, pulls = np.empty((NODES, size)), np.empty((NODES, size)), []
    for k in range(NODES):
        step = np.sqrt(2 / h2) * nodes[k]
        there = eta + t * step[code]
        rise = data.y * (there - eta) - data.n * (np.logaddexp(0, there) - np.logaddexp(0, eta))
        moves[k] = mode.u + step
        logs[k] = _sums(code, rise, size) - (moves[k] ** 2 - mode.u**2) / 2
        logs[k] += nodes[k] ** 2 + np.log(weights[k] / np.sqrt(np.pi))
        pulls.append(data.y - data.n * expit(there))
    term = logsumexp(logs, axis=0)
    share = np.exp(logs - term)
    mean_pull = sum(share[k][code] * pulls[k] for k in range(NODES))
    moved = sum(
        float((share[k] * moves[k]) @ _sums(code, pulls[k], size)) for k in range(NODES)
    ) - float(mode.u @ _sums(code, residual, size))
    by_eta = (t**2 / 2 / h2)[code] * mode.weight * (1 - 2 * mode.mu)
    by_sd = moved + float((t * s2 / h2).sum())
    return float(term.sum()), by_eta, mean_pull - residual, by_sd


def _lowest(function: Callable[[Array], tuple[float, Array]], start: Array, bounded: int) -> Array:
    """Go down to the lowest point; the first `bounded` numbers are standard deviations."""
    bounds = [(0.0, SD)] * bounded + [(None, None)] * (len(start) - bounded)
    options = {"maxiter": 500, "ftol": 1e-13, "gtol": 1e-7}
    found = minimize(function, start, jac=True, method="L-BFGS-B", bounds=bounds, options=options)  # type: ignore[call-overload]  # its stubs know no mixed bounds
    return np.asarray(found.x, dtype=np.float64)


def _mode(data: Data, theta: Array, beta: Array | None, start: Mode | None) -> Mode:
    """Climb by Newton's steps; coefficients are among what moves unless they are given."""
    scales = np.repeat(theta[data.small], [data.sizes[f] for f in data.small])
    columns = csr_array(data.member.multiply(scales[None, :])) if len(scales) else data.member
    penalty = np.ones(len(scales))
    if beta is None:
        columns = csr_array(hstack([csr_array(data.x), columns]))
        penalty = np.concatenate([np.zeros(data.x.shape[1]), penalty])
    offset = 0.0 if beta is None else data.x @ beta
    code, size, scale = (
        data.codes[data.largest],
        data.sizes[data.largest],
        float(theta[data.largest]),
    )
    c, u = (start.c, start.u) if start else (np.zeros(len(penalty)), np.zeros(size))

    def look(c: Array, u: Array) -> tuple[Array, float]:
        eta = offset + columns @ c + scale * u[code]
        fall = data.n @ np.logaddexp(0, eta) - data.y @ eta
        return eta, float(fall + (penalty @ c**2 + u @ u) / 2)

    eta, height = look(c, u)
    for _ in range(STEPS):
        mu = expit(eta)
        weight = data.n * mu * (1 - mu)
        arrow = factor(weight, columns, penalty, code, size, scale)
        residual = data.y - data.n * mu
        slope_c = columns.T @ residual - penalty * c
        slope_u = scale * _sums(code, residual, size) - u
        step_c, step_u = arrow.solve(slope_c, slope_u)
        gain = float(slope_c @ step_c + slope_u @ step_u)
        if gain < 1e-18 * abs(height) + 1e-20:
            break
        length = 1.0
        while True:
            eta_new, height_new = look(c + length * step_c, u + length * step_u)
            if height_new <= height + 1e-13 * abs(height) or length < 1e-6:
                break
            length /= 2
        c, u = c + length * step_c, u + length * step_u
        settled = gain < 1e-9 and height - height_new <= 1e-13 * abs(height)
        eta, height = eta_new, height_new
        if settled:
            break
    mu = expit(eta)
    weight = data.n * mu * (1 - mu)
    arrow = factor(weight, columns, penalty, code, size, scale)
    return Mode(c, u, mu, weight, columns, arrow, height)


def _gradient(data: Data, theta: Array, mode: Mode, *, fixed: bool) -> Array:
    """Give the slope of (minus) the approximation by each standard deviation, then by each coefficient."""
    code, scale = data.codes[data.largest], float(theta[data.largest])
    size = data.sizes[data.largest]
    residual = data.y - data.n * mode.mu
    # half of how the log-determinant answers to a move of the linear predictor
    answer = (
        mode.weight * (1 - 2 * mode.mu) * mode.arrow.row_variances(mode.columns, code, scale) / 2
    )
    _, by_eta, by_offset, by_sd = _beyond(data, theta, mode)
    answer = answer - by_eta
    inverse_c, inverse_u = mode.arrow.inverse_diagonals()
    p = data.x.shape[1] if fixed else 0
    starts = dict(
        zip(data.small, p + np.cumsum([0, *(data.sizes[f] for f in data.small)])[:-1], strict=True)
    )

    def followed(moved: Array, pull_c: Array, pull_u: Array, own: bool = False) -> float:
        """Follow the mode as the linear predictor is moved, by the largest factor's own effect or another."""
        weighted = mode.weight * moved
        d_c, d_u = mode.arrow.solve(
            pull_c - mode.columns.T @ weighted, pull_u - scale * _sums(code, weighted, size)
        )
        offset = mode.columns @ d_c + (0 if own else moved)
        eta = mode.columns @ d_c + moved + scale * d_u[code]
        return float(answer @ eta - by_offset @ offset)

    slopes = []
    for f in range(len(theta)):
        pull_c, pull_u = np.zeros(len(mode.c)), np.zeros(size)
        pull = _sums(data.codes[f], residual, data.sizes[f])
        if f == data.largest:
            effect, inverse, pull_u = mode.u, inverse_u, pull
        else:
            part = slice(starts[f], starts[f] + data.sizes[f])
            effect, inverse = mode.c[part], inverse_c[part]
            pull_c[part] = pull
        moved = effect[data.codes[f]]
        trace = (data.sizes[f] - inverse.sum()) / theta[f] if theta[f] > 0 else 0.0
        slopes.append(trace - residual @ moved + followed(moved, pull_c, pull_u, f == data.largest))
    slopes[data.largest] -= by_sd
    if not fixed:
        none_c, none_u = np.zeros(len(mode.c)), np.zeros(size)
        slopes += [followed(column, none_c, none_u) - residual @ column for column in data.x.T]
    return np.array(slopes)


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
    height += _beyond(data, theta, mode)[0]
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
