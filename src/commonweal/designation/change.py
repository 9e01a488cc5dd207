"""What would change the answer: how far one domain alone would have to move."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from numpy.typing import NDArray

from commonweal.designation.follow import can_follow, way_of
from commonweal.designation.retest import Field, Parent, Retest
from commonweal.errors import DataError
from commonweal.index.aggregate import RELATIVE
from commonweal.index.methods import name_of
from commonweal.index.scales import unchanged
from commonweal.index.score import entered

if TYPE_CHECKING:
    from commonweal.designation.follow import Ladder
    from commonweal.designation.rule import Tested
    from commonweal.index import Node, Scores
    from commonweal.index.methods import How

__all__ = ["can_tell", "rank_needed"]

Floats: TypeAlias = NDArray[np.float64]
Rows: TypeAlias = NDArray[np.intp]
Bools: TypeAlias = NDArray[np.bool_]

_TRIES = 32
"""Parts of the way at whose ends a score that may turn back on it is tried."""


def can_tell(scores: Scores, path: str) -> bool:
    """Say whether what would change a node can be worked out at all.

    Copeland scores and the benefit of the doubt follow from all other areas, and of a function of
    the user's own nothing is known. Nor is it known what a child was measured against if not its
    own scores. An index that was moved to other areas is a mean of scores: it follows its children
    as one score does only where they are added up. For all else the least change is missing.
    """
    node = _node_at(scores.tree, path)
    if not node.children:
        return True
    if callable(node.aggregate) or name_of(node.aggregate) in RELATIVE:
        return False
    if scores.built is not None:
        return name_of(node.aggregate) in ("sum", "arithmetic")
    return all(
        can_follow(_form(node, name), node.ties) and _is_own_base(scores, f"{path}/{name}", node)
        for name in node.children
    )


def rank_needed(
    scores: Scores, tested: Tested, rows: Rows, groups: Rows | None = None
) -> dict[str, Floats]:
    """Find the rank at which each child of a condition's node, alone, turns the condition.

    Parameters
    ----------
    scores
        The index that the condition is on.
    tested
        The condition, applied.
    rows
        The areas for which to find it.
    groups
        (n_areas,) each area's group, -1 for none, where the condition is counted within groups.

    Returns
    -------
    dict
        By path of the child, (n_areas,) the nearest rank that turns it; NaN where even the first or
        the last does not, in all other rows, and throughout where `can_tell` says no. On a
        condition on an indicator the child is the node itself.

    Notes
    -----
    A rank is one that some area has now. Who rises to it comes to stand just above those that have
    it, who sinks to it just below. All that follows is worked out as `score` would: others make
    way, the ends, the mean and the spread that values are measured by move along, and all scores
    and ranks are new. Weights that were computed from the data stay as they are. So do the areas
    that an index was moved from: there a child's rank is by what it puts into the moved index.

    The nearest rank is found by halving the ranks between the area's own and the first or the last.
    Only a Mazziotta-Pareto score can turn back on that way, as it rises with how uneven a profile
    is: where the end of the way does not do, 31 places on it are tried.
    """
    path = tested.condition.path
    node = _node_at(scores.tree, path)
    paths = {f"{path}/{name}": name for name in node.children} or {path: ""}
    needed = {child: np.full(len(scores.codes), np.nan) for child in paths}
    if not can_tell(scores, path):
        return needed
    x = np.column_stack([(scores.transformed if n else scores.need)[p] for p, n in paths.items()])
    parent = Parent(node, scores.need[path], x, scores.built is not None)
    field = Field.of(scores, tested, groups)
    tries = _TRIES if name_of(node.aggregate) == "mazziotta_pareto" else 1
    for k, (child, name) in enumerate(paths.items()):
        movers = rows[~np.isnan(x[rows, k])]
        if not len(movers):
            continue
        if parent.carried or not name:
            way = way_of(x[:, k], x[:, k], "none", node.ties, unchanged)
        else:
            enter = partial(entered, child, node, codes=scores.codes)
            way = way_of(x[:, k], scores.need[child], _form(node, name), node.ties, enter)
        retest = Retest(tested, parent, k, way, field)
        needed[child][movers] = _nearest(way.ladder, movers, tested.passes[movers], retest, tries)
    return needed


def _nearest(ladder: Ladder, movers: Rows, inside: Bools, retest: Retest, tries: int) -> Floats:
    """Find by halving the nearest place that turns the condition: a lower one for who passes."""
    here = ladder.rung[movers]
    single = ladder.first[here] == ladder.last[here]
    near = np.where(inside, here + single, here - 1)  # who sinks from its equals is below them
    step, end = np.where(inside, 1, -1), np.where(inside, len(ladder.values) - 1, 0)

    def turned(which: Rows, steps: Rows) -> Bools:
        rungs = near[which] + step[which] * steps
        return retest.holds(movers[which], rungs, inside[which]) != inside[which]

    enough, short = (end - near) * step, np.full(len(movers), -1)
    can, rest = np.empty(0, np.intp), np.flatnonzero(enough >= 0)
    whole = enough.copy()
    for part in range(tries, 0, -1):
        enough[rest] = whole[rest] * part // tries
        turns = turned(rest, enough[rest])
        can, rest = np.append(can, rest[turns]), rest[~turns]
    left = can
    while len(left := left[enough[left] - short[left] > 1]):
        middle = (enough[left] + short[left]) // 2
        turns = turned(left, middle)
        enough[left[turns]], short[left[~turns]] = middle[turns], middle[~turns]
    places = np.full(len(movers), np.nan)
    rung = near[can] + step[can] * enough[can]
    places[can] = np.where(inside[can], ladder.last[rung], ladder.first[rung])
    return places


def _form(node: Node, name: str) -> How:
    """Say how a child enters its parent."""
    own = node.children[name].enters_as
    return node.transform if own is None else own


def _is_own_base(scores: Scores, child: str, parent: Node) -> bool:
    """Whether a child is measured against its own scores, not against a base."""
    try:
        alone = entered(child, parent, scores.need[child], codes=scores.codes)
    except DataError:
        return False
    return np.allclose(alone, scores.transformed[child], equal_nan=True)


def _node_at(tree: Node, path: str) -> Node:
    """Give the node of a tree at a slash-joined path that begins with the index."""
    for name in path.split("/")[1:]:
        tree = tree.children[name]
    return tree
