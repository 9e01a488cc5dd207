"""What each indicator measures, how, on which areas and from what, for readers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from commonweal.areas import load_systems
from commonweal.document.table import Shown
from commonweal.report.study.published import licences_of, source_title
from commonweal.report.study.references import citations
from commonweal.study.names import index_label

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from commonweal.indicators import Indicator
    from commonweal.study.results import Results

__all__ = ["COARSE", "Measured", "indicator_table", "measured", "measured_extra", "system_title"]

COARSE = 0.01
"""Fewer different values than this share of the areas that have one: a coarse indicator."""


@dataclass(frozen=True, slots=True)
class Measured:
    """One indicator of an index.

    Attributes
    ----------
    about
        What its study says of it.
    index, part
        The index, and the part of it that the indicator stands in; '' where that is the index.
    marks
        What sets it apart from a measurement of each area: synthetic, carried, coarse.
    measured_on
        The areas that it was measured on; '' where they are those of the index.
    source
        Titles of its sources, with the licence of each.
    known, of
        How many areas have a value, of how many.
    """

    about: Indicator
    index: str
    part: str
    marks: tuple[str, ...]
    measured_on: str
    source: str
    known: int
    of: int

    @property
    def direction(self) -> str:
        """Which way need goes."""
        return f"higher means {self.about.higher_is} need"


def measured(results: Results, index: str) -> list[Measured]:
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
            Measured(
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


def measured_extra(results: Results) -> list[Measured]:
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
            Measured(
                about,
                "None: shown beside them",
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
        marks.append(f"Carried from {system_title(about.measured_on)}")
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


def indicator_table(results: Results) -> Shown:
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
        for found in (*(measured(results, i) for i in results.scores), measured_extra(results))
        for m in found
    ]
    coverage = {"Areas with a value": pl.Int64, "Share of areas": pl.Float64}
    headers = [
        "Indicator", "Index", "Part", "What it measures", "Why it counts", "Evidence for that",
        "What to beware of", "Marks", "Unit", "Direction", "How reach is measured", "Measured on",
        "Date", "Source and licence",
    ]  # fmt: skip
    schema = dict.fromkeys(headers, pl.String) | coverage
    frame = pl.DataFrame(rows, schema=schema, orient="row")
    empty = [h for h in headers if (frame[h] == "").all()]
    return Shown(frame.drop(empty), frozenset(["Share of areas"]))
