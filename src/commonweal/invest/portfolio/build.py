"""From interventions and places to a problem in numbers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from commonweal.invest.portfolio.measure import measured_effects
from commonweal.invest.portfolio.problem import Problem

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from commonweal.invest.interventions import Effect, Interventions
    from commonweal.invest.portfolio.measure import Measure
    from commonweal.invest.portfolio.numbers import Key

    Floats = NDArray[np.float64]

__all__ = ["Builder", "Places", "Target", "moved_values"]

PER = 1000.0


@dataclass(frozen=True)
class Places:
    """The neighbourhoods that a portfolio is for.

    Attributes
    ----------
    codes, names, authorities
        (n_areas,) of each.
    people
        (n_areas,) residents.
    need
        (n_areas,) what need counts as: 1 = the average area.
    """

    codes: tuple[str, ...]
    names: tuple[str, ...]
    authorities: tuple[str, ...]
    people: Floats
    need: Floats


@dataclass(frozen=True, slots=True)
class Target:
    """What gains are on: an outcome, as an index measures it, or by its stated size."""

    outcome: str
    measured: bool


@dataclass(frozen=True)
class Builder:
    """Makes problems of one set of interventions and places, for any values of the uncertain numbers.

    Attributes
    ----------
    interventions, places, measure
        What it makes them of; `measure` is of the same places.
    stated_counts
        What one standard deviation of a stated outcome counts, beside one of the index.
    through
        By intervention and outcome, which indicators of the effect the index has.
    targets
        What gains are on, in the order of the problem's outcomes.
    """

    interventions: Interventions
    places: Places
    measure: Measure
    stated_counts: float
    through: Mapping[tuple[str, str], tuple[int, ...]]
    targets: tuple[Target, ...]

    @classmethod
    def of(
        cls,
        interventions: Interventions,
        places: Places,
        measure: Measure,
        stated_counts: float = 1.0,
    ) -> Builder:
        """See which effects show in indicators of the index.

        Raises
        ------
        DataError
            As `commonweal.invest.portfolio.measure.measured_effects`.
        """
        there = [meta.name for meta in measure.indicators.meta]
        through = measured_effects(interventions, there)
        targets = dict.fromkeys(
            Target(outcome, bool(at))
            for name in interventions.outcomes
            for (_, outcome), at in through.items()
            if outcome == name
        )
        return cls(interventions, places, measure, stated_counts, through, tuple(targets))

    def problems(self, numbers: Mapping[Key, Floats]) -> list[Problem]:
        """Make a problem for each case of the numbers."""
        cases = len(next(iter(numbers.values())))
        names = tuple(self.interventions.interventions)
        gains = self._gains(numbers, cases)
        made = []
        p = self.places
        for k in range(cases):
            capital, yearly = self._costs(numbers, k)
            made.append(
                Problem(
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
    builder: Builder, problem: Problem, works: Floats, repeat: float, numbers: Mapping[Key, Floats]
) -> Floats:
    """Give the indicators of the areas while interventions work there.

    Parameters
    ----------
    builder, problem, numbers
        The problem, what made it, and the numbers that it was made for.
    works
        (n_areas, n_interventions) the share of the year in which each works there.
    repeat
        What the second, weaker change on one outcome counts; see `commonweal.invest.portfolio.Rules`.

    Returns
    -------
    ndarray
        (n_areas, n_indicators) values; missing ones stay missing.
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
