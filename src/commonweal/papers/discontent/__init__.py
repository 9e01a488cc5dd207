"""Places that don't matter: the vote of 2016, decline and left-behind areas.

What goes together is told as such. None of it shows a cause.
"""

from commonweal.papers.discontent.authorities import (
    Authorities,
    Step,
    Variable,
    authorities,
    load_variables,
)
from commonweal.papers.discontent.diagnostics import (
    Influence,
    Moran,
    SpatialFit,
    influence,
    moran,
    neighbours,
    partial_regression,
    spatial_error,
    spatial_lag,
    variance_inflation,
)
from commonweal.papers.discontent.models import (
    Column,
    Reading,
    SpatialDependence,
    among_neighbours,
    other_readings,
    shrinkage,
    three_columns,
    without_most_influential,
)
from commonweal.papers.discontent.results import (
    Discontent,
    Held,
    discontent,
    left_behind_authorities,
    left_behind_difference,
)
from commonweal.papers.discontent.wards import Wards, left_behind_share, left_behind_wards, wards
from commonweal.survey.regression import Fit, Jackknife, Term, fit, fit_formula, interval, jackknife

__all__ = [
    "Authorities",
    "Column",
    "Discontent",
    "Fit",
    "Held",
    "Influence",
    "Jackknife",
    "Moran",
    "Reading",
    "SpatialDependence",
    "SpatialFit",
    "Step",
    "Term",
    "Variable",
    "Wards",
    "among_neighbours",
    "authorities",
    "discontent",
    "fit",
    "fit_formula",
    "influence",
    "interval",
    "jackknife",
    "left_behind_authorities",
    "left_behind_difference",
    "left_behind_share",
    "left_behind_wards",
    "load_variables",
    "moran",
    "neighbours",
    "other_readings",
    "partial_regression",
    "shrinkage",
    "spatial_error",
    "spatial_lag",
    "three_columns",
    "variance_inflation",
    "wards",
    "without_most_influential",
]
