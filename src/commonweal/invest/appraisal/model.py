"""A project as arithmetic: its inputs, its lines, their present values and benefit-cost ratio."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from commonweal.errors import DataError
from commonweal.invest.appraisal.green_book import (
    additional,
    blended_bounds,
    discount_factors,
    optimism_bias,
    rebase,
    welfare_weight,
    wellby_value,
    wellbys,
)
from commonweal.invest.appraisal.project import outcomes_of
from commonweal.invest.parameters import Uncertain

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from commonweal.invest.appraisal.project import Benefit, Bias, Cost, Project
    from commonweal.invest.parameters import Bounds, Parameters

    Floats = NDArray[np.float64]
    Values = Mapping[str, float | Floats]


Side = Literal["public", "others", "fiscal", "transfer", "social"]

WELLBY = "parameters.wellby"
DELAY = "building-works.mitigated"


@dataclass(frozen=True, slots=True)
class Input:
    """A number that goes into an appraisal."""

    name: str  # unique: the line's name and what it is of it, such as ``hub.people``
    # label, unit: what readers call it, and what it is counted in
    label: str
    unit: str
    number: Uncertain
    # least, most: between which it makes sense
    least: float
    most: float


@dataclass(frozen=True, slots=True)
class Line:
    """A cost or a benefit."""

    name: str
    label: str
    # ``public`` or ``others``: whose cost; ``fiscal``, ``transfer`` or ``social``: whose benefit
    side: Side
    inputs: Mapping[str, str]  # names of the inputs, by what they are in the product
    constant: float  # what the product is multiplied with: price base, part of a year
    bounds: tuple[float, float]  # upper and lower optimism bias; (0, 0) for none
    weight: float  # welfare weight; 1 where there is none
    # present, plain: (horizon + 1,) the present value, and the plain sum, of a pound a year over its years when they
    # come 0, 1, … years late
    present: Floats
    plain: Floats
    by_year: Floats  # (horizon,) what of the yearly amount falls in each year


@dataclass(frozen=True, slots=True)
class Model:
    """Inputs and lines, by name, and the delay of what waits for the works."""

    # inputs, lines: in the order of the project's file
    inputs: Mapping[str, Input]
    lines: Mapping[str, Line]
    # planned, delay_bounds: years that the works take, and the upper and lower share by which they take longer
    planned: float
    delay_bounds: tuple[float, float]
    waits: frozenset[str]  # names of the lines that wait for them
    weighted: bool  # whether any line has a welfare weight


def build_model(project: Project, parameters: Parameters) -> Model:
    """Turn a project into arithmetic."""
    factors = discount_factors(project.horizon, parameters.discount.steps)
    inputs: list[Input] = []
    lines: list[Line] = []
    waits: set[str] = set()
    planned, delay_bounds = 0.0, (0.0, 0.0)
    if project.works:
        planned = project.works.years
        bias = project.works.optimism_bias
        delay_bounds = _bounds(bias, "duration", parameters, "works")
        inputs += _mitigated("building-works", "The works", bias)
    for name, cost in project.costs.items():
        lines.append(_cost_line(name, cost, project, parameters, factors, inputs))
        if project.works and cost.after_works and cost.kind == "running":
            waits.add(name)
    if any(benefit.wellby for benefit in project.benefits.values()):
        inputs.append(_wellby_input(project, parameters))
    outcomes = outcomes_of(project)
    for name, benefit in project.benefits.items():
        side: Side = "transfer" if benefit.transfer else outcomes.kind(benefit.claims)
        lines.append(_benefit_line(name, benefit, side, project, parameters, factors, inputs))
        if project.works and benefit.after_works:
            waits.add(name)
    return Model(
        {i.name: i for i in inputs},
        {line.name: line for line in lines},
        planned,
        delay_bounds,
        frozenset(waits),
        any(line.weight != 1 for line in lines),
    )


def _cost_line(
    name: str,
    cost: Cost,
    project: Project,
    parameters: Parameters,
    factors: Floats,
    inputs: list[Input],
) -> Line:
    bounds, mine = (0.0, 0.0), {"amount": f"{name}.amount"}
    inputs.append(Input(f"{name}.amount", cost.label, "£", cost.amount, 0.0, math.inf))
    if cost.optimism_bias and cost.optimism_bias.mix:
        of = "capital" if cost.kind == "capital" else "running"
        bounds = _bounds(cost.optimism_bias, of, parameters, name)
        mine["mitigated"] = f"{name}.mitigated"
        inputs += _mitigated(name, cost.label, cost.optimism_bias)
    base = _price_base(name, cost.price_year, project)
    return Line(
        name, cost.label, cost.paid_by, mine, base, bounds, 1.0, *_late(cost.years, factors)
    )


def _weight(benefit: Benefit, side: Side, project: Project, parameters: Parameters) -> float:
    """Weigh a benefit by the incomes of those who get it; 1 where it is not for society, or nobody said who."""
    if side != "social" or not project.incomes or not benefit.distribution or benefit.wellby:
        return 1.0
    return sum(
        share
        * welfare_weight(
            project.incomes.median,
            project.incomes.groups[group],
            parameters.welfare_weights.elasticity,
        )
        for group, share in benefit.distribution.items()
    )


def _benefit_line(
    name: str,
    benefit: Benefit,
    side: Side,
    project: Project,
    parameters: Parameters,
    factors: Floats,
    inputs: list[Input],
) -> Line:
    share, parts = benefit.additionality.share, benefit.additionality
    in_points = benefit.wellby and "points" not in benefit.model_fields_set
    unit = "points of life satisfaction" if in_points else benefit.unit
    made = [
        ("quantity", unit or "a person and year", benefit.quantity, -math.inf, math.inf),
        ("people", "people", benefit.people, 0.0, math.inf),
    ]
    if benefit.value is not None:
        made.append(("value", "£ each", benefit.value, 0.0, math.inf))
    if benefit.wellby and not in_points:
        each = (
            f"points of life satisfaction for one {unit}" if unit else "points of life satisfaction"
        )
        made.append(("points", each, benefit.points, 0.0, math.inf))
    if share is not None:
        made.append(("additionality", "share that is added", share, 0.0, 1.0))
    else:
        stated = parts.model_fields_set
        made += [
            (what, f"share lost to {what}", getattr(parts, what), 0.0, 1.0)
            for what in ("leakage", "displacement", "substitution", "deadweight")
            if what in stated
        ]
        if "multiplier" in stated:
            made.append(("multiplier", "multiplier", parts.multiplier, 0.0, math.inf))
    mine = {}
    for what, counted_in, number, least, most in made:
        if what in ("quantity", "people") and what not in benefit.model_fields_set:
            continue  # not stated: 1
        mine[what] = f"{name}.{what}"
        label = f"{benefit.label}: {what}"
        inputs.append(Input(mine[what], label, counted_in, number, least, most))
    if benefit.wellby:
        mine["value"] = WELLBY
    base = 1.0 if benefit.wellby else _price_base(name, benefit.price_year, project)
    return Line(
        name,
        benefit.label,
        side,
        mine,
        base * benefit.part_of_year,
        (0.0, 0.0),
        _weight(benefit, side, project, parameters),
        *_late(benefit.years, factors),
    )


def _wellby_input(project: Project, parameters: Parameters) -> Input:
    """Give the WELLBY in prices of the project, triangular over its published range."""
    w = parameters.wellby
    deflators = project.deflators.index if project.deflators else {}
    incomes = project.real_incomes.index if project.real_incomes else None
    try:
        ratio = wellby_value(w, project.price_year, deflators, incomes) / w.value
    except DataError as error:
        raise DataError(f"the WELLBY of {w.price_year}: {error}") from None
    low, likeliest, high = (v * ratio for v in (w.range.low, w.value, w.range.high))
    law = Uncertain("triangular", (low, likeliest, high))
    return Input(WELLBY, "Value of a WELLBY", "£", law, 0.0, math.inf)


def _price_base(name: str, year: int | None, project: Project) -> float:
    deflators = project.deflators.index if project.deflators else {}
    try:
        return rebase(year or project.price_year, project.price_year, deflators)
    except DataError as error:
        raise DataError(f"'{name}': {error}") from None


def _bounds(bias: Bias, of: str, parameters: Parameters, where: str) -> tuple[float, float]:
    """Give upper and lower bias of what is estimated, ``capital``, ``running`` or ``duration``."""
    if not bias.mix:
        return 0.0, 0.0
    table: dict[str, Bounds] = {}
    for name in bias.mix:
        bounds = getattr(parameters.optimism_bias.category(name, f" for '{where}'"), of)
        if bounds is None:
            have = [n for n, c in parameters.optimism_bias.categories.items() if getattr(c, of)]
            raise DataError(
                f"'{where}': '{name}' has no optimism bias of {of}; expected one of: {', '.join(have)}"
            )
        table[name] = bounds
    return blended_bounds(bias.mix, table)


def _mitigated(name: str, label: str, bias: Bias) -> list[Input]:
    if not bias.mix:
        return []
    what = "share of optimism bias that is managed"
    return [Input(f"{name}.mitigated", f"{label}: {what}", "share", bias.mitigated, 0.0, 1.0)]


def _late(years: tuple[tuple[int, float], ...], factors: Floats) -> tuple[Floats, Floats, Floats]:
    """Give the worth of a pound a year when it comes late; what passes the horizon is lost."""
    horizon = len(factors)
    by_year = np.zeros(horizon)
    for year, share in years:
        by_year[year] = share
    present, plain = np.zeros(horizon + 1), np.zeros(horizon + 1)
    for k in range(horizon):
        present[k] = by_year[: horizon - k] @ factors[k:]
        plain[k] = by_year[: horizon - k].sum()
    return present, plain, by_year


MEASURES = {
    "npsv": "Net present social value",
    "bcr": "Benefit-cost ratio",
    "benefits": "Benefits to society",
    "social": "Benefits to people",
    "fiscal": "Savings to the public purse",
    "transfers": "Transfers to the public purse",
    "public_cost": "Cost to the public sector",
    "other_cost": "Cost to others",
    "fiscal_return": "Back to the public purse, for each pound",
    "npsv_weighted": "Net present social value, with welfare weights",
    "bcr_weighted": "Benefit-cost ratio, with welfare weights",
}
"""What an appraisal gives, and what each is."""


def expected(model: Model) -> dict[str, float]:
    """Give every input at its expected value."""
    return {name: i.number.mean for name, i in model.inputs.items()}


def lines_worth(model: Model, values: Values, discounted: bool = True) -> dict[str, Floats]:
    """Work out every line.

    Gives (n,) or a single GBP amount for each line, costs above 0 too.
    """
    delay, found = _delay(model, values), {}
    for line in model.lines.values():
        late = line.present if discounted else line.plain
        late_by = delay if line.name in model.waits else np.asarray(0.0)
        found[line.name] = _a_year(line, values) * np.interp(late_by, np.arange(len(late)), late)
    return found


def yearly(model: Model, values: Mapping[str, float]) -> dict[str, Floats]:
    """Give what each line comes to year by year, before discounting."""
    late, found = min(float(_delay(model, values)), 1e6), {}
    for line in model.lines.values():
        whole, part = divmod(late if line.name in model.waits else 0.0, 1.0)
        share = (1 - part) * _later(line.by_year, int(whole))
        share += part * _later(line.by_year, int(whole) + 1)
        found[line.name] = float(_a_year(line, values)) * share
    return found


def _later(by_year: Floats, years: int) -> Floats:
    """Put off by whole years; what passes the horizon is lost."""
    late = min(years, len(by_year))
    return np.concatenate([np.zeros(late), by_year])[: len(by_year)]


def _delay(model: Model, values: Values) -> Floats:
    """Give the years by which what waits for the works is late."""
    mitigated = np.asarray(values.get(DELAY, 0.0), dtype=np.float64)
    return model.planned * optimism_bias(*model.delay_bounds, mitigated)


def _a_year(line: Line, values: Values) -> Floats:
    """Give what a line is in a year that counts whole: in GBP, prices of the project."""
    x = {what: np.asarray(values[name], dtype=np.float64) for what, name in line.inputs.items()}
    if line.side in ("public", "others"):
        grows = 1 + optimism_bias(*line.bounds, x.get("mitigated", np.asarray(0.0)))
        return x["amount"] * grows * line.constant
    return _added(x) * line.constant


def _added(x: Mapping[str, Floats]) -> Floats:
    """Give what a benefit adds in a year, in GBP: quantity x people x value, less what is not added."""
    one = np.asarray(1.0)
    points = x.get("quantity", one) * x.get("points", one)
    amount = wellbys(points, x.get("people", one)) * x["value"]
    if "additionality" in x:
        return amount * x["additionality"]
    parts = {k: x[k] for k in ("leakage", "displacement", "substitution", "multiplier") if k in x}
    would_be = additional(amount * x.get("deadweight", np.asarray(0.0)), **parts)
    return additional(amount, **parts, reference_case=would_be)


def totals(model: Model, worth: Mapping[str, Floats]) -> dict[str, Floats]:
    """Add up lines to what an appraisal gives.

    ``npsv = social + fiscal - public cost - other cost``, and ``bcr = (social + fiscal - other cost) /
    public cost``: transfers count in the fiscal return, and in nothing else.
    """
    zero = np.asarray(0.0)
    by = {
        side: sum((worth[n] for n, line in model.lines.items() if line.side == side), zero)
        for side in ("public", "others", "fiscal", "transfer", "social")
    }
    weighted = sum(
        (worth[n] * line.weight for n, line in model.lines.items() if line.side == "social"), zero
    )
    gain = by["social"] + by["fiscal"]
    gain_weighted = weighted + by["fiscal"]
    cost = by["public"]
    with np.errstate(divide="ignore", invalid="ignore"):
        return {
            "npsv": gain - cost - by["others"],
            "bcr": np.asarray((gain - by["others"]) / cost),
            "benefits": gain,
            "social": by["social"],
            "fiscal": by["fiscal"],
            "transfers": by["transfer"],
            "public_cost": cost,
            "other_cost": by["others"],
            "fiscal_return": np.asarray((by["fiscal"] + by["transfer"]) / cost),
            "npsv_weighted": gain_weighted - cost - by["others"],
            "bcr_weighted": np.asarray((gain_weighted - by["others"]) / cost),
        }
