"""The places: codes, names, parents, populations, points, boundaries."""

from __future__ import annotations

from dataclasses import dataclass, field
from difflib import get_close_matches
from functools import cached_property
from typing import TYPE_CHECKING, Any

import polars as pl

from commonweal.areas.catalogue import AreaSystem, Column, Link, Systems, load_systems
from commonweal.errors import DataError, UnknownNameError, UnreachableError, areas_are
from commonweal.files.frames import Tabular
from commonweal.sources.geometry import EARTH

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence, Set

    import numpy as np
    from numpy.typing import NDArray

    from commonweal.sources import Source, Store


MOST_PEOPLE = 1_000_000_000_000
"""Above all people who ever lived: what is larger is no population."""

_EXACT = 2**53
"""Up to here all whole numbers are kept exactly by a column of floating-point numbers."""

OWN = "own"
"""The system of areas from a table of the user's own, if the study gives it no name."""

_UNSHOWN = r"[\x00-\x08\x0B\x0C\x0E-\x1F]"

_NAMES = ("name", "local_name", "official_name")


@dataclass(frozen=True, repr=False)
class Areas(Tabular):
    """A set of places, checked once here.

    Attributes
    ----------
    system
        Id of the area system, such as ``lsoa21``.
    title, singular, plural
        What the places are called.
    table
        One row an area: ``code``, ``name``, ``population``, ``longitude``, ``latitude`` (null where
        unknown); for each parent system its code under the system's id and ``<id>_name``; and
        classes such as ``rural_urban``. Where a system has names that people use, ``name`` is
        ``Birchwood West (Lincoln 007C)``, and ``local_name`` and ``official_name`` are its parts; ``local_name`` is
        null where there is none.
    partial
        By parent system, codes of the larger areas of which only some areas are here; None where that
        cannot be known, as of a table of one's own.

    Raises
    ------
    DataError
        On no areas, missing or duplicate codes, text that no page can show, a population that no place has,
        or a point that is not on Earth.

    Examples
    --------
    >>> table = pl.DataFrame({"code": ["a", "b"], "name": ["A", "B"], "population": [10.0, 20.0]})
    >>> areas = Areas("own", "Two places", "place", "places", table)
    >>> areas.position["b"], areas.population.sum().item()
    (1, 30.0)
    """

    system: str
    title: str
    singular: str
    plural: str
    table: pl.DataFrame
    parents: tuple[str, ...] = ()
    where: str = field(default="", compare=False)
    partial: Mapping[str, frozenset[str]] | None = field(default=None, compare=False)

    def __post_init__(self) -> None:
        at = f" in {self.where}" if self.where else ""
        codes = self.table["code"]
        if len(codes) == 0:
            raise DataError(f"no areas{at}; expected at least one row")
        if codes.null_count():
            row = int(codes.is_null().arg_max() or 0)
            raise DataError(f"row {row + 1} has no area code{at}; expected one on every row")
        if codes.n_unique() < len(codes):
            twice = codes.filter(codes.is_duplicated()).unique().sort()
            n = len(codes) - codes.n_unique()
            raise DataError(
                f"{areas_are(twice)} there more than once{at} ({n:,} {'row' if n == 1 else 'rows'} too "
                "many); expected one row each"
            )
        people = self.table["population"]
        bad = self.table.filter(people.is_nan() | (people < 0) | (people > MOST_PEOPLE))
        if len(bad):
            raise DataError(
                f"area {bad['code'][0]} has population {bad['population'][0]}{at}; "
                f"expected 0 or more, or nothing; at most {MOST_PEOPLE:,}"
            )
        self._check_texts(at)
        self._check_points(at)

    def _check_texts(self, at: str) -> None:
        """Refuse text with characters that neither a page nor a workbook can hold, such as NUL."""
        for column, kind in self.table.schema.items():
            if kind == pl.String:
                bad = self.table.filter(pl.col(column).str.contains(_UNSHOWN))
                if len(bad):
                    raise DataError(
                        f"area {bad['code'][0]!r} has {column} {bad[column][0]!r}{at}; "
                        "expected text without control characters"
                    )

    def _check_points(self, at: str) -> None:
        """Refuse a point that is not on Earth, or has one of its two numbers."""
        if not {"longitude", "latitude"} <= set(self.table.columns):
            return
        x, y = (self.table[c].cast(pl.Float64) for c in ("longitude", "latitude"))
        on_earth = (x.abs() <= EARTH[0]) & (y.abs() <= EARTH[1])  # null where one is
        bad = self.table.filter(~(on_earth.fill_null(False) | (x.is_null() & y.is_null())))
        if len(bad):
            found = [
                "nothing" if v is None else f"{v:.6g}"
                for v in bad.select("longitude", "latitude").row(0)
            ]
            more = f" ({len(bad):,} such areas)" if len(bad) > 1 else ""
            raise DataError(
                f"area {bad['code'][0]} has longitude {found[0]}, latitude {found[1]}{at}; expected "
                f"-180 to 180 and -90 to 90 degrees, or both empty{more}"
            )

    @cached_property
    def codes(self) -> list[str]:
        """Area codes, in the order of the table."""
        return self.table["code"].to_list()

    @cached_property
    def position(self) -> dict[str, int]:
        """Row of each code."""
        return {code: row for row, code in enumerate(self.codes)}

    @property
    def population(self) -> NDArray[np.float64]:
        """(n_areas,) residents, NaN where unknown."""
        return self.table["population"].fill_null(float("nan")).to_numpy()

    @property
    def called(self) -> str:
        """Name them for messages: ``areas of lsoa21``, or by the user's own file: ``wards of mine.csv``."""
        if self.system != OWN:
            return f"areas of {self.system}"
        return f"{self.plural} of {self.where}" if self.where else self.plural

    @property
    def names(self) -> list[pl.Series]:
        """Every name that the areas go by, each (n_areas,): as told, as people say, as is official."""
        return [self.table[column] for column in _NAMES if column in self.table.columns]

    @property
    def classes(self) -> tuple[str, ...]:
        """Names of the columns that class the areas, such as ``rural_urban``."""
        own = {"code", *_NAMES, "population", "longitude", "latitude", *self.parents}
        own |= {f"{parent}_name" for parent in self.parents}
        return tuple(c for c in self.table.columns if c not in own)

    def __len__(self) -> int:
        return len(self.table)

    def to_frame(self) -> pl.DataFrame:
        """Give the table."""
        return self.table

    def _about(self) -> str:
        return f"{self.title}: {len(self):,} {self.plural} ({self.system})"


