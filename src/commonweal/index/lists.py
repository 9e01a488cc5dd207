"""What stands beside a table: numbers, codes, groups and names, one each, or a refusal."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from numbers import Real
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from numpy.typing import ArrayLike

from commonweal.errors import DataError, UnknownNameError
from commonweal.index.arguments import shown

if TYPE_CHECKING:
    from collections.abc import Collection, Hashable, Iterable

    from commonweal.index.types import Floats

__all__ = [
    "Weights",
    "by_name",
    "cells",
    "column",
    "columns",
    "directions_of",
    "groups_of",
    "keys",
    "listed",
    "missing",
    "numbers",
    "positions",
    "row_of",
    "said_of",
    "units_of",
    "weights_of",
]


Weights: TypeAlias = ArrayLike | Mapping[str, float] | None
"""Numbers one a child, in order or by name; None = every child counts alike."""


def column(
    x: ArrayLike, what: str, n: int | None = None, *, per: str = "unit", finite: bool = True
) -> Floats:
    """Take in one number for each of something.

    Parameters
    ----------
    x
        (n,) numbers; NaN, None and null = missing.
    what
        What they are, for messages.
    n
        How many there should be, if that is known.
    per
        What each belongs to, for messages.
    finite
        Whether infinities are refused.

    Raises
    ------
    DataError
        If they are no numbers, one is infinite, or they are not `n`.

    Examples
    --------
    >>> column([1, None], "scores")
    array([ 1., nan])
    >>> column([1.0, 2.0], "scores", 3)
    Traceback (most recent call last):
    commonweal.errors.DataError: scores: 2 found; expected 3, one for each unit
    """
    values = numbers(x if hasattr(x, "__array__") else listed(x, what))
    if values is None:
        values = cells(listed(x, what), f"{what}", None)
    if values.ndim != 1:
        raise DataError(f"{what} of shape {values.shape}; expected one number for each {per}")
    if n is not None and len(values) != n:
        raise DataError(f"{what}: {len(values):,} found; expected {n:,}, one for each {per}")
    if finite and np.isinf(values).any():
        at = int(np.isinf(values).argmax())
        raise DataError(f"{what}, row {at + 1}: an infinite value found; expected a number")
    return values


def columns(given: Mapping[str, ArrayLike], what: str, n: int | None = None) -> dict[str, Floats]:
    """Take in columns by name, all of one length; the first that does not fit is named.

    Examples
    --------
    >>> columns({"index": [1, 2], "place": [3, 4]}, "scores")["place"]
    array([3., 4.])
    """
    taken: dict[str, Floats] = {}
    for name, x in given.items():
        taken[name] = column(x, f"{what} of '{name}'", n)
        n = len(taken[name])
    return taken


def listed(given: Any, what: str) -> list[Any]:
    """Give a sequence of whatever library as a list; a single text is no sequence of letters here.

    Examples
    --------
    >>> listed(np.array(["A", "B"]), "units")
    ['A', 'B']
    """
    if isinstance(given, str | bytes | Mapping) or not hasattr(given, "__iter__"):
        raise DataError(f"{what}: {shown(given)} found; expected several, one each")
    for plain in ("tolist", "to_list", "to_pylist"):  # NumPy and pandas, Polars, Arrow
        if hasattr(given, plain):
            found: list[Any] = getattr(given, plain)()
            return found
    return list(given)


def units_of(units: Iterable[Any], n: int, what: str = "units") -> list[Any]:
    """Take in the codes of units: one each, and each once.

    Examples
    --------
    >>> units_of(["A", "A"], 2)
    Traceback (most recent call last):
    commonweal.errors.DataError: units: 'A' is there twice; expected each once
    """
    codes = listed(units, what)
    if len(codes) != n:
        raise DataError(f"{what}: {len(codes):,} found; expected {n:,}, one a row")
    if len(set(codes)) < n:
        twice = next(code for code, count in Counter(codes).items() if count > 1)
        raise DataError(f"{what}: {twice!r} is there twice; expected each once")
    for at, code in enumerate(codes):
        if missing(code):
            raise DataError(f"{what}: row {at + 1} has none; expected a code")
    return codes


def groups_of(groups: Iterable[Any], n: int, what: str = "groups") -> list[Hashable]:
    """Take in the group of each unit; None, NaN and null = none.

    Examples
    --------
    >>> groups_of(["north", float("nan")], 2)
    ['north', None]
    """
    given = [None if missing(group) else group for group in listed(groups, what)]
    if len(given) != n:
        raise DataError(f"{what}: {len(given):,} found; expected {n:,}, one for each unit")
    return given


def keys(
    given: Iterable[str], valid: Collection[str], kind: str = "indicator", where: str = ""
) -> None:
    """Refuse the keys of a mapping that mean nothing.

    Examples
    --------
    >>> keys({"pub": 1}, ["pubs", "halls"], where=" (with its own rule)")
    Traceback (most recent call last):
    commonweal.errors.UnknownNameError: indicator 'pub' not found (with its own rule); did you mean 'pubs'?
    """
    for key in given:
        if key not in valid:
            raise UnknownNameError(kind, str(key), map(str, valid), where)


def by_name(
    given: ArrayLike | Mapping[str, float],
    names: Sequence[str],
    what: str,
    default: float | None = None,
    *,
    per: str = "indicator",
) -> Floats:
    """Take in a number for each name: in their order, by name, or one for all.

    Parameters
    ----------
    given
        One number, (n,) numbers, or numbers by name.
    names
        (n,) names.
    what
        What they are, for messages.
    default
        For names that a mapping leaves out; none may be, if not given.
    per
        What each belongs to, for messages.

    Examples
    --------
    >>> by_name({"halls": -1}, ["pubs", "halls"], "directions", 1)
    array([ 1., -1.])
    """
    in_order: Any = given
    if isinstance(given, Mapping):
        keys(given, names, per, f" ({what})")
        for name in names:
            if name not in given and default is None:
                raise DataError(f"{what}: none for {per} '{name}'; expected one for each")
        in_order = [given.get(name, default) for name in names]
    elif isinstance(given, Real):
        in_order = np.full(len(names), float(given))
    return column(in_order, what, len(names), per=per)


def weights_of(
    given: ArrayLike | Mapping[str, float], names: Sequence[str], per: str = "child"
) -> Floats:
    """Take in weights: in order or by name, at least 0 each, and above 0 in total.

    Examples
    --------
    >>> weights_of({"crime": 1, "income": 3}, ["income", "crime"])
    array([3., 1.])
    """
    w = by_name(given, names, "weights", per=per)
    for name, weight in zip(names, w, strict=True):
        if not weight >= 0:
            raise DataError(f"{name}: weight {weight:g} found; expected a number of at least 0")
    if not w.sum() > 0:
        raise DataError("every weight is 0; expected a total above 0")
    return w


def directions_of(given: ArrayLike | Mapping[str, float], names: Sequence[str]) -> Floats:
    """Take in directions, 1 or -1 each: in order, by name (1 for those left out), or one for all.

    Examples
    --------
    >>> directions_of([1, 2], ["pubs", "halls"])
    Traceback (most recent call last):
    commonweal.errors.DataError: halls: direction 2 found; expected 1 or -1
    """
    signs = by_name(given, names, "directions", 1)
    for name, sign in zip(names, signs, strict=True):
        if abs(sign) != 1:
            raise DataError(f"{name}: direction {sign:g} found; expected 1 or -1")
    return signs


def positions(names: Sequence[str], wanted: Sequence[str], group: str) -> list[int]:
    """Find a group's indicators among the columns."""
    members = listed(wanted, f"group '{group}'")
    if not members:
        raise DataError(f"group '{group}' has no indicators; expected at least one")
    keys(members, names, where=f" (group '{group}')")
    at = {name: j for j, name in enumerate(names)}
    return [at[name] for name in members]


