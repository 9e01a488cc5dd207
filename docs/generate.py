"""Write the pages of the reference that the program itself states, and check the rest against it.

python docs/generate.py            write reference/ (but study.md, results.md), methods/golden.md and indicators/
python docs/generate.py --check    fail if one of them is out of date, or a key or method is left out
"""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import re
import sys
from collections import Counter
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Protocol, get_args, get_origin

from pydantic import BaseModel

DOCS = Path(__file__).resolve().parent
ROOT = DOCS.parent
sys.path.insert(0, str(DOCS))

from cells import cell, table  # noqa: E402
from indicator_pages import pages as indicator_pages  # noqa: E402
from offer import offer_faults  # noqa: E402
from outputs import output_of  # noqa: E402

if TYPE_CHECKING:
    from collections.abc import Iterable

ROOMS = {  # the public modules, in the order of the road
    "commonweal.front_door": "The front door, `import commonweal as cw`",
    "commonweal.study.run": "Run a study",
    "commonweal.invest.siting.on_study": "Siting on a study",
    "commonweal.invest.siting.result": "What new places change",
    "commonweal.study.small_areas": "From a survey to neighbourhoods, by a file",
    "commonweal.study.certainty": "How certain a place on a list is",
    "commonweal.spec": "Study files",
    "commonweal.study.results": "What a run gives",
    "commonweal.sources": "Sources",
    "commonweal.demo": "The fictional county",
    "commonweal.areas": "Areas",
    "commonweal.areas.apportion": "Areas that straddle borders",
    "commonweal.access": "Access",
    "commonweal.access.osm_streets": "Streets of a map",
    "commonweal.access.walks": "Walks along streets",
    "commonweal.access.places": "Places",
    "commonweal.access.osm_places": "Places of a map",
    "commonweal.access.own_places": "Places of one's own",
    "commonweal.access.timetable": "Timetables",
    "commonweal.access.departures": "Departures",
    "commonweal.indicators": "Indicators",
    "commonweal.designation": "Designations",
    "commonweal.social_capital": "What social capital is measured by",
    "commonweal.survey": "Surveys",
    "commonweal.small_areas": "Small areas",
    "commonweal.social_capital.neighbourhoods": "From a survey to neighbourhoods, step by step",
    "commonweal.papers.wealth": "Trust as wealth",
    "commonweal.papers.discontent": "Places that don't matter",
    "commonweal.invest.parameters": "Parameters of appraisal",
    "commonweal.invest.appraisal": "Appraisal",
    "commonweal.invest.allocation": "Where the money goes",
    "commonweal.invest.siting": "Siting: where new places should go",
    "commonweal.invest.interventions": "Interventions",
    "commonweal.invest.portfolio": "Portfolios",
    "commonweal.invest.tracker": "The tracker",
    "commonweal.compare": "Results beside each other",
    "commonweal.report.place": "The briefing pack",
    "commonweal.evidence": "Evidence",
    "commonweal.document": "Reports",
    "commonweal.errors": "Errors",
}

FAMILIES = {  # of the index room: a page of methods/ each, with the modules that it is about
    "look": ("describe", "correlate", "multivariate", "review"),
    "prepare": (*("screen", "rates", "impute", "treat", "reshape", "prepare", "prepare_spec"),),
    "normalise": ("normalise", "scales", "rank_transforms"),
    "weight": ("weigh", "importance", "benefit"),
    "aggregate": ("aggregate", "means", "outrank"),
    "results": ("build", "framework", "score", "scores", "rank", "rank_tables", "whatif"),
    "uncertainty": ("assumptions", "distributions", "monte_carlo", "uncertainty"),
    "sensitivity": ("sensitivity",),
    "panel": ("panel", "decomposition", "trends"),
    "audit": ("coin", "coin_tool", "workbook", "audit"),
    "plots": ("plots", "plots_ranks", "figure"),
}
TOOLBOX = {"whatif", *FAMILIES["audit"], *FAMILIES["plots"]}
INSIDE = {"kernels", "methods", "prepare_steps", "runs", "table_kernels", "tables", "targets"}
IN_A_STUDY = "in a study"  # head of the columns with names that a study may use
IN_PYTHON = "in Python"  # and of those with names of functions and classes


