"""Places from an OpenStreetMap file (PBF): a whole country in bounded memory."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from commonweal.access.distance import EARTH_RADIUS_M
from commonweal.access.osm_file import check_texts
from commonweal.access.places import ANY, LEFT_OUT, Places, Taxonomy, load_taxonomy, make_places
from commonweal.access.postcodes import tidy_postcodes
from commonweal.errors import DataError
from commonweal.sources.sandbox import explain_damage

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray


__all__ = ["read_places_pbf"]


EVERY = 10_000
"""Progress is told once in so many elements."""

_FOUND = {
    "id": pl.String,
    "name": pl.String,
    "kind": pl.String,
    "postcode": pl.String,
    "reason": pl.String,
    "detail": pl.String,
    "longitude": pl.Float64,
    "latitude": pl.Float64,
}


def read_places_pbf(
    path: str | Path,
    taxonomy: Taxonomy | None = None,
    source: str = "osm",
    progress: Callable[[str, int, int], None] | None = None,
) -> Places:
    """Read the places of an OpenStreetMap file.

    Parameters
    ----------
    path
        An OpenStreetMap PBF, such as ``england-latest.osm.pbf``.
    taxonomy
        Which tags make a place; the taxonomy that ships if not given.
    source
        What the places are said to be from; begins their ids, as in ``osm:w123``.
    progress
        Told how many places are found, and then how many outlines are drawn.

    Returns
    -------
    Places
        An outline is placed at its centroid or, where that lies outside, at a point within; a line at
        its centroid. Left out, with the reason: ``private``, ``closed`` (by its tags or its name),
        ``excluded`` (by its rule), ``too small`` and ``no outline`` (too little of it is on a map that was
        cut, its rings don't close, or it is a relation that draws no area). An outline that the map cuts is
        placed by the corners that are there.

    Raises
    ------
    DataError
        If the file is not there or cannot be read.

    Notes
    -----
    The file is read four times: to look for damage, to find places, to find the lines and points that draw
    them, and to copy these to a small temporary file. Memory is what the places take and a bit for each
    number that a point of the map may have: at most about 1.5 GB, for a county or for a continent.
    """
    file, kinds = Path(path), taxonomy or load_taxonomy()
    if not file.is_file():
        raise DataError(f"{file}: not there; expected an OpenStreetMap file such as area.osm.pbf")
    tell = progress or (lambda *_: None)
    with (
        explain_damage(file, "cannot be read as an OpenStreetMap file"),
        tempfile.TemporaryDirectory() as folder,
    ):
        check_texts(file)
        small = Path(folder) / "places.osm.pbf"
        found = _find(file, small, kinds, source, tell)
        outlines = _draw(small, tell)
    placed = _place(found, outlines, kinds, source)
    kept = placed.filter(pl.col("reason").is_null()).with_columns(source=pl.lit(source))
    out = placed.filter(pl.col("reason").is_not_null()).with_columns(source=pl.lit(source))
    return make_places(kept, kinds, out.select(LEFT_OUT.keys()), {source: len(placed)})


def _find(
    file: Path, small: Path, taxonomy: Taxonomy, source: str, tell: Callable[[str, int, int], None]
) -> pl.DataFrame:
    """List the places, and write those that are drawn, with all that draws them, to a small file."""
    import osmium

    rows: dict[str, list[Any]] = {name: [] for name in _FOUND}
    whole = osmium.io.File(str(file), "pbf")
    copier = osmium.BackReferenceWriter(str(small), whole, relation_depth=0)
    with copier.tmpdir, copier as writer:  # the copier itself leaves its folder where reading fails
        element: Any
        for element in osmium.FileProcessor(whole).with_filter(_candidates(taxonomy)):
            tags = dict(element.tags)
            kind, reason = taxonomy.kind_of_tags(tags)
            if not kind:
                continue
            longitude = latitude = None
            if not reason and element.is_node():
                if element.location.valid():
                    longitude, latitude = element.lon, element.lat
            elif not reason:
                writer.add(element)
            values = (
                f"{source}:{element.type_str()}{element.id}",
                tags.get("name"),
                kind,
                tags.get("addr:postcode"),
                reason or None,
                "by its tags or its name" if reason else None,
                longitude,
                latitude,
            )
            for column, value in zip(rows.values(), values, strict=True):
                column.append(value)
            if len(rows["id"]) % EVERY == 0:
                tell("finding places on the map", len(rows["id"]), 0)
    return pl.DataFrame(rows, schema=_FOUND)


def _candidates(taxonomy: Taxonomy) -> Any:
    """Give osmium's own filter, which is fast: the first key of every rule."""
    import osmium

    first = [next(iter(rule.tags.items())) for kind in taxonomy.kinds.values() for rule in kind.osm]
    if not first:
        raise DataError(f"the taxonomy '{taxonomy.title}' has no rules of OpenStreetMap tags")
    if any(ANY in values for _, values in first):
        return osmium.filter.KeyFilter(*{key for key, _ in first})
    return osmium.filter.TagFilter(*{(key, value) for key, values in first for value in values})


def _draw(small: Path, tell: Callable[[str, int, int], None]) -> pl.DataFrame:
    """Give a point within each outline, and its size."""
    import osmium

    factory = osmium.geom.WKBFactory()
    ids: list[str] = []
    shapes: list[str] = []
    element: Any  # osmium's own types tell its kinds apart by attribute only
    for element in osmium.FileProcessor(str(small)).with_locations("sparse_mem_array").with_areas():
        if not element.tags:  # only draws another
            continue
        try:
            if element.is_area():
                shape = factory.create_multipolygon(element)
                letter, number = "w" if element.from_way() else "r", element.orig_id()
            elif element.is_way() and not _is_area(element):
                shape, letter, number = factory.create_linestring(element), "w", element.id
            else:
                continue
        except (osmium.InvalidLocationError, RuntimeError):
            continue  # it stays without a position, and is counted as such
        ids.append(f"{letter}{number}")
        shapes.append(shape)
        if len(ids) % EVERY == 0:
            tell("drawing outlines of places", len(ids), 0)
    x, y, m2 = _points_within(shapes)
    return pl.DataFrame(
        {"number": ids, "x": x, "y": y, "m2": m2}, schema_overrides={"number": pl.String}
    )


def _is_area(way: Any) -> bool:
    return bool(way.is_closed() and way.tags.get("area") != "no")


def _points_within(
    shapes: list[str],
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Give a point within each shape, by longitude and latitude, and its area in square metres."""
    import shapely

    drawn = shapely.from_wkb(np.array(shapes, dtype=object))
    points = shapely.centroid(drawn)
    flat = shapely.get_dimensions(drawn) == 2
    outside = flat & ~shapely.covers(drawn, points)
    points[outside] = shapely.point_on_surface(drawn[outside])
    longitude, latitude = shapely.get_x(points), shapely.get_y(points)
    degree_m = EARTH_RADIUS_M * np.pi / 180
    m2 = shapely.area(drawn) * degree_m**2 * np.cos(np.radians(latitude))
    return longitude, latitude, np.where(flat, m2, np.nan)


def _place(
    found: pl.DataFrame, outlines: pl.DataFrame, taxonomy: Taxonomy, source: str
) -> pl.DataFrame:
    """Join what was found with where it lies, and say what has no place or is too small."""
    least = {name: float(kind.least_m2) for name, kind in taxonomy.kinds.items()}
    drawn = outlines.with_columns(
        id=pl.lit(f"{source}:") + pl.col("number"), m2=pl.col("m2").fill_nan(None)
    )
    nowhere = pl.col("longitude").is_null()
    small = pl.col("m2") < pl.col("kind").replace_strict(least, return_dtype=pl.Float64)
    placed = found.join(drawn, on="id", how="left", maintain_order="left").with_columns(
        longitude=pl.coalesce("longitude", "x"), latitude=pl.coalesce("latitude", "y")
    )
    fine = pl.col("reason").is_null()
    return placed.with_columns(
        reason=pl.when(fine & nowhere)
        .then(pl.lit("no outline"))
        .when(fine & small)
        .then(pl.lit("too small"))
        .otherwise("reason"),
        detail=pl.when(fine & nowhere)
        .then(pl.lit("its rings don't close, it is cut, or it is a relation that draws none"))
        .when(fine & small)
        .then(pl.format("{} square metres", pl.col("m2").round().cast(pl.Int64)))
        .otherwise("detail"),
        postcode=_spaced_or_null(placed["postcode"]),
    )


def _spaced_or_null(written: pl.Series) -> pl.Series:
    bare = tidy_postcodes(written)
    return bare.str.head(-3) + " " + bare.str.tail(3)
