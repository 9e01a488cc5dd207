"""The nested-error model of Battese, Harter and Fuller: respondents with covariates, in areas with known means.

``y_ij = x_ij'b + v_i + e_ij``, with ``v_i ~ N(0, sv2)`` and ``e_ij ~ N(0, se2)``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from commonweal.errors import DataError
from commonweal.small_areas.checks import (
    Array,
    column_names,
    covariates,
    distinct,
    independent,
    numbers,
    positive,
    quantile,
)
from commonweal.small_areas.fay_herriot import maximise

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike

Method = Literal["reml", "ml"]


@dataclass(frozen=True, slots=True, eq=False)
class UnitLevel:
    """A fitted nested-error model; vectors are one number an area, in the order of `areas`.

    Attributes
    ----------
    areas, sample
        Their codes, and respondents in each (0 for one that is estimated from its covariates alone).
    estimate, mse, lower, upper
        Empirical best linear unbiased predictor of the mean, its mean squared error, the interval.
    g1, g2, g3
        Parts of ``mse``: of the area's effect, of the coefficients, of the variances.
    shrinkage
        Weight of the area's own respondents, sv2 / (sv2 + se2 / n); 0 without any.
    effect
        Predicted area effect v.
    names, coefficients, covariance
        Of the regression.
    area_variance, unit_variance
        sv2 and se2.
    at_zero
        sv2 was estimated as 0.
    log_likelihood
        The restricted one under ``reml``.
    method, level
        As asked.
    """

    areas: tuple[Any, ...]
    sample: Array
    estimate: Array
    mse: Array
    lower: Array
    upper: Array
    g1: Array
    g2: Array
    g3: Array
    shrinkage: Array
    effect: Array
    names: tuple[str, ...]
    coefficients: Array
    covariance: Array
    area_variance: float
    unit_variance: float
    at_zero: bool
    log_likelihood: float
    method: Method
    level: float


@dataclass(frozen=True, slots=True, eq=False)
class _Sums:
    """What the likelihood needs: within-area moments, and the means of each sampled area."""

    n: Array
    y: Array  # area means
    x: Array
    xx: Array  # within areas
    xy: Array
    yy: float
    total: int


# Wide and long: a model's arguments, named as statistical libraries have them, and one computation.
def unit_level(
    y: ArrayLike,
    x: ArrayLike | None,
    area: ArrayLike,
    means: ArrayLike,
    *,
    areas: Sequence[Any],
    population: ArrayLike | None = None,
    names: Sequence[str] | None = None,
    intercept: bool = True,
    method: Method = "reml",
    level: float = 0.95,
) -> UnitLevel:
    """Estimate area means from respondents and the areas' mean covariates (Battese, Harter and Fuller 1988).

    Parameters
    ----------
    y
        Outcome of each respondent.
    x
        Covariates of each respondent, respondents x covariates.
    area
        Code of the area that each is in.
    means
        Population means of the covariates, areas x covariates, for the areas to estimate.
    areas
        Codes of those; ones without respondents are estimated from covariates alone.
    population
        Units in each area, above its sample, for the mean of a finite population; if not given, samples
        are taken as a negligible part of their areas.
    names, intercept, method, level
        As in `fay_herriot`.

    Returns
    -------
    UnitLevel
        Estimates, mean squared errors, intervals, coefficients.

    Raises
    ------
    DataError
        For missing or infinite values, collinear covariates, lengths that differ, an area twice in `areas`,
        a respondent in an area that is not there, no area with two respondents.

    Notes
    -----
    Mean squared error g1 + g2 + 2 g3 of Prasad and Rao (1990), with the asymptotic covariance of the
    variances under REML or ML (Datta and Lahiri 2000); under ML the bias of g1 is taken out as well.

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> area = np.repeat(np.arange(20), 10)
    >>> x = rng.normal(size=200)
    >>> y = 1 + 2 * x + rng.normal(0, 1, 20)[area] + rng.normal(0, 0.5, 200)
    >>> fit = unit_level(y, x, area, np.zeros(20), areas=range(20))
    >>> fit.coefficients.round(1)
    array([0.9, 2. ])
    """
    outcome = numbers("y", y)
    design = covariates(x, len(outcome), intercept)
    named = column_names(names, design.shape[1], intercept)
    independent(design, named)
    wanted = distinct(areas, len(areas))
    target = covariates(means, len(wanted), intercept)
    if target.shape[1] != design.shape[1]:
        raise DataError(
            f"means has {target.shape[1] - intercept} columns; expected {design.shape[1] - intercept}, as in x"
        )
    place = _places(area, wanted, len(outcome))
    if method not in ("reml", "ml"):
        raise DataError(f"method is '{method}'; expected 'reml' or 'ml'")
    z = quantile(level)
    n = np.bincount(place, minlength=len(wanted)).astype(np.float64)
    if n.max() < 2:
        raise DataError("no area has two respondents; expected some, to tell people from areas")
    if population is not None:
        size = positive("population", population, len(wanted))
        if len(wrong := np.flatnonzero(size < n)):
            raise DataError(
                f"population of area '{wanted[wrong[0]]}' is {size[wrong[0]]:g}, below its sample of {n[wrong[0]]:g}"
            )

    sums = _sums(outcome, design, place, n)
    ratio, se2, b, unscaled, log_likelihood = _fit(sums, method)
    sv2, covariance = ratio * se2, unscaled * se2
    x_bar, y_bar = np.zeros_like(target), np.zeros(len(wanted))
    x_bar[n > 0], y_bar[n > 0] = sums.x, sums.y
    total = se2 + n * sv2
    shrinkage = n * sv2 / total
    effect = shrinkage * (y_bar - x_bar @ b)
    fraction = np.zeros(len(wanted)) if population is None else n / size
    rest = np.where(
        (fraction < 1)[:, None],
        (target - fraction[:, None] * x_bar) / np.maximum(1 - fraction, 1e-300)[:, None],
        0,
    )
    estimate = fraction * y_bar + (1 - fraction) * (rest @ b + effect)
    g1 = sv2 * se2 / total
    away = rest - shrinkage[:, None] * x_bar
    g2 = ((away @ covariance) * away).sum(axis=1)
    v_vv, v_ee, v_ve = _asymptotic(sums.n, sv2, se2)
    g3 = n / total**3 * (se2**2 * v_vv + sv2**2 * v_ee - 2 * se2 * sv2 * v_ve)
    inner = g1 + g2 + 2 * g3
    if method == "ml":
        inner = inner - _bias(sums, n, sv2, se2, covariance)
    mse = (1 - fraction) ** 2 * inner
    if population is not None:
        mse = mse + (1 - fraction) * se2 / size
    half = z * np.sqrt(mse)
    return UnitLevel(
        wanted, n, estimate, mse, estimate - half, estimate + half, g1, g2, g3, shrinkage, effect, named, b,
        covariance, sv2, se2, ratio == 0, log_likelihood, method, level,
    )  # fmt: skip


def _places(area: ArrayLike, wanted: tuple[Any, ...], length: int) -> np.ndarray[Any, Any]:
    """Give the place of each respondent's area among those wanted."""
    labels = np.asarray(area)
    if labels.shape != (length,):
        raise DataError(
            f"area has shape {labels.shape}; expected {length:,} labels, one for each respondent"
        )
    known = {label: i for i, label in enumerate(wanted)}
    places = np.array([known.get(label, -1) for label in labels.tolist()], dtype=np.int64)
    if len(wrong := np.flatnonzero(places < 0)):
        raise DataError(
            f"respondent {wrong[0]} is in area '{labels[wrong[0]]}', which is not among the {len(wanted):,} areas"
        )
    return places


