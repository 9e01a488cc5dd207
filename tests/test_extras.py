"""The core runs a study and writes its folder; what an extra brings is named where it is not installed."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib
from importlib import metadata
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

PROJECT = tomllib.loads(Path("pyproject.toml").read_text("utf-8"))["project"]
pytestmark = pytest.mark.slow

EXTRAS = PROJECT["optional-dependencies"]

HIDING = """
import sys
from importlib.machinery import PathFinder

class Core(PathFinder):
    @classmethod
    def find_spec(cls, name, path=None, target=None):
        if name.split(".")[0] in HIDDEN:
            return None
        return super().find_spec(name, path, target)

sys.meta_path[sys.meta_path.index(PathFinder)] = Core
"""


def core() -> set[str]:
    """Names of the distributions that a plain `pip install commonweal` brings."""
    found: set[str] = set()
    waiting = [Requirement(text) for text in PROJECT["dependencies"]]
    while waiting:
        asked = waiting.pop()
        name = canonicalize_name(asked.name)
        if name in found or (asked.marker and not asked.marker.evaluate({"extra": ""})):
            continue
        found.add(name)
        waiting += [Requirement(text) for text in metadata.requires(name) or []]
    return found


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """An environment in which Python finds no package outside the core, in child processes too."""
    there = core() | {"commonweal", "setuptools"}
    hidden = {
        module
        for module, owners in metadata.packages_distributions().items()
        if not there & {canonicalize_name(owner) for owner in owners}
    }
    folder = tmp_path_factory.mktemp("hiding")
    (folder / "sitecustomize.py").write_text(f"HIDDEN = {sorted(hidden)!r}\n{HIDING}", "utf-8")
    return {**os.environ, "PYTHONPATH": str(folder)}


def commonweal(env: dict[str, str], where: Path, *args: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "commonweal", *args]
    return subprocess.run(command, cwd=where, env=env, capture_output=True, text=True, check=False)


def test_the_core_has_at_most_fifteen_dependencies_and_all_has_every_extra() -> None:
    assert len(PROJECT["dependencies"]) <= 15
    (everything,) = (Requirement(text) for text in EXTRAS["all"])
    assert everything.name == PROJECT["name"]
    assert everything.extras == EXTRAS.keys() - {"all", "build", "dev"}


def test_the_core_runs_the_demo_and_says_what_it_leaves_out(
    plain: dict[str, str], tmp_path: Path
) -> None:
    done = commonweal(plain, tmp_path, "run", "demo", "--draws", "8", "--out", "results")
    assert done.returncode == 0, done.stderr
    lacks = {"report.pdf": ("typst", "pdf"), "results.xlsx": ("xlsxwriter", "xlsx")}
    said = {
        name: f"not written: the package '{package}' is not installed; type: pip install 'commonweal[{extra}]'"
        for name, (package, extra) in lacks.items()
    }
    assert done.stderr == "".join(f"{name}: {text}\n" for name, text in said.items())
    there = {path.name for path in (tmp_path / "results").iterdir()}
    assert there >= {"report.html", "commonweal.gpkg", "study.yaml", "README.txt"}
    page, readme = (
        (tmp_path / "results" / name).read_text("utf-8") for name in ("report.html", "README.txt")
    )
    for name, text in said.items():
        assert name not in there
        assert name not in page
        assert f"({name})\n    {text[0].upper()}{text[1:]}\n" in readme


def test_a_report_is_written_without_what_is_missing(plain: dict[str, str], tmp_path: Path) -> None:
    done = commonweal(plain, tmp_path, "invest", "appraise", "community-hub", "--out", "hub")
    assert done.returncode == 0, done.stderr
    assert re.findall(r"^(\S+): not written: .*\[(\w+)\]'$", done.stderr, re.MULTILINE) == [
        ("report.pdf", "pdf"),
        ("report.xlsx", "xlsx"),
    ]
    page = (tmp_path / "hub" / "report.html").read_text("utf-8")
    assert "report.pdf" not in page
    assert "report.xlsx" not in page


@pytest.mark.parametrize(
    ("args", "extra", "package"),
    [
        (["explore", "demo"], "web", "uvicorn"),
        (["brief", "demo"], "pdf,xlsx", "typst"),
        (["session", "demo"], "pdf,xlsx", "typst"),
        (["discontent"], "papers", "spreg"),
    ],
)
def test_a_command_names_the_extra_that_it_needs(
    plain: dict[str, str], tmp_path: Path, args: list[str], extra: str, package: str
) -> None:
    done = commonweal(plain, tmp_path, *args)
    assert done.returncode == 2
    assert done.stdout == ""
    assert f"'{package}'" in done.stderr
    assert done.stderr.endswith(f"not installed; type: pip install 'commonweal[{extra}]'\n")
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize(
    ("call", "extra"),
    [
        ("from commonweal.document.pdf import font_folder; font_folder()", "pdf"),
        ("from commonweal.access.postcodes import load_postcodes; load_postcodes()", "access"),
        (
            "from commonweal.access.osm_streets import read_streets; read_streets(__file__)",
            "access",
        ),
        ("from commonweal.invest.solver import load_highs; load_highs()", "invest"),
        ("from commonweal.small_areas.laplace import one_thread; one_thread()", "survey"),
        ("from commonweal.toolbox.figure import blank; blank(100)", "toolbox"),
        ("from commonweal.sources.rdata import parse; parse(b'A\\n', __file__)", "toolbox"),
        ("from commonweal.web import create_app", "web"),
    ],
)
def test_a_library_that_is_missing_is_a_plain_error(
    plain: dict[str, str], tmp_path: Path, call: str, extra: str
) -> None:
    script = tmp_path / "script.py"
    script.write_text(call, "utf-8")
    done = subprocess.run(
        [sys.executable, str(script)], env=plain, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    last = done.stderr.splitlines()[-1]
    assert last.startswith("commonweal.errors.MissingExtraError: the package '")
    assert last.endswith(f"is not installed; type: pip install 'commonweal[{extra}]'")
