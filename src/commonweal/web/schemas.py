"""What addresses may ask for, checked and bounded, and what the API answers with: pydantic models."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated, Any, Literal, get_args
from urllib.parse import quote

from fastapi import Path
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from commonweal.errors import CommonwealError, UnknownNameError
from commonweal.web.rescore import MOST_WEIGHT
from commonweal.web.search import DEFAULT_PER, MOST_PER, STATE_FILTERS, ListRequest

if TYPE_CHECKING:
    from commonweal.web.explorer import Explorer
    from commonweal.web.rescore import Choices


MOST_COMPARED = 5
MOST_SITES = 20
_POINT = r"^-?\d{1,3}(\.\d{1,8})?,-?\d{1,3}(\.\d{1,8})?$"
_NUMBER = re.compile(r"^[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]+)?\Z")
_TEXT = r"^[^\x00-\x1f\x7f]*$"


def code_in_path(code: str) -> str:
    """Give an area's code as a part of an address: one part, whatever letters it has.

    A slash is written ``~1`` and a tilde ``~0``, as in JSON Pointers (RFC 6901), since a slash would part it in two
    even as ``%2F``; a point at its beginning is ``~2``, since browsers take out ``.`` and ``..``.

    >>> code_in_path("E01000001"), code_in_path("A/2 é"), code_in_path("."), code_in_path("~1")
    ('E01000001', 'A~12%20%C3%A9', '~2', '~01')
    """
    plain = code.replace("~", "~0").replace("/", "~1")
    return quote(f"~2{plain[1:]}" if plain.startswith(".") else plain, safe="")


def _code_of(part: str) -> str:
    """Read a code from a part of an address: `code_in_path` undone."""
    for written, letter in (("~2", "."), ("~1", "/"), ("~0", "~")):
        part = part.replace(written, letter)
    return part


def _plainly(value: Any) -> Any:
    """Refuse a number that is written with spaces, underscores or digits of other scripts."""
    if isinstance(value, str) and not _NUMBER.match(value):
        raise ValueError("expected a number in digits, such as 12 or 0.5")
    return value


Code = Annotated[
    str,
    Path(description="Code of an area. Write ~1 for a slash, ~0 for a tilde, ~2 for a full stop at its beginning."),
    AfterValidator(_code_of),
]  # fmt: skip
Whole = Annotated[int, BeforeValidator(_plainly)]
Number = Annotated[float, BeforeValidator(_plainly)]

StateFilter = Literal["", "in", "just", "near", "out", "enters", "leaves", "change"]
assert set(get_args(StateFilter)) == {"", *STATE_FILTERS}


class QueryError(CommonwealError):
    """An address that asks for what there is not; answered with 422."""


class PageQuery(BaseModel):
    """What every page takes: the reader's choices (under their keys), the map's layer, and the frame."""

    model_config = ConfigDict(extra="allow", frozen=True)
    layer: str = Field(default="", max_length=200, pattern=_TEXT)
    embed: Literal["", "1"] = ""  # 1 leaves out header and footer, for a page within another

    def choices(self, explorer: Explorer) -> Choices:
        """Take the reader's choices out, and refuse what is none."""
        bounds = {w.key: (0.0, MOST_WEIGHT) for w in explorer.weights}
        bounds |= {c.key: (c.low, c.high) for c in explorer.cuts}
        whole = {c.key for c in explorer.cuts if c.unit == "areas"}
        given: dict[str, float] = {}
        for key, text in (self.model_extra or {}).items():
            if key not in bounds:
                raise QueryError(
                    str(UnknownNameError("parameter", key[:100], [*bounds, *_names(self)]))
                )
            low, high = bounds[key]
            number = _number(text)
            if number is None or not low <= number <= high or (key in whole and number % 1):
                kind = "a whole number" if key in whole else "a number"
                raise QueryError(
                    f"{key}: found {str(text)[:40]!r}; expected {kind} from {low:g} to {high:g}"
                )
            given[key] = number
        return explorer.choices(given)


class ListQuery(PageQuery):
    """What the list takes besides: `commonweal.web.search.ListRequest`."""

    q: str = Field(default="", max_length=100, pattern=_TEXT)
    within: str = Field(default="", pattern=_TEXT)
    state: StateFilter = ""
    sort: str = Field(default="", max_length=200, pattern=_TEXT)
    order: Literal["", "up", "down"] = ""
    page: Whole = Field(default=1, ge=1, le=1_000_000)
    per: Whole = Field(default=DEFAULT_PER, ge=1, le=MOST_PER)

    @property
    def listed(self) -> ListRequest:
        """The same as the list takes it."""
        return ListRequest(
            self.q, self.within, self.state, self.sort, self.order == "down", self.page, self.per
        )


class AreaQuery(PageQuery):
    """What the page of an area takes besides: the postcode by which it was found."""

    postcode: str = Field(default="", max_length=10, pattern=_TEXT)


