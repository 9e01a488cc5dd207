"""An ensemble against a second account of the same runs: the tree of the score, one run at a time."""

from __future__ import annotations

from typing import Any

import numba
import numpy as np
import pytest

from commonweal.errors import DataError
from commonweal.index import Node, aggregate, score_tree
from commonweal.index.assumptions import (
    Aggregation,
    Assumption,
    Inclusion,
    Normalisation,
    Parameter,
    SamplingError,
    SmallCounts,
    Treatment,
    Weights,
)
from commonweal.index.monte_carlo import NO_RANK, Ensemble
from commonweal.index.rank import rank
from commonweal.index.treat import TREATMENTS
from commonweal.index.uncertainty import build_ensemble
from commonweal.indicators import Counts

N, RUNS = 60, 40
NAMES = "abcdef"
RNG = np.random.default_rng(11)
NEED = {n: np.exp(RNG.normal(size=N)) + k for k, n in enumerate(NAMES)}
NEED["a"] = np.round(NEED["a"], 1)  # ties
NEED["b"][[3, 30]] = np.nan
NEED["f"][[7, 30]] = np.nan
ERRORS = {"a": np.full(N, 0.3), "e": np.where(np.arange(N) < 40, 0.5, np.nan)}
COUNTS = {"c": Counts(np.arange(N) % 7.0, np.full(N, 40.0), 100, "binomial")}
POSITIVE = {"min_max": {"low": 1, "high": 100}}


def tree(top: str = "none", inner: Any = POSITIVE, form: Any = "arithmetic", **more: Any) -> Node:
    """Three levels: index/one/deep of b and c, beside a; index/two of d and e; and f."""
    leaves = {
        n: {"indicator": n, "weight": w} for n, w in zip("abcde", (1, 2, 3, 1, 0.5), strict=True)
    }
    deep = {"transform": inner, "aggregate": form, "available": 0.4, "weight": 2.0,
            "children": {n: leaves[n] for n in "bc"}}  # fmt: skip
    one = {"transform": inner, "aggregate": form, "children": {"a": leaves["a"], "deep": deep}}
    one["children"]["deep"]["enters_as"] = top
    two = {"transform": inner, "aggregate": form, "weight": 1.5,
           "children": {n: leaves[n] for n in "de"}}  # fmt: skip
    root = {"transform": top, "aggregate": form, "available": 0.5, **more,
            "children": {"one": one, "two": two,
                         "f": {"indicator": "f", "weight": 0.7, "enters_as": inner}}}  # fmt: skip
    return Node.model_validate(root)


def make(node: Node, *assumptions: Assumption, **more: Any) -> Ensemble:
    given: dict[str, Any] = {"standard_errors": ERRORS, "counts": COUNTS, "n_sets": 16, **more}
    return build_ensemble("x", node, NEED, assumptions, **given)


def numbers(ensemble: Ensemble, n: int = RUNS) -> np.ndarray:
    return np.random.default_rng(3).random((n, len(ensemble.found)))


def with_node(node: Node, path: str, **update: Any) -> Node:
    """Change one node of a tree."""
    _name, _, below = path.partition("/")
    if not below:
        return node.model_copy(update=update)
    first = below.split("/")[0]
    child = with_node(node.children[first], below, **update)
    return node.model_copy(update={"children": {**node.children, first: child}})


