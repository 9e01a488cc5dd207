"""Files of others are not trusted: unpacked within limits, read in a process of their own, their faults named."""

from __future__ import annotations

import bz2
import errno
import gzip
import io
import json
import lzma
import os
import signal
import subprocess
import sys
import tempfile
import threading
import zipfile
from contextlib import contextmanager, suppress
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from commonweal import errors
from commonweal.errors import CommonwealError, DataError, SourceError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import polars as pl


_MOST_LETTERS = 200
_STDERR = 2
_hushing = threading.RLock()
"""A process has one standard error: of two threads, the second would give back what the first put in its place."""


@contextmanager
def explain_damage(file: Path | str, wrong: str, hush: bool = False) -> Iterator[None]:
    r"""Turn whatever a library raises at a file's content into one error.

    Readers raise a dozen classes at bytes that they do not expect, and those written in Rust panic, which is no
    `Exception` and prints itself.
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
    except IsADirectoryError:
        raise SourceError(f"{file} is a folder; expected a file") from None
    except PermissionError:
        raise SourceError(f"{file} may not be read by this user") from None
    except BaseException as error:
        reason = reason_of(error)
        if reason and not isinstance(error, Exception):  # to end the program, as Ctrl-C does
            raise
        if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise SourceError(
                f"{file}: no room left on the disk to unpack it; free some, or set TMPDIR to a folder on another"
            ) from None
        raise DataError(f"{file}: {wrong}" + (f" ({reason})" if reason else "")) from None


def reason_of(error: BaseException) -> str:
    """Give the first line of an error, or its class where it says nothing; '' for a panic of Rust.

    What a panic says is of the library's own lines, not of the file.

    >>> reason_of(MemoryError())
    'MemoryError'
    """
    if type(error).__name__ == "PanicException":
        return ""
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


MOST_SQUEEZED = 200
"""Tables are 5 to 50 times larger than when packed; what is far beyond that was made to fill a memory."""

SMALL_BYTES = 100_000_000
"""What unpacks to less may be squeezed as it likes."""

_PIECE = 1 << 20


def check_size(file: str, packed: int, size: int) -> None:
    """Refuse what would unpack to far more than it is.

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
def open_zip(path: Path) -> Iterator[zipfile.ZipFile]:
    """Open a zip, whose content may be read within."""
    with explain_damage(path, "the zip is damaged or cut short"), zipfile.ZipFile(path) as archive:
        # What an entry says of its packed size need not be true; the file's own is.
        check_size(str(path), path.stat().st_size, sum(e.file_size for e in archive.infolist()))
        if any(entry.flag_bits & 1 for entry in archive.infolist()):
            raise DataError(f"{path}: the zip is encrypted; expected one without a password")
        yield archive


def decompressed(path: Path) -> bytes:
    """Give the content of a file that may be packed by gzip, bzip2 or xz."""
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


MEMORY_BYTES = 8_000_000_000
"""What a reader may ask for, where the system can hold it to that: the largest sheet takes half of it."""

PROCESSOR_S = 600
"""Seconds of processor time that a reader may take, where the system can hold it to that: far more than
the largest file needs."""

_START = (
    "import sys; sys.path[:] = {path!r}; from commonweal.sources.sandbox import _serve; _serve()"
)
_ONE_THREAD = dict.fromkeys(("POLARS_MAX_THREADS", "OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS"), "1")


def in_subprocess(
    read: Callable[..., tuple[pl.DataFrame, Any]], path: Path, wrong: str, **options: Any
) -> tuple[pl.DataFrame, Any]:
    """Read a file in a process apart."""
    import polars as pl

    asked = {"read": [read.__module__, read.__name__], "path": str(path), "options": options}
    done = subprocess.run(
        [sys.executable, "-I", "-c", _START.format(path=sys.path)],
        input=json.dumps(asked).encode(),
        capture_output=True,
        env={**os.environ, **_ONE_THREAD},
        check=False,
    )
    head, _, rest = done.stdout.partition(b"\n")
    if done.returncode or not head:
        raise DataError(f"{path}: {wrong} (its reader broke down: {_end_of(done)})")
    told = json.loads(head)
    if "error" in told:
        kind: type[CommonwealError] = getattr(errors, told["error"], DataError)
        error = kind.__new__(kind)
        reason = f" ({told['message']})" if told["message"] else ""
        error.args = (told["message"] if told["error"] else f"{path}: {wrong}{reason}",)
        raise error
    return pl.read_ipc_stream(io.BytesIO(rest)), told["about"]


def _end_of(done: subprocess.CompletedProcess[bytes]) -> str:
    """Say how a process ended."""
    if done.returncode < 0:
        if -done.returncode == getattr(signal, "SIGXCPU", None):
            return f"it took more than {PROCESSOR_S} seconds of processor time"
        return signal.strsignal(-done.returncode) or f"signal {-done.returncode}"
    lines = done.stderr.decode("utf-8", "replace").strip().splitlines()
    return lines[-1][:200] if lines else f"exit code {done.returncode}"


def _serve() -> None:
    """Read what is asked for on standard input, and write the answer to standard output."""
    out = os.dup(1)
    os.dup2(2, 1)  # what a library prints is no part of the answer
    _limit()
    packed = io.BytesIO()
    try:
        asked = json.load(sys.stdin.buffer)
        module, name = asked["read"]
        read = getattr(import_module(module), name)
        table, about = read(Path(asked["path"]), **asked["options"])
        table.write_ipc_stream(packed)
        head: dict[str, Any] = {"about": about}
    except BaseException as error:  # a panic of Rust is no Exception
        own = isinstance(error, CommonwealError)
        head = {"error": type(error).__name__ if own else ""}
        head["message"] = str(error) if own else reason_of(error)
        packed = io.BytesIO()
    with os.fdopen(out, "wb") as answer:
        answer.write(json.dumps(head).encode() + b"\n")
        answer.write(packed.getbuffer())


def _limit() -> None:
    try:
        import resource
    except ImportError:  # Windows
        return
    for kind, most in (
        (resource.RLIMIT_AS, MEMORY_BYTES),
        (resource.RLIMIT_CPU, PROCESSOR_S),
        (resource.RLIMIT_CORE, 0),
    ):
        soft, hard = resource.getrlimit(kind)
        if soft == resource.RLIM_INFINITY or most < soft:
            with suppress(OSError, ValueError):  # some systems have the limit and do not set it
                resource.setrlimit(kind, (most, hard))