def row_of(unit: int | str, units: Sequence[Any] | None, n: int, kind: str = "unit") -> int:
    """Find a row by its position, or by its code.

    Examples
    --------
    >>> row_of("B", ["A", "B"], 2), row_of(1, None, 2)
    (1, 1)
    """
    if isinstance(unit, str):
        if units is None:
            raise DataError(f"{kind} '{unit}' is a code; expected the codes of all units too")
        keys([unit], units, kind)
        return list(units).index(unit)
    if not 0 <= unit < n:
        raise DataError(f"{kind} {unit} found; expected a position from 0 to {n - 1}")
    return int(unit)


def said_of(units: Sequence[Any] | None, row: int, kind: str = "unit") -> str:
    """Say which unit a row is, for a message: by its code, or by its number from 1.

    Examples
    --------
    >>> said_of(["A", "B"], 1), said_of(None, 1)
    ("unit 'B'", 'row 2')
    """
    return f"row {row + 1}" if units is None else f"{kind} '{units[row]}'"


def numbers(x: Any) -> Floats | None:
    """Give what is all numbers as float64, without a copy where it is so already; None if not."""
    try:
        given = np.asarray(x)
    except ValueError:
        raise DataError("rows of different lengths; expected as many values in each") from None
    if given.dtype.kind not in "fiub":
        return None
    if isinstance(x, np.ma.MaskedArray):
        return np.ma.filled(x.astype(np.float64), np.nan)
    return given.astype(np.float64, copy=False)


def cells(given: Iterable[Any], where: str, units: Sequence[Any] | None) -> Floats:
    """Give a column of anything as float64, or name the first that is no number."""
    found = list(given)
    values = np.empty(len(found))
    for i, cell in enumerate(found):
        if missing(cell):
            values[i] = np.nan
        elif isinstance(cell, str | bytes) or not hasattr(cell, "__float__"):
            raise DataError(f"{where}, {said_of(units, i)}: {cell!r} found; expected a number")
        else:
            values[i] = float(cell)
    return values


def missing(cell: Any) -> bool:
    """Say whether a cell holds nothing: None, NaN, or what pandas has for them."""
    # pandas has a missing value that is not equal, and not unequal, to itself.
    return cell is None or type(cell).__name__ in ("NAType", "NaTType") or bool(cell != cell)
