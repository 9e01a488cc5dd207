"""What later years are worth now, and what money of one year is in prices of another."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from commonweal.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import ArrayLike, NDArray

    from commonweal.invest.parameters import Step

__all__ = ["discount_factors", "present_value", "rebase"]


def discount_factors(years: int, steps: Sequence[Step]) -> NDArray[np.float64]:
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
    """Add up amounts of the years 0, 1, … at what each is worth in year 0.

    Parameters
    ----------
    amounts
        (years,) in real terms.
    factors
        (years,) from `discount_factors`.

    Raises
    ------
    DataError
        If they are not as many, or one of them is not a number.

    Examples
    --------
    >>> present_value([100, 100], [1, 0.5])
    150.0
    """
    flow, factor = np.asarray(amounts, dtype=np.float64), np.asarray(factors, dtype=np.float64)
    if flow.shape != factor.shape or flow.ndim != 1:
        raise DataError(
            f"found {flow.size} amounts and {factor.size} discount factors; expected as many"
        )
    if not np.isfinite(flow).all():
        raise DataError(f"year {int(np.flatnonzero(~np.isfinite(flow))[0])}: found no number")
    return float(flow @ factor)


def rebase(year: int, to: int, deflators: Mapping[int, float]) -> float:
    """Give what to multiply money of one price year with, to have it in prices of another.

    Parameters
    ----------
    year, to
        The price years.
    deflators
        A price index by year, such as the GDP deflator; not needed where the years are the same.

    Raises
    ------
    DataError
        If the index lacks one of the years.

    Examples
    --------
    >>> rebase(2019, 2024, {2019: 80.0, 2024: 100.0})
    1.25
    """
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
