"""The catalogue: what each source file is, who publishes it, and a user's own sources laid over it."""

from __future__ import annotations

import os
import re
from datetime import date
from functools import cache
from importlib import resources
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Annotated, Any, Literal
from urllib.parse import urlsplit

import yaml
from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from commonweal.errors import CommonwealError, DataError, SourceError, nearest
from commonweal.files.inputs import read_keys, read_text
from commonweal.files.schema import checked

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from importlib.resources.abc import Traversable


Format = Literal["csv", "tsv", "excel", "rdata", "parquet", "geojson", "vector", "file"]
ColumnType = Literal["string", "float", "integer", "boolean"]

SUFFIXES: dict[str, Format] = {
    ".csv": "csv",
    ".tsv": "tsv",
    ".txt": "tsv",
    ".xlsx": "excel",
    ".xls": "excel",
    ".rda": "rdata",
    ".rdata": "rdata",
    ".rds": "rdata",
    ".parquet": "parquet",
    ".geojson": "geojson",
    ".json": "geojson",
    ".gpkg": "vector",
    ".shp": "vector",
}
OWN_FILE = "your own file"
"""What stands for the publisher of a file that a study names."""
NOT_STATED = "not stated"
"""What stands for the date and the licence of a file that nobody gave them for."""
_ID = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_SHA256 = re.compile(r"[0-9a-f]{64}")


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class Reading(BaseModel):
    """How a table is written in its file, whatever the format; a study may say it of its own files."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    # the character between fields of a text table; a comma (csv) or a tab (tsv) if not said
    separator: Annotated[str, Field(min_length=1, max_length=1)] | None = None
    encoding: str = "utf-8"  # the character encoding of a text table, as Python names it
    skip_rows: Annotated[int, Field(ge=0)] = 0  # lines (text) or rows (Excel) above the header
    columns: tuple[str, ...] | None = None  # names for the columns of a file that has no header row
    types: dict[str, ColumnType] = {}  # column types that must not be guessed, by column name
    null_values: tuple[str, ...] = ()  # texts that mean 'missing', besides the empty one
    # true if thousands are set apart by commas, such as 1,234 (by points where `decimal` is a comma)
    thousands: bool = False
    # what stands before the decimals: a point, or a comma as in 12,5
    decimal: Literal[".", ","] = "."
    # how many rows a table has, in text or a sheet; needed only where remarks follow it
    rows: Annotated[int, Field(gt=0)] | None = None
    sheet: str | None = None  # the sheet of an Excel file; the first if not said
    layer: str | None = None  # the layer of a GeoPackage; needed only where it holds more than one
    # the file inside a zip; needed only where the zip holds more than one table
    member: str | None = None
    # the object in an R file; needed only where the file holds more than one table
    object: str | None = None

    @field_validator("columns", "null_values", mode="before")
    @classmethod
    def _list_is_tuple(cls, value: Any) -> Any:
        return tuple(value) if isinstance(value, list) else value

    def settings(self) -> dict[str, Any]:
        """Give what is said of it: the settings that are not the default."""
        values = {name: getattr(self, name) for name in Reading.model_fields}
        return {k: v for k, v in values.items() if v != Reading.model_fields[k].default}


class Reader(Reading, _Frozen):
    """How a file becomes a table: its format, and how the table is written in it."""

    format: Format  # the format of the file, or of the member inside a zip; ``file`` is not a table


class Source(_Frozen):
    """One source file: what it is, where it is, and what may be done with it.

    Attributes
    ----------
    id
        A short, stable name in kebab-case.
    title, publisher, topic
        What the file holds, who is answerable for its numbers, and its subject.
    licence, licence_url, attribution
        The terms of the publisher, and the words that must go with anything made from it.
    vintage
        The date or period that the numbers describe.
    area_system
        The area system of the rows, such as ``lsoa21``, where they are areas.
    url, path
        Where it is published; or, for a file of the user's own, where it lies.
    size
        The pinned size in bytes.
    sha256
        The pinned checksum; ``rolling`` for a file that changes; None for the user's own.
    reader
        How the file becomes a table.
    use
        ``open``; or ``benchmark-only`` for what may be compared with but not published.
    notes
        What a user should know before using it.
    """

    id: str
    title: str
    publisher: str
    topic: str = "your own"
    licence: str
    licence_url: str | None = None
    attribution: str
    vintage: str
    area_system: str | None = None
    url: str | None = None
    path: Path | None = None
    size: Annotated[int, Field(gt=0)] | None = None
    sha256: str | None = None
    reader: Reader
    use: Literal["open", "benchmark-only"] = "open"
    notes: str = ""

    @field_validator("id")
    @classmethod
    def _id_is_kebab_case(cls, value: str) -> str:
        if not _ID.fullmatch(value):
            raise ValueError("an id is lower-case letters, digits and single hyphens")
        return value

    @field_validator("vintage", mode="before")
    @classmethod
    def _vintage_may_be_a_year(cls, value: Any) -> Any:
        return str(value) if isinstance(value, int | float | date) else value

    @field_validator("sha256")
    @classmethod
    def _sha256_is_hex(cls, value: str | None) -> str | None:
        if value is not None and value != "rolling" and not _SHA256.fullmatch(value):
            raise ValueError("a sha256 is 64 lower-case hexadecimal digits, or 'rolling'")
        return value

    @field_validator("url")
    @classmethod
    def _url_is_http(cls, value: str | None) -> str | None:
        if value is None:
            return None
        parts = urlsplit(value)
        if parts.scheme not in {"http", "https"} or not parts.netloc:
            raise ValueError("a url starts with https:// or http:// and names a host")
        return value

    @field_validator("path", mode="before")
    @classmethod
    def _path_may_be_text(cls, value: Any) -> Any:
        return Path(value) if isinstance(value, str) and value else value

    @field_validator("reader", mode="before")
    @classmethod
    def _reader_may_be_a_word(cls, value: Any) -> Any:
        return {"format": value} if isinstance(value, str) else value

    @model_validator(mode="after")
    def _one_place(self) -> Source:
        if (self.url is None) == (self.path is None):
            raise ValueError("give either url or path")
        if self.url is not None and self.sha256 is None:
            raise ValueError("a url needs a sha256: the checksum, or 'rolling'")
        if self.sha256 not in {None, "rolling"} and self.size is None:
            raise ValueError("a pinned sha256 needs a size, in bytes")
        return self

    @property
    def pinned(self) -> bool:
        """Whether the bytes are fixed by a checksum."""
        return self.sha256 is not None and self.sha256 != "rolling"

    @property
    def called(self) -> str:
        """What messages call it: a file of the user's own by its name, others by their id."""
        if self.publisher == OWN_FILE:
            return self.title
        return self.path.name if self.path else f"source '{self.id}'"


