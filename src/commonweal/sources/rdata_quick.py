"""R data in the form that R writes by default, parsed as the library does, with the commonest objects at hand.

A table is millions of texts and, where it has boundaries, of small matrices. The library makes of each an object with
some thirty calls; here these kinds are read in a few, and every other is left to it.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Any

from rdata.parser import RObject, RObjectInfo, parse_data
from rdata.parser._parser import parse_r_object_info
from rdata.parser._xdr import ParserXDR

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from rdata.parser import RData

__all__ = ["parse"]

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
