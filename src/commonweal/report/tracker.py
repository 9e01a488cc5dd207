"""What changed in places that are followed: in words, as data, as sections of a report, and as a report of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import polars as pl

from commonweal.document.chart import INK, LINE, OTHER, PLACE, QUIET, svg, text
from commonweal.document.format import align_columns, format_count, join_words
from commonweal.document.model import Chart, Report, Section, Table, TableData
from commonweal.invest.tracker import FEW, LEVEL, PERCENTILE_UNIT

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from commonweal.invest.tracker import DiDEstimate, MeasureChange, TrackerResult


NOT_CAUSE = (
    "This is association, not cause. The places were not drawn by lot: what sets them apart from places like them may "
    "be what moved them, whatever was done there."
)
FOCUS_SET_ASIDE = (
    "The focus of the study is set aside: followed are the places of the baseline, and like ones may lie "
    "anywhere."
)
_UNLIKE = 0.25
_STANDING = (
    " A standing is the share of all areas that have more need, in points of 100: a place that rises by 1 point has "
    "passed one area in a hundred."
)


def moved_sentence(moved: MeasureChange) -> str:
    """Say how one measure moved, in plain words."""
    d, unit = moved.difference, _unit(moved)
    label = moved.measure.label
    if not moved.clear:
        return (
            f"{label}: no clear difference from places like them. The difference could be anything from "
            f"{_signed(d.low)} to {_signed(d.high)} {unit}."
        )
    word = "better" if moved.better > 0 else "worse"
    low, high = sorted((abs(d.low), abs(d.high)))
    sure = (
        "It stays clear when every measure looked at is counted in."
        if moved.clear_of_all
        else "With so many measures looked at, it may be chance."
    )
    course = (
        " But the places were on another course already before the baseline, so it says little."
        if moved.pre_trend
        else ""
    )
    leans = (
        f" It leans on allowing for where each place started: without that the difference is {_signed(d.plain)}."
        if moved.baseline_sensitive
        else ""
    )
    return (
        f"{label}: {word} than places like them, by {_plain(abs(d.estimate))} {unit} (95% interval {_plain(low)} to "
        f"{_plain(high)}). {sure}{leans}{course}"
    )


def tracker_answer(found: TrackerResult) -> tuple[str, ...]:
    """Say what moved, against whom, and that it is no proof of cause."""
    b, n, likes = found.baseline, len(found.matched.places), len(set(found.matched.like.ravel()))
    clear = [m for m in found.moved if m.clear]
    sure = sum(m.clear_of_all for m in clear)
    chance = f", and {len(clear) - sure} may have by chance" if len(clear) > sure else ""
    said = [
        *_backwards(found),
        f"{format_count(n, b.singular, b.plural)} set beside {likes:,} others that were like them at the start, from "
        f"{_then(found)}: of {format_count(len(found.moved), 'measure', 'measures')}, {sure or 'none'} clearly moved "
        f"otherwise{chance}.{_STANDING if _stands(found) else ''}",
        *(moved_sentence(m) for m in sorted(clear, key=lambda m: m.difference.p)),
    ]
    return (*said, NOT_CAUSE)


def _backwards(found: TrackerResult) -> tuple[str, ...]:
    """Warn of sources that are older than those of the baseline."""
    older = [f"{m.measure.label} ({m.then}, then {m.now})" for m in found.moved if m.backwards]
    return (f"Not later but earlier than the baseline: {'; '.join(older)}.",) if older else ()


def _then(found: TrackerResult) -> str:
    return f"“{found.baseline.title}” to “{found.later.title}”"


def _stands(found: TrackerResult) -> bool:
    return any(m.measure.unit == PERCENTILE_UNIT for m in found.moved)


def _course(found: TrackerResult) -> str:
    """Say whether the places and those like them were on the same course before the baseline."""
    if found.earlier is None:
        return (
            "There is no earlier point, so whether the places and those like them were on the same course before the "
            "baseline was not checked. A baseline of an earlier date would show it."
        )
    off = [m.measure.label for m in found.moved if m.pre_trend]
    if off:
        return (
            f"Before the baseline the places were on another course already on: {'; '.join(off)}."
        )
    return "Before the baseline the places moved as those like them did, as far as the intervals can tell."


def tracker_warnings(found: TrackerResult) -> tuple[str, ...]:
    """Say what a reader must not overlook."""
    told = [*_backwards(found), NOT_CAUSE, *found.notes]
    many = len(found.moved)
    if many > 1:
        told.append(
            f"{many:,} measures were looked at. If nothing had moved otherwise, one in {round(1 / LEVEL)} would "
            "seem to all the same; the adjusted chance (Holm) counts that in."
        )
    told.append(_course(found))
    unlike = found.balance.filter(found.balance["like"].abs() > _UNLIKE)
    if len(unlike):
        told.append(
            f"Even the likest places differ at the start, by over a quarter of a standard deviation, on: "
            f"{', '.join(_label(found, name) for name in unlike['measure'])}."
        )
    leaning = [
        f"{m.measure.label} ({_signed(m.difference.plain)} without that, {_signed(m.difference.estimate)} with it)"
        for m in found.moved
        if m.baseline_sensitive
    ]
    if leaning:
        told.append(
            "Allowing for where each place started changes the answer by more than half of its interval on: "
            f"{'; '.join(leaning)}. There it rests on change going with the start in a straight line."
        )
    if _stands(found):
        told.append(
            "A standing can rise because others fell. How a published index "
            "is made may differ between two editions; places like them share that only as far as they are alike."
        )
    told.append(
        "Places chosen for being at the bottom tend to rise a little by chance alone. Like places start as low, and "
        "the value at the start is held constant, which takes out much of that and maybe not all."
    )
    if found.matched.alone.size:
        names = [found.baseline.names[a] for a in found.matched.alone[:8]]
        told.append(
            f"{format_count(len(found.matched.alone), 'place has', 'places have')} no values or too few others to be "
            f"compared with: {', '.join(names)}{'…' if len(found.matched.alone) > 8 else '.'}"
        )
    if found.moved and not any(m.difference.clusters for m in found.moved):
        told.append(
            f"The places are in fewer than {FEW} authorities, so that neighbours move together was not counted in: "
            "the intervals are likely to be too narrow."
        )
    return tuple(told)


def tracker_method(found: TrackerResult) -> str:
    """Say how it was worked out."""
    within = join_words([name.replace("_", " ") for name in found.within])
    within = f" of the same {within}" if within else ""
    clusters = next((m.difference.clusters for m in found.moved if m.difference.clusters), 0)
    errors = (
        f"errors may go together within each of {clusters:,} {found.clusters} groups (jackknife over groups)"
        if clusters
        else "errors are taken to be each place's own (jackknife over areas)"
    )
    return (
        f"Each place is set beside the {found.matched.like.shape[1]} others{within} that were likest "
        "at the start. The difference in differences is a weighted regression of the change on being followed, with "
        f"the value at the start held constant; {errors}."
    )


def tracker_lines(found: TrackerResult) -> Iterator[str]:
    """Tell what moved on a terminal: the answer first, then its parts."""
    yield "What moved"
    yield ""
    yield from tracker_answer(found)
    yield ""
    mixed = any(m.measure.unit != PERCENTILE_UNIT for m in found.moved)
    unit = "" if mixed else " in points of standing,"
    yield (
        f"Every measure,{unit} and how much it changed here and in places like these. Difference: the first beyond the "
        "second, allowing for where each started; the last column says whether more or less is better."
    )
    rows = [
        [
            m.measure.label,
            *([_unit(m)] if mixed else []),
            _signed(m.difference.own),
            _signed(m.difference.theirs),
            _signed(m.difference.estimate),
            f"{_signed(m.difference.low)} to {_signed(m.difference.high)}",
            _chance(m.adjusted),
            m.measure.better,
        ]
        for m in found.moved
    ]
    numbers = [">Here", ">Like", ">Difference", ">95% interval", ">Adjusted p", "Better is"]
    yield from align_columns(["", *(["Unit"] if mixed else []), *numbers], rows)
    for name, why in found.skipped.items():
        yield f"  {_label(found, name)}: not told, {why}."
    yield ""
    yield "Beware:"
    yield from (f"  {line}" for line in tracker_warnings(found))
    yield ""
    yield tracker_method(found)


def tracker_data(found: TrackerResult) -> dict[str, Any]:
    """Give what moved as plain data, for JSON."""
    return {
        "baseline": found.baseline.study,
        "later": found.later.study,
        "earlier": None if found.earlier is None else found.earlier.study,
        "within": list(found.within),
        "clusters": found.clusters,
        "places": len(found.matched.places),
        "left_out": [found.baseline.codes[a] for a in found.matched.alone],
        "moved": [
            {
                "measure": m.measure.name,
                "label": m.measure.label,
                "unit": m.measure.unit,
                "better": m.measure.better,
                "then": m.then,
                "now": m.now,
                **_numbers(m.difference),
                "p_adjusted": m.adjusted,
                "before": None if m.before is None else _numbers(m.before),
            }
            for m in found.moved
        ],
        "skipped": found.skipped,
        "balance": found.balance.to_dicts(),
        "beware": list(tracker_warnings(found)),
        "method": tracker_method(found),
    }


def _numbers(d: DiDEstimate) -> dict[str, float | int]:
    return {
        "difference": d.estimate,
        "low": d.low,
        "high": d.high,
        "se": d.se,
        "p": d.p,
        "places": d.places,
        "like": d.like,
        "change": d.own,
        "change_of_like": d.theirs,
        "clusters": d.clusters,
    }


def _label(found: TrackerResult, name: str) -> str:
    return next(m.label for m in found.baseline.measures if m.name == name)


def _unit(moved: MeasureChange) -> str:
    return "points of standing" if moved.measure.unit == PERCENTILE_UNIT else moved.measure.unit


def _signed(value: float) -> str:
    return f"{'−' if value < 0 else '+'}{_plain(abs(value))}"


def _plain(value: float) -> str:
    return f"{value:.{1 if value >= 0.095 else 3}f}"


def _chance(p: float) -> str:
    return "< 0.001" if p < 0.001 else f"{p:.3f}"


def tracker_report(found: TrackerResult, sources: tuple[str, ...] = ()) -> Report:
    """Make a report of what moved."""
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


def tracker_sections(found: TrackerResult) -> tuple[Section, ...]:
    """Give the sections of a report: what moved, each place, who they were set beside."""
    charts = tuple(c for c in (difference_chart(found),) if c is not None)
    return (
        Section(
            "What moved, set beside places like them",
            text=(tracker_method(found),),
            charts=charts,
            tables=(_moved(found),),
            beware=tracker_warnings(found),
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


def _moved(found: TrackerResult) -> Table:
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
        TableData(frame, places={"p": 3, "p, adjusted": 3}),
        "From and to are the ends of the 95% interval. The difference holds the value at the start constant, so it is "
        "not just the one change less the other. Before: the same over the time before the baseline.",
    )


def _places(found: TrackerResult) -> Table:
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
    return Table("tracker-places", "Each place", TableData(frame), rows=30)


def _balance(found: TrackerResult) -> Table:
    labels = {m.name: m.label for m in found.baseline.measures}
    frame = found.balance.select(
        pl.col("measure").replace(labels).alias("Measure"),
        pl.col("all").alias("From all others"),
        pl.col("like").alias("From like places"),
    )
    return Table("tracker-balance", "How like they were at the start", TableData(frame))


def _skipped(found: TrackerResult) -> Table:
    labels = {m.name: m.label for m in found.baseline.measures}
    frame = pl.DataFrame(
        {"Measure": [labels[m] for m in found.skipped], "Why": list(found.skipped.values())}
    )
    return Table("tracker-skipped", "What could not be told", TableData(frame))


def difference_chart(found: TrackerResult) -> Chart | None:
    """Draw the difference of every standing with its interval; None where there are none."""
    rows = [m for m in found.moved if m.measure.unit == PERCENTILE_UNIT]
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
        "Points of standing: the share of areas that have more need. The dot is the difference, the line its 95% "
        "interval. Filled dots are clear of nought with every measure looked at counted in, hollow ones are not."
    )
    numbers = TableData(
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


def _row(m: MeasureChange, y: float, left: float, x: Callable[[float], float]) -> list[str]:
    d = m.difference
    ink = PLACE if m.better >= 0 else OTHER
    fill = ink if m.clear_of_all else "#fff"
    label = m.measure.label if len(m.measure.label) <= 34 else f"{m.measure.label[:33]}…"
    return [
        text(left - 10, y + 4, label, 12.5, "end"),
        f'<path d="M{x(d.low):.1f} {y:.1f}H{x(d.high):.1f}" stroke="{ink}" stroke-width="2"/>',
        f'<circle cx="{x(d.estimate):.1f}" cy="{y:.1f}" r="5" fill="{fill}" stroke="{ink}" stroke-width="2"/>',
    ]
