"""What moved in places that are followed: difference in differences against areas that are like them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
from scipy.spatial import KDTree

from commonweal.errors import CommonwealError, DataError, UnknownNameError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from commonweal.invest.tracker.on_study import Snapshot, TrackedMeasure

    Floats = NDArray[np.float64]
    Rows = NDArray[np.intp]


@dataclass(frozen=True)
class Matched:
    """Places and those that are like them."""

    places: Rows  # (n,) rows of the places that have like ones
    like: Rows  # (n, k) rows of the likest, the likest first
    # (n, k) how unlike they are: the distance in standard deviations, over all covariates
    distance: Floats
    alone: Rows  # rows of places that have none in their group

    def weights(self, n_areas: int) -> Floats:
        """(n_areas,) 1 for a place, for a like one its share of the places that it stands beside, or 0."""
        weights = np.zeros(n_areas)
        weights[self.places] = 1.0
        np.add.at(weights, self.like, 1.0 / self.like.shape[1])
        return weights

    def imbalance(self, covariates: Floats, selected: NDArray[np.bool_]) -> tuple[Floats, Floats]:
        """(n_covariates,) mean difference of places from all others, and from those like them.

        In standard deviations over all areas. A tenth is commonly held to be little, a quarter to be much.
        """
        z = _standardised(covariates)
        here = z[self.places].mean(axis=0)
        return here - z[~selected].mean(axis=0), here - z[self.like].mean(axis=(0, 1))


def match(
    covariates: Floats,
    selected: NDArray[np.bool_],
    within: Sequence[tuple[str | None, ...]] = (),
    k: int = 5,
    usable: NDArray[np.bool_] | None = None,
) -> Matched:
    """Find the nearest others of each place, in the same groups `within`; a missing covariate counts as the median.

    Distances are Euclidean over covariates in standard deviations, with replacement (Stuart, 2010, Statistical Science
    25). A place with fewer than `k` others in its group is left out, and named.
    """
    if k < 1:
        raise CommonwealError(f"like places: found {k}; expected 1 or more")
    z = _standardised(covariates)
    if not z.shape[1]:
        raise DataError("no measure to seek like places by; expected one that varies")
    allowed = np.ones(len(z), dtype=bool) if usable is None else usable
    keys = np.array(
        ["\x1f".join(str(group[a]) for group in within) for a in range(len(z))], dtype=object
    )
    places, like, distance, alone = [], [], [], []
    for key in dict.fromkeys(keys[selected & allowed].tolist()):
        inside = (keys == key) & allowed
        here, others = np.flatnonzero(inside & selected), np.flatnonzero(inside & ~selected)
        if len(others) < k:
            alone.append(here)
            continue
        far, at = KDTree(z[others]).query(z[here], k=[*range(1, k + 1)])
        places.append(here)
        like.append(others[at])
        distance.append(far)
    if not places:
        groups = " and ".join(dict.fromkeys(str(g[0]) for g in within if len(g))) or "all areas"
        raise CommonwealError(
            f"no place has {k} others to be compared with in its own group (such as {groups}); ask for fewer, or "
            "compare within larger groups"
        )
    order = np.argsort(np.concatenate(places), kind="stable")
    return Matched(
        np.concatenate(places)[order],
        np.concatenate(like)[order],
        np.concatenate(distance)[order],
        np.sort(np.concatenate([*alone, np.flatnonzero(selected & ~allowed)]).astype(np.intp)),
    )


def _standardised(covariates: Floats) -> Floats:
    """Give columns that vary, in standard deviations from their mean; missing values are medians."""
    some = covariates[:, ~np.isnan(covariates).all(axis=0)]
    filled = np.where(np.isnan(some), np.nanmedian(some, axis=0), some) if some.shape[1] else some
    spread = filled.std(axis=0)
    varies = spread > 1e-12
    return (filled[:, varies] - filled[:, varies].mean(axis=0)) / spread[varies]


FEW = 10
"""Groups below which errors are not taken to go together in them: so few say nothing of how much they do."""


@dataclass(frozen=True)
class DiDEstimate:
    """How much more places changed than places like them."""

    # estimate, low, high: in the unit of the measure, with the ends of the 95% interval
    estimate: float
    low: float
    high: float
    # se, p: standard error, and the two-sided chance of so large a difference if there were none
    se: float
    p: float
    # places, like: how many places, and different areas like them
    places: int
    like: int
    # own, theirs: mean change of the places, and of those like them
    own: float
    theirs: float
    # in how many groups, such as authorities, errors may go together; 0 where each place has its own
    clusters: int

    @property
    def plain(self) -> float:
        """The one mean change less the other, with nothing held constant."""
        return self.own - self.theirs


def difference(
    change: Floats,
    start: Floats,
    matched: Matched,
    clusters: Sequence[str | None] | None = None,
) -> DiDEstimate:
    """Estimate the difference in differences on matched places.

    `change` is later less earlier value, NaN where either is missing. It is regressed by weighted least squares on
    being one of the places and on the value at the start, which takes out what is left of how unlike the two were
    (Abadie and Imbens, 2011, Journal of Business and Economic Statistics 29). A place weighs 1, a like area as many
    places as it stands beside, over `k`. Errors are clustered: the interval is that of leaving out each cluster in
    turn (`commonweal.survey.regression.jackknife`), by Student's t with one degree of freedom less than there are
    clusters. With fewer than `FEW` clusters each area is its own.
    """
    import polars as pl

    from commonweal.survey.regression import fit, jackknife

    weights = matched.weights(len(change))
    used = (weights > 0) & ~np.isnan(change) & ~np.isnan(start)
    treated = np.zeros(len(change), dtype=bool)
    treated[matched.places] = True
    n, m = int((used & treated).sum()), int((used & ~treated).sum())
    if n < 3 or m < 3:
        raise DataError(
            f"{n} places and {m} like them have both values; expected three or more of each"
        )
    rows = np.flatnonzero(used)
    groups = _groups(clusters, rows)
    columns = {
        "change": change[rows],
        "followed": treated[rows].astype(float),
        "weight": weights[rows],
        "group": groups,
    }
    names = ["followed"]
    centred = start[rows] - start[rows].mean()
    if centred.std() > 1e-9 * max(1.0, float(np.abs(start[rows]).max())):
        columns["start"] = centred
        names.append("start")
    table = pl.DataFrame(columns)
    if not float(np.std(change[rows])) > 0:
        raise DataError("every area changed alike; expected changes that differ")
    model = fit(table, "change", names, weights="weight", clusters="group")
    term = jackknife(model, "followed").term
    w = weights * used
    own = float(change[used & treated].mean())
    theirs = float(np.average(change[used & ~treated], weights=w[used & ~treated]))
    many = len(set(groups))
    return DiDEstimate(
        term.estimate, term.low, term.high, term.se, term.p, n, m, own, theirs, 0 if many == len(rows) else many
    )  # fmt: skip


def _groups(clusters: Sequence[str | None] | None, rows: NDArray[np.intp]) -> list[str]:
    """Give the cluster of each row: the row itself where there are no groups, or too few."""
    alone = [f"row {row}" for row in rows]
    if clusters is None:
        return alone
    found = [own if (own := clusters[row]) is not None else f"row {row}" for row in rows]
    return found if len(set(found)) >= FEW else alone


def holm(p: Sequence[float]) -> list[float]:
    """Adjust chances for having looked at several measures, by Holm's method."""
    given = np.asarray(p, np.float64)
    order = np.argsort(given)
    raised = np.maximum.accumulate(given[order] * np.arange(len(given), 0, -1))
    adjusted = np.empty(len(given))
    adjusted[order] = np.minimum(raised, 1)
    return [float(q) for q in adjusted]


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
