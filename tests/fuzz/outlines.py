"""Outlines of areas, and places at points: GeoJSON, GeoPackages and shapefiles, zipped too."""

from __future__ import annotations

import json
import sqlite3
import tempfile
from contextlib import closing, suppress
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyogrio
import shapely

from commonweal.report.study.charts import draw_map
from commonweal.report.study.geopackage import write_geopackage
from commonweal.sources.catalogue import local_source
from commonweal.sources.readers import read_table
from commonweal.spec.study import load_study
from commonweal.study.run import run
from tests.conftest import areas_csv, recipe
from tests.fuzz.ground import CHECK_ONLY, check_results, store
from tests.fuzz.harness import Fuzzer
from tests.fuzz.mutations import NUMBERS, TEXTS, change_bytes, change_tree, nested, zip_bytes
from tests.fuzz.studies import AREA_ROWS, VALUE_ROWS

if TYPE_CHECKING:
    from random import Random

ODD = (
    1e300, -1e308, 181, 91, float("nan"), float("inf"), 10**400, None, "1", [], [0.0], {}, 1e-320, 500000,
)  # fmt: skip
"""Coordinates that are none, or of no place on Earth."""

NAMES = (
    "EPSG:27700", "urn:ogc:def:crs:EPSG::27700", "x", "EPSG:0", "", None, 3, "urn:ogc:def:crs:OGC:1.3:CRS84",
)  # fmt: skip
SYSTEMS = ("EPSG:27700", "EPSG:3857", "EPSG:4979", "EPSG:5773", "EPSG:7405", "ESRI:54009", None)
"""Of Britain, of maps on the web, with heights, of heights alone, of the whole Earth, and none."""

DRIVERS = {".gpkg": "GPKG", ".shp": "ESRI Shapefile"}


