"""From a residents' survey to an estimate of every neighbourhood, with what it is worth."""

from __future__ import annotations

from commonweal.capital.neighbourhoods.benchmark import larger_estimates
from commonweal.capital.neighbourhoods.covariates import Covariates, standardised
from commonweal.capital.neighbourhoods.direct import Answers, Direct, direct_estimates
from commonweal.capital.neighbourhoods.estimate import (
    Estimates,
    Neighbourhoods,
    People,
    estimate_neighbourhoods,
)
from commonweal.capital.neighbourhoods.model import Kinds, Modelled, by_area, by_kind

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
