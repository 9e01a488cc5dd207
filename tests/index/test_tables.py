"""Any table at the door: what is taken in, and what is refused in which words."""

from __future__ import annotations

import decimal
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from commonweal.errors import CommonwealError, DataError, UnknownNameError
from commonweal.index import tables
from commonweal.index import tables as lists

if TYPE_CHECKING:
    from collections.abc import Callable

DATA = {"unit": ["A", "B", "C"], "pubs": [1.0, None, 3.0], "halls": [4, 5, 6]}
FRAMES: dict[str, Callable[[dict[str, Any]], Any]] = {
    "polars": pl.DataFrame,
    "arrow": pa.table,
    "pandas": pd.DataFrame,
    "pandas, codes as its index": lambda d: pd.DataFrame(d).set_index("unit"),
    "pandas, categories": lambda d: pd.DataFrame(d).astype({"unit": "category"}),
    "pandas, nullable": lambda d: pd.DataFrame(d).convert_dtypes(),
}


@pytest.mark.parametrize("make", FRAMES.values(), ids=FRAMES)
def test_every_library_gives_the_same_table(make: Callable[[dict[str, Any]], Any]) -> None:
    taken = tables.table(make(DATA))
    np.testing.assert_array_equal(taken.values, [[1.0, 4.0], [np.nan, 5.0], [3.0, 6.0]])
    assert (taken.names, taken.units) == (["pubs", "halls"], ["A", "B", "C"])


@pytest.mark.parametrize("make", FRAMES.values(), ids=FRAMES)
def test_names_pick_the_columns_of_a_frame_and_never_relabel_them(
    make: Callable[[dict[str, Any]], Any],
) -> None:
    taken = tables.table(make(DATA), ["halls", "pubs"])
    np.testing.assert_array_equal(taken.values[:, 0], [4.0, 5.0, 6.0])
    with pytest.raises(
        UnknownNameError, match="'pub' not found among the columns; did you mean 'pubs'"
    ):
        tables.table(make(DATA), ["pub"])


@pytest.mark.parametrize("make", FRAMES.values(), ids=FRAMES)
def test_text_is_refused_with_its_column_and_unit(
    make: Callable[[dict[str, Any]], Any],
) -> None:
    wrong = DATA | {"halls": ["4", "many", "6"]}
    with pytest.raises(DataError, match="indicator 'halls', unit 'A': '4' found; expected a num"):
        tables.table(make(wrong))


def test_a_matrix_of_floats_is_not_copied() -> None:
    x = np.ones((3, 2))
    assert np.shares_memory(tables.table(x).values, x)
    assert np.shares_memory(lists.column(x[:, 0], "scores"), x)


def test_missing_values_of_every_kind() -> None:
    x = [[None, float("nan")], [pd.NA, pd.NaT], [decimal.Decimal("1.5"), True]]
    np.testing.assert_array_equal(
        tables.table(x).values, [[np.nan, np.nan], [np.nan, np.nan], [1.5, 1.0]]
    )
    masked = np.ma.masked_array([[1, 2]], mask=[[False, True]])
    np.testing.assert_array_equal(tables.table(masked).values, [[1.0, np.nan]])


@pytest.mark.parametrize(
    ("x", "said"),
    [
        ([[1.0], [np.inf]], "indicator 'pubs' has infinite values, the first in unit 'B'"),
        ([["1"], ["2"]], "indicator 'pubs', unit 'A': '1' found; expected a number"),
        (np.array([["x"], ["y"]]), "indicator 'pubs', unit 'A': 'x' found"),
        ([[1 + 1j], [2]], r"unit 'A': \(1\+1j\) found"),
        ([1.0, 2.0], "indicators in 1 dimensions; expected units x indicators"),
        ([[1.0], [2.0, 3.0]], "rows of different lengths"),
        (pl.LazyFrame({"pubs": [1.0]}), "a LazyFrame found; expected a table: collect it first"),
        (3.0, "indicators in a float"),
        (None, "indicators in a NoneType"),
        ([[1.0, 2.0]], "1 names for 2 indicators"),
        ([[1.0]], "units: 2 found; expected 1, one a row"),
    ],
)
def test_what_is_no_table_of_numbers_is_refused(x: Any, said: str) -> None:
    with pytest.raises(DataError, match=said):
        tables.table(x, ["pubs"], ["A", "B"])


