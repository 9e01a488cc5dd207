"""The command that applies a programme's rule: `commonweal invest allocate`."""

from __future__ import annotations

from pathlib import Path  # noqa: TC003  # typer reads it
from typing import Annotated

import typer

from commonweal.cli.console import Draws, Json, print_json, print_lines, progress_bar

__all__ = ["allocate"]


def allocate(
    programme: Annotated[
        str,
        typer.Argument(
            help="A programme that ships, such as appg-225, or the path of a YAML file."
        ),
    ],
    against: Annotated[
        str, typer.Option(help="Another programme: who gains and who loses beside it.")
    ] = "",
    draws: Draws = None,
    exclude: Annotated[
        list[str] | None,
        typer.Option(
            help="A table of codes that the programme excludes: FILE, or NAME=FILE where there are several; "
            "'none' leaves the exclusion out. May be given several times."
        ),
    ] = None,
    published: Annotated[
        Path | None,
        typer.Option(
            help="A table of the codes on the published list: how the outcome differs from it."
        ),
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="Folder for a page, a PDF, a workbook, tables and a map.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Apply a funding programme's rule: who gets an award, by what margin, how sure, at what cost."""
    from commonweal.invest.allocation.on_study import set_against, work_out
    from commonweal.report.study.folder import check_folder
    from commonweal.sources import Store

    if out is not None:
        check_folder(out)  # before the work, not after it
    with progress_bar() as progress:
        store = Store.from_environment(progress)
        worked = work_out(
            programme,
            store,
            exclude or (),
            draws=draws,
            shapes=out is not None,
            published=published,
            progress=progress,
        )
        beside = set_against(worked, against, store, exclude or ()) if against else None
        from commonweal.report.allocation import (
            allocation_data,
            allocation_lines,
            allocation_report,
            write_selected,
        )

        folder = None
        if out is not None:
            from commonweal.document import write_report

            outlines = "The outlines of the selected areas, for mapping programs."
            more = {"selected.gpkg": (outlines, lambda path: write_selected(worked, path))}
            drawn = worked.shapes["geometry"].null_count() < len(worked.shapes)
            folder = write_report(allocation_report(worked, beside), out, more if drawn else None)
    if as_json:
        data = allocation_data(worked, beside)
        print_json({**data, **({"folder": str(folder)} if folder else {})})
        return
    print_lines(allocation_lines(worked, beside))
    if folder is not None:
        print(f"\nReport: {folder / 'report.html'}")
