"""The command line starts at once: what is heavy is imported when it is asked for."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from graphlib import TopologicalSorter
from pathlib import Path

import grimp
import pytest

ROOT = Path(__file__).resolve().parents[1]

# Without pydantic, which typer brings in itself for the help of a command with arguments.
HEAVY = {
    "numpy",
    "polars",
    "numba",
    "scipy",
    "shapely",
    "pyogrio",
    "jinja2",
    "xlsxwriter",
    "matplotlib",
}


def loaded(*args: str) -> set[str]:
    """Names of the modules that are loaded when a command has ended."""
    script = (
        "import json, sys\n"
        f"sys.argv = {['commonweal', *args]!r}\n"
        "from commonweal.cli.app import main\n"
        "try:\n    main()\nexcept SystemExit:\n    pass\n"
        "print(json.dumps([m.split('.')[0] for m in sys.modules]), file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    return set(json.loads(done.stderr.splitlines()[-1]))


@pytest.mark.parametrize(
    "args", [["--help"], ["--version"], ["run", "--help"], ["sources", "show", "--help"]]
)
def test_help_imports_nothing_heavy(args: list[str]) -> None:
    assert not loaded(*args) & HEAVY


@pytest.mark.slow
@pytest.mark.parametrize("args", [["studies"], ["check", "demo"], ["new", "--help"]])
def test_light_commands_do_without_tables(args: list[str]) -> None:
    """`check` needs no compiled kernel and no workbook; geometry only for the boundaries that it looks into."""
    heavy = {"numba", "pyogrio", "xlsxwriter", "jinja2", "matplotlib"}
    assert not loaded(*args) & (heavy if args[0] == "check" else {*heavy, "shapely"})


def test_importing_the_package_imports_nothing_of_it() -> None:
    script = "import sys, commonweal; print(len([m for m in sys.modules if m.startswith('commonweal.')]))"
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "0"


def test_no_files_import_each_other_in_a_circle() -> None:
    house = grimp.build_graph("commonweal")
    TopologicalSorter(
        {m: house.find_modules_directly_imported_by(m) for m in house.modules}
    ).prepare()


@pytest.mark.slow
@pytest.mark.parametrize("name", ["commonweal", "pytest"])
def test_python_m_does_in_a_checkout_what_the_command_does(name: str) -> None:
    """Python puts the checkout first on its path then, with the folders `docs` and `tests` in it."""
    args = {
        "commonweal": ["demo", "--help"],
        "pytest": ["--collect-only", "-q", "-p", "no:cacheprovider", "tests/test_errors.py"],
    }[name]
    script = str(Path(sys.executable).with_name(name))
    first, second = (
        subprocess.run(
            [*command, *args], cwd=ROOT, capture_output=True, text=True, check=True, timeout=300
        )
        for command in ([script], [sys.executable, "-m", name])
    )
    timed = re.compile(r" in [\d.]+s")
    assert timed.sub("", first.stdout) == timed.sub("", second.stdout)
    assert {"commonweal": "fictional county", "pytest": "tests/test_errors.py::"}[
        name
    ] in second.stdout
