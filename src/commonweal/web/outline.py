"""What orients on the map: outlines of authorities and names of places, as GeoJSON."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from commonweal.report.study.larger import tiers
from commonweal.web.formats import as_json

if TYPE_CHECKING:
    from collections.abc import Iterator

    from commonweal.study.results import Results

__all__ = ["outline_of"]

_SLACK_DEGREES = 0.001


def outline_of(results: Results) -> bytes:
    """Give outlines as lines and, for every kind of larger area, names as points.

    Returns
    -------
    bytes
        GeoJSON. A name has ``name``, ``tier`` (0 = the smallest kind) and ``people``.
    """
    return as_json({"type": "FeatureCollection", "features": [*_lines(results), *_names(results)]})


def _lines(results: Results) -> Iterator[dict[str, Any]]:
    import shapely

    shapes = shapely.from_wkb(results.outline["geometry"].drop_nulls().to_list())
    for shape in shapely.simplify(shapes, _SLACK_DEGREES):
        parts = [
            np.round(shapely.get_coordinates(ring), 4).tolist()
            for ring in shapely.get_rings(shapely.get_parts(shape))
        ]
        if parts:
            yield _feature({"type": "MultiLineString", "coordinates": parts}, {"kind": "outline"})


def _names(results: Results) -> Iterator[dict[str, Any]]:
    table = results.areas.table
    lon, lat = (
        table[c].cast(float).fill_null(np.nan).to_numpy() for c in ("longitude", "latitude")
    )
    people = np.nan_to_num(results.areas.population, nan=1.0)
    for number, tier in enumerate(tiers(results)):
        names = np.array(table[f"{tier.key}_name"].fill_null("").to_list())
        for name in sorted(set(names.tolist()) - {""}):
            at = (names == name) & np.isfinite(lon)
            if not at.any():
                continue
            weight = np.maximum(people[at], 1.0)
            middle = [round(float(np.average(v[at], weights=weight)), 4) for v in (lon, lat)]
            told = {"kind": "name", "name": name, "tier": number, "people": int(people[at].sum())}
            yield _feature({"type": "Point", "coordinates": middle}, told)


def _feature(geometry: dict[str, Any], properties: dict[str, Any]) -> dict[str, Any]:
    return {"type": "Feature", "geometry": geometry, "properties": properties}
