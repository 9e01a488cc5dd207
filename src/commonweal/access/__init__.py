"""What people can reach: places, streets and timetables; distances, counts and catchments."""

from commonweal.access.points import (
    EARTH_RADIUS_M,
    WALKING_SPEED_M_PER_MIN,
    Points,
    great_circle_m,
)
from commonweal.access.reach import Nearest, Reach

__all__ = [
    "EARTH_RADIUS_M",
    "WALKING_SPEED_M_PER_MIN",
    "Nearest",
    "Points",
    "Reach",
    "great_circle_m",
]
