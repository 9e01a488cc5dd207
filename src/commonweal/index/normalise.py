"""Every indicator of a table made comparable: the normalisers by name, and one pass over columns.

A normaliser takes (n_units,) values, higher = more (of what is measured: in a study, need), and
gives an array of the same shape and direction, NaN where a value is missing. Those that keep the
distances between values are in `commonweal.index.scales`, those that go by order alone in
`commonweal.index.rank_transforms`; any function of that signature will do.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from numbers import Real
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from commonweal.errors import DataError
from commonweal.index.methods import name_of
from commonweal.index.rank_transforms import (
    borda,
    exponential,
    normal_score,
    percentile_rank,
    rank_score,
)
from commonweal.index.scales import (
    adjusted,
    distance_to_max,
    distance_to_reference,
    distance_to_target,
    fraction_of_max,
    goalposts,
    min_max,
    refuse_posts,
    scaled,
    unchanged,
    z_score,
)
from commonweal.index.tables import Floats, Matrix, column, directions_of, keys, table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike

    from commonweal.index.methods import MethodSpec

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
    x: Matrix,
    how: MethodSpec = "min_max",
    *,
    directions: ArrayLike | Mapping[str, int] = 1,
    names: Sequence[str] | None = None,
    each: Mapping[str, MethodSpec] | None = None,
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
        Name of one of `NORMALISERS`, alone or with settings (``{"min_max": {"low": 1}}``), or a
        function of (n_units,) values.
    directions
        +1 where a higher value is more of what the index measures, -1 where it is less: for each
        indicator, in order or by name (+1 for those left out), or one for all. Values are
        multiplied by it before they are normalised.
    names
        (n_indicators,) names, for `each` and for messages; positions if not given.
    each
        By name, a method for one indicator, as `how` has it or as ``{"how": "z_score", "sd": 10}``:
        it gets none of the common settings. Or only settings, in addition to these.
    reference
        (n, n_indicators) values that what a method takes from the data is taken from, such as least
        and greatest; (n_years, n_units, n_indicators) for several years. Methods that take nothing
        do without.
    units
        (n_units,) codes, among which ``distance_to_reference`` finds a unit that is named; those of
        the table, if not given.
    **settings
        What the method takes; one value, or one for each indicator: in order, or by name (those
        left out take the method's own). `lower`, `upper`,
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
    taken = table(x, names, units)
    values, labels = taken.values, taken.names
    base = None if reference is None else np.asarray(reference, dtype=np.float64)
    if base is not None and (base.ndim not in (2, 3) or base.shape[-1] != len(labels)):
        raise DataError(f"reference of shape {base.shape}; expected (n, {len(labels)})")
    signs = directions_of(directions, labels)
    keys(each or {}, labels)
    common, common_settings = _method(how)
    out = np.empty((len(labels), len(values)))
    for j, (name, sign) in enumerate(zip(labels, signs, strict=True)):
        which, own = _method((each or {}).get(name, {}))
        if which is None:
            which = "min_max" if common is None else common
            for key, setting in {**common_settings, **settings}.items():
                own = {**_of_column(key, setting, name, labels), **own}
        function = normaliser(which)
        if isinstance(own.get("unit"), str):
            own["units"] = taken.units
        try:
            if base is not None and takes_base(function):
                own["reference"] = base[..., j] * sign
            _known_settings(name_of(which), function, own, name)
            found = function(values[:, j] * sign, **turned(own, sign))
            out[j] = column(found, f"what {name_of(which)} gives", len(values))
        except DataError as error:
            raise DataError(f"{name}: {error}") from None
    return out.T


def _method(how: Any) -> tuple[str | Normaliser | None, dict[str, Any]]:
    """Tell a method, if there is one, from its settings."""
    if not isinstance(how, Mapping):
        return how, {}
    if "how" in how:
        return how["how"], {key: value for key, value in how.items() if key != "how"}
    if len(how) == 1 and isinstance(settings := next(iter(how.values())), Mapping):
        return next(iter(how)), dict(settings)
    return None, dict(how)


def _known_settings(
    method: str, function: Normaliser, settings: Mapping[str, Any], indicator: str
) -> None:
    """Refuse settings that a method does not take, or lacks."""
    taken = dict(list(inspect.signature(function).parameters.items())[1:])
    if any(p.kind is p.VAR_KEYWORD for p in taken.values()):
        return
    keys(settings, taken, "setting", f" of '{method}' (for '{indicator}')")
    for key, parameter in taken.items():
        if parameter.default is parameter.empty and key not in settings:
            raise DataError(f"'{method}' needs {key}")


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
    keys([how], NORMALISERS, "normaliser")
    return NORMALISERS[how]


def takes_base(function: Normaliser) -> bool:
    """Say whether a normaliser can be fitted to other values than those it normalises.

    Those that take nothing from the data need no base, and so have none.

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


def _of_column(key: str, setting: Any, name: str, names: Sequence[str]) -> dict[str, Any]:
    """Give one column's value of a setting that may be given for each; none if it has none."""
    if isinstance(setting, Mapping):
        keys(setting, names, where=f" ({key})")
        return {key: setting[name]} if name in setting else {}
    if isinstance(setting, str) or np.ndim(setting) == 0:
        return {key: setting}
    if len(setting) != len(names):
        raise DataError(f"{key}: {len(setting)} found; expected 1 or {len(names)}")
    return {key: setting[names.index(name)]}


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
        if isinstance(given.get(point), Real):  # what is no number is refused where it is used
            given[point] = -given[point]
    if all(bound in given for bound in _BOUNDS):
        refuse_posts(settings["lower"], settings["upper"])  # as they were given
        given["lower"], given["upper"] = -settings["upper"], -settings["lower"]
    return given
