"""An index as COINr's two tables have it: iMeta, the framework, and iData, the units."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from commonweal.errors import DataError, UnknownNameError
from commonweal.index.framework import Node
from commonweal.index.tables import polars_of
from commonweal.sources.sandbox import reason_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import polars as pl

    from commonweal.index.tables import Floats


__all__ = [
    "Coin",
    "lineage",
    "parameter",
    "read_coin_tables",
]


FrameLike: TypeAlias = Any
"""A path of a CSV file, or a table: Polars, pandas, or anything that narwhals reads."""

TYPES = ("Indicator", "Aggregate", "Group", "Denominator", "Other")
IN_TREE = TYPES[:2]
UNIT_COLUMNS = ("uCode", "uName", "Time")
_AS_GIVEN = ("iCode", "iName", "uCode", "uName")
_MISSING = ("", "NA", "NaN", "n/a")


def read_table(given: FrameLike, what: str) -> pl.DataFrame:
    """Read a table, with null for what is missing."""
    import polars as pl

    if isinstance(given, (str, Path)):
        if not Path(given).is_file():
            raise DataError(f"{what}: there is no file {given}")
        try:
            table = pl.read_csv(given, infer_schema=False)
        except pl.exceptions.PolarsError as error:
            raise DataError(f"{what}: {given} is no CSV table ({reason_of(error)})") from None
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


@dataclass(frozen=True, slots=True)
class Coin:
    """A framework and the data of its units.

    Attributes
    ----------
    index
        Code of the root.
    tree
        The framework. Its leaves are named like their indicators and its nodes take the arithmetic
        mean of what is there, with no transform: normalise first.
    meta
        iMeta, ordered by level and parent as COINr orders it (rows alike in both stay in order).
    units, unit_names
        (n_units,) codes, in ascending order, and names (the codes, where there are none).
    names
        (n_indicators,) codes of the indicators, in the order of iData's columns.
    values
        (n_units, n_indicators) in the indicators' own units, NaN = missing.
    directions
        (n_indicators,) 1 or -1.
    groups
        By group, (n_units,) the one that each unit is in; None = missing.
    denominator_names, denominators
        (n_denominators,) codes, and (n_units, n_denominators) values.
    by
        By indicator that is to be divided, its denominator.
    """

    index: str
    tree: Node
    meta: pl.DataFrame
    units: tuple[str, ...]
    unit_names: tuple[str, ...]
    names: tuple[str, ...]
    values: Floats
    directions: Floats
    groups: Mapping[str, tuple[str | None, ...]]
    denominator_names: tuple[str, ...]
    denominators: Floats
    by: Mapping[str, str]

    @property
    def labels(self) -> dict[str, str]:
        """Name for readers by code of every indicator and aggregate."""
        return {path.rsplit("/", 1)[-1]: node.label for path, node in self.tree.walk(self.index)}

    @property
    def weights(self) -> dict[str, float]:
        """Weight by code of every indicator and aggregate."""
        return {path.rsplit("/", 1)[-1]: node.weight for path, node in self.tree.walk(self.index)}

    @property
    def targets(self) -> Floats:
        """(n_indicators,) targets in the indicators' own units, NaN where there is none."""
        return parameter(self, "Target")


def read_coin_tables(idata: FrameLike, imeta: FrameLike, time: object = None) -> Coin:
    """Read an index from COINr's two tables.

    Parameters
    ----------
    idata, imeta
        Paths of CSV files, or tables.
    time
        Which ``Time`` of a panel; needed where a unit is there more than once.

    Returns
    -------
    Coin
        Units in ascending order of their codes, so that the order of the rows does not matter.

    Raises
    ------
    DataError
        If a column is missing; a code is there twice, empty or has a slash; a type, level,
        direction (1 or -1) or weight (above 0) is not valid; the tree has a circle, no root or two,
        or an aggregate without children; a value is no finite number; or a column of iData has no
        row in iMeta.
    UnknownNameError
        If a parent, denominator, column of an indicator or `time` is not there.

    Examples
    --------
    >>> import polars as pl
    >>> imeta = pl.DataFrame({"Level": [1, 1, 2], "iCode": ["pubs", "crime", "Place"],
    ...                       "Parent": ["Place", "Place", None], "Direction": [1, -1, 1],
    ...                       "Weight": [2, 1, 1], "Type": ["Indicator", "Indicator", "Aggregate"]})
    >>> idata = pl.DataFrame({"uCode": ["B", "A"], "pubs": [1, 2], "crime": [3.5, None]})
    >>> coin = read_coin_tables(idata, imeta)
    >>> coin.units, coin.directions, coin.tree.weights
    (('A', 'B'), array([ 1., -1.]), {'pubs': 2.0, 'crime': 1.0})
    """
    import polars as pl

    meta = framework(read_table(imeta, "iMeta"))
    rows = {row["iCode"]: row for row in meta.iter_rows(named=True)}
    of_type = {t: [c for c, row in rows.items() if row["Type"] == t] for t in TYPES}
    index, tree = tree_of(rows)
    data = _units(read_table(idata, "iData"), time)
    for code in (c for t in TYPES if t not in ("Aggregate", "Other") for c in of_type[t]):
        if code not in data.columns:
            kind = str(rows[code]["Type"]).lower()
            raise UnknownNameError(kind, code, data.columns, " among the columns of iData")
    for column in data.columns:
        if column not in rows and column not in UNIT_COLUMNS:
            raise DataError(
                f"iData, column {column}: it has no row in iMeta; expected one "
                "(with Type Other, if it is to be left out)"
            )
    by = {}
    for code in of_type["Indicator"]:
        if (divisor := rows[code].get("Denominator")) is not None:
            if divisor not in of_type["Denominator"]:
                raise UnknownNameError(
                    "denominator", str(divisor), of_type["Denominator"], f" (iMeta, '{code}')"
                )
            by[code] = str(divisor)
    names = tuple(c for c in data.columns if c in of_type["Indicator"])
    units = data["uCode"].to_list()

    def matrix(wanted: Sequence[str]) -> Floats:
        columns = [as_numbers(data[c], "iData", [f"unit '{u}'" for u in units]) for c in wanted]
        return np.column_stack(columns) if columns else np.empty((len(units), 0))

    said = data["uName"].to_list() if "uName" in data.columns else [None] * len(units)
    return Coin(
        index,
        tree,
        meta,
        tuple(units),
        tuple(n or u for n, u in zip(said, units, strict=True)),
        names,
        matrix(names),
        np.array([float(rows[n]["Direction"]) for n in names]),
        {g: tuple(data[g].cast(pl.String).to_list()) for g in of_type["Group"]},
        tuple(of_type["Denominator"]),
        matrix(of_type["Denominator"]),
        by,
    )


