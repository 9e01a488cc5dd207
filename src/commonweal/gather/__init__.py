"""The indicators of a study: read from tables, or made by formula, as rates, and from what is within reach."""

from commonweal.gather.gather import gather_indicators, surroundings

__all__ = ["gather_indicators", "surroundings"]
