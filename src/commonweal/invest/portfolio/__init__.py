"""A mix of interventions for neighbourhoods, chosen within a budget over years."""

from commonweal.invest.portfolio.build import Builder, Places, Target
from commonweal.invest.portfolio.frontier import SHARES, Point, frontier
from commonweal.invest.portfolio.measure import Measure, measure_of, measured_effects
from commonweal.invest.portfolio.model import Mix, choose, need_met
from commonweal.invest.portfolio.numbers import drawn, expected, uncertain_numbers
from commonweal.invest.portfolio.plan import After, Portfolio, make_portfolio
from commonweal.invest.portfolio.problem import Problem, Rules
from commonweal.invest.portfolio.recount import Recount, recount
from commonweal.invest.portfolio.stability import Stability, stability

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
