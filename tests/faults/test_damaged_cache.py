"""Damage to what is kept in the cache: made again, or told; never a wrong number."""

from __future__ import annotations

import errno
import os
import shutil
import subprocess
import sys
from functools import cache as once
from typing import TYPE_CHECKING

import polars as pl
import pytest

import commonweal.demo as county
from commonweal.demo import generate_county
from commonweal.errors import SourceError
from commonweal.files.atomic import atomic_write
from commonweal.sources import Store
from commonweal.sources.cache import cached_file, cached_table
from commonweal.sources.catalogue import local_source
from commonweal.sources.fetch import TimeLimits

from ..sources.conftest import published
from .damage import damaged, flipped, halls, put_back

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

FLIPS = 40


def converted(cache: Path) -> Path:
    (path,) = (cache / "converted").glob("*.parquet")
    return path


def test_a_damaged_conversion_never_becomes_a_number(tmp_path: Path) -> None:
    source, cache = halls(tmp_path), tmp_path / "cache"
    right = Store(cache).table(source)
    kept = converted(cache)
    good = kept.read_bytes()
    for words, damage in damaged(good, 1, FLIPS):
        damage(kept)
        assert Store(cache).table(source).equals(right), words
        assert kept.read_bytes() == good, words


def test_nor_does_one_whose_checksum_is_damaged(tmp_path: Path) -> None:
    source, cache = halls(tmp_path), tmp_path / "cache"
    right = Store(cache).table(source)
    kept = converted(cache)
    sums = kept.with_name(f"{kept.name}.sha256")
    good, listed = kept.read_bytes(), sums.read_bytes()
    for words, damage in damaged(listed, 2, FLIPS):
        damage(sums)
        kept.write_bytes(flipped(good, 3))
        assert Store(cache).table(source).equals(right), words
        assert (kept.read_bytes(), sums.read_bytes()) == (good, listed), words


def test_the_conversion_of_another_file_is_not_taken_for_it(tmp_path: Path) -> None:
    """A file put under another's name with its checksum is as wrong as a damaged one."""
    cache = tmp_path / "cache"
    tables = []
    for rows in (5, 6):
        (tmp_path / str(rows)).mkdir()
        tables.append(Store(cache).table(halls(tmp_path / str(rows), rows)))
    first, second = sorted((cache / "converted").glob("*.parquet"))
    shutil.copy(first, second)
    shutil.copy(f"{first}.sha256", f"{second}.sha256")
    for rows, right in zip((5, 6), tables, strict=True):
        assert Store(cache).table(local_source(tmp_path / f"{rows}/halls.geojson")).equals(right)


@pytest.mark.parametrize("what", ["", ".sha256"])
def test_a_folder_where_a_conversion_should_be_is_named(tmp_path: Path, what: str) -> None:
    source, cache = halls(tmp_path), tmp_path / "cache"
    right = Store(cache).table(source)
    kept = converted(cache)
    there = kept.with_name(kept.name + what)
    there.unlink()
    (there / "a").mkdir(parents=True)
    with pytest.raises(SourceError) as caught:
        Store(cache).table(source)
    assert str(caught.value) == (
        f"{there} is a folder, and a file is to be written there; move it away or delete it "
        "(COMMONWEAL_CACHE sets the cache)"
    )
    shutil.rmtree(there)
    assert Store(cache).table(source).equals(right)


def test_a_folder_where_a_fetched_file_should_be_is_named(tmp_path: Path) -> None:
    source = published("http://127.0.0.1:9/scores.csv")
    there = tmp_path / "files/127.0.0.1:9/scores.csv"
    there.mkdir(parents=True)
    for offline in (True, False):
        with pytest.raises(SourceError, match=r"scores\.csv is a folder, and a file is to be"):
            Store(tmp_path, offline=offline, limits=TimeLimits(retries=0)).table(source)


