"""What sets two indices of the same areas apart, part by part."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from commonweal.index.methods import name_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from commonweal.compare.matching import Pair
    from commonweal.index import Scores
    from commonweal.study.results import Results

    Floats = NDArray[np.float64]
    Flags = NDArray[np.bool_]

__all__ = ["Part", "drivers", "parts_apart"]


@dataclass(frozen=True, slots=True)
class Part:
    """A part of two indices, or of one that has none like it in the other.

    Attributes
    ----------
    name, label
        Its name, and the one for readers.
    apart
        (n_areas,) what it adds to the first score less the second, in standard deviations; NaN
        where either is missing.
    inside
        What lies inside the part, by label: (n_areas,) how far it stands out in the same direction.
    """

    name: str
    label: str
    apart: Floats
    inside: tuple[tuple[str, Floats], ...]


def parts_apart(
    first: tuple[Results, Scores],
    second: tuple[Results, Scores],
    pairs: Sequence[Pair],
    known: Flags,
) -> list[Part]:
    """Split the difference of two scores into what each part adds to it.

    Parameters
    ----------
    first, second
        A run, and its index on the areas that are compared.
    pairs
        What stands beside what.
    known
        (n_areas,) which areas have both.

    Returns
    -------
    list of Part
        None where an index does not add up what its parts put in, where one alone is a geometric
        mean, or where one is the same everywhere.
    """
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
    """Say which part does most to set two indices apart, in each area and in all.

    Parameters
    ----------
    parts
        At least one, from `parts_apart`.
    worst
        (n_areas,) ``first`` where an area is in the worst tenth of the first alone, ``second``
        where of the second alone.

    Returns
    -------
    areas
        ``apart.<part>`` for each, ``driver`` and ``driver_inside``, as in `IndexComparison`.
    parts
        ``part``, ``share``, ``drives_first`` and ``drives_second``, as there.
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
