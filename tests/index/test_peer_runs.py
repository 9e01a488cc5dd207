"""The peer's own runs of uncertainty and sensitivity, fed its picks, and its table held whole."""

from __future__ import annotations

import importlib
import itertools
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from commonweal.index.assumptions import Aggregation, Normalisation, Treatment, Weights
from commonweal.index.sensitivity import sobol, sobol_indices
from commonweal.index.uncertainty import build_ensemble

from . import golden
from .test_ensemble import FORMS, ON_1_TO_100, example_tree, peer_ensemble
from .test_sensitivity import ISHIGAMI, ishigami

if TYPE_CHECKING:
    from commonweal.index.monte_carlo import Ensemble

golden.CHECKED |= {
    "ua_V_design.csv": golden.INPUT,
    "ua_V_ranks.csv": "matched",
    "ua_V_rankstats.csv": "matched",
    "ua_B_scores.csv": "matched",
    "ua_B_ranks.csv": "matched",
    "sa_V_design.csv": golden.INPUT,
    "sa_V_scores.csv": "matched",
    "sa_V_ranks.csv": "matched",
    "sa_V_y.csv": "matched",
    "sa_V_indices.csv": "differs: in intervals alone, which need R's random numbers and keep the variance "
    "where ours redraws it; each end is as near as 100 resamples allow",
    "sobol_ishigami_indices.csv": "differs: the sample needs R's random numbers; ours of 1,024 is nearer to "
    "every analytic value than COINr's of 1,000",
}

WINMAX, SETS = 5, 100
V = {"Winmax": WINMAX, "Normalisation": 2, "Weights": SETS, "Aggregation": 2}


def test_the_table_in_the_docs_has_every_file_of_the_peer() -> None:
    for file in Path(__file__).parent.glob("test_*.py"):
        if "golden.CHECKED" in file.read_text("utf-8"):
            importlib.import_module(f"{__package__}.{file.stem}")
    folder = golden.path("INDEX.md").parent
    files = {f.relative_to(folder).as_posix() for f in folder.rglob("*.csv*")}
    assert sorted(files) == sorted(golden.CHECKED)


def need_of(file: str) -> tuple[dict[str, np.ndarray], dict[str, float]]:
    directions = example_tree()[1]
    return {c: golden.numbers(file, c) * sign for c, sign in directions.items()}, directions


def sets_of(file: str) -> dict[str, list[list[float]]]:
    """Each node's sets of weights, as the peer drew them."""
    sets = {row["iCode"]: row for row in golden.rows(file)}
    return {
        path: [[float(sets[c][f"w{k}"]) for c in n.children] for k in range(1, SETS + 1)]
        for path, n in example_tree()[0].walk("Index")
        if n.children
    }


def vignette() -> Ensemble:
    """The peer's own example: how far to winsorise, two scales, weights on two levels, two means."""
    need, signs = need_of("example_Screened.csv")  # what is treated in the run
    weights = {path: {"given": sets} for path, sets in sets_of("sa_V_noisy_weights.csv").items()}
    vary = [
        Treatment(of=tuple({"by_rules": {"winsorise": k}} for k in range(1, WINMAX + 1))),
        Normalisation(of=(ON_1_TO_100, {"z_score": {"mean": 10, "sd": 2}})),
        Weights(weights=weights),
        Aggregation(of=FORMS),
    ]
    return build_ensemble("Index", example_tree()[0], need, vary, signs=signs)


def picked(file: str) -> np.ndarray:
    return np.column_stack([(golden.numbers(file, f"pick_{a}") - 0.5) / n for a, n in V.items()])


def runs(n: int) -> list[str]:
    return [f"r_{i}" for i in range(1, n + 1)]


def test_treatment_normalisation_weights_and_form_crossed_come_out_the_same() -> None:
    ensemble, u = vignette(), picked("sa_V_design.csv")
    golden.agrees(ensemble.scores(u).T, golden.matrix("sa_V_scores.csv", runs(600)))
    ranks = ensemble.ranks(u)
    np.testing.assert_array_equal(ranks.T, golden.matrix("sa_V_ranks.csv", runs(600)))

    y = np.abs(ranks - golden.numbers("sa_V_ranks.csv", "Nominal")).mean(axis=1)
    golden.agrees(y, golden.numbers("sa_V_y.csv", "y"))
    y_a, y_b, mixed = y[:100], y[100:200], y[200:].reshape(4, 100).T
    first, total = sobol_indices(y_a, y_b, mixed, centred=False)
    golden.agrees(first, golden.numbers("sa_V_indices.csv", "Si"))
    golden.agrees(total, golden.numbers("sa_V_indices.csv", "STi"))

    # Quantiles at 5% and 95% of 100 resamples lie within 4 standard errors, each 0.21 deviations.
    variance = y[:200].var(ddof=1)
    rows = np.random.default_rng(1).integers(100, size=(5000, 100))
    for name, terms in (
        ("Si", y_b[:, None] * (mixed - y_a[:, None]) / variance),
        ("STi", (y_a[:, None] - mixed) ** 2 / (2 * variance)),
    ):
        drawn = terms[rows].mean(axis=1)
        theirs = golden.matrix("sa_V_indices.csv", [f"{name}_q5", f"{name}_q95"]).T
        apart = np.abs(np.quantile(drawn, [0.05, 0.95], axis=0) - theirs) / drawn.std(axis=0)
        assert apart.max() < 4 * 0.21


def test_the_vignette_s_uncertainty_comes_out_the_same() -> None:
    ranks = vignette().ranks(picked("ua_V_design.csv"))
    np.testing.assert_array_equal(ranks.T, golden.matrix("ua_V_ranks.csv", runs(100)))
    golden.agrees(ranks.mean(axis=0), golden.numbers("ua_V_rankstats.csv", "Mean"))
    quantiles = np.quantile(ranks, [0.05, 0.5, 0.95], axis=0).T
    golden.agrees(quantiles, golden.matrix("ua_V_rankstats.csv", ["Q5", "Median", "Q95"]))


def test_each_of_a_hundred_runs_is_one_of_the_settings_that_there_are() -> None:
    """Its design is not kept, so each run is looked for among all that it can have been."""
    tree, (need, _) = example_tree()[0], need_of("example_Treated.csv")
    ensemble = peer_ensemble(tree, need, sets_of("ua_B_noisy_weights.csv"))
    middles = [(np.arange(n) + 0.5) / n for n in (3, SETS, 2)]
    every = np.array(list(itertools.product(*middles)))
    scores, theirs = ensemble.scores(every), golden.matrix("ua_B_scores.csv", runs(100)).T
    same = (np.abs(scores / theirs[:, None] - 1) <= 1e-9).all(axis=2)
    assert (same.sum(axis=1) == 1).all()
    ranks = ensemble.ranks(every)[same.argmax(axis=1)]
    np.testing.assert_array_equal(ranks.T, golden.matrix("ua_B_ranks.csv", runs(100)))


def test_ishigami_is_nearer_to_its_analytic_values_than_the_peer_is() -> None:
    file = "sobol_ishigami_indices.csv"
    ours = sobol(ishigami, ["V1", "V2", "V3"], 1024)
    for name, have, known in (
        ("Si", ours.first[:, 0], ISHIGAMI[0]),
        ("STi", ours.total[:, 0], ISHIGAMI[1]),
    ):
        golden.agrees(golden.numbers(file, f"analytic_{name}"), known)
        off = np.abs(golden.numbers(file, name) - known)
        assert (np.abs(have - known) < off).all()
