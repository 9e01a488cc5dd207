"""A part of a study for siting: who sets out from where inside it, and where in or near it one could build."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from commonweal.access.points import Points
from commonweal.access.postcodes import load_postcodes
from commonweal.access.taxonomy import load_taxonomy
from commonweal.areas import build_move
from commonweal.errors import CommonwealError, DataError, UnknownNameError
from commonweal.invest.siting.build import Demand, need_of_ranks
from commonweal.invest.siting.candidates import (
    Candidates,
    grid_candidates,
    outline_of,
    place_candidates,
    postcode_candidates,
    read_candidates,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from commonweal.access.places import Places
    from commonweal.sources import Store
    from commonweal.study.origins import Origins
    from commonweal.study.results import Results

    Progress = Callable[[str, int, int], None]

__all__ = ["SCHOOLS", "all_near", "candidates_near", "codes_of", "demand_inside", "outline_around"]

SCHOOLS = "schools"
_SCHOOLS = ("primary-school", "secondary-school", "school")

_AROUND_M = 1_000.0
"""How far beyond an area its candidates may lie, and how large an area without a boundary is taken to be."""


def codes_of(results: Results, rows: NDArray[np.intp]) -> list[str]:
    """Give the codes of some areas."""
    return [results.areas.codes[row] for row in rows]


def demand_inside(
    results: Results, index: str, rows: NDArray[np.intp], origins: Origins, store: Store
) -> Demand:
    """Take the points that people of some areas set out from, with their need."""
    areas, codes = origins.areas, set(codes_of(results, rows))
    rank = results.scores[index].rank
    if areas.system == results.areas.system:
        kept = np.isin(np.array(areas.codes)[origins.rows], list(codes))
        by_code = dict(zip(results.areas.codes, need_of_ranks(rank), strict=True))
        need = np.array([by_code.get(areas.codes[r], np.nan) for r in origins.rows])
    elif results.areas.system in areas.table.columns:
        parent = areas.table[results.areas.system]
        kept = parent.is_in(codes).fill_null(value=False).to_numpy()[origins.rows]
        need = build_move(store, results.areas, areas).mean(need_of_ranks(rank))[origins.rows]
    else:
        held = _held(results, rows, origins.points)
        kept, need = held >= 0, need_of_ranks(rank)[held]
    at = np.flatnonzero(kept)
    if not len(at):
        raise DataError("nobody sets out from the area asked for; expected points of people in it")
    here = origins.rows[at]
    names = areas.table["name"].fill_null(areas.table["code"]).gather(here).to_list()
    needs = np.where(np.isnan(need[at]), 1.0, need[at])  # what has no rank counts as the average
    points = Points(origins.points.longitude[at], origins.points.latitude[at])
    return Demand([areas.codes[r] for r in here], names, points, origins.people()[at], needs)


def _held(results: Results, rows: NDArray[np.intp], points: Points) -> NDArray[np.intp]:
    """(n_points,) the row of the area whose boundary each point lies in; -1 for none of them."""
    import shapely

    shapes = shapely.from_wkb(_shapes(results, rows))
    tree = shapely.STRtree(shapes)
    inside, shape = tree.query(
        shapely.points(points.longitude, points.latitude), predicate="within"
    )
    held = np.full(len(points), -1, dtype=np.intp)
    held[inside] = rows[shape]
    return held


def _shapes(results: Results, rows: NDArray[np.intp]) -> NDArray[np.object_]:
    """(n,) boundaries of areas as WKB; None where unknown."""
    wanted = pl.DataFrame({"code": codes_of(results, rows)})
    shapes = wanted.join(results.boundaries, on="code", how="left", maintain_order="left")
    return shapes["geometry"].to_numpy()


def outline_around(results: Results, rows: NDArray[np.intp], points: Points) -> object:
    """Give one outline of some areas (shapely, degrees), or circles about their points where none is known."""
    import shapely

    return outline_of(shapely.from_wkb(_shapes(results, rows)), points, _AROUND_M)


def candidates_near(
    asked: str,
    places: Places,
    outline: object,
    limit_m: float,
    store: Store,
    progress: Progress | None,
) -> Candidates:
    """Take the candidates asked for: those of one's own as they are if some can be walked to, others near the area."""
    kinds = load_taxonomy()
    if asked.startswith("grid:"):
        try:
            step = float(asked.removeprefix("grid:"))
        except ValueError:
            raise CommonwealError(
                f"candidates: '{asked}' found; expected metres after 'grid:', such as grid:500"
            ) from None
        return grid_candidates(outline, step)
    if asked == "postcodes":
        return postcode_candidates(load_postcodes(cache=store.cache, progress=progress), outline)
    if asked == SCHOOLS or asked in kinds.kinds or asked in kinds.groups:
        some = places.of(_SCHOOLS if asked == SCHOOLS else asked)
        if not len(some):
            raise DataError(
                f"candidates: no place known here is one of '{asked}'; expected at least one"
            )
        of = kinds.kinds.get(asked) or kinds.groups.get(asked)
        label = SCHOOLS if of is None else of.label.lower()
        return place_candidates(some, label).inside(outline, _AROUND_M)
    path = Path(asked)
    if path.suffix or path.exists():
        own, near_m = read_candidates(path), max(limit_m, _AROUND_M)
        if not own.count_inside(outline, near_m):
            x, y = own.table.select("longitude", "latitude").row(0)
            raise DataError(
                f"candidates: none of the {len(own):,} in {path} lies within {near_m:,.0f} m of the area, the "
                f"first is at {y:.2f} N, {x:.2f} E; expected places in or near it"
            )
        return own
    raise UnknownNameError(
        "candidates", asked, [SCHOOLS, *kinds.kinds, *kinds.groups, "postcodes", "grid:500"]
    )


def all_near(picked: Candidates, outline: object, limit_m: float) -> Candidates:
    """Give sites that were picked, each in an outline or near it.

    Parameters
    ----------
    picked
        The sites.
    outline
        Of the area (shapely, degrees).
    limit_m
        How far beyond it they may lie, in metres, or 1 km if that is more.

    Raises
    ------
    DataError
        If one lies farther away; it is named.
    """
    near_m = max(limit_m, _AROUND_M)
    for k, (x, y) in enumerate(picked.table.select("longitude", "latitude").iter_rows()):
        if not replace(picked, table=picked.table[k : k + 1]).count_inside(outline, near_m):
            raise DataError(
                f"site: found {x:g},{y:g}, which is more than {near_m:,.0f} m from the area; expected "
                "longitude,latitude in or near it"
            )
    return picked
