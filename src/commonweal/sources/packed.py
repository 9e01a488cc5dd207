"""Packed files: opened with one limit on what they may unpack to, and one message where they are damaged."""

from __future__ import annotations

import bz2
import gzip
import lzma
import zipfile
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from commonweal.errors import DataError
from commonweal.sources.damaged import reading

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["check_size", "opened_zip", "unpacked"]

MOST_SQUEEZED = 200
"""Tables are 5 to 50 times larger than when packed; what is far beyond that was made to fill a memory."""

SMALL_BYTES = 100_000_000
"""What unpacks to less may be squeezed as it likes."""

_PIECE = 1 << 20


def check_size(file: str, packed: int, size: int) -> None:
    """Refuse what would unpack to far more than it is.

    Parameters
    ----------
    file
        What is packed, for the message.
    packed, size
        Its bytes as it is and unpacked.

    Raises
    ------
    DataError
        If it is over 100 MB and over 200 times its size.

    Examples
    --------
    >>> check_size("halls.csv", 1_000_000, 3_000_000_000)
    Traceback (most recent call last):
    commonweal.errors.DataError: halls.csv would unpack to 3,000 MB, 3,000 times its size; expected at most 200 times
    """
    squeezed = size / max(packed, 1)
    if size > SMALL_BYTES and squeezed > MOST_SQUEEZED:
        raise DataError(
            f"{file} would unpack to {size / 1e6:,.0f} MB, {squeezed:,.0f} times its size; "
            f"expected at most {MOST_SQUEEZED} times"
        )


@contextmanager
def opened_zip(path: Path) -> Iterator[zipfile.ZipFile]:
    """Open a zip, whose content may be read within.

    Raises
    ------
    DataError
        If it is damaged, cut short, encrypted, or would unpack to far more than it is.
    """
    with reading(path, "the zip is damaged or cut short"), zipfile.ZipFile(path) as archive:
        # What an entry says of its packed size need not be true; the file's own is.
        check_size(str(path), path.stat().st_size, sum(e.file_size for e in archive.infolist()))
        if any(entry.flag_bits & 1 for entry in archive.infolist()):
            raise DataError(f"{path}: the zip is encrypted; expected one without a password")
        yield archive


def unpacked(path: Path) -> bytes:
    """Give the content of a file that may be packed by gzip, bzip2 or xz.

    Raises
    ------
    DataError
        If it would unpack to far more than it is.
    OSError, EOFError, lzma.LZMAError, zlib.error
        If it is damaged.
    """
    with path.open("rb") as raw:
        start = raw.read(2)
    kinds: dict[bytes, Any] = {b"\x1f\x8b": gzip.open, b"BZ": bz2.open, b"\xfd7": lzma.open}
    if start not in kinds:
        return path.read_bytes()
    packed, pieces, size = path.stat().st_size, list[bytes](), 0
    with kinds[start](path) as file:
        while piece := file.read(_PIECE):
            pieces.append(piece)
            size += len(piece)
            check_size(str(path), packed, size)
    return b"".join(pieces)
