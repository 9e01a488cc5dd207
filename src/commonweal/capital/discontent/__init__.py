"""Places that don't matter: the vote of 2016, decline and left-behind areas.

What goes together is told as such. None of it shows a cause.
"""

from commonweal.capital.discontent.authorities import Authorities, Step, authorities
from commonweal.capital.discontent.columns import (
    Column,
    Reading,
    SpatialDependence,
    among_neighbours,
    other_readings,
    shrinkage,
    three_columns,
    without_most_influential,
)
from commonweal.capital.discontent.influence import (
    Influence,
    influence,
    partial_regression,
    variance_inflation,
)
from commonweal.capital.discontent.model import (
    Fit,
    Jackknife,
    Term,
    fit,
    fit_formula,
    interval,
    jackknife,
)
from commonweal.capital.discontent.places import Discontent, discontent
from commonweal.capital.discontent.question import (
    Held,
    left_behind_authorities,
    left_behind_difference,
)
from commonweal.capital.discontent.spatial import (
    Moran,
    SpatialFit,
    moran,
    neighbours,
    spatial_error,
    spatial_lag,
)
from commonweal.capital.discontent.variables import Variable, load_variables
from commonweal.capital.discontent.wards import Wards, left_behind_share, left_behind_wards, wards

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
