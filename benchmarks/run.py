"""Warm runs of `left-behind-2023` and `open-england`, all outputs included, as a user runs them.

Claims on two cores: left-behind-2023 15 s and 1.5 GB with 10,000 draws, 6 s without draws;
open-england 60 s and 3 GB as it ships; `--help` under 0.5 s.
Needs the data (COMMONWEAL_MIRROR or the network). Each line gives seconds, the ratio to the claim and
the peak memory of the whole process tree's largest process.
"""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import tempfile
import time

CLAIMS = [
    ("--help", ["--help"], 0.5),
    ("no draws", ["run", "left-behind-2023", "--draws", "0"], 6.0),
    ("10,000 draws", ["run", "left-behind-2023", "--draws", "10000"], 15.0),
    ("open-england", ["run", "open-england"], 60.0),
]


def measure(arguments: list[str]) -> tuple[float, float]:
    start = time.perf_counter()
    command = [sys.executable, "-m", "commonweal", *arguments]
    child = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(child.pid, 0)
    if status:
        raise SystemExit(f"{' '.join(command)} failed")
    return time.perf_counter() - start, usage.ru_maxrss / 1e6


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        out = ["--out", f"{folder}/results"]
        for study in ("left-behind-2023", "open-england"):  # converts and compiles
            measure(["run", study, "--draws", "200", *out])
        for name, arguments, claim in CLAIMS:
            where = out if arguments[0] == "run" else []
            seconds, gigabytes = min(measure([*arguments, *where]) for _ in range(3))
            print(
                f"{name:<14} {seconds:6.2f} s, {seconds / claim:4.2f} of the {claim:g} s claimed; "
                f"peak memory {gigabytes:.2f} GB"
            )
    children = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1e6
    print(f"largest process of all: {children:.2f} GB")


if __name__ == "__main__":
    main()
