"""What moved in places that are followed, in words for those who live there, and as data."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from commonweal.document.columns import in_columns
from commonweal.document.words import counted, joined
from commonweal.invest.tracker import FEW, LEVEL, STANDING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from commonweal.invest.tracker import Difference, Moved, Tracked

__all__ = [
    "FOCUS_SET_ASIDE",
    "NOT_CAUSE",
    "moved_sentence",
    "tracker_answer",
    "tracker_beware",
    "tracker_data",
    "tracker_lines",
    "tracker_method",
]

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


def moved_sentence(moved: Moved) -> str:
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
        if moved.off_course
        else ""
    )
    leans = (
        f" It leans on allowing for where each place started: without that the difference is {_signed(d.plain)}."
        if moved.leans
        else ""
    )
    return (
        f"{label}: {word} than places like them, by {_plain(abs(d.estimate))} {unit} (95 % interval {_plain(low)} to "
        f"{_plain(high)}). {sure}{leans}{course}"
    )


def tracker_answer(found: Tracked) -> tuple[str, ...]:
    """Say what moved, against whom, and that it is no proof of cause."""
    b, n, likes = found.baseline, len(found.matched.places), len(set(found.matched.like.ravel()))
    clear = [m for m in found.moved if m.clear]
    sure = sum(m.clear_of_all for m in clear)
    chance = f", and {len(clear) - sure} may have by chance" if len(clear) > sure else ""
    said = [
        *_backwards(found),
        f"{counted(n, b.singular, b.plural)} set beside {likes:,} others that were like them at the start, from "
        f"{_then(found)}: of {counted(len(found.moved), 'measure', 'measures')}, {sure or 'none'} clearly moved "
        f"otherwise{chance}.{_STANDING if _stands(found) else ''}",
        *(moved_sentence(m) for m in sorted(clear, key=lambda m: m.difference.p)),
    ]
    return (*said, NOT_CAUSE)


def _backwards(found: Tracked) -> tuple[str, ...]:
    """Warn of sources that are older than those of the baseline."""
    older = [f"{m.measure.label} ({m.then}, then {m.now})" for m in found.moved if m.backwards]
    return (f"Not later but earlier than the baseline: {'; '.join(older)}.",) if older else ()


def _then(found: Tracked) -> str:
    return f"“{found.baseline.title}” to “{found.later.title}”"


def _stands(found: Tracked) -> bool:
    return any(m.measure.unit == STANDING for m in found.moved)


def tracker_beware(found: Tracked) -> tuple[str, ...]:
    """Say what a reader must not overlook."""
    told = [*_backwards(found), NOT_CAUSE, *found.notes]
    many = len(found.moved)
    if many > 1:
        told.append(
            f"{many:,} measures were looked at. If nothing had moved otherwise, one in {round(1 / LEVEL)} would "
            "seem to all the same; the adjusted chance (Holm) counts that in."
        )
    if found.earlier is None:
        told.append(
            "There is no earlier point, so whether the places and those like them were on the same course before the "
            "baseline was not checked. A baseline of an earlier date would show it."
        )
    else:
        off = [m.measure.label for m in found.moved if m.off_course]
        told.append(
            "Before the baseline the places were on another course already on: "
            + "; ".join(off)
            + "."
            if off
            else "Before the baseline the places moved as those like them did, as far as the intervals can tell."
        )
    unlike = found.balance.filter(found.balance["like"].abs() > _UNLIKE)
    if len(unlike):
        told.append(
            f"Even the likest places differ at the start, by over a quarter of a standard deviation, on: "
            f"{', '.join(_label(found, name) for name in unlike['measure'])}."
        )
    leaning = [
        f"{m.measure.label} ({_signed(m.difference.plain)} without that, {_signed(m.difference.estimate)} with it)"
        for m in found.moved
        if m.leans
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
            f"{counted(len(found.matched.alone), 'place has', 'places have')} no values or too few others to be "
            f"compared with: {', '.join(names)}{'…' if len(found.matched.alone) > 8 else '.'}"
        )
    if found.moved and not any(m.difference.clusters for m in found.moved):
        told.append(
            f"The places are in fewer than {FEW} authorities, so that neighbours move together was not counted in: "
            "the intervals are likely to be too narrow."
        )
    return tuple(told)


def tracker_method(found: Tracked) -> str:
    """Say how it was worked out."""
    within = joined([name.replace("_", " ") for name in found.within])
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


def tracker_lines(found: Tracked) -> Iterator[str]:
    """Tell what moved on a terminal: the answer first, then its parts.

    Yields
    ------
    str
        A line, unwrapped.
    """
    yield "What moved"
    yield ""
    yield from tracker_answer(found)
    yield ""
    mixed = any(m.measure.unit != STANDING for m in found.moved)
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
    numbers = [">Here", ">Like", ">Difference", ">95 % interval", ">Adjusted p", "Better is"]
    yield from in_columns(["", *(["Unit"] if mixed else []), *numbers], rows)
    for name, why in found.skipped.items():
        yield f"  {_label(found, name)}: not told, {why}."
    yield ""
    yield "Beware:"
    yield from (f"  {line}" for line in tracker_beware(found))
    yield ""
    yield tracker_method(found)


def tracker_data(found: Tracked) -> dict[str, Any]:
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
        "beware": list(tracker_beware(found)),
        "method": tracker_method(found),
    }


def _numbers(d: Difference) -> dict[str, float | int]:
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


def _label(found: Tracked, name: str) -> str:
    return next(m.label for m in found.baseline.measures if m.name == name)


def _unit(moved: Moved) -> str:
    return "points of standing" if moved.measure.unit == STANDING else moved.measure.unit


def _signed(value: float) -> str:
    return f"{'−' if value < 0 else '+'}{_plain(abs(value))}"


def _plain(value: float) -> str:
    return f"{value:.{1 if value >= 0.095 else 3}f}"


def _chance(p: float) -> str:
    return "< 0.001" if p < 0.001 else f"{p:.3f}"
