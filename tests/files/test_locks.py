"""What a killed process leaves is known by its lock, whatever its age."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import re
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest
from tests.waits import started

from commonweal.files import atomic as locks
from commonweal.files.atomic import held, owner_lives, sweep

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

NAMES = re.compile(r"\.results\.[0-9a-f]+\.new")
DAYS = 24 * 3600


def left_in(folder: Path) -> list[str]:
    return sorted(p.name for p in folder.iterdir())


@contextmanager
def another_process(folder: Path, make: str) -> Iterator[subprocess.Popen[str]]:
    """A process that has made something under its lock, and says so, and goes on for ever."""
    program = f"""
import sys, time
from pathlib import Path
from commonweal.files.atomic import held
path = Path(sys.argv[1])
with held(path):
    {make}
    print(flush=True)
    sys.stdin.read()
"""
    command = [sys.executable, "-c", program, str(folder)]
    with started(command, stdin=subprocess.PIPE, stderr=None) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "\n"
        yield process


MAKE = {
    "file": "path.write_text('half')",
    "folder": "path.mkdir(); (path / 'a').write_text('half')",
}


@pytest.mark.parametrize("make", MAKE.values(), ids=MAKE)
@pytest.mark.parametrize("days", [0, 40])
def test_what_a_killed_process_left_goes_and_what_a_living_one_writes_stays(
    tmp_path: Path, make: str, days: int
) -> None:
    path = tmp_path / ".results.0a1b.new"
    with another_process(path, make) as process:
        when = time.time() - days * DAYS
        for there in (path, tmp_path / ".results.0a1b.new.lock"):
            os.utime(there, (when, when))
        assert owner_lives(path)
        sweep(tmp_path, NAMES)
        assert path.exists()
        process.kill()
        process.wait()
        assert not owner_lives(path)
        sweep(tmp_path, NAMES)
    assert left_in(tmp_path) == []


def test_the_lock_goes_with_the_block_however_it_ends(tmp_path: Path) -> None:
    path = tmp_path / ".results.0a.new"
    with held(path):
        path.mkdir()
        assert owner_lives(path)
        path.rename(tmp_path / "results")
    assert left_in(tmp_path) == ["results"]
    with pytest.raises(KeyboardInterrupt), held(path):
        raise KeyboardInterrupt
    assert left_in(tmp_path) == ["results"]


def test_only_what_is_named_so_is_swept(tmp_path: Path) -> None:
    """A name without a lock is one that was left, from before there were locks, too."""
    for name in (".results.0a.new", ".results.0b.new", ".other.0c.new", "results", "a.lock"):
        (tmp_path / name).mkdir()
    (tmp_path / ".results.0d.new.lock").touch()  # killed before it made anything
    sweep(tmp_path, NAMES)
    assert left_in(tmp_path) == [".other.0c.new", "a.lock", "results"]
    sweep(tmp_path / "not there", NAMES)


def test_a_link_is_removed_and_not_what_it_leads_to(tmp_path: Path) -> None:
    (tmp_path / "precious").mkdir()
    (tmp_path / "precious" / "file").touch()
    (tmp_path / ".results.0a.new").symlink_to(tmp_path / "precious")
    sweep(tmp_path, NAMES)
    assert left_in(tmp_path) == ["precious"]
    assert left_in(tmp_path / "precious") == ["file"]


def test_sweeping_while_others_begin_takes_nothing_from_them(tmp_path: Path) -> None:
    """Many begin, while others sweep as fast as they can."""
    stop = threading.Event()
    faults: list[BaseException] = []

    def sweeping() -> None:
        while not stop.is_set():
            sweep(tmp_path, NAMES)

    def writing(worker: int) -> None:
        try:
            for turn in range(60):
                path = tmp_path / f".results.{worker:x}{turn:04x}.new"
                with held(path):
                    path.mkdir()
                    (path / "a").write_text("whole")
                    assert (path / "a").read_text() == "whole"
                    (path / "a").unlink()
                    path.rmdir()
        except BaseException as fault:
            faults.append(fault)

    sweepers = [threading.Thread(target=sweeping) for _ in range(2)]
    writers = [threading.Thread(target=writing, args=(k,)) for k in range(3)]
    for thread in (*sweepers, *writers):
        thread.start()
    for thread in writers:
        thread.join()
    stop.set()
    for thread in sweepers:
        thread.join()
    assert faults == []
    assert left_in(tmp_path) == []


def test_a_lock_that_was_deleted_and_made_again_while_it_was_opened_is_anothers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One sweeps between the opening of the lock and its locking, and then a writer begins."""
    path = tmp_path / ".results.0a.new"
    lock = tmp_path / ".results.0a.new.lock"
    lock.touch()
    really, begun = fcntl.flock, contextlib.ExitStack()

    def interrupted(descriptor: int, how: int) -> None:
        monkeypatch.setattr(fcntl, "flock", really)
        lock.unlink()
        begun.enter_context(held(path))
        path.mkdir()
        really(descriptor, how)

    with begun:
        monkeypatch.setattr(fcntl, "flock", interrupted)
        sweep(tmp_path, NAMES)
        assert path.is_dir()
        assert lock.exists()
        path.rmdir()
    assert left_in(tmp_path) == []


def test_a_disk_that_numbers_files_anew_each_time_is_no_reason_to_wait_for_ever(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / ".results.0a.new"
    monkeypatch.setattr(os.path, "samestat", lambda *_: False)
    with held(path):
        path.mkdir()
        assert owner_lives(path)
        path.rmdir()
    assert left_in(tmp_path) == []


@pytest.mark.parametrize("why", ["the system has no locks", "the disk has no locks"])
def test_without_locks_age_decides(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, why: str
) -> None:
    if why == "the system has no locks":
        monkeypatch.setattr(locks, "fcntl", None)
    else:

        def refused(descriptor: int, how: int) -> None:
            raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

        monkeypatch.setattr("fcntl.flock", refused)
    path = tmp_path / ".results.0a.new"
    with held(path):
        path.mkdir()
        sweep(tmp_path, NAMES)
        assert owner_lives(path)
        assert path.is_dir()
        when = time.time() - 2 * DAYS
        os.utime(path, (when, when))
        assert not owner_lives(path)
        sweep(tmp_path, NAMES)
    assert left_in(tmp_path) == []
