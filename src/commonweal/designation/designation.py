"""Apply a rule: who is selected, by what margin, and what would change the answer."""

from __future__ import annotations

from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np

from commonweal.designation.rule import Bools, Condition, ConditionResult, Floats, Rule
from commonweal.errors import DataError, UnknownNameError
from commonweal.files.frames import Tabular
from commonweal.index import Scores, rank

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    import polars as pl
    from numpy.typing import NDArray

    from commonweal.areas import Areas


NEAR_MISS = 0.1
"""An area is a near miss if it would qualify with every cut-off this much more generous."""


@dataclass(frozen=True, slots=True, repr=False)
class Designation(Tabular):
    """Who qualifies.

    Attributes
    ----------
    name
        Name of the designation.
    areas
        The places.
    rule
        What was applied.
    selected
        (n_areas,) whether an area qualifies.
    tested
        One `ConditionResult` a condition, in the order of ``rule.conditions()``.
    near_miss
        (n_areas,) not selected, but would be with every cut-off a tenth more generous: wider, or tighter
        where the condition stands under a ``not``.
    just_inside
        (n_areas,) selected, but would not be with every cut-off a tenth stricter.
    changes
        By node path (a child of a condition's node), (n_areas,) the rank which that child alone
        would have to take to change the answer; NaN where none would, and in areas that a cap
        leaves out.
    ranks
        By the same paths, (n_areas,) the rank that the child has now, on the scale of `changes`: by
        what it puts into the index, which on moved areas can order them otherwise than its score.

    Examples
    --------
    >>> import commonweal as cw
    >>> found = cw.run("demo", draws=0, geometry=False).designation
    >>> found.selected.sum().item(), found.near_miss.sum().item()
    (17, 3)
    """

    name: str
    areas: Areas
    rule: Rule
    selected: Bools
    tested: tuple[ConditionResult, ...]
    near_miss: Bools
    just_inside: Bools
    changes: Mapping[str, Floats]
    ranks: Mapping[str, Floats]

    @property
    def population(self) -> float:
        """Residents of the selected areas; NaN if one of them is unknown."""
        return float(self.areas.population[self.selected].sum())

    def least_change(self) -> tuple[NDArray[np.object_], Floats, Floats]:
        """Give, for each area, the child whose rank has to move by the fewest places.

        Returns
        -------
        tuple
            (n_areas,) path of the child (None where no single one suffices), its rank now, and the
            rank it would have to take.
        """
        n = len(self.areas)
        path = np.full(n, None, dtype=object)
        now, then, fewest = np.full(n, np.nan), np.full(n, np.nan), np.full(n, np.inf)
        for child, needed in self.changes.items():
            have = self.ranks[child]
            distance = np.where(np.isnan(needed), np.inf, np.abs(needed - have))
            better = distance < fewest
            path[better], now[better], then[better] = child, have[better], needed[better]
            fewest = np.where(better, distance, fewest)
        return path, now, then

    def inside(self, here: Bools) -> Designation:
        """Give it with nothing selected, just inside or just outside but some areas; ranks and cut-offs stay."""
        return replace(
            self,
            selected=self.selected & here,
            near_miss=self.near_miss & here,
            just_inside=self.just_inside & here,
        )

    def _about(self) -> str:
        return (
            f"Designation {self.name}: {int(self.selected.sum()):,} of {len(self.areas):,} "
            f"{self.areas.plural} on the list; {self.rule}"
        )

    def to_frame(self) -> pl.DataFrame:
        """Give a Polars frame, one row an area; missing is null."""
        import polars as pl

        path, now, then = self.least_change()
        columns: dict[str, object] = {
            "code": self.areas.codes,
            "selected": self.selected,
            "near_miss": self.near_miss,
            "just_inside": self.just_inside,
        }
        for label, t in zip(self.rule.labels(), self.tested, strict=True):
            columns |= {
                f"{label}.passes": t.passes,
                f"{label}.deciding_rank": t.rank,
                f"{label}.margin_places": t.places,
                f"{label}.margin_score": t.score,
            }
        columns |= {
            "least_change": [None if p is None else p.replace("/", ".") for p in path],
            "least_change.rank_now": now,
            "least_change.rank_needed": then,
        }
        for child, needed in self.changes.items():
            columns[f"{child.replace('/', '.')}.rank_to_change"] = needed
        frame = pl.DataFrame(columns, strict=False).fill_nan(None)
        whole = ("rank_now", "rank_needed", "rank_to_change", "margin_places")
        return frame.with_columns(
            pl.col([c for c in frame.columns if c.endswith(whole)]).cast(pl.Int32)
        )


