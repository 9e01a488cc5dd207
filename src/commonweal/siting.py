"""New places for a part of a study: who would be reached, and what its indices and lists would say then."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from commonweal.access.measures import within_minutes
from commonweal.access.places import LEFT_OUT, Places, make_places
from commonweal.access.points import Points
from commonweal.access.postcodes import load_postcodes
from commonweal.access.taxonomy import load_taxonomy
from commonweal.areas import build_move
from commonweal.errors import CommonwealError, DataError, UnknownNameError
from commonweal.gather import surroundings
from commonweal.gather.origins import Origins, area_points
from commonweal.investment.siting import Goal, solve, weigh
from commonweal.investment.siting.build import Demand, build_problem, near, need_of_ranks, walker
from commonweal.investment.siting.candidates import (
    Candidates,
    grid_candidates,
    outline_of,
    place_candidates,
    postcode_candidates,
    read_candidates,
)
from commonweal.investment.siting.sited import Sited, chosen_sites
from commonweal.pack.scope import find_scope
from commonweal.recipe import OwnAreas
from commonweal.siting_effect import effect_of, measured_anew, moved_by, nearer, rescored

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from commonweal.gather.reach import Surroundings
    from commonweal.investment.siting.problem import Model
    from commonweal.investment.siting.sited import Effect
    from commonweal.investment.siting.solve import Method
    from commonweal.investment.siting.solve import Progress as Told
    from commonweal.pack.scope import Scope
    from commonweal.recipe import Study
    from commonweal.results import Results
    from commonweal.sources import Store

    Progress = Callable[[str, int, int], None]

__all__ = ["Ask", "Ground", "ground_of", "site"]

SCHOOLS = "schools"
_SCHOOLS = ("primary-school", "secondary-school", "school")

PLANNED = "planned"
"""What new places are said to be from."""

AROUND_M = 1_000.0
"""How far beyond an area its candidates may lie, and how large an area without a boundary is taken to be."""

MOST_MINUTES = 300.0
MOST_EQUITY = 10.0
"""To what power need may count: beyond it only the neediest area would."""

_FARTHEST_MINUTES = {"p_median": 60.0, "p_center": 300.0}
"""How far people go at most where no distance is a cut-off: what is farther counts as that far, or not at all."""

_COUNTY = "county-"
_COUNTY_KINDS = {
    "community centre": "community-centre",
    "worship": "place-of-worship",
    "post office": "post-office",
    "sports ground": "pitch",
}


@dataclass(frozen=True, slots=True)
class Ask:
    """What is asked.

    Attributes
    ----------
    area
        Code or name of an area of the study, or of a larger one that it knows.
    kind
        Of the places to build, as the taxonomy has it: ``library``.
    sites, budget
        As of `commonweal.investment.siting.Goal`.
    model
        See there.
    minutes
        Within how many minutes on foot one counts as reached.
    candidates
        ``schools`` (state schools), another kind or group of places (``pub``), ``postcodes``,
        ``grid:500`` (metres), or the path of a CSV file.
    equity
        To what power need counts.
    need
        The index whose ranks are need; the study's first if empty.
    moves
        An indicator in metres that a new place shortens, for studies whose distances come from a table.
    method, seconds
        As of `commonweal.investment.siting.solve`.
    """

    area: str
    kind: str
    sites: int | None = None
    budget: float | None = None
    model: Model = "maximal_covering"
    minutes: float = 15.0
    candidates: str = SCHOOLS
    equity: float = 1.0
    need: str = ""
    moves: str = ""
    method: Method = "exact"
    seconds: float = 60.0

    def __post_init__(self) -> None:
        if not 0 < self.minutes <= MOST_MINUTES:
            raise CommonwealError(
                f"minutes: found {self.minutes:g}; expected above 0, at most {MOST_MINUTES:g}"
            )
        if not 0 <= self.equity <= MOST_EQUITY:
            raise CommonwealError(f"equity: found {self.equity:g}; expected 0 to {MOST_EQUITY:g}")
        if self.kind not in (kinds := load_taxonomy().kinds):
            raise UnknownNameError("kind of place", self.kind, kinds)


@dataclass(frozen=True, slots=True)
class Ground:
    """The places around a study's people, read once; `around` is None where a study has no such places."""

    places: Places
    origins: Origins
    ways: dict[str, Any]
    sources: tuple[str, ...]
    around: Surroundings | None


