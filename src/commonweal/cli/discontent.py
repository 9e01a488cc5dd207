"""The command on places that don't matter: `commonweal discontent`."""

from __future__ import annotations

from pathlib import Path  # noqa: TC003  # typer reads it
from typing import Annotated

import typer

from commonweal.cli.console import Json, print_json, print_lines, progress_bar

__all__ = ["discontent"]


def discontent(
    out: Annotated[
        Path | None, typer.Option(help="Folder for a report: page, PDF, workbook, tables.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Set the vote of 2016 beside decline and left-behind areas: association, not cause."""
    from commonweal.report.study.folder import check_folder
    from commonweal.sources import Store

    if out is not None:
        check_folder(out)  # before the work, not after it
    from commonweal.papers.discontent import discontent as find
    from commonweal.papers.discontent.report_discontent_told import as_data, discontent_lines

    with progress_bar() as progress:
        found = find(Store.from_environment(progress))
    folder = None
    if out is not None:
        from commonweal.document.write import write_report
        from commonweal.papers.discontent.report_discontent import discontent_report

        folder = write_report(discontent_report(found), out)
    if as_json:
        print_json({**as_data(found), **({"folder": str(folder)} if folder else {})})
        return
    print_lines(discontent_lines(found))
    if folder is not None:
        print(f"\nReport: {folder / 'report.html'}")
