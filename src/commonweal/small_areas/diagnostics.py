"""Whether to believe estimates of small areas: against the direct ones, by their residuals, by their precision."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.stats import binom, chi2, norm, normaltest
from scipy.stats import f as f_distribution

from commonweal.errors import DataError
from commonweal.small_areas.checks import Array, numbers, positive, probability
from commonweal.small_areas.fay_herriot import FayHerriot, fay_herriot

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

CV_LIMIT = (
    0.20  # publish below it, suppress from it on: a convention among statistical offices, no more
)
NORMALITY = 20  # areas: fewer say nothing of normality


@dataclass(frozen=True, slots=True, eq=False)
class ModelChecks:
    """What the residuals of a Fay-Herriot model say; vectors are one number an area.

    Attributes
    ----------
    residual
        (y - x'b) / sqrt(s2 + D): about standard normal if the model holds.
    leverage
        How far each area's direct estimate sets its own x'b, 0 to 1; they add up to the coefficients.
    left_out
        y less x'b of the model without that area, over its standard error (s2 as fitted).
    influence
        Cook's distance: how far the coefficients move when the area is left out.
    normality
        p-value of D'Agostino and Pearson's test of ``residual``; None below 20 areas.
    explained
        Share of the variance between areas that the covariates account for: 1 less s2 over that of the
        model without them. Sampling error is in neither. None where areas do not differ.
    """

    residual: Array
    leverage: Array
    left_out: Array
    influence: Array
    normality: float | None
    explained: float | None


@dataclass(frozen=True, slots=True, eq=False)
class AgainstDirect:
    """Model estimates against the direct ones (Brown et al. 2001).

    Attributes
    ----------
    intercept, slope, intercept_se, slope_se
        Of the regression of the direct on the model estimates: 0 and 1 if the model is unbiased.
    bias_p
        p-value of intercept 0 and slope 1 together.
    wald, wald_df, wald_p
        Goodness of fit: sum of (direct - model)^2 / (variance + mse), its degrees of freedom, and the
        p-value of the chi-squared distribution. Small is bad; close to 1 is usual, since the two are not
        independent.
    overlap, overlap_expected, overlap_p
        Share of areas where the two intervals, narrowed so that `overlap_expected` would, overlap; p-value
        of so few or fewer.
    """

    intercept: float
    slope: float
    intercept_se: float
    slope_se: float
    bias_p: float
    wald: float
    wald_df: int
    wald_p: float
    overlap: float
    overlap_expected: float
    overlap_p: float


@dataclass(frozen=True, slots=True, eq=False)
class Precision:
    """Which estimates are precise enough to publish.

    Attributes
    ----------
    cv
        Root of the mean squared error over the absolute estimate, an area each; infinite at an estimate of 0.
    publish
        Where it is below `limit`.
    limit
        Of the coefficient of variation.
    bands, counts
        Upper ends of bands of it, the last infinite, and areas in each.
    """

    cv: Array
    publish: np.ndarray[tuple[int], np.dtype[np.bool_]]
    limit: float
    bands: tuple[float, ...]
    counts: tuple[int, ...]


def check_model(fit: FayHerriot) -> ModelChecks:
    """Look at the residuals of a Fay-Herriot model.

    Examples
    --------
    >>> fit = fay_herriot([1.0, 2.1, 2.9, 9.0, 5.2], [0.1] * 5, [1, 2, 3, 4, 5])
    >>> int(check_model(fit).residual.argmax())
    3
    """
    v = fit.model_variance + fit.variance
    p = len(fit.names)
    x = fit.design
    spread = ((x @ fit.covariance) * x).sum(axis=1)
    leverage = spread / v
    raw = fit.direct - fit.synthetic
    kept = np.maximum(1 - leverage, 1e-12)
    mean = fay_herriot(fit.direct, fit.variance, method=fit.method).model_variance
    return ModelChecks(
        residual=raw / np.sqrt(v),
        leverage=leverage,
        left_out=raw / np.sqrt(v * kept),
        influence=raw**2 / v * leverage / (p * kept**2),
        normality=float(normaltest(raw / np.sqrt(v)).pvalue) if len(raw) >= NORMALITY else None,
        explained=1 - fit.model_variance / mean if mean > 0 else None,
    )


def against_direct(
    direct: ArrayLike,
    variance: ArrayLike,
    estimate: ArrayLike,
    mse: ArrayLike,
    *,
    level: float = 0.95,
) -> AgainstDirect:
    """Hold model estimates against the direct ones of the same areas, three or more.

    A best linear unbiased predictor has the direct estimate in it, which pulls the slope above 1. For a
    sharp test of bias give what covariates alone say (``synthetic`` of a fit).

    Examples
    --------
    >>> same = against_direct([0.2, 0.4, 0.7], [0.01, 0.01, 0.01], [0.25, 0.4, 0.65], [0.004, 0.004, 0.004])
    >>> round(same.slope, 2), same.overlap
    (1.24, 1.0)
    """
    y, m = numbers("direct", direct), numbers("estimate", estimate)
    d = positive("variance", variance, len(y))
    e = positive("mse", mse, len(y))
    if len(m) != len(y) or len(y) < 3:
        raise DataError(
            f"{len(y):,} direct and {len(m):,} model estimates; expected as many of both, 3 or more"
        )
    if np.ptp(m) <= 1e-12 * np.abs(m).max():
        raise DataError(
            "model estimates are all alike; expected ones that differ, to regress on them"
        )
    x = np.column_stack([np.ones(len(m)), m])
    inverse = np.linalg.inv(x.T @ x)
    b = inverse @ (x.T @ y)
    free = len(y) - 2
    s2 = float(((y - x @ b) ** 2).sum()) / free
    away = b - [0.0, 1.0]
    se = np.sqrt(s2 * np.diag(inverse))
    pull = away @ (x.T @ x) @ away / 2
    wald = float(((y - m) ** 2 / (d + e)).sum())
    a, c = np.sqrt(d), np.sqrt(e)
    z = norm.ppf(0.5 + probability("level", level) / 2) * np.sqrt(d + e) / (a + c)
    meet = np.abs(y - m) <= z * (a + c)
    return AgainstDirect(
        float(b[0]), float(b[1]), float(se[0]), float(se[1]),
        float(f_distribution.sf(pull / s2, 2, free)) if s2 > 0 else float(pull == 0),
        wald, len(y), float(chi2.sf(wald, len(y))),
        float(meet.mean()), level, float(binom.cdf(meet.sum(), len(y), level)),
    )  # fmt: skip


def precision(estimate: ArrayLike, mse: ArrayLike, *, limit: float = CV_LIMIT) -> Precision:
    """Say which estimates have a coefficient of variation below a limit.

    The limit of 20 % is a convention. For a share near 0 the coefficient of variation is large however
    narrow the interval: look at both.

    Examples
    --------
    >>> precision([0.5, 0.5, 0.02], [0.0025, 0.04, 0.0001]).publish.tolist()
    [True, False, False]
    """
    m = numbers("estimate", estimate)
    e = numbers("mse", mse, len(m))
    if len(wrong := np.flatnonzero(e < 0)):
        raise DataError(f"mse is {e[wrong[0]]:g} in row {wrong[0]}; expected 0 or more")
    root = np.sqrt(e)
    with np.errstate(divide="ignore", invalid="ignore"):
        cv = np.where(root == 0, 0.0, root / np.abs(m))
    bands = tuple(sorted({0.05, 0.10, limit, 0.33, np.inf}))
    counts = np.bincount(np.searchsorted(bands, cv, side="right"), minlength=len(bands) + 1)
    counts[-2] += counts[-1]  # an infinite one is in the last band
    return Precision(cv, cv < limit, limit, bands, tuple(int(n) for n in counts[:-1]))
