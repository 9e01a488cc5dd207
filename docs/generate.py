"""Write the pages of the reference that the program itself states, and check the rest against it.

python docs/generate.py            write cli.md, sources.md, python.md and methods/golden.md
python docs/generate.py --check    fail if one of them, or a key in study.md, is out of date
"""

from __future__ import annotations

import importlib
import re
import sys
from pathlib import Path
from typing import Any

from pydantic import BaseModel

DOCS = Path(__file__).resolve().parent
ROOT = DOCS.parent
sys.path.insert(0, str(DOCS))

from outputs import output_of  # noqa: E402

ROOMS = {  # the public modules, in the order of the road
    "commonweal.study": "Run a study",
    "commonweal.places": "The places of a study",
    "commonweal.agreement": "Agreement with published results",
    "commonweal.recipe": "Study files",
    "commonweal.results": "What a run gives",
    "commonweal.sources": "Sources",
    "commonweal.sources.county": "The fictional county",
    "commonweal.areas": "Areas",
    "commonweal.areas.parts": "Areas that straddle borders",
    "commonweal.areas.denominators": "Denominators",
    "commonweal.indicators": "Indicators",
    "commonweal.index": "Indices",
    "commonweal.index.uncertainty": "Draws",
    "commonweal.designation": "Designations",
    "commonweal.briefing": "The results folder",
    "commonweal.errors": "Errors",
}


def cell(text: object) -> str:
    """Make a text fit for a cell of a table."""
    return " ".join(str(text).split()).replace("|", "\\|").replace("<", "&lt;")


