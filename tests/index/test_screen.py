"""Screening: COINr's tables, and the rules by hand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from commonweal.errors import DataError, UnknownNameError
from commonweal.index.screen import (
    Screen,
    available,
    available_by_group,
    screen_indicators,
    screen_units,
)

from . import golden

golden.CHECKED.update(
    {
        "avail_summary.csv": "matched",
        "avail_bygroup.csv": "matched",
        "screen_byzeros.csv": "matched",
        "screen_byNA_force.csv": "matched",
        "screen_byNA_data.csv": "matched",
        "example_Screened.csv": "matched",
        "example_Screened_DataSummary.csv": "matched",
    }
)

FIELDS = {
    "N_missing": "n_missing",
    "N_zero": "n_zero",
    "Dat_Avail": "available",
    "Non_Zero": "nonzero",
    "LowData": "low_available",
    "LowNonZero": "low_nonzero",
    "Included": "kept",
}


def is_the_table(file: str, ours: Screen) -> None:
    assert list(ours.names) == golden.texts(file, "uCode")
    for column, field in FIELDS.items():
        if column in golden.columns(file):
            golden.agrees(getattr(ours, field), golden.numbers(file, column))


def test_availability_by_unit_and_group_is_coinrs() -> None:
    names, x = golden.names(), golden.matrix(golden.RAW)
    golden.agrees(available(x), golden.numbers("avail_summary.csv", "Dat_Avail"))
    groups = {
        node: [n for n in names if node in golden.ancestors(n)]
        for node in golden.columns("avail_bygroup.csv")
    }
    by_group = available_by_group(x, names, groups)
    for node in groups:
        golden.agrees(by_group[node], golden.numbers("avail_bygroup.csv", node))


def test_screening_by_zeros_is_coinrs() -> None:
    x, units = golden.matrix(golden.RAW), golden.texts(golden.RAW, "uCode")
    ours = screen_units(x, units, available=0.9, nonzero=0.95, by="nonzero")
    is_the_table("screen_byzeros.csv", ours)


def test_forced_units_are_coinrs() -> None:
    x, units = golden.matrix(golden.RAW), golden.texts(golden.RAW, "uCode")
    ours = screen_units(x, units, available=0.9, force={"AUT": False, "BRN": True})
    is_the_table("screen_byNA_force.csv", ours)
    is_the_table("avail_summary.csv", ours)


def test_what_is_left_is_coinrs() -> None:
    x, units = golden.matrix(golden.RAW), np.array(golden.texts(golden.RAW, "uCode"))
    kept = screen_units(x, list(units), available=0.9).kept
    assert units[kept].tolist() == golden.texts("screen_byNA_data.csv", "uCode")
    golden.agrees(x[kept], golden.matrix("screen_byNA_data.csv"))


def test_the_worked_example_screens_as_in_coinr() -> None:
    data = "example_Imputed.csv"
    x, units = golden.matrix(data), golden.texts(data, "uCode")
    table = "example_Screened_DataSummary.csv"
    ours = screen_units(x, units, available=0.9)
    is_the_table(table, ours)
    assert np.array(units)[ours.kept].tolist() == golden.texts("example_Screened.csv", "uCode")
    golden.agrees(x[ours.kept], golden.matrix("example_Screened.csv"))


def test_rules_by_hand() -> None:
    x = [[1.0, 2.0, 3.0], [0.0, 0.0, 0.0], [np.nan, np.nan, 1.0], [np.nan] * 3]
    units = ["full", "zeros", "gaps", "nothing"]

    def kept(by: str) -> list[bool]:
        return screen_units(x, units, by=by).kept.tolist()  # type: ignore[arg-type]

    assert kept("available") == [True, True, False, False]
    assert kept("nonzero") == [True, False, True, False]
    assert kept("both") == [True, False, False, False]


def test_unless_said_otherwise_two_thirds_and_a_twentieth_are_enough() -> None:
    def has(n_there: int, n: int, other: float) -> list[float]:
        return [1.0] * n_there + [other] * (n - n_there)

    for screen in (
        lambda rows, by: screen_units(rows, ["a", "b"], by=by),
        lambda rows, by: screen_indicators(np.transpose(rows), ["a", "b"], by=by),
    ):
        assert screen([has(40, 60, np.nan), has(39, 60, np.nan)], "available").kept.tolist() == [
            True,
            False,
        ]
        assert screen([has(3, 60, 0.0), has(2, 60, 0.0)], "nonzero").kept.tolist() == [True, False]


@pytest.mark.parametrize("n", [3, 5, 10, 20, 49])
def test_a_unit_with_just_the_share_asked_for_stays(n: int) -> None:
    for k in range(n + 1):
        gaps, zeros = np.r_[np.ones(k), [np.nan] * (n - k)], np.r_[np.ones(k), np.zeros(n - k)]
        assert screen_units([gaps], ["Ashby"], available=k / n).kept[0]
        assert screen_units([zeros], ["Ashby"], nonzero=k / n, by="nonzero").kept[0]
        if k < n:
            more = (k + 0.5) / n
            assert not screen_units([gaps], ["Ashby"], available=more).kept[0]
            assert not screen_units([zeros], ["Ashby"], nonzero=more, by="nonzero").kept[0]


@given(arrays(np.float64, (6, 4), elements=st.sampled_from([0.0, 1.0, np.nan])))
def test_indicators_are_units_of_the_transpose(x: np.ndarray) -> None:
    ours = screen_indicators(x, ["a", "b", "c", "d"], 0.5, 0.5, "both")
    again = screen_units(x.T, ["a", "b", "c", "d"], 0.5, 0.5, "both")
    assert ours.kept.tolist() == again.kept.tolist()
    assert screen_indicators(x[::-1], ["a", "b", "c", "d"], 0.5).n_zero.tolist() == (
        ours.n_zero.tolist()
    )


def test_errors_name_the_unit_and_the_range() -> None:
    with pytest.raises(DataError, match="available: 65 found; expected a number from 0 to 1"):
        screen_units([[1.0]], ["Ashby"], available=65)
    with pytest.raises(UnknownNameError, match="by 'zeros' not found; expected one of: available"):
        screen_units([[1.0]], ["Ashby"], by="zeros")  # type: ignore[arg-type]
    with pytest.raises(DataError, match="units: 2 found; expected 1"):
        screen_units([[1.0]], ["Ashby", "Barton"])
    with pytest.raises(DataError, match=r"'Ashby' is there twice"):
        screen_units([[1.0], [2.0]], ["Ashby", "Ashby"], force={"Ashby": False})
    with pytest.raises(DataError, match="availability of 0 indicators"):
        available(np.empty((3, 0)))
    with pytest.raises(UnknownNameError, match="did you mean 'Ashby'"):
        screen_units([[1.0]], ["Ashby"], force={"Ashbi": True})
    with pytest.raises(UnknownNameError, match="did you mean 'halls'"):
        available_by_group([[1.0]], ["halls"], {"assets": ["hals"]})
    with pytest.raises(DataError, match="group 'assets' has no indicators"):
        available_by_group([[1.0]], ["halls"], {"assets": []})
