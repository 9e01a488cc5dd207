"""Geometry: simple features of R and GeoJSON become well-known binary in WGS 84."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from commonweal.errors import DataError

if TYPE_CHECKING:
    from pathlib import Path

    import numpy as np
    import polars as pl
    from numpy.typing import NDArray

__all__ = ["read_geojson", "wkb_of_sfc"]

WGS84 = 4326


def wkb_of_sfc(column: Any, path: Path) -> tuple[pl.Series, list[str]]:
    """Turn a simple feature column of R into WKB.

    Parameters
    ----------
    column
        The parsed R object of class ``sfc``: polygons, multipolygons or points.
    path
        The file, for messages.

    Returns
    -------
    series : polars.Series
        Binary, named ``geometry``: longitude and latitude in degrees; null where empty.
    notes : list of str
        How many geometries were invalid and repaired, or empty.

    Raises
    ------
    DataError
        If the coordinate system is not said, or the type of geometry is none of those.
    """
    import numpy as np
    import shapely

    from commonweal.sources.rdata_reader import _attributes, _classes, _strings

    stated = _attributes(column).get("crs")
    texts = [t for part in (stated.value if stated is not None else []) for t in _strings(part)]
    system = next((t for t in reversed(texts) if t), "")
    coordinates: list[NDArray[np.float64]] = []
    ring_of: list[int] = []
    polygon_of: list[int] = []
    shape_of: list[int] = []
    rings = polygons = 0
    points: dict[int, Any] = {}
    for number, shape in enumerate(column.value):
        kinds = _classes(shape)
        if "POINT" in kinds:
            points[number] = shapely.Point(np.asarray(shape.value, dtype=float)[:2])
            continue
        if "MULTIPOLYGON" in kinds:
            parts = [part.value for part in shape.value]
        elif "POLYGON" in kinds:
            parts = [shape.value] if shape.value else []
        else:
            raise DataError(
                f"{path}: geometry {number + 1} is a {' '.join(kinds)}, "
                "expected a point, polygon or multipolygon"
            )
        for part in parts:
            for ring in part:
                # R keeps a matrix by column: all longitudes, then all latitudes.
                xy = np.asarray(ring.value, dtype=np.float64).reshape(-1, _ncol(ring), order="F")
                coordinates.append(xy[:, :2])
                ring_of.append(len(xy))
                polygon_of.append(polygons)
                rings += 1
            shape_of.append(number)
            polygons += 1
    geometry = np.full(len(column.value), None, dtype=object)
    if coordinates:
        linear = shapely.linearrings(
            np.concatenate(coordinates), indices=np.repeat(np.arange(rings), ring_of)
        )
        whole = shapely.polygons(linear, indices=np.array(polygon_of))
        which = np.array(shape_of)
        filled = np.unique(which)
        geometry[filled] = shapely.multipolygons(whole, indices=np.searchsorted(filled, which))
    for number, point in points.items():
        geometry[number] = point
    return _finish(_to_wgs84(geometry, system, path))


def read_geojson(path: Path) -> tuple[pl.DataFrame, list[str]]:
    """Read a GeoJSON feature collection: its properties as columns, and ``geometry`` as WKB.

    Parameters
    ----------
    path
        The file. Coordinates are WGS 84, as RFC 7946 has it.

    Returns
    -------
    table : polars.DataFrame
        A row per feature.
    notes : list of str
        Repairs to geometry, counted.

    Raises
    ------
    DataError
        If it is no feature collection, or has no features.
    """
    import numpy as np
    import polars as pl
    import shapely

    try:
        content = json.loads(path.read_text(encoding="utf-8-sig"))
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise DataError(f"{path}: not JSON, or cut short ({error})") from None
    features = content.get("features") if isinstance(content, dict) else None
    if not isinstance(features, list) or not features:
        raise DataError(f"{path}: expected a GeoJSON feature collection with features")
    try:
        properties = [feature.get("properties") or {} for feature in features]
        shapes = [feature["geometry"] for feature in features]
        texts = [None if shape is None else json.dumps(shape) for shape in shapes]
        geometry = shapely.from_geojson(np.array(texts, dtype=object))
    except (AttributeError, KeyError, TypeError, shapely.errors.GEOSException) as error:
        raise DataError(f"{path}: a feature is not GeoJSON ({error})") from None
    table = pl.DataFrame(properties, infer_schema_length=None)
    series, notes = _finish(geometry)
    return table.with_columns(series), notes


def _ncol(ring: Any) -> int:
    from commonweal.sources.rdata_reader import _attributes

    return int(_attributes(ring)["dim"].value[1])


def _to_wgs84(geometry: NDArray[np.object_], system: str, path: Path) -> NDArray[np.object_]:
    """Bring geometry to WGS 84 from the coordinate system that the file states."""
    import numpy as np
    import pyproj
    import shapely

    if not system:
        raise DataError(f"{path}: the geometry says no coordinate system; expected WGS 84")
    try:
        crs = pyproj.CRS.from_user_input(system)
    except pyproj.exceptions.CRSError:
        raise DataError(f"{path}: coordinate system not understood: {system[:80]}") from None
    if crs.to_epsg() == WGS84:
        return geometry
    change = pyproj.Transformer.from_crs(crs, WGS84, always_xy=True)
    moved: NDArray[np.object_] = shapely.transform(
        geometry, lambda xy: np.column_stack(change.transform(xy[:, 0], xy[:, 1]))
    )
    return moved


def _polygonal(geometry: Any) -> Any:
    """Keep the areas of a repaired geometry: a repair may leave loose lines and points."""
    import shapely

    if geometry.geom_type != "GeometryCollection":
        return geometry
    areas = [part for part in geometry.geoms if part.geom_type in {"Polygon", "MultiPolygon"}]
    return shapely.union_all(areas) if areas else geometry


def _finish(geometry: NDArray[np.object_]) -> tuple[pl.Series, list[str]]:
    """Repair what is invalid, leave out what is empty, and write WKB."""
    import polars as pl
    import shapely

    notes: list[str] = []
    geometry = geometry.copy()
    empty = shapely.is_missing(geometry) | shapely.is_empty(geometry)
    geometry[empty] = None
    if empty.any():
        notes.append(f"{int(empty.sum())} empty geometries are missing")
    invalid = ~empty & ~shapely.is_valid(geometry)
    if invalid.any():
        repaired = shapely.make_valid(geometry[invalid])
        geometry[invalid] = [_polygonal(shape) for shape in repaired]
        notes.append(f"{int(invalid.sum())} invalid geometries were repaired")
    return pl.Series("geometry", shapely.to_wkb(geometry).tolist(), dtype=pl.Binary), notes
