"""The command that lists what social capital is measured by: `commonweal social-capital`."""

from __future__ import annotations

import sys
from pathlib import Path  # noqa: TC003  # typer reads it
from typing import TYPE_CHECKING, Annotated

import typer

from commonweal.cli.console import Json, print_json, print_lines, progress_bar
from commonweal.errors import CommonwealError, UnreachableError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from commonweal.report.study.frameworks import Asked
    from commonweal.social_capital import Figure, Framework
    from commonweal.sources import Store

__all__ = ["social_capital"]


def social_capital(
    study: Annotated[
        str | None, typer.Argument(help="A study that ships, or the path of a YAML file.")
    ] = None,
    survey: Annotated[
        Path | None,
        typer.Option(help="The YAML file of a survey; its outcomes say which headline they are."),
    ] = None,
    area: Annotated[
        str, typer.Option(help="With a study: all that is known of one place, by code or name.")
    ] = "",
    out: Annotated[
        Path | None, typer.Option(help="Write a report into this folder: page, PDF, tables.")
    ] = None,
    as_json: Json = False,
) -> None:
    """List what social capital is measured by, and say which of it a study or a survey knows, and how."""
    from commonweal.report.study.folder import check_folder
    from commonweal.sources import Store

    if area and (study is None or out is not None or survey is not None):
        found = "no study" if study is None else "--survey" if survey is not None else "--out"
        raise CommonwealError(
            f"--area: found {found}; expected a study, and neither --out nor --survey, such as: "
            "commonweal social-capital open-england --area E01000001"
        )
    if out is not None:
        check_folder(out)
    with progress_bar() as progress:
        store = Store.from_environment(progress)
        if study is not None and area:
            _tell_place(study, area, store, as_json)
        else:
            _tell_list(study, survey, store, out, as_json)


def _tell_list(
    study: str | None, survey: Path | None, store: Store, out: Path | None, as_json: bool
) -> None:
    from commonweal.report.study.frameworks import Listing
    from commonweal.social_capital import shipped_frameworks
    from commonweal.spec import load_study

    frameworks = shipped_frameworks()
    asked = _asked(survey) if survey is not None else {}
    if study is None:
        found = Listing(frameworks, _figures(frameworks["ons"], store), asked=asked)
    else:
        from commonweal.study.areas import study_areas
        from commonweal.study.social_capital import figures_for_the_country, indicators_of_capital

        recipe = load_study(study)
        areas = study_areas(recipe, store)
        indicators = indicators_of_capital(recipe, areas, store)
        figures = figures_for_the_country(recipe, store)
        found = Listing(frameworks, figures, recipe, areas, indicators, asked)
    if as_json:
        print_json(found.data())
    else:
        print_lines(found.lines())
    if out is not None:
        from commonweal.document import write_report
        from commonweal.report.social_capital import capital_report

        folder = write_report(capital_report(found), out)
        if not as_json:
            print(f"\nReport: {folder / 'report.html'}")


def _asked(file: Path) -> Mapping[str, Asked]:
    """Read a survey, and estimate the outcomes that are headlines for all of its respondents."""
    from commonweal.report.asked import asked_by, check_headlines
    from commonweal.survey import load_spec, rake_survey, read_survey, summarise

    spec = load_spec(file)
    check_headlines(spec)
    found, raking = read_survey(spec), None
    if spec.rake is not None:
        found, raking = rake_survey(found)
    return asked_by(summarise(found, [], raking))


def _figures(framework: Framework, store: Store) -> Mapping[str, tuple[Figure, ...]]:
    """Read figures for the country; where a source cannot be had, say so and give the stated ones."""
    from commonweal.social_capital import figures_of

    try:
        return figures_of(framework, store)
    except UnreachableError as error:
        print(f"Some figures for the country cannot be had here:\n{error}\n", file=sys.stderr)
        return {h.id: h.published for h in framework.headlines.values()}


def _tell_place(study: str, area: str, store: Store, as_json: bool) -> None:
    from commonweal.cli.find_study import find_study
    from commonweal.report.study.capital_told import capital_data, social_capital_lines
    from commonweal.report.study.social_capital import capital_finder
    from commonweal.study.areas import study_areas
    from commonweal.study.social_capital import figures_for_the_country, indicators_of_capital

    recipe, code = find_study(area, store, study)
    areas = study_areas(recipe, store)
    indicators = indicators_of_capital(recipe, areas, store)
    find = capital_finder(recipe, areas, indicators, figures_for_the_country(recipe, store))
    row = areas.codes.index(code)
    found = find(row)
    if found is None:
        raise CommonwealError(
            f"study {recipe.name} says nothing of social capital; expected 'social_capital' in it"
        )
    name = areas.table["name"][row] or code
    if as_json:
        print_json({"code": code, "name": name, "study": recipe.name, **capital_data(found)})
        return
    print_lines([f"{name} ({code})", recipe.title, "", *social_capital_lines(found)])
    if recipe.briefing.note:
        print_lines(["", recipe.briefing.note])
