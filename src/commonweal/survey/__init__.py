"""From the answers of a survey to estimates: read, recode, weight, estimate, with honest intervals.

>>> import polars as pl
>>> from commonweal.survey import regression
>>> towns = pl.DataFrame({"leave": [40.0, 50.0, 61.0, 69.0], "decline": [1, 2, 3, 4]})
>>> round(regression.fit_formula(towns, "leave ~ decline").term("decline").estimate, 2)
9.8
"""

from __future__ import annotations

from commonweal.survey.estimate import Summary, estimate
from commonweal.survey.rake import Raking, rake_survey
from commonweal.survey.spec import SurveySpec
from commonweal.survey.survey import Survey, read_survey

__all__ = [
    "Raking",
    "Summary",
    "Survey",
    "SurveySpec",
    "estimate",
    "rake_survey",
    "read_survey",
]
