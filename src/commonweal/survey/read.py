"""Microdata from SPSS, Stata, CSV and Parquet, and their codes made outcomes and groups."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from commonweal.errors import DataError, UnknownNameError, nearest
from commonweal.files.extras import needs
from commonweal.files.inputs import is_there, record_input
from commonweal.sources.sandbox import explain_damage, in_subprocess

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from commonweal.survey.spec import Code, GroupSpec, OutcomeSpec


LABELLED = (".sav", ".zsav", ".dta")
SUFFIXES = (*LABELLED, ".csv", ".parquet")


@dataclass(frozen=True)
class Microdata:
    """Columns of a survey as they stand in the file."""

    frame: pl.DataFrame  # a row a respondent. User-missing values of SPSS are null.
    # by column, the value labels: code to text
    labels: Mapping[str, Mapping[Any, str]] = field(default_factory=dict)


def column_names(file: Path) -> list[str]:
    """Give the names of a file's columns, in its order."""
    suffix = _suffix(file)
    if suffix in LABELLED:
        return list(in_subprocess(_read_labelled, file, _wrong(file), columns=[])[1]["names"])
    with explain_damage(file, _wrong(file), hush=True):
        if suffix == ".csv":
            return pl.read_csv(file, n_rows=0).columns
        return list(pl.read_parquet_schema(file))


def read_columns(file: Path, columns: Sequence[str]) -> Microdata:
    """Read some columns of a file of SPSS, Stata, CSV or Parquet: values as stored, with their labels.

    Null are: empty text, the values that an SPSS file declares as missing, and Stata's ``.`` to ``.z``.
    """
    names = list(dict.fromkeys(columns))
    suffix = _suffix(file)
    labels: dict[str, Mapping[Any, str]] = {}
    if suffix in LABELLED:
        frame, about = in_subprocess(_read_labelled, file, _wrong(file), columns=names)
        labels = {name: dict(pairs) for name, pairs in about["labels"].items()}
    else:
        _check_there(names, column_names(file), file)
        if suffix == ".csv":
            with explain_damage(file, _wrong(file), hush=True):
                frame = pl.read_csv(file, columns=names, infer_schema_length=None)
        else:
            frame, _ = in_subprocess(_read_parquet, file, _wrong(file), columns=names)
    record_input(file)
    if not len(frame):
        raise DataError(f"{file}: it has no rows; expected one a respondent")
    for name, kind in frame.schema.items():
        if kind.is_nested() or kind in (pl.Binary, pl.Duration):
            raise DataError(f"{file}: column '{name}' holds {kind}; expected numbers or text")
    return Microdata(frame.select(names).with_columns(pl.col(pl.String).replace("", None)), labels)


def _read_parquet(file: Path, columns: list[str]) -> tuple[pl.DataFrame, None]:
    return pl.read_parquet(file, columns=columns), None


_MOST_PACKED = 1032
"""Bytes that zlib makes one of, at most: https://zlib.net/zlib_tech.html."""


def _read_labelled(file: Path, columns: Sequence[str]) -> tuple[pl.DataFrame, dict[str, Any]]:
    """Read columns of an SPSS or Stata file with their value labels; the names of all if none is asked for."""
    with needs("survey"):
        import pyreadstat

    read = pyreadstat.read_dta if file.suffix.lower() == ".dta" else pyreadstat.read_sav
    head = read(file, metadataonly=True, output_format="polars")[1]
    there = head.column_names
    if not columns:
        return pl.DataFrame(), {"names": there}
    _check_there(columns, there, file)
    _check_rows(file, head.number_rows or 0, len(there))
    # Without user_missing, the reader turns user-missing values into nulls.
    frame, about = read(file, usecols=list(columns), output_format="polars")
    labels = about.variable_value_labels
    return frame, {"labels": {c: list(labels[c].items()) for c in columns if c in labels}}


def _check_rows(file: Path, rows: int, columns: int) -> None:
    """Refuse more rows than the file can hold, a byte a value: the reader makes room for as many as it is told."""
    size = file.stat().st_size
    most = size * (_MOST_PACKED if file.suffix.lower() == ".zsav" else 1)
    if rows * columns > most:
        raise DataError(
            f"{file}: its head says {rows:,} rows of {columns:,} columns, which {size:,} bytes cannot hold; "
            "expected a whole file"
        )


