"""From a residents' survey to an estimate of every neighbourhood, with what it is worth."""

from __future__ import annotations

from commonweal.social_capital.neighbourhoods.estimate import (
    EstimateOptions,
    Estimates,
    Neighbourhoods,
    PopulationCounts,
    estimate_neighbourhoods,
    larger_estimates,
)
from commonweal.social_capital.neighbourhoods.model import (
    Covariates,
    Direct,
    Kinds,
    Modelled,
    SurveyAnswers,
    direct_estimates,
    fit_areas,
    fit_kinds,
    standardised,
)

__all__ = [
    "Covariates",
    "Direct",
    "EstimateOptions",
    "Estimates",
    "Kinds",
    "Modelled",
    "Neighbourhoods",
    "PopulationCounts",
    "SurveyAnswers",
    "direct_estimates",
    "estimate_neighbourhoods",
    "fit_areas",
    "fit_kinds",
    "larger_estimates",
    "standardised",
]
