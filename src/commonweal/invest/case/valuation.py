"""What effects are worth, as data, and the appraisal of a mix of interventions, each outcome once."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import resources
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
from pydantic import AfterValidator, BeforeValidator, Field

from commonweal.access.places import load_taxonomy
from commonweal.errors import CommonwealError, UnknownNameError
from commonweal.evidence import load_evidence
from commonweal.files.schema import FileModel, load, shipped
from commonweal.invest.appraisal.project import Series, project_from
from commonweal.invest.parameters import (
    AtMostOne,
    Sourced,
    Uncertain,
    inside,
    load_parameters,
    read_number,
)
from commonweal.invest.portfolio.builder import drawn, uncertain_numbers

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from commonweal.invest.appraisal import Project
    from commonweal.invest.interventions import Effect, Interventions
    from commonweal.invest.parameters import Uncertain
    from commonweal.invest.portfolio import PortfolioProblem, Rules
    from commonweal.invest.portfolio.builder import Key

    Floats = NDArray[np.float64]


NONE = "none"
"""The category of what no optimism bias is added to."""

_FOLDER = resources.files(__package__) / "published"

Text = Annotated[str, Field(min_length=1)]


class Wellbeing(Sourced):
    """Points of life satisfaction, 0 to 10, for a year, of someone better off by a standard deviation."""

    points: Annotated[Uncertain, BeforeValidator(read_number), AfterValidator(inside(0, 10))]


class Added(Sourced):
    """The share of effects that is additional."""

    share: AtMostOne


class Grant(Sourced):
    """GBP for each place where neither a programme nor the user says how much there is."""

    each: Annotated[float, Field(strict=True, gt=0)]


class Values(FileModel):
    """A file of values."""

    # name, title, licence: of the file, what it is, and on what terms it may be used
    name: str = ""
    title: Text
    licence: Text
    wellbeing: Wellbeing  # what a standard deviation of an outcome is worth
    added: Added  # how much of an effect would not have come anyway
    # prices, incomes: GDP deflator and real GDP per head, by year
    prices: Series
    incomes: Series
    # by key of the intervention, the category of its capital cost, or ``none``; a case tells of one without
    optimism_bias: dict[str, Text]
    # how far the risks behind that bias are managed: 0 adds the upper bound, 1 the lower
    managed: AtMostOne
    grant: Grant  # what there is for each place if nothing else is said
    # by kind of place that can be built, the key of the intervention that it is: what it costs and does
    built: Annotated[dict[str, Text], Field(min_length=1)]

    def kind_of(self, intervention: str) -> str | None:
        """Give the kind of place that an intervention builds, the first of several; None if none."""
        return next((kind for kind, name in self.built.items() if name == intervention), None)

    @property
    def works(self) -> list[str]:
        """Ids of the works of the evidence library that it cites, each once."""
        stated = (self.wellbeing, self.added, self.grant)
        return list(dict.fromkeys(s.evidence for s in stated if s.evidence))


def shipped_values() -> list[str]:
    """Name the files that ship."""
    return shipped(_FOLDER)


def load_values(name: str = "first-values") -> Values:
    """Read a file of values."""
    stem, read = load(name, _FOLDER, "file of values", Values)
    kinds, evidence = load_taxonomy().kinds, load_evidence()
    for kind in read.built:
        if kind not in kinds:
            raise UnknownNameError("kind of place", kind, kinds, f" in {name}, under 'built'")
    categories = load_parameters().optimism_bias.categories
    for key, category in read.optimism_bias.items():
        if category not in (NONE, *categories):
            where = f" in {name}, under 'optimism_bias.{key}'"
            raise UnknownNameError("optimism bias category", category, (*categories, NONE), where)
    for id_ in read.works:
        evidence.work(id_)
    return read.model_copy(update={"name": stem})


BENEFIT = "wellbeing"
_DRAWS = 4_000
_POINTS = 512
_PER = 1000.0


@dataclass(frozen=True)
class Gain:
    """What one intervention does for one outcome, over all places of a mix."""

    intervention: str
    outcome: str
    # (years,) residents times the share of the year in which it works for them, after what repeats in one place counts
    # less
    reach: Floats
    # expected standard deviations by which one of those residents is better off, on average over the places and those
    # whom it does not reach
    each: float
    draws: Floats  # (n_draws,) the same, drawn

    @property
    def total(self) -> float:
        """Expected standard deviations times person-years."""
        return float(self.each * self.reach.sum())


def effect_of_gain(interventions: Interventions, gain: Gain) -> Effect:
    """Give the effect that a gain comes from."""
    effects = interventions.interventions[gain.intervention].effects
    return next(e for e in effects if e.outcome == gain.outcome)


def gains_of(
    interventions: Interventions,
    problem: PortfolioProblem,
    rules: Rules,
    start: NDArray[np.intp],
    seed: int = 1,
) -> list[Gain]:
    """Say what a mix does for people, by intervention and outcome.

    Of several interventions on one outcome in one place the strongest counts whole, the next by the rules' ``repeat``,
    as in the programme that chose them. Nowhere are more people reached than an effect's ``most_people``.
    """
    works = problem.working(rules.years)[np.maximum(start, 0), np.arange(start.shape[1])]
    works = np.where((start >= 0)[:, :, None], works, 0.0)
    numbers, draws = drawn_effects(interventions, seed)
    found = []
    for outcome in interventions.outcomes:
        acting = [
            (at, name)
            for at, name in enumerate(problem.interventions)
            if (name, outcome, "size") in numbers
        ]
        if not acting:
            continue
        columns = [at for at, _ in acting]
        most = [_most_share(interventions, name, outcome, problem.people) for _, name in acting]
        shares = [
            _expected_share(numbers[n, outcome, "reaches"], m)
            for (_, n), m in zip(acting, most, strict=True)
        ]
        sizes = np.array([numbers[n, outcome, "size"].mean for _, n in acting])
        each = sizes * np.column_stack(shares)
        lasting = each * works[:, columns].sum(axis=2)
        place = np.argsort(np.argsort(-lasting, axis=1, kind="stable"), axis=1, kind="stable")
        counts = rules.repeat ** place.astype(np.float64)
        for k, (at, name) in enumerate(acting):
            residents = problem.people * counts[:, k]
            part = residents * works[:, at].sum(axis=1)
            if not part.any():
                continue
            part /= part.sum()
            reached = np.minimum(draws[name, outcome, "reaches"][:, None], most[k]) @ part
            found.append(
                Gain(
                    name,
                    outcome,
                    residents @ works[:, at],
                    float(each[:, k] @ part),
                    draws[name, outcome, "size"] * reached,
                )
            )
    return found


def drawn_effects(
    interventions: Interventions, seed: int
) -> tuple[dict[Key, Uncertain], dict[Key, Floats]]:
    """Give the uncertain numbers of interventions, and (n_draws,) values of each."""
    numbers = uncertain_numbers(interventions)
    return numbers, drawn(numbers, _DRAWS, seed)


def reach_grid(reaches: Uncertain) -> Floats:
    """(n,) shares of residents reached, each as likely: what the expected share is taken over where it is capped."""
    return reaches.quantile((np.arange(_POINTS) + 0.5) / _POINTS)


def _most_share(interventions: Interventions, name: str, outcome: str, people: Floats) -> Floats:
    """(n_areas,) the share of residents that one intervention can reach at most; infinite without a limit."""
    effect = next(e for e in interventions.interventions[name].effects if e.outcome == outcome)
    found = np.full(len(people), np.inf)
    if effect.most_people is not None:
        np.divide(effect.most_people, people, out=found, where=people > 0)
    return found


def _expected_share(reaches: Uncertain, most: Floats) -> Floats:
    """(n_areas,) the expected share of residents reached, where it can be no more than `most`."""
    if not (most < reaches.support[1]).any():
        return np.full(len(most), reaches.mean)
    return np.minimum(reach_grid(reaches), most[:, None]).mean(axis=1)


@dataclass(frozen=True)
class ProjectMix:
    """A mix of interventions that can be made a project."""

    # interventions, problem, rules: what there was to choose from, and within which limits
    interventions: Interventions
    problem: PortfolioProblem
    rules: Rules
    start: NDArray[np.intp]  # (n_areas, n_interventions) the year in which each begins; -1 = never
    gains: list[Gain]  # what that does for people


def project_of(
    title: str, mix: ProjectMix, values: Values, *, first_year: int, fictional: bool = False
) -> Project:
    """Turn a mix into a project that can be appraised."""
    problem, rules, start, gains = mix.problem, mix.rules, mix.start, mix.gains
    total = np.sum([g.each * g.reach for g in gains], axis=0) if gains else np.zeros(rules.years)
    if not np.sum(total) > 0:
        raise CommonwealError(
            "nothing is done that is expected to do good; expected at least one thing"
        )
    served = (start >= 0).any(axis=1)
    people = float(problem.people[served].sum())
    shape = np.maximum(total, 0.0) / total.max()
    drawn_total = sum(g.draws * g.reach.sum() for g in gains)
    scale = people * shape.sum()
    spread = _digits(float(np.std(drawn_total)) / scale)
    mean = _digits(float(np.sum(total)) / scale)
    quantity: Any = mean if spread == 0 else {"normal": [mean, spread]}
    return project_from(
        {
            "title": title,
            "fictional": fictional,
            "reference_case": "the places go on without the programme, as similar places do",
            "start": first_year,
            "horizon": rules.years,
            "price_year": mix.interventions.price_year,
            "deflators": values.prices.model_dump(),
            "real_incomes": values.incomes.model_dump(),
            "costs": _costs(mix.interventions, problem, rules, start, values),
            "benefits": {
                BENEFIT: {
                    "label": "Life satisfaction of residents",
                    "claims": "life_satisfaction",
                    "quantity": quantity,
                    "unit": "standard deviation by which a resident is better off",
                    "wellby": True,
                    "points": values.wellbeing.points,
                    "people": people,
                    "years": _shares(shape),
                    "additionality": {"share": values.added.share, "source": values.added.source},
                    "source": f"effects of what was chosen, drawn together; {values.wellbeing.source}",
                    "evidence": values.wellbeing.evidence or "",
                    "verified": False,
                }
            },
            "budget": float(rules.budget),
            "unquantified": _unquantified(mix.interventions, problem, rules, start),
        },
        "case",
    )  # fmt: skip


def _digits(value: float) -> float:
    """Give four digits that count, so that what is printed is what was computed with."""
    return float(f"{value:.4g}")


def _shares(values: Floats) -> dict[int, float]:
    return {year: float(v) for year, v in enumerate(values) if v > 0}


def _costs(
    interventions: Interventions,
    problem: PortfolioProblem,
    rules: Rules,
    start: NDArray[np.intp],
    values: Values,
) -> dict[str, Any]:
    """Give a line of capital and one of running cost for each intervention that is chosen anywhere."""
    works = problem.working(rules.years)
    lines: dict[str, Any] = {}
    for at, name in enumerate(problem.interventions):
        there = np.flatnonzero(start[:, at] >= 0)
        if not len(there):
            continue
        one = interventions.interventions[name]
        size = np.ones(len(there))
        if one.cost.per == "1000_residents":
            size = problem.people[there] / _PER
        begun = np.zeros(rules.years)
        np.add.at(begun, start[there, at], size)
        running = size @ works[start[there, at], at]
        category = values.optimism_bias.get(name, "none")
        why = "no site was surveyed"
        if category == "none":
            said = "says none" if name in values.optimism_bias else "names no category"
            why = f"{values.name} {said} for '{name}' under 'optimism_bias'"
        bias = {"category": category, "mitigated": values.managed, "why": why}
        for kind, amount, years, label in (
            ("capital", one.cost.capital, begun, "set up"),
            ("running", one.cost.yearly, running, "run"),
        ):
            if amount.mean > 0 and years.any():
                lines[f"{name}_{kind}"] = _cost(
                    f"{one.label}: {label}", kind, amount, _shares(years), one.cost
                ) | ({"optimism_bias": bias} if kind == "capital" else {})
    return lines


def _cost(
    label: str, kind: str, amount: Uncertain, years: dict[int, float], stated: Any
) -> dict[str, Any]:
    return {
        "label": label,
        "kind": kind,
        "amount": amount,
        "years": years,
        "source": stated.source,
        "evidence": stated.evidence,
        "verified": stated.verified,
    }  # fmt: skip


def _unquantified(
    interventions: Interventions, problem: PortfolioProblem, rules: Rules, start: NDArray[np.intp]
) -> tuple[str, ...]:
    """Say what matters and is not in the figures."""
    chosen = [
        interventions.interventions[name]
        for at, name in enumerate(problem.interventions)
        if (start[:, at] >= 0).any()
    ]
    unsized = [f"{one.label}: {interventions.outcomes[e.outcome].label.lower()}"
               for one in chosen for e in one.effects if e.size is None]  # fmt: skip
    return (
        "Savings to the public purse: none is claimed, since no study that was read isolates one.",
        f"What buildings, habits and groups are worth after {rules.years} years.",
        "Harm: people whom a change leaves out, and what neighbouring places lose.",
        "Whether a place has a library, a bus or land for what is chosen was not looked at; where places share one, "
        "each is counted as if it had its own.",
        *(f"Effects without a stated size ({'; '.join(unsized)})." for _ in unsized[:1]),
    )