def parameter(coin: Coin, column: str) -> Floats:
    """Give a column of iMeta for each indicator, as `commonweal.index.normalise` takes it.

    Parameters
    ----------
    coin
        From `read_coin_tables`.
    column
        Such as ``Target`` or ``goalpost_lower``; ``TRUE`` is 1 and ``FALSE`` is 0.

    Returns
    -------
    ndarray
        (n_indicators,) float64, NaN = missing.

    Raises
    ------
    UnknownNameError
        If iMeta has no such column.
    DataError
        If a value of it is no number.
    """
    import polars as pl

    if column not in coin.meta.columns:
        raise UnknownNameError("column", column, coin.meta.columns, " in iMeta")
    ordered = pl.DataFrame({"iCode": list(coin.names)}).join(
        coin.meta, on="iCode", how="left", maintain_order="left"
    )
    return as_numbers(ordered[column], "iMeta", [f"'{n}'" for n in coin.names])


def lineage(coin: Coin, levels: Sequence[str] | None = None) -> pl.DataFrame:
    """List every indicator with its parents.

    Parameters
    ----------
    coin
        From `read_coin_tables`.
    levels
        (n_levels,) names of the levels, the indicators' first; ``Level 1`` and so on if not given.

    Returns
    -------
    polars.DataFrame
        A column a level, codes; null where an indicator has nothing on a level. Ordered from the
        root down, by code, capitals and small letters alike.
    """
    import polars as pl

    inside = coin.meta.filter(pl.col("Type").is_in(IN_TREE))
    parent = dict(zip(inside["iCode"], inside["Parent"], strict=True))
    level = dict(zip(inside["iCode"], inside["Level"].cast(pl.Int64), strict=True))
    n_levels = max(level.values())
    called = [f"Level {k + 1}" for k in range(n_levels)] if levels is None else list(levels)
    if len(called) != n_levels:
        raise DataError(f"{len(called)} names for {n_levels} levels")
    table: dict[str, list[str | None]] = {name: [] for name in called}
    for indicator in coin.names:
        at: str | None = indicator
        line: dict[int, str] = {}
        while at is not None:
            line[level[at]], at = at, parent[at]
        for k, name in enumerate(called, start=1):
            table[name].append(line.get(k))
    return pl.DataFrame(table, schema=dict.fromkeys(called, pl.String)).sort(
        [pl.col(c).str.to_lowercase() for c in called[::-1]]
    )


def _units(data: pl.DataFrame, time: object) -> pl.DataFrame:
    """Check the units, take one time of a panel, and order the rows by code."""
    import polars as pl

    if "uCode" not in data.columns:
        raise UnknownNameError("column", "uCode", data.columns, " in iData")
    data = data.with_columns(pl.col("uCode").cast(pl.String))
    if time is not None:
        if "Time" not in data.columns:
            raise UnknownNameError("column", "Time", data.columns, " in iData")
        times = data["Time"].cast(pl.String)
        if str(time) not in times:
            raise UnknownNameError("time", str(time), times.drop_nulls().unique(), " in iData")
        data = data.filter(times == str(time))
    nameless = data["uCode"].is_null()
    if nameless.any():
        raise DataError(f"iData, row {int(nameless.arg_true()[0]) + 1}: it has no uCode")
    twice = data.filter(data["uCode"].is_duplicated())
    if twice.height:
        panel = "; a panel: say which 'time'" if "Time" in data.columns and time is None else ""
        raise DataError(f"iData, column uCode: '{twice['uCode'][0]}' is there twice{panel}")
    return data.sort("uCode")
