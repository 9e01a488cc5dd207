"""Normalising with the distances between values kept: straight lines onto a new scale.

Each function takes (n_units,) values, higher = more (of what is measured: in a study, need), NaN =
missing, and gives an array of the same shape and direction.

Straight lines have no place for infinities: they are refused, where the line is drawn through the
values. A scale runs upwards: its ends are in order, and what it is multiplied by is above 0.

Source, where no other is given: OECD and JRC (2008), Handbook on Constructing Composite
Indicators, chapter 5; names of the less common ones as in the R package COINr (Becker et al.,
2022, doi:10.21105/joss.04567).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, TypeAlias

import numpy as np

from commonweal.errors import DataError
from commonweal.index.arguments import AboveZero, Finite, strict
from commonweal.index.lists import column

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from commonweal.index.types import Floats

__all__ = [
    "Constant",
    "adjusted",
    "adjusted_posts",
    "goalposts",
    "min_max",
    "scaled",
    "unchanged",
    "z_score",
]

Constant: TypeAlias = Literal["error", "nan"]
"""What a column that cannot be normalised becomes, such as one in which all values are equal."""


@strict
def min_max(
    x: ArrayLike,
    low: Finite = 0.0,
    high: Finite = 100.0,
    *,
    reference: ArrayLike | None = None,
    constant: Constant = "error",
) -> Floats:
    """Stretch linearly so that the least value becomes `low` and the greatest `high`.

    Parameters
    ----------
    x
        (n_units,) values, NaN = missing.
    low, high
        Ends of the new scale.
    reference
        Values, in the same units, whose least and greatest are taken instead of those of `x`:
        a base year, or all years of a panel. Results may then leave the range.
    constant
        ``error`` raises on a column without spread, ``nan`` makes it missing.

    Raises
    ------
    DataError
        If all values are the same, one is infinite, or `low` is not below `high`.

    Examples
    --------
    >>> min_max([1.0, 2.0, 5.0])
    array([  0.,  25., 100.])
    >>> min_max([1.0, 2.0, 5.0], reference=[0.0, 10.0])
    array([10., 20., 50.])
    """
    if not low < high:
        raise DataError(f"low {low:g} and high {high:g}; expected low below high")
    values, least, most = extent(x, reference)
    width = width_of(most - least, constant, "min-max of a constant")
    return (high - low) * (values - least) / width + low


@strict
def z_score(
    x: ArrayLike,
    mean: Finite = 0.0,
    sd: AboveZero = 1.0,
    *,
    divisor: Literal["n-1", "n"] = "n-1",
    reference: ArrayLike | None = None,
    constant: Constant = "error",
) -> Floats:
    """Shift and scale to the given mean and standard deviation.

    Parameters
    ----------
    x, reference, constant
        As in `min_max`.
    mean, sd
        Of the result; 100 and 10 with `divisor` ``n`` are those of the Mazziotta-Pareto index.
    divisor
        Of the variance found in the data.

    Raises
    ------
    DataError
        If all values are the same, one is infinite, or `sd` is not above 0.

    Examples
    --------
    >>> z_score([1.0, 2.0, 3.0], mean=50, sd=10)
    array([40., 50., 60.])
    """
    values, least, most = extent(x, reference)
    # The deviation of a constant is not always 0 in floats (0.1 three times: 2e-17).
    spread = width_of(most - least, constant, "z-score of a constant")
    base = present(values if reference is None else reference)
    if len(base) == 0 or np.isnan(spread):
        return np.full(values.shape, np.nan)
    # Squares of differences as small as 1e-200 are 0.
    found = width_of(base.std(ddof=1 if divisor == "n-1" else 0), constant, "z-score of a constant")
    return (values - base.mean()) / found * sd + mean


@strict
def scaled(x: ArrayLike, lower: Finite, upper: Finite, factor: AboveZero = 100.0) -> Floats:
    """Place on the line from `lower` (0) to `upper` (`factor`), values outside it included.

    Parameters
    ----------
    x
        (n_units,) values, NaN = missing.
    lower, upper
        Ends, in the unit of `x`; `lower` is below `upper`.
    factor
        What `upper` scores, above 0.

    Raises
    ------
    DataError
        If `lower` is not below `upper`, or `factor` not above 0.

    Examples
    --------
    >>> scaled([0.0, 5.0, 20.0], 0, 10)
    array([  0.,  50., 200.])
    """
    refuse_posts(lower, upper)
    return (column(x, "values") - lower) / (upper - lower) * factor


@strict
def goalposts(
    x: ArrayLike, lower: Finite, upper: Finite, scale: AboveZero = 1.0, *, truncate: bool = True
) -> Floats:
    """Place between two fixed posts: 0 at the lower, `scale` at the upper.

    As in the Human Development Index (UNDP, Technical notes).

    Parameters
    ----------
    x
        (n_units,) values, NaN = missing.
    lower, upper
        The posts, in the unit of `x`; `lower` is below `upper`.
    scale
        What the upper post scores, above 0.
    truncate
        Whether values beyond a post score as much as the post.

    Raises
    ------
    DataError
        If `lower` is not below `upper`, or `scale` not above 0.

    Examples
    --------
    >>> goalposts([20.0, 52.5, 90.0], 20, 85)
    array([0. , 0.5, 1. ])
    """
    score = scaled(x, lower, upper, scale)
    return np.clip(score, 0.0, scale) if truncate else score


@strict
def adjusted_posts(x: ArrayLike, middle: Finite | None = None) -> tuple[float, float]:
    """Give the posts of the adjusted Mazziotta-Pareto index: as far apart as the values are.

    Parameters
    ----------
    x
        (n,) values of all units and years that will be compared.
    middle
        The value that is to score 100, such as a national average; the middle of the values if not
        given. The score is ``70 + goalposts(x, lower, upper, 60, truncate=False)``.

    Raises
    ------
    DataError
        If all values are the same or missing, or one is infinite.

    Notes
    -----
    Source: Mazziotta and Pareto (2016), Social Indicators Research 127, 983-1003.

    Examples
    --------
    >>> adjusted_posts([10.0, 20.0, 30.0], middle=15)
    (5.0, 25.0)
    """
    values, least, most = extent(np.ravel(x), None)
    width_of(most - least, "error", "posts of a constant")
    if len(present(values)) == 0:
        raise DataError("posts of an empty column: every value is missing")
    at = (least + most) / 2 if middle is None else middle
    return at - (most - least) / 2, at + (most - least) / 2


@strict
def adjusted(
    x: ArrayLike, middle: Finite | None = None, *, reference: ArrayLike | None = None
) -> Floats:
    """Normalise for the adjusted Mazziotta-Pareto index: 100 at `middle`, a range of 60.

    Parameters
    ----------
    x
        (n_units,) values, NaN = missing.
    middle
        The value that is to score 100; the middle of the values if not given.
    reference
        The values of all units and years that will be compared, if they are more than `x`.

    Raises
    ------
    DataError
        If all values are the same, or one is infinite.

    Examples
    --------
    >>> adjusted([10.0, 20.0, 30.0], middle=15)
    array([ 85., 115., 145.])
    """
    base = x if reference is None else reference
    if len(present(base)) == 0:
        return np.full(np.shape(x), np.nan)
    posts = adjusted_posts(base, middle)
    return 70 + goalposts(x, *posts, 60.0, truncate=False)


def unchanged(x: ArrayLike) -> Floats:
    """Leave the values as they are."""
    return column(x, "values")


def present(x: ArrayLike) -> Floats:
    """Give the values that are there."""
    values = np.asarray(x, dtype=np.float64)
    return values[~np.isnan(values)]


def extent(x: ArrayLike, reference: ArrayLike | None) -> tuple[Floats, float, float]:
    """Give the values, and the least and the greatest of the reference; NaN if it is empty."""
    values = column(x, "values")
    base = (values if reference is None else np.asarray(reference, dtype=np.float64)).ravel()
    least = float(np.fmin.reduce(base, initial=np.nan))
    most = float(np.fmax.reduce(base, initial=np.nan))
    if np.isinf(least) or np.isinf(most):
        raise DataError("reference: an infinite value found; expected numbers")
    return values, least, most


@strict
def refuse_posts(lower: Finite, upper: Finite) -> None:
    """Raise if the posts of a scale are not in order."""
    if not lower < upper:
        raise DataError(f"lower {lower:g} and upper {upper:g}; expected lower below upper")


def width_of(width: float, constant: Constant, what: str) -> float:
    """Give a width to divide by; NaN in place of 0 where that was chosen."""
    if width == 0 and constant == "error":
        raise DataError(f"{what}: nothing can be compared")
    return width or np.nan
