"""Readers that stand in for those of damaged and sound files: in a module that a process apart imports quickly."""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING, Any

import polars as pl

from commonweal.errors import UnknownNameError

if TYPE_CHECKING:
    from pathlib import Path


def badly(path: Path, how: str) -> tuple[pl.DataFrame, Any]:
    """Stand in for a reader of a damaged file."""
    print("what a library prints is no part of the answer")
    if how == "crash":
        os.kill(os.getpid(), signal.SIGSEGV)
    if how == "gorge":
        bytearray(10**12)
    if how == "hang":
        import resource

        assert resource.getrlimit(resource.RLIMIT_CPU)[0] == 600
        os.kill(os.getpid(), signal.SIGXCPU)  # what the system does when they are over
    if how == "refuse":
        raise UnknownNameError("column", "incme", ["income"])
    raise ValueError(f"no luck\nwith {path}")


def well(path: Path, rows: int) -> tuple[pl.DataFrame, Any]:
    words = ["é", None, "é"]
    return pl.DataFrame({"n": range(rows), "word": words[:rows]}), {"rows": rows}
