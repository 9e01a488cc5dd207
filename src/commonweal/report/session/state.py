"""The state of social infrastructure: how much of each strand, where, for whom, what changed."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from commonweal.compare.similarity import worst_tenth
from commonweal.errors import StudyError, UnknownNameError
from commonweal.index import decile
from commonweal.report.study.larger_areas import tiers
from commonweal.report.study.tables import label_of
from commonweal.study.names import focus_name, index_label, larger_name

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from numpy.typing import NDArray

    from commonweal.index import Scores
    from commonweal.indicators import Indicator
    from commonweal.study.results import Results

    Floats = NDArray[np.float64]


QUARTERS = (0.25, 0.5, 0.75)


@dataclass(frozen=True, slots=True)
class AreaGroup:
    """One group of areas: a key for placeholders, a name for readers, and which areas it holds."""

    key: str
    label: str
    rows: NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Grouping:
    """A way of dividing areas: its key, what heads it, and its groups in the order to show them."""

    key: str
    title: str
    groups: tuple[AreaGroup, ...]


def groupings(results: Results, deprivation: str = "") -> list[Grouping]:
    """Divide a study's areas for readers: all, by deprivation, by larger area, by urban or rural setting."""
    everyone, where = results.focus, focus_name(results.study, results.areas)
    name = f"All {results.areas.plural}{f' in {where}' if where else ''}"
    found = [Grouping("all", name, (AreaGroup("all", name, everyone),))]
    if deprivation:
        if deprivation not in results.scores:
            raise UnknownNameError(
                "index", deprivation, results.scores, f" in {results.study.name}"
            )
        found.append(_tenths(results, deprivation))
    levels = tiers(results)
    region = next((t for t in levels if t.key == "region"), levels[0] if levels else None)
    if region is not None:
        pairs = results.areas.table[region.key, f"{region.key}_name"].rows()
        labels = [
            None if c is None else larger_name(results.areas, region.key, c, n) for c, n in pairs
        ]
        names = pl.Series(labels, dtype=pl.String)
        title = f"By {region.singular}"
        found.append(Grouping(region.key, title, tuple(_by_name(names, sorted))))
    if "rural_urban" in results.areas.table.columns:
        kinds = results.areas.table["rural_urban"]
        found.append(
            Grouping(
                "rural_urban", "By urban or rural setting", tuple(_by_name(kinds, _town_first))
            )
        )
    return [
        replace(grouping, groups=kept)
        for grouping in found
        if (kept := tuple(_inside(grouping.groups, everyone)))
    ]


def _inside(groups: tuple[AreaGroup, ...], here: NDArray[np.bool_]) -> Iterator[AreaGroup]:
    """Give what the study lists of each group; one of which it lists nothing is left out."""
    for group in groups:
        rows = group.rows & here
        if rows.any() or here.all():
            yield replace(group, rows=rows)


def _tenths(results: Results, index: str) -> Grouping:
    scores = results.scores[index]
    tenth = decile(scores.rank)
    ends = {
        1: ("most_deprived", "Most deprived 10%"),
        10: ("least_deprived", "Least deprived 10%"),
    }
    groups = [
        AreaGroup(*ends.get(k, (f"tenth_{k}", f"{k - 1}0% to {k}0%")), np.asarray(tenth == k))
        for k in range(1, 11)
    ]
    label = index_label(results, index)
    return Grouping("deprivation", f"By {label}: each 10% of {results.areas.plural}", tuple(groups))


def _by_name(names: pl.Series, order: Callable[[list[str]], list[str]]) -> Iterator[AreaGroup]:
    for name in order(names.drop_nulls().unique().to_list()):
        label = name.replace(": Nearer to", ", nearer to").replace(
            ": Further from", ", further from"
        )
        rows = (names == name).fill_null(value=False).to_numpy()
        yield AreaGroup(slug(name), label.removesuffix(" or city"), rows)


def _town_first(kinds: list[str]) -> list[str]:
    """Order settings from urban to rural."""
    order = ("Urban", "Larger rural", "Smaller rural")

    def place(kind: str) -> tuple[int, bool, str]:
        head = kind.split(":")[0]
        return order.index(head) if head in order else len(order), "Nearer" not in kind, kind

    return sorted(kinds, key=place)


def slug(name: str) -> str:
    """Give a name as a key for placeholders.

    >>> slug("Yorkshire and The Humber"), slug("Urban: Nearer to a major town")
    ('yorkshire_and_the_humber', 'urban_nearer_to_a_major_town')
    """
    return "_".join("".join(c if c.isalnum() else " " for c in name.casefold()).split())


