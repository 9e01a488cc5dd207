"""The command that makes a briefing pack: `commonweal brief`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from commonweal.cli.console import Draws, Json, NoSensitivity, StudyName, print_json, progress_bar
from commonweal.errors import CommonwealError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from commonweal.report.place.make import Charts, Profiles

__all__ = ["brief", "make_pack"]

MOST_PROFILES = 5000
"""More are more than a folder, and whoever opens it, can bear."""


def brief(
    study: StudyName,
    areas: Annotated[
        list[str] | None,
        typer.Argument(
            help="Places: code, name, 'name, authority', postcode; or larger areas: authority, region... "
            "[default: the study's focus, or all of it]"
        ),
    ] = None,
    codes: Annotated[
        Path | None,
        typer.Option(help="A file of more places: one a line, or a CSV's first column."),
    ] = None,
    profiles: Annotated[
        Literal["none", "selected", "all"],
        typer.Option(help="Which places get a profile of two pages."),
    ] = "selected",
    charts: Annotated[
        Literal["none", "overview", "all"],
        typer.Option(help="Which charts are put beside the pages as PNG, SVG and CSV."),
    ] = "overview",
    options: Annotated[
        str,
        typer.Option(
            help="Add a page on what new places of this kind would do here, such as library."
        ),
    ] = "",
    programme: Annotated[
        str,
        typer.Option(help="Add a page on who this funding programme selects: a name or a file."),
    ] = "",
    against: Annotated[
        str,
        typer.Option(help="Another programme, to tell on that page who gains and who loses."),
    ] = "",
    postcodes: Annotated[
        Path | None,
        typer.Option(
            envvar="COMMONWEAL_POSTCODES",
            help="A postcode directory (CSV) of your own [default: the packaged one].",
        ),
    ] = None,
    draws: Draws = None,
    no_sensitivity: NoSensitivity = False,
    out: Annotated[
        Path | None, typer.Option(help="Folder of the pack [default: packs/STUDY-AREA].")
    ] = None,
    as_json: Json = False,
) -> None:
    """Make a briefing pack: profiles and an overview as web pages and PDF, a workbook, charts, a zip."""
    from commonweal.document.words import counted

    with progress_bar() as progress:
        made = make_pack(
            study,
            areas or [],
            codes=codes,
            postcodes=postcodes,
            profiles=profiles,
            charts=charts,
            options=options,
            programme=programme,
            against=against,
            draws=draws,
            sensitivity=not no_sensitivity,
            out=out,
            progress=progress,
        )
    if as_json:
        print_json(made)
        return
    places = counted(made["places"], "place", "places")
    print(f"{made['title']}: {places}, {counted(made['profiles'], 'profile', 'profiles')}.")
    print(f"Pack: {Path(made['folder']) / 'index.html'}")  # never wrapped: to be clicked or copied


def make_pack(
    study: str,
    areas: Sequence[str],
    *,
    codes: Path | None = None,
    postcodes: Path | None = None,
    profiles: Profiles = "selected",
    charts: Charts = "overview",
    options: str = "",
    programme: str = "",
    against: str = "",
    draws: int | None = None,
    sensitivity: bool = True,
    out: Path | None = None,
    progress: Callable[[str, int, int], None] | None = None,
) -> dict[str, Any]:
    """Run a study and write a pack about some of its places.

    Parameters
    ----------
    study
        A study that ships, or the path of a YAML file.
    areas, codes
        What it is about: see `commonweal.study.scope.find_scope`; a file of codes adds to them.
    postcodes
        A postcode directory of one's own.
    profiles, charts, out
        As `commonweal.report.place.make.write_pack`.
    options, programme
        A kind of place and a programme to add a page on: `commonweal.report.case.pack_pages`.
    against
        Another programme, to set beside that one.
    draws, sensitivity
        As `commonweal.study.run.run`.
    progress
        Called as ``progress(what, done, total)``.

    Returns
    -------
    dict
        The folder, what the pack is about, and how many places and profiles it has.

    Raises
    ------
    CommonwealError
        If a place is not found, or the folder cannot be written.
    """
    from commonweal.report.case.pack_pages import (
        check_pages,
        options_page,
        programme_page,
        refuse_many,
    )
    from commonweal.report.place.make import default_folder, profile_rows, write_pack
    from commonweal.report.place.postcode import postcode_finder
    from commonweal.report.place.shapes import Shapes
    from commonweal.report.study.folder import check_folder
    from commonweal.sources import Store
    from commonweal.spec import load_study
    from commonweal.study.areas import study_areas
    from commonweal.study.run import run
    from commonweal.study.scope import codes_in, find_scope, focus_scope, is_postcode

    if against and not programme:
        raise CommonwealError(f"--against {against}: expected a --programme to set it beside")
    recipe = load_study(study)
    check_pages(recipe.name, options, programme, against)
    asked = [*areas, *(codes_in(codes) if codes is not None else [])]
    if out is not None:
        check_folder(out)  # before a long run, not after it
    store = Store.from_environment(progress)
    plain = [text for text in asked if not is_postcode(text)]
    everywhere = study_areas(recipe, store)
    focus = None if asked else focus_scope(everywhere, recipe)
    known = focus or find_scope(everywhere, plain)
    if plain == asked:  # else what it is about is not known before the areas' outlines are
        if options:
            refuse_many(known, everywhere)
        out = out or default_folder(recipe, known)
        check_folder(out)
        if profiles == "all":
            _refuse_many(len(known.rows))
    results = run(recipe, store, draws=draws, sensitivity=sensitivity, progress=progress)
    shapes = Shapes(results)
    by_postcode = postcode_finder(shapes, postcodes, store.cache)
    scope = focus or find_scope(results.areas, asked, by_postcode)
    count = len(profile_rows(results, scope, profiles))
    _refuse_many(count)
    extras = []
    if options:
        extras.append(options_page(results, scope, options, store, progress))
    if programme:
        extras.append(programme_page(results, programme, store, progress=progress, against=against))
    folder = write_pack(
        results,
        scope,
        out or default_folder(recipe, scope),
        profiles=profiles,
        charts=charts,
        shapes=shapes,
        extras=extras,
        progress=progress,
    )
    return {
        "folder": str(folder),
        "study": results.study.name,
        "title": scope.title,
        "places": len(scope.rows),
        "profiles": count,
    }


def _refuse_many(count: int) -> None:
    if count > MOST_PROFILES:
        raise CommonwealError(
            f"{count:,} profiles are more than one folder should hold (at most {MOST_PROFILES:,}); "
            "name fewer areas, or use --profiles none"
        )