def _check_there(names: Sequence[str], there: Sequence[str], file: Path) -> None:
    for name in names:
        if name not in there:
            raise UnknownNameError("column", name, there, f" in {file.name}")


def _suffix(file: Path) -> str:
    suffix = file.suffix.lower()
    if suffix not in SUFFIXES:
        raise DataError(f"{file}: found a file of kind '{suffix}'; expected {', '.join(SUFFIXES)}")
    if not is_there(file):
        raise DataError(
            f"{file}: there is no such file; expected the microdata that the survey's 'file' names"
        )
    return suffix


def _wrong(file: Path) -> str:
    kind = {".sav": "SPSS", ".zsav": "SPSS", ".dta": "Stata", ".csv": "CSV", ".parquet": "Parquet"}
    return f"cannot be read as {kind[file.suffix.lower()]} (cut off, or of another kind?)"


_WORDS = {True: ("yes", "true", "on"), False: ("no", "false", "off")}


def plain(column: pl.Series, labels: Mapping[Any, str]) -> tuple[pl.Series, dict[Any, str]]:
    """Give a column as numbers (float), truth values or text, with its labels by codes of that kind."""
    if column.dtype.is_numeric() or column.dtype == pl.Null:
        return column.cast(pl.Float64).fill_nan(None), {float(k): v for k, v in labels.items()}
    if column.dtype != pl.Boolean:
        column = column.cast(pl.String)
    return column, dict(labels)


def without_missing(
    column: pl.Series, labels: Mapping[Any, str], missing: Iterable[Code]
) -> pl.Series:
    """Make missing codes null; one that does not occur is no fault."""
    codes = [code for value in missing for code in _codes(column, labels, value)]
    return column.set(column.is_in(codes), None) if codes else column


def recode_outcome(
    column: pl.Series, labels: Mapping[Any, str], outcome: OutcomeSpec, where: str
) -> pl.Series:
    """Turn answers into numbers, 0 and 1 for a share; null stays null."""
    number: dict[Any, float] = {}
    given = list(outcome.recode.items())
    given += [(v, 0.0) for v in outcome.no] + [(v, 1.0) for v in outcome.yes]
    for value, to in given:
        for code in _codes(column, labels, value, where):
            if number.setdefault(code, to) != to:
                raise DataError(f"{where}: {value!r} is there twice, with different meanings")
    if not given:
        if column.dtype == pl.String:
            raise DataError(
                f"{where}: column '{outcome.column}' holds text such as {_first(column)!r}; "
                "expected numbers, or 'yes' or 'recode'"
            )
        return column.cast(pl.Float64)
    there = set(column.drop_nulls().unique())
    if not there & set(number):
        raise DataError(
            f"{where}: nobody answers {_list((v for v, _ in given), ' or ')} in column '{outcome.column}'; "
            f"it has {_list(labels.get(code, code) for code in sorted(there))}"
        )
    if outcome.yes and not outcome.no:
        return column.is_in(list(number)).cast(pl.Float64)
    unsaid = sorted(there - set(number))
    if unsaid:
        raise DataError(
            f"{where}: column '{outcome.column}' holds {_list(unsaid)}; expected each answer in "
            f"{'recode' if outcome.recode else 'yes or no'}, or missing"
        )
    return column.replace_strict(number, default=None, return_dtype=pl.Float64)


def recode_group(
    column: pl.Series, labels: Mapping[Any, str], group: GroupSpec, where: str
) -> pl.Series:
    """Turn answers into names of groups; null where there is none."""
    if group.bands:
        return _banded(column, group, where)
    if not group.values:
        return as_names(column, labels)
    name: dict[Any, str] = {}
    for label, values in group.values.items():
        for value in values:
            for code in _codes(column, labels, value, where):
                if name.setdefault(code, label) != label:
                    raise DataError(f"{where}: {value!r} is in '{name[code]}' and in '{label}'")
    made = column.replace_strict(name, default=None, return_dtype=pl.String)
    _nobody(group.values, made, where)
    return made


