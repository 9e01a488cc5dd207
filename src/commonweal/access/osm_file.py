"""An OpenStreetMap file (PBF) is looked through before osmium reads it, which trusts the texts in it.

The format: https://wiki.openstreetmap.org/wiki/PBF_Format
"""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING, Any

from commonweal.errors import DataError
from commonweal.files.extras import needs

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_LARGEST_HEAD, _LARGEST_BLOB = 64 << 10, 32 << 20
"""Bytes of a block's two parts, of which the second may be packed: the format allows no more."""

_TYPE, _SIZE = 1, 3
_PLAIN, _PACKED_BY_ZLIB = 1, 3
_TEXTS = 1
_SHOWN = 60


def check_texts(path: Path) -> None:
    """Refuse a map that has a NUL in a text.

    osmium takes it for the end of the text, and what follows for the next one. So it reads on beyond the tags of an
    element: it finds tags of something else, or its process ends.
    """
    with needs("access"):  # told before a file is looked through for nothing
        import osmium  # noqa: F401

    for number, block in enumerate(_blocks(path), 1):
        for field, texts in _fields(block):
            if field != _TEXTS or 0 not in texts:
                continue
            for _, text in _fields(texts):
                if 0 in text:
                    found = text[:_SHOWN].decode("utf-8", "replace")
                    raise DataError(
                        f"{path}: block {number} of its data has the text {found!r}; "
                        "expected text without NUL characters"
                    )


def _blocks(path: Path) -> Iterator[bytes]:
    """Give the blocks of data; nothing of one that is packed as the standard library cannot unpack (by lz4)."""
    with path.open("rb") as file:
        while length := file.read(4):
            head = dict(_fields(_read(file, int.from_bytes(length, "big"), _LARGEST_HEAD)))
            blob = dict(_fields(_read(file, head.get(_SIZE, 0), _LARGEST_BLOB)))
            if head.get(_TYPE) != b"OSMData":
                continue
            if _PACKED_BY_ZLIB in blob:
                yield zlib.decompressobj().decompress(blob[_PACKED_BY_ZLIB], _LARGEST_BLOB)
            else:
                yield blob.get(_PLAIN, b"")


def _read(file: Any, size: int, most: int) -> bytes:
    if size > most:
        raise ValueError(f"a part of {size:,} bytes; expected at most {most:,}")
    found: bytes = file.read(size)
    if len(found) < size:
        raise ValueError("it is cut short")
    return found


def _fields(message: bytes) -> Iterator[tuple[int, Any]]:
    """Give the number and content of each field of a protocol buffer: bytes, or a number."""
    at, end = 0, len(message)
    while at < end:
        key, at = _number(message, at)
        kind = key & 7
        if kind == 0:
            content, at = _number(message, at)
            yield key >> 3, content
            continue
        if kind == 2:
            size, at = _number(message, at)
        elif kind in (1, 5):
            size = 8 if kind == 1 else 4
        else:
            raise ValueError(f"a field of kind {kind}")
        if at + size > end:
            raise ValueError("a field is cut short")
        yield key >> 3, message[at : at + size]
        at += size


def _number(message: bytes, at: int) -> tuple[int, int]:
    """Give a number of seven bits a byte, lowest first, and where it ends."""
    number = shift = 0
    while True:
        if at >= len(message):
            raise ValueError("a number is cut short")
        byte = message[at]
        at += 1
        number |= (byte & 127) << shift
        if byte < 128:
            return number, at
        shift += 7
