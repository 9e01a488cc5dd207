"""Points on the ground, and how far apart they are in a straight line."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from commonweal.errors import DataError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

__all__ = ["EARTH_RADIUS_M", "WALKING_SPEED_M_PER_MIN", "Points", "great_circle_m"]

EARTH_RADIUS_M = 6_371_009.0
"""Mean radius of the Earth (IUGG). On a sphere lengths are within 0.6 % of those on the ellipsoid."""

WALKING_SPEED_M_PER_MIN = 80.0
"""4.8 km/h: the pace at which 10 minutes are 800 m, as accessibility standards commonly have it."""


@dataclass(frozen=True, slots=True)
class Points:
    """Points in longitude and latitude, checked once here.

    Attributes
    ----------
    longitude, latitude
        (n,) float64 degrees, WGS 84.

    Raises
    ------
    DataError
        If the two differ in length, or a coordinate is missing, infinite or out of range.
    """

    longitude: NDArray[np.float64]
    latitude: NDArray[np.float64]

    def __post_init__(self) -> None:
        if self.longitude.shape != self.latitude.shape or self.longitude.ndim != 1:
            raise DataError(
                f"longitudes have shape {self.longitude.shape} and latitudes {self.latitude.shape}; "
                "expected two lists of the same length"
            )
        for name, values, most in (
            ("longitude", self.longitude, 180),
            ("latitude", self.latitude, 90),
        ):
            bad = ~(np.abs(values) <= most)  # NaN too
            if bad.any():
                row = int(bad.argmax())
                raise DataError(
                    f"point {row + 1} has {name} {values[row]:g}; expected degrees from -{most} to {most}"
                )

    def __len__(self) -> int:
        return len(self.longitude)

    def extent(self) -> str:
        """Say within what degrees they lie, for messages; there is at least one."""
        return (
            f"longitude {self.longitude.min():.4g} to {self.longitude.max():.4g}, "
            f"latitude {self.latitude.min():.4g} to {self.latitude.max():.4g}"
        )

    def on_sphere(self) -> NDArray[np.float64]:
        """(n, 3) float64 metres from the Earth's centre, for searches by chord."""
        longitude, latitude = np.radians(self.longitude), np.radians(self.latitude)
        around = np.cos(latitude)
        return EARTH_RADIUS_M * np.column_stack(
            [around * np.cos(longitude), around * np.sin(longitude), np.sin(latitude)]
        )


def great_circle_m(
    longitude_1: ArrayLike, latitude_1: ArrayLike, longitude_2: ArrayLike, latitude_2: ArrayLike
) -> NDArray[np.float64]:
    """Give the shortest way over the sphere in metres, by the haversine formula.

    Parameters
    ----------
    longitude_1, latitude_1, longitude_2, latitude_2
        Degrees; numbers or arrays that broadcast.

    Returns
    -------
    ndarray
        float64 metres.

    Notes
    -----
    Source: R. W. Sinnott (1984), Virtues of the haversine, Sky and Telescope 68(2), 159.

    Examples
    --------
    >>> float(great_circle_m(0.0, 51.0, 0.0, 52.0).round())
    111195.0
    """
    x1, y1, x2, y2 = (
        np.radians(np.asarray(v, dtype=np.float64))
        for v in (longitude_1, latitude_1, longitude_2, latitude_2)
    )
    across = np.sin((y2 - y1) / 2) ** 2 + np.cos(y1) * np.cos(y2) * np.sin((x2 - x1) / 2) ** 2
    return np.asarray(2 * EARTH_RADIUS_M * np.arcsin(np.sqrt(np.clip(across, 0, 1))))
