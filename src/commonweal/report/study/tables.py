"""The tables that workbook, report and map show, made once from the results."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
import polars as pl
from numpy.typing import NDArray

from commonweal.designation.change import can_tell
from commonweal.designation.designation import group_numbers
from commonweal.document.format import (
    SURE,
    UNSURE,
    coded_name,
    format_amount,
    is_suppressed,
    list_name,
    stability,
)
from commonweal.document.model import TableData, table_from_columns, whole_numbers
from commonweal.index import decile, rank
from commonweal.report.study.drivers import main_driver_labels
from commonweal.report.study.larger_areas import tiers
from commonweal.report.study.sensitivity import describe_assumption
from commonweal.study.names import counted_areas, index_label

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from commonweal.designation import Designation, Rule
    from commonweal.index import Scores
    from commonweal.indicators import Indicator
    from commonweal.study.results import Results


@dataclass(frozen=True, slots=True)
class ClassRanks:
    """An index within the classes of a kind."""

    kind: str  # name of the classification, such as ``rural_urban``
    classes: list[str | None]  # (n_areas,) the class of each area; None where it has none
    # rank, decile: (n_areas,) among the areas of the class that have a score, 1 = most need; NaN without class or
    # score
    rank: NDArray[np.float64]
    decile: NDArray[np.float64]
    of: NDArray[np.float64]  # (n_areas,) how many these are


def class_ranks(results: Results, index: str) -> Iterator[ClassRanks]:
    """Rank the areas of a run within each classification that its area system has."""
    need = results.scores[index].score
    for kind in results.areas.classes:
        numbers = group_numbers(results.areas, kind)
        ranks, of = np.full((2, len(need)), np.nan)
        for number in range(numbers.max(initial=-1) + 1):
            alike = np.flatnonzero((numbers == number) & ~np.isnan(need))
            ranks[alike], of[alike] = rank(need[alike]), len(alike)
        classes = results.areas.table[kind].to_list()
        yield ClassRanks(kind, classes, ranks, np.ceil(ranks * 10 / of), of)


def class_word(kind: str) -> str:
    """Say what a classification is called.

    >>> class_word("rural_urban")
    'rural-urban class'
    """
    return f"{kind.replace('_', '-')} class"


MOST_NAMED = 3


@dataclass(frozen=True, slots=True)
class Extra:
    """One indicator that the study's ``show`` names."""

    about: Indicator
    # (n_areas,) as measured; NaN where unknown, or withheld since few people or events are behind it
    value: NDArray[np.float64]
    # (n_areas,) 1 = most need, among the areas that have a value; ties share the lowest
    rank: NDArray[np.float64]
    of: int  # how many areas have a value

    @property
    def header(self) -> str:
        """Its name with its unit, at the head of a column."""
        unit = self.about.unit
        return f"{self.about.label} ({unit})" if unit else self.about.label


def extras(results: Results) -> list[Extra]:
    """Give the indicators that the study shows, in its order."""
    found = results.extra
    if found is None:
        return []
    made = []
    for name in results.study.show:
        column = found.column(name)
        about, values = found.meta[column], found.values[:, column]
        ranks = rank(values if about.higher_is == "more" else -values)
        hidden = is_suppressed(results.areas.population, found.counts.get(name))
        shown = np.where(hidden, np.nan, values)
        made.append(Extra(about, shown, ranks, int((~np.isnan(values)).sum())))
    return made


def extra_columns(
    results: Results, rows: NDArray[np.intp] | slice
) -> Iterator[tuple[str, pl.Series]]:
    """Give the columns of a table of some areas: the value of each, and its rank."""
    for one in extras(results):
        yield one.header, pl.Series(one.value[rows], dtype=pl.Float64).fill_nan(None)
        yield f"{one.about.label}: rank", whole_numbers(one.rank[rows])


