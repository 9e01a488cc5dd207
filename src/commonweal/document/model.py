"""A document as a value: figures, sections, charts and tables; every file of it is made from this."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import polars as pl

from commonweal.document.format import percent, share_head
from commonweal.files.csv import csv_of_frame
from commonweal.files.extras import needs

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from datetime import date

    import numpy as np
    from numpy.typing import NDArray

    from commonweal.evidence import Evidence


@dataclass(frozen=True, slots=True)
class TableData:
    """A table for readers: the frame's columns are named by their headers."""

    # text, whole numbers (integers), decimals (floats) and shares (floats, 0..1)
    frame: pl.DataFrame
    shares: frozenset[str] = frozenset()  # headers of the columns that are shares
    # decimal places of columns of decimals that are not shown with two
    places: Mapping[str, int] = field(default_factory=dict)
    # headers of columns of text that hold counts, such as ``1,200``, and words where one is not shown; in a workbook
    # they are numbers
    counts: frozenset[str] = frozenset()
    # for programs, the names of columns by header, where the header will not do
    names: Mapping[str, str] = field(default_factory=dict)
    # the same rows for programs, where they need more: unrounded, and with columns that readers do not see
    data: pl.DataFrame | None = None

    def __len__(self) -> int:
        return len(self.frame)

    def is_number(self, header: str) -> bool:
        """Whether a column holds numbers."""
        return self.frame.schema[header].is_numeric()

    def to_right(self) -> list[bool]:
        """Give for each column whether it stands to the right: numbers, and text that holds counts."""
        schema = self.frame.schema
        return [kind.is_numeric() or head in self.counts for head, kind in schema.items()]

    def csv(self) -> bytes:
        """Give the table as CSV, safe to open in a spreadsheet."""
        heads = {h: share_head(h) if h in self.shares else h for h in self.frame.columns}
        return csv_of_frame(self.frame.rename(heads))

    def cells(self) -> list[tuple[str, ...]]:
        """Give every row as text for readers; empty where there is no value."""
        columns = []
        for header, kind in self.frame.schema.items():
            values = self.frame[header].to_list()
            if header in self.shares:
                text = ["" if v is None else percent(v) for v in values]
            elif kind.is_integer():
                text = ["" if v is None else f"{v:,}" for v in values]
            elif kind.is_float():
                digits = self.places.get(header, 2)
                text = ["" if v is None else f"{v:,.{digits}f}" for v in values]
            else:
                text = ["" if v is None else str(v) for v in values]
            columns.append(text)
        return list(zip(*columns, strict=True)) if len(self.frame) else []

    def rows(self) -> list[dict[str, object]]:
        """Give every row for programs, by the names of columns: those given, else the header in small letters."""
        frame = self.frame if self.data is None else self.data
        keys = [self.names.get(header, key_of(header)) for header in frame.columns]
        return [dict(zip(keys, row, strict=True)) for row in frame.iter_rows()]


def make_table(
    frame: pl.DataFrame,
    shares: Iterable[str] = (),
    places: Mapping[str, int] | None = None,
    *,
    whole: Iterable[str] = (),
    hidden: Iterable[str] = (),
    names: Mapping[str, str] | None = None,
) -> TableData:
    """Make a table of unrounded numbers; `whole` are shown as whole ones, `hidden` are only for programs."""
    numbers = [
        pl.col(h).fill_nan(None).round(0).cast(pl.Int64, strict=False)
        for h in whole
        if h in frame.columns
    ]
    readers = frame.with_columns(numbers).drop(hidden, strict=False)
    return TableData(
        readers,
        frozenset(shares) & set(readers.columns),
        places or {},
        names=names or {},
        data=frame,
    )


def table_from_columns(
    columns: Sequence[tuple[str, pl.Series]], shares: Sequence[str] = (), counts: Sequence[int] = ()
) -> TableData:
    """Make a table of headed columns; a header that occurs twice is numbered, and counts are given by their place."""
    headers = _unique([header for header, _ in columns])
    series = [s.alias(h) for h, (_, s) in zip(headers, columns, strict=True)]
    return TableData(
        pl.DataFrame(series), frozenset(shares), counts=frozenset(headers[i] for i in counts)
    )


