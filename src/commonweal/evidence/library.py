"""The library that ships: one YAML file a theme, checked when it is read."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from commonweal.errors import DataError, UnknownNameError, nearest
from commonweal.evidence.work import Theme, Work
from commonweal.files.yaml import read_keys, read_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from importlib.resources.abc import Traversable
    from pathlib import Path

__all__ = ["Evidence", "load_evidence", "read_works"]

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
    try:
        return content["order"], Theme.model_validate(fields)
    except ValidationError as error:
        raise DataError(f"{file}: {_first_fault(error, Theme)}") from None


def read_works(file: str, entries: Mapping[str, Any], theme: str = "") -> Iterable[Work]:
    """Check works as data.

    Parameters
    ----------
    file
        What messages call it.
    entries
        The works by id; ``also`` lists themes besides `theme`.
    theme
        The main theme of all of them; without one each states its ``themes``.

    Raises
    ------
    DataError
        If one is malformed; the message names it and the field.
    """
    for id_, entry in entries.items():
        if not isinstance(entry, dict):
            raise DataError(f"{file}: work '{id_}': expected a mapping, found {entry!r}")
        fields = dict(entry)
        if theme:
            also = fields.pop("also", [])
            if "themes" in fields or not isinstance(also, list):
                raise DataError(f"{file}: work '{id_}': expected 'also', a list of other themes")
            fields["themes"] = [theme, *also]
        try:
            yield Work.model_validate({**fields, "id": id_})
        except ValidationError as error:
            raise DataError(f"{file}: work '{id_}': {_first_fault(error, Work)}") from None


def _check_themes(file: str, work: Work, themes: Mapping[str, Theme]) -> None:
    for name in work.themes:
        if name not in themes:
            raise DataError(
                f"{file}: work '{work.id}': theme '{name}' not found; {nearest(name, themes)}"
            )


def _first_fault(error: ValidationError, model: type[Theme | Work]) -> str:
    """Say the first fault of a validation in one line."""
    fault = error.errors()[0]
    where = ".".join(str(part) for part in fault["loc"])
    if fault["type"] == "extra_forbidden":
        return f"unknown key '{where}'; {nearest(where, model.model_fields)}"
    if fault["type"] == "missing":
        return f"'{where}' is missing"
    said = fault["msg"].removeprefix("Value error, ")
    return f"'{where}': {said} (found {fault['input']!r})" if where else said
