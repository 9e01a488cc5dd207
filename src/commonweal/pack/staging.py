"""A folder that is written file by file, can be left off and taken up again, and is put in place whole.

Beside the folder, and hidden, lies ``.NAME.<key>.part`` while it is being written. The key stands for
everything that the files follow from, so a second run of the same pack goes on where the first was
stopped, and one of another pack has a folder of its own. Every file is renamed into it when it is
whole; two runs of the same pack write the same bytes.
"""

from __future__ import annotations

import json
import secrets
import shutil
import time
from contextlib import suppress
from typing import TYPE_CHECKING

from commonweal.briefing.swap import MARK, check_folder, plainly, put_in_place
from commonweal.errors import CommonwealError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

__all__ = ["Staging"]

_DEAD_AFTER_S = 7 * 24 * 3600
"""A pack that nobody has gone on with for so long is deleted."""


class Staging:
    """The folder of a pack while it is written."""

    def __init__(self, folder: Path, key: str) -> None:
        self.target = check_folder(folder)
        self.key = key
        self.folder = self.target.parent / f".{self.target.name}.{key[:16]}.part"
        with plainly(self.target):
            self.folder.mkdir(parents=True, exist_ok=True)
            self._tidy()

    @staticmethod
    def finished(folder: Path, key: str) -> bool:
        """Whether a folder holds this very pack, whole."""
        try:
            told = json.loads((folder / MARK).read_text("utf-8"))
            return told["key"] == key and all(
                (folder / name).is_file() for name in told["all_files"]
            )
        except (OSError, ValueError, KeyError, TypeError):
            return False

    def file(self, name: str, make: Callable[[], bytes]) -> bool:
        """Write a file unless it is there.

        Parameters
        ----------
        name
            Its path in the folder, with slashes.
        make
            Gives its bytes.

        Returns
        -------
        bool
            Whether it was written now.
        """
        path = self.folder / name
        if path.is_file():
            return False
        made = make()
        with plainly(self.target):
            path.parent.mkdir(parents=True, exist_ok=True)
            fresh = path.parent / f".{path.name}.{secrets.token_hex(4)}.tmp"
            try:
                fresh.write_bytes(made)
                fresh.replace(path)
            finally:
                fresh.unlink(missing_ok=True)
        return True

    def put(self, account: dict[str, object]) -> Path:
        """Put the folder in place of an earlier one, with an account of what it holds.

        Raises
        ------
        CommonwealError
            If there are files of others in the way.
        """
        with plainly(self.target):
            for left in self.folder.rglob(".*.tmp"):
                left.unlink(missing_ok=True)
            names = sorted(
                p.relative_to(self.folder).as_posix() for p in self.folder.rglob("*") if p.is_file()
            )
        names = sorted({*names, MARK})
        told = {**account, "key": self.key, "all_files": names,
                "files": sorted({n.split("/")[0] for n in names})}  # fmt: skip
        (self.folder / MARK).unlink(missing_ok=True)
        text = json.dumps(told, indent=2, ensure_ascii=False, allow_nan=False) + "\n"
        try:
            self.file(MARK, text.encode)
            with plainly(self.target):
                put_in_place(self.folder, self.target)
        except CommonwealError:
            # Another run of the same pack has put it in place meanwhile.
            if not self.finished(self.target, self.key):
                raise
        return self.target

    def _tidy(self) -> None:
        """Delete what runs of other packs of this name have left long ago."""
        for path in self.target.parent.glob(f".{self.target.name}.*.part"):
            with suppress(OSError):
                newest = max(p.stat().st_mtime for p in (path, *path.iterdir()))
                if path != self.folder and time.time() - newest > _DEAD_AFTER_S:
                    shutil.rmtree(path, ignore_errors=True)
