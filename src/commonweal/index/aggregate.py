"""Many transformed children to one parent score."""

from __future__ import annotations

from collections.abc import Callable
from types import MappingProxyType
from typing import TypeAlias

import numpy as np

from commonweal.errors import DataError
from commonweal.index.rank import Floats

__all__ = ["AGGREGATES", "aggregate", "contributions"]

Aggregate: TypeAlias = Callable[[Floats, Floats], Floats]


def _sum(x: Floats, weights: Floats) -> Floats:
    # One child after another, not x @ weights: a matrix product adds in an order that depends on
    # the row, and equal areas would then differ in their last bit and no longer tie.
    total = np.zeros(len(x))
    for column, weight in zip(x.T, weights, strict=True):
        total += weight * column
    return total


def _arithmetic(x: Floats, weights: Floats) -> Floats:
    return _sum(x, weights / weights.sum())


def _geometric(x: Floats, weights: Floats) -> Floats:
    return np.exp(_sum(np.log(x), weights / weights.sum()))


AGGREGATES: MappingProxyType[str, Aggregate] = MappingProxyType(
    {"sum": _sum, "arithmetic": _arithmetic, "geometric": _geometric}
)
"""The aggregates that a study can name; each takes (n_areas, n_children) and (n_children,)."""


def aggregate(
    x: Floats,
    weights: Floats,
    how: str,
    available: float = 1.0,
    stated: Floats | None = None,
) -> Floats:
    """Combine transformed children into one score.

    Parameters
    ----------
    x
        (n_areas, n_children) transformed need, higher = more, NaN = missing.
    weights
        (n_children,) positive weights. A ``sum`` uses them as they stand (the IoD's add up to
        .999 and are not rescaled); the means divide by their total.
    how
        ``sum``, ``arithmetic`` or ``geometric`` (which needs values above 0).
    available
        Share of the weight that must be present for an area to get a score, 0..1. What is missing
        below that share is carried by the area's other children in proportion to their weights.
    stated
        (n_children,) the weights that `available` is a share of, where `weights` are a draw around
        them: which areas have a score is then the same in every draw.

    Returns
    -------
    ndarray
        (n_areas,) scores; NaN where less than `available` of the weight is present.

    Raises
    ------
    DataError
        If a geometric mean meets a value of 0 or less.

    Examples
    --------
    >>> aggregate(np.array([[10.0, 30.0], [20.0, np.nan]]), np.array([1.0, 3.0]), "sum")
    array([100.,  nan])
    >>> aggregate(np.array([[10.0, 30.0], [20.0, np.nan]]), np.array([1.0, 3.0]), "sum", 0.25)
    array([100.,  80.])
    """
    if how == "geometric" and (x <= 0).any():
        raise DataError(
            f"geometric mean of {np.nanmin(x):g}; expected values above 0 "
            "(use the exponential or another positive transform)"
        )
    missing = np.isnan(x)
    if not missing.any():
        return _settled(AGGREGATES[how](x, weights))
    # An area's missing children are given the mean of its present ones, of the same kind as the
    # aggregate: that is the same as rescaling the weights of those that are present.
    scale = np.log if how == "geometric" else np.asarray
    unscale = np.exp if how == "geometric" else np.asarray
    present = (~missing).astype(np.float64)
    share = _arithmetic(present, weights if stated is None else stated)
    with np.errstate(invalid="ignore", divide="ignore"):
        present_mean = _sum(np.where(missing, 0.0, scale(x)), weights) / _sum(present, weights)
    filled = np.where(missing, unscale(present_mean)[:, None], x)
    score = np.full(len(x), np.nan)
    # A hair of tolerance: shares that are sums of decimals miss their round number by 1e-16.
    enough = share >= max(available, np.finfo(float).tiny) - 1e-12
    score[enough] = _settled(AGGREGATES[how](filled[enough], weights))
    return score


def _settled(score: Floats) -> Floats:
    """Round to 12 significant digits, so that scores equal on paper tie: 55 and 54.99999999999999."""
    with np.errstate(divide="ignore"):
        digits = 11 - np.floor(np.log10(np.abs(score)))
    # Powers of ten beyond 1e22 are inexact, and zero has no digits: both stay as they are.
    scale = 10.0 ** np.where(np.abs(digits) <= 22, digits, 0.0)
    rounded: Floats = np.round(score * scale) / scale
    return np.where(np.abs(digits) <= 22, rounded, score)


def contributions(x: Floats, weights: Floats, how: str) -> Floats:
    """Split a score into what each child puts in.

    Parameters
    ----------
    x, weights, how
        As in `aggregate`.

    Returns
    -------
    ndarray
        (n_areas, n_children). For a sum and an arithmetic mean the rows add up to the score; for a
        geometric mean they add up to its logarithm. NaN where the child is missing: its weight is
        carried by the others, in proportion to theirs.

    Examples
    --------
    >>> contributions(np.array([[10.0, 30.0]]), np.array([1.0, 3.0]), "arithmetic")
    array([[ 2.5, 22.5]])
    """
    missing = np.isnan(x)
    each = weights if how == "sum" else weights / weights.sum()
    values = np.log(x) if how == "geometric" else x
    if not missing.any():
        return values * each
    with np.errstate(divide="ignore"):
        carried = weights.sum() / _sum((~missing).astype(np.float64), weights)
    return values * each * carried[:, None]
