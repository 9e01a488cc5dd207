"""The commands that follow places: `commonweal invest baseline` and `commonweal invest track`."""

from __future__ import annotations

from pathlib import Path  # noqa: TC003  # typer reads it
from typing import Annotated

import typer

from commonweal.cli.console import Json, StudyName, print_json, print_lines, progress_bar
from commonweal.cli.invest_options import Out, Year  # noqa: TC001  # typer reads it

__all__ = ["baseline", "track"]


def baseline(
    study: StudyName,
    out: Annotated[Path, typer.Option(help="Folder for the baseline.")],
    area: Annotated[
        list[str] | None,
        typer.Option(
            help="A place to follow by code or name; several times [default: those that the study selects]."
        ),
    ] = None,
    designation: Annotated[
        str, typer.Option(help="Which designation selects, where the study has several.")
    ] = "",
    year: Year = None,
    as_json: Json = False,
) -> None:
    """Keep how places and all others are now, to see later what moved."""
    from commonweal.invest.tracker.on_study import SELECTED, take_baseline, write_baseline
    from commonweal.report.study.folder import check_folder
    from commonweal.spec import load_study
    from commonweal.study.names import listed_areas
    from commonweal.study.run import run

    recipe = load_study(study)
    check_folder(out)
    with progress_bar() as progress:
        results = run(recipe, draws=0, sensitivity=False, geometry=False, progress=progress)
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
            f"{followed:,} of {among} are followed, on {len(taken.measures):,} measures.",
            f"All {known} are kept, so that like places can be found later.",
        ]
    )
    print(f"\nBaseline: {folder}")


def track(
    folder: Annotated[
        Path, typer.Argument(metavar="BASELINE", help="A folder that 'baseline' wrote.")
    ],
    study: Annotated[
        str, typer.Option(help="The study with newer sources, by name or path of a YAML file.")
    ],
    year: Year = None,
    earlier: Annotated[
        Path | None,
        typer.Option(help="A baseline of an earlier date, to check the course before."),
    ] = None,
    like: Annotated[int, typer.Option(help="Like places beside each.")] = 5,
    within: Annotated[
        list[str] | None,
        typer.Option(
            help="Group that like places share, such as region; several times [default: region and classes]."
        ),
    ] = None,
    out: Out = None,
    as_json: Json = False,
) -> None:
    """Say what moved in the places of a baseline, beside places like them: association, not cause."""
    from dataclasses import replace

    from commonweal.document.write import write_report
    from commonweal.invest.tracker import track as tracked
    from commonweal.invest.tracker.on_study import later_snapshot, read_baseline
    from commonweal.report.study.folder import check_folder
    from commonweal.report.study_sources import study_sources
    from commonweal.report.tracker import (
        FOCUS_SET_ASIDE,
        tracker_data,
        tracker_lines,
        tracker_report,
    )
    from commonweal.sources import Store
    from commonweal.spec import load_study
    from commonweal.study.run import run

    before = read_baseline(folder)
    first = None if earlier is None else read_baseline(earlier)
    recipe = load_study(study)
    if out is not None:
        check_folder(out)
    with progress_bar() as progress:
        store = Store.from_environment(progress)
        results = run(recipe, store, draws=0, sensitivity=False, geometry=False, progress=progress)
        later = later_snapshot(results, before, store, year=year)
    found = tracked(before, later, first, like=like, within=within)
    if recipe.focus:
        found = replace(found, notes=(FOCUS_SET_ASIDE,))
    data = tracker_data(found)
    if out is not None:
        written = write_report(tracker_report(found, study_sources(results)), out)
        data["folder"] = str(written)
    if as_json:
        print_json(data)
        return
    print_lines(tracker_lines(found))
    if out is not None:
        print(f"\nReport: {written / 'report.html'}")
