"""The folder of results: which files it has, and what they are."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING

from commonweal.document.format import join_words
from commonweal.files.extras import write_if_installed
from commonweal.files.folder import MARK, atomic_folder, explain_write_errors, marker
from commonweal.index.methods import MethodError, imported
from commonweal.study.fingerprint import functions_named
from commonweal.study.saved import PACKAGE, pack_results

if TYPE_CHECKING:
    from datetime import date
    from pathlib import Path

    from commonweal.study.results import Results

_AMBIGUOUS = re.compile(r"[yYnN]|[-+]?[.\d][\w.,:+-]*")
"""To R a lone point is a number that is missing, 1e3 is 1000 and y is true."""

Progress = Callable[[str, int, int], None]

_REPORT = "The report: open it in a browser. Start here."
_PDF = "The report as a tagged PDF, for printing; of long lists the first 50 or 100 rows."
_WORKBOOK = "The workbook: lists, summaries, checks and sources, for Excel."
_RECIPE = "The study, with every default filled in"
_KEPT = "What Commonweal opens these results from again. Every number is in the tables, too."
_PACKAGE = "What each file and column is, with checksums, sources and licences (Data Package v2)."
_PROVENANCE = "Where every number came from: sources, checksums, versions, steps."


def write_results(
    results: Results,
    folder: Path,
    progress: Progress | None = None,
    *,
    day: date | None = None,
) -> Path:
    """Write everything that a run gives into one folder that any tool can open.

    The files are written beside the folder and put in place by renaming: a run that fails or is interrupted leaves the
    last good folder as it was, and nothing but an earlier folder of results is replaced. `day` is the date that
    workbook and report name; none if not given, so that the same results give the same files.
    """
    # The map is written aside: its program lets others work while it does.
    with atomic_folder(folder) as (fresh, target), ThreadPoolExecutor(1) as aside:
        for name, write in _steps(results, fresh, day, progress, aside):
            with explain_write_errors(target):
                write(fresh / name)
    return target


def _steps(
    results: Results,
    folder: Path,
    day: date | None,
    progress: Progress | None,
    aside: ThreadPoolExecutor,
) -> Iterator[tuple[str, Callable[[Path], object]]]:
    """Give each file's name and what writes it; the last ones list those before."""
    from commonweal.document.html import document_html
    from commonweal.document.pdf import document_pdf
    from commonweal.report.study.document import study_document, study_workbook
    from commonweal.report.study.geopackage import write_geopackage
    from commonweal.report.study.package import data_package
    from commonweal.report.study.parquet import data_tables, write_table

    place = aside.submit(write_geopackage, results, folder / "commonweal.gpkg")
    tables = list(data_tables(results))
    kept = pack_results(results)
    total = len(tables) + 9
    holds: dict[str, str] = {}
    document = study_document(results, day)

    def next_file(name: str, what: str) -> str:
        if progress is not None:
            progress(f"writing {name}", len(holds), total)
        holds[name] = what
        return name

    def if_installed(write: Callable[[Path], object]) -> Callable[[Path], None]:
        def written(path: Path) -> None:
            if left_out := write_if_installed(path, write):
                holds[path.name] = left_out

        return written

    paper = if_installed(lambda path: path.write_bytes(document_pdf(document)))
    yield next_file("report.pdf", _PDF), paper
    book = if_installed(lambda path: path.write_bytes(study_workbook(results, document)))
    yield next_file("results.xlsx", _WORKBOOK), book

    for name, what, frame in tables:
        yield next_file(name, what), partial(write_table, frame)

    def map_file(path: Path) -> None:
        holds[path.name] += f" {place.result()}"

    yield next_file("commonweal.gpkg", "The map, for QGIS."), map_file
    needed = _needed(results)
    again = (
        f"{_RECIPE}. {needed}" if needed else f"{_RECIPE}: run it from here for the same results."
    )
    yield next_file("study.yaml", again), lambda path: _write_text(path, _study(results, folder))
    yield next_file("data", _KEPT), lambda path: _write_files(path, kept)
    listed = [(name, what) for name, what in holds.items() if (folder / name).is_file()]
    page = document_html(document, listed)
    yield next_file("report.html", _REPORT), lambda path: _write_text(path, page)
    holds = {"report.html": _REPORT, **holds}  # written last, as it links to the others; read first
    files = sorted({*(p.name for p in folder.iterdir()), "README.txt", PACKAGE})
    account = marker(results.provenance, files)
    yield next_file(MARK, _PROVENANCE), lambda path: _write_text(path, account)
    last = next_file(PACKAGE, _PACKAGE)
    readme = next_file("README.txt", "This text.")
    text = _readme(results, holds, {*files, MARK})
    yield readme, lambda path: _write_text(path, text)
    schemas = {name: frame.schema for name, _, frame in tables}
    about = data_package(results, folder, holds, schemas, day)
    yield last, lambda path: _write_text(path, about)
    if progress is not None:
        progress("written", total, total)


