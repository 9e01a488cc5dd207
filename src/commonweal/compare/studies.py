"""Two studies beside each other: their lists, and their indices."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from commonweal.areas import build_move
from commonweal.compare.indices import IndexComparison, compare_indices
from commonweal.compare.matching import match_indices
from commonweal.designation import Comparison, compare
from commonweal.errors import StudyError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from commonweal.sources import Store
    from commonweal.study.results import Results

__all__ = ["StudyComparison", "compare_studies"]


@dataclass(frozen=True, slots=True)
class StudyComparison:
    """Two studies beside each other, on the areas of the second.

    Attributes
    ----------
    first, second
        The runs.
    lists
        How the designation of the second differs from that of the first; None unless each has
        exactly one.
    indices
        Those that both have, by name, label or what is stated.
    focus
        (n_areas of `second`,) what is counted and named: the focus of the second study, or of the first if the
        second has none; None where neither has one.
    """

    first: Results
    second: Results
    lists: Comparison | None
    indices: tuple[IndexComparison, ...]
    focus: NDArray[np.bool_] | None = None


def compare_studies(
    first: Results, second: Results, store: Store, stated: Mapping[str, str] | None = None
) -> StudyComparison:
    """Compare the lists and the indices of two runs.

    Parameters
    ----------
    first, second
        The runs.
    store
        For the links between area systems.
    stated
        What of the first stands beside what of the second: see `match_indices`.

    Raises
    ------
    UnknownNameError
        If a stated name is no node, or no link leads from the areas of one to those of the other.
    StudyError
        If there is nothing to compare, or the two have a focus each, and not the same.
    """
    matched = match_indices(first, second, stated)
    alone = all(len(r.designations) == 1 for r in (first, second))
    if not (alone or matched):
        several = "; ".join(
            f"study {r.study.name} designates {', '.join(r.designations) or 'nothing'}"
            for r in (first, second)
        )
        raise StudyError(
            f"{several}; a comparison of lists needs exactly one designation in each, one of indices the "
            "same name or label in both, or --match"
        )
    here = _focus(first, second, store)
    lists = None
    if alone:
        before, after = (next(iter(r.designations.values())) for r in (first, second))
        lists = compare(before, after, store)
        lists = lists if here is None else lists.inside(here)
    indices = tuple(compare_indices(first, second, m, store, here) for m in matched)
    return StudyComparison(first, second, lists, indices, here)


def _focus(first: Results, second: Results, store: Store) -> NDArray[np.bool_] | None:
    """(n_areas of `second`,) what is counted; None for everything.

    Carried to other areas, one is in focus where at least half of its people live in one that is.
    """
    found = []
    for results in (first, second):
        if not results.study.focus:
            continue
        here = results.focus
        if results.areas.codes != second.areas.codes:
            move = build_move(store, results.areas, second.areas)
            here = np.nan_to_num(move.mean(here.astype(np.float64))) >= 0.5 - 1e-9
        found.append(here)
    if not found:
        return None
    both, either = np.logical_and.reduce(found), np.logical_or.reduce(found)
    # The same focus, carried to areas of another vintage, differs at its edge.
    named = [sorted(r.study.focus.values()) for r in (first, second)]
    carried = named[0] == named[1] and first.areas.codes != second.areas.codes
    if not both.any() or not (carried or np.array_equal(both, either)):
        stated = " and ".join(
            f"{r.study.name} has focus: {dict(r.study.focus)}"
            for r in (first, second)
            if r.study.focus
        )
        told = f"no {second.areas.singular} is in what is to be counted"
        if both.any():
            told = f"of the {either.sum():,} {second.areas.plural} in either, {both.sum():,} are in both"
        raise StudyError(
            f"{stated}, and {told}; expected the same focus in both, or in one of them"
        )
    return found[-1]