def load_catalogue(
    folder: Path | None = None, over: Mapping[str, Source] | None = None
) -> dict[str, Source]:
    """Read the catalogue: every source by id, sorted. The packaged folder is read once.

    Sources of a `folder` stand over those of `over`: an entry with the id of one needs to say only what differs, where
    it is (`url` or `path`) and its `vintage`.
    """
    return dict(_shipped()) if folder is None else _read(folder, folder, over)


@cache
def _shipped() -> dict[str, Source]:
    return _read(resources.files(__package__) / "catalogue")


def _read(
    root: Traversable, folder: Path | None = None, over: Mapping[str, Source] | None = None
) -> dict[str, Source]:
    found: dict[str, Source] = {}
    home: dict[str, str] = {}
    for file in sorted(root.iterdir(), key=lambda f: f.name):
        if not file.name.endswith(".yaml"):
            continue
        for source in read_entries(file.name, read_text(file), folder, over):
            if source.id in found:
                raise DataError(
                    f"{file.name}: source '{source.id}' is already in {home[source.id]}; "
                    "an id may occur once"
                )
            found[source.id] = source
            home[source.id] = file.name
    return dict(sorted(found.items()))


STAYS = ("title", "topic", "licence", "licence_url", "attribution", "area_system", "reader", "use")
"""What an entry takes from the source that it stands over, where it says nothing else."""


def read_entries(
    name: str, text: str, folder: Path | None = None, over: Mapping[str, Source] | None = None
) -> list[Source]:
    """Read the sources of one file of a catalogue."""
    content = read_keys(text, name, "publisher, sources")
    if set(content) - {"publisher", "licences", "sources"}:
        raise DataError(
            f"{name}: expected the keys 'publisher', 'licences' (optional) and 'sources'"
        )
    found = list(_entries(name, content, over or {}))
    return [
        s if s.path is None or folder is None else s.model_copy(update={"path": folder / s.path})
        for s in found
    ]


