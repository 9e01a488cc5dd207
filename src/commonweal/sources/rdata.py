"""R data files: a data frame, with or without geometry, becomes a table."""

from __future__ import annotations

import gc
import struct
import warnings
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from commonweal.errors import DataError, UnknownNameError
from commonweal.files.extras import needs
from commonweal.sources.geometry import finish, to_wgs84
from commonweal.sources.sandbox import decompressed, explain_damage

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import polars as pl
    from numpy.typing import NDArray

    Progress = Callable[[str, int, int], None]


_HEADERS = (b"RDX2\n", b"RDX3\n")
_BINARY, _OTHERS = b"X\n", (b"A\n", b"B\n")
_INT, _TWO_INTS = struct.Struct(">i"), struct.Struct(">ii")

# What the first integer of an object says, by R's "Serialization Formats" (R Internals, 1.8).
_SYM, _LIST, _CHAR, _LGL, _INTEGER, _REAL, _STR, _VEC = 1, 2, 9, 10, 13, 14, 16, 19
_ALTREP, _NILVALUE, _REF = 238, 254, 255
_LAST, _FIRST = 25, 238
"""Kinds of objects count up from 0 and down from 255; there are none between these."""
_HAS_ATTRIBUTES, _HAS_TAG = 1 << 9, 1 << 10
_NAMES = {_SYM: "sym", _LIST: "list", 3: "clo", 4: "env", 6: "lang", _LGL: "lgl", _INTEGER: "int", _REAL: "real",
          15: "cplx", _STR: "str", _VEC: "vec", 20: "expr", 24: "raw", 25: "s4", _NILVALUE: "null"}  # fmt: skip
_NUMBERS = (_INTEGER, _LGL, _REAL)
_NA = -(2**31)
"""A missing integer or truth."""

MOST_VALUES = 100_000_000
"""More than any table has rows."""


@dataclass(slots=True)
class Thing:
    """An object of R.

    Its value is an array, of whole numbers or of decimals; a list of bytes, None where they are missing, of text; of a
    list its things; of a pair list names and things; the name of a symbol; and None of all else.
    """

    kind: int
    value: Any = None
    attributes: dict[str, Thing] = field(default_factory=dict)


class Uncommon(Exception):  # noqa: N818  # no error: another reader is asked
    """A kind of object that data frames don't need, such as a function."""


def parse(data: bytes, path: Path) -> Thing:
    """Parse the unpacked content of an ``.rda`` or ``.rds`` file."""
    body = data[len(_HEADERS[0]) :] if data.startswith(_HEADERS) else data
    if not body.startswith((_BINARY, *_OTHERS)):
        raise ValueError("it does not begin as one")
    try:
        if body.startswith(_OTHERS):
            raise Uncommon
        return Common(body, path).whole()
    except Uncommon:
        return parse_uncommon(data, path)


