"""What social capital is measured by: domains, headlines and national figures, as data."""

from __future__ import annotations

from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal, TypeAlias

import polars as pl
from pydantic import (
    BaseModel,
    ConfigDict,
    Discriminator,
    Field,
    Tag,
    model_validator,
)

from commonweal.errors import DataError, UnknownNameError
from commonweal.files.inputs import read_keys, read_text
from commonweal.files.schema import checked

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from importlib.resources.abc import Traversable
    from pathlib import Path

    from commonweal.sources import Store


Text = Annotated[str, Field(min_length=1)]


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class _Told(_Frozen):
    where: Text
    group: str = ""
    survey: str = ""
    unit: str = ""
    verified: bool
    note: str = ""


class NationalFigure(_Told):
    """A published figure.

    Attributes
    ----------
    value, change
        One of the two: a level in the unit, or a change since `since` in percentage points.
    low, high
        Ends of the published 95% interval, where there is one.
    when, since
        The year or years that it describes, and for a change where it starts.
    where, group
        The country or region, and whom there; everyone if not given.
    survey, unit
        Where they are not the headline's.
    work
        The work of the evidence library that states it.
    source
        Or the source of the catalogue that it was read from.
    verified
        Whether the figure was read on the publisher's page.
    note
        A caution.
    """

    value: float | None = None
    change: float | None = None
    low: float | None = None
    high: float | None = None
    when: Text
    since: str = ""
    work: str = ""
    source: str = ""

    @model_validator(mode="after")
    def _level_or_change(self) -> NationalFigure:
        if (self.value is None) == (self.change is None):
            raise ValueError("expected exactly one of 'value' and 'change'")
        if (self.change is None) == bool(self.since):
            raise ValueError("'since' goes with 'change', which needs it")
        if not (self.work or self.source):
            raise ValueError("expected 'work', the id of the work that states it")
        return self


class FigureSeries(_Told):
    """Figures by year that a source of the catalogue holds."""

    source: Text
    # column, when_column: the columns of the figure and of the year
    column: Text
    when_column: Text
    # low, high: the columns of the ends of its 95% interval; none if not given
    low: str = ""
    high: str = ""
    only: dict[str, str] = Field(default_factory=dict)  # which rows: the value of each column named


def _kind(given: Any) -> str:
    """Decide by its keys which of the two a figure is, so that a fault is told for that one."""
    column = given.get("column") if isinstance(given, dict) else getattr(given, "column", None)
    return "figure" if column is None else "series"


_AnyFigure: TypeAlias = Annotated[
    Annotated[NationalFigure, Tag("figure")] | Annotated[FigureSeries, Tag("series")],
    Discriminator(_kind),
]


class Headline(_Frozen):
    """One thing that is measured."""

    BRANCHES: ClassVar = {"figures": ("figure", "series")}
    """Names of a union's parts, which are no keys of the file."""

    # id, name: its key, and its name for readers
    id: str
    domain: str
    name: Text
    question: Text  # what people are asked, in our own words
    survey: Text  # the survey that asks it
    unit: Text  # such as ``% of adults``
    # ``more`` if a higher value means more social capital, ``less`` if it means less
    higher_is: Literal["more", "less"]
    # whether wording, survey and place in the list were read in the publisher's own list
    verified: bool = False
    check: str = ""
    # national figures: published ones, or where a source holds them
    figures: tuple[_AnyFigure, ...] = ()

    @property
    def published(self) -> tuple[NationalFigure, ...]:
        """The figures that are stated here."""
        return tuple(f for f in self.figures if isinstance(f, NationalFigure))

    @property
    def series(self) -> tuple[FigureSeries, ...]:
        """The figures that a source holds."""
        return tuple(f for f in self.figures if isinstance(f, FigureSeries))


class Domain(_Frozen):
    """A group of headlines: `id`, `name`, what it is `about`, and the `headlines` in order."""

    id: str
    name: Text
    about: Text
    headlines: tuple[Headline, ...]


class Framework(_Frozen):
    """What social capital is measured by.

    Attributes
    ----------
    id, order, name, publisher, about
        Its key, its place among the frameworks, and what readers are told of it.
    kind
        What one thing that is measured is called: ``headline indicator``, ``thread``.
    work
        The work of the evidence library that sets it out.
    verified, check
        Whether the list was read in the publisher's own list, and what was checked.
    domains
        In order.
    """

    id: str
    order: int
    name: Text
    publisher: Text
    about: Text
    kind: Text
    work: Text
    verified: bool
    check: Text
    domains: tuple[Domain, ...]

    @property
    def headlines(self) -> Mapping[str, Headline]:
        """Every headline by its id, in order."""
        return {h.id: h for domain in self.domains for h in domain.headlines}

    def headline(self, id_: str) -> Headline:
        """Give one headline.

        Raises
        ------
        UnknownNameError
            If there is none of that id; the message names the nearest.
        """
        known = self.headlines
        if id_ not in known:
            raise UnknownNameError("headline", id_, known, f" in the framework '{self.id}'")
        return known[id_]


