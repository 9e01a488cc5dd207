"""A point of trust in a neighbourhood: by hand, and what must hold."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from commonweal.errors import DataError
from commonweal.papers.wealth import load_weights, weight_of, worth_of_change

CALIBRATION = load_weights()["calibration"]
OWN = weight_of(b=0.5, g=0.4, var_b=0.001, var_g=0.01, cov_bg=0.0)


def test_a_neighbourhood_by_hand() -> None:
    worth = worth_of_change(CALIBRATION, 1600, 25_000)
    linear = {
        (r["measure"], r["rate"]): r for r in worth.filter(form="linear").iter_rows(named=True)
    }
    assert linear["share", None]["value"] == pytest.approx(0.01041)
    assert linear["flow_per_head", None]["value"] == pytest.approx(260.25)
    assert linear["flow", None]["value"] == pytest.approx(416_400)
    assert linear["stock", 0.015]["value"] == pytest.approx(416_400 * 20.720, rel=1e-4)
    assert linear["stock", 0.04]["value"] == pytest.approx(416_400 * 15.622, rel=1e-4)
    assert linear["flow", None]["high"] == pytest.approx(1600 * 25_000 * 0.015)


@given(st.floats(0.1, 99), st.floats(0, 1e7), st.floats(0, 1e6))
def test_a_fall_costs_what_a_rise_is_worth_in_the_linear_form(
    points: float, people: float, income: float
) -> None:
    up, down = (
        worth_of_change(CALIBRATION, people, income, x).filter(form="linear")["value"].to_numpy()
        for x in (points, -points)
    )
    assert up == pytest.approx(-down)


def test_intervals_hold_the_value() -> None:
    for points in (5.0, -5.0):
        worth = worth_of_change(OWN, 1600, 25_000, points)
        for kind in ("", "simulated_"):
            assert (worth[f"{kind}low"] < worth["value"]).all()
            assert (worth["value"] < worth[f"{kind}high"]).all()


def test_no_income_no_worth() -> None:
    worth = worth_of_change(OWN, 1600, 0)
    assert worth.filter(measure="flow")["value"].to_list() == [0, 0, 0]
    assert worth.filter(measure="share", form="linear")["value"].item() == pytest.approx(0.008)


def test_without_errors_there_are_no_ends() -> None:
    worth = worth_of_change(load_weights()["doubling"], 1600, 25_000)
    assert worth["low"].null_count() == worth["simulated_high"].null_count() == len(worth)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"people": -1}, "people: found -1"),
        ({"income": -3}, "income: found -3"),
        ({"income": float("nan")}, "income: found nan"),
        ({"points": 101}, "found 101 points"),
        ({"points": 50, "trust": 0.6}, "gives 110%"),
        ({"points": -50, "trust": 0.3}, "gives -20%"),
        ({"horizons": [(0.015, 0)]}, "years: found 0"),
    ],
)
def test_what_cannot_be_is_refused(arguments: dict[str, object], said: str) -> None:
    with pytest.raises(DataError, match=said):
        worth_of_change(CALIBRATION, **{"people": 1600, "income": 25_000, **arguments})  # type: ignore[arg-type]
