from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
import pytest

from commonweal.errors import DataError, UnknownNameError
from commonweal.index.assumptions import (
    Aggregation,
    Inclusion,
    Normalisation,
    SamplingError,
    Weights,
)
from commonweal.index.ensemble import (
    Ensemble,
    build_ensemble,
    random_runs,
    sensitivity_of_ranks,
    spread_of_ranks,
)
from commonweal.index.framework import Node
from commonweal.index.rank import rank
from commonweal.index.sensitivity import sobol_indices

from . import golden

golden.CHECKED |= {
    "sa_B_design.csv": "matched",
    "sa_B_noisy_weights.csv": "matched",
    "sa_B_scores.csv": "matched",
    "sa_B_rankstats.csv": "matched",
    "sa_B_indices_noboot.csv": "matched",
}


def example_tree() -> tuple[Node, dict[str, float]]:
    """The peer's example index: 49 indicators, 8 pillars, 2 sub-indices; and directions."""
    meta = [m for m in golden.rows("in_asem_iMeta.csv") if m["Type"] in ("Indicator", "Aggregate")]

    def node(code: str) -> dict[str, Any]:
        inside = [m for m in meta if m["Parent"] == code]
        children = {
            m["iCode"]: (
                {"indicator": m["iCode"]} if m["Type"] == "Indicator" else node(m["iCode"])
            )
            | {"weight": float(m["Weight"])}
            for m in inside
        }
        transform = "min_max" if inside[0]["Type"] == "Indicator" else "none"
        return {"aggregate": "arithmetic", "transform": transform, "children": children}

    directions = {m["iCode"]: float(m["Direction"]) for m in meta if m["Type"] == "Indicator"}
    return Node.model_validate(node("Index")), directions


def test_the_peer_s_sensitivity_run_comes_out_the_same() -> None:
    tree, directions = example_tree()
    need = {
        code: golden.numbers("example_Treated.csv", code) * sign
        for code, sign in directions.items()
    }
    sets = {row["iCode"]: row for row in golden.rows("sa_B_noisy_weights.csv")}
    given = {
        path: [[float(sets[c][f"w{k}"]) for c in n.children] for k in range(1, 101)]
        for path, n in tree.walk("Index")
        if n.children
    }
    ways = (
        {"min_max": {"low": 1, "high": 100}},
        {"z_score": {"mean": 100, "sd": 5}},
        {"rank": {}},
    )
    ensemble = _build(tree, need, given, ways)
    options = {"Normalisation": 3, "Weights": 100, "Aggregation": 2}
    u = np.column_stack(
        [(golden.numbers("sa_B_design.csv", f"pick_{a}") - 0.5) / n for a, n in options.items()]
    )
    scores, ranks = ensemble.scores(u), ensemble.ranks(u)
    runs = [f"r_{i}" for i in range(1, 501)]
    golden.agrees(scores.T, golden.matrix("sa_B_scores.csv", runs))

    nominal = golden.numbers("sa_B_rankstats.csv", "Nominal")
    base = ranks[:200]  # the peer's statistics are over the two base samples
    golden.agrees(base.mean(axis=0), golden.numbers("sa_B_rankstats.csv", "Mean"))
    quantiles = np.quantile(base, [0.05, 0.5, 0.95], axis=0).T
    golden.agrees(quantiles, golden.matrix("sa_B_rankstats.csv", ["Q5", "Median", "Q95"]))

    y = np.abs(ranks - nominal).mean(axis=1)
    first, total = sobol_indices(y[:100], y[100:200], y[200:].reshape(3, 100).T, centred=False)
    golden.agrees(first, golden.numbers("sa_B_indices_noboot.csv", "Si"))
    golden.agrees(total, golden.numbers("sa_B_indices_noboot.csv", "STi"))


def _build(tree: Node, need: dict[str, np.ndarray], given: Any, ways: Any) -> Ensemble:
    return build_ensemble(
        "Index",
        tree,
        need,
        [
            Normalisation(name="Normalisation", of=ways),
            Weights(name="Weights", given=given),
            Aggregation(name="Aggregation", of=("arithmetic", "geometric")),
        ],
        normalise=ways[0],
    )


