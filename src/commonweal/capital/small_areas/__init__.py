"""Small areas: from the few that a survey asked in each place to an estimate, and how sure it is."""

from .benchmarking import Benchmarked, benchmark
from .diagnostics import (
    AgainstDirect,
    ModelChecks,
    Precision,
    against_direct,
    check_model,
    precision,
)
from .fay_herriot import FayHerriot, Predicted, fay_herriot, predict
from .mrp import MRP, Cells, Poststratified, mrp, poststratify
from .multilevel import Multilevel, fit_multilevel
from .shares import Shares, fay_herriot_shares, predict_shares
from .unit_level import UnitLevel, unit_level

__all__ = [
    "MRP",
    "AgainstDirect",
    "Benchmarked",
    "Cells",
    "FayHerriot",
    "ModelChecks",
    "Multilevel",
    "Poststratified",
    "Precision",
    "Predicted",
    "Shares",
    "UnitLevel",
    "against_direct",
    "benchmark",
    "check_model",
    "fay_herriot",
    "fay_herriot_shares",
    "fit_multilevel",
    "mrp",
    "poststratify",
    "precision",
    "predict",
    "predict_shares",
    "unit_level",
]
