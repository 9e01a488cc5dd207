"""Two folders change places in one step, where the system can; and what is written is on the disk."""

from __future__ import annotations

import ctypes
import errno
import os
import sys
from contextlib import suppress
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

__all__ = ["can_exchange", "exchange", "flush", "flush_names"]

_AT_FDCWD, _RENAME_EXCHANGE = -100, 1 << 1
"""Linux, `renameat2(2)`: ``fcntl.h`` and ``linux/fs.h``."""
_RENAME_SWAP = 0x2
"""macOS, `renamex_np(2)`: ``sys/stdio.h``."""
_CANNOT = {errno.EINVAL, errno.ENOSYS, errno.ENOTSUP, errno.EPERM}
"""What a disk answers that does not know how."""


def can_exchange() -> bool:
    """Whether the system knows how; a disk may not."""
    return _call() is not None


def exchange(one: Path, other: Path) -> bool:
    """Let two folders change places, with no moment in which either name has none.

    Returns
    -------
    bool
        False where the system or the disk cannot; then nothing has changed.

    Raises
    ------
    OSError
        If one of them is not there, or may not be renamed.
    """
    call = _call()
    if call is None:
        return False
    number = call(os.fsencode(one), os.fsencode(other))
    if number in _CANNOT:
        return False
    if number:
        raise OSError(number, os.strerror(number), str(one), None, str(other))
    return True


@cache
def _call() -> Callable[[bytes, bytes], int] | None:
    """Give what asks the system, and answers with the number of its error; 0 for none."""
    if sys.platform not in ("linux", "darwin"):
        return None
    library = ctypes.CDLL(None, use_errno=True)
    if sys.platform == "linux":
        rename = getattr(library, "renameat2", None)
        if rename is None:
            return None
        rename.argtypes = [
            ctypes.c_int, ctypes.c_char_p, ctypes.c_int, ctypes.c_char_p, ctypes.c_uint,
        ]  # fmt: skip

        def on_linux(one: bytes, other: bytes) -> int:
            failed = rename(_AT_FDCWD, one, _AT_FDCWD, other, _RENAME_EXCHANGE)
            return ctypes.get_errno() if failed else 0

        return on_linux
    swap = getattr(library, "renamex_np", None)
    if swap is None:
        return None
    swap.argtypes = [ctypes.c_char_p, ctypes.c_char_p, ctypes.c_uint]

    def on_mac(one: bytes, other: bytes) -> int:
        return ctypes.get_errno() if swap(one, other, _RENAME_SWAP) else 0

    return on_mac


def flush(folder: Path) -> None:
    """Have a folder on the disk with all that is in it, so that a power cut does not empty it.

    Raises
    ------
    OSError
        If the disk has no room or a fault: what was written to it is not all there.
    """
    for path in folder.iterdir():
        if path.is_dir():
            flush(path)
        else:
            # Windows flushes only what may be written.
            _flush(path, os.O_RDWR if os.name == "nt" else os.O_RDONLY)
    flush_names(folder)


def flush_names(folder: Path) -> None:
    """Have the names in a folder on the disk; some systems do not offer it, and do without."""
    with suppress(PermissionError):
        _flush(folder, os.O_RDONLY)


def _flush(path: Path, how: int) -> None:
    descriptor = os.open(path, how)
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.ENOTSUP, errno.EBADF):
            raise
    finally:
        os.close(descriptor)
