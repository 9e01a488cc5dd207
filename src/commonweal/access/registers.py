"""Registers of places: libraries, schools, museums, stations, pubs. What each holds is data."""

from __future__ import annotations

from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Annotated

import polars as pl
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from commonweal.access.places import (
    LEFT_OUT,
    Places,
    Taxonomy,
    join_places,
    load_taxonomy,
    make_places,
    read_model,
)
from commonweal.access.postcodes import Postcodes, load_postcodes, place_postcodes
from commonweal.errors import DataError, UnknownNameError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from commonweal.access.distance import Points
    from commonweal.sources import Store
    from commonweal.sources.store import Progress

UNITED_KINGDOM = {"longitude": (-8.7, 1.8), "latitude": (49.8, 60.9)}
"""Degrees; the grid's own zero point, a common slip, lies outside."""


def in_united_kingdom(points: Points) -> bool:
    """Whether any of some points lies in the United Kingdom, roughly: in the box about it."""
    (west, east), (south, north) = UNITED_KINGDOM["longitude"], UNITED_KINGDOM["latitude"]
    x, y = points.longitude, points.latitude
    return bool(((x >= west) & (x <= east) & (y >= south) & (y <= north)).any())


class _Data(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


def _is_pattern(text: str) -> str:
    """Refuse what the engine that looks for it cannot read."""
    try:
        pl.select(pl.lit("").str.contains(text))
    except pl.exceptions.ComputeError:
        raise ValueError(f"'{text}' is not a regular expression that can be read") from None
    return text


_Pattern = Annotated[str, AfterValidator(_is_pattern)]
_Column = Annotated[str, Field(min_length=1)]


class _Test(_Data):
    """Conditions on a row, all of which have to hold; without any it always does."""

    where: dict[_Column, tuple[str, ...]] = {}
    matches: dict[_Column, _Pattern] = {}
    unless: dict[_Column, tuple[str, ...]] = {}

    def holds(self) -> pl.Expr:
        """Whether a row passes."""
        tests = [_text(c).is_in(v) for c, v in self.where.items()]
        tests += [_text(c).str.contains(p) for c, p in self.matches.items()]
        tests += [~_text(c).is_in(v) for c, v in self.unless.items()]
        return pl.all_horizontal(tests) if tests else pl.lit(True)

    def columns(self) -> set[str]:
        """Which columns it looks at."""
        return {*self.where, *self.matches, *self.unless}


class _Drop(_Test):
    """What is left out, and why."""

    reason: str
    why: str
    closed_name: bool = False


class _KindOf(_Test):
    """What a row is; the first that holds."""

    kind: str


class Register(_Data):
    """How a source becomes places."""

    title: str  # what it is, for readers
    covers: str  # where it stops: a place beyond is missing from it, whether there or not
    # id, name: columns; the number of the row is the id if not given
    id: str = ""
    name: str = Field(min_length=1)
    # longitude, latitude: columns of degrees, WGS 84
    longitude: str = ""
    latitude: str = ""
    postcode: str = ""  # column; it gives the position where there are no coordinates
    drop: tuple[_Drop, ...] = ()  # what is left out, in order
    kinds: tuple[_KindOf, ...] = Field(min_length=1)  # what is what, in order
    # whether a map is trusted more, as it is what the register was made from
    after_maps: bool = False

    @model_validator(mode="after")
    def _has_position(self) -> Register:
        if bool(self.longitude) != bool(self.latitude):
            raise ValueError("give both longitude and latitude, or neither")
        if not (self.longitude or self.postcode):
            raise ValueError("give longitude and latitude, or postcode")
        return self

    def columns(self) -> list[str]:
        """Which columns of the source it needs."""
        said = [self.id, self.name, self.longitude, self.latitude, self.postcode]
        tested = sorted(set().union(*(t.columns() for t in (*self.drop, *self.kinds))))
        return list(dict.fromkeys(c for c in (*said, *tested) if c))


class _Registers(_Data):
    registers: dict[str, Register]


@cache
def load_registers() -> dict[str, Register]:
    """Read how registers become places, by the id of their source."""
    file = resources.files(__package__) / "registers.yaml"
    return read_model(file.name, file.read_text("utf-8"), _Registers).registers


def read_registers(
    store: Store,
    ids: Iterable[str] | None = None,
    taxonomy: Taxonomy | None = None,
    postcodes: Postcodes | None = None,
    progress: Progress | None = None,
) -> Places:
    """Read several registers, all if not said which.

    The same place in two of them stays twice: see `commonweal.access.conflation`.
    """
    asked = list(load_registers() if ids is None else ids)
    parts = []
    for done, id_ in enumerate(asked):
        if progress:
            progress("reading registers", done, len(asked))
        parts.append(read_register(id_, store, taxonomy, postcodes))
    return join_places(parts)


def read_register(
    id: str,  # noqa: A002 - what the catalogue calls it
    store: Store,
    taxonomy: Taxonomy | None = None,
    postcodes: Postcodes | None = None,
) -> Places:
    """Read a register as places, with an account of what was left out.

    The account has the register's own reasons, and ``twice`` (its id came before), ``no kind``, ``no place`` (neither
    coordinates nor a known postcode, or coordinates outside the United Kingdom).
    """
    known = load_registers()
    if id not in known:
        raise UnknownNameError("register", id, known)
    register, kinds = known[id], taxonomy or load_taxonomy()
    rows = store.table(id, register.columns())
    if register.postcode and not register.longitude and postcodes is None:
        postcodes = load_postcodes(cache=store.cache)
    return places_of(rows, id, register, kinds, postcodes)


def places_of(
    rows: pl.DataFrame,
    source: str,
    register: Register,
    taxonomy: Taxonomy,
    postcodes: Postcodes | None = None,
) -> Places:
    """Make places of the rows of a register; see `read_register`."""
    lost = {k.kind for k in register.kinds} - taxonomy.kinds.keys()
    if lost:
        raise DataError(
            f"register '{source}' holds the kind '{min(lost)}', which is not in the taxonomy "
            f"'{taxonomy.title}'"
        )
    number = pl.col(register.id) if register.id else pl.int_range(1, pl.len() + 1)
    if register.id and rows[register.id].dtype.is_float():
        whole = pl.when(number == number.floor()).then(number.cast(pl.Int64, strict=False))
        number = pl.coalesce(whole.cast(pl.String), number.cast(pl.String))
    drops = [_holds(d, register, taxonomy) for d in register.drop]
    table = rows.select(
        id=pl.lit(source + ":") + number.cast(pl.String),
        name=pl.col(register.name).cast(pl.String).str.strip_chars(),
        source=pl.lit(source),
        kind=_first([k.holds() for k in register.kinds], [k.kind for k in register.kinds]),
        reason=_first(drops, [d.reason for d in register.drop]),
        detail=_first(drops, [d.why for d in register.drop]),
    ).hstack(_positions(rows, source, register, postcodes))
    inside = pl.all_horizontal(pl.col(c).is_between(*ends) for c, ends in UNITED_KINGDOM.items())
    problems = {
        "twice": (~pl.col("id").is_first_distinct(), pl.lit("its id is there before")),
        "no kind": (pl.col("kind").is_null(), pl.lit("fits no kind of the taxonomy")),
        "no place": (pl.col("longitude").is_null(), pl.col("nowhere")),
        "outside": (~inside.fill_null(True), pl.lit("coordinates outside the United Kingdom")),
    }
    for reason, (fault, detail) in problems.items():
        new = pl.col("reason").is_null() & fault
        table = table.with_columns(
            detail=pl.when(new).then(detail).otherwise("detail"),
            reason=pl.when(new).then(pl.lit(reason)).otherwise("reason"),
        )
    out = table.filter(pl.col("reason").is_not_null()).select(LEFT_OUT.keys())
    return make_places(
        table.filter(pl.col("reason").is_null()), taxonomy, out, {source: len(table)}
    )


def _first(tests: list[pl.Expr], words: list[str]) -> pl.Expr:
    """Give the word of the first test that holds; null if none does."""
    said = [pl.when(test).then(pl.lit(word)) for test, word in zip(tests, words, strict=True)]
    return pl.coalesce(*said, pl.lit(None, pl.String))


def _positions(
    rows: pl.DataFrame, source: str, register: Register, postcodes: Postcodes | None
) -> pl.DataFrame:
    """Give longitude, latitude, postcode and, where there is no position, what is the matter."""
    schema = {"postcode": pl.String, "longitude": pl.Float64, "latitude": pl.Float64}
    if register.longitude:
        return rows.select(
            longitude=_degrees(rows[register.longitude], source),
            latitude=_degrees(rows[register.latitude], source),
            postcode=pl.col(register.postcode).cast(pl.String)
            if register.postcode
            else pl.lit(None, pl.String),
            nowhere=pl.lit("no coordinates"),
        ).with_columns(longitude=pl.when(pl.col("latitude").is_not_null()).then("longitude"))
    if postcodes is None:
        raise DataError(f"'{register.title}' is placed by postcode; expected a directory of them")
    return place_postcodes(rows[register.postcode].cast(pl.String), postcodes).select(
        *schema, nowhere=pl.lit("postcode: ") + pl.col("status")
    )


def _degrees(column: pl.Series, source: str) -> pl.Series:
    """Give a column of coordinates as numbers, null where there is none."""
    found = column.cast(pl.Float64, strict=False)
    wrong = found.is_null() & column.is_not_null()
    if wrong.any():
        row = int(wrong.arg_true()[0])
        raise DataError(
            f"register '{source}': column '{column.name}' has '{column[row]}' in row {row + 1:,}; expected "
            f"degrees, or nothing where they are not known ({int(wrong.sum()):,} of {len(column):,} rows are not)"
        )
    return found.fill_nan(None)


def _holds(drop: _Drop, register: Register, taxonomy: Taxonomy) -> pl.Expr:
    if drop.closed_name and taxonomy.closed_names:
        return drop.holds() & _text(register.name).str.contains(taxonomy.closed_names)
    return drop.holds()


def _text(column: str) -> pl.Expr:
    return pl.col(column).cast(pl.String).str.strip_chars().str.to_lowercase().fill_null("")
