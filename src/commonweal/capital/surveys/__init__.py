"""From the answers of a survey to estimates: read, recode, weight, estimate, with honest intervals."""

from __future__ import annotations

from commonweal.capital.surveys.estimate import changes, estimate, published
from commonweal.capital.surveys.rake import Raking, rake_survey
from commonweal.capital.surveys.read import column_names, read_columns
from commonweal.capital.surveys.spec import SurveySpec, load_spec
from commonweal.capital.surveys.summary import Finding, Summary, summarise
from commonweal.capital.surveys.survey import Survey, make_survey, read_survey

__all__ = [
    "Finding",
    "Raking",
    "Summary",
    "Survey",
    "SurveySpec",
    "changes",
    "column_names",
    "estimate",
    "load_spec",
    "make_survey",
    "published",
    "rake_survey",
    "read_columns",
    "read_survey",
    "summarise",
]