def ground_of(results: Results, store: Store, progress: Progress | None = None) -> Ground:
    """Read what is there: places of every kind, where people set out from, and how walks are measured.

    Parameters
    ----------
    results
        A run of the study.
    store
        Where source files come from.
    progress
        Called as ``progress(what, done, total)`` while something takes long.
    """
    study = results.study
    if is_fictional(study):
        ways = {"streets": [], "detour": study.access.detour, "snap_m": study.access.snap_m}
        places = _county_places(store)
        return Ground(places, area_points(results.areas), ways, ("county-places",), None)
    around = surroundings(study, results.areas, store, progress)
    sources = tuple(source.id for source in around.sources)
    return Ground(around.places, around.origins, around.ways, sources, around)


def is_fictional(study: Study) -> bool:
    """Whether a study is of the county that the program makes up."""
    return isinstance(study.areas, OwnAreas) and study.areas.source.startswith(_COUNTY)


def site(
    results: Results,
    ask: Ask,
    store: Store,
    *,
    ground: Ground | None = None,
    scope: Scope | None = None,
    picked: Candidates | None = None,
    effect: bool = True,
    progress: Progress | None = None,
    told: Told | None = None,
) -> Sited:
    """Find where new places should go, who they reach, and what that changes.

    Parameters
    ----------
    results
        A run of the study.
    ask
        What is asked.
    store
        Where source files come from.
    ground
        What is there, if it has been read (`ground_of`).
    scope
        The areas, if they have been found; `ask.area` is not looked for then.
    picked
        Sites that were picked: all of them are built, and none is looked for.
    effect
        Whether to work out what changes in the study, which takes most of the time.
    progress
        Called as ``progress(what, done, total)`` while something takes long.
    told
        Called as ``told(objective, bound, seconds)`` while the proof closes in.

    Returns
    -------
    Sited

    Raises
    ------
    CommonwealError
        If the area, the kind or the index is not known, there are no candidates, or the problem can't be
        solved: see `commonweal.investment.siting.solve`.
    """
    goal = Goal(ask.model, ask.sites, ask.budget)
    limit_m = within_minutes(max(ask.minutes, _FARTHEST_MINUTES.get(ask.model, 0.0)))
    if ask.model.endswith("covering"):
        limit_m = within_minutes(ask.minutes)
    index = ask.need or next(iter(results.scores))
    if index not in results.scores:
        raise UnknownNameError("index", index, results.scores)
    scope = scope or find_scope(results.areas, [ask.area])
    ground = ground or ground_of(results, store, progress)
    demand = _demand(results, index, scope.rows, ground.origins, store)
    outline = _outline(results, scope.rows, demand.points)
    candidates = picked or _candidates(ask.candidates, ground, outline, limit_m, store, progress)
    walk = walker(**ground.ways)
    existing = near(demand.points, ground.places.of(ask.kind).points, walk, limit_m)
    problem = build_problem(demand, candidates, existing, walk, limit_m, equity=ask.equity)
    if picked is None:
        solution = solve(problem, goal, method=ask.method, seconds=ask.seconds, progress=told)
    else:
        solution = weigh(problem, goal, np.arange(len(picked)))
    sites = chosen_sites(candidates, demand.people, solution, within_minutes(ask.minutes))
    planned = _planned(sites, ask.kind)
    changes = None
    if effect and len(sites):
        changes = _effect(results, ask, planned, ground, scope.rows, store, progress)
    same = ground.origins.areas.system == results.areas.system
    return Sited(
        scope.title,
        ask.kind,
        load_taxonomy().kinds[ask.kind].label,
        ask.minutes,
        ask.equity,
        f"rank on {results.label(index)}",
        _how(ground),
        results.areas.plural if same else ground.origins.of,
        demand,
        candidates,
        existing,
        problem,
        solution,
        sites,
        changes,
        results.boundaries.filter(pl.col("code").is_in(_codes(results, scope.rows))),
        ground.sources,
        is_fictional(results.study),
    )


