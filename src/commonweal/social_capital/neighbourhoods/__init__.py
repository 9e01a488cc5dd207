"""From a residents' survey to an estimate of every neighbourhood, with what it is worth."""

from __future__ import annotations

from commonweal.social_capital.neighbourhoods.estimate import (
    Estimates,
    Neighbourhoods,
    PopulationCounts,
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
    "Estimates",
    "Kinds",
    "Modelled",
    "Neighbourhoods",
    "PopulationCounts",
    "SurveyAnswers",
    "direct_estimates",
    "fit_areas",
    "fit_kinds",
    "standardised",
]