def code_texts(codes: pl.Series, where: str = "") -> pl.Series:
    """Give codes as text: a spreadsheet's 12.0 is the code 12; one of more digits than numbers keep is an error.

    >>> code_texts(pl.Series([12.0, None])).to_list()
    ['12', None]
    """
    if codes.dtype.is_float() and (codes.drop_nulls() % 1 == 0).all():
        large = codes.filter(codes.abs() > _EXACT)
        if len(large):
            at = f" of {where}" if where else ""
            raise DataError(
                f"column '{codes.name}'{at} has {large[0]:g}, of whose digits the last are lost; "
                "expected codes as text, or whole numbers of at most 15 digits"
            )
        codes = codes.cast(pl.Int64)
    return codes.cast(pl.String).str.strip_chars()


_LOADED: dict[tuple[Any, ...], tuple[Areas, Sequence[tuple[Source, Mapping[str, Any]]]]] = {}
"""Areas that were loaded, with what was used for them: a run asks for the same several times."""

_MOST_LOADED = 8


def load_areas(
    store: Store,
    system: str,
    *,
    within: dict[str, str] | None = None,
    population_at: str | None = None,
    systems: Systems | None = None,
) -> Areas:
    """Load the places of a system with their parents, populations and points.

    `within` keeps areas whose parent has a code, such as ``{"country": "E92000001"}``; `population_at` is a date such
    as ``mid-2017``, the system's first if not given.
    """
    known = systems or load_systems()
    key = (system, *sorted((within or {}).items()), population_at)
    areas, used = _LOADED.pop(key, (None, ()))
    if areas is None or known is not load_systems() or not store.use_again(used):
        own = store.afresh()
        areas = _load(own, system, within or {}, population_at, known)
        used = [(own.source(entry["id"]), entry) for entry in own.used]
    names = known.system(system).known_as  # where these cannot be had now, they may later
    whole = names is None or names.source in [source.id for source, _ in used]
    if whole and known is load_systems():
        _LOADED[key] = areas, used
        if len(_LOADED) > _MOST_LOADED:
            _LOADED.pop(next(iter(_LOADED)), None)
    return areas


