"""The result of siting for a real place, and its effect on a study's indicators, indices and lists."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from commonweal.access.distance import straight_nearest
from commonweal.access.places import load_taxonomy
from commonweal.designation import designate
from commonweal.errors import DataError, StudyError
from commonweal.index import score, without_indicators
from commonweal.indicators.indicators import names_in
from commonweal.study.indicators import make_indicators
from commonweal.study.reach import area_points

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.typing import NDArray

    from commonweal.access.distance import Points
    from commonweal.access.places import Places
    from commonweal.areas import Areas
    from commonweal.invest.siting.demand import Candidates, Demand
    from commonweal.invest.siting.problem import SitingProblem, Solution
    from commonweal.sources import Source, Store
    from commonweal.spec import Study
    from commonweal.study.reach import NearbyPlaces
    from commonweal.study.results import Results

    Floats = NDArray[np.float64]
    Columns = Mapping[str, Mapping[str, Floats]]
    Progress = Callable[[str, int, int], None]

__all__ = ["SitingResult"]


@dataclass(frozen=True, slots=True)
class SitingEffect:
    """What building changes in a study's indicators, indices and lists."""

    # one row an indicator that moves: ``label``, ``unit``, and its mean over the area's people ``before`` and
    # ``after``
    indicators: pl.DataFrame
    # one row an area and index: ``code``, ``name``, ``population``, ``index`` (label), ``score_before``, ``score``,
    # ``rank_before``, ``rank`` (1 = most need), for the areas asked about
    areas: pl.DataFrame
    # one row a designation: ``list`` (label), ``before`` and ``after`` (how many areas of the study are on it),
    # ``inside_before`` and ``inside_after`` (of those asked about)
    lists: pl.DataFrame
    # one row an area that comes or goes: ``list``, ``code``, ``name``, ``move`` (``leaves`` or ``enters``), ``inside``
    # (whether it is one of those asked about)
    moves: pl.DataFrame
    how: str  # how the indicators were measured anew, in a sentence


@dataclass(frozen=True, slots=True)
class SitingResult:
    """New places for an area, who is reached, and what that changes.

    Attributes
    ----------
    title
        Of the area.
    kind, label
        Of the places, as the taxonomy names it and as readers do.
    minutes
        Within how many minutes on foot one counts as reached.
    equity
        To what power need counted.
    need
        What need is, in words.
    how
        How walks were measured, in words.
    plural
        What the demand points are called.
    demand
        Who lives where.
    candidates
        What could be built.
    existing
        Where places of that kind are already, near enough to count.
    problem, solution
        What was solved, and how.
    sites
        One row a new site, those first that reach most people anew: ``id``, ``name``, ``longitude``,
        ``latitude``, ``cost``, ``nearest`` (people whose nearest place it is), ``newly`` (of those, people who
        had none within the minutes).
    effect
        What changes in the study; None where nothing in it is measured from such places.
    outlines
        ``code`` and ``geometry`` (WKB, WGS 84) of the areas, for maps; null where unknown.
    sources
        What the places and the walks come from.
    fictional
        Whether the place is made up.
    unread
        Whether no place of the kind was read anywhere, so that none that is there counts.
    abroad
        Whether the areas lie outside the United Kingdom, whose costs and values the program holds.
    rerun
        Whether only a new run of the study would say what changes in it: it prepares its indicators, or has
        several years.
    """

    title: str
    kind: str
    label: str
    minutes: float
    equity: float
    need: str
    how: str
    plural: str
    demand: Demand
    candidates: Candidates
    existing: Points
    problem: SitingProblem
    solution: Solution
    sites: pl.DataFrame
    effect: SitingEffect | None
    outlines: pl.DataFrame
    sources: tuple[Source, ...] = ()
    fictional: bool = False
    unread: bool = False
    abroad: bool = False
    rerun: bool = False

    @property
    def limit_m(self) -> float:
        """How many metres the minutes are."""
        from commonweal.access.measures import within_minutes

        return within_minutes(self.minutes)

    def reached(self) -> tuple[float, float]:
        """Give how many people have a place within the minutes, before and after."""
        return _reached(self.demand.people, self.solution, self.limit_m)

    def mean_m(self) -> tuple[float, float]:
        """Give the people's mean distance to the nearest place, those out of reach counting as at the limit."""
        people = self.demand.people
        before, after = (
            float(people @ np.where(np.isnan(d), self.problem.limit, d) / people.sum())
            for d in (self.solution.distance_before, self.solution.distance)
        )
        return before, after

    def lost(self) -> list[str]:
        """Name the demand points with people that no site reaches, whatever is built."""
        out = np.flatnonzero(self.problem.beyond() & (self.demand.people > 0))
        return [self.demand.names[i] for i in out.tolist()]


