from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from commonweal.errors import DataError
from commonweal.index.flat import FORMS, flatten, score_flat
from commonweal.index.framework import Node
from commonweal.index.kernels import rank_rows
from commonweal.index.rank import rank
from commonweal.index.score import score_tree

from . import golden

golden.CHECKED |= {
    "timing/ref33755_ua_scores_first3.csv.gz": "matched",
    "timing/ref33755_ua_rankstats.csv.gz": "matched",
}


def timing_index() -> tuple[Node, dict[str, np.ndarray]]:
    """The timing input of the peer: 28 indicators in 3 domains, turned so that higher is more."""
    meta = golden.rows("timing/timing_iMeta.csv")
    children: dict[str, Any] = {}
    for domain in (m for m in meta if m["Type"] == "Aggregate" and m["Level"] == "2"):
        inside = [m for m in meta if m["Parent"] == domain["iCode"]]
        leaves = {
            m["iCode"]: {"weight": float(m["Weight"]), "indicator": m["iCode"]} for m in inside
        }
        children[domain["iCode"]] = {
            "weight": float(domain["Weight"]),
            "aggregate": "arithmetic",
            "transform": "min_max",
            "children": leaves,
        }
    tree = Node.model_validate(
        {"transform": "none", "aggregate": "arithmetic", "children": children}
    )
    need = {
        m["iCode"]: golden.numbers("timing/timing_iData_33755.csv.gz", m["iCode"])
        * float(m["Direction"])
        for m in meta
        if m["Type"] == "Indicator"
    }
    return tree, need


def test_a_hundred_draws_of_the_peer_come_out_the_same_for_all_33755_units() -> None:
    tree, need = timing_index()
    flat = flatten("Index", tree)
    x = np.array([need[leaf.rsplit("/", 1)[-1]] for leaf in flat.leaves])
    low, high = x.min(axis=1, keepdims=True), x.max(axis=1, keepdims=True)
    mean, sd = x.mean(axis=1, keepdims=True), x.std(axis=1, ddof=1, keepdims=True)
    ascending = np.array([len(v) + 1 - rank(v, "max") for v in x])
    options = np.array([1 + 99 * (x - low) / (high - low), 100 + 5 * (x - mean) / sd, ascending])

    picked = {
        what: golden.numbers("timing/ref33755_ua_design.csv.gz", f"pick_{what}").astype(int)
        for what in ("Normalisation", "Weights", "Aggregation")
    }
    sets = golden.rows("timing/ref33755_ua_noisy_weights.csv.gz")
    drawn = {row["iCode"]: [float(row[f"w{k}"]) for k in picked["Weights"]] for row in sets}
    nodes = dict(tree.walk("Index"))
    weights = {p: np.array([drawn[c] for c in nodes[p].children]).T for p in flat.nodes}
    forms = {
        p: picked["Aggregation"].astype(np.int8) for p in flat.nodes
    }  # 1 arithmetic, 2 geometric
    picks = np.repeat(picked["Normalisation"][:, None] - 1, len(flat.leaves), axis=1)

    scores = np.empty((100, x.shape[1]))
    score_flat(flat, options, np.log(options), picks, weights, forms, scores)
    ranks = np.empty(scores.shape, np.int32)
    rank_rows(scores, ranks)

    name = "timing/ref33755_ua_scores_first3.csv.gz"
    golden.agrees(scores[:3].T, golden.matrix(name, ["r_1", "r_2", "r_3"]), relative=1e-12)
    name = "timing/ref33755_ua_rankstats.csv.gz"
    quantiles = np.quantile(ranks, [0.05, 0.5, 0.95], axis=0)
    golden.agrees(ranks.mean(axis=0), golden.numbers(name, "Mean"))
    golden.agrees(quantiles.T, golden.matrix(name, ["Q5", "Median", "Q95"]))


