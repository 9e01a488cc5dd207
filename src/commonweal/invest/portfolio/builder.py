"""From interventions, areas and an index of need to a portfolio problem in numbers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from commonweal.errors import DataError, nearest
from commonweal.index import score
from commonweal.index.score import fit_base
from commonweal.indicators import Indicators
from commonweal.invest.portfolio.problem import PortfolioProblem

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    from commonweal.index import Node, Scores
    from commonweal.index.score import Base
    from commonweal.invest.interventions import Effect, Interventions
    from commonweal.invest.parameters import Uncertain

    Floats = NDArray[np.float64]


Key: TypeAlias = tuple[str, str, str]
"""An intervention, what of it (``cost`` or an outcome), and the number's name."""


def uncertain_numbers(interventions: Interventions) -> dict[Key, Uncertain]:
    """List every number of a file of interventions."""
    return dict(_numbers(interventions))


def _numbers(interventions: Interventions) -> Iterator[tuple[Key, Uncertain]]:
    for name, one in interventions.interventions.items():
        yield (name, "cost", "capital"), one.cost.capital
        yield (name, "cost", "yearly"), one.cost.yearly
        yield (name, "cost", "lasts"), one.lasts
        for effect in one.effects:
            if effect.size is not None and effect.reaches is not None:
                yield (name, effect.outcome, "size"), effect.size
                yield (name, effect.outcome, "reaches"), effect.reaches
            for through in effect.through:
                yield (name, effect.outcome, f"through {through.indicator}"), through.by


def expected(numbers: Mapping[Key, Uncertain]) -> dict[Key, Floats]:
    """Give each number's expected value, as a case of one."""
    return {key: np.array([number.mean]) for key, number in numbers.items()}


def drawn(numbers: Mapping[Key, Uncertain], draws: int, seed: int) -> dict[Key, Floats]:
    """Draw each number by itself."""
    generator = np.random.default_rng(seed)
    return {key: number.quantile(generator.random(draws)) for key, number in numbers.items()}


@dataclass(frozen=True)
class NeedIndex:
    """An index, fixed as it stands today, for some of its areas.

    Every transform, weight and rank is taken from all areas as they are now. What an area scores then changes only
    where the area itself does: others are held still.
    """

    index: str
    # tree, base: how it is built, and what it is measured against
    tree: Node
    base: Base
    indicators: Indicators  # of the areas asked about, (n_areas, n_indicators)
    spread: float  # the standard deviation of its scores over all areas: one unit of shortfall
    target: float  # the score up to which an area lacks nothing: the median of all areas
    now: Floats  # (n_areas,) scores today
    rank: Floats  # (n_areas,) ranks today among all areas, 1 = most need
    of: int  # how many areas are ranked

    @property
    def shortfall(self) -> Floats:
        """(n_areas,) how far each lies beyond the median today, in standard deviations; at least 0."""
        return self.short(self.now)

    def short(self, scores: Floats) -> Floats:
        """Turn scores of any shape into shortfalls."""
        return np.maximum(scores - self.target, 0.0) / self.spread

    def scores_with(self, values: Floats) -> Floats:
        """Score areas with (n_cases, n_areas, n_indicators) other values, against all areas as they are now."""
        cases, areas, width = values.shape
        codes = [str(k) for k in range(cases * areas)]  # one area may be asked about many times
        own = self.indicators
        many = Indicators(own.system, codes, values.reshape(cases * areas, width), own.meta)
        return score(self.index, self.tree, many, self.base).score.reshape(cases, areas)


