"""R data files: written here value by value, so that each kind of content is known."""

from __future__ import annotations

import datetime
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
import pytest
import rdata
import shapely
from rdata.parser import (
    RData,
    RExtraInfo,
    RObject,
    RObjectInfo,
    RObjectType,
    RVersions,
)
from rdata.unparser import unparse_file

from commonweal.errors import DataError, UnknownNameError
from commonweal.sources import Store
from commonweal.sources.catalogue import Reader, local_source
from commonweal.sources.rdata import Common, Thing, Uncommon, parse, parse_uncommon, read_rdata
from commonweal.sources.sandbox import decompressed

if TYPE_CHECKING:
    from pathlib import Path

WGS84 = "EPSG:4326"


def thing(kind: RObjectType, value: Any, **attributes: RObject) -> RObject:
    info = RObjectInfo(kind, "class" in attributes, bool(attributes), False, 0, 0)
    return RObject(info, value, pairs(attributes) if attributes else None)


def pairs(items: dict[str, RObject]) -> RObject:
    node = thing(RObjectType.NILVALUE, None)
    for name, value in reversed(items.items()):
        info = RObjectInfo(RObjectType.LIST, False, False, True, 0, 0)
        tag = thing(RObjectType.SYM, char(name.rstrip("_").encode()))
        node = RObject(info, (value, node), None, tag)
    return node


def char(value: bytes | None) -> RObject:
    return thing(RObjectType.CHAR, value)


def text(*values: str | bytes | None, **attributes: RObject) -> RObject:
    raw = [v.encode() if isinstance(v, str) else v for v in values]
    return thing(RObjectType.STR, [char(v) for v in raw], **attributes)


def real(*values: float, **attributes: RObject) -> RObject:
    return thing(RObjectType.REAL, np.array(values, dtype=float), **attributes)


def integer(*values: int, **attributes: RObject) -> RObject:
    return thing(RObjectType.INT, np.array(values, dtype=np.int32), **attributes)


def frame(**columns: RObject) -> RObject:
    return thing(
        RObjectType.VEC,
        list(columns.values()),
        names=text(*columns),
        class_=text("tbl_df", "data.frame"),
    )


def write(path: Path, content: RObject) -> Path:
    data = RData(RVersions(3, 0x40000, 0x30500), RExtraInfo("UTF-8"), content)
    unparse_file(path, data, file_type="rds" if path.suffix.lower() == ".rds" else "rda")
    return path


def ring(*points: tuple[float, float]) -> RObject:
    xy = np.array(points, dtype=float)
    return real(*xy.T.ravel(), dim=integer(*xy.shape))


def multipolygon(*polygons: list[RObject]) -> RObject:
    parts = [thing(RObjectType.VEC, rings) for rings in polygons]
    return thing(RObjectType.VEC, parts, class_=text("XY", "MULTIPOLYGON", "sfg"))


def features(*shapes: RObject, crs: str | None = WGS84) -> RObject:
    extra: dict[str, RObject] = {}
    if crs is not None:
        extra["crs"] = thing(RObjectType.VEC, [text(None), text(crs)], class_=text("crs"))
    return thing(RObjectType.VEC, list(shapes), class_=text("sfc_GEOMETRY", "sfc"), **extra)


SQUARE = ((0.0, 50.0), (4.0, 50.0), (4.0, 54.0), (0.0, 54.0), (0.0, 50.0))
HOLE = ((1.0, 51.0), (1.0, 52.0), (2.0, 52.0), (2.0, 51.0), (1.0, 51.0))
AWAY = tuple((x + 10, y) for x, y in HOLE)


