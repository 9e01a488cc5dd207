"""Following places: a baseline, and later what moved, set against places like them. Association, not cause."""

from commonweal.investment.tracker.difference import FEW, Difference, difference, holm
from commonweal.investment.tracker.matching import Matched, match
from commonweal.investment.tracker.snapshot import STANDING, Measure, Snapshot, standing
from commonweal.investment.tracker.track import LEVEL, Moved, Tracked, track

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
