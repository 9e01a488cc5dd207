"""The command line on the real files: what anyone runs first in a process of its own, the rest in this one."""

from __future__ import annotations

import csv
import json
import re
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from commonweal.sources import Store

pytestmark = pytest.mark.real


@pytest.fixture
def england(
    mirror_folder: Path, real_store: Store, environment: dict[str, str], tmp_path: Path
) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Run a command in the test's folder with the mirror, and no network."""
    variables = {"COMMONWEAL_MIRROR": str(mirror_folder), "COMMONWEAL_CACHE": str(real_store.cache)}

    def command(*args: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "commonweal", *args],
            cwd=tmp_path,
            env={**environment, **variables},
            capture_output=True,
            encoding="utf-8",
            check=False,
        )

    return command


@pytest.fixture
def here(
    commands_run_once: None,
    tell: Callable[..., tuple[int, str, str]],
    mirror_folder: Path,
    real_store: Store,
) -> Callable[..., tuple[int, str, str]]:
    """Run a command in this process, with a run that another test asked for: exit code, output, errors."""
    variables = {"COMMONWEAL_MIRROR": str(mirror_folder), "COMMONWEAL_CACHE": str(real_store.cache)}
    return lambda *args: tell(*args, **variables)


def test_make_run_s_command(england: Any, tmp_path: Path) -> None:
    """The first thing that anyone runs: the wards of 2019."""
    done = england("run", "left-behind-2019", "--or-demo")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("'Left behind' wards, England 2019\n")
    assert "223 of the 225 on the published list are also on ours." in done.stdout
    assert "fictional" not in done.stdout
    folder = tmp_path / "results" / "left-behind-2019"
    assert done.stdout.rstrip().endswith(f"Report: {folder / 'report.html'}")
    assert {"report.html", "results.xlsx", "commonweal.gpkg", "provenance.json"} <= {
        p.name for p in folder.iterdir()
    }


def test_compare_names_all_and_writes_them(here: Any, tmp_path: Path) -> None:
    code, out, err = here(
        "compare", "left-behind-2023", "left-behind-2025", "--all", "--out", "c.csv"
    )
    assert (code, err) == (0, "")
    assert "1,156 stay on the list, 149 leave it, 106 enter it." in out
    _, lists, *_ = out.split(" compared with ")  # the title, and then the indices
    assert len(re.findall(r"^    E01\d{6}  ", lists, re.MULTILINE)) == 1156 + 149 + 106
    with (tmp_path / "c.csv").open(encoding="utf-8") as file:
        changes = [row["change"] for row in csv.DictReader(file)]
    assert {c: changes.count(c) for c in set(changes)} == {
        "stays": 1156,
        "leaves": 149,
        "enters": 106,
    }


def test_compare_as_json(here: Any) -> None:
    data = json.loads(here("compare", "left-behind-2023", "left-behind-2025", "--json")[1])
    counts = {k: data["figures"][k]["value"] for k in ("stays", "enters", "leaves")}
    assert counts == {"stays": 1156, "enters": 106, "leaves": 149}
    tables = data["tables"]
    assert [len(tables[k]) for k in ("stays", "enters", "leaves")] == [1156, 106, 149]
    assert all(re.fullmatch(r"E01\d{6}", a["code"]) and a["name"] for a in tables["leaves"])


def test_show_as_json(here: Any) -> None:
    code, out, _ = here("show", "E01026129", "--json", "--draws", "0")
    assert code == 0
    data = json.loads(out)
    assert data["name"] == "Birchwood West (Lincoln 007C)"
    assert data["study"] == "left-behind-2025"
    (answer,) = data["answers"]
    assert answer["selected"] is True
    assert answer["share_of_draws"] is None


def test_show_of_a_name_that_many_have(here: Any) -> None:
    code, out, err = here("show", "Central", "--study", "left-behind-2019")
    assert (code, out) == (2, "")
    assert "fits" in err
    assert "'name, authority'" in err
    assert len(err.splitlines()) == 1


def test_sources_verify(england: Any) -> None:
    done = england("sources", "verify", "cni2019-wd17", "cni2023-lsoa21", "imd2025-lsoa21")
    assert (done.returncode, done.stderr) == (0, "")
    assert [line.split()[1] for line in done.stdout.splitlines()] == ["good"] * 3


def test_areas_are_found_by_name_with_what_a_study_writes(here: Any) -> None:
    told = here("areas", "find", "hartlepool")[1]
    assert told.startswith(
        "E06000001  Hartlepool  (Local authority districts, 2024)\n"
        "    where: {lad24: E06000001} in a study on lsoa21, msoa21, wd24: only its areas; or\n"
        "    focus: {lad24: E06000001} to list them with ranks and cut-offs among all\n"
    )
    assert "57 of lsoa21" in told
    assert "where: {region: E12000001}" in here("areas", "find", "North East")[1]
    found = json.loads(here("areas", "find", "birchwood west", "--json")[1])
    codes = {row["code"] for row in found["whole"] if row["system"] == "lsoa21"}
    assert codes == {"E01026127", "E01026129", "E01026131", "E01034689", "E01034690"}
    only = here("areas", "find", "hartlepool 001", "--system", "lsoa21")[1]
    assert only.count("commonweal show E01") == only.count("(Hartlepool 001") > 0
    code, _, err = here("areas", "find", "Hartlepol")
    assert (code, "did you mean 'Hartlepool'" in err) == (2, True)
