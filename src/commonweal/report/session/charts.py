"""Charts of a state as SVG that stands alone: in a page, on paper, or as a file."""

from __future__ import annotations

import math
from html import escape
from typing import TYPE_CHECKING, NamedTuple

import polars as pl

from commonweal.document.chart.chart import Chart
from commonweal.document.numbers import amount
from commonweal.document.table import Shown
from commonweal.document.words import percent

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from commonweal.report.session.state import Lack, Measure, State

__all__ = ["lack_chart", "measure_chart", "measure_table", "short_amount"]

INK, QUIET, LINE, ACCENT, SPREAD = "#1a1f24", "#4a545e", "#c9d0d6", "#08306b", "#9fb6cf"
LEFT, WIDE, ROW, HEAD, RIGHT = 276, 370, 18, 27, 94


class _Row(NamedTuple):
    """A row of a chart: the middle with its ends, or a bar where there are none."""

    grouping: str
    label: str
    middle: float
    said: str
    ends: tuple[float, float] | None = None


def measure_chart(measure: Measure, state: State) -> Chart:
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


def _finding(measure: Measure) -> str:
    """Say what a chart shows: the middle of all, and of the most and the least deprived."""
    label, unit = measure.about.label, measure.about.unit
    middles = {r["group"]: r["median"] for r in measure.frame.iter_rows(named=True)}
    ends = [middles.get(key, math.nan) for key in ("most_deprived", "least_deprived")]
    if math.isnan(sum(ends)):
        return (
            f"{label}: {amount(middles['all'], 'times' if measure.ratio else unit)} in the middle"
        )
    most, least = (short_amount(middle, unit) for middle in ends)
    if measure.ratio:
        return f"{label}: {most} times the middle in the most deprived tenth, {least} in the least"
    everyone = amount(middles["all"], unit)
    return f"{label}: {everyone} in the middle; {most} in the most deprived tenth, {least} in the least"


def short_amount(value: float, unit: str) -> str:
    """Say a value where its unit stands beside it: shares in percent, all else as a number.

    Examples
    --------
    >>> short_amount(0.273, "share of adults"), short_amount(1240.4, "m")
    ('27.3 %', '1,240')
    """
    share = unit.startswith("share of ") and abs(value) <= 1
    return amount(value, "share of all").removesuffix(" of all") if share else amount(value, "")


def measure_table(measure: Measure) -> Shown:
    """Give the numbers of one indicator by group."""
    frame = measure.frame.select(
        pl.col("label").alias("Group"),
        pl.col("areas").alias("Areas"),
        pl.col("without").alias("Without a value"),
        pl.col("lower").fill_nan(None).alias("A quarter of people below"),
        pl.col("median").fill_nan(None).alias("Half of people below"),
        pl.col("upper").fill_nan(None).alias("Three quarters below"),
    )
    return Shown(frame)


def lack_chart(lack: Lack, path: str, state: State) -> Chart:
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
    return Chart(id_, title, about, svg, Shown(lack.frame.select(columns), frozenset(shares)))


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
