"""The commands that run studies: `commonweal run`, `demo`, `explore`, `compare` and `units`."""

from __future__ import annotations

import sys
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from commonweal.cli.console import (
    Draws,
    Json,
    NoSensitivity,
    StudyName,
    StudyOrFolder,
    print_document,
    progress_bar,
    write_text,
)
from commonweal.errors import CommonwealError, UnreachableError
from commonweal.files.extras import needs

if TYPE_CHECKING:
    from commonweal.document.model import TableData


def run(
    study: StudyName,
    draws: Draws = None,
    no_sensitivity: NoSensitivity = False,
    out: Annotated[
        Path | None, typer.Option(help="Results folder [default: results/STUDY].")
    ] = None,
    or_demo: Annotated[
        bool,
        typer.Option("--or-demo", help="If the data are not available, run the demo instead."),
    ] = False,
    as_json: Json = False,
) -> None:
    """Run a study and write its results folder."""
    from commonweal.files.folder import check_folder
    from commonweal.report.study.document import study_document
    from commonweal.report.study.folder import write_results
    from commonweal.spec.study import load_study
    from commonweal.study.run import run as run_study

    recipe = load_study(study)
    check_folder(out or Path("results") / recipe.name)  # before a long run, not after it
    with progress_bar() as progress:
        try:
            results = run_study(
                recipe, draws=draws, sensitivity=not no_sensitivity, progress=progress
            )
        except UnreachableError as error:
            if not or_demo:
                raise
            print(f"The data of {study} are not available here:\n{error}", file=sys.stderr)
            print(
                "Running the demo instead: a FICTIONAL county, made up by the program.\n",
                file=sys.stderr,
            )
            results = run_study(
                "demo", draws=draws, sensitivity=not no_sensitivity, progress=progress
            )
        folder = write_results(results, out or Path("results") / results.study.name, progress)
    print_document(study_document(results), folder, as_json=as_json, brief=True)


def demo(
    draws: Draws = None,
    no_sensitivity: NoSensitivity = False,
    out: Annotated[
        Path | None, typer.Option(help="Results folder [default: results/demo].")
    ] = None,
    as_json: Json = False,
) -> None:
    """Run a complete worked example offline, with a fictional county."""
    run("demo", draws, no_sensitivity, out, as_json=as_json)


def explore(
    study: StudyOrFolder,
    host: Annotated[
        str, typer.Option(help="Address to serve at; any other lets other machines connect.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port; 0 takes any free one.")] = 8765,
    no_browser: Annotated[
        bool, typer.Option("--no-browser", help="Do not open a browser.")
    ] = False,
    programme: Annotated[
        list[str] | None,
        typer.Option(
            help="Add a funding programme on this study, by name or file; built-in ones are included. Repeatable."
        ),
    ] = None,
    draws: Draws = None,
) -> None:
    """Explore a study in the browser: list, map, profiles, weights. Stop it with Ctrl-C."""
    from commonweal.sources import Store
    from commonweal.study.fingerprint import load_asked, open_or_run

    with needs("web"):
        from commonweal.web import open_explorer
        from commonweal.web.serve import address_of, is_loopback, leave, listen, serve

    recipe = load_asked(study)
    with listen(host, port) as held:  # before a long run, not after it
        with progress_bar() as progress:
            store = Store.from_environment(progress)
            results = open_or_run(recipe, store, draws=draws, sensitivity=False, progress=progress)
            explorer = open_explorer(
                results, store.cache, progress, store=store, programmes=programme or ()
            )
        address = address_of(held)

        def ready() -> None:
            print(f"{results.study.title}\n{address}\nStop it with Ctrl-C.", flush=True)
            if not is_loopback(held.getsockname()[0]):
                print(
                    f"Warning: anyone who can reach this machine at {host} can read this study.",
                    file=sys.stderr,
                )
            if not no_browser:
                import webbrowser

                webbrowser.open(address)

        with suppress(KeyboardInterrupt):  # again, when the server has closed
            serve(explorer, held, ready)
    leave()


