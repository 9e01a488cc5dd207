"""Counts to rates: indicators divided by populations, areas and the like."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from commonweal.errors import DataError, UnknownNameError
from commonweal.index.describe import labelled

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike

    from commonweal.index.rank import Floats

__all__ = ["denominate", "match_units"]


def denominate(
    x: ArrayLike,
    names: Sequence[str],
    denominators: ArrayLike,
    denominator_names: Sequence[str],
    by: Mapping[str, str],
    per: float | Mapping[str, float] = 1.0,
    units: Sequence[str] | None = None,
) -> Floats:
    """Divide indicators by denominators: ``x / (denominator / per)``.

    Parameters
    ----------
    x
        (n_units, n_indicators) values, NaN = missing.
    names
        (n_indicators,) names.
    denominators
        (n_units, n_denominators) of the same units in the same order (`match_units` makes them so).
    denominator_names
        (n_denominators,) names.
    by
        By indicator, its denominator; the indicators that it leaves out stay as they are.
    per
        The rate is per so many: one number, or by indicator (1 for those left out). 1,000 makes
        people into per thousand people.
    units
        (n_units,) names, for messages.

    Returns
    -------
    ndarray
        (n_units, n_indicators); NaN where the value or its denominator is missing.

    Raises
    ------
    UnknownNameError
        If an indicator or denominator is not there.
    DataError
        If a denominator of a value is 0 or less, `per` is not above 0, or the tables do not fit.

    Notes
    -----
    COINr's ``Denominate`` lets a denominator of 0 through as an infinite rate; here it is an error.

    Examples
    --------
    >>> denominate([[12.0]], ["pubs"], [[6000.0]], ["people"], {"pubs": "people"}, per=1000)
    array([[2.]])
    """
    values, called = labelled(x, names)
    divisors, of = labelled(denominators, denominator_names)
    if len(divisors) != len(values):
        raise DataError(
            f"denominators of {len(divisors):,} units for indicators of {len(values):,}; "
            "expected the same units (match_units puts them in order)"
        )
    if units is not None and len(units) != len(values):
        raise DataError(f"{len(units):,} names for {len(values):,} units")
    scales = per if isinstance(per, Mapping) else dict.fromkeys(by, float(per))
    rates = values.copy()
    for given, what in ((by, "to denominate"), (scales, "per")):
        for name in given:
            if name not in called:
                raise UnknownNameError("indicator", name, called, f" ({what})")
    for name, denominator in by.items():
        if denominator not in of:
            raise UnknownNameError("denominator", denominator, of, f" (of '{name}')")
        scale = scales.get(name, 1.0)
        if not scale > 0 or np.isinf(scale):
            raise DataError(f"per {scale:g} for '{name}'; expected a number above 0")
        j, divisor = called.index(name), divisors[:, of.index(denominator)]
        nothing = (divisor <= 0) & ~np.isnan(values[:, j])
        if nothing.any():
            i = int(nothing.argmax())
            where = f"'{units[i]}'" if units is not None else f"{i + 1}"
            raise DataError(
                f"denominator '{denominator}' of '{name}' is {divisor[i]:g} for unit {where}; "
                "expected a number above 0"
            )
        here = ~np.isnan(values[:, j])
        rates[here, j] = values[here, j] / (divisor[here] / scale)
    return rates


def match_units(
    table: ArrayLike, table_units: Sequence[str], units: Sequence[str], what: str = "denominators"
) -> Floats:
    """Put the rows of a table into the order of the units.

    Parameters
    ----------
    table
        (n_rows, n_columns) values of more or other units.
    table_units
        (n_rows,) their codes.
    units
        (n_units,) the codes wanted.
    what
        What the table holds, for messages.

    Returns
    -------
    ndarray
        (n_units, n_columns).

    Raises
    ------
    UnknownNameError
        If a unit is not in the table.
    DataError
        If a unit is there twice, or the codes do not fit the table.

    Examples
    --------
    >>> match_units([[1.0], [2.0]], ["A", "B"], ["B"])
    array([[2.]])
    """
    rows, _ = labelled(table)
    if len(table_units) != len(rows):
        raise DataError(f"{what}: {len(table_units):,} codes for {len(rows):,} rows")
    at: dict[str, int] = {}
    for i, unit in enumerate(table_units):
        if unit in at:
            raise DataError(f"{what}: unit '{unit}' is there twice; expected each once")
        at[unit] = i
    for unit in units:
        if unit not in at:
            raise UnknownNameError("unit", unit, at, f" among the {what}")
    return rows[[at[unit] for unit in units]]
