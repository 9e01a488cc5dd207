"""A programme whose areas are built up from the study's: regions as areas, with the study's scores."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

from commonweal.areas import Areas, move_from_pairs
from commonweal.designation.designation import group_numbers
from commonweal.errors import DataError
from commonweal.invest.allocation.neighbours import neighbours
from commonweal.invest.allocation.regions import build_regions
from commonweal.invest.allocation.standing import composite, paths_of, stated_need

if TYPE_CHECKING:
    from collections.abc import Mapping

    from commonweal.index import Scores
    from commonweal.invest.allocation.programme import Programme
    from commonweal.invest.allocation.regions import Regions

__all__ = ["Built", "build_up"]


@dataclass(frozen=True, slots=True)
class Built:
    """Areas that were built up.

    Attributes
    ----------
    areas
        The new areas, under the code of the area that each was begun with.
    scores
        The study's indices on them: means over residents.
    small
        The areas that they are made of.
    regions
        Which is in which, and why some are in none.
    shapes
        ``code`` and ``geometry`` (WKB) of the new areas.
    """

    areas: Areas
    scores: Mapping[str, Scores]
    small: Areas
    regions: Regions
    shapes: pl.DataFrame

    def left(self) -> pl.DataFrame:
        """Give the areas that are in none of the new ones: code, name, people, why."""
        out = self.regions.region < 0
        return (
            self.small.table.select("code", "name", "population")
            .filter(out)
            .with_columns(why=pl.Series(self.regions.why_not[out].tolist(), dtype=pl.String))
        )


def build_up(
    programme: Programme, scores: Mapping[str, Scores], areas: Areas, shapes: pl.DataFrame
) -> Built:
    """Build a programme's areas up from those of its study.

    Parameters
    ----------
    programme
        A rule that says ``build``.
    scores, areas
        Of the study.
    shapes
        ``code`` and ``geometry`` (WKB) of the areas.

    Returns
    -------
    Built
        A region keeps a parent where all its areas share it, and takes that of most of its people where
        they do not.

    Raises
    ------
    DataError
        If the rule does not build, no outline is known, or not one region reaches the window.
    UnknownNameError
        If the areas have no such parent.
    """
    build = programme.build
    if build is None:
        raise DataError(f"{programme.name} builds no areas; expected 'build' in its rule")
    parts = {p: stated_need(scores, p) for p in paths_of(programme.rank)}
    within = group_numbers(areas, build.within) if build.within else None
    found = build_regions(
        composite(programme.rank, parts),
        areas.population,
        neighbours(shapes["geometry"]),
        build.min,
        build.max,
        within,
    )
    if len(found.seed) == 0:
        raise DataError(
            f"{programme.name}: none of the {len(areas):,} {areas.plural} can be built up to {build.min:,.0f} to "
            f"{build.max:,.0f} people"
        )
    table, outlines = _tables(areas, found, shapes)
    new = Areas(
        f"{areas.system}-built",
        f"Areas built up from {areas.plural}",
        "built-up area",
        "built-up areas",
        table,
        areas.parents,
    )
    pairs = pl.DataFrame(
        {
            "origin": areas.codes,
            "destination": [areas.codes[found.seed[r]] if r >= 0 else None for r in found.region],
        }
    ).drop_nulls()
    onward = move_from_pairs(areas, new, pairs)
    carried = {}
    for name, s in scores.items():
        if s.built is not None and s.move is not None:
            carried[name] = s.built.moved(s.move.then(onward))
        else:
            carried[name] = s.moved(onward)
    return Built(new, carried, areas, found, outlines)


def _tables(
    areas: Areas, found: Regions, shapes: pl.DataFrame
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Give the table and the outlines of the new areas, by code."""
    import shapely

    at = pl.Series("_region", found.region)
    small = areas.table.with_columns(at).filter(pl.col("_region") >= 0)
    seeds = areas.table[found.seed.tolist()].select(
        "code", name=pl.col("name") + " and around", _region=pl.int_range(pl.len(), dtype=pl.Int64)
    )
    weight = pl.col("population")
    sums = small.group_by("_region").agg(
        pl.col("population").sum(),
        n_areas=pl.len(),
        longitude=(pl.col("longitude") * weight).sum() / weight.sum(),
        latitude=(pl.col("latitude") * weight).sum() / weight.sum(),
    )
    table = seeds.join(sums, on="_region")
    for parent in areas.parents:
        most = (
            small.drop_nulls(parent)
            .group_by("_region", parent, f"{parent}_name")
            .agg(pl.col("population").sum().alias("_people"))
            .sort("_region", "_people", parent, descending=[False, True, False])
            .unique("_region", keep="first", maintain_order=True)
            .drop("_people")
        )
        table = table.join(most, on="_region", how="left")
    geometry = shapes.select("code", "geometry").with_columns(at).filter(pl.col("_region") >= 0)
    pieces = geometry.sort("_region").group_by("_region", maintain_order=True).agg("geometry")
    joined = [
        shapely.to_wkb(shapely.union_all(shapely.from_wkb(p))) for p in pieces["geometry"].to_list()
    ]
    outlines = pl.DataFrame(
        {"_region": pieces["_region"], "geometry": joined}, schema_overrides={"geometry": pl.Binary}
    )
    table = table.join(outlines, on="_region", how="left").sort("code")
    return table.drop("_region", "geometry"), table.select("code", "geometry")
