"""Any table at the door: a matrix of float64 with names, and the columns that go with it, or a refusal."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from numbers import Real
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from commonweal.errors import DataError, UnknownNameError
from commonweal.files.frames import frame_of
from commonweal.index.methods import shown

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Hashable, Iterable, Sequence

    import polars as pl


__all__ = [
    "Matrix",
    "NamedMatrix",
    "WeightsLike",
    "by_name",
    "cell_frame",
    "cells",
    "column",
    "columns",
    "directions_of",
    "groups_of",
    "keys",
    "labelled",
    "listed",
    "lookup",
    "missing",
    "numbers",
    "polars_of",
    "positions",
    "result_frame",
    "row_of",
    "said_of",
    "table",
    "units_of",
    "weights_of",
]


Floats: TypeAlias = NDArray[np.float64]


WeightsLike: TypeAlias = ArrayLike | Mapping[str, float] | None
"""Numbers one a child, in order or by name; None = every child counts alike."""


def column(
    x: ArrayLike, what: str, n: int | None = None, *, per: str = "unit", finite: bool = True
) -> Floats:
    """Take in one number for each of something.

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
    """Take in columns by name, all of one length; the first that does not fit is named."""
    taken: dict[str, Floats] = {}
    for name, x in given.items():
        taken[name] = column(x, f"{what} of '{name}'", n)
        n = len(taken[name])
    return taken


def listed(given: Any, what: str) -> list[Any]:
    """Give a sequence of whatever library as a list; a single text is no sequence of letters here.

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
    """Take in the group of each unit; None, NaN and null = none."""
    given = [None if missing(group) else group for group in listed(groups, what)]
    if len(given) != n:
        raise DataError(f"{what}: {len(given):,} found; expected {n:,}, one for each unit")
    return given


def keys(
    given: Iterable[str], valid: Collection[str], kind: str = "indicator", where: str = ""
) -> None:
    """Refuse the keys of a mapping that mean nothing.

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
    """Take in directions, 1 or -1 each: in order, by name (1 for those left out), or one for all."""
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


Matrix: TypeAlias = Any
"""What `table` takes: an array, a list of lists, a frame of Polars, pandas or Arrow, or a `NamedMatrix`."""

CODES = ("code", "unit", "ucode")
"""A column of text that is called so, capitals or not, holds the codes of the units."""


@dataclass(frozen=True, slots=True)
class NamedMatrix:
    """Numbers by unit and column."""

    # (n_units, n_columns) float64, NaN = missing, never infinite. Not to be written to: it may be the caller's own.
    values: Floats
    names: list[str]  # (n_columns,) names, each once
    units: Sequence[str] | None  # (n_units,) codes, each once; None if there are none

    @property
    def unit_codes(self) -> tuple[str, ...] | None:
        """The codes as a result keeps them."""
        return None if self.units is None else tuple(self.units)

    @property
    def named_units(self) -> list[str]:
        """The codes; a `DataError` where there are none."""
        if self.units is None:
            raise DataError("no codes of the units; expected 'units', or a table that has them")
        return list(self.units)

    def place(self, cells: NDArray[np.bool_]) -> str:
        """Say where the first of some cells is, for a message."""
        row, at = (int(k) for k in np.argwhere(cells)[0])
        return f"'{self.names[at]}', {self.unit(row)}"

    def unit(self, row: int) -> str:
        """Say which unit a row is, for a message."""
        return said_of(self.units, row)


def table(
    x: Matrix,
    names: Sequence[str] | None = None,
    units: Sequence[str] | None = None,
    *,
    what: str = "indicator",
) -> NamedMatrix:
    """Take a table in.

    >>> import polars as pl
    >>> taken = table(pl.DataFrame({"code": ["A", "B"], "pubs": [3, None], "halls": [1, 2]}))
    >>> taken.values, taken.names, taken.units
    (array([[ 3.,  1.],
           [nan,  2.]]), ['pubs', 'halls'], ['A', 'B'])
    >>> table([[1.0], ["n/a"]], ["pubs"], ["A", "B"])
    Traceback (most recent call last):
    commonweal.errors.DataError: indicator 'pubs', unit 'B': 'n/a' found; expected a number
    """
    if isinstance(x, NamedMatrix):  # taken in before
        known = names is None and units is None
        return x if known else table(x.values, names or x.names, units or x.units, what=what)
    frame = None if isinstance(x, np.ndarray | list | tuple) else frame_of(x)
    if frame is not None:
        return _of_frame(frame, names, units, what)
    values = numbers(x)
    shape = np.shape(x) if values is None else values.shape
    if len(shape) != 2:
        found = f"{len(shape)} dimensions" if shape else f"a {type(x).__name__}"
        raise DataError(f"{_several(what)} in {found}; expected units x {_several(what)}")
    called = _called(names, shape[1], what)
    codes = None if units is None else units_of(units, shape[0])
    if values is None:
        objects = np.array(x, dtype=object)
        values = np.column_stack(
            [cells(c, f"{what} '{n}'", codes) for n, c in zip(called, objects.T, strict=True)]
            or [np.empty((shape[0], 0))]
        )
    return NamedMatrix(_finite(values, called, codes, what), called, codes)


def labelled(x: Matrix, names: Sequence[str] | None = None) -> tuple[Floats, list[str]]:
    """Take a table in, and give its values and names.

    >>> labelled([[1, 2], [3, 4]])[1]
    ['column 1', 'column 2']
    """
    taken = table(x, names)
    return taken.values, taken.names


