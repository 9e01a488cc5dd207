"""The areas of a study and of its indices: from area systems or the user's own tables, and the crosswalk."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from commonweal.access.distance import Points, axes_swapped
from commonweal.access.registers import UNITED_KINGDOM
from commonweal.areas import Areas, crosswalk_from_pairs
from commonweal.areas.areas import boundaries, code_texts, load_areas
from commonweal.areas.catalogue import load_systems
from commonweal.areas.crosswalk import build_crosswalk
from commonweal.document.format import sentence
from commonweal.errors import DataError, StudyError, UnknownNameError, areas_are, nearest
from commonweal.indicators import Indicator
from commonweal.indicators.read import CountColumns, IndicatorSource, read_years, to_numbers
from commonweal.spec import Study
from commonweal.spec.data import OwnAreas
from commonweal.study.files import code_of, own_source, stated_code, with_replaced

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, MutableMapping, Sequence

    from commonweal.areas import Crosswalk
    from commonweal.sources import Source, Store
    from commonweal.spec import Study
    from commonweal.spec.indicators import IndicatorSpec


POINT = ("longitude", "latitude")
NUMBERS = ("population", *POINT)


@dataclass(frozen=True, slots=True)
class _Table:
    """A table with columns of the areas, and its own column of their codes."""

    source: Source
    table: pl.DataFrame
    code: str

    def codes(self) -> pl.Series:
        return code_texts(self.table[self.code], self.source.called).replace("", None)


def own_areas(study: Study, own: OwnAreas, store: Store) -> Areas:
    """Load the areas of a study from tables of the user's own."""
    given = {
        "code": own.code,
        "name": own.name or own.code,
        "population": own.population,
        "longitude": own.longitude,
        "latitude": own.latitude,
    }
    for parent, column in own.parents.items():
        code, name = (column, column) if isinstance(column, str) else column
        given |= {parent: code, f"{parent}_name": name}
    wanted = list(dict.fromkeys([*(c for c in given.values() if c), *own.only]))
    first, joined = _read(study, own, wanted, store)
    inside = _inside(first, own.only)
    # A row that is left out may hold what it will; those that stay keep their place, for messages.
    table = first.table.with_columns(pl.when(inside).then(pl.all()))
    first = replace(first, table=table)
    codes = first.codes()
    columns: dict[str, pl.Series] = {}
    for name, column in given.items():
        if not column:
            kind = pl.Float64 if name in NUMBERS else pl.String
            columns[name] = pl.Series([None] * len(table), dtype=kind)
            continue
        of = joined.get(column, first)
        found = (
            to_numbers(of.table, column, of.source)
            if name in NUMBERS
            else code_texts(of.table[column], of.source.called).replace("", None)
        )
        found = found.fill_nan(None) if name in POINT else found
        columns[name] = found if of is first else _by_code(found, of, codes)
    tidy = pl.DataFrame(columns).filter(inside).with_columns(name=pl.coalesce("name", "code"))
    # Checked in the file's order, so that a message gives the row where it is.
    areas = Areas(
        own.system,
        own.title or sentence(own.plural),
        own.singular,
        own.plural,
        tidy,
        tuple(own.parents),
        first.source.title,
    )
    _check_country(areas, first.source.title)
    return replace(areas, table=tidy.sort("code"))


_BRITISH = "^[EWSN][0-9]{8}$"
"""What a code of an area of the United Kingdom looks like, but for small ones of Northern Ireland."""


def _check_country(areas: Areas, where: str) -> None:
    """Refuse points that lie in the United Kingdom only with their axes exchanged, where the codes are of it."""
    if areas.table["code"].str.contains(_BRITISH).all():
        around = Points(*(np.array(UNITED_KINGDOM[axis]) for axis in POINT))
        _check_axes(areas, around, f"{where}: the codes are of the United Kingdom")


def _check_axes(areas: Areas, around: Points, why: str) -> None:
    """Refuse points that are far from the rectangle that holds others, and in it with their axes exchanged."""
    placed = areas.table.drop_nulls(POINT)
    points = Points(*(placed[axis].cast(pl.Float64).to_numpy() for axis in POINT))
    turned = axes_swapped(points, around)
    if turned.any():
        row = int(turned.argmax())
        more = f" ({int(turned.sum()):,} such {areas.plural})" if turned.sum() > 1 else ""
        raise DataError(
            f"{why}, and {placed['code'][row]} has longitude {points.longitude[row]:.6g}, latitude "
            f"{points.latitude[row]:.6g}, which is far from there{more}; are latitude and longitude swapped?"
        )


