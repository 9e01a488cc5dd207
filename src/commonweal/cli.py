"""The command line: thin, and quick to start. Everything it says comes from the library."""

from __future__ import annotations

import io
import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from commonweal.commands.brief import brief
from commonweal.commands.console import (
    Draws,
    Json,
    NoSensitivity,
    StudyName,
    print_json,
    print_lines,
    progress_bar,
    write_text,
)
from commonweal.commands.discontent import discontent
from commonweal.commands.evidence import evidence
from commonweal.commands.explore import explore
from commonweal.commands.invest import invest_app
from commonweal.commands.session import session
from commonweal.commands.small_areas import small_areas
from commonweal.commands.social_capital import social_capital
from commonweal.commands.survey import survey
from commonweal.commands.wealth import wealth
from commonweal.errors import CommonwealError, UnreachableError

__all__ = ["app", "main"]

app = typer.Typer(
    name="commonweal",
    help="Find the neighbourhoods that are left behind, and say how sure that is and why.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
sources_app = typer.Typer(
    help="The published files: list, show, fetch, verify.", no_args_is_help=True
)
app.add_typer(sources_app, name="sources")
app.add_typer(invest_app, name="invest")

Debug = Annotated[bool, typer.Option("--debug", help="Show the whole trace of an error.")]


@app.callback(invoke_without_command=True)
def options(
    context: typer.Context,
    debug: Debug = False,
    version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False,
) -> None:
    """Find the neighbourhoods that are left behind, and say how sure that is and why."""
    context.obj = debug
    if version:
        from commonweal import __version__

        print(f"commonweal {__version__}")
        raise typer.Exit
    if context.invoked_subcommand is None:
        print(context.get_help())
        raise typer.Exit


@app.command()
def run(
    study: StudyName,
    draws: Draws = None,
    no_sensitivity: NoSensitivity = False,
    out: Annotated[
        Path | None, typer.Option(help="Results folder [default: results/STUDY].")
    ] = None,
    or_demo: Annotated[
        bool,
        typer.Option("--or-demo", help="Where the data cannot be had, say so and run the demo."),
    ] = False,
    as_json: Json = False,
) -> None:
    """Run a study and write its results folder."""
    from commonweal.briefing.folder import check_folder, write_results
    from commonweal.briefing.headline import as_data, headline
    from commonweal.recipe import load_study
    from commonweal.study import run as run_study

    recipe = load_study(study)
    check_folder(out or Path("results") / recipe.name)  # before a long run, not after it
    with progress_bar() as progress:
        try:
            results = run_study(
                recipe, draws=draws, sensitivity=not no_sensitivity, progress=progress
            )
        except UnreachableError as error:
            if not or_demo:
                raise
            print(f"The data of {study} cannot be had here:\n{error}", file=sys.stderr)
            print(
                "Running the demo instead: a FICTIONAL county, made up by the program.\n",
                file=sys.stderr,
            )
            results = run_study(
                "demo", draws=draws, sensitivity=not no_sensitivity, progress=progress
            )
        folder = write_results(results, out or Path("results") / results.study.name, progress)
    if as_json:
        print_json({**as_data(results), "folder": str(folder)})
        return
    print_lines(headline(results))
    print(f"\nReport: {folder / 'report.html'}")  # never wrapped: to be clicked or copied


@app.command()
def demo(
    draws: Draws = None,
    no_sensitivity: NoSensitivity = False,
    out: Annotated[
        Path | None, typer.Option(help="Results folder [default: results/demo].")
    ] = None,
    as_json: Json = False,
) -> None:
    """Run the whole road offline on a fictional county."""
    run("demo", draws, no_sensitivity, out, as_json=as_json)


app.command()(explore)


@app.command()
def compare(
    before: Annotated[str, typer.Argument(help="A study.")],
    after: Annotated[str, typer.Argument(help="Another; its areas are the ones named.")],
    match: Annotated[
        list[str] | None,
        typer.Option(
            help="An index or part of BEFORE, and what AFTER calls it: places=civic_assets. May be "
            "given several times; what has the same name or label is compared anyway."
        ),
    ] = None,
    everyone: Annotated[
        bool, typer.Option("--all", help="Name every area that enters or leaves.")
    ] = False,
    out: Annotated[
        Path | None,
        typer.Option(
            help="Write tables: to a .csv every area that enters, leaves or stays; into a folder "
            "these and how the indices agree."
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    """Compare two studies: who enters, leaves and stays, and how alike the indices are."""
    from commonweal.beside import compare_studies
    from commonweal.briefing.two_studies import (
        study_comparison_data,
        study_comparison_lines,
        write_study_comparison,
    )
    from commonweal.recipe import load_study
    from commonweal.sources import Store
    from commonweal.study import run as run_study

    stated = _stated_pairs(match or [])
    recipes = [load_study(s) for s in (before, after)]
    with progress_bar() as progress:
        store = Store.from_environment(progress)
        runs = [run_study(r, store, draws=0, geometry=False) for r in recipes]
        found = compare_studies(runs[0], runs[1], store, stated)
    if out is not None:
        write_study_comparison(found, out)
    if as_json:
        print_json(study_comparison_data(found, before, after))
        return
    print_lines(study_comparison_lines(found, everyone))


def _stated_pairs(match: list[str]) -> dict[str, str]:
    """Read what --match gives: NAME=NAME."""
    pairs: dict[str, str] = {}
    for text in match:
        first, _, second = (part.strip() for part in text.partition("="))
        if not (first and second):
            raise CommonwealError(
                f"--match {text}: expected NAME=NAME, such as places=civic_assets"
            )
        if first in pairs:
            raise CommonwealError(f"--match: '{first}' is there twice; expected once")
        pairs[first] = second
    return pairs


@app.command()
def units(
    study: StudyName,
    areas: Annotated[
        list[str] | None,
        typer.Option(
            help="Larger areas to run it on, such as msoa21; may be given several times. If not given, "
            "those above the study's own that are still neighbourhoods."
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(help="Write every small area beside the larger ones that it lies in, as CSV."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Run a study on larger areas too, and tell how much of the answer depends on the unit."""
    from commonweal.briefing.shown import Shown
    from commonweal.briefing.units import unit_data, unit_lines, unit_table
    from commonweal.recipe import load_study
    from commonweal.sources import Store
    from commonweal.units import run_on_units

    recipe = load_study(study)
    with progress_bar() as progress:
        store = Store.from_environment(progress)
        found = run_on_units(recipe, store, areas or [], progress=progress)
    if out is not None:
        write_text(out, Shown(unit_table(found)).csv().decode())
    if as_json:
        print_json(unit_data(found))
        return
    print_lines(unit_lines(found, recipe.title, recipe.briefing.label))


@app.command()
def show(
    area: Annotated[str, typer.Argument(help="A code, a name, 'name, authority', or a postcode.")],
    study: Annotated[
        str | None, typer.Option(help="The study; if not given, the newest that has the area.")
    ] = None,
    postcodes: Annotated[
        Path | None,
        typer.Option(
            envvar="COMMONWEAL_POSTCODES",
            help="A postcode directory (CSV) to look postcodes up in.",
        ),
    ] = None,
    draws: Draws = None,
    no_sensitivity: NoSensitivity = False,
    as_json: Json = False,
) -> None:
    """Print one neighbourhood: its ranks, what drives them, margins, certainty, peers."""
    from commonweal.briefing.capital_told import capital_data, social_capital_lines
    from commonweal.briefing.profile import profile, profile_data, profile_lines
    from commonweal.briefing.social_capital import capital_finder
    from commonweal.places import find_study
    from commonweal.sources import Store
    from commonweal.study import run as run_study

    with progress_bar() as progress:
        store = Store.from_environment(progress)
        chosen, code = find_study(area, store, study, postcodes)
        results = run_study(
            chosen,
            store,
            draws=draws,
            sensitivity=not no_sensitivity,
            geometry=False,
            progress=progress,
        )
        found = profile(results, code)
        find = capital_finder(results.study, results.areas, results.capital, results.national)
        capital = find(found.row)
    if as_json:
        told = {"social_capital": capital_data(capital)} if capital else {}
        print_json({**profile_data(found), **told})
        return
    print_lines(profile_lines(found))
    if capital is not None:
        print_lines(["", *social_capital_lines(capital, whole=False)])


app.command()(brief)
app.command()(evidence)
app.command()(session)
app.command()(discontent)
app.command("social-capital")(social_capital)
app.command()(survey)
app.command()(wealth)
app.command()(small_areas)


@app.command()
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


@app.command()
def studies() -> None:
    """List the studies that ship."""
    from commonweal.recipe import load_study, shipped_studies

    for name in shipped_studies():
        print(f"{name:<18} {load_study(name).title}")


@app.command()
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


@sources_app.command("list")
def sources_list(as_json: Json = False) -> None:
    """List every published file in the catalogue."""
    from commonweal.sources import load_catalogue

    catalogue = load_catalogue()
    if as_json:
        print_json([s.model_dump(mode="json", exclude_none=True) for s in catalogue.values()])
        return
    wide = [max(len(getattr(s, key)) for s in catalogue.values()) for key in ("id", "vintage")]
    for name in sorted(catalogue):
        source = catalogue[name]
        print(f"{name:<{wide[0]}}  {source.vintage:<{wide[1]}}  {source.title}")


@sources_app.command("show")
def sources_show(
    name: Annotated[str, typer.Argument(help="Id of a source.")], as_json: Json = False
) -> None:
    """Show what is known of a source."""
    from commonweal.sources import Store

    source = Store().source(name)
    data = source.model_dump(mode="json", exclude_none=True)
    if as_json:
        print_json(data)
        return
    for key, value in data.items():
        if value not in ("", {}, []) and key != "reader":
            print(f"{key:<12} {value}")


@sources_app.command("fetch")
def sources_fetch(
    names: Annotated[list[str] | None, typer.Argument(help="Ids of sources, or 'all'.")] = None,
    study: Annotated[
        str | None, typer.Option(help="Fetch everything that this study uses.")
    ] = None,
    refresh: Annotated[
        bool, typer.Option("--refresh", help="Fetch sources that change (rolling) anew.")
    ] = False,
) -> None:
    """Fetch sources into the cache and check their bytes."""
    from commonweal.sources import Store

    if bool(names) == (study is not None):
        raise CommonwealError("expected ids of sources, 'all', or --study NAME")
    with progress_bar() as progress:
        store = Store.from_environment(progress)
        if study is not None:
            from commonweal.study import run as run_study

            run_study(
                study, store, draws=0, progress=progress
            )  # which sources, the run itself says
            names = [entry["id"] for entry in store.used if entry["url"]]
        for name in _source_names(names or []):
            print(f"{name:<34} {(store.refresh if refresh else store.path)(name)}")


@sources_app.command("verify")
def sources_verify(
    names: Annotated[
        list[str] | None, typer.Argument(help="Ids of sources; every one if not given.")
    ] = None,
) -> None:
    """Check the bytes of sources anew against their checksums."""
    from commonweal.sources import Store

    bad = 0
    with progress_bar() as progress:
        store = Store.from_environment(progress)
        for name in _source_names(names or ["all"]):
            found = store.verify(name)
            bad += found.status != "good"
            told = (found.message or str(found.where)).replace("\n", "\n    ")
            print(f"{name:<34} {found.status:<12} {told}")
    if bad:
        raise typer.Exit(2)


def _source_names(names: list[str]) -> list[str]:
    from commonweal.sources import load_catalogue

    return sorted(load_catalogue()) if names == ["all"] else names


def main() -> None:
    """Run the command line: 0 done, 2 a user's mistake (told in plain lines), 1 a fault."""
    sys.exit(_exit_code([a for a in sys.argv[1:] if a != "--debug"], "--debug" in sys.argv))


def _exit_code(args: list[str], debug: bool) -> int:
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # an old console may not have every letter
            stream.reconfigure(errors="backslashreplace")
    try:
        code = app(args=args, standalone_mode=False) or 0
        sys.stdout.flush()
    except BrokenPipeError:
        return _reader_left()
    except SystemExit:  # how typer tells that a write to the pipe failed: Ctrl-C and usage do not
        return _reader_left()
    except KeyboardInterrupt:
        code = 130
    except Exception as error:
        if debug and not hasattr(error, "show"):
            import traceback

            traceback.print_exc()
            return 2 if isinstance(error, CommonwealError) else 1
        return _told(error)
    if code == 130:
        print("commonweal: stopped; nothing was half-written", file=sys.stderr)
    return int(code)


def _told(error: Exception) -> int:
    """Tell an error in plain lines, and give the exit code."""
    show = getattr(error, "show", None)
    if show is not None:  # a wrong option or argument: typer's own words
        show()
        return int(getattr(error, "exit_code", 2))
    if isinstance(error, CommonwealError):
        print(f"commonweal: {error}", file=sys.stderr)
        return 2
    print(
        f"commonweal: a fault of the program: {type(error).__name__}: {error}\n"
        "Run it again with --debug to see where, and please report it.",
        file=sys.stderr,
    )
    return 1


def _reader_left() -> int:
    """Be quiet when the reader of a pipe has what it wanted, as ``head`` does."""
    # What is still to be flushed at exit would fail once more, and be told.
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.__stdout__.fileno() if sys.__stdout__ else 1)
    return 0
