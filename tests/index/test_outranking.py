"""Outranking and Copeland: COINr's values, where ours differ and why, and what must hold."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from commonweal.errors import DataError
from commonweal.index.outrank import copeland, outranking_matrix

from . import golden

ROUNDING = (
    "differs: pairs whose votes are exactly even; COINr decides them by the rounding of a sum, "
    "ours count them for neither"
)
GAPS = (
    "differs: pairs that lack a child; COINr divides by the weight of all children and gives the "
    "rest to the unit that comes later, so that the order of units matters; ours go by the "
    "children that both have"
)
golden.CHECKED.update(
    {
        "agg_outrank_matrix.csv": "matched",
        "agg_cA_copeland_wrapped.csv": ROUNDING,
        "agg_cN_copeland_wrapped.csv": GAPS,
        "edge_copeland.csv": GAPS,
    }
)


def unequal() -> dict[str, float]:
    file = "agg_weights_unequal.csv"
    return dict(zip(golden.texts(file, "iCode"), golden.numbers(file, "Weight"), strict=True))


def as_coinr(x: np.ndarray, w: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """COINr's own rule: votes over the weight of all, and the lower triangle as what is left."""
    w = (w / w.sum()).astype(np.longdouble)
    n = len(x)
    share = np.zeros((n, n), dtype=np.longdouble)
    for column, weight in zip(x.T, w, strict=True):
        share += weight * ((column[:, None] > column) + 0.5 * (column[:, None] == column))
    lower = np.tril_indices(n, -1)
    share[lower] = 1 - share.T[lower]
    np.fill_diagonal(share, 0)
    share = share.astype(float)
    net = (share > 0.5).sum(axis=1) - (share < 0.5).sum(axis=1) + 1.0
    return share, net


def loop(x: np.ndarray, w: np.ndarray) -> np.ndarray:
    """Copeland scores as defined, pair by pair."""
    scores = np.zeros(len(x))
    for i, a in enumerate(x):
        for b in x:
            lead = w[a > b].sum() - w[a < b].sum()
            scores[i] += np.sign(lead) if abs(lead) > 1e-9 * w.sum() else 0
    scores[np.isnan(x).all(axis=1)] = np.nan
    return scores


def test_the_matrix_is_coinrs() -> None:
    x = golden.matrix("agg_input_cA.csv", golden.names())
    w = np.resize([1.0, 2.0], x.shape[1])  # COINr was given 1, 2, 1, 2 and so on
    golden.agrees(outranking_matrix(x, w), golden.matrix("agg_outrank_matrix.csv"))


@pytest.mark.parametrize("case", ["cA", "cN"])
def test_copeland_differs_from_coinrs_only_where_said(case: str) -> None:
    file, w, parent = f"agg_{case}_copeland_wrapped.csv", unequal(), golden.meta("Parent")
    values = {name: golden.numbers(file, name) for name in golden.columns(file)}
    n_even, n_other = 0, 0
    for node in (n for at in (2, 3, 4) for n in golden.level(at)):
        below = [c for c in parent if parent[c] == node]
        # Each node from COINr's own children, so that differences do not add up.
        x, own = np.column_stack([values[c] for c in below]), np.array([w[c] for c in below])
        ours, theirs = copeland(x, own), values[node]
        share = outranking_matrix(x, own)
        even = (np.abs(share - 0.5) < 1e-9).sum(axis=1)
        gaps = np.isnan(x).any(axis=1)
        clear = (even == 0) & ~gaps & (~gaps.any() | ~np.isnan(x).any())
        golden.agrees(ours[clear], theirs[clear])
        apart = np.abs(ours - theirs)
        assert (apart <= even + np.where(gaps, 2 * len(x), 2 * gaps.sum())).all()
        n_even += np.count_nonzero(apart)
        n_other += np.count_nonzero((apart > 0) & (even == 0))
    assert n_even > 0
    assert (n_other > 0) == (case == "cN")


def test_small_table_with_a_gap() -> None:
    x = golden.matrix("edge_copeland.csv", ["b", "c"])
    x = np.column_stack([golden.numbers("edge_copeland.csv", "a"), x])
    for column, w in (("equal", [1.0, 1.0, 1.0]), ("w321", [3.0, 2.0, 1.0])):
        theirs = golden.numbers("edge_copeland.csv", column)
        golden.agrees(as_coinr(x, np.array(w))[1], theirs)
        golden.agrees(copeland(x, w), loop(x, np.array(w)))
    # With equal weights the gap's vote went to the last unit; on b and c alone it has 1 of 2 there.
    assert golden.numbers("edge_copeland.csv", "equal")[3] != copeland(x)[3]
    # In the peer's the order of units matters, in ours it does not.
    turned = x[::-1]
    assert (as_coinr(turned, np.ones(3))[1][::-1] != as_coinr(x, np.ones(3))[1]).any()
    np.testing.assert_array_equal(copeland(turned)[::-1], copeland(x))


TABLE = arrays(np.float64, (9, 4), elements=st.sampled_from([0.0, 1.0, 2.0, 3.0, np.nan]))
WEIGHTS = arrays(np.float64, 4, elements=st.sampled_from([0.1, 0.2, 0.3, 1.0]))


@settings(max_examples=60)
@given(TABLE, WEIGHTS, st.permutations(range(9)))
def test_votes_of_a_pair_add_up_and_order_does_not_matter(
    x: np.ndarray, w: np.ndarray, order: list[int]
) -> None:
    share, scores = outranking_matrix(x, w), copeland(x, w)
    pair = share + share.T
    off = ~np.eye(9, dtype=bool)
    assert (np.isnan(pair[off]) | (np.abs(pair[off] - 1) < 1e-12)).all()
    np.testing.assert_array_equal(scores, loop(x, w))
    np.testing.assert_array_equal(copeland(x[order], w), scores[order])
    np.testing.assert_array_equal(copeland(x, 3 * w), scores)
    np.testing.assert_array_equal(copeland(np.exp(x), w), scores)  # only the order of values counts


def test_more_units_than_a_block_on_any_number_of_threads() -> None:
    x = np.random.default_rng(1).normal(size=(2500, 3)).round(1)
    w = np.array([0.5, 0.3, 0.2])
    scores = copeland(x, w, workers=1)
    np.testing.assert_array_equal(copeland(x, w, workers=3), scores)
    some = [0, 3, 2499]
    for i in some:
        lead = (np.sign(x[i] - x) * w).sum(axis=1)
        assert scores[i] == (lead > 1e-9).sum() - (lead < -1e-9).sum()
    assert scores.sum() == 0


def test_wrong_weights_are_errors() -> None:
    with pytest.raises(DataError, match="weights: 1 found; expected 2"):
        copeland(np.ones((2, 2)), [1.0])
    with pytest.raises(DataError, match="every weight is 0"):
        outranking_matrix(np.ones((2, 2)), [0.0, 0.0])
