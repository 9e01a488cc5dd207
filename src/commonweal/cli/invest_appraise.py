"""The command that appraises a project: `commonweal invest appraise`."""

from __future__ import annotations

from typing import Annotated

import typer

from commonweal.cli.console import Json, print_json, print_lines, write_text
from commonweal.cli.invest_options import Out, Seed  # noqa: TC001  # typer reads it

__all__ = ["appraise"]


def appraise(
    project: Annotated[
        str,
        typer.Argument(
            help="A project that ships, such as community-hub, or the path of a YAML file."
        ),
    ],
    draws: Annotated[
        int, typer.Option(min=1, help="How often uncertain inputs are drawn.")
    ] = 10_000,
    seed: Seed = 1,
    parameters: Annotated[
        str, typer.Option(help="Parameters in place of the project's: a set that ships or a file.")
    ] = "",
    out: Out = None,
    as_json: Json = False,
) -> None:
    """Appraise a project: costs, benefits, how sure, what drives the answer (Green Book)."""
    import json

    from commonweal.document import write_report
    from commonweal.invest.appraisal import appraise as appraised
    from commonweal.invest.appraisal import load_project
    from commonweal.invest.parameters import load_parameters
    from commonweal.report.appraisal import appraisal_data, appraisal_lines, appraisal_report
    from commonweal.report.study.folder import check_folder

    if out is not None:
        check_folder(out)
    found = load_project(project)
    result = appraised(
        found, load_parameters(parameters or found.parameters), draws=draws, seed=seed
    )
    data = appraisal_data(result)
    if out is not None:
        text = json.dumps(data, indent=2, ensure_ascii=False, allow_nan=False) + "\n"
        more = {"appraisal.json": ("Every number, unrounded.", lambda path: write_text(path, text))}
        folder = write_report(appraisal_report(result), out, more)
        data["folder"] = str(folder)
    if as_json:
        print_json(data)
        return
    print_lines(appraisal_lines(result))
    if out is not None:
        print(f"\nReport: {folder / 'report.html'}")
