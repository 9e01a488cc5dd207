"""Appraise a project: what it costs, brings and is worth, how sure that is, and what it assumes."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from commonweal.errors import DataError
from commonweal.evidence import cite, load_evidence
from commonweal.invest.appraisal.green_book import discount_factors
from commonweal.invest.appraisal.model import (
    MEASURES,
    WELLBY,
    build_model,
    expected,
    lines_worth,
    totals,
    yearly,
)
from commonweal.invest.appraisal.outcomes import check_claims
from commonweal.invest.appraisal.project import outcomes_of, works_cited
from commonweal.invest.appraisal.sensitivity import draw_inputs, swings, switching_values
from commonweal.invest.parameters import load_parameters

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from numpy.typing import NDArray

    from commonweal.invest.appraisal.model import Input, Line, Model
    from commonweal.invest.appraisal.project import Project
    from commonweal.invest.appraisal.sensitivity import Swing, SwitchingValue
    from commonweal.invest.parameters import Parameters, Sourced

    Floats = NDArray[np.float64]


def money(pounds: float) -> str:
    """Say an amount: in millions from a million on, to three digits that count."""
    if not math.isfinite(pounds):
        return "not defined"
    sign, size = ("−" if pounds < 0 else ""), abs(pounds)
    if size >= 999_500:
        return f"{sign}£{_three(size / 1e6)} million"
    if size >= 1000:
        return f"{sign}£{float(f'{size:.3g}'):,.0f}"
    return f"{sign}£{size:,.0f}" if size == int(size) or size >= 100 else f"{sign}£{size:,.2f}"


def ratio(value: float) -> str:
    """Say a ratio, to two decimals below ten.

    >>> ratio(2.345), ratio(98.54), ratio(-0.4), ratio(-1234.5), ratio(float("inf"))
    ('2.35', '98.5', '−0.40', '−1,234.5', 'not defined')
    """
    if not math.isfinite(value):
        return "not defined"
    said = f"{abs(value):.2f}" if abs(value) < 10 else f"{abs(value):,.1f}"
    return f"−{said}" if round(value, 2) < 0 else said


def figure(value: float, of: Input) -> str:
    """Say a value of an input, with its unit where that is money or people."""
    if of.unit.startswith("£"):
        return money(value)
    if not math.isfinite(value):
        return "not defined"
    sign, size = ("−" if value < 0 else ""), abs(value)
    return f"{sign}{size:,.0f}" if size >= 100 else f"{sign}{float(f'{size:.3g}'):g}"


def _three(size: float) -> str:
    """Give three digits that count."""
    digits = max(0, 2 - math.floor(math.log10(size))) if size > 0 else 0
    return f"{size:,.{digits}f}"


def assumptions(project: Project, parameters: Parameters, model: Model) -> tuple[str, ...]:
    """Say what is taken as given and was not verified, a sentence each: parameters first."""
    return (
        *_of_parameters(project, parameters, model),
        *_of_indices(project),
        *_of_lines(project),
    )


def used_parameters(
    project: Project, parameters: Parameters, model: Model
) -> tuple[tuple[str, Sourced], ...]:
    """Give the parameters that an appraisal takes, each with what it is in words."""
    used: list[tuple[str, Sourced]] = [("Discount rates", parameters.discount)]
    if any(name.endswith(".mitigated") for name in model.inputs):
        used.append(("Optimism bias", parameters.optimism_bias))
    if WELLBY in model.inputs:
        w = parameters.wellby
        used.append((f"Value of a WELLBY, £{w.value:,.0f}", w))
        used.append((f"Range of a WELLBY, £{w.range.low:,.0f} to £{w.range.high:,.0f}", w.range))
        if project.price_year != w.price_year:
            brought = f"A WELLBY brought from {w.price_year} to {project.price_year}"
            used.append((brought, w.uprating))
    if model.weighted:
        weights = parameters.welfare_weights
        used.append((f"Welfare weights, elasticity {weights.elasticity:g}", weights))
    return tuple(used)


def _of_parameters(project: Project, parameters: Parameters, model: Model) -> Iterator[str]:
    used = used_parameters(project, parameters, model)
    for what, stated in used:
        if not stated.verified:
            yield f"{what}: not verified. {stated.source} ({stated.vintage})."
    if WELLBY in model.inputs:
        yield _discounted_wellbeing(parameters, model)
    uprated = any(stated is parameters.wellby.uprating for _, stated in used)
    if uprated and project.real_incomes is None:
        yield (
            f"A WELLBY is brought to {project.price_year} by prices alone: the project gives no "
            "real incomes."
        )


def _discounted_wellbeing(parameters: Parameters, model: Model) -> str:
    """Say that the discount rate of well-being is a choice, and between which amounts any lower rate would lie."""
    middle = expected(model)
    worth, plain = (lines_worth(model, middle, discounted=d) for d in (True, False))
    lines = [name for name, line in model.lines.items() if line.inputs.get("value") == WELLBY]
    now, whole = (float(sum(x[name] for name in lines)) for x in (worth, plain))
    return (
        f"Life satisfaction is discounted like money, at {parameters.discount.steps[0].rate:.1%} a year at first. That "
        f"is a choice: what we could read does not settle it. It comes to {money(now)} so, and to {money(whole)} "
        "without any discounting; a lower rate gives an amount between these."
    )


def _of_indices(project: Project) -> Iterator[str]:
    for what, series in (
        ("The price index", project.deflators),
        ("Real income per head", project.real_incomes),
        ("Incomes of the groups", project.incomes),
    ):
        if series is not None and not series.verified:
            yield f"{what}: not verified. {series.source}."


def _of_lines(project: Project) -> Iterator[str]:
    for cost in project.costs.values():
        if not cost.verified:
            yield f"Cost “{cost.label}”: not verified{_where(cost.source)}."
        if cost.kind == "capital" and (cost.optimism_bias is None or not cost.optimism_bias.mix):
            why = cost.optimism_bias.why if cost.optimism_bias else ""
            yield f"Cost “{cost.label}”: no optimism bias is added{_where(why)}."
    for benefit in project.benefits.values():
        if not benefit.verified:
            yield f"Benefit “{benefit.label}”: not verified{_where(benefit.source)}."
        if benefit.additionality.source:
            yield f"Benefit “{benefit.label}”, additional share: {benefit.additionality.source.rstrip('.')}."


def _where(source: str) -> str:
    return f"; {source.rstrip('.')}" if source else ""


def cautions(project: Project) -> tuple[str, ...]:
    """Say where claims may overlap, and give the caution of each work that a line cites."""
    claims = {name: benefit.claims for name, benefit in project.benefits.items()}
    found = check_claims(claims, outcomes_of(project))
    if cited := works_cited(project):
        evidence = load_evidence()
        found += [
            f"{cite(id_, evidence).short}: {evidence.work(id_).caution}"
            for id_ in cited
            if evidence.work(id_).caution
        ]
    without = [b.label for b in project.benefits.values() if not b.evidence]
    if without:
        told = ", ".join(f"“{label}”" for label in without)
        found.append(f"No evidence is cited for {told}.")
    return tuple(found)


DRAWS = 10_000
"""How often uncertain inputs are drawn if nothing else is said."""

SEED = 1
"""The seed of the draws if none is given."""

INTERVAL = (0.025, 0.975)
"""Shares of the draws below the ends of an interval: 95% lie inside."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """One number with what the draws say of it.

    Attributes
    ----------
    expected
        With every input at its expected value.
    mean, low, median, high
        Over the draws; 95% of them lie between low and high.
    """

    expected: float
    mean: float
    low: float
    median: float
    high: float


@dataclass(frozen=True, slots=True)
class LineResult:
    """What one line comes to."""

    line: Line
    present: Estimate  # its present value, GBP; that of a cost is above 0
    plain: float  # the same before discounting, with every input at its expected value
    none: float  # of a benefit, the share of draws in which it is 0 or less

    @property
    def may_be_none(self) -> bool:
        """Whether it is a benefit whose interval takes in no benefit at all."""
        return self.line.side not in ("public", "others") and self.present.low <= 0


@dataclass(frozen=True, slots=True)
class Appraisal:
    """An appraisal of a project.

    Attributes
    ----------
    project, parameters, model
        What was appraised, with which parameters.
    draws, seed
        How it was drawn.
    measures
        By the names of `MEASURES`; GBP in present values, or ratios.
    lines
        In the order of the file.
    worth_it
        The share of draws in which benefits exceed costs: the ratio is above 1.
    worth_it_weighted
        The same with welfare weights; None where there are none.
    npsv_draws
        (draws,) the net present social value of each.
    by_year
        (horizon,) of each line, GBP before discounting, with every input at its expected value.
    factors
        (horizon,) what a pound of each year is worth in the first.
    over_budget
        The share of draws in which public cost before discounting is above the budget; None without
        a budget.
    swings, switching_values
        What each input does by itself, the widest first, and where the answer would turn.
    drivers
        What drives the answer, in plain words.
    assumptions, cautions
        What was assumed and not verified, and what to beware of.
    works
        Ids of the works of the evidence library that its lines and parameters rest on.
    """

    project: Project
    parameters: Parameters
    model: Model
    draws: int
    seed: int
    measures: Mapping[str, Estimate]
    lines: tuple[LineResult, ...]
    worth_it: float
    worth_it_weighted: float | None
    npsv_draws: Floats
    by_year: Mapping[str, Floats]
    factors: Floats
    over_budget: float | None
    swings: tuple[Swing, ...]
    switching_values: tuple[SwitchingValue, ...]
    drivers: tuple[str, ...]
    assumptions: tuple[str, ...]
    cautions: tuple[str, ...]
    works: tuple[str, ...]


def appraise(
    project: Project,
    parameters: Parameters | None = None,
    *,
    draws: int = DRAWS,
    seed: int = SEED,
) -> Appraisal:
    """Appraise a project by social cost-benefit analysis (The Green Book, 2022).

    Parameters
    ----------
    project
        What it costs and claims.
    parameters
        Discount rates, optimism bias and the rest; those that the project names if not given.
    draws
        How many times the uncertain inputs are drawn.
    seed
        The same seed gives the same answer.

    Returns
    -------
    Appraisal

    Raises
    ------
    UnknownNameError
        If a category, input or set of parameters that is named is not there.
    DataError
        If a deflator is missing, or correlations cannot be.

    Examples
    --------
    >>> from commonweal.invest.appraisal import load_project
    >>> a = appraise(load_project("by-hand"), draws=1000)
    >>> round(a.measures["npsv"].expected), round(a.measures["bcr"].expected, 2)
    (13988, 1.14)
    """
    parameters = parameters or load_parameters(project.parameters)
    model = build_model(project, parameters)
    middle = expected(model)
    values = draw_inputs(model, draws, seed, project.correlations)
    drawn = {name: np.broadcast_to(v, (draws,)) for name, v in lines_worth(model, values).items()}
    worth, plain = lines_worth(model, middle), lines_worth(model, middle, discounted=False)
    at, over = totals(model, worth), totals(model, drawn)
    npsv = over["npsv"]
    if not np.isfinite(npsv).all():
        raise DataError(
            f"{project.name}: its net present value is no number in {int((~np.isfinite(npsv)).sum()):,} of "
            f"{draws:,} draws; expected amounts, rates and years that a sum can be made of"
        )
    weighted = float((over["npsv_weighted"] > 0).mean()) if model.weighted else None
    over_budget = None
    if project.budget is not None:
        spent = totals(model, lines_worth(model, values, discounted=False))["public_cost"]
        over_budget = float((np.broadcast_to(spent, (draws,)) > project.budget).mean())
    used = [stated for _, stated in used_parameters(project, parameters, model)]
    tornado, turning = swings(model, float(npsv.var())), switching_values(model)
    return Appraisal(
        project,
        parameters,
        model,
        draws,
        seed,
        {name: _estimate(float(at[name]), over[name], draws) for name in MEASURES},
        tuple(
            LineResult(
                line,
                _estimate(float(worth[name]), drawn[name], draws),
                float(plain[name]),
                float((drawn[name] <= 0).mean()),
            )
            for name, line in model.lines.items()
        ),
        float((npsv > 0).mean()),
        weighted,
        npsv,
        yearly(model, middle),
        discount_factors(project.horizon, parameters.discount.steps),
        over_budget,
        tornado,
        turning,
        _drivers(project, float(at["npsv"]), tornado, turning),
        assumptions(project, parameters, model),
        cautions(project),
        tuple(dict.fromkeys((*works_cited(project), *(s.evidence for s in used if s.evidence)))),
    )


def _estimate(at: float, drawn: Floats, n: int) -> Estimate:
    low, median, high = np.quantile(np.broadcast_to(drawn, (n,)), [INTERVAL[0], 0.5, INTERVAL[1]])
    return Estimate(at, float(np.mean(drawn)), float(low), float(median), float(high))


def _drivers(
    project: Project, npsv: float, tornado: tuple[Swing, ...], turning: tuple[SwitchingValue, ...]
) -> tuple[str, ...]:
    """Say what the answer is compared with, and what causes most of its uncertainty."""
    said = [f"Compared with no project: {project.reference_case.rstrip('.')}."]
    wide = [s for s in tornado if s.width > 0]
    if not wide:
        said.append("No input has a range, so the answer depends on the stated values alone.")
        return tuple(said)
    first = wide[0]
    between = sorted(first.npsv)
    unit = "" if first.input.unit in ("", "£") else f" ({first.input.unit})"
    said.append(
        f"The biggest source of uncertainty is “{first.input.label}”{unit}. From {figure(first.low, first.input)} to "
        f"{figure(first.high, first.input)}, net present social value goes from {money(between[0])} to "
        f"{money(between[1])}. It causes {round(first.share * 100)}% of the variance by itself."
    )
    switch = next(s for s in turning if s.input.name == first.input.name)
    if switch.value is None:
        told = "above" if npsv > 0 else "below"
        said.append(f"No plausible value of it brings the net value to 0: it stays {told} 0.")
    else:
        said.append(
            f"The project breaks even at {figure(switch.value, first.input)}; "
            f"{figure(switch.expected, first.input)} is expected."
        )
    if len(wide) > 1:
        said.append(
            f"Next comes “{wide[1].input.label}”, with {round(wide[1].share * 100)}% of the variance."
        )
    return tuple(said)
