"""What would change the answer: how far one domain alone would have to move."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from commonweal.index.aggregate import ADDITIVE, RELATIVE, aggregate
from commonweal.index.by_rank import BY_RANK
from commonweal.index.methods import name_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from commonweal.designation.designation import Tested
    from commonweal.index import Node, Scores

__all__ = ["can_tell", "node_at", "rank_needed"]

_STEPS = 56
"""Halvings of the range of a child until its value is known to a float's precision."""


def can_tell(node: Node) -> bool:
    """Say whether what would change a node can be worked out at all.

    Copeland scores and the benefit of the doubt follow from all other areas, and of a function of
    the user's own nothing is known: none is worked out, and the least change is missing for all.
    """
    return not callable(node.aggregate) and name_of(node.aggregate) not in RELATIVE


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
        place does not, and throughout where `can_tell` says no. On a condition on an indicator the
        child is the node itself.

    Notes
    -----
    All other areas and all other children are held still. An area that moves past others shifts
    each of them by one place, which this leaves out. That is always in its favour, so the rank given
    suffices and one nearer can. By how much follows from what one place is worth to the area at the
    cut-off: with the exponential transform, whose slope is 76 times as steep at the first place as at
    the last, up to some 80 places; by percentiles, one or two.

    For a sum, an arithmetic and a geometric mean the value wanted is solved for; for other forms it
    is found by halving the range between the area's value and the first or the last place's. Only
    a Mazziotta-Pareto index can turn back on that way, far from the mean; a turn that the end of the
    range does not have is not found.
    """
    path = tested.condition.path
    node = node_at(scores.tree, path)
    target = np.where(tested.passes, tested.leave, tested.enter)
    if not node.children:
        return {path: _place(scores.need[path], target, tested.passes, by_rank=False)}
    if name_of(node.aggregate) in ADDITIVE and can_tell(node):
        wanted = _solved(scores, path, node, target)
    elif can_tell(node):
        wanted = _searched(scores, path, node, target, tested.passes)
    else:
        nothing = np.full(len(target), np.nan)
        wanted = {f"{path}/{name}": nothing for name in node.children}
    return {
        f"{path}/{name}": _place(
            scores.transformed[f"{path}/{name}"],
            wanted[f"{path}/{name}"],
            tested.passes,
            name_of(node.transform if child.enters_as is None else child.enters_as) in BY_RANK,
        )
        for name, child in node.children.items()
    }


def _solved(
    scores: Scores, path: str, node: Node, target: NDArray[np.float64]
) -> dict[str, NDArray[np.float64]]:
    """Solve for the value of each child at which the node's score is the target."""
    total = sum(node.weights.values())
    # The weight of missing children is carried by those that are there.
    present = np.zeros(len(target))
    for name, weight in node.weights.items():
        present += weight * ~np.isnan(scores.transformed[f"{path}/{name}"])
    wanted: dict[str, NDArray[np.float64]] = {}
    for name, weight in node.weights.items():
        child = f"{path}/{name}"
        x = scores.transformed[child]
        with np.errstate(divide="ignore", invalid="ignore"):
            share = (weight if node.aggregate == "sum" else weight / total) * (total / present)
            if node.aggregate == "geometric":
                wanted[child] = x * np.exp(np.log(target / scores.need[path]) / share)
            else:
                wanted[child] = x + (target - scores.need[path]) / share
    return wanted


def _searched(
    scores: Scores,
    path: str,
    node: Node,
    target: NDArray[np.float64],
    inside: NDArray[np.bool_],
) -> dict[str, NDArray[np.float64]]:
    """Find the least value of each child at which the node's score reaches the target."""
    children = [f"{path}/{name}" for name in node.children]
    values = np.column_stack([scores.transformed[child] for child in children])
    weights = np.array(list(node.weights.values()))

    def reaches(at: int, value: NDArray[np.float64]) -> NDArray[np.bool_]:
        x = values.copy()
        x[:, at] = np.where(np.isnan(values[:, at]), np.nan, value)
        return aggregate(x, weights, node.aggregate, 0.0) >= target

    wanted: dict[str, NDArray[np.float64]] = {}
    for at, child in enumerate(children):
        x = values[:, at]
        if np.isnan(x).all():
            wanted[child] = x
            continue
        low = np.where(inside, np.nanmin(x), x)
        high = np.where(inside, x, np.nanmax(x))
        never, always = ~reaches(at, high), reaches(at, low)
        for _ in range(_STEPS):
            middle = low + (high - low) / 2
            reached = reaches(at, middle)
            low, high = np.where(reached, low, middle), np.where(reached, middle, high)
        wanted[child] = np.where(never, np.inf, np.where(always, -np.inf, high))
    return wanted


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


def node_at(tree: Node, path: str) -> Node:
    """Give the node of a tree at a slash-joined path that begins with the index."""
    for name in path.split("/")[1:]:
        tree = tree.children[name]
    return tree
