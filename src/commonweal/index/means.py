"""Many children to one parent: means, and what resembles them.

An aggregator takes (n_units, n_children) values, higher = more, NaN = missing, and (n_children,)
weights, and gives (n_units,) scores. `None` for weights means none: every child counts alike.
The weight of a missing child is carried by the unit's other children in proportion to theirs; a
unit without any is missing. `require` sets the share that has to be there.

Equal units get equal scores to the last bit, because children are added one after the other.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, TypeAlias

import numpy as np

from commonweal.errors import DataError
from commonweal.index.methods import AtLeastZero, Count, Share, strict
from commonweal.index.tables import Matrix, NamedMatrix, WeightsLike, table, weights_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from commonweal.index.tables import Floats

__all__ = [
    "arithmetic",
    "children",
    "generalised",
    "geometric",
    "harmonic",
    "mazziotta_pareto",
    "mean_min",
    "median",
    "order_weights",
    "ordered",
    "present_share",
    "require",
    "weighted_sum",
]

Uneven: TypeAlias = Literal["lower", "higher"]
"""Which way an uneven profile moves the score: down where the values are achievements, up where
they are need."""


def arithmetic(x: Matrix, weights: WeightsLike = None) -> Floats:
    """Weighted arithmetic mean.

    Raises
    ------
    DataError
        If a value is infinite, or the weights are not one a child, finite, at least 0 and above 0
        in total (so in every function here).

    Examples
    --------
    >>> arithmetic([[10.0, 30.0], [20.0, np.nan]], [1, 3])
    array([25., 20.])
    """
    taken, w = children(x, weights)
    return _mean(taken.values, w)


def weighted_sum(x: Matrix, weights: WeightsLike = None) -> Floats:
    """Sum of weight times value; the weights are used as they stand, and 1 each if not given.

    A missing child is carried by the others: it counts as the mean of those present.

    Examples
    --------
    >>> weighted_sum([[10.0, 30.0], [20.0, np.nan]], [1, 3])
    array([100.,  80.])
    """
    taken, w = children(x, weights)
    values = taken.values
    total = _sum(values, w)
    if (gone := np.isnan(total)).any():
        total[gone] = _mean(values[gone], w) * w.sum()
    return total


def geometric(x: Matrix, weights: WeightsLike = None) -> Floats:
    """Weighted geometric mean; every value above 0.

    Examples
    --------
    >>> geometric([[1.0, 4.0, 16.0]])
    array([4.])
    """
    taken, w = children(x, weights)
    _above_zero(taken, w, "geometric")
    return np.exp(_mean(np.log(np.where(w > 0, taken.values, 1.0)), w))


def harmonic(x: Matrix, weights: WeightsLike = None) -> Floats:
    """Weighted harmonic mean; every value above 0.

    Examples
    --------
    >>> harmonic([[1.0, 4.0, 4.0]])
    array([2.])
    """
    taken, w = children(x, weights)
    _above_zero(taken, w, "harmonic")
    return 1 / _mean(1 / np.where(w > 0, taken.values, 1.0), w)


@strict
def generalised(x: Matrix, weights: WeightsLike = None, p: float = 1.0) -> Floats:
    """Weighted power mean: ``(sum w x^p / sum w)^(1/p)``.

    Parameters
    ----------
    x, weights
        As in `arithmetic`; values at least 0, or above 0 for `p` of 0 and less.
    p
        1 arithmetic, 0 geometric, -1 harmonic; infinities give the greatest and the least. The
        lower, the less can one child make up for another.

    Notes
    -----
    COINr's `a_genmean` gives no score to a unit that lacks a child, and takes even powers of values
    below 0, which lose their sign. Here others carry what is missing, and those are an error.

    Examples
    --------
    >>> generalised([[1.0, 4.0, 16.0]], p=0.5).round(4)
    array([5.4444])
    """
    taken, w = children(x, weights)
    values = taken.values
    if p == 0:
        return geometric(taken, w)
    if p == 1:
        return _mean(values, w)
    if p < 0:
        _above_zero(taken, w, "generalised")
    else:
        _refuse((values < 0) & (w > 0), taken, "generalised", "of at least 0")
    # Divided by the value that the power makes dominant, no power can overflow.
    counted = np.where(w > 0, values, np.nan)
    extreme = np.fmax if p > 0 else np.fmin
    largest: Floats = extreme.reduce(counted, axis=1, initial=np.nan)
    if np.isinf(p):
        return largest
    scale = np.where(largest > 0, largest, 1.0)[:, None]
    with np.errstate(divide="ignore"):  # by way of x^p - 1, which keeps its digits as p goes to 0
        less_one = _mean(np.expm1(p * np.log(np.where(w > 0, values, scale) / scale)), w)
        return scale[:, 0] * np.exp(np.log1p(less_one) / p)


def median(x: Matrix, weights: WeightsLike = None) -> Floats:
    """Weighted median: half of the weight lies at or below it, half at or above.

    Where the half falls exactly between two values, their mean.

    Examples
    --------
    >>> median([[1.0, 2.0, 9.0], [1.0, np.nan, 9.0]])
    array([2., 5.])
    >>> median([[1.0, 2.0, 9.0]], [1, 1, 3])
    array([9.])
    """
    taken, w = children(x, weights)
    values = taken.values
    counted = np.where(w > 0, values, np.nan)
    order = np.argsort(counted, axis=1, kind="stable")
    ascending = np.take_along_axis(counted, order, axis=1)
    share = np.cumsum(np.where(np.isnan(ascending), 0.0, w[order]), axis=1)
    with np.errstate(invalid="ignore"):
        share /= share[:, -1:]
    rows = np.arange(len(values))
    lower = ascending[rows, np.argmax(share >= 0.5 - 1e-12, axis=1)]
    upper = ascending[rows, np.argmax(share > 0.5 + 1e-12, axis=1)]
    return lower + (upper - lower) / 2


@strict
def mazziotta_pareto(x: Matrix, weights: WeightsLike = None, uneven: Uneven = "lower") -> Floats:
    """Mean, less (or plus) a penalty for an uneven profile: ``M -+ S^2 / M``.

    Parameters
    ----------
    x, weights
        As in `arithmetic`. For the static index the children are z-scores of mean 100 and
        deviation 10 (divisor n); for the adjusted one, which compares years, goalposts from 70 to
        130 (`normalise.adjusted_posts`).
    uneven
        ``lower`` where values are achievements (the authors' MPI-), ``higher`` where they are need
        (MPI+).

    Raises
    ------
    DataError
        If a mean is 0 or less.

    Notes
    -----
    S is the deviation of the unit's children, divisor n_children. Source: De Muro, Mazziotta and
    Pareto (2011), Social Indicators Research 104, 1-18; Mazziotta and Pareto (2016), same journal,
    127, 983-1003.

    Examples
    --------
    >>> mazziotta_pareto([[100.0, 100.0], [90.0, 110.0]])
    array([100.,  99.])
    """
    taken, w = children(x, weights)
    values = taken.values
    mean = _mean(values, w)
    if (mean <= 0).any():
        at = int((mean <= 0).argmax())
        raise DataError(
            f"Mazziotta-Pareto index of a mean of {mean[at]:g} ({taken.unit(at)}); expected means "
            "above 0 (use z-scores of mean 100 and deviation 10, or goalposts from 70 to 130)"
        )
    return mean + _sign(uneven) * _mean((values - mean[:, None]) ** 2, w) / mean


@strict
def mean_min(
    x: Matrix,
    weights: WeightsLike = None,
    alpha: Share = 0.5,
    beta: AtLeastZero = 0.0,
    uneven: Uneven = "lower",
) -> Floats:
    """Between the mean and the least child: ``M - alpha (sqrt((M - min)^2 + beta^2) - beta)``.

    Parameters
    ----------
    x, weights
        As in `arithmetic`.
    alpha
        0 (the mean) to 1 (with `beta` 0, the least).
    beta
        0 or more: how far a child may lie below the mean before that counts much.
    uneven
        ``lower`` as published; ``higher`` takes the greatest child in place of the least, for need.

    Notes
    -----
    Source: Casadio Tarabusi and Guarini (2013), Social Indicators Research 112, 19-45.

    Examples
    --------
    >>> mean_min([[10.0, 30.0]], alpha=0.5)
    array([15.])
    """
    taken, w = children(x, weights)
    values = taken.values
    sign, mean, counted = _sign(uneven), _mean(values, w), np.where(w > 0, values, np.nan)
    furthest = np.fmin if sign < 0 else np.fmax
    gap = mean - furthest.reduce(counted, axis=1, initial=np.nan)
    return mean + sign * alpha * (np.hypot(gap, beta) - beta)


def ordered(x: Matrix, weights: WeightsLike = None) -> Floats:
    """Ordered weighted average: the first weight is for the unit's greatest value, and so on.

    Parameters
    ----------
    x
        (n_units, n_children) values, NaN = missing.
    weights
        (n_children,) weights of the places in order, not of the children. A unit that lacks some
        has the same curve of weight over its places, spread on those that it has.

    Notes
    -----
    Source: Yager (1988), IEEE Transactions on Systems, Man and Cybernetics 18, 183-190.

    Examples
    --------
    >>> ordered([[1.0, 9.0, 5.0], [4.0, np.nan, 8.0]], [1, 0, 0])
    array([9., 8.])
    """
    taken, w = children(x, weights)
    values = taken.values
    n_children = values.shape[1]
    descending = -np.sort(-values, axis=1)  # missing last
    here = np.count_nonzero(~np.isnan(values), axis=1)
    curve = np.r_[0.0, np.cumsum(w)] / w.sum()
    scores = np.full(len(values), np.nan)
    for count in np.unique(here[here > 0]):
        cuts = np.interp(
            np.arange(count + 1) / count, np.arange(n_children + 1) / n_children, curve
        )
        some, own = here == count, w / w.sum() if count == n_children else np.diff(cuts)
        scores[some] = _sum(descending[some, :count], own)
    return scores


@strict
def order_weights(n_children: Count, orness: Share) -> Floats:
    """Weights for `ordered` between the least (0), the mean (0.5) and the greatest child (1).

    From Yager's quantifier ``Q(r) = r^((1 - orness) / orness)``, whose orness is exact as the
    number of children grows.

    Examples
    --------
    >>> order_weights(4, 0.5)
    array([0.25, 0.25, 0.25, 0.25])
    """
    places = np.arange(n_children + 1) / n_children
    if orness == 0:
        return np.diff((places == 1).astype(np.float64))
    return np.diff(np.r_[0.0, places[1:] ** ((1 - orness) / orness)])


def present_share(x: Matrix, weights: WeightsLike = None) -> Floats:
    """Give each unit's share of children that are not missing, by number or by weight.

    Examples
    --------
    >>> present_share([[1.0, np.nan]]), present_share([[1.0, np.nan]], [3, 1])
    (array([0.5]), array([0.75]))
    """
    taken, w = children(x, weights)
    return _mean((~np.isnan(taken.values)).astype(np.float64), w)


@strict
def require(x: Matrix, share: Share, weights: WeightsLike = None) -> Floats:
    """Make units missing altogether that have too few children.

    Parameters
    ----------
    x
        (n_units, n_children) values, NaN = missing.
    share
        0..1 of the children (of their weight, where weights are given) that must be there; a unit
        with exactly that share keeps its values.

    Examples
    --------
    >>> arithmetic(require([[1.0, np.nan], [1.0, 3.0]], 0.75))
    array([nan,  2.])
    """
    taken = table(x, what="child")
    # A hair of tolerance: shares that are sums of decimals miss their round number by 1e-16.
    enough = present_share(taken, weights) >= share - 1e-12
    return np.where(enough[:, None], taken.values, np.nan)


def children(x: Matrix, weights: WeightsLike) -> tuple[NamedMatrix, Floats]:
    """Take in (n_units, n_children) values and (n_children,) weights, 1 each for none."""
    taken = table(x, what="child")
    if not taken.names:
        raise DataError(f"values of shape {taken.values.shape}; expected (n_units, n_children)")
    if weights is None:
        return taken, np.ones(len(taken.names))
    return taken, weights_of(weights, taken.names)


def _sum(values: Floats, w: Floats) -> Floats:
    # Not values @ w: a matrix product adds in an order that depends on the row, and equal units
    # would then differ in their last bit and no longer tie.
    total = np.zeros(len(values))
    for column, weight in zip(values.T, w, strict=True):
        if weight:
            total += weight * column
    return total


def _mean(values: Floats, w: Floats) -> Floats:
    share = w / w.sum()
    mean = _sum(values, share)
    # Only rows with a gap are divided by what they have: whether another unit lacks a child then
    # changes no last bit of this one.
    if (gone := np.isnan(mean)).any():
        missing = np.isnan(values[gone])
        with np.errstate(invalid="ignore"):
            mean[gone] = _sum(np.where(missing, 0.0, values[gone]), share) / _sum(
                (~missing).astype(np.float64), share
            )
    return mean


def _above_zero(taken: NamedMatrix, w: Floats, what: str) -> None:
    _refuse((taken.values <= 0) & (w > 0), taken, what, "above 0 (normalise to a positive range)")


def _refuse(wrong: NDArray[np.bool_], taken: NamedMatrix, what: str, expected: str) -> None:
    if wrong.any():
        found = taken.values[wrong][0]
        raise DataError(
            f"{what} mean of {found:g} ({taken.place(wrong)}); expected values {expected}"
        )


def _sign(uneven: Uneven) -> float:
    return -1.0 if uneven == "lower" else 1.0
