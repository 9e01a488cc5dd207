"""A designation run by run: its indices, conditions and answer with settings that vary."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

import numpy as np
from numpy.typing import NDArray

from commonweal.designation.designation import Designation, evaluate_rule, group_numbers
from commonweal.errors import DataError
from commonweal.index.assumptions import SamplingError
from commonweal.index.monte_carlo import Ensemble, ranks_of
from commonweal.index.runs import Settings, cut_factors, draw_sets
from commonweal.index.targets import AssumptionTarget, find_targets
from commonweal.index.uncertainty import BLOCK, UnitData, ensemble_of, in_order

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping, Sequence

    from commonweal.areas import Areas
    from commonweal.designation.rule import Condition, ConditionResult
    from commonweal.index import Scores
    from commonweal.index.assumptions import Assumption
    from commonweal.indicators import Indicators


Result = TypeVar("Result")

Floats: TypeAlias = NDArray[np.float64]
Bools: TypeAlias = NDArray[np.bool_]
EARTH_M = 6_371_008.8


@dataclass(frozen=True)
class Drawn:
    """One index in some runs, each with its settings worked out once."""

    settings_built: Floats  # (n_settings, n_origin) scores on the areas that it was built on
    settings_need: Floats  # (n_settings, n_areas) scores on the study's areas
    # (n_settings, n_areas) int32 ranks there; beyond every cut-off without a score
    settings_ranks: NDArray[np.int32]
    # (n_runs,) the number of each run's settings; None where each run has its own
    again: NDArray[np.intp] | None = None

    @property
    def built(self) -> Floats:
        """(n_runs, n_origin) scores on the areas that it was built on."""
        return self.of_runs(self.settings_built)

    @property
    def need(self) -> Floats:
        """(n_runs, n_areas) scores on the study's areas."""
        return self.of_runs(self.settings_need)

    @cached_property
    def ranks(self) -> NDArray[np.int32]:
        """(n_runs, n_areas) ranks there."""
        return self.of_runs(self.settings_ranks)

    def of_runs(self, of_settings: NDArray[Any]) -> NDArray[Any]:
        """Give to each run what its settings have."""
        return of_settings if self.again is None else of_settings[self.again]


@dataclass(frozen=True, slots=True)
class Stream:
    """One index, or a node of one that a condition is on, whatever its settings."""

    scores: Scores  # as stated, on the study's areas
    ensemble: Ensemble  # its versions, on the areas that it was built on
    exact: bool  # whether scores themselves count, not their order alone
    inputs: tuple[int, ...]  # numbers of the assumptions that act on it

    @property
    def present(self) -> Bools:
        """(n_areas,) which of the study's areas have a score."""
        return ~np.isnan(self.scores.score)

    def run(self, u: Floats) -> Drawn:
        """Score and rank in some runs."""
        own = u[:, self.inputs]
        _, first, again = np.unique(own, axis=0, return_index=True, return_inverse=True)
        if len(first) == len(u):
            return self._run(u)
        drawn = self._run(u[first])  # of a Sobol design many runs differ in what does not act here
        return replace(drawn, again=again.ravel())

    def _run(self, u: Floats) -> Drawn:
        from commonweal.index.kernels import carry_rows

        built = self.ensemble.scores(u, exact=self.exact)
        need = built
        if self.scores.move is not None:
            shares = self.scores.move.shares()[0]
            need = np.empty((len(u), len(self.scores.codes)))
            carry_rows(built, shares.indptr, shares.indices, shares.data, need)
        return Drawn(built, need, ranks_of(need, self.present))


