"""Fay-Herriot with the model variance integrated out, for intervals that cover where areas are few."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from commonweal.small_areas.checks import (
    Array,
    Codes,
    column_names,
    covariates,
    independent,
    numbers,
    positive,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike


POINTS = 80
"""Values of s at which the posterior is worked out; results move by less than 0.1% of a standard error."""
REACH = 2.5
"""Up to how many times the spread of the residuals s is looked for."""


@dataclass(frozen=True, slots=True, eq=False)
class Posterior:
    """A Fay-Herriot model averaged over its variance.

    Attributes
    ----------
    estimate, variance
        (n_areas,) posterior mean and variance of each area.
    synthetic
        (n_areas,) what the covariates alone say.
    shrinkage
        (n_areas,) mean weight of the direct estimate, 0 to 1; 0 for areas without one.
    names, coefficients, standard_errors
        Of the regression.
    model_variance
        Posterior mean of s2.
    grid, weight
        Values of s and their posterior weights, which add up to 1.
    """

    estimate: Array
    variance: Array
    synthetic: Array
    shrinkage: Array
    names: tuple[str, ...]
    coefficients: Array
    standard_errors: Array
    model_variance: float
    grid: Array
    weight: Array


# Long: one computation, a point of the grid at a time.
def fay_herriot_posterior(
    direct: ArrayLike,
    variance: ArrayLike,
    x: ArrayLike,
    rows: Codes,
    *,
    names: Sequence[str] | None = None,
) -> Posterior:
    """Estimate all areas from those with a direct estimate, averaging over what s2 may be.

    Parameters
    ----------
    direct, variance
        Of the areas with a sample, as in `fay_herriot`.
    x
        Covariates of all areas, areas x covariates, without the column of ones.
    rows
        Rows of `x` that `direct` is of, each once.
    names
        Of the covariates.

    Returns
    -------
    Posterior

    Raises
    ------
    DataError
        As `fay_herriot`.

    Notes
    -----
    Hierarchical Bayes with flat priors on the coefficients and on s2 (Morris 1983; Rao and Molina 2015, section
    10.3): the posterior of s2 is its restricted likelihood, here on a grid. Given s2, an area has mean
    ``g y + (1 - g) x'b`` and variance g1 + g2; the whole variance is the mean of these variances and the
    variance of these means.

    Examples
    --------
    >>> x = np.array([[0.1], [0.5], [0.2], [0.3], [0.8], [0.6]])
    >>> found = fay_herriot_posterior([0.62, 0.41, 0.70, 0.55, 0.30], [0.004, 0.002, 0.02, 0.003, 0.001], x,
    ...                               np.arange(5))
    >>> found.estimate.round(2)
    array([0.63, 0.42, 0.62, 0.55, 0.3 , 0.39])
    >>> found.shrinkage[5]
    np.float64(0.0)
    """
    y = numbers("direct", direct)
    d = positive("variance", variance, len(y))
    everywhere = covariates(x, len(np.asarray(x)))
    here = everywhere[rows]
    named = column_names(names, here.shape[1], intercept=True)
    independent(here, named)
    q, _ = np.linalg.qr(here)
    residual = y - q @ (q.T @ y)
    top = float(np.sqrt(residual @ residual / (len(y) - here.shape[1])))
    grid = (np.arange(POINTS) + 0.5) / POINTS * REACH * max(top, float(np.sqrt(d.min())) / 100)

    height = np.empty(POINTS)
    n, p = everywhere.shape
    means, spreads, shrinkage = (
        np.empty((POINTS, n)),
        np.empty((POINTS, n)),
        np.empty((POINTS, len(y))),
    )
    coefficients, errors = np.empty((POINTS, p)), np.empty((POINTS, p))
    for k, s in enumerate(grid):
        v = s**2 + d
        scaled, r = np.linalg.qr(here / np.sqrt(v)[:, None])
        inverse = np.linalg.inv(r)
        b = inverse @ (scaled.T @ (y / np.sqrt(v)))
        coefficients[k], errors[k] = b, (inverse**2).sum(axis=1)
        height[k] = (
            -(np.log(v).sum() + ((y - here @ b) ** 2 / v).sum()) / 2
            - np.log(np.abs(np.diag(r))).sum()
            + np.log(s)  # flat on s2, not on s
        )
        g = shrinkage[k] = s**2 / v
        of_line = ((everywhere @ inverse) ** 2).sum(axis=1)
        means[k], spreads[k] = everywhere @ b, s**2 + of_line
        means[k, rows] = g * y + (1 - g) * means[k, rows]
        spreads[k, rows] = g * d + (1 - g) ** 2 * of_line[rows]
    weight = np.exp(height - height.max())
    weight /= weight.sum()
    estimate, b = weight @ means, weight @ coefficients
    between = weight @ (means - estimate) ** 2
    share = np.zeros(n)
    share[rows] = weight @ shrinkage
    return Posterior(
        estimate,
        weight @ spreads + between,
        everywhere @ b,
        share,
        named,
        b,
        np.sqrt(weight @ errors + weight @ (coefficients - b) ** 2),
        float(weight @ grid**2),
        grid,
        weight,
    )