def lookup(
    given: Mapping[str, ArrayLike] | Matrix, units: Sequence[str] | None = None
) -> tuple[Callable[[str], Floats], Sequence[str] | None]:
    """Make a function that gives a column by name, of columns by name or of a frame; and its codes.

    >>> lookup({"pubs": [1, 2]})[0]("pubs")
    array([1., 2.])
    """
    by_name = given
    if not isinstance(given, Mapping):
        taken = table(given, units=units)
        by_name, units = dict(zip(taken.names, taken.values.T, strict=True)), taken.units

    def find(name: str) -> Floats:
        keys([name], by_name)
        return column(by_name[name], f"'{name}'")

    return find, units


def result_frame(result: Any, kind: str = "indicator") -> pl.DataFrame:
    """Lay out a result that has `names` (of a kind) and, for each, an entry in every other field.

    >>> from commonweal.index import describe
    >>> result_frame(describe.describe([[1.0], [3.0]], ["pubs"])).columns[:4]
    ['indicator', 'min', 'q25', 'median']
    """
    import polars as pl

    columns = {f.name: getattr(result, f.name) for f in fields(result) if f.name != "names"}
    return pl.DataFrame({kind: list(result.names), **columns}).fill_nan(None)


def cell_frame(result: Any, columns: Sequence[str]) -> pl.DataFrame:
    """Lay out a result about cells, with positions in `unit` and `indicator`, by code and name."""
    import polars as pl

    rows, places = result.unit.tolist(), result.indicator.tolist()
    called = {
        "unit": [f"row {i + 1}" if result.units is None else result.units[i] for i in rows],
        "indicator": [result.names[j] for j in places],
    }
    texts = dict.fromkeys(called, pl.String)
    return pl.DataFrame(
        {**called, **{name: getattr(result, name) for name in columns}}, schema_overrides=texts
    ).fill_nan(None)


def polars_of(given: Any, what: str) -> pl.DataFrame:
    """Give a frame of any library as one of Polars.

    What a column of mixed kinds holds is taken as text; a text index of pandas is a column.
    """
    import narwhals as nw
    import polars as pl

    try:
        frame = frame_of(given)
    except DataError as error:
        raise DataError(f"{what}: {error}") from None
    if frame is None:
        raise DataError(f"{what}: {type(given).__name__} found; expected a path or a table")
    index = nw.maybe_get_index(frame)
    coded = [] if index is None else [code for code in index if isinstance(code, str)]
    apart = {str(index.name or "unit"): coded} if index is not None and coded else {}
    mixed = [name for name, kind in frame.schema.items() if kind == nw.Object]
    if not mixed and not apart:
        return frame.to_polars()
    columns = {**apart, **{name: frame[name].to_list() for name in frame.columns}}
    for name in mixed:
        columns[name] = [None if missing(cell) else str(cell) for cell in columns[name]]
    return pl.DataFrame(columns, strict=False)


def _of_frame(
    frame: Any, names: Sequence[str] | None, units: Sequence[str] | None, what: str
) -> NamedMatrix:
    import narwhals as nw

    by_column = {str(series.name): series for series in frame.iter_columns()}
    if len(by_column) < len(frame.columns):
        raise DataError("two columns have names that read the same; expected each name once")
    texts = (nw.String, nw.Categorical, nw.Enum, nw.Object)
    coded = [n for n, s in by_column.items() if n.lower() in CODES and s.dtype in texts]
    index = nw.maybe_get_index(frame)
    own = by_column[coded[0]] if coded else index
    codes = None
    if own is not None and (coded or all(isinstance(code, str) for code in own)):
        codes = units_of(own.to_list() if coded else own, len(frame), "codes of the table")
    if units is not None:
        given = units_of(units, len(frame))
        if codes is not None and given != codes:
            at = next(
                i for i, pair in enumerate(zip(given, codes, strict=True)) if len(set(pair)) > 1
            )
            raise DataError(
                f"units: {given[at]!r} found for row {at + 1}, whose code in the table is "
                f"{codes[at]!r}; expected the codes of the table, or none"
            )
        codes = given
    called = [n for n in by_column if n not in coded[:1]]
    if names is not None:
        wanted = _called(names, None, what)
        keys(wanted, called, what, " among the columns")
        called = wanted
    numeric = [by_column[n].dtype.is_numeric() for n in called]
    if all(numeric) and called == list(frame.columns):
        values = np.asarray(frame.to_numpy(), dtype=np.float64)
    else:
        values = np.empty((len(frame), len(called)), order="F")
        for j, name in enumerate(called):
            values[:, j] = (
                by_column[name].to_numpy()
                if numeric[j]
                else cells(by_column[name].to_list(), f"{what} '{name}'", codes)
            )
    return NamedMatrix(_finite(values, called, codes, what), called, codes)


def _several(what: str) -> str:
    return "children" if what == "child" else f"{what}s"


def _called(names: Iterable[Any] | None, n: int | None, what: str) -> list[str]:
    if names is None:
        return [f"column {j + 1}" for j in range(n or 0)]
    called = [str(name) for name in listed(names, "names")]
    if n is not None and len(called) != n:
        raise DataError(f"{len(called)} names for {n} {_several(what)}")
    if len(set(called)) < len(called):
        twice = next(name for name, count in Counter(called).items() if count > 1)
        raise DataError(f"{what} '{twice}' is there twice; expected each name once")
    return called


def _finite(values: Floats, names: Sequence[str], units: Sequence[Any] | None, what: str) -> Floats:
    infinite = np.isinf(values)
    if infinite.any():
        i, j = (int(k) for k in np.argwhere(infinite)[0])
        raise DataError(
            f"{what} '{names[j]}' has infinite values, the first in {said_of(units, i)}; expected "
            "numbers, NaN where one is missing"
        )
    return values
