"""The notebooks of the docs run, cell by cell, in at most 40 lines of code."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Any

import geopandas
import pytest

import commonweal as cw

NOTEBOOKS = Path(__file__).resolve().parents[1] / "docs" / "notebooks"
pytestmark = pytest.mark.slow


def cells(notebook: Path) -> list[str]:
    """Give the code of each cell, without the line that hands names to the others."""
    found = []
    for node in ast.parse(notebook.read_text("utf-8")).body:
        if isinstance(node, ast.FunctionDef) and node.decorator_list:
            assert isinstance(node.body[-1], ast.Return)
            found.append("\n".join(ast.unparse(part) for part in node.body[:-1]))
    return found


@pytest.fixture
def ran(tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    import matplotlib as mpl

    mpl.use("agg")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COMMONWEAL_CACHE", str(cache))
    names: dict[str, Any] = {}
    code = cells(NOTEBOOKS / "first_steps.py")
    assert sum(len(cell.splitlines()) for cell in code) <= 40
    for number, cell in enumerate(code, start=1):
        exec(compile(cell, f"cell {number}", "exec"), names)
    return names


def test_first_steps(ran: dict[str, Any]) -> None:
    results, heavier, near = ran["results"], ran["heavier"], ran["near"]
    assert heavier.study.index["community_needs"].weights["places"] == 2
    assert ran["moved"].enter.sum() > 0
    assert ran["uncertain"]["share_of_draws"].is_sorted(descending=True)
    assert isinstance(near, geopandas.GeoDataFrame)
    assert near.crs.to_epsg() == 27700
    assert near["metres"].between(0, 20_000).all()
    assert isinstance(ran["opened"], cw.Results)
    assert (ran["opened"].designation.selected == heavier.designation.selected).all()
    assert len(results.areas) == len(near)


def test_each_cell_takes_and_gives_the_names_that_it_says() -> None:
    """So that marimo, which runs cells by their names, runs them in this order."""
    known: set[str] = set()
    for node in ast.parse((NOTEBOOKS / "first_steps.py").read_text("utf-8")).body:
        if isinstance(node, ast.FunctionDef) and node.decorator_list:
            assert {a.arg for a in node.args.args} <= known
            given = node.body[-1]
            assert isinstance(given, ast.Return)
            assert isinstance(given.value, ast.Tuple)
            names = {n.id for n in given.value.elts if isinstance(n, ast.Name)}
            assert not names & known
            known |= names
