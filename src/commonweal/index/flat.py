"""A tree of weighted means, flattened for the draws: thousands of versions of one index.

The tree is laid out as arrays, children before parents. Each leaf's normalised values are computed
once for each way of normalising; a draw then picks, for each node, which way, which weights and
which form of mean. A compiled kernel goes through the areas in chunks that stay in the cache.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from commonweal.errors import DataError
from commonweal.index.methods import name_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from commonweal.index.framework import Node
    from commonweal.index.rank import Floats

__all__ = ["FORMS", "Flat", "flatten", "score_flat"]

FORMS = {"sum": 0, "arithmetic": 1, "geometric": 2}


@dataclass(frozen=True, slots=True)
class Flat:
    """A tree as arrays.

    Attributes
    ----------
    leaves
        (n_leaves,) paths of the leaves.
    nodes
        (n_nodes,) paths of the other nodes, children before parents; the root is the last.
    starts
        (n_nodes + 1,) where each node's edges begin.
    children
        (n_edges,) what each edge leads to: a leaf below n_leaves, else a node from there on.
    weights
        (n_edges,) stated weights.
    forms
        (n_nodes,) stated forms, as in `FORMS`.
    """

    leaves: tuple[str, ...]
    nodes: tuple[str, ...]
    starts: NDArray[np.int64]
    children: NDArray[np.int64]
    weights: Floats
    forms: NDArray[np.int8]

    def edges(self, path: str) -> slice:
        """Give the edges of a node."""
        at = self.nodes.index(path)
        return slice(int(self.starts[at]), int(self.starts[at + 1]))


def flatten(index: str, tree: Node) -> Flat:
    """Lay a tree out as arrays.

    Raises
    ------
    DataError
        If a node transforms the scores of nodes below it (a rank of domain scores, say): only
        leaves can be normalised once and for all. If a node aggregates in a way not in `FORMS`.
    """
    leaves: list[str] = []
    nodes: list[str] = []
    edges: dict[str, list[str]] = {}
    stated: dict[str, list[float]] = {}
    forms: dict[str, str] = {}

    def visit(path: str, node: Node) -> None:
        for name, child in node.children.items():
            below = f"{path}/{name}"
            if child.indicator is not None:
                leaves.append(below)
                continue
            if node.transform != "none":
                raise DataError(
                    f"{path.replace('/', '.')} transforms the scores of the nodes below it "
                    f"({node.transform}); expected 'none' above the indicators"
                )
            visit(below, child)
        nodes.append(path)
        edges[path] = [f"{path}/{name}" for name in node.children]
        stated[path] = list(node.weights.values())
        form = name_of(node.aggregate)
        if form not in FORMS or callable(node.aggregate):
            raise DataError(
                f"{path.replace('/', '.')} aggregates by '{form}'; expected one of: {', '.join(FORMS)}"
            )
        forms[path] = form

    visit(index, tree)
    position = {path: i for i, path in enumerate([*leaves, *nodes])}
    counts = [len(edges[p]) for p in nodes]
    return Flat(
        tuple(leaves),
        tuple(nodes),
        np.concatenate([[0], np.cumsum(counts)]).astype(np.int64),
        np.array([position[c] for p in nodes for c in edges[p]], dtype=np.int64),
        np.array([w for p in nodes for w in stated[p]]),
        np.array([FORMS[forms[p]] for p in nodes], dtype=np.int8),
    )


def score_flat(
    flat: Flat,
    options: Floats,
    logs: Floats | None,
    picks: NDArray[np.intp],
    weights: Mapping[str, Floats],
    forms: Mapping[str, NDArray[np.int8]],
    out: Floats,
    *,
    exact: bool = True,
) -> None:
    """Score one block of draws.

    Parameters
    ----------
    flat
        The tree.
    options
        (n_options, n_leaves, n_areas) normalised need, higher = more, nothing missing; one layer a
        way of normalising.
    logs
        Its logarithm; None if no form is geometric.
    picks
        (n_draws, n_leaves) which layer each leaf takes in each draw.
    weights
        By node path, (n_draws, n_children) weights; nodes left out keep theirs.
    forms
        By node path, (n_draws,) forms, as in `FORMS`; nodes left out keep theirs.
    out
        (n_draws, n_areas), filled with the scores.
    exact
        False if only ranks are wanted: a geometric root then gives its logarithm.

    Raises
    ------
    DataError
        If a form is geometric and there are no logarithms.
    """
    from commonweal.index.flat_kernel import score_rows

    n_draws = len(picks)
    w = np.tile(flat.weights, (n_draws, 1))
    for path, drawn in weights.items():
        w[:, flat.edges(path)] = drawn
    f = np.tile(flat.forms, (n_draws, 1))
    for path, drawn_forms in forms.items():
        f[:, flat.nodes.index(path)] = drawn_forms
    if logs is None:
        if (f == FORMS["geometric"]).any():
            raise DataError("a geometric mean needs values above 0; normalise to such values")
        logs = options
    score_rows(options, logs, picks, flat.starts, flat.children, w, f, out, exact)
