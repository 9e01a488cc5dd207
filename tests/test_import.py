"""The command line starts at once: what is heavy is imported when it is asked for."""

from __future__ import annotations

import json
import subprocess
import sys
from graphlib import TopologicalSorter

import grimp
import pytest

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
    """`check` needs no table, no geometry, no compiled kernel and no workbook."""
    assert not loaded(*args) & {"numba", "shapely", "pyogrio", "xlsxwriter", "jinja2", "matplotlib"}


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
