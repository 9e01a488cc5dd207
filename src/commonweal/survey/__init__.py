"""From the answers of a survey to estimates: read, recode, weight, estimate, with honest intervals.

>>> import polars as pl
>>> from commonweal.survey import regression
>>> towns = pl.DataFrame({"leave": [40.0, 50.0, 61.0, 69.0], "decline": [1, 2, 3, 4]})
>>> round(regression.fit_formula(towns, "leave ~ decline").term("decline").estimate, 2)
9.8
"""

from __future__ import annotations

from commonweal.survey.estimate import (
    OutcomeEstimates,
    Summary,
    changes,
    estimate,
    summarise,
    suppress,
)
from commonweal.survey.rake import Raking, rake_survey
from commonweal.survey.read import column_names, read_columns
from commonweal.survey.spec import SurveySpec, load_spec
from commonweal.survey.survey import Survey, make_survey, read_survey

__all__ = [
    "OutcomeEstimates",
    "Raking",
    "Summary",
    "Survey",
    "SurveySpec",
    "changes",
    "column_names",
    "estimate",
    "load_spec",
    "make_survey",
    "rake_survey",
    "read_columns",
    "read_survey",
    "summarise",
    "suppress",
]
