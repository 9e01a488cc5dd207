"""The commands about files of studies: `commonweal studies`, `check` and `new`."""

from __future__ import annotations

from pathlib import Path  # noqa: TC003 (typer reads the annotation)
from typing import Annotated

import typer

from commonweal.commands.console import StudyName, progress_bar, write_text
from commonweal.errors import CommonwealError

__all__ = ["check", "new", "studies"]


def studies() -> None:
    """List the studies that ship."""
    from commonweal.recipe import load_study, shipped_studies

    for name in shipped_studies():
        print(f"{name:<18} {load_study(name).title}")


def check(study: StudyName) -> None:
    """Check a study and its own files without running it."""
    from commonweal.briefing.words import counted
    from commonweal.places import check_files
    from commonweal.recipe import load_study
    from commonweal.sources import Store

    found = load_study(study)
    parts = (
        counted(len(found.indicators), "indicator", "indicators"),
        counted(len(found.index), "index", "indices"),
        counted(len(found.designate), "designation", "designations"),
    )
    with progress_bar() as progress:
        n = check_files(found, Store.from_environment(progress))
    print(f"{study} is a valid study: {', '.join(parts)}.")
    if n:
        print(f"Its {counted(n, 'file has', 'files have')} the columns and codes that it names.")


def new(
    file: Annotated[Path, typer.Argument(help="The YAML file to write.")],
) -> None:
    """Write a commented template of a study."""
    from commonweal.recipe import template

    if file.suffix.lower() not in (".yaml", ".yml"):
        raise CommonwealError(f"{file}: expected a name that ends in .yaml")
    if file.exists():
        raise CommonwealError(f"{file} is already there; choose another name")
    write_text(file, template())
    print(f"Wrote {file}. Edit it, then: commonweal check {file}")
