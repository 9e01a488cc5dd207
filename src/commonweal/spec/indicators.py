"""The indicators of a study: where each number comes from, and what it means."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, Literal, TypeAlias

import polars as pl
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
    """The counts that a rate was made from: it is `per` times `events` over `base`."""

    # events, base: the columns of how often it happened, and of how many (or in how much time or space)
    events: str = Field(min_length=1)
    base: str = Field(min_length=1)
    # what the rate is out of, such as 1000
    per: float = Field(default=1, gt=0, allow_inf_nan=False)
    # ``binomial``: each of the base has it or not. ``poisson``: it can happen to one again.
    law: Literal["binomial", "poisson"] = "poisson"


class DecaySpec(_Part):
    """How much less a place counts the farther it is (docs/methods/access.md)."""

    law: Literal["exponential", "gaussian", "power"]  # ``exponential``, ``gaussian`` or ``power``
    half_at_m: float = Field(gt=0, le=100_000)  # metres at which a place counts half
    # with ``power``: metres up to which it counts whole
    floor_m: float = Field(default=0, ge=0, le=100_000)

    @model_validator(mode="after")
    def _floor_of_a_power(self) -> DecaySpec:
        if (self.law == "power") != (self.floor_m > 0):
            raise FieldError("goes with 'power', which needs one above 0", "floor_m")
        if self.floor_m >= self.half_at_m:
            raise FieldError(f"expected less than 'half_at_m' ({self.half_at_m:g})", "floor_m")
        return self


class ReachSpec(_Part):
    """What people can reach from where they live (docs/methods/access.md)."""

    # kinds or groups of places, as the taxonomy names them
    to: tuple[str, ...] = Field(min_length=1)
    # ``nearest``: metres to the nearest, or to the `k`-th. ``count``: how many within a walk. ``variety``: how many
    # kinds. ``decay``: places that count the less the farther they are. ``catchment``: places shared by the people who
    # can reach them.
    measure: Literal["nearest", "count", "variety", "decay", "catchment"]
    k: int = Field(default=1, ge=1, le=100)  # with ``nearest``: which one
    # within_m, minutes: how far, in metres or in minutes of walking; one of the two
    within_m: float | None = Field(default=None, gt=0, le=100_000)
    minutes: float | None = Field(default=None, gt=0, le=600)
    # with ``decay`` and ``catchment``: how much less a place counts the farther it is
    decay: DecaySpec | None = None
    # with ``catchment``: places for so many people
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
    """What a timetable (GTFS) offers near where people live (docs/methods/timetables.md)."""

    date: date  # the day, such as 2023-06-14
    # ``stops``: how many within `within_m`. ``departures``: how many an hour in `band`.
    measure: Literal["stops", "departures"]
    band: str = "day"  # the time band; the whole day if not given
    within_m: float = Field(default=400, gt=0, le=10_000)  # how far people walk to a stop

    @model_validator(mode="after")
    def _band_of_departures(self) -> TimetableSpec:
        if self.measure == "stops" and self.band != "day":
            raise FieldError("goes with departures, not 'stops'", "band")
        return self


class CompleteSpec(FileOrSource):
    """How whole a count has to be: where it falls short of a total, it is missing."""

    # column, code: its columns of totals and of codes
    column: str = ""
    code: str = ""
    # in their place, another indicator of the study, such as the same count of another year: the totals are its sums
    of: str = ""
    # in place of both, a pattern of the postcode districts that were lost before the rows were counted
    lost_postcodes: str = ""
    areas: str = ""  # the larger areas that the totals are of; none with `lost_postcodes`
    # the share of a total that the areas inside have to add up to, or of its postcodes that an area has to keep
    at_least: float = Field(gt=0, le=1)

    @field_validator("lost_postcodes")
    @classmethod
    def _a_pattern(cls, pattern: str) -> str:
        try:
            pl.select(pl.lit("").str.contains(pattern))
        except pl.exceptions.ComputeError:
            raise ValueError(f"'{pattern}' is no pattern; expected such as [A-Z][0-9]") from None
        return pattern

    @model_validator(mode="after")
    def _one(self) -> CompleteSpec:
        table = self.file or self.source or self.column or self.code
        if self.lost_postcodes:
            if self.of or self.areas or table:
                raise ValueError("'lost_postcodes' goes alone, with 'at_least'")
            return self
        if not self.areas:
            raise FieldError("needed; expected the larger areas that the totals are of", "areas")
        if self.of and (self.file or self.source or self.column or self.code):
            raise ValueError("'of' names an indicator; it goes without a table and its columns")
        if not self.of:
            _check_table(self)
            if not self.column:
                raise ValueError("expected 'column', the table's totals, or 'of', an indicator")
        return self


class IndicatorSpec(_Table):
    """Where one number per area comes from, and what it means."""

    # file, source: as in `FileOrSource`; with a panel, a file or a source for each year if they differ
    file: Annotated[ByYear, BeforeValidator(file_name)] = ""
    source: ByYear = ""
    # the column with the value; with a panel, one for each year of a wide table
    column: ByYear = ""
    # in its place, an expression (SQL) over the table's columns; without a table, over other indicators of the study
    formula: str = ""
    reach: ReachSpec | None = None  # in place of both, what people can reach
    # in place of all three, what a timetable offers near where people live
    timetable: TimetableSpec | None = None
    # the area system that it is measured on, where it is not the index's: it is carried over
    areas: str = ""
    add: bool = False  # whether rows of the same area are added up
    # per, out_of: divide by residents or another indicator; the rate is `out_of` times that
    per: str = ""
    out_of: float = Field(default=1, gt=0, allow_inf_nan=False)
    shrink: str = ""  # of a rate: the larger area whose rate a small one's is drawn towards
    complete: CompleteSpec | None = None  # of a count: how whole it has to be
    year: str = ""  # with a panel: the column with the year of a long table
    code: str = ""  # the column with the area code; the first that looks like one if not given
    label: str = ""
    unit: str = ""
    vintage: str = ""
    # about, why, note: for readers, in a sentence or two: what it is, why it counts, what to beware of
    about: str = ""
    why: str = ""
    note: str = ""
    cites: tuple[str, ...] = ()  # works of the evidence library that bear `why` out, by id
    # whether it is estimated by a model from the kind of area, and not counted or measured there: every output says so
    synthetic: bool = False
    # ``more`` if a higher value means more need, ``less`` if it means less
    higher_is: Literal["more", "less"]
    # the column with the value's standard error; with a panel, one for each year of a wide table
    standard_error: ByYear = ""
    # the columns with the counts that a rate was made from; not with a panel
    counts: CountsSpec | None = None
    # the share of areas with a value that an index accepts of it, such as ``10%``; 65% if not given
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

    def named(self, key: Literal["file", "source"]) -> list[str]:
        """Names of the files beside the study, or of the sources, of every year."""
        own = getattr(self, key)
        more = [getattr(part, key) for part in (self.timetable, self.complete) if part is not None]
        return [*(own.values() if isinstance(own, dict) else [own]), *more]


class AccessSpec(_Part):
    """How reach is measured in a study."""

    # the area system whose points people set out from; on areas of one's own, those. With ``postcodes`` they set out
    # from each postcode in them, and an area gets the mean.
    origins: str = ""
    # registers of places; if not given all that ship, and none where no area lies in the United Kingdom
    registers: tuple[str, ...] | None = None
    # tables of places of one's own, with coordinates or postcodes
    points: tuple[FileOrSource, ...] = ()
    # OpenStreetMap extracts (PBF): places and streets are taken from them
    maps: tuple[WholeFile, ...] = ()
    # where there is no street: how much longer than a straight line a walk is. On four maps the median is 1.6 for
    # lines of 100 to 300 m, 1.3 for 1 to 2 km and 1.2 beyond (``benchmarks/detour.py``).
    detour: float = Field(default=1.3, ge=1, le=5)
    # how far from the nearest street a place or a home may be to be on it
    snap_m: float = Field(default=500, gt=0, le=10_000)

    def files(self) -> list[str]:
        """Names of the files beside the study."""
        return [*(table.file for table in self.points), *(file.file for file in self.maps)]
