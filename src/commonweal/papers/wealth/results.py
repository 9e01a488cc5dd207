"""Trust as wealth for countries, groups of them, and places within them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from commonweal.errors import DataError
from commonweal.papers.wealth.data import (
    groups_of,
    load_countries,
    trust_of_countries,
    wealth_of_countries,
)
from commonweal.papers.wealth.value import (
    FORMS,
    annuity,
    delta_interval,
    draw_ratio,
    group_share,
    range_interval,
    ratio_error,
    simulated_interval,
    slope,
    value_of_change,
    value_of_trust,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from commonweal.papers.wealth.coefficients import Weight
    from commonweal.papers.wealth.data import Country
    from commonweal.papers.wealth.value import Form
    from commonweal.sources import Store


@dataclass(frozen=True, slots=True)
class Assumptions:
    """What results rest on, beside the weight of trust.

    Attributes
    ----------
    since, until
        Years of the trust surveys.
    wealth_year
        Year of the wealth accounts.
    level
        Level of confidence of the intervals.
    draws, seed
        Of the simulation.
    """

    since: int = 2005
    until: int = 2015
    wealth_year: int = 2010
    level: float = 0.95
    draws: int = 20_000
    seed: int = 1


@dataclass(frozen=True, slots=True)
class TrustWealth:
    """Trust as wealth."""

    weight: Weight  # the weight of trust against income that it rests on
    assumptions: Assumptions  # what else it rests on
    # a row a country with trust: ``code``, ``country``, ``region``, ``income_group``, what `trust_of_countries` and
    # `wealth_of_countries` give (null where a country has no accounts), and for each form ``value_FORM`` (share of
    # income or wealth), ``low_FORM`` and ``high_FORM`` (by the delta method, or over the assumed range; null where
    # there is neither), ``simulated_low_FORM`` and ``simulated_high_FORM``, ``share_FORM`` (of wealth with trust
    # counted in), ``trust_wealth_FORM`` and ``flow_FORM`` (US dollars of 2014 a head; a head and year)
    countries: pl.DataFrame
    # a row a group: ``kind``, ``group``, ``countries`` (with trust and accounts), ``of`` (with accounts),
    # ``people_covered`` (share of their people), ``trust`` (mean over people), parts of wealth per head, and for each
    # form ``share_FORM``, ``low_FORM``, ``high_FORM``, ``simulated_low_FORM``, ``simulated_high_FORM`` and
    # ``trust_wealth_FORM``. Ends take in how sure r is, not the sampling of trust.
    groups: pl.DataFrame

    def country(self, country: Country) -> dict[str, Any]:
        """Give the row of a country."""
        for row in self.countries.filter(code=country.code).iter_rows(named=True):
            return row
        raise DataError(
            f"{country.name}: found no survey of {self.assumptions.since} to {self.assumptions.until} that asks "
            f"about trust; {len(self.countries)} countries have one"
        )


PARTS = ("total", "produced", "natural", "human", "foreign", "income")


def value_countries(
    store: Store, weight: Weight, assumptions: Assumptions | None = None
) -> TrustWealth:
    """Value the trust of every country that surveys ask about it, and of groups of countries."""
    a = assumptions or Assumptions()
    trust = trust_of_countries(store, a.since, a.until)
    accounts = wealth_of_countries(store, a.wealth_year)
    known = load_countries()
    named = pl.DataFrame(
        [(c.code, c.name, c.region, c.income) for c in known.values()],
        schema=["code", "country", "region", "income_group"],
        orient="row",
    )
    rows = (
        named.join(trust, on="code")
        .join(accounts, on="code", how="left")
        .sort("code")
        .with_columns(_values(trust.sort("code"), weight, a))
    )
    wealth, income = pl.col("total"), pl.col("income")
    rows = rows.with_columns(
        column
        for form in FORMS
        for value in [pl.col(f"value_{form}")]
        for column in (
            (value / (1 + value)).alias(f"share_{form}"),
            (value * wealth).alias(f"trust_wealth_{form}"),
            (value * income).alias(f"flow_{form}"),
        )
    )
    return TrustWealth(weight, a, rows, _groups(accounts, trust, weight, a))


def _values(trust: pl.DataFrame, weight: Weight, a: Assumptions) -> list[pl.Series]:
    """Give the value of each country's trust in every form, with its ends."""
    t, se = trust["trust"].to_numpy(), trust["trust_se"].to_numpy()
    none = np.full(len(t), np.nan)
    columns: list[pl.Series] = []
    for form in FORMS:
        low = high = drawn_low = drawn_high = none
        if weight.has_covariance:
            delta = delta_interval(weight, 0.0, t, form, a.level, se)
            drawn = simulated_interval(weight, 0.0, t, form, a.level, a.draws, a.seed, se)
            low, high, drawn_low, drawn_high = delta.low, delta.high, drawn.low, drawn.high
        elif weight.low is not None:
            assumed = range_interval(weight, 0.0, t, form)
            low, high = assumed.low, assumed.high
        columns += [
            pl.Series(f"{name}_{form}", numbers).fill_nan(None)
            for name, numbers in (
                ("value", value_of_trust(weight.ratio, t, form)),
                ("low", low),
                ("high", high),
                ("simulated_low", drawn_low),
                ("simulated_high", drawn_high),
            )
        ]
    return columns


