"""Atomic writes: locks, two folders exchanged in one step, and files known again by their SHA-256."""

from __future__ import annotations

import contextlib
import ctypes
import errno
import hashlib
import os
import re
import secrets
import shutil
import sys
import time
from contextlib import contextmanager, suppress
from functools import cache
from typing import TYPE_CHECKING

from commonweal.errors import SourceError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    Progress = Callable[[str, int, int], None]


try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]


_SUFFIX = ".lock"
_DEAD_AFTER_S = 24 * 3600
"""Where the system or the disk has no locks: nothing takes so long to write."""


_TRIES = 1000
"""Some network disks number a file anew each time that it is looked at: then none is ever the same."""


@contextmanager
def held(path: Path) -> Iterator[None]:
    """Hold the lock of a file or folder: make it inside, and have it renamed or deleted at the end."""
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
    if fcntl is None:
        return _is_young(path)
    try:
        descriptor = os.open(_lock_of(path), os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    except OSError:  # that of another user, say
        return True
    try:
        return _is_locked(descriptor, path, fcntl.LOCK_SH)
    finally:
        os.close(descriptor)


def sweep(folder: Path, names: re.Pattern[str]) -> None:
    """Delete what processes that were killed have left in a folder, with its locks."""
    with suppress(OSError):
        found = {entry.name.removesuffix(_SUFFIX) for entry in folder.iterdir()}
        for path in sorted(folder / name for name in found if names.fullmatch(name)):
            with _claimed(path) as ours:
                if ours:
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
def _claimed(path: Path) -> Iterator[bool]:
    """Lock what nobody holds, so that until the end of this none can begin it and none else delete it."""
    if fcntl is None:
        yield not _is_young(path)
        return
    lock = _lock_of(path)
    try:
        descriptor = os.open(lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    except OSError:  # that of another user, say
        yield False
        return
    try:
        ours = not _is_locked(descriptor, path, fcntl.LOCK_EX)
        if ours:
            try:  # while this one opened it, another may have deleted it and a third begun
                ours = os.path.samestat(os.fstat(descriptor), lock.stat())
            except OSError:
                ours = False
        yield ours
    finally:
        os.close(descriptor)


def _is_locked(descriptor: int, path: Path, how: int) -> bool:
    """Whether another process has the lock; if not, it is taken until the file is closed."""
    try:
        fcntl.flock(descriptor, how | fcntl.LOCK_NB)
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


_AT_FDCWD, _RENAME_EXCHANGE = -100, 1 << 1
"""Linux, `renameat2(2)`: ``fcntl.h`` and ``linux/fs.h``."""
_RENAME_SWAP = 0x2
"""macOS, `renamex_np(2)`: ``sys/stdio.h``."""
_CANNOT = {errno.EINVAL, errno.ENOSYS, errno.ENOTSUP, errno.EPERM}
"""What a disk answers that does not know how."""


def can_exchange() -> bool:
    """Whether the system knows how; a disk may not."""
    return _call() is not None


def exchange(one: Path, other: Path) -> bool:
    """Let two folders change places, with no moment in which either name has none."""
    call = _call()
    if call is None:
        return False
    number = call(os.fsencode(one), os.fsencode(other))
    if number in _CANNOT:
        return False
    if number:
        raise OSError(number, os.strerror(number), str(one), None, str(other))
    return True


@cache
def _call() -> Callable[[bytes, bytes], int] | None:
    """Give what asks the system, and answers with the number of its error; 0 for none."""
    if sys.platform not in ("linux", "darwin"):
        return None
    library = ctypes.CDLL(None, use_errno=True)
    if sys.platform == "linux":
        rename = getattr(library, "renameat2", None)
        if rename is None:
            return None
        rename.argtypes = [
            ctypes.c_int, ctypes.c_char_p, ctypes.c_int, ctypes.c_char_p, ctypes.c_uint,
        ]  # fmt: skip

        def on_linux(one: bytes, other: bytes) -> int:
            failed = rename(_AT_FDCWD, one, _AT_FDCWD, other, _RENAME_EXCHANGE)
            return ctypes.get_errno() if failed else 0

        return on_linux
    swap = getattr(library, "renamex_np", None)
    if swap is None:
        return None
    swap.argtypes = [ctypes.c_char_p, ctypes.c_char_p, ctypes.c_uint]

    def on_mac(one: bytes, other: bytes) -> int:
        return ctypes.get_errno() if swap(one, other, _RENAME_SWAP) else 0

    return on_mac


def flush(folder: Path) -> None:
    """Have a folder on the disk with all that is in it, so that a power cut does not empty it."""
    for path in folder.iterdir():
        if path.is_dir():
            flush(path)
        else:
            # Windows flushes only what may be written.
            _flush(path, os.O_RDWR if os.name == "nt" else os.O_RDONLY)
    flush_names(folder)


def flush_names(folder: Path) -> None:
    """Have the names in a folder on the disk; some systems do not offer it, and do without."""
    with suppress(PermissionError):
        _flush(folder, os.O_RDONLY)


def _flush(path: Path, how: int) -> None:
    descriptor = os.open(path, how)
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.ENOTSUP, errno.EBADF):
            raise
    finally:
        os.close(descriptor)


SUMS = "SHA256SUMS"
"""Has the checksums of a whole folder. One file has its own next to it: its name and ``.sha256``."""

_BLOCK = 1 << 18
_LINE = re.compile(r"([0-9a-f]{64})  ([^\n]+)\n")
_PART = re.compile(r"\..+\.part")
_NO_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})

