"""The command that proposes a mix of interventions: `commonweal invest portfolio`."""

from __future__ import annotations

import re
from typing import Annotated

import typer

from commonweal.cli.console import Json, StudyName, print_json, print_lines, progress_bar
from commonweal.cli.invest_options import Out, Seed  # noqa: TC001  # typer reads it
from commonweal.cli.pounds import pounds
from commonweal.errors import CommonwealError

__all__ = ["portfolio"]


def portfolio(
    study: StudyName,
    budget: Annotated[str, typer.Option(help="Pounds over all years, such as 20m or 750k.")],
    years: Annotated[int, typer.Option(help="Years to spend in, and to count effects in.")] = 10,
    areas: Annotated[
        str, typer.Option(help="selected: those that the study's designation selects.")
    ] = "",
    area: Annotated[
        list[str] | None,
        typer.Option(help="An area or larger area by code or name; may be given several times."),
    ] = None,
    interventions: Annotated[
        str, typer.Option(help="Interventions: a set that ships or a YAML file.")
    ] = "first-set",
    only: Annotated[
        list[str] | None, typer.Option(help="Only this intervention; may be given several times.")
    ] = None,
    index: Annotated[
        str, typer.Option(help="Index on which need is measured [default: the study's first].")
    ] = "",
    designation: Annotated[
        str, typer.Option(help="Which designation selects, where the study has several.")
    ] = "",
    a_year: Annotated[str, typer.Option(help="Pounds in any one year at most.")] = "",
    least_share: Annotated[
        list[str] | None,
        typer.Option(
            help="AUTHORITY=SHARE: the least share of what is spent there; several times."
        ),
    ] = None,
    starts_a_year: Annotated[
        list[str] | None,
        typer.Option(help="INTERVENTION=N: begun in N places a year at most; several times."),
    ] = None,
    most_each: Annotated[
        int | None, typer.Option(help="Interventions in one place at most.")
    ] = None,
    equity: Annotated[float, typer.Option(help="To what power need counts; 0: all alike.")] = 1.0,
    repeat: Annotated[
        float, typer.Option(help="What a second intervention on one outcome counts, 0 to 1.")
    ] = 0.5,
    stated_counts: Annotated[
        float, typer.Option(help="What outcomes count that the index does not measure; 0: nothing.")
    ] = 1.0,
    draws: Annotated[
        int, typer.Option(min=0, help="Draws of costs and effects, a few seconds each; 0: none.")
    ] = 30,
    seed: Seed = 1,
    out: Out = None,
    as_json: Json = False,
) -> None:
    """Choose what to do where within a budget: the mix that meets most need, and how sure that is."""
    from commonweal.document.write import write_report
    from commonweal.invest.portfolio.on_study import SELECTED, Ask, propose
    from commonweal.report.portfolio import portfolio_data, portfolio_lines, portfolio_report
    from commonweal.report.study.folder import check_folder
    from commonweal.report.study_sources import study_sources
    from commonweal.spec import load_study
    from commonweal.study.run import run

    if areas not in ("", SELECTED):
        raise CommonwealError(
            f"--areas: found '{areas}'; expected {SELECTED}, or --area with a code or name"
        )
    if areas and area:
        raise CommonwealError("--areas and --area: found both; expected one")
    ask = Ask(
        pounds("--budget", budget),
        years,
        tuple(area or [SELECTED]),
        designation,
        index,
        interventions,
        tuple(only or ()),
        equity,
        pounds("--a-year", a_year) if a_year else None,
        {k: int(v) for k, v in _pairs("--starts-a-year", starts_a_year, whole=True).items()},
        most_each,
        _pairs("--least-share", least_share),
        repeat,
        stated_counts,
        draws,
        seed,
    )
    recipe = load_study(study)
    if out is not None:
        check_folder(out)  # before a long run, not after it
    with progress_bar() as progress:
        results = run(recipe, draws=0, sensitivity=False, geometry=False, progress=progress)
        found = propose(results, ask, progress)
    data = portfolio_data(found)
    if out is not None:
        folder = write_report(portfolio_report(found, study_sources(results)), out)
        data["folder"] = str(folder)
    if as_json:
        print_json(data)
        return
    print_lines(portfolio_lines(found))
    if out is not None:
        print(f"\nReport: {folder / 'report.html'}")


def _pairs(option: str, given: list[str] | None, *, whole: bool = False) -> dict[str, float]:
    """Read NAME=NUMBER."""
    found: dict[str, float] = {}
    for text in given or []:
        name, _, number = text.rpartition("=")
        if not name or not re.fullmatch(r"-?\d+" if whole else r"-?\d*\.?\d+", number.strip()):
            kind = "a whole number" if whole else "a number"
            raise CommonwealError(f"{option}: found '{text}'; expected NAME={kind}")
        found[name.strip()] = float(number)
    return found
