"""What a report tells, as a value: every file of it is made from this."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from commonweal.document.chart.chart import Chart
    from commonweal.document.table import Shown

__all__ = ["Report", "Section", "Table"]


@dataclass(frozen=True, slots=True)
class Table:
    """A table of a report.

    Attributes
    ----------
    name
        Short, in words joined by hyphens: its file is ``tables/NAME.csv``.
    title
        What it shows, as its caption.
    shown
        The rows, headed by words for readers.
    about
        A sentence on how to read it.
    rows
        How many of its rows stand on the page and on paper; all of them where None. The workbook and
        the CSV file always have all.
    """

    name: str
    title: str
    shown: Shown
    about: str = ""
    rows: int | None = None


@dataclass(frozen=True, slots=True)
class Section:
    """A part of a report: its text, then its charts, then its tables, then what to beware of.

    Attributes
    ----------
    title
        The heading.
    text
        Paragraphs, in plain words.
    charts
        Drawings, each with its numbers.
    tables
        Tables.
    beware
        What a reader must not overlook: each is set apart as a warning.
    points
        Lines of a list, after the paragraphs.
    """

    title: str
    text: tuple[str, ...] = ()
    charts: tuple[Chart, ...] = ()
    tables: tuple[Table, ...] = ()
    beware: tuple[str, ...] = ()
    points: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Report:
    """A report on one subject.

    Attributes
    ----------
    name
        Short, in words joined by hyphens: what the report is called in its own account.
    title, heading
        The title, and a line under it: what was done, on what.
    answer
        The answer in a few sentences, before all else.
    sections
        The parts, in order.
    notes
        What stands above everything as a warning: that the data are fictional, for one.
    assumptions
        What was assumed and not verified, each in a sentence; listed as such.
    limits
        What the report does not show.
    works
        Ids of the works of the evidence library that it rests on.
    sources
        A line a source: title, date, licence, attribution.
    account
        Whatever else belongs into the provenance: settings, seeds, checksums; as plain data.
    """

    name: str
    title: str
    heading: str
    answer: tuple[str, ...]
    sections: tuple[Section, ...]
    notes: tuple[str, ...] = ()
    assumptions: tuple[str, ...] = ()
    limits: tuple[str, ...] = ()
    works: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()
    account: tuple[tuple[str, object], ...] = ()

    def tables(self) -> Iterator[Table]:
        """Give every table, with the numbers of the charts, in the order of the sections."""
        for section in self.sections:
            for chart in section.charts:
                yield Table(chart.id, chart.title, chart.numbers, chart.about)
            yield from section.tables
