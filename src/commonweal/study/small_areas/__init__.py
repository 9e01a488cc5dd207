"""The file that takes a residents' survey to neighbourhoods: its grammar, its covariates, its run."""

from __future__ import annotations

from commonweal.study.small_areas.run import (
    Ground,
    estimates_of,
    place_study,
    read_ground,
    ready_covariates,
    run_estimates,
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
