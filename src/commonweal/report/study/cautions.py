"""What an answer cannot do without: indicators of few areas, ties at cut-offs, areas where nobody lives."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from commonweal.designation.designation import group_numbers
from commonweal.document.words import counted
from commonweal.indicators import sparse
from commonweal.study.names import counted_areas, index_label, parent_words

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from commonweal.designation import Designation, Tested
    from commonweal.study.results import Results

__all__ = ["cautions", "thin"]


def cautions(results: Results, name: str, rows: NDArray[np.intp] | None = None) -> list[str]:
    """Say where a list is not what its rule's words lead one to expect.

    Parameters
    ----------
    results
        The results.
    name
        The designation.
    rows
        The areas whose list it is; those that the study lists if not given. Cut-offs are those of the whole study.

    Returns
    -------
    list of str
        Where ties let more areas in than the stated share or number, where that is less than one area or
        more than there are, and how many areas on the list have no residents.
    """
    designation = results.listed(name) if rows is None else results.designations[name]
    told: list[str] = []
    for t in designation.tested:
        if t.condition.worst is not None and t.condition.among is None:
            within = _of_each if t.condition.within else _of_all
            told += within(results, t)
    return told + list(_without_people(results, designation, rows))


def thin(results: Results) -> list[str]:
    """Say which indicators that an index is made from have values for few areas only."""
    told = []
    for index, found in results.indicators.items():
        leaves = {
            node.indicator: path
            for path, node in results.scores[index].tree.walk(index)
            if node.indicator
        }
        for name, known, of in sparse(found, leaves):
            told.append(
                f"“{index_label(results, leaves[name])}”, part of {index_label(results, index)}, has values for "
                f"{known:,} of {of:,} areas only: elsewhere the rest decides."
            )
    return told


def _of_all(results: Results, t: Tested) -> Iterator[str]:
    worst, what = t.condition.worst, index_label(results, t.condition.index)
    scored, n = int((~np.isnan(t.rank)).sum()), int(t.passes.sum())
    if worst is None or not scored:
        return
    cut, of = int(t.cut[0]), counted_areas(scored, results.areas)
    stated = str(worst).replace("%", " %")
    if worst.number is not None and worst.number >= scored:
        yield f"The {stated} on {what} are all {of} that have a score."
    elif cut == 0:
        yield f"The {stated} on {what}, of {of}, is less than one: none can be among them."
    elif n > cut:
        whom = "all" if n == scored else f"{n:,}"
        tied = int(t.level[t.passes & (t.rank == np.max(t.rank[t.passes]))][0])
        yield (
            f"The {stated} of {of} on {what} would be {cut:,}, but {whom} are among them, since {tied:,} tie at "
            "the cut-off."
        )


def _of_each(results: Results, t: Tested) -> Iterator[str]:
    worst, within = t.condition.worst, t.condition.within
    assert worst is not None
    assert within is not None
    one, several = parent_words(within)
    what, stated = index_label(results, t.condition.index), str(worst).replace("%", " %")
    known = np.flatnonzero(~np.isnan(t.rank))
    group = group_numbers(results.areas, within)[known]
    _, first, at = np.unique(group, return_index=True, return_inverse=True)
    scored = np.bincount(at)
    inside = np.bincount(at, t.passes[known].astype(np.float64)).astype(np.intp)
    cut = t.cut[known][first].astype(np.intp)
    start = f"The {stated} on {what} within each {one}"
    if whole := int(((worst.number or 0) >= scored).sum()) if worst.number else 0:
        yield f"{start} are all that there are in {whole:,} of {counted(len(cut), one, several)}."
    if none := int((cut == 0).sum()):
        yield f"{start} is less than one area in {none:,} of {counted(len(cut), one, several)}: none there."
    over = (inside > cut) & (cut > 0)
    if over.any():
        yield (
            f"{start}: ties at the cut-off let {int((inside - cut)[over].sum()):,} more in than that, in "
            f"{int(over.sum()):,} of {counted(len(cut), one, several)}."
        )


def _without_people(
    results: Results, designation: Designation, rows: NDArray[np.intp] | None
) -> Iterator[str]:
    selected = designation.selected if rows is None else designation.selected[rows]
    people = results.areas.population if rows is None else results.areas.population[rows]
    if empty := int((selected & (people == 0)).sum()):
        n = int(selected.sum())
        yield f"{empty:,} of the {counted_areas(n, results.areas)} {'has' if empty == 1 else 'have'} no residents."