@dataclass(frozen=True, slots=True)
class Varied:
    """A designation and everything that varies in it."""

    designation: Designation
    scores: Mapping[str, Scores]  # indices by name, as stated
    settings: Settings  # what varies, and where
    # by path, the indices that vary, and the nodes of them that conditions are on
    streams: Mapping[str, Stream]

    @property
    def found(self) -> tuple[AssumptionTarget, ...]:
        """Where the assumptions act."""
        return self.settings.found

    @property
    def assumptions(self) -> tuple[Assumption, ...]:
        """What varies."""
        return self.settings.assumptions

    @property
    def still(self) -> bool:
        """Whether nothing varies at all."""
        paths = {t.condition.path for t in self.designation.tested}
        one = np.full((1, len(self.found)), 0.25)
        return not self.streams and all((cut_factors(self.found, one, p) == 1).all() for p in paths)

    def run(self, u: Floats) -> tuple[dict[str, Drawn], list[Bools], Bools]:
        """Work the designation out in some runs."""
        drawn = {path: stream.run(u) for path, stream in self.streams.items()}
        passes = [self._passes(t, drawn.get(t.condition.path), u) for t in self.designation.tested]
        rule = self.designation.rule
        selected = evaluate_rule(rule, iter(passes), self.scores, self.designation.areas)
        return drawn, passes, selected

    def _passes(self, stated: ConditionResult, drawn: Drawn | None, u: Floats) -> Bools:
        """(n_runs, n_areas) whether one condition holds; nothing drawn where it does not vary."""
        condition = stated.condition
        factor = cut_factors(self.found, u, condition.path)
        if drawn is None:
            if condition.worst is None or (factor == 1).all():
                return np.tile(stated.passes, (len(u), 1))
            limit = np.floor(stated.width * factor[:, None] + 1e-9)
            return np.nan_to_num(stated.rank, nan=np.inf) <= np.nan_to_num(limit, nan=-1)
        if condition.score_above is not None:
            return np.nan_to_num(drawn.need, nan=-np.inf) > condition.score_above
        assert condition.worst is not None
        if condition.among or condition.within:
            stream = self.streams[condition.path]
            return _by_pool(condition, stream, drawn, self.designation.areas, factor)
        n_present = int(self.streams[condition.path].present.sum())
        limit = np.floor(condition.worst.width(n_present) * factor + 1e-9)
        held: Bools = drawn.ranks <= limit[:, None].astype(np.int32)
        return held


def vary(
    designation: Designation,
    assumptions: Sequence[Assumption],
    scores: Mapping[str, Scores],
    indicators: Mapping[str, Indicators],
    n_sets: int,
    seed: int,
    exact: Collection[str] = (),
) -> Varied:
    """Prepare a designation for runs."""
    trees = {name: s.tree for name, s in scores.items()}
    with_errors = sorted({e for i in indicators.values() for e in i.errors_of})
    with_counts = sorted({c for i in indicators.values() for c in i.counts})
    found = find_targets(assumptions, trees, with_errors, with_counts)
    nodes = {path: node for index, tree in trees.items() for path, node in tree.walk(index)}
    weights = {p: np.array(list(n.weights.values())) for p, n in nodes.items() if n.children}
    sets = draw_sets(found, weights, n_sets, seed)
    conditions = list(designation.rule.conditions())
    streams = {}
    # A condition can be on a domain, whose ranks vary with what is drawn in or below it.
    for path in dict.fromkeys([*scores, *(c.path for c in conditions), *exact]):
        index = path.split("/", 1)[0]
        part = scores[index].part(path)
        here = part.built or part
        own = indicators[index]
        units = UnitData(
            own.errors_of,
            own.counts,
            _points(designation.areas, here) if _has_range(found, path) else None,
            {m.name: -1.0 for m in own.meta if m.higher_is == "less"},
            here.codes,
            seed,
            _groups(designation.areas, here, found, path),
        )
        need = {m.name: own.need(m.name) for m in own.meta}
        made = ensemble_of(path, here.tree, need, found, sets, units, n_sets)
        if made.varies:
            if not np.allclose(made.stated, here.score, equal_nan=True):
                raise DataError(
                    f"index {index} is measured against a base; what varies is worked out against "
                    "the index's own areas"
                )
            by_score = any(c.path == path and c.score_above is not None for c in conditions)
            whole = part.move is not None or by_score or path in exact
            acts = [any(_is_in(p, path) for p in one.paths) for one in found]
            streams[path] = Stream(part, made, whole, tuple(np.flatnonzero(acts).tolist()))
    children = {path: list(node.children) for path, node in nodes.items()}
    return Varied(designation, scores, Settings(found, sets, children, n_sets), streams)


def in_blocks(
    varied: Varied,
    u: Floats,
    count: Callable[[Varied, Floats], Result],
    progress: Callable[[str, int, int], None] | None = None,
    client: Any = None,
) -> Iterator[Result]:
    """Work a designation out block by block, so that what is counted of each is kept and no scores.

    With a Dask client, `count` is a function of a module.
    """
    starts = range(0, len(u), BLOCK)
    with closing(in_order(client, count, varied, (u[k : k + BLOCK] for k in starts))) as counted:
        for start, found in zip(starts, counted, strict=True):
            yield found
            if progress:
                progress("drawing", min(start + BLOCK, len(u)), len(u))


