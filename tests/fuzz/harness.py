"""What every fuzzer shares: cases by seed, a process that outlives them, and an account of how each ended.

A case is a folder of files and something done with it. It ends well with a result, or with an error of
the program's own. Anything else is a fault: another error (a panic of a library too), a case that takes
too much processor time, or one that ends the process.
"""

from __future__ import annotations

import faulthandler
import json
import math
import os
import random
import shutil
import signal
import subprocess
import sys
import time
import traceback
import warnings
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from commonweal.errors import CommonwealError
from commonweal.sources import sandbox
from tests.fuzz.apart import Kept

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

resource = pytest.importorskip("resource", reason="bounds on a process are POSIX")

LIMIT_S = 30
"""Processor time of one case: the slowest takes two seconds, most a hundredth of one."""

WAIT_S = 600
"""Until a case is given up that waits for something and takes no processor time; its copies have less."""

MEMORY = 8 << 30
"""Bytes of memory that the process may ask for: less than any machine has that the tests run on."""

LONGEST = 4_000
"""Letters of a message: three lines that name a thing each are far below."""

ONE_THREAD = ("POLARS_MAX_THREADS", "NUMBA_NUM_THREADS", "OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS")
"""Small tables are read faster without others to wake."""

VALID = 20
"""One case in so many is not changed, and has to be accepted."""

CLEAN, ACCEPTED, RUN, RAW, HANG, CRASH = "clean", "accepted", "run", "raw", "hang", "crash"
GOOD = (CLEAN, ACCEPTED, RUN)


@dataclass(frozen=True)
class Fuzzer:
    """A format.

    Attributes
    ----------
    name
        What it is called.
    write
        Writes the files of a case into a folder; with so many changes, none of which gives a valid one.
    run
        Reads them; gives whether it also computed something from them.
    """

    name: str
    write: Callable[[random.Random, Path, int], None]
    run: Callable[[Path], bool]


@dataclass(frozen=True)
class Fault:
    """A case that did not end well: which, how, where, and the folder that it can be run again from."""

    case: int
    kind: str
    where: str
    told: str
    folder: Path

    @property
    def size(self) -> int:
        return sum(f.stat().st_size for f in self.folder.rglob("*") if f.is_file())


@dataclass
class Account:
    """How the cases of a fuzzer ended."""

    name: str
    seed: int
    ends: dict[str, int] = field(
        default_factory=lambda: dict.fromkeys((*GOOD, RAW, HANG, CRASH), 0)
    )
    faults: list[Fault] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def cases(self) -> int:
        return sum(self.ends.values())

    def row(self) -> list[str]:
        e = self.ends
        return [self.name, *(f"{n:,}" for n in (self.cases, e[CLEAN], e[ACCEPTED] + e[RUN], e[RUN],
        e[RAW], e[HANG], e[CRASH]))]  # fmt: skip

    def lines(self) -> Iterator[str]:
        """Each class of faults with its smallest case."""
        classes: dict[tuple[str, str], list[Fault]] = {}
        for fault in self.faults:
            classes.setdefault((fault.kind, fault.where), []).append(fault)
        for (kind, where), faults in sorted(classes.items(), key=lambda c: -len(c[1])):
            least = min(faults, key=lambda f: f.size)
            yield f"{self.name}: {kind}, {len(faults)} cases: {where}"
            yield f"    seed {self.seed}, case {least.case}: {least.told[:300]}"
            yield f"    python -m tests.fuzz --again {self.name} {least.folder}"


HEAD = ["fuzzer", "cases", "clean errors", "accepted", "run", "raw errors", "hangs", "crashes"]


def table(accounts: list[Account]) -> str:
    """Lay the accounts out with their total."""
    rows = [a.row() for a in accounts]
    total = [sum(int(r[i].replace(",", "")) for r in rows) for i in range(1, len(HEAD))]
    rows = [HEAD, *rows, ["all", *(f"{n:,}" for n in total)]]
    wide = [max(len(r[i]) for r in rows) for i in range(len(HEAD))]
    lines = [
        " | ".join(c.ljust(w) if i == 0 else c.rjust(w) for i, (c, w) in enumerate(zip(r, wide, strict=True)))
        for r in rows
    ]  # fmt: skip
    return "\n".join([lines[0], "-|-".join("-" * w for w in wide), *lines[1:]])


def make_case(fuzzer: Fuzzer, seed: int, case: int, folder: Path) -> None:
    """Write the files of a case: every twentieth is valid, the others have one to four changes."""
    rng = random.Random(f"{seed} {fuzzer.name} {case}")
    folder.mkdir(parents=True)
    fuzzer.write(rng, folder, rng.choice((1, 1, 1, 2, 2, 4)) if case % VALID else 0)


def try_case(fuzzer: Fuzzer, folder: Path) -> tuple[str, str, str]:
    """Run a case: how it ended, where if not well, and what was said."""
    try:
        ran = fuzzer.run(folder)
    except CommonwealError as error:
        said = str(error)
        if len(said) > LONGEST:
            return RAW, f"a message of {len(said) // 1000:,} thousand letters", said[:300]
        if not said.strip() or "Traceback" in said:
            return RAW, f"says nothing: {_place(error)}", said
        return CLEAN, "", said
    except (KeyboardInterrupt, SystemExit):
        raise
    except BaseException as error:  # a panic of Rust is no Exception
        return RAW, f"{type(error).__name__} at {_place(error)}", " ".join(str(error).split())
    return RUN if ran else ACCEPTED, "", ""


