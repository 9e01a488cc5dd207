"""Two studies beside each other, told."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from commonweal.document.columns import MOST_LINES
from commonweal.document.table import Shown
from commonweal.errors import CommonwealError
from commonweal.report.study.compare import comparison_data, comparison_lines
from commonweal.report.study.two_indices import (
    index_comparison_data,
    index_comparison_lines,
    index_comparison_tables,
)
from commonweal.study.names import counted_areas, focus_name

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import polars as pl

    from commonweal.compare import StudyComparison

__all__ = ["study_comparison_data", "study_comparison_lines", "write_study_comparison"]


def study_comparison_lines(c: StudyComparison, everyone: bool = False) -> Iterator[str]:
    """Give a comparison of two studies as lines of text; `everyone` names every area of the lists."""
    titles, where = (c.first.study.title, c.second.study.title), _where(c)
    if c.focus is not None:
        known = counted_areas(int(c.focus.sum()), c.second.areas)
        yield f"Counted and named are the {known} in {where}; ranks and cut-offs are set among all."
        yield ""
    if c.lists is not None:
        yield from comparison_lines(c.lists, *titles, 10**9 if everyone else MOST_LINES, where)
    else:
        yield f"{titles[0]}\n  beside {titles[1]}:"
        for r in (c.first, c.second):
            if len(r.designations) != 1:
                said = ", ".join(r.designations) or "nothing"
                yield f"No lists are compared: {r.study.name} designates {said}, not exactly one."
    for found in c.indices:
        yield ""
        yield ""
        yield from index_comparison_lines(found, *titles, where=where)


def _where(c: StudyComparison) -> str:
    """Name the larger area that is counted alone; '' for everything."""
    return next(
        (focus_name(r.study, r.areas) for r in (c.second, c.first) if r.study.focus),
        "",
    )


def study_comparison_data(c: StudyComparison, before: str, after: str) -> dict[str, Any]:
    """Give a comparison of two studies as plain data for ``--json``."""
    data: dict[str, Any] = {"before": before, "after": after}
    if c.lists is not None:
        data = comparison_data(c.lists, before, after)
    if c.focus is not None:
        data["focus"] = {"name": _where(c), "areas": int(c.focus.sum())}
    return {**data, "indices": [index_comparison_data(found) for found in c.indices]}


def write_study_comparison(c: StudyComparison, out: Path) -> None:
    """Write the long tables as CSV.

    Parameters
    ----------
    out
        A name that ends in ``.csv``: every area that enters, leaves or stays. Else a folder, made
        if it is not there, for these (``lists.csv``) and the tables of `index_comparison_tables`.

    Raises
    ------
    CommonwealError
        If it cannot be written, or there are no lists for a ``.csv``.
    """
    try:
        if out.suffix.lower() == ".csv":
            if c.lists is None:
                raise CommonwealError(
                    f"{out}: no lists are compared; expected the name of a folder, for the indices"
                )
            out.write_bytes(Shown(c.lists.to_frame()).csv())
            return
        out.mkdir(parents=True, exist_ok=True)
        for name, table in _tables(c):
            (out / name).write_bytes(Shown(table).csv())
    except OSError as error:
        raise CommonwealError(f"{out} cannot be written: {error.strerror}") from None


def _tables(c: StudyComparison) -> Iterator[tuple[str, pl.DataFrame]]:
    if c.lists is not None:
        yield "lists.csv", c.lists.to_frame()
    if c.indices:
        yield from index_comparison_tables(c.indices)
