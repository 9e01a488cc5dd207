"""From a residents' survey to an estimate of every neighbourhood, with what it is worth."""

from __future__ import annotations

from commonweal.social_capital.neighbourhoods.estimate import (
    Estimates,
    Neighbourhoods,
    People,
    estimate_neighbourhoods,
    larger_estimates,
)
from commonweal.social_capital.neighbourhoods.model import (
    Answers,
    Covariates,
    Direct,
    Kinds,
    Modelled,
    by_area,
    by_kind,
    direct_estimates,
    standardised,
)

__all__ = [
    "Answers",
    "Covariates",
    "Direct",
    "Estimates",
    "Kinds",
    "Modelled",
    "Neighbourhoods",
    "People",
    "by_area",
    "by_kind",
    "direct_estimates",
    "estimate_neighbourhoods",
    "larger_estimates",
    "standardised",
]
