"""The microdata themselves: SPSS, Stata, CSV and Parquet, with their value labels."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import polars as pl

from commonweal.errors import DataError, UnknownNameError
from commonweal.given import note_given

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

__all__ = ["Microdata", "column_names", "read_columns"]

SUFFIXES = (".sav", ".zsav", ".dta", ".csv", ".parquet")


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
    try:
        if suffix == ".csv":
            return pl.read_csv(file, n_rows=0).columns
        if suffix == ".parquet":
            return list(pl.read_parquet_schema(file))
        return list(
            _labelled(suffix)(file, metadataonly=True, output_format="polars")[1].column_names
        )
    except Exception as error:  # each reader has errors of its own for a file that is broken
        raise _unreadable(file, error) from None


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
    there = column_names(file)
    for name in names:
        if name not in there:
            raise UnknownNameError("column", name, there, f" in {file.name}")
    note_given(file)
    suffix = _suffix(file)
    labels: dict[str, Mapping[Any, str]] = {}
    try:
        if suffix == ".csv":
            frame = pl.read_csv(file, columns=names, infer_schema_length=None)
        elif suffix == ".parquet":
            frame = pl.read_parquet(file, columns=names)
        else:
            # Without user_missing, the reader turns user-missing values into nulls.
            frame, about = _labelled(suffix)(file, usecols=names, output_format="polars")
            labels = {k: v for k, v in about.variable_value_labels.items() if k in names}
    except Exception as error:  # each reader has errors of its own for a file that is broken
        raise _unreadable(file, error) from None
    if not len(frame):
        raise DataError(f"{file}: it has no rows; expected one a respondent")
    return Microdata(frame.select(names).with_columns(pl.col(pl.String).replace("", None)), labels)


def _suffix(file: Path) -> str:
    suffix = file.suffix.lower()
    if suffix not in SUFFIXES:
        raise DataError(f"{file}: found a file of kind '{suffix}'; expected {', '.join(SUFFIXES)}")
    if not file.is_file():
        raise DataError(
            f"{file}: there is no such file; expected the microdata that the survey's 'file' names"
        )
    return suffix


def _labelled(suffix: str) -> Any:
    import pyreadstat

    return pyreadstat.read_dta if suffix == ".dta" else pyreadstat.read_sav


def _unreadable(file: Path, error: Exception) -> DataError:
    kind = {".sav": "SPSS", ".zsav": "SPSS", ".dta": "Stata", ".csv": "CSV", ".parquet": "Parquet"}
    reason = " ".join(str(error).split())[:200] or type(error).__name__
    return DataError(
        f"{file}: cannot be read as {kind[file.suffix.lower()]} (cut off, or of another kind?): {reason}"
    )