_SETTLED_NS = 2_000_000_000
"""A file that was written no longer ago may be written again without another time."""

_hashed: dict[Path, tuple[tuple[int, int], str]] = {}
"""The checksum of each file that was read in this process, and what the file was then."""


def sha256_of(path: Path, progress: Progress | None = None) -> str:
    """Compute the SHA-256 of a file of any size, as 64 hexadecimal digits."""
    digest, done, total = hashlib.sha256(), 0, path.stat().st_size
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            digest.update(block)
            done += len(block)
            if progress is not None and total > 64 * _BLOCK:  # small files take no time to tell of
                progress(f"checking {path.name}", done, total)
    return digest.hexdigest()


def write_sums(target: Path, sums: Mapping[str, str]) -> None:
    """Write a file of checksums by file name, as the program ``sha256sum`` does."""
    lines = "".join(f"{digest}  {name}\n" for name, digest in sums.items())
    with atomic_write(target) as part:
        part.write_bytes(lines.encode())


def is_good(path: Path, anew: bool = False) -> bool:
    """Whether a file is the one that was written there, by its checksum.

    The file is hashed once in a process, and again where its time or size has changed, or `anew`.
    One that has no checksum is not good.
    """
    return good_sha256(path, anew) is not None


def good_sha256(path: Path, anew: bool = False) -> str | None:
    """Give the SHA-256 of a file that `is_good`; None of any other."""
    try:
        sums = path.with_name(f"{path.name}.sha256")
        expected = _listed(sums if sums.is_file() else path.with_name(SUMS)).get(path.name)
        return expected if expected is not None and known_sha256(path, anew) == expected else None
    except OSError:
        return None


def files_with_sums(folder: Path) -> Iterator[Path]:
    """Give the files in a folder, and in those within, for which there is a checksum."""
    for sums in sorted([*folder.rglob("*.sha256"), *folder.rglob(SUMS)]):
        listed = {sums.name.removesuffix(".sha256")} if sums.name != SUMS else _listed(sums)
        yield from (sums.with_name(n) for n in listed if os.path.lexists(sums.with_name(n)))


def _listed(sums: Path) -> dict[str, str]:
    """Give checksums by file name; none, if there is anything else in the file."""
    text = sums.read_bytes().decode("utf-8", "replace")
    if _LINE.sub("", text):
        return {}
    return {name: digest for digest, name in _LINE.findall(text)}


def stamp_of(path: Path) -> tuple[int, int]:
    """Tell a file from what it was before it was written to: its size and its time.

    Not its inode, which some network disks number anew each time.
    """
    found = path.stat()
    return found.st_size, found.st_mtime_ns


def known_sha256(path: Path, anew: bool = False) -> str:
    """Give the SHA-256 of a file that is hashed once in a process: anew if asked, or where its time or size changed."""
    now = stamp_of(path)
    then, digest = _hashed.get(path, ((-1, -1), ""))
    if anew or then != now:
        digest = sha256_of(path)
        if time.time_ns() - now[-1] > _SETTLED_NS:
            _hashed[path] = now, digest
    return digest


@contextlib.contextmanager
def atomic_write(target: Path) -> Iterator[Path]:
    """Write a file all or nothing: yield a temporary path in its folder, then rename that onto it.

    Whatever goes wrong, the temporary file is removed and an old target stays as it was; what a process
    that was killed has left, `sweep_all` removes. Two processes at once are safe, as each has its own
    temporary file and renaming is atomic.
    """
    part = target.with_name(f".{target.name}.{secrets.token_hex(6)}.part")
    with contextlib.ExitStack() as stack:
        try:
            if target.is_dir():
                raise a_folder(target)
            target.parent.mkdir(parents=True, exist_ok=True)
            stack.enter_context(held(part))
            stack.callback(part.unlink, missing_ok=True)
            part.touch(0o600, exist_ok=False)
        except OSError as error:
            raise cannot_write(target, error) from None
        try:
            yield part
            with part.open("rb+") as file:
                os.fsync(file.fileno())
            part.chmod(0o644)  # a cache may be shared
            part.replace(target)
        except OSError as error:
            raise cannot_write(target, error) from None


def sweep_all(folder: Path) -> None:
    """Delete what processes that were killed while `atomic_write` have left in any folder of a cache."""
    for inside, _, names in os.walk(folder):
        if any(name.endswith((".part", ".part.lock")) for name in names):
            sweep(folder / inside, _PART)


def a_folder(target: Path) -> SourceError:
    """Say that there is a folder where the cache keeps a file."""
    return SourceError(
        f"{target} is a folder, and a file is to be written there; move it away or delete it "
        "(COMMONWEAL_CACHE sets the cache)"
    )


def cannot_write(target: Path, error: OSError) -> SourceError:
    """Say in plain words why a file of the cache could not be written."""
    if error.errno in _NO_ROOM:
        return SourceError(
            f"no room left to write in {target.parent}; free some, or set COMMONWEAL_CACHE to a "
            "folder on another disk"
        )
    return SourceError(
        f"cannot write in {target.parent} ({error.strerror or error}); set COMMONWEAL_CACHE to a "
        "folder that can be written to"
    )


def not_kept(path: Path) -> SourceError:
    """Say that a file that was just written is not what is read."""
    return SourceError(
        f"{path} does not hold what was just written there; its disk may be failing. Set "
        "COMMONWEAL_CACHE to a folder on another"
    )
