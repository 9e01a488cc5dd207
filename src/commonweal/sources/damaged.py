"""What a library raises at a damaged file, turned in one place into an error that names the file."""

from __future__ import annotations

import errno
import os
import sys
import tempfile
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

from commonweal.errors import CommonwealError, DataError, SourceError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["reading", "reason_of"]

_MOST_LETTERS = 200
_STDERR = 2
_hushing = threading.RLock()
"""A process has one standard error: of two threads, the second would give back what the first put in its place."""


@contextmanager
def reading(file: Path | str, wrong: str, hush: bool = False) -> Iterator[None]:
    r"""Turn whatever a library raises at a file's content into one error.

    Readers raise a dozen classes at bytes that they do not expect, and those written in Rust panic, which is
    no `Exception` and prints itself.

    Parameters
    ----------
    file
        The file, for the message.
    wrong
        What is the matter with it if anything is raised, such as ``not a whole Parquet file``.
    hush
        Whether to keep what is printed meanwhile off the terminal if anything is raised.

    Raises
    ------
    SourceError
        If the file is not there or may not be read, or there is no room on the disk.
    DataError
        In place of any other error but the program's own.

    Examples
    --------
    >>> with reading("halls.zip", "not a whole zip"):
    ...     raise ValueError("bad magic number\nin line 1")
    Traceback (most recent call last):
    commonweal.errors.DataError: halls.zip: not a whole zip (bad magic number)
    """
    try:
        if hush:
            with _hushing, _hushed():
                yield
        else:
            yield
    except CommonwealError:
        raise
    except FileNotFoundError:
        raise SourceError(f"{file} is not there") from None
    except PermissionError:
        raise SourceError(f"{file} may not be read by this user") from None
    except BaseException as error:
        if not isinstance(error, Exception) and type(error).__name__ != "PanicException":
            raise
        if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise SourceError(
                f"{file}: no room left on the disk to unpack it; free some, or set TMPDIR to a folder on another"
            ) from None
        raise DataError(f"{file}: {wrong} ({reason_of(error)})") from None


def reason_of(error: BaseException) -> str:
    """Give the first line of an error, or its class where it says nothing.

    Examples
    --------
    >>> reason_of(MemoryError())
    'MemoryError'
    """
    lines = str(error).strip().splitlines()
    return lines[0][:_MOST_LETTERS] if lines else type(error).__name__


@contextmanager
def _hushed() -> Iterator[None]:
    """Keep standard error back, down to what Rust writes; let it out if nothing is raised."""
    if sys.stderr is not None:  # a program without a console has none
        sys.stderr.flush()
    try:
        kept = os.dup(_STDERR)
    except OSError:  # there is none
        yield
        return
    with tempfile.TemporaryFile() as held:
        os.dup2(held.fileno(), _STDERR)
        try:
            yield
            held.seek(0)
            os.write(kept, held.read())
        finally:
            os.dup2(kept, _STDERR)
            os.close(kept)
