"""The results as a GeoPackage, which QGIS and other mapping programs open."""

from __future__ import annotations

import re
import struct
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from commonweal.report.study.larger_areas import tiers
from commonweal.report.study.tables import domain_paths, extras, label_of, margin, share_of_draws

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from commonweal.areas import Areas
    from commonweal.designation import Designation
    from commonweal.study.results import Results


_POLYGON, _MULTIPOLYGON = 3, 6
_FIELDS = 1990
"""SQLite takes 2,000 columns, unless it was built for more; two are the file's own."""
_POINT = np.dtype([("order", "u1"), ("type", "<u4"), ("x", "<f8"), ("y", "<f8")])


def write_geopackage(results: Results, path: Path) -> str:
    """Write the layer ``areas``, and ``area_points`` where only some areas have a boundary."""
    here = pl.Series(results.focus)
    fields, shapes = map_fields(results).filter(here), results.boundaries.filter(here)
    return write_layers(path, fields, shapes["geometry"], results.areas_in_focus)


def write_layers(path: Path, fields: pl.DataFrame, geometry: pl.Series, areas: Areas) -> str:
    """Write numbers of areas as `write_geopackage` does."""
    shapes = polygons(geometry)
    with_shape = np.array([s is not None for s in shapes], dtype=bool)
    points, with_point = _points(areas.table)
    n, plural = len(areas), areas.plural
    n_shapes, n_points = int(with_shape.sum()), int(with_point.sum())
    if not n_shapes and not n_points:
        return (
            f"Not written: neither boundaries nor longitude and latitude of the {plural} are known."
        )
    if not n_shapes:
        write_layer(path, "areas", "Point", points, fields, with_point)
        fix_timestamp(path)
        return (
            f"One layer, areas: {n_points:,} of {n:,} {plural} as points (no boundaries are known)."
        )
    write_layer(path, "areas", "MultiPolygon", shapes, fields, with_shape)
    alone = n_shapes == n or not n_points
    if not alone:
        write_layer(path, "area_points", "Point", points, fields, with_point)
    fix_timestamp(path)
    if alone:
        return f"One layer, areas: the boundaries of {n_shapes:,} of {n:,} {plural}."
    return (
        f"Two layers. areas: the boundaries of the {n_shapes:,} of {n:,} {plural} whose boundary is "
        f"known; area_points: {n_points:,} {plural} as points."
    )


def write_layer(
    path: Path,
    name: str,
    kind: str,
    geometry: NDArray[np.object_],
    fields: pl.DataFrame,
    which: NDArray[np.bool_],
) -> None:
    """Write a layer (WKB, WGS 84) with its fields, for the rows asked for, into a file that may have others."""
    import pyogrio.raw

    kept = fields.filter(which)
    data, masks = [], []
    for column in kept.iter_columns():
        masks.append(column.is_null().to_numpy() if column.null_count() else None)
        data.append(_plain(column))
    pyogrio.raw.write(
        path,
        geometry[which],
        data,
        kept.columns,
        field_mask=masks,
        layer=name,
        driver="GPKG",
        geometry_type=kind,
        crs="EPSG:4326",
        append=path.exists(),
    )


def fix_timestamp(path: Path) -> None:
    """Set the stamp of the time of writing to a fixed one: the same results give the same file.

    GDAL has an option for it, but one for the whole process, which other threads may be using.
    """
    import sqlite3
    from contextlib import closing

    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE gpkg_contents SET last_change = '1980-01-01T00:00:00.000Z'")


def _plain(column: pl.Series) -> NDArray[Any]:
    """Give a column as an array of the kinds that GDAL knows."""
    if column.dtype == pl.String:
        return np.array(column.to_list(), dtype=object)
    if column.dtype == pl.Boolean:
        return column.fill_null(value=False).to_numpy().astype(bool)
    if column.dtype.is_integer():
        return column.fill_null(0).cast(pl.Int32).to_numpy()
    return column.fill_null(float("nan")).to_numpy()


def _answer(results: Results, name: str, d: Designation, start: str) -> list[pl.Series]:
    """Give what one designation says of every area: the state, margins and how often it holds."""
    state = np.select(
        [d.selected, d.near_miss], [label_of(results, name), "near miss"], "not selected"
    )
    columns = [
        pl.Series(f"{start}selected", d.selected),
        pl.Series(f"{start}near_miss", d.near_miss),
        pl.Series(f"{start}just_inside", d.just_inside),
        pl.Series(f"{start}state", state.tolist()),
        _whole(f"{start}margin", margin(d)),
    ]
    for i, t in enumerate(d.tested, start=1):
        index = t.condition.index.replace(".", "_")
        again = (
            "" if sum(o.condition.index == t.condition.index for o in d.tested) == 1 else f"_{i}"
        )
        columns.append(_whole(f"{start}{index}{again}_margin", t.places))
    p = share_of_draws(results, name)
    if p is not None:
        columns.append(pl.Series(f"{start}share_of_draws", p))
        columns.append(
            pl.Series(f"{start}certainty", results.certainty[name].overall).fill_nan(None)
        )
    return columns


