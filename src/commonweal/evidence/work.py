"""One work: who wrote it, where it is, what it finds, how strong that is, and what was checked."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal, get_args
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

__all__ = ["STRENGTHS", "Kind", "Strength", "Theme", "Work"]

Kind = Literal["article", "book", "report", "statistics", "working-paper"]
Strength = Literal["synthesis", "causal", "association", "description", "model", "argument"]

STRENGTHS: dict[Strength, str] = {
    "synthesis": "A systematic review: many studies, searched for and weighed by stated rules.",
    "causal": "One study whose design sets a cause apart, such as closures here and none there.",
    "association": "One study of what goes together, other things held equal; not proof of cause.",
    "description": "Counts or a survey: how things are, not why.",
    "model": "A calculation that rests on assumptions and on the studies it takes in.",
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
    """What works are gathered under.

    Attributes
    ----------
    id
        A short, stable name in kebab-case.
    title
        As it heads a reading list.
    about
        What the works under it say together, in a sentence or two.
    """

    id: str
    title: Text
    about: Text

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
        Claims that it bears out, each a short sentence.
    caution
        What to beware of.
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
