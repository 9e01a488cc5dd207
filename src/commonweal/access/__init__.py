"""What people can reach: places, streets and timetables; distances, counts and catchments.

>>> from commonweal import access
>>> float(access.great_circle_m(-1.2, 54.7, -1.2, 54.71).round())
1112.0
"""

from commonweal.access.catchment import catchment, catchment_by_choice
from commonweal.access.decay import Decay, Exponential, Gaussian, GaussianWithin, Power, Steps
from commonweal.access.distance import (
    EARTH_RADIUS_M,
    WALKING_SPEED_M_PER_MIN,
    Nearest,
    Points,
    Reach,
    great_circle_m,
    points_of,
    straight_count,
    straight_nearest,
    straight_reach,
)
from commonweal.access.measures import (
    AreaMeans,
    any_within,
    by_area,
    count_within,
    decayed_count,
    effective_kinds,
    kind_counts,
    kth_nearest_m,
    nearest,
    nearest_m,
    variety,
    where_placed,
    within_minutes,
)

__all__ = [
    "EARTH_RADIUS_M",
    "WALKING_SPEED_M_PER_MIN",
    "AreaMeans",
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
    "by_area",
    "catchment",
    "catchment_by_choice",
    "count_within",
    "decayed_count",
    "effective_kinds",
    "great_circle_m",
    "kind_counts",
    "kth_nearest_m",
    "nearest",
    "nearest_m",
    "points_of",
    "straight_count",
    "straight_nearest",
    "straight_reach",
    "variety",
    "where_placed",
    "within_minutes",
]
