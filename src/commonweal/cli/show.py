"""The command about one neighbourhood: `commonweal show`."""

from __future__ import annotations

from pathlib import Path  # noqa: TC003 (typer reads the annotation)
from typing import Annotated

import typer

from commonweal.cli.console import Draws, Json, NoSensitivity, print_json, print_lines, progress_bar

__all__ = ["show"]


def show(
    area: Annotated[str, typer.Argument(help="A code, a name, 'name, authority', or a postcode.")],
    study: Annotated[
        str | None, typer.Option(help="The study; if not given, the newest that has the area.")
    ] = None,
    postcodes: Annotated[
        Path | None,
        typer.Option(
            envvar="COMMONWEAL_POSTCODES",
            help="A postcode directory (CSV) to look postcodes up in.",
        ),
    ] = None,
    draws: Draws = None,
    no_sensitivity: NoSensitivity = False,
    as_json: Json = False,
) -> None:
    """Print one neighbourhood: its ranks, what drives them, margins, certainty, peers."""
    from commonweal.cli.find_study import find_study
    from commonweal.report.place.profile import profile, profile_data, profile_lines
    from commonweal.report.study.capital_told import capital_data, social_capital_lines
    from commonweal.report.study.social_capital import capital_finder
    from commonweal.sources import Store
    from commonweal.study.run import run as run_study

    with progress_bar() as progress:
        store = Store.from_environment(progress)
        chosen, code = find_study(area, store, study, postcodes)
        results = run_study(
            chosen,
            store,
            draws=draws,
            sensitivity=not no_sensitivity,
            geometry=False,
            progress=progress,
        )
        found = profile(results, code)
        find = capital_finder(results.study, results.areas, results.capital, results.national)
        capital = find(found.row)
    if as_json:
        told = {"social_capital": capital_data(capital)} if capital else {}
        print_json({**profile_data(found), **told})
        return
    print_lines(profile_lines(found))
    if capital is not None:
        print_lines(["", *social_capital_lines(capital, whole=False)])
