"""Small areas: from the few that a survey asked in each place to an estimate, and how sure it is."""

from .fay_herriot import FayHerriot, Predicted, fay_herriot, predict
from .mrp import MRP, Cells, Poststratified, mrp, poststratify
from .multilevel import Multilevel, fit_multilevel

__all__ = [
    "MRP",
    "Cells",
    "FayHerriot",
    "Multilevel",
    "Poststratified",
    "Predicted",
    "fay_herriot",
    "fit_multilevel",
    "mrp",
    "poststratify",
    "predict",
]