def chosen_sites(
    candidates: Candidates, people: NDArray[np.float64], solution: Solution, limit_m: float
) -> pl.DataFrame:
    """List the sites chosen, those first that reach most people anew; see `Sited.sites`."""
    late = ~(solution.distance_before <= limit_m) & (solution.distance <= limit_m)
    n = len(candidates)
    mine = (solution.place >= 0) & (solution.place < n)
    nearest, newly = (
        np.bincount(solution.place[some], weights=people[some], minlength=n)
        for some in (mine, mine & late)
    )
    return (
        candidates.table.with_columns(nearest=nearest, newly=newly)
        .with_row_index()
        .filter(pl.col("index").is_in(solution.chosen.tolist()))
        .sort(-pl.col("newly"), -pl.col("nearest"), "index")
        .select("id", "name", "longitude", "latitude", "cost", "nearest", "newly")
    )


def _reached(
    people: NDArray[np.float64], solution: Solution, limit_m: float
) -> tuple[float, float]:
    before, after = (
        float(people[d <= limit_m].sum()) for d in (solution.distance_before, solution.distance)
    )
    return before, after


def moved_by(study: Study, kind: str) -> list[str]:
    """Name the indicators that a new place moves: those of what is within reach, and what is made of them."""
    kinds, specs = load_taxonomy(), study.indicators
    found = {
        name
        for name, spec in specs.items()
        if spec.reach is not None and kind in kinds.kinds_of(spec.reach.to)
    }
    while True:
        more = {
            name
            for name, spec in specs.items()
            if name not in found
            and spec.made
            and not spec.reads
            and (
                (spec.formula and found & set(names_in(spec.formula, name)))
                or spec.per in found
                or (spec.complete is not None and spec.complete.of in found)
            )
        }
        if not more:
            return [name for name in specs if name in found]
        found |= more


def remeasure(
    results: Results,
    kind: str,
    planned: Places,
    around: NearbyPlaces,
    store: Store,
    progress: Progress | None = None,
) -> dict[str, dict[str, Floats]]:
    """Measure the indicators that new places move, as the study does: by index and indicator, (n_areas,).

    `around` is what is there already (`commonweal.study.indicators.read_nearby`).
    """
    study, fuller = results.study, around.with_more(planned)
    moved = set(moved_by(study, kind))
    found = {}
    for index in results.scores:
        names = [name for name in study.leaves(index) if name in moved]
        if names:
            here = _built_on(results, index)
            fresh, _ = make_indicators(study, names, here, store, progress, fuller)
            found[index] = {name: fresh.values[:, fresh.column(name)] for name in names}
    return found


def nearer(
    results: Results, indicator: str, planned: Places, detour: float = 1.3
) -> dict[str, dict[str, Floats]]:
    """Shorten an indicator that is a distance in metres to the nearest place, where a new one is nearer.

    For studies whose distances come from a table, not from places.
    """
    found = {}
    for index, indicators in results.indicators.items():
        if indicator not in [m.name for m in indicators.meta]:
            continue
        at = indicators.column(indicator)
        unit = indicators.meta[at].unit
        if unit != "m":
            raise DataError(
                f"{indicator} has unit '{unit}'; expected m, a distance to the nearest place"
            )
        origins = area_points(_built_on(results, index))
        near = straight_nearest(origins.points, planned.points, detour=detour).distance_m[:, 0]
        values = indicators.values[:, at].copy()
        values[origins.rows] = np.minimum(values[origins.rows], near)
        found[index] = {indicator: values}
    if not found:
        raise DataError(f"no index of {results.study.name} is made from '{indicator}'")
    return found


def cannot_rescore(study: Study) -> bool:
    """Whether other values would be prepared otherwise, so that only a new run says what they change."""
    return bool(study.prepare) or study.panel is not None


