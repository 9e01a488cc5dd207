"""An index as one Excel workbook: the framework, the data at each stage, scores and ranks."""

from __future__ import annotations

import io
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from commonweal.document.xlsx import WRITTEN, LongTable, fill
from commonweal.errors import DataError
from commonweal.files.extras import needs
from commonweal.index.framework import framework_table
from commonweal.index.methods import strict
from commonweal.index.rank import TieRule, rank
from commonweal.index.tables import columns as columns_of
from commonweal.index.tables import groups_of, keys, polars_of
from commonweal.index.tables import table as taken_in

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import polars as pl
    from numpy.typing import ArrayLike

    from commonweal.index.framework import Node
    from commonweal.index.tables import Matrix, WeightsLike


__all__ = [
    "stage_table",
    "write_index_workbook",
]


_WIDEST = 60
_LONGEST_NAME = 31  # of a sheet, in Excel
_LONGEST_TEXT = 32_767  # of a cell
_STAMP = datetime(1980, 1, 1)  # so that the same index gives the same file
_OWN = ("Cover", "Framework", "Scores", "Ranks", "History")  # Excel keeps the last for itself


def stage_table(
    units: Sequence[str] | None,
    values: Matrix,
    names: Sequence[str] | None = None,
    unit_names: Sequence[str] | None = None,
) -> pl.DataFrame:
    """Put the data of one stage into a table for `write_index_workbook`.

    Parameters
    ----------
    units
        (n_units,) codes; those of `values`, if None.
    values
        (n_units, n_columns) values, NaN = missing (null in the table).
    names
        (n_columns,) names of the columns; those of `values`, if None.
    unit_names
        (n_units,) names of the units for readers.

    Examples
    --------
    >>> stage_table(["A"], [[1.0, np.nan]], ["pubs", "halls"]).row(0)
    ('A', 1.0, None)
    """
    import polars as pl

    taken = taken_in(values, names, units)
    columns: dict[str, Any] = {"Unit": taken.named_units}
    if unit_names is not None:
        columns["Name"] = groups_of(unit_names, len(taken.values), "unit names")
    for name, column in zip(taken.names, taken.values.T, strict=True):
        if name in columns:
            raise DataError(f"column '{name}' is there twice; expected each name once")
        columns[name] = column
    return pl.DataFrame(columns).fill_nan(None)


def _formats(book: Any) -> dict[str, Any]:
    """Give the formats of cells by what they are for."""
    return {
        "title": book.add_format({"bold": True, "font_size": 16}),
        "head": book.add_format({"bold": True, "text_wrap": True, "valign": "top", "bottom": 1}),
        "text": book.add_format({"valign": "top"}),
        "wrap": book.add_format({"text_wrap": True, "valign": "top"}),
        "whole": book.add_format({"num_format": "#,##0", "valign": "top"}),
        "decimal": book.add_format({"num_format": "#,##0.0000", "valign": "top"}),
        "link": book.add_format({"font_color": "#0B3D91", "underline": 1, "valign": "top"}),
    }


def _check_stages(
    sheets: Mapping[str, tuple[str, pl.DataFrame]], stages: Mapping[str, Matrix]
) -> None:
    """Refuse what Excel cannot take: names of sheets, columns, values and sizes."""
    for name, (_, table) in sheets.items():
        _check(name, table, own=name not in stages)
    folded = [name.casefold() for name in stages]
    if len(set(folded)) < len(folded):
        raise DataError(f"stages {', '.join(stages)}: two names differ by case alone")


# Wide: what is on the sheets; all but four may be left out.
@strict
def write_index_workbook(
    path: Path | str,
    tree: Node,
    need: Mapping[str, ArrayLike],
    units: Sequence[str],
    stages: Mapping[str, Matrix] | None = None,
    *,
    title: str = "",
    unit_names: Sequence[str] | None = None,
    notes: Sequence[str] = (),
    weights: Mapping[str, WeightsLike] | None = None,
    ties: TieRule = "min",
) -> None:
    """Write an index to Excel.

    Parameters
    ----------
    path
        The file to write.
    tree
        The framework.
    need
        By node path, (n_units,) scores, the index first: what `commonweal.index.score.score_tree`
        gives.
    units, unit_names
        (n_units,) codes, and names for readers.
    stages
        By name of the stage, one frame each, in order: raw, imputed, treated, normalised.
    title
        On the cover; the label of the tree if not given.
    notes
        Lines for the cover: sources, licences, what was decided.
    weights
        As in `commonweal.index.framework.framework_table`.
    ties
        Rank that equal scores share.

    Raises
    ------
    DataError
        If a stage has a name that Excel cannot give to a sheet, two columns that differ by case
        alone, infinite values, or more rows or columns than a sheet has; or scores and units differ
        in number; or there is no folder to write to.
    UnknownNameError
        If a node of the tree has no scores.
    """
    import polars as pl

    with needs("toolbox"):
        import xlsxwriter

    path = Path(path)
    if not path.parent.is_dir():
        raise DataError(f"{path}: there is no folder {path.parent}")
    index = next(iter(need), "")
    frame = framework_table(index, tree, weights)
    paths = frame["node"].to_list()
    keys(paths, need, "node", " among the scores")
    taken = columns_of({p: need[p] for p in paths}, "scores", len(units))
    scores = np.column_stack(list(taken.values()))
    ranks = np.column_stack([rank(column, ties) for column in scores.T])
    whole = [pl.col(p).cast(pl.Int64) for p in paths] if ties != "average" else []
    heading = title or tree.label or index
    sheets = {
        "Framework": ("What the index is made of", frame),
        **{
            name: (f"Data: {name}", polars_of(stage, f"stage '{name}'"))
            for name, stage in (stages or {}).items()
        },
        "Scores": (
            "Scores of the index and of each of its parts",
            stage_table(units, scores, paths, unit_names),
        ),
        "Ranks": (
            "Ranks, 1 = the highest score",
            stage_table(units, ranks, paths, unit_names).with_columns(whole),
        ),
    }
    _check_stages(sheets, stages or {})
    packed = io.BytesIO()
    book = xlsxwriter.Workbook(
        packed,
        {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False,
         "strings_to_numbers": False},
    )  # fmt: skip
    book.set_properties({"title": heading, "author": "Commonweal", "created": _STAMP})
    formats = _formats(book)
    _cover(book, heading, [*notes], {name: said for name, (said, _) in sheets.items()}, formats)
    long: dict[int, LongTable] = {}
    for number, (name, (_, table)) in enumerate(sheets.items(), start=1):
        plain, called = _plain(table), f"Table_{number}"
        _sheet(book, name, plain, called, formats)
        if plain.height > WRITTEN:
            long[number + 1] = LongTable(called, plain)  # the cover is the first sheet
    book.close()
    path.write_bytes(fill(packed, long))