def _sums(y: Array, x: Array, place: np.ndarray[Any, Any], n: Array) -> _Sums:
    """Add respondents up by area."""
    met = n > 0
    y_bar = np.bincount(place, y, len(n))[met] / n[met]
    x_bar = np.column_stack([np.bincount(place, column, len(n))[met] / n[met] for column in x.T])
    at = np.cumsum(met) - 1
    dx, dy = x - x_bar[at[place]], y - y_bar[at[place]]
    return _Sums(n[met], y_bar, x_bar, dx.T @ dx, dx.T @ dy, float(dy @ dy), len(y))


def _solve(sums: _Sums, ratio: float) -> tuple[Array, Array, float, Array]:
    """Give (X'H^-1 X)^-1, b, r'H^-1 r and the weight of each area's mean, for H = V / se2."""
    w = sums.n / (1 + ratio * sums.n)
    inverse = np.asarray(np.linalg.inv(sums.xx + sums.x.T @ (sums.x * w[:, None])), np.float64)
    b = inverse @ (sums.xy + sums.x.T @ (w * sums.y))
    within = sums.yy - 2 * b @ sums.xy + b @ sums.xx @ b
    return inverse, b, float(within + w @ (sums.y - sums.x @ b) ** 2), w


def _fit(sums: _Sums, method: Method) -> tuple[float, float, Array, Array, float]:
    """Maximise the profile likelihood over sv2 / se2."""
    p = sums.x.shape[1]
    free = sums.total - (p if method == "reml" else 0)

    def height(ratio: float) -> float:
        inverse, _, rss, _ = _solve(sums, ratio)
        value = free * np.log(rss / free) + np.log1p(ratio * sums.n).sum()
        if method == "reml":
            value -= np.linalg.slogdet(inverse)[1]
        return float(-value / 2)

    def slope(ratio: float) -> float:
        inverse, b, rss, w = _solve(sums, ratio)
        trace = w.sum()
        if method == "reml":
            trace -= np.trace(inverse @ (sums.x.T @ (sums.x * (w**2)[:, None])))
        return float(free * (w**2 @ (sums.y - sums.x @ b) ** 2) / rss - trace) / 2

    ratio = maximise(height, slope, 1e-8, 1e6)
    inverse, b, rss, _ = _solve(sums, ratio)
    constant = free / 2 * (1 + np.log(2 * np.pi))
    return ratio, rss / free, b, inverse, height(ratio) - float(constant)


def _asymptotic(n: Array, sv2: float, se2: float) -> tuple[float, float, float]:
    """Give the asymptotic variances of sv2 and se2, and their covariance."""
    a = se2 + n * sv2
    vv = (n**2 / a**2).sum() / 2
    ee = ((n - 1) / se2**2 + 1 / a**2).sum() / 2
    ve = (n / a**2).sum() / 2
    determinant = vv * ee - ve**2
    return float(ee / determinant), float(vv / determinant), float(-ve / determinant)


def _bias(sums: _Sums, n: Array, sv2: float, se2: float, covariance: Array) -> Array:
    """Give the bias of g1 under ML: the gradient of g1 times the bias of the two variances."""
    w = sums.n / (se2 + sums.n * sv2)
    by_area = sums.x.T @ (sums.x * (w**2)[:, None])
    by_unit = sums.xx / se2**2 + sums.x.T @ (sums.x * (w**2 / sums.n)[:, None])
    pull = -np.array([np.trace(covariance @ by_area), np.trace(covariance @ by_unit)]) / 2
    v_vv, v_ee, v_ve = _asymptotic(sums.n, sv2, se2)
    bias = np.array([[v_vv, v_ve], [v_ve, v_ee]]) @ pull
    total = se2 + n * sv2
    return (se2 / total) ** 2 * bias[0] + n * (sv2 / total) ** 2 * bias[1]
