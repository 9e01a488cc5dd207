"""What moved in places that are followed, set against places like them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from commonweal.errors import DataError, UnknownNameError
from commonweal.invest.tracker.difference_in_differences import (
    DiDEstimate,
    Matched,
    difference,
    holm,
    match,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from commonweal.invest.tracker.snapshot import Snapshot, TrackedMeasure

    Floats = NDArray[np.float64]


LEVEL = 0.05


@dataclass(frozen=True)
class MeasureChange:
    """One measure, then and now."""

    # measure, later: what it is, as the baseline has it and as it is later
    measure: TrackedMeasure
    later: TrackedMeasure
    difference: DiDEstimate  # how much more the places changed than those like them
    # the same over the time before the baseline, when nothing had been done; None without an earlier snapshot. Where
    # it is not nought, like places were on another course already.
    before: DiDEstimate | None
    # the chance of so large a difference if there were none, for having looked at all measures
    adjusted: float

    @property
    def then(self) -> str:
        """Its date in the baseline."""
        return self.measure.vintage

    @property
    def now(self) -> str:
        """Its date later."""
        return self.later.vintage

    @property
    def better(self) -> float:
        """The difference, turned so that above 0 = the places did better than those like them."""
        return self.difference.estimate * (1 if self.measure.better == "more" else -1)

    @property
    def backwards(self) -> bool:
        """Whether what is set beside the baseline is older than it."""
        return _order(self.measure, self.later) < 0

    @property
    def clear(self) -> bool:
        """Whether the interval leaves nought out."""
        return not self.difference.low <= 0 <= self.difference.high

    @property
    def clear_of_all(self) -> bool:
        """Whether it is still clear when all measures that were looked at are counted in."""
        return self.adjusted < LEVEL

    @property
    def baseline_sensitive(self) -> bool:
        """Whether holding the start constant moves the difference by more than half of its interval."""
        d = self.difference
        return abs(d.estimate - d.plain) > (d.high - d.low) / 2

    @property
    def pre_trend(self) -> bool:
        """Whether the places were on another course than those like them before the baseline."""
        return self.before is not None and not self.before.low <= 0 <= self.before.high


@dataclass(frozen=True)
class TrackerResult:
    """What moved, and against whom."""

    # baseline, later, earlier: the snapshots; `earlier` is None if there is none
    baseline: Snapshot
    later: Snapshot
    earlier: Snapshot | None
    # within, clusters: groups that like places share, and the one in which errors may go together; '' for none
    within: tuple[str, ...]
    clusters: str
    matched: Matched  # places and those like them
    # ``measure``, ``all`` and ``like``: how unlike the places were to all others and to those like them at the start,
    # in standard deviations
    balance: pl.DataFrame
    moved: tuple[MeasureChange, ...]  # one a measure that both snapshots have
    skipped: dict[str, str]  # by measure, why it could not be told
    notes: tuple[str, ...] = ()  # what else a reader must not overlook, in sentences

    def each(self, name: str) -> pl.DataFrame:
        """Give each place by itself: ``code``, ``name``, ``then``, ``now``, ``change``, ``like``."""
        then, now = self.baseline.column(name), self.later.column(name)
        change = now - then
        at = self.matched.places
        like = _means(change[self.matched.like])
        return pl.DataFrame(
            {
                "code": [self.baseline.codes[a] for a in at],
                "name": [self.baseline.names[a] for a in at],
                "then": then[at],
                "now": now[at],
                "change": change[at],
                "like": like,
            }
        ).fill_nan(None)


def _refuse_other_areas(baseline: Snapshot, others: Sequence[Snapshot]) -> None:
    """Refuse a snapshot that is not of the baseline's areas."""
    for other in others:
        if other.codes != baseline.codes:
            raise DataError(
                f"{other.title} is of other areas than the baseline ({len(other.codes):,} of {other.system}); expected "
                f"the {len(baseline.codes):,} of {baseline.system}"
            )


def _shared_groups(
    baseline: Snapshot, within: Sequence[str] | None, clusters: str
) -> tuple[str, ...]:
    """Give the groups that like places share, all known to the baseline: those asked for, or all but one."""
    chosen = tuple(n for n in baseline.groups if n != clusters) if within is None else tuple(within)
    for name in (*chosen, *([clusters] if clusters and within is not None else [])):
        if name not in baseline.groups:
            raise UnknownNameError("group", name, baseline.groups, " in the baseline")
    return chosen


def _shared_measures(baseline: Snapshot, later: Snapshot) -> list[TrackedMeasure]:
    """Give the measures of the baseline that the later snapshot has too."""
    there = {m.name for m in later.measures}
    shared = [m for m in baseline.measures if m.name in there]
    if not shared:
        raise DataError(
            f"{later.title} has no measure of the baseline; expected some of: "
            f"{', '.join(m.name for m in baseline.measures[:8])}"
        )
    return shared


