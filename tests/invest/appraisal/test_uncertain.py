"""Laws of chance have the means, spreads and ends that they state."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from commonweal.invest.parameters import read_number

GRID = (np.arange(20_000) + 0.5) / 20_000


@pytest.mark.parametrize(
    ("stated", "mean", "sd", "support"),
    [
        (5, 5, 0, (5, 5)),
        ({"uniform": [2, 6]}, 4, 4 / math.sqrt(12), (2, 6)),
        ({"triangular": [1, 2, 6]}, 3, math.sqrt((1 + 4 + 36 - 2 - 6 - 12) / 18), (1, 6)),
        ({"pert": [1, 2, 6]}, 2.5, math.sqrt((2.5 - 1) * (6 - 2.5) / 7), (1, 6)),
        ({"normal": [10, 2]}, 10, 2, (-math.inf, math.inf)),
        ({"lognormal": [10, 2]}, 10, 2, (0, math.inf)),
        ({"interval95": [-2.4, -0.8, 0.7]}, -0.8, 3.1 / 2 / 1.959964, (-math.inf, math.inf)),
        ({"normal": [0, 1], "within": [-1, 1]}, 0, 0.5396, (-1, 1)),
    ],
)  # fmt: skip
def test_mean_spread_and_ends(
    stated: Any, mean: float, sd: float, support: tuple[float, float]
) -> None:
    """Against the textbook's formulas; the spread by way of the quantiles."""
    number = read_number(stated)
    drawn = number.quantile(GRID)
    assert number.mean == pytest.approx(mean)
    assert drawn.mean() == pytest.approx(mean, rel=1e-3, abs=1e-3)
    assert drawn.std() == pytest.approx(sd, rel=5e-3)
    assert number.support == pytest.approx(support)


@given(st.floats(0.001, 0.999))
def test_chance_below_turns_the_quantile_round(share: float) -> None:
    number = read_number({"pert": [1, 2, 6]})
    assert number.below(float(number.quantile(share))) == pytest.approx(share, abs=1e-6)


def test_an_interval_is_the_interval() -> None:
    number = read_number({"interval95": [-1.6, -0.8, 0.0]})
    assert number.quantile([0.025, 0.975]) == pytest.approx([-1.6, 0.0], abs=1e-9)


@pytest.mark.parametrize(
    ("stated", "said"),
    [
        ("ten", "found 'ten'; expected a number, or a law such as"),
        (True, "found True; expected a number"),
        (math.nan, "found nan; expected a number"),
        ({}, "found no law; expected one of: uniform"),
        ({"triangle": [1, 2, 3]}, "unknown law 'triangle'; did you mean 'triangular'"),
        ({"uniform": [1, 2], "pert": [1, 2, 3]}, "found uniform and pert; expected one of"),
        ({"uniform": [5, 2]}, "'uniform': found .5, 2.; expected low below high"),
        ({"uniform": [2, 2]}, "expected low below high"),
        ({"uniform": [1, 2, 3]}, "expected .low, high. as numbers"),
        ({"triangular": [1, 7, 6]}, "found .1, 7, 6.; expected low, likeliest, high in rising order"),
        ({"pert": [1, math.nan, 6]}, "as numbers"),
        ({"normal": [1, 0]}, "found a standard deviation of 0; expected one above 0"),
        ({"lognormal": [-1, 2]}, "found a mean of -1; expected one above 0"),
        ({"interval95": [0, 0, 1]}, "expected the estimate inside the interval"),
        ({"uniform": [1, 2], "within": [1, 2]}, "'within' goes with normal or interval95, not with uniform"),
        ({"normal": [5, 1], "within": [6, 9]}, "'within': found .6, 9.; expected .least, greatest. around 5"),
    ],
)  # fmt: skip
def test_what_is_no_law_is_refused(stated: Any, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        read_number(stated)