def test_names_and_codes_are_there_once() -> None:
    with pytest.raises(DataError, match="indicator 'a' is there twice"):
        tables.table([[1.0, 2.0]], ["a", "a"])
    with pytest.raises(DataError, match="units: 'A' is there twice"):
        tables.table([[1.0], [2.0]], units=["A", "A"])
    with pytest.raises(DataError, match="column 'a' is there twice"):
        tables.table(pd.DataFrame([[1.0, 2.0]], columns=["a", "a"]))
    with pytest.raises(DataError, match="codes of the table: 'A' is there twice"):
        tables.table(pl.DataFrame({"code": ["A", "A"], "pubs": [1, 2]}))
    with pytest.raises(DataError, match="units: row 2 has none"):
        tables.table([[1.0], [2.0]], units=["A", None])  # type: ignore[list-item]
    with pytest.raises(DataError, match="units: 'AB' found; expected several"):
        tables.table([[1.0], [2.0]], units="AB")


def test_codes_that_contradict_those_of_the_table_are_refused() -> None:
    frame = pl.DataFrame(DATA)
    assert tables.table(frame, units=["A", "B", "C"]).units == ["A", "B", "C"]
    with pytest.raises(DataError, match="'C' found for row 2, whose code in the table is 'B'"):
        tables.table(frame, units=["A", "C", "B"])


def test_rows_that_pandas_numbers_have_no_codes() -> None:
    frame = pd.DataFrame(np.eye(3))[::2]
    taken = tables.table(frame)
    assert (taken.names, taken.units, taken.unit(1)) == (["0", "1", "2"], None, "row 2")


@pytest.mark.parametrize(
    "given", [pl.Series([1, None]), pd.Series([1.0, None]), pa.array([1, None]), [1, None]]
)
def test_a_column_of_any_library(given: Any) -> None:
    np.testing.assert_array_equal(lists.column(given, "scores", 2), [1.0, np.nan])
    with pytest.raises(DataError, match="scores: 2 found; expected 3, one for each unit"):
        lists.column(given, "scores", 3)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ([[1.0]], r"scores of shape \(1, 1\); expected one number for each unit"),
        (["a"], "scores, row 1: 'a' found; expected a number"),
        ([np.inf], "scores, row 1: an infinite value"),
        ({"a": 1.0}, "expected several, one each"),
        (1.0, "expected several, one each"),
    ],
)
def test_what_is_no_column_is_refused(given: Any, said: str) -> None:
    with pytest.raises(DataError, match=said):
        lists.column(given, "scores")


def test_columns_of_one_length() -> None:
    with pytest.raises(DataError, match="scores of 'place': 1 found; expected 2"):
        lists.columns({"index": [1.0, 2.0], "place": [1.0]}, "scores")


@pytest.mark.parametrize("given", [[1, -1], {"halls": -1}, np.array([1.0, -1.0])])
def test_directions_by_name_or_in_order(given: Any) -> None:
    np.testing.assert_array_equal(lists.directions_of(given, ["pubs", "halls"]), [1.0, -1.0])
    np.testing.assert_array_equal(lists.directions_of(np.int64(-1), ["pubs"]), [-1.0])


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"hall": -1}, r"indicator 'hall' not found \(directions\); did you mean 'halls'"),
        ([1], "directions: 1 found; expected 2, one for each indicator"),
        ([1, 0.5], "halls: direction 0.5 found; expected 1 or -1"),
        (np.nan, "pubs: direction nan found"),
    ],
)
def test_directions_that_are_none(given: Any, said: str) -> None:
    with pytest.raises(CommonwealError, match=said):
        lists.directions_of(given, ["pubs", "halls"])


def test_a_group_that_is_missing_is_none() -> None:
    given = pd.Series(["n", None, np.nan, pd.NA], dtype="object")
    assert lists.groups_of(given, 4) == ["n", None, None, None]
    with pytest.raises(DataError, match="groups: 4 found; expected 5, one for each unit"):
        lists.groups_of(given, 5)