def square(at: int) -> list[list[list[float]]]:
    x, y = 0.01 * (at % 5), 52 + 0.01 * (at // 5)
    return [[[x, y], [x + 0.01, y], [x + 0.01, y + 0.01], [x, y + 0.01], [x, y]]]


def shapes() -> dict[str, Any]:
    features = [
        {"type": "Feature", "properties": {"code": row[0], "n": i},
        "geometry": {"type": "Polygon", "coordinates": square(i)}}
        for i, row in enumerate(AREA_ROWS[1:])
    ]  # fmt: skip
    features[3]["geometry"] = {"type": "MultiPolygon", "coordinates": [square(3), square(40)]}
    return {"type": "FeatureCollection", "features": features}


def write_bounded(rng: Random, folder: Path, file: str, changes: int) -> None:
    """The study of twenty areas whose outlines lie in that file; one in four is run, the others end when it is read."""
    (folder / "areas.csv").write_text(areas_csv(), "utf-8")
    (folder / "indicators.csv").write_text("\n".join(",".join(r) for r in VALUE_ROWS), "utf-8")
    study = {k: v for k, v in recipe().items() if k != "certainty"}
    study["areas"] |= {"boundaries": {"file": file}}
    if changes and rng.random() < 0.05:
        study["access"] = {"points": [{"file": file}], "registers": []}
        study["indicators"]["halls"] = {
            "reach": {"to": "library", "measure": "nearest"},
            "higher_is": "more",
        }
    elif rng.random() < 0.75:
        (folder / CHECK_ONLY).write_text(file, "utf-8")
    (folder / "study.yaml").write_text(json.dumps(study), "utf-8")


def run_bounded(folder: Path) -> bool:
    """Read the outlines, or run the study and draw its map."""
    if (folder / CHECK_ONLY).exists():
        file = folder / (folder / CHECK_ONLY).read_text("utf-8")
        read_table(file, local_source(file))
        return False
    results = run(load_study(folder / "study.yaml"), store(), sensitivity=False)
    check_results(results)
    draw_map(results, "priority")
    write_geopackage(results, folder / "areas.gpkg")
    return True


def write_geojson(rng: Random, folder: Path, changes: int) -> None:
    """The shapes of the twenty places, changed as a tree, in their coordinates or as text."""
    tree, how = shapes(), rng.random()
    if how < 0.3 and changes:
        for _ in range(changes):
            geometry = tree["features"][rng.randrange(20)]["geometry"]
            ring, odd = geometry["coordinates"][0], rng.choice(ODD)
            ring[rng.randrange(len(ring))] = rng.choice(
                ([odd, 52.0], [0.01, odd], [0.01, 52.0, odd], odd, ring[0], nested(300))
            )
    elif how < 0.4 and changes:
        tree["crs"] = {"type": "name", "properties": {"name": rng.choice(NAMES)}}
    elif how < 0.85:
        tree = change_tree(rng, tree, changes)
    written = json.dumps(tree, default=str, skipkeys=True, ensure_ascii=rng.random() < 0.5)
    raw = written.encode("utf-8", "surrogatepass")
    (folder / "shapes.geojson").write_bytes(change_bytes(rng, raw, changes if how >= 0.85 else 0))
    write_bounded(rng, folder, "shapes.geojson", changes)


def layer_files(
    suffix: str, geometry: list[Any], codes: list[Any], crs: str | None = "EPSG:4326"
) -> dict[str, bytes]:
    """The files of a layer, without the moment that they were written."""
    pyogrio.set_gdal_config_options({"OGR_CURRENT_DATE": "2020-01-01T00:00:00.000Z"})
    with tempfile.TemporaryDirectory() as name:
        pyogrio.raw.write(
            Path(name) / f"shapes{suffix}",
            np.array(shapely.to_wkb(geometry), dtype=object),
            [np.array(codes, dtype=object), np.arange(len(codes))],
            fields=["code", "n"],
            geometry_type="Unknown" if suffix == ".gpkg" else "MultiPolygon",
            crs=crs,
            driver=DRIVERS[suffix],
        )
        return {file.name: file.read_bytes() for file in sorted(Path(name).iterdir())}


@cache
def sound_layer(suffix: str) -> tuple[list[Any], list[Any], dict[str, bytes]]:
    features = shapes()["features"]
    geometry = [shapely.geometry.shape(f["geometry"]) for f in features]
    codes = [f["properties"]["code"] for f in features]
    return geometry, codes, layer_files(suffix, geometry, codes)


ODD_SHAPES = [
    None,
    *shapely.from_wkt(
        (
            "POINT (0 52)",
            "POINT EMPTY",
            "POLYGON EMPTY",
            "MULTIPOLYGON EMPTY",
            "LINESTRING (0 52, 1 53)",
            "GEOMETRYCOLLECTION (POINT (0 52), POLYGON ((0 52, 1 52, 1 53, 0 52)))",
            "POLYGON ((0 52, 1 53, 1 52, 0 53, 0 52))",
            "POLYGON ((0 52, 0 52, 0 52, 0 52))",
            "POLYGON Z ((0 52 1, 1 52 1, 1 53 1, 0 52 1))",
            "POLYGON ((-180 -90, 180 -90, 180 90, -180 90, -180 -90))",
            "POLYGON ((0 52, 1 52, 1 53, 0 52), (5 5, 6 5, 6 6, 5 5))",
        )
    ),
]
"""None, empty, of other kinds, that cross themselves, of no size, and of the whole Earth."""


def odd_layer(rng: Random, suffix: str, changes: int) -> dict[str, bytes]:
    """A layer that is written as it should be, of odd shapes, codes or system, or of points alone."""
    geometry, codes, _ = sound_layer(suffix)
    geometry, codes, crs = list(geometry), list(codes), "EPSG:4326"
    for _ in range(changes):
        at, how = rng.randrange(len(codes)), rng.randrange(7)
        if how == 0:
            codes[at] = rng.choice((None, codes[0], *(t for t in TEXTS if "\x00" not in t)))
        elif how == 1:
            crs = rng.choice(SYSTEMS)
        elif how == 2:
            by = float(rng.choice(NUMBERS[:14]))
            geometry[at] = shapely.transform(geometry[at], lambda xy, by=by: xy * by)
        elif how == 3:
            del geometry[at], codes[at]
        elif how == 4:
            geometry = [shapely.centroid(g) if g is not None else None for g in geometry]
        else:
            geometry[at] = rng.choice(ODD_SHAPES)
    if suffix == ".shp":  # takes polygons alone
        polygons = ("Polygon", "MultiPolygon")
        geometry = [g if g is not None and g.geom_type in polygons else None for g in geometry]
    return layer_files(suffix, geometry, codes, crs)


TABLES = ("gpkg_contents", "gpkg_geometry_columns", "gpkg_spatial_ref_sys", "shapes")


def change_database(rng: Random, raw: bytes, changes: int) -> bytes:
    """Change what a GeoPackage says in its tables: the database itself stays whole."""
    with tempfile.TemporaryDirectory() as name:
        file = Path(name) / "shapes.gpkg"
        file.write_bytes(raw)
        with closing(sqlite3.connect(file)) as database, database:
            database.execute("PRAGMA synchronous = OFF")
            triggers = "SELECT name FROM sqlite_master WHERE type = 'trigger'"
            for (trigger,) in database.execute(triggers).fetchall():
                database.execute(f'DROP TRIGGER "{trigger}"')
            for _ in range(changes):
                with suppress(
                    sqlite3.Error
                ):  # a type that the table does not take, or a table that is gone
                    _change_row(rng, database, rng.choice(TABLES))
        return file.read_bytes()


def _change_row(rng: Random, database: sqlite3.Connection, table: str) -> None:
    columns = [row[1] for row in database.execute(f"PRAGMA table_info({table})")]
    rows = [row[0] for row in database.execute(f"SELECT rowid FROM {table}")]
    column, row = rng.choice(columns), rng.choice(rows)
    if rng.random() < 0.1:
        database.execute(f"DROP TABLE {table}")
        return
    asked = f'SELECT "{column}" FROM {table} WHERE rowid = ?'
    (old,) = database.execute(asked, (row,)).fetchone()
    odd: Any = rng.choice((*TEXTS, *NUMBERS[:20], None, b"GP\x00\x01"))
    new = change_bytes(rng, old, 1) if isinstance(old, bytes) and rng.random() < 0.8 else odd
    database.execute(f'UPDATE {table} SET "{column}" = ? WHERE rowid = ?', (new, row))


def write_layer(rng: Random, folder: Path, changes: int, suffix: str) -> None:
    """The outlines as a map file: odd shapes, odd tables of a GeoPackage, changed bytes, a part gone, or in a zip."""
    files, how = dict(sound_layer(suffix)[2]), rng.random() if changes else 1.0
    file = f"shapes{suffix}"
    if how < 0.4:
        files = odd_layer(rng, suffix, changes)
    elif how < 0.7 and suffix == ".gpkg":
        files = {name: change_database(rng, raw, changes) for name, raw in files.items()}
    elif how < 0.5:
        del files[rng.choice(list(files))]
    elif changes:
        name = rng.choice(list(files))
        files[name] = change_bytes(rng, files[name], changes)
    if changes and rng.random() < 0.1:
        files = {rng.choice((file, "shapes.zip")): zip_bytes(files)}
        file = next(iter(files))
    for name, raw in files.items():
        (folder / name).write_bytes(raw)
    write_bounded(rng, folder, file, changes)


def _layer(suffix: str) -> Any:
    return lambda rng, folder, changes: write_layer(rng, folder, changes, suffix)


FUZZERS = [
    Fuzzer("geojson", write_geojson, run_bounded),
    Fuzzer("geopackage", _layer(".gpkg"), run_bounded),
    Fuzzer("shapefile", _layer(".shp"), run_bounded),
]
