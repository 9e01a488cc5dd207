"""The commands `commonweal invest appraise`, `case`, `baseline` and `track`."""

from __future__ import annotations

from pathlib import Path  # noqa: TC003  # typer reads it
from typing import Annotated

import typer

from commonweal.cli.console import (  # typer reads it
    Draws,
    Interventions,
    Json,
    Minutes,
    Out,
    Seed,
    StudyOrFolder,
    WhichDesignation,
    Year,  # typer reads it
    pounds,
    print_document,
    print_json,
    print_lines,
    progress_bar,
)


def appraise(
    project: Annotated[
        str,
        typer.Argument(
            help="A built-in project, such as community-hub, or the path of a YAML file."
        ),
    ],
    draws: Annotated[
        int, typer.Option(min=1, help="Number of recalculations with other inputs.")
    ] = 10_000,
    seed: Seed = 1,
    parameters: Annotated[
        str,
        typer.Option(
            help="Use these parameters instead of the project's: a built-in set or a file."
        ),
    ] = "",
    out: Out = None,
    as_json: Json = False,
) -> None:
    """Appraise a project (Green Book): costs, benefits, their range, and what drives the result."""
    from commonweal.document.write import write_document
    from commonweal.files.folder import check_folder
    from commonweal.invest.appraisal import appraise as appraised
    from commonweal.invest.appraisal import load_project
    from commonweal.invest.parameters import load_parameters
    from commonweal.report.appraisal import appraisal_document

    if out is not None:
        check_folder(out)
    found = load_project(project)
    result = appraised(
        found, load_parameters(parameters or found.parameters), draws=draws, seed=seed
    )
    report = appraisal_document(result)
    folder = None if out is None else write_document(report, out)
    print_document(report, folder, as_json=as_json, rows=5)


