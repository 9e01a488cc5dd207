"""The state of social infrastructure for readers: sentences, charts and tables by strand."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

from commonweal.chart.rows import Bar, Row, Upright, row_chart
from commonweal.chart.theme import BLUE, DOT, Axis, round_axis, solid
from commonweal.chart.vega import bars, dots
from commonweal.document.format import format_amount, format_people, list_name, living, percent
from commonweal.document.model import TableData
from commonweal.errors import StudyError, nearest

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from commonweal.document.model import Chart
    from commonweal.report.session.spec import StateSpec
    from commonweal.report.session.state import IndicatorSummary, ListChange, State, WorstTenth


def measure_chart(measure: IndicatorSummary, state: State) -> Chart:
    """Draw one indicator by group: a dot for the median, a line for the middle half of the people."""
    unit = "times the median of all" if measure.ratio else measure.about.unit
    titles = {**{g.key: g.title for g in state.groupings}, "all": ""}
    known = measure.frame.filter(pl.col("median").is_not_nan())
    rows = [
        Row(
            r["label"],
            marks=((r["median"], DOT),),
            span=(r["lower"], r["upper"]),
            after=short_amount(r["median"], unit),
            heading=titles[r["grouping"]],
        )
        for r in known.iter_rows(named=True)
    ]
    about = (
        f"{measure.about.label}, {unit}. Dot: median. Line: middle half of the people. Dashed line: median of all "
        f"{state.plural}. Higher means {measure.about.higher_is} need."
    )
    values = [v for r in known.select("lower", "median", "upper").iter_rows() for v in r]
    return row_chart(
        f"state-{measure.about.name.replace('_', '-')}",
        _finding(measure),
        about,
        rows,
        measure_table(measure),
        dots("Group", "Median", ends=("25% of people below", "75% of people below")),
        _axis(values, f"{measure.about.label} ({unit})"),
        lines=[Upright(known["median"][0], dashed=True)],
    )


def _axis(values: Sequence[float], title: str) -> Axis:
    """Give a scale that includes zero, without words at its ticks: each row has its own."""
    found = round_axis([0.0, *values], lambda _: "", title)
    return Axis(found.low, found.high, ((0.0, ""),), title)


def _finding(measure: IndicatorSummary) -> str:
    """State the finding of a chart: the median of all, of the most and of the least deprived."""
    label, unit = measure.about.label, measure.about.unit
    middles = {r["group"]: r["median"] for r in measure.frame.iter_rows(named=True)}
    ends = [middles.get(key, math.nan) for key in ("most_deprived", "least_deprived")]
    if math.isnan(sum(ends)):
        return (
            f"{label}: median {format_amount(middles['all'], 'times' if measure.ratio else unit)}"
        )
    most, least = (short_amount(middle, unit) for middle in ends)
    if measure.ratio:
        return f"{label}: {most} times the median in the most deprived 10%, {least} in the least deprived 10%"
    everyone = format_amount(middles["all"], unit)
    return f"{label}: median {everyone}; {most} in the most deprived 10%, {least} in the least deprived 10%"


def short_amount(value: float, unit: str) -> str:
    """Write a value whose unit stands elsewhere: shares in percent, all else as a number.

    >>> short_amount(0.273, "share of adults"), short_amount(1240.4, "m")
    ('27.3%', '1,240')
    """
    share = unit.startswith("share of ") and abs(value) <= 1
    return (
        format_amount(value, "share of all").removesuffix(" of all")
        if share
        else format_amount(value, "")
    )


def measure_table(measure: IndicatorSummary) -> TableData:
    """Give the numbers of one indicator by group."""
    frame = measure.frame.select(
        pl.col("label").alias("Group"),
        pl.col("areas").alias("Areas"),
        pl.col("without").alias("Without a value"),
        pl.col("lower").fill_nan(None).alias("25% of people below"),
        pl.col("median").fill_nan(None).alias("Median"),
        pl.col("upper").fill_nan(None).alias("75% of people below"),
    )
    return TableData(frame)


def worst_tenth_chart(lack: WorstTenth, path: str, state: State) -> Chart:
    """Draw the share of people who live in the worst 10% on an index or a strand, by group."""
    label = lack.labels[lack.paths.index(path)]
    titles = {**{g.key: g.title for g in state.groupings}, "all": ""}
    known = [r for r in lack.frame.iter_rows(named=True) if r[path] is not None]
    rows = [
        Row(
            r["label"],
            (Bar(0.0, r[path], solid(BLUE)),),
            after=percent(r[path]),
            heading=titles[r["grouping"]],
        )
        for r in known
    ]
    worst = max(
        (r for r in known if r["grouping"] != "all"), key=lambda r: r[path], default=known[0]
    )
    title = (
        f"{label}: the group “{worst['label']}” has most people in the worst 10% "
        f"({percent(worst[path])})"
    )
    about = (
        f"Share of each group's people who live in the worst 10% of {state.plural} on “{label}”. Dashed line: share "
        "of all people. The chart compares groups; it does not show how much there is."
    )
    columns = [
        pl.col("label").alias("Group"),
        pl.col("people").fill_nan(None).round(0).cast(pl.Int64).alias("People"),
    ]
    shares = {"In the worst 10%": path}
    if path == lack.paths[0] and lack.frame["in_draws"].null_count() < len(lack.frame):
        shares["Average of recalculations"] = "in_draws"
    columns += [pl.col(name).alias(head) for head, name in shares.items()]
    return row_chart(
        f"worst-{path.replace('/', '-').replace('_', '-')}",
        title,
        about,
        rows,
        TableData(lack.frame.select(columns), frozenset(shares)),
        bars("Group", "In the worst 10%"),
        _axis([r[path] for r in known], "Share of people in the worst 10%"),
        lines=[Upright(known[0][path], dashed=True)],
    )


_ENDS = (("most_deprived", "Most deprived 10%"), ("least_deprived", "Least deprived 10%"))


@dataclass(frozen=True, slots=True)
class Strand:
    """One strand: its name, a table of all its measures, charts of some, and notes."""

    label: str
    table: TableData
    charts: tuple[Chart, ...]
    notes: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class StateText:
    """A state for readers."""

    state: State
    # summary, who: the summary in sentences, and who lives in the worst 10%
    summary: tuple[str, ...]
    who: TableData
    strands: tuple[Strand, ...]  # how much of each strand there is, in the units of its measures
    worst: tuple[Chart, ...]  # charts of who lives in the worst 10%
    # changed, change_note, change_charts, change_tables: what changed, with notes
    changed: tuple[str, ...]
    change_note: tuple[str, ...]
    change_charts: tuple[Chart, ...]
    change_tables: tuple[tuple[str, TableData], ...]
    caveats: tuple[str, ...]  # what the state does not show

    @property
    def charts(self) -> tuple[Chart, ...]:
        """Every chart, in the order of the page."""
        own = tuple(chart for strand in self.strands for chart in strand.charts)
        return (*own, *self.worst, *self.change_charts)


def describe_state(found: State, spec: StateSpec, change_note: tuple[str, ...] = ()) -> StateText:
    """Describe a state in sentences, tables and charts."""
    names = [m.about.name for m in found.measures]
    for k, name in enumerate(spec.show):
        if name not in names:
            raise StudyError(
                f"state.show.{k}: '{name}' is no indicator with a unit; {nearest(name, names)}"
            )
    strands = dict.fromkeys(m.strand for m in found.measures)
    return StateText(
        found,
        tuple(_summary(found)),
        _who(found),
        tuple(_strand(found, label, spec.show or _first(found)) for label in strands),
        tuple(worst_tenth_chart(found.lack, path, found) for path in found.lack.paths),
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
    notes = tuple((m.about.label, m.about.note) for m in measures if m.about.note)
    return Strand(label, _table(measures), charts, notes)


def _table(measures: Sequence[IndicatorSummary]) -> TableData:
    """Give one row a measure: median and middle half of all, most and least deprived, dates."""
    rows = []
    for m in measures:
        by = {r["group"]: r for r in m.frame.iter_rows(named=True)}
        row = {
            "Measure": f"{m.about.label} ({m.about.unit})",
            "Median": short_amount(by["all"]["median"], m.about.unit),
            "Middle 50%": " to ".join(
                short_amount(by["all"][end], m.about.unit) for end in ("lower", "upper")
            ),
        }
        for key, head in _ENDS:
            if key in by:
                row[head] = short_amount(by[key]["median"], m.about.unit)
        rows.append(
            row | {"Higher means": f"{m.about.higher_is} need", "Date": _years(m.about.vintage)}
        )
    return TableData(pl.DataFrame(rows))


def _years(vintage: str) -> str:
    """Give a date as it is; of several, from which year to which.

    >>> _years("April 2020"), _years("2023; 24 May 2025; January 2022")
    ('April 2020', '2022 to 2025')
    """
    years = sorted(re.findall(r"(?:19|20)\d\d", vintage))
    return f"{years[0]} to {years[-1]}" if ";" in vintage and years else vintage


def _summary(found: State) -> Iterator[str]:
    """Say how many areas are on the study's list, and what the tables compare."""
    if found.lack.label:
        r = found.lack.frame.row(0, named=True)
        yield (
            f"{r['selected']:,} of {found.areas:,} {found.plural} are on {list_name(found.lack.label, found.plural)}; "
            f"{living(r['selected_people'])}."
        )
    yield (
        f"All {found.areas:,} {found.plural}: {format_people(found.people)}. The first table shows who lives in the "
        "worst 10%, overall and by strand. The next tables show how much of each strand there is."
    )


