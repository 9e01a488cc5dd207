"""Small areas: from the few that a survey asked in each place to an estimate, and how sure it is.

>>> from commonweal import small_areas
>>> fit = small_areas.fay_herriot([1.0, 2.0, 3.5, 4.0], [0.1, 0.1, 0.1, 0.1], [1, 2, 3, 4])
>>> small_areas.predict(fit, [5]).estimate.round(2).tolist()
[5.25]
"""

from commonweal.small_areas.fay_herriot import (
    FayHerriot,
    Predicted,
    Shares,
    fay_herriot,
    fay_herriot_shares,
    predict,
)
from commonweal.small_areas.fay_herriot_bayes import Posterior, fay_herriot_posterior
from commonweal.small_areas.mrp import MRP, Cells, Poststratified, mrp, poststratify
from commonweal.small_areas.multilevel import Multilevel, fit_multilevel
from commonweal.small_areas.postestimation import (
    AgainstDirect,
    Benchmarked,
    ModelChecks,
    Precision,
    against_direct,
    benchmark,
    check_model,
    precision,
)
from commonweal.small_areas.unit_level import UnitLevel, unit_level

__all__ = [
    "MRP",
    "AgainstDirect",
    "Benchmarked",
    "Cells",
    "FayHerriot",
    "ModelChecks",
    "Multilevel",
    "Posterior",
    "Poststratified",
    "Precision",
    "Predicted",
    "Shares",
    "UnitLevel",
    "against_direct",
    "benchmark",
    "check_model",
    "fay_herriot",
    "fay_herriot_posterior",
    "fay_herriot_shares",
    "fit_multilevel",
    "mrp",
    "poststratify",
    "precision",
    "predict",
    "unit_level",
]
