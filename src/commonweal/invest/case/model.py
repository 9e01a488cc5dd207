"""A case for investment as a value: what was asked, and what came of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from commonweal.errors import CommonwealError
from commonweal.invest.siting.inside import SCHOOLS
from commonweal.invest.siting.on_study import is_fictional

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from commonweal.invest.allocation.worked import Worked
    from commonweal.invest.appraisal import Appraisal
    from commonweal.invest.case.options import Option, Sharing
    from commonweal.invest.case.steady import Steady
    from commonweal.invest.case.values import Values
    from commonweal.invest.case.worth import Gain
    from commonweal.invest.interventions import Interventions
    from commonweal.invest.portfolio import Point, Rules
    from commonweal.invest.portfolio.model import Mix
    from commonweal.invest.portfolio.problem import Problem
    from commonweal.invest.siting.sited import Sited
    from commonweal.study.results import Results

    Progress = Callable[[str, int, int], None]

__all__ = [
    "Asked",
    "Case",
]


MOST_SECONDS = 600.0


EARLIEST, LATEST = 2000, 2100
"""First years that a case can have."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What a case is made for.

    Attributes
    ----------
    subject
        A programme or a study.
    areas
        Authorities or other parts of it, taken together; all of a programme's if there is none.
    places
        With a study: how many of the neediest areas there.
    budget
        GBP over all years; what the programme or else the file of values says if None.
    years
        Over how many.
    first_year
        The calendar year in which money is first spent.
    minutes
        Within how many minutes on foot a new place counts as reached.
    kind
        Of place to find sites for; that of the buildings in the mix if empty, and none where there are none.
    candidates
        Where one could go: see `commonweal.invest.siting.on_study.Ask`.
    sharing
        Which way to share the money is proposed: ``each`` place an equal part, or ``pooled``, where it meets
        most need. Both are worked out.
    interventions, values
        Files that ship, or paths.
    draws, seed
        How often uncertain numbers are drawn, and the seed; the study's own draws if None. Fewer than 2 leave
        out how sure the places and the mix are.
    seconds
        At most for each proof.
    """

    subject: str
    areas: tuple[str, ...] = ()
    places: int = 10
    budget: float | None = None
    years: int = 10
    first_year: int = 2026
    minutes: float = 15.0
    kind: str = ""
    candidates: str = SCHOOLS
    sharing: Sharing = "each"
    interventions: str = "first-set"
    values: str = "first-values"
    draws: int | None = None
    seed: int = 1
    seconds: float = 60.0
    exclude: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.budget is not None and not 0 < self.budget < np.inf:
            raise CommonwealError(f"budget: found {self.budget:,.10g}; expected pounds above 0")
        if not EARLIEST <= self.first_year <= LATEST:
            raise CommonwealError(
                f"first year: found {self.first_year}; expected one from {EARLIEST} to {LATEST}"
            )
        if not 0 < self.minutes <= 120:
            raise CommonwealError(f"minutes: found {self.minutes:g}; expected above 0, at most 120")
        if not 0 < self.seconds <= MOST_SECONDS:
            raise CommonwealError(
                f"seconds: found {self.seconds:g}; expected above 0, at most {MOST_SECONDS:g}"
            )


@dataclass(frozen=True)
class Case:
    """A case, whole.

    Attributes
    ----------
    asked
        What it was made for.
    title
        The places together: ``225 wards``.
    worked
        The allocation: who gets an award.
    rows
        (n_places,) rows of the places among the study's areas, neediest first.
    budget_from
        Where the budget comes from, as the end of a sentence.
    interventions, values
        What was chosen from, and what effects are worth.
    problem, rules
        The portfolio: what there is to choose from.
    option, other
        The way to share the money that is proposed, and the other one; None where that buys nothing.
    steady
        How often each choice of the proposed mix is made again when costs and effects vary; None without draws.
    frontier
        Need met by less money and by more, where it goes where it meets most.
    sited
        Where new places of a kind would go, one for each place that gets one, or for all where the mix has none
        of a kind that was asked for; None where it builds nothing and no kind was asked for.
    built
        Interventions of the mix that are built there.
    """

    asked: Asked
    title: str
    worked: Worked
    rows: NDArray[np.intp]
    budget_from: str
    interventions: Interventions
    values: Values
    problem: Problem
    rules: Rules
    option: Option
    other: Option | None
    steady: Steady | None
    frontier: tuple[Point, ...]
    sited: Sited | None
    built: tuple[str, ...]

    @property
    def options(self) -> tuple[Option, ...]:
        """The ways to share the money that buy something, the proposed one first."""
        return (self.option,) if self.other is None else (self.option, self.other)

    @property
    def mix(self) -> Mix:
        """What is done where, and when, as proposed."""
        return self.option.mix

    @property
    def gains(self) -> tuple[Gain, ...]:
        """What that does for people."""
        return self.option.gains

    @property
    def appraisal(self) -> Appraisal:
        """What that costs and is worth."""
        return self.option.appraisal

    @property
    def results(self) -> Results:
        """The run of the study."""
        return self.worked.results

    @property
    def fictional(self) -> bool:
        """Whether the places are made up."""
        return is_fictional(self.results.study)

    @property
    def people(self) -> float:
        """Residents of the places."""
        return float(self.problem.people.sum())
