"""The process in which Excel, SPSS, Stata and maps are read, kept ready: a copy of it is made for each file.

The program starts a fresh one for each file, which takes half a second; fuzzers read thousands. What runs in the
copy is the same, and a copy that breaks down is noticed in the same way. One that takes too much processor
time is a hang of the case. A copy can also be born with a lock that another thread held, and wait for it without
end: one that does not come back is killed, and the file is read in a fresh process, which shows whether it was
the file.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from commonweal.sources import sandbox as apart

READERS = (
    "commonweal.survey.read",
    "commonweal.sources.tabular",
    "commonweal.sources.geometry",
    "fastexcel",
    "polars",
    "pyogrio",
    "pyproj",
    "pyreadstat",
    "shapely",
)

CHILD_S = 30
"""Processor time of one file, as that of a case: most take a hundredth of a second."""

WAIT_S = 120
"""Until a copy is given up that may never end: it takes a hundredth of a second, on a loaded machine a second."""


def keep_ready() -> subprocess.Popen[str]:
    """Take the place of what `apart` starts its processes with; gives the process that is copied."""
    environment = {**os.environ, **apart._ONE_THREAD, "PYTHONPATH": os.pathsep.join(sys.path)}
    ready = subprocess.Popen(
        [sys.executable, "-c", "from tests.fuzz.apart import _copy; _copy()"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=environment,
    )

    def run(args: list[str], *, input: bytes, **how: Any) -> subprocess.CompletedProcess[bytes]:  # noqa: A002
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            (folder / "0").write_bytes(input)
            ready.stdin.write(json.dumps(name) + "\n")  # type: ignore[union-attr]
            ready.stdin.flush()  # type: ignore[union-attr]
            told = ready.stdout.readline()  # type: ignore[union-attr]
            assert told, "the process that is kept ready has ended"
            code = int(told)
            if code == -signal.SIGALRM:
                try:
                    return subprocess.run(args, input=input, timeout=WAIT_S, **how)  # type: ignore[no-any-return]
                except subprocess.TimeoutExpired:
                    code = -signal.SIGXCPU
            if code == -signal.SIGXCPU:
                os.kill(os.getpid(), signal.SIGXCPU)
            out, err = ((folder / fd).read_bytes() for fd in "12")
        return subprocess.CompletedProcess(args, code, out, err)

    apart.subprocess = SimpleNamespace(run=run)  # type: ignore[attr-defined]
    return ready


def _copy() -> None:
    """For each folder on the standard input, answer in a copy of this process; give its exit code."""
    for module in READERS:
        import_module(module)
    child, late = 0, False

    def give_up(*_: object) -> None:
        nonlocal late
        late = True
        os.kill(child, signal.SIGKILL)

    signal.signal(signal.SIGALRM, give_up)
    for line in sys.stdin:
        folder = Path(json.loads(line))
        child, late = os.fork(), False
        if not child:
            for fd, how in (
                (0, os.O_RDONLY),
                (1, os.O_WRONLY | os.O_CREAT),
                (2, os.O_WRONLY | os.O_CREAT),
            ):
                os.dup2(os.open(folder / str(fd), how, 0o600), fd)
            sys.stdin = os.fdopen(0)
            import resource  # of POSIX, as forks are

            resource.setrlimit(resource.RLIMIT_CPU, (CHILD_S, resource.RLIM_INFINITY))
            apart._serve()
            os._exit(0)
        signal.alarm(WAIT_S)
        _, status = os.waitpid(child, 0)
        signal.alarm(0)
        print(-signal.SIGALRM if late else os.waitstatus_to_exitcode(status), flush=True)
