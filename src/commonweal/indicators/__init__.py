"""One number per area: values, unit, direction, source, vintage, standard error, counts."""

from commonweal.indicators.indicators import (
    COVERAGE,
    Counts,
    Direction,
    Indicator,
    Indicators,
    check_columns,
    check_coverage,
    evaluate,
    names_in,
    sparse,
)
from commonweal.indicators.panel import Panel, panel_from_long, panel_from_wide, stack_years
from commonweal.indicators.read import (
    CountColumns,
    Wanted,
    code_column,
    numbers,
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
