"""Normalising by order alone: ranks upwards, and what is made of them.

Each function takes (n_units,) values, higher = more, NaN = missing, and gives an array of the same
shape and direction. How far values lie apart does not matter, so no outlier does either.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np

from commonweal.index.rank import Floats, TieRule, rank

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

__all__ = ["borda", "exponential", "normal_score", "percentile_rank", "rank_score"]

EXPONENTIAL_SCALE = 23.0
"""Sets where the tail begins: the worst 10 % of units score above 50 (IoD 2019, Technical Report,
section 3.7 and appendix E; the CNI uses the same)."""


def rank_score(x: ArrayLike, ties: TieRule = "min") -> Floats:
    """Rank upwards: the least value is 1, so that a higher score is still more.

    Examples
    --------
    >>> rank_score([10.0, 30.0, 10.0])
    array([1., 3., 1.])
    """
    return rank(-np.asarray(x, dtype=np.float64), ties)


def borda(x: ArrayLike, ties: TieRule = "min") -> Floats:
    """Count the units that are below: the rank upwards, less one.

    Examples
    --------
    >>> borda([10.0, 30.0, 20.0])
    array([0., 2., 1.])
    """
    return rank_score(x, ties) - 1


def percentile_rank(x: ArrayLike, ties: TieRule = "average", scale: float = 100.0) -> Floats:
    """Rank upwards as a share: the least is 0, the greatest `scale`. A single value is missing.

    Examples
    --------
    >>> percentile_rank([10.0, 30.0, 20.0])
    array([  0., 100.,  50.])
    """
    n = _n_present(x)
    return borda(x, ties) * (scale / (n - 1) if n > 1 else np.nan)


def normal_score(
    x: ArrayLike, ties: TieRule = "average", formula: Literal["hazen", "blom"] = "hazen"
) -> Floats:
    """Rank, then take the standard normal quantile.

    Parameters
    ----------
    x
        (n_units,) values, NaN = missing.
    ties
        Rank that equal values share.
    formula
        ``hazen``: ``(r - 1/2) / n``, as in the Indices of Deprivation; ``blom``:
        ``(r - 3/8) / (n + 1/4)`` (Blom, 1958), nearer to the expected normal order statistics.

    Examples
    --------
    >>> normal_score([1.0, 2.0, 3.0]).round(3)
    array([-0.967,  0.   ,  0.967])
    """
    from scipy.special import ndtri

    n = _n_present(x)
    shift, more = {"hazen": (0.5, 0.0), "blom": (0.375, 0.25)}[formula]
    z: Floats = ndtri((rank_score(x, ties) - shift) / max(n + more, 1))
    return z


def exponential(x: ArrayLike, ties: TieRule = "average") -> Floats:
    """Rank, then transform as the Indices of Deprivation do: the worst tenth scores 50 to 100.

    ``R = rank / n`` upwards, ``X = -23 ln(1 - R (1 - exp(-100/23)))``. High need in one domain is
    then not cancelled by low need in another. Source: Noble et al. (2019), Technical Report.

    Examples
    --------
    >>> exponential([1.0, 2.0, 3.0]).round(3)
    array([  9.177,  24.681, 100.   ])
    """
    n = _n_present(x)
    share = (n + 1 - rank(x, ties)) / max(n, 1)
    y: Floats = -EXPONENTIAL_SCALE * np.log1p(share * np.expm1(-100 / EXPONENTIAL_SCALE))
    return y


def _n_present(x: ArrayLike) -> int:
    return int(np.count_nonzero(~np.isnan(np.asarray(x, dtype=np.float64))))