def _has_range(found: Sequence[AssumptionTarget], path: str) -> bool:
    return any(
        isinstance(one.assumption, SamplingError)
        and one.assumption.range_m
        and any(_is_in(p, path) for p in one.paths)
        for one in found
    )


def _groups(
    areas: Areas, scores: Scores, found: Sequence[AssumptionTarget], path: str
) -> dict[str, NDArray[np.intp]]:
    """Give the numbers of the larger areas that share an error."""
    shared = {
        one.assumption.shared_by
        for one in found
        if isinstance(one.assumption, SamplingError) and any(_is_in(p, path) for p in one.paths)
    } - {""}
    if shared and list(areas.codes) != list(scores.codes):
        raise DataError(
            f"index {scores.index.split('/')[0]} is built on {scores.system}, whose larger areas are not at "
            "hand; errors with 'shared_by' need an index that is built on the study's own areas"
        )
    return {parent: group_numbers(areas, parent) for parent in sorted(shared)}


def _is_in(path: str, top: str) -> bool:
    return path == top or path.startswith(f"{top}/")


def _points(areas: Areas, scores: Scores) -> Floats:
    """(n_areas, 3) metres from the middle of the Earth: near places are as far apart as on it."""
    if list(areas.codes) != list(scores.codes):
        raise DataError(
            f"index {scores.index.split('/')[0]} is built on {scores.system}, whose points are not at "
            "hand; errors with 'range_m' need an index that is built on the study's own areas"
        )
    x, y = (
        np.radians(areas.table[c].cast(float).fill_null(np.nan).to_numpy())
        for c in ("longitude", "latitude")
    )
    if np.isnan(x + y).any():
        n = int(np.isnan(x + y).sum())
        raise DataError(f"{n:,} {areas.plural} have no point; errors with 'range_m' need one each")
    return EARTH_M * np.column_stack([np.cos(y) * np.cos(x), np.cos(y) * np.sin(x), np.sin(y)])


def _by_pool(
    condition: Condition, stream: Stream, drawn: Drawn, areas: Areas, factor: Floats
) -> Bools:
    """Whether needs are among the worst of a pool of their own: the areas built on, or a group."""
    assert condition.worst is not None
    need = _last_if_lost(drawn.need, stream.present)
    held = np.zeros(need.shape, dtype=bool)
    for at, pool, has in _pools(condition, stream, drawn, need, areas):
        present = pool if has.all() else np.ascontiguousarray(pool[:, has])
        n = present.shape[1]
        limit = np.floor(condition.worst.width(n) * factor + 1e-9).astype(np.intp)
        cut = np.full(len(factor), np.inf)  # a cut-off of no places lets nobody in
        for k in np.unique(np.minimum(limit, n)):
            if k > 0:
                runs = np.flatnonzero(np.minimum(limit, n) == k)
                halves = [present[half] for half in np.array_split(runs, 2)]
                with ThreadPoolExecutor(2) as two:  # numpy lets go of its lock
                    cut[runs] = np.concatenate(list(two.map(_last_of, halves, (k, k))))
        held[:, at] = need[:, at] >= cut[:, None]  # a missing need is not
    return held


def _pools(
    condition: Condition, stream: Stream, drawn: Drawn, need: Floats, areas: Areas
) -> Iterator[tuple[Any, Floats, Bools]]:
    """Yield which areas a pool is for, its (n_runs, n_pool) needs, and who of it has a score."""
    if condition.among:
        has = stream.ensemble.present
        yield slice(None), _last_if_lost(drawn.built, has), has
        return
    assert condition.within is not None
    groups = group_numbers(areas, condition.within)
    for g in np.unique(groups[groups >= 0]):
        at = np.flatnonzero(groups == g)
        yield at, need[:, at], stream.present[at]


def _last_if_lost(need: Floats, present: Bools) -> Floats:
    """Put areas that a run alone leaves without a score behind all others of the run."""
    lost = np.isnan(need) & present
    return np.where(lost, -np.inf, need) if lost.any() else need


def _last_of(block: Floats, k: int) -> Floats:
    """Give the k-th highest value of each row."""
    at = block.shape[1] - k
    return np.partition(block, at, axis=1)[:, at]
