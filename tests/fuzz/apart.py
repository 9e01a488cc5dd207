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
import threading
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryFile
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

ROOT = Path(__file__).parents[2]

CHILD_S = 30
"""Processor time of one file, as that of a case: most take a hundredth of a second."""

WAIT_S = 120
"""Until a copy is given up that may never end: it takes a hundredth of a second, on a loaded machine a second."""


class Kept:
    """Stands in for `subprocess` where the program starts its readers; the process is started at the first file."""

    def __init__(self) -> None:
        self.process: subprocess.Popen[bytes] | None = None
        self.turn = threading.Lock()

    def __enter__(self) -> Kept:
        return self

    def __exit__(self, *_: object) -> None:
        if self.process is not None:
            self.process.communicate(timeout=WAIT_S)

    def start(self) -> subprocess.Popen[bytes]:
        """Start the process that is copied."""
        environment = {**os.environ, **apart._ONE_THREAD, "PYTHONPATH": os.pathsep.join(sys.path)}
        self.process = subprocess.Popen(
            [sys.executable, "-c", "from tests.fuzz.apart import _copy; _copy()"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=environment,
            cwd=ROOT,
        )
        return self.process

    def run(
        self,
        args: list[str],
        *,
        input: bytes,  # noqa: A002
        **how: Any,
    ) -> subprocess.CompletedProcess[bytes]:
        """Answer as `subprocess.run` does."""
        with self.turn:
            ready = self.process or self.start()
            assert ready.stdin is not None
            assert ready.stdout is not None
            ready.stdin.write(json.dumps([input.decode(), str(Path.cwd())]).encode() + b"\n")
            ready.stdin.flush()
            told = ready.stdout.readline()
            assert told, "the process that is kept ready has ended"
            code, *sizes = json.loads(told)
            out, err = map(ready.stdout.read, sizes)
        if code == -signal.SIGALRM:
            try:
                return subprocess.run(args, input=input, timeout=WAIT_S, **how)  # type: ignore[no-any-return]
            except subprocess.TimeoutExpired:
                code = -signal.SIGXCPU
        if code == -signal.SIGXCPU and self.ends_with_its_case:
            os.kill(os.getpid(), signal.SIGXCPU)
        return subprocess.CompletedProcess(args, code, out, err)

    ends_with_its_case = False
    """Whether a file that takes too long ends this process too: the case of a fuzzer hangs, then."""


def _copy() -> None:
    """For each line on the standard input, answer in a copy of this process; give its exit code and what it wrote."""
    for module in READERS:
        import_module(module)
    child, late = 0, False

    def give_up(*_: object) -> None:
        nonlocal late
        late = True
        os.kill(child, signal.SIGKILL)

    signal.signal(signal.SIGALRM, give_up)
    for line in sys.stdin.buffer:
        asked, folder = json.loads(line)
        with TemporaryFile() as given, TemporaryFile() as out, TemporaryFile() as err:
            given.write(asked.encode())
            given.seek(0)
            child, late = os.fork(), False
            if not child:
                try:
                    os.chdir(folder)
                    for fd, file in enumerate((given, out, err)):
                        os.dup2(file.fileno(), fd)
                    sys.stdin = os.fdopen(0)
                    import resource  # of POSIX, as forks are

                    _, most = resource.getrlimit(resource.RLIMIT_CPU)
                    resource.setrlimit(resource.RLIMIT_CPU, (CHILD_S, most))
                    apart._serve()
                    os._exit(0)
                finally:
                    os._exit(1)
            signal.alarm(WAIT_S)
            _, status = os.waitpid(child, 0)
            signal.alarm(0)
            out.seek(0)
            err.seek(0)
            wrote = out.read(), err.read()
        code = -signal.SIGALRM if late else os.waitstatus_to_exitcode(status)
        sys.stdout.buffer.write(json.dumps([code, *map(len, wrote)]).encode() + b"\n")
        sys.stdout.buffer.writelines(wrote)
        sys.stdout.flush()
