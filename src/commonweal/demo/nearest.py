"""Which of some points are nearest to others, on the flat grid."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Ints = NDArray[np.intp]


def nearest(points: Floats, at: Floats) -> tuple[Floats, Ints]:
    """Find the nearest of `points`, (m, 2), to each of `at`, (n, 2).

    Returns
    -------
    distance, index
        (n,) metres, and (n,) which of `points` it is.
    """
    distance, index = nearest_few(points, at, 1)
    return distance[:, 0], index[:, 0]


def nearest_few(points: Floats, at: Floats, k: int) -> tuple[Floats, Ints]:
    """Find the nearest `k` of `points` to each of `at`, nearest first, as two (n, k) arrays."""
    from scipy.spatial import cKDTree

    distance, index = cKDTree(points).query(at, k=np.arange(1, k + 1))
    return np.asarray(distance, dtype=np.float64), np.asarray(index, dtype=np.intp)
