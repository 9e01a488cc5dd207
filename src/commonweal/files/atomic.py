"""Files of the cache: written whole or not at all, and known again by their SHA-256."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import re
import secrets
import time
from typing import TYPE_CHECKING

from commonweal.errors import SourceError
from commonweal.files.locks import held, sweep

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    Progress = Callable[[str, int, int], None]

__all__ = [
    "SUMS",
    "a_folder",
    "cannot_write",
    "files_with_sums",
    "good_sha256",
    "is_good",
    "known_sha256",
    "not_kept",
    "sha256_of",
    "stamp_of",
    "sweep_all",
    "write_sums",
    "writing",
]

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
    """Write a file of checksums by file name, as the program ``sha256sum`` does.

    Raises
    ------
    SourceError
        If it cannot be written.
    """
    lines = "".join(f"{digest}  {name}\n" for name, digest in sums.items())
    with writing(target) as part:
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
def writing(target: Path) -> Iterator[Path]:
    """Write a file all or nothing: yield a temporary path in its folder, then rename that onto it.

    Whatever goes wrong, the temporary file is removed and an old target stays as it was. What
    processes that were killed have left in the folder is removed, too. Two processes at once are
    safe, as each has its own temporary file and renaming is atomic.

    Raises
    ------
    SourceError
        If the folder cannot be written to, the disk is full, or there is a folder of that name.
    """
    part = target.with_name(f".{target.name}.{secrets.token_hex(6)}.part")
    with contextlib.ExitStack() as stack:
        try:
            if target.is_dir():
                raise a_folder(target)
            target.parent.mkdir(parents=True, exist_ok=True)
            sweep(target.parent, _PART)
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
    """Delete what processes that were killed while `writing` have left in any folder of a cache."""
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