# A small index to vary: two domains, five indicators.
TREE = Node.model_validate(
    {
        "transform": "none",
        "aggregate": "arithmetic",
        "children": {
            "one": {
                "aggregate": "arithmetic",
                "transform": "min_max",
                "children": {n: {"indicator": n} for n in "abc"},
            },
            "two": {
                "aggregate": "arithmetic",
                "transform": "min_max",
                "children": {n: {"indicator": n, "weight": 2.0} for n in "de"},
            },
        },
    }
)
N = 120
RNG = np.random.default_rng(11)
NEED = {n: RNG.normal(size=N) for n in "abcde"}
MIN_MAX = {"min_max": {"low": 1, "high": 100}}
NORMALISATION = Normalisation(name="norm", of=(MIN_MAX, "rank"))
WEIGHTS = Weights(name="weights", interval=0.25)
FORM = Aggregation(name="form", of=("arithmetic", "geometric"))


def make(*assumptions: Any, **more: Any) -> Ensemble:
    return build_ensemble("x", TREE, NEED, assumptions, normalise=MIN_MAX, **more)


def test_the_stated_run_is_the_first_choice_of_everything_with_stated_weights() -> None:
    ensemble = make(NORMALISATION, FORM)
    np.testing.assert_allclose(ensemble.scores(np.zeros((1, 2)))[0], ensemble.stated_scores())
    assert ensemble.settings(np.array([[0.0, 0.9]])).row(0) == (1, str(MIN_MAX), "geometric")


def test_an_indicator_that_is_out_counts_for_nothing() -> None:
    ensemble = make(Inclusion(name="without a", indicator="a", chance=0.5))
    out, inside = ensemble.scores(np.array([[0.1], [0.7]]))
    low, high = {n: x.min() for n, x in NEED.items()}, {n: np.ptp(x) for n, x in NEED.items()}
    x = {n: 1 + 99 * (NEED[n] - low[n]) / high[n] for n in "abcde"}
    np.testing.assert_allclose(out, ((x["b"] + x["c"]) / 2 + (x["d"] + x["e"]) / 2) / 2)
    np.testing.assert_allclose(inside, ((x["a"] + x["b"] + x["c"]) / 3 + (x["d"] + x["e"]) / 2) / 2)


def test_normalisation_of_some_indicators_leaves_the_others() -> None:
    ensemble = make(Normalisation(name="n", of=("rank", "z_score"), indicators=("x.two.d",)))
    stated = make(NORMALISATION).layers[0]
    at = ensemble.flat.leaves.index("x/two/d")
    np.testing.assert_allclose(ensemble.layers[0], stated)
    got = ensemble.scores(np.array([[0.0]]))[0]
    others = stated.copy()
    others[at] = ensemble.layers[1, at]
    one, two = others[:3].mean(axis=0), others[3:].mean(axis=0)
    np.testing.assert_allclose(got, (one + two) / 2)


def test_the_spread_is_that_of_kept_ranks_whatever_the_blocks() -> None:
    ensemble = make(NORMALISATION, WEIGHTS, FORM)
    spread = spread_of_ranks(ensemble, 300, worst=12, seed=5)
    ranks = ensemble.ranks(random_runs(ensemble, 300, 5))
    np.testing.assert_allclose(spread.mean, ranks.mean(axis=0))
    np.testing.assert_array_equal(spread.worst, (ranks <= 12).mean(axis=0))
    kept = np.quantile(ranks, (0.05, 0.5, 0.95), axis=0, method="inverted_cdf").T
    np.testing.assert_array_equal(spread.quantiles, kept)


def test_a_planted_assumption_with_two_identical_options_has_zero_sensitivity() -> None:
    planted = Normalisation(name="planted", of=(MIN_MAX, MIN_MAX), indicators=("a",))
    whole, units = sensitivity_of_ranks(make(planted, FORM, WEIGHTS), 64, worst=12)
    assert whole.total[0, 0] == 0
    assert np.nan_to_num(units.total[0]).max() == 0
    assert whole.total[1:, 0].min() > 0