def cli_page() -> str:
    from commonweal.cli.app import app

    parts = [
        "# Command line\n",
        "This page is generated from the program: it is what `commonweal COMMAND --help` prints.\n",
    ]

    def visit(group: Any, path: str) -> None:
        told = output_of(f"{path} --help", DOCS)
        parts.append(f"## `{path}`\n\n```text\n{told.strip()}\n```\n")
        for command in group.registered_commands:
            name = command.name or command.callback.__name__.replace("_", "-")
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
[Work without internet](../how-to/offline.md). `COMMONWEAL_CATALOGUE` names the folder of
[sources of your own](../how-to/newer-vintage.md).
"""


def sources_page() -> str:
    from commonweal.sources.catalogue import load_catalogue

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
    for publisher in sorted({s.publisher for s in found}, key=str.casefold):
        rows = [
            [
                f"`{s.id}`",
                cell(s.title),
                cell(s.vintage),
                cell(s.licence) + (", *benchmark only*" if s.use == "benchmark-only" else ""),
            ]
            for s in found
            if s.publisher == publisher
        ]
        parts.append(f"## {publisher}\n")
        parts.append(table(["id", "title", "vintage", "licence"], rows))
    return "\n".join(parts)


def evidence_page() -> str:
    from commonweal.evidence import cite, load_evidence
    from commonweal.evidence.library import STRENGTHS
    from commonweal.spec.study import load_study, shipped_studies

    found = load_evidence()
    cited: dict[str, list[str]] = {}
    for name in shipped_studies():
        for id_ in load_study(name).cited():
            cited.setdefault(id_, []).append(f"`{name}`")
    checked = sum(work.checked for work in found.works.values())
    parts = [
        "# Evidence\n",
        f"This page is generated from the evidence library: {len(found.works)} works in {len(found.themes)} themes. "
        "`commonweal evidence` prints it; with `--bibtex FILE` or `--csl FILE` it writes it for a reference manager. "
        "In Python, `cw.evidence.load_evidence` gives the works, `cite` one as text, `bibtex` and `csl_json` all of "
        "them for a manager. Each finding is in our own words.\n",
        f"{checked} works are *checked*: we saw these details in a published record or the work. For the others, the "
        "page says what we did not see.\n",
        "## Strength\n\nStrongest evidence about an effect first.\n",
        table(
            ["strength", "what it means"], [[name, cell(said)] for name, said in STRENGTHS.items()]
        ),
    ]
    for theme in found.themes.values():
        parts.append(f"## {theme.title}\n\n`{theme.id}`. {theme.about}\n")
        rows = []
        for work in found.under(theme.id):
            said = cite(work.id, found)
            where = f" Cited by {', '.join(cited[work.id])}." if work.id in cited else ""
            caution = f" *Please note:* {work.caution}" if work.caution else ""
            state = "" if work.checked else f" *Not fully checked:* {work.check}"
            rows.append([
                f"`{work.id}`",
                f"[{cell(said.short)}]({said.link})<br>{cell(work.title)}",
                cell(f"{work.finds}{caution}{state}{where}"),
                work.strength,
            ])  # fmt: skip
        parts.append(table(["id", "work", "finding", "strength"], rows))
    return "\n".join(parts)


def signatures(module: str, names: Iterable[str]) -> str:
    """List the names of a module as they are called, each with the first sentence that it says."""
    room, lines = importlib.import_module(module), []
    for name in names:
        thing = getattr(room, name)
        said, about = name, ""
        if inspect.isroutine(thing) or inspect.isclass(thing):
            about = (thing.__doc__ or "").strip().split("\n\n")[0]
            with suppress(ValueError):  # an error takes what any error takes
                said += "" if _is_protocol(thing) else f"({', '.join(_parameters(thing))})"
        elif get_origin(thing) is Literal:
            about = f"One of {', '.join(f'`{value!r}`' for value in get_args(thing))}."
        sentence = re.split(r"(?<=[.])\s", " ".join(about.split()), maxsplit=1)[0].rstrip(":.")
        lines.append(f"* `{said}`" + (f": {sentence}." if sentence else ""))
    return "\n".join(lines) + "\n"


def _is_protocol(thing: Any) -> bool:
    """Whether it only says what others have to be like."""
    return Protocol in getattr(thing, "__bases__", ())


MOST_PARAMETERS = 16
"""Of a class with more fields, the rest stand in its own entry."""


LONGEST_DEFAULT = 40
"""Letters of a default that are shown."""


def _parameters(thing: Any) -> list[str]:
    """Give the parameters of a call as a signature has them, without their types."""
    said, starred = [], False
    for one in inspect.signature(thing).parameters.values():
        star = {one.VAR_POSITIONAL: "*", one.VAR_KEYWORD: "**"}.get(one.kind, "")
        if one.kind is one.KEYWORD_ONLY and not starred and not isinstance(thing, type):
            said.append("*")
        starred = starred or one.kind in (one.KEYWORD_ONLY, one.VAR_POSITIONAL)
        plain = one.default is None or isinstance(one.default, str | int | float | tuple)
        default = repr(one.default) if plain else getattr(one.default, "__name__", "...")
        default = default if len(default) <= LONGEST_DEFAULT else "..."
        said.append(f"{star}{one.name}" + ("" if one.default is one.empty else f"={default}"))
    return said if len(said) <= MOST_PARAMETERS else [*said[:MOST_PARAMETERS], "..."]


def public_names() -> list[str]:
    """Give the full name of each public name outside the engine."""
    return [
        f"{module}.{name}"
        for module in ROOMS
        for name in sorted(importlib.import_module(module).__all__, key=str.casefold)
    ]


def python_page() -> str:
    parts = [
        "# Python\n",
        "Every public name, in the order in which data travel. `commonweal.run` is the whole road; "
        "the other modules are its steps, each usable alone. Each module begins with a list of its names as they are "
        "called.\n",
    ]
    for module, title in ROOMS.items():
        room = importlib.import_module(module)
        parts.append(f"## {title}: `{module}`\n\n{(room.__doc__ or '').splitlines()[0]}\n")
        parts.append(signatures(module, sorted(room.__all__, key=str.casefold)))
        parts += [f"::: {module}.{name}\n" for name in sorted(room.__all__, key=str.casefold)]
    return "\n".join(parts)


def full_name(module: str) -> str:
    """Give the whole name of a module of the engine or of the toolbox beside it."""
    return f"commonweal.{'toolbox' if module in TOOLBOX else 'index'}.{module}"


def own_names(module: str) -> list[str]:
    """Give the public names of a module of the index room that it does not take from another."""
    room = importlib.import_module(full_name(module))
    source = Path(str(room.__file__)).read_text("utf-8")
    names = sorted(room.__all__, key=str.casefold)
    return [n for n in names if re.search(rf"^(?:def |class |){n}\b", source, re.MULTILINE)]


def engine_names() -> list[str]:
    """Give the full name of each public name of the engine and of the toolbox."""
    modules = [m for modules in FAMILIES.values() for m in modules]
    return [f"{full_name(m)}.{name}" for m in modules for name in own_names(m)]


def engine_page() -> str:
    parts = [
        "# Python: the index engine\n",
        "Every public name of `commonweal.index` and `commonweal.toolbox`, family by family, as "
        "[Methods](../methods/overview.md) has them. `from commonweal.index import describe` gives the module; "
        "the names on its page are in it.\n",
    ]
    for family, modules in FAMILIES.items():
        for module in modules:
            room = importlib.import_module(full_name(module))
            about = (room.__doc__ or "").splitlines()[0]
            parts.append(f"## `{full_name(module)}`\n")
            parts.append(f"{about} [Methods: {family}](../methods/{family}.md)\n")
            parts.append(signatures(full_name(module), own_names(module)))
            parts += [f"::: {full_name(module)}.{name}\n" for name in own_names(module)]
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
    given = sum(said == golden.INPUT for said in checked.values())
    matched = sum(said == "matched" for said in checked.values())
    parts = [
        "# Beside COINr\n",
        f"This page is generated from the tests. They compare with {len(checked) - given} files of results that the R "
        "package COINr (Becker et al., 2022, [doi:10.21105/joss.04567](https://doi.org/10.21105/joss.04567)) gives "
        f"for its own example, 51 units and 49 indicators, and (`timing/`) for the table of [Speed](speed.md). "
        f"*matched* ({matched}): the same to 1e-9 relative, with missing values in the same places. *differs*: a "
        "definition that we do not share, and why; the test holds the difference too. "
        f"*input* ({given}): what both programs are fed, or ours so that it runs what COINr drew. "
        "A test holds that no file of COINr's is left out of the table.\n",
    ]
    rows = [[f"`{file}`", cell(said)] for file, said in sorted(checked.items())]
    return "\n".join([*parts, table(["file", "ours"], rows)])


PAGES = {
    "reference/cli.md": cli_page,
    "reference/sources.md": sources_page,
    "reference/evidence.md": evidence_page,
    "reference/python.md": python_page,
    "reference/engine.md": engine_page,
    "methods/golden.md": golden_page,
    **indicator_pages(),
}


def shown(default: object) -> str:
    """Give a default as study.md shows it."""
    if default is None or default in ("", (), {}) or isinstance(default, BaseModel):
        return ""
    return f"`{default}`"


def twice(names: Iterable[str]) -> list[str]:
    return [name for name, n in Counter(names).items() if n > 1]


def study_faults() -> list[str]:
    """Compare the tables of study.md with the models that check a study."""
    from commonweal import index
    from commonweal.designation import rule
    from commonweal.spec import Study, fields

    certainty = importlib.import_module("commonweal.designation.uncertainty")
    reading = importlib.import_module("commonweal.sources.catalogue").Reading
    data, made, indices = (
        importlib.import_module(f"commonweal.spec.{m}") for m in ("data", "indicators", "indices")
    )
    models = [Study, reading, data.FileSpec, data.OwnAreas, made.IndicatorSpec, made.AccessSpec]
    models += [made.ReachSpec, made.DecaySpec, made.TimetableSpec, made.CompleteSpec]
    models += [made.CountsSpec, index.Node, indices.IndexSpec, indices.CrosswalkSpec]
    models += [rule.Condition, rule.Rule, rule.AtMost]
    kinds = importlib.import_module("commonweal.index.assumptions").KINDS
    models += [certainty.CertaintySpec, certainty.SensitivitySpec, *kinds.values()]
    steps = importlib.import_module("commonweal.index.prepare_spec")
    models += [
        steps.PrepareStep,
        steps.Denominate,
        steps.Screen,
        steps.Impute,
        steps.Treat,
        steps.Shrink,
    ]
    models += [data.ValidationSpec, fields.HeadlineSpec, fields.BriefingSpec, indices.PanelSpec]
    not_keys = {
        "Study": {"name", "folder"},
        "IndexSpec": set(index.Node.model_fields),
        "Rule": {"condition"},
    }
    page = (DOCS / "reference" / "study.md").read_text("utf-8")
    faults = []
    for model in models:
        name, leave_out = model.__name__, set(not_keys.get(model.__name__, ()))
        if issubclass(model, reading) and model is not reading:
            leave_out |= set(reading.model_fields)  # they stand in one table for all
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
            f"study.md: {name}.{key}: stands there twice" for key in twice(k for k, *_ in rows)
        ]
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
    return faults


def named(page: str, head: str) -> list[str]:
    """Give the names in the columns of a page's tables that have that head."""
    names = []
    for found in re.finditer(r"^(\|.+\|)\n\|[-:| ]+\|\n((?:\|.*\n?)+)", page, re.MULTILINE):
        heads = [h.strip() for h in found[1].strip("|").split("|")]
        if head in heads:
            at = heads.index(head) + 1
            rows = [re.split(r"(?<!\\)\|", row) for row in found[2].splitlines()]
            names += [name for row in rows for name in re.findall(r"`([^`]+)`", row[at])]
    return names