def need_index(
    scores: Scores, tree: Node, indicators: Indicators, rows: NDArray[np.intp]
) -> NeedIndex:
    """Fix an index as it stands, for some areas."""
    name = scores.index
    if list(indicators.codes) != list(scores.codes):
        raise DataError(
            f"index {name} is built on {indicators.system} and carried to {scores.system}; expected one that is "
            "built on the areas of the study, whose indicators an intervention can move"
        )
    spread = float(np.nanstd(scores.score))
    if not spread > 0:
        raise DataError(f"index {name}: all areas score the same; expected scores that differ")
    now = scores.score[rows]
    gone = np.flatnonzero(np.isnan(now))
    if len(gone):
        raise DataError(
            f"index {name}: {len(gone):,} of the {len(rows):,} areas have no score, such as "
            f"{scores.codes[rows[gone[0]]]}; expected areas that have one"
        )
    kept = Indicators(
        indicators.system,
        [indicators.codes[row] for row in rows],
        indicators.values[rows],
        indicators.meta,
    )
    return NeedIndex(
        name,
        scores.tree,
        fit_base(name, tree, [indicators]),
        kept,
        spread,
        float(np.nanmedian(scores.score)),
        now,
        scores.rank[rows],
        int((~np.isnan(scores.rank)).sum()),
    )


def measured_effects(
    interventions: Interventions, there: Sequence[str]
) -> dict[tuple[str, str], tuple[int, ...]]:
    """Say, by intervention and outcome, which of an effect's ``through`` are indicators of the index.

    An effect that has none counts by its size. A name that is a slip of the pen away from an indicator is an error.
    """
    found = {}
    for name, one in interventions.interventions.items():
        for effect in one.effects:
            at = tuple(k for k, t in enumerate(effect.through) if t.indicator in there)
            if not at:
                _refuse_slips(f"interventions.{name}", effect, there)
            found[name, effect.outcome] = at
    return found


def _refuse_slips(where: str, effect: Effect, there: Sequence[str]) -> None:
    for through in effect.through:
        hint = nearest(through.indicator, there)
        if effect.size is None or hint.startswith("did you mean"):
            more = "" if effect.size is not None else "; without 'size' it would do nothing"
            raise DataError(
                f"{where}: indicator '{through.indicator}' not found in the index; {hint}{more}"
            )


PER = 1000.0


@dataclass(frozen=True)
class PortfolioAreas:
    """The neighbourhoods that a portfolio is for."""

    # codes, names, authorities: (n_areas,) of each
    codes: tuple[str, ...]
    names: tuple[str, ...]
    authorities: tuple[str, ...]
    people: Floats  # (n_areas,) residents
    need: Floats  # (n_areas,) what need counts as: 1 = the average area


@dataclass(frozen=True, slots=True)
class Target:
    """What gains are on: an outcome, as an index measures it, or by its stated size."""

    outcome: str
    measured: bool


