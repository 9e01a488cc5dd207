"""A framework as a table: every node with its weights, as stated or as computed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from commonweal.errors import DataError
from commonweal.index.lists import keys, weights_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    import polars as pl

    from commonweal.index.framework import Node
    from commonweal.index.lists import Weights
    from commonweal.index.types import Floats

__all__ = ["child_weights", "framework_table"]


def child_weights(path: str, node: Node, weights: Mapping[str, Weights] | None = None) -> Floats:
    """Give the weights of a node's children.

    Parameters
    ----------
    path, node
        The node.
    weights
        By node path, (n_children,) weights, in order or by name, used in place of the stated ones.

    Returns
    -------
    ndarray
        (n_children,) at least 0.

    Raises
    ------
    DataError
        If the node computes its weights and they are not given, or what is given does not fit.

    Examples
    --------
    >>> from commonweal.index import Node
    >>> node = Node(children={"a": Node(indicator="a"), "b": Node(indicator="b", weight=3)})
    >>> child_weights("x", node), child_weights("x", node, {"x": [2, 2]})
    (array([1., 3.]), array([2., 2.]))
    """
    given = (weights or {}).get(path)
    if given is None:
        how = getattr(node, "weigh", "stated")
        if how != "stated":
            raise DataError(
                f"{path}: its weights are computed ({_told(how)}); expected them in 'weights'"
            )
        return np.array(list(node.weights.values()), dtype=np.float64)
    try:
        return weights_of(given, list(node.children))
    except DataError as error:
        raise DataError(f"{path}: {error}") from None


def framework_table(
    index: str, tree: Node, weights: Mapping[str, Weights] | None = None
) -> pl.DataFrame:
    """List every node of a framework with its weights.

    Parameters
    ----------
    index, tree
        Name and tree of the index.
    weights
        By node path, (n_children,) weights used in place of the stated ones; needed for nodes that
        compute theirs.

    Returns
    -------
    polars.DataFrame
        Columns node (slash-joined path), name, parent, level (0 = the index), weight, share of its
        parent, weight in the index (both 0..1), combined by ('' for an indicator) and indicator.

    Raises
    ------
    UnknownNameError
        If `weights` names a node that is not there, or an indicator.
    DataError
        As `child_weights`.

    Examples
    --------
    >>> from commonweal.index import Node
    >>> a, b = Node(indicator="a"), Node(indicator="b", weight=3)
    >>> framework_table("x", Node(children={"a": a, "b": b}))["share of parent"].to_list()
    [1.0, 0.25, 0.75]
    """
    import polars as pl

    nodes = dict(tree.walk(index))
    parents = [path for path, node in nodes.items() if node.children]
    keys(weights or {}, parents, "node", " (with weights)")
    own, share, whole = {index: tree.weight}, {index: 1.0}, {index: 1.0}
    above = {index: ""}
    for path in parents:
        given = child_weights(path, nodes[path], weights)
        for name, weight in zip(nodes[path].children, given.tolist(), strict=True):
            child = f"{path}/{name}"
            own[child], share[child] = weight, weight / float(given.sum())
            whole[child], above[child] = whole[path] * share[child], path
    return pl.DataFrame(
        {
            "node": list(nodes),
            "name": [node.label or path.rsplit("/", 1)[-1] for path, node in nodes.items()],
            "parent": [above[path] for path in nodes],
            "level": [path[len(index) :].count("/") for path in nodes],
            "weight": [own[path] for path in nodes],
            "share of parent": [share[path] for path in nodes],
            "weight in the index": [whole[path] for path in nodes],
            "combined by": ["" if n.indicator else _told(n.aggregate) for n in nodes.values()],
            "indicator": [n.indicator or "" for n in nodes.values()],
        }
    )


def _told(how: object) -> str:
    """Say a method in words: its name, or its name and settings."""
    if isinstance(how, dict):
        return ", ".join(
            f"{name} ({', '.join(f'{k} {v}' for k, v in settings.items())})" if settings else name
            for name, settings in how.items()
        )
    return how if isinstance(how, str) else str(getattr(how, "__name__", how))
