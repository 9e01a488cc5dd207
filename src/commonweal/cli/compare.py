"""The commands that lay two runs beside each other: `commonweal compare` and `units`."""

from __future__ import annotations

from pathlib import Path  # noqa: TC003 (typer reads the annotation)
from typing import Annotated

import typer

from commonweal.cli.console import (
    Json,
    StudyName,
    print_json,
    print_lines,
    progress_bar,
    write_text,
)
from commonweal.errors import CommonwealError

__all__ = ["compare", "units"]


def compare(
    before: Annotated[str, typer.Argument(help="A study.")],
    after: Annotated[str, typer.Argument(help="Another; its areas are the ones named.")],
    match: Annotated[
        list[str] | None,
        typer.Option(
            help="An index or part of BEFORE, and what AFTER calls it: places=civic_assets. May be "
            "given several times; what has the same name or label is compared anyway."
        ),
    ] = None,
    everyone: Annotated[
        bool, typer.Option("--all", help="Name every area that enters or leaves.")
    ] = False,
    out: Annotated[
        Path | None,
        typer.Option(
            help="Write tables: to a .csv every area that enters, leaves or stays; into a folder "
            "these and how the indices agree."
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    """Compare two studies: who enters, leaves and stays, and how alike the indices are."""
    from commonweal.compare import compare_studies
    from commonweal.report.study.two_studies import (
        study_comparison_data,
        study_comparison_lines,
        write_study_comparison,
    )
    from commonweal.sources import Store
    from commonweal.spec import load_study
    from commonweal.study.run import run as run_study

    stated = _stated_pairs(match or [])
    recipes = [load_study(s) for s in (before, after)]
    with progress_bar() as progress:
        store = Store.from_environment(progress)
        runs = [run_study(r, store, draws=0, geometry=False) for r in recipes]
        found = compare_studies(runs[0], runs[1], store, stated)
    if out is not None:
        write_study_comparison(found, out)
    if as_json:
        print_json(study_comparison_data(found, before, after))
        return
    print_lines(study_comparison_lines(found, everyone))


def _stated_pairs(match: list[str]) -> dict[str, str]:
    """Read what --match gives: NAME=NAME."""
    pairs: dict[str, str] = {}
    for text in match:
        first, _, second = (part.strip() for part in text.partition("="))
        if not (first and second):
            raise CommonwealError(
                f"--match {text}: expected NAME=NAME, such as places=civic_assets"
            )
        if first in pairs:
            raise CommonwealError(f"--match: '{first}' is there twice; expected once")
        pairs[first] = second
    return pairs


def units(
    study: StudyName,
    areas: Annotated[
        list[str] | None,
        typer.Option(
            help="Larger areas to run it on, such as msoa21; may be given several times. If not given, "
            "those above the study's own that are still neighbourhoods."
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(help="Write every small area beside the larger ones that it lies in, as CSV."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Run a study on larger areas too, and tell how much of the answer depends on the unit."""
    from commonweal.compare.on_larger import run_on_units
    from commonweal.document.table import Shown
    from commonweal.report.study.units import unit_data, unit_lines, unit_table
    from commonweal.sources import Store
    from commonweal.spec import load_study
    from commonweal.study.names import focus_name

    recipe = load_study(study)
    with progress_bar() as progress:
        store = Store.from_environment(progress)
        found = run_on_units(recipe, store, areas or [], progress=progress)
    if out is not None:
        write_text(out, Shown(unit_table(found)).csv().decode())
    where = focus_name(recipe, found[0].small)
    if as_json:
        print_json(unit_data(found, where))
        return
    print_lines(unit_lines(found, recipe.title, recipe.briefing.label, where))