def test_permuting_units_permutes_ranks_and_sensitivities() -> None:
    order = np.random.default_rng(2).permutation(N)
    first = make(NORMALISATION, WEIGHTS)
    second = build_ensemble(
        "x",
        TREE,
        {n: x[order] for n, x in NEED.items()},
        [NORMALISATION, WEIGHTS],
        normalise=MIN_MAX,
    )
    u = random_runs(first, 20, 1)
    np.testing.assert_array_equal(first.ranks(u)[:, order], second.ranks(u))


class TestSamplingError:
    ERRORS: ClassVar = {"a": np.full(N, 0.3), "d": np.where(np.arange(N) < 60, 0.5, np.nan)}

    def test_no_error_is_the_stated_index(self) -> None:
        ensemble = make(
            SamplingError(name="e"), standard_errors={"a": np.zeros(N), "d": np.full(N, np.nan)}
        )
        scores = ensemble.scores(np.array([[0.2], [0.8]]))
        np.testing.assert_allclose(scores, np.tile(ensemble.stated_scores(), (2, 1)))

    def test_the_same_number_is_the_same_set_of_errors(self) -> None:
        ensemble = make(SamplingError(name="e"), NORMALISATION, standard_errors=self.ERRORS)
        scores = ensemble.scores(np.array([[0.2, 0.1], [0.2, 0.1], [0.6, 0.1]]))
        np.testing.assert_array_equal(scores[0], scores[1])
        assert (scores[0] != scores[2]).mean() > 0.9

    def test_correlated_errors_have_the_stated_correlation(self) -> None:
        from commonweal.index.ensemble import _waves

        points = np.array([[0.0, 0.0], [1000.0, 0.0], [5000.0, 0.0]])
        drawn = np.array([_waves(np.random.default_rng(i), points, 1000.0) for i in range(4000)])
        r = np.corrcoef(drawn.T)
        assert drawn.std(axis=0) == pytest.approx(1, abs=0.05)
        assert r[0, 1] == pytest.approx(np.exp(-0.5), abs=0.04)
        assert r[0, 2] == pytest.approx(0, abs=0.06)


@pytest.mark.parametrize(
    ("assumptions", "error", "message"),
    [
        ([Inclusion(name="i", indicator="z")], UnknownNameError, "indicator 'z' not found"),
        ([Aggregation(name="f", of=("sum", "sum"), nodes=("on",))], UnknownNameError, "node 'on'"),
        ([FORM, FORM], DataError, "assumption 'form' is there more than once"),
        ([SamplingError(name="e")], DataError, "no standard errors"),
        ([Normalisation(name="n", of=("z_score", "rank")), FORM], DataError, "z_score gives"),
        ([Normalisation(name="n", of=("min_mix", "rank"))], UnknownNameError, "min_mix"),
        ([Weights(name="w", given={"one": [[1.0, 1.0]]})], DataError, "expected 3, one a child"),
    ],
)
def test_assumptions_are_checked_before_the_first_run(
    assumptions: list[Any], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        make(*assumptions)


def test_missing_values_are_refused_by_name() -> None:
    holes = {**NEED, "c": np.where(np.arange(N) < 2, np.nan, NEED["c"])}
    with pytest.raises(DataError, match="indicator c: 2 units have no value; impute them first"):
        build_ensemble("x", TREE, holes, [FORM])


def test_weights_keep_their_totals_and_stay_within_their_interval() -> None:
    for weights in (WEIGHTS, Weights(name="w", dirichlet=10)):
        for path, sets in make(weights).sets[weights.name].items():
            stated = make(weights).flat.weights[make(weights).flat.edges(path)]
            np.testing.assert_allclose(sets.sum(axis=1), stated.sum())
            assert sets.mean(axis=0) == pytest.approx(stated, rel=0.05)
    sets = make(WEIGHTS).sets["weights"]["x/two"]
    assert sets.min() > 2 * 0.75 / 1.25
    assert sets.max() < 2 * 1.25 / 0.75
    assert rank(make(WEIGHTS).stated_scores()).min() == 1
