"""What a change of scores is made of: data, method and base; and which indicators drove it."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from math import factorial
from typing import TYPE_CHECKING, Any

import numpy as np

from commonweal.errors import DataError
from commonweal.index.aggregate import RELATIVE
from commonweal.index.methods import name_of
from commonweal.index.panel import BaseYear, base_of
from commonweal.index.score import Base, combined, entered, score

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from commonweal.index.framework import Node
    from commonweal.index.panel import PanelScores
    from commonweal.index.tables import Floats
    from commonweal.indicators import Panel


__all__ = [
    "Change",
    "drivers",
    "split_change",
    "split_years",
]


@dataclass(frozen=True, slots=True)
class Change:
    """A change, split into parts that add up to it.

    Attributes
    ----------
    total
        The new less the old.
    parts
        By factor, what it did: the mean of its effect over every order in which the factors could
        have changed (Shapley's value), so that it does not matter which is said to have come first.
    alone
        By factor, what it would have done with every other as it was.
    """

    total: Floats
    parts: Mapping[str, Floats]
    alone: Mapping[str, Floats]

    @property
    def interaction(self) -> Floats:
        """What the factors did only together: the total less what each would have done alone."""
        together: Floats = self.total - sum(self.alone.values())
        return together


def split_change(build: Callable[..., Floats], **factors: tuple[Any, Any]) -> Change:
    """Say how much of a change comes from each thing that has changed.

    Parameters
    ----------
    build
        Makes an array, such as (n_units,) scores or ranks, from one value of each factor, given by
        name. It is called once for every combination of old and new: 4 times for two factors,
        8 times for three.
    **factors
        By name, the old value and the new one. A factor whose two values are the same object has
        not changed: its part is 0.

    Returns
    -------
    Change

    Notes
    -----
    Source: Shapley (1953), A value for n-person games; as a way to split a change, Shorrocks (2013),
    Journal of Economic Inequality 11, 99-126.

    Examples
    --------
    >>> def build(x, weight):
    ...     return x * weight
    >>> change = split_change(build, x=(np.array([1.0]), np.array([3.0])), weight=(1.0, 2.0))
    >>> change.total, change.parts
    (array([5.]), {'x': array([3.]), 'weight': array([2.])})
    >>> change.alone, change.interaction
    ({'x': array([2.]), 'weight': array([1.])}, array([2.]))
    """
    varied = [name for name, (old, new) in factors.items() if old is not new]
    built: dict[frozenset[str], Floats] = {}
    for size in range(len(varied) + 1):
        for changed in combinations(varied, size):
            values = {name: pair[name in changed] for name, pair in factors.items()}
            built[frozenset(changed)] = np.asarray(build(**values), dtype=np.float64)
    nothing, n = frozenset[str](), len(varied)
    old, new = built[nothing], built[frozenset(varied)]
    parts = {name: np.zeros(old.shape) for name in factors}
    alone = {name: np.zeros(old.shape) for name in factors}
    for name in varied:
        alone[name] = built[frozenset({name})] - old
        for before, value in built.items():
            if name not in before:
                share = factorial(len(before)) * factorial(n - 1 - len(before)) / factorial(n)
                parts[name] = parts[name] + share * (built[before | {name}] - value)
    return Change(new - old, parts, alone)


def split_years(
    index: str,
    panel: Panel,
    years: tuple[int, int],
    trees: Node | tuple[Node, Node],
    bases: tuple[BaseYear, BaseYear] | None = None,
) -> dict[str, Change]:
    """Split the change between two years, at every node, into data, method and base.

    Parameters
    ----------
    index
        Name of the index.
    panel
        Values for every leaf of the trees.
    years
        The earlier and the later year.
    trees
        The framework of both, or of each.
    bases
        What each year is measured against. If not given each is its own base, as when an index is
        published year by year.

    Returns
    -------
    dict
        By path of every node that both trees have, its `Change`, with the parts ``data`` (the
        indicators), ``method`` (tree, transforms, weights that are stated) and ``base`` (what is
        taken from the data of other areas: extremes, means, ranks, computed weights). NaN for an
        area where any of the eight combinations has no score.

    Raises
    ------
    UnknownNameError, DataError
        As in `commonweal.index.panel.score_panel`.
    """
    before, after = trees if isinstance(trees, tuple) else (trees, trees)
    if before == after:
        before = after
    first, last = bases or years
    theirs = {path for path, _ in before.walk(index)}
    paths = [path for path, _ in after.walk(index) if path in theirs]
    fitted: dict[tuple[int, BaseYear], Base] = {}

    def build(data: int, method: Node, base: BaseYear) -> Floats:
        key = (id(method), base)
        if key not in fitted:
            fitted[key] = base_of(index, method, panel, base)
        try:
            need = score(index, method, panel.year(data), fitted[key]).need
        except DataError as error:
            raise DataError(f"{data} on the base {base}: {error}") from None
        return np.stack([need[path] for path in paths])

    change = split_change(
        build, data=years, method=(before, after), base=(first, first if first == last else last)
    )
    return {
        path: Change(
            change.total[at],
            {name: part[at] for name, part in change.parts.items()},
            {name: part[at] for name, part in change.alone.items()},
        )
        for at, path in enumerate(paths)
    }


def drivers(scored: PanelScores, years: tuple[int, int]) -> dict[str, Floats]:
    """Split the change of an index between two years into what each indicator brought about.

    Parameters
    ----------
    scored
        The index on one base.
    years
        The earlier and the later year.

    Returns
    -------
    dict
        By path of every node but the root, (n_areas,) points of the index's score that its
        indicators, or the indicator itself, brought about; those of siblings add up to their
        parent's, those of the root's children to the change of the score. NaN where the score is
        missing in either year or on the way, and for every area where a node's form compares areas
        (``copeland``, ``benefit_of_the_doubt``).

    Notes
    -----
    The indicators are replaced one by one, old by new, in several orders, and each is given the
    mean of what its turn changed. The orders are the listed one and its mirror, each started at
    every indicator in turn, so that each indicator comes first, second and last equally often.
    With three indicators or fewer these are all the orders there are (Shapley's value); where the
    index is a sum, or a mean of straight-line transforms, every order gives the same.
    """
    old, new = (scored.of[year] for year in years)
    nodes = dict(new.tree.walk(scored.index))
    leaves = [path for path, node in nodes.items() if not node.children]
    if leaves == [scored.index]:  # an index of one indicator has nothing below
        return {}
    if any(node.children and name_of(node.aggregate) in RELATIVE for node in nodes.values()):
        return {path: np.full(len(old.codes), np.nan) for path in nodes if path != scored.index}
    # Every order passes through runs of leaves next to each other (the last beside the first), each
    # of them the step before one leaf at either end, and the step after one: so each is built once.
    n, root = len(leaves), scored.index
    each = (new.score - old.score) / n
    parts = {path: np.zeros(len(old.codes)) for path in nodes if path != root}
    for leaf in leaves:
        parts[leaf] += each
    for first in range(n):
        need, transformed = dict(old.need), dict(old.transformed)
        for last in range(first, first + n - 1):
            leaf = leaves[last % n]
            need[leaf], transformed[leaf] = new.need[leaf], new.transformed[leaf]
            _climb(leaf, scored, nodes, need, transformed)
            for at, sign in ((first, 1), (last, 1), (first - 1, -1), (last + 1, -1)):
                parts[leaves[at % n]] += sign / (2 * n) * need[root]
    lost = np.isnan(sum(parts[leaf] for leaf in leaves))
    for leaf in leaves:
        parts[leaf][lost] = np.nan
        above = leaf.rpartition("/")[0]
        while above and above != root:
            parts[above] += parts[leaf]
            above = above.rpartition("/")[0]
    return parts


def _climb(
    path: str,
    scored: PanelScores,
    nodes: Mapping[str, Node],
    need: dict[str, Floats],
    transformed: dict[str, Floats],
) -> None:
    """Compute anew what lies above a node that has been transformed."""
    base, above = scored.fitted, path.rpartition("/")[0]
    codes = scored.of[scored.years[0]].codes
    while True:
        parent = nodes[above]
        x = np.column_stack([transformed[f"{above}/{name}"] for name in parent.children])
        weights = np.array(list(parent.weights.values()))
        need[above] = combined(above, parent, x, weights, weights, base)
        if above == scored.index:
            return
        path, above = above, above.rpartition("/")[0]
        transformed[path] = entered(path, nodes[above], need[path], base.references[path], codes)
