import numpy as np
import polars as pl
import pytest

from commonweal.errors import DataError
from commonweal.index.rates import fall_short, rate


def test_counts_that_do_not_add_up_to_what_is_published_are_holes() -> None:
    counts = np.array([40.0, np.nan, 90.0, 5.0, 7.0])
    larger = pl.Series(["N", "N", "S", "S", None])
    short = fall_short(counts, larger, ["N", "S", "W"], np.array([100.0, 100.0, 50.0]), 0.9)
    assert short.inside.tolist() == [True, True, False, False, False]
    assert short.shares == {"N": 0.4}  # of West nothing is there to hold against anything


def test_a_total_that_is_missing_or_zero_holds_nothing_against_a_count() -> None:
    larger = pl.Series(["N", "S"])
    totals = np.array([np.nan, 0.0])
    assert not fall_short(np.array([0.0, 0.0]), larger, ["N", "S"], totals, 1.0).inside.any()


def test_counts_in_no_larger_area_are_held_to_nothing() -> None:
    larger = pl.Series([None, None], dtype=pl.String)
    short = fall_short(np.array([1.0, 2.0]), larger, [], np.array([]), 0.9)
    assert not short.inside.any()
    assert not short.shares


def test_a_negative_base_is_named() -> None:
    with pytest.raises(DataError, match="area B has base -1"):
        rate(np.array([1.0, 1.0]), np.array([1.0, -1.0]), 1, None, ["A", "B"])