def _unlike(m: TrackedMeasure, later: TrackedMeasure, start: Floats, now: Floats) -> str:
    """Say why a measure cannot be set beside itself later; nothing if it can."""
    if later.unit != m.unit:
        return f"unit '{later.unit}', and '{m.unit}' in the baseline"
    if np.array_equal(start, now, equal_nan=True):
        return "every area has the same value in both: nothing newer"
    return ""


def track(
    baseline: Snapshot,
    later: Snapshot,
    earlier: Snapshot | None = None,
    *,
    like: int = 5,
    within: Sequence[str] | None = None,
    clusters: str = "authority",
) -> TrackerResult:
    """Say what moved in the places of a baseline, set against `like` places like each, in the same groups `within`.

    `earlier` shows whether like places were on the same course. Snapshots in the wrong order of time are refused: some
    sources are older, by the years that their dates name, and none is newer.
    """
    snapshots = (later,) if earlier is None else (later, earlier)
    _refuse_other_areas(baseline, snapshots)
    chosen = _shared_groups(baseline, within, clusters)
    there = {m.name: m for m in later.measures}
    shared = _shared_measures(baseline, later)
    _refuse_backwards(baseline, later)
    if earlier is not None:
        _refuse_backwards(earlier, baseline)
    covariates = [m.name for m in baseline.measures if m.covariate] or [m.name for m in shared]
    x = np.column_stack([baseline.column(name) for name in covariates])
    both = [~np.isnan(baseline.column(m.name)) & ~np.isnan(later.column(m.name)) for m in shared]
    matched = match(
        x, baseline.selected, [baseline.groups[n] for n in chosen], like, np.logical_or.reduce(both)
    )
    skipped = {m.name: f"not in {later.title}" for m in baseline.measures if m.name not in there}
    groups = baseline.groups.get(clusters)
    found = []
    for m in shared:
        start, now = baseline.column(m.name), later.column(m.name)
        if why := _unlike(m, there[m.name], start, now):
            skipped[m.name] = why
            continue
        try:
            own = difference(now - start, start, matched, groups)
            before = None
            if earlier is not None and m.name in {e.name for e in earlier.measures}:
                first = earlier.column(m.name)
                before = difference(start - first, first, matched, groups)
        except DataError as error:
            skipped[m.name] = str(error)
            continue
        found.append((m, there[m.name], own, before))
    if not found:
        raise DataError(f"no measure can be told: {next(iter(skipped.values()))}")
    adjusted = holm([own.p for _, _, own, _ in found])
    return TrackerResult(
        baseline,
        later,
        earlier,
        chosen,
        clusters if groups is not None else "",
        matched,
        _balance(x, covariates, baseline, matched),
        tuple(
            MeasureChange(m, newer, own, before, p)
            for (m, newer, own, before), p in zip(found, adjusted, strict=True)
        ),
        skipped,
    )


def _order(first: TrackedMeasure, second: TrackedMeasure) -> int:
    """Say which is of a later year: above 0 the second, below 0 the first, 0 neither or not known."""
    a, b = first.year, second.year
    return 0 if a is None or b is None else b - a


def _refuse_backwards(first: Snapshot, second: Snapshot) -> None:
    """Refuse a second snapshot with sources that are older than those of the first, and none that is newer."""
    own = {m.name: m for m in first.measures}
    pairs = [(own[m.name], m) for m in second.measures if m.name in own]
    order = [_order(*pair) for pair in pairs]
    if any(way > 0 for way in order) or not any(way < 0 for way in order):
        return
    a, b = pairs[order.index(min(order))]
    raise DataError(
        f"“{second.title}” is older than “{first.title}”: {b.label} is of {b.vintage}, and there of {a.vintage}; "
        "expected sources of the same date or newer, so the two may have changed places"
    )


def _balance(x: Floats, names: Sequence[str], baseline: Snapshot, matched: Matched) -> pl.DataFrame:
    """Set places beside all others and beside those like them, covariate by covariate."""
    kept = [k for k in range(x.shape[1]) if np.nanstd(x[:, k]) > 1e-12]
    everyone, likes = matched.imbalance(x[:, kept], baseline.selected)
    return pl.DataFrame({"measure": [names[k] for k in kept], "all": everyone, "like": likes})


def _means(values: Floats) -> Floats:
    """(n,) means of rows without what is missing; NaN where all is."""
    there = ~np.isnan(values)
    total, many = np.where(there, values, 0.0).sum(axis=1), there.sum(axis=1)
    return np.where(many > 0, total / np.maximum(many, 1), np.nan)
