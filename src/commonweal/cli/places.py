"""The command about places to meet: `commonweal places`."""

from __future__ import annotations

from typing import Annotated

import typer

from commonweal.cli.console import print_lines

__all__ = ["places"]


def places(
    name: Annotated[
        str, typer.Argument(help="A group or kind, such as library; all if not given.")
    ] = "",
) -> None:
    """List the kinds of places that a study can ask for, what counts as each, and the registers that list them."""
    from commonweal.report.place_kinds import places_lines

    print_lines(places_lines(name))
