"""The store: where a file comes from, what is checked, and what is remembered."""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import xlsxwriter

from commonweal.errors import SourceError, UnknownNameError, UnreachableError, WrongBytesError
from commonweal.files import atomic as files
from commonweal.sources import Store
from commonweal.sources.catalogue import local_source
from commonweal.sources.fetch import TimeLimits

from .conftest import TABLE, Server, published

SHA = hashlib.sha256(TABLE).hexdigest()
ADDRESS = "https://data.example.org/a%20b/table.csv"


def store(cache: Path, **options: Any) -> Store:
    limits = TimeLimits(timeout_s=60, retries=1, backoff_s=0.001)
    return Store(cache, limits=limits, **options)


def put(folder: Path, body: bytes = TABLE, place: str = "data.example.org/a b/table.csv") -> Path:
    path = folder / place
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(body)
    return path


def test_a_mirror_folder_is_used_in_place(tmp_path: Path) -> None:
    path = put(tmp_path / "mirror")
    it = store(tmp_path / "cache", mirror=tmp_path / "mirror", offline=True)
    assert it.path(published(ADDRESS)) == path
    assert it.table(published(ADDRESS)).shape == (2000, 2)
    assert not (tmp_path / "cache").exists()


def test_wrong_bytes_in_the_mirror_are_not_used(server: Server, tmp_path: Path) -> None:
    source = published(f"{server.url}/good.csv")
    path = put(tmp_path / "mirror", b"damaged", f"{server.host}/good.csv")
    with pytest.raises(WrongBytesError) as caught:
        store(tmp_path / "cache", mirror=tmp_path / "mirror", offline=True).table(source)
    said = str(caught.value)
    for word in (SHA, hashlib.sha256(b"damaged").hexdigest(), str(path), "scores", "Delete"):
        assert word in said
    assert server.hits.total() == 0
    assert path.read_bytes() == b"damaged"


def test_what_the_mirror_lacks_comes_from_the_cache_then_the_network(
    server: Server, tmp_path: Path
) -> None:
    (tmp_path / "mirror").mkdir()
    source = published(f"{server.url}/good.csv")
    for expected in ("network", "cache"):
        it = store(tmp_path / "cache", mirror=tmp_path / "mirror")
        assert it.table(source)["score"].sum() == sum(i + 0.5 for i in range(2000))
        assert it.used[0]["from"] == expected
    assert server.hits["/good.csv"] == 1


def test_a_damaged_cache_is_fetched_again(server: Server, tmp_path: Path) -> None:
    source = published(f"{server.url}/good.csv")
    kept = put(tmp_path / "files", b"damaged", f"{server.host}/good.csv")
    assert store(tmp_path).path(source) == kept
    assert kept.read_bytes() == TABLE


def test_a_damaged_cache_offline_is_an_error(tmp_path: Path) -> None:
    put(tmp_path / "files", b"damaged")
    with pytest.raises(WrongBytesError, match=SHA):
        store(tmp_path, offline=True).path(published(ADDRESS))


def test_offline_opens_no_connection(server: Server, tmp_path: Path) -> None:
    it = store(tmp_path, offline=True, mirror=server.url)
    with pytest.raises(UnreachableError, match=r"offline.*COMMONWEAL_OFFLINE"):
        it.path(published(f"{server.url}/good.csv"))
    assert server.hits.total() == 0


def test_a_mirror_may_be_a_url(server: Server, tmp_path: Path) -> None:
    it = store(tmp_path, mirror=f"{server.url}/mirror/")
    path = it.path(published("https://data.example.org/x%20y/good.csv"))
    assert path == tmp_path / "files/data.example.org/x y/good.csv"
    assert it.used[0]["from"] == "mirror"
    assert list(server.hits) == ["/mirror/data.example.org/x%20y/good.csv"]


