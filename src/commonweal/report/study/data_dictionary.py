"""The data dictionary: what each indicator measures, from what, and what was done to it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from commonweal.areas.catalogue import load_systems
from commonweal.document.format import format_count, percent
from commonweal.document.model import TableData
from commonweal.index.prepare_spec import POPULATION, Denominate, Impute, Screen, Shrink, Treat
from commonweal.report.evidence import citations
from commonweal.report.study.provenance import licences_of, source_title
from commonweal.study.names import index_label, parent_words

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from commonweal.index.prepare_spec import PrepareStep
    from commonweal.indicators import Indicator
    from commonweal.study.results import Results


_WAYS = {
    "mean": "the mean of the other areas",
    "median": "the median of the other areas",
    "group_mean": "the mean of the areas in the same {group}",
    "group_median": "the median of the areas in the same {group}",
    "row_mean": "the mean of the area's other indicators of the same domain, each on a scale from 0 to 1",
    "row_median": "the median of the area's other indicators of the same domain, each on a scale from "
    "0 to 1",
    "regression": "a regression on the area's other indicators",
}


def preparation(results: Results) -> list[tuple[str, str]]:
    """Give what was done as pairs of a subject and a text; none if nothing was."""
    told = []
    for k, step in enumerate(results.study.prepare, start=1):
        changed = sum(len(p.done[k - 1].cells) for p in results.preparations)
        how = _step(results, step)
        what = format_count(changed, "change", "changes")
        told.append((f"Preparation, step {k}", f"{how} {what}."))
    return told


def limit(results: Results) -> str:
    """Say what a preparation hides."""
    text = "The indicators were prepared once. The recalculations vary the prepared values, not how they were prepared."
    if any(step.impute for step in results.study.prepare):
        text += " Values that were filled in are estimates; they vary less than real ones would."
    return text


def _step(results: Results, step: PrepareStep) -> str:
    match step.spec:
        case Denominate() as s:
            by = _label(results, s.by)
            return f"Divided by {by}{f', per {s.per:,g}' if s.per != 1 else ''}: {_those(results, step)}."
        case Screen() as s:
            gone = (
                [f"indicators that fewer than {percent(s.indicators)} of areas have"]
                if s.indicators
                else []
            )
            gone += (
                [f"areas that have fewer than {percent(s.areas)} of the indicators"]
                if s.areas
                else []
            )
            return f"Left out: {', and '.join(gone)}."
        case Impute() as s:
            way = _WAYS[s.how].format(group=parent_words(s.group)[0])
            return f"Missing values filled in by {way}: {_those(results, step)}."
        case Treat() as s:
            ways = (
                [f"up to {format_count(s.winsorise, 'value is', 'values are')} limited"]
                if s.winsorise
                else []
            )
            ways += [f"all its values are reshaped ({s.reshape})"] if s.reshape != "none" else []
            own = (
                f"; treated separately: {', '.join(_label(results, n) for n in s.each)}"
                if s.each
                else ""
            )
            return (
                f"Extreme values treated, where an indicator's skew is {s.skew:g} or more and its kurtosis "
                f"{s.kurtosis:g} or more: {', and if that is not enough '.join(ways) or 'nothing'}{own}."
            )
        case Shrink() as s:
            rate = f", as rates per {s.per:,g} {_label(results, s.at_risk)}" if s.at_risk else ""
            return (
                f"Pulled towards the value of the {parent_words(s.to)[0]}, most where they are least certain"
                f"{rate}: {_those(results, step)}."
            )


def _those(results: Results, step: PrepareStep) -> str:
    return ", ".join(_label(results, name) for name in step.of) or "all indicators"


def _label(results: Results, name: str) -> str:
    if name == POPULATION:
        return "residents"
    return results.study.indicators[name].label or name.replace("_", " ")


def step_table(results: Results) -> TableData:
    """Show each step's indicators: how many values it changed, and how."""
    rows = []
    for p in results.preparations:
        for d in p.done:
            n = dict(d.cells.group_by("indicator").len().iter_rows())
            for name, how in d.told.items():
                what = _label(results, name) if name else results.areas.plural.capitalize()
                rows.append(
                    (p.indicators.system, d.number, d.step.kind, what, n.get(name or None, 0), how)
                )
    schema = {
        "Areas": pl.String, "Step": pl.Int64, "What": pl.String, "Indicator": pl.String,
        "Changes": pl.Int64, "How": pl.String,
    }  # fmt: skip
    return _plain(results, pl.DataFrame(rows, schema=schema, orient="row"))


def prepared_values(results: Results) -> TableData:
    """Show every value that was changed by itself.

    Where a step changes all values of an indicator (a rate, a logarithm), no single one is news;
    prepared.parquet has them.
    """
    frames = []
    for p in results.preparations:
        steps = [
            pl.lit(d.number).eq(pl.col("step")) & pl.col("indicator").is_in(d.whole) for d in p.done
        ]
        news = ~pl.any_horizontal(steps).fill_null(value=False)
        frames.append(p.to_frame().filter(news))
    names = results.areas.table.select("code", "name")
    frame = pl.concat(frames).join(names, on="code", how="left", maintain_order="left")
    labels = {name: _label(results, name) for name in results.study.indicators}
    frame = frame.with_columns(pl.col("indicator").replace(labels))
    headers = {
        "areas": "Areas", "step": "Step", "kind": "What", "indicator": "Indicator", "code": "Code",
        "name": "Name", "before": "Before", "after": "After", "what": "Change", "why": "Why",
    }  # fmt: skip
    return _plain(results, frame.select(*headers).rename(headers))


