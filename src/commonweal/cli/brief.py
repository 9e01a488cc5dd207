"""The commands about one area: `commonweal show`, `brief` and `session`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from commonweal.cli.console import (
    Draws,
    Json,
    NoSensitivity,
    Postcodes,
    StudyOrFolder,
    print_json,
    print_lines,
    progress_bar,
    terminal_width,
)
from commonweal.errors import CommonwealError
from commonweal.files.extras import check_extras

if TYPE_CHECKING:
    from collections.abc import Sequence

    from commonweal.report.place.pack import Profiles
    from commonweal.sources import Store
    from commonweal.spec import Study
    from commonweal.study.names import Scope


Language = Annotated[
    str, typer.Option(help="The language of profiles: en, or cy for Welsh, which is a draft.")
]


def show(
    area: Annotated[str, typer.Argument(help="A code, a name, 'name, authority', or a postcode.")],
    study: Annotated[
        str | None, typer.Option(help="The study [default: the newest that has the area].")
    ] = None,
    postcodes: Postcodes = None,
    draws: Draws = None,
    no_sensitivity: NoSensitivity = False,
    language: Language = "en",
    as_json: Json = False,
) -> None:
    """Print one neighbourhood: its result, how stable that is, its ranks, and similar ones."""
    from commonweal.cli.find_study import find_study
    from commonweal.report.place.profile import profile
    from commonweal.report.place.text import place_words
    from commonweal.sources import Store
    from commonweal.study.fingerprint import open_or_run

    place_words(language)  # before a long run, not after it
    with progress_bar() as progress:
        store = Store.from_environment(progress)
        chosen, code = find_study(area, store, study, postcodes)
        results = open_or_run(
            chosen,
            store,
            draws=draws,
            sensitivity=not no_sensitivity,
            geometry=False,
            progress=progress,
        )
        found = profile(results, code, language)
    if as_json:
        print_json(found.place.to_dict())
        return
    print_lines(found.lines(terminal_width()))


MOST_PROFILES = 5000
"""Profiles that one folder can hold."""


def brief(
    study: StudyOrFolder,
    areas: Annotated[
        list[str] | None,
        typer.Argument(
            help="Areas by code, name, 'name, authority' or postcode; or a whole authority, region... "
            "[default: the study's focus, or all of it]"
        ),
    ] = None,
    codes: Annotated[
        Path | None,
        typer.Option(help="A file of more areas: one a line, or the first column of a CSV."),
    ] = None,
    profiles: Annotated[
        Literal["none", "selected", "all"],
        typer.Option(help="Which areas get a two-page profile; selected: those on the list."),
    ] = "selected",
    charts: Annotated[
        Literal["none", "overview", "all"],
        typer.Option(help="Which charts to write as PNG, SVG and CSV too."),
    ] = "overview",
    options: Annotated[
        str,
        typer.Option(
            help="Add a page on what new venues of this type would do here, such as library."
        ),
    ] = "",
    programme: Annotated[
        str,
        typer.Option(
            help="Add a page on which areas this funding programme selects: a name or a file."
        ),
    ] = "",
    against: Annotated[
        str,
        typer.Option(help="Compare with another programme on that page: who gains and who loses."),
    ] = "",
    language: Language = "en",
    postcodes: Postcodes = None,
    draws: Draws = None,
    no_sensitivity: NoSensitivity = False,
    out: Annotated[
        Path | None, typer.Option(help="Folder of the pack [default: packs/STUDY-AREA].")
    ] = None,
    as_json: Json = False,
) -> None:
    """Write a briefing pack: an overview and profiles (web and PDF), a workbook and charts, zipped."""
    from commonweal.chart.map import Shapes
    from commonweal.document.format import format_count
    from commonweal.files.folder import check_folder
    from commonweal.report.case.pack_pages import check_pages, options_page, programme_page
    from commonweal.report.place.pack import (
        default_folder,
        profile_rows,
        write_pack,
    )
    from commonweal.report.place.text import place_words
    from commonweal.sources import Store
    from commonweal.study.fingerprint import load_asked, open_or_run
    from commonweal.study.names import codes_in, counted_areas, find_scope
    from commonweal.study.postcodes import postcode_finder

    place_words(language)  # before a long run, not after it
    if against and not programme:
        raise CommonwealError(f"--against {against}: expected a --programme to compare it with")
    with progress_bar() as progress:
        recipe = load_asked(study)
        check_pages(recipe.name, options, programme, against)
        check_extras(pdf="typst", xlsx="xlsxwriter")
        asked = [*(areas or []), *(codes_in(codes) if codes is not None else [])]
        if out is not None:
            check_folder(out)  # before a long run, not after it
        store = Store.from_environment(progress)
        focus, folder = _check_places(recipe, asked, store, out, profiles, bool(options))
        results = open_or_run(
            recipe, store, draws=draws, sensitivity=not no_sensitivity, progress=progress
        )
        shapes = Shapes(results.areas, results.boundaries, results.outline)
        by_postcode = postcode_finder(results.areas, results.boundaries, postcodes, store.cache)
        scope = focus or find_scope(results.areas, asked, by_postcode)
        count = len(profile_rows(results, scope, profiles))
        _refuse_many(count)
        extras = []
        if options:
            extras.append(options_page(results, scope, options, store, progress))
        if programme:
            extras.append(
                programme_page(results, programme, store, progress=progress, against=against)
            )
        made = write_pack(
            results,
            scope,
            folder or default_folder(recipe, scope),
            profiles=profiles,
            charts=charts,
            language=language,
            shapes=shapes,
            extras=extras,
            progress=progress,
        )
    if as_json:
        print_json(
            {
                "folder": str(made),
                "study": results.study.name,
                "title": scope.title,
                "places": len(scope.rows),
                "profiles": count,
            }
        )
        return
    areas_there = counted_areas(len(scope.rows), results.areas)
    print(f"{scope.title}: {areas_there}, {format_count(count, 'profile', 'profiles')}.")
    print(f"Pack: {made / 'index.html'}")  # never wrapped: to be clicked or copied


def _check_places(
    recipe: Study,
    asked: Sequence[str],
    store: Store,
    out: Path | None,
    profiles: Profiles,
    options: bool,
) -> tuple[Scope | None, Path | None]:
    """Refuse before a long run what cannot be made of the places; give the focus, if that is meant, and the folder."""
    from commonweal.files.folder import check_folder
    from commonweal.report.case.pack_pages import refuse_many
    from commonweal.report.place.pack import default_folder
    from commonweal.study.fingerprint import areas_kept
    from commonweal.study.names import find_scope, focus_scope, is_postcode

    plain = [text for text in asked if not is_postcode(text)]
    everywhere = areas_kept(recipe, store)
    focus = None if asked else focus_scope(everywhere, recipe)
    known = focus or find_scope(everywhere, plain)
    if plain == asked:  # else what it is about is not known before the areas' outlines are
        if options:
            refuse_many(known, everywhere)
        out = out or default_folder(recipe, known)
        check_folder(out)
        if profiles == "all":
            _refuse_many(len(known.rows))
    return focus, out


def _refuse_many(count: int) -> None:
    if count > MOST_PROFILES:
        raise CommonwealError(
            f"{count:,} profiles are too many for one folder (at most {MOST_PROFILES:,}); "
            "name fewer areas, or use --profiles none"
        )


def session(
    file: Annotated[str, typer.Argument(help="A built-in session, or the path of a YAML file.")],
    draws: Draws = None,
    out: Annotated[
        Path | None, typer.Option(help="Folder to write [default: results/sessions/NAME].")
    ] = None,
    check: Annotated[
        bool,
        typer.Option("--check", help="Only check the file and its studies, without running them."),
    ] = False,
) -> None:
    """Write an evidence session: a page, a PDF and a pack, with figures from the results."""
    from commonweal.files.folder import check_folder
    from commonweal.report.session.spec import load_session
    from commonweal.spec.study import load_study

    found = load_session(file)
    recipes = {name: load_study(found.study(name)) for name in found.studies}
    if check:
        print(f"{file} is a valid session.")
        return
    target = out or Path("results") / "sessions" / found.name
    check_folder(target)  # before a long run, not after it
    check_extras(pdf="typst", xlsx="xlsxwriter")
    from commonweal.report.session.write import write_session
    from commonweal.sources import Store
    from commonweal.study.fingerprint import open_or_run

    with progress_bar() as progress:
        store = Store.from_environment(progress)
        runs = {
            name: open_or_run(
                recipe,
                store,
                draws=draws,
                sensitivity=False,
                geometry=name in found.areas,  # only the maps of a pack need it
                progress=progress,
            )
            for name, recipe in recipes.items()
        }
        folder = write_session(found, runs, target, progress)
    print(f"{found.title}\n")
    print(f"Page: {folder / 'session.html'}")
    print(f"Pack: {folder / f'{found.name}.zip'}")
