"""Social cost-benefit analysis of a project, by the Green Book: present values, uncertainty, what drives it."""

from commonweal.invest.appraisal.appraise import (
    DRAWS,
    SEED,
    Appraisal,
    Estimate,
    LineResult,
    appraise,
)
from commonweal.invest.appraisal.green_book import (
    additional,
    blended_bounds,
    discount_factors,
    optimism_bias,
    present_value,
    rebase,
    welfare_weight,
    wellby_value,
    wellbys,
)
from commonweal.invest.appraisal.model import MEASURES, Input, Line, Model, build_model
from commonweal.invest.appraisal.outcomes import Outcome, Outcomes, check_claims, load_outcomes
from commonweal.invest.appraisal.project import (
    Benefit,
    Cost,
    Project,
    load_project,
    project_from,
    shipped_projects,
)
from commonweal.invest.appraisal.sensitivity import Swing, SwitchingValue
from commonweal.invest.parameters import Uncertain, read_number

__all__ = [
    "DRAWS",
    "MEASURES",
    "SEED",
    "Appraisal",
    "Benefit",
    "Cost",
    "Estimate",
    "Input",
    "Line",
    "LineResult",
    "Model",
    "Outcome",
    "Outcomes",
    "Project",
    "Swing",
    "SwitchingValue",
    "Uncertain",
    "additional",
    "appraise",
    "blended_bounds",
    "build_model",
    "check_claims",
    "discount_factors",
    "load_outcomes",
    "load_project",
    "optimism_bias",
    "present_value",
    "project_from",
    "read_number",
    "rebase",
    "shipped_projects",
    "welfare_weight",
    "wellby_value",
    "wellbys",
]
