"""Where new places should go: who is reached, at what cost, and whether any other choice is better."""

from commonweal.invest.siting.problem import (
    Goal,
    SitingProblem,
    Solution,
    problem_from_matrix,
    problem_from_reach,
)
from commonweal.invest.siting.solve import evaluate_sites, solve

__all__ = [
    "Goal",
    "SitingProblem",
    "Solution",
    "evaluate_sites",
    "problem_from_matrix",
    "problem_from_reach",
    "solve",
]
