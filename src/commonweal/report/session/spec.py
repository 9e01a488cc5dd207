"""A session's file: subject, speakers, areas, reading list and studies."""

from __future__ import annotations

import re
from datetime import date as date_
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from commonweal.errors import StudyError, UnknownNameError, nearest
from commonweal.evidence import Evidence, load_evidence
from commonweal.evidence.library import read_works
from commonweal.files.inputs import read_keys, read_text
from commonweal.files.schema import FieldError, explain

if TYPE_CHECKING:
    from collections.abc import Mapping


_NAME = re.compile(r"[a-z][a-z0-9-]*")
_KEYS = "title, framing, studies"


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Speaker(_Part):
    """A speaker."""

    role: str = Field(min_length=1)  # in what capacity: ``A councillor of the county``
    name: str = ""  # the name, if the speaker agrees
    about: str = ""


class Reading(_Part):
    """A theme of the reading list."""

    theme: str  # its id in the evidence library
    note: str = ""  # what the session adds to it; may hold placeholders


class StateSpec(_Part):
    """How to show the state of social infrastructure."""

    study: str  # one of the session's studies, by its short name
    index: str = ""  # the index whose indicators are shown; the study's first if not given
    deprivation: str = ""  # the index by whose deciles areas are grouped
    show: tuple[str, ...] = ()  # indicators that get a chart; all are in the tables
    ratios: tuple[str, ...] = ()  # indicators that are logarithms of a ratio of two years
    # studies of the session that name an earlier one: who entered and left
    since: tuple[str, ...] = ()
    note: str = ""  # a note on what changed; may hold placeholders


class Session(_Part):
    """A whole session."""

    # name, folder: of the file, and where the studies lie that it names as files
    name: str
    folder: Path
    # title, kind, date: as they head the page
    title: str = Field(min_length=1)
    kind: str = "Evidence session"
    date: date_ | None = None
    # a few paragraphs, with placeholders for figures such as ``{demo.left_behind.count}``
    framing: str = Field(min_length=1)
    speakers: tuple[Speaker, ...] = ()  # the speakers; with none, no section
    # by study, the areas or larger areas to profile: codes or names
    areas: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    themes: tuple[Reading, ...] = ()  # the reading list, by theme
    # works to add to the library's, as data
    works: dict[str, dict[str, Any]] = Field(default_factory=dict)
    # by short name, a study that ships or a file; a list where the names are the studies'
    studies: dict[str, str] = Field(min_length=1)
    # how to show the state of social infrastructure; without it, no section
    state: StateSpec | None = None

    @field_validator("studies", mode="before")
    @classmethod
    def _list_or_names(cls, value: Any) -> Any:
        if isinstance(value, list) and all(isinstance(study, str) for study in value):
            return {
                Path(study).stem if study.endswith(".yaml") else study: study for study in value
            }
        return value

    @field_validator("studies")
    @classmethod
    def _plain_names(cls, value: Mapping[str, str]) -> Mapping[str, str]:
        for name in value:
            if not _NAME.fullmatch(name):
                raise FieldError(
                    "use lower-case letters, digits and hyphens: placeholders start with this name",
                    name,
                )
        return value

    @field_validator("themes", mode="before")
    @classmethod
    def _theme_or_more(cls, value: Any) -> Any:
        if isinstance(value, list):
            return [{"theme": item} if isinstance(item, str) else item for item in value]
        return value

    @model_validator(mode="after")
    def _names_exist(self) -> Session:
        for study in self.areas:
            self._study(study, "areas", study)
        if self.state is not None:
            self._study(self.state.study, "state", "study")
            for k, study in enumerate(self.state.since):
                self._study(study, "state", "since", k)
        evidence = self.evidence()
        for k, reading in enumerate(self.themes):
            if reading.theme not in evidence.themes:
                raise FieldError(
                    f"'{reading.theme}' is not a theme of the evidence library; "
                    f"{nearest(reading.theme, evidence.themes)}",
                    *("themes", k, "theme"),
                )
        return self

    def _study(self, name: str, *at: str | int) -> None:
        if name not in self.studies:
            raise FieldError(
                f"'{name}' is not one of the session's studies; {nearest(name, self.studies)}", *at
            )

    def evidence(self) -> Evidence:
        """Give the evidence library with the session's own works."""
        return load_evidence().and_also(read_works("works", self.works))

    def study(self, name: str) -> str | Path:
        """Give a study as `commonweal.run` takes it, by its short name."""
        said = self.studies[name]
        return self.folder / said if said.endswith((".yaml", ".yml")) else said


def shipped_sessions() -> list[str]:
    """Names of the sessions that ship."""
    files = (resources.files(__package__) / "sessions").iterdir()
    return sorted(f.name.removesuffix(".yaml") for f in files if f.name.endswith(".yaml"))


def load_session(name: str | Path) -> Session:
    """Read and check a session's file."""
    path = Path(name)
    if str(name) in shipped_sessions():
        file = resources.files(__package__) / "sessions" / f"{name}.yaml"
        where, text, folder = file.name, file.read_text("utf-8"), Path()
    elif path.suffix.lower() not in (".yaml", ".yml"):
        raise UnknownNameError(
            "session", str(name), shipped_sessions(), " (nor is it a .yaml file)"
        )
    else:
        expected = f"a session's file, or one of: {', '.join(shipped_sessions())}"
        where, text, folder = str(path), read_text(path, expected, StudyError), path.parent
    data = read_keys(text, where, _KEYS, StudyError)
    for key in ("name", "folder"):
        if key in data:
            raise StudyError(f"{where}: {key}: unknown key; the file's path sets it")
    try:
        return Session.model_validate({**data, "name": path.stem, "folder": folder})
    except ValidationError as error:
        raise StudyError(explain(error, Session, where, text)) from None