def _load(
    store: Store, system: str, within: Mapping[str, str], population_at: str | None, known: Systems
) -> Areas:
    about = known.system(system)
    everywhere = table = area_names(store, system, known)
    for parent, code in within.items():
        if parent not in table.columns:
            raise UnknownNameError(f"parent of {system}", parent, known.parents(system))
        there = table.filter(pl.col(parent) == code)
        if there.is_empty():
            raise DataError(_no_parent(table, parent, code, about.plural))
        table = there
    table = table.join(population(store, system, population_at, known), on="code", how="left")
    table = table.join(_points(store, system, known), on="code", how="left")
    for name, column in about.classes.items():
        classes = store.table(column.source, [column.code, column.value]).select(
            pl.col(column.code).alias("code"), pl.col(column.value).cast(pl.String).alias(name)
        )
        table = table.join(classes.unique("code", keep="first"), on="code", how="left")
    table = table.sort("code")
    larger = [p for p in known.parents(system) if p in table.columns]
    parents = tuple(p for p in larger if table[p].null_count() < len(table))
    table = table.drop(f"{p}{end}" for p in set(larger) - {*parents} for end in ("", "_name"))
    first = [
        c for c in ("code", *_NAMES, "population", "longitude", "latitude") if c in table.columns
    ]
    rest = [c for c in table.columns if c not in first]
    return Areas(
        system,
        about.title,
        about.singular,
        about.plural,
        table.select(first + rest),
        parents,
        partial=_partial(everywhere, table, parents),
    )


def _partial(
    everywhere: pl.DataFrame, kept: pl.DataFrame, parents: tuple[str, ...]
) -> dict[str, frozenset[str]]:
    """Name, by parent, the larger areas of which some areas were kept and others were not."""
    left = everywhere.join(kept, on="code", how="anti")

    def codes(table: pl.DataFrame, parent: str) -> frozenset[str]:
        return frozenset(table[parent].drop_nulls().unique())

    return {p: codes(left, p) & codes(kept, p) for p in parents}


def _no_parent(table: pl.DataFrame, parent: str, code: str, plural: str) -> str:
    """Say that no area is in a larger one, and which may have been meant."""
    larger = table.select(code=parent, name=f"{parent}_name").drop_nulls("code").unique("code")
    by_name: dict[str, str] = {}
    for one, name in larger.sort("code").iter_rows():
        by_name.setdefault(str(name).casefold(), one)
    called = dict(larger.iter_rows())
    said = f"no {plural} are in {parent} '{code}'"
    if code.casefold() in by_name:
        return f"{said}: that is its name; expected its code, {by_name[code.casefold()]}"
    near = get_close_matches(code.casefold(), by_name, n=2, cutoff=0.75)
    codes = [by_name[name] for name in near] or get_close_matches(code, called, n=2, cutoff=0.75)
    if codes:
        return f"{said}; did you mean " + " or ".join(f"{c} ({called[c]})" for c in codes) + "?"
    some = larger.sort("code").row(0)
    return f"{said}; expected one of {len(larger):,} codes, such as {some[0]} ({some[1]})"


def area_names(store: Store, system: str, systems: Systems | None = None) -> pl.DataFrame:
    """Read code and names of every area of a system, and those of the larger areas that it lies in."""
    known = systems or load_systems()
    about = known.system(system)
    return _known_as(store, about, _add_parents(store, _names(store, about), system, known))


