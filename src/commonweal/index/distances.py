"""Normalising by the distance to a value: the greatest, a target, or a unit that others look at.

Each function takes (n_units,) values, higher = more (of what is measured: in a study, need), NaN =
missing, and gives an array of the same shape and direction. As in `commonweal.index.scales` distances
between values are kept, and infinities are refused; sources are those named there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from commonweal.errors import DataError
from commonweal.index.arguments import Finite, strict
from commonweal.index.lists import row_of, said_of, units_of
from commonweal.index.scales import Constant, extent, min_max, present, width_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike

    from commonweal.index.types import Floats

__all__ = ["distance_to_max", "distance_to_reference", "distance_to_target", "fraction_of_max"]


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
