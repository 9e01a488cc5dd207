"""Counts to rates: indicators divided by populations, areas and the like."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from commonweal.errors import DataError
from commonweal.index import tables
from commonweal.index.arguments import Declared, Within
from commonweal.index.lists import keys

if TYPE_CHECKING:
    from collections.abc import Sequence

    from commonweal.index.tables import Matrix
    from commonweal.index.types import Floats

__all__ = ["denominate", "match_units"]

_PER = Declared(number=Within(0, above=True))


def denominate(
    x: Matrix,
    names: Sequence[str] | None,
    denominators: Matrix,
    denominator_names: Sequence[str] | None,
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
        The rate is per so many: one number, or by indicator of `by` (1 for those left out). 1,000
        makes people into per thousand people.
    units
        (n_units,) codes, for messages.

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
    taken = tables.table(x, names, units)
    other = tables.table(denominators, denominator_names, what="denominator")
    values, called, divisors, of = taken.values, taken.names, other.values, other.names
    if len(divisors) != len(values) or (
        None not in (taken.units, other.units) and taken.units != other.units
    ):
        raise DataError(
            f"denominators of {len(divisors):,} units for indicators of {len(values):,}; "
            "expected the same units (match_units puts them in order)"
        )
    keys(by, called, where=" (to denominate)")
    if isinstance(per, Mapping):
        keys(per, by, where=" (per; of those that are divided)")
    rates = values.copy()
    for name, denominator in by.items():
        keys([denominator], of, "denominator", f" (of '{name}')")
        scale = per.get(name, 1.0) if isinstance(per, Mapping) else per
        _PER.refuse(f"per of '{name}'", scale)
        j, divisor = called.index(name), divisors[:, of.index(denominator)]
        here = ~np.isnan(values[:, j])
        nothing = (divisor <= 0) & here
        if nothing.any():
            i = int(nothing.argmax())
            raise DataError(
                f"denominator '{denominator}' of '{name}' is {divisor[i]:g} for {taken.unit(i)}; "
                "expected a number above 0"
            )
        rates[here, j] = values[here, j] / (divisor[here] / scale)
    return rates


def match_units(
    table: Matrix,
    table_units: Sequence[str] | None,
    units: Sequence[str],
    what: str = "denominators",
) -> Floats:
    """Put the rows of a table into the order of the units.

    Parameters
    ----------
    table
        (n_rows, n_columns) values of more or other units.
    table_units
        (n_rows,) their codes; those of the table, if None.
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
    taken = tables.table(table, units=table_units)
    at = {unit: i for i, unit in enumerate(taken.named_units)}
    keys(units, at, "unit", f" among the {what}")
    return taken.values[[at[unit] for unit in units]]
