"""Places that don't matter: the vote of 2016, decline and left-behind areas.

What goes together is told as such. None of it shows a cause.
"""

from commonweal.papers.discontent.models import (
    Influence,
    Moran,
    SpatialFit,
    influence,
    moran,
    spatial_error,
    spatial_lag,
    variance_inflation,
)
from commonweal.survey.regression import Fit, Jackknife, Term, fit, fit_formula, interval, jackknife

__all__ = [
    "Fit",
    "Influence",
    "Jackknife",
    "Moran",
    "SpatialFit",
    "Term",
    "fit",
    "fit_formula",
    "influence",
    "interval",
    "jackknife",
    "moran",
    "spatial_error",
    "spatial_lag",
    "variance_inflation",
]
