"""The folder: what is in it, that it opens, and that it is never half there."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
import pyogrio
import pytest
import yaml

from commonweal.errors import CommonwealError
from commonweal.files import folder as swap
from commonweal.files.atomic import held
from commonweal.files.folder import check_folder
from commonweal.report.study.folder import plain_yaml, write_results
from commonweal.sources import Store
from commonweal.spec.study import load_study
from commonweal.study.run import run

if TYPE_CHECKING:
    from collections.abc import Callable

    from commonweal.study.results import Results

FILES = {
    "README.txt", "areas.parquet", "certainty.parquet", "commonweal.gpkg", "data", "datapackage.json",
    "designation.parquet", "draws.parquet", "indicators.parquet", "list.csv", "provenance.json",
    "report.html", "report.pdf", "results.xlsx", "scores.parquet", "study.yaml", "summaries.parquet",
}  # fmt: skip


def prints(folder: Path) -> dict[str, str]:
    files = (p for p in folder.rglob("*") if p.is_file())
    return {str(p.relative_to(folder)): hashlib.sha256(p.read_bytes()).hexdigest() for p in files}


def only(parent: Path) -> list[str]:
    return sorted(p.name for p in parent.iterdir())


def test_files(folder: Path) -> None:
    assert {p.name for p in folder.iterdir()} == FILES


def test_readme_names_every_file(folder: Path) -> None:
    text = (folder / "README.txt").read_text("utf-8")
    assert all(f"\n{name}\n" in text for name in FILES)
    assert "A fictional place." in text


def test_tables_have_the_results(folder: Path, results: Results) -> None:
    tables = {p.stem: pl.read_parquet(p) for p in folder.glob("*.parquet")}
    for name in ("areas", "indicators", "scores", "designation", "certainty"):
        assert tables[name]["code"].to_list() == results.areas.codes
    d = results.designations["priority"]
    assert tables["designation"]["selected"].to_list() == d.selected.tolist()
    assert tables["scores"]["need.score"].to_numpy() == pytest.approx(results.scores["need"].score)
    assert tables["indicators"]["income.standard_error"].unique().to_list() == [2.0]
    assert "clubs.standard_error" not in tables["indicators"].columns
    assert tables["indicators"]["turnout"].null_count() == 1
    assert tables["certainty"]["share_of_draws"].to_numpy() == pytest.approx(
        results.certainty["priority"].selected
    )
    assert len(tables["draws"]) == 50
    weights = tables["draws"].select("community.clubs.weight", "community.turnout.weight")
    assert weights.sum_horizontal().to_numpy() == pytest.approx(np.full(50, 2.0))
    assert set(tables["summaries"]["larger_area"]) == {"district", "province"}
    assert set(tables["summaries"]["index"]) == {"need", "community"}


def test_the_list_as_csv(folder: Path, results: Results) -> None:
    rows = pl.read_csv(folder / "list.csv")
    d = results.designations["priority"]
    assert set(rows["Code"]) == set(results.areas.table["code"].filter(d.selected))
    ranks = rows["Need: rank"].to_list()
    assert ranks == sorted(ranks)
    same = pl.read_excel(folder / "results.xlsx", sheet_name="On_the_list")
    assert rows["Population"].to_list() == same["Population"].to_list()


@pytest.mark.parametrize(
    "text", [".", "y", "N", "1e3", "1_000", "0x1F", "-.5", "2019-04-01", "12:30"]
)
def test_a_text_in_the_recipe_is_a_text_to_every_reader(text: str) -> None:
    """R's yaml takes a lone point for a missing number, and y for true."""
    written = plain_yaml({"decimal": text, "n": 1.5, "on": True, "title": "Tiny"})
    assert written == f"decimal: '{text}'\n'n': 1.5\n'on': true\ntitle: Tiny\n"
    assert yaml.safe_load(written)["decimal"] == text


