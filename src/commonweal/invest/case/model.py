"""A case for investment as a value: what was asked, the areas that it is for, and what came of it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from commonweal.errors import CommonwealError, DataError, UnknownNameError
from commonweal.files.inputs import read_keys, read_text
from commonweal.invest.allocation import load_programme
from commonweal.invest.allocation.on_study import apply_programme, draws_of, exclusions_of
from commonweal.invest.allocation.programme import Programme, shipped_programmes
from commonweal.invest.siting.demand import SCHOOLS
from commonweal.invest.siting.on_study import is_abroad, is_fictional
from commonweal.spec.study import shipped_studies
from commonweal.study.fingerprint import load_asked, open_or_run
from commonweal.study.names import find_scope

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from commonweal.invest.allocation.on_study import AllocationResult
    from commonweal.invest.appraisal import Appraisal
    from commonweal.invest.case.options import MixStability, Option, Sharing
    from commonweal.invest.case.valuation import Gain, Values
    from commonweal.invest.interventions import Interventions
    from commonweal.invest.portfolio import Rules
    from commonweal.invest.portfolio.optimise import Mix
    from commonweal.invest.portfolio.plan import Point
    from commonweal.invest.portfolio.problem import PortfolioProblem
    from commonweal.invest.siting.result import SitingResult
    from commonweal.sources import Store
    from commonweal.spec import Study
    from commonweal.study.names import Scope
    from commonweal.study.results import Results

    Progress = Callable[[str, int, int], None]


ELSEWHERE, EMPTY = "elsewhere", "empty"
_EXCLUDED = {
    ELSEWHERE: "{plural} outside {part}",
    EMPTY: "{plural} without people, or whose population is not given",
}
NEEDIEST = "neediest"
"""Name of the rule that takes the neediest areas of a part of a study."""


def worked_places(
    asked: CaseOptions,
    store: Store,
    results: Results | None = None,
    progress: Progress | None = None,
) -> tuple[AllocationResult, NDArray[np.intp], str]:
    """Open or run a study and find the places that a case is for."""
    subject, areas, places = asked.subject, asked.areas, asked.places
    programme = _programme(subject)
    exclusions = exclusions_of(programme, asked.exclude) if programme else None
    if programme and programme.build:
        raise CommonwealError(
            f"{programme.name} builds its areas up, and interventions are stated for those of a study; expected a "
            "programme without 'build'"
        )
    if programme is None and not areas:
        raise CommonwealError(
            f"{subject} is a study, so which part of it? Give --area, or a programme"
        )
    if programme is None and asked.exclude:
        raise CommonwealError(
            f"exclude: found {', '.join(asked.exclude)} with {subject}, which is a study; expected a programme"
        )
    if programme is None and places < 1:
        raise CommonwealError(f"places: found {places}; expected 1 or more")
    study = load_asked(programme.study if programme else subject)
    draws = draws_of(study) if asked.draws is None else asked.draws
    if results is None:
        results = open_or_run(study, store, draws=0, sensitivity=False, progress=progress)
    scope = find_scope(results.areas, areas) if areas else None
    if programme is None:
        assert scope is not None  # an area was asked for
        worked = neediest_of(results, scope, places, store, draws, progress)
    else:
        worked = apply_programme(
            programme, results, store, exclusions, draws=draws, progress=progress
        )
    a = worked.allocation
    kept = (
        a.selected if scope is None else a.selected & np.isin(np.arange(len(a.areas)), scope.rows)
    )
    rows = np.flatnonzero(kept & (a.areas.population > 0))
    if not len(rows):
        living = " where people are known to live" if kept.any() else ""
        raise CommonwealError(
            f"{a.programme.title} selects no {a.areas.singular} in {scope.title if scope else 'the study'}{living}, so "
            "there is no case to make; expected at least one"
        )
    number = f"{len(rows):,} {a.areas.plural if len(rows) > 1 else a.areas.singular}"
    title = f"{number} of {scope.title}" if scope else number
    return worked, rows[np.argsort(a.order[rows], kind="stable")], title


def without_people(asked: CaseOptions, worked: AllocationResult) -> list[str]:
    """Name the areas that are selected and left out of a case: nobody is known to live there."""
    a = worked.allocation
    left_out = a.selected & ~(a.areas.population > 0)
    if asked.areas:
        scope = find_scope(a.areas, asked.areas)
        left_out &= np.isin(np.arange(len(a.areas)), scope.rows)
    return [
        a.areas.table["name"][row] or a.areas.codes[row]
        for row in np.flatnonzero(left_out).tolist()
    ]


def neediest_of(
    results: Results,
    scope: Scope,
    places: int,
    store: Store,
    draws: int | None = None,
    progress: Progress | None = None,
) -> AllocationResult:
    """Select the neediest areas of a part of a study, as a programme of our own would."""
    inside = np.isin(np.arange(len(results.areas)), scope.rows)
    outside = [results.areas.codes[row] for row in np.flatnonzero(~inside)]
    empty = [
        code
        for code, people in zip(results.areas.codes, results.areas.population.tolist(), strict=True)
        if not people > 0
    ]
    exclusions = {key: codes for key, codes in ((ELSEWHERE, outside), (EMPTY, empty)) if codes}
    rule = neediest(results, scope, places, list(exclusions))
    return apply_programme(rule, results, store, exclusions, draws=draws, progress=progress)


def neediest(results: Results, scope: Scope, places: int, excluded: Sequence[str]) -> Programme:
    """Make the rule that takes the neediest areas of a part of a study, as many as are asked for."""
    index = next(iter(results.scores))
    conditions = _conditions(results.study, index)
    plural = results.areas.plural
    return Programme.model_validate(
        {
            "name": NEEDIEST,
            "title": f"The neediest {plural} of {scope.title}",
            "about": f"The {places:,} {plural} of {scope.title} that rank first on {results.label(index)}.",
            "official": "This is our own rule; no programme uses it.",
            "study": results.study.name,
            "rank": {"of": {index: 1.0}, "scale": "rank", "official": False},
            "exclude": {
                key: {"what": _EXCLUDED[key].format(plural=plural, part=scope.title), "official": False, "codes": ()}
                for key in excluded
            },
            "money": {"awards": places, "official": False},
            "in_need": [{**c, "official": False} for c in conditions],
        }
    )  # fmt: skip


def _conditions(study: Study, index: str) -> list[dict[str, object]]:
    """Give the conditions of the study's first list, or the worst tenth on an index where it has none."""
    for rule in study.designate.values():
        return [c.model_dump(mode="json", exclude_none=True) for c in rule.conditions()]
    return [{"index": index, "worst": "10%"}]


