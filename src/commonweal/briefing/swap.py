"""A folder put in place whole: never half there, nothing of others replaced, nothing left behind.

Beside the folder, and hidden, lie only while a run works: ``.NAME.<hex>.new``, which it writes;
``.NAME.<hex>.old``, which waits until its successor is in place; ``.NAME.<hex>.gone``, which is
being deleted. What a run that was killed has left is tidied up by the next.
"""

from __future__ import annotations

import errno
import re
import secrets
import shutil
import time
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from commonweal.briefing.marker import own_files
from commonweal.errors import CommonwealError

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["check_folder", "plainly", "put_in_place", "whole_folder"]

_TRIES = 20
_DEAD_AFTER_S = 24 * 3600
"""No run takes so long to write its folder."""


@contextmanager
def whole_folder(folder: Path) -> Iterator[tuple[Path, Path]]:
    """Put a folder in place by renaming once all of it is written, while others may do the same.

    Parameters
    ----------
    folder
        Where to. A folder that was put there before is replaced; nothing else ever is.

    Yields
    ------
    tuple of Path
        The folder to write into, and where it will be. After a fault the last good one is there as
        it was.

    Raises
    ------
    CommonwealError
        If there are files of others, or the folder cannot be written.
    """
    target = check_folder(folder)
    fresh = _beside(target, "new")
    with plainly(target):
        target.parent.mkdir(parents=True, exist_ok=True)
        _tidy(target)
        fresh.mkdir()
    try:
        yield fresh, target
        with plainly(target):
            put_in_place(fresh, target)
    finally:
        # After a swap there is nothing left of this name; after a fault or Ctrl-C, all of it.
        shutil.rmtree(fresh, ignore_errors=True)


def check_folder(folder: Path) -> Path:
    """Say early whether results can go to a folder: before a long run, not after it.

    Parameters
    ----------
    folder
        The folder that is asked for.

    Returns
    -------
    Path
        The same, absolute and with links followed.

    Raises
    ------
    CommonwealError
        If it is a file, or holds files that Commonweal did not write.
    """
    target = Path(folder).expanduser().resolve()
    for _ in range(_TRIES):
        seen = _identity(target)
        if seen is None:
            return target
        if not target.is_dir():
            raise CommonwealError(f"{folder} is a file; expected a folder to write results to")
        try:
            foreign = _foreign(target)
        except FileNotFoundError:
            continue
        except OSError as error:
            raise _plain_error(error, target) from None
        if _identity(target) != seen:
            continue  # another run has just put its own there: look at that
        if foreign:
            raise _refusal(folder, foreign)
        return target
    raise _busy(target)


def _identity(folder: Path) -> tuple[int, int, int] | None:
    """Tell one folder from the next of the same name; None if there is none."""
    try:
        found = folder.stat()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise _plain_error(error, folder) from None
    return found.st_dev, found.st_ino, found.st_mtime_ns


def _foreign(folder: Path) -> list[str]:
    """Name what is in a folder that Commonweal did not write."""
    there = sorted(p.name for p in folder.iterdir())
    own = own_files(folder)
    return [name for name in there if name not in own and not _is_litter(folder / name)]


def _refusal(folder: Path, foreign: list[str]) -> CommonwealError:
    more = f" and {len(foreign) - 3} more" if len(foreign) > 3 else ""
    return CommonwealError(
        f"{folder} holds {', '.join(foreign[:3])}{more}, which Commonweal did not write; "
        "nothing there is replaced. Give another folder, or move these away."
    )


def _busy(target: Path) -> CommonwealError:
    return CommonwealError(f"{target}: other runs keep writing there; try again when they are done")


def _is_litter(path: Path) -> bool:
    """Files that other programs leave beside those that they open; never a folder."""
    name = path.name
    return path.is_file() and (
        name in {".DS_Store", ".directory", "Thumbs.db", "desktop.ini"}
        or name.startswith((".~lock.", "~$"))
        or name.endswith((".gpkg-wal", ".gpkg-shm", ".gpkg-journal"))
    )


def _beside(target: Path, kind: str) -> Path:
    """Make a name in the same folder, so that renaming is atomic, that no other run uses."""
    return target.parent / f".{target.name}.{secrets.token_hex(6)}.{kind}"


def _tidy(target: Path) -> None:
    """Put back or delete what a run that was killed has left; nothing that another still needs."""
    left = re.compile(rf"\.{re.escape(target.name)}\.[0-9a-f]{{12}}\.(new|old|gone)")
    for path in sorted(target.parent.iterdir()):
        found = left.fullmatch(path.name)
        with suppress(FileNotFoundError):  # another run is tidying up, or has gone on with it
            if found is None:
                continue
            kind, age_s = found[1], time.time() - path.stat().st_mtime
            # A run that is between its renames finds the old folder in place, and starts them anew.
            if kind == "old" and not target.exists() and _put(path, target):
                continue
            if kind == "gone" or (kind == "new" and age_s > _DEAD_AFTER_S):
                shutil.rmtree(path, ignore_errors=True)
            elif kind == "old" and not _foreign(path):
                _delete(path, target)


def put_in_place(fresh: Path, target: Path) -> None:
    """Put the new folder in place of the old one, while others may be doing the same."""
    for _ in range(_TRIES):
        old = _beside(target, "old")
        try:
            target.rename(old)
        except FileNotFoundError:
            if _put(fresh, target):
                return
            continue
        placed = False
        try:
            # What has come into it since the first look must not be lost either.
            foreign = _foreign(old)
            if foreign and not old.exists():
                continue  # it was put back by another run while it was looked through
            if foreign:
                raise _refusal(target, foreign)
            placed = _put(fresh, target)
        except FileNotFoundError:
            if not fresh.exists():
                raise
            continue  # another run took it for left behind, and put it back
        except BaseException:
            with suppress(FileNotFoundError):
                _put(old, target)  # the last good one goes back
            raise
        with suppress(FileNotFoundError):
            _delete(old, target)
        if placed:
            return
    raise _busy(target)


def _delete(folder: Path, target: Path) -> None:
    """Delete a folder under a name that says so, in case it does not come to an end."""
    gone = _beside(target, "gone")
    folder.rename(gone)
    shutil.rmtree(gone, ignore_errors=True)


def _put(folder: Path, target: Path) -> bool:
    """Rename a folder to its place; False if another run has taken the place meanwhile."""
    try:
        folder.rename(target)
    except OSError as error:
        if error.errno in (errno.EEXIST, errno.ENOTEMPTY):
            return False
        raise
    return True


@contextmanager
def plainly(target: Path) -> Iterator[None]:
    """Turn a fault of writing to a folder into words for the one who asked."""
    try:
        yield
    except OSError as error:
        raise _plain_error(error, target) from None
    except Exception as error:
        # Libraries have errors of their own for a file that cannot be written.
        said = str(error).lower()
        if "disk is full" in said or "no space" in said:
            raise CommonwealError(f"{target} cannot be written: the disk is full") from None
        if "disk i/o" in said or type(error).__name__ in _LIBRARY_ERRORS:
            raise CommonwealError(f"{target} cannot be written: {error}") from None
        raise


_LIBRARY_ERRORS = ("DataSourceError", "DataLayerError", "FeatureError", "FileCreateError")


def _plain_error(error: OSError, target: Path) -> CommonwealError:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return CommonwealError(f"{target} cannot be written: the disk is full")
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return CommonwealError(
            f"{target} cannot be written: no permission, or a file there is open in another program"
        )
    return CommonwealError(f"{target} cannot be written: {error.strerror or error}")
