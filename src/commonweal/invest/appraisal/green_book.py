"""The Green Book's formulas: discounting, price years, optimism bias, additionality, welfare weights, WELLBYs."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from commonweal.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import ArrayLike, NDArray

    from commonweal.invest.parameters import Bounds, DiscountStep, Wellby

    V = TypeVar("V", float, NDArray[np.float64])


def discount_factors(years: int, steps: Sequence[DiscountStep]) -> NDArray[np.float64]:
    """Give what one pound of each year is worth in the first.

    ``D_0 = 1``, ``D_t = D_(t-1) / (1 + r_t)`` with the rate that holds for year t: rates compound
    as they step down (The Green Book, annex on discounting).

    Parameters
    ----------
    years
        How many, the first (year 0) among them.
    steps
        Rates a year and the last year of each, as `Parameters.discount` has them.

    Returns
    -------
    ndarray
        (years,) factors, from 1 down.

    Raises
    ------
    DataError
        If there is not at least one year.

    Examples
    --------
    >>> from commonweal.invest.parameters import load_parameters
    >>> discount_factors(101, load_parameters().discount.steps)[[0, 1, 30, 31, 100]].round(6).tolist()
    [1.0, 0.966184, 0.356278, 0.345901, 0.050818]
    """
    if years < 1:
        raise DataError(f"found a horizon of {years} years; expected 1 or more")
    rates = np.full(years, steps[-1].rate)
    for step in reversed(steps[:-1]):
        rates[: (step.to or 0) + 1] = step.rate
    rates[0] = 0.0
    return np.asarray(np.cumprod(1 / (1 + rates)), dtype=np.float64)


def present_value(amounts: ArrayLike, factors: ArrayLike) -> float:
    """Add up real amounts of the years 0, 1, … at what each is worth in year 0."""
    flow, factor = np.asarray(amounts, dtype=np.float64), np.asarray(factors, dtype=np.float64)
    if flow.shape != factor.shape or flow.ndim != 1:
        raise DataError(
            f"found {flow.size} amounts and {factor.size} discount factors; expected as many"
        )
    if not np.isfinite(flow).all():
        raise DataError(f"year {int(np.flatnonzero(~np.isfinite(flow))[0])}: found no number")
    return float(flow @ factor)


def rebase(year: int, to: int, deflators: Mapping[int, float]) -> float:
    """Give what to multiply money of one price year with, to have it in prices of another."""
    if year == to:
        return 1.0
    for wanted in (year, to):
        if wanted not in deflators:
            have = ", ".join(map(str, sorted(deflators))) or "none"
            raise DataError(
                f"prices of {year} are wanted in those of {to}, and the deflator of {wanted} is "
                f"missing; found years: {have}"
            )
    return deflators[to] / deflators[year]


def optimism_bias(upper: float, lower: float, mitigated: V) -> V:
    """Give the share to add to an estimate.

    `mitigated` says how far the risks are managed: 0 gives the upper bound, 1 the lower, and the line between is ours.
    The guidance lowers the upper bound as evidence allows, factor by factor.
    """
    return upper - (upper - lower) * mitigated


def blended_bounds(mix: Mapping[str, float], bounds: Mapping[str, Bounds]) -> tuple[float, float]:
    """Give the bounds of a project that is of several types, each by its share of the cost."""
    total = sum(mix.values())
    if abs(total - 1) > 1e-9:
        raise DataError(f"shares of the types of work add up to {total:g}; expected 1")
    return (
        sum(share * bounds[name].upper for name, share in mix.items()),
        sum(share * bounds[name].lower for name, share in mix.items()),
    )


def additional(
    gross: V,
    leakage: V | float = 0.0,
    displacement: V | float = 0.0,
    substitution: V | float = 0.0,
    multiplier: V | float = 1.0,
    reference_case: V | float = 0.0,
) -> V:
    """Give what a project adds to what would be without it.

    ``gross (1 - leakage)(1 - displacement)(1 - substitution) x multiplier - reference case`` (Additionality Guide,
    2014).
    """
    return (
        gross * (1 - leakage) * (1 - displacement) * (1 - substitution) * multiplier
        - reference_case
    )


def welfare_weight(median: float, income: float, elasticity: float) -> float:
    """Give what a pound is worth to people of an income, beside one to people of the median income.

    ``(median / income) ^ elasticity``; both incomes equivalised, of the same year.
    """
    if not (median > 0 and income > 0 and math.isfinite(median / income)):
        raise DataError(f"found incomes of {median:g} and {income:g}; expected both above 0")
    try:
        return float((median / income) ** elasticity)
    except OverflowError:
        raise DataError(
            f"incomes of {median:g} and {income:g} with an elasticity of {elasticity:g} make a weight without end"
        ) from None


def wellbys(points: V, people: V | float, years: V | float = 1.0) -> V:
    """Count WELLBYs: points of life satisfaction (0 to 10), times people, times years."""
    return points * people * years


def wellby_value(
    wellby: Wellby,
    year: int,
    deflators: Mapping[int, float],
    incomes: Mapping[int, float] | None = None,
) -> float:
    """Give the value of a WELLBY in prices of a year, in GBP; without incomes they are taken as unchanged.

    ``value x deflator ratio x (real income ratio) ^ elasticity``; that is a setting of the parameters which is not
    verified.
    """
    value = wellby.value * rebase(wellby.price_year, year, deflators)
    if not incomes or year == wellby.price_year:
        return value
    for wanted in (wellby.price_year, year):
        if wanted not in incomes:
            raise DataError(f"real income per head of {wanted} is missing, to uprate the WELLBY")
    richer = incomes[year] / incomes[wellby.price_year]
    return value * float(richer**wellby.uprating.income_elasticity)
