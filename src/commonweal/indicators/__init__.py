"""One number per area: values, unit, direction, source, vintage, standard error, counts.

>>> import polars as pl
>>> from commonweal.indicators.indicators import evaluate_formula
>>> table = pl.DataFrame({"halls": [4, 1], "people": [2000, 1000]})
>>> evaluate_formula("1000 * halls / people", table, "halls per 1,000", "the table").to_list()
[2.0, 1.0]
"""

from commonweal.indicators.indicators import Counts, Indicator, Indicators
from commonweal.indicators.panel import Panel, panel_from_long, panel_from_wide, stack_years

__all__ = [
    "Counts",
    "Indicator",
    "Indicators",
    "Panel",
    "panel_from_long",
    "panel_from_wide",
    "stack_years",
]
