"""What is within reach of where people live: the values that every measure works on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from commonweal.errors import DataError

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Nearest", "Reach"]


@dataclass(frozen=True, slots=True)
class Reach:
    """Every pair of an origin and a place no farther apart than a limit, checked once here.

    Attributes
    ----------
    n_origins, n_places
        How many of each there are.
    starts
        (n_origins + 1,) int64: the pairs of origin o are ``starts[o]:starts[o + 1]``.
    place
        (n_pairs,) int32 row of the place.
    distance_m
        (n_pairs,) float64 metres, ascending within an origin.
    limit_m
        No place beyond it is there, and none within it is missing.
    how
        How distances were measured, in words: ``along streets``, ``straight line x 1.3``.

    Raises
    ------
    DataError
        If the parts do not fit together.
    """

    n_origins: int
    n_places: int
    starts: NDArray[np.int64]
    place: NDArray[np.int32]
    distance_m: NDArray[np.float64]
    limit_m: float
    how: str

    def __post_init__(self) -> None:
        n_pairs = len(self.place)
        if not self.limit_m > 0:
            raise DataError(f"limit {self.limit_m:g} m; expected more than 0")
        if (
            self.starts.shape != (self.n_origins + 1,)
            or self.starts[0] != 0
            or self.starts[-1] != n_pairs
            or (np.diff(self.starts) < 0).any()
        ):
            raise DataError(
                f"starts do not divide {n_pairs:,} pairs among {self.n_origins:,} origins"
            )
        if self.distance_m.shape != (n_pairs,):
            raise DataError(f"{len(self.distance_m):,} distances for {n_pairs:,} pairs")
        if n_pairs == 0:
            return
        if self.place.min() < 0 or self.place.max() >= self.n_places:
            raise DataError(f"a pair names a place that is not one of the {self.n_places:,}")
        if not (self.distance_m.min() >= 0 and self.distance_m.max() <= self.limit_m):
            raise DataError(f"a distance is missing, below 0 or beyond {self.limit_m:g} m")
        falls = np.flatnonzero(np.diff(self.distance_m) < 0) + 1
        if not np.isin(falls, self.starts).all():
            raise DataError("distances do not ascend within an origin")

    def origin(self) -> NDArray[np.int64]:
        """(n_pairs,) row of the origin of each pair."""
        return np.repeat(np.arange(self.n_origins), np.diff(self.starts))


@dataclass(frozen=True, slots=True)
class Nearest:
    """The k nearest places of every origin; what is out of reach is missing, never a number.

    Attributes
    ----------
    place
        (n_origins, k) int32 row of the place; -1 where there is none.
    distance_m
        (n_origins, k) float64 metres, ascending; NaN where there is none.
    how
        How distances were measured, in words.
    """

    place: NDArray[np.int32]
    distance_m: NDArray[np.float64]
    how: str
