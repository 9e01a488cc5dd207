"""One number per area: values, unit, direction, source, vintage, standard error."""

from commonweal.indicators.indicators import Direction, Indicator, Indicators
from commonweal.indicators.read import (
    Wanted,
    code_column,
    numbers,
    read_column,
    read_indicators,
)

__all__ = [
    "Direction",
    "Indicator",
    "Indicators",
    "Wanted",
    "code_column",
    "numbers",
    "read_column",
    "read_indicators",
]
