"""Elementary effects and one at a time, on functions whose effects are known."""

from __future__ import annotations

import numpy as np
import pytest

from commonweal.errors import DataError
from commonweal.toolbox.whatif import morris, one_at_a_time

G = np.array([0.0, 1.0, 4.5, 9.0, 99.0])


def sobol_g(u: np.ndarray) -> np.ndarray:
    return np.prod((np.abs(4 * u - 2) + G) / (1 + G), axis=1)


def test_morris_is_the_mean_and_deviation_of_the_effects() -> None:
    """Each effect taken anew from what the model was asked and what it said."""
    effects: list[dict[int, float]] = []

    def product(u: np.ndarray) -> np.ndarray:
        y = (u[:, 0] - 0.5) * u[:, 1]
        by_input = {}
        for step, change in zip(np.diff(u, axis=0), np.diff(y), strict=True):
            (moved,) = np.flatnonzero(np.abs(step) > 1e-9)
            by_input[int(moved)] = change / (step[moved] * 6 / 5)  # grid of 6 in cell middles
        effects.append(by_input)
        return y

    found = morris(product, ["x", "y"], 5, levels=6)
    e = np.array([[each[0], each[1]] for each in effects])
    assert (e < 0).any()
    np.testing.assert_allclose(found.mean[:, 0], e.mean(axis=0))
    np.testing.assert_allclose(found.mean_absolute[:, 0], np.abs(e).mean(axis=0))
    np.testing.assert_allclose(found.spread[:, 0], e.std(axis=0, ddof=1))


def test_morris_ranks_the_inputs_of_sobol_g() -> None:
    found = morris(sobol_g, list("abcde"), 200, seed=2)
    assert (np.diff(found.mean_absolute[:, 0]) < 0).all()
    assert found.n_runs == 200 * 6


def test_morris_of_a_linear_model_has_no_spread() -> None:
    found = morris(lambda u: 3 * u[:, 0] - 2 * u[:, 1], ["x", "y"], levels=4)
    # Settings are cell middles, 3/4 of the grid's unit apart.
    np.testing.assert_allclose(found.mean[:, 0], [3 * 0.75, -2 * 0.75])
    np.testing.assert_allclose(found.spread, 0, atol=1e-12)


def test_one_at_a_time_holds_the_others() -> None:
    curves = one_at_a_time(lambda u: u[:, 0] * 10 + u[:, 1], ["x", "y"], np.array([0.5, 0.5]), 5)
    settings, y = curves["y"]
    np.testing.assert_allclose(y[:, 0], 5 + settings)


def test_a_planted_input_that_does_nothing_has_no_effect() -> None:
    screened = morris(lambda u: u[:, 0] ** 2, ["real", "planted"])
    assert screened.mean_absolute[1, 0] == 0
    assert screened.mean_absolute[0, 0] > 0


@pytest.mark.parametrize(
    ("levels", "n_paths", "message"),
    [(k, 8, f"levels: {k} found; expected a whole number of 2") for k in (0, 1, -2)]
    + [(3, 8, "levels of 3; expected an even number"), (4, 1, "n_paths: 1 found")],
)
def test_designs_that_are_none(levels: int, n_paths: int, message: str) -> None:
    with pytest.raises(DataError, match=message):
        morris(sobol_g, list("abcde"), n_paths, levels=levels)


@pytest.mark.parametrize(
    ("nominal", "message"),
    [
        ([0.5, 7.0], "nominal 'b': 7 found; expected a number from 0 to below 1"),
        ([0.5, np.nan], "nominal 'b': nan found"),
        ([0.5], "nominal: 1 found; expected 2, one for each input"),
    ],
)
def test_a_nominal_setting_lies_within_the_range(nominal: list[float], message: str) -> None:
    with pytest.raises(DataError, match=message):
        one_at_a_time(lambda u: u.sum(axis=1), ["a", "b"], nominal)
