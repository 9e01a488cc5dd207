"""The commands that run studies: `commonweal run`, `demo`, `explore`, `compare` and `units`."""

from __future__ import annotations

import sys
from contextlib import suppress
from pathlib import Path
from typing import Annotated

import typer

from commonweal.cli.console import (
    Draws,
    Json,
    NoSensitivity,
    StudyName,
    StudyOrFolder,
    print_answer,
    print_json,
    print_lines,
    progress_bar,
    write_text,
)
from commonweal.errors import CommonwealError, UnreachableError
from commonweal.files.extras import needs


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
    from commonweal.report.study.folder import check_folder, write_results
    from commonweal.report.study.headline import as_data, headline
    from commonweal.spec import load_study
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
    print_answer(as_data(results), headline(results), folder, as_json=as_json)


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
            help="Write tables: a .csv of every area that enters, leaves or stays; or a folder with that "
            "and the comparison of the indices."
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    """Compare two studies: who enters the list, leaves or stays, and how similar the indices are."""
    from commonweal.compare import compare_studies
    from commonweal.report.study.comparison import (
        study_comparison_data,
        study_comparison_lines,
        write_study_comparison,
    )
    from commonweal.sources import Store
    from commonweal.study.fingerprint import load_asked, open_or_run

    stated = _stated_pairs(match or [])
    recipes = [load_asked(s) for s in (before, after)]
    with progress_bar() as progress:
        store = Store.from_environment(progress)
        runs = [open_or_run(r, store, draws=0, geometry=False) for r in recipes]
        found = compare_studies(runs[0], runs[1], store, stated)
    if out is not None:
        write_study_comparison(found, out)
    if as_json:
        print_json(study_comparison_data(found, before, after))
        return
    print_lines(study_comparison_lines(found, everyone))


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
        typer.Option(help="Write every small area with the larger ones around it, as CSV."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Run a study on larger areas too, to see how much the result depends on their size."""
    from commonweal.compare.run_on_units import run_on_units
    from commonweal.document.model import TableData
    from commonweal.report.study.comparison import unit_data, unit_lines, unit_table
    from commonweal.sources import Store
    from commonweal.study.fingerprint import load_asked
    from commonweal.study.names import focus_name

    recipe = load_asked(study)
    with progress_bar() as progress:
        store = Store.from_environment(progress)
        found = run_on_units(recipe, store, areas or [], progress=progress)
    if out is not None:
        write_text(out, TableData(unit_table(found)).csv().decode())
    where = focus_name(recipe, found[0].small)
    if as_json:
        print_json(unit_data(found, where))
        return
    print_lines(unit_lines(found, recipe.title, recipe.briefing.label, where))
