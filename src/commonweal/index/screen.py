"""Which units and indicators have enough data to stay."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

import numpy as np

from commonweal.errors import DataError
from commonweal.index.methods import Share, strict
from commonweal.index.tables import Matrix, keys, labelled, positions, result_frame, table

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import polars as pl
    from numpy.typing import NDArray

    from commonweal.index.tables import Floats

__all__ = [
    "Screen",
    "available",
    "available_by_group",
    "screen_indicators",
    "screen_units",
]

By: TypeAlias = Literal["available", "nonzero", "both"]


def available(x: Matrix) -> Floats:
    """Share of the indicators that each unit has.

    Parameters
    ----------
    x
        (n_units, n_indicators) values, NaN = missing.

    Returns
    -------
    ndarray
        (n_units,) float64, 0..1.

    Raises
    ------
    DataError
        If there is no indicator.

    Examples
    --------
    >>> available([[1.0, np.nan], [1.0, 2.0]])
    array([0.5, 1. ])
    """
    values, called = labelled(x)
    if not called:
        raise DataError("availability of 0 indicators; expected at least 1")
    return 1.0 - np.isnan(values).mean(axis=1)


def available_by_group(
    x: Matrix, names: Sequence[str] | None, groups: Mapping[str, Sequence[str]]
) -> dict[str, Floats]:
    """Share of the indicators that each unit has in each group of indicators.

    Parameters
    ----------
    x
        (n_units, n_indicators) values, NaN = missing.
    names
        (n_indicators,) names.
    groups
        By group (a node of the framework, say), the names of its indicators.

    Returns
    -------
    dict
        By group, (n_units,) float64, 0..1.

    Raises
    ------
    DataError
        If a group is empty.
    UnknownNameError
        If a group has an indicator that is not there.

    Examples
    --------
    >>> available_by_group([[1.0, np.nan, 3.0]], ["a", "b", "c"], {"first": ["a", "b"]})
    {'first': array([0.5])}
    """
    values, called = labelled(x, names)
    return {
        group: available(values[:, positions(called, of, group)]) for group, of in groups.items()
    }


@dataclass(frozen=True, slots=True)
class Screen:
    """What each unit (or indicator) has, and whether it stays; every field has one entry each.

    Attributes
    ----------
    names
        The units or indicators.
    n_missing, n_zero
        Values that are missing, and that are 0.
    available
        Share of the values that are there, 0..1.
    nonzero
        Share of those there that are not 0, 0..1; NaN where none is there.
    low_available, low_nonzero
        The share is below its threshold.
    kept
        Whether it stays, the forced ones included.
    """

    names: tuple[str, ...]
    n_missing: NDArray[np.int64]
    n_zero: NDArray[np.int64]
    available: Floats
    nonzero: Floats
    low_available: NDArray[np.bool_]
    low_nonzero: NDArray[np.bool_]
    kept: NDArray[np.bool_]

    def to_frame(self) -> pl.DataFrame:
        """Give a Polars frame with a row for each name, missing as null."""
        return result_frame(self, "name")


@strict
def screen_units(
    x: Matrix,
    units: Sequence[str] | None = None,
    available: Share = 2 / 3,
    nonzero: Share = 0.05,
    by: By = "available",
    force: Mapping[str, bool] | None = None,
) -> Screen:
    """Keep the units that have enough data.

    Parameters
    ----------
    x
        (n_units, n_indicators) values, NaN = missing.
    units
        (n_units,) codes or names; those of the table, if not given.
    available
        Smallest share of the indicators that a unit must have, 0..1.
    nonzero
        Smallest share of its values that must not be 0, 0..1. A unit with no values is low.
    by
        The rule that decides: ``available``, ``nonzero`` or ``both`` (each must be met).
    force
        Units that stay (True) or go (False) whatever the rule says.

    Returns
    -------
    Screen
        Index the rows by its `kept`.

    Raises
    ------
    DataError
        If a threshold is outside 0..1, a unit is there twice or has no code, or one is forced by
        anything but True and False.
    UnknownNameError
        If there is no such rule, or a forced unit is not there.

    Notes
    -----
    The defaults are COINr's; JRC's rule of thumb is 0.65 of the indicators.

    Examples
    --------
    >>> x = [[1.0, 2.0, 0.0], [np.nan, np.nan, 1.0]]
    >>> screen_units(x, ["Ashby", "Barton"]).kept
    array([ True, False])
    >>> screen_units(x, ["Ashby", "Barton"], force={"Barton": True}).kept
    array([ True,  True])
    """
    taken = table(x, units=units)
    return _screened(taken.values, taken.named_units, "unit", available, nonzero, by, force or {})


@strict
def screen_indicators(
    x: Matrix,
    names: Sequence[str] | None = None,
    available: Share = 2 / 3,
    nonzero: Share = 0.05,
    by: By = "available",
    force: Mapping[str, bool] | None = None,
) -> Screen:
    """Keep the indicators that enough units have: `screen_units`, turned round.

    Parameters and errors are those of `screen_units`, with the (n_indicators,) `names` in place of
    the units'; ask for the shares of units that must have a value.

    Examples
    --------
    >>> screen_indicators([[1.0, np.nan], [2.0, np.nan], [3.0, 4.0]], ["pubs", "halls"]).kept
    array([ True, False])
    """
    values, called = labelled(x, names)
    return _screened(values.T, called, "indicator", available, nonzero, by, force or {})


def _screened(
    values: Floats,
    names: Sequence[str],
    kind: str,
    available: float,
    nonzero: float,
    by: By,
    force: Mapping[str, bool],
) -> Screen:
    """Screen the rows of a table."""
    keys(force, names, kind, " (forced)")
    for name, stays in force.items():
        if not isinstance(stays, bool | np.bool_):
            raise DataError(f"force of '{name}': {stays!r} found; expected True or False")
    n_missing, n_zero = np.isnan(values).sum(axis=1), (values == 0).sum(axis=1)
    n_all = values.shape[1]
    there = n_all - n_missing
    share_there = there / max(n_all, 1)
    # Not 1 less the share of zeros, which for 8 of 10 is a hair below 0.2.
    share_nonzero = np.where(there > 0, (there - n_zero) / np.maximum(there, 1), np.nan)
    low_there, low_nonzero = share_there < available, ~(share_nonzero >= nonzero)
    kept = {
        "available": ~low_there,
        "nonzero": ~low_nonzero,
        "both": ~(low_there | low_nonzero),
    }[by].copy()
    at = {name: i for i, name in enumerate(names)}
    for name, stays in force.items():
        kept[at[name]] = stays
    return Screen(
        tuple(names),
        n_missing,
        n_zero,
        share_there,
        share_nonzero,
        low_there,
        low_nonzero,
        kept,
    )
