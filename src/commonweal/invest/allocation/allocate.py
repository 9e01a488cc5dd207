"""Apply a programme's rule: who is selected, by what margin, why others are not, and how often under uncertainty."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from numpy.typing import NDArray

from commonweal.areas.catalogue import load_systems
from commonweal.designation import designate
from commonweal.designation.runs import Varied, in_blocks, vary
from commonweal.errors import StudyError
from commonweal.index import rank
from commonweal.index.runs import draw_numbers
from commonweal.invest.allocation.eligibility import go_through, steps_of
from commonweal.invest.allocation.selection import (
    CAPPED,
    CHOSEN,
    NO_MONEY,
    cap_margins,
    composite,
    first_come,
    limits_of,
    margins,
    paths_of,
    select_areas,
    stated_need,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import polars as pl

    from commonweal.areas import Areas
    from commonweal.designation import Designation
    from commonweal.designation.uncertainty import CertaintySpec
    from commonweal.index import Scores
    from commonweal.indicators import Indicators
    from commonweal.invest.allocation.programme import Programme
    from commonweal.invest.allocation.selection import Limits


Floats: TypeAlias = NDArray[np.float64]
Bools: TypeAlias = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class CapCost:
    """What caps cost: the same rule without them."""

    passed_over: Bools  # (n_areas,) who would be selected without the caps, and is not
    instead: Bools  # (n_areas,) who is selected, and would not be without the caps
    # people, people_in_need: residents passed over, and those of them in areas in need; unknown populations are left
    # out
    people: float
    people_in_need: float
    # people_instead, people_in_need_instead: the same of those selected in their place
    people_instead: float
    people_in_need_instead: float


@dataclass(frozen=True, slots=True)
class Allocation:
    """Who gets an award."""

    programme: Programme
    areas: Areas
    need: Floats  # (n_areas,) what ranks, higher = more need; NaN where an index is missing
    # by path of an index or domain, (n_areas,) its scores as the rule reads them
    parts: Mapping[str, Floats]
    rank: Floats  # (n_areas,) rank of `need` among all areas, 1 = most need
    # (n_areas,) who can be chosen: every threshold passed, not excluded, within the window of people
    eligible: Bools
    open_to: Bools  # (n_areas,) the same but for the thresholds, which is what no draw changes
    selected: Bools  # (n_areas,) who is
    order: NDArray[np.int64]  # (n_areas,) place among the selected by need, from 1; 0 for others
    # (n_areas,) what became of the area: ``selected``, or in words why it was passed over
    why: NDArray[np.object_]
    # (n_areas,) of what ranks: how far a selected area is above the first that would take its place; how far another
    # is from the last selected: negative, or positive where a cap or a minimum stood in the way. NaN where nobody is
    # on the other side, and for areas that cannot be chosen. An area that a minimum keeps in is measured against its
    # own group, and the last selected is one that none does.
    margin: Floats
    # (n_areas,) the same within the area's group of the tightest cap: how far the selected of the group are above the
    # best that the cap left out, and those below its last selected
    cap_margin: Floats
    # (n_areas,) whether an area has the same need as one on the other side of either: the programme's ``ties``, then
    # codes, decided
    tied: Bools
    in_need: Bools  # (n_areas,) who is in need by the programme's yardstick
    cost: CapCost
    limits: Limits  # caps and minimums, as numbers
    designation: Designation  # the thresholds, as tested
    among_equals: NDArray[np.intp]  # (n_areas,) the order in which equals are taken
    # names of exclusions that were asked to be left out, so that the rule is not the programme's
    left_out: tuple[str, ...]

    @property
    def people(self) -> float:
        """Residents of the selected areas; unknown populations are left out."""
        return float(np.nansum(self.areas.population[self.selected]))

    @property
    def people_in_need(self) -> float:
        """Residents of the selected areas that are in need; unknown populations are left out."""
        return float(np.nansum(self.areas.population[self.selected & self.in_need]))

    @property
    def spent(self) -> float | None:
        """Money given out; None where the rule states no award."""
        money = self.programme.money
        if money is None or money.award is None:
            return None
        return money.award * int(self.selected.sum())

    def to_frame(self) -> pl.DataFrame:
        """Give one row an area, the selected first, in the order of need; missing is null."""
        import polars as pl

        table = self.areas.table
        named = [c for p in self._groups() for c in (p, f"{p}_name") if c in table.columns]
        frame = table.select("code", "name", "population", *dict.fromkeys(named)).with_columns(
            selected=pl.Series(self.selected),
            order=pl.Series(self.order),
            why=pl.Series(self.why.tolist(), dtype=pl.String),
            need=pl.Series(self.need),
            rank=pl.Series(self.rank),
            margin=pl.Series(self.margin),
            cap_margin=pl.Series(self.cap_margin),
            tied=pl.Series(self.tied),
            in_need=pl.Series(self.in_need),
            passed_over=pl.Series(self.cost.passed_over),
        )
        parts = [
            pl.Series(f"{p.replace('/', '.')}.{what}", v)
            for p, x in self.parts.items()
            for what, v in (("score", x), ("rank", rank(x)))
        ]
        return (
            frame.with_columns(parts)
            .fill_nan(None)
            .with_columns(pl.col("rank").cast(pl.Int32))
            .with_columns(_last=pl.col("order") == 0)
            .sort("_last", "order", "rank", "code", nulls_last=True)
            .drop("_last")
        )

    def _groups(self) -> list[str]:
        capped = [cap.in_each for cap in self.programme.caps]
        owed = [rule.in_each for rule in self.programme.least]
        return list(
            dict.fromkeys([*capped, *owed, *load_systems().shown(self.areas.parents).values()])
        )


def allocate(
    programme: Programme,
    scores: Mapping[str, Scores],
    areas: Areas,
    exclusions: Mapping[str, Sequence[str] | None] | None = None,
) -> Allocation:
    """Apply a programme's rule to a study: minimums first, then by need under every cap until awards run out.

    Equals are taken by the programme's ``ties``, then by code. An exclusion whose codes are None is left out, which is
    told.
    """
    parts = {p: stated_need(scores, p) for p in paths_of(programme.rank, programme.ties)}
    designation = designate(programme.name, programme.rule, scores, areas, changes=False)
    need = composite(programme.rank, parts)
    steps, left_out = steps_of(programme, designation, need, areas, exclusions or {})
    eligible, why = go_through(programme.name, steps)
    open_to = np.logical_and.reduce([step.passes for step in steps if not step.threshold])
    limits = limits_of(areas, programme.caps, programme.least, open_to)
    breakers = [parts[path.replace(".", "/")] for path in programme.ties]
    equals = first_come(need, breakers, areas.codes)
    awards = None if programme.money is None else programme.money.most
    _refuse_minimums(limits, awards)
    state = select_areas(need[None], eligible[None], limits, awards, equals)[0]
    selected = state == CHOSEN
    _refuse_unmet(limits, selected)
    for k, cap in enumerate(programme.caps):
        why[state == CAPPED + k] = f"cap: {cap.most} in each {cap.in_each}"
    why[state == NO_MONEY] = "awards ran out"
    why[selected] = "selected"
    free = (
        select_areas(need[None], eligible[None], limits.without_caps(), awards, equals)[0] == CHOSEN
    )
    in_need = designate("in need", programme.yardstick, scores, areas, changes=False).selected
    order = np.zeros(len(areas), dtype=np.int64)
    by_need = equals[np.argsort(-need[equals], kind="stable")]
    order[by_need[selected[by_need]]] = np.arange(1, int(selected.sum()) + 1)
    margin = margins(need, eligible, state, limits)
    cap_margin = cap_margins(need, eligible, selected, limits)
    at_line = (state == CHOSEN) | (state == NO_MONEY)
    return Allocation(
        programme,
        areas,
        need,
        parts,
        rank(need),
        eligible,
        open_to,
        selected,
        order,
        why,
        margin,
        cap_margin,
        ((margin == 0) & at_line) | (cap_margin == 0),
        in_need,
        _cost(selected, free, in_need, areas.population),
        limits,
        designation,
        equals,
        left_out,
    )


def next_in_line(allocation: Allocation, more: int) -> NDArray[np.intp]:
    """Give the positions of areas that would come next with more awards, by need; caps hold among them too."""
    money = allocation.programme.money
    if money is None or money.most is None:
        return np.empty(0, dtype=np.intp)
    need, equals = allocation.need, allocation.among_equals
    state = select_areas(
        need[None], allocation.eligible[None], allocation.limits, money.most + more, equals
    )
    fresh = (state[0] == CHOSEN) & ~allocation.selected
    by_need = equals[np.argsort(-need[equals], kind="stable")]
    return by_need[fresh[by_need]]


def _refuse_minimums(limits: Limits, awards: int | None) -> None:
    total = int(limits.least.sum())
    if awards is not None and total > awards:
        raise StudyError(
            f"least: the minimums come to {total:,} awards, and there are {awards:,}; expected no more than that"
        )


def _refuse_unmet(limits: Limits, selected: Bools) -> None:
    for row in limits.owed:
        for group in np.unique(row[row >= 0]):
            got, due = int(selected[row == group].sum()), int(limits.least[group])
            if got < due:
                raise StudyError(
                    f"least: {limits.owed_names[group]} is to have at least {due:,}, and gets only {got:,} going "
                    "down the list under the thresholds, exclusions and caps"
                )


def _cost(selected: Bools, free: Bools, in_need: Bools, people: Floats) -> CapCost:
    over, instead = free & ~selected, selected & ~free

    def of(which: Bools) -> float:
        return float(np.nansum(people[which]))

    return CapCost(over, instead, of(over), of(over & in_need), of(instead), of(instead & in_need))


@dataclass(frozen=True, slots=True)
class AllocationCertainty:
    """What draws did to an allocation."""

    selected: Floats  # (n_areas,) share of draws in which the area is selected
    # (n_draws,) how many of the areas selected as stated are selected in each draw
    kept: NDArray[np.int64]
    seed: int  # the seed that everything random follows from
    varied: tuple[str, ...]  # what varies, in words

    @property
    def n_draws(self) -> int:
        """How many draws."""
        return len(self.kept)


def allocation_certainty(
    allocation: Allocation,
    scores: Mapping[str, Scores],
    indicators: Mapping[str, Indicators],
    spec: CertaintySpec,
    progress: Callable[[str, int, int], None] | None = None,
) -> AllocationCertainty:
    """Allocate again in every draw of the study, and count.

    Exclusions, caps, minimums, the window of people and areas that were built up stay as they are; scores, ranks and
    thresholds follow the draws.
    """
    if spec.draws == 0:
        raise StudyError("draws: found 0; expected at least 1")
    paths = list(allocation.parts)
    designation = allocation.designation
    varied = vary(designation, spec.vary, scores, indicators, spec.draws, spec.seed, exact=paths)
    if not varied.streams and (varied.still or not allocation.programme.eligible):
        raise StudyError(
            "certainty.vary: nothing that it varies touches this programme's indices or thresholds; expected something "
            "that does, or no draws (--draws 0)"
        )
    u = draw_numbers(varied.found, spec.draws, spec.seed, spec.draws)
    money = allocation.programme.money
    awards = None if money is None else money.most
    total = np.zeros(len(allocation.areas), dtype=np.int64)
    kept = []
    for drawn, _, passes in in_blocks(varied, u, Varied.run, progress):
        n = len(passes)
        need = {
            path: drawn[path].need if path in drawn else np.broadcast_to(stated, (n, len(stated)))
            for path, stated in allocation.parts.items()
        }
        mixed = composite(allocation.programme.rank, need)
        state = select_areas(
            mixed, passes & allocation.open_to, allocation.limits, awards, allocation.among_equals
        )
        chosen = state == CHOSEN
        total += chosen.sum(axis=0)
        kept.append((chosen & allocation.selected).sum(axis=1))
    return AllocationCertainty(
        total / spec.draws,
        np.concatenate(kept),
        spec.seed,
        tuple(str(one.called) for one in varied.assumptions),
    )
