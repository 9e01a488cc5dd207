"""A state for readers: sentences, charts and tables by strand, and its numbers as tables."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, NamedTuple

import polars as pl

from commonweal.document.format import format_amount, format_people, living, percent
from commonweal.document.model import Chart, TableData
from commonweal.errors import StudyError, nearest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from commonweal.report.session.spec import StateSpec
    from commonweal.report.session.state import IndicatorSummary, ListChange, State, WorstTenth


INK, QUIET, LINE, ACCENT, SPREAD = "#1a1f24", "#4a545e", "#c9d0d6", "#08306b", "#9fb6cf"
LEFT, WIDE, ROW, HEAD, RIGHT = 276, 370, 18, 27, 94


class _Row(NamedTuple):
    """A row of a chart: the middle with its ends, or a bar where there are none."""

    grouping: str
    label: str
    middle: float
    said: str
    ends: tuple[float, float] | None = None


def measure_chart(measure: IndicatorSummary, state: State) -> Chart:
    """Draw one indicator by group: a dot for the middle, a line for the middle half of the people."""
    unit = "times the middle of all" if measure.ratio else measure.about.unit
    rows = [
        _Row(
            r["grouping"],
            r["label"],
            r["median"],
            short_amount(r["median"], unit),
            (r["lower"], r["upper"]),
        )
        for r in measure.frame.iter_rows(named=True)
        if not math.isnan(r["median"])
    ]
    about = (
        f"{measure.about.label}, {unit}. Half of the people live in {state.plural} below the dot; the line holds the "
        f"middle half of the people. The upright line is the middle of all. More means {measure.about.higher_is} need."
    )
    id_ = f"state-{measure.about.name.replace('_', '-')}"
    titles = {g.key: g.title for g in state.groupings}
    title = _finding(measure)
    svg = _drawn(id_, title, about, rows, titles, f"{measure.about.label} ({unit})")
    return Chart(id_, title, about, svg, measure_table(measure))


def _finding(measure: IndicatorSummary) -> str:
    """Say what a chart shows: the middle of all, and of the most and the least deprived."""
    label, unit = measure.about.label, measure.about.unit
    middles = {r["group"]: r["median"] for r in measure.frame.iter_rows(named=True)}
    ends = [middles.get(key, math.nan) for key in ("most_deprived", "least_deprived")]
    if math.isnan(sum(ends)):
        return f"{label}: {format_amount(middles['all'], 'times' if measure.ratio else unit)} in the middle"
    most, least = (short_amount(middle, unit) for middle in ends)
    if measure.ratio:
        return f"{label}: {most} times the middle in the most deprived tenth, {least} in the least"
    everyone = format_amount(middles["all"], unit)
    return f"{label}: {everyone} in the middle; {most} in the most deprived tenth, {least} in the least"


def short_amount(value: float, unit: str) -> str:
    """Say a value where its unit stands beside it: shares in percent, all else as a number.

    Examples
    --------
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
        pl.col("lower").fill_nan(None).alias("A quarter of people below"),
        pl.col("median").fill_nan(None).alias("Half of people below"),
        pl.col("upper").fill_nan(None).alias("Three quarters below"),
    )
    return TableData(frame)


def worst_tenth_chart(lack: WorstTenth, path: str, state: State) -> Chart:
    """Draw the share of people who live in the worst tenth on an index or a strand, by group."""
    label = lack.labels[lack.paths.index(path)]
    rows = [
        _Row(r["grouping"], r["label"], r[path], percent(r[path]))
        for r in lack.frame.iter_rows(named=True)
        if r[path] is not None
    ]
    worst = max((r for r in rows if r.grouping != "all"), key=lambda r: r.middle, default=rows[0])
    title = f"{label}: {worst.said} of people live in the worst tenth in “{worst.label}”, the most of any group"
    about = (
        f"Share of the people of each group who live in the tenth of {state.plural} that rank worst on “{label}”. "
        "The upright line is the share of all people. It says who has less than others, not how much there is."
    )
    id_ = f"worst-{path.replace('/', '-').replace('_', '-')}"
    titles = {g.key: g.title for g in state.groupings}
    svg = _drawn(id_, title, about, rows, titles, "Share of people in the worst tenth")
    columns = [
        pl.col("label").alias("Group"),
        pl.col("people").fill_nan(None).round(0).cast(pl.Int64).alias("People"),
    ]
    shares = {"In the worst tenth": path}
    if path == lack.paths[0] and lack.frame["in_draws"].null_count() < len(lack.frame):
        shares["On average over the draws"] = "in_draws"
    columns += [pl.col(name).alias(head) for head, name in shares.items()]
    return Chart(id_, title, about, svg, TableData(lack.frame.select(columns), frozenset(shares)))