def _place(error: BaseException) -> str:
    """Where in the program an error came from: the innermost line of its own."""
    frames = traceback.extract_tb(error.__traceback__)
    own = [
        f
        for f in frames
        if "commonweal" in Path(f.filename).parts and "src" in Path(f.filename).parts
    ]
    at = own[-1] if own else frames[-1]
    return f"{Path(at.filename).name}:{at.lineno} {at.name}"


class Worker:
    """A process that runs cases, started again after one that ends it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.process: subprocess.Popen[str] | None = None

    def fuzz(self, name: str, cases: int, seed: int, first: int = 0) -> Account:
        """Run the cases of a fuzzer."""
        account, case = Account(name, seed), first
        while case < cases:
            process = self._ask(name, seed, case, cases)
            for line in iter(process.stdout.readline, ""):  # type: ignore[union-attr]
                end = json.loads(line)
                self._note(account, **end)
                case = end["case"] + 1
                if case == cases:
                    break
            else:
                code = process.wait()
                self.close()
                hung = code in (-signal.SIGXCPU, -signal.SIGALRM)
                kind, where = (HANG, "") if hung else (CRASH, f"ended by {code}, ")
                said = self._complaint()
                self._note(account, case, kind, where + said[0], said[1], 0.0)
                case += 1
        return account

    def close(self) -> None:
        if self.process is not None:
            self.process.communicate()
            self.process = None

    def _ask(self, name: str, seed: int, case: int, cases: int) -> subprocess.Popen[str]:
        if self.process is None:
            self.folder.mkdir(parents=True, exist_ok=True)
            own = {k: v for k, v in os.environ.items() if not k.startswith("COMMONWEAL_")}
            cache = {"COMMONWEAL_CACHE": str(self.folder / "cache"), "COMMONWEAL_OFFLINE": "1"}
            threads = dict.fromkeys(ONE_THREAD, "1")
            with (self.folder / "complaints").open("wb") as complaints:
                self.process = subprocess.Popen(
                    [sys.executable, "-m", "tests.fuzz", "--worker", str(self.folder)],
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=complaints,
                    text=True,
                    env={**own, **cache, **threads, "PYTHONPATH": os.pathsep.join(sys.path)},
                    bufsize=1,
                )
        self.process.stdin.write(json.dumps([name, seed, case, cases]) + "\n")  # type: ignore[union-attr]
        self.process.stdin.flush()  # type: ignore[union-attr]
        return self.process

    def _note(self, account: Account, case: int, end: str, where: str, told: str, seconds: float) -> None:  # fmt: skip
        account.ends[end] += 1
        account.seconds += seconds
        if end not in GOOD:
            folder = self.folder / "cases" / account.name / str(case)
            account.faults.append(Fault(case, end, where, told, folder))

    def _complaint(self) -> tuple[str, str]:
        """What a process said before it ended: the innermost line of the program, and the last words."""
        lines = (self.folder / "complaints").read_text("utf-8", "replace").splitlines()
        own = [line.strip() for line in lines if "src/commonweal/" in line]
        return (own[0].rpartition("src/commonweal/")[2] if own else ""), " ".join(lines[-3:])


def work(folder: Path, fuzzers: dict[str, Fuzzer]) -> None:
    """Run what is asked for on the standard input; the files of what does not end well are kept."""
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    quiet = os.open(os.devnull, os.O_WRONLY)
    os.dup2(quiet, 1)  # what libraries print is not an answer
    bound_process()
    kept = Kept()
    kept.ends_with_its_case = True
    kept.start()
    sandbox.subprocess = kept  # type: ignore[attr-defined]
    for line in sys.stdin:
        name, seed, first, cases = json.loads(line)
        for case in range(first, cases):
            here = folder / "cases" / name / str(case)
            shutil.rmtree(here, ignore_errors=True)
            make_case(fuzzers[name], seed, case, here)
            start = bound_case()
            end, where, told = try_case(fuzzers[name], here)
            if end == CLEAN and not case % VALID:
                end, where = RAW, "refuses what is valid"
            answer: dict[str, Any] = {"case": case, "end": end, "where": where, "told": told[:1000]}
            answer["seconds"] = round(time.process_time() - start, 4)
            signal.alarm(0)
            if end in GOOD:
                shutil.rmtree(here)
            answers.write(json.dumps(answer) + "\n")


def bound_process() -> None:
    """Bound memory, and say where the process was when its time ran out or it was ended."""
    warnings.simplefilter("ignore")
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    faulthandler.enable()
    faulthandler.register(signal.SIGXCPU, chain=True)
    faulthandler.register(signal.SIGALRM, chain=True)


def bound_case() -> float:
    """Bound the time of what comes next; give the processor time used so far."""
    used = time.process_time()
    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    resource.setrlimit(resource.RLIMIT_CPU, (math.ceil(used) + LIMIT_S, hard))
    signal.alarm(WAIT_S)
    return used
