"""The words of documents: a file of macros a subject and a language, for editors who need not read Python."""

from __future__ import annotations

import csv
import re
from functools import cache, lru_cache
from importlib import resources
from io import StringIO
from typing import TYPE_CHECKING

from commonweal.document.format import (
    in_running_text,
    join_words,
    ordinal,
    percent,
    sentence,
    with_article,
)
from commonweal.errors import UnknownNameError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from jinja2 import Environment
    from markupsafe import Markup


@lru_cache(maxsize=1)
def environment() -> Environment:
    """Give what fills every template: of pages, which are escaped, and of words (``.jinja``), which are text.

    A template is named by its file in this package's ``templates``, or as ``package:path``.
    """
    from jinja2 import Environment, FunctionLoader, StrictUndefined
    from markupsafe import Markup

    made = Environment(
        loader=FunctionLoader(template),
        autoescape=lambda name: not (name or "").endswith(".jinja"),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.globals |= {"raw": Markup, "css": Markup(template("page.css"))}
    made.filters |= {
        "number": "{:,}".format,
        "n": "{:,}".format,
        "ordinal": ordinal,
        "percent": percent,
        "listed": join_words,
        "begun": sentence,
        "with_article": with_article,
        "in_text": in_running_text,
        "linked": _linked,
        "looked_up": lambda keys, table: [table[key] for key in keys],
    }
    return made


def _linked(text: str) -> Markup:
    """Set a text for a page, with a link if it ends in an address."""
    from markupsafe import Markup, escape

    said, _, last = text.rpartition(" ")
    if not last.startswith(("https://", "http://")):
        return escape(text)
    return Markup('{} <a href="{}">{}</a>').format(said, last, last)


def template(name: str) -> str:
    """Read the file of a template."""
    package, _, path = name.rpartition(":")
    folder = resources.files(package) if package else resources.files(__package__) / "templates"
    return (folder / path).read_text("utf-8")


_SPACES = re.compile(r" *\n[ \n]*|  +")


class Words:
    """What is said of a subject in a language: a sentence is a macro of its file, a heading an entry of ``labels``."""

    def __init__(self, template: str, language: str, terms: Mapping[str, str]) -> None:
        self.language = language
        self._macros = vars(environment().get_template(template).module)
        self._terms = terms

    def __call__(self, name: str, /, **values: object) -> str:
        """Say a sentence with values."""
        return _SPACES.sub(" ", self._macros[name](**values)).strip(" ")

    def __getitem__(self, label: str) -> str:
        """Give a heading, or the head of a column."""
        found: str = self._macros["labels"][label]
        return found

    def term(self, name: str) -> str:
        """Give what a name that a study uses is called in this language, if its glossary has it; else the name."""
        found = self._terms.get(name) or self._terms.get(name.casefold())
        if found is None:
            return name
        return sentence(found) if name[:1].isupper() else found

    @property
    def labels(self) -> dict[str, str]:
        """Every heading by its key."""
        return dict(self._macros["labels"])


@cache
def words(subject: str, language: str = "en", package: str = __package__) -> Words:
    """Give the words of a subject, from the file ``words/LANGUAGE/SUBJECT.jinja`` of a package."""
    known = languages(package)
    if language not in known:
        raise UnknownNameError("language", language, known)
    template = f"{package}:words/{language}/{subject}.jinja"
    return Words(template, language, {g["english"]: g[language] for g in glossary(language)})


def glossary(language: str) -> list[dict[str, str]]:
    """Give the terms of a language: in English, in it, and where each is attested; none for English."""
    file = resources.files(__package__) / "words" / language / "glossary.csv"
    return list(csv.DictReader(StringIO(file.read_text("utf-8")))) if file.is_file() else []


def languages(package: str = __package__) -> list[str]:
    """Name the languages that the words of a package are written in."""
    folders = (resources.files(package) / "words").iterdir()
    return sorted(folder.name for folder in folders if folder.is_dir())
