from __future__ import annotations

import numpy as np
import pytest

from commonweal.errors import DataError
from commonweal.index.sensitivity import morris, one_at_a_time, sobol, sobol_indices, sobol_sample


def ishigami(u: np.ndarray) -> np.ndarray:
    x = np.pi * (2 * u - 1)
    return np.sin(x[:, 0]) + 7 * np.sin(x[:, 1]) ** 2 + 0.1 * x[:, 2] ** 4 * np.sin(x[:, 0])


G = np.array([0.0, 1.0, 4.5, 9.0, 99.0])


def sobol_g(u: np.ndarray) -> np.ndarray:
    return np.prod((np.abs(4 * u - 2) + G) / (1 + G), axis=1)


def g_analytic() -> tuple[np.ndarray, np.ndarray]:
    v = 1 / (3 * (1 + G) ** 2)
    whole = np.prod(1 + v) - 1
    return v / whole, v * np.prod(1 + v) / (1 + v) / whole


ISHIGAMI = (np.array([0.3138, 0.4424, 0.0]), np.array([0.5574, 0.4424, 0.2436]))


@pytest.mark.parametrize(
    ("model", "names", "analytic"),
    [(ishigami, "abc", ISHIGAMI), (sobol_g, "abcde", g_analytic())],
)
def test_analytic_values_lie_within_the_bootstrap_interval(model, names, analytic) -> None:
    found = sobol(model, list(names), 4096, n_bootstrap=200, seed=3)
    for have, interval, known in (
        (found.first, found.first_interval, analytic[0]),
        (found.total, found.total_interval, analytic[1]),
    ):
        assert np.abs(have[:, 0] - known).max() < 0.02
        assert (interval[:, 0, 0] - 0.005 <= known).all()
        assert (known <= interval[:, 0, 1] + 0.005).all()
    assert found.n_runs == 4096 * (len(names) + 2)


def test_second_order_of_ishigami_is_the_pair_of_first_and_third() -> None:
    second = sobol(ishigami, ["a", "b", "c"], 8192, second_order=True, seed=1).second[:, :, 0]
    assert second[0, 2] == pytest.approx(0.2436, abs=0.02)
    assert abs(second[0, 1]) < 0.02
    assert abs(second[1, 2]) < 0.02
    assert np.isnan(second[np.tril_indices(3)]).all()


def test_many_outputs_are_the_same_as_one_at_a_time() -> None:
    def both(u: np.ndarray) -> np.ndarray:
        return np.column_stack([ishigami(u), u[:, 1], np.ones(len(u))])

    found = sobol(both, ["a", "b", "c"], 1024)
    np.testing.assert_allclose(
        found.first[:, 0], sobol(ishigami, ["a", "b", "c"], 1024).first[:, 0], atol=1e-12
    )
    np.testing.assert_allclose(found.first[:, 1], [0, 1, 0], atol=0.01)
    np.testing.assert_allclose(found.total[:, 1], [0, 1, 0], atol=0.01)
    assert np.isnan(found.total[:, 2]).all()  # what does not vary has no sensitivity


def test_a_planted_assumption_with_two_identical_options_has_no_effect() -> None:
    def planted(u: np.ndarray) -> np.ndarray:
        options = [lambda v: v**2, lambda v: v**2]
        return np.array([options[int(choice * 2)](v) for v, choice in u])

    found = sobol(planted, ["real", "planted"], 256)
    assert found.total[1, 0] == 0
    assert found.first[1, 0] == 0
    screened = morris(planted, ["real", "planted"])
    assert screened.mean_absolute[1, 0] == 0
    assert screened.mean_absolute[0, 0] > 0


