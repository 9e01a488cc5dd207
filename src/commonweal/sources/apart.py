"""Readers of other people's formats in a process of their own: what breaks there does not break here.

Libraries for SPSS, Stata, Excel and maps are compiled. At a damaged file one may end its process without a word, ask
for more memory than there is, or never end. In a process apart that is an error like any other.
"""

from __future__ import annotations

import io
import json
import os
import signal
import subprocess
import sys
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from commonweal import errors
from commonweal.errors import CommonwealError, DataError
from commonweal.sources.damaged import reason_of

if TYPE_CHECKING:
    from collections.abc import Callable

    import polars as pl

__all__ = ["apart"]

MEMORY_BYTES = 8_000_000_000
"""What a reader may ask for, where the system can hold it to that: the largest sheet takes half of it."""

PROCESSOR_S = 600
"""Seconds of processor time that a reader may take, where the system can hold it to that: far more than
the largest file needs."""

_START = "import sys; sys.path[:] = {path!r}; from commonweal.sources.apart import _serve; _serve()"
_ONE_THREAD = dict.fromkeys(("POLARS_MAX_THREADS", "OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS"), "1")


def apart(
    read: Callable[..., tuple[pl.DataFrame, Any]], path: Path, wrong: str, **options: Any
) -> tuple[pl.DataFrame, Any]:
    """Read a file in a process apart.

    Parameters
    ----------
    read
        A function of a module: takes the file and the options, gives a table and plain data.
    path
        The file.
    wrong
        What is the matter with it if it cannot be read, such as ``not an Excel file that can be read``.
    **options
        Plain data, as JSON has it.

    Returns
    -------
    table : polars.DataFrame
        What was read.
    about
        The plain data.

    Raises
    ------
    CommonwealError
        What the reader raised of the program's own.
    DataError
        Whatever else it raised, or if it ended before its time.
    """
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
        error.args = (told["message"] if told["error"] else f"{path}: {wrong} ({told['message']})",)
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