def _unique(headers: Sequence[str]) -> list[str]:
    """Set a number to headers that occur twice, case ignored: those of an Excel table must differ."""
    seen: dict[str, int] = {}
    out = []
    for header in headers:
        key = header.casefold()
        seen[key] = seen.get(key, 0) + 1
        out.append(header if seen[key] == 1 else f"{header} ({seen[key]})")
    return out


def whole_numbers(values: NDArray[np.float64]) -> pl.Series:
    """Give numbers as whole ones; NaN is no value."""
    return pl.Series(values, dtype=pl.Float64).fill_nan(None).round(0).cast(pl.Int64)


def key_of(header: str) -> str:
    """Make a name for programs of words for readers.

    >>> key_of("Net benefit (£ million, 2025)")
    'net_benefit_million_2025'
    """
    return re.sub(r"[^a-z0-9]+", "_", header.casefold()).strip("_")


@dataclass(frozen=True, slots=True)
class Figure:
    """A number that answers a question, with its unit and its range."""

    name: str  # for programs, unique in its document
    label: str  # what it is, for readers
    # the number itself, unrounded, or text or yes and no; None where it is not known
    value: float | int | str | bool | None
    shown: str  # the same in words and with its unit, as readers see it
    # what it is measured in: ``GBP``, ``people``; '' for a share (0..1), a count, or none
    unit: str = ""
    # low, high: its range; None without one. The label or `about` says of what kind.
    low: float | None = None
    high: float | None = None
    about: str = ""  # where it is from, or how to read it; '' for nothing

    @property
    def line(self) -> str:
        """The figure on one line."""
        return f"{self.label}: {self.shown}{f' ({self.about})' if self.about else ''}"


@dataclass(frozen=True, slots=True)
class Chart:
    """A chart with its numbers."""

    id: str  # its id in a page
    title: str
    about: str  # how to read it, for those who see the drawing and those who do not
    svg: str
    numbers: TableData  # the numbers that it shows
    # how Vega-Lite draws them: marks and columns, without data
    vega: Mapping[str, object] = field(default_factory=dict)

    def to_altair(self) -> Any:
        """Give the numbers as a chart of Altair's, to be changed and shown in a notebook."""
        with needs("toolbox"):
            import altair
        told = {"title": self.title, "description": self.about, **(self.vega or {"mark": "bar"})}
        return altair.Chart.from_dict(told | {"data": {"values": self.numbers.frame.to_dicts()}})

    @property
    def width(self) -> float:
        """How wide the drawing is, in its own units."""
        box = re.search(r'viewBox="0 0 ([\d.]+) ', self.svg)
        return float(box[1]) if box else 600.0


