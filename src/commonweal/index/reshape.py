"""Transforming all values of a skewed indicator: logarithms and powers, which keep their order.

Each function takes (n_units,) values, NaN = missing, and gives an array of the same shape. l and h
are the lowest and the highest value.
"""

from __future__ import annotations

from collections.abc import Callable
from types import MappingProxyType
from typing import Literal, TypeAlias

import numpy as np

from commonweal.errors import DataError
from commonweal.index.describe import skew_kurtosis
from commonweal.index.methods import Finite, strict
from commonweal.index.tables import Floats

__all__ = ["box_cox", "likeliest_power", "log", "log_either", "log_gii", "slope"]

_POWERS = (-2.0, 2.0)


def log(values: Floats) -> Floats:
    """``ln(x - l + 0.01 (h - l))``: COINr's log_CT.

    Examples
    --------
    >>> log(np.array([0.0, 1.0, 100.0])).round(2)
    array([0.  , 0.69, 4.62])
    """
    low, high = np.nanmin(values), np.nanmax(values)
    logarithm: Floats = np.log(values - low + 0.01 * (high - low))
    return logarithm


def log_either(values: Floats) -> Floats:
    """Take the `log` of the longer tail: mirrored where the skew is negative (COINr's log_CT_plus).

    Examples
    --------
    >>> log_either(np.array([-100.0, -1.0, 0.0])).round(2)
    array([-4.62, -0.69, -0.  ])
    """
    return -log(-values) if skew_kurtosis(values)[0] < 0 else log(values)


def log_gii(values: Floats) -> Floats:
    """``ln((h - 1)(x - l) / (h - l) + 1)``: from 0 to ``ln h``, as in the Global Innovation Index.

    h is in the indicator's unit: metres in place of kilometres give another curve. COINr's function
    of that name returns the values as they are.

    Raises
    ------
    DataError
        If h is not above 1, so that the order would turn.

    Examples
    --------
    >>> log_gii(np.array([0.0, 1.0, 100.0])).round(2)
    array([0.  , 0.69, 4.61])
    """
    low, high = np.nanmin(values), np.nanmax(values)
    if high <= 1:
        raise DataError(
            f"log_gii of a maximum of {high:g}; expected one above 1, or the order would turn"
        )
    logarithm: Floats = np.log((high - 1) * (values - low) / (high - low) + 1)
    return logarithm


@strict
def box_cox(values: Floats, power: Finite) -> Floats:
    """``((x - l + 1)^power - 1) / power``, and ``ln(x - l + 1)`` for a power of 0.

    As COINr's boxcox, with 0 its log_CT_orig. The 1 is in the indicator's unit: metres in place of
    kilometres give another curve.

    Raises
    ------
    DataError
        If the power makes values alike that are not: far below 0 it leaves no difference between
        great ones.

    Notes
    -----
    Source: Box and Cox (1964), An analysis of transformations, Journal of the Royal Statistical
    Society B 26, 211-252.

    Examples
    --------
    >>> box_cox(np.array([0.0, 3.0, 8.0]), 0.5)
    array([0., 2., 4.])
    """
    positive = values - np.nanmin(values) + 1
    curve: Floats = np.log(positive) if power == 0 else (positive**power - 1) / power
    if power < 0 and len(np.unique(curve)) < len(np.unique(values)):
        raise DataError(
            f"box_cox by {power:g} makes values alike that are not; expected a power nearer to 0"
        )
    return curve


def likeliest_power(values: Floats) -> float:
    """Power of `box_cox` under which the values are most likely those of a normal variable.

    Parameters
    ----------
    values
        (n_units,) values, NaN = missing, not all the same.

    Returns
    -------
    float
        The maximum of the profile likelihood ``(power - 1) sum ln(x - l + 1) - n/2 ln(variance)``
        between -2 and 2, within 1e-5.

    Notes
    -----
    Source: Box and Cox (1964), as in `box_cox`.

    Examples
    --------
    >>> incomes = 100 * np.random.default_rng(1).lognormal(size=2000)
    >>> round(likeliest_power(incomes), 1)
    0.0
    """
    from scipy.optimize import minimize_scalar

    present = values[~np.isnan(values)]
    logs = np.log(present - present.min() + 1)

    def unlikely(power: float) -> float:
        curve = logs if abs(power) < 1e-8 else np.expm1(power * logs) / power
        return len(logs) / 2 * float(np.log(np.var(curve))) - (power - 1) * float(logs.sum())

    found = minimize_scalar(unlikely, bounds=_POWERS, method="bounded", options={"xatol": 1e-6})
    return float(found.x)


Reshape: TypeAlias = Callable[[Floats, float], Floats]
ReshapeName: TypeAlias = Literal["log", "log_either", "log_gii", "box_cox"]

RESHAPES: MappingProxyType[ReshapeName, Reshape] = MappingProxyType(
    {
        "log": lambda values, _: log(values),
        "log_either": lambda values, _: log_either(values),
        "log_gii": lambda values, _: log_gii(values),
        "box_cox": box_cox,
    }
)
"""What can be done to all values of an indicator, by name, each a function of values and power."""


@strict
def slope(values: Floats, reshape: ReshapeName, power: Finite = 0.5) -> Floats:
    """Give how steep a reshape is at each value, which carries standard errors (delta method).

    Parameters
    ----------
    values
        (n_units,) the values that are reshaped, NaN = missing.
    reshape
        A name in `RESHAPES`.
    power
        Of ``box_cox``.

    Returns
    -------
    ndarray
        (n_units,) above 0, NaN where missing. The lowest and highest value, on which the reshape
        depends, are taken as known.

    Raises
    ------
    UnknownNameError
        If there is no such reshape.

    Examples
    --------
    >>> slope(np.array([0.0, 3.0, 8.0]), "box_cox")
    array([1.        , 0.5       , 0.33333333])
    """
    low, high = np.nanmin(values), np.nanmax(values)
    if reshape == "log_either" and skew_kurtosis(values)[0] < 0:
        return 1 / (high - values + 0.01 * (high - low))
    if reshape in ("log", "log_either"):
        return 1 / (values - low + 0.01 * (high - low))
    if reshape == "log_gii":
        stretch = (high - 1) / (high - low)
        return stretch / (stretch * (values - low) + 1)
    return (values - low + 1) ** (power - 1)
