"""New places for a part of a study: who would be reached, and what its indices and lists would say then."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from commonweal.access.distance import Points
from commonweal.access.measures import within_minutes
from commonweal.access.places import LEFT_OUT, Places, load_taxonomy, make_places
from commonweal.access.registers import in_united_kingdom
from commonweal.errors import CommonwealError, DataError, UnknownNameError
from commonweal.invest.siting import Goal, solve
from commonweal.invest.siting.demand import (
    SCHOOLS,
    all_near,
    build_problem,
    candidates_near,
    codes_of,
    demand_inside,
    near,
    outline_around,
    walker,
)
from commonweal.invest.siting.result import (
    SitingResult,
    cannot_rescore,
    chosen_sites,
    moved_by,
    nearer,
    remeasure,
    results_with_indicators,
    siting_effect,
)
from commonweal.invest.siting.solve import evaluate_sites
from commonweal.spec.data import OwnAreas
from commonweal.study.indicators import read_nearby
from commonweal.study.names import find_scope
from commonweal.study.reach import Origins, area_points

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from numpy.typing import NDArray

    from commonweal.invest.siting.demand import Candidates
    from commonweal.invest.siting.problem import Model
    from commonweal.invest.siting.result import SitingEffect
    from commonweal.invest.siting.solve import Method
    from commonweal.invest.siting.solve import Progress as Told
    from commonweal.sources import Source, Store
    from commonweal.spec import Study
    from commonweal.study.names import Scope
    from commonweal.study.reach import NearbyPlaces
    from commonweal.study.results import Results

    Progress = Callable[[str, int, int], None]

__all__ = ["SitingData", "SitingOptions", "site"]

MOST_AREAS = 1_500
"""Areas of one page on options; the largest authority of England has 659 neighbourhoods."""

PLANNED = "planned"
"""What new places are said to be from."""

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
class SitingOptions:
    """What is asked.

    Attributes
    ----------
    area
        Code or name of an area of the study, or of a larger one that it knows.
    kind
        Of the places to build, as the taxonomy has it: ``library``.
    sites, budget
        As of `commonweal.invest.siting.Goal`.
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
        As of `commonweal.invest.siting.solve`.
    at_most
        Whether `sites` is the most to choose: as many as there are candidates where those are fewer. Else that
        is refused.
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
    at_most: bool = False

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
class SitingData:
    """The places around a study's people, read once; `around` is None where a study has no such places."""

    places: Places
    origins: Origins
    ways: dict[str, Any]
    sources: tuple[Source, ...]
    around: NearbyPlaces | None


def load_siting_data(
    results: Results, store: Store, progress: Progress | None = None
) -> SitingData:
    """Read what is there: places of every kind, where people set out from, and how walks are measured."""
    study = results.study
    if is_fictional(study):
        ways = {"streets": [], "detour": study.access.detour, "snap_m": study.access.snap_m}
        places = _county_places(store)
        return SitingData(
            places, area_points(results.areas), ways, (store.source("county-places"),), None
        )
    around = read_nearby(study, results.areas, store, progress)
    return SitingData(around.places, around.origins, around.ways, around.sources, around)


def is_fictional(study: Study) -> bool:
    """Whether a study is of the county that the program makes up."""
    return isinstance(study.areas, OwnAreas) and study.areas.source.startswith(_COUNTY)


def is_abroad(results: Results) -> bool:
    """Whether a study's areas lie outside the United Kingdom, as far as their points are known."""
    placed = results.areas.table.drop_nulls(("longitude", "latitude"))
    if is_fictional(results.study) or placed.is_empty():
        return False
    return not in_united_kingdom(
        Points(*(placed[axis].to_numpy() for axis in ("longitude", "latitude")))
    )


def _limit_m(ask: SitingOptions) -> float:
    """Give the metres beyond which nothing is looked at: what counts as reached, or where a model needs it, more."""
    if ask.model.endswith("covering"):
        return within_minutes(ask.minutes)
    return within_minutes(max(ask.minutes, _FARTHEST_MINUTES.get(ask.model, 0.0)))


def _index_of_need(results: Results, ask: SitingOptions) -> str:
    """Name the index that says who needs a place most: the first if none is asked for."""
    index = ask.need or next(iter(results.scores))
    if index not in results.scores:
        raise UnknownNameError("index", index, results.scores)
    return index


def _goal(ask: SitingOptions, n_candidates: int) -> Goal:
    """Give the goal, with fewer sites where there are not as many candidates and fewer will do."""
    few = ask.at_most and ask.sites is not None and n_candidates < ask.sites
    return Goal(ask.model, n_candidates if few else ask.sites, ask.budget)


