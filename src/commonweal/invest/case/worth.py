"""What a mix of interventions is worth: an appraisal whose every line comes from the mix, each outcome once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from commonweal.errors import CommonwealError
from commonweal.invest.appraisal import project_from
from commonweal.invest.portfolio import drawn, uncertain_numbers

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from commonweal.invest.appraisal import Project
    from commonweal.invest.appraisal.uncertain import Uncertain
    from commonweal.invest.case.values import Values
    from commonweal.invest.interventions import Effect, Interventions
    from commonweal.invest.portfolio import Problem, Rules
    from commonweal.invest.portfolio.numbers import Key

    Floats = NDArray[np.float64]

__all__ = ["BENEFIT", "Gain", "drawn_effects", "effect_of", "gains_of", "project_of", "reach_grid"]

BENEFIT = "wellbeing"
_DRAWS = 4_000
_POINTS = 512
_PER = 1000.0


@dataclass(frozen=True)
class Gain:
    """What one intervention does for one outcome, over all places of a mix.

    Attributes
    ----------
    intervention, outcome
        Their names.
    reach
        (years,) residents times the share of the year in which it works for them, after what repeats in
        one place counts less.
    each
        Expected standard deviations by which one of those residents is better off, on average over the places
        and those whom it does not reach.
    draws
        (n_draws,) the same, drawn.
    """

    intervention: str
    outcome: str
    reach: Floats
    each: float
    draws: Floats

    @property
    def total(self) -> float:
        """Expected standard deviations times person-years."""
        return float(self.each * self.reach.sum())


def effect_of(interventions: Interventions, gain: Gain) -> Effect:
    """Give the effect that a gain comes from."""
    effects = interventions.interventions[gain.intervention].effects
    return next(e for e in effects if e.outcome == gain.outcome)


def gains_of(
    interventions: Interventions,
    problem: Problem,
    rules: Rules,
    start: NDArray[np.intp],
    seed: int = 1,
) -> list[Gain]:
    """Say what a mix does for people, by intervention and outcome.

    Parameters
    ----------
    interventions
        Those of the problem.
    problem, rules
        The places, and what the mix was chosen under.
    start
        (n_areas, n_interventions) year of start, 0 = the first; -1 = not done.
    seed
        Of the draws.

    Returns
    -------
    list of Gain
        By the stated size of each effect and whom it reaches. How far an index moves is not in it: an index
        is a list of signs that people lack something, and both would count the same gain twice.

    Notes
    -----
    Of several interventions on one outcome in one place the strongest counts whole, the next by the rules'
    ``repeat``, as in the programme that chose them. Nowhere are more people reached than an effect's
    ``most_people``.
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


def project_of(
    title: str,
    interventions: Interventions,
    problem: Problem,
    rules: Rules,
    start: NDArray[np.intp],
    gains: list[Gain],
    values: Values,
    *,
    first_year: int,
    fictional: bool = False,
) -> Project:
    """Turn a mix into a project that can be appraised.

    Parameters
    ----------
    title
        Of the project.
    interventions, problem, rules, start, gains
        The mix, as `gains_of` takes and gives it.
    values
        What effects are worth.
    first_year
        The calendar year of year 0.
    fictional
        Whether the places are made up.

    Returns
    -------
    Project
        A line of capital and of running cost for each intervention, and one benefit: life satisfaction. One
        line, since a point of life satisfaction takes in whatever moves it: two would count it twice.

    Raises
    ------
    CommonwealError
        If nothing is chosen, or what is chosen is expected to do no good.
    """
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
            "price_year": interventions.price_year,
            "deflators": values.prices.model_dump(),
            "real_incomes": values.incomes.model_dump(),
            "costs": _costs(interventions, problem, rules, start, values),
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
            "unquantified": _unquantified(interventions, problem, rules, start),
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
    problem: Problem,
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
    interventions: Interventions, problem: Problem, rules: Rules, start: NDArray[np.intp]
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
