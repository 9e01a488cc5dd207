"""Trust as wealth: what trust between people is worth, for countries and for places within them."""

from commonweal.papers.wealth.coefficients import Weight, load_weights, weight_of
from commonweal.papers.wealth.results import Assumptions, worth_of_change
from commonweal.papers.wealth.value import (
    FORMS,
    Interval,
    annuity,
    delta_interval,
    group_share,
    simulated_interval,
    value_of_trust,
)

__all__ = [
    "FORMS",
    "Assumptions",
    "Interval",
    "Weight",
    "annuity",
    "delta_interval",
    "group_share",
    "load_weights",
    "simulated_interval",
    "value_of_trust",
    "weight_of",
    "worth_of_change",
]