def by_hand(ensemble: Ensemble, node: Node, u: np.ndarray, run: int) -> np.ndarray:
    """Score one run by changing the tree as its numbers say, and scoring that."""
    need, weights, left = dict(NEED), {}, []
    settings = ensemble.settings(u).row(run, named=True)
    transforms: dict[str, Any] = {}
    treated: dict[str, Any] = {}
    forms: dict[str, Any] = {}
    for k, one in enumerate(ensemble.found):
        a, v = one.assumption, u[run, k]
        if isinstance(a, Weights):
            for path in one.paths:
                stem = path.replace("/", ".")
                inner = dict(node.walk("x"))[path]
                weights[path] = [settings[f"{stem}.{c}.weight"] for c in inner.children]
        elif isinstance(a, Aggregation):
            forms |= dict.fromkeys(one.paths, a.of[int(v * len(a.of))])
        elif isinstance(a, Normalisation):
            transforms |= dict.fromkeys(one.paths, a.of[int(v * len(a.of))])
        elif isinstance(a, Treatment):
            treated |= dict.fromkeys(one.paths, a.of[int(v * len(a.of))])
        elif isinstance(a, Inclusion) and v < a.chance:
            left += one.paths
        elif isinstance(a, SamplingError | SmallCounts):
            for path in one.paths:
                noise = ensemble.noise[path][1]
                need[noise.indicator] = noise.of(NEED[noise.indicator], int(v * 16))
    for path, how in treated.items():
        name = dict(node.walk("x"))[path].indicator
        function, own = (how, {}) if isinstance(how, str) else next(iter(how.items()))
        need[name] = TREATMENTS[function](need[name], **own)
    changed = node
    for path, how in transforms.items():
        changed = with_node(changed, path, enters_as=how)
    for one in ensemble.found:
        a = one.assumption
        if not isinstance(a, Parameter):
            continue
        value = settings[a.called]
        for path in one.paths:
            now = dict(changed.walk("x"))
            if a.setting == "available":
                changed = with_node(changed, path, available=value)
            elif a.part == "aggregate":
                how = forms.get(path, now[path].aggregate)
                forms[path] = set_in(how, a.key, value)
            else:
                parent = now[path.rsplit("/", 1)[0]]
                how = now[path].enters_as or parent.transform
                changed = with_node(changed, path, enters_as=set_in(how, a.key, value))
    for path, how in forms.items():
        changed = with_node(changed, path, aggregate=how)
    return without(changed, weights, left, need)


def set_in(how: Any, key: str, value: float) -> Any:
    takers = {
        "p": ("generalised",),
        "high": ("min_max",),
        "scale": ("exponential",),
        "alpha": ("mean_min",),
    }
    name, own = (how, {}) if isinstance(how, str) else next(iter(how.items()))
    return {name: {**own, key: value}} if name in takers[key] else how


def without(
    node: Node, weights: dict[str, Any], left: list[str], need: dict[str, Any]
) -> np.ndarray:
    """Score a tree with drawn weights, some children left out."""
    if not left:
        w = {p: np.array(v) for p, v in weights.items()}
        return score_tree("x", node, need.__getitem__, w)[0]["x"]
    (path,) = left
    parent, child = path.rsplit("/", 1)
    own = dict(node.walk("x"))[parent]
    kept = {n: c for n, c in own.children.items() if n != child}
    if parent in weights:
        weights[parent] = [
            w for w, n in zip(weights[parent], own.children, strict=True) if n != child
        ]
    if own.aggregate == "sum":  # the others carry what is left out
        whole = dict(zip(own.children, weights.get(parent, own.weights.values()), strict=False))
        assert parent not in weights
        scale = sum(whole.values()) / sum(c.weight for c in kept.values())
        kept = {n: c.model_copy(update={"weight": c.weight * scale}) for n, c in kept.items()}
    return without(with_node(node, parent, children=kept), weights, [], need)


ALL_FORMS = ("sum", "arithmetic", "geometric", "harmonic", {"generalised": {"p": 0.5}},
             {"generalised": {"p": 3}}, {"generalised": {"p": 99}}, "median", "mean_min",
             "mazziotta_pareto", "copeland")  # fmt: skip
