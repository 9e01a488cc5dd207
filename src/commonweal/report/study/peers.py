"""The areas most like one: by the domains of deprivation, people, and rural or urban."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from commonweal.index import rank

if TYPE_CHECKING:
    from collections.abc import Callable

    import polars as pl
    from numpy.typing import NDArray

    from commonweal.index import Scores
    from commonweal.study.results import Results

    FindPeers: TypeAlias = "Callable[[int, int], NDArray[np.intp]]"

__all__ = ["N_PEERS", "alike_by", "peer_finder", "peers"]

N_PEERS = 5


def peers(results: Results, row: int, n: int = N_PEERS) -> NDArray[np.intp]:
    """Find the areas most like one.

    Parameters
    ----------
    results
        A run. Its index ``deprivation`` is what likeness is judged by; every index if it has none.
    row
        The area.
    n
        How many.

    Returns
    -------
    ndarray
        (n,) rows, nearest first: the least root-mean-square distance in percentile ranks, among
        areas of the same rural-urban class where that is known.
    """
    return peer_finder(results)(row, n)


def peer_finder(results: Results) -> FindPeers:
    """Give `peers` of one run as a function of the row and the number, for many areas."""
    features = [rank(s.need[path]) for s in _judged_by(results) for path in s.domains or [s.index]]
    residents = results.areas.population
    if not np.isnan(residents).all():
        features.append(rank(residents))
    x = np.column_stack(features) / len(results.areas)
    kinds = _kinds(results.areas.table)
    known = (~np.isnan(x)).astype(np.float64)
    x = np.nan_to_num(x)
    alike = {}
    for kind in np.unique(kinds).tolist():
        rows = np.flatnonzero(kinds == kind)
        alike[kind] = rows, x[rows], known[rows]

    def find(row: int, n: int) -> NDArray[np.intp]:
        rows, there, known_there = alike[int(kinds[row])]
        apart = (there - x[row]) * known_there * known[row]
        shared = known_there @ known[row]
        with np.errstate(invalid="ignore"):  # an area that shares no feature is no peer: 0 / 0
            distance = np.sqrt(np.einsum("ij,ij->i", apart, apart) / shared)
        distance[(rows == row) | (shared == 0)] = np.inf
        nearest = _smallest(distance, n)
        return rows[nearest[np.isfinite(distance[nearest])]]

    return find


def _kinds(table: pl.DataFrame) -> NDArray[np.intp]:
    """(n_areas,) number of the rural-urban class; the same for all where that is not known."""
    if "rural_urban" not in table.columns:
        return np.zeros(len(table), dtype=np.intp)
    classes = table["rural_urban"].to_list()
    number = {name: k for k, name in enumerate(dict.fromkeys(classes))}
    return np.array([number[name] for name in classes], dtype=np.intp)


def _smallest(distance: NDArray[np.float64], n: int) -> NDArray[np.intp]:
    """Rows of the n smallest, in order, the first row of those that tie."""
    if n >= len(distance):
        return np.argsort(distance, kind="stable")[:n]
    near = np.flatnonzero(distance <= np.partition(distance, n - 1)[n - 1])
    return near[np.argsort(distance[near], kind="stable")][:n]


def alike_by(results: Results) -> str:
    """Say what peers are alike by, in plain words."""
    told = ["deprivation" if "deprivation" in results.scores else "need"]
    if "rural_urban" in results.areas.table.columns:
        told.append("town or country")
    if not np.isnan(results.areas.population).all():
        told.append("number of people")
    return " and ".join([", ".join(told[:-1]), told[-1]] if len(told) > 1 else told)


def _judged_by(results: Results) -> list[Scores]:
    found = [s for name, s in results.scores.items() if name == "deprivation"]
    return found or list(results.scores.values())
