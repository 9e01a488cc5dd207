"""An index computed: every node of its tree, on its own or against a fixed base."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from commonweal.errors import DataError
from commonweal.index.aggregate import aggregate
from commonweal.index.framework import STATED, with_weights
from commonweal.index.importance import WEIGHINGS
from commonweal.index.methods import MethodSpec, function_of, name_of, settings_of
from commonweal.index.normalise import NORMALISERS, takes_base, turned
from commonweal.index.rank_transforms import BY_RANK
from commonweal.index.scales import distance_to_reference
from commonweal.index.scores import Scores
from commonweal.index.tables import column, keys, lookup, table

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from numpy.typing import ArrayLike

    from commonweal.index.framework import Node
    from commonweal.index.rank import TieRule
    from commonweal.index.tables import Floats, Matrix, WeightsLike
    from commonweal.indicators import Indicators

__all__ = ["Base", "fit_base", "score", "score_tree"]


@dataclass(frozen=True, slots=True)
class Base:
    """What scores are measured against: an index in one year, or in several together.

    Scores on one base are comparable: least, greatest, mean, ranks and computed weights are the
    base's, so a score changes only where the area itself does.

    Attributes
    ----------
    references
        By node path except the root's, (n_years, n_areas) the need that its transform is fitted to:
        the node's own, or that of the indicators that it states as its `base`.
    transformed
        By node path except the root's, (n_years, n_areas) the value that entered the parent.
    weights
        By path of the nodes that compute them, (n_children,) weights.
    """

    references: Mapping[str, Floats]
    transformed: Mapping[str, Floats]
    weights: Mapping[str, Floats]


def score(index: str, tree: Node, indicators: Indicators, base: Base | None = None) -> Scores:
    """Combine indicators up a tree.

    Each leaf is its indicator turned so that higher = more need. At each node the children are
    transformed, weighted and aggregated as the node says.

    Parameters
    ----------
    index
        Name of the index.
    tree
        The framework: any depth, any method at each node.
    indicators
        Values for every leaf of the tree.
    base
        What they are measured against (see `fit_base`); each other if not given.

    Returns
    -------
    Scores

    Raises
    ------
    UnknownNameError
        If a leaf's indicator, one of its base or a reference area is not there.
    DataError
        If a base counts the other way round than its leaf, a node cannot be computed (a z-score of
        a constant, a geometric mean of zero), or no area has a score.
    """
    tree = in_need(tree, indicators, index)
    need, transformed, computed, _ = _visit(
        index, tree, indicators.need, codes=indicators.codes, base=base
    )
    if computed:
        tree = with_weights(tree, index, computed)
    if np.isnan(need[index]).all():
        gaps = ", ".join(f"{k} {v:,}" for k, v in indicators.missing.items() if v)
        why = f"missing values by indicator: {gaps}"
        if not gaps:
            why = "no value is missing: one area alone, or constants taken as missing, have none"
        raise DataError(f"index {index}: no area has a score; {why}")
    return Scores(index, indicators.system, indicators.codes, tree, need, transformed)


def fit_base(index: str, tree: Node, years: Sequence[Indicators]) -> Base:
    """Fit the transforms and weights of a tree to one year, or to several together.

    Parameters
    ----------
    index, tree
        As in `score`.
    years
        Values for every leaf of the tree, over the same areas in each year.

    Returns
    -------
    Base
        For `score`: the year that it was fitted to has the scores that it has without one.

    Raises
    ------
    UnknownNameError, DataError
        As in `score`.
    """
    shape = (len(years), len(years[0].codes))

    def leaf(name: str) -> Floats:
        return np.concatenate([year.need(name) for year in years])

    tree = in_need(tree, years[0], index)
    _, transformed, computed, references = _visit(
        index, tree, leaf, codes=years[0].codes, n_years=len(years)
    )
    entered_as = {path: x.reshape(shape) for path, x in transformed.items()}
    return Base(references, entered_as, computed)


def score_tree(
    index: str,
    tree: Node,
    leaf: Callable[[str], Floats] | Mapping[str, ArrayLike] | Matrix,
    weights: Mapping[str, WeightsLike] | None = None,
    forms: Mapping[str, MethodSpec] | None = None,
    codes: Sequence[str] | None = None,
) -> tuple[dict[str, Floats], dict[str, Floats]]:
    """Compute every node of a tree, children first.

    Parameters
    ----------
    index, tree
        As in `score`. Bounds and targets are those of need: `score` turns them for indicators of
        which less is more need, and gives a tree in which they are (`Scores.tree`).
    leaf
        (n_areas,) need of each indicator: by name, as a frame with a column each, or as a function
        of its name.
    weights
        By node path, (n_children,) weights to use in place of the tree's.
    forms
        By node path, the aggregate to use in place of the tree's.
    codes
        (n_areas,) codes, for a distance to a reference area and for messages; those of the frame,
        if not given.

    Returns
    -------
    tuple of dict
        Need by path of every node, and transformed need by path of every node but the root.

    Raises
    ------
    UnknownNameError
        If an indicator is not there, `weights` or `forms` name a node that is not, or one is
        aggregated in a way that there is not.
    DataError
        If need is no numbers, or a node cannot be computed.
    """
    parents = [path for path, node in tree.walk(index) if node.children]
    keys(weights or {}, parents, "node", " (with weights)")
    keys(forms or {}, parents, "node", " (with a form)")
    if not callable(leaf):
        leaf, codes = lookup(leaf, codes)
    return _visit(index, tree, leaf, weights, forms, codes)[:2]


# Wide: score, base_of and score_tree each say a part of it, and leave the rest.
def _visit(
    index: str,
    tree: Node,
    leaf: Callable[[str], Floats],
    weights: Mapping[str, WeightsLike] | None = None,
    forms: Mapping[str, MethodSpec] | None = None,
    codes: Sequence[str] | None = None,
    base: Base | None = None,
    n_years: int = 1,
) -> tuple[dict[str, Floats], dict[str, Floats], dict[str, Floats], dict[str, Floats]]:
    """Give what `score_tree` does, the weights that were computed, and what transforms are fitted to.

    With several years, one after the other in each leaf, they are their own base.
    """
    need: dict[str, Floats] = {}
    transformed: dict[str, Floats] = {}
    computed: dict[str, Floats] = {}
    references: dict[str, Floats] = {}

    def n_areas() -> int | None:
        return len(next(iter(need.values()))) if need else None

    def visit(path: str, node: Node) -> Floats:
        if node.indicator is not None:
            with _named(path):
                need[path] = column(leaf(node.indicator), "need", n_areas(), per="area")
                if not len(need[path]):
                    raise DataError("need of no areas; expected at least one")
            return need[path]
        for name, child in node.children.items():
            below = f"{path}/{name}"
            value = visit(below, child)
            if base is not None:
                reference = base.references[below]
            else:
                own = [leaf(indicator) for indicator in child.base] or [value]
                whole = own[0] if len(own) == 1 else np.concatenate(own)  # no copy without need
                reference = whole.reshape(-1, len(value) // n_years)
            references[below] = reference
            alone = base is None and not child.base and n_years == 1
            transformed[below] = entered(below, node, value, None if alone else reference, codes)
        x = np.array([transformed[f"{path}/{name}"] for name in node.children]).T
        form = (forms or {}).get(path, node.aggregate)
        stated = np.array(list(node.weights.values()))
        if node.weigh != STATED:
            with _named(path):
                stated = _weights(x, node, form) if base is None else base.weights[path]
            computed[path] = stated
        w = (weights or {}).get(path, stated)
        formed = node if form == node.aggregate else node.model_copy(update={"aggregate": form})
        need[path] = combined(path, formed, x, w, stated, base, codes)
        return need[path]

    visit(index, tree)
    # Parents first, as `Node.walk` gives them.
    return {p: need[p] for p, _ in tree.walk(index)}, transformed, computed, references


def entered(
    path: str,
    parent: Node,
    need: Floats,
    reference: Floats | None = None,
    codes: Sequence[str] | None = None,
) -> Floats:
    """Transform one child as its parent says, fitted to `reference` (need of these areas, or of all years) if given."""
    child = parent.children[path.rpartition("/")[2]]
    how = parent.transform if child.enters_as is None else child.enters_as
    with _named(path):
        return transformed_need(need, how, parent.ties, reference, codes)


def transformed_need(
    need: Floats,
    how: MethodSpec,
    ties: TieRule,
    reference: Floats | None = None,
    codes: Sequence[str] | None = None,
) -> Floats:
    """Give need as it enters a parent by some way; the rest as in `entered`."""
    more: dict[str, Any] = {}
    function = how if callable(how) else NORMALISERS[name_of(how)]
    if reference is not None and takes_base(function):
        more["reference"] = reference
    if function is distance_to_reference:
        more["units"] = codes
    if not callable(how) and (name := name_of(how)) in BY_RANK:
        # Of a rank in need, as everywhere in an index, the first place is the most.
        more |= {"ties": ties} | ({} if name == "exponential" else {"from_top": True})
    found = function_of(how, NORMALISERS)(need, **more)
    return column(found, f"what {name_of(how)} gives", len(need), per="area")


def combined(
    path: str,
    node: Node,
    x: Floats,
    weights: WeightsLike,
    stated: Floats,
    base: Base | None = None,
    codes: Sequence[str] | None = None,
) -> Floats:
    """Aggregate the transformed children of one node."""
    others = None
    if base is not None:
        others = np.column_stack([base.transformed[f"{path}/{c}"].ravel() for c in node.children])
    with _named(path):
        children = table(x, list(node.children), what="child")
        return aggregate(
            replace(children, units=codes), weights, node.aggregate, node.available, stated, others
        )


@contextmanager
def _named(path: str) -> Iterator[None]:
    try:
        yield
    except DataError as error:
        raise DataError(f"{path.replace('/', '.')}: {error}") from None


def in_need(tree: Node, indicators: Indicators, index: str) -> Node:
    """Turn the bounds and targets of indicators of which less is more need."""
    signs = {m.name: -1.0 if m.higher_is == "less" else 1.0 for m in indicators.meta}
    for path, node in tree.walk(index):
        for name in node.base:
            indicators.column(name)
            if signs[name] != signs.get(node.indicator or "", signs[name]):
                raise DataError(
                    f"{path.replace('/', '.')}: its base {name} is turned the other way; "
                    "expected the same 'higher_is'"
                )
    return _in_need(tree, signs)


def _weights(x: Floats, node: Node, form: MethodSpec) -> Floats:
    """Compute the weights of a node's children."""
    function = function_of(node.weigh, WEIGHINGS)
    if callable(node.weigh):
        return np.asarray(function(x), dtype=np.float64)
    more: dict[str, Any] = {"names": list(node.children)}
    if name_of(node.weigh) == "importance" and form not in ("sum", "arithmetic"):
        more["build"] = lambda w: aggregate(x, w, form, node.available)
    found: Floats = function(x, **more)
    return found


def _in_need(tree: Node, signs: Mapping[str, float]) -> Node:
    """Turn the bounds and targets of indicators of which less is more need."""

    def visit(node: Node, parent: Node | None) -> Node:
        if node.children:
            children = {name: visit(child, node) for name, child in node.children.items()}
            if all(children[name] is child for name, child in node.children.items()):
                return node
            return node.model_copy(update={"children": children})
        if parent is None or signs.get(node.indicator or "", 1.0) == 1.0:
            return node
        how = parent.transform if node.enters_as is None else node.enters_as
        given = settings_of(how)
        if (own := turned(given, -1.0)) == given:
            return node
        return node.model_copy(update={"enters_as": {name_of(how): own}})

    return visit(tree, None)