# Wide: what was read or found before may be handed in, so that many questions read it once.
def site(
    results: Results,
    ask: SitingOptions,
    store: Store | None = None,
    *,
    ground: SitingData | None = None,
    scope: Scope | None = None,
    picked: Candidates | None = None,
    effect: bool = True,
    progress: Progress | None = None,
    told: Told | None = None,
) -> SitingResult:
    """Find where new places should go, who they reach, and what that changes.

    Parameters
    ----------
    results
        A run of the study.
    ask
        What is asked.
    store
        Where source files come from; as the environment says if not given.
    ground
        What is there, if it has been read (`load_siting_data`).
    scope
        The areas, if they have been found; `ask.area` is not looked for then.
    picked
        Sites that were picked, each in or near the area: all of them are built, and none is looked for.
    effect
        Whether to work out what changes in the study, which takes most of the time.
    progress
        Called as ``progress(what, done, total)`` while something takes long.
    told
        Called as ``told(objective, bound, seconds)`` while the proof closes in.

    Returns
    -------
    SitingResult

    Raises
    ------
    CommonwealError
        If the area, the kind or the index is not known, there are no candidates, one that was picked is far
        from the area, or the problem can't be solved: see `commonweal.invest.siting.solve`.
    """
    if store is None:
        from commonweal.sources import Store

        store = Store.from_environment()
    limit_m = _limit_m(ask)
    index = _index_of_need(results, ask)
    scope = scope or find_scope(results.areas, [ask.area])
    ground = ground or load_siting_data(results, store, progress)
    demand = demand_inside(results, index, scope.rows, ground.origins, store)
    outline = outline_around(results, scope.rows, demand.points)
    candidates = (
        candidates_near(ask.candidates, ground.places, outline, limit_m, store, progress)
        if picked is None
        else all_near(picked, outline, limit_m)
    )
    goal = _goal(ask, len(candidates))
    walk = walker(**ground.ways)
    existing = near(demand.points, ground.places.of(ask.kind).points, walk, limit_m)
    problem = build_problem(demand, candidates, existing, walk, limit_m, equity=ask.equity)
    solution = (
        solve(problem, goal, method=ask.method, seconds=ask.seconds, progress=told)
        if picked is None
        else evaluate_sites(problem, goal, np.arange(len(picked)))
    )
    sites = chosen_sites(candidates, demand.people, solution, within_minutes(ask.minutes))
    changes = None
    rerun = not ask.moves and cannot_rescore(results.study) and _moves(results, ask, ground)
    if effect and len(sites) and not rerun:
        planned = _planned(sites, ask.kind)
        changes = _effect(results, ask, planned, ground, scope.rows, store, progress)
    same = ground.origins.areas.system == results.areas.system
    return SitingResult(
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
        results.boundaries.filter(pl.col("code").is_in(codes_of(results, scope.rows))),
        ground.sources,
        is_fictional(results.study),
        not len(ground.places.of(ask.kind)),
        is_abroad(results),
        rerun,
    )


def first_candidates(
    results: Results, ground: SitingData, scope: Scope, offered: Iterable[str], store: Store
) -> str:
    """Give the first of several kinds of candidates of which there is one in or near an area; '' if there is none."""
    demand = demand_inside(results, next(iter(results.scores)), scope.rows, ground.origins, store)
    outline = outline_around(results, scope.rows, demand.points)
    for asked in offered:
        with suppress(DataError):  # none of them, or too many
            candidates_near(asked, ground.places, outline, 0.0, store, None)
            return asked
    return ""


def _how(ground: SitingData) -> str:
    straight = f"a straight line times {ground.ways['detour']:g}"
    if not ground.ways["streets"]:
        return straight
    return f"along streets where there is a map, {straight} elsewhere"


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


def _moves(results: Results, ask: SitingOptions, ground: SitingData) -> bool:
    """Whether new places change what a study measures."""
    if ground.around is not None:
        return bool(moved_by(results.study, ask.kind))
    return bool(_in_metres(results, ask.kind))


def _effect(
    results: Results,
    ask: SitingOptions,
    planned: Places,
    ground: SitingData,
    rows: NDArray[np.intp],
    store: Store,
    progress: Progress | None,
) -> SitingEffect | None:
    """Measure and score anew; None where nothing in the study is measured from such places."""
    if ground.around is not None and not ask.moves:
        if not moved_by(results.study, ask.kind):
            return None
        columns = remeasure(results, ask.kind, planned, ground.around, store, progress)
        how = "Measured again as the study does, with the new venues among the existing ones."
    else:
        name = ask.moves or _in_metres(results, ask.kind)
        if not name:
            return None
        detour = ground.ways["detour"]
        columns = nearer(results, name, planned, detour)
        how = (
            f"{name} falls where a new venue is nearer, by a straight line times {detour:g}. Elsewhere it stays as "
            "published."
        )
    if not columns:
        return None
    return siting_effect(results, results_with_indicators(results, columns), columns, rows, how)


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
