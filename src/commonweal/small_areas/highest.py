"""The highest point of a likelihood over one number that is not below 0."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.optimize import brentq

if TYPE_CHECKING:
    from collections.abc import Callable

GRID = 60  # places looked at before the climb: such a likelihood can have two tops


def highest(
    height: Callable[[float], float], slope: Callable[[float], float], low: float, high: float
) -> float:
    """Find the top on a grid from 0 and `low` to `high`, then where its slope is 0; 0 if it only falls."""
    grid = [0.0, *np.geomspace(low, high, GRID).tolist()]
    best = int(np.argmax([height(value) for value in grid]))
    rising = slope(grid[best]) > 0
    if best == 0 and not rising:
        return 0.0
    left, right = grid[best - (not rising)], grid[min(best + rising, GRID)]
    while slope(right) > 0:
        right *= 2
    if slope(left) <= 0:  # flat to the last digit
        return left
    return float(brentq(slope, left, right, xtol=1e-15 * right, rtol=1e-14))
