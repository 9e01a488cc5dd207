"""Places that people meet at: the kinds that count, where they are, and what was left out and why."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import cache, cached_property
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypeVar

import numpy as np
import polars as pl
from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from commonweal.access.distance import Points
from commonweal.errors import DataError, UnknownNameError, nearest
from commonweal.files.inputs import read_keys, read_text
from commonweal.files.schema import checked

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


__all__ = ["Places", "Taxonomy", "load_taxonomy"]


ANY = "*"
Model = TypeVar("Model", bound=BaseModel)


class _Data(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class TagRule(_Data):
    """How the map tells a kind."""

    # every one of these keys has one of its values; ``*`` is any value
    tags: dict[str, tuple[str, ...]] = Field(min_length=1)
    unless: dict[str, tuple[str, ...]] = {}  # none of these keys has one of its values

    def holds(self, tags: Mapping[str, str]) -> bool:
        """Whether an element with these tags is one, exclusions aside."""
        return all(_has(tags, key, values) for key, values in self.tags.items())


class Kind(_Data):
    """One kind of place."""

    label: str
    why: str  # why it counts as social infrastructure
    osm: tuple[TagRule, ...] = ()  # rules of OpenStreetMap tags, any of which will do
    # areas smaller than this are left out, in square metres; points have no size and stay
    least_m2: float = Field(default=0, ge=0)


class PlaceGroup(_Data):
    """Kinds of places that serve alike."""

    # label, why: its name, and why its kinds count as social infrastructure
    label: str
    why: str
    strand: Literal["places", "connectivity"] = "places"  # ``places`` to meet, or ``connectivity``
    references: tuple[str, ...] = ()  # who says so: ids of the taxonomy's references
    # how far apart, in metres, two sources may put one place of the same name; for sites that are larger than a
    # building, or that a register places by postcode
    same_within_m: float = Field(default=50, ge=0)
    kinds: dict[str, Kind] = Field(min_length=1)


class Taxonomy(_Data):
    """Groups and kinds of places, checked.

    Attributes
    ----------
    title
        What it is about.
    references
        Works that its reasons rest on, by id.
    groups
        By id; the order is that in which a place finds its kind.
    unless
        Tags that keep an element out, whatever its kind.
    gone
        Prefixes of keys that say that a tag no longer holds.
    closed_names
        A pattern that names of closed places fit, in lower case; none if empty.
    """

    title: str
    references: dict[str, str] = {}
    groups: dict[str, PlaceGroup] = Field(min_length=1)
    unless: dict[str, tuple[str, ...]] = {}
    gone: tuple[str, ...] = ()
    closed_names: str = ""

    @field_validator("closed_names")
    @classmethod
    def _is_pattern(cls, value: str) -> str:
        try:
            re.compile(value)
        except re.error as error:
            raise ValueError(f"not a regular expression: {error}") from None
        return value

    @model_validator(mode="after")
    def _fits(self) -> Taxonomy:
        home: dict[str, str] = {}
        for name, group in self.groups.items():
            for reference in group.references:
                if reference not in self.references:
                    raise ValueError(
                        f"group '{name}' names the reference '{reference}'; "
                        f"{nearest(reference, self.references)}"
                    )
            for kind in group.kinds:
                if kind in home or kind in self.groups:
                    raise ValueError(
                        f"'{kind}' in group '{name}' is already in use; a name may stand once"
                    )
                home[kind] = name
        return self

    @cached_property
    def kinds(self) -> dict[str, Kind]:
        """Every kind by id, in order."""
        return {id_: kind for group in self.groups.values() for id_, kind in group.kinds.items()}

    @cached_property
    def group_of(self) -> dict[str, str]:
        """The group of every kind."""
        return {kind: name for name, group in self.groups.items() for kind in group.kinds}

    def kinds_of(self, names: Iterable[str]) -> list[str]:
        """Give the kinds that names of kinds or of groups stand for.

        Raises
        ------
        UnknownNameError
            If a name is neither; the message lists the nearest.

        Examples
        --------
        >>> load_taxonomy().kinds_of(["libraries", "pub"])
        ['library', 'pub']
        """
        asked: set[str] = set()
        for name in names:
            if name in self.groups:
                asked.update(self.groups[name].kinds)
            elif name in self.kinds:
                asked.add(name)
            else:
                unknown = UnknownNameError(
                    "kind or group of places", name, [*self.groups, *self.kinds]
                )
                raise unknown.and_say("\nto list them all, type: commonweal places")
        return [kind for kind in self.kinds if kind in asked]

    def kind_of_tags(self, tags: Mapping[str, str]) -> tuple[str, str]:
        """Say the kind of an element of the map.

        Parameters
        ----------
        tags
            Keys and values.

        Returns
        -------
        kind : str
            Empty if it is no place.
        reason : str
            Why it is left out: ``private``, ``closed`` or ``excluded`` (by its rule); empty if it stays.

        Examples
        --------
        >>> load_taxonomy().kind_of_tags({"amenity": "pub", "name": "Red Lion"})
        ('pub', '')
        >>> load_taxonomy().kind_of_tags({"leisure": "pitch", "access": "private"})
        ('pitch', 'private')
        """
        for id_, kind in self.kinds.items():
            for rule in kind.osm:
                if rule.holds(tags):
                    return id_, self._left_out(tags, rule)
        return "", ""

    def is_closed_name(self, name: str) -> bool:
        """Whether a name says that the place is closed."""
        return bool(self.closed_names and re.search(self.closed_names, name.lower()))

    def _left_out(self, tags: Mapping[str, str], rule: TagRule) -> str:
        for unless, said in ((self.unless, "closed"), (rule.unless, "excluded")):
            for key, values in unless.items():
                if _has(tags, key, values):
                    return "private" if key == "access" else said
        for key in rule.tags:
            if any(tags.get(f"{prefix}:{key}") == tags[key] for prefix in self.gone):
                return "closed"
        return "closed" if self.is_closed_name(tags.get("name", "")) else ""


def _has(tags: Mapping[str, str], key: str, values: tuple[str, ...]) -> bool:
    value = tags.get(key)
    return value is not None and (value in values or ANY in values)


def load_taxonomy(path: str | Path | None = None) -> Taxonomy:
    """Read a taxonomy.

    Parameters
    ----------
    path
        A YAML file of the analyst's own; the one that ships if not given.

    Raises
    ------
    DataError
        If the file is not there or not YAML, or a key, name, reference or pattern is wrong; the
        message names the file and the field.

    Examples
    --------
    >>> load_taxonomy().group_of["pub"]
    'pubs-and-cafes'
    """
    return _shipped() if path is None else _read(Path(path).name, read_text(Path(path)))


@cache
def _shipped() -> Taxonomy:
    file = resources.files(__package__) / "taxonomy.yaml"
    return _read(file.name, file.read_text("utf-8"))


def _read(name: str, text: str) -> Taxonomy:
    return read_model(name, text, Taxonomy)


def read_model(name: str, text: str, model: type[Model]) -> Model:
    """Read YAML into a model, with errors that name the file and the field."""
    content = read_keys(text, name, ", ".join(list(model.model_fields)[:4]))
    return checked(model, content, name)


PLACES = {
    "id": pl.String,
    "name": pl.String,
    "kind": pl.String,
    "group": pl.String,
    "longitude": pl.Float64,
    "latitude": pl.Float64,
    "source": pl.String,
    "postcode": pl.String,
}
"""Columns of places; names and postcodes may be null."""

LEFT_OUT = {
    "source": pl.String,
    "id": pl.String,
    "name": pl.String,
    "reason": pl.String,
    "detail": pl.String,
}
"""Columns of what was left out."""


@dataclass(frozen=True, slots=True)
class Places:
    """Places, checked once here.

    Attributes
    ----------
    table
        One row a place: ``id`` (source and number in it), ``name``, ``kind``, ``group``,
        ``longitude`` and ``latitude`` (degrees, WGS 84), ``source``, ``postcode``.
    left_out
        One row for each that was read and is not there: ``source``, ``id``, ``name``, ``reason``
        (a word or two), ``detail``.
    read
        How many were read, by source. What is kept and what is left out add up to it.

    Raises
    ------
    DataError
        If a column is missing, an id occurs twice, or a place lacks a kind or a position.
    """

    table: pl.DataFrame
    left_out: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=LEFT_OUT))
    read: Mapping[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for table, schema in ((self.table, PLACES), (self.left_out, LEFT_OUT)):
            if table.schema != pl.Schema(schema):
                raise DataError(f"places have the columns {dict(table.schema)}; expected {schema}")
        needed = self.table.drop("name", "postcode", "longitude", "latitude").null_count().row(0)
        if any(needed):
            raise DataError("a place has no id, kind, group or source; expected one for each")
        twice = self.table["id"].is_duplicated()
        if twice.any():
            raise DataError(
                f"place '{self.table['id'][int(twice.arg_max() or 0)]}' is there twice; "
                "expected each id once"
            )
        _ = self.points  # checks the coordinates

    def __len__(self) -> int:
        return len(self.table)

    @property
    def points(self) -> Points:
        """Where the places are, in order."""
        return Points(
            self.table["longitude"].fill_null(np.nan).to_numpy(),
            self.table["latitude"].fill_null(np.nan).to_numpy(),
        )

    def of(self, names: str | Iterable[str], taxonomy: Taxonomy | None = None) -> Places:
        """Give the places of some kinds or groups.

        Parameters
        ----------
        names
            Ids of kinds or of groups.
        taxonomy
            The one they are of; that which ships if not given.

        Raises
        ------
        UnknownNameError
            If a name is neither a kind nor a group.
        """
        asked = [names] if isinstance(names, str) else names
        kinds = (taxonomy or load_taxonomy()).kinds_of(asked)
        return Places(self.table.filter(pl.col("kind").is_in(kinds)), self.left_out, self.read)

    def account(self) -> pl.DataFrame:
        """Say how many were read, kept and left out.

        Returns
        -------
        polars.DataFrame
            ``source``, ``outcome`` (``read``, ``kept`` or a reason), ``rows``; in each source first
            what was read, then what is kept, then reasons by how many they touched.
        """
        read = pl.DataFrame(
            {"source": list(self.read), "outcome": "read", "rows": list(self.read.values())},
            schema={"source": pl.String, "outcome": pl.String, "rows": pl.Int64},
        )
        kept = self.table.group_by("source").agg(outcome=pl.lit("kept"), rows=pl.len())
        out = self.left_out.group_by("source", outcome="reason").agg(rows=pl.len())
        order = pl.col("outcome").replace_strict({"read": 0, "kept": 1}, default=2)
        return (
            pl.concat([read, *(t.cast(read.schema) for t in (kept, out))])
            .with_columns(order=order)
            .sort("source", "order", -pl.col("rows"), "outcome")
            .drop("order")
        )


def make_places(
    rows: pl.DataFrame, taxonomy: Taxonomy, left_out: pl.DataFrame, read: Mapping[str, int]
) -> Places:
    """Make places of a table that has all columns but ``group``, which the kind says."""
    table = rows.with_columns(
        group=pl.col("kind")
        .cast(pl.String)
        .replace_strict(taxonomy.group_of, return_dtype=pl.String)
    ).select(pl.col(name).cast(dtype) for name, dtype in PLACES.items())
    return Places(table, left_out.select(pl.col(n).cast(d) for n, d in LEFT_OUT.items()), read)


def join_places(parts: Iterable[Places]) -> Places:
    """Put places of several sources together; the same place in two sources stays twice."""
    given = list(parts)
    read: dict[str, int] = {}
    for part in given:
        again = read.keys() & part.read.keys()
        if again:
            raise DataError(f"source '{min(again)}' is in two of the parts; expected each once")
        read |= part.read
    return Places(
        pl.concat([pl.DataFrame(schema=PLACES), *(p.table for p in given)]),
        pl.concat([pl.DataFrame(schema=LEFT_OUT), *(p.left_out for p in given)]),
        read,
    )
