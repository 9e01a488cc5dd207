"""The file that takes a residents' survey to neighbourhoods: its grammar, its covariates, its run."""

from __future__ import annotations

from commonweal.study.small_areas.covariates import ready_covariates
from commonweal.study.small_areas.example import example_spec, example_survey, write_example
from commonweal.study.small_areas.run import (
    Ground,
    estimates_of,
    place_study,
    read_ground,
    run_estimates,
)
from commonweal.study.small_areas.spec import EstimatesSpec, PeopleSpec, load_estimates

__all__ = [
    "EstimatesSpec",
    "Ground",
    "PeopleSpec",
    "estimates_of",
    "example_spec",
    "example_survey",
    "load_estimates",
    "place_study",
    "read_ground",
    "ready_covariates",
    "run_estimates",
    "write_example",
]
