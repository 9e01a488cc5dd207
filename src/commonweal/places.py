"""The places of a study: its areas and shapes, its own files, and finding one place among studies."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import polars as pl

from commonweal.areas import Areas, boundaries, code_texts, load_areas, load_systems
from commonweal.errors import (
    CommonwealError,
    DataError,
    StudyError,
    UnreachableError,
    nearest,
)
from commonweal.recipe import FileOrSource, OwnAreas, Study, load_study
from commonweal.sources import Source, Store, local_source
from commonweal.sources.catalogue import guess_reader

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["find_study", "own_source", "study_areas", "study_shapes"]

POINT = ("longitude", "latitude")


def own_source(study: Study, spec: FileOrSource, store: Store) -> Source:
    """Give a source of the catalogue, or a file beside the study."""
    if spec.source:
        return store.source(spec.source)
    given = {k: v for k in ("separator", "encoding") if (v := getattr(spec, k))}
    reader = guess_reader(spec.file).model_copy(update=given) if given else None
    source = local_source(study.folder / spec.file, reader=reader)
    # Tables are told apart by id, so north/values.csv and south/values.csv may not share one.
    alike = {f for f in study.files() if local_source(f).id == source.id}
    if len(alike) > 1:
        name = "-".join(re.findall(r"[a-z0-9]+", spec.file.lower()))
        return local_source(
            study.folder / spec.file, name=f"{name}-{sorted(alike).index(spec.file)}", reader=reader
        )
    return source


def study_areas(study: Study, store: Store) -> Areas:
    """Load the areas of a study: of a system that ships, or from a table of the user's own.

    Raises
    ------
    StudyError
        If no area is where the study asks.
    DataError
        If the table's content cannot be used.
    """
    if isinstance(study.areas, str):
        try:
            return load_areas(
                store, study.areas, within=study.where, population_at=study.population
            )
        except DataError as error:
            raise StudyError(
                f"{study.name}: areas {study.areas}, where {study.where}: {error}"
            ) from None
    own = study.areas
    source = own_source(study, own, store)
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
    table = store.table(source, list(dict.fromkeys(c for c in given.values() if c)))
    columns: dict[str, pl.Expr] = {}
    for name, column in given.items():
        numeric = name in ("population", "longitude", "latitude")
        kind: Any = pl.Float64 if numeric else pl.String
        columns[name] = pl.col(column).cast(kind, strict=False) if column else pl.lit(None, kind)
        if column and numeric:
            _refuse_text(table, column, source)
    table = table.with_columns(code_texts(table[own.code]))
    tidy = (
        table.select(**columns)
        .with_columns(pl.col(pl.String).str.strip_chars().replace("", None))
        .with_columns(
            name=pl.coalesce("name", "code"), **{c: pl.col(c).fill_nan(None) for c in POINT}
        )
    )
    # Checked in the file's order, so that a message gives the row where it is.
    areas = Areas(
        own.system, own.title, own.singular, own.plural, tidy, tuple(own.parents), source.title
    )
    return replace(areas, table=tidy.sort("code"))


def _refuse_text(table: pl.DataFrame, column: str, source: Source) -> None:
    lost = table.filter(
        pl.col(column).cast(pl.Float64, strict=False).is_null() & pl.col(column).is_not_null()
    )
    if len(lost):
        raise DataError(
            f"column '{column}' of {source.title} has '{lost[column][0]}'; expected numbers"
        )


def study_shapes(
    study: Study, areas: Areas, store: Store, geometry: bool
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Load the study's boundaries, and the outline that a map draws behind them."""
    nothing = pl.DataFrame(schema={"code": pl.String, "geometry": pl.Binary})
    without = pl.DataFrame({"code": areas.codes}).with_columns(geometry=pl.lit(None, pl.Binary))
    if not geometry:
        return without, nothing
    if isinstance(study.areas, OwnAreas):
        if not study.areas.boundaries:
            return without, nothing
        own = study.areas
        source = own_source(study, study.areas.boundaries, store)
        table = store.table(source, [own.code, "geometry"])
        shapes = table.select(code=code_texts(table[own.code]), geometry="geometry").filter(
            pl.col("code").is_in(areas.codes)
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


def find_study(
    asked: str, store: Store, study: str | None = None, postcodes: Path | None = None
) -> tuple[Study, str]:
    """Find the study that an area belongs to, and the area's code.

    Parameters
    ----------
    asked
        A code, a name, ``name, authority`` or a postcode.
    store
        Where source files come from.
    study
        The study; if not given, the newest that ships, designates and has the area.
    postcodes
        A postcode directory of the user's own.

    Raises
    ------
    CommonwealError
        If no study has it, if several areas fit, or if a postcode is given without a directory.
    """
    from commonweal.briefing.profile import POSTCODE, area_of_postcode, find_area

    names = [study] if study else ["left-behind-2025", "left-behind-2019", "demo"]
    is_postcode = POSTCODE.match(asked.strip().upper()) is not None
    if is_postcode and postcodes is None:
        raise CommonwealError(
            f"'{asked}' looks like a postcode, and no postcode directory is set. Give one with --postcodes "
            "(the ONS Postcode Directory or the National Statistics Postcode Lookup as CSV), or a code or name."
        )
    away: UnreachableError | None = None
    seen: list[str] = []
    for name in names:
        found = load_study(name)
        try:
            areas = study_areas(found, store)
        except UnreachableError as error:  # another study may have the area, and its data be here
            away = away or error
            continue
        wanted = area_of_postcode(asked, str(postcodes), areas.system) if is_postcode else asked
        row = find_area(areas, wanted)
        if row is not None:
            return found, areas.codes[row]
        if study or name != "demo":  # a fictional place is no help to who looks for a real one
            seen += areas.table["name"].drop_nulls().to_list()
            tried = (name, areas)
    if away is not None:
        raise away
    where = f"'{asked}' (in {wanted})" if is_postcode else f"'{asked}'"
    example = tried[1].codes[0]
    near = nearest(asked, seen)
    hint = f"{near} Expected" if near.startswith("did you mean") else "expected"
    raise CommonwealError(
        f"no area {where}; {hint} "
        f"a code such as {example}, a name, 'name, authority', or a postcode"
    )
