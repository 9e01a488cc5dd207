"""The file that takes a residents' survey to neighbourhoods: its grammar, its covariates, its run."""

from __future__ import annotations

from commonweal.study.small_areas.run import CovariateData, estimate_survey, read_covariates
from commonweal.study.small_areas.spec import EstimatesSpec, example_spec, example_survey

__all__ = [
    "CovariateData",
    "EstimatesSpec",
    "estimate_survey",
    "example_spec",
    "example_survey",
    "read_covariates",
]
