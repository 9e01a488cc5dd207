"""The file that takes a residents' survey to neighbourhoods: its grammar, its covariates, its run."""

from __future__ import annotations

from commonweal.estimates.covariates import ready_covariates
from commonweal.estimates.example import write_example
from commonweal.estimates.run import place_study, run_estimates
from commonweal.estimates.spec import EstimatesSpec, PeopleSpec, load_estimates

__all__ = [
    "EstimatesSpec",
    "PeopleSpec",
    "load_estimates",
    "place_study",
    "ready_covariates",
    "run_estimates",
    "write_example",
]