def _names(store: Store, about: AreaSystem) -> pl.DataFrame:
    """Read ``code`` and ``name``, one row an area."""
    column = about.areas
    table = store.table(column.source, [column.code, column.name]).select(
        code=pl.col(column.code).cast(pl.String).str.strip_chars(),
        name=pl.col(column.name).cast(pl.String).str.strip_chars(),
    )
    return table.filter(pl.col("code").str.contains(f"^{about.pattern}$")).unique(
        "code", keep="first", maintain_order=True
    )


def _known_as(store: Store, about: AreaSystem, table: pl.DataFrame) -> pl.DataFrame:
    """Name areas as people do: ``Birchwood West (Lincoln 007C)``; as they are where the names cannot be had."""
    column = about.known_as
    if column is None:
        return table
    try:
        read = store.table(column.source, [column.code, column.name])
    except UnreachableError:
        read = pl.DataFrame(schema={column.code: pl.String, column.name: pl.String})
    key = column.inside or "code"
    local = read.select(
        pl.col(column.code).alias(key), local_name=pl.col(column.name).str.strip_chars()
    )
    named = table.join(
        local.drop_nulls().unique(key, keep="first"), on=key, how="left", maintain_order="left"
    )
    title = pl.format("{} ({})", "local_name", "name")
    return named.with_columns(
        official_name=pl.col("name"),
        name=pl.when(pl.col("local_name") != "").then(title).otherwise("name"),
    )


def check_date(system: str, at: str | None, systems: Systems | None = None) -> Mapping[str, Column]:
    """Check that a system states residents at a date, if one is given; give where it does, by date."""
    dates = (systems or load_systems()).system(system).populations
    if at is not None and at not in dates:
        raise UnknownNameError(f"population of {system}", at, dates)
    return dates


def population(
    store: Store, system: str, at: str | None = None, systems: Systems | None = None
) -> pl.DataFrame:
    """Read residents by area: ``code`` and ``population``; no rows where the system states none."""
    known = systems or load_systems()
    dates = check_date(system, at, known)
    if not dates:
        return pl.DataFrame(schema={"code": pl.String, "population": pl.Float64})
    at = at or next(iter(dates))
    column = dates[at]
    if column.sum_of:
        inside = _inside(store, column.sum_of, system, at, known)
        return inside.group_by("code").agg(pl.col("population").sum())
    table = store.table(column.source, [column.code, column.value]).select(
        code=pl.col(column.code).cast(pl.String),
        population=pl.col(column.value).cast(pl.Float64),
    )
    return table.drop_nulls("code").unique("code", keep="first")


def _inside(store: Store, small: str, system: str, at: str | None, known: Systems) -> pl.DataFrame:
    """Give the small areas inside each area: its ``code``, their ``part`` and ``population``."""
    table = _names(store, known.system(small)).select("code")
    chain = {link.destination for link in known.parents(small).get(system, ())}
    parts = _add_parents(store, table, small, known, chain).select(part="code", code=system)
    people = population(store, small, at, known).rename({"code": "part"})
    return parts.drop_nulls("code").join(people, on="part", how="left")


def _points(store: Store, system: str, known: Systems) -> pl.DataFrame:
    """Read ``code``, ``longitude``, ``latitude``; no rows where the system states none."""
    schema = {"code": pl.String, "longitude": pl.Float64, "latitude": pl.Float64}
    found = [_points_of(store, system, c, known) for c in known.system(system).points]
    return pl.concat([pl.DataFrame(schema=schema), *found]).unique(
        "code", keep="first", maintain_order=True
    )