def _plain(results: Results, frame: pl.DataFrame) -> TableData:
    """Leave out columns that say nothing: those without a value, and the areas if all are the same."""
    same = ["Areas"] if len(results.preparations) == 1 else []
    empty = [c.name for c in frame if c.null_count() == len(frame) > 0]
    return TableData(frame.drop(*same, *empty))


COARSE = 0.01
"""Fewer different values than this share of the areas that have one: a coarse indicator."""


@dataclass(frozen=True, slots=True)
class DictionaryEntry:
    """One indicator of an index."""

    about: Indicator  # what its study says of it
    # index, part: the index, and the part of it that the indicator stands in; '' where that is the index
    index: str
    part: str
    # what sets it apart from a measurement of each area: synthetic, converted, coarse
    marks: tuple[str, ...]
    measured_on: str  # the areas that it was measured on; '' where they are those of the index
    source: str  # titles of its sources, with the licence of each
    # known, of: how many areas have a value, of how many
    known: int
    of: int

    @property
    def direction(self) -> str:
        """Which way need goes."""
        return f"higher means {self.about.higher_is} need"


def dictionary_entries(results: Results, index: str) -> list[DictionaryEntry]:
    """Say what each indicator of an index measures, in the order of the index."""
    found, tree = results.indicators[index], results.scores[index].tree
    told = []
    for path, node in tree.walk(index):
        if not node.indicator:
            continue
        column = found.column(node.indicator)
        about, values = found.meta[column], found.values[:, column]
        above = path.split("/")[1:-1]
        told.append(
            DictionaryEntry(
                about,
                index_label(results, index),
                " / ".join(
                    index_label(results, "/".join([index, *above[: k + 1]]))
                    for k in range(len(above))
                ),
                _marks(about, values),
                system_title(about.measured_on),
                _sources(results, about),
                int((~np.isnan(values)).sum()),
                len(values),
            )
        )
    return told


def measured_extra(results: Results) -> list[DictionaryEntry]:
    """Say the same of indicators that the study shows and no index reads, of the areas that it lists."""
    found = results.extra
    if found is None:
        return []
    read = {m.name for indicators in results.indicators.values() for m in indicators.meta}
    told = []
    for name in results.study.show:
        if name in read:
            continue
        about = found.meta[found.column(name)]
        values = found.values[results.focus, found.column(name)]
        told.append(
            DictionaryEntry(
                about,
                "None: shown only",
                "",
                _marks(about, values),
                system_title(about.measured_on),
                _sources(results, about),
                int((~np.isnan(values)).sum()),
                len(values),
            )
        )
    return told


def _marks(about: Indicator, values: NDArray[np.float64]) -> tuple[str, ...]:
    marks = ["Synthetic: estimated by a model"] if about.synthetic else []
    if about.measured_on:
        marks.append(f"Converted from {system_title(about.measured_on)}")
    known = values[~np.isnan(values)]
    different = len(np.unique(known))
    if different < COARSE * len(known):
        marks.append(f"Coarse: {different:,} different values")
    return tuple(marks)


def system_title(system: str) -> str:
    """Say what the areas of a system are; its id if it is none that ships."""
    known = load_systems().systems.get(system)
    return system if known is None else known.title


def _sources(results: Results, about: Indicator) -> str:
    ids = [id_ for id_ in about.source.split(", ") if id_]
    licences = licences_of(results)
    told = [(source_title(results, id_), licences.get(id_, "")) for id_ in ids]
    return "; ".join(f"{title} ({licence})" if licence else title for title, licence in told)


def indicator_table(results: Results) -> TableData:
    """Show everything that is known of each indicator of every index, for a spreadsheet."""
    works = citations(results)
    rows = [
        (
            m.about.label,
            m.index,
            m.part,
            m.about.about,
            m.about.why,
            "; ".join(work.full for work in works.get(m.about.name, ())),
            m.about.note,
            "; ".join(m.marks),
            m.about.unit,
            m.direction,
            m.about.how,
            m.measured_on,
            m.about.vintage,
            m.source,
            m.known,
            m.known / m.of if m.of else None,
        )
        for found in (
            *(dictionary_entries(results, i) for i in results.scores),
            measured_extra(results),
        )
        for m in found
    ]
    coverage = {"Areas with a value": pl.Int64, "Share of areas": pl.Float64}
    headers = [
        "Indicator", "Index", "Domain", "What it measures", "Why it counts", "Evidence for that",
        "Caution", "Marks", "Unit", "Direction", "How distance is measured", "Measured on",
        "Date", "Source and licence",
    ]  # fmt: skip
    schema = dict.fromkeys(headers, pl.String) | coverage
    frame = pl.DataFrame(rows, schema=schema, orient="row")
    empty = [h for h in headers if (frame[h] == "").all()]
    return TableData(frame.drop(empty), frozenset(["Share of areas"]))
