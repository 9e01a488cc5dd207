"""The command that serves a study to a browser: `commonweal explore`."""

from __future__ import annotations

import sys
from contextlib import suppress
from typing import Annotated

import typer

from commonweal.cli.console import Draws, StudyName, progress_bar

__all__ = ["explore"]


def explore(
    study: StudyName,
    host: Annotated[
        str, typer.Option(help="Where to serve; any other than this lets other machines in.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="0 takes any that is free.")] = 8765,
    no_browser: Annotated[
        bool, typer.Option("--no-browser", help="Do not open a browser.")
    ] = False,
    programme: Annotated[
        list[str] | None,
        typer.Option(
            help="A funding programme on this study, by name or file; those that ship are there. Several times."
        ),
    ] = None,
    draws: Draws = None,
) -> None:
    """Explore a study in the browser: list, map, profiles, weights; stop it with Ctrl-C."""
    from commonweal.sources import Store
    from commonweal.spec import load_study
    from commonweal.study.run import run
    from commonweal.web import open_explorer
    from commonweal.web.serve import address_of, is_loopback, leave, listen, serve

    recipe = load_study(study)
    with listen(host, port) as held:  # before a long run, not after it
        with progress_bar() as progress:
            store = Store.from_environment(progress)
            results = run(recipe, store, draws=draws, sensitivity=False, progress=progress)
            explorer = open_explorer(
                results, store.cache, progress, store=store, programmes=programme or ()
            )
        address = address_of(held)

        def ready() -> None:
            print(f"{results.study.title}\n{address}\nStop it with Ctrl-C.", flush=True)
            if not is_loopback(held.getsockname()[0]):
                print(
                    f"Warning: whoever can reach this machine at {host} can read this study.",
                    file=sys.stderr,
                )
            if not no_browser:
                import webbrowser

                webbrowser.open(address)

        with suppress(KeyboardInterrupt):  # again, when the server has closed
            serve(explorer, held, ready)
    leave()