def _drawn(
    id_: str, title: str, about: str, rows: Sequence[_Row], titles: Mapping[str, str], axis: str
) -> str:
    """Draw rows under the heads of their groupings, all on one scale that has nought on it."""
    values = [v for row in rows for v in (row.middle, *(row.ends or ()))]
    low, high = min(0.0, *values), _round_up(max(0.0, *values))
    scale = WIDE / (high - low)

    def at(value: float) -> float:
        return LEFT + (value - low) * scale

    parts: list[str] = []
    y, now = 8, "all"
    for row in rows:
        if row.grouping != now:
            now, y = row.grouping, y + HEAD
            parts.append(_text(0, y - 8, titles[now], weight="bold"))
        parts.append(_text(LEFT - 10, y + 13, row.label, anchor="end"))
        parts.append(_bar(row, y, at) if row.ends is None else _dot(row, y, at))
        parts.append(_text(at(max(row.middle, *(row.ends or (0.0,)))) + 10, y + 13, row.said))
        y += ROW
    parts.append(_text(LEFT, y + 20, axis, fill=QUIET))
    upright = (
        f'<path d="M{at(0):.1f} 6V{y + 2}" stroke="{LINE}" stroke-width="1"/>'
        f'<path d="M{at(rows[0].middle):.1f} 6V{y + 2}" stroke="{QUIET}" stroke-width="1" stroke-dasharray="4 3"/>'
    )
    return (
        f'<svg class="chart" role="img" aria-labelledby="{id_}-title {id_}-desc" '
        f'viewBox="0 0 {LEFT + WIDE + RIGHT} {y + 30}" '
        f'xmlns="http://www.w3.org/2000/svg" font-family="DejaVu Sans, sans-serif" font-size="13">'
        f'<title id="{id_}-title">{escape(title)}</title><desc id="{id_}-desc">{escape(about)}</desc>'
        f"{upright}{''.join(parts)}</svg>"
    )


def _bar(row: _Row, y: int, at: Callable[[float], float]) -> str:
    wide = at(row.middle) - at(0)
    return f'<rect x="{at(0):.1f}" y="{y + 3}" width="{wide:.1f}" height="12" fill="{ACCENT}"/>'


def _dot(row: _Row, y: int, at: Callable[[float], float]) -> str:
    lower, upper = row.ends or (row.middle, row.middle)
    middle = y + ROW / 2
    return (
        f'<path d="M{at(lower):.1f} {middle}H{at(upper):.1f}" stroke="{SPREAD}" stroke-width="7" '
        f'stroke-linecap="round"/><circle cx="{at(row.middle):.1f}" cy="{middle}" r="5" fill="{ACCENT}"/>'
    )


def _text(
    x: float, y: float, said: str, anchor: str = "start", fill: str = INK, weight: str = "normal"
) -> str:
    return (
        f'<text x="{x:.1f}" y="{y}" text-anchor="{anchor}" fill="{fill}" font-weight="{weight}" stroke="#fff" '
        f'stroke-width="3" paint-order="stroke">{escape(said)}</text>'
    )


def _round_up(value: float) -> float:
    """Give a round number that is not below a value."""
    if value <= 0 or math.isnan(value):
        return 1.0
    power = 10.0 ** math.floor(math.log10(value))
    return next(k * power for k in (1, 1.2, 1.5, 2, 2.5, 3, 4, 5, 6, 8, 10) if k * power >= value)


_ENDS = (("most_deprived", "Most deprived tenth"), ("least_deprived", "Least deprived tenth"))


@dataclass(frozen=True, slots=True)
class Strand:
    """One strand: its name, a table of all its measures, charts of some, and what to beware of."""

    label: str
    table: TableData
    charts: tuple[Chart, ...]
    beware: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class StateText:
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
    who: TableData
    strands: tuple[Strand, ...]
    worst: tuple[Chart, ...]
    changed: tuple[str, ...]
    change_note: tuple[str, ...]
    change_charts: tuple[Chart, ...]
    change_tables: tuple[tuple[str, TableData], ...]
    caveats: tuple[str, ...]

    @property
    def charts(self) -> tuple[Chart, ...]:
        """Every chart, in the order of the page."""
        own = tuple(chart for strand in self.strands for chart in strand.charts)
        return (*own, *self.worst, *self.change_charts)


def describe_state(found: State, spec: StateSpec, change_note: tuple[str, ...] = ()) -> StateText:
    """Tell a state."""
    names = [m.about.name for m in found.measures]
    for k, name in enumerate(spec.show):
        if name not in names:
            raise StudyError(
                f"state.show.{k}: '{name}' is no indicator in a unit of its own; {nearest(name, names)}"
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
    beware = tuple((m.about.label, m.about.note) for m in measures if m.about.note)
    return Strand(label, _table(measures), charts, beware)


def _table(measures: Sequence[IndicatorSummary]) -> TableData:
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
    return TableData(pl.DataFrame(rows))


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
        f"{found.areas:,} {found.plural}, {format_people(found.people)}. The table says who lives in the tenth of "
        f"{found.plural} with least, for all strands and for each. Then each strand is told in the units of what was "
        "measured."
    )
    if found.lack.label:
        r = found.lack.frame.row(0, named=True)
        yield (
            f"{r['selected']:,} {found.plural} are {found.lack.label}; {living(r['selected_people'])}."
        )


def _who(found: State) -> TableData:
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
    return TableData(pl.DataFrame(table))


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
            most, least = (
                format_amount(by[k]["median"], "") for k in ("most_deprived", "least_deprived")
            )
            ends = f" The middle is {most} in the most deprived tenth and {least} in the least."
        yield (
            f"{m.about.label}: told as a ratio to the middle of all {found.plural}, since what was counted differs "
            f"between the years; below 1 fared worse than the middle.{ends}"
        )


def _moved_table(moved: ListChange) -> TableData:
    heads = {
        "label": "Group",
        "before": "Before",
        "stay": "Stay",
        "leave": "Leave",
        "enter": "Enter",
        "after": "After",
    }
    return TableData(moved.frame.select(pl.col(k).alias(v) for k, v in heads.items()))


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
