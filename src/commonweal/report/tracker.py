"""What changed in the areas of a baseline: in words, and as a report."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from commonweal.chart.rows import Row, Upright, row_chart
from commonweal.chart.theme import BLUE, DOT, Mark, hollow, round_axis
from commonweal.chart.vega import dots
from commonweal.document.format import format_count, join_words
from commonweal.document.model import Document, Section, Table, TableData, make_table
from commonweal.invest.tracker.on_study import PERCENTILE_UNIT
from commonweal.invest.tracker.track import FEW, LEVEL

if TYPE_CHECKING:
    from commonweal.document.model import Chart
    from commonweal.invest.tracker.track import MeasureChange, TrackerResult


NOT_CAUSE = (
    "This is association, not cause. Nobody chose these areas at random, so something else that sets them apart may "
    "explain the change."
)
FOCUS_SET_ASIDE = "The focus of the study is not used: we follow the areas of the baseline, and compare them with any."
_UNLIKE = 0.25
_UNCLEAR = Mark("circle", hollow(BLUE, 2))
_STANDING = (
    " Standing is the percentage of all areas that have more need: an area that rises by 1 point has passed one area "
    "in a hundred."
)


def moved_sentence(moved: MeasureChange) -> str:
    """Say how one measure moved, in plain words."""
    d, unit = moved.difference, _unit(moved)
    label = moved.measure.label
    if not moved.clear:
        return (
            f"{label}: no clear difference from similar areas. The 95% interval runs from {_signed(d.low)} to "
            f"{_signed(d.high)} {unit}."
        )
    word = "better" if moved.better > 0 else "worse"
    low, high = sorted((abs(d.low), abs(d.high)))
    sure = (
        "It stays clear after adjusting for the number of measures."
        if moved.clear_of_all
        else "With so many measures, it may be chance."
    )
    course = (
        " But these areas already followed a different trend before the baseline, so it says little."
        if moved.pre_trend
        else ""
    )
    leans = (
        f" It depends on adjusting for the value at the start: without that the difference is {_signed(d.plain)}."
        if moved.baseline_sensitive
        else ""
    )
    return (
        f"{label}: {word} than similar areas, by {_plain(abs(d.estimate))} {unit} (95% interval {_plain(low)} to "
        f"{_plain(high)}). {sure}{leans}{course}"
    )


def tracker_answer(found: TrackerResult) -> tuple[str, ...]:
    """Say what changed compared with similar areas, and that it is no proof of cause."""
    b, n, likes = found.baseline, len(found.matched.places), len(set(found.matched.like.ravel()))
    clear = [m for m in found.moved if m.clear]
    sure = sum(m.clear_of_all for m in clear)
    chance = f"; {len(clear) - sure} may have by chance" if len(clear) > sure else ""
    said = [
        *_backwards(found),
        f"{sure or 'None'} of {format_count(len(found.moved), 'measure', 'measures')} clearly changed more or less "
        f"than in similar areas{chance}. We compared {format_count(n, b.singular, b.plural)} with {likes:,} others "
        f"that were similar at the start, from {_then(found)}.{_STANDING if _stands(found) else ''}",
        *(moved_sentence(m) for m in sorted(clear, key=lambda m: m.difference.p)),
    ]
    return (*said, NOT_CAUSE)


def _backwards(found: TrackerResult) -> tuple[str, ...]:
    """Warn of sources that are older than those of the baseline."""
    older = [f"{m.measure.label} ({m.then}, then {m.now})" for m in found.moved if m.backwards]
    return (f"Sources older than the baseline: {'; '.join(older)}.",) if older else ()


def _then(found: TrackerResult) -> str:
    return f"“{found.baseline.title}” to “{found.later.title}”"


def _stands(found: TrackerResult) -> bool:
    return any(m.measure.unit == PERCENTILE_UNIT for m in found.moved)


def _course(found: TrackerResult) -> str:
    """Say whether the areas and similar ones followed the same trend before the baseline."""
    if found.earlier is None:
        return (
            "Without an earlier baseline we could not check whether these areas and similar ones followed the same "
            "trend before. Add one with --earlier."
        )
    off = [m.measure.label for m in found.moved if m.pre_trend]
    if off:
        return f"Before the baseline these areas already followed a different trend on: {'; '.join(off)}."
    return (
        "Before the baseline these areas changed as similar ones did, as far as the intervals show."
    )


def tracker_warnings(found: TrackerResult) -> tuple[str, ...]:
    """Say what a reader must not overlook."""
    told = [*_backwards(found), NOT_CAUSE, *found.notes]
    many = len(found.moved)
    if many > 1:
        told.append(
            f"We compared {many:,} measures. Even with no real difference, about one in {round(1 / LEVEL)} would seem "
            "to differ. The adjusted p (Holm) allows for that."
        )
    told.append(_course(found))
    unlike = found.balance.filter(found.balance["like"].abs() > _UNLIKE)
    if len(unlike):
        told.append(
            f"Even the most similar areas differ at the start, by over a quarter of a standard deviation, on: "
            f"{', '.join(_label(found, name) for name in unlike['measure'])}."
        )
    leaning = [
        f"{m.measure.label} ({_signed(m.difference.plain)} without it, {_signed(m.difference.estimate)} with it)"
        for m in found.moved
        if m.baseline_sensitive
    ]
    if leaning:
        told.append(
            "Adjusting for the value at the start changes the answer by more than half of its interval on: "
            f"{'; '.join(leaning)}. There the answer assumes that change depends on the start in a straight line."
        )
    if _stands(found):
        told.append(
            "Standing can rise because others fell. The method of a published index may differ between two editions, "
            "which may affect similar areas less or more."
        )
    told.append(
        "Areas chosen for being at the bottom tend to rise a little by chance. Similar areas start as low, and we hold "
        "the value at the start constant. That removes much of this effect, perhaps not all."
    )
    if found.matched.alone.size:
        names = [found.baseline.names[a] for a in found.matched.alone[:8]]
        told.append(
            f"{format_count(len(found.matched.alone), 'area has', 'areas have')} no values, or too few others to be "
            f"compared with: {', '.join(names)}{'…' if len(found.matched.alone) > 8 else '.'}"
        )
    if found.moved and not any(m.difference.clusters for m in found.moved):
        told.append(
            f"These areas are in fewer than {FEW} authorities, so we could not allow for neighbours that change "
            "together. The intervals are probably too narrow."
        )
    return tuple(told)


def tracker_method(found: TrackerResult) -> str:
    """Describe the method."""
    within = join_words([name.replace("_", " ") for name in found.within])
    within = f" of the same {within}" if within else ""
    clusters = next((m.difference.clusters for m in found.moved if m.difference.clusters), 0)
    errors = (
        f"Errors may be shared within each of {clusters:,} {found.clusters} groups (jackknife over groups)"
        if clusters
        else "Errors count as independent between areas (jackknife over areas)"
    )
    return (
        f"We compare each area with the {found.matched.like.shape[1]} others{within} that were most similar at the "
        "start. The difference in differences is a weighted regression of the change on being followed, with the value "
        f"at the start held constant. {errors}."
    )


def _label(found: TrackerResult, name: str) -> str:
    return next(m.label for m in found.baseline.measures if m.name == name)


def _unit(moved: MeasureChange) -> str:
    return "points of standing" if moved.measure.unit == PERCENTILE_UNIT else moved.measure.unit


def _signed(value: float) -> str:
    return f"{'−' if value < 0 else '+'}{_plain(abs(value))}"


def _plain(value: float) -> str:
    return f"{value:.{1 if value >= 0.095 else 3}f}"


def tracker_document(found: TrackerResult, sources: tuple[str, ...] = ()) -> Document:
    """Make a report of what moved."""
    return Document(
        name="tracker",
        title=f"What changed in {len(found.matched.places):,} {found.baseline.plural}",
        heading=f"From “{found.baseline.title}” to “{found.later.title}”",
        answer=tracker_answer(found),
        sections=tracker_sections(found),
        limits=(NOT_CAUSE,),
        works=(),
        sources=sources,
        account=(
            ("baseline", found.baseline.study),
            ("later", found.later.study),
            ("earlier", None if found.earlier is None else found.earlier.study),
            ("within", list(found.within)),
            ("clusters", found.clusters),
            ("followed", len(found.matched.places)),
            ("left_out", [found.baseline.codes[a] for a in found.matched.alone]),
        ),
    )


def tracker_sections(found: TrackerResult) -> tuple[Section, ...]:
    """Give the sections of a report: every measure, each area, how similar the others are."""
    charts = tuple(c for c in (difference_chart(found),) if c is not None)
    return (
        Section(
            "Change compared with similar areas",
            text=(tracker_method(found),),
            charts=charts,
            tables=(_moved(found),),
            warnings=tracker_warnings(found),
        ),
        Section(
            "Change in each area",
            text=(
                "A single area has no interval, because it cannot show what is chance. “Similar” is the average change "
                "of the areas that it is compared with.",
            ),
            tables=(_places(found),),
        ),
        Section(
            "How similar the areas were at the start",
            text=(
                "How far these areas were from all others, and from similar ones, in standard deviations.",
            ),
            tables=(_balance(found), _skipped(found)) if found.skipped else (_balance(found),),
        ),
    )


def _moved(found: TrackerResult) -> Table:
    rows = found.moved
    frame = pl.DataFrame(
        {
            "Measure": [m.measure.label for m in rows],
            "Unit": [_unit(m) for m in rows],
            "Better is": [m.measure.better for m in rows],
            "Then": [m.then for m in rows],
            "Now": [m.now for m in rows],
            "Here": [m.difference.own for m in rows],
            "Similar": [m.difference.theirs for m in rows],
            "Difference": [m.difference.estimate for m in rows],
            "From": [m.difference.low for m in rows],
            "To": [m.difference.high for m in rows],
            "p": [m.difference.p for m in rows],
            "p, adjusted": [m.adjusted for m in rows],
            "measure": [m.measure.name for m in rows],
            "measured_in": [m.measure.unit for m in rows],
            "se": [m.difference.se for m in rows],
            "places": [m.difference.places for m in rows],
            "like": [m.difference.like for m in rows],
            "clusters": [m.difference.clusters for m in rows],
        }
    )
    hidden = ["measure", "measured_in", "se", "places", "like", "clusters"]
    if found.earlier is not None:
        before = [m.before for m in rows]
        shown = {"Before": "estimate", "Before, from": "low", "Before, to": "high"}
        more = {
            f"before_{k}": k for k in ("se", "p", "places", "like", "own", "theirs", "clusters")
        }
        frame = frame.with_columns(
            pl.Series(head, [b and getattr(b, what) for b in before], dtype=pl.Float64)
            for head, what in (shown | more).items()
        )
        hidden += more
    return Table(
        "tracker-measures",
        "Change here and in similar areas, and the difference",
        make_table(frame, places={"p": 3, "p, adjusted": 3}, hidden=hidden, names=_NAMES),
        "From and to: the ends of the 95% interval. The difference holds the value at the start constant, so it is not "
        "simply one change minus the other. Before: the same for the time before the baseline.",
    )


_NAMES = {
    "Measure": "label",
    "Better is": "better",
    "Here": "change",
    "Similar": "change_of_like",
    "From": "low",
    "To": "high",
    "Before, from": "before_low",
    "Before, to": "before_high",
}


def _places(found: TrackerResult) -> Table:
    parts = []
    for m in found.moved:
        each = found.each(m.measure.name)
        parts.append(
            each.select(
                pl.col("name").alias("Name"),
                pl.col("code").alias("Code"),
                pl.lit(m.measure.label).alias("Measure"),
                pl.col("then").alias("Then"),
                pl.col("now").alias("Now"),
                pl.col("change").alias("Change"),
                pl.col("like").alias("Similar"),
                pl.lit(m.measure.better).alias("Better is"),
            )
        )
    frame = pl.concat(parts)
    return Table("tracker-places", "Each area, measure by measure", TableData(frame), rows=30)


def _balance(found: TrackerResult) -> Table:
    labels = {m.name: m.label for m in found.baseline.measures}
    frame = found.balance.select(
        pl.col("measure").replace(labels).alias("Measure"),
        pl.col("all").alias("From all others"),
        pl.col("like").alias("From similar areas"),
        "measure",
    )
    names = {"Measure": "label", "From all others": "all", "From similar areas": "like"}
    return Table(
        "tracker-balance",
        "Distance at the start, in standard deviations",
        make_table(frame, hidden=["measure"], names=names),
    )


def _skipped(found: TrackerResult) -> Table:
    labels = {m.name: m.label for m in found.baseline.measures}
    frame = pl.DataFrame(
        {
            "Measure": [labels[m] for m in found.skipped],
            "Why": list(found.skipped.values()),
            "measure": list(found.skipped),
        }
    )
    shown = make_table(frame, hidden=["measure"], names={"Measure": "label"})
    return Table("tracker-skipped", "Measures that could not be compared", shown)


def _finding(found: TrackerResult) -> str:
    sure = sum(m.clear_of_all for m in found.moved if m.clear)
    return f"{sure or 'No'} {'measure' if sure == 1 else 'measures'} clearly changed more or less than in similar areas"


def difference_chart(found: TrackerResult) -> Chart | None:
    """Draw the difference of every standing with its interval; None where there are none."""
    rows = [m for m in found.moved if m.measure.unit == PERCENTILE_UNIT]
    if not rows:
        return None
    frame = pl.DataFrame(
        {
            "Measure": [m.measure.label for m in rows],
            "Difference": [m.difference.estimate for m in rows],
            "From": [m.difference.low for m in rows],
            "To": [m.difference.high for m in rows],
        }
    )
    about = (
        "Points of standing: the percentage of areas that have more need. Dot: difference from similar areas. Line: "
        "95% interval. Filled dots differ clearly from 0 after adjusting for the number of measures; hollow do not."
    )
    heads = frame.columns
    return row_chart(
        "tracker-differences", _finding(found), about, [_row(m) for m in rows], TableData(frame),
        dots(heads[0], heads[1], ends=(heads[2], heads[3])),
        round_axis(
            [0.0, *frame["From"], *frame["To"]],
            lambda value: f"{value:+g}".replace("-", "−") if value else "0",
            "Points: below 0 worse than similar areas, above 0 better",
        ),
        [(DOT, "Clear difference"), (_UNCLEAR, "May be chance")],
        [Upright(0.0)],
    )  # fmt: skip


def _row(m: MeasureChange) -> Row:
    d = m.difference
    mark = DOT if m.clear_of_all else _UNCLEAR
    return Row(m.measure.label, marks=((d.estimate, mark),), span=(d.low, d.high))
