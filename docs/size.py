"""How big the house is: files, lines, rooms, layers, circles, long and wide functions, dependencies.

Run by ``make size``; ARCHITECTURE.md quotes what it prints.
"""

from __future__ import annotations

import ast
import tomllib
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

import grimp
from cells import table

if TYPE_CHECKING:
    from collections.abc import Iterator

Function: TypeAlias = ast.FunctionDef | ast.AsyncFunctionDef

ROOT = Path(__file__).resolve().parents[1]
LONG, WIDE = 50, 7
"""Lines of code of a function, without its docstring, and parameters, from which on it is counted."""


def functions(file: Path) -> Iterator[Function]:
    """Yield every function of a file, those inside others too."""
    for node in ast.walk(ast.parse(file.read_text("utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def code_lines(function: Function) -> int:
    """Count the lines of a function's body that hold code, without its docstring."""
    body = function.body[ast.get_docstring(function) is not None :]
    return len({line for part in body for node in ast.walk(part) for line in lines_of(node)})


def lines_of(node: ast.AST) -> tuple[int, ...]:
    """Give the first and the last line of a part of the code."""
    return (node.lineno, node.end_lineno or 0) if isinstance(node, ast.expr | ast.stmt) else ()


def parameters(function: Function) -> int:
    """Count the parameters of a function, without ``self`` and ``cls``."""
    named = [*function.args.posonlyargs, *function.args.args, *function.args.kwonlyargs]
    return sum(one.arg not in {"self", "cls"} for one in named)


def kind(file: Path, function: Function) -> str:
    """Say whether a function is a command, whose parameters are its options, or a compiled kernel."""
    if any(
        "compiled" in text or "njit" in text for text in map(ast.unparse, function.decorator_list)
    ):
        return "kernel"
    notes = (one.annotation for one in function.args.args if one.annotation is not None)
    is_command = file.parent.name == "cli" and any("Annotated" in ast.unparse(n) for n in notes)
    return "command" if is_command else ""


def circles() -> int:
    """Say whether files import each other in a circle: 0, or 1 if there is one or more."""
    house = grimp.build_graph("commonweal")
    arrows = {m: house.find_modules_directly_imported_by(m) for m in house.modules}
    try:
        TopologicalSorter(arrows).prepare()
    except CycleError:
        return 1
    return 0


def main() -> None:
    """Print the table."""
    source = ROOT / "src" / "commonweal"
    files = sorted(source.rglob("*.py"))
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    found = [(kind(file, function), function) for file in files for function in functions(file)]
    wide = [which for which, function in found if parameters(function) > WIDE]
    rows = {
        "files in src": len(files),
        "lines in src": sum(len(file.read_text("utf-8").splitlines()) for file in files),
        "rooms": sum(
            folder.is_dir() and (folder / "__init__.py").exists() for folder in source.iterdir()
        ),
        "layers of the import contract": len(
            project["tool"]["importlinter"]["contracts"][0]["layers"]
        ),
        "circles of files": circles(),
        f"functions of more than {LONG} lines": sum(code_lines(f) > LONG for _, f in found),
        f"functions of more than {WIDE} parameters": len(wide),
        "of them commands, whose parameters are their options": wide.count("command"),
        "of them compiled kernels, which take arrays apart": wide.count("kernel"),
        "direct dependencies": len(project["project"]["dependencies"]),
    }
    print(table(["", "now"], [[name, f"{value:,}"] for name, value in rows.items()]))


if __name__ == "__main__":
    main()
