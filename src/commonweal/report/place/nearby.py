"""The nearest places, from point to point on the sphere."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from commonweal.access import EARTH_RADIUS_M

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from commonweal.areas import Areas

__all__ = ["Nearby"]


class Nearby:
    """Finds the places nearest to one."""

    def __init__(self, areas: Areas) -> None:
        from scipy.spatial import KDTree

        lon, lat = (
            np.radians(areas.table[c].cast(float).fill_null(np.nan).to_numpy())
            for c in ("longitude", "latitude")
        )
        self._points = np.column_stack(
            [np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)]
        )
        self._rows = np.flatnonzero(np.isfinite(self._points).all(axis=1))
        self._tree = KDTree(self._points[self._rows]) if len(self._rows) else None

    def __call__(self, row: int, n: int) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
        """Give the rows of the n nearest others and the metres to each, the nearest first."""
        if self._tree is None or not np.isfinite(self._points[row]).all():
            return np.zeros(0, dtype=np.intp), np.zeros(0)
        chord, at = self._tree.query(self._points[row], k=min(n + 1, len(self._rows)))
        chord, rows = np.atleast_1d(chord), self._rows[np.atleast_1d(at)]
        other = rows != row
        metres = 2 * EARTH_RADIUS_M * np.arcsin(np.minimum(chord[other] / 2, 1.0))
        return rows[other][:n], metres[:n]
