"""Values of indicators in words, and which are withheld since few people are behind them."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from commonweal.indicators import Counts

__all__ = ["FEWEST_EVENTS", "FEWEST_PEOPLE", "amount", "is_distance", "small"]

FEWEST_PEOPLE = 100
"""Places with fewer residents show no values of their own, and not how many they are."""

FEWEST_EVENTS = 5
"""A rate made from fewer events, but some, is not shown; nor one made from fewer people."""

_DISTANCES = ("m", "km", "metres", "kilometres", "minutes", "min")


def amount(value: float, unit: str) -> str:
    """Say a value with its unit, to three digits that count; '' without a value.

    Examples
    --------
    >>> amount(1240.4, "m"), amount(63.42, "% of electors"), amount(0.0312, "share of homes")
    ('1,240 m', '63.4 % of electors', '3.1 % of homes')
    >>> amount(2.345, "per 1,000 residents"), amount(12, ""), amount(float("nan"), "m")
    ('2.35 per 1,000 residents', '12', '')
    """
    if math.isnan(value):
        return ""
    if unit.startswith("share of ") and abs(value) <= 1:
        return amount(value * 100, "% of " + unit.removeprefix("share of "))
    words = unit.split(", ")[0]  # what follows says how it is counted: "pubs, the far ones less"
    if words[:1].isdigit() or words == "score":
        words = ""
    return f"{_number(value)} {words}".strip()


def _number(value: float) -> str:
    size = abs(value)
    if size == 0 or value == int(value):
        return f"{value:,.0f}"
    if size >= 1000:  # no instrument here measures to the metre
        return f"{round(value, -1):,.0f}"
    if size >= 100:
        return f"{value:,.0f}"
    if size < 0.1:
        return f"{value:.{1 - math.floor(math.log10(size))}f}"
    return f"{value:.1f}" if size >= 10 or _rounds_well(size) else f"{value:.2f}"


def _rounds_well(size: float) -> bool:
    """Whether one decimal is off by no more than one part in a hundred."""
    return abs(round(size, 1) - size) <= 0.01 * size


def is_distance(unit: str) -> bool:
    """Say whether a unit is one of distance or of time on the way."""
    return unit.split(",")[0].strip().casefold() in _DISTANCES


def small(people: NDArray[np.float64], counts: Counts | None) -> NDArray[np.bool_]:
    """(n_areas,) whether a value is withheld.

    Parameters
    ----------
    people
        (n_areas,) residents; NaN where unknown, which withholds nothing.
    counts
        What a rate was made from, on the same areas; None if it is not one, or that is not known.
    """
    few: NDArray[np.bool_] = people < FEWEST_PEOPLE
    if counts is not None and len(counts.events) == len(people):
        few = few | ((counts.events > 0) & (counts.events < FEWEST_EVENTS))
        few = few | (counts.base < FEWEST_EVENTS)
    return few
