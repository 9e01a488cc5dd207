"""Trust as wealth: what trust between people is worth, for countries and for places within them."""

from commonweal.papers.wealth.coefficients import HIGH, Weight, load_weights, read_weight, weight_of
from commonweal.papers.wealth.countries import Country, country_of, load_countries
from commonweal.papers.wealth.data import (
    ASSETS,
    CONTROLS,
    SOURCES,
    Asset,
    life_of_countries,
    trust_of_countries,
    wealth_of_countries,
)
from commonweal.papers.wealth.intervals import (
    Interval,
    delta_interval,
    draw_ratio,
    range_interval,
    ratio_error,
    ratio_variance,
    simulated_interval,
)
from commonweal.papers.wealth.place import HORIZONS, worth_in_country, worth_of_change
from commonweal.papers.wealth.published import Published, load_published
from commonweal.papers.wealth.regression import Fit, fit_countries
from commonweal.papers.wealth.results import Assumptions, TrustWealth, value_countries
from commonweal.papers.wealth.value import (
    FORMS,
    Form,
    annuity,
    group_share,
    share_of_all,
    stock_from_income,
    value_of_change,
    value_of_trust,
)

__all__ = [
    "ASSETS",
    "CONTROLS",
    "FORMS",
    "HIGH",
    "HORIZONS",
    "SOURCES",
    "Asset",
    "Assumptions",
    "Country",
    "Fit",
    "Form",
    "Interval",
    "Published",
    "TrustWealth",
    "Weight",
    "annuity",
    "country_of",
    "delta_interval",
    "draw_ratio",
    "fit_countries",
    "group_share",
    "life_of_countries",
    "load_countries",
    "load_published",
    "load_weights",
    "range_interval",
    "ratio_error",
    "ratio_variance",
    "read_weight",
    "share_of_all",
    "simulated_interval",
    "stock_from_income",
    "trust_of_countries",
    "value_countries",
    "value_of_change",
    "value_of_trust",
    "wealth_of_countries",
    "weight_of",
    "worth_in_country",
    "worth_of_change",
]