def _programme(subject: str) -> Programme | None:
    """Read a programme; None where the subject is a study."""
    if subject in shipped_programmes():
        return load_programme(subject)
    if subject in shipped_studies() or Path(subject).is_dir():
        return None
    if subject.endswith((".yaml", ".yml")):
        return load_programme(subject) if _is_programme(subject) else None
    raise UnknownNameError(
        "programme or study", subject, [*shipped_programmes(), *shipped_studies()]
    )


def _is_programme(path: str) -> bool:
    """Whether a file is a programme, which names a study; what is wrong with a file its reader says."""
    try:
        return "study" in read_keys(read_text(Path(path)), path, "study")
    except DataError:
        return False


MOST_SECONDS = 600.0


EARLIEST, LATEST = 2000, 2100
"""First years that a case can have."""


@dataclass(frozen=True, slots=True)
class CaseOptions:
    """What a case is made for."""

    subject: str  # a programme, a study or a results folder
    # authorities or other parts of it, taken together; all of a programme's if there is none
    areas: tuple[str, ...] = ()
    places: int = 10  # with a study: how many of the neediest areas there
    # GBP over all years; what the programme or else the file of values says if None
    budget: float | None = None
    years: int = 10
    first_year: int = 2026  # the calendar year in which money is first spent
    minutes: float = 15.0  # within how many minutes on foot a new place counts as reached
    # of place to find sites for; that of the buildings in the mix if empty, and none where there are none
    kind: str = ""
    # where one could go: see `commonweal.invest.siting.on_study.SitingOptions`
    candidates: str = SCHOOLS
    # which way to share the money is proposed: ``each`` place an equal part, or ``pooled``, where it meets most need.
    # Both are worked out.
    sharing: Sharing = "each"
    # interventions, values: files that ship, or paths
    interventions: str = "first-set"
    values: str = "first-values"
    # draws, seed: how often uncertain numbers are drawn, and the seed; the study's own draws if None. Fewer than 2
    # leave out how sure the places and the mix are.
    draws: int | None = None
    seed: int = 1
    seconds: float = 60.0  # at most for each proof
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
    """A case, whole."""

    asked: CaseOptions  # what it was made for
    title: str  # the places together: ``225 wards``
    worked: AllocationResult  # the allocation: who gets an award
    rows: NDArray[np.intp]  # (n_places,) rows of the places among the study's areas, neediest first
    budget_from: str  # where the budget comes from, as the end of a sentence
    # interventions, values: what was chosen from, and what effects are worth
    interventions: Interventions
    values: Values
    # problem, rules: the portfolio: what there is to choose from
    problem: PortfolioProblem
    rules: Rules
    # option, other: the way to share the money that is proposed, and the other one; None where that buys nothing
    option: Option
    other: Option | None
    # how often each choice of the proposed mix is made again when costs and effects vary; None without draws
    steady: MixStability | None
    # need met by less money and by more, where it goes where it meets most
    frontier: tuple[Point, ...]
    # where new places of a kind would go, one for each place that gets one, or for all where the mix has none of a
    # kind that was asked for; None where it builds nothing and no kind was asked for
    sited: SitingResult | None
    built: tuple[str, ...]  # interventions of the mix that are built there

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
    def abroad(self) -> bool:
        """Whether the places lie outside the United Kingdom, whose costs and values the program holds."""
        return is_abroad(self.results)

    @property
    def people(self) -> float:
        """Residents of the places."""
        return float(self.problem.people.sum())
