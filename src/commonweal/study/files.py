"""The files of a study: how each is read, what its codes are called, and what stands in place of a source."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from commonweal.access.own_places import read_own_places
from commonweal.access.registers import load_registers
from commonweal.errors import (
    SourceError,
    StudyError,
    UnknownNameError,
    UnreachableError,
    WrongBytesError,
    nearest,
)
from commonweal.files.inputs import is_there, read_text
from commonweal.sources.catalogue import NOT_STATED, SUFFIXES, Reader, guess_reader, local_source
from commonweal.spec.data import FileOrSource, FileSpec, OwnAreas, WholeFile, is_frame

if TYPE_CHECKING:
    from collections.abc import Collection

    from commonweal.access.places import Places
    from commonweal.sources import Source, Store
    from commonweal.sources.catalogue import Format
    from commonweal.spec import Study
    from commonweal.spec.indicators import IndicatorSpec

_MOST_USES = 3
"""How many of the indicators that a data frame was given for are named."""

_TEXT = frozenset({"csv", "tsv"})
_TABLES = _TEXT | {"excel"}
_FORMATS_OF: dict[str, frozenset[str]] = {
    "separator": _TEXT,
    "encoding": _TEXT,
    "member": _TEXT,
    "sheet": frozenset({"excel"}),
    "layer": frozenset({"vector"}),
    "object": frozenset({"rdata"}),
}
"""Which formats a setting is for; the others are for text and sheets."""


def own_path(study: Study, name: str) -> Path:
    """Give the path of a file beside a study, by the name that the study calls it."""
    return study.folder / (study.files.get(name, FileSpec()).file or name)


def check_there(study: Study) -> None:
    """Refuse a study whose own files are not all there, with the line that names one and the nearest file."""
    for name in sorted(study.named_files()):
        path = own_path(study, name)
        if os.path.lexists(path) and not os.path.isdir(path):  # noqa: PTH112 - nor where it may not be looked at
            continue
        if is_frame(name):
            raise SourceError(
                f"{_given_for(study, name)} is not in the cache any more ({path}); make the study again with it"
            )
        where = _line_of(study, study.files.get(name, FileSpec()).file or name)
        if name.startswith(("http://", "https://")):
            raise SourceError(
                f"{where}{name} is an address; expected a file beside the study (fetch it first, or describe it as a "
                "source: `commonweal sources add`)"
            )
        if os.path.isdir(path):  # noqa: PTH112
            raise SourceError(f"{where}'{name}' is a folder; expected a file")
        there = [p.name for p in path.parent.glob("*") if p.is_file() and p.stem != study.name]
        near = nearest(path.name, there) if there else "expected a file of that name"
        raise SourceError(f"{where}{path} is not there; {near}")


def _line_of(study: Study, name: str) -> str:
    """Say in which line of a study's file another file is named."""
    for file in (study.folder / f"{study.name}{ending}" for ending in (".yaml", ".yml")):
        lines = read_text(file).splitlines() if is_there(file) else []
        named = re.compile(rf"(?<![\w./~-]){re.escape(name)}(?![\w./~-])")
        for n, line in enumerate(lines, 1):
            if named.search(line):
                return f"{file}, line {n}: "
    return ""


def own_source(study: Study, spec: FileOrSource, store: Store) -> Source:
    """Give a source of the catalogue, or a file beside the study, read as the study says."""
    if spec.source:
        return store.source(spec.source)
    path, said = _own_file(study, spec)
    reader = guess_reader(path.name, said.get("member")).model_copy(update=said)
    _check_settings(path, reader.format, said)
    name = _id_of(Path(spec.file).stem)
    # Tables are told apart by id, so north/values.csv and south/values.csv may not share one.
    alike = {f for f in study.named_files() if _id_of(Path(f).stem) == name}
    if len(alike) > 1:
        name = f"{_id_of(spec.file)}-{sorted(alike).index(spec.file)}"
    about = {"title": _given_for(study, spec.file)} if is_frame(spec.file) else {}
    return local_source(path, name=name, reader=reader, **about)


def _given_for(study: Study, frame: str) -> str:
    """Name a data frame as who gave it in Python knows it."""
    areas = study.areas if isinstance(study.areas, OwnAreas) else None
    uses = ["areas"] if areas and frame in (areas.file, *(j.file for j in areas.join)) else []
    uses += [name for name, spec in study.indicators.items() if frame in spec.named("file")]
    return f"the table given for {', '.join(uses[:_MOST_USES]) or 'this study'}"


