"""The commands about surveys: `commonweal survey`, `small-areas` and `social-capital`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from commonweal.cli.console import (
    Json,
    print_document,
    print_json,
    print_lines,
    progress_bar,
)
from commonweal.errors import CommonwealError, UnreachableError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from commonweal.areas import Areas
    from commonweal.indicators import Indicators
    from commonweal.report.social_capital import SurveyHeadline
    from commonweal.social_capital import Framework, NationalFigure
    from commonweal.sources import Store
    from commonweal.spec import Study


def survey(
    file: Annotated[Path, typer.Argument(help="The YAML file of a survey.")],
    by: Annotated[
        list[str] | None,
        typer.Option(
            help="A group of the survey, wave or area; join several with '+' to cross them. Repeatable "
            "[default: every group and the wave]."
        ),
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="Report folder [default: results/surveys/NAME].")
    ] = None,
    as_json: Json = False,
) -> None:
    """Estimate outcomes from a survey's microdata, by group, with intervals, and write a report."""
    from commonweal.document.write import write_document
    from commonweal.files.folder import check_folder
    from commonweal.report.survey import survey_document
    from commonweal.survey import rake_survey, read_survey
    from commonweal.survey.estimate import summarise
    from commonweal.survey.spec import load_spec

    spec = load_spec(file)
    folder = out or Path("results") / "surveys" / spec.name
    check_folder(folder)
    found, raking = read_survey(spec), None
    if spec.rake is not None:
        found, raking = rake_survey(found)
    summary = summarise(found, by, raking)
    report = survey_document(summary)
    write_document(report, folder)
    print_document(report, folder, as_json=as_json)


