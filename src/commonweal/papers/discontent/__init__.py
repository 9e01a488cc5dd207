"""Places that don't matter: the vote of 2016, decline and left-behind areas.

What goes together is told as such. None of it shows a cause.
"""

from commonweal.papers.discontent.authorities import Authorities, Step, authorities
from commonweal.papers.discontent.columns import (
    Column,
    Reading,
    SpatialDependence,
    among_neighbours,
    other_readings,
    shrinkage,
    three_columns,
    without_most_influential,
)
from commonweal.papers.discontent.influence import (
    Influence,
    influence,
    partial_regression,
    variance_inflation,
)
from commonweal.papers.discontent.places import Discontent, discontent
from commonweal.papers.discontent.question import (
    Held,
    left_behind_authorities,
    left_behind_difference,
)
from commonweal.papers.discontent.spatial import (
    Moran,
    SpatialFit,
    moran,
    neighbours,
    spatial_error,
    spatial_lag,
)
from commonweal.papers.discontent.variables import Variable, load_variables
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
