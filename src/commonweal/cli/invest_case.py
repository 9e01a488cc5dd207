"""The command that makes the whole case: `commonweal invest case`."""

from __future__ import annotations

from pathlib import Path  # noqa: TC003  # typer reads it
from typing import Annotated

import typer

from commonweal.cli.console import Draws, Json, print_json, print_lines, progress_bar, write_text
from commonweal.cli.invest_options import Seed  # noqa: TC001  # typer reads it
from commonweal.cli.pounds import pounds

__all__ = ["case"]


def case(
    subject: Annotated[
        str,
        typer.Argument(
            help="A programme, such as appg-225, or a study, such as open-england: one that ships, or a YAML file."
        ),
    ],
    area: Annotated[
        list[str] | None,
        typer.Option(
            help="Code or name of an authority or other part; needed with a study; several times for more."
        ),
    ] = None,
    places: Annotated[
        int, typer.Option(min=1, help="With a study: how many of the neediest areas there.")
    ] = 10,
    budget: Annotated[
        str, typer.Option(help="Pounds over all years, such as 20m [default: the programme's].")
    ] = "",
    years: Annotated[int, typer.Option(min=1, max=50, help="Over how many years.")] = 10,
    first_year: Annotated[int, typer.Option(help="The year in which money is first spent.")] = 2026,
    minutes: Annotated[
        float, typer.Option(help="Minutes' walk within which a new place counts as reached.")
    ] = 15,
    kind: Annotated[
        str, typer.Option(help="Kind of place to find sites for [default: what the mix builds].")
    ] = "",
    candidates: Annotated[
        str,
        typer.Option(
            help="Where what is built could go: schools, another kind of place, postcodes, grid:500, or a CSV file."
        ),
    ] = "schools",
    pooled: Annotated[
        bool,
        typer.Option(
            "--pooled",
            help="Put the money where it meets most need, not an equal part into each place.",
        ),
    ] = False,
    interventions: Annotated[
        str, typer.Option(help="What can be done: a set that ships, or a YAML file.")
    ] = "first-set",
    values: Annotated[
        str, typer.Option(help="What effects are worth: a set that ships, or a YAML file.")
    ] = "first-values",
    exclude: Annotated[
        list[str] | None,
        typer.Option(help="With a programme: a table of codes that it excludes, or 'none'."),
    ] = None,
    draws: Draws = None,
    seed: Seed = 1,
    seconds: Annotated[float, typer.Option(help="Time for each proof.")] = 60,
    out: Annotated[
        Path | None,
        typer.Option(help="Folder for the annex: a page, a PDF, a workbook, tables, a GeoPackage."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Make the case: who gets it, what is done, where, what it costs, what it is worth, how sure that is."""
    import json

    from commonweal.document import write_report
    from commonweal.invest.case import Asked, make_case
    from commonweal.report.case.layers import write_places
    from commonweal.report.case.report import case_report
    from commonweal.report.case.told import case_data, case_lines
    from commonweal.report.study.folder import check_folder
    from commonweal.sources import Store

    asked = Asked(
        subject, tuple(area or ()), places, pounds("budget", budget) if budget else None, years, first_year, minutes,
        kind, candidates, "pooled" if pooled else "each", interventions, values, draws, seed, seconds,
        tuple(exclude or ()),
    )  # fmt: skip
    if out is not None:
        check_folder(out)  # before the work, not after it
    with progress_bar() as progress:
        made = make_case(asked, Store.from_environment(progress), progress)
        data = case_data(made)
        folder = None
        if out is not None:
            if progress is not None:
                progress("writing the annex", 0, 0)
            whole = json.dumps(data, indent=2, ensure_ascii=False, allow_nan=False) + "\n"
            folder = write_report(
                case_report(made),
                out,
                {
                    "case.json": (
                        "Every number, unrounded.",
                        lambda path: write_text(path, whole),
                    ),
                    "places.gpkg": (
                        "The places with what each gets, and the sites, for mapping programs.",
                        lambda path: write_places(made, path),
                    ),
                },
            )
    if as_json:
        print_json({**data, **({"folder": str(folder)} if folder else {})})
        return
    print_lines(case_lines(made))
    if folder is not None:
        print(f"\nAnnex: {folder / 'report.html'}")