def map_fields(results: Results) -> pl.DataFrame:
    """Give what a map is coloured by, one row an area, under names without dots or spaces."""
    table = results.areas.table
    columns = [table["code"], table["name"]]
    coded = {t.key for t in tiers(results)}
    for parent in results.areas.parents:
        columns += [table[parent]] if parent in coded else []
        columns.append(table[f"{parent}_name"])
    columns.append(table["population"])
    for index, scores in results.scores.items():
        frame = pl.DataFrame({"code": results.areas.codes}).join(
            scores.to_frame(), on="code", how="left", maintain_order="left"
        )
        columns += [
            frame[f"{index}.{k}"].alias(f"{index}_{k}") for k in ("score", "rank", "decile")
        ]
        columns += [
            frame[f"{path.replace('/', '.')}.rank"].alias(f"{path}_rank".replace("/", "_"))
            for path in domain_paths(scores)
        ]
        if index in results.trends:
            columns.append(
                pl.Series(f"{index}_change", results.trends[index].change).fill_nan(None)
            )
    alone = len(results.designations) == 1
    for name, d in results.designations.items():
        columns += _answer(results, name, d, "" if alone else f"{name}_")
    values = _indicators(results)
    read = {column.name for column in values}
    for one in extras(results):
        if one.about.name not in read:
            columns.append(pl.Series(one.about.name, one.value, dtype=pl.Float64).fill_nan(None))
        columns.append(_whole(f"{one.about.name}_rank", one.rank))
    return pl.DataFrame(_apart([*columns, *(values if len(columns + values) < _FIELDS else [])]))


def _indicators(results: Results) -> list[pl.Series]:
    """Give the value of every indicator that was measured on the areas of the map, each once."""
    found: dict[str, pl.Series] = {}
    for indicators in results.indicators.values():
        if list(indicators.codes) == results.areas.codes:
            for column in indicators.to_frame().drop("code"):
                found.setdefault(column.name, column.alias(re.sub(r"\W", "_", column.name)))
    return list(found.values())


def _apart(columns: list[pl.Series]) -> list[pl.Series]:
    """Rename columns that would share a name with another when case is ignored, as SQL does."""
    seen = {"fid", "geom"}
    out = []
    for column in columns:
        name, k = column.name, 2
        while name.casefold() in seen:
            name, k = f"{column.name}_{k}", k + 1
        seen.add(name.casefold())
        out.append(column.alias(name))
    return out


def _whole(name: str, values: NDArray[np.float64]) -> pl.Series:
    return pl.Series(name, values, dtype=pl.Float64).fill_nan(None).cast(pl.Int32)


def polygons(geometry: pl.Series) -> NDArray[np.object_]:
    """Give shapes as WKB multipolygons, without parsing them; None for all else."""
    out = np.empty(len(geometry), dtype=object)
    for row, wkb in enumerate(geometry):
        out[row] = _multi(wkb) if wkb is not None else None
    return out


def _multi(wkb: bytes) -> bytes | None:
    if len(wkb) < 9:
        return None
    (kind,) = struct.unpack_from("<I" if wkb[0] == 1 else ">I", wkb, 1)
    if kind == _MULTIPOLYGON:
        return wkb
    if kind == _POLYGON:
        return struct.pack("<BII", 1, _MULTIPOLYGON, 1) + wkb
    if kind % 1000 not in (_POLYGON, _MULTIPOLYGON) and kind & 0xFF not in (
        _POLYGON,
        _MULTIPOLYGON,
    ):
        return None
    import shapely  # with heights, or a reference system of its own

    flat = shapely.to_wkb(shapely.force_2d(shapely.from_wkb(wkb)), include_srid=False)
    return _multi(flat)


def _points(table: pl.DataFrame) -> tuple[NDArray[np.object_], NDArray[np.bool_]]:
    """(n_areas,) WKB points, and which areas have one."""
    packed = np.zeros(len(table), dtype=_POINT)
    packed["order"], packed["type"] = 1, 1
    for field, column in (("x", "longitude"), ("y", "latitude")):
        packed[field] = table[column].cast(pl.Float64).fill_null(np.nan).to_numpy()
    known = np.isfinite(packed["x"]) & np.isfinite(packed["y"])
    raw, size = packed.tobytes(), _POINT.itemsize
    points = np.empty(len(table), dtype=object)
    points[:] = [raw[i * size : (i + 1) * size] for i in range(len(table))]
    return points, known