def _groups(
    accounts: pl.DataFrame, trust: pl.DataFrame, weight: Weight, a: Assumptions
) -> pl.DataFrame:
    """Add up the countries of each group, in the order of the kinds."""
    both = accounts.join(trust.select("code", "trust"), on="code", how="left")
    members: dict[tuple[str, str], list[str]] = {}
    for code in both["code"]:
        for of in groups_of(load_countries()[code]):
            members.setdefault(of, []).append(code)
    order = ("World", "Region", "Income group", "Named group")
    rows = []
    for kind, group in sorted(members, key=lambda g: (order.index(g[0]), g[1])):
        all_of = both.filter(pl.col("code").is_in(members[kind, group]))
        held = all_of.drop_nulls("trust")
        if len(held):
            rows.append(
                {
                    "kind": kind,
                    "group": group,
                    "countries": len(held),
                    "of": len(all_of),
                    "people_covered": float(
                        held["people"].to_numpy().sum() / all_of["people"].to_numpy().sum()
                    ),
                    "trust": np.average(held["trust"], weights=held["people"]),
                    **{p: np.average(held[p], weights=held["people"]) for p in PARTS},
                    **dict(_group_values(held, weight, a)),
                }
            )
    return pl.DataFrame(rows, infer_schema_length=None)


def _group_values(
    held: pl.DataFrame, weight: Weight, a: Assumptions
) -> Iterator[tuple[str, float | None]]:
    t, w, p = (held[name].to_numpy() for name in ("trust", "total", "people"))
    ends: dict[str, tuple[float, float]] = {}
    if (
        weight.has_covariance
    ):  # the share rises with r, so its quantiles are those of r, carried over
        sides = [0.5 - a.level / 2, 0.5 + a.level / 2]
        low, high = np.quantile(
            draw_ratio(weight, a.draws, a.seed), sides, method="inverted_cdf"
        ).tolist()
        ends["simulated_"] = low, high
    elif weight.low is not None and weight.high is not None:
        ends[""] = weight.low, weight.high
    for form in FORMS:
        share = _share_at(weight.ratio, t, w, p, form)
        yield f"share_{form}", share
        found = {
            prefix: (_share_at(low, t, w, p, form), _share_at(high, t, w, p, form))
            for prefix, (low, high) in ends.items()
        }
        if weight.has_covariance:
            half = _half_width(weight, t, w, p, form, a.level)
            found[""] = share - half, share + half
        for prefix in ("", "simulated_"):
            low_end, high_end = found.get(prefix) or (None, None)
            yield f"{prefix}low_{form}", low_end
            yield f"{prefix}high_{form}", high_end
        v = value_of_trust(weight.ratio, t, form)
        yield f"trust_wealth_{form}", float(np.average(v * w, weights=p))


def _share_at(
    r: float, t: NDArray[np.float64], w: NDArray[np.float64], p: NDArray[np.float64], form: Form
) -> float:
    """Give the share of a group at one weight of trust; at an infinite one, its limit."""
    if math.isinf(r):
        return group_share((t > 0).astype(np.float64), w, p) if form == "equivalent" else 1.0
    return group_share(value_of_trust(r, t, form), w, p)


def _half_width(
    weight: Weight,
    t: NDArray[np.float64],
    w: NDArray[np.float64],
    p: NDArray[np.float64],
    form: Form,
    level: float,
) -> float:
    """Give half the width of the interval of a group's share, by the delta method."""
    v = value_of_trust(weight.ratio, t, form)
    held, trusted = (w * p).sum(), (v * w * p).sum()
    by_r = (t * slope(v, form) * w * p).sum() * held / (held + trusted) ** 2
    return float(NormalDist().inv_cdf(0.5 + level / 2) * by_r * ratio_error(weight))


HORIZONS = ((0.015, 25.0), (0.04, 25.0))
"""Discount rates and years of the stocks. That of the published study could not be read, so we use two."""


def worth_of_change(
    weight: Weight,
    people: float,
    income: float,
    points: float = 1.0,
    *,
    trust: float | None = None,
    horizons: Sequence[tuple[float, float]] = HORIZONS,
    assumptions: Assumptions | None = None,
) -> pl.DataFrame:
    """Give what a change in trust is worth to a place, a year and as a stock.

    Parameters
    ----------
    weight
        How much trust weighs against income.
    people
        How many live there.
    income
        Income per head and year, in any currency; the command and the report take pounds.
    points
        Percentage points by which trust changes; negative for a fall.
    trust
        Share of people who trust before; where given, the share after must be between 0 and 1.
    horizons
        Discount rate and years of each stock.
    assumptions
        Level, draws and seed of the intervals; the usual ones if not given.

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
    a = assumptions or Assumptions()
    for name, number in (("people", people), ("income", income)):
        if not 0 <= number < float("inf"):
            raise DataError(f"{name}: found {number:,.6g}; expected a number of 0 or above")
    if not -100 <= points <= 100:
        raise DataError(f"change in trust: found {points:g} points; expected -100 to 100")
    before = max(0.0, -points / 100) if trust is None else trust
    after = before + points / 100
    if trust is not None and not 0 <= after <= 1:
        raise DataError(
            f"change in trust: {points:+g} points from {100 * trust:.3g}% gives {100 * after:.3g}%; "
            "expected 0 to 100%"
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
            delta = delta_interval(weight, before, after, form, a.level)
            drawn = simulated_interval(weight, before, after, form, a.level, a.draws, a.seed)
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

    In US dollars of 2014; None where the wealth accounts lack the country.
    """
    row = found.country(country)
    if row["income"] is None:
        return None
    return worth_of_change(
        found.weight,
        row["people"],
        row["income"],
        points,
        trust=row["trust"],
        horizons=horizons,
        assumptions=found.assumptions,
    )


def _times(x: float | None, factor: float) -> float | None:
    return None if x is None else 0.0 if factor == 0 else x * factor
