"""Columns of a table that was read: their names and types checked, taken by name, without units of a spreadsheet."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from commonweal.errors import DataError, UnknownNameError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from pathlib import Path

    import polars as pl
    from polars.selectors import Selector

    from commonweal.sources.catalogue import Reader, Reading, Source

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


def check_declared(found: Iterable[str], source: Source) -> None:
    """Check that each column whose type the user declares is there: a slip would leave its type to be guessed."""
    from commonweal.sources.catalogue import OWN_FILE

    found = list(found)
    missing = [name for name in source.reader.types if name not in found]
    if missing and source.publisher == OWN_FILE:
        raise UnknownNameError.of_several(
            "column", missing, found, f" in {source.called} ('types')"
        )


def by_name(columns: Sequence[str]) -> Selector:
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
MISSING_IN_NUMBERS = ("NA", "NaN", "nan", "N/A", "#N/A")


_INTEGER = r"^[+-]?(?:0|[1-9][0-9]{0,17})$"


_NUMBER = r"^[+-]?(?:(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?|[iI]nf(?:inity)?)$"


_GROUPED = r"^[+-]?[0-9]{1,3}(?:,[0-9]{3})+(?:\.[0-9]*)?$"


_CODE_LIKE = r"^[+-]?0[0-9]"  # 007 is a code: as a number it would lose its zeros


_DECLARED = {"integer": _INTEGER, "float": _NUMBER, "boolean": "^(?:true|false)$"}


_MANY = 100_000
"""Rows from which on columns are looked at one by one: what is made of them on the way takes memory."""


def typed(table: pl.DataFrame, reader: Reader, name: Path) -> pl.DataFrame:
    """Turn columns of text into numbers or truths where every value is one.

    All columns are asked at once: where rows are few, to ask takes most of the time.
    """
    import polars as pl

    if table.height > _MANY and table.width > 1:
        return pl.DataFrame([typed(c.to_frame(), reader, name).to_series() for c in table])
    declared, every = reader.types, pl.all()

    def those(of: pl.DataFrame, said: pl.Expr, *kinds: str | None) -> list[str]:
        """Name the columns declared as one of some kinds of which something is true."""
        asked = [c for c in of.columns if declared.get(c) in kinds]
        told = of.select(by_name(asked)).select(said).to_dicts() if asked else []
        return [c for c in asked if told[0][c]]

    def emptied(of: pl.DataFrame, missing: pl.Expr) -> pl.DataFrame:
        return of.select(pl.when(~missing.fill_null(value=False)).then(every))

    table = emptied(table.cast(pl.String), every.str.strip_chars().is_in(["", *reader.null_values]))
    given, known = every.is_not_null().any(), ("boolean", "integer", "float")
    texts = table.select(by_name(those(table, given, None, *known)))
    texts = texts.select(unpunctuated(every, reader))
    texts = texts.select(
        by_name([*those(texts, _looks_plain(every), None), *those(texts, given, *known)])
    )
    truths = texts.select(every.str.to_lowercase())
    truth = those(truths, every.is_in(["true", "false"]).all(), None, "boolean")
    numbers = emptied(texts.drop(by_name(truth)), every.is_in(MISSING_IN_NUMBERS))
    numbers = numbers.select(by_name(those(numbers, given, None, *known)))
    whole = those(numbers, every.str.contains(_INTEGER).all(), None, "integer")
    others = numbers.drop(by_name(whole))
    others = others.drop(by_name(those(others, every.str.contains(_CODE_LIKE).any(), None)))
    fits = those(others, every.str.contains(_NUMBER).all(), None, "float")
    for column in others.drop(by_name(fits)):
        if wanted := declared.get(column.name):
            of = truths[column.name] if wanted == "boolean" else column
            row = int((~of.str.contains(_DECLARED[wanted])).arg_true()[0])
            raise DataError(
                f"{name}: column '{column.name}' is declared {wanted}, found "
                f"'{table[column.name][row]}' (row {row + 1:,})"
            )
    unsigned = every.str.strip_prefix("+")
    return table.with_columns(
        *truths.select(by_name(truth)).select(every == "true"),
        *numbers.select(by_name(whole)).select(unsigned.cast(pl.Int64)),
        *numbers.select(by_name(fits)).select(unsigned.cast(pl.Float64)),
    )


def unpunctuated(text: pl.Expr, reader: Reading) -> pl.Expr:
    """Write text that is numbers with points before the decimals, and no marks between thousands.

    A mark that stands elsewhere than the reader says stays, so that the text is no number: 1,20 is none where commas
    set thousands apart.
    """
    import polars as pl

    text = text.str.strip_chars()
    if reader.decimal == ",":
        # Exchanged, so that 1.234 is no number unless points are said to set thousands apart.
        text = text.str.replace_many([",", "."], [".", ","])
    if reader.thousands:
        grouped = text.str.contains(_GROUPED)
        text = pl.when(grouped).then(text.str.replace_all(",", "")).otherwise(text)
    return text


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


def _looks_plain(column: pl.Expr) -> pl.Expr:
    """Whether the first values leave it open that a column is numbers or truths."""
    sample = column.drop_nulls().head(50)
    marks = [*MISSING_IN_NUMBERS, "true", "false"]
    plain = sample.str.contains(_NUMBER) | sample.is_in(marks)
    return (plain | sample.str.to_lowercase().is_in(["true", "false"])).all()
