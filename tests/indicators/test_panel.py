"""Indicators over years: what is checked at the door, and tables long and wide."""

from __future__ import annotations

from datetime import date

import numpy as np
import pandas as pd
import polars as pl
import pytest

from commonweal.errors import DataError, UnknownNameError
from commonweal.indicators import (
    Indicator,
    Indicators,
    Panel,
    panel_from_long,
    panel_from_wide,
    stack_years,
)

ABOUT = (
    Indicator("turnout", "Turnout", "%", "less", "made up"),
    Indicator("income", "Low income", "%", "more", "made up"),
)
LONG = pl.DataFrame(
    {
        "code": ["A1", "A2", "A1", "A3", "A2"],
        "year": [2015, 2015, 2019, 2019, 2017],
        "turnout": [60.0, 50.0, 62.0, None, 1.0],
        "low": [10, 20, 11, 30, 2],
    }
)


def test_a_long_table() -> None:
    panel = panel_from_long(LONG, ABOUT, years=[2015, 2019], columns={"income": "low"})
    assert (panel.years, list(panel.codes)) == ((2015, 2019), ["A1", "A2", "A3"])
    nan = np.nan
    np.testing.assert_array_equal(
        panel.values,
        [[[60, 10], [50, 20], [nan, nan]], [[62, 11], [nan, nan], [nan, 30]]],
    )
    np.testing.assert_array_equal(panel.present, [[1, 1, 0], [1, 0, 1]])
    np.testing.assert_array_equal(panel.latest.need("turnout"), [-62, nan, nan])
    assert panel.year(2015).missing == {"turnout": 1, "income": 1}
    frame = panel.to_frame()
    assert frame.columns == ["code", "year", "turnout", "income"]
    again = panel_from_long(frame, ABOUT)
    np.testing.assert_array_equal(again.values, panel.values)
    assert panel_from_long(LONG.rename({"low": "income"}), ABOUT).years == (2015, 2017, 2019)


def test_a_table_of_pandas_with_dates_and_texts_for_years() -> None:
    of = {"code": [1, 1], "when": [date(2019, 5, 2), date(2024, 5, 2)], "turnout": ["60", "61.5"]}
    for when in (of["when"], ["2019", " 2024"], [2019.0, 2024.0]):
        panel = panel_from_long(pd.DataFrame(of | {"when": when}), ABOUT[:1], year="when")
        assert (panel.years, panel.codes) == ((2019, 2024), ["1"])
        np.testing.assert_array_equal(panel.values.ravel(), [60, 61.5])


def test_a_wide_table() -> None:
    table = pl.DataFrame({"id": ["b", "a"], "t15": [1, 2], "t19": [3, 4], "i19": [5, None]})
    columns = {"turnout": {2015: "t15", 2019: "t19"}, "income": {2019: "i19"}}
    panel = panel_from_wide(table, ABOUT, columns, code="id")
    assert (panel.years, list(panel.codes)) == ((2015, 2019), ["b", "a"])
    np.testing.assert_array_equal(panel.values, [[[1, np.nan], [2, np.nan]], [[3, 5], [4, np.nan]]])


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"year": ["2015", "2015", "2019/20", "2019", "2019"]}, "'year' has '2019/20'; expected"),
        ({"year": [2015.5] * 5}, "expected whole years such as 2019"),
        ({"year": [2015] * 5}, "area A1 has 2015 more than once"),
        (
            {"year": [2015, 2015, 2019, None, 2017]},
            "area A3 has a row without a year in column 'year'",
        ),
        ({"turnout": ["x"] * 5}, "turnout: column 'turnout' has 'x'; expected numbers"),
        ({"turnout": [np.inf] * 5}, "turnout: area A1 has an infinite value"),
    ],
)
def test_a_long_table_that_will_not_do(change: dict[str, list[object]], said: str) -> None:
    table = LONG.with_columns(**{k: pl.Series(v) for k, v in change.items()})
    with pytest.raises(DataError, match=said):
        panel_from_long(table, ABOUT, columns={"income": "low"})


def test_what_is_not_there_is_named() -> None:
    with pytest.raises(UnknownNameError, match="column 'income' not found"):
        panel_from_long(LONG, ABOUT)
    with pytest.raises(UnknownNameError, match="year '2018' not found in column 'year'"):
        panel_from_long(LONG, ABOUT[:1], years=[2015, 2018])
    with pytest.raises(UnknownNameError, match="columns of indicator 'income' not found"):
        panel_from_wide(LONG, ABOUT, {"turnout": {2015: "turnout"}})
    with pytest.raises(DataError, match="list found; expected a table"):
        panel_from_long([1], ABOUT)
    panel = panel_from_long(LONG, ABOUT[:1])
    with pytest.raises(UnknownNameError, match="year '2020' not found"):
        panel.year(2020)


def year(codes: list[str], meta: tuple[Indicator, ...] = ABOUT, system: str = "toy") -> Indicators:
    return Indicators(system, codes, np.ones((len(codes), len(meta))), meta)


def test_years_are_put_together_area_by_area() -> None:
    errors = Indicators("toy", ["b", "c"], np.ones((2, 2)), ABOUT, np.full((2, 2), 0.1))
    panel = stack_years({2020: year(["a", "b"]), 2010: errors})
    assert (panel.years, panel.codes) == ((2010, 2020), ["a", "b", "c"])
    np.testing.assert_array_equal(panel.present, [[0, 1, 1], [1, 1, 0]])
    assert panel.standard_errors is not None
    assert panel.standard_errors[0, 1, 0] == 0.1
    assert np.isnan(panel.standard_errors[1]).all()
    assert panel.year(2010).standard_errors is not None


def test_years_that_do_not_measure_the_same_are_refused() -> None:
    with pytest.raises(DataError, match="2010 is on other, 2020 on toy; expected the same areas"):
        stack_years({2010: year(["a"], system="other"), 2020: year(["a"])})
    with pytest.raises(DataError, match=r"2010 has turnout \(higher is less, unit '%'\) and 2020"):
        stack_years({2010: year(["a"], ABOUT[:1]), 2020: year(["a"])})
    with pytest.raises(DataError, match="no year given"):
        stack_years({})


def test_a_panel_is_checked_at_the_door() -> None:
    values = np.ones((2, 1, 2))
    with pytest.raises(DataError, match="years 2019, 2015; expected each once, in ascending order"):
        Panel("toy", ["a"], (2019, 2015), values, ABOUT)
    with pytest.raises(DataError, match=r"values have shape \(2, 1, 2\); expected \(1, 1, 2\)"):
        Panel("toy", ["a"], (2019,), values, ABOUT)
    with pytest.raises(DataError, match="standard errors have shape"):
        Panel("toy", ["a"], (2015, 2019), values, ABOUT, values[0])
    with pytest.raises(DataError, match="2019: turnout: area a has an infinite value"):
        Panel("toy", ["a"], (2015, 2019), np.array([[[1.0, 1]], [[np.inf, 1]]]), ABOUT)
