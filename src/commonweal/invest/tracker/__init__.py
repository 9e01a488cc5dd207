"""Following places: a baseline, and later what moved, set against places like them. Association, not cause."""

from commonweal.invest.tracker.difference_in_differences import (
    FEW,
    Difference,
    Matched,
    difference,
    holm,
    match,
)
from commonweal.invest.tracker.snapshot import STANDING, Measure, Snapshot, standing
from commonweal.invest.tracker.track import LEVEL, Moved, Tracked, track

__all__ = [
    "FEW",
    "LEVEL",
    "STANDING",
    "Difference",
    "Matched",
    "Measure",
    "Moved",
    "Snapshot",
    "Tracked",
    "difference",
    "holm",
    "match",
    "standing",
    "track",
]
