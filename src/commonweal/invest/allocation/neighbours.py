"""Which areas border on which, from their outlines."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from commonweal.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Sequence

    import polars as pl
    from scipy.sparse import csr_array

__all__ = ["bordering", "neighbours"]


def bordering(pairs: Sequence[tuple[int, int]], n_areas: int) -> csr_array:
    """Make the matrix of neighbours of pairs.

    Parameters
    ----------
    pairs
        Positions of two areas that border on each other, each pair once or twice.
    n_areas
        How many areas there are.

    Returns
    -------
    csr_array
        (n_areas, n_areas) symmetric, 1 where two areas border, columns of a row in order.
    """
    from scipy.sparse import csr_array

    at = np.asarray(pairs, dtype=np.intp).reshape(-1, 2)
    at = at[at[:, 0] != at[:, 1]]
    rows, columns = np.r_[at[:, 0], at[:, 1]], np.r_[at[:, 1], at[:, 0]]
    matrix = csr_array((np.ones(len(rows)), (rows, columns)), shape=(n_areas, n_areas))
    matrix.sum_duplicates()
    matrix.data[:] = 1
    return matrix


def neighbours(geometry: pl.Series) -> csr_array:
    """Find which areas share a stretch of border; one that meets another in a point is no neighbour.

    Parameters
    ----------
    geometry
        (n_areas,) outlines as WKB, drawn so that neighbours share their border's points, as those of one
        publisher do; null where there is none, which has no neighbour.

    Returns
    -------
    csr_array
        (n_areas, n_areas) symmetric, 1 where two areas border.

    Raises
    ------
    DataError
        If no area has an outline.
    """
    import shapely

    known = np.flatnonzero(geometry.is_not_null().to_numpy())
    if len(known) == 0:
        raise DataError(
            "no area has an outline; areas are built up from neighbours by their outlines"
        )
    shapes = shapely.from_wkb(geometry.drop_nulls().to_list())
    a, b = shapely.STRtree(shapes).query(shapes, predicate="intersects")
    once = a < b
    a, b = a[once], b[once]
    shared = shapely.intersection(shapes[a], shapes[b])
    # Where outlines overlap a little the shared part is an area, which has a length too.
    along = shapely.length(shared) > 0
    return bordering(np.column_stack([known[a[along]], known[b[along]]]).tolist(), len(geometry))