def in_python() -> dict[str, str]:
    """Give the functions and classes of the index room, as they are called after an import.

    ``from commonweal.index import describe`` makes it `describe.describe`, and so on; with each name
    goes the full one.
    """
    from commonweal import index

    names = {}
    for module in (m for modules in FAMILIES.values() for m in modules):
        room = importlib.import_module(full_name(module))
        for name in own_names(module):
            thing = getattr(room, name)
            if callable(thing):
                called = name if getattr(index, name, None) is thing else f"{module}.{name}"
                names[called] = f"{full_name(module)}.{name}"
    return names


def method_faults() -> list[str]:
    """Compare the tables of methods/ with what a study may name and with what Python has."""
    from commonweal import index, toolbox
    from commonweal.index import prepare_spec as prepare
    from commonweal.index.assumptions import KINDS
    from commonweal.index.reshape import RESHAPES
    from commonweal.index.treat import TREATMENTS

    pages = {f"{f}.md": (DOCS / "methods" / f"{f}.md").read_text("utf-8") for f in FAMILIES}
    known_names = in_python()
    told = [(name, page) for page, text in pages.items() for name in named(text, IN_PYTHON)]
    faults = [
        f"methods/{page}: there is no '{name}' in commonweal.index or commonweal.toolbox"
        for name, page in told
        if name not in known_names
    ]
    for name, full in known_names.items():
        where = [page for other, page in told if other == name]
        value = name.rsplit(".", 1)[-1][0].isupper()  # a class; its function tells of it
        if len(where) > 1 or not (where or value):
            faults.append(
                f"methods/: '{name}' ({full}) stands in {where or 'no page'}; expected one"
            )
    ways_to_fill = get_args(prepare.Impute.model_fields["how"].annotation)
    for page, known in {
        "normalise.md": index.NORMALISERS,
        "aggregate.md": index.AGGREGATORS,
        "weight.md": ["stated", *index.WEIGHINGS],
        "results.md": get_args(index.TieRule),
        "prepare.md": [*prepare.PrepareStep.model_fields, *ways_to_fill, *RESHAPES],
        "uncertainty.md": [*KINDS, *TREATMENTS],
    }.items():
        in_study = named(pages[page], IN_A_STUDY)
        faults += [
            f"methods/{page}: '{name}' stands {in_study.count(name)} times; expected once, if known"
            for name in sorted({*known, *in_study})
            if in_study.count(name) != 1 or name not in known
        ]
    rooms = {m.name for room in (index, toolbox) for m in pkgutil.iter_modules(room.__path__)}
    placed = {m for modules in FAMILIES.values() for m in modules} | INSIDE
    faults += [
        f"docs/generate.py: commonweal.index.{m} is in no family" for m in sorted(rooms - placed)
    ]
    return faults


def indicator_faults() -> list[str]:
    """Name the pages of indicators/ that are of no indicator."""
    pages = sorted(f"indicators/{f.name}" for f in (DOCS / "indicators").glob("*.md"))
    return [f"docs/{page}: there is no such indicator" for page in pages if page not in PAGES]


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
    faults += [*study_faults(), *method_faults(), *indicator_faults()]
    faults += offer_faults(DOCS, [*public_names(), *engine_names()])
    for fault in faults:
        print(fault, file=sys.stderr)
    return bool(faults)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
