"""What would change the answer: how far one domain alone would have to move."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from commonweal.designation.designation import Tested
    from commonweal.index import Node, Scores

__all__ = ["rank_needed"]


def rank_needed(scores: Scores, tested: Tested) -> dict[str, NDArray[np.float64]]:
    """Find the rank at which each child of a condition's node, alone, would turn the condition.

    Parameters
    ----------
    scores
        The index that the condition is on.
    tested
        The condition, applied.

    Returns
    -------
    dict
        By path of the child, (n_areas,) the nearest rank that suffices; NaN where even the first
        or the last place does not. On a condition on an indicator the child is the node itself.

    Notes
    -----
    All other areas and all other children are held still. An area that moves past others shifts
    each of them by one place, which this leaves out: near the cut-off the true answer can differ
    by a few places.
    """
    path = tested.condition.path
    node = _node(scores.tree, path)
    target = np.where(tested.passes, tested.leave, tested.enter)
    if not node.children:
        return {path: _place(scores.need[path], target, tested.passes)}
    total = sum(node.weights.values())
    needed: dict[str, NDArray[np.float64]] = {}
    for name, weight in node.weights.items():
        child = f"{path}/{name}"
        x = scores.transformed[child]
        share = weight if node.aggregate == "sum" else weight / total
        if node.aggregate == "geometric":
            with np.errstate(invalid="ignore", divide="ignore"):
                wanted = x * np.exp(np.log(target / scores.need[path]) / share)
        else:
            wanted = x + (target - scores.need[path]) / share
        needed[child] = _place(x, wanted, tested.passes)
    return needed


def _place(
    x: NDArray[np.float64], wanted: NDArray[np.float64], inside: NDArray[np.bool_]
) -> NDArray[np.float64]:
    """Find the nearest place whose present holder has the value wanted, or beyond it."""
    ordered = np.sort(x[~np.isnan(x)])[::-1]
    n = len(ordered)
    at_least = np.searchsorted(-ordered, -wanted, side="right").astype(np.float64)
    # Enter: the last place with at least the value wanted. Leave: the first place below it.
    place = np.where(inside, at_least + 1, at_least)
    impossible = np.isnan(wanted) | np.isnan(x) | (place < 1) | (place > n)
    return np.where(impossible, np.nan, place)


def _node(tree: Node, path: str) -> Node:
    for name in path.split("/")[1:]:
        tree = tree.children[name]
    return tree
