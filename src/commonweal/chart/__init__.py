"""Charts and maps as accessible SVG: three forms, one palette, one projector; each has its numbers as a table."""

from commonweal.chart.rows import Bar, Row, Upright, row_chart

__all__ = ["Bar", "Row", "Upright", "row_chart"]
