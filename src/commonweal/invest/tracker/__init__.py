"""Following places: a baseline, and later what moved, set against places like them. Association, not cause."""

from commonweal.invest.tracker.on_study import need_percentile

__all__ = [
    "need_percentile",
]