def _points_of(store: Store, system: str, column: Column, known: Systems) -> pl.DataFrame:
    if column.centre_of:
        points = _points(store, column.centre_of, known).rename({"code": "part"})
        inside = _inside(store, column.centre_of, system, None, known).join(points, on="part")
        people = pl.col("population")
        return (
            inside.group_by("code", maintain_order=True)
            .agg(
                # Where no part has people stated, each counts the same.
                pl.coalesce(((x * people).sum() / people.sum()).fill_nan(None), x.mean())
                for x in (pl.col("longitude"), pl.col("latitude"))
            )
            .sort("code")
        )
    table = store.table(column.source, [column.code, column.longitude, column.latitude]).select(
        code=pl.col(column.code).cast(pl.String),
        longitude=pl.col(column.longitude).cast(pl.Float64),
        latitude=pl.col(column.latitude).cast(pl.Float64),
    )
    return table.drop_nulls("code")


def _add_parents(
    store: Store, table: pl.DataFrame, system: str, known: Systems, only: Set[str] | None = None
) -> pl.DataFrame:
    """Add code and name of the area of each larger system, or of `only` those."""
    for parent, chain in known.parents(system).items():
        if only is not None and parent not in only:
            continue
        below = chain[-2].destination if len(chain) > 1 else "code"
        pairs = link_table(store, chain[-1], known).select(
            pl.col("origin").alias(below), pl.col("destination").alias(parent)
        )
        names = _names(store, known.system(parent)).rename(
            {"code": parent, "name": f"{parent}_name"}
        )
        # A link may lead to areas that the larger system does not have, such as those of another country.
        pairs = pairs.unique(below, keep="first", maintain_order=True).join(names, on=parent)
        table = table.join(pairs, on=below, how="left")
    return table


def link_table(store: Store, link: Link, systems: Systems | None = None) -> pl.DataFrame:
    """Read a link as ``origin``, ``destination`` and ``change``, one row a pair.

    ``change`` is the published change indicator of a `vintage` link, null elsewhere.
    """
    known = systems or load_systems()
    if link.changes:
        about = known.system(link.origin)
        codes = store.table(about.areas.source, [about.areas.code])[about.areas.code].unique()
        table = (
            pl.DataFrame({"origin": codes.cast(pl.String)})
            .drop_nulls()
            .with_columns(destination=pl.col("origin").replace(link.changes))
        )
    elif link.through:
        small = _names(store, known.system(link.through)).select("code")
        table = _add_parents(store, small, link.through, known).select(
            origin=link.origin, destination=link.destination
        )
    else:
        first, second = link.columns
        read = store.table(link.source, [first, second, *([link.change] if link.change else [])])
        table = read.rename({first: "origin", second: "destination"}).with_columns(
            pl.col("origin", "destination").cast(pl.String)
        )
        if link.match == "name-prefix":
            about = known.system(link.destination)
            named = store.table(about.areas.source, [about.areas.code, about.areas.name])
            by_name = named.select(
                destination=pl.col(about.areas.name), code=pl.col(about.areas.code)
            )
            table = (
                table.with_columns(
                    pl.col("destination").str.slice(0, pl.col("destination").str.len_chars() - 1)
                )
                .join(by_name, on="destination", how="left")
                .with_columns(destination=pl.col("code"))
            )
    change = pl.col(link.change).cast(pl.String) if link.change else pl.lit(None, pl.String)
    return (
        table.select("origin", "destination", change=change)
        .drop_nulls(["origin", "destination"])
        .unique(["origin", "destination"], keep="first", maintain_order=True)
    )


def boundaries(
    store: Store, system: str, codes: list[str], systems: Systems | None = None
) -> pl.DataFrame:
    """Read polygons (``geometry``, WKB in WGS 84) in the order of `codes`; null where no source has the area."""
    about = (systems or load_systems()).system(system)
    wanted = pl.DataFrame({"code": codes}, schema={"code": pl.String})
    found = [
        store.table(b.source, [b.code, "geometry"]).select(pl.col(b.code).alias("code"), "geometry")
        for b in about.boundaries
    ]
    if not found:
        return wanted.with_columns(geometry=pl.lit(None, pl.Binary))
    all_found = pl.concat(found).drop_nulls().unique("code", keep="first", maintain_order=True)
    return wanted.join(all_found, on="code", how="left", maintain_order="left")
