"""Normalising with distances kept: linear scales, and the distance to a maximum, a target or a reference."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, TypeAlias

import numpy as np

from commonweal.errors import DataError
from commonweal.index.methods import AboveZero, Finite, strict
from commonweal.index.tables import column, row_of, said_of, units_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike

    from commonweal.index.tables import Floats


__all__ = [
    "Constant",
    "adjusted",
    "adjusted_posts",
    "distance_to_max",
    "distance_to_reference",
    "distance_to_target",
    "fraction_of_max",
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


@strict
def distance_to_max(
    x: ArrayLike, *, reference: ArrayLike | None = None, constant: Constant = "error"
) -> Floats:
    """One less the distance to the greatest value, as a share of the range: 0 to 1.

    Parameters and errors are those of `min_max`.

    Examples
    --------
    >>> distance_to_max([1.0, 2.0, 5.0])
    array([0.  , 0.25, 1.  ])
    """
    return min_max(x, 0.0, 1.0, reference=reference, constant=constant)


@strict
def distance_to_reference(
    x: ArrayLike,
    unit: int | str,
    *,
    units: Sequence[str] | None = None,
    reference: ArrayLike | None = None,
    constant: Constant = "error",
) -> Floats:
    """Give 0 to the least value and 1 to the reference unit; those beyond it have more than 1.

    Parameters
    ----------
    x
        (n_units,) values, NaN = missing.
    unit
        The reference unit: its position, or its name among `units`.
    units
        (n_units,) names of the units.
    reference
        (n_units,) values of a base year, or (n_years, n_units) of several: the least of them all
        has 0, the mean of the unit's own has 1.
    constant
        What to do where the reference unit's value is missing or the least, so that there is no
        distance to measure by: ``error``, or ``nan`` (COINr gives infinities for the latter).

    Raises
    ------
    DataError
        If there is no distance to measure by, the position is none, or there are no names to find
        a name among.
    UnknownNameError
        If no unit has that name.

    Examples
    --------
    >>> distance_to_reference([1.0, 3.0, 5.0], 1)
    array([0., 1., 2.])
    >>> distance_to_reference([1.0, 3.0, 5.0], "B", units=["A", "B", "C"])
    array([0., 1., 2.])
    """
    values, least, _ = extent(x, reference)
    base = np.atleast_2d(np.asarray(values if reference is None else reference, dtype=np.float64))
    n = base.shape[1]
    codes = None if units is None else units_of(units, n)
    at_row = row_of(unit, codes, n, "reference unit")
    own = present(base[:, at_row])
    at = float(own.mean()) if len(own) else np.nan
    if np.isnan(at) and constant == "error" and len(present(base)):
        raise DataError(f"the reference unit ({said_of(codes, at_row)}) has no value")
    width = width_of(at - least, constant, "distance to a reference that is the least value")
    return (values - least) / width


@strict
def distance_to_target(
    x: ArrayLike,
    target: Finite,
    *,
    cap: bool = False,
    reference: ArrayLike | None = None,
    constant: Constant = "error",
) -> Floats:
    """Give 0 to the least value and 1 to the target.

    Parameters
    ----------
    x
        (n_units,) values, NaN = missing.
    target
        Above the least value. If it is not, every unit has reached it: an error, or missing values
        under ``constant="nan"`` (COINr's scores run backwards there).
    cap
        Whether those beyond the target have no more than 1.
    reference
        Values whose least has 0, in place of those of `x`.

    Raises
    ------
    DataError
        If every unit has reached the target.

    Examples
    --------
    >>> distance_to_target([0.0, 5.0, 20.0], 10, cap=True)
    array([0. , 0.5, 1. ])
    """
    values, least, _ = extent(x, reference)
    what = (
        f"a target that every unit has reached ({target:g} found; expected above the least value, "
        f"{least:g})"
    )
    width = width_of(max(target - least, 0.0), constant, what)
    score = (values - least) / width
    return np.minimum(score, 1.0) if cap else score


@strict
def fraction_of_max(
    x: ArrayLike, *, reference: ArrayLike | None = None, constant: Constant = "error"
) -> Floats:
    """Divide by the greatest value.

    An indicator that counts downwards comes here with its sign turned, and no value above 0:
    it gets 1 less the fraction of its greatest amount, so 0 where there is most of it and 1 where
    there is none. (COINr divides the turned values by their maximum, which ranks them backwards.)

    Parameters
    ----------
    x
        (n_units,) values, NaN = missing. A fraction needs a true zero.
    reference, constant
        As in `min_max`; here a column of zeros has nothing to divide by.

    Raises
    ------
    DataError
        If the greatest amount is 0, or infinite.

    Examples
    --------
    >>> fraction_of_max([1.0, 2.0, 4.0])
    array([0.25, 0.5 , 1.  ])
    >>> fraction_of_max([-1.0, -2.0, -4.0])
    array([0.75, 0.5 , 0.  ])
    """
    values, least, most = extent(x, reference)
    if most > 0:
        return values / most
    amount = width_of(-least, constant, "fraction of a maximum of 0")
    return 1 + values / amount
