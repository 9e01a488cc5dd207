"""A mix of interventions for neighbourhoods, chosen within a budget over years."""

from commonweal.invest.portfolio.builder import (
    Builder,
    Measure,
    Places,
    Target,
    drawn,
    expected,
    measure_of,
    measured_effects,
    uncertain_numbers,
)
from commonweal.invest.portfolio.optimise import Mix, choose, need_met
from commonweal.invest.portfolio.plan import (
    SHARES,
    After,
    Point,
    Portfolio,
    Recount,
    Stability,
    frontier,
    make_portfolio,
    recount,
    stability,
)
from commonweal.invest.portfolio.problem import Problem, Rules

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
