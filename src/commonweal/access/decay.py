"""How much less a place counts the farther it is: weights by distance, 1 at no distance.

No decay is right for every place and person. A study states the one it uses, and should vary it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Protocol

import numpy as np

from commonweal.errors import DataError

if TYPE_CHECKING:
    from numpy.typing import NDArray


class Decay(Protocol):
    """A weight by distance: 1 at 0 metres, never rising, never below 0."""

    def __call__(self, distance_m: NDArray[np.float64]) -> NDArray[np.float64]:
        """Give the weight at each distance in metres."""
        ...


@dataclass(frozen=True, slots=True)
class Exponential:
    """Decay ``exp(-d / scale_m)``: every further metre takes off the same share.

    Attributes
    ----------
    scale_m
        Metres at which the weight is 1/e (0.37), above 0.

    Notes
    -----
    Source: M.-P. Kwan (1998), Space-time and integral measures of individual accessibility,
    Geographical Analysis 30(3), 191-216.

    Examples
    --------
    >>> Exponential.half_at(400)(np.array([0.0, 400.0, 800.0])).round(6)
    array([1.  , 0.5 , 0.25])
    """

    scale_m: float

    def __post_init__(self) -> None:
        _above_0("scale", self.scale_m)

    @classmethod
    def half_at(cls, distance_m: float) -> Exponential:
        """Give the decay of which the weight is 1/2 at so many metres."""
        _above_0("half at", distance_m)
        return cls(distance_m / math.log(2))

    def __call__(self, distance_m: NDArray[np.float64]) -> NDArray[np.float64]:
        """Give the weight at each distance in metres."""
        return np.exp(-distance_m / self.scale_m)


@dataclass(frozen=True, slots=True)
class Gaussian:
    """Decay ``exp(-(d / width_m)^2 / 2)``: slow at first, then fast.

    Attributes
    ----------
    width_m
        Metres at which the weight is exp(-1/2) (0.61), above 0.

    Notes
    -----
    Source: Kwan (1998), as `Exponential`, with v = 2 width_m^2.

    Examples
    --------
    >>> Gaussian.half_at(400)(np.array([0.0, 400.0, 800.0])).round(6)
    array([1.    , 0.5   , 0.0625])
    """

    width_m: float

    def __post_init__(self) -> None:
        _above_0("width", self.width_m)

    @classmethod
    def half_at(cls, distance_m: float) -> Gaussian:
        """Give the decay of which the weight is 1/2 at so many metres."""
        _above_0("half at", distance_m)
        return cls(distance_m / math.sqrt(2 * math.log(2)))

    def __call__(self, distance_m: NDArray[np.float64]) -> NDArray[np.float64]:
        """Give the weight at each distance in metres."""
        return np.exp(-((distance_m / self.width_m) ** 2) / 2)


@dataclass(frozen=True, slots=True)
class GaussianWithin:
    """Decay ``(exp(-(d / limit_m)^2 / 2) - exp(-1/2)) / (1 - exp(-1/2))``, and 0 beyond the limit.

    A Gaussian that ends at 0, so that a place a metre within the limit counts next to nothing
    and not all of a sudden 0.61.

    Attributes
    ----------
    limit_m
        Metres at which the weight comes to 0, above 0.

    Notes
    -----
    Source: D. Dai (2010), Black residential segregation, disparities in spatial access to health
    care facilities, and late-stage breast cancer diagnosis in metropolitan Detroit, Health & Place
    16(5), 1038-1052.

    Examples
    --------
    >>> GaussianWithin(1600)(np.array([0.0, 800.0, 1600.0, 2000.0])).round(6)
    array([1.      , 0.701367, 0.      , 0.      ])
    """

    limit_m: float

    def __post_init__(self) -> None:
        _above_0("limit", self.limit_m)

    @classmethod
    def half_at(cls, distance_m: float) -> GaussianWithin:
        """Give the decay of which the weight is 1/2 at so many metres; it ends at 1.5 times that."""
        _above_0("half at", distance_m)
        return cls(distance_m / math.sqrt(-2 * math.log((1 + math.exp(-0.5)) / 2)))

    def __call__(self, distance_m: NDArray[np.float64]) -> NDArray[np.float64]:
        """Give the weight at each distance in metres."""
        end = math.exp(-0.5)
        falling = (np.exp(-((distance_m / self.limit_m) ** 2) / 2) - end) / (1 - end)
        return np.maximum(falling, 0.0)


@dataclass(frozen=True, slots=True)
class Steps:
    """Decay in bands: one weight up to each distance, it included; 0 beyond the last.

    Attributes
    ----------
    upto_m
        (n_bands,) metres, ascending, above 0.
    weights
        (n_bands,) from 1 down, at least 0. Luo and Qi used 1, 0.68, 0.22 and, to fall faster,
        1, 0.42, 0.09 for thirds of their catchment.

    Notes
    -----
    Source: W. Luo and Y. Qi (2009), An enhanced two-step floating catchment area (E2SFCA) method for
    measuring spatial accessibility to primary care physicians, Health & Place 15(4), 1100-1107.

    Examples
    --------
    >>> Steps((800, 1200, 1600), (1, 0.68, 0.22))(np.array([0.0, 800.0, 801.0, 1600.0, 1601.0]))
    array([1.  , 1.  , 0.68, 0.22, 0.  ])
    """

    upto_m: tuple[float, ...]
    weights: tuple[float, ...]

    def __post_init__(self) -> None:
        if len(self.upto_m) != len(self.weights) or not self.upto_m:
            raise DataError(
                f"{len(self.upto_m)} distances and {len(self.weights)} weights; "
                "expected one weight for each distance, and at least one"
            )
        _above_0("distance", self.upto_m[0])
        for nearer, farther in pairwise(self.upto_m):
            if not nearer < farther < math.inf:
                raise DataError(f"{farther:g} m after {nearer:g} m; expected ascending distances")
        for nearer, farther in pairwise((1, *self.weights)):
            if not nearer >= farther >= 0:
                raise DataError(
                    f"weight {farther:g} after {nearer:g}; expected weights from 1 down, at least 0"
                )

    def __call__(self, distance_m: NDArray[np.float64]) -> NDArray[np.float64]:
        """Give the weight at each distance in metres."""
        return np.array([*self.weights, 0.0])[np.searchsorted(self.upto_m, distance_m)]


@dataclass(frozen=True, slots=True)
class Power:
    """Decay ``(max(d, floor_m) / floor_m)^-exponent``: fast at first, then slow.

    Attributes
    ----------
    exponent
        Above 0; 1 and 2 are common.
    floor_m
        Metres, above 0, up to which a place counts in full. Without it what is next door would
        count without end: the floor is as much of a choice as the exponent.

    Notes
    -----
    Source: Hansen (1959), as `commonweal.access.decayed_count`; Kwan (1998), as `Exponential`.

    Examples
    --------
    >>> Power(2, floor_m=100)(np.array([0.0, 100.0, 200.0, 400.0]))
    array([1.    , 1.    , 0.25  , 0.0625])
    """

    exponent: float
    floor_m: float

    def __post_init__(self) -> None:
        _above_0("exponent", self.exponent, "")
        _above_0("floor", self.floor_m)

    @classmethod
    def half_at(cls, distance_m: float, floor_m: float) -> Power:
        """Give the decay of which the weight is 1/2 at so many metres, more than the floor."""
        _above_0("floor", floor_m)
        if not floor_m < distance_m < math.inf:
            raise DataError(
                f"half at {distance_m:g} m; expected more than the floor, {floor_m:g} m"
            )
        return cls(math.log(2) / math.log(distance_m / floor_m), floor_m)

    def __call__(self, distance_m: NDArray[np.float64]) -> NDArray[np.float64]:
        """Give the weight at each distance in metres."""
        return (np.maximum(distance_m, self.floor_m) / self.floor_m) ** -self.exponent


def _above_0(what: str, value: float, unit: str = " m") -> None:
    if not 0 < value < math.inf:
        raise DataError(f"{what} {value:g}{unit}; expected a number above 0")