def test_a_disk_that_loses_what_is_written_is_told_of(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from pathlib import Path as Paths

    whole = Paths.replace

    def losing(part: Path, target: Path) -> Path:
        if target.suffix == ".parquet":
            part.write_bytes(flipped(part.read_bytes(), 4))
        return whole(part, target)

    monkeypatch.setattr(Paths, "replace", losing)
    with pytest.raises(SourceError, match="does not hold what was just written there"):
        Store(tmp_path / "cache").table(halls(tmp_path))


def test_what_is_whole_is_neither_made_nor_hashed_twice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from commonweal.files import atomic as files

    monkeypatch.setattr(files, "_SETTLED_NS", -1)
    hashed: list[Path] = []
    real = files.sha256_of
    monkeypatch.setattr(files, "sha256_of", lambda path: hashed.append(path) or real(path))
    made: list[int] = []

    def make() -> tuple[pl.DataFrame, str]:
        made.append(1)
        return pl.DataFrame({"a": [1, 2]}), "told"

    for _ in range(3):
        table, notes = cached_table(tmp_path / "a.parquet", make)
        assert (table["a"].to_list(), notes) == ([1, 2], "told")
    assert made == [1]
    assert hashed == [tmp_path / "a.parquet"]


def test_verify_names_a_damaged_conversion_and_leaves_it_to_the_next_run(tmp_path: Path) -> None:
    source, cache = halls(tmp_path), tmp_path / "cache"
    Store(cache).table(source)
    kept = converted(cache)
    good = kept.read_bytes()
    assert Store(cache).verify(source).status == "good"
    (found,) = Store(cache).verify_kept()
    assert (found.id, found.status, found.size) == (f"converted/{kept.name}", "good", len(good))
    kept.write_bytes(flipped(good, 5))
    for found in (Store(cache).verify(source), *Store(cache).verify_kept()):
        assert (found.status, found.path) == ("wrong bytes", kept)
        assert found.message == (
            f"{kept} is damaged, and is not used; the next run that needs it makes it again"
        )
    assert kept.read_bytes() == flipped(good, 5)
    Store(cache).table(source)
    assert Store(cache).verify(source).status == "good"


@pytest.fixture
def generated(monkeypatch: pytest.MonkeyPatch) -> Callable[[], int]:
    """Generate the county once for all tests; count how often it was asked for."""
    asked: list[int] = []

    def counted() -> county.County:
        asked.append(1)
        return _county()

    monkeypatch.setattr(county, "generate_county", counted)
    return lambda: len(asked)


@once
def _county() -> county.County:
    return generate_county(n_areas=60)


@pytest.mark.parametrize("table", ["areas", "places"])
def test_a_damaged_table_of_the_county_is_generated_again(
    tmp_path: Path, generated: Callable[[], int], table: str
) -> None:
    right = Store(tmp_path).table(f"county-{table}")
    assert generated() == 1
    path = Store(tmp_path).source(f"county-{table}").path
    assert path is not None
    good = path.read_bytes()
    for turn, (words, damage) in enumerate(damaged(good, 6, 5), start=2):
        damage(path)
        assert Store(tmp_path).table(f"county-{table}").equals(right), words
        assert path.read_bytes() == good, words
        assert generated() == turn


def test_damaged_checksums_of_the_county_are_written_again(
    tmp_path: Path, generated: Callable[[], int]
) -> None:
    right = Store(tmp_path).table("county-places")
    (sums,) = tmp_path.glob("county-*/SHA256SUMS")
    listed = sums.read_bytes()
    for words, damage in damaged(listed, 7, 10):
        damage(sums)
        assert Store(tmp_path).table("county-places").equals(right), words
        put_back(sums, listed)
    assert {found.status for found in Store(tmp_path).verify_kept()} == {"good"}


def test_a_folder_where_a_table_of_the_county_should_be_is_named(
    tmp_path: Path, generated: Callable[[], int]
) -> None:
    path = Store(tmp_path).source("county-places").path
    assert path is not None
    path.unlink()
    path.mkdir()
    with pytest.raises(SourceError, match="is a folder, and a file is to be written there"):
        Store(tmp_path).table("county-places")


def test_a_county_that_does_not_fit_on_the_disk_is_said_plainly(
    tmp_path: Path, generated: Callable[[], int], monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_descriptor: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(SourceError, match=r"no room left to write in .*county-v\d+; free some"):
        Store(tmp_path).table("county-places")
    assert [p for p in tmp_path.rglob("*") if p.is_file()] == []


def test_the_command_verify_covers_what_was_made(
    tell: Callable[..., tuple[int, str, str]], tmp_path: Path
) -> None:
    cache = tmp_path / "cache"
    cached_file(cache / "tiles" / "a.pmtiles", lambda: b"tiles")
    cached_file(cache / "converted" / "b.parquet", lambda: b"table")
    (cache / "tiles" / "a.pmtiles").write_bytes(b"tilet")
    code, out, _ = tell("sources", "verify", COMMONWEAL_CACHE=str(cache))
    assert code == 2  # there is no mirror, so no source is good either
    lines = out.splitlines()
    assert [line.split()[:3] for line in lines if "pmtiles" in line] == [
        ["tiles/a.pmtiles", "wrong", "bytes"]
    ]
    assert lines[-1] == "1 of 2 files made from sources are good"


@pytest.mark.parametrize("when", ["half a file", "nothing yet"])
def test_what_a_killed_process_left_goes_with_the_next_use(tmp_path: Path, when: str) -> None:
    """The next use writes nothing; it tidies up all the same. What lives stays."""
    source, cache = halls(tmp_path), tmp_path / "cache"
    Store(cache).table(source)
    there = sorted(p for p in cache.rglob("*") if p.is_file())
    program = """
import os, signal, sys
from pathlib import Path
from commonweal.files import atomic as files
if sys.argv[2] == "nothing yet":
    Path.touch = lambda *_, **__: os.kill(os.getpid(), signal.SIGKILL)
with files.atomic_write(Path(sys.argv[1])) as part:
    part.write_bytes(b"half")
    os.kill(os.getpid(), signal.SIGKILL)
"""
    for place in ("files/example.org/a.csv", "converted/b.parquet"):
        subprocess.run([sys.executable, "-c", program, str(cache / place), when], check=False)
    (cache / "converted" / ".b.parquet.abc_1x9q.part").touch()  # as written before there were locks
    assert len([p for p in cache.rglob(".*") if p.is_file()]) >= 3
    with atomic_write(cache / "tiles" / "c.pmtiles") as living:
        Store(cache).table(source)
        assert living.is_file()
    assert sorted(p for p in cache.rglob("*") if p.is_file()) == sorted(
        [*there, cache / "tiles" / "c.pmtiles"]
    )
