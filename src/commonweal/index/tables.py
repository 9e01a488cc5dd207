"""Any table at the door: a matrix of float64 with a name for each column and row, or a refusal.

A table is an array, a list of lists, or a frame of Polars, pandas or Arrow. Text, infinities, names
or codes that are there twice, and lengths that do not fit are refused here, with the column, the
unit and the value, so that nothing behind the door has to look again.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from commonweal.errors import DataError
from commonweal.index.lists import cells, column, keys, listed, missing, numbers, said_of, units_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    import polars as pl
    from numpy.typing import ArrayLike, NDArray

    from commonweal.index.types import Floats

__all__ = [
    "Matrix",
    "Table",
    "cell_frame",
    "frame_of",
    "labelled",
    "lookup",
    "polars_of",
    "result_frame",
    "table",
]

Matrix: TypeAlias = Any
"""What `table` takes: an array, a list of lists, a frame of Polars, pandas or Arrow, or a `Table`."""

CODES = ("code", "unit", "ucode")
"""A column of text that is called so, capitals or not, holds the codes of the units."""


@dataclass(frozen=True, slots=True)
class Table:
    """Numbers by unit and column.

    Attributes
    ----------
    values
        (n_units, n_columns) float64, NaN = missing, never infinite. Not to be written to: it may
        be the caller's own.
    names
        (n_columns,) names, each once.
    units
        (n_units,) codes, each once; None if there are none.
    """

    values: Floats
    names: list[str]
    units: Sequence[str] | None

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
) -> Table:
    """Take a table in.

    Parameters
    ----------
    x
        (n_units, n_columns) numbers; NaN, None and null = missing. A frame brings its names, and
        its codes too: as a column of text called ``code``, ``unit`` or ``uCode``, or as the text
        index of a pandas frame.
    names
        (n_columns,) names. Those of a frame pick its columns and put them in order; an array
        without any has ``column 1`` and so on.
    units
        (n_units,) codes.
    what
        What a column is, for messages.

    Raises
    ------
    DataError
        If `x` is no table of numbers, a value is infinite, a name or code is there twice, or names
        or codes are not one each.
    UnknownNameError
        If a frame has no such column.

    Examples
    --------
    >>> import polars as pl
    >>> taken = table(pl.DataFrame({"code": ["A", "B"], "pubs": [3, None], "halls": [1, 2]}))
    >>> taken.values, taken.names, taken.units
    (array([[ 3.,  1.],
           [nan,  2.]]), ['pubs', 'halls'], ['A', 'B'])
    >>> table([[1.0], ["n/a"]], ["pubs"], ["A", "B"])
    Traceback (most recent call last):
    commonweal.errors.DataError: indicator 'pubs', unit 'B': 'n/a' found; expected a number
    """
    if isinstance(x, Table):  # taken in before
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
    return Table(_finite(values, called, codes, what), called, codes)


def labelled(x: Matrix, names: Sequence[str] | None = None) -> tuple[Floats, list[str]]:
    """Take a table in, and give its values and names.

    Examples
    --------
    >>> labelled([[1, 2], [3, 4]])[1]
    ['column 1', 'column 2']
    """
    taken = table(x, names)
    return taken.values, taken.names


def lookup(
    given: Mapping[str, ArrayLike] | Matrix, units: Sequence[str] | None = None
) -> tuple[Callable[[str], Floats], Sequence[str] | None]:
    """Make a function that gives a column by name, of columns by name or of a frame; and its codes.

    Examples
    --------
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

    Examples
    --------
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


def frame_of(x: Any) -> Any:
    """Give a frame as narwhals reads it; None for what is no frame.

    Raises
    ------
    DataError
        If a column is there twice, or it is a plan for a frame rather than one.
    """
    import narwhals as nw

    try:
        found = nw.from_native(x, pass_through=True)
        if isinstance(found, nw.LazyFrame):
            raise DataError(f"a {type(x).__name__} found; expected a table: collect it first")
        return found if isinstance(found, nw.DataFrame) else None
    except nw.exceptions.DuplicateError:
        twice = next(name for name, count in Counter(x.columns).items() if count > 1)
        raise DataError(f"column '{twice}' is there twice; expected each name once") from None


def polars_of(given: Any, what: str) -> pl.DataFrame:
    """Give a frame of any library as one of Polars.

    What a column of mixed kinds holds is taken as text; a text index of pandas is a column.

    Raises
    ------
    DataError
        If it is no frame.
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
) -> Table:
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
    return Table(_finite(values, called, codes, what), called, codes)


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