class Common:
    """A parser of R's binary format, for the kinds of objects that data frames are made of."""

    def __init__(self, data: bytes, path: Path) -> None:
        self.data, self.path, self.at = data, path, len(_BINARY)
        self.symbols: list[Thing] = []

    def whole(self) -> Thing:
        """Give the one object of the file."""
        version = self._int()
        self.at += 8  # the versions of R that wrote it and that read it
        if version == 3:
            self._bytes(self._int())  # the encoding
        elif version != 2:
            raise ValueError(f"version {version} of the format")
        found = self._object()
        if self.at != len(self.data):
            raise ValueError("more than one object")
        return found

    def _int(self) -> int:
        (found,) = _INT.unpack_from(self.data, self.at)
        self.at += 4
        return int(found)

    def _length(self) -> int:
        found = self._int()
        if found < 0:
            raise ValueError(f"{found} values")
        return found

    def _bytes(self, length: int) -> bytes:
        start, self.at = self.at, self.at + length
        if length < 0 or self.at > len(self.data):
            raise ValueError("text beyond the end")
        return self.data[start : self.at]

    def _array(self, kind: str, size: int) -> NDArray[Any]:
        length = self._length()
        found = np.frombuffer(self.data, f">{kind}{size}", length, self.at)
        self.at += length * size
        return found.astype(f"={kind}{size}")

    def _object(self) -> Thing:
        flags = self._int()
        kind = flags & 0xFF
        if kind == _LIST:
            return self._pairs(flags)
        if flags & _HAS_TAG and kind not in (_NILVALUE, _REF):
            raise Uncommon
        if kind == _REF:
            return self.symbols[(flags >> 8 or self._int()) - 1]
        if kind == _STR:
            found = Thing(kind, [self._text() for _ in range(self._length())])
        elif kind == _VEC:
            found = Thing(kind, [self._object() for _ in range(self._length())])
        elif kind in (_INTEGER, _LGL):
            found = Thing(kind, self._array("i", 4))
        elif kind == _REAL:
            found = Thing(kind, self._array("f", 8))
        elif kind == _SYM:
            found = Thing(kind, _decoded(self._text()) or "")
            self.symbols.append(found)
        elif kind == _NILVALUE:
            found = Thing(kind)
        elif kind == _ALTREP:
            return self._compact()
        elif _LAST < kind < _FIRST:
            raise ValueError(f"R has no objects of kind {kind}")
        else:
            raise Uncommon
        if flags & _HAS_ATTRIBUTES:
            found.attributes = dict(self._object().value or ())
        return found

    def _pairs(self, flags: int) -> Thing:
        """Read a pair list, whose last link is nothing."""
        found = Thing(_LIST, [])
        while flags & 0xFF == _LIST:
            if flags & _HAS_ATTRIBUTES:
                found.attributes |= dict(self._object().value or ())
            name = self._object().value if flags & _HAS_TAG else ""
            found.value.append((name, self._object()))
            flags = self._int()
        if flags & 0xFF != _NILVALUE:
            raise Uncommon
        return found

    def _text(self) -> bytes | None:
        """Read one of several texts: of these there are millions."""
        flags, length = _TWO_INTS.unpack_from(self.data, self.at)
        self.at += 8
        if flags & 0xFF != _CHAR or length < -1:
            raise ValueError("no text where text should be")
        found = None if length == -1 else self._bytes(length)
        if flags & _HAS_ATTRIBUTES:
            self._object()
        return found

    def _compact(self) -> Thing:
        """Read what R keeps in fewer bytes: a sequence, or a vector with what is known of it."""
        about, state, attributes = self._object(), self._object(), self._object()
        name = about.value[0][1].value
        if name in ("compact_intseq", "compact_realseq"):
            length, start, step = (float(x) for x in state.value)
            _refuse_long(length, self.path)
            values = start + step * np.arange(int(length))
            found = Thing(_REAL, values)
            if name == "compact_intseq":
                with np.errstate(invalid="raise"):
                    found = Thing(_INTEGER, values.astype(np.int32))
        elif name.startswith("wrap_"):
            inner = state.value[0]
            inner = inner if isinstance(inner, Thing) else inner[1]
            found = Thing(inner.kind, inner.value)
        else:
            raise Uncommon
        found.attributes = dict(attributes.value or ())
        return found


def _refuse_long(length: float, path: Path) -> None:
    """Refuse what a few bytes say is long: a sequence, of which R keeps the length, the start and the step alone."""
    if length > MOST_VALUES:
        raise DataError(f"{path}: a sequence of {length:,.0f}; expected at most {MOST_VALUES:,}")


def parse_uncommon(data: bytes, path: Path) -> Thing:
    """Parse a file that holds functions, environments and the like, or is in another of R's formats."""
    with needs("toolbox"):
        from rdata.parser import DEFAULT_ALTREP_MAP, parse_data

    def bounded(make: Callable[[Any], Any]) -> Callable[[Any], Any]:
        def made(state: Any) -> Any:
            _refuse_long(float(state.value[0]), path)
            return make(state)

        return made

    sequences = (b"compact_intseq", b"compact_realseq")
    makers = {**DEFAULT_ALTREP_MAP, **{s: bounded(DEFAULT_ALTREP_MAP[s]) for s in sequences}}
    with warnings.catch_warnings():
        # The parser guesses the kind from the content, and remarks on it.
        warnings.filterwarnings("ignore", message="Unknown file type", category=UserWarning)
        return _plain(parse_data(data, altrep_constructor_dict=makers).object)


def _plain(given: Any) -> Thing:
    """Give what the library has parsed as our own parser would."""
    if given.referenced_object is not None:
        return _plain(given.referenced_object)
    kind = given.info.type.value
    found = Thing(kind)
    if kind == _STR:
        found.value = [char.value for char in given.value]
    elif kind == _VEC:
        found.value = [_plain(part) for part in given.value]
    elif kind in (_INTEGER, _LGL):
        values = np.ma.asarray(given.value)
        found.value = np.where(np.ma.getmaskarray(values), _NA, values.data).astype(np.int32)
    elif kind == _REAL:
        found.value = np.asarray(given.value)
    elif kind == _SYM:
        found.value = _decoded(given.value.value) or ""
    elif kind == _LIST:
        found.value, node = [], given
        while node.info.type.value == _LIST:
            name = "" if node.tag is None else _plain(node.tag).value
            found.value.append((name, _plain(node.value[0])))
            node = node.value[1]
    if given.attributes is not None:
        found.attributes = dict(_plain(given.attributes).value or ())
    return found


