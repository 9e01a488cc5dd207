"""Social cost-benefit analysis of a project, by the Green Book: present values, uncertainty, what drives it."""

from commonweal.invest.appraisal.adjusting import (
    additional,
    blended_bounds,
    optimism_bias,
    welfare_weight,
    wellby_value,
    wellbys,
)
from commonweal.invest.appraisal.appraise import (
    DRAWS,
    SEED,
    Appraisal,
    Estimate,
    LineResult,
    appraise,
)
from commonweal.invest.appraisal.discounting import discount_factors, present_value, rebase
from commonweal.invest.appraisal.lines import Benefit, Cost
from commonweal.invest.appraisal.model import Input, Line, Model, build_model
from commonweal.invest.appraisal.outcomes import Outcome, Outcomes, check_claims, load_outcomes
from commonweal.invest.appraisal.project import (
    Project,
    load_project,
    project_from,
    shipped_projects,
)
from commonweal.invest.appraisal.sensitivity import Swing, Switch
from commonweal.invest.appraisal.uncertain import Uncertain, read_number
from commonweal.invest.appraisal.worth import MEASURES

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
    "Switch",
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
