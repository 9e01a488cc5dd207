"""A catalogue of the user's own: sources that stand over those that ship, such as a newer vintage."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import yaml

from commonweal.errors import DataError, SourceError
from commonweal.files.yaml import read_keys, read_text
from commonweal.sources.catalogue import load_catalogue, read_entries

if TYPE_CHECKING:
    from commonweal.sources.catalogue import Source

__all__ = ["add_sources", "load_own", "own_folder"]

FOLDER = "COMMONWEAL_CATALOGUE"


def own_folder() -> Path:
    """Give the folder of the user's own catalogue: as COMMONWEAL_CATALOGUE says, or the platform's."""
    said = os.environ.get(FOLDER, "").strip()
    if said:
        return Path(said).expanduser()
    from platformdirs import user_config_path

    return user_config_path("commonweal") / "catalogue"


def load_own() -> dict[str, Source]:
    """Read the user's own catalogue; empty where there is none.

    Raises
    ------
    SourceError
        If COMMONWEAL_CATALOGUE names a file.
    DataError
        As `load_catalogue`.
    """
    folder = own_folder()
    if folder.is_dir():
        if not any(folder.glob("*.yaml")):
            return {}
        return load_catalogue(folder, load_catalogue())
    if folder.exists():
        raise SourceError(f"{FOLDER}: {folder} is not a folder; expected one with files of sources")
    return {}


def add_sources(file: Path) -> tuple[Path, list[Source]]:
    """Put a file of sources into the user's own catalogue.

    Parameters
    ----------
    file
        YAML as the files of the catalogue that ships: ``publisher`` and ``sources`` by id. A `path` in it
        starts from where the file is, and is made absolute.

    Returns
    -------
    path : Path
        Where the file is now.
    sources : list of Source
        What is in it.

    Raises
    ------
    DataError
        If it is malformed, or a source of the same id is in another file of the catalogue.
    SourceError
        If a file that it names is not there, or the catalogue cannot be written to.
    """
    if file.suffix != ".yaml":  # what ends otherwise would not be found there again
        raise DataError(f"{file}: expected a name that ends in .yaml")
    shipped = load_catalogue()
    text = read_text(file, "sources, as the catalogue has them")
    found = read_entries(file.name, text, file.parent.absolute(), shipped)
    for source in found:
        if source.path is not None and not source.path.is_file():
            raise SourceError(f"{file.name}: source '{source.id}': {source.path} is not there")
    folder = own_folder()
    there = folder / file.name
    others = {
        source.id: other.name
        for other in (sorted(folder.glob("*.yaml")) if folder.is_dir() else [])
        if other.name != file.name
        for source in read_entries(other.name, read_text(other), folder, shipped)
    }
    for source in found:
        if source.id in others:
            raise DataError(
                f"{file.name}: source '{source.id}' is already in {folder / others[source.id]}; "
                "an id may occur once"
            )
    if any(source.path for source in found):
        content = read_keys(text, file.name, "publisher, sources")
        for source in found:
            if source.path is not None:
                content["sources"][source.id]["path"] = str(source.path)
        text = yaml.safe_dump(content, sort_keys=False, allow_unicode=True)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        part = there.with_name(f".{there.name}.part")
        part.write_text(text, "utf-8")
        part.replace(there)  # whole or not at all
    except OSError as error:
        raise SourceError(
            f"{there} cannot be written: {error.strerror} ({FOLDER} sets the folder)"
        ) from None
    return there, found
