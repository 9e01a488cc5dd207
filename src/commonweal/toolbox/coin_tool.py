"""An index as the JRC's COIN Tool keeps it: one Excel workbook, filled in by hand.

The layout that is read is that of version 1 (2019), cell for cell what COINr's ``import_coin_tool``
reads; it has not been tried on a workbook of the tool itself, of which we have none:

====================  ==============================================================
sheet Database        columns E to CY, one an indicator
====================  ==============================================================
row 7                 weight, above 0
row 8                 direction, 1 or -1
rows 9, 10            goalposts, lower and upper (may be empty)
row 11                code of the index, ``Index``
rows 12, 13, 14       codes of sub-index (``si.``), pillar (``p.``), sub-pillar (``sp.``)
rows 15, 16           name and code of the indicator
rows 17 to 315        units: B their name, C their code, from E on their values
====================  ==============================================================

Sheet Framework, rows 5 to 53: column C the code of each aggregate, E its weight, H its name (editions
before 2019 begin a row lower). A level on which all indicators have the same code is not used (the
index itself apart), ``--`` and ``n/a`` are empty, and so is a cell with an Excel error. Columns and
rows without a value are room that the tool leaves; what stands outside that room is not read, but
for units and indicators, which are an error there.

Source: Becker et al. (2019), COIN Tool User Guide, EUR 29899 EN, doi:10.2760/523877.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from commonweal.errors import DataError, UnknownNameError
from commonweal.files.extras import needs
from commonweal.sources.sandbox import explain_damage
from commonweal.sources.tabular import NO_EXCEL, check_workbook
from commonweal.toolbox.coin import Coin, read_coin_tables

if TYPE_CHECKING:
    from collections.abc import Sequence

    import polars as pl

__all__ = ["read_coin_tool"]

_SHEETS = ("Database", "Framework")
_EMPTY = ("", "--", "n/a")
_NAME, _CODE, _FIRST = 1, 2, 4  # columns B, C and E
_WEIGHT, _DIRECTION, _LOWER, _UPPER = 6, 7, 8, 9  # rows 7 to 10
_ABOVE = (13, 12, 11, 10)  # rows 14 to 11: sub-pillar, pillar, sub-index, index
_LABEL, _INDICATOR, _UNITS = 14, 15, 16
_END_COLUMN, _END_ROW, _END_FRAMEWORK = 103, 315, 53  # the first beyond: CZ, row 316, row 54
_AGGREGATE = (2, 4, 7)  # columns C, E and H of Framework
_PREFIXES = ("sp.", "p.", "si.", "Index")


@dataclass(frozen=True, slots=True)
class _Sheet:
    """Cells of a sheet as text by row and column, both from 0."""

    name: str
    cells: dict[int, list[str | None]]
    n_rows: int

    def text(self, row: int, column: int) -> str | None:
        values = self.cells.get(column, [])
        value = (values[row] or "").strip() if row < len(values) else ""
        return None if value in _EMPTY else value

    def number(self, row: int, column: int) -> float | None:
        value = self.text(row, column)
        try:
            return None if value is None else float(value)
        except ValueError:
            at = f"{self.name}!{_letters(column)}{row + 1}"
            raise DataError(f"{at}: '{value}' found; expected a number") from None


def read_coin_tool(path: str | Path) -> Coin:
    """Read an index from a workbook of the COIN Tool.

    Parameters
    ----------
    path
        The workbook, ``.xlsx`` or ``.xlsm``; macros are not run.

    Returns
    -------
    Coin
        Goalposts, where there are any, are columns ``goalpost_lower`` and ``goalpost_upper`` of its
        `meta` (see `commonweal.toolbox.coin.parameter`).

    Raises
    ------
    DataError
        If it is no workbook, a cell is no number where one is expected, an indicator has a name and
        no values, a unit has values and no code, a unit or indicator stands outside the tool's room,
        an aggregate has two parents or is in the sheet Framework twice, or the framework is not
        valid (`commonweal.toolbox.coin.read_coin_tables`).
    UnknownNameError
        If a sheet is missing, or an aggregate is not in the sheet Framework.
    """
    database, framework = _load(path)
    _nothing_beyond(database)
    columns = [c for c in sorted(database.cells) if _FIRST <= c < _END_COLUMN]
    rows = range(_UNITS, min(database.n_rows, _END_ROW))
    values = {c: [database.number(r, c) for r in rows] for c in columns}
    used = [c for c in columns if any(v is not None for v in values[c])]
    for c in columns:
        if c not in used and (name := database.text(_LABEL, c)) is not None:
            code = database.text(_INDICATOR, c) or name
            raise DataError(
                f"Database!{_letters(c)}{_UNITS + 1}: indicator '{code}' ({name}) has no values"
            )
    if not used:
        raise DataError(f"Database!E{_UNITS + 1}: no indicator has a value")
    kept = [k for k in range(len(rows)) if any(values[c][k] is not None for c in used)]
    for k in kept:
        if database.text(_UNITS + k, _CODE) is None:
            raise DataError(f"Database!C{_UNITS + k + 1}: a unit has values and no code")
    codes = [_required(database, _INDICATOR, c) for c in used]
    return read_coin_tables(
        _idata(database, kept, codes, [values[c] for c in used]),
        _imeta(database, framework, used, codes),
    )


def _nothing_beyond(database: _Sheet) -> None:
    """Refuse units and indicators that the tool has no room for, rather than leave them out."""
    below = range(_END_ROW, database.n_rows)
    columns = [c for c in database.cells if c >= _FIRST]
    for row in below:
        if database.text(row, _CODE) and any(database.text(row, c) for c in columns):
            raise DataError(
                f"Database!C{row + 1}: unit '{database.text(row, _CODE)}' found; the tool has room "
                f"for units up to row {_END_ROW}"
            )
    for column in (c for c in columns if c >= _END_COLUMN):
        if code := database.text(_INDICATOR, column):
            raise DataError(
                f"Database!{_letters(column)}{_INDICATOR + 1}: indicator '{code}' found; the tool "
                f"has room for indicators up to column {_letters(_END_COLUMN - 1)}"
            )


def _idata(
    database: _Sheet,
    kept: list[int],
    codes: list[str],
    values: Sequence[Sequence[float | None]],
) -> pl.DataFrame:
    """Lay the units out as COINr's iData."""
    import polars as pl

    if len(set(codes)) < len(codes):
        twice = next(c for c in codes if codes.count(c) > 1)
        raise DataError(f"Database, row 16: '{twice}' is there twice; expected each code once")
    named = {
        "uCode": [database.text(_UNITS + k, _CODE) for k in kept],
        "uName": [database.text(_UNITS + k, _NAME) for k in kept],
    }
    data = {c: [column[k] for k in kept] for c, column in zip(codes, values, strict=True)}
    return pl.DataFrame(named | data, schema_overrides=dict.fromkeys(codes, pl.Float64))


