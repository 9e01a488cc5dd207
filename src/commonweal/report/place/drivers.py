"""Where a place ranks on each domain of each index, and which indicators drive that."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from numpy.typing import NDArray

from commonweal.designation.designation import group_numbers
from commonweal.document.format import format_amount, is_distance, is_suppressed
from commonweal.index import decile, rank
from commonweal.report.place.index_details import IndexDetails
from commonweal.report.place.place import Average, Driver, Larger, PlaceRank
from commonweal.study.names import authority, index_label, parent_words, whole_name

if TYPE_CHECKING:
    from collections.abc import Iterator

    from commonweal.areas import Areas
    from commonweal.document.words import Words
    from commonweal.index import Node, Scores
    from commonweal.indicators import Indicator, Indicators
    from commonweal.study.results import Results


Floats: TypeAlias = NDArray[np.float64]
Rows: TypeAlias = NDArray[np.intp]


def worse_than(need: Floats) -> Floats:
    """(n_areas,) share of the other areas that have less need, those on a level counted half."""
    n = int((~np.isnan(need)).sum())
    if n < 2:
        return np.where(np.isnan(need), np.nan, 0.5)
    found: Floats = (n - rank(need, "average")) / (n - 1)
    return found


@dataclass(frozen=True, slots=True)
class LargerAreas:
    """Larger areas of one kind: the number that each area has, and the names by number."""

    # key, kind: its system, and what one is called
    key: str
    kind: str
    numbers: Rows  # (n_areas,) which one each area lies in; -1 for none
    codes: list[str]
    names: list[str]
    # (n_groups,) whether a place may be compared with it: all of its areas are in the study, and others are too
    compared: NDArray[np.bool_]

    def means(self, values: Floats) -> Floats:
        """(n_groups,) mean of the known values in each."""
        there = (self.numbers >= 0) & ~np.isnan(values)
        at, n = self.numbers[there], len(self.codes)
        with np.errstate(invalid="ignore"):
            found: Floats = np.bincount(at, values[there], n) / np.bincount(at, minlength=n)
        return found

    @property
    def sizes(self) -> Rows:
        """(n_groups,) areas in each."""
        return np.bincount(self.numbers[self.numbers >= 0], minlength=len(self.codes))


def groups_of(areas: Areas, keys: list[str]) -> list[LargerAreas]:
    """Give the groups of areas by the parents named."""
    found = []
    for key in keys:
        known = areas.table.select(code=key, name=f"{key}_name").drop_nulls("code")
        names = dict(known.iter_rows())
        codes = sorted(names)
        if codes:
            labels = [str(names[c] or c) for c in codes]
            numbers = group_numbers(areas, key)
            part = (areas.partial or {}).get(key, ())
            compared = np.array([c not in part for c in codes])
            if len(codes) == 1 and (numbers >= 0).all():
                compared[:] = False
            found.append(LargerAreas(key, parent_words(key)[0], numbers, codes, labels, compared))
    return found


def larger_of(groups: list[LargerAreas], row: int) -> tuple[Larger, ...]:
    """Name the larger areas that one area lies in."""
    at = [(g, int(g.numbers[row])) for g in groups]
    return tuple(Larger(g.key, g.kind, g.codes[k], g.names[k]) for g, k in at if k >= 0)


@dataclass(frozen=True, slots=True)
class NodeRanks:
    """One node of an index over all areas."""

    # path, label, weight: path with dots, name for readers, share of its weight in its parent
    path: str
    label: str
    weight: float
    # worse, ranks, deciles: (n_areas,) of each area
    worse: Floats
    ranks: Floats
    deciles: Floats
    n: int
    # (n_areas, 3) rank at 5%, 50% and 95% of draws; None where that is not known
    interval: Floats | None
    means: tuple[Floats, ...]  # by group, (n_groups,) mean of `worse`
    sources: tuple[str, ...]  # ids of what it is made from
    domains: tuple[NodeRanks, ...]  # the children of an index


class PlaceRanks:
    """Standings of any area of a run, from what is worked out once."""

    def __init__(self, results: Results, say: Words) -> None:
        self.results, self.say = results, say
        first = authority(results)
        self._kinds = say.term(results.areas.plural)
        self._word = say("all_of", name=whole_name(results.areas), kinds=self._kinds)
        keys = [k for k in (first, "region") if k in results.areas.parents]
        self.groups = groups_of(results.areas, list(dict.fromkeys(str(k) for k in keys)))
        self._sizes = [g.sizes for g in self.groups]
        self._intervals: dict[str, Floats] = {}
        for sure in results.certainty.values():
            self._intervals = {**sure.ranks, **self._intervals}
        self.indices = tuple(self._ranked(name, s.tree, 1.0) for name, s in results.scores.items())
        self._more = {name: IndexDetails(results, name, say) for name in results.scores}

    def _ranked(self, path: str, node: Node, weight: float, deep: bool = True) -> NodeRanks:
        index = path.split("/")[0]
        scores = self.results.scores[index]
        need = scores.need[path]
        ranks, worse = rank(need), worse_than(need)
        total = sum(node.weights.values()) or 1.0 if node.children else 1.0
        domains = tuple(
            self._ranked(f"{path}/{name}", child, child.weight / total, deep=False)
            for name, child in (node.children.items() if deep else ())
        )
        return NodeRanks(
            path.replace("/", "."),
            self.say.term(index_label(self.results, path)),
            weight,
            worse,
            ranks,
            decile(ranks),
            int((~np.isnan(need)).sum()),
            self._intervals.get(path.replace("/", ".")),
            tuple(g.means(worse) for g in self.groups),
            self._sources(index, node),
            domains,
        )

    def _sources(self, index: str, node: Node) -> tuple[str, ...]:
        of = {m.name: m.source.split(", ") for m in self.results.indicators[index].meta}
        leaves = [n.indicator for _, n in node.walk("") if n.indicator in of]
        return tuple(dict.fromkeys(s for leaf in leaves for s in of[leaf or ""]))

    def at(self, row: int, peers: Rows) -> tuple[PlaceRank, ...]:
        """Give the standings of one area."""
        return tuple(
            self._more[r.path].added(self._standing(r, row, peers), row) for r in self.indices
        )

    def together(self, rows: Rows, name: str) -> tuple[PlaceRank, ...]:
        """Give the means of several areas, beside the larger one that all lie in and the whole."""
        around = []
        for at, group in enumerate(self.groups):
            number = int(group.numbers[rows[0]])
            alone = number >= 0 and bool((group.numbers[rows] == number).all())
            if alone and group.compared[number] and group.names[number] != name:
                around.append((at, number))
        return tuple(self._mean(r, rows, around) for r in self.indices)

    def _mean(self, r: NodeRanks, rows: Rows, around: list[tuple[int, int]]) -> PlaceRank:
        own = r.worse[rows]
        own = own[~np.isnan(own)]
        averages = []
        for at, number in around:
            group, mean = self.groups[at], r.means[at][number]
            if not np.isnan(mean):
                n = int(self._sizes[at][number])
                averages.append(Average(group.key, group.names[number], float(mean), n))
        averages.append(Average("all", self._word, 0.5, r.n))
        return PlaceRank(
            r.path,
            r.label,
            rank=None,
            low=None,
            high=None,
            of=r.n,
            decile=None,
            worse_than=float(own.mean()) if len(own) else None,
            weight=r.weight,
            averages=tuple(averages),
            domains=tuple(self._mean(s, rows, around) for s in r.domains),
            sources=r.sources,
        )

    def _standing(self, r: NodeRanks, row: int, peers: Rows) -> PlaceRank:
        known = not np.isnan(r.ranks[row])
        low = high = None
        if r.interval is not None and not np.isnan(r.interval[row, 0]):
            low, high = int(r.interval[row, 0]), int(r.interval[row, 2])
        return PlaceRank(
            r.path,
            r.label,
            int(r.ranks[row]) if known else None,
            low,
            high,
            r.n,
            int(r.deciles[row]) if known else None,
            float(r.worse[row]) if known else None,
            r.weight,
            tuple(self._averages(r, row, peers)),
            tuple(self._standing(s, row, peers) for s in r.domains),
            r.sources,
        )

    def _averages(self, r: NodeRanks, row: int, peers: Rows) -> list[Average]:
        found = []
        of_peers = r.worse[peers]
        of_peers = of_peers[~np.isnan(of_peers)]
        if len(of_peers):
            found.append(
                Average(
                    "peers",
                    self.say("similar", kinds=self._kinds),
                    float(of_peers.mean()),
                    len(of_peers),
                )
            )
        for group, means, sizes in zip(self.groups, r.means, self._sizes, strict=True):
            k = int(group.numbers[row])
            if k >= 0 and group.compared[k] and not np.isnan(means[k]):
                found.append(Average(group.key, group.names[k], float(means[k]), int(sizes[k])))
        if r.n:
            found.append(Average("all", self._word, 0.5, r.n))
        return found


@dataclass(frozen=True, slots=True)
class _Leaf:
    """One indicator over all areas: see `Driver`."""

    index: str
    domain: str
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
    say: Words

    def at(self, row: int, code: str) -> Driver:
        value, unit = float("nan"), self.meta.unit
        hidden = bool(self.withheld[row])
        if self.value is not None and not hidden:
            value = float(self.value[row])
        worse = float(self.worse[row])
        known = not np.isnan(worse)
        text = self.say["withheld"] if hidden else format_amount(value, unit)
        if not text and self.value is not None:
            text = self.say["unknown"]
        elif text and code in self.estimated and not hidden:
            text = self.say("estimated", text=text)
        about, why, note = self.about
        return Driver(
            self.meta.name,
            self.label,
            self.index,
            self.domain,
            None if np.isnan(value) else value,
            unit,
            text,
            self.usual,
            "" if self.usual is None else format_amount(self.usual, unit),
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

    def __init__(self, results: Results, say: Words) -> None:
        self._codes = results.areas.codes
        asked = {
            t.condition.path.split("/")[0] for d in results.designations.values() for t in d.tested
        }
        self._leaves: list[_Leaf] = []
        for index in results.scores:
            if not asked or index in asked:
                self._leaves += _leaves(results, index, say)

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


def _leaves(results: Results, index: str, say: Words) -> Iterator[_Leaf]:
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
        domain = say.term(index_label(results, "/".join(parts[:2]))) if len(parts) > 1 else ""
        counts = found.counts.get(name) if scores.move is None else None
        # A study's own words are about this indicator; what a source says is about its file.
        told = meta.about, meta.why, meta.note
        known = value is not None and not np.isnan(value).all()
        yield _Leaf(
            say.term(index_label(results, index)),
            domain,
            say.term(index_label(results, path)),
            weight,
            meta,
            value,
            float(np.nanmedian(value)) if known and value is not None else None,
            worse_than(scores.need[path]),
            is_suppressed(results.areas.population, counts),
            estimated.get(name, frozenset()),
            (" ".join(told[0].split()), " ".join(told[1].split()), " ".join(told[2].split())),
            results.study.indicators[name].cites,
            say,
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
