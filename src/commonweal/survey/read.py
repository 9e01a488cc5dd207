"""The microdata themselves: SPSS, Stata, CSV and Parquet, with their value labels."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import polars as pl

from commonweal.errors import DataError, UnknownNameError
from commonweal.files.given import is_there, note_given
from commonweal.sources.apart import apart
from commonweal.sources.damaged import reading

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

__all__ = ["Microdata", "column_names", "read_columns"]

LABELLED = (".sav", ".zsav", ".dta")
SUFFIXES = (*LABELLED, ".csv", ".parquet")


@dataclass(frozen=True)
class Microdata:
    """Columns of a survey as they stand in the file.

    Attributes
    ----------
    frame
        A row a respondent. User-missing values of SPSS are null.
    labels
        By column, the value labels: code to text.
    """

    frame: pl.DataFrame
    labels: Mapping[str, Mapping[Any, str]] = field(default_factory=dict)


def column_names(file: Path) -> list[str]:
    """Give the names of a file's columns, in its order.

    Parameters
    ----------
    file
        ``.sav``, ``.zsav``, ``.dta``, ``.csv`` or ``.parquet``.

    Raises
    ------
    DataError
        If it is not there, of another kind, or cannot be read.
    """
    suffix = _suffix(file)
    if suffix in LABELLED:
        return list(apart(_read_labelled, file, _wrong(file), columns=[])[1]["names"])
    with reading(file, _wrong(file), hush=True):
        if suffix == ".csv":
            return pl.read_csv(file, n_rows=0).columns
        return list(pl.read_parquet_schema(file))


def read_columns(file: Path, columns: Sequence[str]) -> Microdata:
    """Read some columns of a file.

    Parameters
    ----------
    file
        ``.sav``, ``.zsav``, ``.dta``, ``.csv`` or ``.parquet``.
    columns
        Which; in any order, once or more often.

    Returns
    -------
    Microdata
        The values as stored, with the value labels that SPSS and Stata keep beside them. Null are: empty text, the
        values that an SPSS file declares as missing, and Stata's ``.`` to ``.z``.

    Raises
    ------
    UnknownNameError
        On a column that is not there; the message names the nearest.
    DataError
        If the file is not there, is of another kind, cannot be read (cut off, for one) or has no rows.
    """
    names = list(dict.fromkeys(columns))
    suffix = _suffix(file)
    labels: dict[str, Mapping[Any, str]] = {}
    if suffix in LABELLED:
        frame, about = apart(_read_labelled, file, _wrong(file), columns=names)
        labels = {name: dict(pairs) for name, pairs in about["labels"].items()}
    else:
        _check_there(names, column_names(file), file)
        with reading(file, _wrong(file), hush=True):
            if suffix == ".csv":
                frame = pl.read_csv(file, columns=names, infer_schema_length=None)
            else:
                frame = pl.read_parquet(file, columns=names)
    note_given(file)
    if not len(frame):
        raise DataError(f"{file}: it has no rows; expected one a respondent")
    for name, kind in frame.schema.items():
        if kind.is_nested() or kind in (pl.Binary, pl.Duration):
            raise DataError(f"{file}: column '{name}' holds {kind}; expected numbers or text")
    return Microdata(frame.select(names).with_columns(pl.col(pl.String).replace("", None)), labels)


def _read_labelled(file: Path, columns: Sequence[str]) -> tuple[pl.DataFrame, dict[str, Any]]:
    """Read columns of an SPSS or Stata file with their value labels; the names of all if none is asked for."""
    import pyreadstat

    read = pyreadstat.read_dta if file.suffix.lower() == ".dta" else pyreadstat.read_sav
    there = read(file, metadataonly=True, output_format="polars")[1].column_names
    if not columns:
        return pl.DataFrame(), {"names": there}
    _check_there(columns, there, file)
    # Without user_missing, the reader turns user-missing values into nulls.
    frame, about = read(file, usecols=list(columns), output_format="polars")
    labels = about.variable_value_labels
    return frame, {"labels": {c: list(labels[c].items()) for c in columns if c in labels}}


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
