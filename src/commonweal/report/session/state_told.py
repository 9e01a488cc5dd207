"""A state for readers: sentences, charts and tables by strand, and its numbers as tables."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

from commonweal.document.numbers import amount
from commonweal.document.table import Shown
from commonweal.document.words import living, people, percent
from commonweal.errors import StudyError, nearest
from commonweal.report.session.charts import lack_chart, measure_chart, short_amount

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from commonweal.document.chart.chart import Chart
    from commonweal.report.session.spec import StateSpec
    from commonweal.report.session.state import Measure, Moved, State

__all__ = ["StateTold", "Strand", "state_tables", "told"]


_ENDS = (("most_deprived", "Most deprived tenth"), ("least_deprived", "Least deprived tenth"))


@dataclass(frozen=True, slots=True)
class Strand:
    """One strand: its name, a table of all its measures, charts of some, and what to beware of."""

    label: str
    table: Shown
    charts: tuple[Chart, ...]
    beware: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class StateTold:
    """A state for readers.

    Attributes
    ----------
    state
        The state.
    summary, who
        What it comes to, in sentences, and who lives where there is least.
    strands
        How much of each, in units of its own.
    worst
        Charts of who lives where there is least.
    changed, change_note, change_charts, change_tables
        What changed, and what to beware of in it.
    caveats
        What it does not show.
    """

    state: State
    summary: tuple[str, ...]
    who: Shown
    strands: tuple[Strand, ...]
    worst: tuple[Chart, ...]
    changed: tuple[str, ...]
    change_note: tuple[str, ...]
    change_charts: tuple[Chart, ...]
    change_tables: tuple[tuple[str, Shown], ...]
    caveats: tuple[str, ...]

    @property
    def charts(self) -> tuple[Chart, ...]:
        """Every chart, in the order of the page."""
        own = tuple(chart for strand in self.strands for chart in strand.charts)
        return (*own, *self.worst, *self.change_charts)


def told(found: State, spec: StateSpec, change_note: tuple[str, ...] = ()) -> StateTold:
    """Tell a state.

    Parameters
    ----------
    found
        The state.
    spec
        Which measures get a chart.
    change_note
        What to beware of in what changed.

    Raises
    ------
    StudyError
        If a measure to show is not one of the state's.
    """
    names = [m.about.name for m in found.measures]
    for k, name in enumerate(spec.show):
        if name not in names:
            raise StudyError(
                f"state.show.{k}: '{name}' is no indicator in a unit of its own; {nearest(name, names)}"
            )
    strands = dict.fromkeys(m.strand for m in found.measures)
    return StateTold(
        found,
        tuple(_summary(found)),
        _who(found),
        tuple(_strand(found, label, spec.show or _first(found)) for label in strands),
        tuple(lack_chart(found.lack, path, found) for path in found.lack.paths),
        tuple(_changed(found)),
        change_note,
        tuple(measure_chart(m, found) for m in found.ratios),
        tuple((f"Since {m.before}", _moved_table(m)) for m in found.moved),
        tuple(_caveats(found)),
    )


def _first(found: State) -> list[str]:
    """Give the first measure of each strand."""
    by_strand = {m.strand: m.about.name for m in reversed(found.measures)}
    return list(by_strand.values())


def _strand(found: State, label: str, show: Sequence[str]) -> Strand:
    measures = [m for m in found.measures if m.strand == label]
    charts = tuple(measure_chart(m, found) for m in measures if m.about.name in show)
    beware = tuple((m.about.label, m.about.note) for m in measures if m.about.note)
    return Strand(label, _table(measures), charts, beware)


def _table(measures: Sequence[Measure]) -> Shown:
    """Give one row a measure: the middle and the middle half of all, the ends, and the dates."""
    rows = []
    for m in measures:
        by = {r["group"]: r for r in m.frame.iter_rows(named=True)}
        row = {
            "Measure": f"{m.about.label} ({m.about.unit})",
            "Middle": short_amount(by["all"]["median"], m.about.unit),
            "Middle half": " to ".join(
                short_amount(by["all"][end], m.about.unit) for end in ("lower", "upper")
            ),
        }
        for key, head in _ENDS:
            if key in by:
                row[head] = short_amount(by[key]["median"], m.about.unit)
        rows.append(
            row | {"More means": f"{m.about.higher_is} need", "As of": _years(m.about.vintage)}
        )
    return Shown(pl.DataFrame(rows))


def _years(vintage: str) -> str:
    """Give a date as it is; of several, from which year to which.

    Examples
    --------
    >>> _years("April 2020"), _years("2023; 24 May 2025; January 2022")
    ('April 2020', '2022 to 2025')
    """
    years = sorted(re.findall(r"(?:19|20)\d\d", vintage))
    return f"{years[0]} to {years[-1]}" if ";" in vintage and years else vintage


def _summary(found: State) -> Iterator[str]:
    """Say what the state is of, and how many places the study selects."""
    yield (
        f"{found.areas:,} {found.plural}, {people(found.people)}. The table says who lives in the tenth of "
        f"{found.plural} with least, for all strands and for each. Then each strand is told in the units of what was "
        "measured."
    )
    if found.lack.label:
        r = found.lack.frame.row(0, named=True)
        yield (
            f"{r['selected']:,} {found.plural} are {found.lack.label}; {living(r['selected_people'])}."
        )


def _who(found: State) -> Shown:
    """Give, for the index and each strand, the share of people in the worst tenth at the ends."""
    table = []
    for path, label in zip(found.lack.paths, found.lack.labels, strict=True):
        rows = [r for r in found.lack.frame.iter_rows(named=True) if r[path] is not None]
        by = {r["group"]: r for r in rows}
        line: dict[str, str] = {"Strand": label}
        for key, head in _ENDS:
            if key in by:
                line[head] = percent(by[key][path])
        for grouping in found.groupings:
            here = [r for r in rows if r["grouping"] == grouping.key]
            if grouping.key not in ("all", "deprivation") and here:
                for word, pick in (("least", min), ("most", max)):
                    r = pick(here, key=lambda r: float(r[path]))
                    line[f"{grouping.title}: {word}"] = f"{percent(r[path])} ({r['label']})"
        table.append(line)
    return Shown(pl.DataFrame(table))


def _changed(found: State) -> Iterator[str]:
    for moved in found.moved:
        r = moved.frame.row(0, named=True)
        yield (
            f"{moved.after}: {r['after']:,} are {moved.label}, after {r['before']:,} in {moved.before}. "
            f"{r['stay']:,} stay, {r['leave']:,} leave, {r['enter']:,} enter. Lists by relative rank cannot say "
            "whether places got better or worse."
        )
    for m in found.ratios:
        by = {r["group"]: r for r in m.frame.iter_rows(named=True)}
        ends = ""
        if {"most_deprived", "least_deprived"} <= set(by):
            most, least = (amount(by[k]["median"], "") for k in ("most_deprived", "least_deprived"))
            ends = f" The middle is {most} in the most deprived tenth and {least} in the least."
        yield (
            f"{m.about.label}: told as a ratio to the middle of all {found.plural}, since what was counted differs "
            f"between the years; below 1 fared worse than the middle.{ends}"
        )


def _moved_table(moved: Moved) -> Shown:
    heads = {
        "label": "Group",
        "before": "Before",
        "stay": "Stay",
        "leave": "Leave",
        "enter": "Enter",
        "after": "After",
    }
    return Shown(moved.frame.select(pl.col(k).alias(v) for k, v in heads.items()))


def _caveats(found: State) -> Iterator[str]:
    yield (
        "“In the middle” is the value that half of the people live below. The middle half says how far people "
        "differ, not how sure the figure is."
    )
    yield (
        "“The worst tenth” is relative: a tenth of places is always in it. It shows who has less than others, never "
        "how much there is or whether there is enough."
    )
    if found.lack.frame["in_draws"].null_count() < len(found.lack.frame):
        yield (
            "“On average over the draws” repeats the sums with other fair weights. The draws do not test faults in "
            "the data."
        )
    yield (
        "Places are counted where registers and maps have them. Opening hours, cost, welcome and quality are not in "
        "the figures."
    )
    yield f"The figures are of the dates in the tables, and of {found.plural}, not of each person in them."
    short = [m.about.label for m in found.measures if m.frame["without"][0] > 0]
    if short:
        yield (
            f"Some {found.plural} have no value and are left out: see the numbers of {', '.join(short)}."
        )


def state_tables(found: State) -> Iterator[tuple[str, str, pl.DataFrame]]:
    """Give the numbers of a state as tables: file name, what it holds, and the table."""
    parts = [
        m.frame.select(
            pl.lit(m.about.name).alias("indicator"),
            pl.lit(m.about.label).alias("indicator_label"),
            pl.lit(m.strand).alias("strand"),
            pl.lit("ratio to the middle of all" if m.ratio else m.about.unit).alias("unit"),
            pl.lit(m.about.vintage).alias("vintage"),
            pl.lit(m.about.source).alias("source"),
            pl.lit(m.about.higher_is).alias("more_means_need"),
            pl.all().exclude("people", "lower", "median", "upper"),
            pl.col("people", "lower", "median", "upper").fill_nan(None),
        )
        for m in (*found.measures, *found.ratios)
    ]
    yield (
        "state.csv",
        "Every measure by group: the middle and the middle half of the people.",
        pl.concat(parts),
    )
    yield (
        "worst-tenth.csv",
        "Who lives in the worst tenth, by group and strand.",
        found.lack.frame.fill_nan(None),
    )
    for k, moved in enumerate(found.moved, start=1):
        more = f"-{k}" if len(found.moved) > 1 else ""
        yield f"changes{more}.csv", f"Who enters and leaves since {moved.before}.", moved.frame
