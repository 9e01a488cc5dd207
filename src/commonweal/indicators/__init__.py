"""One number per area: values, unit, direction, source, vintage, standard error, counts."""

from commonweal.indicators.counts import Counts
from commonweal.indicators.coverage import COVERAGE, check_coverage, sparse
from commonweal.indicators.formulas import check_columns, evaluate, names_in
from commonweal.indicators.indicators import Direction, Indicator, Indicators
from commonweal.indicators.numbers import numbers
from commonweal.indicators.panel import Panel, panel_from_long, panel_from_wide, stack_years
from commonweal.indicators.read import (
    CountColumns,
    Wanted,
    code_column,
    read_column,
    read_flags,
    read_indicators,
    read_years,
)

__all__ = [
    "COVERAGE",
    "CountColumns",
    "Counts",
    "Direction",
    "Indicator",
    "Indicators",
    "Panel",
    "Wanted",
    "check_columns",
    "check_coverage",
    "code_column",
    "evaluate",
    "names_in",
    "numbers",
    "panel_from_long",
    "panel_from_wide",
    "read_column",
    "read_flags",
    "read_indicators",
    "read_years",
    "sparse",
    "stack_years",
]
