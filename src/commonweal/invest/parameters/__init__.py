"""Published parameters of appraisal, as data: each with its source, vintage and whether it was verified."""

from commonweal.invest.parameters.parameters import (
    BiasCategory,
    Bounds,
    Discount,
    OptimismBias,
    Parameters,
    Stated,
    Step,
    Uprating,
    WelfareWeights,
    Wellby,
    WellbyRange,
    load_parameters,
    shipped_parameters,
)

__all__ = [
    "BiasCategory",
    "Bounds",
    "Discount",
    "OptimismBias",
    "Parameters",
    "Stated",
    "Step",
    "Uprating",
    "WelfareWeights",
    "Wellby",
    "WellbyRange",
    "load_parameters",
    "shipped_parameters",
]