def _who(found: State) -> TableData:
    """Give, for the index and each strand, the groups with the lowest and highest share in the worst 10%."""
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
                for word, pick in (("lowest", min), ("highest", max)):
                    r = pick(here, key=lambda r: float(r[path]))
                    line[f"{grouping.title}: {word}"] = f"{percent(r[path])} ({r['label']})"
        table.append(line)
    return TableData(pl.DataFrame(table))


def _changed(found: State) -> Iterator[str]:
    for moved in found.moved:
        r = moved.frame.row(0, named=True)
        yield (
            f"{moved.after}: {r['after']:,} are on {list_name(moved.label, found.plural)}, compared with "
            f"{r['before']:,} in {moved.before}. {r['stay']:,} stay, {r['leave']:,} leave, {r['enter']:,} join. "
            f"Ranks are relative, so the lists do not show whether {found.plural} got better or worse."
        )
    for m in found.ratios:
        by = {r["group"]: r for r in m.frame.iter_rows(named=True)}
        ends = ""
        if {"most_deprived", "least_deprived"} <= set(by):
            most, least = (
                format_amount(by[k]["median"], "") for k in ("most_deprived", "least_deprived")
            )
            ends = f"the median is {most} in the most deprived 10% and {least} in the least deprived 10%. "
        yield (
            f"{m.about.label}: {ends}Each value is a ratio to the median of all {found.plural}, because the count "
            "differs between the years. Below 1 is worse than the median."
        )


