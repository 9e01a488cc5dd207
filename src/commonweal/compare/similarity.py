"""Which indices to compare, how similar their ranks are, and the drivers that set them apart."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from commonweal.errors import StudyError, UnknownNameError
from commonweal.index import decile, rank
from commonweal.index.methods import name_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    from commonweal.index import Scores
    from commonweal.study.results import Results

    Floats = NDArray[np.float64]
    Flags = NDArray[np.bool_]


def spearman(x: NDArray[np.float64], y: NDArray[np.float64]) -> float:
    """Correlate the ranks of two lists, over the areas that have both, tied ones at their middle rank.

    NaN where either is the same in all of them, or there are fewer than two.
    """
    both = ~np.isnan(x) & ~np.isnan(y)
    a, b = (rank(v[both], "average") for v in (x, y))
    if len(a) < 2 or (a == a[0]).all() or (b == b[0]).all():
        return float("nan")
    return float(np.clip(np.corrcoef(a, b)[0, 1], -1, 1))


def worst_tenth(need: NDArray[np.float64]) -> NDArray[np.bool_]:
    """(n_areas,) whether an area is in the tenth with most need of those that have a value."""
    tenth: NDArray[np.bool_] = decile(rank(need)) == 1
    return tenth


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
    """Pair the indices of two runs, and what is below them: one list an index, the two indices first.

    `stated` has names of the first by names of the second (dotted paths, or last parts where only one node ends so),
    besides what either study says under ``alike``. Others are a pair where they have the same name or label. Indices
    whose parts are stated to be a pair are one themselves.
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


@dataclass(frozen=True, slots=True)
class Part:
    """A part of two indices, or of one that has none like it in the other."""

    # name, label: its name, and the one for readers
    name: str
    label: str
    # (n_areas,) what it adds to the first score less the second, in standard deviations; NaN where either is missing
    apart: Floats
    # what lies inside the part, by label: (n_areas,) how far it stands out in the same direction
    inside: tuple[tuple[str, Floats], ...]


def parts_apart(
    first: tuple[Results, Scores],
    second: tuple[Results, Scores],
    pairs: Sequence[Pair],
    known: Flags,
) -> list[Part]:
    """Split the difference of two scores into what each part adds to it."""
    a, b = _deviations(first[1], known), _deviations(second[1], known)
    # Parts of a geometric mean add up to its logarithm, those of other forms to the score itself.
    logarithms = {name_of(scores.tree.aggregate) == "geometric" for _, scores in (first, second)}
    if not a or not b or len(logarithms) > 1:
        return []
    beside = {p.first: p.second for p in pairs if p.first in a and p.second in b}
    found = []
    for path, put_in in a.items():
        other = beside.get(path, "")
        d = put_in - b[other] if other else put_in
        inside = _inside(first, path, 1, known) + (
            _inside(second, other, -1, known) if other else ()
        )
        found.append(Part(path.split("/", 1)[1], first[0].label(path), d, inside))
    for path in [path for path in b if path not in beside.values()]:
        name = f"second.{path.split('/', 1)[1]}"
        found.append(Part(name, second[0].label(path), -b[path], _inside(second, path, -1, known)))
    return found


def _deviations(scores: Scores, known: Flags) -> dict[str, Floats]:
    """By part, what it puts into the score, from its mean, in standard deviations of the score."""
    parts = scores.contributions
    if not parts or any(np.isnan(part[known]).all() for part in parts.values()):
        return {}
    spread = float(np.std(np.nansum(list(parts.values()), axis=0)[known]))
    if spread == 0 or not np.isfinite(spread):
        return {}
    centred = {path: (part - np.nanmean(part[known])) / spread for path, part in parts.items()}
    # A part that an area lacks sets nothing apart: its weight is carried by the others.
    return {path: np.where(known, np.nan_to_num(d), np.nan) for path, d in centred.items()}


def _inside(
    of: tuple[Results, Scores], path: str, turn: int, known: Flags
) -> tuple[tuple[str, Floats], ...]:
    results, scores = of
    part = scores.part(path)
    found = _deviations(part, known & ~np.isnan(part.score))
    return tuple((results.label(p), turn * d) for p, d in found.items())


def drivers(parts: Sequence[Part], worst: pl.Series) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Say which part does most to set two indices apart, in each area and in all; columns as in `IndexComparison`.

    `worst` is ``first`` where an area is in the worst tenth of the first alone, ``second`` where of the second alone.
    """
    d = np.column_stack([part.apart for part in parts])
    known = ~np.isnan(d[:, 0])
    whole = d.sum(axis=1)
    most = np.argmax(np.where(known[:, None], d * np.sign(whole)[:, None], 0.0), axis=1)
    centred = d[known] - d[known].mean(axis=0)
    spread = float(np.square(centred.sum(axis=1)).sum())
    shares = centred.T @ centred.sum(axis=1) / spread if spread else np.zeros(len(parts))
    side = worst.to_numpy()
    table = pl.DataFrame(
        {
            "part": [part.label for part in parts],
            "share": shares,
            **{
                f"drives_{one}": [
                    int(((most == k) & known & (side == one)).sum()) for k in range(len(parts))
                ]
                for one in ("first", "second")
            },
        }
    )
    does_most = [parts[k].label if ok else None for k, ok in zip(most, known, strict=True)]
    stands_out: list[str | None] = [None] * len(d)
    for k, part in enumerate(parts):
        if part.inside:
            rows = np.flatnonzero(known & (most == k))
            values = np.column_stack([x for _, x in part.inside])[rows]
            best = np.argmax(np.nan_to_num(values) * np.sign(whole)[rows, None], axis=1)
            for row, which in zip(rows, best, strict=True):
                stands_out[row] = part.inside[which][0]
    areas = pl.DataFrame(
        {
            **{f"apart.{part.name.replace('/', '.')}": part.apart for part in parts},
            "driver": pl.Series(does_most, dtype=pl.String),
            "driver_inside": pl.Series(stands_out, dtype=pl.String),
        }
    )
    return areas.fill_nan(None), table
