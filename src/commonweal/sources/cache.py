"""The cache: where a source's file is found (mirror, cache, network), and what is made once and kept."""

from __future__ import annotations

import hashlib
import io
import json
import os
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from commonweal.errors import CommonwealError, SourceError, UnreachableError, WrongBytesError
from commonweal.files.atomic import (
    a_folder,
    atomic_write,
    is_good,
    not_kept,
    sha256_of,
    stamp_of,
    write_sums,
)
from commonweal.sources.fetch import AbsentError, NoAnswerError, download, place_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import polars as pl

    from commonweal.sources.catalogue import Source
    from commonweal.sources.fetch import TimeLimits

    Progress = Callable[[str, int, int], None]


_TRIES = 2
"""Another process may be between a file and its checksum."""


def cached_file(path: Path, make: Callable[[], bytes], again: bool = False) -> None:
    """Keep a file that is made; make it where it is not there, or not as it was written."""
    for turn in range(_TRIES):
        if is_good(path) and not (again and turn == 0):
            return
        made = make()
        with atomic_write(path) as part:
            part.write_bytes(made)
        digest = hashlib.sha256(made).hexdigest()  # of what was made, not of what the disk gives
        write_sums(path.with_name(f"{path.name}.sha256"), {path.name: digest})
    if not is_good(path):
        raise not_kept(path)


def cached_table(
    path: Path,
    make: Callable[[], tuple[pl.DataFrame, Any]],
    pick: Callable[[Sequence[str]], Sequence[str]] | None = None,
) -> tuple[pl.DataFrame, Any]:
    """Give a table that is kept in a Parquet file; make it where it is not there, or damaged."""
    import polars as pl

    def packed() -> bytes:
        table, notes = make()
        memory = io.BytesIO()  # written by Python, whose errors say that a disk is full
        table.write_parquet(memory, metadata={"notes": json.dumps(notes)})
        return memory.getvalue()

    for again in (False, True):
        cached_file(path, packed, again)
        try:
            lazy = pl.scan_parquet(path, glob=False)
            names = lazy.collect_schema().names()
            notes = json.loads(pl.read_parquet_metadata(path)["notes"])
            return lazy.select(pick(names) if pick else names).collect(), notes
        except CommonwealError:
            raise
        except (
            *(pl.exceptions.PolarsError, pl.exceptions.PanicException),
            *(OSError, KeyError, ValueError),
        ) as error:
            if again:
                raise not_kept(path) from error
    raise AssertionError("unreachable")


_BEGINNING = 4096
"""Bytes in which a web page says that it is one."""


@dataclass(frozen=True, slots=True)
class Found:
    """A verified file: where it lies, where it came from, its checksum and its size in bytes.

    `stamp` tells it from another that is put in its place; `instead_of` says where there were wrong bytes.
    """

    path: Path
    where: str
    sha256: str
    size: int
    stamp: tuple[int, int]
    instead_of: str = ""

    @property
    def unchanged(self) -> bool:
        """Whether it has the bytes that were verified, though another run may have written them again."""
        try:
            return stamp_of(self.path) == self.stamp or sha256_of(self.path) == self.sha256
        except OSError:
            return False


