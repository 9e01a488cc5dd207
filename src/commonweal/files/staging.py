"""A folder that is written file by file, can be left off and taken up again, and is put in place whole.

Beside the folder, and hidden, lies ``.NAME.<key>.part`` while it is being written. The key stands for
everything that the files follow from, so a second run of the same pack goes on where the first was
stopped, and one of another pack has a folder of its own. A lock says whether a run is writing there:
a second one of the same pack waits for it, and what no run goes on with is deleted by the next of
another pack. Every file is written beside it and renamed into it when it is whole.
"""

from __future__ import annotations

import re
import secrets
import shutil
from contextlib import ExitStack, suppress
from typing import TYPE_CHECKING

from commonweal.errors import CommonwealError
from commonweal.files.folder import check_folder, plainly, put_in_place, tidy, undisturbed
from commonweal.files.locks import held, sweep
from commonweal.files.marker import MARK, marker, read_marker

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path
    from typing import Self

__all__ = ["Staging"]

_TRIES = 20


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
        with plainly(self.target):
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
        """Write a file unless it is there.

        Parameters
        ----------
        name
            Its path in the folder, with slashes.
        make
            Gives its bytes.
        anew
            Whether to write it although it is there.

        Returns
        -------
        bool
            Whether it was written now.
        """
        self.wanted.add(name)
        path = self.folder / name
        if path.is_file() and not anew:
            return False
        made = make()
        # Beside the folder: without locks another run may put that in place at any moment.
        fresh = self.target.parent / f".{self.target.name}.{secrets.token_hex(6)}.tmp"
        with plainly(self.target), held(fresh):
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
        """Put the folder in place of an earlier one, with an account of what it holds.

        Raises
        ------
        CommonwealError
            If there are files of others in the way, or other runs keep taking the folder away.
        """
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
            with undisturbed(), plainly(self.target):
                put_in_place(self.folder, self.target)
        except CommonwealError:
            # Another run of the same pack has put it in place meanwhile.
            if not self.finished(self.target, self.key):
                raise
            shutil.rmtree(self.folder, ignore_errors=True)
        return self.target
