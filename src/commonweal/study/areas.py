"""The places of a study: its areas and shapes, and finding one place among studies."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from commonweal.areas import Areas, boundaries, code_texts, load_areas, load_systems
from commonweal.errors import (
    DataError,
    StudyError,
)
from commonweal.indicators import (
    CountColumns,
    Indicator,
    Wanted,
    read_years,
)
from commonweal.spec import IndicatorSpec, OwnAreas, Study
from commonweal.study.files import code_of, code_said, own_source, with_replaced
from commonweal.study.own_areas import own_areas

if TYPE_CHECKING:
    from collections.abc import Iterable

    from commonweal.sources import Source, Store


__all__ = [
    "study_areas",
    "study_shapes",
    "vintage_of",
    "wanted_of",
    "years_of",
]


def wanted_of(study: Study, name: str, store: Store, year: int = 0) -> Wanted:
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
    return Wanted(about, source, column, code, error, spec.year, year, counts)


def vintage_of(study: Study, spec: IndicatorSpec, sources: Iterable[Source]) -> str:
    """Say which date an indicator describes: as it states, or as its sources do.

    What it states may have been of a source that the study replaces.
    """
    if spec.vintage and str(spec.source) not in study.replace:
        return spec.vintage
    return "; ".join(dict.fromkeys(s.vintage for s in sources))


def years_of(study: Study, name: str, store: Store) -> list[int]:
    """Give the panel's years in which an indicator is read; a year of 0 where there is no panel.

    Raises
    ------
    StudyError
        If a table lacks a year, and nothing says how to fill it.
    """
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
    """Load the areas of a study: of a system that ships, or from a table of the user's own.

    Raises
    ------
    StudyError
        If no area is where the study asks.
    DataError
        If the table's content cannot be used.
    """
    store = with_replaced(study, store)
    if isinstance(study.areas, str):
        try:
            return load_areas(
                store, study.areas, within=study.where, population_at=study.population
            )
        except DataError as error:
            raise StudyError(
                f"{study.name}: areas {study.areas}, where {study.where}: {error}"
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
        code = code_said(study, drawn) or study.areas.code
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
        return without.select("code").join(
            shapes, on="code", how="left", maintain_order="left"
        ), nothing
    shapes = boundaries(store, areas.system, areas.codes)
    districts = load_systems().system("lad24").boundaries[0]
    outline = store.table(districts.source, [districts.code, "geometry"]).select(
        code=districts.code, geometry="geometry"
    )
    countries = {c[0] for c in areas.codes}
    return shapes, outline.filter(pl.col("code").str.slice(0, 1).is_in(countries))