def designate(
    name: str,
    rule: Rule,
    scores: Mapping[str, Scores],
    areas: Areas,
    *,
    changes: bool = True,
    known: Mapping[int, ConditionResult] = MappingProxyType({}),
) -> Designation:
    """Apply a rule to indices.

    Parameters
    ----------
    name
        Name of the designation.
    rule
        The rule.
    scores
        Indices by name, each on the codes of `areas`.
    areas
        The places, with the parents that ``within`` and ``at_most`` name.
    changes
        Whether to look for what would change the answer, which takes most of the time.
    known
        Conditions that were tested on the same scores already, by number in the order of
        ``rule.conditions()``, from 0.

    Raises
    ------
    UnknownNameError
        If a condition names an index, domain or parent that is not there, or an excluded code is
        not an area.
    DataError
        If an index covers other areas.
    """
    for r in rule.rules():
        for code in r.excluding:
            if code not in areas.position:
                raise UnknownNameError("excluded area", code, areas.codes)
    tested = tuple(
        known[i] if i in known else _test(c, scores, areas) for i, c in enumerate(rule.conditions())
    )
    passes = [t.passes for t in tested]
    selected = evaluate_rule(rule, iter(passes), scores, areas)
    # A wider cut-off lets more in, unless what it is the cut-off of keeps an area out.
    signs = [-1 if negated else 1 for negated in rule.negated()]
    generous, strict = (
        [_passes_at(t, 1 + step * sign) for t, sign in zip(tested, signs, strict=True)]
        for step in (NEAR_MISS, -NEAR_MISS)
    )
    turning = _changes(rule, tested, selected, scores, areas) if changes else ({}, {})
    return Designation(
        name,
        areas,
        rule,
        selected,
        tested,
        near_miss=~selected & evaluate_rule(rule, iter(generous), scores, areas),
        just_inside=selected & ~evaluate_rule(rule, iter(strict), scores, areas),
        changes=turning[0],
        ranks=turning[1],
    )


def _find(condition: Condition, scores: Mapping[str, Scores], areas: Areas) -> Scores:
    index = condition.path.split("/", 1)[0]
    if index not in scores:
        raise UnknownNameError("index", index, scores)
    found = scores[index]
    if condition.path not in found.need:
        raise UnknownNameError(
            "index or domain", condition.index, [p.replace("/", ".") for p in found.need]
        )
    if list(found.codes) != areas.codes:
        raise DataError(
            f"index {index} covers {len(found.codes):,} areas of {found.system}; "
            f"the rule is for {len(areas):,} {areas.called} (give the index a 'move')"
        )
    return found


def group_numbers(areas: Areas, parent: str) -> NDArray[np.intp]:
    """(n_areas,) group numbers; areas without a parent share group -1."""
    if parent not in areas.table.columns:
        raise UnknownNameError("larger area", parent, areas.parents)
    return areas.table[parent].rank("dense").fill_null(0).to_numpy().astype(np.intp) - 1


