"""The commands about published data: `commonweal sources`, `areas`, `places` and `evidence`."""

from __future__ import annotations

from pathlib import Path  # noqa: TC003 (typer reads the annotation)
from typing import TYPE_CHECKING, Annotated

import typer

from commonweal.cli.console import Json, print_json, print_lines, progress_bar, write_text
from commonweal.errors import CommonwealError

if TYPE_CHECKING:
    from commonweal.sources import Source, Store
    from commonweal.sources.store import Verification


sources_app = typer.Typer(
    help="Published data files: list, show, add, fetch, verify.", no_args_is_help=True
)


@sources_app.command("list")
def sources_list(as_json: Json = False) -> None:
    """List every published file in the catalogue."""
    from commonweal.sources import Store

    store = Store.from_environment()
    catalogue = store.catalogue
    if as_json:
        print_json([s.model_dump(mode="json", exclude_none=True) for s in catalogue.values()])
        return
    wide = [max(len(getattr(s, key)) for s in catalogue.values()) for key in ("id", "vintage")]
    for name in sorted(catalogue):
        source = catalogue[name]
        instead = " (your own, instead of the built-in one)" if store.in_place_of(name) else ""
        print(f"{name:<{wide[0]}}  {source.vintage:<{wide[1]}}  {source.title}{instead}")


@sources_app.command("show")
def sources_show(
    name: Annotated[str, typer.Argument(help="Id of a source.")], as_json: Json = False
) -> None:
    """Show the details of a source."""
    from commonweal.sources import Store

    source = Store.from_environment().source(name)
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
        bool, typer.Option("--refresh", help="Fetch sources that change (rolling) again.")
    ] = False,
) -> None:
    """Download sources into the cache and check their bytes."""
    from commonweal.sources import Store

    if bool(names) == (study is not None):
        raise CommonwealError("expected ids of sources, 'all', or --study NAME")
    with progress_bar() as progress:
        store = Store.from_environment(progress)
        if study is not None:
            from commonweal.study.run import run as run_study

            run_study(
                study, store, draws=0, progress=progress
            )  # which sources, the run itself says
            names = [entry["id"] for entry in store.used if entry["url"]]
        for name in _source_names(names or [], store):
            print(f"{name:<34} {(store.refresh if refresh else store.path)(name)}")


@sources_app.command("verify")
def sources_verify(
    names: Annotated[
        list[str] | None, typer.Argument(help="Ids of sources [default: all].")
    ] = None,
) -> None:
    """Check sources, and the files made from them, again."""
    from commonweal.sources import Store

    with progress_bar() as progress:
        store = Store.from_environment(progress)
        everything = names in (None, [], ["all"])
        kept = store.verify_kept() if everything else []
        found = [
            _print_found(store.verify(name, kept if everything else None))
            for name in _source_names(names or ["all"], store)
        ]
        bad = [it for it in found if it.status != "good"]
        if everything:
            damaged = [it for it in kept if it.status != "good"]
            known = {it.path for it in bad}
            bad += [_print_found(it) for it in damaged if it.path not in known]
            print(f"{len(kept) - len(damaged)} of {len(kept)} files made from sources are good")
    if bad:
        raise typer.Exit(2)


def _print_found(found: Verification) -> Verification:
    where = found.where if found.status == "good" else None
    told = "; ".join(filter(None, [where, found.message])).replace("\n", "\n    ")
    print(f"{found.id:<34} {found.status:<12} {told}")
    return found


def _source_names(names: list[str], store: Store) -> list[str]:
    return sorted(store.catalogue) if names == ["all"] else names


@sources_app.command("add")
def sources_add(
    file: Annotated[
        Path, typer.Argument(help="A YAML file of sources, in the format of the catalogue.")
    ],
) -> None:
    """Add your own sources, such as a newer vintage of a built-in one."""
    from commonweal.access.registers import load_registers
    from commonweal.sources.catalogue import add_sources, load_catalogue
    from commonweal.sources.readers import read_table

    registers = load_registers()

    def read(path: Path, source: Source) -> None:
        register = registers.get(source.id)
        read_table(path, source, register.columns() if register else None)

    there, found = add_sources(file, read)
    shipped = load_catalogue()
    for source in found:
        other = shipped.get(source.id)
        instead = f", instead of the built-in one ({other.vintage})" if other else ""
        print(f"{source.id}: {source.title} ({source.vintage}){instead}.")
    print(f"Written to {there}. Delete that file to return to the built-in sources.")


areas_app = typer.Typer(
    help="Areas and larger areas: find their codes by name.", no_args_is_help=True
)


@areas_app.callback()
def areas() -> None:
    """Find the codes of areas and larger areas by name."""


@areas_app.command("find")
def areas_find(
    name: Annotated[str, typer.Argument(help="A name, part of a name, or a code.")] = "",
    system: Annotated[
        str | None, typer.Option(help="Search one area system only, such as lad24 or lsoa21.")
    ] = None,
    inside: Annotated[
        str,
        typer.Option("--in", help="List all areas in this authority or region: its name or code."),
    ] = "",
    as_json: Json = False,
) -> None:
    """Find an authority, region, ward or neighbourhood by name, or list all in one: codes, and how to use them."""
    from commonweal.report.listings import find_areas, found_lines, inside_lines
    from commonweal.sources import Store

    if not (name or inside):
        raise CommonwealError("expected a name, or --in with the name of an authority or region")
    with progress_bar() as progress:
        found = find_areas(Store.from_environment(progress), name, system, inside)
    if as_json:
        print_json(
            {
                "whole": found.whole.to_dicts(),
                "part": found.part.to_dicts(),
                "away": list(found.away),
            }
        )
        return
    print_lines(inside_lines(found, inside) if inside else found_lines(found, name))


def places(
    name: Annotated[
        str, typer.Argument(help="A group or type, such as library [default: all].")
    ] = "",
) -> None:
    """List the types of venues that a study can use, how each is defined, and the registers that list them."""
    from commonweal.report.listings import places_lines

    print_lines(places_lines(name))


def evidence(
    theme: Annotated[str, typer.Option(help="Only works on this theme.")] = "",
    bibtex: Annotated[Path | None, typer.Option(help="Write the works as BibTeX.")] = None,
    csl: Annotated[Path | None, typer.Option(help="Write the works as CSL-JSON.")] = None,
    as_json: Json = False,
) -> None:
    """List the evidence that claims cite: what each work found, how strong it is, what we checked."""
    from commonweal import evidence as library
    from commonweal.report.evidence import evidence_lines

    found = library.load_evidence()
    works = found.under(theme) if theme else list(found.works.values())
    for file, text in ((bibtex, library.bibtex), (csl, library.csl_json)):
        if file is not None:
            write_text(file, text(works))
            print(f"Wrote {file}: {len(works)} works.")
    if as_json:
        print_json([work.model_dump(mode="json") for work in works])
    elif bibtex is None and csl is None:
        print_lines(evidence_lines(found, theme))
