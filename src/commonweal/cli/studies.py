"""The commands about files of studies: `commonweal studies`, `check` and `new`."""

from __future__ import annotations

from pathlib import Path
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
from commonweal.errors import CommonwealError

if TYPE_CHECKING:
    from commonweal.study.check import Checked, Coverage


MOST_LINES = 20
"""How many columns with gaps are listed."""
MOST_CODES = 3
"""How many unknown codes are named."""

studies_app = typer.Typer(help="The built-in studies: list them, or show one.")


@studies_app.callback(invoke_without_command=True)
def studies(context: typer.Context) -> None:
    """List the built-in studies, or show one."""
    if context.invoked_subcommand is not None:
        return
    from commonweal.spec.study import load_study, shipped_studies

    for name in shipped_studies():
        print(f"{name:<18} {load_study(name).title}")


@studies_app.command("show")
def studies_show(study: StudyName, as_json: Json = False) -> None:
    """Show the indices of a study with their weights, its rules, and how to change it."""
    from commonweal.report.listings import study_data, study_lines
    from commonweal.spec.study import load_study, read_spec, shipped_studies

    found = load_study(study)
    if as_json:
        print_json(study_data(found))
        return
    name = study if study in shipped_studies() else Path(study).name
    print_lines(study_lines(found, name, read_spec(study)))


def check(study: StudyName) -> None:
    """Check a study and its own files without running it."""
    from commonweal.document.format import format_amount, format_count
    from commonweal.files.frames import first_lines
    from commonweal.sources import Store
    from commonweal.spec.study import load_study, shipped_studies
    from commonweal.study.check import check_files

    found = load_study(study)
    parts = (
        format_count(len(found.indicators), "indicator", "indicators"),
        format_count(len(found.index), "index", "indices"),
        format_count(len(found.designate), "designation", "designations"),
    )
    with progress_bar() as progress:
        checked = check_files(found, Store.from_environment(progress))
    print(f"{study} is a valid study: {', '.join(parts)}.")
    if checked.files:
        have = format_count(checked.files, "file has", "files have")
        print(f"Its {have} the columns and codes that it names.")
    for line in _coverage(checked):
        print(line)
    if checked.areas is not None and checked.without_outline:
        n, areas = checked.without_outline, checked.areas
        print(f"{n:,} of {len(areas):,} {areas.plural} have no outline in the file of boundaries.")
    for name, value in checked.constant.items():
        print(
            f"{name} is {format_amount(value, '')} in every area that has a value, so it does not tell them apart."
        )
    if checked.unused:
        some = ", ".join(first_lines(checked.unused))
        print(f"In no index, so not used: {some}.")
    if checked.unseen:
        some = ", ".join(first_lines(checked.unseen))
        print(
            f"Not on this machine, so this did not look into them: {some}. To have them looked into: "
            f"commonweal sources fetch {' '.join(checked.unseen)}"
        )
    unseen = any(of.areas is None for of in checked.coverage)
    if unseen or (checked.areas is None and study not in shipped_studies()):
        where = "'where' or " if found.where else ""
        print(
            f"The areas are not on this machine, so this did not check {where}how many areas have a value."
        )


def _coverage(checked: Checked) -> list[str]:
    """Count the areas with a value in each of the user's own columns, and the codes left aside."""
    from commonweal.document.format import format_count

    seen = [of for of in checked.coverage if of.areas is not None]
    part = [of for of in seen if of.areas != of.known or of.aside]
    lines = [_one_column(of) for of in part[:MOST_LINES]]
    if len(part) > MOST_LINES:
        lines.append(f"(and {len(part) - MOST_LINES:,} more)")
    if whole := len(seen) - len(part):
        has = format_count(whole, "column has", "columns have")
        lines.append(f"{has} a value for every area.")
    return lines


def _one_column(of: Coverage) -> str:
    line = f"{of.name}: {of.known:,} of {of.areas:,} areas have a value ({of.file})"
    if not of.aside:
        return f"{line}."
    n, some = len(of.aside), ", ".join(f"'{code}'" for code in of.aside[:MOST_CODES])
    if n == 1:
        return f"{line}; {some} is not an area of the study."
    more = f" and {n - MOST_CODES:,} more" if n > MOST_CODES else ""
    return f"{line}; {n:,} codes are not areas of the study: {some}{more}."


def new(
    file: Annotated[Path, typer.Argument(help="The YAML file to write.")],
) -> None:
    """Write a commented template of a study."""
    from commonweal.spec.study import template

    if file.suffix.lower() not in (".yaml", ".yml"):
        raise CommonwealError(f"{file}: expected a name that ends in .yaml")
    if file.exists():
        raise CommonwealError(f"{file} is already there; choose another name")
    write_text(file, template())
    print(f"Wrote {file}. Edit it, then: commonweal check {file}")
