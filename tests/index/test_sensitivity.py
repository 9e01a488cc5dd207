from __future__ import annotations

import numpy as np
import pytest

from commonweal.errors import DataError
from commonweal.index.assumptions import Aggregation, Normalisation, Weights
from commonweal.index.framework import Node
from commonweal.index.rank import rank
from commonweal.index.sensitivity import (
    sensitivity_of_ranks,
    sobol,
    sobol_indices,
    sobol_sample,
)
from commonweal.index.uncertainty import build_ensemble


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
    assert found.moved[1, 0] == 0
    assert found.moved[0, 0] > 0


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


@pytest.mark.parametrize("n", [0, 1, 100, 1000])
def test_a_base_sample_that_is_no_power_of_two_is_refused(n: int) -> None:
    with pytest.raises(DataError, match=f"base sample of {n}; expected a power of 2"):
        sobol(ishigami, ["a", "b", "c"], n)


def test_a_design_without_inputs_is_refused() -> None:
    with pytest.raises(DataError, match="no uncertain input"):
        sobol_sample(8, 0, 1)


def test_a_model_that_loses_runs_is_refused() -> None:
    with pytest.raises(DataError, match="model gave 1 results for 6 runs"):
        sobol(lambda u: u[:1, 0], ["a"], 2)


@pytest.mark.parametrize(
    ("gives", "message"),
    [
        (3.0, "no list of results for 6 runs"),
        (None, "no list of results for 6 runs"),
        (["high"] * 6, "model gave 'high'; expected a number for each run"),
    ],
)
def test_a_model_that_gives_no_numbers_is_refused(gives: object, message: str) -> None:
    with pytest.raises(DataError, match=message):
        sobol(lambda u: gives, ["a"], 2)


def test_indices_of_lists_are_those_of_arrays_and_unequal_samples_are_refused() -> None:
    y_a, y_b, mixed = [1.0, 2.0, 4.0], [2.0, 1.0, 3.0], [[1.0, 2.0], [2.0, 1.0], [4.0, 3.0]]
    of_lists = sobol_indices(y_a, y_b, mixed)
    np.testing.assert_array_equal(of_lists, sobol_indices(*map(np.array, (y_a, y_b, mixed))))
    with pytest.raises(
        DataError, match=r"3 results on A, 2 on B and 3 mixed; expected n, n and \(n, inputs\)"
    ):
        sobol_indices(y_a, y_b[:2], mixed)


def test_a_model_without_a_number_and_inputs_of_one_name_are_refused() -> None:
    with pytest.raises(DataError, match="model gave no finite number in run 1; expected one each"):
        sobol(lambda u: u[:, 0] * np.nan, ["a"], 2)
    with pytest.raises(DataError, match="inputs: 'a' is there twice; expected each once"):
        sobol(lambda u: u[:, 0], ["a", "a"], 2)


def test_how_often_a_yes_or_no_turns_is_counted() -> None:
    """Of 'x above 0.3, or y above 0.9' each input alone turns what the other leaves open."""

    def model(u: np.ndarray) -> np.ndarray:
        return (u[:, 0] > 0.3) | (u[:, 1] > 0.9)

    found = sobol(model, ["x", "y"], 4096)
    # Drawn anew, an input turns it if it changes sides (2 p (1 - p)) while the other does not decide.
    np.testing.assert_allclose(
        found.moved[:, 0], [2 * 0.3 * 0.7 * 0.9, 2 * 0.9 * 0.1 * 0.3], atol=0.01
    )
    assert (sobol(lambda u: np.ones(len(u)), ["x"], 64).moved == 0).all()


