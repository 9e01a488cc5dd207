"""Indicators that are computed: by formula, from counts, from what is within reach."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
import pytest

from commonweal.errors import DataError, StudyError, UnknownNameError
from commonweal.gather import gather_indicators
from commonweal.index.shrink import shrink_counts
from commonweal.places import study_areas
from commonweal.recipe import parse_study
from commonweal.sources import Store

if TYPE_CHECKING:
    from pathlib import Path

    from commonweal.indicators import Indicators

AREAS = """code,name,people,district,lon,lat
A,Ash,100,N,0.00,52.00
B,Beech,300,N,0.01,52.00
C,Cedar,400,S,0.02,52.00
D,Damson,0,S,,
"""


def gather(folder: Path, indicators: dict[str, dict[str, Any]], **more: Any) -> Indicators:
    """Give the indicators of a study of four places."""
    import yaml

    (folder / "areas.csv").write_text(AREAS)
    recipe = {
        "title": "Four places",
        "areas": {
            "file": "areas.csv",
            "code": "code",
            "name": "name",
            "population": "people",
            "parents": {"district": "district"},
            "longitude": "lon",
            "latitude": "lat",
        },
        "indicators": {n: {"higher_is": "more", **spec} for n, spec in indicators.items()},
        "index": {"need": {"children": {n: {"indicator": n} for n in indicators}}},
        **more,
    }
    study = parse_study(yaml.safe_dump(recipe), "four.yaml", "four", folder)
    store = Store(folder / "cache", offline=True)
    found, _ = gather_indicators(study, list(indicators), study_areas(study, store), store)
    return found


def column(found: Indicators, name: str) -> list[float | None]:
    return pl.Series(found.values[:, found.column(name)]).fill_nan(None).to_list()


def test_a_formula_works_on_the_columns_of_a_table_row_by_row(tmp_path: Path) -> None:
    (tmp_path / "runs.csv").write_text("code,Sunday runs,monday\nA,1,2\nB,,2\nC,0,0\nD,4,2\n")
    found = gather(
        tmp_path, {"runs": {"file": "runs.csv", "formula": '"Sunday runs" / monday', "unit": "x"}}
    )
    assert column(found, "runs") == [0.5, None, None, 2.0]  # 0 / 0 is no number


def test_a_formula_puts_indicators_together_and_missing_stays_missing(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("code,n\nA,1\nB,2\n")
    (tmp_path / "b.csv").write_text("code,n\nB,3\nC,4\n")
    either = "CASE WHEN a IS NULL AND b IS NULL THEN NULL ELSE COALESCE(a, 0) + COALESCE(b, 0) END"
    found = gather(
        tmp_path,
        {
            "a": {"file": "a.csv", "column": "n"},
            "b": {"file": "b.csv", "column": "n"},
            "both": {"formula": "a + b"},
            "either": {"formula": either},
        },
    )
    assert column(found, "both") == [None, 5.0, None, None]
    assert column(found, "either") == [1.0, 5.0, 4.0, None]
    assert found.meta[found.column("either")].source == "a, b"


def test_rows_of_an_area_are_added_up_when_asked_and_refused_when_not(tmp_path: Path) -> None:
    (tmp_path / "g.csv").write_text("code,pounds\nA,10\nA,20\nB,\nC,5\nX,7\n")
    spec = {
        "file": "g.csv",
        "formula": "CASE WHEN pounds > 15 THEN 15 ELSE pounds END",
        "add": True,
    }
    found = gather(tmp_path, {"grants": spec})
    assert column(found, "grants") == [25.0, None, 5.0, None]
    with pytest.raises(
        DataError, match=r"area A is in g more than once.*'add: true' to add them up"
    ):
        gather(tmp_path, {"grants": {**spec, "add": False}})


def test_a_rate_is_per_residents_and_shrinks_towards_its_district(tmp_path: Path) -> None:
    (tmp_path / "c.csv").write_text("code,n\nA,9\nB,6\nC,4\nD,0\n")
    plain = {"file": "c.csv", "column": "n", "per": "population", "out_of": 1000}
    found = gather(tmp_path, {"rate": plain})
    assert column(found, "rate") == [90.0, 20.0, 10.0, None]  # nobody lives in D
    assert found.standard_errors is None
    found = gather(tmp_path, {"rate": {**plain, "shrink": "district"}})
    expected = shrink_counts([9, 6, 4], [100, 300, 400], ["N", "N", "S"])
    np.testing.assert_allclose(found.values[:3, 0], 1000 * expected.value, rtol=1e-12)
    assert found.standard_errors is not None
    np.testing.assert_allclose(found.standard_errors[:3, 0], 1000 * expected.standard_error)
    assert np.isnan(found.values[3, 0])
    assert 20 < found.values[1, 0] < found.values[0, 0] < 90


POINTS = """name,latitude,longitude
Hall one,52.0,0.0
Hall two,52.0,0.02
"""


@pytest.mark.parametrize(
    ("spec", "error", "said"),
    [
        ({"file": "c.csv", "formula": "n +"}, StudyError, "formula 'n \\+' is not an expression"),
        ({"file": "c.csv", "formula": "SUM(n)"}, StudyError, "one a row"),
        ({"file": "c.csv", "formula": "m + 1"}, UnknownNameError, "column 'm' not found in c"),
        ({"file": "c.csv", "formula": "1 + 1"}, StudyError, "names no column"),
        ({"file": "c.csv", "formula": "read_csv('c.csv')"}, StudyError, "not an expression"),
        ({"formula": "rat + 1"}, StudyError, "indicator 'rat' not found; did you mean 'rate'"),
        ({"formula": "rate + 1"}, StudyError, "rate -> rate leads back to itself"),
        ({"file": "c.csv", "column": "n", "out_of": 10}, StudyError, "goes with 'per'"),
        ({"file": "c.csv", "column": "n", "formula": "n"}, StudyError, "'column' and 'formula'"),
        ({"file": "c.csv"}, StudyError, "found none; expected exactly one of 'column'"),
        ({"file": "c.csv", "column": "n", "per": "people"}, StudyError, "'people' not found"),
        (
            {"file": "c.csv", "column": "n", "per": "population", "shrink": "county"},
            StudyError,
            "lie in no 'county'; expected one of: district",
        ),
        ({"file": "neg.csv", "column": "n", "per": "population", "shrink": "district"}, DataError, "rate: "),
        ({"reach": {"to": "library", "measure": "count"}}, StudyError, "needs 'within_m' or 'minutes'"),
        (
            {"reach": {"to": "library", "measure": "nearest", "out_of": 3}},
            StudyError,
            "goes with catchment",
        ),
        (
            {"reach": {"to": "library", "measure": "decay", "minutes": 10}},
            StudyError,
            "expected such as {law: exponential",
        ),
        (
            {"file": "c.csv", "reach": {"to": "library", "measure": "nearest"}},
            StudyError,
            "goes with 'column' or 'formula'",
        ),
    ],
)  # fmt: skip
def test_what_cannot_be_made_says_why(
    tmp_path: Path, spec: dict[str, Any], error: type[Exception], said: str
) -> None:
    (tmp_path / "c.csv").write_text("code,n\nA,9\nB,6\nC,4\nD,0\n")
    (tmp_path / "neg.csv").write_text("code,n\nA,-1\nB,6\nC,4\nD,0\n")
    with pytest.raises(error, match=said):
        gather(tmp_path, {"rate": spec})
