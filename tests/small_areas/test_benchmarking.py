"""Benchmarking: totals are met exactly, each method moves what it says, and what it refuses."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import logit

from commonweal.errors import DataError, UnknownNameError
from commonweal.small_areas import benchmark

METHODS = ["difference", "ratio", "optimal", "logit"]


def areas(seed: int, n: int = 60) -> dict:
    rng = np.random.default_rng(seed)
    group = np.array(["north", "south", "west"])[np.arange(n) % 3]
    return {
        "estimate": rng.uniform(0.2, 0.8, n),
        "mse": rng.uniform(0.001, 0.02, n),
        "weight": rng.integers(100, 5000, n),
        "group": rng.permutation(group),
        "totals": {"north": 0.45, "south": 0.6, "west": 0.52, "unused": 0.1},
    }


@given(seed=st.integers(0, 10_000), how=st.sampled_from(METHODS))
@settings(max_examples=60)
def test_totals_are_met(seed: int, how: str) -> None:
    data = areas(seed)
    made = benchmark(**data, how=how)
    for group, total in zip(made.groups, made.totals, strict=True):
        there = data["group"] == group
        mean = np.average(made.estimate[there], weights=data["weight"][there])
        assert mean == pytest.approx(data["totals"][group], abs=1e-12)
        assert total == data["totals"][group]
    np.testing.assert_allclose(made.estimate, data["estimate"] + made.adjustment)
    np.testing.assert_allclose(made.mse, data["mse"] + made.adjustment**2)


@pytest.mark.parametrize("how", METHODS)
def test_estimates_that_agree_stay(how: str) -> None:
    data = areas(1)
    once = benchmark(**data, how=how)
    again = benchmark(**(data | {"estimate": once.estimate}), how=how)
    np.testing.assert_allclose(again.adjustment, 0, atol=1e-12)


def test_each_method_moves_what_it_says() -> None:
    data = areas(2)
    north = data["group"] == "north"
    made = {how: benchmark(**data, how=how) for how in METHODS}
    assert np.ptp(made["difference"].adjustment[north]) < 1e-15
    assert np.ptp((made["ratio"].estimate / data["estimate"])[north]) < 1e-14
    shift = logit(made["logit"].estimate) - logit(data["estimate"])
    assert np.ptp(shift[north]) < 1e-12
    pull = made["optimal"].adjustment / (data["weight"] * data["mse"])
    assert np.ptp(pull[north]) < 1e-9 * np.abs(pull[north]).max()


def test_optimal_is_the_least_move_in_units_of_error() -> None:
    data = areas(3)
    cost = {
        how: (benchmark(**data, how=how).adjustment ** 2 / data["mse"]).sum() for how in METHODS
    }
    assert cost["optimal"] == min(cost.values())


def test_logit_keeps_shares_between_0_and_1() -> None:
    made = benchmark([0.01, 0.99], [0.1, 0.1], [1, 1], ["a", "a"], {"a": 0.9}, how="logit")
    assert ((made.estimate > 0) & (made.estimate < 1)).all()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"totals": {"a": 1.0}}, "no total for 'b'"),
        ({"totals": {"a": 1.0, "b": np.nan}}, "totals is nan in row 1"),
        ({"mse": [1, 0]}, "mse is 0 in row 1"),
        ({"weight": [1, -1]}, "weight is -1 in row 1"),
        ({"group": ["a"]}, r"group has shape \(1,\); expected 2 labels"),
        ({"estimate": [0, 1], "how": "ratio"}, "estimates of 'a' have mean 0"),
        ({"estimate": [0.5, 1.0], "how": "logit"}, "estimate is 1 in row 1; 'logit' expects"),
        ({"totals": {"a": 1.5, "b": 0.5}, "how": "logit"}, "the total of 'a' is 1.5"),
    ],
)
def test_refuses_bad_input(change: dict, message: str) -> None:
    good = {"estimate": [0.2, 0.3], "mse": [1, 1], "weight": [1, 1], "group": ["a", "b"]}
    with pytest.raises(DataError, match=message):
        benchmark(**(good | {"totals": {"a": 0.5, "b": 0.5}} | change))


def test_refuses_an_unknown_method() -> None:
    with pytest.raises(
        UnknownNameError, match="benchmarking 'ratios' not found; did you mean 'ratio'"
    ):
        benchmark([1], [1], [1], ["a"], {"a": 1}, how="ratios")