def compare(
    before: Annotated[str, typer.Argument(help="A study, or a results folder.")],
    after: Annotated[str, typer.Argument(help="Another; the comparison uses its areas.")],
    match: Annotated[
        list[str] | None,
        typer.Option(
            help="An index or domain of BEFORE, and its name in AFTER: places=civic_assets. Repeatable. "
            "Those with the same name or label are compared anyway."
        ),
    ] = None,
    everyone: Annotated[
        bool, typer.Option("--all", help="List every area that enters, leaves or stays.")
    ] = False,
    out: Annotated[
        Path | None,
        typer.Option(
            help="Folder for a page, a PDF, a workbook and tables; or a .csv of every area that enters, leaves or "
            "stays."
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    """Compare two studies: who enters the list, leaves or stays, and how similar the indices are."""
    from commonweal.compare.studies import compare_studies
    from commonweal.document.model import TableData
    from commonweal.document.write import write_document
    from commonweal.files.folder import check_folder
    from commonweal.report.study.comparison import area_tables, comparison_document, write_lists
    from commonweal.sources import Store
    from commonweal.study.fingerprint import load_asked, open_or_run

    stated = _stated_pairs(match or [])
    recipes = [load_asked(s) for s in (before, after)]
    single = out is not None and out.suffix.lower() == ".csv"
    if out is not None and not single:
        check_folder(out)  # before the work, not after it
    with progress_bar() as progress:
        store = Store.from_environment(progress)
        runs = [open_or_run(r, store, draws=0, geometry=False) for r in recipes]
        found = compare_studies(runs[0], runs[1], store, stated)
    report, folder = comparison_document(found), None
    if out is not None and single:
        write_lists(found, out)
    elif out is not None:
        more = {
            name: (what, partial(_write_csv, TableData(t))) for name, what, t in area_tables(found)
        }
        folder = write_document(report, out, more)
    print_document(report, folder, as_json=as_json, rows=10**9 if everyone else 10)


def _write_csv(table: TableData, path: Path) -> None:
    path.write_bytes(table.csv())


def _stated_pairs(match: list[str]) -> dict[str, str]:
    """Read what --match gives: NAME=NAME."""
    pairs: dict[str, str] = {}
    for text in match:
        first, _, second = (part.strip() for part in text.partition("="))
        if not (first and second):
            raise CommonwealError(
                f"--match {text}: expected NAME=NAME, such as places=civic_assets"
            )
        if first in pairs:
            raise CommonwealError(f"--match: '{first}' is there twice; expected once")
        pairs[first] = second
    return pairs


def units(
    study: StudyOrFolder,
    areas: Annotated[
        list[str] | None,
        typer.Option(
            help="Larger areas to run it on, such as msoa21. Repeatable [default: those above the study's own "
            "that are still neighbourhoods]."
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            help="Folder for a page, a PDF, a workbook and tables; or a .csv of every small area with the larger "
            "ones around it."
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    """Run a study on larger areas too, to see how much the result depends on their size."""
    from commonweal.compare.units import run_on_units
    from commonweal.document.model import TableData
    from commonweal.document.write import write_document
    from commonweal.files.folder import check_folder
    from commonweal.report.study.units import unit_table, units_document
    from commonweal.sources import Store
    from commonweal.study.fingerprint import load_asked
    from commonweal.study.names import focus_name

    recipe = load_asked(study)
    single = out is not None and out.suffix.lower() == ".csv"
    if out is not None and not single:
        check_folder(out)
    with progress_bar() as progress:
        store = Store.from_environment(progress)
        found = run_on_units(recipe, store, areas or [], progress=progress)
    every, folder = TableData(unit_table(found)), None
    where = focus_name(recipe, found[0].small)
    report = units_document(found, recipe.title, recipe.briefing.label, where)
    if out is not None and single:
        write_text(out, every.csv().decode())
    elif out is not None:
        what = "Every small area with each larger one that it lies in."
        folder = write_document(report, out, {"areas.csv": (what, partial(_write_csv, every))})
    print_document(report, folder, as_json=as_json)
