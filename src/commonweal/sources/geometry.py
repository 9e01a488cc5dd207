"""Geometry: shapefiles, GeoPackages and GeoJSON become well-known binary in WGS 84."""

from __future__ import annotations

import json
import shutil
import tempfile
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from commonweal.errors import DataError, UnknownNameError
from commonweal.files.atomic import known_sha256
from commonweal.sources.sandbox import explain_damage, reason_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import numpy as np
    import polars as pl
    from numpy.typing import NDArray


WGS84 = "EPSG:4326"

EARTH = (180.0, 90.0)
"""The greatest longitude and latitude, in degrees; the least are their negatives."""


def read_geojson(path: Path) -> tuple[pl.DataFrame, list[str]]:
    """Read a GeoJSON feature collection: its properties as columns, and ``geometry`` as WKB."""
    import numpy as np
    import polars as pl
    import shapely

    with explain_damage(path, "not JSON, or cut short"):
        content = json.loads(path.read_text(encoding="utf-8-sig"))
    features = content.get("features") if isinstance(content, dict) else None
    if not isinstance(features, list) or not features:
        raise DataError(f"{path}: expected a GeoJSON feature collection with features")
    shapes, rows = np.empty(len(features), dtype=object), []
    for number, feature in enumerate(features, 1):
        where = f"{path}: feature {number} is not GeoJSON"
        found = feature.get("properties") or {} if isinstance(feature, dict) else None
        if not isinstance(found, dict):
            raise DataError(f"{where}; expected keys, with 'properties' that are keys with values")
        if "geometry" not in feature:
            raise DataError(f"{where}; expected a 'geometry'")
        with explain_damage(where, "a geometry that cannot be read"):
            shape = feature["geometry"]
            shapes[number - 1] = None if shape is None else shapely.from_geojson(json.dumps(shape))
        rows.append({key: _flat(value) for key, value in found.items()})
    with explain_damage(path, "properties that make no table"):
        table = pl.DataFrame(rows, infer_schema_length=None)
    series, notes = finish(to_wgs84(shapes, _declared(content, path), path), path)
    return table.with_columns(series), notes


def read_wkb(
    column: pl.Series, about: Mapping[str, str], path: Path
) -> tuple[pl.Series, list[str]]:
    """Bring well-known binary of a Parquet file to WGS 84."""
    import numpy as np
    import shapely

    with explain_damage(path, "column 'geometry' is not well-known binary"):
        shapes = shapely.from_wkb(np.array(column.to_list(), dtype=object))
    with explain_damage(path, "its metadata 'geo' are not understood"):
        geometry = json.loads(about.get("geo", "{}")).get("columns", {}).get("geometry", {})
        stated = geometry.get("crs") or WGS84
        system = json.dumps(stated) if isinstance(stated, dict) else str(stated)
    return finish(to_wgs84(shapes, system, path), path)


def _flat(value: Any) -> Any:
    """Give a property as a table can hold it: lists and keys as their text."""
    return json.dumps(value, ensure_ascii=False) if isinstance(value, list | dict) else value


def _declared(content: Mapping[str, Any], path: Path) -> str:
    """Give the coordinate system that a GeoJSON file declares; WGS 84 where it declares none."""
    stated = content.get("crs")
    if stated is None:
        return WGS84
    about = stated.get("properties") if isinstance(stated, dict) else None
    about = about if isinstance(about, dict) else {}
    name = about.get("name") or (about.get("code") and f"EPSG:{about['code']}")
    if not isinstance(name, str):
        raise DataError(
            f"{path}: the 'crs' {json.dumps(stated)[:80]} is not understood; expected a name such as EPSG:27700"
        )
    return name


def to_wgs84(geometry: NDArray[np.object_], system: str, path: Path) -> NDArray[np.object_]:
    """Bring geometry to WGS 84 from the coordinate system that a file states."""
    import numpy as np
    import pyproj
    import shapely

    if not system:
        raise DataError(f"{path}: the geometry says no coordinate system; expected WGS 84")
    try:
        crs = pyproj.CRS.from_user_input(system)
        if crs.to_epsg() == 4326:
            return geometry
        change = pyproj.Transformer.from_crs(crs, WGS84, always_xy=True)
    except (pyproj.exceptions.ProjError, UnicodeError, ValueError) as error:
        raise DataError(
            f"{path}: coordinate system not understood: {system[:80]} ({reason_of(error)})"
        ) from None
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