def _read(
    study: Study, own: OwnAreas, wanted: Sequence[str], store: Store
) -> tuple[_Table, dict[str, _Table]]:
    """Read the first table, and for each column that is not in it the table that it is in."""
    source = own_source(study, own, store)
    if not own.join:
        return _Table(source, store.table(source, wanted), own.code), {}
    first = _Table(source, store.table(source), own.code)
    others = []
    for spec in own.join:
        other = own_source(study, spec, store)
        code = stated_code(study, spec) or own.code
        store.table(other, [code])
        others.append(_Table(other, store.table(other), code))
    joined: dict[str, _Table] = {}
    missing = []
    for column in wanted:
        if column in first.table.columns:
            continue
        there = [other for other in others if column in other.table.columns]
        if len(there) > 1:
            raise DataError(
                f"areas: column '{column}' is in {' and in '.join(t.source.called for t in there)}; "
                "expected it in one of them"
            )
        if there and column not in (own.code, *own.only):
            joined[column] = there[0]
        else:
            missing.append(column)
    if missing:
        tables = (first, *others)
        valid = [c for t in tables for c in t.table.columns]
        where = f" in {', '.join(t.source.called for t in tables)}"
        raise UnknownNameError.of_several("column", missing, valid, where)
    return first, joined


def _inside(first: _Table, only: Mapping[str, str | tuple[str, ...]]) -> pl.Series:
    """Say which rows are areas of the study."""
    inside = pl.Series([True] * len(first.table), dtype=pl.Boolean)
    for column, said in only.items():
        values = [said] if isinstance(said, str) else list(said)
        found = code_texts(first.table[column], first.source.called)
        for value in values:
            if not (found == value).any():
                there = found.drop_nulls().unique().to_list()
                raise StudyError(
                    f"areas.only.{column}: no row of {first.source.called} has '{value}'; "
                    f"{nearest(value, there)}"
                )
        inside = inside & found.is_in(values).fill_null(value=False)
    if not inside.any():
        raise StudyError(
            f"areas.only: no row of {first.source.called} fits all of {', '.join(only)}"
        )
    return inside


def _by_code(values: pl.Series, of: _Table, codes: pl.Series) -> pl.Series:
    """Put a column of a joined table into the order of the first."""
    keyed = pl.DataFrame({"code": of.codes(), "value": values}).drop_nulls("code")
    keyed = keyed.filter(pl.col("code").is_in(codes.drop_nulls().unique()))
    if keyed.is_empty():
        raise DataError(
            f"areas: no code in column '{of.code}' of {of.source.called} is one of the areas; expected "
            f"such as {', '.join(codes.drop_nulls().head(2))} (name the column with 'code')"
        )
    twice = keyed.filter(pl.col("code").is_duplicated())["code"].unique().sort()
    if len(twice):
        raise DataError(
            f"{areas_are(twice)} in {of.source.called} more than once; expected one row each"
        )
    order = pl.DataFrame({"code": codes})
    return order.join(keyed, on="code", how="left", maintain_order="left")["value"]


def indicator_source(study: Study, name: str, store: Store, year: int = 0) -> IndicatorSource:
    """Say what an indicator of a study means, and where it is read; with a panel, in which year."""
    spec = study.indicators[name]
    source = own_source(study, spec.table(year), store)
    code = spec.code or code_of(study, spec.table(year), source, store)
    about = Indicator(
        name,
        spec.label or name,
        spec.unit,
        spec.higher_is,
        source.id,
        vintage_of(study, spec, [source]),
    )
    column, error = spec.of("column", year), spec.of("standard_error", year)
    counts = None
    if spec.counts is not None:
        counts = CountColumns(**spec.counts.model_dump())
    return IndicatorSource(about, source, column, code, error, spec.year, year, counts)


def vintage_of(study: Study, spec: IndicatorSpec, sources: Iterable[Source]) -> str:
    """Say which date an indicator describes: as it states, or as its sources do.

    What it states may have been of a source that the study replaces.
    """
    if spec.vintage and str(spec.source) not in study.replace:
        return spec.vintage
    return "; ".join(dict.fromkeys(s.vintage for s in sources))


def years_of(study: Study, name: str, store: Store) -> list[int]:
    """Give the panel's years in which an indicator is read; a year of 0 where there is no panel."""
    panel, spec = study.panel, study.indicators[name]
    if panel is None:
        return [0]
    if not spec.year:
        stated = [years for key, years in spec.stated.items() if key != "standard_error"]
        return [year for year in panel.years if all(year in years for years in stated)]
    source = own_source(study, spec.table(), store)
    found = read_years(store, source, spec.year, name)
    for year in panel.years:
        if year not in found and panel.fill == "none":
            there = ", ".join(map(str, found)) or "none"
            raise StudyError(
                f"{name}: column '{spec.year}' of {source.title} has no {year}; its years are: {there} "
                "(or say 'fill' under 'panel')"
            )
    if not set(found) & set(panel.years):
        raise StudyError(f"{name}: {source.title} has none of the panel's years")
    return [year for year in panel.years if year in found]