def _codes(results: Results, rows: NDArray[np.intp]) -> list[str]:
    return [results.areas.codes[row] for row in rows]


def _how(ground: Ground) -> str:
    straight = f"a straight line times {ground.ways['detour']:g}"
    if not ground.ways["streets"]:
        return straight
    return f"along streets where there is a map, {straight} elsewhere"


def _demand(
    results: Results, index: str, rows: NDArray[np.intp], origins: Origins, store: Store
) -> Demand:
    """Take the points that people of some areas set out from, with their need."""
    areas, codes = origins.areas, set(_codes(results, rows))
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
    wanted = pl.DataFrame({"code": _codes(results, rows)})
    shapes = wanted.join(results.boundaries, on="code", how="left", maintain_order="left")
    return shapes["geometry"].to_numpy()


def _outline(results: Results, rows: NDArray[np.intp], points: Points) -> object:
    import shapely

    return outline_of(shapely.from_wkb(_shapes(results, rows)), points, AROUND_M)


def _candidates(
    asked: str,
    ground: Ground,
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
        some = ground.places.of(_SCHOOLS if asked == SCHOOLS else asked)
        if not len(some):
            raise DataError(
                f"candidates: no place known here is one of '{asked}'; expected at least one"
            )
        of = kinds.kinds.get(asked) or kinds.groups.get(asked)
        label = SCHOOLS if of is None else of.label.lower()
        return place_candidates(some, label).inside(outline, AROUND_M)
    path = Path(asked)
    if path.suffix or path.exists():
        own, near_m = read_candidates(path), max(limit_m, AROUND_M)
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


def _planned(sites: pl.DataFrame, kind: str) -> Places:
    rows = sites.select(
        id=pl.format("{}:{}", pl.lit(PLANNED), "id"),
        name="name",
        kind=pl.lit(kind),
        longitude="longitude",
        latitude="latitude",
        source=pl.lit(PLANNED),
        postcode=pl.lit(None, pl.String),
    )
    nothing = pl.DataFrame(schema=LEFT_OUT)
    return make_places(rows, load_taxonomy(), nothing, {PLANNED: len(rows)})


def _effect(
    results: Results,
    ask: Ask,
    planned: Places,
    ground: Ground,
    rows: NDArray[np.intp],
    store: Store,
    progress: Progress | None,
) -> Effect | None:
    """Measure and score anew; None where nothing in the study is measured from such places."""
    if ground.around is not None and not ask.moves:
        if not moved_by(results.study, ask.kind):
            return None
        columns = measured_anew(results, ask.kind, planned, ground.around, store, progress)
        how = "Measured anew as the study measures it, with the new places among those that are there."
    else:
        name = ask.moves or _in_metres(results, ask.kind)
        if not name:
            return None
        detour = ground.ways["detour"]
        columns = nearer(results, name, planned, detour)
        how = (
            f"{name} is shortened where a new place is nearer in a straight line times {detour:g}; "
            "elsewhere it stays as published."
        )
    if not columns:
        return None
    return effect_of(results, rescored(results, columns), columns, rows, how)


def _in_metres(results: Results, kind: str) -> str:
    """Find the one indicator in metres that is named after a kind of places."""
    named = {
        meta.name
        for indicators in results.indicators.values()
        for meta in indicators.meta
        if meta.unit == "m" and kind.replace("-", "_") in meta.name
    }
    return named.pop() if len(named) == 1 else ""


def _county_places(store: Store) -> Places:
    """Read the open places of the fictional county."""
    table = store.table(store.source("county-places")).filter(pl.col("closed").is_null())
    rows = table.select(
        id="id",
        name="name",
        kind=pl.col("kind").replace(_COUNTY_KINDS),
        longitude="lon",
        latitude="lat",
        source=pl.lit("county-places"),
        postcode=pl.lit(None, pl.String),
    )
    nothing = pl.DataFrame(schema=LEFT_OUT)
    return make_places(rows, load_taxonomy(), nothing, {"county-places": len(rows)})