def _imeta(
    database: _Sheet, framework: _Sheet, columns: list[int], codes: list[str]
) -> pl.DataFrame:
    """Lay indicators and aggregates out as COINr's iMeta."""
    import polars as pl

    *lower, index = ([database.text(row, c) for c in columns] for row in _ABOVE)
    levels = [level for level in lower if len(set(level)) > 1] + [index]
    lines = [dict(enumerate(level, start=2)) for level in zip(*levels, strict=True)]
    parents: dict[str, str | None] = {}
    level_of: dict[str, int] = {}
    rows = []
    for column, code, line in zip(columns, codes, lines, strict=True):
        above = {level: a for level, a in line.items() if a is not None}
        chain = [code, *above.values()]
        for child, parent in zip(chain, [*chain[1:], None], strict=True):
            if parents.setdefault(child, parent) != parent:
                raise DataError(
                    f"Database!{_letters(column)}11:{_letters(column)}14: '{child}' is in "
                    f"'{parent}' here and in '{parents[child]}' before; expected one parent"
                )
        level_of |= {a: level for level, a in above.items()}
        rows.append(
            {
                "Level": 1,
                "iCode": code,
                "iName": database.text(_LABEL, column),
                "Parent": chain[1] if len(chain) > 1 else None,
                "Direction": database.number(_DIRECTION, column),
                "Weight": database.number(_WEIGHT, column),
                "Type": "Indicator",
                "goalpost_lower": database.number(_LOWER, column),
                "goalpost_upper": database.number(_UPPER, column),
            }
        )
    said = _aggregates(framework)
    for code, level in level_of.items():
        if code not in said:
            raise UnknownNameError("aggregate", code, said, " in the sheet Framework")
        name, weight = said[code]
        whole = 1.0 if weight is None and parents[code] is None else weight
        rows.append(
            {"Level": level, "iCode": code, "iName": name, "Parent": parents[code],
             "Weight": whole, "Type": "Aggregate"}
        )  # fmt: skip
    numbers = dict.fromkeys(
        ("Direction", "Weight", "goalpost_lower", "goalpost_upper"), pl.Float64()
    )
    return pl.DataFrame(rows, schema_overrides=numbers, infer_schema_length=None)


def _aggregates(framework: _Sheet) -> dict[str, tuple[str | None, float | None]]:
    """Give name and weight by code of aggregate."""
    code_at, weight_at, name_at = _AGGREGATE
    found: dict[str, tuple[str | None, float | None]] = {}
    for row in range(min(framework.n_rows, _END_FRAMEWORK)):
        code, name = framework.text(row, code_at), framework.text(row, name_at)
        if code is not None and name is not None and code.startswith(_PREFIXES):
            if code in found:
                raise DataError(f"Framework!C{row + 1}: '{code}' is there twice; expected it once")
            found[code] = name, framework.number(row, weight_at)
    return found


def _required(sheet: _Sheet, row: int, column: int) -> str:
    found = sheet.text(row, column)
    if found is None:
        raise DataError(f"{sheet.name}!{_letters(column)}{row + 1}: empty; expected a code")
    return found


def _letters(column: int) -> str:
    with needs("toolbox"):
        from xlsxwriter.utility import xl_col_to_name

    return str(xl_col_to_name(column))


def _load(path: str | Path) -> list[_Sheet]:
    """Read the two sheets as text, each cell where it stands."""
    import fastexcel

    loaded = []
    check_workbook(Path(path), list(_SHEETS))
    with explain_damage(path, NO_EXCEL, hush=True):
        book = fastexcel.read_excel(path)
        for name in _SHEETS:
            if name not in book.sheet_names:
                raise UnknownNameError("sheet", name, book.sheet_names, f" in {path}")
            page = book.load_sheet(name, header_row=None, skip_rows=0, dtypes="string")
            frame = page.to_polars()
            cells = {  # columns that are empty from the left on are left out of the frame
                info.absolute_index: frame.to_series(info.index).to_list()
                for info in page.available_columns()
            }
            loaded.append(_Sheet(name, cells, frame.height))
    return loaded