class Cited(str):
    """A text that rests on sources: `notes` are their numbers, such as ``1–3, 5``."""

    __slots__ = ("notes",)
    notes: str

    def __new__(cls, text: str, notes: str) -> Cited:
        """Make it of a text and the numbers."""
        made = super().__new__(cls, text)
        made.notes = notes
        return made


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
    on_paper
        How many of those stand on paper; as many as on the page where None.
    columns
        Headers of the columns that stand on the page and on paper, in this order; all of them where None. The
        workbook and the CSV file always have all.
    find
        What a box above it finds, such as a name: on the page its rows can be searched; '' for no box.
    links
        By header of a column, what each of its cells links to on the page; '' for nothing.
    strong
        Rows that are set bold.
    """

    name: str
    title: str
    shown: TableData
    about: str = ""
    rows: int | None = None
    links: Mapping[str, Sequence[str]] = field(default_factory=dict)
    strong: tuple[int, ...] = ()
    on_paper: int | None = None
    columns: tuple[str, ...] | None = None
    find: str = ""

    @property
    def seen(self) -> TableData:
        """What stands on the page and on paper: some of the columns."""
        if self.columns is None:
            return self.shown
        return replace(self.shown, frame=self.shown.frame.select(self.columns), data=None)

    @property
    def printed(self) -> int | None:
        """How many rows stand on paper; None for all."""
        counts = [n for n in (self.rows, self.on_paper) if n is not None]
        return min(counts, default=None)


@dataclass(frozen=True, slots=True)
class Term:
    """What is explained: a name, and what is said of it."""

    name: str
    text: tuple[str, ...]
    # what sets it apart, in a few words each: set in a frame beside the name
    marks: tuple[str, ...] = ()
    quiet: str = ""  # dates, units and the like, set small

    @property
    def line(self) -> str:
        """All that is said of it, on one line."""
        return " ".join(
            filter(None, (*(f"{mark}." for mark in self.marks), *self.text, self.quiet))
        )


@dataclass(frozen=True, slots=True)
class Section:
    """A part of a report: its text, points, figures, warnings and terms, then its charts, then its tables.

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
    warnings
        What a reader must not overlook: each is set apart as a warning.
    points
        Lines of a list, after the paragraphs.
    terms
        Names with what is said of each, after the figures and warnings.
    figures
        The main numbers, after the points.
    annex
        Whether it is for those who look closer: a terminal has its title alone.
    beside
        Whether it stands beside the section before it, where there is room; of several, below each other.
    works
        Ids of works that it tells in full; in a short document, only names.
    on_paper
        Whether it stands on paper too; what few need may be left to the page, the terminal and the files.
    """

    title: str
    text: tuple[str, ...] = ()
    charts: tuple[Chart, ...] = ()
    tables: tuple[Table, ...] = ()
    warnings: tuple[str, ...] = ()
    points: tuple[str, ...] = ()
    figures: tuple[Figure, ...] = ()
    annex: bool = False
    beside: bool = False
    works: tuple[str, ...] = ()
    on_paper: bool = True
    terms: tuple[Term, ...] = ()


MAKER = "Commonweal"
"""What a document that is a part of nothing else names at its top and foot."""


@dataclass(frozen=True, slots=True)
class Document:
    """What is said of one subject, in the order in which it is read.

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
    language
        The language of its texts: a folder of `commonweal.document.words`.
    short
        Whether it is one of a sheet or two: set small, its parts side by side, without a list of contents.
    within
        What it is a part of, above its title and at the foot of each sheet.
    library
        Where its works are described, if not in the library that ships.
    day
        The date that it bears, if any.
    tables_in
        The file beside the page that has every row of a table, by ``{name}``.
    appendix
        Tables that only the workbook and the files have: too long to be read.
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
    language: str = "en"
    short: bool = False
    within: str = MAKER
    library: Evidence | None = None
    day: date | None = None
    tables_in: str = "tables/{name}.csv"
    appendix: tuple[Table, ...] = ()

    @property
    def dated(self) -> str:
        """The date that it bears, for readers; '' for none."""
        return f"{self.day.day} {self.day:%B %Y}" if self.day else ""

    def rows_of_sections(self) -> list[list[Section]]:
        """Give the sections, those together that stand side by side."""
        found: list[list[Section]] = []
        for section in self.sections:
            if section.beside and found:
                found[-1].append(section)
            else:
                found.append([section])
        return found

    def shows_numbers(self, chart: Chart) -> bool:
        """Whether the numbers of a chart are one of the tables."""
        return any(table.shown is chart.numbers for s in self.sections for table in s.tables)

    def figures(self) -> Iterator[Figure]:
        """Give every figure, in the order of the sections."""
        for section in self.sections:
            yield from section.figures

    def tables(self) -> Iterator[Table]:
        """Give every table, with the numbers of the charts, in the order of the sections."""
        for section in self.sections:
            for chart in section.charts:
                yield Table(chart.id, chart.title, chart.numbers, chart.about)
            yield from section.tables
        yield from self.appendix
