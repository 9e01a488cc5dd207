"""Locks: whether the process that writes a file or folder still lives, by the system and not by age.

What is written under a name of its own, and renamed when it is whole, is left there if the process
is killed. A lock ends with its process, however that ends, so the next one knows what to delete.
"""

from __future__ import annotations

import errno
import os
import shutil
import time
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

if TYPE_CHECKING:
    import re
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["held", "owner_lives", "sweep"]

_SUFFIX = ".lock"
_DEAD_AFTER_S = 24 * 3600
"""Where the system or the disk has no locks: nothing takes so long to write."""


_TRIES = 1000
"""Some network disks number a file anew each time that it is looked at: then none is ever the same."""


@contextmanager
def held(path: Path) -> Iterator[None]:
    """Hold the lock of a file or folder: make it inside, and have it renamed or deleted at the end.

    Parameters
    ----------
    path
        A name that no other process uses. The lock is an empty file next to it, `path` and
        ``.lock``, which is deleted at the end.

    Raises
    ------
    OSError
        If that file cannot be written.
    """
    if fcntl is None:
        yield
        return
    lock = _lock_of(path)
    descriptor = _locked(lock)
    try:
        yield
    finally:
        with suppress(OSError):
            lock.unlink(missing_ok=True)
        os.close(descriptor)


def owner_lives(path: Path) -> bool:
    """Whether the process that made this file or folder under its lock may still be writing it."""
    with _asked(path) as lives:
        return lives


def sweep(folder: Path, names: re.Pattern[str]) -> None:
    """Delete what processes that were killed have left in a folder, with its locks.

    Parameters
    ----------
    folder
        Where to look, not in the folders within. None of this name is as good as an empty one.
    names
        What is written under a lock there; the whole name is matched. A file or folder of such a
        name without a lock is left behind, too.
    """
    with suppress(OSError):
        found = {entry.name.removesuffix(_SUFFIX) for entry in folder.iterdir()}
        for path in sorted(folder / name for name in found if names.fullmatch(name)):
            with _asked(path) as lives:  # an owner that has not begun yet waits for this to end
                if not lives:
                    _delete(path)
                    _delete(_lock_of(path))


def _lock_of(path: Path) -> Path:
    return path.with_name(path.name + _SUFFIX)


def _locked(lock: Path) -> int:
    """Make a lock file and lock it, though another may just be deleting what is not locked."""
    for tries_left in reversed(range(_TRIES)):
        descriptor = os.open(lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        with suppress(OSError):  # a disk without locks: by age, then
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        with suppress(FileNotFoundError):
            if os.path.samestat(os.fstat(descriptor), lock.stat()) or not tries_left:
                return descriptor
        os.close(descriptor)
    raise OSError(errno.EBUSY, os.strerror(errno.EBUSY), str(lock))


@contextmanager
def _asked(path: Path) -> Iterator[bool]:
    """Say whether the owner of a path lives; if not, none can begin until the end of this."""
    if fcntl is None:
        yield _is_young(path)
        return
    try:
        descriptor = os.open(_lock_of(path), os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        yield False
        return
    except OSError:  # that of another user, say
        yield True
        return
    try:
        yield _is_locked(descriptor, path)
    finally:
        os.close(descriptor)


def _is_locked(descriptor: int, path: Path) -> bool:
    """Whether another process has the lock; if not, it is shared until the file is closed."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except (BlockingIOError, PermissionError):
        return True
    except OSError:
        return _is_young(path)
    return False


def _is_young(path: Path) -> bool:
    """Whether something was made within the time that writing it may take."""
    for there in (path, _lock_of(path)):
        with suppress(OSError):
            return time.time() - there.stat().st_mtime < _DEAD_AFTER_S
    return False


def _delete(path: Path) -> None:
    """Delete a file or a folder; what cannot be deleted stays."""
    with suppress(OSError):
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)
