"""The table of places: what is checked at the door."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from commonweal.areas import Areas
from commonweal.errors import DataError


def areas(codes: list[str | None], people: list[object], where: str = "wards.csv") -> Areas:
    table = pl.DataFrame(
        {"code": pl.Series(codes, dtype=pl.String), "population": people}, strict=False
    )
    return Areas("toy", "Toy", "area", "areas", table, where=where)


def test_what_it_gives() -> None:
    got = areas(["b", "a"], [3.5, None])
    assert (len(got), got.codes, got.position) == (2, ["b", "a"], {"b": 0, "a": 1})
    np.testing.assert_array_equal(got.population, [3.5, np.nan])


def test_whole_numbers_are_people_too() -> None:
    np.testing.assert_array_equal(areas(["a", "b"], [0, 7]).population, [0, 7])


@pytest.mark.parametrize(
    ("codes", "people", "said"),
    [
        ([], [], r"^no areas in wards\.csv; expected at least one row"),
        (["a", None, "b"], [1.0, 1.0, 1.0], r"^row 2 has no area code in wards\.csv"),
        (["a", "b", "a", "b", "a"], [1.0] * 5, r"^areas a and b are there more than once in wards\.csv \(3 rows"),
        (["a", "b"], [1.0, -2.0], r"^area b has population -2\.0 in wards\.csv; expected 0 or more, or nothing"),
        (["a", "b"], [1, -2], r"^area b has population -2 in wards\.csv"),
        (["a", "b"], [float("inf"), 1.0], "^area a has population inf"),
        (["a", "b"], [1.0, float("nan")], "^area b has population NaN|^area b has population nan"),
    ],
)  # fmt: skip
def test_refused(codes: list[str | None], people: list[object], said: str) -> None:
    with pytest.raises(DataError, match=said):
        areas(codes, people)