@dataclass(frozen=True, slots=True)
class Finder:
    """The places where files are looked for: mirror folder, cache, mirror's URL and network.

    Wrong bytes in one are told of, and the next is asked; they are an error if none has the right.
    """

    cache: Path
    mirror: str | None  # a folder or an http(s) URL laid out as host/path, if there is one
    offline: bool  # whether to open no connection
    patience: TimeLimits  # how long to wait for a server
    progress: Progress | None  # told what is being done

    def find(self, source: Source, anew: bool = False) -> Found:
        """Find the file of a source, fetch it if need be, and check its bytes."""
        if source.path is not None:
            return self._local(source, source.path)
        assert source.url is not None
        place = place_of(source.url)
        kept = self.cache / "files" / place
        folder = self._mirror_folder()
        nearby = [] if folder is None else [("mirror", folder / place)]
        if not anew:
            nearby.append(("cache", kept))
        wrong: list[WrongBytesError] = []
        for where, path in nearby:
            if os.path.isfile(path):  # noqa: PTH113 - nor where it may not be looked at
                try:
                    return _after(wrong, self._checked(source, path, where))
                except WrongBytesError as error:  # damaged, or pinned anew; it stays until then
                    self._pass_over(error, wrong)
        if os.path.isdir(kept):  # noqa: PTH112
            raise a_folder(kept)
        if not self.offline:
            return self._fetched(source, source.url, kept, place, wrong)
        if wrong:
            raise wrong[0]
        raise self._unreachable(source, ["offline is set (COMMONWEAL_OFFLINE)"])

    def _local(self, source: Source, path: Path) -> Found:
        if os.path.isdir(path):  # noqa: PTH112
            raise SourceError(f"{path} is a folder; expected a file")
        if not os.path.lexists(path):
            raise SourceError(f"{path} is not there; expected a file of that name")
        if os.path.exists(path) and not os.path.isfile(path):  # noqa: PTH110, PTH113
            raise SourceError(
                f"{path} is a pipe or a device, and is read more than once; expected a file"
            )
        return self._checked(source, path, "local file")

    def _mirror_folder(self) -> Path | None:
        if self.mirror is None or self._mirror_is_url():
            return None
        folder = Path(os.path.expanduser(self.mirror))  # noqa: PTH111 - there may be no home
        if not os.path.isdir(folder):  # noqa: PTH112
            raise SourceError(f"COMMONWEAL_MIRROR: {folder} is not a folder, nor an http(s) URL")
        return folder

    def _mirror_is_url(self) -> bool:
        return self.mirror is not None and self.mirror.startswith(("http://", "https://"))

    def _checked(self, source: Source, path: Path, where: str) -> Found:
        try:
            stamp, size = stamp_of(path), path.stat().st_size
            found = sha256_of(path, self.progress)
        except OSError as error:
            raise SourceError(f"{path} cannot be read: {error.strerror}") from None
        if source.pinned and found != source.sha256:
            expected = f" ({source.size:,} bytes)" if source.size else ""
            raise WrongBytesError(
                f"source '{source.id}': {path} is not the pinned file, and is not used\n"
                f"expected sha256 {source.sha256}{expected}\n"
                f"found    sha256 {found} ({size:,} bytes)\n"
                "Delete that file or put the right one there, and run again."
            )
        return Found(path, where, found, size, stamp)

    def _fetched(
        self, source: Source, url: str, kept: Path, place: str, wrong: list[WrongBytesError]
    ) -> Found:
        """Fetch a file from the first that has the right one, or say why none has."""
        tries: list[tuple[str, str]] = [("network", url)]
        if self.mirror is not None and self._mirror_is_url():
            tries.insert(0, ("mirror", f"{self.mirror.rstrip('/')}/{quote(place)}"))
        faults: list[str] = []
        for where, address in tries:
            self._tell(f"fetching {source.id}", source.size or 0)
            try:
                found = download(
                    address,
                    kept,
                    sha256=source.sha256 if source.pinned else None,
                    size=source.size if source.pinned else None,
                    patience=self.patience,
                    progress=self.progress,
                    check=None if source.pinned else partial(_check_content, source, address),
                )
            except WrongBytesError as error:
                self._pass_over(error, wrong)
                continue
            except (AbsentError, NoAnswerError) as error:
                faults.append(str(error))
                self._tell(str(error))
                continue
            size, stamp = kept.stat().st_size, stamp_of(kept)
            return _after(wrong, Found(kept, where, found, size, stamp))
        if not wrong:
            raise self._unreachable(source, faults)
        told = [str(wrong[0]), *(f"Asked next: {fault}" for fault in faults)]
        told += [f"Asked next: {str(error).splitlines()[0]}" for error in wrong[1:]]
        raise WrongBytesError("\n".join(told))

    def _pass_over(self, error: WrongBytesError, wrong: list[WrongBytesError]) -> None:
        """Remember wrong bytes, and say that the next place is asked."""
        wrong.append(error)
        self._tell(str(error).splitlines()[0])

    def _tell(self, what: str, total: int = 0) -> None:
        if self.progress is not None:
            self.progress(what, 0, total)

    def _unreachable(self, source: Source, faults: list[str]) -> UnreachableError:
        told = "; ".join(fault.removeprefix(f"{source.url}: ") for fault in faults)
        return UnreachableError(
            f"source '{source.id}' cannot be had from {source.url} ({told}).\n"
            f"Set COMMONWEAL_MIRROR (now {self.mirror or 'not set'}) to a folder or URL that holds it "
            "under the host and path of that address, or try `commonweal demo`, which needs no data."
        )


def _after(wrong: list[WrongBytesError], found: Found) -> Found:
    """Remember with a file where there were wrong bytes before it."""
    return replace(found, instead_of="; ".join(str(error).splitlines()[0] for error in wrong))


def _check_content(source: Source, address: str, path: Path) -> None:
    """Refuse what came for a source without a checksum if it is a web page, or no such table."""
    from commonweal.sources.readers import read_table

    with path.open("rb") as file:
        begins = file.read(_BEGINNING).lower()
    if b"<html" in begins or b"<!doctype html" in begins:
        raise AbsentError(
            f"{address}: the server gave a web page, perhaps one to log in; expected a "
            f"{source.reader.format} file"
        )
    if source.reader.format == "file":
        return
    try:
        read_table(path, source)
    except CommonwealError as error:
        said = str(error).replace(str(path), "it").splitlines()[0]
        raise AbsentError(
            f"{address}: what the server gave is not the {source.reader.format} table expected, "
            f"and is not used ({said})"
        ) from None
