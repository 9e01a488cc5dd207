"""Which part of one study stands beside which of another."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from commonweal.errors import StudyError, UnknownNameError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from commonweal.study.results import Results

__all__ = ["Pair", "match_indices"]


@dataclass(frozen=True, slots=True)
class Pair:
    """Two nodes that stand beside each other, by their paths, with their names for readers."""

    first: str
    second: str
    first_label: str
    second_label: str


def match_indices(
    first: Results, second: Results, stated: Mapping[str, str] | None = None
) -> list[tuple[Pair, ...]]:
    """Pair the indices of two runs, and what is below them.

    Parameters
    ----------
    first, second
        The runs.
    stated
        Names of the first by names of the second. A name is a dotted path, or its last part where
        only one node ends in it. To them is added what either study says under ``alike``.

    Returns
    -------
    list of tuple
        One an index, the two indices first. Indices and parts of paired ones are a pair where that
        is stated, or else where they have the same name or label. Indices whose parts are stated
        to be a pair are one themselves.

    Raises
    ------
    UnknownNameError
        If a stated name is no node.
    StudyError
        If several nodes end in a stated name, or a node or index is stated to go with two.
    """
    pairs = dict(_alike(first, second))
    for name, other in (stated or {}).items():
        pairs[_path(first, name)] = _path(second, other)
    pairs = {**{_index(a): _index(b) for a, b in pairs.items()}, **pairs}
    _check(pairs)
    found = []
    for root in first.scores:
        other_root = pairs.get(root) or _same(first, root, second, list(second.scores), pairs)
        if other_root:
            found.append(tuple(_below(first, root, second, other_root, pairs)))
    return found


def _paths(results: Results) -> list[str]:
    return [path for scores in results.scores.values() for path in scores.need]


def _path(results: Results, name: str) -> str:
    """Find the node that a name means."""
    wanted, paths = name.replace(".", "/"), _paths(results)
    if wanted in paths:
        return wanted
    ends = [path for path in paths if path.endswith(f"/{wanted}")]
    if len(ends) > 1:
        several = ", ".join(path.replace("/", ".") for path in ends)
        raise StudyError(f"'{name}' of study {results.study.name} could be any of: {several}")
    if not ends:
        known = [path.replace("/", ".") for path in paths]
        raise UnknownNameError("index or part", name, known, f" in study {results.study.name}")
    return ends[0]


def _alike(first: Results, second: Results) -> Iterator[tuple[str, str]]:
    """Give what the studies themselves say goes together, where the other has such a node."""
    for here, there, turned in ((second, first, True), (first, second, False)):
        for name, other in here.study.alike.items():
            try:
                pair = _path(here, name), _path(there, other)
            except UnknownNameError:  # said of some other study, or left out by a step
                continue
            yield pair[::-1] if turned else pair


def _index(path: str) -> str:
    return path.split("/", 1)[0]


def _check(pairs: Mapping[str, str]) -> None:
    """Refuse two that are to stand beside one, and an index with parts in two."""
    seen: dict[str, str] = {}
    for first, second in pairs.items():
        if second in seen:
            twice = " and ".join(f"'{p.replace('/', '.')}'" for p in (seen[second], first))
            raise StudyError(
                f"{twice} are both to be compared with '{second.replace('/', '.')}'; expected one"
            )
        seen[second] = first
        if pairs[_index(first)] != _index(second):
            raise StudyError(
                f"'{_index(first)}' is to be compared with '{pairs[_index(first)]}', and its part "
                f"'{first.replace('/', '.')}' with one of '{_index(second)}'; expected one index"
            )


def _same(
    first: Results, path: str, second: Results, among: list[str], pairs: Mapping[str, str]
) -> str:
    """Give the node of the same name, else of the same label, that no other is stated to go with."""
    free = [p for p in among if p not in pairs.values()]
    named = [p for p in free if p.rsplit("/", 1)[-1] == path.rsplit("/", 1)[-1]]
    label = first.label(path).casefold()
    named += [p for p in free if second.label(p).casefold() == label]
    return named[0] if named else ""


def _below(
    first: Results, path: str, second: Results, other: str, pairs: Mapping[str, str]
) -> Iterator[Pair]:
    if other:
        yield Pair(path, other, first.label(path), second.label(other))
    others = _children(second, other) if other else []
    for child in _children(first, path):
        beside = pairs.get(child) or _same(first, child, second, others, pairs)
        yield from _below(first, child, second, beside, pairs)


def _children(results: Results, path: str) -> list[str]:
    return results.scores[_index(path)].part(path).domains