def test_each_kind_of_column_gets_its_type(tmp_path: Path) -> None:
    na_integer = -(2**31)
    content = frame(
        code=text("E01", None, "Caf\xe9"),
        old=text(b"Caf\xe9", "a", "b"),
        score=real(1.5, float("nan"), float("inf")),
        n=integer(1, na_integer, 3),
        open=thing(RObjectType.LGL, np.array([1, 0, na_integer], dtype=np.int32)),
        kind=integer(2, 1, na_integer, levels=text("low", "high"), class_=text("factor")),
        day=real(0.0, 19000.0, float("nan"), class_=text("Date")),
    )
    table, notes = read_rdata(write(tmp_path / "a.rda", pairs({"scores": content})))
    assert table.schema == {
        "code": pl.String, "old": pl.String, "score": pl.Float64, "n": pl.Int64,
        "open": pl.Boolean, "kind": pl.String, "day": pl.Date,
    }  # fmt: skip
    assert all(type(name) is str for name in table.columns)
    assert table["code"].to_list() == ["E01", None, "Café"]
    assert table["old"].to_list() == ["Café", "a", "b"]
    assert table["score"].to_list() == [1.5, None, float("inf")]
    assert table["n"].to_list() == [1, None, 3]
    assert table["open"].to_list() == [True, False, None]
    assert table["kind"].to_list() == ["high", "low", None]
    assert table["day"].to_list() == [datetime.date(1970, 1, 1), datetime.date(2022, 1, 8), None]
    assert notes == []


@pytest.mark.parametrize("name", ["a.rds", "a.Rds", "a.RDS"])
def test_a_single_object_is_read_whatever_its_suffix(tmp_path: Path, name: str) -> None:
    table, _ = read_rdata(write(tmp_path / name, frame(x=real(1.0))))
    assert table.rows() == [(1.0,)]


def test_every_object_is_what_the_library_makes_of_it() -> None:
    """Of the files that the library tests itself with: data frames, functions, environments, old and new."""
    files = sorted(rdata.TESTDATA_PATH.rglob("*xdr*"))
    assert len(files) > 150
    of_our_own = 0
    for file in files:
        data = decompressed(file)
        assert alike(parse(data, file), parse_uncommon(data, file)), file.name
        with suppress(Uncommon):
            of_our_own += bool(
                Common(data.split(b"\n", 1)[1] if data[:2] == b"RD" else data, file).whole()
            )
    assert of_our_own > 80


def alike(one: Thing, other: Thing) -> bool:
    """Whether two objects of R are the same."""
    if one.kind != other.kind or one.attributes.keys() != other.attributes.keys():
        return False
    if not all(alike(one.attributes[name], other.attributes[name]) for name in one.attributes):
        return False
    if isinstance(one.value, np.ndarray):
        return np.array_equal(one.value, other.value, equal_nan=True)
    if isinstance(one.value, list):
        return len(one.value) == len(other.value) and all(map(alike_part, one.value, other.value))
    return bool(one.value == other.value)


def alike_part(one: Any, other: Any) -> bool:
    """Whether parts of two lists are the same: a text, a thing, or a name with a thing."""
    if isinstance(one, tuple):
        return one[0] == other[0] and alike(one[1], other[1])
    return alike(one, other) if isinstance(one, Thing) else one == other


def test_one_object_of_several_is_chosen(tmp_path: Path) -> None:
    path = write(tmp_path / "a.rda", pairs({"a": frame(x=real(1.0)), "b": frame(x=real(2.0))}))
    source = local_source(path, reader=Reader(format="rdata", object="b"))
    assert Store(tmp_path / "cache").table(source).rows() == [(2.0,)]
    with pytest.raises(DataError, match=r"expected one object, found a, b; name one"):
        read_rdata(path)
    with pytest.raises(UnknownNameError, match="object 'c' not found"):
        read_rdata(path, "c")


def test_what_is_no_data_frame_says_what_it_is(tmp_path: Path) -> None:
    clusters = thing(RObjectType.VEC, [real(1.0)], names=text("centers"), class_=text("kmeans"))
    with pytest.raises(
        DataError, match="'data' is an R object of class kmeans, expected a data frame"
    ):
        read_rdata(write(tmp_path / "a.rds", clusters))
    with pytest.raises(DataError, match="class list"):
        read_rdata(write(tmp_path / "b.rds", thing(RObjectType.VEC, [clusters])))
    nested = frame(x=thing(RObjectType.VEC, [real(1.0)]))
    with pytest.raises(DataError, match="column 'x' holds R vec values"):
        read_rdata(write(tmp_path / "c.rds", nested))


