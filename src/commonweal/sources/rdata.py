"""R data files: a data frame, with or without geometry, becomes a table."""

from __future__ import annotations

import gc
import struct
import warnings
from typing import TYPE_CHECKING, Any

from rdata.parser import RObject, RObjectInfo, parse_data
from rdata.parser._parser import parse_r_object_info
from rdata.parser._xdr import ParserXDR

from commonweal.errors import DataError, UnknownNameError
from commonweal.sources.geometry import finish, to_wgs84
from commonweal.sources.sandbox import reading, unpacked

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    import numpy as np
    import polars as pl
    from numpy.typing import NDArray
    from rdata.parser import RData

    Progress = Callable[[str, int, int], None]


_INT = struct.Struct(">i")
_TWO_INTS = struct.Struct(">ii")
_HEADERS = (b"RDX2\n", b"RDX3\n")
_BINARY = b"X\n"

# What the first integer of an object says, by R's "Serialization Formats" (R Internals, 1.8).
_SYM, _LIST, _CHAR, _LGL, _INTEGER, _REAL, _STR, _VEC = 1, 2, 9, 10, 13, 14, 16, 19
_NILVALUE, _REF = 254, 255
_HAS_ATTRIBUTES, _HAS_TAG = 1 << 9, 1 << 10
_COMMON = frozenset((_SYM, _LIST, _CHAR, _LGL, _INTEGER, _REAL, _STR, _VEC, _NILVALUE, _REF))


def parse(data: bytes, altrep: Mapping[bytes, Callable[[RObject], Any]]) -> RData:
    """Parse the unpacked content of an ``.rda`` or ``.rds`` file."""
    body = memoryview(data)[len(_HEADERS[0]) if data.startswith(_HEADERS) else 0 :]
    if body[: len(_BINARY)] != _BINARY:
        return parse_data(data, altrep_constructor_dict=dict(altrep))
    parser = _Quick(body[len(_BINARY) :], expand_altrep=True, altrep_constructor_dict=dict(altrep))
    found = parser.parse_all()
    parser.check_complete()
    return found


class _Quick(ParserXDR):
    """The library's parser; objects of one kind share what says of which kind they are."""

    def __init__(self, data: memoryview, **options: Any) -> None:
        super().__init__(data, **options)
        self._infos: dict[int, RObjectInfo] = {}

    def parse_int(self) -> int:
        return int(_INT.unpack(self.file.read(4))[0])

    def parse_R_object(  # noqa: N802 (the library's name)
        self,
        reference_list: list[RObject] | None = None,
        bytecode_rep_list: list[RObject | None] | None = None,
        info_int: int | None = None,
    ) -> RObject:
        references = [] if reference_list is None else reference_list
        flags = self.parse_int() if info_int is None else 0
        kind = flags & 0xFF
        # Tags of anything but a list are an error, which the library tells.
        if kind not in _COMMON or (flags & _HAS_TAG and kind not in (_LIST, _NILVALUE, _REF)):
            if info_int is None:
                self.file.seek(-4, 1)
            return super().parse_R_object(references, bytecode_rep_list, info_int)
        info = self._infos.get(flags)
        if info is None:
            info = self._infos[flags] = parse_r_object_info(flags)
        attributes = tag = referenced = None
        value: Any = None
        if kind == _CHAR:
            length = self.parse_int()
            if length < -1:
                raise NotImplementedError(f"Length of CHAR cannot be {length}")
            value = None if length == -1 else self.file.read(length)
        elif kind == _STR:
            value = [self._text(references) for _ in range(self.parse_int())]
        elif kind == _VEC:
            value = [
                self.parse_R_object(references, bytecode_rep_list) for _ in range(self.parse_int())
            ]
        elif kind == _REAL:
            value = self.parse_double_array()
        elif kind == _INTEGER:
            value = self.parse_nullable_int_array()
        elif kind == _LGL:
            value = self.parse_nullable_bool_array()
        elif kind == _SYM:
            value = self.parse_R_object(references, bytecode_rep_list)
        elif kind == _LIST:
            if info.attributes:
                attributes = self.parse_R_object(references, bytecode_rep_list)
            if info.tag:
                tag = self.parse_R_object(references, bytecode_rep_list)
            value = (
                self.parse_R_object(references, bytecode_rep_list),
                self.parse_R_object(references, bytecode_rep_list),
            )
        elif kind == _REF:
            referenced = references[info.reference - 1]
        if info.attributes and kind != _LIST:
            attributes = self.parse_R_object(references, bytecode_rep_list)
        found = RObject(info, value, attributes, tag, referenced)
        if kind == _SYM:
            references.append(found)
        return found

    def _text(self, references: list[RObject]) -> RObject:
        """Read one of several texts: of these there are millions."""
        flags, length = _TWO_INTS.unpack(self.file.read(8))
        info = self._infos.get(flags)
        if info is None or flags & (0xFF | _HAS_ATTRIBUTES | _HAS_TAG) != _CHAR or length < 0:
            self.file.seek(-8, 1)
            return self.parse_R_object(references)
        return RObject(info, self.file.read(length), None)


MOST_VALUES = 100_000_000
"""More than any table has rows."""


