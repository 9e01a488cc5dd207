"""How much of one area lies in another."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["area_shares"]


def area_shares(
    origin: pl.DataFrame, destination: pl.DataFrame, crs: str | None = "EPSG:27700"
) -> pl.DataFrame:
    """Measure how much of each area lies in each area of another set.

    Parameters
    ----------
    origin, destination
        ``code`` and ``geometry`` (WKB, longitude and latitude), as `areas.boundaries` gives them;
        areas without geometry are left out. Several rows of one code are parts of one area.
    crs
        The plane on which area is measured: by default the British National Grid, whose scale
        varies by less than 0.1 % over England and hardly within a neighbourhood. None takes the
        coordinates as they are.

    Returns
    -------
    polars.DataFrame
        ``origin``, ``destination``, ``share`` (of the origin's area, above 0), sorted. Shares add
        up to less than 1 where the destinations leave a gap.
    """
    import shapely

    codes, shapes = _shapes(origin, crs)
    other_codes, other_shapes = _shapes(destination, crs)
    here, there = shapely.STRtree(other_shapes).query(shapes, predicate="intersects")
    size = shapely.area(shapes)
    inside = shapely.area(shapely.intersection(shapes[here], other_shapes[there]))
    pairs = pl.DataFrame(
        {
            "origin": codes.gather(here),
            "destination": other_codes.gather(there),
            "share": inside / np.where(size[here] > 0, size[here], 1.0),
        }
    )
    return pairs.filter(pl.col("share") > 0).sort("origin", "destination")


def _shapes(table: pl.DataFrame, crs: str | None) -> tuple[pl.Series, NDArray[np.object_]]:
    """Read WKB as one shape a code, on the plane."""
    import shapely
    from pyproj import Transformer

    # Pieces in one order, so that their union is the same to the last bit on any machine.
    table = table.drop_nulls("geometry").sort("code", "geometry")
    shapes = np.asarray(shapely.from_wkb(table["geometry"].to_numpy()), dtype=object)
    if crs is not None:
        project = Transformer.from_crs("EPSG:4326", crs, always_xy=True).transform
        shapes = shapely.transform(shapes, lambda xy: np.column_stack(project(xy[:, 0], xy[:, 1])))
    codes = table["code"]
    if codes.n_unique() == len(codes):
        return codes, shapes
    first = np.flatnonzero((codes != codes.shift()).fill_null(True).to_numpy())
    ends = [*first[1:], len(shapes)]
    whole = [shapely.union_all(shapes[a:b]) for a, b in zip(first, ends, strict=True)]
    return codes.gather(first), np.array(whole, dtype=object)
