"""Formulas of a study: SQL expressions over the columns of a table, or over other indicators."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from commonweal.errors import StudyError, UnknownNameError

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["check_columns", "evaluate", "names_in"]


def names_in(formula: str, of: str) -> list[str]:
    """Give the names that a formula uses, each once, in the order of the alphabet.

    Parameters
    ----------
    formula
        An SQL expression, such as ``(a + b) / 2`` or ``CASE WHEN "Group" = 10 THEN 1 ELSE 0 END``.
    of
        Whose it is, for messages.

    Raises
    ------
    StudyError
        If it is not an expression, or names nothing.

    Examples
    --------
    >>> names_in('LEAST("Amount Awarded", 500000)', "grants")
    ['Amount Awarded']
    """
    names = sorted(set(_expression(formula, of).meta.root_names()))
    if not names:
        raise StudyError(f"{of}: formula '{formula}' names no column; expected at least one")
    return names


def evaluate(formula: str, table: pl.DataFrame, of: str, where: str) -> pl.Series:
    """Work a formula out, row by row.

    Parameters
    ----------
    formula
        An SQL expression.
    table
        The columns that it may name.
    of, where
        Whose it is, and what the table is called, for messages.

    Returns
    -------
    polars.Series
        Float64; null where a value that it needs is missing. A division by 0 gives null.

    Raises
    ------
    UnknownNameError
        If it names a column that is not there.
    StudyError
        If it is not an expression that gives one number a row.
    DataError
        If a result is infinite.
    """
    check_columns(names_in(formula, of), table.columns, of, where)
    try:
        found = table.select(_expression(formula, of).cast(pl.Float64).alias("value"))["value"]
    except pl.exceptions.PolarsError as error:
        raise StudyError(
            f"{of}: formula '{formula}' cannot be worked out: {_first(error)}"
        ) from None
    if len(found) != len(table):
        raise StudyError(
            f"{of}: formula '{formula}' gives {len(found):,} numbers for {len(table):,} rows; expected "
            "one a row (no sums or means over rows: 'add: true' adds the rows of an area)"
        )
    # 0 / 0 is NaN and x / 0 infinite; neither is a number an area can have.
    return found.replace([float("inf"), float("-inf")], None).fill_nan(None)


def check_columns(names: Iterable[str], there: Iterable[str], of: str, where: str) -> None:
    """Refuse a name that is not there."""
    there = list(there)
    for name in names:
        if name not in there:
            raise UnknownNameError(f"{of}: column", name, there, f" in {where}")


def _expression(formula: str, of: str) -> pl.Expr:
    try:
        return pl.sql_expr(formula)
    except pl.exceptions.PolarsError as error:
        raise StudyError(
            f"{of}: formula '{formula}' is not an expression: {_first(error)} "
            '(names with spaces stand in double quotes: "Amount Awarded")'
        ) from None


def _first(error: Exception) -> str:
    return str(error).strip().splitlines()[0]
