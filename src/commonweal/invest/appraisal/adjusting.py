"""From what is hoped to what can be counted: optimism bias, additionality, incomes, life satisfaction."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, TypeVar

from commonweal.errors import DataError
from commonweal.invest.appraisal.discounting import rebase

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np
    from numpy.typing import NDArray

    from commonweal.invest.parameters import Bounds, Wellby

    V = TypeVar("V", float, NDArray[np.float64])

__all__ = [
    "additional",
    "blended_bounds",
    "optimism_bias",
    "welfare_weight",
    "wellby_value",
    "wellbys",
]


def optimism_bias(upper: float, lower: float, mitigated: V) -> V:
    """Give the share to add to an estimate.

    Parameters
    ----------
    upper, lower
        The bounds.
    mitigated
        How far the risks behind it are managed: 0 gives the upper bound, 1 the lower, and the line
        between is ours. The guidance lowers the upper bound as evidence allows, factor by factor.

    Examples
    --------
    >>> optimism_bias(0.24, 0.02, 0.5)
    0.13
    """
    return upper - (upper - lower) * mitigated


def blended_bounds(mix: Mapping[str, float], bounds: Mapping[str, Bounds]) -> tuple[float, float]:
    """Give the bounds of a project that is of several types, each by its share of the cost.

    Parameters
    ----------
    mix
        Shares by type, together 1.
    bounds
        The bounds by type.

    Returns
    -------
    tuple of float
        Upper and lower.

    Raises
    ------
    DataError
        If the shares are not together 1.

    Examples
    --------
    >>> from commonweal.invest.parameters import Bounds
    >>> table = {"odd": Bounds(upper=0.51, lower=0.04), "plain": Bounds(upper=0.24, lower=0.02)}
    >>> round(blended_bounds({"odd": 0.3, "plain": 0.7}, table)[0], 3)
    0.321
    """
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

    ``gross (1 - leakage)(1 - displacement)(1 - substitution) x multiplier - reference case``
    (Additionality Guide, 2014).

    Parameters
    ----------
    gross
        The effect as it is seen.
    leakage
        Share that goes to people whom the project is not for.
    displacement
        Share that is taken from elsewhere in the area.
    substitution
        Share that takes the place of something that the same people or bodies did before.
    multiplier
        What follows from it, 1 for nothing.
    reference_case
        The effect, adjusted in the same way, that would have come without the project.

    Examples
    --------
    >>> round(additional(100, 0.1, 0.2, 0.05, multiplier=1.25, reference_case=20), 6)
    65.5
    """
    return (
        gross * (1 - leakage) * (1 - displacement) * (1 - substitution) * multiplier
        - reference_case
    )


def welfare_weight(median: float, income: float, elasticity: float) -> float:
    """Give what a pound is worth to people of an income, beside one to people of the median income.

    ``(median / income) ^ elasticity``; both incomes equivalised, of the same year.

    Raises
    ------
    DataError
        If an income is not above 0.

    Examples
    --------
    >>> round(welfare_weight(2, 1, 1.3), 3)
    2.462
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
    """Count WELLBYs: points of life satisfaction (0 to 10), times people, times years.

    Examples
    --------
    >>> round(13_000 * wellbys(0.257, 400_167, 0.5) / 1e6, 1)
    668.5
    """
    return points * people * years


def wellby_value(
    wellby: Wellby,
    year: int,
    deflators: Mapping[int, float],
    incomes: Mapping[int, float] | None = None,
) -> float:
    """Give the value of a WELLBY in prices of a year, in GBP.

    ``value x deflator ratio x (real income ratio) ^ elasticity``; that is a setting of the parameters
    which is not verified.

    Parameters
    ----------
    wellby
        From the parameters.
    year
        The price year.
    deflators
        A price index by year.
    incomes
        Real GDP per head by year, as an index; without it incomes are taken as unchanged.

    Raises
    ------
    DataError
        If an index lacks a year that is needed.

    Examples
    --------
    >>> from commonweal.invest.parameters import load_parameters
    >>> round(wellby_value(load_parameters().wellby, 2024, {2019: 80, 2024: 100}, {2019: 100, 2024: 102}))
    16674
    """
    value = wellby.value * rebase(wellby.price_year, year, deflators)
    if not incomes or year == wellby.price_year:
        return value
    for wanted in (wellby.price_year, year):
        if wanted not in incomes:
            raise DataError(f"real income per head of {wanted} is missing, to uprate the WELLBY")
    richer = incomes[year] / incomes[wellby.price_year]
    return value * float(richer**wellby.uprating.income_elasticity)
