"""What drives a place: each indicator with its value, where that stands, and what weight it has."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from numpy.typing import NDArray

from commonweal.document.numbers import amount, is_distance, small
from commonweal.report.place.place import Driver
from commonweal.report.place.standing import worse_than
from commonweal.study.names import index_label

if TYPE_CHECKING:
    from collections.abc import Iterator

    from commonweal.index import Node, Scores
    from commonweal.indicators import Indicator, Indicators
    from commonweal.study.results import Results

__all__ = ["Drivers"]

Floats: TypeAlias = NDArray[np.float64]

_UNKNOWN, _WITHHELD = "not known", "too few people to show"


@dataclass(frozen=True, slots=True)
class _Leaf:
    """One indicator over all areas: see `Driver`."""

    index: str
    strand: str
    label: str
    weight: float
    meta: Indicator
    value: Floats | None
    usual: float | None
    worse: Floats
    withheld: NDArray[np.bool_]
    estimated: frozenset[str]
    about: tuple[str, str, str]
    cites: tuple[str, ...]

    def at(self, row: int, code: str) -> Driver:
        value, unit = float("nan"), self.meta.unit
        hidden = bool(self.withheld[row])
        if self.value is not None and not hidden:
            value = float(self.value[row])
        worse = float(self.worse[row])
        known = not np.isnan(worse)
        text = _WITHHELD if hidden else amount(value, unit)
        if not text and self.value is not None:
            text = _UNKNOWN
        elif text and code in self.estimated and not hidden:
            text += " (estimated)"
        about, why, note = self.about
        return Driver(
            self.meta.name,
            self.label,
            self.index,
            self.strand,
            None if np.isnan(value) else value,
            unit,
            text,
            self.usual,
            "" if self.usual is None else amount(self.usual, unit),
            worse if known else None,
            self.weight * (worse - 0.5) if known else 0.0,
            hidden,
            self.meta.vintage,
            about,
            why,
            note,
            tuple(self.meta.source.split(", ")),
            self.cites,
        )


class Drivers:
    """Indicators of any area of a run, from what is worked out once."""

    def __init__(self, results: Results) -> None:
        self._codes = results.areas.codes
        asked = {
            t.condition.path.split("/")[0] for d in results.designations.values() for t in d.tested
        }
        self._leaves: list[_Leaf] = []
        for index in results.scores:
            if not asked or index in asked:
                self._leaves += _leaves(results, index)

    def at(self, row: int) -> tuple[Driver, ...]:
        """Give the indicators of one area by the size of their push, the unknown last."""
        code = self._codes[row]
        found = [leaf.at(row, code) for leaf in self._leaves]
        return tuple(sorted(found, key=lambda d: (d.worse_than is None, -abs(d.push))))

    @staticmethod
    def near(drivers: tuple[Driver, ...]) -> tuple[Driver, ...]:
        """Give those that are distances or times, each once, by name."""
        once = {d.indicator: d for d in drivers if is_distance(d.unit)}
        return tuple(sorted(once.values(), key=lambda d: d.label))


def _leaves(results: Results, index: str) -> Iterator[_Leaf]:
    scores, found = results.scores[index], results.indicators[index]
    column = {m.name: k for k, m in enumerate(found.meta)}
    values = _values(found, scores)
    reshaped, estimated = _prepared(results, index)
    for path, node, weight in _weighed(scores.tree, index, 1.0):
        name = node.indicator
        if name not in column:
            continue
        meta = found.meta[column[name]]
        value: Floats | None = values[:, column[name]]
        if meta.unit.split(",")[0] == "rank" or name in reshaped:
            value = None
        parts = path.split("/")
        strand = index_label(results, "/".join(parts[:2])) if len(parts) > 1 else ""
        counts = found.counts.get(name) if scores.move is None else None
        # A study's own words are about this indicator; what a source says is about its file.
        told = meta.about, meta.why, meta.note
        known = value is not None and not np.isnan(value).all()
        yield _Leaf(
            index_label(results, index),
            strand,
            index_label(results, path),
            weight,
            meta,
            value,
            float(np.nanmedian(value)) if known and value is not None else None,
            worse_than(scores.need[path]),
            small(results.areas.population, counts),
            estimated.get(name, frozenset()),
            (" ".join(told[0].split()), " ".join(told[1].split()), " ".join(told[2].split())),
            results.study.indicators[name].cites,
        )


def _values(found: Indicators, scores: Scores) -> Floats:
    return found.values if scores.move is None else found.moved(scores.move).values


def _weighed(node: Node, path: str, weight: float) -> Iterator[tuple[str, Node, float]]:
    """Yield the leaves with the share of the whole that their weights come to."""
    if not node.children:
        yield path, node, weight
        return
    total = sum(node.weights.values()) or 1.0
    for name, child in node.children.items():
        yield from _weighed(child, f"{path}/{name}", weight * child.weight / total)


def _prepared(results: Results, index: str) -> tuple[set[str], dict[str, frozenset[str]]]:
    """Name the indicators that no longer are what was measured, and areas with values filled in."""
    found = results.prepared.get(index)
    if found is None:
        return set(), {}
    reshaped = {name for done in found.done for name in done.whole}
    filled: dict[str, set[str]] = {}
    for done in found.done:
        if done.step.kind == "impute":
            for name, code in done.cells.select("indicator", "code").drop_nulls().iter_rows():
                filled.setdefault(name, set()).add(code)
    return reshaped, {name: frozenset(codes) for name, codes in filled.items()}