def _test(condition: Condition, scores: Mapping[str, Scores], areas: Areas) -> ConditionResult:
    found = _find(condition, scores, areas)
    need = found.need[condition.path]
    if condition.score_above is not None:
        return _test_score(condition, need, condition.score_above)
    assert condition.worst is not None
    if condition.among:
        if found.built is None:
            raise DataError(
                f"'among: built' on {condition.index}, which was not moved; leave it out"
            )
        pool = found.built.need[condition.path]
        return _test_worst(condition, need, pool)
    if condition.within is None:
        return _test_worst(condition, need, need)
    parts = [np.full(len(need), np.nan) for _ in range(6)]
    passes = np.zeros(len(need), dtype=bool)
    groups = group_numbers(areas, condition.within)
    for g in np.unique(groups[groups >= 0]):
        at = np.flatnonzero(groups == g)
        own = need[at]
        part = _test_worst(condition, own, own)
        passes[at] = part.passes
        for whole, piece in zip(
            parts,
            (part.rank, part.places, part.score, part.cut, part.width, part.level),
            strict=True,
        ):
            whole[at] = piece
    return ConditionResult(condition, passes, *parts)


def _test_worst(condition: Condition, need: Floats, pool: Floats) -> ConditionResult:
    """Place each need among a pool of needs and cut at the pool's worst."""
    assert condition.worst is not None
    present = pool[~np.isnan(pool)]
    k = condition.worst.count(len(present))
    ends = [j for j in (k - 1, k) if 0 <= j < len(present)]
    ordered = -np.partition(-present, ends) if ends else present
    last_in = ordered[k - 1] if k > 0 else np.inf
    first_out = ordered[k] if k < len(present) else -np.inf
    if pool is need:
        ranks = rank(need)
    else:
        above = np.searchsorted(np.sort(-present), -need, side="left").astype(np.float64)
        ranks = np.where(np.isnan(need), np.nan, above + 1)
    passes = np.nan_to_num(ranks, nan=np.inf) <= k
    n = len(need)
    return ConditionResult(
        condition,
        passes,
        ranks,
        places=np.where(passes, k + 1 - ranks, k - ranks),
        score=np.where(passes, need - first_out, need - last_in),
        cut=np.full(n, float(k)),
        width=np.full(n, condition.worst.width(len(present))),
        level=_level(need),
    )


def _test_score(condition: Condition, need: Floats, above: float) -> ConditionResult:
    passes = np.nan_to_num(need, nan=-np.inf) > above
    k = int(passes.sum())
    ranks = rank(need)
    n = len(need)
    return ConditionResult(
        condition,
        passes,
        ranks,
        places=np.where(passes, k + 1 - ranks, k - ranks),
        score=need - above,
        cut=np.full(n, float(k)),
        width=np.full(n, float(k)),
        level=_level(need),
    )


def _level(need: Floats) -> Floats:
    """Count the areas that share each score; NaN where it is missing."""
    _, which, counts = np.unique(need, return_inverse=True, return_counts=True, equal_nan=False)
    return np.where(np.isnan(need), np.nan, counts[which])


def _passes_at(tested: ConditionResult, factor: float) -> Bools:
    """Whether the condition would hold with a cut-off wider or tighter by a factor.

    A share or number takes areas by rank, with all that tie with the last. A line drawn at a score takes
    the areas that share a score together or not at all, so no more than a tenth may come in by one that is
    lower; and never those with the lowest score, whom no line at a score lets in and keeps anybody out.
    """
    limit = np.nan_to_num(tested.width * factor + 1e-9, nan=-1.0)
    rank = np.nan_to_num(tested.rank, nan=np.inf)
    if tested.condition.score_above is None or factor <= 1:
        return rank <= limit
    last = rank + np.nan_to_num(tested.level) - 1
    scored = int((~np.isnan(tested.rank)).sum())
    return tested.passes | ((last <= limit) & (last < scored))