@dataclass(frozen=True)
class Builder:
    """Makes problems of one set of interventions and places, for any values of the uncertain numbers."""

    # interventions, places, measure: what it makes them of; `measure` is of the same places
    interventions: Interventions
    places: PortfolioAreas
    measure: NeedIndex
    # what one standard deviation of a stated outcome counts, beside one of the index
    stated_counts: float
    # by intervention and outcome, which indicators of the effect the index has
    through: Mapping[tuple[str, str], tuple[int, ...]]
    targets: tuple[Target, ...]  # what gains are on, in the order of the problem's outcomes

    @classmethod
    def of(
        cls,
        interventions: Interventions,
        places: PortfolioAreas,
        measure: NeedIndex,
        stated_counts: float = 1.0,
    ) -> Builder:
        """See which effects show in indicators of the index."""
        there = [meta.name for meta in measure.indicators.meta]
        through = measured_effects(interventions, there)
        targets = dict.fromkeys(
            Target(outcome, bool(at))
            for name in interventions.outcomes
            for (_, outcome), at in through.items()
            if outcome == name
        )
        return cls(interventions, places, measure, stated_counts, through, tuple(targets))

    def problems(self, numbers: Mapping[Key, Floats]) -> list[PortfolioProblem]:
        """Make a problem for each case of the numbers."""
        cases = len(next(iter(numbers.values())))
        names = tuple(self.interventions.interventions)
        gains = self._gains(numbers, cases)
        made = []
        p = self.places
        for k in range(cases):
            capital, yearly = self._costs(numbers, k)
            made.append(
                PortfolioProblem(
                    p.codes,
                    p.names,
                    p.authorities,
                    p.people,
                    p.need,
                    names,
                    tuple(
                        f"{t.outcome}, measured" if t.measured else t.outcome for t in self.targets
                    ),
                    tuple(one.group for one in self.interventions.interventions.values()),
                    capital,
                    yearly,
                    np.array(
                        [one.lead for one in self.interventions.interventions.values()], float
                    ),
                    np.array([numbers[name, "cost", "lasts"][k] for name in names]),
                    gains[k],
                    np.array([t.measured for t in self.targets]),
                    self.measure.shortfall,
                )
            )
        return made

    def effect(self, name: str, target: Target) -> Effect | None:
        """Give what an intervention does to a target; None if nothing."""
        for effect in self.interventions.interventions[name].effects:
            at = self.through[name, effect.outcome]
            if effect.outcome == target.outcome and bool(at) == target.measured:
                return effect
        return None

    def _costs(self, numbers: Mapping[Key, Floats], case: int) -> tuple[Floats, Floats]:
        """(n_areas, n_interventions) GBP at the start and for each year."""
        columns = []
        for name, one in self.interventions.interventions.items():
            size = self.places.people / PER if one.cost.per == "1000_residents" else None
            per = np.ones(len(self.places.codes)) if size is None else size
            once, yearly = (numbers[name, "cost", what][case] for what in ("capital", "yearly"))
            columns.append((once * per, yearly * per))
        capital, running = zip(*columns, strict=True)
        return np.column_stack(capital), np.column_stack(running)

    def _gains(self, numbers: Mapping[Key, Floats], cases: int) -> Floats:
        """(n_cases, n_areas, n_interventions, n_targets) standard deviations a resident."""
        names = list(self.interventions.interventions)
        found = np.zeros((cases, len(self.places.codes), len(names), len(self.targets)))
        values = self.measure.indicators.values
        for i, name in enumerate(names):
            for o, target in enumerate(self.targets):
                effect = self.effect(name, target)
                if effect is None:
                    continue
                if target.measured:
                    changes = self._changes(name, effect, numbers, cases)
                    scores = self.measure.scores_with(values + changes)
                    found[:, :, i, o] = self.measure.shortfall - self.measure.short(scores)
                else:
                    size, reaches = (
                        numbers[name, target.outcome, what] for what in ("size", "reaches")
                    )
                    most = np.inf if effect.most_people is None else effect.most_people
                    share = np.minimum(reaches[:, None], most / self.places.people[None])
                    found[:, :, i, o] = self.stated_counts * size[:, None] * share
        return found

    def _changes(
        self, name: str, effect: Effect, numbers: Mapping[Key, Floats], cases: int
    ) -> Floats:
        """(n_cases, n_areas, n_indicators) by how much the indicators move."""
        own = self.measure.indicators
        changes = np.zeros((cases, *own.values.shape))
        for at in self.through[name, effect.outcome]:
            through = effect.through[at]
            column = own.column(through.indicator)
            now = own.values[:, column]
            by = numbers[name, effect.outcome, f"through {through.indicator}"]
            for k in range(cases):
                changes[k, :, column] = through.moved(now, float(by[k])) - now
        return changes

    def changes(self, name: str, target: Target, numbers: Mapping[Key, Floats]) -> Floats:
        """(n_areas, n_indicators) by how much one intervention moves them, in the first case; missing = 0."""
        effect = self.effect(name, target)
        if effect is None or not target.measured:
            return np.zeros(self.measure.indicators.values.shape)
        return np.nan_to_num(self._changes(name, effect, numbers, 1)[0])


def moved_values(
    builder: Builder,
    problem: PortfolioProblem,
    works: Floats,
    repeat: float,
    numbers: Mapping[Key, Floats],
) -> Floats:
    """Give the indicators of the areas while interventions work there.

    Gives (n_areas, n_indicators) values.
    """
    values = builder.measure.indicators.values.copy()
    for o, target in enumerate(builder.targets):
        if not target.measured:
            continue
        gains = np.where(works > 0, problem.gains[:, :, o], -np.inf)
        place = np.argsort(np.argsort(-gains, axis=1, kind="stable"), axis=1, kind="stable")
        factor = np.where(gains > 0, repeat ** place.astype(float), 1.0) * works
        for i, name in enumerate(problem.interventions):
            values += factor[:, i, None] * builder.changes(name, target, numbers)
    return values
