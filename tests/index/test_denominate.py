"""Denomination: COINr's rates, and errors that name what is wrong."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from commonweal.errors import DataError, UnknownNameError
from commonweal.index.rates import denominate, match_units

from . import golden

golden.CHECKED.update(
    {
        "denominated.csv": "matched",
        "example_Denominated.csv": "matched",
        "in_WorldDenoms.csv": golden.INPUT,
    }
)

KINDS = ["Area", "Energy", "GDP", "Population"]


@pytest.mark.parametrize("file", ["denominated.csv", "example_Denominated.csv"])
def test_rates_are_those_of_coinr(file: str) -> None:
    names = golden.names()
    by = {n: d for n in names if (d := golden.meta("Denominator")[n]) != "NA"}
    units, all_units = golden.texts(golden.RAW, "uCode"), golden.texts("in_asem_iData.csv", "uCode")
    matched = match_units(golden.matrix("in_asem_iData.csv", KINDS), all_units, units)
    ours = denominate(golden.matrix(golden.RAW), names, matched, KINDS, by, units=units)
    golden.agrees(ours, golden.matrix(file, names))
    assert len(by) > 10


def test_denominators_of_more_units_in_another_order_are_found_by_code() -> None:
    world, units = "in_WorldDenoms.csv", golden.texts(golden.RAW, "uCode")
    codes, people = golden.texts(world, "uCode"), golden.matrix(world, ["Population"])
    matched = match_units(people, codes, units)
    rates = denominate(golden.matrix(golden.RAW, ["Goods"]), ["Goods"], matched, ["Population"],
                       {"Goods": "Population"}, per=1e6, units=units)  # fmt: skip
    by_code = dict(zip(codes, people[:, 0], strict=True))
    goods = dict(zip(units, golden.numbers(golden.RAW, "Goods"), strict=True))
    golden.agrees(rates[:, 0], [goods[u] / by_code[u] * 1e6 for u in units])
    assert len(codes) > len(units)


@given(
    arrays(np.float64, (5, 2), elements=st.integers(0, 99)),
    arrays(np.float64, (5, 1), elements=st.integers(1, 99)),
    st.permutations(range(5)),
)
def test_rates_times_denominators_are_the_counts(
    x: np.ndarray, people: np.ndarray, order: list[int]
) -> None:
    x[0, 0] = np.nan
    rates = denominate(x, ["a", "b"], people, ["people"], {"a": "people"}, per={"a": 1000})
    golden.agrees(rates[:, 0] * people[:, 0] / 1000, x[:, 0])
    golden.agrees(rates[:, 1], x[:, 1])
    units = list("ABCDE")
    shuffled = match_units(people[order], [units[i] for i in order], units)
    assert shuffled.tolist() == people.tolist()


def test_whole_numbers_of_numpy_say_what_the_rate_is_per() -> None:
    rates = denominate([[3.0]], ["a"], [[60.0]], ["people"], {"a": "people"}, per=np.int64(100))
    assert rates.tolist() == [[5.0]]


def test_a_missing_denominator_makes_a_missing_rate() -> None:
    x, people = [[1.0], [np.nan], [3.0]], [[np.nan], [0.0], [2.0]]
    rates = denominate(x, ["a"], people, ["people"], {"a": "people"})
    golden.agrees(rates[:, 0], [np.nan, np.nan, 1.5])


def test_errors_name_the_indicator_the_denominator_and_the_unit() -> None:
    x, people = [[1.0], [2.0]], [[5.0], [0.0]]

    def run(by: dict[str, str], per: float | dict[str, float] = 1.0) -> None:
        denominate(x, ["pubs"], people, ["people"], by, per, units=["Ashby", "Barton"])

    with pytest.raises(DataError, match="'people' of 'pubs' is 0 for unit 'Barton'"):
        run({"pubs": "people"})
    with pytest.raises(UnknownNameError, match="'peple' not found"):
        run({"pubs": "peple"})
    with pytest.raises(UnknownNameError, match=r"'pub' not found \(to denominate\)"):
        run({"pub": "people"})
    with pytest.raises(DataError, match="per of 'pubs': 0 found; expected a number above 0"):
        run({"pubs": "people"}, per=0)
    with pytest.raises(
        UnknownNameError, match=r"'halls' not found \(per; of those that are divided\)"
    ):
        run({"pubs": "people"}, per={"halls": 10.0})
    with pytest.raises(DataError, match="of 1 units for indicators of 2"):
        denominate(x, ["pubs"], [[1.0]], ["people"], {})
    with pytest.raises(UnknownNameError, match="unit 'C' not found among the denominators"):
        match_units(people, ["A", "B"], ["C"])
    with pytest.raises(DataError, match="units: 1 found; expected 2"):
        denominate(x, ["pubs"], people, ["people"], {}, units=["Ashby"])
    with pytest.raises(DataError, match="units: 3 found; expected 2"):
        match_units(people, ["A", "B", "C"], ["A"])
    with pytest.raises(DataError, match="'A' is there twice"):
        match_units(people, ["A", "A"], ["A"])
