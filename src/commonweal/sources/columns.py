"""Columns of a table that was read: their names and types checked, taken by name, without units of a spreadsheet."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from commonweal.errors import DataError, UnknownNameError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from pathlib import Path

    import polars as pl

    from commonweal.sources.catalogue import Reader, Source

    Progress = Callable[[str, int, int], None]


def check_columns(wanted: Sequence[str] | None, found: Iterable[str], source: Source) -> list[str]:
    """Check that the columns wanted are there, each once; return them, or all if none are named."""
    found = list(found)
    if wanted is None:
        check_names(found, source.called)
        return found
    check_names([name for name in found if name in wanted], source.called)
    if missing := [name for name in dict.fromkeys(wanted) if name not in found]:
        raise UnknownNameError.of_several("column", missing, found, f" in {source.called}")
    return list(dict.fromkeys(wanted))


def by_name(columns: Sequence[str]) -> pl.Expr:
    """Take columns by their names as they stand: ``*`` is a name and no pattern."""
    import polars.selectors as cs

    return cs.by_name(*columns)


def check_names(names: Iterable[str], where: str) -> None:
    """Refuse a name from ^ to $, which Polars takes for a pattern even in a column of its own."""
    for name in names:
        if name.startswith("^") and name.endswith("$"):
            raise DataError(f"{where}: found column '{name}'; expected no column name from ^ to $")


def check_types(table: pl.DataFrame, source: Source) -> None:
    """Refuse a column that nothing can be made of: lists, keys with values, durations or bytes."""
    import polars as pl

    kinds = {pl.List: "lists", pl.Array: "lists", pl.Struct: "keys with values"}
    kinds |= {pl.Duration: "durations", pl.Object: "objects", pl.Binary: "bytes"}
    for name, dtype in table.schema.items():
        if dtype.base_type() in kinds and not (name == "geometry" and dtype == pl.Binary):
            raise DataError(
                f"column '{name}' of {source.called} holds {kinds[dtype.base_type()]}; "
                "expected text, numbers, truths or dates"
            )


def plain(column: pl.Series) -> pl.Series:
    """Bring a column to the types that travel: one integer, one float, one string."""
    import polars as pl

    dtype = column.dtype
    if dtype.is_float():
        return column.cast(pl.Float64).fill_nan(None)
    if dtype.is_integer():
        whole = column.cast(pl.Int64, strict=False)
        return whole if whole.null_count() == column.null_count() else column.cast(pl.Float64)
    if dtype.is_decimal():
        return column.cast(pl.Float64)
    if isinstance(dtype, pl.Categorical | pl.Enum):
        return column.cast(pl.String)
    return column


#: Marks of 'missing' that programs write into columns of numbers.
_MISSING_IN_NUMBERS = ("NA", "NaN", "nan", "N/A", "#N/A")


_INTEGER = r"^[+-]?(?:0|[1-9][0-9]{0,17})$"


_NUMBER = r"^[+-]?(?:(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?|[iI]nf(?:inity)?)$"


_CODE_LIKE = r"^[+-]?0[0-9]"  # 007 is a code: as a number it would lose its zeros


def typed(column: pl.Series, reader: Reader, name: Path) -> pl.Series:
    """Turn a column of text into numbers or truths where every value is one."""
    import polars as pl

    column = column.cast(pl.String)
    empty = column.str.strip_chars().is_in(["", *reader.null_values])
    column = column.set(empty.fill_null(value=False), None)
    declared = reader.types.get(column.name)
    if declared == "string" or column.null_count() == column.len():
        return column
    plain = column.str.strip_chars()
    if reader.decimal == ",":
        # Exchanged, so that 1.234 is no number unless points are said to set thousands apart.
        plain = plain.str.replace_many([",", "."], [".", ","])
    if reader.thousands:
        plain = plain.str.replace_all(",", "")
    if declared is None and not _looks_plain(plain.drop_nulls().head(50)):
        return column
    truth = plain.str.to_lowercase()
    if declared in {None, "boolean"} and _all(truth.is_in(["true", "false"])):
        return truth == "true"
    number = plain.set(plain.is_in(_MISSING_IN_NUMBERS).fill_null(value=False), None)
    if number.null_count() == number.len():
        return column
    if declared in {None, "integer"} and _all(number.str.contains(_INTEGER)):
        return number.str.strip_prefix("+").cast(pl.Int64)
    fits = number.str.contains(_NUMBER)
    if declared is None and bool(number.str.contains(_CODE_LIKE).any()):
        return column
    if declared in {None, "float"} and _all(fits):
        return number.str.strip_prefix("+").cast(pl.Float64)
    if declared is not None:
        bad = number.filter(~(number.str.contains(_INTEGER) if declared == "integer" else fits))
        found = bad.drop_nulls().head(1).to_list() or truth.drop_nulls().head(1).to_list()
        raise DataError(
            f"{name}: column '{column.name}' is declared {declared}, found '{found[0]}'"
        )
    return column


def check_header(names: Sequence[str], name: Path) -> list[str]:
    """Check that the names of the columns differ; name the unnamed ones by their position."""
    names = [n or f"column_{i}" for i, n in enumerate(names, start=1)]
    twice = sorted(n for n, count in Counter(names).items() if count > 1)
    if twice:
        raise DataError(
            f"{name}: the column name '{twice[0]}' occurs {names.count(twice[0])} times; "
            "expected each once"
        )
    check_names(names, str(name))
    return names


def _all(values: pl.Series) -> bool:
    return bool(values.all())  # nulls do not count


def _looks_plain(sample: pl.Series) -> bool:
    """Whether the first values leave it open that the column is numbers or truths."""
    marks = [*_MISSING_IN_NUMBERS, *(m.lower() for m in ("true", "false"))]
    plain = sample.str.contains(_NUMBER) | sample.is_in(marks)
    return _all(plain | sample.str.to_lowercase().is_in(["true", "false"]))