@pytest.mark.parametrize("at_once", [1, 7, 10_000])
def test_what_is_asked_for_at_once_does_not_matter(
    at_once: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    from commonweal.index import sensitivity

    usual = sobol(sobol_g, list("abcde"), 64, n_bootstrap=5, second_order=True)
    asked: list[int] = []

    def model(u: np.ndarray) -> np.ndarray:
        asked.append(len(u))
        return sobol_g(u)

    monkeypatch.setattr(sensitivity, "RUNS", at_once)
    found = sobol(model, list("abcde"), 64, n_bootstrap=5, second_order=True)
    assert max(asked) <= max(at_once, 12)
    assert sum(asked) == found.n_runs == 64 * 12
    for have, want in ((found.total, usual.total), (found.total_interval, usual.total_interval)):
        np.testing.assert_allclose(have, want, rtol=1e-9)
    np.testing.assert_allclose(found.first, usual.first, atol=0.05)  # centred elsewhere


class TestRanks:
    N, WORST = 120, 12
    POSITIVE = {"min_max": {"low": 1, "high": 100}}  # noqa: RUF012
    NEED = dict(zip("abcde", np.random.default_rng(11).normal(size=(5, N)), strict=True))  # noqa: RUF012

    def make(self, *assumptions, need=None):
        leaves = {n: {"indicator": n} for n in "abcde"}
        how = {"aggregate": "arithmetic", "transform": self.POSITIVE}
        domains = {
            domain: {**how, "children": {n: leaves[n] for n in names}}
            for domain, names in (("one", "abc"), ("two", "de"))
        }
        tree = {"transform": "none", "aggregate": "arithmetic", "children": domains}
        return build_ensemble("x", Node.model_validate(tree), need or self.NEED, assumptions)

    def test_a_planted_assumption_with_two_identical_options_has_zero_sensitivity(self) -> None:
        planted = Normalisation(name="planted", transform="a", of=(self.POSITIVE, self.POSITIVE))
        form = Aggregation(of=("arithmetic", "geometric"))
        ensemble = self.make(planted, form, Weights(interval=0.25))
        whole, units = sensitivity_of_ranks(ensemble, 64, worst=self.WORST)
        assert whole.total[0, 0] == 0
        assert np.nan_to_num(units.total[0]).max() == 0
        assert (units.moved[0] == 0).all()
        assert whole.total[1:, 0].min() > 0

    def test_permuting_units_permutes_their_sensitivities(self) -> None:
        order = np.random.default_rng(2).permutation(self.N)
        vary = (Normalisation(of=(self.POSITIVE, "percentile_rank")), Weights(interval=0.25))
        first = sensitivity_of_ranks(self.make(*vary), 64, worst=self.WORST, n_bootstrap=20)
        turned = self.make(*vary, need={n: x[order] for n, x in self.NEED.items()})
        second = sensitivity_of_ranks(turned, 64, worst=self.WORST, n_bootstrap=20)
        np.testing.assert_array_equal(first[1].total[:, order], second[1].total)
        np.testing.assert_allclose(first[0].total, second[0].total, rtol=1e-9)
        np.testing.assert_allclose(first[0].total_interval, second[0].total_interval, rtol=1e-9)

    def test_the_answers_are_those_of_the_ranks_themselves(self) -> None:
        ensemble = self.make(
            Normalisation(of=(self.POSITIVE, "percentile_rank")), Weights(interval=0.25)
        )
        a, b = sobol_sample(64, 2, 3)
        nominal = rank(ensemble.stated)
        runs = [a, b, *(np.where(np.arange(2) == i, b, a) for i in range(2))]
        ranks = [ensemble.ranks(u) for u in runs]
        whole, units = sensitivity_of_ranks(ensemble, 64, seed=3)
        shift = [np.abs(r - nominal).mean(axis=1) for r in ranks]
        first, total = sobol_indices(shift[0], shift[1], np.column_stack(shift[2:]))
        np.testing.assert_allclose(whole.total[:, 0], total)
        np.testing.assert_allclose(whole.first[:, 0], first, atol=0.05)
        unit = int(np.argmax(units.variance))
        own = [r[:, unit].astype(float) for r in ranks]
        np.testing.assert_allclose(
            units.total[:, unit], sobol_indices(own[0], own[1], np.column_stack(own[2:]))[1]
        )

    def test_a_line_below_the_last_unit_is_refused(self) -> None:
        made = self.make(Weights(interval=0.25))
        with pytest.raises(DataError, match=f"whole number from 1 to {self.N}, the units"):
            sensitivity_of_ranks(made, 64, worst=self.N + 1)

    def test_a_unit_without_a_score_has_none(self) -> None:
        need = {**self.NEED, "a": np.where(np.arange(self.N) == 5, np.nan, self.NEED["a"])}
        whole, units = sensitivity_of_ranks(
            self.make(Weights(interval=0.25), need=need), 64, worst=20
        )
        assert np.isnan(units.total[:, 5]).all()
        assert (units.moved[:, 5] == 0).all()
        assert whole.total[0, 0] == pytest.approx(1, abs=0.1)

    def test_second_order_of_the_whole(self) -> None:
        vary = (Normalisation(of=(self.POSITIVE, "percentile_rank")), Weights(interval=0.25))
        whole, _ = sensitivity_of_ranks(self.make(*vary), 4096, second_order=True)
        together = whole.first[:, 0].sum() + whole.second[0, 1, 0]
        assert together == pytest.approx(1, abs=0.1)  # two inputs and their pair are all there is