def evaluate_rule(
    rule: Rule, passes: Iterator[Bools], scores: Mapping[str, Scores], areas: Areas
) -> Bools:
    """Join the (..., n_areas) outcomes of conditions, in the order of ``rule.conditions()``, as the rule says."""
    if rule.condition is not None:
        outcome = next(passes)
    elif rule.not_ is not None:
        outcome = ~evaluate_rule(rule.not_, passes, scores, areas)
    else:
        parts = [evaluate_rule(r, passes, scores, areas) for r in rule.all or rule.any or ()]
        join = np.logical_and if rule.all else np.logical_or
        outcome = join.reduce(parts)
    if rule.excluding:
        outcome = outcome.copy()
        outcome[..., [areas.position[c] for c in rule.excluding]] = False
    if rule.at_most is not None:
        by = _find(Condition(index=rule.at_most.by, score_above=0), scores, areas)
        need = by.need[rule.at_most.by.replace(".", "/")]
        groups = group_numbers(areas, rule.at_most.within)
        outcome = _cap(outcome, need, groups, rule.at_most.number)
    return outcome


def _cap(outcome: Bools, need: Floats, groups: NDArray[np.intp], most: int) -> Bools:
    """Keep the worst few of those that qualify in each group; ties at the cap stay."""
    rows = outcome.reshape(-1, outcome.shape[-1])
    kept = np.zeros_like(rows)
    order = np.lexsort((-need, groups))
    for row, keep in zip(rows, kept, strict=True):
        inside = order[row[order]]
        g, x = groups[inside], need[inside]
        start = np.flatnonzero(np.r_[True, g[1:] != g[:-1]]) if len(g) else np.array([], np.intp)
        first = np.repeat(start, np.diff(np.r_[start, len(g)]))
        last = np.minimum(
            first + most - 1, np.r_[start[1:], len(g)].repeat(np.diff(np.r_[start, len(g)])) - 1
        )
        keep[inside[(np.arange(len(g)) <= last) | (x == x[last])]] = True
    return kept.reshape(outcome.shape)


def _changes(
    rule: Rule,
    tested: Sequence[ConditionResult],
    selected: Bools,
    scores: Mapping[str, Scores],
    areas: Areas,
) -> tuple[dict[str, Floats], dict[str, Floats]]:
    """For each child of a condition's node: the rank that would change the answer."""
    from commonweal.designation.change import rank_needed

    base = [t.passes for t in tested]
    free = rule.without_caps()
    before = evaluate_rule(free, iter(base), scores, areas)
    uncapped = before == selected

    def turns(flipped: Mapping[int, Bools]) -> Bools:
        outcomes = (p ^ flipped[i] if i in flipped else p for i, p in enumerate(base))
        return (evaluate_rule(free, outcomes, scores, areas) != before) & uncapped

    # By child and number of the condition; one child can be in several conditions.
    places: dict[str, dict[int, Floats]] = {}
    ranks: dict[str, Floats] = {}
    indices = [t.condition.path.split("/")[0] for t in tested]
    for i, t in enumerate(tested):
        found = _find(t.condition, scores, areas)
        single = indices.count(indices[i]) == 1
        rows = turns({i: np.ones_like(selected)}) if single else uncapped
        within = t.condition.within
        groups = None if within is None else group_numbers(areas, within)
        for child, at in rank_needed(found, t, np.flatnonzero(rows), groups).items():
            places.setdefault(child, {})[i] = at
            # A moved index is a mean of what went into it, so places are places in that.
            moved = {} if found.built is None else found.transformed
            ranks[child] = rank(moved.get(child, found.need[child]))
    changes: dict[str, Floats] = {}
    for child, by_condition in places.items():
        nearest = np.full(len(areas), np.nan)
        for i, at in by_condition.items():
            # On its way there it turns every other condition that is as near in that direction.
            flipped = {
                j: (base[j] == base[i]) & np.where(base[i], there <= at, there >= at)
                for j, there in by_condition.items()
            }
            nearer = ~(np.abs(at - ranks[child]) >= np.abs(nearest - ranks[child]))
            nearest = np.where(turns(flipped) & nearer, at, nearest)
        changes[child] = nearest
    return changes, ranks
