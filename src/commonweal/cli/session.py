"""The command that makes an evidence session: `commonweal session`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from commonweal.cli.console import Draws, progress_bar

__all__ = ["session"]


def session(
    file: Annotated[str, typer.Argument(help="A session that ships, or the path of a YAML file.")],
    draws: Draws = None,
    out: Annotated[
        Path | None, typer.Option(help="Folder to write [default: results/sessions/NAME].")
    ] = None,
    check: Annotated[
        bool, typer.Option("--check", help="Only check the file and its studies; run nothing.")
    ] = False,
) -> None:
    """Make an evidence session: a page, a PDF and a pack, with the figures filled in from results."""
    from commonweal.report.session.spec import load_session
    from commonweal.report.study.folder import check_folder
    from commonweal.spec import load_study

    found = load_session(file)
    recipes = {name: load_study(found.study(name)) for name in found.studies}
    if check:
        print(f"{file} is a valid session.")
        return
    target = out or Path("results") / "sessions" / found.name
    check_folder(target)  # before a long run, not after it
    from commonweal.report.session.write import write_session
    from commonweal.sources import Store
    from commonweal.study.run import run

    with progress_bar() as progress:
        store = Store.from_environment(progress)
        runs = {
            name: run(
                recipe,
                store,
                draws=draws,
                sensitivity=False,
                geometry=name in found.areas,  # only the maps of a pack need it
                progress=progress,
            )
            for name, recipe in recipes.items()
        }
        folder = write_session(found, runs, target, progress)
    print(f"{found.title}\n")
    print(f"Page: {folder / 'session.html'}")
    print(f"Pack: {folder / f'{found.name}.zip'}")
