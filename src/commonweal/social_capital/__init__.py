"""What social capital is measured by, and which of it a study or a survey can say.

>>> from commonweal import social_capital
>>> social_capital.load_framework().headlines["turnout"].higher_is
'more'
"""

from commonweal.social_capital.framework import Framework, NationalFigure, latest, load_framework

__all__ = [
    "Framework",
    "NationalFigure",
    "latest",
    "load_framework",
]
