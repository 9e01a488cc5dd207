"""Vector tiles of the study's areas, made on this machine and kept in the cache.

Areas carry the number of their row and nothing else: what colours them comes beside the tiles, so that one set
serves every index, designation and choice. There are two levels, each enlarged as one zooms in: making
those in between takes three times as long and shows nothing more.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from commonweal.files.extras import needs
from commonweal.sources.cache import cached_file
from commonweal.study.postcodes import shapes_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from numpy.typing import NDArray

    from commonweal.study.results import Results


LAYER = "areas"
LEVELS = (4, 8)
"""Zoom levels that are made. A unit is 180 m at the first, in the middle of England, and 11 m at the second."""

UNITS = 8192
"""Units from side to side of a tile; the map library rounds to no more."""

VERSION = 1
"""Of what is kept in the cache; raised when that changes."""


@dataclass(frozen=True, slots=True)
class Tiles:
    """The map of a study."""

    levels: dict[int, Path]  # by zoom level, the (PMTiles) file
    bounds: tuple[float, float, float, float]  # west, south, east and north of all areas in degrees
    version: str  # of the areas' shapes, for addresses that may be kept for ever
    around: dict[int, list[float]]  # by row, west, south, east and north of the area in degrees
    # makes the file of a level again, should it be damaged while it is served
    make: Callable[[int], bytes] = field(compare=False, repr=False)

    def tile(self, z: int, x: int, y: int) -> bytes | None:
        """Give a tile, gzipped; None if there is nothing there."""
        with needs("web"):
            from pmtiles.reader import MmapSource, Reader

        path = self.levels.get(z)
        if path is None or not (0 <= x < 2**z and 0 <= y < 2**z):
            return None
        cached_file(path, partial(self.make, z))
        with path.open("rb") as file:
            found: bytes | None = Reader(MmapSource(file)).get(z, x, y)  # type: ignore[no-untyped-call]
        return found


def make_tiles(
    results: Results, cache: Path, progress: Callable[[str, int, int], None] | None = None
) -> Tiles | None:
    """Make the tiles of a study's areas, or find them in the cache."""
    import shapely

    rows, shapes = shapes_of(results.areas, results.boundaries)
    if len(rows) == 0:
        return None
    west, south, east, north = (float(v) for v in shapely.total_bounds(shapes))
    digest = hashlib.sha256(json.dumps([VERSION, LEVELS, UNITS]).encode())
    digest.update(rows.astype("<i8").tobytes())
    for shape in shapely.to_wkb(shapes):
        digest.update(shape)
    version = digest.hexdigest()[:16]
    levels = {z: cache / "tiles" / f"{version}-{z}.pmtiles" for z in LEVELS}
    for number, (z, path) in enumerate(levels.items()):

        def made(z: int = z, number: int = number) -> bytes:
            if progress is not None:
                progress("making the map (first time only)", number, len(levels))
            return _level(z, rows, shapes)

        cached_file(path, made)
    boxes = np.round(shapely.bounds(shapes), 5).tolist()
    around = dict(zip(rows.tolist(), boxes, strict=True))

    def make(z: int) -> bytes:  # shapes are read again: they are too large to be held for this
        return _level(z, *shapes_of(results.areas, results.boundaries))

    return Tiles(levels, (west, south, east, north), version, around, make)


def _level(z: int, rows: NDArray[np.intp], shapes: NDArray[np.object_]) -> bytes:
    """Make the tiles of one level; points stand in a layer of their own kind."""
    import tempfile
    from pathlib import Path

    import pyogrio
    import shapely

    settings: dict[str, Any] = {
        "MINZOOM": str(z),
        "MAXZOOM": str(z),
        "EXTENT": str(UNITS),
        "SIMPLIFICATION": "2",
        "MAX_SIZE": "50000000",
        "MAX_FEATURES": "1000000",
        "NAME": LAYER,
    }
    # GDAL writes beside its target too, so it gets a folder of its own.
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder) / "areas.pmtiles"
        pyogrio.raw.write(
            target,
            shapely.to_wkb(shapes),
            field_data=[rows.astype(np.int32)],
            fields=["row"],
            geometry_type="Unknown",
            crs="EPSG:4326",
            driver="PMTiles",
            layer=LAYER,
            dataset_options=settings,
        )
        return target.read_bytes()
