"""The command that finds where new places should go: `commonweal invest site`."""

from __future__ import annotations

import sys
from pathlib import Path  # noqa: TC003  # typer reads it
from typing import TYPE_CHECKING, Annotated

import typer

from commonweal.cli.console import (
    Json,
    StudyName,
    print_json,
    print_lines,
    progress_bar,
    write_text,
)
from commonweal.cli.pounds import pounds

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["site"]


def site(
    study: StudyName,
    area: Annotated[
        list[str],
        typer.Option(
            help="Code or name of an area, or of a larger one such as an authority; several times for more."
        ),
    ],
    kind: Annotated[str, typer.Option(help="Kind of place to build, such as library.")],
    sites: Annotated[int | None, typer.Option(help="At most so many new places.")] = None,
    budget: Annotated[
        str | None, typer.Option(help="They cost at most so much, such as 2m.")
    ] = None,
    minutes: Annotated[float, typer.Option(help="Minutes' walk within which one is reached.")] = 15,
    candidates: Annotated[
        str,
        typer.Option(
            help="Where they could go: schools, another kind or group of places (pub), postcodes, "
            "grid:500 (metres), or a CSV file with places, costs and capacities."
        ),
    ] = "schools",
    model: Annotated[
        str,
        typer.Option(
            help="maximal_covering (reach most), set_covering (reach all), p_median (shortest walks) or "
            "p_center (shortest longest walk)."
        ),
    ] = "maximal_covering",
    equity: Annotated[
        float, typer.Option(help="To what power need counts; 0 counts people alike.")
    ] = 1.0,
    need: Annotated[
        str, typer.Option(help="Index whose ranks are need [default: the study's first].")
    ] = "",
    moves: Annotated[
        str, typer.Option(help="Indicator in metres that a new place shortens, from a table.")
    ] = "",
    method: Annotated[str, typer.Option(help="greedy, search or exact.")] = "exact",
    seconds: Annotated[
        float, typer.Option(help="Time for the proof; Ctrl-C ends it with the best so far.")
    ] = 60,
    out: Annotated[
        Path | None,
        typer.Option(help="Folder for a page, a PDF, a workbook, tables and a GeoPackage."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Find where new places should go: who is reached, what that changes, and how sure it is."""
    from typing import Any, cast

    from commonweal.invest.siting import Goal
    from commonweal.invest.siting.on_study import Ask
    from commonweal.invest.siting.on_study import site as sited
    from commonweal.report.siting import siting_data, siting_lines, siting_report
    from commonweal.report.study.folder import check_folder
    from commonweal.sources import Store
    from commonweal.spec import load_study
    from commonweal.study.run import run
    from commonweal.study.scope import find_scope

    if sites is None and budget is None and model != "set_covering":
        sites = 1
    chosen = cast("Any", model)
    money = None if budget is None else pounds("budget", budget)
    Goal(chosen, sites, money)  # what makes no sense is refused before a long run
    recipe = load_study(study)
    if out is not None:
        check_folder(out)
    ask = Ask(
        ", ".join(area), kind, sites, money, chosen, minutes, candidates, equity, need, moves,
        cast("Any", method), seconds,
    )  # fmt: skip
    with progress_bar() as progress:
        store = Store.from_environment(progress)
        results = run(recipe, store, draws=0, sensitivity=False, progress=progress)
        scope = find_scope(results.areas, area)
        found = sited(results, ask, store, scope=scope, progress=progress, told=_told(progress))
    data = siting_data(found)
    if out is not None:
        import json

        from commonweal.document import write_report
        from commonweal.report.siting_map import write_sites

        whole = json.dumps(data, indent=2, ensure_ascii=False, allow_nan=False) + "\n"
        folder = write_report(
            siting_report(found),
            out,
            {
                "siting.json": ("Every number, unrounded.", lambda path: write_text(path, whole)),
                "sites.gpkg": (
                    "The new sites, the places that are there and the demand points, for QGIS.",
                    lambda path: write_sites(found, path),
                ),
            },
        )
        data["folder"] = str(folder)
    if as_json:
        print_json(data)
        return
    print_lines(siting_lines(found))
    if out is not None:
        print(f"\nReport: {folder / 'report.html'}")


def _told(
    progress: Callable[[str, int, int], None] | None,
) -> Callable[[float, float, float], None] | None:
    """Tell how far cost and bound are apart on the progress bar."""
    if progress is None or not sys.stderr.isatty():
        return None

    def told(objective: float, bound: float, _: float) -> None:
        gap = abs(objective - bound) / max(abs(objective), 1e-12)
        progress(f"proving, {100 * min(gap, 1.0):.2f} % in doubt", 0, 0)

    return told