def read_rdata(
    path: Path, name: str | None = None, progress: Progress | None = None
) -> tuple[pl.DataFrame, list[str]]:
    """Read the data frame of an ``.rda`` or ``.rds`` file."""
    with reading(path, "not an R data file that can be read, or cut short"):
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
    attributes = _attributes(frame)
    classes = _strings(attributes["class"]) if "class" in attributes else []
    if "data.frame" not in classes or "names" not in attributes:
        kind = " ".join(c for c in classes if c) or frame.info.type.name.lower()
        kind = "list" if kind == "vec" else kind
        raise DataError(f"{path}: '{name}' is an R object of class {kind}, expected a data frame")
    columns: list[pl.Series] = []
    notes: list[str] = []
    for label, column in zip(_strings(attributes["names"]), frame.value, strict=True):
        title = str(label)
        if "sfc" in _classes(column):
            series, notes = wkb_of_sfc(column, path)
            columns.append(series)
        else:
            columns.append(_column(title, column, path))
    tell(f"reading {path.name}", 2, 2)
    return pl.DataFrame(columns), notes


def _objects(path: Path) -> dict[str, RObject]:
    """Parse the file into its named objects; the single object of an ``.rds`` is ``data``."""
    from rdata.parser import DEFAULT_ALTREP_MAP, RObjectType

    sequences = (b"compact_intseq", b"compact_realseq")
    bounded = {kind: _bounded(DEFAULT_ALTREP_MAP[kind], path) for kind in sequences}
    collecting = gc.isenabled()
    gc.disable()  # millions of small objects, none of them garbage: collecting costs half the time
    try:
        with warnings.catch_warnings():
            # The parser guesses the kind from the content, and remarks on it.
            warnings.filterwarnings("ignore", message="Unknown file type", category=UserWarning)
            root = parse(unpacked(path), {**DEFAULT_ALTREP_MAP, **bounded}).object
    finally:
        if collecting:
            gc.enable()
    if root.info.type is not RObjectType.LIST:
        return {"data": root}
    found: dict[str, RObject] = {}
    node: Any = root
    while node is not None and node.info.type is RObjectType.LIST:
        found[_symbol(node.tag)] = node.value[0]
        node = node.value[1]
    return found


def _bounded(make: Callable[[RObject], Any], path: Path) -> Callable[[RObject], Any]:
    """Refuse what a few bytes say is long: a sequence, of which R keeps the length, the start and the step alone."""

    def made(state: RObject) -> Any:
        length = float(state.value[0])
        if length > MOST_VALUES:
            raise DataError(
                f"{path}: a sequence of {length:,.0f}; expected at most {MOST_VALUES:,}"
            )
        return make(state)

    return made


def _symbol(tag: Any) -> str:
    symbol = tag.referenced_object if tag.referenced_object is not None else tag
    return _text(symbol.value) or ""


def _attributes(thing: RObject) -> dict[str, Any]:
    """Give the attributes of an R object by name."""
    from rdata.parser import RObjectType

    found: dict[str, Any] = {}
    node: Any = thing.attributes
    while node is not None and node.info.type is RObjectType.LIST:
        found[_symbol(node.tag)] = node.value[0]
        node = node.value[1]
    return found


def _classes(thing: RObject) -> list[str]:
    attributes = _attributes(thing)
    return [c for c in _strings(attributes["class"]) if c] if "class" in attributes else []


def _strings(thing: RObject) -> list[str | None]:
    return [_text(element) for element in thing.value]


def _text(element: Any) -> str | None:
    """Decode an R string; NA is None. Old files hold Latin-1 without saying so."""
    raw = element.value
    if raw is None:
        return None
    if isinstance(raw, str):
        return raw
    try:
        return str(raw, "utf-8")
    except UnicodeDecodeError:
        return str(raw, "latin-1")


def _column(name: str, column: RObject, path: Path) -> pl.Series:
    import numpy as np
    import polars as pl
    from rdata.parser import RObjectType

    kind = column.info.type
    classes = _classes(column)
    if kind is RObjectType.STR:
        return pl.Series(name, _strings(column), dtype=pl.String)
    if kind not in {RObjectType.INT, RObjectType.LGL, RObjectType.REAL}:
        raise DataError(
            f"{path}: column '{name}' holds R {kind.name.lower()} values, "
            "expected text, numbers, truths or geometry"
        )
    values = np.ma.getdata(column.value)
    missing = np.ma.getmaskarray(np.ma.asarray(column.value))
    if "factor" in classes:
        levels = _strings(_attributes(column)["levels"])
        return pl.Series(
            name,
            [
                None if gone else levels[int(code) - 1]
                for code, gone in zip(values, missing, strict=True)
            ],
            dtype=pl.String,
        )
    dtype: Any = {RObjectType.LGL: pl.Boolean, RObjectType.INT: pl.Int64}.get(kind, pl.Float64)
    if kind is RObjectType.LGL:
        values = values.astype(bool)
    series = pl.Series(name, np.asarray(values), dtype=None).cast(dtype)
    if missing.any():
        series = series.set(pl.Series(missing), None)
    if dtype == pl.Float64:
        series = series.fill_nan(None)
    if "Date" in classes:
        return series.cast(pl.Int32).cast(pl.Date)
    return series


def wkb_of_sfc(column: Any, path: Path) -> tuple[pl.Series, list[str]]:
    """Turn a simple feature column of R into WKB."""
    import numpy as np
    import shapely

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
    return finish(to_wgs84(geometry, system, path), path)


def _ncol(ring: Any) -> int:

    return int(_attributes(ring)["dim"].value[1])