def _moved_table(moved: ListChange) -> TableData:
    heads = {
        "label": "Group",
        "before": "Before",
        "stay": "Stay",
        "leave": "Leave",
        "enter": "Join",
        "after": "After",
    }
    return TableData(moved.frame.select(pl.col(k).alias(v) for k, v in heads.items()))


def _caveats(found: State) -> Iterator[str]:
    yield (
        f"The median: half of the people live in {found.plural} below it. The middle 50% shows how {found.plural} "
        "differ. It is not a margin of error."
    )
    yield (
        f"The worst 10% is relative: 10% of {found.plural} are always in it. It shows who has less than others, not "
        "whether there is enough."
    )
    if found.lack.frame["in_draws"].null_count() < len(found.lack.frame):
        yield (
            "“Average of recalculations” repeats the calculation with different assumptions. It does not test for "
            "faults in the data."
        )
    yield (
        "Venues are counted where registers and maps list them. Opening hours, cost, welcome and quality are not "
        "counted."
    )
    yield f"The figures hold for the dates in the tables, and for {found.plural}, not for each person in them."
    short = [m.about.label for m in found.measures if m.frame["without"][0] > 0]
    if short:
        yield (
            f"Some {found.plural} have no value and are left out. This affects {', '.join(short)}."
        )


def state_tables(found: State) -> Iterator[tuple[str, str, pl.DataFrame]]:
    """Give the numbers of a state as tables: file name, what it holds, and the table."""
    parts = [
        m.frame.select(
            pl.lit(m.about.name).alias("indicator"),
            pl.lit(m.about.label).alias("indicator_label"),
            pl.lit(m.strand).alias("strand"),
            pl.lit("ratio to the median of all" if m.ratio else m.about.unit).alias("unit"),
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
        "Every measure by group: the median and the middle half of the people.",
        pl.concat(parts),
    )
    yield (
        "worst-tenth.csv",
        "Who lives in the worst 10%, by group and strand.",
        found.lack.frame.fill_nan(None),
    )
    for k, moved in enumerate(found.moved, start=1):
        more = f"-{k}" if len(found.moved) > 1 else ""
        yield (
            f"changes{more}.csv",
            f"{found.plural.capitalize()} that join and leave the list since {moved.before}.",
            moved.frame,
        )
