"""Which part of an index, and which indicator in it, contributes most to an area's score."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from numpy.typing import NDArray

from commonweal.index import decile
from commonweal.study.names import index_label

if TYPE_CHECKING:
    from commonweal.index import Scores
    from commonweal.study.results import Results

__all__ = ["Paths", "held_back_by", "leading", "parts_tested", "what_holds_it_back"]

Paths: TypeAlias = NDArray[np.object_]
"""(n_areas,) paths of nodes, '' where none is known."""


def leading(scores: Scores, deep: bool = False) -> Paths:
    """Find the part of an index that contributes most to each area's score.

    Parameters
    ----------
    scores
        The index.
    deep
        Whether to go on from that part to the one that contributes most to it, down to the
        indicator.

    Returns
    -------
    ndarray
        (n_areas,) paths; empty where none is known, as where the form of the index leaves no child
        a part of its own (`commonweal.index.contributions`).
    """
    found: Paths = np.full(len(scores.codes), "", dtype=object)
    if not scores.domains:
        found[:] = scores.index
        return found
    put_in = np.column_stack(list(scores.contributions.values()))
    known = ~np.isnan(put_in).all(axis=1)
    most = np.argmax(np.nan_to_num(put_in, nan=-np.inf), axis=1)
    for k, path in enumerate(scores.domains):
        here = known & (most == k)
        found[here] = leading(scores.part(path), deep=True)[here] if deep else path
    return found


def parts_tested(results: Results, name: str) -> list[str]:
    """Name the indices that a designation tests of which several parts have a share of their own."""
    tested = (t.condition.index.split(".")[0] for t in results.designations[name].tested)
    return [i for i in dict.fromkeys(tested) if _has_parts(results.scores[i])]


def _has_parts(scores: Scores) -> bool:
    return len(scores.domains) > 1 and bool((leading(scores) != "").any())


def held_back_by(results: Results, name: str, rows: NDArray[np.intp]) -> list[str] | None:
    """Name the part that holds each of some areas back most, on the first index that has parts.

    Parameters
    ----------
    results, name
        The results, and the designation.
    rows
        (n,) the areas.

    Returns
    -------
    list of str or None
        The parts; '' where none is known. None if no index that the designation tests has parts.
    """
    indices = parts_tested(results, name)
    if not indices:
        return None
    return [index_label(results, p) if p else "" for p in leading(results.scores[indices[0]])[rows]]


def what_holds_it_back(results: Results, index: str, row: int) -> str:
    """Say which part of an index holds an area back most; '' where the index has no parts."""
    scores = results.scores[index]
    if not _has_parts(scores) or not (path := leading(scores)[row]):
        return ""
    at, part = decile(scores.rank_of(path))[row], index_label(results, path)
    if at > 5:
        return f"Nothing holds it back much: {part}, which weighs most, is in decile {at:.0f}."
    text = f"What holds it back most is {part} (decile {at:.0f})"
    leaf = leading(scores, deep=True)[row]
    if leaf in ("", path):
        return f"{text}."
    deep = decile(scores.rank_of(leaf))[row]
    return f"{text}; in it, {index_label(results, leaf)} (decile {deep:.0f})."
