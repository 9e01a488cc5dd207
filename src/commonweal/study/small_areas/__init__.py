"""The file that takes a residents' survey to neighbourhoods: its grammar, its covariates, its run."""

from __future__ import annotations

from commonweal.study.small_areas.run import (
    CovariateData,
    covariate_study,
    estimate_survey,
    read_covariates,
    run_estimates,
    shipped_covariates,
)
from commonweal.study.small_areas.spec import (
    EstimatesSpec,
    PeopleSpec,
    example_spec,
    example_survey,
    load_estimates,
    write_example,
)

__all__ = [
    "CovariateData",
    "EstimatesSpec",
    "PeopleSpec",
    "covariate_study",
    "estimate_survey",
    "example_spec",
    "example_survey",
    "load_estimates",
    "read_covariates",
    "run_estimates",
    "shipped_covariates",
    "write_example",
]