def test_what_the_mirrors_url_lacks_comes_from_the_network(server: Server, tmp_path: Path) -> None:
    told: list[str] = []
    it = store(tmp_path, mirror=f"{server.url}/absent", progress=lambda what, *_: told.append(what))
    it.path(published(f"{server.url}/slow/table.csv"))
    assert it.used[0]["from"] == "network"
    assert any("404" in what for what in told)


def test_wrong_bytes_at_the_mirrors_url_are_an_error(server: Server, tmp_path: Path) -> None:
    source = published(f"{server.url}/good.csv", size=len(TABLE) + 1, sha256="0" * 64)
    with pytest.raises(WrongBytesError, match=SHA):
        store(tmp_path, mirror=server.url).path(source)
    assert not [p for p in tmp_path.rglob("*") if p.is_file()]


def test_a_mirror_that_is_no_folder_is_said(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"COMMONWEAL_MIRROR: .*nowhere is not a folder"):
        store(tmp_path, mirror=tmp_path / "nowhere").path(published(ADDRESS))


def test_a_rolling_source_records_what_came(server: Server, tmp_path: Path) -> None:
    it = store(tmp_path)
    it.table(published(f"{server.url}/good.csv", sha256="rolling", size=None))
    (entry,) = it.used
    assert (entry["sha256"], entry["size"], entry["pinned"]) == (SHA, len(TABLE), False)


def test_a_rolling_source_is_fetched_anew_when_asked(server: Server, tmp_path: Path) -> None:
    rolling = published(f"{server.url}/good.csv", sha256="rolling", size=None)
    kept = put(tmp_path / "files", b"code,score\nE1,1\n", f"{server.host}/good.csv")
    it = store(tmp_path)
    assert it.table(rolling).height == 1
    assert it.refresh(rolling) == kept
    assert it.table(rolling).height == 2000
    assert it.used[-1]["from"] == "network"
    assert server.hits["/good.csv"] == 1


def test_a_refresh_that_fails_keeps_what_there_is(server: Server, tmp_path: Path) -> None:
    kept = put(tmp_path / "files", b"code,score\nE1,1\n", f"{server.host}/absent/good")
    it = store(tmp_path)
    gone = published(f"{server.url}/absent/good", sha256="rolling", size=None)
    with pytest.raises(UnreachableError, match="404"):
        it.refresh(gone)
    assert it.path(gone) == kept
    with pytest.raises(UnreachableError, match="COMMONWEAL_OFFLINE"):
        store(tmp_path, offline=True).refresh(gone)


def test_a_pinned_source_needs_no_refresh(server: Server, tmp_path: Path) -> None:
    put(tmp_path / "files", TABLE, f"{server.host}/good.csv")
    store(tmp_path).refresh(published(f"{server.url}/good.csv"))
    assert server.hits.total() == 0


def test_bytes_are_checked_once_in_a_run_and_where_they_changed(tmp_path: Path) -> None:
    path = put(tmp_path / "mirror")
    it = store(tmp_path / "cache", mirror=tmp_path / "mirror", offline=True)
    source = published(ADDRESS)
    report = it.verify(source)
    assert (report.status, report.where, report.path) == ("good", "mirror", path)
    assert (report.sha256, report.size, report.message) == (SHA, len(TABLE), "")
    path.write_bytes(b"damaged")
    with pytest.raises(WrongBytesError, match=SHA):
        it.path(source)
    report = it.verify(source)
    assert report.status == "wrong bytes"
    assert SHA in report.message
    path.unlink()
    report = it.verify(source)
    assert report.status == "unreachable"
    assert ADDRESS in report.message
    with pytest.raises(UnreachableError):
        it.path(source)


