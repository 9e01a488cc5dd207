"""The commands `commonweal invest`: `allocate`, `portfolio` and `site`; the others are registered here."""

from __future__ import annotations

import re
import sys
from pathlib import Path  # noqa: TC003  # typer reads it
from typing import TYPE_CHECKING, Annotated

import typer

from commonweal.cli.console import (  # typer reads it
    Draws,
    Equity,
    Interventions,
    Json,
    Minutes,
    Out,
    Seed,
    StudyOrFolder,
    WhichDesignation,
    pounds,
    print_document,
    progress_bar,
)
from commonweal.cli.invest_case import appraise, baseline, case, track
from commonweal.errors import CommonwealError

if TYPE_CHECKING:
    from collections.abc import Callable


def allocate(
    programme: Annotated[
        str,
        typer.Argument(help="A built-in programme, such as appg-225, or the path of a YAML file."),
    ],
    against: Annotated[
        str, typer.Option(help="Compare with another programme: who gains and who loses.")
    ] = "",
    draws: Draws = None,
    exclude: Annotated[
        list[str] | None,
        typer.Option(
            help="A table of codes that the programme excludes: FILE, or NAME=FILE if it has several exclusions; "
            "'none' leaves the exclusion out. Repeatable."
        ),
    ] = None,
    published: Annotated[
        Path | None,
        typer.Option(
            help="A table of the codes on the published list, to check the result against."
        ),
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="Folder for a page, a PDF, a workbook, tables and a map.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Apply a funding programme's rule: which areas it funds, how stable that is, and the cost."""
    from commonweal.files.folder import check_folder
    from commonweal.invest.allocation.on_study import compare_programmes, run_programme
    from commonweal.sources import Store

    if out is not None:
        check_folder(out)  # before the work, not after it
    with progress_bar() as progress:
        store = Store.from_environment(progress)
        worked = run_programme(
            programme,
            store,
            exclude or (),
            draws=draws,
            shapes=out is not None,
            published=published,
            progress=progress,
        )
        beside = compare_programmes(worked, against, store, exclude or ()) if against else None
        from commonweal.report.allocation import allocation_document, write_selected

        report, folder = allocation_document(worked, beside), None
        if out is not None:
            from commonweal.document.write import write_document

            outlines = "The outlines of the areas on the list, for mapping programs."
            more = {"selected.gpkg": (outlines, lambda path: write_selected(worked, path))}
            drawn = worked.shapes["geometry"].null_count() < len(worked.shapes)
            folder = write_document(report, out, more if drawn else None)
    print_document(report, folder, as_json=as_json)


def portfolio(
    study: StudyOrFolder,
    budget: Annotated[str, typer.Option(help="Pounds over all years, such as 20m or 750k.")],
    years: Annotated[int, typer.Option(help="Years of spending and effects.")] = 10,
    areas: Annotated[str, typer.Option(help="selected: the areas on the study's list.")] = "",
    area: Annotated[
        list[str] | None,
        typer.Option(help="An area or larger area, by code or name. Repeatable."),
    ] = None,
    interventions: Interventions = "first-set",
    only: Annotated[
        list[str] | None, typer.Option(help="Use only this intervention. Repeatable.")
    ] = None,
    index: Annotated[
        str, typer.Option(help="Index that measures need [default: the study's first].")
    ] = "",
    designation: WhichDesignation = "",
    a_year: Annotated[str, typer.Option(help="Most pounds in any one year.")] = "",
    least_share: Annotated[
        list[str] | None,
        typer.Option(help="AUTHORITY=SHARE: least share of the spending there. Repeatable."),
    ] = None,
    starts_a_year: Annotated[
        list[str] | None,
        typer.Option(help="INTERVENTION=N: most starts a year. Repeatable."),
    ] = None,
    most_each: Annotated[int | None, typer.Option(help="Most interventions in one area.")] = None,
    equity: Equity = 1.0,
    repeat: Annotated[
        float,
        typer.Option(help="How much a second intervention on the same outcome counts, 0 to 1."),
    ] = 0.5,
    stated_counts: Annotated[
        float, typer.Option(help="How much outcomes outside the index count; 0: not at all.")
    ] = 1.0,
    draws: Annotated[
        int,
        typer.Option(
            min=0, help="Recalculations with other costs and effects, a few seconds each; 0: none."
        ),
    ] = 30,
    seed: Seed = 1,
    out: Out = None,
    as_json: Json = False,
) -> None:
    """Choose interventions within a budget: the mix that meets most need, and how stable it is."""
    from commonweal.document.write import write_document
    from commonweal.files.folder import check_folder
    from commonweal.invest.portfolio.on_study import propose
    from commonweal.invest.portfolio.plan import SELECTED, PortfolioOptions
    from commonweal.report.portfolio import portfolio_document
    from commonweal.report.study.provenance import study_sources
    from commonweal.study.fingerprint import load_asked, open_or_run

    if areas not in ("", SELECTED):
        raise CommonwealError(
            f"--areas: found '{areas}'; expected {SELECTED}, or --area with a code or name"
        )
    if areas and area:
        raise CommonwealError("--areas and --area: found both; expected one")
    ask = PortfolioOptions(
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
    recipe = load_asked(study)
    if out is not None:
        check_folder(out)  # before a long run, not after it
    with progress_bar() as progress:
        results = open_or_run(recipe, draws=0, sensitivity=False, geometry=False, progress=progress)
        found = propose(results, ask, progress)
    report = portfolio_document(found, study_sources(results))
    folder = None if out is None else write_document(report, out)
    print_document(report, folder, as_json=as_json, rows=5)


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


def site(
    study: StudyOrFolder,
    area: Annotated[
        list[str],
        typer.Option(
            help="Code or name of an area, or of a larger one such as an authority. Repeatable."
        ),
    ],
    kind: Annotated[str, typer.Option(help="Type of venue to build, such as library.")],
    sites: Annotated[int | None, typer.Option(help="Most new venues.")] = None,
    budget: Annotated[str | None, typer.Option(help="Most that they may cost, such as 2m.")] = None,
    minutes: Minutes = 15,
    candidates: Annotated[
        str,
        typer.Option(
            help="Possible sites: schools, another type or group of venues (pub), postcodes, "
            "grid:500 (metres), or a CSV file with sites, costs and capacities."
        ),
    ] = "schools",
    model: Annotated[
        str,
        typer.Option(
            help="maximal_covering (reach most), set_covering (reach all), p_median (shortest walks) or "
            "p_center (shortest longest walk)."
        ),
    ] = "maximal_covering",
    equity: Equity = 1.0,
    need: Annotated[
        str, typer.Option(help="Index whose ranks measure need [default: the study's first].")
    ] = "",
    moves: Annotated[
        str, typer.Option(help="Indicator in metres, from a table, that a new venue would shorten.")
    ] = "",
    method: Annotated[
        str, typer.Option(help="How to search: greedy, search or exact (proves the best).")
    ] = "exact",
    seconds: Annotated[
        float, typer.Option(help="Seconds for the proof; Ctrl-C stops with the best so far.")
    ] = 60,
    out: Annotated[
        Path | None,
        typer.Option(help="Folder for a page, a PDF, a workbook, tables and a GeoPackage."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Find the best sites for new venues: who is reached, what changes, and how stable that is."""
    from typing import Any, cast

    from commonweal.files.folder import check_folder
    from commonweal.invest.siting import Goal
    from commonweal.invest.siting.on_study import SitingOptions
    from commonweal.invest.siting.on_study import site as sited
    from commonweal.report.siting import siting_document
    from commonweal.sources import Store
    from commonweal.study.fingerprint import load_asked, open_or_run
    from commonweal.study.names import find_scope

    if sites is None and budget is None and model != "set_covering":
        sites = 1
    chosen = cast("Any", model)
    money = None if budget is None else pounds("budget", budget)
    Goal(chosen, sites, money)  # what makes no sense is refused before a long run
    recipe = load_asked(study)
    if out is not None:
        check_folder(out)
    ask = SitingOptions(
        ", ".join(area), kind, sites, money, chosen, minutes, candidates, equity, need, moves,
        cast("Any", method), seconds,
    )  # fmt: skip
    with progress_bar() as progress:
        store = Store.from_environment(progress)
        results = open_or_run(recipe, store, draws=0, sensitivity=False, progress=progress)
        scope = find_scope(results.areas, area)
        found = sited(results, ask, store, scope=scope, progress=progress, told=_told(progress))
    report, folder = siting_document(found), None
    if out is not None:
        from commonweal.document.write import write_document
        from commonweal.report.invest_maps import write_sites

        places = "The proposed sites, the existing venues and the demand points, for QGIS."
        more = {"sites.gpkg": (places, lambda path: write_sites(found, path))}
        folder = write_document(report, out, more)
    print_document(report, folder, as_json=as_json)


def _told(
    progress: Callable[[str, int, int], None] | None,
) -> Callable[[float, float, float], None] | None:
    """Show the gap between cost and bound on the progress bar."""
    if progress is None or not sys.stderr.isatty():
        return None

    def told(objective: float, bound: float, _: float) -> None:
        gap = abs(objective - bound) / max(abs(objective), 1e-12)
        progress(f"proving, within {100 * min(gap, 1.0):.2f}% of the best", 0, 0)

    return told


invest_app = typer.Typer(
    help="Plan investment: where, in what, and whether it is worth the cost.",
    no_args_is_help=True,
)
invest_app.command("allocate")(allocate)
invest_app.command("appraise")(appraise)
invest_app.command("case")(case)
invest_app.command("site")(site)
invest_app.command("portfolio")(portfolio)
invest_app.command("baseline")(baseline)
invest_app.command("track")(track)
