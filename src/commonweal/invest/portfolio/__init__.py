"""A mix of interventions for neighbourhoods, chosen within a budget over years."""

from commonweal.invest.portfolio.optimise import Mix, optimise_mix
from commonweal.invest.portfolio.problem import PortfolioProblem, Rules

__all__ = [
    "Mix",
    "PortfolioProblem",
    "Rules",
    "optimise_mix",
]
