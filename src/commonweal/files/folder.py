"""A folder put in place whole: never half there, nothing of others replaced, nothing left behind."""

from __future__ import annotations

import errno
import json
import math
import os
import re
import secrets
import shutil
import signal
import threading
from collections.abc import Mapping
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from commonweal.errors import CommonwealError
from commonweal.files.atomic import (
    can_exchange,
    exchange,
    flush,
    flush_names,
    held,
    owner_lives,
    sweep,
)
from commonweal.files.inputs import input_files
from commonweal.version import __version__

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from typing import Self


MARK = "provenance.json"
"""The file's name."""

_KINDS = ("study", "report", "session", "baseline")
"""Each account has one of these keys: results and packs are of a study."""


def marker(account: Mapping[str, Any], files: Iterable[str]) -> str:
    """Give the text of a folder's `MARK`, as strict JSON."""
    own = {"given_files": found} if (found := input_files()) else {}
    told = {"commonweal": __version__, **account, **own, "files": sorted(set(files))}
    if not _is_ours(told):
        raise ValueError(f"an account of a folder needs one of {', '.join(_KINDS)}")
    return json.dumps(plain_data(told), indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def read_marker(folder: Path) -> dict[str, Any]:
    """Read a folder's account; empty if it has none, or one of another program."""
    try:
        told = json.loads((folder / MARK).read_text("utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    return told if _is_ours(told) else {}


def own_files(folder: Path) -> set[str]:
    """Name what Commonweal wrote into a folder, by its own list; nothing if the folder is not ours."""
    told = read_marker(folder)
    return {MARK, *map(str, told["files"])} if told else set()


def _is_ours(told: object) -> bool:
    return (
        isinstance(told, dict)
        and isinstance(told.get("commonweal"), str)
        and isinstance(told.get("files"), list)
        and any(isinstance(told.get(kind), str | dict) for kind in _KINDS)
    )


def plain_data(value: Any) -> Any:
    """Give plain data that strict JSON can hold: no NaN, no infinity, no types of other libraries."""
    if isinstance(value, Mapping):
        return {str(k): plain_data(v) for k, v in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [plain_data(v) for v in value]
    if value is None or isinstance(value, str | bool | int):
        return value
    if hasattr(value, "item"):  # a NumPy number
        return plain_data(value.item())
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return str(value)


_TRIES = 20


@contextmanager
def atomic_folder(folder: Path) -> Iterator[tuple[Path, Path]]:
    """Put a folder in place by renaming once all of it is written, while others may do the same."""
    target = check_folder(folder)
    fresh = _beside(target, "new")
    with ExitStack() as at_last, ExitStack() as until_done:
        with explain_write_errors(target):
            target.parent.mkdir(parents=True, exist_ok=True)
            tidy(target)
            until_done.enter_context(held(fresh))
        # After a swap there is nothing left of this name; after a fault or Ctrl-C, all of it.
        until_done.callback(shutil.rmtree, fresh, ignore_errors=True)
        with explain_write_errors(target):
            fresh.mkdir()
        yield fresh, target
        at_last.enter_context(undisturbed())  # until all is tidied up
        with explain_write_errors(target):
            put_in_place(fresh, target)


@contextmanager
def undisturbed() -> Iterator[None]:
    """Put off Ctrl-C and SIGTERM until a few quick steps that belong together are done."""
    if threading.current_thread() is not threading.main_thread():
        yield  # signals go to the main thread
        return
    came: list[int] = []
    before = {
        number: signal.signal(number, lambda number, _: came.append(number))
        for number in (signal.SIGINT, signal.SIGTERM)
        if signal.getsignal(number) is not None
    }
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        for came_first in came[:1]:
            signal.raise_signal(came_first)


def check_folder(folder: Path) -> Path:
    """Say early whether results can go to a folder: before a long run, not after it. Links are followed."""
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


def tidy(target: Path) -> None:
    """Put back or delete what runs that were killed have left; nothing that another still needs."""
    start = rf"\.{re.escape(target.name)}\.[0-9a-f]{{12}}\."
    sweep(target.parent, re.compile(start + "(new|gone)"))
    left = re.compile(start + r"old(\.lock)?")
    names = {
        p.name.removesuffix(".lock") for p in target.parent.iterdir() if left.fullmatch(p.name)
    }
    for old in sorted(target.parent / name for name in names):
        with suppress(FileNotFoundError):  # another run is tidying up too
            if owner_lives(old):
                continue
            placed = not target.exists() and old.exists() and _put(old, target)
            if not placed and old.exists() and not _foreign(old):
                _delete(old, target)
            if not old.exists():
                sweep(old.parent, re.compile(re.escape(old.name)))  # its lock


def put_in_place(fresh: Path, target: Path) -> None:
    """Put a whole folder in place of the one that is there, while others may be doing the same."""
    flush(fresh)
    old = _beside(target, "old")
    with held(old):
        for _ in range(_TRIES):
            if not target.exists():
                placed = _put(fresh, target)
            else:
                try:
                    placed = _exchanged(fresh, old, target) or _renamed(fresh, old, target)
                except FileNotFoundError:
                    if not fresh.exists():
                        raise
                    continue  # another run has just taken the one that was there
            if placed:
                flush_names(target.parent)
                return
    raise _busy(target)


def _exchanged(fresh: Path, old: Path, target: Path) -> bool:
    """Let a new folder and the one that is there change places; False where the system cannot."""
    if not can_exchange():
        return False
    mine = fresh.stat()
    fresh.rename(old)  # whole: if this run is killed now, one of the two has to stay
    placed = False
    try:
        if exchange(old, target):
            # What has come into it since the first look must not be lost either.
            foreign = _foreign(old)
            if foreign:
                raise _refusal(target, foreign)
            placed = True
    finally:
        if not placed:  # the last good one goes back
            if not os.path.samestat(old.stat(), mine):
                exchange(old, target)
            old.rename(fresh)
    if placed:
        with suppress(OSError):
            if os.path.samestat(Path().stat(), old.stat()):
                _refill(old, target)
                exchange(old, target)
        _delete(old, target)
    return placed


def _refill(old: Path, new: Path) -> None:
    """Give an old folder what the new one has: whoever stands in it goes on standing in the results."""

    def link(one: str, other: str) -> None:
        try:
            os.link(one, other)
        except OSError:  # a disk without links
            shutil.copy2(one, other)

    for path in old.iterdir():
        shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()
    shutil.copytree(new, old, copy_function=link, dirs_exist_ok=True)
    flush(old)


def _renamed(fresh: Path, old: Path, target: Path) -> bool:
    """Rename the folder that is there, then the new one; False if another run was quicker."""
    target.rename(old)
    try:
        foreign = _foreign(old)
        if foreign and not old.exists():
            return False  # it was put back by another run while it was looked through
        if foreign:
            raise _refusal(target, foreign)
        placed = _put(fresh, target)
    except FileNotFoundError:
        raise
    except BaseException:
        with suppress(FileNotFoundError):
            _put(old, target)  # the last good one goes back
        raise
    with suppress(FileNotFoundError):
        _delete(old, target)
    return placed


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
def explain_write_errors(target: Path) -> Iterator[None]:
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


class Staging:
    """The folder of a pack while it is written: ``with Staging(folder, key) as staging``."""

    def __init__(self, folder: Path, key: str) -> None:
        self.target = check_folder(folder)
        self.key = key
        self.wanted: set[str] = set()
        self.folder = self.target.parent / f".{self.target.name}.{key[:16]}.part"
        self._until_done = ExitStack()

    def __enter__(self) -> Self:
        name, parent = re.escape(self.target.name), self.target.parent
        with explain_write_errors(self.target):
            parent.mkdir(parents=True, exist_ok=True)
            tidy(self.target)
            left = rf"\.{name}\.((?!{self.key[:16]})[0-9a-f]{{16}}\.part|[0-9a-f]{{12}}\.tmp)"
            sweep(parent, re.compile(left))
            self._until_done.enter_context(held(self.folder))
        return self

    def __exit__(self, *_: object) -> None:
        self._until_done.close()

    @staticmethod
    def finished(folder: Path, key: str) -> bool:
        """Whether a folder holds this very pack, whole."""
        try:
            told = read_marker(folder)
            return told["key"] == key and all(
                (folder / name).is_file() for name in told["all_files"]
            )
        except (OSError, ValueError, KeyError, TypeError):
            return False

    def has(self, names: Iterable[str]) -> bool:
        """Whether files of the pack are all there already."""
        names = set(names)
        self.wanted |= names
        return all((self.folder / name).is_file() for name in names)

    def file(self, name: str, make: Callable[[], bytes], anew: bool = False) -> bool:
        """Write a file unless it is there."""
        self.wanted.add(name)
        path = self.folder / name
        if path.is_file() and not anew:
            return False
        made = make()
        # Beside the folder: without locks another run may put that in place at any moment.
        fresh = self.target.parent / f".{self.target.name}.{secrets.token_hex(6)}.tmp"
        with explain_write_errors(self.target), held(fresh):
            try:
                fresh.write_bytes(made)
                for _ in range(_TRIES):
                    path.parent.mkdir(parents=True, exist_ok=True)
                    with suppress(
                        FileNotFoundError
                    ):  # another run has just put the folder in place
                        fresh.replace(path)
                        break
            finally:
                fresh.unlink(missing_ok=True)
        return True

    def put(self, account: dict[str, object]) -> Path:
        """Put the folder in place of an earlier one, with an account of what it holds."""
        names = sorted({*self.wanted, MARK})
        told = {**account, "key": self.key, "all_files": names}
        text = marker(told, {name.split("/")[0] for name in names})
        try:
            self.file(MARK, text.encode, anew=True)
            missing = [name for name in names if not (self.folder / name).is_file()]
            if missing:
                raise CommonwealError(
                    f"{self.target}: {missing[0]} was taken away while the pack was written; try again"
                )
            with undisturbed(), explain_write_errors(self.target):
                put_in_place(self.folder, self.target)
        except CommonwealError:
            # Another run of the same pack has put it in place meanwhile.
            if not self.finished(self.target, self.key):
                raise
            shutil.rmtree(self.folder, ignore_errors=True)
        return self.target