def test_damaged_r_data_is_named(tmp_path: Path) -> None:
    whole = write(tmp_path / "a.rda", pairs({"a": frame(x=real(*range(500)))})).read_bytes()
    for name, content in (("cut.rda", whole[:-60]), ("none.rda", b"hello, this is no R data")):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(DataError, match=rf"{name}: not an R data file") as caught:
            read_rdata(tmp_path / name)
        assert "cut short" in str(caught.value)


def test_simple_features_become_wkb_with_parts_holes_and_gaps(tmp_path: Path) -> None:
    point = real(-2.5, 53.25, class_=text("XY", "POINT", "sfg"))
    polygon = thing(RObjectType.VEC, [ring(*SQUARE)], class_=text("XY", "POLYGON", "sfg"))
    geometry = features(
        multipolygon([ring(*SQUARE), ring(*HOLE)], [ring(*AWAY)]), multipolygon(), point, polygon
    )
    table, notes = read_rdata(
        write(tmp_path / "a.rda", pairs({"a": frame(code=text(*"abcd"), geometry=geometry)}))
    )
    assert table.schema == {"code": pl.String, "geometry": pl.Binary}
    assert table["geometry"].is_null().to_list() == [False, True, False, False]
    shapes = shapely.from_wkb(table["geometry"].to_list())
    assert shapes[0].area == pytest.approx(16 - 1 + 1)
    assert len(shapes[0].geoms) == 2
    assert len(shapes[0].geoms[0].interiors) == 1
    assert shapes[0].bounds == (0, 50, 12, 54)
    assert (shapes[2].x, shapes[2].y) == (-2.5, 53.25)
    assert shapes[3].area == 16
    assert notes == ["1 empty geometries are missing"]


def test_geometry_of_another_system_is_brought_to_wgs84(tmp_path: Path) -> None:
    """The Ordnance Survey's worked point lies at 651409.903, 313177.270 on its grid.

    Its WGS 84 position by the seven-parameter change is 52.65798 N, 1.71605 E; the two agree to
    within 20 m.
    """
    corner = (651409.903, 313177.270)
    box = [(corner[0] + dx, corner[1] + dy) for dx, dy in ((0, 0), (9, 0), (9, 9), (0, 9), (0, 0))]
    geometry = features(multipolygon([ring(*box)]), crs="EPSG:27700")
    table, _ = read_rdata(write(tmp_path / "a.rds", frame(geometry=geometry)))
    west, south, _, _ = shapely.from_wkb(table["geometry"][0]).bounds
    assert west == pytest.approx(1.71605, abs=2e-4)
    assert south == pytest.approx(52.65798, abs=1e-4)


@pytest.mark.parametrize(
    ("crs", "words"),
    [(None, "says no coordinate system"), ("nonsense", "not understood: nonsense")],
)
def test_geometry_without_a_known_system_is_refused(
    tmp_path: Path, crs: str | None, words: str
) -> None:
    geometry = features(multipolygon([ring(*SQUARE)]), crs=crs)
    with pytest.raises(DataError, match=words):
        read_rdata(write(tmp_path / "a.rds", frame(geometry=geometry)))


def test_a_line_is_refused(tmp_path: Path) -> None:
    line = ring(*SQUARE)
    line.attributes = pairs({"dim": integer(5, 2), "class_": text("XY", "LINESTRING", "sfg")})
    line.info.object = True
    with pytest.raises(DataError, match=r"geometry 1 is a XY LINESTRING sfg, expected a point"):
        read_rdata(write(tmp_path / "a.rds", frame(geometry=features(line))))