def test_indices_of_kept_results_equal_those_of_the_stream() -> None:
    a, b = sobol_sample(512, 3, seed=1)
    mixed = np.column_stack([ishigami(np.where(np.arange(3) == i, b, a)) for i in range(3)])
    first, total = sobol_indices(ishigami(a), ishigami(b), mixed)
    found = sobol(ishigami, ["a", "b", "c"], 512, seed=1)
    np.testing.assert_allclose(found.total[:, 0], total, rtol=1e-9)
    np.testing.assert_allclose(found.first[:, 0], first, atol=2e-3)  # centred on another mean


def test_intervals_are_5_and_95_per_cent_of_base_rows_drawn_anew() -> None:
    a, b = sobol_sample(64, 3, seed=1)
    y_a, y_b = ishigami(a), ishigami(b)
    mixed = [ishigami(np.where(np.arange(3) == i, b, a)) for i in range(3)]
    rows = np.random.default_rng(9).integers(64, size=(5000, 64))
    variance = np.hstack([y_a[rows], y_b[rows]]).var(axis=1, ddof=1)
    found = sobol(ishigami, ["a", "b", "c"], 64, seed=1, n_bootstrap=5000)
    assert found.total_interval is not None
    for y, interval in zip(mixed, found.total_interval[:, 0], strict=True):
        drawn = ((y_a - y)[rows] ** 2).mean(axis=1) / (2 * variance)
        expected = np.quantile(drawn, [0.05, 0.95])
        np.testing.assert_allclose(interval, expected, atol=0.12 * drawn.std())


@pytest.mark.parametrize("value", [0.0, 0.1, 54.3])
def test_what_does_not_vary_has_no_sensitivity(value: float) -> None:
    y = np.full(64, value)
    for indices in sobol_indices(y, y, np.column_stack([y, y])):
        assert np.isnan(indices).all()
    found = sobol(lambda u: np.full(len(u), value), ["a", "b"], 64)
    assert np.isnan(found.first).all()
    assert np.isnan(found.total).all()


def test_a_base_sample_is_balanced_and_its_seeds_own() -> None:
    for sample in sobol_sample(16, 3, seed=1):
        strata = np.sort((sample * 16).astype(int), axis=0)
        np.testing.assert_array_equal(strata, np.tile(np.arange(16)[:, None], 3))
    one, again, other = (sobol_sample(16, 3, seed)[0] for seed in (1, 1, 2))
    np.testing.assert_array_equal(one, again)
    assert not np.isin(one, other).any()


@pytest.mark.parametrize("second_order", [False, True])
def test_progress_counts_every_run(second_order: bool) -> None:
    told, runs = [], []

    def model(u: np.ndarray) -> np.ndarray:
        runs.append(len(u))
        return u[:, 0]

    found = sobol(
        model,
        ["a", "b"],
        128,
        second_order=second_order,
        progress=lambda what, done, of: told.append((what, done, of)),
    )
    assert [done for _, done, _ in told] == sorted({done for _, done, _ in told})
    assert told[-1] == ("sensitivity", sum(runs), sum(runs))
    assert found.n_runs == sum(runs)


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


@pytest.mark.parametrize("n", [0, 1, 100, 1000])
def test_a_base_sample_that_is_no_power_of_two_is_refused(n: int) -> None:
    with pytest.raises(DataError, match=f"base sample of {n}; expected a power of 2"):
        sobol(ishigami, ["a", "b", "c"], n)


@pytest.mark.parametrize("levels", [0, 1, 3, -2])
def test_morris_refuses_levels_that_are_not_even(levels: int) -> None:
    with pytest.raises(DataError, match=f"levels of {levels}; expected an even number of 2"):
        morris(ishigami, ["a", "b", "c"], levels=levels)
    with pytest.raises(DataError, match="1 paths; expected 2 or more"):
        morris(ishigami, ["a", "b", "c"], 1)
    with pytest.raises(DataError, match="no uncertain input"):
        sobol_sample(8, 0, 1)


def test_a_model_that_loses_runs_is_refused() -> None:
    with pytest.raises(DataError, match="model gave 1 results for 2 runs"):
        sobol(lambda u: u[:1, 0], ["a"], 2)
