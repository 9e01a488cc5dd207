"""What social capital is measured by, and which of it a study or a survey can say.

>>> from commonweal import social_capital
>>> social_capital.load_framework().headlines["turnout"].higher_is
'more'
"""

from commonweal.social_capital.framework import (
    Domain,
    FigureSeries,
    Framework,
    Headline,
    NationalFigure,
    figures_of,
    latest,
    load_framework,
    national_figures,
    read_series,
    shipped_frameworks,
)

__all__ = [
    "Domain",
    "FigureSeries",
    "Framework",
    "Headline",
    "NationalFigure",
    "figures_of",
    "latest",
    "load_framework",
    "national_figures",
    "read_series",
    "shipped_frameworks",
]
