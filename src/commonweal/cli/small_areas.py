"""The command that takes a survey to neighbourhoods: `commonweal small-areas`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from commonweal.cli.console import Json, print_json, print_lines, progress_bar
from commonweal.errors import CommonwealError

__all__ = ["small_areas"]


def small_areas(
    file: Annotated[
        Path | None,
        typer.Argument(help="A YAML file: the survey, the covariates, the model."),
    ] = None,
    example: Annotated[
        Path | None,
        typer.Option(help="Write an example that runs, with a survey in SPSS, into this folder."),
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="Folder to write [default: results/small-areas/NAME].")
    ] = None,
    as_json: Json = False,
) -> None:
    """Estimate every neighbourhood from a residents' survey, with intervals."""
    if (file is None) == (example is None):
        raise CommonwealError("expected a file, or --example and a folder to write one into")
    if example is not None:
        from commonweal.study.small_areas import write_example

        for written in write_example(example):
            print(f"Wrote {written}")
        return
    assert file is not None
    from commonweal.report.study.folder import check_folder
    from commonweal.study.small_areas import load_estimates, place_study, run_estimates

    spec = load_estimates(file)
    target = out or Path("results") / "small-areas" / spec.name
    check_folder(target)  # before a long run, not after it
    from commonweal.report.neighbourhoods import neighbourhoods_report, write_neighbourhoods
    from commonweal.report.neighbourhoods_told import headline_lines
    from commonweal.sources import Store
    from commonweal.study.areas import study_shapes

    with progress_bar() as progress:
        store = Store.from_environment(progress)
        found = run_estimates(spec, store, progress=progress)
        used = [
            f"{s['title']} ({s['publisher']}, {s['vintage']}). Licence: {s['licence']}. {s['attribution']}".strip()
            for s in store.used
        ]
        shapes, _ = study_shapes(place_study(spec), found.areas, store, geometry=True)
        report = neighbourhoods_report(found, spec.name, spec.title, spec.note, used)
        folder = write_neighbourhoods(report, found, shapes["geometry"], target)
    if as_json:
        print_json({"folder": str(folder), "neighbourhoods": found.table().to_dicts()})
        return
    print_lines(headline_lines(found, spec.title, spec.note))
    print(f"\nReport: {folder / 'report.html'}")
    print(f"Table: {folder / 'neighbourhoods.csv'}")
