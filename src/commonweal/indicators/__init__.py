"""One number per area: values, unit, direction, source, vintage, standard error."""

from commonweal.indicators.indicators import Direction, Indicator, Indicators

__all__ = ["Direction", "Indicator", "Indicators"]
