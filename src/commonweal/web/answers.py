"""What the API answers with, as its description states it."""

from typing import Any

from pydantic import BaseModel

__all__ = [
    "AreaList",
    "Compared",
    "LayerOut",
    "OptionsOut",
    "Problem",
    "ProgrammeOut",
    "Rescored",
    "RowOut",
    "SearchOut",
    "Study",
    "TableOut",
]


class Problem(BaseModel):
    """Why nothing was given."""

    detail: str


class AreaList(BaseModel):
    """A page of a list: every column of each area, by its key."""

    found: int
    page: int
    pages: int
    areas: list[dict[str, Any]]


class SearchOut(BaseModel):
    """What a search found: the one area that is meant, if there is one; those that fit; how many do."""

    area: str | None
    found: int
    areas: list[dict[str, Any]]
    message: str


class RowOut(BaseModel):
    """The area of a row, and the address of its page."""

    code: str
    name: str
    where: str
    page: str


class TableOut(BaseModel):
    """A table, a dict a row."""

    title: str
    rows: list[dict[str, Any]]


class Compared(TableOut):
    """Areas side by side, and what is said of each."""

    places: list[dict[str, Any]]


class MapClass(BaseModel):
    """A class of areas on the map."""

    letter: str
    label: str
    colour: str
    areas: int


class OptionsOut(BaseModel):
    """What new places would do: who is reached, what it costs and is worth, what an index would say then."""

    area: str
    areas: int
    picked: bool
    answer: list[str]
    siting: dict[str, Any]
    worth: dict[str, Any] | None


class ProgrammeOut(BaseModel):
    """A funding programme worked out on the study: its rule, and who gets an award."""

    programme: str
    title: str
    answer: list[str]
    rule: list[dict[str, Any]]
    selected: int
    people: float
    areas: list[dict[str, Any]]
    beside: dict[str, Any] | None


class LayerOut(BaseModel):
    """What colours the map: the letter of each area's class, in the order of rows.

    Of areas that matter most, ``marks`` has the row, longitude and latitude.
    """

    layer: str
    title: str
    classes: list[MapClass]
    letters: str
    marks: list[list[float]]


class Change(BaseModel):
    """A designation under other choices."""

    name: str
    rule: str
    selected: int
    enter: list[dict[str, str]]
    leave: list[dict[str, str]]


class Rescored(BaseModel):
    """A study under other weights and cut-offs: the weights as they were used."""

    choices: dict[str, str]
    weights: dict[str, dict[str, float]]
    designations: list[Change]
    map: LayerOut


class Study(BaseModel):
    """The study, and what may be asked for."""

    name: str
    title: str
    note: str
    areas: int
    designations: list[dict[str, Any]]
    weights: list[dict[str, Any]]
    cuts: list[dict[str, Any]]
    columns: list[dict[str, str]]
    layers: list[dict[str, str]]
    bounds: list[float] | None
    tiles: str