def with_replaced(study: Study, store: Store) -> Store:
    """Give the store in which files of the study, or other sources, stand in place of sources."""
    plain = store.replacing({})
    instead = {}
    for id_, spec in study.replace.items():
        try:
            other = plain.source(id_)
        except UnknownNameError as error:
            raise StudyError(f"replace.{id_}: {error}") from None
        if spec.source:
            instead[id_] = plain.source(spec.source).model_copy(update={"id": id_})
            continue
        path, said = _own_file(study, spec)
        reader = other.reader
        if reader.format != "file":
            guessed = guess_reader(path.name, said.get("member"))
            if said or guessed.format != reader.format:
                reader = guessed.model_copy(update=said)
                _check_settings(path, reader.format, said)
        instead[id_] = other.model_copy(
            update={
                "path": path,
                "reader": reader,
                "vintage": spec.vintage or NOT_STATED,
                "licence": f"{other.licence} (of the source that it replaces)",
                "notes": "",
                **dict.fromkeys(("url", "size", "sha256")),
            }
        )
    return store.replacing(instead)


def check_replaced(study: Study, store: Store) -> list[str]:
    """Refuse what a study puts in place of a source where it is not there, or of a register without its columns.

    Gives the sources of the catalogue that could not be looked into, as they are not on this machine.
    """
    store = with_replaced(study, store.aside().offline_only())
    registers, unseen = load_registers(), []
    for id_, spec in study.replace.items():
        try:
            if id_ in registers:
                store.table(id_, registers[id_].columns())
            else:
                store.path(id_)
        except (UnreachableError, WrongBytesError):
            unseen.append(spec.source)
    return unseen


def _own_file(study: Study, spec: FileOrSource) -> tuple[Path, dict[str, Any]]:
    """Give the path of a file of one's own, and what the study says of how it is read."""
    once = study.files.get(spec.file, FileSpec())
    path, said = own_path(study, spec.file), {**once.settings(), **spec.settings()}
    if "member" in said and path.suffix.lower() != ".zip":
        raise StudyError(f"{path.name}: 'member' names a file in a zip; expected it only with .zip")
    return path, said


def _check_settings(path: Path, form: Format, said: Collection[str]) -> None:
    """Refuse settings that a format has no use for: they would do nothing, without a word."""
    useless = [name for name in said if form not in _FORMATS_OF.get(name, _TABLES)]
    if useless:
        only = [
            suffix for suffix, f in SUFFIXES.items() if f in _FORMATS_OF.get(useless[0], _TABLES)
        ]
        raise StudyError(
            f"{path.name}: '{useless[0]}' does nothing for a {path.suffix.lower()} file; "
            f"expected it only with {', '.join(only)}"
        )


def _id_of(name: str) -> str:
    return "-".join(re.findall(r"[a-z0-9]+", name.lower())) or "file"


def stated_code(study: Study, spec: FileOrSource | IndicatorSpec) -> str:
    """Give the column of codes that the study states for a table, there or once for its file."""
    once = study.files.get(str(spec.file), FileSpec())
    return str(getattr(spec, "code", "")) or once.code


def code_of(study: Study, spec: FileOrSource | IndicatorSpec, source: Source, store: Store) -> str:
    """Give the column of codes of a table on the study's areas; none where it is to be looked for.

    With areas of one's own it is called as in their table, if the file has such a column.
    """
    said = stated_code(study, spec)
    if said or not spec.file or not isinstance(study.areas, OwnAreas):
        return said
    return study.areas.code if store.has_column(source, study.areas.code) else ""


def read_points(source: Source, store: Store) -> Places:
    """Read places of one's own, as their table is written."""
    form = source.reader
    for name in ("columns", "rows", "decimal"):
        if name in form.settings():
            raise StudyError(
                f"{source.title}: a table of places is read without '{name}'; expected separator, encoding "
                "and skip_rows at most"
            )
    return read_own_places(
        store.path(source),
        source=source.id,
        separator=form.separator or ",",
        encoding=form.encoding,
        skip_rows=form.skip_rows,
    )


def file_source(study: Study, spec: WholeFile, store: Store) -> Source:
    """Give a map or timetable: a source of the catalogue, or a file beside the study."""
    if spec.source:
        return store.source(spec.source)
    return local_source(study.folder / spec.file, reader=Reader(format="file"))
