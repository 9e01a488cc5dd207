"""Normalising by rank: percentile ranks, fractional ranks, normal scores, classes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np

from commonweal.errors import DataError
from commonweal.index.methods import AboveZero, Whole, strict
from commonweal.index.rank import TieRule, rank, rank_among

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from commonweal.index.tables import Floats


__all__ = [
    "borda",
    "exponential",
    "exponential_of_rank",
    "normal_score",
    "percentile_rank",
    "rank_score",
]


BY_RANK = frozenset({"rank", "percentile_rank", "borda", "normal_score", "exponential"})
"""Names of the normalisers that know nothing of a value but its rank."""

EXPONENTIAL_SCALE = 23.0
"""Sets where the tail begins: the worst 10% of units score above 50 (IoD 2019, Technical Report,
section 3.7 and appendix E; the CNI uses the same)."""


@strict
def rank_score(
    x: ArrayLike,
    ties: TieRule = "min",
    *,
    from_top: bool = False,
    reference: ArrayLike | None = None,
) -> Floats:
    """Rank upwards: the least value is 1, so that a higher score is still more.

    Examples
    --------
    >>> rank_score([10.0, 30.0, 10.0])
    array([1., 3., 1.])
    """
    if from_top:
        return _n_ranked(x, reference) + 1 - _rank(x, ties, reference)
    down = None if reference is None else -np.asarray(reference, dtype=np.float64)
    return _rank(-np.asarray(x, dtype=np.float64), ties, down)


@strict
def borda(
    x: ArrayLike,
    ties: TieRule = "min",
    *,
    from_top: bool = False,
    reference: ArrayLike | None = None,
) -> Floats:
    """Count the units that are below: the rank upwards, less one.

    Examples
    --------
    >>> borda([10.0, 30.0, 20.0])
    array([0., 2., 1.])
    """
    return rank_score(x, ties, from_top=from_top, reference=reference) - 1


@strict
def percentile_rank(
    x: ArrayLike,
    ties: TieRule = "average",
    scale: AboveZero = 100.0,
    *,
    from_top: bool = False,
    reference: ArrayLike | None = None,
) -> Floats:
    """Rank upwards as a share: the least is 0, the greatest `scale`. A single value is missing.

    Examples
    --------
    >>> percentile_rank([10.0, 30.0, 20.0])
    array([  0., 100.,  50.])
    """
    n = _n_ranked(x, reference)
    below = borda(x, ties, from_top=from_top, reference=reference)
    return scale * below / (n - 1 if n > 1 else np.nan)


@strict
def normal_score(
    x: ArrayLike,
    ties: TieRule = "average",
    formula: Literal["hazen", "blom"] = "hazen",
    *,
    from_top: bool = False,
    reference: ArrayLike | None = None,
) -> Floats:
    """Rank, then take the standard normal quantile.

    Parameters
    ----------
    x
        (n_units,) values, NaN = missing.
    ties
        Rank that equal values share.
    from_top
        Whether that rank is counted from the greatest.
    reference
        Values to be ranked among, in place of those of `x`.
    formula
        ``hazen``: ``(r - 1/2) / n``, as in the Indices of Deprivation; ``blom``:
        ``(r - 3/8) / (n + 1/4)`` (Blom, 1958), nearer to the expected normal order statistics.

    Examples
    --------
    >>> normal_score([1.0, 2.0, 3.0]).round(3)
    array([-0.967,  0.   ,  0.967])
    """
    upwards = rank_score(x, ties, from_top=from_top, reference=reference)
    return normal_quantile(upwards, _n_ranked(x, reference), formula)


def normal_quantile(
    upwards: Floats,
    n: int | NDArray[np.int64],
    formula: Literal["hazen", "blom"] = "hazen",
) -> Floats:
    """Turn ranks among n, 1 = least, into standard normal quantiles; see `normal_score`."""
    from scipy.special import ndtri

    shift, more = {"hazen": (0.5, 0.0), "blom": (0.375, 0.25)}[formula]
    z: Floats = ndtri((upwards - shift) / (n + more))
    return z


@strict
def exponential_of_rank(ranks: ArrayLike, n: Whole, scale: AboveZero = EXPONENTIAL_SCALE) -> Floats:
    """Transform ranks to the exponential scale of the English Indices of Deprivation.

    ``R = (n + 1 - rank) / n`` and ``X = -23 ln(1 - R (1 - exp(-100/23)))``, so the last of n areas
    scores just above 0, the first exactly 100, and the worst tenth above 50. High need in one
    domain is then not cancelled by low need in another.

    Parameters
    ----------
    ranks
        (n_areas,) ranks, 1 = most need; halves are fine (tied areas), NaN = missing.
    n
        Number of areas that were ranked.
    scale
        What 23 is in the formula, above 0: the lower, the more does the tail stand out; without
        bound the scores become the ranks' own straight line.

    Returns
    -------
    ndarray
        (n_areas,) float64 in (0, 100].

    Raises
    ------
    DataError
        If a rank lies outside 1..n, or the scale is not above 0.

    Notes
    -----
    Source: McLennan et al. (2019), The English Indices of Deprivation 2019: Technical Report, MHCLG.

    Examples
    --------
    Lincoln 007C in the CNI 2023 ranks 710, 298 and 407 of 33,755:

    >>> round(float(exponential_of_rank([710, 298, 407], 33_755).sum()), 2)
    251.21
    """
    r = np.asarray(ranks, dtype=np.float64)
    outside = (r < 1) | (r > n)
    if outside.any():
        raise DataError(f"rank {r[outside].flat[0]:g} found; expected ranks between 1 and {n:,}")
    share = (n + 1 - r) / n
    y: Floats = -scale * np.log1p(share * np.expm1(-100 / scale))
    return y


@strict
def exponential(
    x: ArrayLike,
    ties: TieRule = "average",
    scale: AboveZero = EXPONENTIAL_SCALE,
    *,
    reference: ArrayLike | None = None,
) -> Floats:
    """Rank, 1 = the greatest, then transform as the Indices of Deprivation do.

    The worst tenth scores 50 to 100. Tied areas share the middle of their ranks by default: with
    it the published IoD scores are rebuilt to their last printed digit, with the lowest rank they
    are not (docs/methods/indices.md). Source: as in `exponential_of_rank`.

    Examples
    --------
    >>> exponential([1.0, 2.0, 3.0]).round(3)
    array([  9.177,  24.681, 100.   ])
    """
    return exponential_of_rank(_rank(x, ties, reference), _n_ranked(x, reference), scale)


def _rank(x: ArrayLike, ties: TieRule, reference: ArrayLike | None) -> Floats:
    return rank(x, ties) if reference is None else rank_among(x, reference, ties)


def _n_ranked(x: ArrayLike, reference: ArrayLike | None) -> int:
    ranked = np.asarray(x if reference is None else reference, dtype=np.float64)
    return int(np.count_nonzero(~np.isnan(ranked)))