def small_areas(
    file: Annotated[
        Path | None,
        typer.Argument(help="A YAML file with the survey, the covariates and the model."),
    ] = None,
    example: Annotated[
        Path | None,
        typer.Option(help="Write a working example, with a survey in SPSS, into this folder."),
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
        from commonweal.study.small_areas.spec import write_example

        for written in write_example(example):
            print(f"Wrote {written}")
        return
    assert file is not None
    from commonweal.files.folder import check_folder
    from commonweal.study.small_areas.run import covariate_study, run_estimates
    from commonweal.study.small_areas.spec import load_estimates

    spec = load_estimates(file)
    target = out or Path("results") / "small-areas" / spec.name
    check_folder(target)  # before a long run, not after it
    from commonweal.report.small_areas import neighbourhoods_document, write_neighbourhoods
    from commonweal.sources import Store
    from commonweal.study.areas import study_shapes

    with progress_bar() as progress:
        store = Store.from_environment(progress)
        found = run_estimates(spec, store, progress=progress)
        used = [
            f"{s['title']} ({s['publisher']}, {s['vintage']}). Licence: {s['licence']}. {s['attribution']}".strip()
            for s in store.used
        ]
        shapes, _ = study_shapes(covariate_study(spec), found.areas, store, geometry=True)
        report = neighbourhoods_document(found, spec.name, spec.title, spec.note, used)
        folder = write_neighbourhoods(report, found, shapes["geometry"], target)
    print_document(report, folder, as_json=as_json)
    if not as_json:
        print(f"Table: {folder / 'neighbourhoods.csv'}")


def social_capital(
    study: Annotated[
        str | None,
        typer.Argument(help="A study that ships, the path of a YAML file, or a results folder."),
    ] = None,
    survey: Annotated[
        Path | None,
        typer.Option(help="The YAML file of a survey whose outcomes name their headline."),
    ] = None,
    area: Annotated[
        str, typer.Option(help="With a study: all that we know about one area, by code or name.")
    ] = "",
    out: Annotated[
        Path | None, typer.Option(help="Write a report into this folder: page, PDF, tables.")
    ] = None,
    as_json: Json = False,
) -> None:
    """List measures of social capital, and which of them a study or a survey has."""
    from commonweal.files.folder import check_folder
    from commonweal.sources import Store

    if area and (study is None or survey is not None):
        found = "no study" if study is None else "--survey"
        raise CommonwealError(
            f"--area: found {found}; expected a study, and no --survey, such as: "
            "commonweal social-capital open-england --area E01000001"
        )
    if out is not None:
        check_folder(out)
    with progress_bar() as progress:
        store = Store.from_environment(progress)
        if study is not None and area:
            _tell_place(study, area, store, out, as_json)
        else:
            _tell_list(study, survey, store, out, as_json)


def _tell_list(
    study: str | None, survey: Path | None, store: Store, out: Path | None, as_json: bool
) -> None:
    from commonweal.report.social_capital import FrameworkListing
    from commonweal.social_capital.framework import shipped_frameworks
    from commonweal.study.fingerprint import load_asked

    frameworks = shipped_frameworks()
    asked = _asked(survey) if survey is not None else {}
    if study is None:
        found = FrameworkListing(frameworks, _figures(frameworks["ons"], store), asked=asked)
    else:
        recipe = load_asked(study)
        areas, indicators, figures = _known(recipe, store)
        found = FrameworkListing(frameworks, figures, recipe, areas, indicators, asked)
    if as_json:
        print_json(found.data())
    else:
        print_lines(found.lines())
    if out is not None:
        from commonweal.document.write import write_document
        from commonweal.report.social_capital import capital_document

        folder = write_document(capital_document(found), out)
        if not as_json:
            print(f"\nReport: {folder / 'report.html'}")


def _known(
    study: Study, store: Store
) -> tuple[Areas, Indicators | None, Mapping[str, tuple[NationalFigure, ...]]]:
    """Give the areas of a study and what it knows of social capital: from its results folder, or its tables alone."""
    from commonweal.study.areas import study_areas
    from commonweal.study.files import with_replaced
    from commonweal.study.fingerprint import open_kept
    from commonweal.study.social_capital import social_capital_indicators, study_national_figures

    kept = open_kept(
        study, store, draws=0, sensitivity=False, geometry=False, instead="reading its tables"
    )
    if kept is not None:
        return kept.areas, kept.capital, kept.national
    store = with_replaced(study, store)
    areas = study_areas(study, store)
    indicators = social_capital_indicators(study, areas, store)
    return areas, indicators, study_national_figures(study, store)


def _asked(file: Path) -> Mapping[str, SurveyHeadline]:
    """Read a survey, and estimate the outcomes that are headlines for all of its respondents."""
    from commonweal.report.social_capital import check_headlines, headlines_in_survey
    from commonweal.survey import rake_survey, read_survey
    from commonweal.survey.estimate import summarise
    from commonweal.survey.spec import load_spec

    spec = load_spec(file)
    check_headlines(spec)
    found, raking = read_survey(spec), None
    if spec.rake is not None:
        found, raking = rake_survey(found)
    return headlines_in_survey(summarise(found, [], raking))


def _figures(framework: Framework, store: Store) -> Mapping[str, tuple[NationalFigure, ...]]:
    """Read figures for the country; if a source is not available, warn and give the stated ones."""
    from commonweal.social_capital.framework import figures_of

    try:
        return figures_of(framework, store)
    except UnreachableError as error:
        print(f"Some figures for the country are not available here:\n{error}\n", file=sys.stderr)
        return {h.id: h.published for h in framework.headlines.values()}


def _tell_place(study: str, area: str, store: Store, out: Path | None, as_json: bool) -> None:
    from commonweal.cli.find_study import find_study
    from commonweal.document.write import write_document
    from commonweal.report.study.social_capital import capital_finder
    from commonweal.report.study.social_capital_tables import social_capital_document

    recipe, code = find_study(area, store, study)
    areas, indicators, figures = _known(recipe, store)
    find = capital_finder(recipe, areas, indicators, figures)
    row = areas.codes.index(code)
    found = find(row)
    if found is None:
        raise CommonwealError(
            f"study {recipe.name} has no social capital; expected the key 'social_capital' in it"
        )
    name = f"{areas.table['name'][row] or code} ({code})"
    document = social_capital_document(found, name, recipe.title, recipe.briefing.note)
    folder = None if out is None else write_document(document, out)
    print_document(document, folder, as_json=as_json)
