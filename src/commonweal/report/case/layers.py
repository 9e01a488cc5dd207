"""A case as layers for mapping programs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from commonweal.report.case.tables import by_place
from commonweal.report.study.geopackage import polygons, still, write_layer

if TYPE_CHECKING:
    from pathlib import Path

    from commonweal.invest.case.model import Case

__all__ = ["write_places"]


def write_places(case: Case, path: Path) -> None:
    """Write the places, with what each gets, and the proposed sites as a GeoPackage.

    Places without a known boundary are in a layer of their own, as points.

    Parameters
    ----------
    case
        The case.
    path
        The file to write; it must not exist.
    """
    import shapely

    frame = by_place(case).rename(
        {
            "Code": "code", "Place": "name", "People": "people", "Rank": "rank", "What is done": "done",
            "Cost (£)": "cost_gbp", "Need met": "need_met", "Authority": "authority", "Share of draws": "probability",
        },
        strict=False,
    )  # fmt: skip
    joined = frame.select("code").join(
        case.worked.shapes, on="code", how="left", maintain_order="left"
    )
    shapes = polygons(joined["geometry"])
    known = np.array([s is not None for s in shapes], dtype=bool)
    if known.any():
        write_layer(path, "places", "MultiPolygon", shapes, frame, known)
    table = case.worked.allocation.areas.table[case.rows.tolist()]
    spots = shapely.points(
        *(table[c].cast(float).fill_null(np.nan) for c in ("longitude", "latitude"))
    )
    alone = ~known & ~np.isnan(shapely.get_x(spots))
    if alone.any():
        wkb = np.asarray(shapely.to_wkb(spots), dtype=object)
        write_layer(path, "place_points", "Point", wkb, frame, alone)
    sites = None if case.sited is None else case.sited.sites
    if sites is not None and len(sites):
        points = shapely.to_wkb(shapely.points(sites["longitude"], sites["latitude"]))
        fields = sites.select("id", "name", people_nearest="nearest", people_newly="newly")
        write_layer(
            path,
            "sites",
            "Point",
            np.asarray(points, dtype=object),
            fields,
            np.ones(len(sites), bool),
        )
    if path.exists():
        still(path)