WAYS = (POSITIVE, "percentile_rank", {"z_score": {"mean": 100, "sd": 5}}, "exponential")
CASES: dict[str, tuple[Node, list[Assumption]]] = {
    "weights": (tree(), [Weights(interval=0.4)]),
    "weights below ranks": (tree("exponential", "exponential"), [Weights(dirichlet=3)]),
    "weights of one node": (tree(), [Weights(weights="x.one.deep", dirichlet=1)]),
    "weights by level": (tree(), [Weights(levels=[{"dirichlet": 5}, {"interval": 0.5}])]),
    "weights by node": (
        tree("percentile_rank"),
        [Weights(weights={"x": {"uniform": True}, "deep": {"interval": 0.1}})],
    ),
    "every form": (tree(), [Aggregation(of=ALL_FORMS)]),
    "forms below ranks": (tree("exponential"), [Aggregation(of=("geometric", "median", "sum"))]),
    "form of one node": (tree(form="sum"), [Aggregation(form="deep", of=("geometric", "harmonic"))]),
    "ways": (tree(), [Normalisation(of=WAYS)]),
    "ways of a node": (
        tree("z_score"),
        [Normalisation(transform=("x.two", "f"), of=WAYS), Weights(interval=0.2)],
    ),
    "ways of domains": (tree("min_max"), [Normalisation(transform="x.one", of=("rank", "z_score"))]),
    "treatment": (
        tree(),
        [Treatment(of=("none", {"winsorise": {"units": 3, "skew": 0.1}}, "log", {"box_cox": {"power": 0.3}}))],
    ),
    "treatment crossed": (tree(), [Treatment(treat="one", of=("none", "log")), Normalisation(of=WAYS)]),
    "left out": (tree(), [Inclusion(leave_out="b"), Weights(interval=0.2)]),
    "left out of a sum": (tree(form="sum"), [Inclusion(leave_out="x.two", chance=0.4)]),
    "p": (
        tree(form={"generalised": {"p": 1}}),
        [Parameter(setting="aggregate.p", uniform=(-2, 3))],
    ),
    "p near 0 and far off": (
        tree(form={"generalised": {"p": 1}}),
        [Parameter(setting="aggregate.p", choices=(1e-12, -0.004, 0, 0.02, 80, -50))],
    ),
    "p of some forms": (
        tree(),
        [Aggregation(form="x", of=("median", "generalised", "geometric")),
         Parameter(setting="aggregate.p", node="x", choices=(-1, 0, 1, 0.5))],
    ),
    "alpha": (
        tree(form="mean_min"), [Parameter(setting="aggregate.alpha", node="x.two", uniform=(0, 1))]
    ),
    "high": (tree(), [Parameter(setting="transform.high", triangular=(50, 80, 120), steps=4)]),
    "high of some ways": (
        tree(), [Normalisation(of=WAYS), Parameter(setting="transform.high", uniform=(50, 120))]
    ),
    "scale": (
        tree("exponential"), [Parameter(setting="transform.scale", node="x", uniform=(5, 50)),
                              Weights(weights="deep", interval=0.5)]
    ),
    "available": (tree(), [Parameter(setting="available", choices=(0.3, 0.5, 0.9))]),
    "errors": (tree(), [SamplingError()]),
    "errors and ranks": (tree("exponential", "exponential"), [SamplingError(), Weights(interval=0.1)]),
    "counts": (tree(), [SmallCounts(), SamplingError(standard_errors="e")]),
    "everything": (
        tree(form={"generalised": {"p": 1}}),
        [Weights(interval=0.3), Normalisation(of=WAYS), Aggregation(form="x.two", of=("median", "sum")),
         Parameter(setting="aggregate.p", node=("x", "x.one"), uniform=(0.2, 2)), Inclusion(leave_out="c"),
         Treatment(treat="d", of=("none", "log")), SamplingError(standard_errors=["a"])],
    ),
}  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("name", CASES)
def test_runs_are_those_of_the_tree_changed_by_hand(name: str) -> None:
    node, assumptions = CASES[name]
    ensemble = make(node, *assumptions)
    u = numbers(ensemble)
    scores, ranks = ensemble.scores(u), ensemble.ranks(u)
    stated = score_tree("x", node, NEED.__getitem__)[0]["x"]
    np.testing.assert_array_equal(ensemble.stated, stated)
    present = ~np.isnan(stated)
    differ = 0
    for run in range(RUNS):
        expected = by_hand(ensemble, node, u, run)
        expected[~present] = np.nan
        np.testing.assert_allclose(scores[run], expected, rtol=1e-10, atol=1e-10)
        last = np.where(np.isnan(expected), -np.inf, expected)[present]
        np.testing.assert_array_equal(ranks[run, present], rank(last))
        differ += not np.allclose(expected[present], stated[present], equal_nan=True)
    assert (ranks[:, ~present] == NO_RANK).all()
    assert differ > RUNS / 4  # what is tested does something