def finish(geometry: NDArray[np.object_], path: Path) -> tuple[pl.Series, list[str]]:
    """Repair what is invalid, leave out what is empty, and write WKB."""
    import polars as pl
    import shapely

    _check_on_earth(geometry, path)
    notes: list[str] = []
    geometry = geometry.copy()
    empty = shapely.is_missing(geometry) | shapely.is_empty(geometry)
    geometry[empty] = None
    if empty.any():
        notes.append(f"{int(empty.sum())} empty geometries are missing")
    with explain_damage(path, "a geometry that cannot be repaired"):
        invalid = ~empty & ~shapely.is_valid(geometry)
        if invalid.any():
            repaired = shapely.make_valid(geometry[invalid])
            geometry[invalid] = [_polygonal(shape) for shape in repaired]
            notes.append(f"{int(invalid.sum())} invalid geometries were repaired")
        return pl.Series("geometry", shapely.to_wkb(geometry).tolist(), dtype=pl.Binary), notes


def _check_on_earth(geometry: NDArray[np.object_], path: Path) -> None:
    import numpy as np
    import shapely

    points, shape = shapely.get_coordinates(geometry, return_index=True)
    wrong = ~(np.abs(points) <= EARTH).all(axis=1)  # NaN is wrong, too
    if wrong.any():
        first = int(np.argmax(wrong))
        x, y = points[first]
        raise DataError(
            f"{path}: shape {shape[first] + 1} has a point at longitude {x:.6g}, latitude {y:.6g}; expected "
            f"-180 to 180 and -90 to 90, or a 'crs' that says in which other system they are"
        )


NO_MAP = "not a shapefile or GeoPackage that can be read"

PARTS = (".dbf", ".prj", ".shx", ".cpg")
"""Files beside a shapefile that are read with it."""

JOURNAL = "-wal"
"""Ends the name of the file beside a GeoPackage that holds what was saved last, while a program has it open."""


def read_vector(path: Path, layer: str | None = None) -> tuple[pl.DataFrame, list[str]]:
    """Read a layer."""
    import polars as pl
    import pyogrio
    import shapely

    from commonweal.sources.columns import plain

    if path.suffix.lower() == ".shp" and not path.with_suffix(".dbf").is_file():
        raise DataError(f"{path}: its .dbf, which has the codes, is not beside it")
    with explain_damage(path, NO_MAP), _aside(path) as file:
        layers = [str(name) for name, kind in pyogrio.list_layers(file) if kind is not None]
        if layer is None and len(layers) != 1:
            raise DataError(
                f"{path}: has {len(layers)} layers with shapes ({', '.join(layers)}); name one with 'layer'"
            )
        if layer is not None and layer not in layers:
            raise UnknownNameError("layer", layer, layers, f" in {path}")
        about, _, shapes, columns = pyogrio.raw.read(file, layer=layer or layers[0])
        fields = [
            plain(pl.Series(str(name), values.tolist(), strict=False))
            for name, values in zip(about["fields"], columns, strict=True)
        ]
        geometry = shapely.from_wkb(shapes)
    if not about["crs"]:
        raise DataError(
            f"{path}: states no coordinate system"
            + (" (its .prj is not beside it)" if path.suffix.lower() == ".shp" else "")
            + "; expected one, so that its outlines can be brought to longitude and latitude"
        )
    series, notes = finish(to_wgs84(geometry, about["crs"], path), path)
    notes += [f"{name} sha256 {digest}" for name, digest in parts_of(path).items()]
    return pl.DataFrame([*fields, series]), notes


def parts_of(path: Path) -> dict[str, str]:
    """Give the SHA-256 of each part beside a shapefile or a GeoPackage by its name; none of another file."""
    ends = PARTS if path.suffix.lower() == ".shp" else ()
    beside = [*(path.with_suffix(end) for end in ends), *_journal(path)]
    found = {}
    for part in beside:
        with suppress(FileNotFoundError):  # another program may take it away
            found[part.name] = known_sha256(part)
    return found


def _journal(path: Path) -> list[Path]:
    """Give the file of what was saved last in a GeoPackage, where it holds anything."""
    journal = path.with_name(path.name + JOURNAL)
    with suppress(FileNotFoundError):
        if path.suffix.lower() == ".gpkg" and journal.stat().st_size > 0:
            return [journal]
    return []


@contextmanager
def _aside(path: Path) -> Iterator[Path]:
    """Copy a GeoPackage with what was saved last: its reader would write that into the user's own file."""
    if not (journal := _journal(path)):
        yield path
        return
    with tempfile.TemporaryDirectory() as folder:
        for part in (path, *journal):
            shutil.copyfile(part, Path(folder, part.name))
        yield Path(folder, path.name)
