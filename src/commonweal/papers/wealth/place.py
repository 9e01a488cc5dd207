"""What a change in trust is worth to a place of given size and income: a country, or a neighbourhood."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from commonweal.errors import DataError
from commonweal.papers.wealth.intervals import delta_interval, range_interval, simulated_interval
from commonweal.papers.wealth.value import FORMS, annuity, value_of_change

if TYPE_CHECKING:
    from collections.abc import Sequence

    from commonweal.papers.wealth.coefficients import Weight
    from commonweal.papers.wealth.countries import Country
    from commonweal.papers.wealth.results import TrustWealth

__all__ = ["HORIZONS", "worth_in_country", "worth_of_change"]

HORIZONS = ((0.015, 25.0), (0.04, 25.0))
"""Discount rates and years of the stocks. That of the published study could not be read, so two are told."""


def worth_of_change(
    weight: Weight,
    people: float,
    income: float,
    points: float = 1.0,
    *,
    trust: float | None = None,
    horizons: Sequence[tuple[float, float]] = HORIZONS,
    level: float = 0.95,
    draws: int = 20_000,
    seed: int = 1,
) -> pl.DataFrame:
    """Give what a change in trust is worth to a place, a year and as a stock.

    Parameters
    ----------
    weight
        How much trust weighs against income.
    people
        How many live there.
    income
        Income per head and year, in any currency.
    points
        Percentage points by which trust changes; negative for a fall.
    trust
        Share of people who trust before; where given, the share after must be between 0 and 1.
    horizons
        Discount rate and years of each stock.
    level, draws, seed
        Of the intervals.

    Returns
    -------
    polars.DataFrame
        A row for each form and measure: ``form``, ``measure`` (``share`` of income, ``flow_per_head``,
        ``flow``, ``stock``), ``rate`` and ``years`` (of stocks), ``value``, ``low``, ``high`` (by the
        delta method or over the assumed range), ``simulated_low``, ``simulated_high``; null where not
        worked out, infinite where draws have no bound. All but the share in the currency of the income.

    Raises
    ------
    DataError
        If people or income are negative or missing, the change is outside -100 to 100, or a rate or
        number of years is none.

    Examples
    --------
    A point of trust in a neighbourhood of 1,600 people on 25,000 a year each:

    >>> from commonweal.papers.wealth import load_weights
    >>> worth = worth_of_change(load_weights()["calibration"], 1600, 25_000)
    >>> round(worth.filter(form="linear", measure="flow")["value"].item())
    416400
    """
    for name, number in (("people", people), ("income", income)):
        if not 0 <= number < float("inf"):
            raise DataError(f"{name}: found {number:,.6g}; expected a number of 0 or above")
    if not -100 <= points <= 100:
        raise DataError(f"change in trust: found {points:g} points; expected -100 to 100")
    before = max(0.0, -points / 100) if trust is None else trust
    after = before + points / 100
    if trust is not None and not 0 <= after <= 1:
        raise DataError(
            f"change in trust: {points:+g} points from {100 * trust:.3g} % gives {100 * after:.3g} %; "
            "expected 0 to 100 %"
        )
    # Adding and taking away again must not push a share past its ends by a rounding error.
    after = min(1.0, max(0.0, after))
    measures = [
        ("share", None, None, 1.0),
        ("flow_per_head", None, None, income),
        ("flow", None, None, income * people),
        *(("stock", d, n, income * people * annuity(d, n)) for d, n in horizons),
    ]
    rows = []
    for form in FORMS:
        ends: list[float | None] = [None] * 4
        if weight.has_covariance:
            delta = delta_interval(weight, before, after, form, level)
            drawn = simulated_interval(weight, before, after, form, level, draws, seed)
            ends = [float(x) for x in (delta.low, delta.high, drawn.low, drawn.high)]
        elif weight.low is not None:
            assumed = range_interval(weight, before, after, form)
            ends = [float(assumed.low), float(assumed.high), None, None]
        value = float(value_of_change(weight.ratio, before, after, form))
        rows += [
            (form, measure, rate, years, *(_times(x, factor) for x in (value, *ends)))
            for measure, rate, years, factor in measures
        ]
    names = ("value", "low", "high", "simulated_low", "simulated_high")
    return pl.DataFrame(
        rows,
        schema={
            **{"form": pl.String, "measure": pl.String, "rate": pl.Float64, "years": pl.Float64},
            **dict.fromkeys(names, pl.Float64),
        },
        orient="row",
    )


def worth_in_country(
    found: TrustWealth,
    country: Country,
    points: float = 1.0,
    horizons: Sequence[tuple[float, float]] = HORIZONS,
) -> pl.DataFrame | None:
    """Give what a change in trust is worth to a country, from its own trust, people and income.

    Parameters
    ----------
    found
        What countries' trust is worth.
    country
        One of them.
    points, horizons
        As for `worth_of_change`.

    Returns
    -------
    polars.DataFrame or None
        As `worth_of_change` gives it, in US dollars of 2014; None where the wealth accounts lack the country.

    Raises
    ------
    DataError
        If no survey asks about trust there, or trust would leave 0 to 100 %.
    """
    row = found.country(country)
    if row["income"] is None:
        return None
    a = found.assumptions
    return worth_of_change(
        found.weight,
        row["people"],
        row["income"],
        points,
        trust=row["trust"],
        horizons=horizons,
        level=a.level,
        draws=a.draws,
        seed=a.seed,
    )


def _times(x: float | None, factor: float) -> float | None:
    return None if x is None else 0.0 if factor == 0 else x * factor