def test_what_was_used_is_remembered_once(tmp_path: Path) -> None:
    put(tmp_path / "mirror")
    it = store(tmp_path / "cache", mirror=tmp_path / "mirror", offline=True)
    assert it.used == []
    it.table(published(ADDRESS), ["code"])
    it.table(published(ADDRESS), ["score"])
    (entry,) = it.used
    assert entry == {
        "id": "scores", "title": "Scores", "publisher": "Somebody", "url": ADDRESS, "path": None,
        "sha256": SHA, "size": len(TABLE), "pinned": True,
        "licence": "Open Government Licence v3.0", "licence_url": None,
        "attribution": "Contains scores.", "vintage": "2019", "use": "open", "from": "mirror",
        "rows": 2000, "columns": ["code", "score"], "notes": [],
    }  # fmt: skip
    assert json.loads(json.dumps(it.used)) == it.used
    it.used.clear()
    assert len(it.used) == 1


def test_two_files_of_one_name_are_remembered_apart(tmp_path: Path) -> None:
    it = store(tmp_path / "cache")
    for folder in ("a", "b"):
        it.table(local_source(put(tmp_path, place=f"{folder}/halls.csv")))
    assert [Path(entry["path"]).parent.name for entry in it.used] == ["a", "b"]
    assert {entry["from"] for entry in it.used} == {"local file"}


def test_a_local_file_with_a_pinned_checksum_is_checked(tmp_path: Path) -> None:
    path = put(tmp_path, place="halls.csv")
    it = store(tmp_path / "cache")
    assert it.table(local_source(path, sha256=SHA, size=len(TABLE))).height == 2000
    with pytest.raises(WrongBytesError, match=SHA):
        it.table(local_source(path, sha256="0" * 64, size=3))


def test_an_unknown_source_or_column_names_the_nearest(tmp_path: Path) -> None:
    it = store(tmp_path)
    with pytest.raises(UnknownNameError, match=r"source 'imd2019-lsoa1'.*'imd2019-lsoa11'"):
        it.table("imd2019-lsoa1")
    put(tmp_path / "files")
    with pytest.raises(UnknownNameError, match=r"column 'scor'.*'scores'.*did you mean 'score'"):
        store(tmp_path, offline=True).table(published(ADDRESS), ["scor"])


def workbook(path: Path) -> Path:
    with xlsxwriter.Workbook(path) as book:
        for name, value in (("A", 1), ("B", 2)):
            page = book.add_worksheet(name)
            page.write_row(0, 0, ["code", "n"])
            page.write_row(1, 0, ["x", value])
    return path