def test_recipe_runs_from_where_it_lies(
    run_tiny: Callable[..., Results],
    study_text: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """All that it reads lies in another folder: its tables, the boundaries, the earlier study."""
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    first = run_tiny(study_text.replace("certainty:", "since: tiny.yaml\ncertainty:"))
    written = write_results(first, Path("../out/tiny"))
    assert written == tmp_path / "out" / "tiny"
    recipe = load_study(written / "study.yaml")
    names = {*recipe.named_files(), recipe.since}
    assert names
    assert not any(Path(name).is_absolute() for name in names)
    assert all((written / name).is_file() for name in names)
    again = write_results(run(recipe, Store(tmp_path / "cache", offline=True)), tmp_path / "again")
    for name in ("scores", "designation", "certainty", "areas"):
        assert (again / f"{name}.parquet").read_bytes() == (
            written / f"{name}.parquet"
        ).read_bytes()
    assert recipe.moved_to(first.study.folder).resolved() == first.study.resolved()


def test_provenance_is_strict_json(folder: Path) -> None:
    def refuse(word: str) -> None:
        raise AssertionError(f"{word} is not JSON")

    data = json.loads((folder / "provenance.json").read_text("utf-8"), parse_constant=refuse)
    assert set(data["files"]) == FILES - {"provenance.json"}
    assert data["study"] == "tiny"
    assert [s["id"] for s in data["sources"]]


def test_geopackage(folder: Path, results: Results) -> None:
    path = folder / "commonweal.gpkg"
    assert pyogrio.list_layers(path).tolist() == [
        ["areas", "MultiPolygon"],
        ["area_points", "Point"],
    ]
    areas = pyogrio.read_info(path, layer="areas")
    points = pyogrio.read_info(path, layer="area_points")
    assert (areas["features"], points["features"]) == (48, 60)
    assert areas["crs"] == points["crs"] == "EPSG:4326"
    meta, _, geometry, values = pyogrio.raw.read(path, layer="area_points")
    fields = dict(zip(meta["fields"], values, strict=True))
    assert fields["selected"].sum() == results.designations["priority"].selected.sum()
    assert {
        "code",
        "name",
        "district_name",
        "population",
        "need_rank",
        "margin",
        "share_of_draws",
    } <= set(fields)
    for index, scores in results.scores.items():
        for domain in scores.domains:
            name = domain.replace("/", "_") + "_rank"
            assert fields[name] == pytest.approx(scores.rank_of(domain), nan_ok=True), index
    values = pl.read_parquet(folder / "indicators.parquet")
    for column in values.drop("code"):
        if not column.name.endswith(".standard_error"):
            assert fields[column.name] == pytest.approx(column.to_numpy(), nan_ok=True)
    assert set(fields["state"]) <= {"in priority", "near miss", "not selected"}
    assert geometry[0][1] == 1
    missing = results.areas.position["V050"]
    assert np.isnan(fields["community_rank"][missing])


def test_geopackage_left_out_where_nothing_lies_anywhere(
    run_tiny: Callable[..., Results], study_text: str, tmp_path: Path
) -> None:
    text = study_text.replace("  longitude: lon\n  latitude: lat\n", "")
    folder = write_results(run_tiny(text, shapes=False), tmp_path / "out")
    assert not (folder / "commonweal.gpkg").exists()
    readme = (folder / "README.txt").read_text("utf-8")
    assert "(commonweal.gpkg)" in readme
    assert "Not written" in readme
    assert '<svg class="map"' not in (folder / "report.html").read_text("utf-8")


def test_points_alone(run_tiny: Callable[..., Results], tmp_path: Path) -> None:
    folder = write_results(run_tiny(shapes=False), tmp_path / "out")
    assert pyogrio.list_layers(folder / "commonweal.gpkg").tolist() == [["areas", "Point"]]


def test_same_results_same_bytes(results: Results, folder: Path, tmp_path: Path) -> None:
    again = write_results(results, tmp_path / "again")
    assert prints(again) == prints(folder)


def test_progress_counts_to_the_end(results: Results, tmp_path: Path) -> None:
    told: list[tuple[str, int, int]] = []
    write_results(results, tmp_path / "out", lambda *step: told.append(step))
    total = told[0][2]
    assert [done for _, done, _ in told] == list(range(total + 1))
    assert told[-1][1:] == (total, total)


def test_replaces_its_own_folder_and_leaves_nothing_else(results: Results, tmp_path: Path) -> None:
    target = write_results(results, tmp_path / "out")
    (target / "report.html").write_text("old")
    (target / ".~lock.results.xlsx#").touch()
    write_results(results, target)
    assert (target / "report.html").read_text("utf-8") != "old"
    assert only(tmp_path) == ["out"]
    assert {p.name for p in target.iterdir()} == FILES


def test_makes_parents_and_takes_an_empty_folder(results: Results, tmp_path: Path) -> None:
    (tmp_path / "a" / "b").mkdir(parents=True)
    assert write_results(results, tmp_path / "a" / "b") == tmp_path / "a" / "b"
    assert (write_results(results, tmp_path / "c" / "d") / "report.html").is_file()


@pytest.mark.parametrize(
    "names", [["thesis.docx"], ["provenance.json"], ["provenance.json", "areas.parquet"]]
)
def test_foreign_folder_is_refused(results: Results, tmp_path: Path, names: list[str]) -> None:
    target = tmp_path / "mine"
    target.mkdir()
    for name in names:
        (target / name).write_text("{}")
    with pytest.raises(
        CommonwealError, match=rf"mine holds {names[-1] if len(names) > 1 else names[0]}"
    ):
        write_results(results, target)
    assert sorted(p.name for p in target.iterdir()) == sorted(names)
    assert only(tmp_path) == ["mine"]


def test_a_users_file_among_results_is_not_lost(results: Results, tmp_path: Path) -> None:
    target = write_results(results, tmp_path / "out")
    (target / "my map.qgz").touch()
    before = prints(target)
    with pytest.raises(CommonwealError, match=r"my map\.qgz, which Commonweal did not write"):
        check_folder(target)
    with pytest.raises(CommonwealError, match=r"my map\.qgz"):
        write_results(results, target)
    assert prints(target) == before


def test_a_file_is_no_folder(results: Results, tmp_path: Path) -> None:
    (tmp_path / "out").touch()
    with pytest.raises(CommonwealError, match="is a file; expected a folder"):
        write_results(results, tmp_path / "out")


@pytest.mark.parametrize(
    ("fault", "raised", "words"),
    [
        (OSError(errno.ENOSPC, "No space left on device"), CommonwealError, "the disk is full"),
        (PermissionError(errno.EACCES, "Permission denied"), CommonwealError, "no permission"),
        (RuntimeError("a fault of ours"), RuntimeError, "a fault of ours"),
        (KeyboardInterrupt(), KeyboardInterrupt, "^$"),
    ],
)
def test_failure_leaves_the_last_good_folder(
    results: Results, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    fault: BaseException, raised: type[BaseException], words: str,
) -> None:  # fmt: skip
    target = write_results(results, tmp_path / "out")
    before = prints(target)

    def fail(*_: object) -> None:
        raise fault

    monkeypatch.setattr("commonweal.report.study.parquet.write_table", fail)
    with pytest.raises(raised, match=words):
        write_results(results, target)
    assert prints(target) == before
    assert only(tmp_path) == ["out"]


def test_failure_of_the_map_is_told(
    results: Results, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise pyogrio.errors.DataSourceError("sqlite3: database or disk is full")

    monkeypatch.setattr("pyogrio.raw.write", fail)
    with pytest.raises(CommonwealError, match="out cannot be written: the disk is full"):
        write_results(results, tmp_path / "out")
    assert only(tmp_path) == []


@pytest.mark.parametrize("way", ["exchange", "renames"])
def test_failed_swap_puts_the_old_folder_back(
    results: Results, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    take_way(monkeypatch, way)
    target = write_results(results, tmp_path / "out")
    before = prints(target)
    rename = Path.rename

    def stubborn(self: Path, to: Path) -> Path:
        if self.suffix == ".new":
            raise PermissionError(errno.EACCES, "Permission denied")
        return rename(self, to)

    monkeypatch.setattr(Path, "rename", stubborn)
    with pytest.raises(CommonwealError, match="no permission"):
        write_results(results, target)
    assert prints(target) == before
    assert only(tmp_path) == ["out"]


@pytest.mark.parametrize("way", ["exchange", "renames"])
def test_what_comes_into_the_folder_meanwhile_is_not_lost(
    results: Results, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    take_way(monkeypatch, way)
    target = write_results(results, tmp_path / "out")

    def save_a_map(what: str, *_: int) -> None:
        if what == "writing README.txt":
            (target / "my map.qgz").touch()

    with pytest.raises(CommonwealError, match=r"my map\.qgz"):
        write_results(results, target, save_a_map)
    assert {p.name for p in target.iterdir()} == {*FILES, "my map.qgz"}
    assert only(tmp_path) == ["out"]


def test_a_fault_of_the_listener_is_its_own(results: Results, tmp_path: Path) -> None:
    def closed(*_: object) -> None:
        raise BrokenPipeError(errno.EPIPE, "Broken pipe")

    with pytest.raises(BrokenPipeError):
        write_results(results, tmp_path / "out", closed)
    assert only(tmp_path) == []


KILLED = """
import os, signal, sys
from pathlib import Path
from commonweal.report.study.folder import write_results
from commonweal.files import folder as swap
from commonweal.sources import Store
from commonweal.study.run import run

rename = Path.rename
def last(path, to):
    if path.suffix == sys.argv[3]:
        os.kill(os.getpid(), signal.SIGKILL)
    return rename(path, to)

results = run(sys.argv[1], Store(Path(sys.argv[1]).parent / "cache", offline=True), draws=0)
Path.rename = last
if sys.argv[4] == "renames":
    swap.can_exchange = lambda: False
write_results(results, Path(sys.argv[2]))
"""
WAYS = ["exchange", "renames"]
"""How folders change places: in one step, and where the system cannot do that."""


def take_way(monkeypatch: pytest.MonkeyPatch, way: str) -> None:
    if way == "renames":
        monkeypatch.setattr(swap, "can_exchange", lambda: False)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("before", [".new", ".old"])
def test_what_a_killed_run_left_is_put_back_or_deleted_by_the_next(
    results: Results, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, before: str, way: str
) -> None:
    """Killed before its folder is put in place, or before the old one is deleted."""
    target = write_results(results, tmp_path / "out")
    good = prints(target)
    command = [
        sys.executable,
        "-c",
        KILLED,
        results.study.folder / "tiny.yaml",
        target,
        before,
        way,
    ]
    assert subprocess.run(command, check=False).returncode == -signal.SIGKILL
    assert target.exists() == (before == ".old" or way == "exchange")
    assert len(only(tmp_path)) > 1

    def fail(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:  # even a run that does not come to its end
        patch.setattr("commonweal.report.study.parquet.write_table", fail)
        with pytest.raises(KeyboardInterrupt):
            write_results(results, target)
    assert only(tmp_path) == ["out"]
    if before == ".new":
        assert prints(target) == good
    write_results(results, target)
    assert only(tmp_path) == ["out"]
    assert prints(target) == good


def test_what_a_run_is_writing_is_left_alone_until_it_ends(
    results: Results, tmp_path: Path
) -> None:
    """However old it is: a lock says whether its run lives, not its age."""
    mine, whole = (tmp_path / f".out.0123456789ab.{kind}" for kind in ("new", "old"))
    with held(mine), held(whole):
        for path in (mine, whole):
            path.mkdir()
            os.utime(path, (0, 0))
        write_results(results, tmp_path / "out")
        assert mine.is_dir()
        assert whole.is_dir()
    write_results(results, tmp_path / "out")
    assert only(tmp_path) == ["out"]


def test_there_is_no_moment_without_a_folder(
    results: Results, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = write_results(results, tmp_path / "out")
    taken, rename = [], Path.rename
    monkeypatch.setattr(Path, "rename", lambda a, b: (taken.append(a), rename(a, b))[1])
    write_results(results, target)
    assert taken
    assert target not in taken


@pytest.mark.parametrize("way", WAYS)
def test_all_of_it_is_on_the_disk_before_it_is_in_place(
    results: Results, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    take_way(monkeypatch, way)
    target = write_results(results, tmp_path / "out")
    flushed: set[int] = set()
    in_time: set[int] = set()
    fsync, look = os.fsync, swap._foreign

    def note(descriptor: int) -> None:
        flushed.add(os.fstat(descriptor).st_ino)
        fsync(descriptor)

    def at_the_swap(folder: Path) -> list[str]:
        in_time.update(flushed)
        return look(folder)

    monkeypatch.setattr(os, "fsync", note)
    monkeypatch.setattr(swap, "_foreign", at_the_swap)
    write_results(results, target)
    assert {p.stat().st_ino for p in (target, *target.iterdir())} <= in_time
    assert tmp_path.stat().st_ino in flushed


def test_a_disk_that_does_not_take_it_leaves_the_last_good_folder(
    results: Results, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = write_results(results, tmp_path / "out")
    before = prints(target)

    def fail(_: int) -> None:
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(CommonwealError, match="out cannot be written: Input/output error"):
        write_results(results, target)
    assert prints(target) == before
    assert only(tmp_path) == ["out"]


def test_a_signal_in_the_middle_of_the_swap_comes_behind_it(
    results: Results, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = write_results(results, tmp_path / "out")
    (target / "report.html").write_text("old")
    look = swap._foreign

    def interrupted(folder: Path) -> list[str]:
        if folder.suffix == ".old":
            signal.raise_signal(signal.SIGINT)
        return look(folder)

    monkeypatch.setattr(swap, "_foreign", interrupted)
    with pytest.raises(KeyboardInterrupt):
        write_results(results, target)
    assert (target / "report.html").read_text("utf-8") != "old"
    assert only(tmp_path) == ["out"]
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_the_folder_that_one_is_in_stays_that_folder(
    results: Results, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "out").mkdir()
    monkeypatch.chdir(tmp_path / "out")
    for _ in range(3):
        assert write_results(results, Path()) == tmp_path / "out"
        assert prints(Path()) == prints(folder)
        assert Path.cwd() == tmp_path / "out"
        assert only(tmp_path) == ["out"]


def test_a_file_of_the_user_s_in_an_old_folder_is_never_deleted(
    results: Results, tmp_path: Path
) -> None:
    target = write_results(results, tmp_path / "out")
    old = tmp_path / ".out.0123456789ab.old"
    shutil.copytree(target, old)
    (old / "my map.qgz").touch()
    write_results(results, target)
    assert only(tmp_path) == [old.name, "out"]
    assert (old / "my map.qgz").exists()


def test_a_run_whose_old_folder_is_put_back_meanwhile_starts_anew(
    results: Results, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without locks another run takes it for left behind, just between the two renames."""
    take_way(monkeypatch, "renames")
    monkeypatch.setattr(swap, "owner_lives", lambda _: False)
    target = write_results(results, tmp_path / "out")
    (target / "report.html").write_text("old")
    look, calls = swap._foreign, []

    def taken(folder: Path) -> list[str]:
        if folder.suffix == ".old" and not calls:
            calls.append(folder)
            swap.tidy(target)
        return look(folder)

    monkeypatch.setattr(swap, "_foreign", taken)
    write_results(results, target)
    assert calls
    assert (target / "report.html").read_text("utf-8") != "old"
    assert only(tmp_path) == ["out"]


def test_an_old_folder_put_back_while_it_is_looked_through_is_not_taken_for_that_of_others(
    results: Results, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another run puts it back between the listing and the reading of its own list of files."""
    take_way(monkeypatch, "renames")
    target = write_results(results, tmp_path / "out")
    read, calls = swap.own_files, []

    def taken(folder: Path) -> set[str]:
        if folder.suffix == ".old" and not calls:
            calls.append(folder)
            folder.rename(target)
        return read(folder)

    monkeypatch.setattr(swap, "own_files", taken)
    write_results(results, target)
    assert calls
    assert only(tmp_path) == ["out"]


@pytest.mark.parametrize("way", WAYS)
def test_two_runs_at_once(
    results: Results, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    take_way(monkeypatch, way)
    faults: list[BaseException] = []

    def work() -> None:
        try:
            for _ in range(3):
                write_results(results, tmp_path / "out")
        except BaseException as error:
            faults.append(error)

    threads = [threading.Thread(target=work) for _ in range(3)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert faults == []
    assert only(tmp_path) == ["out"]
    assert prints(tmp_path / "out") == prints(folder)


@pytest.mark.parametrize("name", [".env", ".git", ".gitignore"])
def test_hidden_files_of_others_are_never_replaced(tmp_path: Path, name: str) -> None:
    folder = tmp_path / "mine"
    (folder / name).mkdir(parents=True) if name == ".git" else None
    folder.mkdir(exist_ok=True)
    if name != ".git":
        (folder / name).write_text("SECRET=1")
    with pytest.raises(CommonwealError, match=name):
        check_folder(folder)
    assert (folder / name).exists()