def case(
    subject: Annotated[
        str,
        typer.Argument(
            help="A programme, such as appg-225, or a study, such as open-england: built-in, a YAML file, "
            "or the study's results folder."
        ),
    ],
    area: Annotated[
        list[str] | None,
        typer.Option(
            help="Code or name of an authority or other larger area; needed with a study. Repeatable."
        ),
    ] = None,
    places: Annotated[
        int, typer.Option(min=1, help="With a study: how many of its neediest areas.")
    ] = 10,
    budget: Annotated[
        str, typer.Option(help="Pounds over all years, such as 20m [default: the programme's].")
    ] = "",
    years: Annotated[int, typer.Option(min=1, max=50, help="Number of years.")] = 10,
    first_year: Annotated[int, typer.Option(help="First year of spending.")] = 2026,
    minutes: Minutes = 15,
    kind: Annotated[
        str, typer.Option(help="Type of venue to find sites for [default: what the mix builds].")
    ] = "",
    candidates: Annotated[
        str,
        typer.Option(
            help="Possible sites: schools, another type of venue, postcodes, grid:500, or a CSV file."
        ),
    ] = "schools",
    pooled: Annotated[
        bool,
        typer.Option(
            "--pooled",
            help="Put the money where it meets most need, not an equal share into each area.",
        ),
    ] = False,
    interventions: Interventions = "first-set",
    values: Annotated[
        str, typer.Option(help="Values of effects: a built-in set, or a YAML file.")
    ] = "first-values",
    exclude: Annotated[
        list[str] | None,
        typer.Option(help="With a programme: a table of codes that it excludes, or 'none'."),
    ] = None,
    draws: Draws = None,
    seed: Seed = 1,
    seconds: Annotated[float, typer.Option(help="Seconds for each proof.")] = 60,
    out: Annotated[
        Path | None,
        typer.Option(help="Folder for the annex: a page, a PDF, a workbook, tables, a GeoPackage."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Write a business case: who is funded, what is built where, costs, benefits and their range."""
    from commonweal.document.write import write_document
    from commonweal.files.folder import check_folder
    from commonweal.invest.case.case import make_case
    from commonweal.invest.case.model import CaseOptions
    from commonweal.report.case.report import case_document
    from commonweal.report.case.sites import write_places
    from commonweal.sources import Store

    asked = CaseOptions(
        subject, tuple(area or ()), places, pounds("budget", budget) if budget else None, years, first_year, minutes,
        kind, candidates, "pooled" if pooled else "each", interventions, values, draws, seed, seconds,
        tuple(exclude or ()),
    )  # fmt: skip
    if out is not None:
        check_folder(out)  # before the work, not after it
    with progress_bar() as progress:
        made = make_case(asked, Store.from_environment(progress), progress)
        report, folder = case_document(made), None
        if out is not None:
            if progress is not None:
                progress("writing the annex", 0, 0)
            placed = "The areas with what each gets, and the sites, for mapping programs."
            more = {"places.gpkg": (placed, lambda path: write_places(made, path))}
            folder = write_document(report, out, more)
    print_document(report, folder, as_json=as_json)


def baseline(
    study: StudyOrFolder,
    out: Annotated[Path, typer.Option(help="Folder for the baseline.")],
    area: Annotated[
        list[str] | None,
        typer.Option(
            help="An area to follow, by code or name. Repeatable [default: those on the study's list]."
        ),
    ] = None,
    designation: WhichDesignation = "",
    year: Year = None,
    as_json: Json = False,
) -> None:
    """Record how areas are now, to measure later what changed."""
    from commonweal.files.folder import check_folder
    from commonweal.invest.tracker.on_study import SELECTED, take_baseline, write_baseline
    from commonweal.study.fingerprint import load_asked, open_or_run
    from commonweal.study.names import listed_areas

    recipe = load_asked(study)
    check_folder(out)
    with progress_bar() as progress:
        results = open_or_run(recipe, draws=0, sensitivity=False, geometry=False, progress=progress)
    taken = take_baseline(results, area or [SELECTED], designation=designation, year=year)
    folder = write_baseline(taken, out)
    followed = int(taken.selected.sum())
    if as_json:
        print_json({"folder": str(folder), "followed": followed, **taken.about()})
        return
    known = f"{len(taken.codes):,} {taken.plural}"
    among = listed_areas(results) if recipe.focus and not area else known
    print_lines(
        [
            f"The baseline follows {followed:,} of {among}, on {len(taken.measures):,} measures.",
            f"It records all {known}, to find similar ones later.",
        ]
    )
    print(f"\nBaseline: {folder}")


def track(
    folder: Annotated[
        Path, typer.Argument(metavar="BASELINE", help="A folder that 'baseline' wrote.")
    ],
    study: Annotated[
        str,
        typer.Option(help="The study with newer sources: its name, or the path of a YAML file."),
    ],
    year: Year = None,
    earlier: Annotated[
        Path | None,
        typer.Option(help="A baseline of an earlier date, to check the trend before."),
    ] = None,
    like: Annotated[int, typer.Option(help="How many similar areas to compare each with.")] = 5,
    within: Annotated[
        list[str] | None,
        typer.Option(
            help="Group that similar areas share, such as region. Repeatable [default: region and classes]."
        ),
    ] = None,
    out: Out = None,
    as_json: Json = False,
) -> None:
    """Measure what changed in a baseline's areas, compared with similar ones: association, not cause."""
    from dataclasses import replace

    from commonweal.document.write import write_document
    from commonweal.files.folder import check_folder
    from commonweal.invest.tracker.on_study import later_snapshot, read_baseline
    from commonweal.invest.tracker.track import track as tracked
    from commonweal.report.study.provenance import study_sources
    from commonweal.report.tracker import FOCUS_SET_ASIDE, tracker_document
    from commonweal.sources import Store
    from commonweal.study.fingerprint import load_asked, open_or_run

    before = read_baseline(folder)
    first = None if earlier is None else read_baseline(earlier)
    recipe = load_asked(study)
    if out is not None:
        check_folder(out)
    with progress_bar() as progress:
        store = Store.from_environment(progress)
        results = open_or_run(
            recipe, store, draws=0, sensitivity=False, geometry=False, progress=progress
        )
        later = later_snapshot(results, before, store, year=year)
    found = tracked(before, later, first, like=like, within=within)
    if recipe.focus:
        found = replace(found, notes=(FOCUS_SET_ASIDE,))
    report = tracker_document(found, study_sources(results))
    written = None if out is None else write_document(report, out)
    print_document(report, written, as_json=as_json)