def table(head: list[str], rows: list[list[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines) + "\n"


def cli_page() -> str:
    from commonweal.cli import app

    parts = [
        "# Command line\n",
        "This page is generated from the program: it is what `commonweal COMMAND --help` prints.\n",
    ]

    def visit(group: Any, path: str) -> None:
        told = output_of(f"{path} --help", DOCS)
        parts.append(f"## `{path}`\n\n```text\n{told.strip()}\n```\n")
        for command in group.registered_commands:
            name = command.name or command.callback.__name__
            told = output_of(f"{path} {name} --help", DOCS)
            parts.append(f"## `{path} {name}`\n\n```text\n{told.strip()}\n```\n")
        for below in group.registered_groups:
            visit(below.typer_instance, f"{path} {below.name}")

    visit(app, "commonweal")
    return "\n".join([*parts, CLI_END])


CLI_END = """\
## Exit codes

0: done. 2: a mistake in what was asked or given, told in one to three plain lines. 1: a fault of the
program. With `--debug`, anywhere on the line, the whole trace is shown. 130: stopped with Ctrl-C.

## Environment

`COMMONWEAL_MIRROR`, `COMMONWEAL_CACHE` and `COMMONWEAL_OFFLINE` say where files come from: see
[Work without internet](../how-to/offline.md).
"""


def sources_page() -> str:
    from commonweal.sources import load_catalogue

    found = load_catalogue().values()
    closed = sum(s.use == "benchmark-only" for s in found)
    parts = [
        "# Sources\n",
        f"This page is generated from the catalogue: {len(found)} files. "
        "`commonweal sources show ID` prints address, size, checksum, attribution and notes of one.\n",
        f"*benchmark only* ({closed} files): not openly licensed. Commonweal reads it when a study runs, to "
        "rebuild and compare; it ships none of its values, and you should not pass them on. "
        "The tables of the fictional county (`county-areas`, `county-indicators`, `county-truth`...) are "
        "generated when they are asked for.\n",
    ]
    rows = [
        [
            f"`{s.id}`",
            *map(cell, (s.title, s.publisher, s.licence, s.vintage, s.use.replace("-", " "))),
        ]
        for s in found
    ]
    parts.append(table(["id", "title", "publisher", "licence", "vintage", "use"], rows))
    return "\n".join(parts)


def python_page() -> str:
    parts = [
        "# Python\n",
        "Every public name, in the order in which data travel. `commonweal.study.run` is the whole road; "
        "the other modules are its steps, each usable alone.\n",
    ]
    for module, title in ROOMS.items():
        room = importlib.import_module(module)
        parts.append(f"## {title}: `{module}`\n\n{(room.__doc__ or '').splitlines()[0]}\n")
        parts += [f"::: {module}.{name}\n" for name in sorted(room.__all__, key=str.casefold)]
    return "\n".join(parts)


def golden_page() -> str:
    """State what the tests of the index room compare with COINr, as they state it themselves."""
    sys.path.insert(0, str(ROOT))
    try:
        golden = importlib.import_module("tests.index.golden")
        for file in sorted((ROOT / "tests" / "index").glob("test_*.py")):
            if "golden.CHECKED" in file.read_text("utf-8"):
                importlib.import_module(f"tests.index.{file.stem}")
    finally:
        sys.path.remove(str(ROOT))
    checked: dict[str, str] = golden.CHECKED
    matched = sum(said == "matched" for said in checked.values())
    parts = [
        "# Beside COINr\n",
        f"This page is generated from the tests. They compare with {len(checked)} files of results that the R "
        "package COINr (Becker et al., 2022, [doi:10.21105/joss.04567](https://doi.org/10.21105/joss.04567)) gives "
        f"for its own example, 51 units and 49 indicators. *matched* ({matched}): the same to 1e-9 relative, with "
        "missing values in the same places. *differs*: a definition that we do not share, and why; the test "
        "holds the difference too.\n",
    ]
    rows = [[f"`{file}`", cell(said)] for file, said in sorted(checked.items())]
    return "\n".join([*parts, table(["file", "ours"], rows)])


PAGES = {
    "reference/cli.md": cli_page,
    "reference/sources.md": sources_page,
    "reference/python.md": python_page,
    "methods/golden.md": golden_page,
}


def shown(default: object) -> str:
    """Give a default as study.md shows it."""
    if default is None or default in ("", (), {}) or isinstance(default, BaseModel):
        return ""
    return f"`{default}`"


def study_faults() -> list[str]:
    """Compare the tables of study.md with the models that check a study."""
    from commonweal import designation, index, recipe

    certainty = importlib.import_module("commonweal.designation.certainty")
    models = [recipe.Study, recipe.OwnAreas, recipe.IndicatorSpec, index.Node, recipe.IndexSpec]
    models += [recipe.MoveSpec, designation.Condition, designation.Rule, designation.AtMost]
    models += [certainty.CertaintySpec, certainty.VaryWeights, certainty.VaryForm]
    models += [certainty.VaryErrors, certainty.VaryCut, recipe.AgreementSpec, recipe.BriefingSpec]
    not_keys = {
        "Study": {"name", "folder"},
        "IndexSpec": set(index.Node.model_fields),
        "Rule": {"condition"},
    }
    page = (DOCS / "reference" / "study.md").read_text("utf-8")
    faults = []
    for model in models:
        name, leave_out = model.__name__, not_keys.get(model.__name__, set())
        said = re.search(rf"<!-- {name} -->\n((?:\|.*\n)+)", page)
        rows = (
            re.findall(r"^\| `(\w+)` \| (.*?) ?\| (.+) \|$", said[1], re.MULTILINE) if said else []
        )
        written = {key: default.strip() for key, default, _ in rows}
        true = {
            f.alias or key: "needed"
            if f.is_required()
            else shown(f.get_default(call_default_factory=True))
            for key, f in model.model_fields.items()
            if key not in leave_out
        }
        meaning = {key: told for key, _, told in rows}
        faults += [
            f"study.md: {name}.{f.alias or key}: does not say '{option}'"
            for key, f in model.model_fields.items()
            for options in re.findall(r"Literal\[(.*?)\]", str(f.annotation))
            for option in re.findall(r"'(\w+)'", options)
            if key not in leave_out and f"`{option}`" not in meaning.get(f.alias or key, "")
        ]
        faults += [
            f"study.md: {name}.{key}: says {written.get(key)!r}, is {true.get(key)!r}"
            for key in sorted({*written, *true})
            if written.get(key) != true.get(key)
        ]
    methods = (ROOT / "docs" / "methods" / "indices.md").read_text("utf-8")
    faults += [
        f"indices.md: does not say '{name}'"
        for known in (index.NORMALISERS, index.AGGREGATORS, index.WEIGHINGS)
        for name in known
        if f"| `{name}` |" not in methods
    ]
    return faults


def main(arguments: list[str]) -> int:
    """Write or check; the exit code is 1 if something is out of date."""
    faults = []
    for name, page in PAGES.items():
        file = DOCS / name
        text = page()
        if "--check" not in arguments:
            file.write_text(text, "utf-8")
        elif not file.is_file() or file.read_text("utf-8") != text:
            faults.append(f"docs/{name} is out of date; run: python docs/generate.py")
    faults += study_faults()
    for fault in faults:
        print(fault, file=sys.stderr)
    return bool(faults)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
