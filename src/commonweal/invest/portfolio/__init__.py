"""A mix of interventions for neighbourhoods, chosen within a budget over years."""

from commonweal.invest.portfolio.builder import (
    Builder,
    NeedIndex,
    PortfolioAreas,
    Target,
    drawn,
    expected,
    measured_effects,
    need_index,
    uncertain_numbers,
)
from commonweal.invest.portfolio.optimise import Mix, need_met, optimise_mix
from commonweal.invest.portfolio.plan import (
    SELECTED,
    SHARES,
    After,
    Point,
    Portfolio,
    PortfolioOptions,
    Recount,
    Stability,
    frontier,
    make_portfolio,
    recount,
    stability,
)
from commonweal.invest.portfolio.problem import PortfolioProblem, Rules

__all__ = [
    "SELECTED",
    "SHARES",
    "After",
    "Builder",
    "Mix",
    "NeedIndex",
    "Point",
    "Portfolio",
    "PortfolioAreas",
    "PortfolioOptions",
    "PortfolioProblem",
    "Recount",
    "Rules",
    "Stability",
    "Target",
    "drawn",
    "expected",
    "frontier",
    "make_portfolio",
    "measured_effects",
    "need_index",
    "need_met",
    "optimise_mix",
    "recount",
    "stability",
    "uncertain_numbers",
]