def test_a_slow_format_is_converted_once_and_told_of(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = local_source(workbook(tmp_path / "halls.xlsx"))
    told: list[str] = []
    first = store(tmp_path / "cache", progress=lambda what, *_: told.append(what)).table(source)
    assert any("converting halls" in what and "first time" in what for what in told)
    import commonweal.sources.readers as readers

    monkeypatch.setattr(readers, "read_table", lambda *_: pytest.fail("read again"))
    assert store(tmp_path / "cache").table(source).equals(first)
    assert store(tmp_path / "cache").table(source, ["n"]).columns == ["n"]


def test_a_conversion_depends_on_the_readers_options(tmp_path: Path) -> None:
    path = workbook(tmp_path / "halls.xlsx")
    it = store(tmp_path / "cache")
    values = []
    for sheet in ("A", "B"):
        reader = local_source(path).reader.model_copy(update={"sheet": sheet})
        values.append(it.table(local_source(path, reader=reader))["n"].to_list())
    assert values == [[1], [2]]


def test_a_map_is_converted_once_and_anew_where_any_part_of_it_changes(tmp_path: Path) -> None:
    """A shapefile is several files; its names are not in the one that gives the name."""
    from shapely import Point, to_wkb

    it, names = store(tmp_path / "cache"), []
    for name in ("A1", "B1", ""):
        if name:
            write_shapes(tmp_path, to_wkb([Point(0, 51)]), name)
        table = it.table(local_source(tmp_path / "map.shp"))
        names.append((table["code"][0], len(list((tmp_path / "cache").rglob("*.parquet")))))
    assert names == [("A1", 1), ("B1", 2), ("B1", 2)]
    assert any("map.dbf sha256" in note for entry in it.used for note in entry["notes"])


def write_shapes(folder: Path, shapes: Any, name: str) -> None:
    import numpy as np
    import pyogrio

    pyogrio.raw.write(
        folder / "map.shp",
        shapes,
        field_data=[np.array([name], dtype=object)],
        fields=["code"],
        geometry_type="Point",
        crs="EPSG:4326",
    )


def test_what_was_made_is_hashed_once_when_all_is_verified(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = local_source(workbook(tmp_path / "halls.xlsx"))
    it = store(tmp_path / "cache")
    it.table(source)
    hashed: list[str] = []
    whole = files.sha256_of
    monkeypatch.setattr(
        files, "sha256_of", lambda path, *more: hashed.append(path.suffix) or whole(path, *more)
    )
    kept = it.verify_kept()
    found = it.verify(source, kept)
    assert ({it.status for it in kept}, found.status) == ({"good"}, "good")
    assert hashed.count(".parquet") == 1
    damaged = kept[0].path
    assert damaged is not None
    damaged.write_bytes(b"x")
    assert it.verify(source).status == "wrong bytes"
    assert it.verify(source, it.verify_kept()).status == "wrong bytes"


@pytest.mark.slow
def test_a_damaged_conversion_is_made_again(tmp_path: Path) -> None:
    source = local_source(workbook(tmp_path / "halls.xlsx"))
    table = store(tmp_path / "cache").table(source)
    (kept,) = (tmp_path / "cache/converted").glob("*.parquet")
    good = kept.read_bytes()
    for bad in (b"", good[:-20], good[:4] + bytes(40) + good[44:]):
        kept.write_bytes(bad)
        assert store(tmp_path / "cache").table(source).equals(table)
        assert kept.read_bytes() == good


def test_a_changed_file_is_converted_anew(tmp_path: Path) -> None:
    path = tmp_path / "a.geojson"
    for value in (1, 2):
        feature = {"type": "Feature", "properties": {"n": value}, "geometry": None}
        path.write_text(json.dumps({"type": "FeatureCollection", "features": [feature]}))
        assert store(tmp_path / "cache").table(local_source(path))["n"].to_list() == [value]


def test_what_killed_runs_left_is_looked_for_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A run reads through many copies of one store; a cache may hold thousands of files."""
    swept: list[Path] = []
    monkeypatch.setattr("commonweal.sources.store.sweep_all", swept.append)
    it, source = store(tmp_path / "cache"), local_source(put(tmp_path))
    for copy in (it.afresh(), it.replacing({}), it.offline_only()):
        copy.table(source)
    assert swept == [tmp_path / "cache"]


@pytest.mark.parametrize("kind", ["csv", "geojson"])
def test_a_file_of_ones_own_that_changes_is_read_and_recorded_as_it_is(
    tmp_path: Path, kind: str
) -> None:
    """In one store: the numbers are those of the checksum that the provenance states."""
    path = tmp_path / f"a.{kind}"
    it = store(tmp_path / "cache")
    for turn, value in enumerate((1, 2, 1, 30)):
        feature = {"type": "Feature", "properties": {"n": value}, "geometry": None}
        text = json.dumps({"type": "FeatureCollection", "features": [feature]})
        path.write_text(text if kind == "geojson" else f"n\n{value}\n")
        os.utime(path, (1_000_000 + turn, 1_000_000 + turn))
        assert it.table(local_source(path))["n"].to_list() == [value]
        stated = {entry["sha256"] for entry in it.used if entry["rows"]}
        assert hashlib.sha256(path.read_bytes()).hexdigest() in stated


@pytest.mark.parametrize("kind", ["csv", "geojson"])
def test_a_file_that_changes_while_it_is_read_is_not_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    import commonweal.sources.readers as readers

    path = tmp_path / f"a.{kind}"
    feature = {"type": "Feature", "properties": {"n": 1}, "geometry": None}
    text = json.dumps({"type": "FeatureCollection", "features": [feature]})
    path.write_text(text if kind == "geojson" else "n\n1\n")
    whole = readers.read_table

    def saved_meanwhile(*given: Any) -> Any:
        path.write_text(path.read_text().replace("1", "22"))
        return whole(*given)

    monkeypatch.setattr(readers, "read_table", saved_meanwhile)
    with pytest.raises(SourceError, match="was changed while it was read; run again"):
        store(tmp_path / "cache").table(local_source(path))
    assert not list(tmp_path.rglob("*.parquet"))


def test_without_a_home_folder_the_variable_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    assert Store("~/kept").cache == tmp_path / "kept"
    with pytest.raises(SourceError, match=r"home folder.*~nobody-here.*set COMMONWEAL_CACHE"):
        Store("~nobody-here/kept")
    with pytest.raises(SourceError, match="COMMONWEAL_MIRROR: ~nobody-here/m is not a folder"):
        Store(tmp_path, mirror="~nobody-here/m").path(published(ADDRESS))


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="the system has no named pipes")
def test_a_pipe_is_refused_and_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "halls.csv")
    with pytest.raises(SourceError, match=r"halls\.csv is a pipe or a device"):
        store(tmp_path / "cache").table(local_source(tmp_path / "halls.csv"))


def test_a_name_too_long_for_the_disk_is_said(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="is not there"):
        store(tmp_path).path(local_source(tmp_path / ("a" * 300 + ".csv")))
    with pytest.raises(SourceError, match=r"cannot write in .*File name too long"):
        store(tmp_path).path(published("http://127.0.0.1:9/" + "a" * 300))


def test_notes_of_a_conversion_are_remembered(tmp_path: Path) -> None:
    path = tmp_path / "a.geojson"
    feature = {"type": "Feature", "properties": {"n": 1}, "geometry": None}
    path.write_text(json.dumps({"type": "FeatureCollection", "features": [feature]}))
    for _ in range(2):
        it = store(tmp_path / "cache")
        it.table(local_source(path))
        assert it.used[0]["notes"] == ["1 empty geometries are missing"]


def test_clear_empties_the_cache_and_nothing_else(server: Server, tmp_path: Path) -> None:
    it = store(tmp_path)
    it.path(published(f"{server.url}/good.csv"))
    (tmp_path / "mine.txt").write_text("mine")
    it.clear()
    assert [p.name for p in tmp_path.rglob("*") if p.is_file()] == ["mine.txt"]
    it.path(published(f"{server.url}/good.csv"))
    assert server.hits["/good.csv"] == 2


def test_the_environment_says_cache_mirror_and_offline(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COMMONWEAL_CACHE", str(tmp_path / "c"))
    monkeypatch.setenv("COMMONWEAL_MIRROR", str(tmp_path / "m"))
    for value, expected in (("1", True), ("true", True), ("0", False), ("", False)):
        monkeypatch.setenv("COMMONWEAL_OFFLINE", value)
        it = Store.from_environment()
        assert (it.cache, it.mirror, it.offline) == (tmp_path / "c", str(tmp_path / "m"), expected)
    for name in ("CACHE", "MIRROR", "OFFLINE"):
        monkeypatch.delenv(f"COMMONWEAL_{name}")
    it = Store.from_environment()
    assert it.cache.name == "commonweal"
    assert (it.mirror, it.offline) == (None, False)


def test_a_table_is_polars(tmp_path: Path) -> None:
    put(tmp_path / "files")
    assert isinstance(store(tmp_path, offline=True).table(published(ADDRESS)), pl.DataFrame)


def test_a_table_that_is_remembered_is_the_one_on_the_disk(tmp_path: Path) -> None:
    file = tmp_path / "own.csv"
    store = Store(cache=tmp_path / "cache", offline=True)
    for value in (1, 2):
        file.write_text(f"code,value\nA1,{value}\nA2,{value}\n" + "\n" * value, "utf-8")
        for _ in range(2):
            table = store.table(local_source(file), ["value"])
            assert table["value"].to_list() == [value, value]
            table.insert_column(0, table["value"].alias("other"))
    assert [entry["rows"] for entry in store.used] == [2, 2]
