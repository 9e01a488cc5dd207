"""What people can reach: places, streets and timetables; distances, counts and catchments."""

from commonweal.access.catchment import catchment, catchment_by_choice
from commonweal.access.decay import Decay, Exponential, Gaussian, GaussianWithin, Power, Steps
from commonweal.access.measures import (
    AreaMeans,
    any_within,
    by_area,
    count_within,
    decayed_count,
    effective_kinds,
    kind_counts,
    kth_nearest_m,
    nearest_m,
    variety,
    where_placed,
    within_minutes,
)
from commonweal.access.points import (
    EARTH_RADIUS_M,
    WALKING_SPEED_M_PER_MIN,
    Points,
    great_circle_m,
)
from commonweal.access.reach import Nearest, Reach
from commonweal.access.straight import straight_count, straight_nearest, straight_reach

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
    "nearest_m",
    "straight_count",
    "straight_nearest",
    "straight_reach",
    "variety",
    "where_placed",
    "within_minutes",
]
