"""Where a study's areas and the published results that it is compared with come from."""

from __future__ import annotations

import hashlib
import io
from pathlib import Path
from typing import Annotated, Any, Literal, TypeAlias

import polars as pl
from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SerializerFunctionWrapHandler,
    ValidationInfo,
    field_validator,
    model_serializer,
    model_validator,
)

from commonweal.files.frames import frame_of
from commonweal.files.schema import FieldError
from commonweal.index.tables import polars_of
from commonweal.sources import Store
from commonweal.sources.cache import cached_file
from commonweal.sources.catalogue import Reading

TAKEN = ("code", "name", "population", "longitude", "latitude")
"""Columns of the results that stand beside those of the larger areas."""


def check_name(name: str, *path: str) -> None:
    """Check a name that a study chooses; `path` is the field that it is in."""
    if not name.replace("_", "").isalnum():
        raise FieldError("not a name; expected letters, digits and underscores", *path, name)


def file_name(given: Any) -> Any:
    """Give the name of a file; a data frame is kept as a Parquet file of the cache, named by its content.

    So a study that was given a frame is written, run again and checked as one that names a file.
    """
    if isinstance(given, Path):
        return str(given)
    if isinstance(given, dict):  # one for each year
        return {key: file_name(value) for key, value in given.items()}
    if given is None or isinstance(given, str | int | float | list | tuple):
        return given
    shapes = None
    if hasattr(given, "to_wkb"):  # a GeoDataFrame
        shapes = (given if given.crs is None else given.to_crs(4326)).geometry
        given = given.drop(columns=shapes.name)
    if frame_of(given) is None:
        return given
    frame = polars_of(given, "file")
    if shapes is not None:
        frame = frame.with_columns(geometry=pl.Series(shapes.to_wkb().to_list(), dtype=pl.Binary))
    memory = io.BytesIO()
    frame.write_parquet(memory)
    content = memory.getvalue()
    name = f"frame-{hashlib.sha256(content).hexdigest()[:16]}.parquet"
    path = (Store.from_environment().cache / "frames" / name).absolute()
    cached_file(path, lambda: content)
    return str(path)


def is_frame(name: str) -> bool:
    """Whether a file name is that of a data frame, as `file_name` gives it."""
    return Path(name).parent.name == "frames" and Path(name).name.startswith("frame-")


FileName: TypeAlias = Annotated[str, BeforeValidator(file_name)]
"""The name of a file of the user's own; in Python a path or a data frame, too."""


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


class _Settings(_Part, Reading):
    """How a file of the user's own is read."""

    @field_validator("separator", "encoding", mode="before")
    @classmethod
    def _empty_is_the_usual(cls, value: Any, about: ValidationInfo) -> Any:
        usual = Reading.model_fields[str(about.field_name)].default
        return usual if value == "" else value

    @model_serializer(mode="wrap")
    def _only_what_is_said(self, inner: SerializerFunctionWrapHandler) -> dict[str, Any]:
        said = self.settings()
        return {k: v for k, v in inner(self).items() if k not in Reading.model_fields or k in said}


class _Table(_Settings):
    @model_validator(mode="after")
    def _one(self) -> _Table:
        _check_table(self)
        return self


def _check_table(spec: _Table) -> None:
    file, source = (getattr(spec, key) for key in ("file", "source"))
    if bool(source) == bool(file):
        raise ValueError("expected exactly one of 'source' and 'file'")
    if source and (said := spec.settings()):
        raise FieldError("goes with 'file'; the catalogue knows its own", next(iter(said)))


class FileSpec(_Settings):
    """How one file of the user's own is read, said once for all that refer to it."""

    file: FileName = ""  # its name, where the key is a short name of the user's; else the key is
    code: str = ""  # its column of area codes


class WholeFile(_Part):
    """A file beside the study, or a source of the catalogue, that is not a table: a map, a timetable."""

    file: FileName = ""
    source: str = ""

    @model_validator(mode="after")
    def _one(self) -> WholeFile:
        if bool(self.source) == bool(self.file):
            raise ValueError("expected exactly one of 'source' and 'file'")
        return self


