"""Ranks and deciles; rank 1 is always the most need."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, TypeAlias

import numpy as np

from commonweal.errors import DataError
from commonweal.index.methods import strict
from commonweal.index.tables import column

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from commonweal.index.tables import Floats

__all__ = [
    "TieRule",
    "decile",
    "rank",
    "rank_among",
]

TieRule: TypeAlias = Literal["min", "average", "max", "dense", "ordinal"]


@strict
def rank(need: ArrayLike, ties: TieRule = "min") -> Floats:
    """Rank areas by need, the most first.

    Parameters
    ----------
    need
        (n_areas,) values, higher = more need. NaN is a missing value.
    ties
        Which rank equal values share: ``min`` (1, 2, 2, 4: the rank that is published),
        ``average`` (1, 2.5, 2.5, 4), ``max`` (1, 3, 3, 4), ``dense`` (1, 2, 2, 3),
        or ``ordinal`` (1, 2, 3, 4 in the order given).

    Returns
    -------
    ndarray
        (n_areas,) float64 ranks, 1 = most need; NaN where the value is missing.

    Raises
    ------
    DataError
        If there is not one value an area.
    UnknownNameError
        If there is no such rule for ties.

    Examples
    --------
    >>> rank([5.0, 9.0, 5.0, 1.0])
    array([2., 1., 2., 4.])
    >>> rank([5.0, 9.0, 5.0, 1.0], ties="average")
    array([2.5, 1. , 2.5, 4. ])
    """
    values = column(need, "values to rank", per="area", finite=False)
    ranks = np.full(values.shape, np.nan)
    present = ~np.isnan(values)
    # Where equals share a rank their order does not matter, and is not kept: that is faster.
    order = np.argsort(-values[present], kind="stable" if ties == "ordinal" else None)
    ranks[present] = _positions(values[present], order, ties)
    return ranks


@strict
def rank_among(need: ArrayLike, base: ArrayLike, ties: TieRule = "min") -> Floats:
    """Give the rank that values would have among those of a base, such as another year's.

    Parameters
    ----------
    need
        (n_areas,) values, higher = more need, NaN = missing.
    base
        Values of any shape that are ranked.
    ties
        As in `rank`, but for ``ordinal``.

    Returns
    -------
    ndarray
        (n_areas,) float64. A value that the base has takes its rank there; one between two of the
        base's stands between their ranks, in proportion; one beyond them all takes the first or
        the last rank: a scale made of ranks ends where its base does. NaN without a base.

    Raises
    ------
    DataError
        If ties are ``ordinal``: the order of the areas places no value of another year.

    Examples
    --------
    >>> rank_among([9.0, 6.0, 5.0, 0.0], [5.0, 7.0, 1.0])
    array([1. , 1.5, 2. , 3. ])
    """
    if ties == "ordinal":
        raise DataError(
            "ties 'ordinal' go by the order of the areas, so there is no rank among those of another "
            "year; expected one of: average, dense, max, min"
        )
    values, ranked = np.asarray(need, dtype=np.float64), np.asarray(base, dtype=np.float64)
    distinct, count = np.unique(ranked[~np.isnan(ranked)], return_counts=True)
    if len(distinct) == 0:
        return np.full(values.shape, np.nan)
    ranks: Floats = np.interp(values, distinct, _of_groups(count[::-1], ties)[::-1])
    return ranks


def _positions(values: Floats, order: NDArray[np.intp], ties: TieRule) -> Floats:
    """Give each value the rank of its group of equals."""
    ranks = np.empty(len(values))
    if ties == "ordinal":
        ranks[order] = np.arange(1, len(values) + 1)
        return ranks
    ordered = values[order]
    starts = np.flatnonzero(np.r_[True, ordered[1:] != ordered[:-1]])
    lengths = np.diff(np.r_[starts, len(values)])
    ranks[order] = np.repeat(_of_groups(lengths, ties), lengths)
    return ranks


def _of_groups(lengths: NDArray[np.intp], ties: TieRule) -> Floats:
    """Give the rank of each group of equals, the first group ranking first."""
    starts = (np.cumsum(lengths) - lengths).astype(np.float64)
    ranks: Floats = {
        "min": starts + 1.0,
        "average": starts + (lengths + 1) / 2,
        "max": starts + lengths,
        "dense": np.arange(1.0, len(lengths) + 1),
    }[ties]
    return ranks


def decile(ranks: ArrayLike) -> Floats:
    """Cut ranks into ten groups of equal size, 1 = the tenth with most need.

    Parameters
    ----------
    ranks
        (n_areas,) ranks with 1 = most need, NaN = missing; none beyond the areas ranked.

    Returns
    -------
    ndarray
        (n_areas,) float64 in 1..10; NaN stays NaN. With 32,844 areas decile 1 ends at rank
        3,284, as in the English Indices of Deprivation.

    Raises
    ------
    DataError
        If a rank lies outside 1..n.

    Examples
    --------
    >>> decile(range(1, 21))[[0, 1, 2, 19]]
    array([ 1.,  1.,  2., 10.])
    """
    values = column(ranks, "ranks", per="area")
    n = int(np.count_nonzero(~np.isnan(values)))
    outside = (values < 1) | (values > n)
    if outside.any():
        raise DataError(f"rank {values[outside][0]:g} found; expected ranks from 1 to {n:,}")
    return np.ceil(values * 10 / n)