def extra_lines(results: Results) -> Iterator[str]:
    """Say of each how many of the areas listed have a value, and name those with most need."""
    areas, here = results.areas, np.flatnonzero(results.focus)
    for one in extras(results):
        known = here[~np.isnan(one.rank[here])]
        first = known[np.argsort(one.rank[known], kind="stable")][:MOST_NAMED]
        named = [
            f"{coded_name(areas.codes[i], areas.table['name'][int(i)])} "
            f"({format_amount(float(one.value[i]), one.about.unit)})"
            for i in first
        ]
        most = f". Greatest need: {'; '.join(named)}" if named else ""
        scored = any(one.about.name in results.study.leaves(index) for index in results.scores)
        yield (
            f"{one.about.label}{'' if scored else ' (not part of an index)'}: values for "
            f"{len(known):,} of {counted_areas(len(here), areas)}{most}."
        )


Floats: TypeAlias = NDArray[np.float64]
Rows: TypeAlias = NDArray[np.intp]

ON_THE_LIST = "Recalculations on the list"
"""Head of the share of recalculations in which an area is on the list."""

MOST_INDICES = 4
"""Indices that the short table of all areas shows; the Parquet files have all of them."""


def label_of(results: Results, name: str) -> str:
    """Give the study's label for the areas on the list of a designation."""
    alone = len(results.designations) == 1
    return results.study.briefing.label if alone else name.replace("_", " ")


def the_list(results: Results, name: str) -> str:
    """Name the list that a designation makes, by the study's own label."""
    return list_name(label_of(results, name), results.areas.plural)


def share_of_draws(results: Results, name: str) -> Floats | None:
    """(n_areas,) share of the recalculations in which an area is on the list; None without any."""
    sure = results.certainty.get(name)
    return None if sure is None else sure.selected


def certain(results: Results, name: str) -> Floats | None:
    """(n_areas,) what the words of the scale go by, `Certainty.overall`; None without recalculations."""
    sure = results.certainty.get(name)
    return None if sure is None else sure.overall


def margin(designation: Designation) -> Floats:
    """(n_areas,) places to the cut-off that decides: positive inside, negative outside.

    Of conditions joined by 'all' the nearest to failing decides, of those joined by 'any' the
    furthest inside. NaN where a deciding score is missing.
    """
    places = iter(np.nan_to_num(t.places, nan=-np.inf) for t in designation.tested)

    def visit(rule: Rule) -> Floats:
        if rule.condition is not None:
            return next(places)
        if rule.not_ is not None:
            return -visit(rule.not_)
        parts = [visit(r) for r in rule.all or rule.any or ()]
        joined: Floats = (np.minimum if rule.all else np.maximum).reduce(parts)
        return joined

    found = visit(designation.rule)
    return np.where(np.isfinite(found), found, np.nan)


def knows_changes(results: Results, designation: Designation) -> bool:
    """Say whether what one domain alone would do is worked out for every condition."""
    return all(
        can_tell(results.scores[t.condition.path.split("/")[0]], t.condition.path)
        for t in designation.tested
    )


def changes_in_words(results: Results, designation: Designation, rows: Rows) -> list[str]:
    """Say for each of some areas which single domain would change the result, and by how much."""
    path, now, then = designation.least_change()
    none, text = "", []
    for row in rows:
        if path[row] is None:
            none = none or ("No single domain" if knows_changes(results, designation) else "—")
            text.append(none)
            continue
        text.append(
            f"{index_label(results, path[row])}: from rank {now[row]:,.0f} to {then[row]:,.0f}"
        )
    return text


def certainty_words(results: Results, name: str, rows: Rows) -> pl.Series:
    """Give the word of the scale for some areas of a recalculated list."""
    shares = results.certainty[name].overall[rows].tolist()
    return pl.Series(
        [None if np.isnan(share) else stability(share) for share in shares], dtype=pl.String
    )


@dataclass(frozen=True, slots=True)
class DesignationCounts:
    """The figures of a headline."""

    # selected, of: areas selected, of how many
    selected: int
    of: int
    population: float  # who lives in the selected ones; NaN if unknown
    # in how many larger areas of the first tier they lie; None if there are none
    authorities: int | None
    # near_misses, just_inside: areas that a cut-off a tenth more generous would bring in, or a tenth stricter put out
    near_misses: int
    just_inside: int
    # sure, toss_ups: of the selected: secure, and borderline. None without draws.
    sure: int | None
    toss_ups: int | None
    toss_ups_out: int | None  # of the others: borderline


