"""After a small-area model: estimates that add up to those of larger areas, and whether to believe them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from scipy.optimize import brentq
from scipy.special import expit, logit
from scipy.stats import binom, chi2, norm, normaltest
from scipy.stats import f as f_distribution

from commonweal.errors import DataError, UnknownNameError
from commonweal.small_areas.checks import Array, numbers, positive, probability, quantile
from commonweal.small_areas.fay_herriot import FayHerriot, fay_herriot

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import ArrayLike


BenchmarkMethod = Literal["difference", "ratio", "optimal", "logit"]
METHODS = ("difference", "ratio", "optimal", "logit")
LOGIT = 50.0  # log-odds: the largest shift


@dataclass(frozen=True, slots=True, eq=False)
class Benchmarked:
    """Estimates that agree with the larger areas: one number an area.

    Attributes
    ----------
    estimate
        After benchmarking.
    adjustment
        What was added to each.
    mse, lower, upper
        ``mse`` before, plus the square of the adjustment; the interval from it. See `benchmark`.
    groups, totals, before
        Of the larger areas: their labels, the totals met, and what the estimates gave before.
    how
        Method.
    """

    estimate: Array
    adjustment: Array
    mse: Array
    lower: Array
    upper: Array
    groups: tuple[Any, ...]
    totals: Array
    before: Array
    how: BenchmarkMethod


def benchmark(
    estimate: ArrayLike,
    mse: ArrayLike,
    weight: ArrayLike,
    group: ArrayLike,
    totals: Mapping[Any, float],
    *,
    how: BenchmarkMethod = "difference",
    level: float = 0.95,
) -> Benchmarked:
    """Move estimates so that their weighted mean in each larger area is the total given for it.

    Parameters
    ----------
    estimate, mse
        Of each small area.
    weight
        Its share in the larger area, such as its population; above 0, any scale.
    group
        Label of the larger area that each is in.
    totals
        Larger area to its mean (or share), in the unit of `estimate`; one for each label in `group`.
    how
        ``difference`` adds the same to all; ``ratio`` multiplies all by the same; ``optimal`` adds most
        where ``weight x mse`` is large, which moves estimates least in units of their mean squared error
        (Wang, Fuller and Qu 2008; Datta et al. 2011); ``logit`` adds the same to all log-odds, so that
        shares stay within 0 and 1.
    level
        Share of the intervals that should cover.

    Returns
    -------
    Benchmarked
        Estimates that agree; their weighted means equal `totals` to rounding.

    Raises
    ------
    DataError
        For values that are missing or infinite, a group without a total, a ratio over a mean of 0,
        shares or totals that are not between 0 and 1 with ``logit``.

    Notes
    -----
    The error of a best linear unbiased predictor is uncorrelated with whatever contrasts of the data an
    adjustment is made of. So the mean squared error grows by the expected square of the adjustment, and the
    square of the one made stands for it: exact in expectation for ``difference`` and ``optimal`` with known
    variances and totals made of the same data, an approximation otherwise. An error of the totals
    themselves is not added.

    Examples
    --------
    >>> made = benchmark([0.4, 0.6], [0.01, 0.03], [100, 100], ["a", "a"], {"a": 0.52}, how="optimal")
    >>> made.estimate.round(3)
    array([0.41, 0.63])
    """
    before = numbers("estimate", estimate)
    error = positive("mse", mse, len(before))
    share = positive("weight", weight, len(before))
    labels = np.asarray(group)
    if labels.shape != before.shape:
        raise DataError(
            f"group has shape {labels.shape}; expected {len(before):,} labels, one for each area"
        )
    if how not in METHODS:
        raise UnknownNameError("benchmarking", how, METHODS)
    groups, place = np.unique(labels, return_inverse=True)
    named = groups.tolist()
    if lacking := [g for g in named if g not in totals]:
        raise DataError(
            f"no total for '{lacking[0]}' ({len(lacking):,} such); expected one for each group"
        )
    wanted = numbers("totals", [totals[g] for g in named])
    z = quantile(level)
    w = share / _sums(place, share)[place]
    found = _sums(place, w * before)
    gap = (wanted - found)[place]
    if how == "difference":
        moved = gap
    elif how == "optimal":
        moved = gap * w * error / _sums(place, w**2 * error)[place]
    elif how == "ratio":
        if len(wrong := np.flatnonzero(found == 0)):
            raise DataError(
                f"estimates of '{named[wrong[0]]}' have mean 0; expected a mean that can be scaled"
            )
        moved = before * (wanted / found)[place] - before
    else:
        moved = _logit_shift(before, w, place, wanted, named) - before
    after = before + moved
    mse_after = error + moved**2
    half = z * np.sqrt(mse_after)
    return Benchmarked(
        after, moved, mse_after, after - half, after + half, tuple(named), wanted, found, how
    )


def _sums(place: np.ndarray[Any, Any], values: Array) -> Array:
    """Add values up by group."""
    return np.bincount(place, values).astype(np.float64, copy=False)


def _logit_shift(
    before: Array, w: Array, place: np.ndarray[Any, Any], wanted: Array, named: list[Any]
) -> Array:
    """Add to all log-odds of a group what makes its mean right."""
    if len(wrong := np.flatnonzero((before <= 0) | (before >= 1))):
        raise DataError(
            f"estimate is {before[wrong[0]]:g} in row {wrong[0]}; 'logit' expects shares between 0 and 1"
        )
    after = np.empty_like(before)
    order = np.argsort(place, kind="stable")
    ends = np.searchsorted(place[order], np.arange(len(wanted) + 1))
    for g, total in enumerate(wanted):
        if not 0 < total < 1:
            raise DataError(
                f"the total of '{named[g]}' is {total:g}; 'logit' expects shares between 0 and 1"
            )
        rows = order[ends[g] : ends[g + 1]]
        odds, part = logit(before[rows]), w[rows]
        shift = brentq(_excess, -LOGIT, LOGIT, (odds, part, total), xtol=1e-14)
        after[rows] = expit(odds + shift)
    return after


def _excess(shift: float, odds: Array, part: Array, total: float) -> float:
    """Give by how much the mean is too large after a shift of the log-odds."""
    return float(part @ expit(odds + shift) - total)


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

    The limit of 20% is a convention. For a share near 0 the coefficient of variation is large however
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
