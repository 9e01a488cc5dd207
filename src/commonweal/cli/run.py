"""The command that runs a study: `commonweal run`, and the same on the fictional county: `demo`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from commonweal.cli.console import (
    Draws,
    Json,
    NoSensitivity,
    StudyName,
    print_json,
    print_lines,
    progress_bar,
)
from commonweal.errors import UnreachableError

__all__ = ["demo", "run"]


def run(
    study: StudyName,
    draws: Draws = None,
    no_sensitivity: NoSensitivity = False,
    out: Annotated[
        Path | None, typer.Option(help="Results folder [default: results/STUDY].")
    ] = None,
    or_demo: Annotated[
        bool,
        typer.Option("--or-demo", help="Where the data cannot be had, say so and run the demo."),
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
            print(f"The data of {study} cannot be had here:\n{error}", file=sys.stderr)
            print(
                "Running the demo instead: a FICTIONAL county, made up by the program.\n",
                file=sys.stderr,
            )
            results = run_study(
                "demo", draws=draws, sensitivity=not no_sensitivity, progress=progress
            )
        folder = write_results(results, out or Path("results") / results.study.name, progress)
    if as_json:
        print_json({**as_data(results), "folder": str(folder)})
        return
    print_lines(headline(results))
    print(f"\nReport: {folder / 'report.html'}")  # never wrapped: to be clicked or copied


def demo(
    draws: Draws = None,
    no_sensitivity: NoSensitivity = False,
    out: Annotated[
        Path | None, typer.Option(help="Results folder [default: results/demo].")
    ] = None,
    as_json: Json = False,
) -> None:
    """Run the whole road offline on a fictional county."""
    run("demo", draws, no_sensitivity, out, as_json=as_json)