def counts(results: Results, name: str) -> DesignationCounts:
    """Count what a headline says."""
    d, p, here = results.designation_in_focus(name), certain(results, name), results.focus
    first = tiers(results)[:1]
    inside = results.areas.table.filter(d.selected)
    toss = None if p is None else (p >= UNSURE) & (p <= 1 - UNSURE) & here
    return DesignationCounts(
        selected=int(d.selected.sum()),
        of=int(here.sum()),
        population=d.population,
        authorities=inside[first[0].key].drop_nulls().n_unique() if first else None,
        near_misses=int(d.near_miss.sum()),
        just_inside=int(d.just_inside.sum()),
        sure=None if p is None else int((p[d.selected] >= SURE).sum()),
        toss_ups=None if toss is None else int(toss[d.selected].sum()),
        toss_ups_out=None if toss is None else int(toss[~d.selected].sum()),
    )


def _who(results: Results, rows: Rows) -> list[tuple[str, pl.Series]]:
    """Code, name, larger areas and people of some areas."""
    table = results.areas.table[rows]
    columns = [("Code", table["code"]), ("Name", table["name"])]
    columns += [(t.header, table[f"{t.key}_name"]) for t in tiers(results)]
    return [
        *columns,
        ("Population", whole_numbers(table["population"].fill_null(np.nan).to_numpy())),
    ]


def designation_table(results: Results, name: str, rows: Rows, brief: bool = False) -> TableData:
    """Show areas with what decides about them, in the order given."""
    d, p = results.designations[name], share_of_draws(results, name)
    columns = _who(results, rows)
    if brief:
        columns = [c for c in columns if c[0] not in {t.header for t in tiers(results)[1:]}]
    for t in d.tested:
        label = index_label(results, t.condition.index)
        columns += [(f"{label}: rank", whole_numbers(t.rank[rows]))]
        if not brief:
            columns += [(f"{label}: ranks inside the cut-off", whole_numbers(t.places[rows]))]
    behind = main_driver_labels(results, name, rows)
    if behind is not None:
        columns.append(("Adds most to the score", pl.Series(behind, dtype=pl.String)))
    columns.append(("Ranks inside the cut-off", whole_numbers(margin(d)[rows])))
    if p is not None:
        columns.append((ON_THE_LIST, pl.Series(p[rows])))
        columns.append(("Certainty", certainty_words(results, name, rows)))
    if p is not None and brief:  # a page has room for what the words go by
        released = results.certainty[name].next_release is not None
        columns.pop(-2 if released else -1)
    found = results.sensitivity.get(name)
    if found is not None and not brief:
        words = [
            *(describe_assumption(results, a, law=False) for a in found.settings.assumptions),
            None,
        ]  # the last is that of -1: none ever does
        movers = pl.Series([words[k] for k in found.mover[rows]], dtype=pl.String)
        columns.append(("Biggest source of uncertainty", movers))
    columns.append(
        (
            "What would change the result",
            pl.Series(changes_in_words(results, d, rows), dtype=pl.String),
        )
    )
    columns += extra_columns(results, rows)
    return table_from_columns(columns, [ON_THE_LIST])


def selected_rows(designation: Designation) -> Rows:
    """Row numbers of the selected areas, by the rank that the first condition was decided on."""
    rows = np.flatnonzero(designation.selected)
    return rows[np.argsort(designation.tested[0].rank[rows], kind="stable")]


def near_miss_rows(designation: Designation) -> Rows:
    """Row numbers of the near misses, the nearest first."""
    rows = np.flatnonzero(designation.near_miss)
    return rows[np.argsort(-margin(designation)[rows], kind="stable")]


def worst_areas(results: Results, index: str, n: int) -> TableData:
    """Show the areas that rank first on an index."""
    found = results.scores[index]
    ranks = found.rank
    rows = np.flatnonzero(results.focus & ~np.isnan(ranks))
    rows = rows[np.argsort(ranks[rows], kind="stable")][:n]
    columns = [("Rank", whole_numbers(ranks[rows])), *_who(results, rows)]
    columns.append(("Score", pl.Series(found.score[rows])))
    columns += [
        (f"{index_label(results, path)}: rank", whole_numbers(found.rank_of(path)[rows]))
        for path in found.domains
    ]
    return table_from_columns(columns)