@pytest.mark.parametrize("name", ["every form", "ways of a node", "errors and ranks", "everything"])
def test_the_same_bytes_on_any_threads_and_in_any_blocks(name: str) -> None:
    before, many = numba.get_num_threads(), set()
    ensemble = make(CASES[name][0], *CASES[name][1])
    u = numbers(ensemble)
    try:
        for threads, block in ((1, RUNS), (2, RUNS), (2, 7), (1, 1)):
            numba.set_num_threads(min(threads, numba.config.NUMBA_NUM_THREADS))
            parts = [ensemble.scores(u[i : i + block]) for i in range(0, RUNS, block)]
            ranks = [ensemble.ranks(u[i : i + block]) for i in range(0, RUNS, block)]
            many.add(np.vstack(parts).tobytes() + np.vstack(ranks).tobytes())
    finally:
        numba.set_num_threads(before)
    assert len(many) == 1


def test_every_aggregator_can_be_an_alternative() -> None:
    from commonweal.index import AGGREGATORS

    alike = {n: {"indicator": n} for n in "acde"}
    node = Node.model_validate({"transform": POSITIVE, "aggregate": "sum", "children": alike})
    settings: dict[str, Any] = {"ordered": {"orness": 0.3}}
    of = tuple({n: settings[n]} if n in settings else n for n in AGGREGATORS)
    ensemble = make(node, Aggregation(of=of))
    u = (np.arange(len(of))[:, None] + 0.5) / len(of)
    need = score_tree("x", node, NEED.__getitem__)[1]
    x = np.column_stack([need[f"x/{n}"] for n in "acde"])
    for got, how in zip(ensemble.scores(u), of, strict=True):
        np.testing.assert_allclose(got, aggregate(x, np.ones(4), how), rtol=1e-10)


def test_weights_of_any_scale_rank_alike() -> None:
    """Twice the stated weights, or weights in percent, change no rank in any run."""
    node = tree()
    double = node
    for path, inner in node.walk("x"):
        if inner.weight != 1 or "/" in path:
            double = with_node(double, path, weight=inner.weight * 200)
    for law in (Weights(interval=0.3), Weights(dirichlet=4), Weights(uniform=True)):
        u = numbers(make(node, law))
        np.testing.assert_array_equal(make(node, law).ranks(u), make(double, law).ranks(u))


def test_permuting_units_permutes_scores_and_ranks() -> None:
    order = np.random.default_rng(2).permutation(N)
    node, assumptions = CASES["everything"]
    assumptions = [a for a in assumptions if not isinstance(a, SamplingError)]  # drawn by place
    first = make(node, *assumptions)
    need = {n: x[order] for n, x in NEED.items()}
    second = build_ensemble("x", node, need, assumptions, n_sets=16)
    u = numbers(first)
    np.testing.assert_allclose(first.scores(u)[:, order], second.scores(u), rtol=1e-12)
    np.testing.assert_array_equal(first.ranks(u)[:, order], second.ranks(u))


def test_choices_that_are_all_as_stated_change_nothing() -> None:
    node = tree(form="sum")
    ensemble = make(
        node,
        Aggregation(of=("sum", "sum")),
        Normalisation(of=(POSITIVE, POSITIVE)),
        Treatment(of=("none", "none")),
        Parameter(setting="available", node="x", choices=(0.5, 0.5)),
    )
    scores = ensemble.scores(numbers(ensemble))
    np.testing.assert_allclose(scores, np.tile(ensemble.stated, (RUNS, 1)), rtol=1e-11)
    ranks = np.where(np.isnan(ensemble.stated), NO_RANK, rank(ensemble.stated))
    np.testing.assert_array_equal(ensemble.ranks(numbers(ensemble)), np.tile(ranks, (RUNS, 1)))


