"""Draws: how they are numbered, that they are the same anywhere, and what is kept of them."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import numpy as np
import pytest
from scipy import stats

from commonweal.errors import DataError
from commonweal.index.assumptions import (
    Aggregation,
    Assumption,
    CutOff,
    Inclusion,
    Parameter,
    SamplingError,
    Weights,
)
from commonweal.index.framework import Node
from commonweal.index.rank import rank
from commonweal.index.runs import cut_factors, draw_numbers, draw_sets
from commonweal.index.targets import find_targets
from commonweal.index.uncertainty import build_ensemble, random_runs, spread_of_ranks

if TYPE_CHECKING:
    from commonweal.index.monte_carlo import Ensemble

N = 120
NEED = dict(zip("abcde", np.random.default_rng(11).uniform(1, 2, (5, N)), strict=True))
ERRORS = {"a": np.full(N, 0.1)}
LEAVES = {n: {"indicator": n, "weight": float(k)} for k, n in enumerate("abcde", 1)}
TREE = Node.model_validate(
    {
        "transform": {"min_max": {"low": 1}},
        "aggregate": "arithmetic",
        "children": {"one": {"children": {n: LEAVES[n] for n in "abc"}}, "d": LEAVES["d"]},
    }
)
FORM = Aggregation(form="x", of=("arithmetic", "geometric", "sum"))
ROOT, INNER = Weights(weights="x", dirichlet=10), Weights(weights="x.one", interval=0.5)
LAST = [SamplingError(), Inclusion(leave_out="a", chance=0.3), CutOff(cut=(0.9, 1.1))]


def numbers(*vary: Assumption, n: int = 50, seed: int = 4, n_sets: int = 50) -> np.ndarray:
    return draw_numbers(find_targets(vary, {"x": TREE}, ["a"]), n, seed, n_sets)


class TestNumbers:
    def test_an_entry_at_the_end_leaves_the_earlier_ones(self) -> None:
        few, more = numbers(ROOT, FORM), numbers(ROOT, FORM, INNER, *LAST)
        np.testing.assert_array_equal(few, more[:, :2])

    def test_more_draws_begin_with_the_fewer(self) -> None:
        few, more = numbers(FORM, *LAST, n=20, n_sets=70), numbers(FORM, *LAST, n=50, n_sets=70)
        np.testing.assert_array_equal(few, more[:20])

    def test_another_seed_draws_others(self) -> None:
        one, two = numbers(FORM, *LAST), numbers(FORM, *LAST, seed=5)
        np.testing.assert_array_equal(
            one[:, 1], two[:, 1]
        )  # sets are drawn from the seed themselves
        assert not np.isclose(one[:, [0, 2, 3]], two[:, [0, 2, 3]]).any()

    def test_sets_come_in_turn(self) -> None:
        u = numbers(ROOT, SamplingError(), n=100, n_sets=40)
        np.testing.assert_array_equal((u * 40).astype(int)[:, 0], np.arange(100) % 40)
        np.testing.assert_array_equal(u[:, 0], u[:, 1])

    def test_what_is_drawn_is_uniform_by_kolmogorov_and_smirnov_and_not_related(self) -> None:
        given = Weights(weights={"x": {"given": [[1, 1], [1, 2]]}})
        u = numbers(FORM, Inclusion(leave_out="a"), CutOff(cut=(0.5, 2)), given, n=20_000)
        for column in u.T:
            assert stats.kstest(column, stats.uniform.cdf).pvalue > 0.001
        assert np.abs(np.corrcoef(u.T) - np.eye(4)).max() < 4 / np.sqrt(20_000)

    def test_cut_offs_are_multiplied_by_every_law_that_is_on_them(self) -> None:
        vary = [
            CutOff(cut=(0.5, 1.5)),
            Parameter(setting="cut", node="x", choices=(1, 2)),
            Parameter(setting="available", node="x", uniform=(0, 1)),
        ]
        found = find_targets(vary, {"x": TREE, "y": TREE})
        u = np.array([[0.0, 0.9, 0.3], [0.5, 0.1, 0.9]])
        np.testing.assert_allclose(cut_factors(found, u, "x"), [1.0, 1.0])
        np.testing.assert_allclose(cut_factors(found, u, "y"), [0.5, 1.0])

    def test_each_node_and_entry_has_sets_of_its_own_and_the_first_is_as_ever(self) -> None:
        weights = {"x": np.array([1.0, 4.0]), "x/one": np.array([1.0, 2.0, 3.0])}
        both = find_targets([Weights(name="both", dirichlet=2)], {"x": TREE})
        sets = draw_sets(both, weights, 20, 7)
        law = np.random.default_rng([7, 0]).dirichlet(np.array([0.8, 3.2]), 20) * 5
        np.testing.assert_allclose(sets[0, "x"], law)
        again = draw_sets(find_targets([ROOT, INNER], {"x": TREE}), weights, 20, 7)
        assert not np.isclose(sets[0, "x/one"], again[1, "x/one"]).all(axis=1).any()


def make(*vary: Assumption, **more: object) -> Ensemble:
    return build_ensemble("x", TREE, {**NEED, **more}, vary, standard_errors=ERRORS)


def test_the_spread_is_that_of_kept_ranks_whatever_the_blocks() -> None:
    hole = np.where(np.arange(N) == 7, np.nan, NEED["d"])
    ensemble = make(FORM, Weights(interval=0.25), SamplingError(), d=hole)
    spread = spread_of_ranks(ensemble, 300, worst=12, seed=5)
    here = np.delete(np.arange(N), 7)
    ranks = ensemble.ranks(random_runs(ensemble, 300, 5))[:, here]
    np.testing.assert_allclose(spread.mean[here], ranks.mean(axis=0))
    np.testing.assert_array_equal(spread.worst[here], (ranks <= 12).mean(axis=0))
    kept = np.quantile(ranks, (0.05, 0.5, 0.95), axis=0, method="inverted_cdf").T
    np.testing.assert_array_equal(spread.quantiles[here], kept)
    ends = [0, *(np.arange(1, 11) * 119 // 10)]
    tenths = [((a < ranks) & (ranks <= b)).mean(axis=0) for a, b in itertools.pairwise(ends)]
    np.testing.assert_allclose(spread.tenths[here], np.array(tenths).T, atol=1e-12)
    np.testing.assert_allclose(spread.tenths[here].sum(axis=1), 1)
    for part in (spread.mean, spread.worst, spread.quantiles, spread.tenths):
        assert np.isnan(part[7]).all()


def test_no_more_units_are_worst_than_there_are() -> None:
    ensemble = make(FORM, d=np.where(np.arange(N) == 7, np.nan, NEED["d"]))
    assert spread_of_ranks(ensemble, 2, worst=N - 1).worst[0] == 1
    with pytest.raises(
        DataError, match=f"worst: {N} found; expected a whole number from 1 to {N - 1}"
    ):
        spread_of_ranks(ensemble, 2, worst=N)


def test_nothing_that_varies_is_the_stated_rank_for_certain() -> None:
    ensemble = make(Aggregation(form="x", of=("arithmetic", "arithmetic")))
    spread = spread_of_ranks(ensemble, 20, worst=12)
    stated = rank(ensemble.stated)
    np.testing.assert_array_equal(spread.quantiles, np.tile(stated[:, None], (1, 3)))
    np.testing.assert_array_equal(spread.worst, stated <= 12)
    np.testing.assert_array_equal(spread.tenths.argmax(axis=1), (stated - 1) // 12)


@pytest.mark.parametrize("n_sets", [64, 300])
def test_each_set_of_weights_is_run_in_turn(n_sets: int) -> None:
    ensemble = build_ensemble("x", TREE, NEED, [ROOT], n_sets=n_sets)
    frame = ensemble.settings(random_runs(ensemble, 300, 1))
    drawn = frame["x.one.weight"].to_numpy()
    np.testing.assert_array_equal(drawn, np.resize(ensemble.sets[0, "x"][:, 0], 300))
