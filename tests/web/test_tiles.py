"""Map tiles: made once, found again, made anew where shapes differ, never half-written."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import polars as pl
import pytest

from commonweal.errors import SourceError
from commonweal.web import tiles
from commonweal.web.tiles import make_tiles

if TYPE_CHECKING:
    from pathlib import Path

    from commonweal.study.results import Results


def test_tiles_are_made_once_and_again_where_shapes_differ(
    county: Results, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = make_tiles(county, tmp_path)
    assert first is not None
    made = []
    monkeypatch.setattr(tiles, "_level", lambda z, rows, shapes: made.append(z) or b"x")
    assert make_tiles(county, tmp_path) == first
    assert made == []
    fewer = replace(county, boundaries=county.boundaries.with_row_index().with_columns(
        geometry=pl.when(pl.col("index") > 0).then("geometry")).drop("index"))  # fmt: skip
    other = make_tiles(fewer, tmp_path)
    assert other is not None
    assert other.version != first.version
    assert made == list(tiles.LEVELS)


def test_damaged_tiles_are_made_again(county: Results, tmp_path: Path) -> None:
    made = make_tiles(county, tmp_path)
    assert made is not None
    tile = made.tile(4, 8, 5)
    assert tile is not None
    for z, path in made.levels.items():
        good = path.read_bytes()
        for bad in (b"", good[: len(good) // 2], bytes(len(good)), b"\0" + good[1:]):
            path.write_bytes(bad)
            assert make_tiles(county, tmp_path) == made
            assert made.levels[z].read_bytes() == good
            path.write_bytes(bad)  # while it is served
            if z == 4:
                assert made.tile(z, 8, 5) == tile
    made.levels[4].unlink()
    assert made.tile(4, 8, 5) == tile


def test_an_area_without_an_outline_is_a_point_and_one_without_a_place_is_left_out(
    county: Results,
) -> None:
    boundaries = county.boundaries.with_columns(geometry=pl.lit(None, pl.Binary))
    table = county.areas.table.with_row_index().with_columns(
        pl.when(pl.col("index") > 0).then(c).alias(c) for c in ("longitude", "latitude")
    ).drop("index")  # fmt: skip
    bare = replace(county, boundaries=boundaries, areas=replace(county.areas, table=table))
    rows, shapes = tiles.shapes_of(bare.areas, bare.boundaries)
    assert rows.tolist() == list(range(1, 400))
    assert {s.geom_type for s in shapes} == {"Point"}
    nothing = pl.lit(None, pl.Float64)
    nowhere = replace(county.areas, table=table.with_columns(longitude=nothing, latitude=nothing))
    assert make_tiles(replace(bare, areas=nowhere), county.study.folder) is None


def test_a_cache_that_cannot_be_written_is_said(county: Results, tmp_path: Path) -> None:
    (tmp_path / "tiles").write_text("in the way")
    with pytest.raises(SourceError, match="tiles"):
        make_tiles(county, tmp_path)


@pytest.mark.parametrize(("z", "x", "y"), [(3, 0, 0), (4, 16, 0), (4, 0, -1), (9, 0, 0), (4, 0, 0)])
def test_where_there_is_nothing_there_is_no_tile(
    county: Results, cache: Path, z: int, x: int, y: int
) -> None:
    made = make_tiles(county, cache)
    assert made is not None
    assert made.tile(z, x, y) is None
