"""The indicators of a study: where each number comes from, and what it means."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import BeforeValidator, Field, field_validator, model_validator

from commonweal.files.inputs import name_value, quote_hint
from commonweal.files.schema import FieldError
from commonweal.spec.data import FileOrSource, WholeFile, _check_table, _Part, _Table, file_name


def _by_year(given: Any) -> Any:
    if isinstance(given, str):
        return given
    if isinstance(given, dict) and given and all(isinstance(v, str) and v for v in given.values()):
        years = {str(year): name for year, name in given.items()}
        if all(year.isdigit() for year in years):
            return {int(year): name for year, name in years.items()}
    found = f"found {name_value(given) if isinstance(given, int | float) else 'something else'}"
    raise ValueError(
        f"{found}; expected text, or one for each year: {{2019: ..., 2024: ...}}{quote_hint(given)}"
    )


ByYear: TypeAlias = Annotated[str | dict[int, str], BeforeValidator(_by_year)]
"""One name, or with a panel one for each year."""


def _share(given: Any) -> Any:
    if isinstance(given, str) and given.strip().endswith("%"):
        try:
            return float(given.strip().removesuffix("%")) / 100
        except ValueError:
            pass
    if isinstance(given, bool | str):
        raise ValueError(f"found {given!r}; expected a share such as 10%")
    return given


class CountsSpec(_Part):
    """The counts that a rate was made from: it is `per` times `events` over `base`.

    Attributes
    ----------
    events, base
        The columns of how often it happened, and of how many (or in how much time or space).
    per
        What the rate is out of, such as 1000.
    law
        ``binomial``: each of the base has it or not. ``poisson``: it can happen to one again.
    """

    events: str = Field(min_length=1)
    base: str = Field(min_length=1)
    per: float = Field(default=1, gt=0, allow_inf_nan=False)
    law: Literal["binomial", "poisson"] = "poisson"


class DecaySpec(_Part):
    """How much less a place counts the farther it is (docs/methods/access.md).

    Attributes
    ----------
    law
        ``exponential``, ``gaussian`` or ``power``.
    half_at_m
        Metres at which a place counts half.
    floor_m
        With ``power``: metres up to which it counts whole.
    """

    law: Literal["exponential", "gaussian", "power"]
    half_at_m: float = Field(gt=0, le=100_000)
    floor_m: float = Field(default=0, ge=0, le=100_000)

    @model_validator(mode="after")
    def _floor_of_a_power(self) -> DecaySpec:
        if (self.law == "power") != (self.floor_m > 0):
            raise FieldError("goes with 'power', which needs one above 0", "floor_m")
        if self.floor_m >= self.half_at_m:
            raise FieldError(f"expected less than 'half_at_m' ({self.half_at_m:g})", "floor_m")
        return self


class ReachSpec(_Part):
    """What people can reach from where they live (docs/methods/access.md).

    Attributes
    ----------
    to
        Kinds or groups of places, as the taxonomy names them.
    measure
        ``nearest``: metres to the nearest, or to the `k`-th. ``count``: how many within a walk.
        ``variety``: how many kinds. ``decay``: places that count the less the farther they are.
        ``catchment``: places shared by the people who can reach them.
    k
        With ``nearest``: which one.
    within_m, minutes
        How far, in metres or in minutes of walking; one of the two.
    decay
        With ``decay`` and ``catchment``: how much less a place counts the farther it is.
    out_of
        With ``catchment``: places for so many people.
    """

    to: tuple[str, ...] = Field(min_length=1)
    measure: Literal["nearest", "count", "variety", "decay", "catchment"]
    k: int = Field(default=1, ge=1, le=100)
    within_m: float | None = Field(default=None, gt=0, le=100_000)
    minutes: float | None = Field(default=None, gt=0, le=600)
    decay: DecaySpec | None = None
    out_of: float = Field(default=1, gt=0, allow_inf_nan=False)

    @field_validator("to", mode="before")
    @classmethod
    def _one_or_several(cls, value: Any) -> Any:
        return [value] if isinstance(value, str) else value

    @model_validator(mode="after")
    def _settings_are_used(self) -> ReachSpec:
        if self.within_m is not None and self.minutes is not None:
            raise ValueError("found both 'within_m' and 'minutes'; expected one of them")
        limited = self.within_m is not None or self.minutes is not None
        if self.measure != "nearest" and not limited:
            raise ValueError(f"'{self.measure}' needs 'within_m' or 'minutes'")
        for key, fits in (
            ("k", ("nearest",)),
            ("decay", ("decay", "catchment")),
            ("out_of", ("catchment",)),
        ):
            used = getattr(self, key) != type(self).model_fields[key].default
            if used and self.measure not in fits:
                raise FieldError(f"goes with {' or '.join(fits)}, not '{self.measure}'", key)
        if self.measure == "decay" and not self.decay:
            raise FieldError("needed; expected such as {law: exponential, half_at_m: 400}", "decay")
        return self


class TimetableSpec(WholeFile):
    """What a timetable (GTFS) offers near where people live (docs/methods/timetables.md).

    Attributes
    ----------
    file, source
        The feed: a file beside the study, or a source of the catalogue.
    date
        The day, such as 2023-06-14.
    measure
        ``stops``: how many within `within_m`. ``departures``: how many an hour in `band`.
    band
        The time band; the whole day if not given.
    within_m
        How far people walk to a stop.
    """

    date: date
    measure: Literal["stops", "departures"]
    band: str = "day"
    within_m: float = Field(default=400, gt=0, le=10_000)

    @model_validator(mode="after")
    def _band_of_departures(self) -> TimetableSpec:
        if self.measure == "stops" and self.band != "day":
            raise FieldError("goes with departures, not 'stops'", "band")
        return self


class CompleteSpec(FileOrSource):
    """How whole a count has to be: where it falls short of a total, it is missing.

    Attributes
    ----------
    file, source
        The table with the totals.
    column, code
        Its columns of totals and of codes.
    of
        In their place, another indicator of the study, such as the same count of another year: the
        totals are its sums.
    areas
        The larger areas that the totals are of.
    at_least
        The share of a total that the areas inside have to add up to.
    """

    column: str = ""
    code: str = ""
    of: str = ""
    areas: str
    at_least: float = Field(gt=0, le=1)

    @model_validator(mode="after")
    def _one(self) -> CompleteSpec:
        if self.of and (self.file or self.source or self.column or self.code):
            raise ValueError("'of' names an indicator; it goes without a table and its columns")
        if not self.of:
            _check_table(self)
            if not self.column:
                raise ValueError("expected 'column', the table's totals, or 'of', an indicator")
        return self


class IndicatorSpec(_Table):
    """Where one number per area comes from, and what it means.

    Attributes
    ----------
    file, source
        As in `FileOrSource`; with a panel, a file or a source for each year if they differ.
    column
        The column with the value; with a panel, one for each year of a wide table.
    formula
        In its place, an expression (SQL) over the table's columns; without a table, over other
        indicators of the study.
    reach
        In place of both, what people can reach.
    timetable
        In place of all three, what a timetable offers near where people live.
    areas
        The area system that it is measured on, where it is not the index's: it is carried over.
    add
        Whether rows of the same area are added up.
    per, out_of
        Divide by residents or another indicator; the rate is `out_of` times that.
    shrink
        Of a rate: the larger area whose rate a small one's is drawn towards.
    complete
        Of a count: how whole it has to be.
    year
        With a panel: the column with the year of a long table.
    code
        The column with the area code; the first that looks like one if not given.
    label, unit, vintage
        For readers.
    synthetic
        Whether it is estimated by a model from the kind of area, and not counted or measured there:
        every output says so.
    about, why, note
        For readers, in a sentence or two: what it is, why it counts, what to beware of.
    cites
        Works of the evidence library that bear `why` out, by id.
    higher_is
        ``more`` if a higher value means more need, ``less`` if it means less.
    standard_error
        The column with the value's standard error; with a panel, one for each year of a wide table.
    counts
        The columns with the counts that a rate was made from; not with a panel.
    coverage
        The share of areas with a value that an index accepts of it, such as ``10%``; 65% if not given.
    """

    file: Annotated[ByYear, BeforeValidator(file_name)] = ""
    source: ByYear = ""
    column: ByYear = ""
    formula: str = ""
    reach: ReachSpec | None = None
    timetable: TimetableSpec | None = None
    areas: str = ""
    add: bool = False
    per: str = ""
    out_of: float = Field(default=1, gt=0, allow_inf_nan=False)
    shrink: str = ""
    complete: CompleteSpec | None = None
    year: str = ""
    code: str = ""
    label: str = ""
    unit: str = ""
    vintage: str = ""
    about: str = ""
    why: str = ""
    note: str = ""
    cites: tuple[str, ...] = ()
    synthetic: bool = False
    higher_is: Literal["more", "less"]
    standard_error: ByYear = ""
    counts: CountsSpec | None = None
    coverage: Annotated[float, BeforeValidator(_share), Field(gt=0, lt=1)] | None = None

    @model_validator(mode="after")
    def _one(self) -> IndicatorSpec:
        ways = [k for k in ("column", "formula", "reach", "timetable") if getattr(self, k)]
        if len(ways) != 1:
            found = " and ".join(f"'{way}'" for way in ways) or "none"
            raise ValueError(
                f"found {found}; expected exactly one of 'column', 'formula', 'reach' and 'timetable'"
            )
        if ways[0] in ("reach", "timetable") and self.reads:
            raise FieldError("goes with 'column' or 'formula'", "file" if self.file else "source")
        if ways[0] == "column" or self.reads:
            _check_table(self)
        elif self.code or self.add or self.settings():
            raise ValueError("'code', 'add' and how to read go with a table")
        return self

    @model_validator(mode="after")
    def _of_one_year(self) -> IndicatorSpec:
        if self.counts and (self.year or self.stated):
            raise FieldError("goes with an indicator of one year", "counts")
        if self.made:
            for key in ("counts", "standard_error", "year"):
                if getattr(self, key):
                    raise FieldError("goes with a column that is taken as it is", key)
            if self.stated:
                raise FieldError("goes with an indicator of one year", next(iter(self.stated)))
        for key, needs in (("shrink", "per"), ("out_of", "per")):
            if getattr(self, key) != type(self).model_fields[key].default and not self.per:
                raise FieldError(f"goes with '{needs}', which makes a rate of a count", key)
        return self

    @property
    def made(self) -> bool:
        """Whether it is computed, or carried from other areas, not only read."""
        return bool(
            not self.column or self.areas or self.add or self.per or self.complete is not None
        )

    @property
    def stated(self) -> dict[str, list[int]]:
        """By key that states something for each year, the years."""
        values = {key: getattr(self, key) for key in ("file", "source", "column", "standard_error")}
        return {key: list(value) for key, value in values.items() if isinstance(value, dict)}

    def of(self, key: Literal["file", "source", "column", "standard_error"], year: int = 0) -> str:
        """Give what a key says for a year; nothing if it says none for it."""
        value = getattr(self, key)
        return str(value if isinstance(value, str) else value.get(year, ""))

    @property
    def reads(self) -> bool:
        """Whether it has a table of its own."""
        return bool(self.file or self.source)

    def table(self, year: int = 0) -> FileOrSource:
        """Give the table of a year."""
        return FileOrSource(
            file=self.of("file", year), source=self.of("source", year), **self.settings()
        )

    def files(self) -> list[str]:
        """Names of the files beside the study, of every year."""
        own = list(self.file.values()) if isinstance(self.file, dict) else [self.file]
        more = [part.file for part in (self.timetable, self.complete) if part is not None]
        return [*own, *more]


class AccessSpec(_Part):
    """How reach is measured in a study.

    Attributes
    ----------
    origins
        The area system whose points people set out from; on areas of one's own, those. With
        ``postcodes`` they set out from each postcode in them, and an area gets the mean.
    registers
        Registers of places; if not given all that ship, and none where no area lies in the United Kingdom.
    points
        Tables of places of one's own, with coordinates or postcodes.
    maps
        OpenStreetMap extracts (PBF): places and streets are taken from them.
    detour
        Where there is no street: how much longer than a straight line a walk is. On four maps the
        median is 1.6 for lines of 100 to 300 m, 1.3 for 1 to 2 km and 1.2 beyond
        (``benchmarks/detour.py``).
    snap_m
        How far from the nearest street a place or a home may be to be on it.
    """

    origins: str = ""
    registers: tuple[str, ...] | None = None
    points: tuple[FileOrSource, ...] = ()
    maps: tuple[WholeFile, ...] = ()
    detour: float = Field(default=1.3, ge=1, le=5)
    snap_m: float = Field(default=500, gt=0, le=10_000)

    def files(self) -> list[str]:
        """Names of the files beside the study."""
        return [*(table.file for table in self.points), *(file.file for file in self.maps)]
