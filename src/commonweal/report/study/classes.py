"""Ranks of areas among those of their own class, such as rural-urban, beside the ranks of all."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from commonweal.index.standings import group_ranks

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from commonweal.study.results import Results

__all__ = ["ClassRanks", "class_ranks", "class_word"]


@dataclass(frozen=True, slots=True)
class ClassRanks:
    """An index within the classes of a kind.

    Attributes
    ----------
    kind
        Name of the classification, such as ``rural_urban``.
    classes
        (n_areas,) the class of each area; None where it has none.
    rank, decile
        (n_areas,) among the areas of the class that have a score, 1 = most need; NaN without class or
        score.
    of
        (n_areas,) how many these are.
    """

    kind: str
    classes: list[str | None]
    rank: NDArray[np.float64]
    decile: NDArray[np.float64]
    of: NDArray[np.float64]


def class_ranks(results: Results, index: str) -> Iterator[ClassRanks]:
    """Rank the areas of a run within each classification that its area system has."""
    for kind in results.areas.classes:
        classes = results.areas.table[kind].to_list()
        need = results.scores[index].score
        ranks = group_ranks(need, classes)
        scored: dict[str | None, int] = {}
        for name, known in zip(classes, ~np.isnan(ranks), strict=True):
            scored[name] = scored.get(name, 0) + int(known)
        of = np.array([scored[name] for name in classes], dtype=np.float64)
        of[np.isnan(ranks)] = np.nan
        yield ClassRanks(kind, classes, ranks, np.ceil(ranks * 10 / of), of)


def class_word(kind: str) -> str:
    """Say what a classification is called.

    Examples
    --------
    >>> class_word("rural_urban")
    'rural-urban class'
    """
    return f"{kind.replace('_', '-')} class"