def study_areas(study: Study, store: Store) -> Areas:
    """Load the areas of a study: of a system that ships, or from a table of the user's own."""
    store = with_replaced(study, store)
    if isinstance(study.areas, str):
        try:
            return load_areas(
                store, study.areas, within=study.where, population_at=study.population
            )
        except DataError as error:
            inside = " and ".join(f"{parent} is {code}" for parent, code in study.where.items())
            raise StudyError(
                f"{study.name}: areas {study.areas}{', where ' if inside else ''}{inside}: {error}"
            ) from None
    return own_areas(study, study.areas, store)


def study_shapes(
    study: Study, areas: Areas, store: Store, geometry: bool
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Load the study's boundaries, and the outline that a map draws behind them."""
    nothing = pl.DataFrame(schema={"code": pl.String, "geometry": pl.Binary})
    without = pl.DataFrame({"code": areas.codes}).with_columns(geometry=pl.lit(None, pl.Binary))
    if not geometry:
        return without, nothing
    store = with_replaced(study, store)
    if isinstance(study.areas, OwnAreas):
        if not study.areas.boundaries:
            return without, nothing
        drawn = study.areas.boundaries
        source = own_source(study, drawn, store)
        code = stated_code(study, drawn) or study.areas.code
        table = store.table(source, [code, "geometry"])
        shapes = table.select(
            code=code_texts(table[code], source.called), geometry="geometry"
        ).filter(pl.col("code").is_in(areas.codes))
        if shapes.is_empty():
            raise DataError(
                f"{source.title}: no code in column '{code}' is one of the {areas.plural}; expected such as "
                f"{areas.codes[0]} (the column of codes can be named with 'code')"
            )
        twice = shapes.filter(pl.col("code").is_duplicated())["code"].unique().sort()
        if len(twice):
            raise DataError(
                f"{source.title}: area {', '.join(twice.head(3))} has more than one boundary; "
                "expected one each"
            )
        shapes = _outlines(shapes, areas, source)
        if areas.table["longitude"].is_not_null().any():
            import shapely

            bounds = shapely.total_bounds(shapely.from_wkb(shapes["geometry"].to_numpy()))
            if np.isfinite(bounds).all():
                around = Points(bounds[::2], bounds[1::2])
                _check_axes(areas, around, f"{source.title}: the outlines lie at {around.extent()}")
        return without.select("code").join(
            shapes, on="code", how="left", maintain_order="left"
        ), nothing
    shapes = boundaries(store, areas.system, areas.codes)
    known = load_systems()
    levels = map(known.system, known.at_level("authority"))
    districts = next(about.boundaries[0] for about in levels if about.boundaries)
    outline = store.table(districts.source, [districts.code, "geometry"]).select(
        code=districts.code, geometry="geometry"
    )
    # The first letter of a code is its country's, but of neighbourhoods of Northern Ireland.
    authority = next((a for a in known.at_level("authority") if a in areas.parents), None)
    codes = areas.table[authority].drop_nulls() if authority else areas.codes
    countries = {c[0] for c in codes}
    return shapes, outline.filter(pl.col("code").str.slice(0, 1).is_in(countries))


def _outlines(shapes: pl.DataFrame, areas: Areas, source: Source) -> pl.DataFrame:
    """Keep the shapes that are outlines; refuse a file that has none of an area."""
    import shapely

    found = shapely.from_wkb(shapes["geometry"].to_numpy())
    outline = shapely.area(found) > 0  # of lines and points 0, of nothing NaN
    if not outline.any():
        kinds = sorted({one.geom_type for one in found if one is not None}) or ["no geometry"]
        raise DataError(
            f"{source.title}: none of the {len(areas):,} {areas.plural} has an outline in it; found "
            f"{', '.join(kinds)}, expected polygons"
        )
    return shapes.filter(outline)


def areas_of_index(study: Study, index: str, areas: Areas, store: Store) -> Areas:
    """Give the areas that an index is built on: the study's, if it names no others."""
    system, people = study.built_on(index)
    if not system:
        return areas
    return load_areas(with_replaced(study, store), system, within=study.where, population_at=people)


def crosswalk_to_study(
    study: Study,
    index: str,
    here: Areas,
    there: Areas,
    store: Store,
    account: MutableMapping[str, Any],
) -> Crosswalk:
    """Give the way from the areas of an index to those of the study, and put its report into `account`.

    Parts are made to add up to the people of the study's own date; they are weighted by the people of `here`.
    """
    move = study.index[index].move
    if move.by == "link":
        made = build_crosswalk(store, here, there)
        account["report"] = made.report
        return made
    from commonweal.areas.apportion import apportion

    raked = here
    if move.population != study.population:
        raked = load_areas(
            with_replaced(study, store),
            here.system,
            within=study.where,
            population_at=study.population,
        )
    pairs, report = apportion(store, raked, there)
    made = crosswalk_from_pairs(here, there, pairs)
    account["report"] = {**made.report, **report}
    return made
