"""The works that claims cite: one YAML file a theme, checked when it is read."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Annotated, Any, Literal, get_args
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from commonweal.errors import DataError, UnknownNameError, nearest
from commonweal.files.inputs import read_keys, read_text
from commonweal.files.schema import checked

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from importlib.resources.abc import Traversable
    from pathlib import Path


Kind = Literal["article", "book", "report", "statistics", "working-paper"]
Strength = Literal["synthesis", "causal", "association", "description", "model", "argument"]

STRENGTHS: dict[Strength, str] = {
    "synthesis": "A systematic review: many studies, searched for and weighed by stated rules.",
    "causal": "One study designed to show a cause, for example by comparing areas with and without closures.",
    "association": "One study of what goes together, other things held constant; not proof of cause.",
    "description": "Counts or a survey: how things are, not why.",
    "model": "A calculation based on assumptions and on other studies.",
    "argument": "A theory, a framework or cases: what to look for, not how much.",
}
"""The scale of strength, from what says most about an effect to what says least, and its meaning."""

ID = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_DOI = re.compile(r"10\.\d{4,9}/\S+")
FIRST_YEAR, LAST_YEAR = 1800, 2100

Text = Annotated[str, Field(min_length=1)]


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class Theme(_Frozen):
    """What works are gathered under."""

    id: str  # a short, stable name in kebab-case
    title: Text  # as it heads a reading list
    about: Text  # what the works under it say together, in a sentence or two

    @field_validator("id")
    @classmethod
    def _kebab_case(cls, value: str) -> str:
        return check_id(value)


class Work(_Frozen):
    """One work.

    Attributes
    ----------
    id
        A short, stable name in kebab-case: who and when.
    themes
        Ids of the themes that it belongs to, the main one first.
    kind
        ``article``, ``book``, ``report``, ``statistics`` or ``working-paper``.
    authors
        People as ``Family, Given``; an organisation by its name alone, in ``{braces}`` if that has a
        comma.
    cited_as
        Who, in the text, where the authors' names are long: ``ONS``.
    year
        Of publication.
    title
        As on the work.
    journal, volume, issue, pages
        Where in a journal.
    series, number
        Of a report or working paper.
    publisher
        Who published it; for an article the journal is enough.
    doi, address
        Where it is: at least one.
    finds
        What it finds, in one or two sentences of our own.
    method, place
        How, and where and when.
    strength
        One of `STRENGTHS`.
    supports
        Claims that it supports, each a short sentence.
    caution
        A caution.
    checked
        Whether what is said here was checked.
    check
        What was checked and how; or what could not be.
    """

    id: str
    themes: Annotated[tuple[str, ...], Field(min_length=1)]
    kind: Kind
    authors: Annotated[tuple[Text, ...], Field(min_length=1)]
    cited_as: str = ""
    year: Annotated[int, Field(ge=FIRST_YEAR, le=LAST_YEAR)]
    title: Text
    journal: str = ""
    volume: str = ""
    issue: str = ""
    pages: str = ""
    series: str = ""
    number: str = ""
    publisher: str = ""
    doi: str = ""
    address: str = ""
    finds: Annotated[str, Field(min_length=20, max_length=600)]
    method: Text
    place: Text
    strength: Strength
    supports: Annotated[tuple[Text, ...], Field(min_length=1)]
    caution: str = ""
    checked: bool
    check: Text

    @field_validator("themes", "authors", "supports", mode="before")
    @classmethod
    def _list_is_tuple(cls, value: Any) -> Any:
        return tuple(value) if isinstance(value, list) else value

    @field_validator("id")
    @classmethod
    def _kebab_case(cls, value: str) -> str:
        return check_id(value)

    @field_validator("authors")
    @classmethod
    def _family_and_given(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for author in value:
            if not author.startswith("{"):
                parts = [part.strip() for part in author.split(",")]
                if len(parts) > 2 or not all(parts):
                    raise ValueError(
                        f"found '{author}'; expected 'Family, Given', an organisation, or one with a "
                        "comma in {braces}"
                    )
        return value

    @field_validator("doi")
    @classmethod
    def _doi_is_bare(cls, value: str) -> str:
        if value and not _DOI.fullmatch(value):
            raise ValueError("expected a bare DOI such as 10.1093/cjres/rsx024")
        return value

    @field_validator("address")
    @classmethod
    def _address_is_http(cls, value: str) -> str:
        parts = urlsplit(value)
        if value and (parts.scheme not in {"http", "https"} or not parts.netloc):
            raise ValueError("expected an address that starts with https:// or http://")
        return value

    @model_validator(mode="after")
    def _can_be_found(self) -> Work:
        if not self.doi and not self.address:
            raise ValueError("found neither 'doi' nor 'address'; expected at least one")
        if self.kind == "article" and not self.journal:
            raise ValueError("an article needs a 'journal'")
        if self.kind != "article" and not self.publisher:
            raise ValueError(f"'{self.kind}' needs a 'publisher'")
        return self

    @property
    def people(self) -> list[tuple[str, str]]:
        """Family and given name of each author; of an organisation its name and nothing."""
        split = [
            (author[1:-1], "", "") if author.startswith("{") else author.partition(",")
            for author in self.authors
        ]
        return [(family.strip(), given.strip()) for family, _, given in split]

    @property
    def link(self) -> str:
        """Where to read it: by its DOI if it has one."""
        return f"https://doi.org/{self.doi}" if self.doi else self.address

    @property
    def strength_rank(self) -> int:
        """Its place on the scale of strength, 0 for the strongest."""
        return get_args(Strength).index(self.strength)


def check_id(value: str) -> str:
    """Refuse what is no kebab-case id."""
    if not ID.fullmatch(value):
        raise ValueError("an id is lower-case letters, digits and single hyphens")
    return value


_KEYS = {"theme", "title", "about", "order", "works"}


@dataclass(frozen=True)
class Evidence:
    """Works and the themes that they are gathered under.

    Attributes
    ----------
    works
        By id, sorted by id.
    themes
        By id, in the order in which readers meet them.
    """

    works: Mapping[str, Work]
    themes: Mapping[str, Theme]

    def work(self, id_: str) -> Work:
        """Give a work.

        Raises
        ------
        UnknownNameError
            If there is none of that id; the message names the nearest.
        """
        if id_ not in self.works:
            raise UnknownNameError("work", id_, self.works, " in the evidence library")
        return self.works[id_]

    def theme(self, id_: str) -> Theme:
        """Give a theme.

        Raises
        ------
        UnknownNameError
            If there is none of that id; the message names the nearest.
        """
        if id_ not in self.themes:
            raise UnknownNameError("theme", id_, self.themes, " in the evidence library")
        return self.themes[id_]

    def under(self, theme: str) -> list[Work]:
        """Give the works of a theme, the strongest first, then the newest.

        Raises
        ------
        UnknownNameError
            If there is no such theme.
        """
        self.theme(theme)
        found = [work for work in self.works.values() if theme in work.themes]
        return sorted(found, key=lambda w: (w.strength_rank, -w.year, w.id))

    def and_also(self, more: Iterable[Work]) -> Evidence:
        """Give the library with works of one's own added.

        Raises
        ------
        DataError
            If one has an id that is taken, or a theme that there is not.
        """
        works = dict(self.works)
        for work in more:
            if work.id in works:
                raise DataError(f"work '{work.id}' is already in the library; an id may occur once")
            _check_themes("works", work, self.themes)
            works[work.id] = work
        return Evidence(dict(sorted(works.items())), self.themes)


def load_evidence(folder: Path | None = None) -> Evidence:
    """Read the evidence library.

    Parameters
    ----------
    folder
        A folder of YAML files, one a theme; the packaged one, which is read once, if not given.

    Returns
    -------
    Evidence

    Raises
    ------
    DataError
        If a file or a work is malformed, an id occurs twice or a theme is not there; the message
        names the file, the work and the field.

    Examples
    --------
    >>> load_evidence().work("bolet-2021").year
    2021
    """
    return _shipped() if folder is None else _read(folder)


@cache
def _shipped() -> Evidence:
    return _read(resources.files(__package__) / "library")


def _read(root: Traversable) -> Evidence:
    themes: dict[str, tuple[int, Theme]] = {}
    works: dict[str, Work] = {}
    home: dict[str, str] = {}
    for file in sorted(root.iterdir(), key=lambda f: f.name):
        if not file.name.endswith(".yaml"):
            continue
        content = read_keys(read_text(file), file.name, ", ".join(sorted(_KEYS)))
        order, theme = _theme(file.name, content)
        if theme.id in themes:
            raise DataError(f"{file.name}: theme '{theme.id}' has a file already; expected one")
        themes[theme.id] = order, theme
        for work in read_works(file.name, content["works"], theme.id):
            if work.id in works:
                raise DataError(
                    f"{file.name}: work '{work.id}' is already in {home[work.id]}; an id may occur once"
                )
            works[work.id], home[work.id] = work, file.name
    in_order = [theme for _, theme in sorted(themes.values(), key=lambda pair: pair[0])]
    known = {theme.id: theme for theme in in_order}
    for work in works.values():
        _check_themes(home[work.id], work, known)
    return Evidence(dict(sorted(works.items())), known)


def _theme(file: str, content: dict[str, Any]) -> tuple[int, Theme]:
    if set(content) != _KEYS:
        raise DataError(f"{file}: expected the keys {', '.join(sorted(_KEYS))}")
    if not isinstance(content["order"], int) or not isinstance(content["works"], dict):
        raise DataError(f"{file}: expected 'order' to be a number and 'works' a mapping by id")
    fields = {"id": content["theme"], "title": content["title"], "about": content["about"]}
    return content["order"], checked(Theme, fields, file)


def read_works(file: str, entries: Mapping[str, Any], theme: str = "") -> Iterable[Work]:
    """Check works as data."""
    for id_, entry in entries.items():
        if not isinstance(entry, dict):
            raise DataError(f"{file}: work '{id_}': expected a mapping, found {entry!r}")
        fields = dict(entry)
        if theme:
            also = fields.pop("also", [])
            if "themes" in fields or not isinstance(also, list):
                raise DataError(f"{file}: work '{id_}': expected 'also', a list of other themes")
            fields["themes"] = [theme, *also]
        yield checked(Work, {**fields, "id": id_}, f"{file}: work '{id_}'")


def _check_themes(file: str, work: Work, themes: Mapping[str, Theme]) -> None:
    for name in work.themes:
        if name not in themes:
            raise DataError(
                f"{file}: work '{work.id}': theme '{name}' not found; {nearest(name, themes)}"
            )
