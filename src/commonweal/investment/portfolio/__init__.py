"""A mix of interventions for neighbourhoods, chosen within a budget over years."""

from commonweal.investment.portfolio.build import Builder, Places, Target
from commonweal.investment.portfolio.frontier import SHARES, Point, frontier
from commonweal.investment.portfolio.measure import Measure, measure_of, measured_effects
from commonweal.investment.portfolio.model import Mix, choose, need_met
from commonweal.investment.portfolio.numbers import drawn, expected, uncertain_numbers
from commonweal.investment.portfolio.plan import After, Portfolio, make_portfolio
from commonweal.investment.portfolio.problem import Problem, Rules
from commonweal.investment.portfolio.recount import Recount, recount
from commonweal.investment.portfolio.stability import Stability, stability

__all__ = [
    "SHARES",
    "After",
    "Builder",
    "Measure",
    "Mix",
    "Places",
    "Point",
    "Portfolio",
    "Problem",
    "Recount",
    "Rules",
    "Stability",
    "Target",
    "choose",
    "drawn",
    "expected",
    "frontier",
    "make_portfolio",
    "measure_of",
    "measured_effects",
    "need_met",
    "recount",
    "stability",
    "uncertain_numbers",
]
