"""Places that don't matter: the vote of 2016, decline and left-behind areas.

What goes together is told as such. None of it shows a cause.
"""

from commonweal.papers.discontent.authorities import (
    Authorities,
    JoinStep,
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
    SpatialDependence,
    Specification,
    among_neighbours,
    other_specifications,
    shrinkage,
    three_columns,
    without_most_influential,
)
from commonweal.papers.discontent.results import (
    ControlledDifference,
    Discontent,
    discontent,
    left_behind_authorities,
    left_behind_difference,
)
from commonweal.papers.discontent.wards import Wards, left_behind_share, left_behind_wards, wards
from commonweal.survey.regression import Fit, Jackknife, Term, fit, fit_formula, interval, jackknife

__all__ = [
    "Authorities",
    "Column",
    "ControlledDifference",
    "Discontent",
    "Fit",
    "Influence",
    "Jackknife",
    "JoinStep",
    "Moran",
    "SpatialDependence",
    "SpatialFit",
    "Specification",
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
    "other_specifications",
    "partial_regression",
    "shrinkage",
    "spatial_error",
    "spatial_lag",
    "three_columns",
    "variance_inflation",
    "wards",
    "without_most_influential",
]
