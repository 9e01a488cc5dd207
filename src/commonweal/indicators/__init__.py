"""One number per area: values, unit, direction, source, vintage, standard error, counts.

>>> import polars as pl
>>> from commonweal import indicators
>>> table = pl.DataFrame({"halls": [4, 1], "people": [2000, 1000]})
>>> indicators.evaluate_formula("1000 * halls / people", table, "halls per 1,000", "the table").to_list()
[2.0, 1.0]
"""

from commonweal.indicators.indicators import (
    COVERAGE,
    Counts,
    Direction,
    Indicator,
    Indicators,
    check_columns,
    check_coverage,
    evaluate_formula,
    names_in,
    refuse_sparse,
    sparse,
    too_sparse,
)
from commonweal.indicators.panel import Panel, panel_from_long, panel_from_wide, stack_years
from commonweal.indicators.read import (
    CountColumns,
    IndicatorSource,
    code_column,
    read_column,
    read_flags,
    read_indicators,
    read_years,
    to_numbers,
)

__all__ = [
    "COVERAGE",
    "CountColumns",
    "Counts",
    "Direction",
    "Indicator",
    "IndicatorSource",
    "Indicators",
    "Panel",
    "check_columns",
    "check_coverage",
    "code_column",
    "evaluate_formula",
    "names_in",
    "panel_from_long",
    "panel_from_wide",
    "read_column",
    "read_flags",
    "read_indicators",
    "read_years",
    "refuse_sparse",
    "sparse",
    "stack_years",
    "to_numbers",
    "too_sparse",
]
