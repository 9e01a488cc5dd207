"""Following places: a baseline, and later what moved, set against places like them. Association, not cause."""

from commonweal.invest.tracker.difference_in_differences import (
    FEW,
    DiDEstimate,
    Matched,
    difference,
    holm,
    match,
)
from commonweal.invest.tracker.snapshot import (
    PERCENTILE_UNIT,
    Snapshot,
    TrackedMeasure,
    need_percentile,
)
from commonweal.invest.tracker.track import LEVEL, MeasureChange, TrackerResult, track

__all__ = [
    "FEW",
    "LEVEL",
    "PERCENTILE_UNIT",
    "DiDEstimate",
    "Matched",
    "MeasureChange",
    "Snapshot",
    "TrackedMeasure",
    "TrackerResult",
    "difference",
    "holm",
    "match",
    "need_percentile",
    "track",
]