def test_scores_that_are_equal_on_paper_tie_in_every_run() -> None:
    """0.1 + 0.2 + 0.3 in any order is the same score."""
    need = {"a": np.array([0.1, 0.3, 0.2, 0.9]), "b": np.array([0.2, 0.1, 0.3, 0.8]),
            "c": np.array([0.3, 0.2, 0.1, 0.7])}  # fmt: skip
    leaves = {n: {"indicator": n} for n in "abc"}
    node = Node.model_validate({"transform": "none", "aggregate": "sum", "children": leaves})
    forms = Aggregation(of=("sum", "arithmetic", "geometric", {"generalised": {"p": 2}}))
    ranks = build_ensemble("x", node, need, [forms]).ranks(np.arange(0.1, 1, 0.2)[:, None])
    assert (ranks == [2, 2, 2, 1]).all()


def test_an_indicator_that_points_down_is_treated_and_bounded_in_its_own_units() -> None:
    """Bounds, targets and outliers are those of the published values, whichever way need goes."""
    up = {n: -x for n, x in NEED.items()}
    node = Node.model_validate(
        {"transform": "none", "aggregate": "sum", "children": {n: {"indicator": n} for n in "de"}}
    )
    posts = {"goalposts": {"lower": 0, "upper": 20, "scale": 10}}
    made = build_ensemble(
        "x", node, up,
        [Normalisation(transform="d", of=("none", posts)), Treatment(treat="e", of=("none", "log"))],
        signs={"d": -1.0, "e": -1.0},
    )  # fmt: skip
    (got,) = made.scores(np.array([[0.9, 0.9]]))
    d = np.clip((20 - NEED["d"]) / 20 * 10, 0, 10)
    np.testing.assert_allclose(got, d - TREATMENTS["log"](NEED["e"]), rtol=1e-10)


def test_a_bound_that_is_drawn_is_in_the_indicator_s_own_units() -> None:
    node = Node.model_validate(
        {"transform": {"goalposts": {"lower": -20, "upper": 0, "scale": 10, "truncate": False}},
         "aggregate": "sum", "children": {n: {"indicator": n} for n in "de"}}
    )  # fmt: skip
    up = {n: -x for n, x in NEED.items()}
    made = build_ensemble(
        "x", node, up, [Parameter(setting="transform.upper", choices=(20, 40))],
        signs={"d": -1.0, "e": -1.0},
    )  # fmt: skip
    wide = made.scores(np.array([[0.9]]))[0]
    np.testing.assert_allclose(wide, sum((40 - NEED[n]) / 40 * 10 for n in "de"), rtol=1e-10)