def read_rdata(
    path: Path, name: str | None = None, progress: Progress | None = None
) -> tuple[pl.DataFrame, list[str]]:
    """Read the data frame of an ``.rda`` or ``.rds`` file."""
    with explain_damage(path, "not an R data file that can be read, or cut short"):
        return _read(path, name, progress or (lambda _what, _done, _total: None))


def _read(path: Path, name: str | None, tell: Progress) -> tuple[pl.DataFrame, list[str]]:
    import polars as pl

    tell(f"reading {path.name}", 0, 2)
    objects = _objects(path)
    tell(f"reading {path.name}", 1, 2)
    if name is None:
        if len(objects) != 1:
            raise DataError(
                f"{path}: expected one object, found {', '.join(objects) or 'none'}; "
                "name one with 'object'"
            )
        name = next(iter(objects))
    if name not in objects:
        raise UnknownNameError("object", name, objects, f" in {path}")
    frame = objects[name]
    classes = _classes(frame)
    if "data.frame" not in classes or "names" not in frame.attributes:
        kind = " ".join(classes) or ("list" if frame.kind == _VEC else _name(frame))
        raise DataError(f"{path}: '{name}' is an R object of class {kind}, expected a data frame")
    columns: list[pl.Series] = []
    notes: list[str] = []
    for label, column in zip(_strings(frame.attributes["names"]), frame.value, strict=True):
        title = str(label)
        if "sfc" in _classes(column):
            series, notes = wkb_of_sfc(column, path)
            columns.append(series)
        else:
            columns.append(_column(title, column, path))
    tell(f"reading {path.name}", 2, 2)
    return pl.DataFrame(columns), notes


def _objects(path: Path) -> dict[str, Thing]:
    """Parse the file into its named objects; the single object of an ``.rds`` is ``data``."""
    collecting = gc.isenabled()
    gc.disable()  # many small objects, none of them garbage: collecting costs half the time
    try:
        root = parse(decompressed(path), path)
    finally:
        if collecting:
            gc.enable()
    return dict(root.value) if root.kind == _LIST else {"data": root}


def _classes(thing: Thing) -> list[str]:
    return [c for c in _strings(thing.attributes.get("class")) if c]


def _strings(thing: Thing | None) -> list[str | None]:
    if thing is None or thing.kind == _NILVALUE:
        return []
    if thing.kind != _STR:
        raise ValueError(f"R {_name(thing)} values where text should be")
    return [_decoded(raw) for raw in thing.value]


def _name(thing: Thing) -> str:
    return _NAMES.get(thing.kind, f"kind {thing.kind}")


def _decoded(raw: bytes | str | None) -> str | None:
    """Decode an R string; NA is None. Old files hold Latin-1 without saying so."""
    if raw is None or isinstance(raw, str):
        return raw
    try:
        return str(raw, "utf-8")
    except UnicodeDecodeError:
        return str(raw, "latin-1")


def _column(name: str, column: Thing, path: Path) -> pl.Series:
    import polars as pl

    classes, values = _classes(column), column.value
    if column.kind == _STR:
        return pl.Series(name, _strings(column), dtype=pl.String)
    if column.kind not in _NUMBERS:
        raise DataError(
            f"{path}: column '{name}' holds R {_name(column)} values, "
            "expected text, numbers, truths or geometry"
        )
    missing = values == _NA if column.kind != _REAL else np.isnan(values)
    if "factor" in classes:
        levels = _strings(column.attributes["levels"])
        return pl.Series(
            name,
            [
                None if gone else levels[int(code) - 1]
                for code, gone in zip(values, missing, strict=True)
            ],
            dtype=pl.String,
        )
    dtype = {_LGL: pl.Boolean, _INTEGER: pl.Int64, _REAL: pl.Float64}[column.kind]
    series = pl.Series(name, values.astype(bool) if column.kind == _LGL else values).cast(dtype)
    if missing.any():
        series = series.set(pl.Series(missing), None)
    if "Date" in classes:
        return series.cast(pl.Int32).cast(pl.Date)
    return series


def wkb_of_sfc(column: Thing, path: Path) -> tuple[pl.Series, list[str]]:
    """Turn a simple feature column of R into WKB."""
    import shapely

    stated = column.attributes.get("crs", Thing(_NILVALUE)).value or []
    texts = [t for part in stated if part.kind == _STR for t in _strings(part)]
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
    return finish(to_wgs84(geometry, system, path), path)


def _ncol(ring: Thing) -> int:
    return int(ring.attributes["dim"].value[1])