def _entries(file: str, content: dict[str, Any], over: Mapping[str, Source]) -> Iterable[Source]:
    publisher, sources = content.get("publisher"), content.get("sources")
    licences = content.get("licences", {})
    if not isinstance(publisher, str):
        raise DataError(f"{file}: expected 'publisher' to be a name, found {publisher!r}")
    if not isinstance(sources, dict) or not isinstance(licences, dict):
        raise DataError(f"{file}: expected 'sources' and 'licences' to be mappings by id")
    for id_, entry in sources.items():
        if not isinstance(entry, dict):
            raise DataError(f"{file}: source '{id_}': expected a mapping, found {entry!r}")
        fields = dict(entry)
        name = fields.pop("terms", None)
        if name is not None:
            if not isinstance(name, str) or not isinstance(licences.get(name), dict):
                raise DataError(
                    f"{file}: source '{id_}': terms '{name}' are not among the licences of the "
                    f"file; {nearest(str(name), map(str, licences))}"
                )
            fields = {**licences[name], **fields}
        if id_ in over:
            fields = {key: getattr(over[id_], key) for key in STAYS} | fields
        where = f"{file}: source '{id_}'"
        near = "" if id_ in over or "title" in fields else nearest(str(id_), over)
        if near.startswith("did you mean"):  # one of an id of its own has a title
            raise DataError(f"{where} is none of the catalogue, and has no 'title'; {near}")
        yield checked(Source, {"publisher": publisher, **fields, "id": id_}, where)


def local_source(
    path: str | Path, *, name: str | None = None, reader: Reader | None = None, **about: Any
) -> Source:
    """Describe a file of the user's own, without opening it; the store computes and records its checksum.

    The reader is guessed from the suffix if not given; in a ``.zip`` the suffix of the member decides.
    """
    path = Path(path)
    if name is None:
        name = re.sub(r"[^a-z0-9]+", "-", path.stem.lower()).strip("-") or "file"
    fields = {
        "title": path.name,
        "publisher": OWN_FILE,
        "licence": NOT_STATED,
        "attribution": "",
        "vintage": NOT_STATED,
        **about,
        "reader": reader if reader is not None else guess_reader(path.name),
        "id": name,
        "path": path,
    }
    return checked(Source, fields, str(path))


def guess_reader(name: str, member: str | None = None) -> Reader:
    """Guess the reader from a file's suffix; a zip's own content is looked at when it is read."""
    suffix = PurePosixPath((member or name).replace("\\", "/")).suffix.lower()
    if suffix == ".zip":
        return Reader(format="csv")
    if suffix not in SUFFIXES:
        raise DataError(
            f"{name}: the suffix '{suffix}' says no format that can be read; expected one of "
            f"{', '.join([*SUFFIXES, '.zip'])}"
        )
    return Reader(format=SUFFIXES[suffix], member=member)


FOLDER = "COMMONWEAL_CATALOGUE"


def own_folder() -> Path:
    """Give the folder of the user's own catalogue: as COMMONWEAL_CATALOGUE says, or the platform's."""
    said = os.environ.get(FOLDER, "").strip()
    if said:
        return Path(said).expanduser()
    from platformdirs import user_config_path

    return user_config_path("commonweal") / "catalogue"


def load_own() -> dict[str, Source]:
    """Read the user's own catalogue; empty where there is none."""
    folder = own_folder()
    if folder.is_dir():
        if not any(folder.glob("*.yaml")):
            return {}
        return load_catalogue(folder, load_catalogue())
    if folder.exists():
        raise SourceError(f"{FOLDER}: {folder} is not a folder; expected one with files of sources")
    return {}


def add_sources(file: Path, read: Callable[[Path, Source], object]) -> tuple[Path, list[Source]]:
    """Put a file of sources into the user's own catalogue; `read` opens the tables that lie on this machine."""
    if file.suffix != ".yaml":  # what ends otherwise would not be found there again
        raise DataError(f"{file}: expected a name that ends in .yaml")
    shipped = load_catalogue()
    text = read_text(file, "sources, as the catalogue has them")
    found = read_entries(file.name, text, file.parent.absolute(), shipped)
    for source in found:
        if source.path is not None and not source.path.is_file():
            raise SourceError(f"{file.name}: source '{source.id}': {source.path} is not there")
        if source.path is not None and source.reader.format != "file":
            try:
                read(source.path, source)
            except CommonwealError as error:
                raise DataError(f"{file.name}: source '{source.id}': {error}") from None
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