def quantiles(values: Floats, people: Floats, at: tuple[float, ...] = QUARTERS) -> Floats:
    """(len(at),) the values below which shares of the people live: weighted quantiles."""
    known = ~np.isnan(values) & (people > 0)
    if not known.any():
        return np.full(len(at), np.nan)
    order = np.argsort(values[known], kind="stable")
    sorted_values, below = values[known][order], np.cumsum(people[known][order])
    rows = np.searchsorted(below, np.asarray(at) * below[-1] * (1 - 1e-12), side="left")
    return sorted_values[np.minimum(rows, len(sorted_values) - 1)]


WORST = 0.1
RANK_UNITS = ("rank", "ranks")


@dataclass(frozen=True, slots=True)
class IndicatorSummary:
    """One indicator by group."""

    about: Indicator  # what the indicator is: unit, direction, source, date, what to note
    strand: str  # the part of the index that it belongs to, for readers
    ratio: bool  # whether the values are ratios to the median of all, not in the unit
    # one row a group: ``grouping``, ``group``, ``label``, ``areas``, ``without`` (areas with no value), ``people``
    # (NaN if some are unknown), and ``lower``, ``median`` and ``upper``: a quarter, half and three quarters of the
    # people live in areas below them
    frame: pl.DataFrame

    def of(self, group: str, column: str = "median") -> float:
        """Give a group's value; NaN if it has none."""
        found = self.frame.filter(pl.col("group") == group)[column]
        if len(found) == 0:
            raise UnknownNameError("group", group, self.frame["group"])
        return float(found[0])


@dataclass(frozen=True, slots=True)
class WorstTenth:
    """Who lives in the worst 10%, on the index and on each strand."""

    # paths, labels: of the index and its strands
    paths: tuple[str, ...]
    labels: tuple[str, ...]
    label: str  # the label of the study's list; '' where it has none
    # one row a group: ``grouping``, ``group``, ``label``, ``areas``, ``people`` (NaN if some are unknown); by path the
    # share of the people who live in the worst 10% of all areas; ``in_draws``, that of the index on average over the
    # recalculations (null without); ``selected`` areas and ``selected_people`` (NaN as ``people``)
    frame: pl.DataFrame


@dataclass(frozen=True, slots=True)
class ListChange:
    """Who entered and left a list between two studies."""

    before: str
    after: str
    label: str  # the label of the list
    # one row a group: ``grouping``, ``group``, ``label``, ``before``, ``stay``, ``leave``, ``enter``, ``after``: areas
    frame: pl.DataFrame


@dataclass(frozen=True, slots=True)
class State:
    """The state of social infrastructure by one study."""

    title: str
    note: str
    singular: str
    plural: str
    areas: int
    people: float
    groupings: tuple[Grouping, ...]
    measures: tuple[IndicatorSummary, ...]
    ratios: tuple[IndicatorSummary, ...]
    lack: WorstTenth
    moved: tuple[ListChange, ...]

    def measure(self, name: str) -> IndicatorSummary:
        """Give the measure of an indicator."""
        by_name = {m.about.name: m for m in (*self.measures, *self.ratios)}
        if name not in by_name:
            raise UnknownNameError("indicator", name, by_name, " among those of the state")
        return by_name[name]


def state(
    results: Results,
    index: str = "",
    deprivation: str = "",
    ratios: Sequence[str] = (),
    since: Sequence[Results] = (),
) -> State:
    """Compute the state of what an index is made from, by deciles of `deprivation`, if it is given.

    `ratios` are indicators that are logarithms of a ratio of two years: shown as ratios to the median of all, since
    the count may differ between the years. `since` are runs of studies that name an earlier one: who entered and left.
    """
    index = index or next(iter(results.scores))
    if index not in results.scores:
        raise UnknownNameError("index", index, results.scores, f" in {results.study.name}")
    groups = groupings(results, deprivation)
    people = results.areas.population
    if np.isnan(people).all():
        raise StudyError(
            f"study {results.study.name}: its areas have no population; a state needs "
            "to know how many people live where"
        )
    strands = dict(_strands(results, index))
    for name in ratios:
        if name not in strands:
            raise UnknownNameError("indicator", name, strands, f" in index '{index}'")
    own = results.indicators[index]
    if list(own.codes) != results.areas.codes:
        raise StudyError(
            f"study {results.study.name}: index '{index}' uses other areas than the study's; its "
            "indicators cannot be shown by group"
        )
    told: dict[bool, list[IndicatorSummary]] = {False: [], True: []}
    for k, about in enumerate(own.meta):
        if about.name not in strands or about.unit in RANK_UNITS:
            continue
        values, ratio = own.values[:, k], about.name in ratios
        if ratio:
            values = np.exp(values - quantiles(values, people)[1])
        frame = _by_group(values, people, groups)
        told[ratio].append(IndicatorSummary(about, strands[about.name], ratio, frame))
    if not told[False]:
        raise StudyError(
            f"study {results.study.name}: the indicators of '{index}' are ranks, which do not show how much; "
            "use a study whose indicators have units, such as open-england"
        )
    return State(
        results.study.title,
        results.study.briefing.note,
        results.areas.singular,
        results.areas.plural,
        int(results.focus.sum()),
        float(people[results.focus].sum()),
        tuple(groups),
        tuple(told[False]),
        tuple(told[True]),
        _lack(results, index, groups, people),
        tuple(_moved(run) for run in since),
    )