def three_levels(form: str, top: str) -> Node:
    leaf = {n: {"indicator": n, "weight": w} for n, w in (("a", 1.0), ("b", 2.0))}
    inner = {"aggregate": form, "transform": "min_max", "children": leaf, "weight": 3.0}
    other = {"indicator": "c", "weight": 0.5}
    outer = {"aggregate": form, "transform": "none", "children": {"inner": inner}, "weight": 1.5}
    side = {"aggregate": "sum", "transform": "min_max", "children": {"c": other}}
    return Node.model_validate(
        {"aggregate": top, "transform": "none", "children": {"outer": outer, "side": side}}
    )


@pytest.mark.parametrize("form", list(FORMS))
@pytest.mark.parametrize("top", list(FORMS))
@given(seed=st.integers(0, 2**32 - 1))
@settings(max_examples=10, deadline=None)
def test_a_flat_tree_gives_what_the_tree_gives(form: str, top: str, seed: int) -> None:
    rng = np.random.default_rng(seed)
    tree = three_levels(form, top)
    flat = flatten("i", tree)
    x = rng.uniform(1, 100, (len(flat.leaves), 700))
    out, logs = np.empty((2, 700)), np.empty((2, 700))
    weights = {"i/outer/inner": rng.uniform(0.1, 2, (2, 2))}
    picks = np.zeros((2, len(flat.leaves)), dtype=np.intp)
    score_flat(flat, x[None], np.log(x)[None], picks, weights, {}, out)
    score_flat(flat, x[None], np.log(x)[None], picks, weights, {}, logs, exact=False)

    # The tree's own way, with values that are already normalised.
    plain = tree.model_copy(
        update={"children": {n: _untransformed(c) for n, c in tree.children.items()}}
    )
    values = {leaf.rsplit("/", 1)[-1]: v for leaf, v in zip(flat.leaves, x, strict=True)}
    for d in range(2):
        need, _ = score_tree("i", plain, values.__getitem__, {p: w[d] for p, w in weights.items()})
        np.testing.assert_allclose(out[d], need["i"], rtol=1e-11)  # a tree's scores are settled
    if top == "geometric":  # its logarithm has the same ranks, and no root to take
        np.testing.assert_allclose(logs, np.log(out), rtol=1e-11)
    ranks = np.empty((2, 2, 700), np.int32)
    rank_rows(out, ranks[0])
    rank_rows(logs, ranks[1])
    assert (ranks[0] == ranks[1]).all()


def _untransformed(node: Node) -> Node:
    if node.indicator is not None:
        return node
    children = {n: _untransformed(c) for n, c in node.children.items()}
    return node.model_copy(update={"transform": "none", "children": children})


def test_a_tree_that_ranks_its_domains_cannot_be_flattened() -> None:
    inner = {"children": {"a": {"indicator": "a"}}}
    tree = Node.model_validate({"children": {"domain": inner}, "transform": "exponential"})
    with pytest.raises(
        DataError, match=r"i transforms the scores of the nodes below it \(exponential\)"
    ):
        flatten("i", tree)


def test_sums_and_means_need_no_logarithms() -> None:
    leaves = {"a": {"indicator": "a", "weight": 1.0}, "b": {"indicator": "b", "weight": 3.0}}
    flat = flatten("i", Node.model_validate({"transform": "none", "children": leaves}))
    x, out = np.array([[[-2.0, 0.0, 4.0], [2.0, 0.0, 8.0]]]), np.empty((2, 3))
    forms = {"i": np.array([FORMS["sum"], FORMS["arithmetic"]], dtype=np.int8)}
    score_flat(flat, x, None, np.zeros((2, 2), np.intp), {}, forms, out)
    np.testing.assert_array_equal(out, [[4, 0, 28], [1, 0, 7]])


def test_a_geometric_form_without_logarithms_is_refused() -> None:
    flat = flatten(
        "i", Node.model_validate({"transform": "none", "children": {"a": {"indicator": "a"}}})
    )
    forms = {"i": np.array([FORMS["geometric"]], dtype=np.int8)}
    with pytest.raises(DataError, match="geometric mean needs values above 0"):
        score_flat(
            flat, np.ones((1, 1, 3)), None, np.zeros((1, 1), np.intp), {}, forms, np.empty((1, 3))
        )