def _write_files(folder: Path, files: Mapping[str, Callable[[], bytes]]) -> None:
    """Write what results are opened from into the folder's own folder for it."""
    folder.mkdir()
    for name, give in files.items():
        (folder.parent / name).write_bytes(give())


def _write_text(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8", newline="\n")


def _study(results: Results, folder: Path) -> str:
    head = f"# The study that gave these results ({results.study.name}), with every default filled in.\n"
    needed = _needed(results)
    head += f"# {needed}\n" if needed else ""
    return head + plain_yaml(results.study.moved_to(folder).resolved())


def _needed(results: Results) -> str:
    """Say which functions of the user's own the recipe calls; '' if none."""
    names = sorted(set(functions_named(results.study.resolved())))
    lost = [name for name in names if not _is_found(name)]
    if lost:
        return (
            f"It cannot be run from here: {join_words(lost)} "
            f"{'belongs' if len(lost) == 1 else 'belong'} to the program "
            "that ran it, not to a module that Python finds. Put such a function in a module, and name it here as "
            "python: module.function."
        )
    return (
        f"It runs where Python finds {join_words(names)} (installed, or in a folder of PYTHONPATH)."
        if names
        else ""
    )


def _is_found(name: str) -> bool:
    try:
        imported(name)
    except MethodError:
        return False
    return True


def plain_yaml(recipe: Mapping[str, object]) -> str:
    """Give a recipe as YAML in which every language's reader finds the same texts."""
    import yaml

    class Dumper(yaml.SafeDumper):
        pass

    Dumper.add_representer(
        str,
        lambda dumper, text: dumper.represent_scalar(
            "tag:yaml.org,2002:str", text, style="'" if _AMBIGUOUS.fullmatch(text) else None
        ),
    )
    return yaml.dump(recipe, Dumper=Dumper, sort_keys=False, allow_unicode=True, width=100)


def _readme(results: Results, holds: Mapping[str, str], there: set[str]) -> str:
    lines = [results.study.title, "=" * len(results.study.title), ""]
    if results.study.briefing.note:
        lines += [results.study.briefing.note, ""]
    lines += [
        f"Written by Commonweal {results.provenance.get('commonweal', '')}. Open report.html first.",
        "",
        "Files",
        "-----",
    ]
    for name, what in holds.items():
        lines.append(f"{name if name in there else f'({name})'}\n    {what}")
    lines += [
        "",
        "In the tables, rank 1 is the greatest need, and an empty value means no value.",
        "Join the tables on the column code.",
    ]
    closed = [
        s["title"] for s in results.provenance.get("sources", ()) if s["use"] == "benchmark-only"
    ]
    if closed:
        lines += [
            "",
            "Not openly licensed",
            "-------------------",
            "You may compare with these sources, but don't pass their values on. The indicators, and scores",
            "made from them, hold such values:",
            *(f"    {title}" for title in closed),
        ]
    return "\n".join(lines) + "\n"
