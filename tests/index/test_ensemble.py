"""Ensembles: golden runs of the peer, where assumptions act, and what is refused before a run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
import pytest
from pydantic import TypeAdapter, ValidationError

from commonweal.errors import DataError, UnknownNameError
from commonweal.index.assumptions import (
    KINDS,
    Aggregation,
    Assumption,
    CutOff,
    Inclusion,
    Normalisation,
    Parameter,
    SamplingError,
    SmallCounts,
    Treatment,
    Weights,
)
from commonweal.index.framework import Node
from commonweal.index.sensitivity import sobol_indices
from commonweal.index.targets import find_targets, first_fault
from commonweal.index.uncertainty import build_ensemble
from commonweal.indicators import Counts

from . import golden

if TYPE_CHECKING:
    from commonweal.index.monte_carlo import Ensemble

golden.CHECKED |= {
    "sa_B_design.csv": golden.INPUT,
    "sa_B_scores.csv": "matched",
    "sa_B_rankstats.csv": "matched",
    "sa_B_indices_noboot.csv": "matched",
    "timing/timing_iData_33755.csv.gz": golden.INPUT,
    "timing/timing_iMeta.csv": golden.INPUT,
    "timing/ref33755_ua_design.csv.gz": golden.INPUT,
    "timing/ref33755_ua_noisy_weights.csv.gz": golden.INPUT,
    "timing/ref33755_ua_scores_first3.csv.gz": "matched",
    "timing/ref33755_ua_rankstats.csv.gz": "matched",
}

ON_1_TO_100 = {"min_max": {"low": 1, "high": 100}}
WAYS = (ON_1_TO_100, {"z_score": {"mean": 100, "sd": 5}}, "rank")
FORMS = ("arithmetic", "geometric")


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
        transform = ON_1_TO_100 if inside[0]["Type"] == "Indicator" else "none"
        # The peer ranks upwards and gives ties the lowest: from the top, the highest.
        ties = {"ties": "max", "aggregate": "arithmetic"}
        return {**ties, "transform": transform, "children": children}

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
    ensemble = peer_ensemble(tree, need, given)
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


def peer_ensemble(tree: Node, need: dict[str, np.ndarray], given: Any) -> Ensemble:
    return build_ensemble(
        "Index",
        tree,
        need,
        [
            Normalisation(name="Normalisation", of=WAYS),
            Weights(name="Weights", weights={p: {"given": sets} for p, sets in given.items()}),
            Aggregation(name="Aggregation", of=FORMS),
        ],
    )


def test_a_hundred_draws_of_the_peer_come_out_the_same_for_all_33755_units() -> None:
    meta = golden.rows("timing/timing_iMeta.csv")
    children: dict[str, Any] = {}
    for domain in (m for m in meta if m["Type"] == "Aggregate" and m["Level"] == "2"):
        inside = [m for m in meta if m["Parent"] == domain["iCode"]]
        leaves = {
            m["iCode"]: {"weight": float(m["Weight"]), "indicator": m["iCode"]} for m in inside
        }
        children[domain["iCode"]] = {
            "weight": float(domain["Weight"]), "aggregate": "arithmetic", "ties": "max",
            "transform": ON_1_TO_100, "children": leaves,
        }  # fmt: skip
    tree = Node.model_validate(
        {"transform": "none", "aggregate": "arithmetic", "children": children}
    )
    need = {
        m["iCode"]: golden.numbers("timing/timing_iData_33755.csv.gz", m["iCode"])
        * float(m["Direction"])
        for m in meta
        if m["Type"] == "Indicator"
    }
    picked = {
        what: golden.numbers("timing/ref33755_ua_design.csv.gz", f"pick_{what}").astype(int)
        for what in ("Normalisation", "Weights", "Aggregation")
    }
    sets = {row["iCode"]: row for row in golden.rows("timing/ref33755_ua_noisy_weights.csv.gz")}
    n_sets = sum(name.startswith("w") for name in next(iter(sets.values())))
    given = {
        path: [[float(sets[c][f"w{k}"]) for c in n.children] for k in range(1, n_sets + 1)]
        for path, n in tree.walk("Index")
        if n.children
    }
    ensemble = peer_ensemble(tree, need, given)
    of = {"Normalisation": 3, "Weights": n_sets, "Aggregation": 2}
    u = np.column_stack([(picked[what] - 0.5) / n for what, n in of.items()])
    scores, ranks = ensemble.scores(u), ensemble.ranks(u)
    name = "timing/ref33755_ua_scores_first3.csv.gz"
    golden.agrees(scores[:3].T, golden.matrix(name, ["r_1", "r_2", "r_3"]), relative=1e-12)
    name = "timing/ref33755_ua_rankstats.csv.gz"
    quantiles = np.quantile(ranks, [0.05, 0.5, 0.95], axis=0)
    golden.agrees(ranks.mean(axis=0), golden.numbers(name, "Mean"))
    golden.agrees(quantiles.T, golden.matrix(name, ["Q5", "Median", "Q95"]))


def tree(**more: Any) -> Node:
    leaves = {
        n: {"indicator": f"{n}_rate", "weight": w}
        for n, w in zip("abcde", range(1, 6), strict=True)
    }
    one = {"children": {n: leaves[n] for n in "ab"}}
    two = {
        "children": {n: leaves[n] for n in "cd"},
        "aggregate": "mean_min",
        "transform": "min_max",
    }
    return Node.model_validate({"children": {"one": one, "two": two, "e": leaves["e"]}, **more})


TREES = {"x": tree(), "y": tree(aggregate={"generalised": {"p": 0.5}})}
WITH = {"with_errors": ["a_rate", "d_rate"], "with_counts": ["c_rate"]}


def paths(a: Assumption) -> list[str]:
    return [p.replace("/", ".") for p in find_targets([a], TREES, **WITH)[0].paths]


@pytest.mark.parametrize(
    ("assumption", "expected"),
    [
        (Weights(interval=0.1), "x x.one x.two y y.one y.two"),
        (Weights(weights="x.one", interval=0.1), "x.one"),
        (Weights(weights=("x", "y.two"), interval=0.1), "x y.two"),
        (Weights(levels=[{"interval": 0.1}]), "x y"),
        (Weights(weights="x", levels=[{"interval": 0.1}, {"uniform": True}]), "x x.one x.two"),
        (Weights(weights={"y": {"interval": 0.1}}), "y"),
        (Aggregation(of=("sum", "median")), "x x.one x.two y y.one y.two"),
        (Aggregation(form="y", of=("sum", "median")), "y"),
        (Normalisation(of=("rank", "none"), transform="x"), "x.one x.two x.e"),
        (Normalisation(of=("rank", "none"), transform="x.one"), "x.one.a x.one.b"),
        (Normalisation(of=("rank", "none"), transform=("x.e", "y.two")), "x.e y.two.c y.two.d"),
        (Treatment(of=("none", "log"), treat="x.two"), "x.two.c x.two.d"),
        (Treatment(of=("none", "log"), treat="b_rate"), "x.one.b y.one.b"),
        (Inclusion(leave_out="x.two"), "x.two"),
        (Inclusion(leave_out="x.one.b"), "x.one.b"),
        (Parameter(setting="aggregate.p", uniform=(0, 1)), "y"),
        (Parameter(setting="aggregate.alpha", uniform=(0, 1)), "x.two y.two"),
        (Parameter(setting="available", node="x", uniform=(0, 1)), "x"),
        (Parameter(setting="transform.high", uniform=(9, 10)), "x.two.c x.two.d y.two.c y.two.d"),
        (SamplingError(), "x.one.a x.two.d y.one.a y.two.d"),
        (SamplingError(standard_errors=["d_rate"]), "x.two.d y.two.d"),
        (SamplingError(standard_errors="x.two"), None),
        (SamplingError(standard_errors="x.two", noise=0.1), "x.two.c x.two.d"),
        (SmallCounts(), "x.two.c y.two.c"),
        (CutOff(cut=(0.9, 1.1)), ""),
        (Parameter(setting="cut", node="x", uniform=(0.9, 1.1)), "x"),
    ],
)  # fmt: skip
def test_where_an_assumption_acts(assumption: Assumption, expected: str | None) -> None:
    if expected is None:
        with pytest.raises(
            DataError,
            match=r"'c_rate' does not state a standard error; did you mean",
        ):
            paths(assumption)
        return
    assert paths(assumption) == expected.split()


def test_all_indicators_are_those_that_enter_a_domain() -> None:
    leaves = [f"{i}.{d}" for i in "xy" for d in ("one.a", "one.b", "two.c", "two.d", "e")]
    assert sorted(paths(Normalisation(of=("rank", "none")))) == sorted(leaves)
    assert sorted(paths(Treatment(of=("none", "log")))) == sorted(leaves)


def test_weights_by_level_have_the_law_of_their_level() -> None:
    law = Weights(weights="x", levels=[{"interval": 0.1}, {"uniform": True}])
    (found,) = find_targets([law], TREES)
    assert {p: str(w) for p, w in found.laws.items()} == {
        "x": "up to 10% either way",
        "x/one": "any weights, each as likely as any other",
        "x/two": "any weights, each as likely as any other",
    }


@pytest.mark.parametrize(
    ("vary", "error", "message"),
    [
        ([Weights(weights="z", interval=0.1)], UnknownNameError, "'z' not found"),
        ([Weights(weights="x.e", interval=0.1)], UnknownNameError, "with children 'x.e' not found"),
        ([Weights(weights="one", interval=0.1)], UnknownNameError, r"\(2 of that name\); did you mean .*x\.one"),
        ([Weights(weights={"x": {"given": [[1, 2], [2, 1]]}})], DataError, "found 2 a set; expected 3"),
        ([Aggregation(form="x.on", of=("sum", "sum"))], UnknownNameError, "did you mean 'x.one'"),
        ([Inclusion(leave_out="twoo")], UnknownNameError, "not found; did you mean 'two'"),
        ([Inclusion(leave_out="x")], DataError, "x is the only child"),
        ([Inclusion(leave_out="b")], UnknownNameError, "2 of that name"),
        ([SamplingError(standard_errors="b_rate")], DataError, "does not state a standard error"),
        ([Parameter(setting="aggregate.p", node="x", uniform=(0, 1))], DataError, "sum has no setting 'p'"),
        ([Parameter(setting="transform.sd", uniform=(1, 2))], DataError, "no setting 'sd'"),
        ([Parameter(setting="treat.units", uniform=(1, 2))], DataError, "none has no setting 'units'"),
        ([Weights(levels=[{"interval": 0.1}] * 3)], DataError, "found laws for 3 levels; expected at most 2"),
        ([Weights(weights="y.one", levels=[{"interval": 0.1}] * 2)], DataError, "2 levels; expected at most 1"),
        ([Parameter(setting="aggregate.alpha", uniform=(0, 2))], DataError,
         "'all.aggregate.alpha': x.two: alpha: 2 found; expected a number from 0 to 1"),
        ([Parameter(setting="transform.low", node="x.two", choices=(1, 100))], DataError,
         "'x.two.transform.low': x.two.c: low 100 and high 100; expected low below high"),
        ([Aggregation(form="x", of=("sum", {"ordered": {"places": [1, 2]}}))], DataError,
         "'x.form': x: weights: 2 found; expected 3, one for each child"),
        ([Treatment(of=("none", "by_rules")), Parameter(setting="treat.skew", uniform=(-1, 2))], DataError,
         "'all.treat.skew': x.one.a: skew: .* found; expected a number above 0"),
        ([CutOff(cut=(0.9, 1)), CutOff(cut=(0.9, 1))], DataError, "'cut' is there more than once"),
        ([Weights(interval=0.1), Weights(weights="y", interval=0.1)], DataError,
         "'y.weights': y varies in 'all.weights' already"),
        ([SamplingError(), SmallCounts(counts="c_rate"), SamplingError(name="b", standard_errors="a_rate")],
         DataError, "'b': x.one.a varies in 'standard_errors' already"),
    ],
)  # fmt: skip
def test_assumptions_that_cannot_act(
    vary: list[Assumption], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        find_targets(vary, TREES, **WITH)
    fault = first_fault([Aggregation(form="x.one", of=("sum", "median")), *vary], TREES, **WITH)
    assert fault is not None
    assert fault[0] == len(vary)


def test_without_anything_stated_there_is_no_error_to_draw() -> None:
    for a, what in ((SamplingError(), "a standard error"), (SmallCounts(), "its counts")):
        with pytest.raises(DataError, match=f"no indicator states {what}"):
            find_targets([a], TREES)


class TestVocabulary:
    """What a study may say; the same objects as in Python."""

    SAID = TypeAdapter(Assumption)

    @pytest.mark.parametrize(
        "said",
        [
            {"weights": "x", "interval": 0.2},
            {"weights": ["x", "y"], "dirichlet": 10, "name": "weights"},
            {"weights": "all", "uniform": True},
            {"weights": {"x": {"given": [[1, 2, 3], [3, 2, 1]]}}},
            {"weights": "x", "levels": [{"interval": 0.2}, {"dirichlet": 3}]},
            {"form": "x", "of": ["sum", {"generalised": {"p": 0.5}}]},
            {"transform": "all", "of": ["rank", {"min_max": {"low": 1}}]},
            {"treat": "all", "of": ["none", {"winsorise": {"units": 5}}]},
            {"leave_out": "x.one", "chance": 0.1},
            {"setting": "aggregate.p", "node": "x", "normal": [0.5, 0.1], "within": [0, 1]},
            {"setting": "cut", "triangular": [0.8, 1, 1.1]},
            {"standard_errors": ["a"], "range_m": 2000},
            {"standard_errors": ["a"], "noise": 0.1, "shared_by": "lad"},
            {"counts": "all"},
            {"cut": [0.9, 1.1]},
        ],
    )
    def test_said_and_said_again(self, said: dict[str, Any]) -> None:
        a = self.SAID.validate_python(said)
        assert type(a) is KINDS[next(iter(said))]
        again = a.model_dump(exclude_defaults=True)
        assert self.SAID.validate_python({**said, **again}) == a

    @pytest.mark.parametrize(
        ("said", "message"),
        [
            ({}, "found nothing, which does not say what varies; expected one of: weights, form"),
            ({"wieghts": "x", "interval": 0.1}, "did you mean 'weights'"),
            ("weights", "expected what varies, such as"),
            ({"weights": "x"}, "found none; expected exactly one of: interval, dirichlet, uniform, given, levels"),
            ({"weights": "x", "interval": 0.1, "levels": [{"uniform": True}]}, "found interval and levels"),
            ({"weights": {"x": {"uniform": True}}, "interval": 0.1}, "beside laws by index or domain"),
            ({"form": "x", "of": ["sum"]}, "at least 2"),
            ({"form": "x", "of": ["sum", "summ"]}, "did you mean 'sum'"),
            ({"transform": "x", "of": ["rank", {"min_max": {"hihg": 1}}]}, "did you mean 'high'"),
            ({"treat": "x", "of": ["none", "logg"]}, "did you mean 'log'"),
            ({"treat": "x", "of": ["none", {"winsorise": {"units": -1}}]}, "units: -1 found; expected a whole"),
            ({"leave_out": "x", "chance": 1}, "less than 1"),
            ({"setting": "p", "uniform": [0, 1]}, "should match pattern"),
            ({"setting": "available", "uniform": [0, 2]}, "expected shares from 0 to 1"),
            ({"setting": "available", "normal": [0.5, 0.1]}, "expected shares from 0 to 1"),
            ({"setting": "cut", "uniform": [-1, 2]}, "expected factors above 0"),
            ({"cut": [1.1, 0.9]}, "low then high"),
        ],
    )  # fmt: skip
    def test_refused(self, said: Any, message: str) -> None:
        with pytest.raises(ValidationError, match=message):
            self.SAID.validate_python(said)

    def test_an_assumption_is_called_by_what_varies_where(self) -> None:
        assert [
            a.called
            for a in (
                Weights(weights="x/one", interval=0.1), Weights(weights=("x", "y"), interval=0.1),
                Weights(weights={"x": {"uniform": True}}), Aggregation(of=("sum", "median")),
                Parameter(setting="aggregate.p", node="x", uniform=(0, 1)), SamplingError(),
                SamplingError(standard_errors=["a"]), Inclusion(leave_out="x.one"), CutOff(cut=(1, 1)),
                Weights(name="its own", interval=0.1),
            )
        ] == ["x.one.weights", "x+y.weights", "x.weights", "all.form", "x.aggregate.p",
              "standard_errors", "a.standard_errors", "x.one.left_out", "cut", "its own"]  # fmt: skip


def test_what_each_run_used_can_be_read() -> None:
    need = {f"{n}_rate": np.random.default_rng(4).uniform(1, 2, 30) for n in "abcde"}
    made = build_ensemble(
        "x", TREES["x"], need,
        [
            Weights(weights="x.two", interval=0.2), Aggregation(form="x", of=("sum", {"generalised": {"p": 0.5}})),
            Inclusion(leave_out="x.e", chance=0.3), SamplingError(standard_errors="a_rate"),
            Parameter(setting="transform.high", uniform=(0, 160), steps=8),
            Normalisation(transform="x.one", of=("rank", "none")),
        ],
        standard_errors={"a_rate": np.ones(30)}, n_sets=10,
    )  # fmt: skip
    u = np.array([[0.05, 0.1, 0.1, 0.0, 0.2, 0.0], [0.95, 0.9, 0.9, 0.99, 0.9, 0.7]])
    frame = made.settings(u)
    assert frame.columns == [
        "run", "x.two.c.weight", "x.two.d.weight", "x.form", "x.e.left_out", "a_rate.standard_errors",
        "all.transform.high", "x.one.transform",
    ]  # fmt: skip
    sets = made.sets[0, "x/two"]
    assert frame.row(0) == (1, *sets[0], "sum", "out", 1, 30.0, "rank")
    assert frame.row(1) == (2, *sets[9], "generalised (p 0.5)", "in", 10, 150.0, "none")


@pytest.mark.parametrize(
    ("given", "error", "message"),
    [
        ({"signs": {"b_rat": -1}}, UnknownNameError, r"'b_rat' not found \(with a sign\); did you mean 'b_rate'"),
        ({"signs": {"b_rate": 0}}, DataError, "b_rate: direction 0 found; expected 1 or -1"),
        ({"standard_errors": {"a_rat": np.ones(30)}}, UnknownNameError, r"'a_rat' not found \(with a standard error\)"),
        ({"standard_errors": {"a_rate": np.full(30, -1.0)}}, DataError,
         "standard errors of 'a_rate', row 1: -1 found; expected 0 or more"),
        ({"standard_errors": {"a_rate": np.ones(29)}}, DataError, "29 found; expected 30, one for each unit"),
        ({"standard_errors": {"a_rate": np.full(30, np.inf)}}, DataError, "an infinite value found"),
    ],
)  # fmt: skip
def test_what_is_said_of_an_indicator_is_held_to(
    given: dict[str, Any], error: type[Exception], message: str
) -> None:
    need = {f"{n}_rate": np.arange(1.0, 31) for n in "abcde"}
    errors = {"standard_errors": {"a_rate": np.ones(30)}}
    with pytest.raises(error, match=message):
        build_ensemble("x", TREES["x"], need, [SamplingError()], **{**errors, **given})


def test_a_range_needs_points_and_an_index_alone_has_no_cut() -> None:
    need = {f"{n}_rate": np.arange(1.0, 31) for n in "abcde"}
    errors = {"a_rate": np.ones(30)}
    with pytest.raises(DataError, match="a range needs the units' points"):
        build_ensemble("x", TREES["x"], need, [SamplingError(range_m=10)], standard_errors=errors)
    with pytest.raises(DataError, match="an index by itself has no cut-off"):
        build_ensemble("x", TREES["x"], need, [CutOff(cut=(0.9, 1.1))])
    with pytest.raises(DataError, match=r"every child of x\.one may be left out"):
        build_ensemble(
            "x", TREES["x"], need, [Inclusion(leave_out="x.one.a"), Inclusion(leave_out="x.one.b")]
        )


RATES = {f"{n}_rate": np.random.default_rng(4).uniform(1, 2, 30) for n in "abcde"}


@pytest.mark.parametrize(
    ("given", "error", "message"),
    [
        ({"need": {"a_rate": RATES["a_rate"]}}, UnknownNameError, "indicator 'b_rate' not found"),
        ({"need": RATES.__getitem__}, DataError, "expected units x indicators"),
        ({"need": {**RATES, "b_rate": [1.0, 2.0]}}, DataError, "'b_rate': 2 found; expected 30"),
        ({"need": {k: x * np.nan for k, x in RATES.items()}}, DataError, "x: no unit has a score"),
        ({"need": {k: x[:0] for k, x in RATES.items()}}, DataError, "no areas"),
        ({"signs": {"a": -1}}, UnknownNameError, "'a' not found .with a sign."),
        ({"signs": {"a_rate": 3}}, DataError, "a_rate: direction 3 found; expected 1 or -1"),
        (
            {"standard_errors": {"a": [0.1] * 30}},
            UnknownNameError,
            "'a' not found .with a standard",
        ),
        ({"standard_errors": {"a_rate": [0.1] * 29}}, DataError, "'a_rate': 29 found; expected 30"),
        ({"standard_errors": {"a_rate": [0.1, -1] * 15}}, DataError, "row 2: -1 found; expected 0"),
        ({"counts": {"a": Counts(np.ones(30), np.ones(30))}}, UnknownNameError, "with counts"),
        ({"counts": {"a_rate": Counts(np.ones(9), np.ones(9))}}, DataError, "9 found; expected 30"),
    ],
)
def test_what_is_given_must_fit_the_tree_and_the_units(
    given: dict[str, Any], error: type[Exception], message: str
) -> None:
    need = given.pop("need", RATES)
    with pytest.raises(error, match=message):
        build_ensemble("x", TREES["x"], need, [Weights(interval=0.2)], **given)


def test_need_may_be_a_frame_with_more_in_it() -> None:
    frame = pl.DataFrame({"code": [f"U{i}" for i in range(30)], "remark": ["-"] * 30, **RATES})
    u = np.random.default_rng(1).random((5, 1))
    made = [build_ensemble("x", TREES["x"], x, [Weights(interval=0.2)]) for x in (frame, RATES)]
    assert made[0].codes == frame["code"].to_list()
    np.testing.assert_array_equal(made[0].ranks(u), made[1].ranks(u))