def _plain(table: pl.DataFrame) -> pl.DataFrame:
    """Give text and numbers alone, with null for what is missing."""
    import polars as pl

    said = {True: "True", False: "False"}
    booleans = [name for name, kind in table.schema.items() if kind == pl.Boolean]
    return table.fill_nan(None).with_columns(
        pl.col(booleans).replace_strict(said, return_dtype=pl.String, default=None)
    )


def _check(name: str, table: pl.DataFrame, own: bool) -> None:
    import polars as pl

    taken = {n.casefold() for n in _OWN}
    wrong = not own and (
        not 0 < len(name) <= _LONGEST_NAME
        or name.casefold() in taken
        or name.strip("'") != name
        or set(name) & set("[]:*?/\\")
    )
    if wrong:
        raise DataError(
            f"stage '{name}': no name for a sheet; expected up to {_LONGEST_NAME} characters, none "
            f"of []:*?/\\, no ' at an end, and none of {', '.join(_OWN)}"
        )
    if table.height + 1 > 1_048_576 or table.width > 16_384:
        raise DataError(f"sheet '{name}': {table.height:,} rows x {table.width:,} do not fit Excel")
    seen: dict[str, str] = {}
    for column, kind in table.schema.items():
        if column.casefold() in seen:
            raise DataError(
                f"sheet '{name}': columns '{seen[column.casefold()]}' and '{column}' differ by "
                "case alone; an Excel table cannot have both"
            )
        seen[column.casefold()] = column
        if kind.is_float() and table[column].is_infinite().any():
            raise DataError(f"sheet '{name}', column '{column}': an infinite value found")
        if kind == pl.String and (table[column].str.len_chars() > _LONGEST_TEXT).any():
            raise DataError(
                f"sheet '{name}', column '{column}': a text of more than {_LONGEST_TEXT:,} characters"
            )
        if not (kind.is_numeric() or kind in (pl.String, pl.Boolean)):
            raise DataError(
                f"sheet '{name}', column '{column}': {kind} found; expected text or numbers"
            )


def _cover(
    book: Any, heading: str, notes: list[str], sheets: Mapping[str, str], formats: dict[str, Any]
) -> None:
    page = book.add_worksheet("Cover")
    page.hide_gridlines(2)
    page.set_column(0, 0, 70)
    page.set_column(1, 1, 34)
    page.write_string(0, 0, heading, formats["title"])
    empty = "An empty cell means that there is no value."
    notes = [*notes, f"{empty} Made with Commonweal. This sheet contains one table: the contents."]
    for row, line in enumerate(notes, start=1):
        page.write_string(row, 0, line, formats["wrap"])
    top = len(notes) + 1
    for row, (name, said) in enumerate(sheets.items(), start=top + 1):
        page.write_string(row, 0, said, formats["wrap"])
        quoted = name.replace("'", "''")
        page.write_url(row, 1, f"internal:'{quoted}'!A1", formats["link"], name)
    _table(page, "Contents", top, len(sheets), ["Contents", "Sheet"], formats)


def _sheet(book: Any, name: str, table: pl.DataFrame, id_: str, formats: dict[str, Any]) -> None:
    page = book.add_worksheet(name)
    written = table.head(WRITTEN)
    for column, (header, kind) in enumerate(table.schema.items()):
        style, width = formats["text"], 12
        if kind.is_numeric():
            style = formats["decimal" if kind.is_float() else "whole"]
        else:
            width = max((len(t) for t in table[header].head(300).to_list() if t), default=8) + 2
        for row, value in enumerate(written[header].to_list(), start=1):
            if value is None:
                page.write_blank(row, column, None, style)
            elif isinstance(value, str):
                page.write_string(row, column, value, style)
            else:
                page.write_number(row, column, value, style)
        page.set_column(column, column, min(max(width, len(header) // 2 + 3, 12), _WIDEST))
    _table(page, id_, 0, written.height, table.columns, formats)
    page.freeze_panes(1, 1)
    page.set_landscape()
    page.set_paper(9)
    page.fit_to_pages(1, 0)


def _table(
    page: Any, id_: str, top: int, n_rows: int, headers: Sequence[str], formats: dict[str, Any]
) -> None:
    """Mark rows up as a table; one of no rows still needs one, which stays empty."""
    page.add_table(
        top, 0, top + max(n_rows, 1), len(headers) - 1,
        {"name": id_, "style": "Table Style Light 1", "banded_rows": False,
         "columns": [{"header": h, "header_format": formats["head"]} for h in headers]},
    )  # fmt: skip
