"""From values to comparable numbers: what is done to each child before it is weighted.

Every transform takes (n_areas,) need, higher = more need, NaN = missing, and returns an array of
the same shape and direction. Add one by writing such a function and naming it in `TRANSFORMS`.
"""

from __future__ import annotations

from collections.abc import Callable
from types import MappingProxyType
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from commonweal.errors import DataError
from commonweal.index.rank import Floats, TieRule, rank

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

__all__ = [
    "BY_RANK",
    "TRANSFORMS",
    "Transform",
    "exponential",
    "exponential_of_rank",
    "min_max",
    "normal_score",
    "percentile",
    "unchanged",
    "z_score",
]

Transform: TypeAlias = Callable[[Floats, TieRule], Floats]

EXPONENTIAL_SCALE = 23.0
"""Sets where the tail begins: the worst 10 % of areas score above 50 (IoD 2019, Technical Report,
section 3.7 and appendix E; the CNI uses the same)."""


def exponential_of_rank(ranks: ArrayLike, n: int) -> Floats:
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

    Returns
    -------
    ndarray
        (n_areas,) float64 in (0, 100].

    Raises
    ------
    DataError
        If a rank lies outside 1..n.

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
    fraction = (n + 1 - r) / n
    x: Floats = -EXPONENTIAL_SCALE * np.log1p(-fraction * -np.expm1(-100 / EXPONENTIAL_SCALE))
    return x


def exponential(need: Floats, ties: TieRule = "average") -> Floats:
    """Rank, then transform exponentially.

    Tied areas share the middle of their ranks by default: with it the published IoD scores are
    rebuilt to their last printed digit, with the lowest rank they are not (docs/methods.md).

    Examples
    --------
    >>> exponential(np.array([1.0, 2.0, 3.0])).round(3)
    array([  9.177,  24.681, 100.   ])
    """
    return exponential_of_rank(rank(need, ties), _n_present(need))


def normal_score(need: Floats, ties: TieRule = "average") -> Floats:
    """Rank, then take the standard normal quantile: ``z = Phi^-1((rank - 0.5) / n)``.

    Source: as in the IoD technical reports (factor analysis of health and education indicators).

    Examples
    --------
    >>> normal_score(np.array([1.0, 2.0, 3.0])).round(3)
    array([-0.967,  0.   ,  0.967])
    """
    from scipy.special import ndtri

    ascending = _n_present(need) + 1 - rank(need, ties)
    z: Floats = ndtri((ascending - 0.5) / max(_n_present(need), 1))
    return z


def percentile(need: Floats, ties: TieRule = "average") -> Floats:
    """Rank as a share: 100 = the most need, 0 = the least.

    Examples
    --------
    >>> percentile(np.array([10.0, 30.0, 20.0]))
    array([  0., 100.,  50.])
    """
    n = _n_present(need)
    return 100.0 * (n - rank(need, ties)) / max(n - 1, 1)


def z_score(need: Floats, ties: TieRule = "average") -> Floats:  # noqa: ARG001 - one signature for all
    """Subtract the mean, divide by the standard deviation (divisor n - 1).

    Raises
    ------
    DataError
        If every area has the same value: nothing can be compared.

    Examples
    --------
    >>> z_score(np.array([1.0, 2.0, 3.0]))
    array([-1.,  0.,  1.])
    """
    # The deviation of a constant is not always 0 in floats (0.1 three times: 2e-17).
    if _n_present(need) < 2 or np.nanmin(need) == np.nanmax(need):
        raise DataError("z-score of a constant: every area has the same value")
    z: Floats = (need - np.nanmean(need)) / np.nanstd(need, ddof=1)
    return z


def min_max(need: Floats, ties: TieRule = "average") -> Floats:  # noqa: ARG001 - one signature for all
    """Stretch to 0..100: 0 = the least need found, 100 = the most.

    Raises
    ------
    DataError
        If every area has the same value.

    Examples
    --------
    >>> min_max(np.array([1.0, 2.0, 5.0]))
    array([  0.,  25., 100.])
    """
    low, high = (np.nanmin(need), np.nanmax(need)) if _n_present(need) else (0.0, 0.0)
    if low == high:
        raise DataError("min-max of a constant: every area has the same value")
    return 100.0 * (need - low) / (high - low)


def unchanged(need: Floats, ties: TieRule = "average") -> Floats:  # noqa: ARG001 - one signature for all
    """Leave the values as they are."""
    return need


def _n_present(values: Floats) -> int:
    return int(np.count_nonzero(~np.isnan(values)))


TRANSFORMS: MappingProxyType[str, Transform] = MappingProxyType(
    {
        "exponential": exponential,
        "normal_score": normal_score,
        "percentile": percentile,
        "z_score": z_score,
        "min_max": min_max,
        "none": unchanged,
    }
)
"""The transforms that a study can name."""

BY_RANK = frozenset({"exponential", "normal_score", "percentile"})
"""Those that know nothing of a value but its rank."""
