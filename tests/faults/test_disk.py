"""A disk that fails at a chosen system call while results are written: told plainly, the last good folder kept."""

from __future__ import annotations

import os
import shutil
import sys
from typing import TYPE_CHECKING, Any

import pytest

from .writing import Writing, writing_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

pytest.importorskip("resource", reason="limits and system calls of POSIX")

FULL = "the disk is full"


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("writing") / "kept"


@pytest.fixture
def writing(
    small: Any, environment: dict[str, str], tell: Callable[..., Any], kept: Path
) -> Writing:
    return writing_of(small, environment, tell, kept)


@pytest.fixture(scope="module")
def strace() -> str:
    found = shutil.which("strace")
    if found is None:
        assert os.environ.get("CI") != "true", "no strace on the path"
        pytest.skip("no strace on the path")
    return found


def told_and_kept(writing: Writing, done: Any, words: str) -> None:
    """The message is one to three lines, the last good folder is there, and nothing beside it."""
    assert done.returncode == 2, done.stderr
    assert f"results cannot be written: {words}" in done.stderr
    assert 1 <= len(done.stderr.splitlines()) <= 3
    assert writing.holds("one.yaml")
    assert writing.left() == []


KNOWN = """\
import secrets, sys
secrets.token_hex = lambda n: "0" * (2 * n)
sys.argv[0] = "commonweal"
from commonweal.cli.app import main
main()
"""
"""The command line with a known name for the folder that it writes."""


@pytest.mark.parametrize(
    ("call", "file", "error", "words"),
    [
        ("write", "new/report.html", "ENOSPC", FULL),
        ("write", "new/study.yaml", "EIO", "Input/output error"),
        ("fsync", "new/scores.parquet", "EIO", "Input/output error"),
        ("?mkdir,?mkdirat", "new", "ENOSPC", FULL),
        ("?rename,?renameat", "new", "EACCES", "no permission"),  # each platform has one of the two
        ("renameat2", "old", "EIO", "Input/output error"),
        ("renameat2", "old", "EINVAL", None),  # a disk that cannot: by two renames, then
    ],
)
def test_a_system_call_that_fails(
    writing: Writing, strace: str, call: str, file: str, error: str, words: str | None
) -> None:
    log = writing.home / "log"
    path = writing.target.parent / f".results.{'0' * 12}.{file}"
    done = writing.run(
        strace, "-f", "-qq", "--seccomp-bpf", "-o", str(log), "-P", str(path), "-e", f"trace={call}",
        "-e", f"inject={call}:error={error}", sys.executable, "-c", KNOWN, study="two.yaml",
    )  # fmt: skip
    assert "INJECTED" in log.read_text("utf-8", "replace")
    if words is None:
        assert (done.returncode, done.stderr) == (0, "")
        assert writing.holds("two.yaml")
        assert writing.left() == []
    else:
        told_and_kept(writing, done, words)


LIMITED = """\
import resource, sys
size = int(sys.argv.pop(1))
resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))
from commonweal.cli.app import main
main()
"""
"""The command line with a limit that it sets itself: a process with threads is not to be copied for that."""


@pytest.mark.parametrize("size", [2_000, 12_000])
def test_writes_that_are_cut_short(writing: Writing, size: int) -> None:
    """A limit on the size of a file: the system takes a part of what is written, then nothing."""
    done = writing.run(sys.executable, "-c", LIMITED, str(size), study="two.yaml")
    told_and_kept(writing, done, "")
