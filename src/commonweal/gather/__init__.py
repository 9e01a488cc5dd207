"""The indicators of a study: read, computed, and carried to the areas that an index is built on."""

from commonweal.gather.gather import gather_indicators

__all__ = ["gather_indicators"]