def test_a_reference_area_and_a_base_are_kept() -> None:
    children = {"a": {"indicator": "a"}, "d": {"indicator": "d", "base": ["e"]}}
    node = Node.model_validate(
        {"transform": "min_max", "aggregate": "arithmetic", "children": children}
    )
    codes = [f"u{i}" for i in range(N)]
    ways = ("z_score", {"distance_to_reference": {"unit": "u5"}}, "percentile_rank")
    made = build_ensemble("x", node, NEED, [Normalisation(of=ways)], codes=codes)
    for k, how in enumerate(ways):
        (got,) = made.scores(np.array([[(k + 0.5) / 3]]))
        other = Node.model_validate(
            {"transform": how, "aggregate": "arithmetic", "children": children}
        )
        expected = score_tree("x", other, NEED.__getitem__, codes=codes)[0]["x"]
        np.testing.assert_allclose(got, expected, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("how", ["exponential", "percentile_rank", "min_max"])
def test_a_base_is_kept_where_the_indicator_itself_is_drawn(how: str) -> None:
    node = Node.model_validate(
        {"transform": how, "aggregate": "arithmetic", "children": {"d": {"indicator": "d", "base": ["e"]}}}
    )  # fmt: skip
    errors = {"d": np.full(N, 0.5)}
    made = build_ensemble("x", node, NEED, [SamplingError()], standard_errors=errors)
    (got,) = made.scores(np.array([[0.2]]))
    drawn = NEED | {"d": made.noise["x/d"][1].of(NEED["d"], int(0.2 * 1024))}
    np.testing.assert_allclose(got, score_tree("x", node, drawn)[0]["x"], rtol=1e-9, atol=1e-9)


def test_an_index_of_one_indicator_varies_with_its_error() -> None:
    made = build_ensemble("a", Node(indicator="a"), NEED, [SamplingError()], standard_errors=ERRORS)
    (got,) = made.scores(np.array([[0.2]]))
    np.testing.assert_array_equal(got, made.noise["a"][1].of(NEED["a"], int(0.2 * 1024)))


class TestRefused:
    def test_values_that_a_mean_does_not_take_before_the_first_run(self) -> None:
        for forms, said in (
            (("arithmetic", "geometric"), "geometric"),
            (("sum", "harmonic"), "harmonic"),
            (("median", {"generalised": {"p": -2}}), "power -2"),
        ):
            with pytest.raises(
                DataError, match=rf"x.one.deep: a {said} mean needs values above 0; .*min_max"
            ):
                make(tree(inner="min_max"), Aggregation(of=forms))

    def test_a_z_score_is_named_as_what_gives_them(self) -> None:
        with pytest.raises(DataError, match="as z_score has -"):
            make(
                tree(),
                Aggregation(of=("sum", "geometric")),
                Normalisation(of=(POSITIVE, "z_score")),
            )

    def test_values_that_only_a_run_shows_are_told_with_its_settings(self) -> None:
        loud = {"a": np.full(N, 50.0)}
        node = tree(inner={"z_score": {"mean": 2}}, form="arithmetic")
        made = make(node, SamplingError(), Aggregation(name="form", of=("arithmetic", "geometric")),
                    standard_errors=loud)  # fmt: skip
        made.ranks(np.array([[0.1, 0.1]]))  # an arithmetic mean takes anything
        u = np.column_stack([(np.arange(16) + 0.5) / 16, np.linspace(0.2, 0.9, 16)])
        with pytest.raises(DataError, match=r"above 0.*; with .*errors 8, form geometric there"):
            made.ranks(u)

    def test_a_slow_form_says_where(self) -> None:
        node = tree(inner="z_score", form="arithmetic")
        made = make(node, Aggregation(form="x.two", of=("mazziotta_pareto", "median")))
        with pytest.raises(DataError, match=r"x\.two: Mazziotta-Pareto index of a mean of"):
            made.ranks(np.array([[0.1]]))

    def test_computed_weights(self) -> None:
        node = tree().model_copy(update={"weigh": "equal"})
        with pytest.raises(DataError, match=r"x computes its weights \('equal'\).*`Scores.tree`"):
            make(node, Aggregation(of=("sum", "arithmetic")))

    def test_a_form_without_weights_of_its_children(self) -> None:
        with pytest.raises(
            DataError, match=r"'ordered' weighs places.*one weight that does not vary"
        ):
            make(tree(), Aggregation(form="x", of=("sum", {"ordered": {"orness": 0.5}})))

    def test_more_ways_than_memory_holds(self, monkeypatch: pytest.MonkeyPatch) -> None:
        from commonweal.index import uncertainty as ensemble

        monkeypatch.setattr(ensemble, "_MOST_ROW_BYTES", 10_000)
        with pytest.raises(DataError, match=r"would take .* GB; expected fewer alternatives"):
            make(tree(), Parameter(setting="transform.high", uniform=(50, 120)))

    def test_settings_that_a_method_refuses(self) -> None:
        for node, setting, law, said in (
            (tree(form="mean_min"), "aggregate.alpha", {"uniform": (0, 2)}, "alpha: 2 found"),
            (tree("exponential"), "transform.scale", {"uniform": (-5, 5)}, "scale: -4.6875 found"),
        ):
            with pytest.raises(DataError, match=said):
                make(node, Parameter(setting=setting, node="x", **law))
