"""Two studies beside each other: their lists, and their indices."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from commonweal.beside.indices import IndexComparison, compare_indices
from commonweal.beside.matching import match_indices
from commonweal.designation import Comparison, compare
from commonweal.errors import StudyError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from commonweal.results import Results
    from commonweal.sources import Store

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
    """

    first: Results
    second: Results
    lists: Comparison | None
    indices: tuple[IndexComparison, ...]


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
        If there is nothing to compare.
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
    lists = None
    if alone:
        before, after = (next(iter(r.designations.values())) for r in (first, second))
        lists = compare(before, after, store)
    return StudyComparison(
        first, second, lists, tuple(compare_indices(first, second, m, store) for m in matched)
    )
