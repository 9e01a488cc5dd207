"""COINr's tables at the door: cells to values, rows of iMeta to a checked framework and a tree."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from commonweal.errors import DataError, UnknownNameError
from commonweal.index.framework import Node
from commonweal.index.tables import polars_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import polars as pl

    from commonweal.index.types import Floats

__all__ = [
    "IN_TREE",
    "TYPES",
    "UNIT_COLUMNS",
    "Table",
    "as_numbers",
    "framework",
    "read_table",
    "tree_of",
]

Table: TypeAlias = Any
"""A path of a CSV file, or a table: Polars, pandas, or anything that narwhals reads."""

TYPES = ("Indicator", "Aggregate", "Group", "Denominator", "Other")
IN_TREE = TYPES[:2]
UNIT_COLUMNS = ("uCode", "uName", "Time")
_AS_GIVEN = ("iCode", "iName", "uCode", "uName")
_MISSING = ("", "NA", "NaN", "n/a")


def read_table(given: Table, what: str) -> pl.DataFrame:
    """Read a table, with null for what is missing."""
    import polars as pl

    if isinstance(given, (str, Path)):
        if not Path(given).is_file():
            raise DataError(f"{what}: there is no file {given}")
        try:
            table = pl.read_csv(given, infer_schema=False)
        except pl.exceptions.PolarsError as error:
            raise DataError(f"{what}: {given} is no CSV table ({error})") from None
    else:
        table = polars_of(given, what)
    texts = [c for c, kind in table.schema.items() if kind == pl.String]
    stripped = table.with_columns(pl.col(texts).str.strip_chars())
    given_as = [c for c in texts if c in _AS_GIVEN]
    return stripped.with_columns(
        pl.col(given_as).replace("", None),
        pl.col([c for c in texts if c not in _AS_GIVEN]).replace(dict.fromkeys(_MISSING)),
    )


def as_numbers(column: pl.Series, what: str, rows: Sequence[str]) -> Floats:
    """Give a column as float64, NaN for what is missing; or name the cell that is no number."""
    import polars as pl

    if column.dtype == pl.String:
        column = column.replace({"TRUE": "1", "FALSE": "0", "true": "1", "false": "0"})
    number = column.cast(pl.Float64, strict=False)
    wrong = (number.is_null() & column.is_not_null()) | number.is_infinite().fill_null(False)
    if wrong.any():
        at = int(wrong.arg_true()[0])
        raise DataError(
            f"{what}, {rows[at]}, column {column.name}: '{column[at]}' found; expected a number"
        )
    return number.fill_null(np.nan).to_numpy().astype(np.float64)


def framework(meta: pl.DataFrame) -> pl.DataFrame:
    """Check iMeta row by row and order it by level and parent."""
    import polars as pl

    for column in ("Level", "iCode", "Parent", "Direction", "Weight", "Type"):
        if column not in meta.columns:
            raise UnknownNameError("column", column, meta.columns, " in iMeta")
    codes = meta["iCode"].cast(pl.String)
    rows = [f"row {k} ('{code}')" for k, code in enumerate(codes, start=1)]
    meta = meta.with_columns(
        codes,
        pl.col("Parent", "Type").cast(pl.String),
        *(
            pl.Series(c, as_numbers(meta[c], "iMeta", rows)).fill_nan(None)
            for c in ("Level", "Direction", "Weight")
        ),
    )
    seen: set[str] = set()
    for where, row in zip(rows, meta.iter_rows(named=True), strict=True):
        code, kind = row["iCode"], row["Type"]

        def wrong(column: str, expected: str, where: str = where, row: Any = row) -> DataError:
            found = row[column]
            told = f"{found:g}" if isinstance(found, float) else found
            return DataError(
                f"iMeta, {where}, column {column}: "
                f"{'nothing' if found is None else repr(told)} found; expected {expected}"
            )

        if code is None or "/" in code or code in UNIT_COLUMNS:
            raise wrong("iCode", f"a code without a slash, and none of {', '.join(UNIT_COLUMNS)}")
        if code in seen:
            raise wrong("iCode", "each code once")
        seen.add(code)
        if kind not in TYPES:
            raise wrong("Type", f"one of: {', '.join(TYPES)}")
        if kind in IN_TREE:
            if row["Level"] is None or row["Level"] < 1 or row["Level"] % 1:
                raise wrong("Level", "a whole number from 1 up")
            if kind == "Indicator" and row["Direction"] not in (1, -1):
                raise wrong("Direction", "1 or -1")
            if kind == "Aggregate" and row["Direction"] not in (1, None):
                raise wrong("Direction", "1 (only indicators are turned)")
            if row["Weight"] is None or row["Weight"] <= 0:
                raise wrong("Weight", "a number above 0")
    ordered = meta.sort("Level", "Parent", nulls_last=True, maintain_order=True)
    return ordered.with_columns(pl.col("Level").cast(pl.Int64))


def tree_of(rows: Mapping[str, Mapping[str, Any]]) -> tuple[str, Node]:
    """Find the root, and make the tree below it."""
    inside = {code: row for code, row in rows.items() if row["Type"] in IN_TREE}
    children: dict[str, list[str]] = {c: [] for c in inside if inside[c]["Type"] == "Aggregate"}
    roots = []
    for code, row in inside.items():
        parent = row["Parent"]
        if parent is None:
            roots.append(code)
            continue
        if parent not in children:
            raise UnknownNameError("parent", parent, children, f" among the aggregates of '{code}'")
        children[parent].append(code)
        line = [code]
        while (above := inside[line[-1]]["Parent"]) in inside:
            if above in line:
                circle = " -> ".join([*line[line.index(above) :], above])
                raise DataError(f"iMeta, column Parent: {circle} is a circle; expected a tree")
            line.append(above)
        if inside[parent]["Level"] <= row["Level"]:
            raise DataError(
                f"iMeta, '{code}', column Level: {row['Level']} found; expected one below its "
                f"parent '{parent}', which is on {inside[parent]['Level']}"
            )
    if len(roots) != 1 or roots[0] not in children:
        found = ", ".join(f"'{r}'" for r in roots) or "none"
        raise DataError(f"iMeta, column Parent: roots found: {found}; expected one aggregate")
    for code, below in children.items():
        if not below:
            raise DataError(f"iMeta, '{code}': an aggregate without children; expected some")

    def node(code: str) -> Node:
        row = inside[code]
        common = {"label": row.get("iName") or code, "weight": row["Weight"]}
        if code not in children:
            return Node(indicator=code, **common)
        return Node(
            children={c: node(c) for c in children[code]},
            transform="none",
            aggregate="arithmetic",
            available=0.0,
            **common,
        )

    return roots[0], node(roots[0])
