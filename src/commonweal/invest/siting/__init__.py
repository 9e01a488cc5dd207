"""Where new places should go: who is reached, at what cost, and whether any other choice is better."""

from commonweal.invest.siting.problem import Goal, SitingProblem, Solution, problem_from_matrix
from commonweal.invest.siting.solve import solve

__all__ = [
    "Goal",
    "SitingProblem",
    "Solution",
    "problem_from_matrix",
    "solve",
]
