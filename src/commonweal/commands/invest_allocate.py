"""The command that applies a programme's rule: `commonweal invest allocate`."""

from __future__ import annotations

from pathlib import Path  # noqa: TC003  # typer reads it
from typing import TYPE_CHECKING, Annotated

import typer

from commonweal.commands.console import Draws, Json, print_json, print_lines, progress_bar

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from commonweal.reports.allocation import Against, Worked
    from commonweal.sources import Store

__all__ = ["allocate", "set_against", "work_out"]


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
    out: Annotated[
        Path | None, typer.Option(help="Folder for a page, a PDF, a workbook, tables and a map.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Apply a funding programme's rule: who gets an award, by what margin, how sure, at what cost."""
    from commonweal.briefing.folder import check_folder
    from commonweal.sources import Store

    if out is not None:
        check_folder(out)  # before the work, not after it
    with progress_bar() as progress:
        store = Store.from_environment(progress)
        worked = work_out(
            programme, store, exclude or (), draws=draws, shapes=out is not None, progress=progress
        )
        beside = set_against(worked, against, store, exclude or ()) if against else None
        from commonweal.reports.allocation import (
            allocation_data,
            allocation_lines,
            allocation_report,
            write_selected,
        )

        folder = None
        if out is not None:
            from commonweal.reports import write_report

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


def work_out(
    name: str,
    store: Store,
    exclude: Sequence[str] = (),
    *,
    draws: int | None = None,
    shapes: bool = False,
    progress: Callable[[str, int, int], None] | None = None,
) -> Worked:
    """Run a programme's study and apply the rule.

    Parameters
    ----------
    name
        A programme that ships, or the path of a YAML file.
    store
        Where source files come from.
    exclude
        Tables of codes: `commonweal.investment.allocation.groups.read_exclusions`.
    draws
        In place of the study's; 0 for none.
    shapes
        Whether outlines are wanted for maps; areas that are built up need them anyway.
    progress
        Called as ``progress(what, done, total)``.
    """
    from commonweal.investment.allocation import allocate as apply
    from commonweal.investment.allocation import load_programme
    from commonweal.investment.allocation.building import build_up
    from commonweal.investment.allocation.chance import chance
    from commonweal.investment.allocation.conditions import excluded
    from commonweal.investment.allocation.groups import read_exclusions, with_groups
    from commonweal.recipe import load_study
    from commonweal.reports.allocation import Worked
    from commonweal.study import run

    programme = load_programme(name)
    exclusions = read_exclusions(programme, exclude)
    excluded(programme, exclusions)  # before the work, not after it
    study = load_study(programme.study)
    spec = study.certainty
    if spec is not None and draws is not None:
        spec = spec.model_copy(update={"draws": draws})
    wanted = shapes or programme.build is not None
    results = run(study, store, draws=0, sensitivity=False, geometry=wanted, progress=progress)
    areas, scores, built = with_groups(results.areas, programme.groups, store), results.scores, None
    outlines = results.boundaries.select("code", "geometry")
    if programme.build is not None:
        built = build_up(programme, scores, areas, outlines)
        areas, scores, outlines = built.areas, built.scores, built.shapes
    allocation = apply(programme, scores, areas, exclusions)
    sure = None
    if spec is not None and spec.draws:
        sure = chance(allocation, scores, results.indicators, spec, progress)
    return Worked(results, scores, allocation, sure, built, outlines)


def set_against(
    worked: Worked, name: str, store: Store, exclude: Sequence[str] = (), ground: str = "lsoa21"
) -> Against:
    """Work another programme out and compare.

    Parameters
    ----------
    worked
        The first.
    name
        The other: one that ships, or the path of a YAML file.
    store
        Where source files come from.
    exclude
        Tables of codes, as for the first; the other takes those that it has an exclusion for.
    ground
        The area system that both are put on where they choose from different areas.
    """
    from commonweal.areas import load_areas
    from commonweal.investment.allocation import load_programme
    from commonweal.investment.allocation.comparing import compare, ground_of, in_need_on
    from commonweal.reports.allocation import Against

    own = load_programme(name).exclude
    named = [
        e for e in exclude if ("=" in e and e.partition("=")[0] in own) or ("=" not in e and own)
    ]
    other = work_out(name, store, named, draws=0)
    first, second = worked.allocation, other.allocation
    if first.areas.codes == second.areas.codes:
        areas, in_need = first.areas, first.in_need
    else:
        study = worked.results.study
        areas = load_areas(store, ground, within=study.where)
        in_need = in_need_on(store, first.programme, worked.scores, areas)
    grounds = [ground_of(store, w.allocation, w.scores, areas) for w in (worked, other)]
    return Against(other, compare(grounds[0], grounds[1], in_need))