class OptionsQuery(PageQuery):
    """What a question about new places takes besides."""

    # kind, candidates: of place, and where one could go; the first that is offered if not given
    kind: str = Field(default="", max_length=60, pattern=_TEXT)
    candidates: str = Field(default="", max_length=60, pattern=_TEXT)
    sites: Whole = Field(default=3, ge=1, le=MOST_SITES)
    # sites that were picked, each ``longitude,latitude``; then none is proposed
    site: tuple[Annotated[str, Field(max_length=40, pattern=_POINT)], ...] = Field(
        default=(), max_length=MOST_SITES
    )
    # within how many minutes on foot one counts as reached
    minutes: Number = Field(default=15, ge=1, le=60)
    equity: Number = Field(default=1, ge=0, le=5)  # to what power need counts
    years: Whole = Field(default=10, ge=1, le=30)  # over how many years cost and worth are counted
    # a postcode, an area, or ``longitude, latitude``: where a site is to be added
    q: str = Field(default="", max_length=100, pattern=_TEXT)

    def points(self) -> list[tuple[float, float]]:
        """Give longitude and latitude of the sites that were picked."""
        found = []
        for text in self.site:
            longitude, latitude = (float(part) for part in text.split(","))
            if not (abs(longitude) <= 180 and abs(latitude) <= 90):
                raise QueryError(f"site: found {text!r}; expected longitude,latitude in degrees")
            found.append((longitude, latitude))
        return found


class DocumentQuery(OptionsQuery):
    """What a document takes: each subject uses what it needs."""

    area: str = Field(default="", pattern=_TEXT)
    programme: str = Field(default="", max_length=100, pattern=_TEXT)  # name of a funding programme
    against: str = Field(default="", max_length=100, pattern=_TEXT)  # another list to compare with

    def own(self) -> dict[str, Any]:
        """Give what is asked besides the reader's choices and the frame, to go along from page to page."""
        given = self.model_dump(include=set(type(self).model_fields), exclude_defaults=True)
        return {
            k: list(v) if isinstance(v, tuple) else v
            for k, v in given.items()
            if k not in ("layer", "embed")
        }


class CompareQuery(ListQuery):
    """What a comparison takes besides: codes of areas."""

    area: tuple[str, ...] = Field(default=(), max_length=MOST_COMPARED)


class ChangesQuery(PageQuery):
    """What a table of changes takes besides: the designation, the first if not given."""

    designation: str = Field(default="", max_length=200, pattern=_TEXT)


def _names(asked: PageQuery) -> list[str]:
    return list(type(asked).model_fields)


def _number(text: Any) -> float | None:
    return float(text) if isinstance(text, str) and _NUMBER.match(text) else None


def choice_parameters(explorer: Explorer) -> list[dict[str, Any]]:
    """Describe the choices as OpenAPI parameters."""
    weights = [
        _parameter(w.key, 0.0, MOST_WEIGHT, "number",
                   f"Weight of {w.label} in {w.index_label}; published weights add up to 100; published: {w.stated:g}")
        for w in explorer.weights
    ]  # fmt: skip
    cuts = [
        _parameter(c.key, c.low, c.high, "integer" if c.unit == "areas" else "number",
                   f"Cut-off on {c.label} for {c.designation}, in {c.unit}; published: {c.stated:g}")
        for c in explorer.cuts
    ]  # fmt: skip
    return [*weights, *cuts]


def _parameter(name: str, low: float, high: float, kind: str, about: str) -> dict[str, Any]:
    schema = {"type": kind, "minimum": low, "maximum": high}
    return {"name": name, "in": "query", "required": False, "description": about, "schema": schema}


class Problem(BaseModel):
    """Why the request failed."""

    detail: str


class AreaList(BaseModel):
    """A page of a list: every column of each area, by its key."""

    found: int
    page: int
    pages: int
    areas: list[dict[str, Any]]


class SearchOut(BaseModel):
    """What a search found: the area if only one matches, the matches, and their number."""

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
    """A table: an object for each row."""

    title: str
    rows: list[dict[str, Any]]


class Compared(TableOut):
    """Areas side by side, and the profile of each."""

    places: list[dict[str, Any]]


class MapClass(BaseModel):
    """A class of areas on the map."""

    letter: str
    label: str
    colour: str
    areas: int


class DocumentOut(BaseModel):
    """A document: its texts, its figures and tables by name, unrounded, and whatever its account has."""

    report: str
    title: str
    heading: str
    answer: list[str]
    notes: list[str]
    figures: dict[str, dict[str, Any]]
    tables: dict[str, list[dict[str, Any]]]
    sections: list[dict[str, Any]]
    assumptions: list[str]
    limits: list[str]
    works: list[str]
    sources: list[str]


class LayerOut(BaseModel):
    """The colours of the map: the letter of each area's class, in the order of rows.

    ``marks`` has the row, longitude and latitude of the areas to highlight.
    """

    layer: str
    title: str
    classes: list[MapClass]
    letters: str
    marks: list[list[float]]


class Change(BaseModel):
    """A list with other weights and cut-offs."""

    name: str
    rule: str
    selected: int
    enter: list[dict[str, str]]
    leave: list[dict[str, str]]


class Rescored(BaseModel):
    """A study with other weights and cut-offs: the weights used."""

    choices: dict[str, str]
    weights: dict[str, dict[str, float]]
    designations: list[Change]
    map: LayerOut


class Study(BaseModel):
    """The study, and what can be requested."""

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