def _strands(results: Results, index: str) -> Iterator[tuple[str, str]]:
    """Give each indicator of an index with the label of the strand that it is in."""
    for path, node in results.scores[index].tree.walk(index):
        if node.indicator is not None:
            top = "/".join(path.split("/")[:2])
            yield node.indicator, index_label(results, top)


def _by_group(values: Floats, people: Floats, groups: Sequence[Grouping]) -> pl.DataFrame:
    rows = []
    for grouping in groups:
        for group in grouping.groups:
            here, n = values[group.rows], people[group.rows]
            lower, middle, upper = quantiles(here, n)
            rows.append((
                grouping.key, group.key, group.label, len(here), int(np.isnan(here).sum()), float(n.sum()),
                float(lower), float(middle), float(upper),
            ))  # fmt: skip
    schema = {
        **dict.fromkeys(("grouping", "group", "label"), pl.String),
        **dict.fromkeys(("areas", "without"), pl.Int64),
        **dict.fromkeys(("people", "lower", "median", "upper"), pl.Float64),
    }
    return pl.DataFrame(rows, schema=schema, orient="row")


def _lack(results: Results, index: str, groups: Sequence[Grouping], people: Floats) -> WorstTenth:
    scores = results.scores[index]
    paths = [
        index,
        *(f"{index}/{child}" for child, node in scores.tree.children.items() if node.children),
    ]
    worst = {path: _worst_tenth(scores, path) for path in paths}
    drawn = _in_draws(results, index)
    name = next(iter(results.designations), None)
    chosen = (
        results.designation_in_focus(name).selected if name else np.zeros(len(people), dtype=bool)
    )
    rows = []
    for grouping in groups:
        for group in grouping.groups:
            here = group.rows
            row: dict[str, object] = {
                "grouping": grouping.key, "group": group.key, "label": group.label,
                "areas": int(here.sum()), "people": float(people[here].sum()),
            }  # fmt: skip
            row |= {path: _share(worst[path][here], people[here]) for path in paths}
            row["in_draws"] = None if drawn is None else _share(drawn[here], people[here])
            row |= {
                "selected": int(chosen[here].sum()),
                "selected_people": float(people[here & chosen].sum()),
            }
            rows.append(row)
    frame = pl.DataFrame(rows, schema_overrides={"in_draws": pl.Float64})
    labels = tuple(index_label(results, path) for path in paths)
    return WorstTenth(tuple(paths), labels, label_of(results, name) if name else "", frame)


def _worst_tenth(scores: Scores, path: str) -> Floats:
    """(n_areas,) 1 in the worst 10% of the areas with a score, else 0; NaN without one."""
    need = scores.need[path]
    return np.where(np.isnan(need), np.nan, worst_tenth(need))


def _in_draws(results: Results, index: str) -> Floats | None:
    """(n_areas,) share of recalculations in the worst 10% of an index; None where no rule asks just that."""
    for name, sure in results.certainty.items():
        asked = results.designations[name].rule.conditions()
        for (label, share), c in zip(sure.passes, asked, strict=True):
            if label == index and c.worst and c.worst.share == WORST and not c.within:
                return share
    return None


def _share(values: Floats, people: Floats) -> float | None:
    """Give the people-weighted mean of what is known; None if nothing is."""
    known = ~np.isnan(values) & ~np.isnan(people)
    total = people[known].sum()
    return float((values[known] * people[known]).sum() / total) if total else None


def _moved(results: Results) -> ListChange:
    if results.since is None:
        raise StudyError(
            f"study {results.study.name} names no earlier study under 'since'; use one that does, such as "
            "left-behind-2025"
        )
    title, c = results.since
    rows = []
    for grouping in groupings(results):
        for group in grouping.groups:
            stay, leave, enter = (int(x[group.rows].sum()) for x in (c.stay, c.leave, c.enter))
            rows.append({
                "grouping": grouping.key, "group": group.key, "label": group.label,
                "before": stay + leave, "stay": stay, "leave": leave, "enter": enter, "after": stay + enter,
            })  # fmt: skip
    label = label_of(results, next(iter(results.designations)))
    return ListChange(title, results.study.title, label, pl.DataFrame(rows))
