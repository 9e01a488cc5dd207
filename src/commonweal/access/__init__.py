"""What people can reach: places, streets and timetables; distances, counts and catchments.

>>> from commonweal import access
>>> here, there = access.Points([-1.2], [54.7]), access.Points([-1.2], [54.71])
>>> access.straight_nearest(here, there).distance_m.round().tolist()
[[1112.0]]
"""

from commonweal.access.catchment import catchment, catchment_by_choice
from commonweal.access.decay import Decay, Exponential, Gaussian, GaussianWithin, Power, Steps
from commonweal.access.distance import (
    Nearest,
    Points,
    Reach,
    points_of,
    straight_nearest,
    straight_reach,
)
from commonweal.access.measures import (
    any_within,
    count_within,
    decayed_count,
    effective_kinds,
    kth_nearest_m,
    nearest,
    nearest_m,
    variety,
    within_minutes,
)

__all__ = [
    "Decay",
    "Exponential",
    "Gaussian",
    "GaussianWithin",
    "Nearest",
    "Points",
    "Power",
    "Reach",
    "Steps",
    "any_within",
    "catchment",
    "catchment_by_choice",
    "count_within",
    "decayed_count",
    "effective_kinds",
    "kth_nearest_m",
    "nearest",
    "nearest_m",
    "points_of",
    "straight_nearest",
    "straight_reach",
    "variety",
    "within_minutes",
]
