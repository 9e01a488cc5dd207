"""Every indicator of a table made comparable: the normalisers by name, and one pass over columns.

A normaliser takes (n_units,) values, higher = more (of what is measured: in a study, need), and
gives an array of the same shape and direction, NaN where a value is missing. Those that keep the
distances between values are in `commonweal.index.scales`, those that go by order alone in
`commonweal.index.by_rank`; any function of that signature will do.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from commonweal.errors import DataError, UnknownNameError
from commonweal.index.by_rank import (
    borda,
    exponential,
    normal_score,
    percentile_rank,
    rank_score,
)
from commonweal.index.describe import labelled
from commonweal.index.rank import Floats
from commonweal.index.scales import (
    adjusted,
    distance_to_max,
    distance_to_reference,
    distance_to_target,
    fraction_of_max,
    goalposts,
    min_max,
    scaled,
    unchanged,
    z_score,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike

__all__ = ["NORMALISERS", "Normaliser", "normalise", "normaliser", "turned"]

Normaliser: TypeAlias = Callable[..., Floats]
"""Takes (n_units,) values and settings by name."""

_BOUNDS = ("lower", "upper")
_POINTS = ("target", "middle")


NORMALISERS: MappingProxyType[str, Normaliser] = MappingProxyType(
    {
        "min_max": min_max,
        "z_score": z_score,
        "scaled": scaled,
        "goalposts": goalposts,
        "adjusted": adjusted,
        "rank": rank_score,
        "percentile_rank": percentile_rank,
        "borda": borda,
        "distance_to_max": distance_to_max,
        "distance_to_reference": distance_to_reference,
        "distance_to_target": distance_to_target,
        "fraction_of_max": fraction_of_max,
        "normal_score": normal_score,
        "exponential": exponential,
        "none": unchanged,
    }
)
"""The normalisers by name."""


def normalise(
    x: ArrayLike,
    how: str | Normaliser = "min_max",
    *,
    directions: ArrayLike = 1,
    names: Sequence[str] | None = None,
    each: Mapping[str, Mapping[str, Any]] | None = None,
    reference: ArrayLike | None = None,
    units: Sequence[str] | None = None,
    **settings: Any,
) -> Floats:
    """Normalise every column of a table.

    Parameters
    ----------
    x
        (n_units, n_indicators) values in their own units, NaN = missing.
    how
        Name of one of `NORMALISERS`, or a function of (n_units,) values.
    directions
        (n_indicators,) +1 where a higher value is more of what the index measures, -1 where it is
        less; one number for all. Values are multiplied by it before they are normalised.
    names
        (n_indicators,) names, for `each` and for messages; positions if not given.
    each
        By name, settings for one indicator; with the key ``how`` it gets a method of its own, and
        none of the common settings.
    reference
        (n, n_indicators) values that what a method takes from the data is taken from, such as least
        and greatest; (n_years, n_units, n_indicators) for several years. Methods that take nothing
        do without.
    units
        (n_units,) names, among which ``distance_to_reference`` finds a unit that is named.
    **settings
        What the method takes; one value, or (n_indicators,) of them. `lower`, `upper`,
        `target` and `middle` are in the indicator's own units: for a direction of -1 they are
        turned with it.

    Returns
    -------
    ndarray
        (n_units, n_indicators) normalised values, higher = more.

    Raises
    ------
    DataError
        If `x` is no matrix or does not fit its names, directions or settings, a value is infinite,
        or an indicator cannot be normalised; it is named.
    UnknownNameError
        If there is no such method, the method has no such setting, or there is no such indicator as
        `each` names.

    Examples
    --------
    >>> normalise([[1.0, 10.0], [2.0, 30.0]], directions=[1, -1])
    array([[  0., 100.],
           [100.,   0.]])
    >>> normalise([[1.0], [2.0]], "goalposts", directions=[-1], lower=0, upper=10, scale=10)
    array([[9.],
           [8.]])
    """
    values, labels = labelled(x, names)
    n_columns = len(labels)
    base = None if reference is None else np.asarray(reference, dtype=np.float64)
    if base is not None and (base.ndim not in (2, 3) or base.shape[-1] != n_columns):
        raise DataError(f"reference of shape {base.shape}; expected (n, {n_columns})")
    signs = np.asarray(directions, dtype=np.float64)
    if signs.shape not in {(), (n_columns,)}:
        raise DataError(f"directions of shape {signs.shape}; expected one, or {n_columns}")
    signs = np.broadcast_to(signs, n_columns)
    for name in each or {}:
        if name not in labels:
            raise UnknownNameError("indicator", name, labels)
    out = np.empty((n_columns, len(values)))
    for j, (name, sign) in enumerate(zip(labels, signs, strict=True)):
        if abs(sign) != 1:
            raise DataError(f"{name}: direction {sign:g} found; expected 1 or -1")
        own = {key: _of_column(v, j, n_columns) for key, v in settings.items()}
        special = dict((each or {}).get(name, {}))
        method = special.pop("how", None)
        own = special if method is not None else own | special
        if isinstance(own.get("unit"), str):
            own["units"] = units
        which = how if method is None else method
        function = normaliser(which)
        try:
            if base is not None and takes_base(function):
                own["reference"] = base[..., j] * sign
            if isinstance(which, str):
                _known_settings(which, function, own)
            out[j] = function(values[:, j] * sign, **turned(own, sign))
        except DataError as error:
            raise DataError(f"{name}: {error}") from None
    return out.T


def _known_settings(name: str, function: Normaliser, settings: Mapping[str, Any]) -> None:
    """Refuse settings that a method does not take, or lacks."""
    taken = dict(list(inspect.signature(function).parameters.items())[1:])
    for key in settings:
        if key not in taken:
            raise UnknownNameError("setting", key, taken, f" of '{name}'")
    for key, parameter in taken.items():
        if parameter.default is inspect.Parameter.empty and key not in settings:
            raise DataError(f"'{name}' needs {key}")


def normaliser(how: str | Normaliser) -> Normaliser:
    """Look up a normaliser by name; a function is given back.

    Raises
    ------
    UnknownNameError
        If there is no such normaliser.

    Examples
    --------
    >>> normaliser("borda")([10.0, 30.0, 20.0])
    array([0., 2., 1.])
    """
    if not isinstance(how, str):
        return how
    if how not in NORMALISERS:
        raise UnknownNameError("normaliser", how, NORMALISERS)
    return NORMALISERS[how]


def takes_base(function: Normaliser) -> bool:
    """Say whether a normaliser can be fitted to other values than those it normalises.

    Those that take nothing from the data need no base, and so have none.

    Raises
    ------
    DataError
        If a function of one's own takes no `reference`: there is no way to hold it still.

    Examples
    --------
    >>> takes_base(min_max), takes_base(goalposts)
    (True, False)
    """
    if function in (scaled, goalposts, unchanged):
        return False
    if "reference" not in inspect.signature(function).parameters:
        name = getattr(function, "__name__", type(function).__name__)
        raise DataError(
            f"{name} takes no 'reference', so it cannot be fitted to a base; expected a function of "
            "values and, by name, reference"
        )
    return True


def _of_column(setting: Any, column: int, n_columns: int) -> Any:
    """Give one column's value of a setting that may be given for each."""
    if isinstance(setting, str) or np.ndim(setting) == 0:
        return setting
    if len(setting) != n_columns:
        raise DataError(f"{len(setting)} settings found; expected 1 or {n_columns}")
    return setting[column]


def turned(settings: Mapping[str, Any], sign: float) -> dict[str, Any]:
    """Turn settings that are in an indicator's own units to the direction of the index.

    Examples
    --------
    >>> turned({"lower": 0, "upper": 85, "scale": 100}, -1)
    {'lower': -85, 'upper': 0, 'scale': 100}
    """
    given = dict(settings)
    if sign == 1:
        return given
    for point in _POINTS:
        if given.get(point) is not None:
            given[point] = -given[point]
    if all(bound in given for bound in _BOUNDS):
        given["lower"], given["upper"] = -settings["upper"], -settings["lower"]
    return given
