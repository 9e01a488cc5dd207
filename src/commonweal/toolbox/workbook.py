"""An index as one Excel workbook: the framework, the data at each stage, scores and ranks."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from commonweal.document.model import TableData
from commonweal.document.xlsx import LONGEST_NAME, Sheet, write_sheets
from commonweal.errors import DataError
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


_ABOUT = {
    "Framework": (
        "What the index is made of",
        "A row for each indicator and each part, with its weight.",
    ),
    "Scores": ("Scores of the index and of each of its parts", "A row for each unit."),
    "Ranks": ("Ranks, 1 = the highest score", "A row for each unit."),
}
_LONGEST_TEXT = 32_767  # of a cell, in Excel
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


def _check_stages(sheets: Mapping[str, pl.DataFrame], stages: Mapping[str, Matrix]) -> None:
    """Refuse what Excel cannot take: names of sheets, columns, values and sizes."""
    for name, table in sheets.items():
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
    sheets = {
        "Framework": frame,
        **{name: polars_of(stage, f"stage '{name}'") for name, stage in (stages or {}).items()},
        "Scores": stage_table(units, scores, paths, unit_names),
        "Ranks": stage_table(units, ranks, paths, unit_names).with_columns(whole),
    }
    _check_stages(sheets, stages or {})
    write_sheets(
        path,
        title or tree.label or index,
        "An index: what it is made of, its data, scores and ranks",
        [*notes, "An empty cell means that there is no value. Made with Commonweal."],
        [
            Sheet(
                name,
                *_ABOUT.get(name, (f"Data: {name}", "A row for each unit.")),
                _shown(table),
                long=True,
            )
            for name, table in sheets.items()
        ],
    )


def _shown(table: pl.DataFrame) -> TableData:
    """Give text and numbers alone, decimals with four places."""
    import polars as pl

    said = {True: "True", False: "False"}
    booleans = [name for name, kind in table.schema.items() if kind == pl.Boolean]
    plain = table.fill_nan(None).with_columns(
        pl.col(booleans).replace_strict(said, return_dtype=pl.String, default=None)
    )
    return TableData(plain, places=dict.fromkeys(plain.columns, 4))


def _check(name: str, table: pl.DataFrame, own: bool) -> None:
    import polars as pl

    taken = {n.casefold() for n in _OWN}
    wrong = not own and (
        not 0 < len(name) <= LONGEST_NAME
        or name.casefold() in taken
        or name.strip("'") != name
        or set(name) & set("[]:*?/\\")
    )
    if wrong:
        raise DataError(
            f"stage '{name}': no name for a sheet; expected up to {LONGEST_NAME} characters, none "
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
