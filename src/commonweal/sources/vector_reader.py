"""Shapefiles and GeoPackages: a layer becomes a table, with its outlines in WGS 84."""

from __future__ import annotations

import shutil
import tempfile
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from commonweal.errors import DataError, UnknownNameError
from commonweal.files.atomic import known_sha256
from commonweal.sources.damaged import reading
from commonweal.sources.geometry import finish, to_wgs84

if TYPE_CHECKING:
    from collections.abc import Iterator

    import polars as pl

__all__ = ["NO_MAP", "parts_of", "read_vector"]

NO_MAP = "not a shapefile or GeoPackage that can be read"

PARTS = (".dbf", ".prj", ".shx", ".cpg")
"""Files beside a shapefile that are read with it."""

JOURNAL = "-wal"
"""Ends the name of the file beside a GeoPackage that holds what was saved last, while a program has it open."""


def read_vector(path: Path, layer: str | None = None) -> tuple[pl.DataFrame, list[str]]:
    """Read a layer.

    Parameters
    ----------
    path
        The file; a shapefile's other parts lie beside it.
    layer
        Which layer; needed only where there are several.

    Returns
    -------
    table : polars.DataFrame
        A row a shape: its attributes, and ``geometry`` as WKB.
    notes : list of str
        Repairs to geometry, counted; and the SHA-256 of the parts beside it.

    Raises
    ------
    DataError
        If it is damaged, states no coordinate system, has several layers and none is named, or a point is
        not on Earth.
    UnknownNameError
        If there is no such layer.
    """
    import polars as pl
    import pyogrio
    import shapely

    from commonweal.sources.columns import plain

    if path.suffix.lower() == ".shp" and not path.with_suffix(".dbf").is_file():
        raise DataError(f"{path}: its .dbf, which has the codes, is not beside it")
    with reading(path, NO_MAP), _aside(path) as file:
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