def shipped_frameworks() -> dict[str, Framework]:
    """Give the frameworks that ship by id: ``ons`` and ``onward``."""
    folder = resources.files(__package__) / "frameworks"
    found = [_read(file) for file in folder.iterdir() if file.name.endswith(".yaml")]
    return {f.id: f for f in sorted(found, key=lambda f: f.order)}


def load_framework(which: str | Path = "ons") -> Framework:
    """Read a framework.

    Parameters
    ----------
    which
        The id of one that ships, or the path of a YAML file of one's own.

    Raises
    ------
    UnknownNameError
        If none of that id ships; the message names the nearest.
    DataError
        If the file is malformed; the message names the file, the headline and the field.

    Examples
    --------
    >>> ons = load_framework()
    >>> [domain.name for domain in ons.domains]  # doctest: +NORMALIZE_WHITESPACE
    ['Personal relationships', 'Social network support', 'Civic engagement',
     'Trust and cooperative norms']
    >>> ons.headline("lonely").higher_is, ons.verified
    ('less', False)
    """
    if isinstance(which, str):
        known = resources.files(__package__) / "frameworks"
        ids = [f.name.removesuffix(".yaml") for f in known.iterdir() if f.name.endswith(".yaml")]
        if which not in ids:
            raise UnknownNameError("framework", which, ids)
        return _shipped(which)
    return _read(which)


@cache
def _shipped(id_: str) -> Framework:
    return _read(resources.files(__package__) / "frameworks" / f"{id_}.yaml")


def _read(file: Traversable | Path) -> Framework:
    content = read_keys(read_text(file), file.name, "title, domains")
    domains = content.get("domains")
    if not isinstance(domains, dict) or not domains:
        raise DataError(f"{file.name}: expected 'domains', a mapping by id")
    read: list[Domain] = []
    home: dict[str, str] = {}
    for key, entry in domains.items():
        items = entry.get("items") if isinstance(entry, dict) else None
        if not isinstance(items, dict) or not items:
            raise DataError(f"{file.name}: domain '{key}': expected 'items', a mapping by id")
        headlines = []
        for id_, fields in items.items():
            where = f"{file.name}: headline '{id_}'"
            if id_ in home:
                raise DataError(f"{where} is already in '{home[id_]}'; an id may occur once")
            if not isinstance(fields, dict):
                raise DataError(f"{where}: expected keys with values, found {fields!r}")
            home[id_] = key
            headlines.append(checked(Headline, {**fields, "id": id_, "domain": key}, where))
        rest = {k: v for k, v in entry.items() if k != "items"}
        where = f"{file.name}: domain '{key}'"
        read.append(checked(Domain, {**rest, "id": key, "headlines": tuple(headlines)}, where))
    name = file.name.removesuffix(".yaml")
    return checked(Framework, {**content, "id": name, "domains": tuple(read)}, file.name)


def national_figures(headline: Headline, store: Store) -> tuple[NationalFigure, ...]:
    """Give the national figures of a headline, its levels by year and then its changes."""
    found = [*headline.published, *(f for s in headline.series for f in read_series(s, store))]
    return tuple(sorted(found, key=lambda f: (f.value is None, f.when)))


def figures_of(framework: Framework, store: Store) -> dict[str, tuple[NationalFigure, ...]]:
    """Give the national figures of every headline of a framework by its id, as `national_figures`."""
    return {h.id: national_figures(h, store) for h in framework.headlines.values()}


def read_series(series: FigureSeries, store: Store) -> tuple[NationalFigure, ...]:
    """Read the figures of each year from the source that holds them; years without one are left out."""
    table = store.table(series.source)
    ends = [column for column in (series.low, series.high) if column]
    for column in (series.column, series.when_column, *ends, *series.only):
        if column not in table.columns:
            raise UnknownNameError("column", column, table.columns, f" in source {series.source}")
    for column, value in series.only.items():
        table = table.filter(pl.col(column).cast(pl.String) == value)
    if table.is_empty():
        wanted = ", ".join(f"{column} = {value}" for column, value in series.only.items())
        raise DataError(f"source {series.source}: found no row; expected some with {wanted}")
    told = series.model_dump(include={"where", "group", "survey", "unit", "verified", "note"})
    rows = table.select(
        when=pl.col(series.when_column).cast(pl.String),
        value=pl.col(series.column).cast(pl.Float64),
        low=pl.col(series.low).cast(pl.Float64) if series.low else None,
        high=pl.col(series.high).cast(pl.Float64) if series.high else None,
    ).drop_nulls("value")
    return tuple(
        NationalFigure(**told, source=series.source, **row) for row in rows.iter_rows(named=True)
    )


def latest(figures: Iterable[NationalFigure]) -> tuple[NationalFigure, ...]:
    """Choose what stands beside a place: the newest level of everyone.

    Where there is none, the newest levels of groups, and where there is none of these either, the newest
    changes.

    Examples
    --------
    >>> from commonweal.social_capital import load_framework
    >>> [(f.value, f.when) for f in latest(load_framework().headline("belongs").published)]
    [(65.0, '2020/21')]
    """
    given = list(figures)
    levels = [f for f in given if f.value is not None]
    best = [f for f in levels if not f.group] or levels or given
    newest = max((f.when for f in best), default="")
    return tuple(f for f in best if f.when == newest)
