"""The command about areas and larger areas: `commonweal areas find`."""

from __future__ import annotations

from typing import Annotated

import typer

from commonweal.cli.console import Json, print_json, print_lines, progress_bar

__all__ = ["areas_app"]

areas_app = typer.Typer(
    help="Areas and larger areas: find their codes by name.", no_args_is_help=True
)


@areas_app.callback()
def areas() -> None:
    """Find the codes of areas and larger areas by name."""


@areas_app.command("find")
def areas_find(
    name: Annotated[str, typer.Argument(help="A name, a part of one, or a code.")],
    system: Annotated[
        str | None, typer.Option(help="Look in one area system only, such as lad24 or lsoa21.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Find an authority, region, ward or neighbourhood by name: its code, and what a study writes for it."""
    from commonweal.report.area_codes import find_areas, found_lines
    from commonweal.sources import Store

    with progress_bar() as progress:
        found = find_areas(Store.from_environment(progress), name, system)
    if as_json:
        print_json(
            {
                "whole": found.whole.to_dicts(),
                "part": found.part.to_dicts(),
                "away": list(found.away),
            }
        )
        return
    print_lines(found_lines(found, name))
