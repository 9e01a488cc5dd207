"""The formulas of METHODS, section 9: known answers, and what must hold for any number."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from commonweal.errors import DataError, UnknownNameError
from commonweal.papers.wealth import FORMS, annuity, group_share, value_of_trust
from commonweal.papers.wealth.value import share_of_all, stock_from_income, value_of_change

shares = st.floats(0, 1)
weights = st.floats(0.01, 5)


def test_a_doubling_of_income_is_what_it_says() -> None:
    # At r = ln 2 full trust makes up for half of an income, and losing it takes double the income.
    values = [value_of_trust(math.log(2), 1.0, form).item() for form in FORMS]
    assert values == pytest.approx([math.log(2), 1.0, 0.5])


@pytest.mark.parametrize(("rate", "known"), [(0.015, 20.720), (0.04, 15.622)])
def test_annuities_of_the_formula_sheet(rate: float, known: float) -> None:
    assert annuity(rate, 25) == pytest.approx(known, abs=5e-4)
    paid = sum((1 + rate) ** -year for year in range(1, 26))
    assert annuity(rate, 25) == pytest.approx(paid)


def test_an_annuity_nears_its_undiscounted_sum() -> None:
    assert annuity(1e-12, 25) == pytest.approx(annuity(0, 25), rel=1e-9)


@given(weights, shares)
def test_forms_are_in_order_and_agree_for_little(r: float, trust: float) -> None:
    linear, compensating, equivalent = (value_of_trust(r, trust, form).item() for form in FORMS)
    assert equivalent <= linear <= compensating
    # A willingness to pay is the same share of the income with it as to accept is of that without.
    assert (1 + compensating) * (1 - equivalent) == pytest.approx(1)
    small = [value_of_trust(r, trust * 1e-6, form).item() for form in FORMS]
    assert small == pytest.approx([r * trust * 1e-6] * 3, rel=1e-5)


@given(weights, shares, shares)
def test_a_change_there_and_back(r: float, before: float, after: float) -> None:
    there, back = (
        value_of_change(r, *ends, "linear") for ends in ((before, after), (after, before))
    )
    assert there == -back
    # What makes up for a loss is what would be given up for the gain, of the other income.
    assert value_of_change(r, after, before, "compensating").item() == pytest.approx(
        -value_of_change(r, before, after, "equivalent").item()
    )


@given(st.lists(st.tuples(st.floats(0, 3), st.floats(1, 1e6), st.floats(1, 1e9)), min_size=1))
def test_a_group_lies_between_its_countries(rows: list[tuple[float, float, float]]) -> None:
    value, wealth, people = map(np.array, zip(*rows, strict=True))
    each = share_of_all(value)
    assert each.min() - 1e-12 <= group_share(value, wealth, people) <= each.max() + 1e-12


def test_a_group_is_added_up_over_its_wealth() -> None:
    # 10 of trust beside 100, and 200 beside 400: 210 of 710.
    assert group_share([0.1, 0.5], [10, 100], [10, 4]) == pytest.approx(210 / 710)


def test_a_stock_is_the_flow_by_the_annuity() -> None:
    assert stock_from_income([0.01, 0.02], 1000, 0.04, 25) == pytest.approx(
        [156.22, 312.44], abs=0.01
    )


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: value_of_trust(1, 31.2), "found 31.2; expected a share of 0 to 1; a percentage"),
        (lambda: value_of_trust(1, [0.2, -0.1]), "trust: found -0.1"),
        (lambda: annuity(-0.01, 25), "discount rate: found -0.01"),
        (lambda: annuity(0.015, 0), "years: found 0"),
        (lambda: annuity(0.015, math.nan), "years: found nan"),
        (lambda: stock_from_income(0.1, -5, 0.015, 25), "income: found -5"),
        (lambda: group_share([], [], []), "found none"),
        (lambda: group_share([math.nan], [1], [1]), "is missing"),
        (lambda: group_share([0.1], [1], [-1]), "people: found -1"),
    ],
)
def test_what_cannot_be_is_refused(call: object, said: str) -> None:
    with pytest.raises(DataError, match=said.replace("(", r"\(")):
        call()  # type: ignore[operator]


def test_a_form_that_is_none_is_refused() -> None:
    with pytest.raises(UnknownNameError, match="did you mean 'linear'"):
        value_of_trust(1, 0.3, "liner")  # type: ignore[arg-type]
