"""What social capital is measured by, and which of it a study or a survey can say."""

from commonweal.social_capital.framework import (
    Domain,
    Figure,
    Framework,
    Headline,
    Series,
    load_framework,
    shipped_frameworks,
)
from commonweal.social_capital.national import figures_of, latest, national_figures, read_series

__all__ = [
    "Domain",
    "Figure",
    "Framework",
    "Headline",
    "Series",
    "figures_of",
    "latest",
    "load_framework",
    "national_figures",
    "read_series",
    "shipped_frameworks",
]
