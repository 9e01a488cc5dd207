"""Social cost-benefit analysis of a project, by the Green Book: present values, uncertainty, what drives it."""

from commonweal.invest.appraisal.appraise import Appraisal, Estimate, appraise
from commonweal.invest.appraisal.green_book import discount_factors
from commonweal.invest.appraisal.outcomes import Outcomes, check_claims, load_outcomes
from commonweal.invest.appraisal.project import Benefit, Project, load_project

__all__ = [
    "Appraisal",
    "Benefit",
    "Estimate",
    "Outcomes",
    "Project",
    "appraise",
    "check_claims",
    "discount_factors",
    "load_outcomes",
    "load_project",
]
