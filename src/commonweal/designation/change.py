"""What would change the answer: how far one domain alone would have to move."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from commonweal.index.transform import BY_RANK

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
        By path of the child, (n_areas,) a rank that suffices; NaN where even the first or the last
        place does not. On a condition on an indicator the child is the node itself.

    Notes
    -----
    All other areas and all other children are held still. An area that moves past others shifts
    each of them by one place, which this leaves out. That is always in its favour, so the rank given
    suffices and one nearer can. By how much follows from what one place is worth to the area at the
    cut-off: with the exponential transform, whose slope is 76 times as steep at the first place as at
    the last, up to some 80 places; by percentiles, one or two.
    """
    path = tested.condition.path
    node = _node(scores.tree, path)
    target = np.where(tested.passes, tested.leave, tested.enter)
    if not node.children:
        return {path: _place(scores.need[path], target, tested.passes, by_rank=False)}
    by_rank = node.transform in BY_RANK
    total = sum(node.weights.values())
    # The weight of missing children is carried by those that are there.
    present = np.zeros(len(target))
    for name, weight in node.weights.items():
        present += weight * ~np.isnan(scores.transformed[f"{path}/{name}"])
    needed: dict[str, NDArray[np.float64]] = {}
    for name, weight in node.weights.items():
        child = f"{path}/{name}"
        x = scores.transformed[child]
        with np.errstate(divide="ignore"):
            share = (weight if node.aggregate == "sum" else weight / total) * (total / present)
        if node.aggregate == "geometric":
            with np.errstate(invalid="ignore", divide="ignore"):
                wanted = x * np.exp(np.log(target / scores.need[path]) / share)
        else:
            wanted = x + (target - scores.need[path]) / share
        needed[child] = _place(x, wanted, tested.passes, by_rank)
    return needed


def _place(
    x: NDArray[np.float64],
    wanted: NDArray[np.float64],
    inside: NDArray[np.bool_],
    by_rank: bool,
) -> NDArray[np.float64]:
    """Find the nearest place that gives an area the value wanted, or takes it below that value.

    Who rises to a place stands just above its present holder, who sinks to it just below.
    """
    ordered = np.sort(x[~np.isnan(x)])[::-1]
    n = len(ordered)
    hair = 1e-12 * np.abs(ordered).max(initial=0.0)  # the value wanted is rounded, its holder's not
    at_least = np.searchsorted(-ordered, -(wanted - hair), side="right")
    above = np.searchsorted(-ordered, -(wanted + hair), side="left")
    # To leave: as low as the first below the value wanted. Who stands between two others' values,
    # not on one by its rank, is there below the last who has just the value wanted.
    leave = at_least + (1 if by_rank else at_least == above)
    # To enter: as high as the last who has it, and above where the area is; ties share a place.
    # A sum of ranks that comes to just the value at the cut-off can be rounded below it.
    now = np.searchsorted(-ordered, -x, side="left")
    enter = np.minimum(above if by_rank else at_least, now)
    if n:
        held = ordered[np.clip(enter, 1, n) - 1]
        first = np.searchsorted(-ordered, -held, side="left") + 1
        enter = np.where(enter < 1, enter, first)
    place = np.where(inside, leave, enter).astype(np.float64)
    impossible = np.isnan(wanted) | np.isnan(x) | (place < 1) | (place > n)
    return np.where(impossible, np.nan, place)


def _node(tree: Node, path: str) -> Node:
    for name in path.split("/")[1:]:
        tree = tree.children[name]
    return tree