def areas_in_short(results: Results) -> TableData:
    """Show every area that is listed with what is asked for most."""
    rows = np.flatnonzero(results.focus)
    columns = _who(results, rows)
    columns += [
        (class_word(kind).capitalize(), results.areas.table[kind][rows])
        for kind in results.areas.classes
    ]
    for index, scores in list(results.scores.items())[:MOST_INDICES]:
        ranks = scores.rank
        label = index_label(results, index)
        columns += [
            (f"{label}: rank", whole_numbers(ranks[rows])),
            (f"{label}: decile", whole_numbers(decile(ranks)[rows])),
        ]
        for found in class_ranks(results, index):
            word = class_word(found.kind)
            columns.append((f"{label}: rank in its {word}", whole_numbers(found.rank[rows])))
            columns.append((f"{label}: decile in its {word}", whole_numbers(found.decile[rows])))
    shares = []
    for name, d in results.designations.items():
        start = "" if len(results.designations) == 1 else f"{label_of(results, name)}: "
        state = np.select(
            [d.selected, d.near_miss],
            ["On the list", "Just outside"],
            "Not on the list",
        )
        columns.append((f"{start}result".capitalize(), pl.Series(state[rows].tolist())))
        columns.append(
            (f"{start}ranks inside the cut-off".capitalize(), whole_numbers(margin(d)[rows]))
        )
        p = share_of_draws(results, name)
        if p is not None:
            columns.append((f"{start}{ON_THE_LIST}".capitalize(), pl.Series(p[rows])))
            shares.append(columns[-1][0])
            columns.append((f"{start}certainty".capitalize(), certainty_words(results, name, rows)))
    columns += extra_columns(results, rows)
    return table_from_columns(columns, shares)


def domain_paths(scores: Scores) -> list[str]:
    """Name the parts of an index that have parts, and those right below it."""
    inner = {path for path, node in scores.tree.walk(scores.index) if node.children}
    return [p for p in scores.need if p in inner.union(scores.domains) - {scores.index}]


def domain_ranks(results: Results) -> TableData:
    """Show the rank of every area on every domain of every index."""
    table, rows = results.areas_in_focus.table, np.flatnonzero(results.focus)
    columns = [("Code", table["code"]), ("Name", table["name"])]
    for index, scores in results.scores.items():
        start = "" if len(results.scores) == 1 else f"{index_label(results, index)}: "
        columns += [
            (
                f"{start}{index_label(results, path)}: rank",
                whole_numbers(scores.rank_of(path)[rows]),
            )
            for path in domain_paths(scores)
        ]
    return table_from_columns(columns)


def indicator_values(results: Results) -> Iterator[tuple[str, str, TableData]]:
    """Show the value of every indicator, one table for each kind of areas that indices are built on."""
    table, rows = results.areas_in_focus.table, np.flatnonzero(results.focus)
    here: dict[str, tuple[str, pl.Series]] = {}
    for index, found in results.indicators.items():
        on_own = list(found.codes) == results.areas.codes
        shown = found.values[rows] if on_own else found.values
        values = {
            about.name: (about.label, pl.Series(shown[:, k]).fill_nan(None))
            for k, about in enumerate(found.meta)
        }
        if on_own:
            here |= values
        else:
            codes = [("Code", pl.Series(list(found.codes), dtype=pl.String))]
            yield (
                index,
                f"areas that {index_label(results, index)} is built on",
                _valued(codes, values),
            )
    if here:
        yield (
            "",
            results.areas.plural,
            _valued([("Code", table["code"]), ("Name", table["name"])], here),
        )


def _valued(
    who: list[tuple[str, pl.Series]], values: Mapping[str, tuple[str, pl.Series]]
) -> TableData:
    """Show values with as many decimals as small ones need."""
    shown = table_from_columns([*who, *values.values()])
    small = {
        header: 4
        for header in shown.frame.columns[len(who) :]
        if (shown.frame[header].abs() < 1).fill_null(value=True).all()
    }
    return replace(shown, places=small)