def results_with_indicators(results: Results, columns: Columns) -> Results:
    """Give the results of a study in which some indicators have other values.

    What would take longer is left out: certainty, sensitivity, what would change the answer, and comparisons. A study
    that prepares its indicators or has several years is refused: other values would be prepared otherwise, so it has
    to be run again.
    """
    study = results.study
    if columns and cannot_rescore(study):
        raise StudyError(
            f"study {study.name} prepares its indicators or has several years, so its index can't be made "
            "anew from new values; add the places to 'access: points' and run it"
        )
    scores, indicators = dict(results.scores), dict(results.indicators)
    for index, fresh in columns.items():
        values = indicators[index].values.copy()
        for name, column in fresh.items():
            values[:, indicators[index].column(name)] = column
        indicators[index] = replace(indicators[index], values=values)
        gone = set(study.leaves(index)) - {m.name for m in indicators[index].meta}
        made = score(index, without_indicators(study.index[index], gone, index), indicators[index])
        move = results.scores[index].move
        scores[index] = made if move is None else made.moved(move)
    designations = {}
    for name, d in results.designations.items():
        known = {
            i: tested
            for i, tested in enumerate(d.tested)
            if tested.condition.path.split("/")[0] not in columns
        }
        designations[name] = designate(
            name, d.rule, scores, results.areas, changes=False, known=known
        )
    return replace(
        results,
        indicators=indicators,
        scores=scores,
        designations=designations,
        certainty={},
        sensitivity={},
        validations=(),
        since=None,
        summaries={},
        trends={},
    )


def siting_effect(
    before: Results, after: Results, columns: Columns, inside: NDArray[np.intp], how: str
) -> SitingEffect:
    """Say what differs between two results of a study, for some of its areas."""
    table = before.areas.table
    areas = []
    for index in columns:
        old, new = before.scores[index], after.scores[index]
        areas.append(
            table.select("code", name=pl.col("name").fill_null(pl.col("code")), population="population")
            .with_columns(
                index=pl.lit(before.label(index)),
                score_before=pl.Series(old.score, nan_to_null=True),
                score=pl.Series(new.score, nan_to_null=True),
                rank_before=pl.Series(old.rank, nan_to_null=True).cast(pl.Int64),
                rank=pl.Series(new.rank, nan_to_null=True).cast(pl.Int64),
            )[inside]
        )  # fmt: skip
    is_inside = np.zeros(len(table), np.bool_)
    is_inside[inside] = True
    means = [
        row for index in columns for row in _means(before, after, index, columns[index], is_inside)
    ]
    lists, moves = [], []
    for name, d in before.designations.items():
        was, now = d.selected, after.designations[name].selected
        label = name.replace("_", " ")
        counts = [int(n.sum()) for n in (was, now, was & is_inside, now & is_inside)]
        lists.append((label, *counts))
        for row in np.flatnonzero(was != now).tolist():
            area = table["name"][row] or before.areas.codes[row]
            move = "leaves" if was[row] else "enters"
            moves.append((label, before.areas.codes[row], area, move, bool(is_inside[row])))
    return SitingEffect(
        _frame(means, label=pl.String, unit=pl.String, before=pl.Float64, after=pl.Float64),
        pl.concat(areas),
        _frame(
            lists, list=pl.String, before=pl.Int64, after=pl.Int64,
            inside_before=pl.Int64, inside_after=pl.Int64,
        ),
        _frame(
            moves, list=pl.String, code=pl.String, name=pl.String, move=pl.String, inside=pl.Boolean
        ),
        how,
    )  # fmt: skip


def _frame(rows: list[tuple[Any, ...]], **schema: Any) -> pl.DataFrame:
    return pl.DataFrame(rows, schema=schema, orient="row")


def _means(
    before: Results,
    after: Results,
    index: str,
    fresh: Mapping[str, Floats],
    is_inside: NDArray[np.bool_],
) -> list[tuple[Any, ...]]:
    """Give the mean of each indicator over the people of the areas asked about; none if they can't be told."""
    here = _built_on(before, index)
    some = is_inside
    if here is not before.areas:
        asked = set(before.areas.table["code"].filter(pl.Series(is_inside)).to_list())
        system = before.areas.system
        if system not in here.table.columns:
            return []
        some = here.table[system].is_in(asked).fill_null(value=False).to_numpy()
    people = np.where(some, np.nan_to_num(here.population), 0.0)
    rows: list[tuple[Any, ...]] = []
    for name in fresh:
        at = before.indicators[index].column(name)
        meta = before.indicators[index].meta[at]
        old, new = (r.indicators[index].values[:, at] for r in (before, after))
        both = ~np.isnan(old) & ~np.isnan(new) & (people > 0)
        if both.any():
            mean = [float(np.average(v[both], weights=people[both])) for v in (old, new)]
            rows.append((meta.label, meta.unit, *mean))
    return rows


def _built_on(results: Results, index: str) -> Areas:
    """Give the areas that an index is built on."""
    move = results.scores[index].move
    return results.areas if move is None else move.origin