def group_levels(made: pl.Series, labels: Mapping[Any, str], group: GroupSpec) -> tuple[str, ...]:
    """Give the names of groups in the order that the file, its labels or the alphabet has them in."""
    there = set(made.drop_nulls())
    order = list(group.values) or _band_names(group.bands) or list(labels.values())
    return tuple(n for n in dict.fromkeys([*order, *sorted(there, key=_natural)]) if n in there)


def as_names(column: pl.Series, labels: Mapping[Any, str]) -> pl.Series:
    """Give values as their labels, and those without one as text."""
    text = as_text(column)
    if not labels:
        return text
    return column.replace_strict(dict(labels), default=text, return_dtype=pl.String)


def as_text(column: pl.Series) -> pl.Series:
    """Give values as text; whole numbers without a point."""
    whole = column.drop_nulls()
    if column.dtype.is_float() and ((whole % 1 == 0) & (whole.abs() < 2**53)).all():
        column = column.cast(pl.Int64)
    return column.cast(pl.String)


def _banded(column: pl.Series, group: GroupSpec, where: str) -> pl.Series:
    if column.dtype != pl.Float64:
        raise DataError(
            f"{where}: bands of column '{group.column}', which holds text such as {_first(column)!r}"
        )
    names = _band_names(group.bands)
    value = column.cast(pl.Float64).fill_null(-np.inf).to_numpy()
    band = np.searchsorted(group.bands, value, side="right")
    made = pl.Series([None, *names], dtype=pl.String).gather(band)
    _nobody(names, made, where)
    return made


def _band_names(bands: tuple[float, ...]) -> list[str]:
    """Name bands: 16 to 34 of whole numbers, 0.5 to under 1 of others."""
    whole = all(b == int(b) for b in bands)
    names = [
        f"{low:g} to {high - 1:g}" if whole else f"{low:g} to under {high:g}"
        for low, high in pairwise(bands)
    ]
    return [*names, f"{bands[-1]:g} or over"] if bands else []


def _nobody(names: Iterable[str], made: pl.Series, where: str) -> None:
    empty = [name for name in names if not (made == name).any()]
    if empty:
        raise DataError(
            f"{where}: no respondent is in group '{empty[0]}'; expected at least one in each group"
        )


def _codes(column: pl.Series, labels: Mapping[Any, str], value: Code, where: str = "") -> list[Any]:
    """Find the codes that a value of the file means: a code, a value label, or text as it stands."""
    if isinstance(value, bool) and column.dtype != pl.Boolean:
        said = [
            *labels.values(),
            *(column.unique().drop_nulls() if column.dtype == pl.String else ()),
        ]
        value = next((word for word in said if word.casefold() in _WORDS[value]), str(value))
    if isinstance(value, str):
        by_label = [code for code, label in labels.items() if label == value]
        if by_label:
            return by_label
        if column.dtype == pl.String and (not where or (column == value).any()):
            return [value]
        if not where:
            return []
        there = list(labels.values()) or (
            column.drop_nulls().unique().to_list() if column.dtype == pl.String else []
        )
        hint = (
            nearest(value, there)
            if there
            else f"column '{column.name}' has numbers without value labels"
        )
        raise DataError(f"{where}: answer {value!r} not found in column '{column.name}'; {hint}")
    if column.dtype == pl.String:
        return [str(int(value)) if value == int(value) else str(value)]
    if column.dtype == pl.Boolean:
        return [truth for truth in (True, False) if truth == value]
    return [float(value)]


def _natural(name: str) -> tuple[float, str]:
    """Sort numbers as numbers, before text."""
    try:
        return float(name), name
    except ValueError:
        return float("inf"), name


def _first(column: pl.Series) -> Any:
    return column.drop_nulls().first()


def _list(values: Iterable[Any], joined: str = ", ") -> str:
    some = [f"{v:.10g}" if isinstance(v, float) else str(v) for v in values]
    return joined.join(some[:8]) + (f" and {len(some) - 8} more" if len(some) > 8 else "")
