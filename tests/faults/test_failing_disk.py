"""A disk that fails at any one moment of writing to the cache: told plainly, and good the next time."""

from __future__ import annotations

import errno
import os
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from commonweal.errors import CommonwealError, SourceError
from commonweal.sources import Store
from commonweal.sources.fetch import TimeLimits

from ..sources.conftest import TABLE, published
from .damage import flipped, halls
from .server import answer, serving

if TYPE_CHECKING:
    from collections.abc import Iterator

CALLS = {
    "open": (os, "open"),
    "mkdir": (Path, "mkdir"),
    "touch": (Path, "touch"),
    "open a file": (Path, "open"),
    "write": (Path, "write_bytes"),
    "fsync": (os, "fsync"),
    "chmod": (Path, "chmod"),
    "rename": (Path, "replace"),
}
FAULTS = {"disk full": errno.ENOSPC, "EIO": errno.EIO, "no permission": errno.EACCES}
MOST = 12
"""More calls of one kind than writing a file takes."""


class Disk:
    """Counts calls of one kind, and fails at the nth."""

    def __init__(self, call: str, at: int, fault: int) -> None:
        self.call, self.at, self.fault, self.made = call, at, fault, 0

    @contextmanager
    def failing(self) -> Iterator[None]:
        of, name = CALLS[self.call]
        whole = getattr(of, name)

        def counted(*given: Any, **options: Any) -> Any:
            self.made += 1
            if self.made == self.at:
                raise OSError(self.fault, os.strerror(self.fault))
            return whole(*given, **options)

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(of, name, counted)
            yield


def hidden(cache: Path) -> list[Path]:
    return list(cache.rglob(".*")) if cache.exists() else []


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
@pytest.mark.parametrize("call", CALLS)
def test_a_conversion(tmp_path: Path, call: str, fault: int) -> None:
    source = halls(tmp_path)
    right = Store(tmp_path / "right").table(source)
    for at in range(1, MOST + 1):
        cache = tmp_path / f"cache {at}"
        disk, said = Disk(call, at, fault), ""
        with disk.failing():
            try:
                assert Store(cache).table(source).equals(right)
            except CommonwealError as error:
                said = str(error)
        assert not said or "COMMONWEAL_CACHE" in said or "halls.geojson" in said
        assert hidden(cache) == []
        assert Store(cache).table(source).equals(right)
        assert Store(cache).table(source).equals(right)
        assert {found.status for found in Store(cache).verify_kept()} == {"good"}
        if disk.made < at:
            return
    pytest.fail(f"more than {MOST} calls")


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
@pytest.mark.parametrize("call", CALLS)
def test_a_fetch(tmp_path: Path, call: str, fault: int) -> None:
    with serving([answer(TABLE)]) as server:
        source = published(f"{server.url}/table.csv")
        for at in range(1, MOST + 1):
            cache = tmp_path / f"cache {at}"
            disk, said = Disk(call, at, fault), ""
            with disk.failing():
                try:
                    Store(cache, limits=TimeLimits(retries=0)).path(source)
                except SourceError as error:
                    said = str(error)
            assert not said or "COMMONWEAL_CACHE" in said
            assert hidden(cache) == []
            assert Store(cache).path(source).read_bytes() == TABLE
            if disk.made < at:
                return
    pytest.fail(f"more than {MOST} calls")


@pytest.mark.parametrize("how", ["short", "wrong"])
def test_a_write_that_is_short_or_wrong_without_a_word(
    tmp_path: Path, how: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = halls(tmp_path)
    right = Store(tmp_path / "right").table(source)
    whole, written = Path.write_bytes, [0]

    def spoilt(path: Path, content: bytes) -> int:
        written[0] += 1
        if written[0] == at:
            content = content[: len(content) // 2] if how == "short" else flipped(content, at)
        return whole(path, content)

    monkeypatch.setattr(Path, "write_bytes", spoilt)
    for at in (1, 2, 3):
        written[0] = 0
        cache = tmp_path / f"cache {at}"
        for _ in range(2):
            assert Store(cache).table(source).equals(right)
        assert {found.status for found in Store(cache).verify_kept()} == {"good"}
