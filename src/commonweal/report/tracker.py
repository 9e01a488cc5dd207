"""What moved in places that are followed, as sections of a report, and as a report of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from commonweal.document.chart.canvas import INK, LINE, OTHER, PLACE, QUIET, svg, text
from commonweal.document.chart.chart import Chart
from commonweal.document.model import Report, Section, Table
from commonweal.document.table import Shown
from commonweal.invest.tracker import STANDING
from commonweal.report.tracker_told import (
    FOCUS_SET_ASIDE,
    NOT_CAUSE,
    tracker_answer,
    tracker_beware,
    tracker_data,
    tracker_lines,
    tracker_method,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from commonweal.invest.tracker import Moved, Tracked

__all__ = [
    "FOCUS_SET_ASIDE",
    "difference_chart",
    "tracker_answer",
    "tracker_data",
    "tracker_lines",
    "tracker_report",
    "tracker_sections",
]


def tracker_report(found: Tracked, sources: tuple[str, ...] = ()) -> Report:
    """Make a report of what moved.

    Parameters
    ----------
    found
        As `commonweal.invest.tracker.track` gives it.
    sources
        A line for each source of the later study.
    """
    return Report(
        name="tracker",
        title=f"What moved in {len(found.matched.places):,} {found.baseline.plural}",
        heading=f"{found.baseline.title}, and {found.later.title}",
        answer=tracker_answer(found),
        sections=tracker_sections(found),
        limits=(NOT_CAUSE,),
        works=(),
        sources=sources,
        account=(("tracker", tracker_data(found)),),
    )


def tracker_sections(found: Tracked) -> tuple[Section, ...]:
    """Give the sections of a report: what moved, each place, who they were set beside."""
    charts = tuple(c for c in (difference_chart(found),) if c is not None)
    return (
        Section(
            "What moved, set beside places like them",
            text=(tracker_method(found),),
            charts=charts,
            tables=(_moved(found),),
            beware=tracker_beware(found),
        ),
        Section(
            "Place by place",
            text=(
                "What one place did is told as it is, without an interval: a single place says nothing about chance. "
                "“Like” is the mean change of the places that it is set beside.",
            ),
            tables=(_places(found),),
        ),
        Section(
            "How like the like places are",
            text=(
                "In standard deviations, how far the places lay from all others, and from those like them, then.",
            ),
            tables=(_balance(found), _skipped(found)) if found.skipped else (_balance(found),),
        ),
    )


def _moved(found: Tracked) -> Table:
    rows = found.moved
    frame = pl.DataFrame(
        {
            "Measure": [m.measure.label for m in rows],
            "Unit": [m.measure.unit for m in rows],
            "Better is": [m.measure.better for m in rows],
            "Then": [m.then for m in rows],
            "Now": [m.now for m in rows],
            "Places": [m.difference.own for m in rows],
            "Like": [m.difference.theirs for m in rows],
            "Difference": [m.difference.estimate for m in rows],
            "From": [m.difference.low for m in rows],
            "To": [m.difference.high for m in rows],
            "p": [m.difference.p for m in rows],
            "p, adjusted": [m.adjusted for m in rows],
        }
    )
    if found.earlier is not None:
        before = [m.before for m in rows]
        frame = frame.with_columns(
            pl.Series("Before", [b and b.estimate for b in before], dtype=pl.Float64),
            pl.Series("Before, from", [b and b.low for b in before], dtype=pl.Float64),
            pl.Series("Before, to", [b and b.high for b in before], dtype=pl.Float64),
        )
    return Table(
        "tracker-measures",
        "Change of the places, of places like them, and the difference",
        Shown(frame, places={"p": 3, "p, adjusted": 3}),
        "From and to are the ends of the 95 % interval. The difference holds the value at the start constant, so it is "
        "not just the one change less the other. Before: the same over the time before the baseline.",
    )


def _places(found: Tracked) -> Table:
    parts = []
    for m in found.moved:
        each = found.each(m.measure.name)
        parts.append(
            each.select(
                pl.col("name").alias("Place"),
                pl.col("code").alias("Code"),
                pl.lit(m.measure.label).alias("Measure"),
                pl.col("then").alias("Then"),
                pl.col("now").alias("Now"),
                pl.col("change").alias("Change"),
                pl.col("like").alias("Like"),
                pl.lit(m.measure.better).alias("Better is"),
            )
        )
    frame = pl.concat(parts)
    return Table("tracker-places", "Each place", Shown(frame), rows=30)


def _balance(found: Tracked) -> Table:
    labels = {m.name: m.label for m in found.baseline.measures}
    frame = found.balance.select(
        pl.col("measure").replace(labels).alias("Measure"),
        pl.col("all").alias("From all others"),
        pl.col("like").alias("From like places"),
    )
    return Table("tracker-balance", "How like they were at the start", Shown(frame))


def _skipped(found: Tracked) -> Table:
    labels = {m.name: m.label for m in found.baseline.measures}
    frame = pl.DataFrame(
        {"Measure": [labels[m] for m in found.skipped], "Why": list(found.skipped.values())}
    )
    return Table("tracker-skipped", "What could not be told", Shown(frame))


def difference_chart(found: Tracked) -> Chart | None:
    """Draw the difference of every standing with its interval; None where there are none."""
    rows = [m for m in found.moved if m.measure.unit == STANDING]
    if not rows:
        return None
    left, wide, row, top = 250.0, 440.0, 28.0, 30.0
    far = max(1.0, *(abs(x) for m in rows for x in (m.difference.low, m.difference.high)))

    def x(value: float) -> float:
        return left + wide * (value + far) / (2 * far)

    parts = []
    bottom = top + row * len(rows)
    for share in (-1.0, -0.5, 0.0, 0.5, 1.0):
        ink = INK if share == 0 else LINE
        parts.append(
            f'<path d="M{x(share * far):.1f} {top - 6}V{bottom}" stroke="{ink}" stroke-width="1"/>'
        )
        said = f"{share * far:+.1f}".replace("-", "−") if share else "0"
        parts.append(text(x(share * far), top - 12, said, 11.5, "middle", QUIET))
    for k, m in enumerate(rows):
        parts += _row(m, top + (k + 0.5) * row, left, x)
    parts.append(text(left, bottom + 20, "worse than like places", 12, "start", QUIET))
    parts.append(text(left + wide, bottom + 20, "better", 12, "end", QUIET))
    title = "How much more the places moved than those like them"
    about = (
        "Points of standing: the share of areas that have more need. The dot is the difference, the line its 95 % "
        "interval. Filled dots are clear of nought with every measure looked at counted in, hollow ones are not."
    )
    numbers = Shown(
        pl.DataFrame(
            {
                "Measure": [m.measure.label for m in rows],
                "Difference": [m.difference.estimate for m in rows],
                "From": [m.difference.low for m in rows],
                "To": [m.difference.high for m in rows],
            }
        )
    )
    drawn = svg("tracker-differences", title, about, left + wide + 20, bottom + 30, parts)
    return Chart("tracker-differences", title, about, drawn, numbers)


def _row(m: Moved, y: float, left: float, x: Callable[[float], float]) -> list[str]:
    d = m.difference
    ink = PLACE if m.better >= 0 else OTHER
    fill = ink if m.clear_of_all else "#fff"
    label = m.measure.label if len(m.measure.label) <= 34 else f"{m.measure.label[:33]}…"
    return [
        text(left - 10, y + 4, label, 12.5, "end"),
        f'<path d="M{x(d.low):.1f} {y:.1f}H{x(d.high):.1f}" stroke="{ink}" stroke-width="2"/>',
        f'<circle cx="{x(d.estimate):.1f}" cy="{y:.1f}" r="5" fill="{fill}" stroke="{ink}" stroke-width="2"/>',
    ]