class FileOrSource(_Table):
    """A file beside the study, or a source of the catalogue."""

    # file, source: one of the two; beside a file of one's own, how it is read (`commonweal.sources.Reading`)
    file: FileName = ""
    source: str = ""


class ReplaceSpec(FileOrSource):
    """What a study reads in place of a source of the catalogue, such as a newer vintage."""

    vintage: str = Field(default="", coerce_numbers_to_str=True)  # the date that it describes


Text = Annotated[str, Field(coerce_numbers_to_str=True)]
"""Text in a table, which YAML may take for a number."""


class JoinSpec(FileOrSource):
    """A second table of areas, joined to the first by code: people, points, larger areas, outlines."""

    code: str = ""  # its column of codes, if it is not called as in the first


class OwnAreas(FileOrSource):
    """Areas of the user's own, from a table."""

    # code, name, population, longitude, latitude: its columns; only `code` is needed
    code: str = Field(min_length=1)
    name: str = ""
    population: str = ""
    longitude: str = ""
    latitude: str = ""
    # larger areas: the column of each by a short name, such as ``{province: prov_code}``, or the columns of its code
    # and its name: ``{province: [prov_code, prov_name]}``
    parents: dict[str, str | tuple[str, str]] = Field(default_factory=dict)
    # which rows of the table are areas of the study: by column, a value or several
    only: dict[str, Text | tuple[Text, ...]] = Field(default_factory=dict)
    join: tuple[JoinSpec, ...] = ()  # more tables with columns of the areas, joined by code
    # a map of their outlines: a shapefile, GeoPackage or GeoJSON, or a table with a column ``geometry``
    boundaries: JoinSpec | None = None
    # title, singular, plural: what the places are called
    title: str = ""  # the plural, if not given
    singular: str = "area"
    plural: str = "areas"
    system: str = "own"  # a short name for the set

    @model_validator(mode="after")
    def _axes(self) -> OwnAreas:
        x, y = self.longitude.casefold(), self.latitude.casefold()
        if x in ("latitude", "lat") and y in ("longitude", "lon", "long", "lng"):
            raise FieldError(
                f"found column '{self.longitude}', and '{self.latitude}' for 'latitude'; are latitude and longitude "
                "swapped?",
                "longitude",
            )
        return self

    @field_validator("parents")
    @classmethod
    def _columns_of_their_own(
        cls, value: dict[str, str | tuple[str, str]]
    ) -> dict[str, str | tuple[str, str]]:
        taken = dict.fromkeys(TAKEN, "the results have a column of that name")
        for name, columns in value.items():
            check_name(name)
            if not all([columns] if isinstance(columns, str) else columns):
                raise FieldError("found ''; expected the name of a column", name)
            if name.casefold() in taken:
                raise FieldError(f"{taken[name.casefold()]}; expected another name", name)
            taken |= dict.fromkeys(
                (name.casefold(), f"{name}_name".casefold()), f"'{name}' takes that column"
            )
        return value


class ValidationSpec(FileOrSource):
    """A published result to compare with."""

    # designation, index: what of the study is compared: a designation with a column of true and false, or an index (or
    # domain) with a column of scores or ranks
    designation: str = ""
    index: str = ""
    # column, code: where the published result is
    column: str
    code: str = ""
    # ``rank``, ``score``, ``flag``, or ``spearman``: the rank correlation of an index with a column in which higher
    # means more need
    compare: Literal["rank", "score", "flag", "spearman"]
    # the greatest difference that counts as agreement
    within: float = Field(default=0, ge=0, allow_inf_nan=False)
    at_least: float = Field(default=0, ge=-1, le=1)  # the least correlation that does

    @model_validator(mode="after")
    def _of_what(self) -> ValidationSpec:
        if bool(self.designation) == bool(self.index):
            raise ValueError("expected exactly one of 'designation' and 'index'")
        if (self.compare == "flag") != bool(self.designation):
            raise ValueError(
                "a designation is compared by 'flag', an index by 'rank', 'score' or 'spearman'"
            )
        return self
