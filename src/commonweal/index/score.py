"""Scores, ranks and contributions of every node of an index."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from commonweal.errors import DataError, UnknownNameError
from commonweal.index.aggregate import aggregate, contributions
from commonweal.index.by_rank import BY_RANK
from commonweal.index.framework import STATED
from commonweal.index.methods import How, function_of, name_of, settings_of
from commonweal.index.normalise import NORMALISERS, turned
from commonweal.index.rank import Floats, decile, rank
from commonweal.index.weigh import WEIGHINGS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import polars as pl

    from commonweal.areas import Move
    from commonweal.index.framework import Node
    from commonweal.index.rank import TieRule
    from commonweal.indicators import Indicators

__all__ = ["Scores", "score", "score_tree"]


@dataclass(frozen=True, slots=True)
class Scores:
    """One index over a set of areas: what `score` gives.

    Attributes
    ----------
    index
        Name of the index, which is also the path of its root node.
    system
        Id of the area system.
    codes
        (n_areas,) area codes.
    tree
        The framework that made it, with the weights that were used: computed ones (`Node.weigh`)
        stand in it as if they had been stated.
    need
        By node path, (n_areas,) score, higher = more need, NaN = missing.
    transformed
        By node path except the root's, (n_areas,) the value that entered the parent.
    built
        The same index on the areas that it was built on, if it was moved from there.
    move
        The way it was moved.
    """

    index: str
    system: str
    codes: Sequence[str]
    tree: Node
    need: Mapping[str, Floats]
    transformed: Mapping[str, Floats]
    built: Scores | None = None
    move: Move | None = None

    def moved(self, move: Move) -> Scores:
        """Carry the index to other areas: every node's population-weighted mean.

        Raises
        ------
        DataError
            If the move starts from other areas than the index covers.
        """
        if list(move.origin.codes) != list(self.codes):
            raise DataError(
                f"index {self.index} covers {len(self.codes):,} areas of {self.system}; "
                f"the move starts from {len(move.origin):,} of {move.origin.system}"
            )
        return Scores(
            self.index,
            move.destination.system,
            move.destination.codes,
            self.tree,
            {path: move.mean(v) for path, v in self.need.items()},
            {path: move.mean(v) for path, v in self.transformed.items()},
            built=self,
            move=move,
        )

    def part(self, path: str) -> Scores:
        """Give one node with all below it as an index of its own, named by its path.

        Raises
        ------
        UnknownNameError
            If there is no such node.
        """
        if path not in self.need:
            raise UnknownNameError("node", path, self.need)
        tree = next(node for at, node in self.tree.walk(self.index) if at == path)
        below = f"{path}/"
        return Scores(
            path,
            self.system,
            self.codes,
            tree,
            {p: v for p, v in self.need.items() if p == path or p.startswith(below)},
            {p: v for p, v in self.transformed.items() if p.startswith(below)},
            None if self.built is None else self.built.part(path),
            self.move,
        )

    @property
    def score(self) -> Floats:
        """(n_areas,) score of the whole index."""
        return self.need[self.index]

    @property
    def rank(self) -> Floats:
        """(n_areas,) rank of the whole index, 1 = most need, ties share the lowest."""
        return rank(self.score)

    def rank_of(self, path: str) -> Floats:
        """(n_areas,) rank of any node, 1 = most need, ties share the lowest."""
        if path not in self.need:
            raise UnknownNameError("node", path, self.need)
        return rank(self.need[path])

    @property
    def domains(self) -> list[str]:
        """Paths of the root's children."""
        return [f"{self.index}/{name}" for name in self.tree.children]

    @property
    def contributions(self) -> dict[str, Floats]:
        """(n_areas,) contribution of each of the root's children to the score, by path.

        NaN where the child is missing, and altogether for forms of which no child puts in a part of
        its own (`commonweal.index.contributions`).
        """
        if not self.domains:  # an index of one indicator
            return {}
        x = np.column_stack([self.transformed[p] for p in self.domains])
        weights = np.array(list(self.tree.weights.values()))
        parts = contributions(x, weights, self.tree.aggregate)
        return dict(zip(self.domains, parts.T, strict=True))

    def to_frame(self) -> pl.DataFrame:
        """Give a Polars frame of every node's score and rank, the root's decile and contributions.

        Columns are named ``<path>.score``, ``.rank``, ``.decile`` and ``.contribution``, with dots
        for the path's slashes; missing is null.
        """
        import polars as pl

        columns: dict[str, Floats] = {}
        for path, need in self.need.items():
            name = path.replace("/", ".")
            columns[f"{name}.score"] = need
            columns[f"{name}.rank"] = rank(need)
        columns[f"{self.index}.decile"] = decile(self.rank)
        for path, part in self.contributions.items():
            columns[f"{path.replace('/', '.')}.contribution"] = part
        frame = pl.DataFrame({"code": list(self.codes), **columns}).fill_nan(None)
        whole = [c for c in frame.columns if c.endswith((".rank", ".decile"))]
        return frame.with_columns(pl.col(whole).cast(pl.Int32))


def score(index: str, tree: Node, indicators: Indicators) -> Scores:
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
    signs = {m.name: -1.0 if m.higher_is == "less" else 1.0 for m in indicators.meta}
    for path, node in tree.walk(index):
        for name in node.base:
            indicators.column(name)
            if signs[name] != signs.get(node.indicator or "", signs[name]):
                raise DataError(
                    f"{path.replace('/', '.')}: its base {name} is turned the other way; "
                    "expected the same 'higher_is'"
                )
    tree = _in_need(tree, signs)
    need, transformed, computed = _visit(index, tree, indicators.need, codes=indicators.codes)
    if computed:
        tree = _with_weights(tree, index, computed)
    if np.isnan(need[index]).all():
        raise DataError(
            f"index {index}: no area has a score; missing values by indicator: "
            + ", ".join(f"{k} {v:,}" for k, v in indicators.missing.items() if v)
        )
    return Scores(index, indicators.system, indicators.codes, tree, need, transformed)


def score_tree(
    index: str,
    tree: Node,
    leaf: Callable[[str], Floats],
    weights: Mapping[str, Floats] | None = None,
    forms: Mapping[str, How] | None = None,
    codes: Sequence[str] | None = None,
) -> tuple[dict[str, Floats], dict[str, Floats]]:
    """Compute every node of a tree, children first.

    Parameters
    ----------
    index, tree
        As in `score`. Bounds and targets are those of need: `score` turns them for indicators of
        which less is more need, and gives a tree in which they are (`Scores.tree`).
    leaf
        Gives (n_areas,) need of an indicator by name.
    weights
        By node path, (n_children,) weights to use in place of the tree's.
    forms
        By node path, the aggregate to use in place of the tree's.
    codes
        (n_areas,) codes, for a distance to a reference area.

    Returns
    -------
    tuple of dict
        Need by path of every node, and transformed need by path of every node but the root.
    """
    return _visit(index, tree, leaf, weights, forms, codes)[:2]


def _visit(
    index: str,
    tree: Node,
    leaf: Callable[[str], Floats],
    weights: Mapping[str, Floats] | None = None,
    forms: Mapping[str, How] | None = None,
    codes: Sequence[str] | None = None,
) -> tuple[dict[str, Floats], dict[str, Floats], dict[str, Floats]]:
    """Give what `score_tree` does, and by node path the weights that were computed."""
    need: dict[str, Floats] = {}
    transformed: dict[str, Floats] = {}
    computed: dict[str, Floats] = {}

    def visit(path: str, node: Node) -> Floats:
        if node.indicator is not None:
            need[path] = leaf(node.indicator)
            return need[path]
        for name, child in node.children.items():
            below = f"{path}/{name}"
            value = visit(below, child)
            how = node.transform if child.enters_as is None else child.enters_as
            base = [leaf(name) for name in child.base]
            try:
                transformed[below] = _transformed(value, how, node.ties, base, codes)
            except DataError as error:
                raise DataError(f"{below.replace('/', '.')}: {error}") from None
        x = np.column_stack([transformed[f"{path}/{name}"] for name in node.children])
        form = (forms or {}).get(path, node.aggregate)
        try:
            if node.weigh == STATED:
                stated = np.array(list(node.weights.values()))
            else:
                stated = computed[path] = _weights(x, node, form)
            w = (weights or {}).get(path, stated)
            need[path] = aggregate(x, w, form, node.available, stated)
        except DataError as error:
            raise DataError(f"{path.replace('/', '.')}: {error}") from None
        return need[path]

    visit(index, tree)
    # Parents first, as `Node.walk` gives them.
    return {p: need[p] for p, _ in tree.walk(index)}, transformed, computed


def _transformed(
    need: Floats, how: How, ties: TieRule, base: Sequence[Floats], codes: Sequence[str] | None
) -> Floats:
    more: dict[str, Any] = {"reference": np.concatenate(base)} if base else {}
    if not callable(how) and name_of(how) == "distance_to_reference":
        more["units"] = codes
    function = function_of(how, NORMALISERS)
    if callable(how) or (name := name_of(how)) not in BY_RANK:
        out: Floats = function(need, **more)
        return out
    # Of a rank in need, as everywhere in an index, the first place is the most.
    from_top = {} if name == "exponential" else {"from_top": True}
    ranked: Floats = function(need, ties=ties, **from_top)
    return ranked


def _weights(x: Floats, node: Node, form: How) -> Floats:
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


def _with_weights(tree: Node, index: str, weights: Mapping[str, Floats]) -> Node:
    """Put computed weights in the place of those that are stated."""

    def visit(path: str, node: Node) -> Node:
        own = weights.get(path)
        children = {}
        for at, (name, child) in enumerate(node.children.items()):
            new = visit(f"{path}/{name}", child)
            if own is not None:
                new = new.model_copy(update={"weight": float(own[at])})
            children[name] = new
        if not children:
            return node
        weigh = node.weigh if own is None else STATED
        return node.model_copy(update={"children": children, "weigh": weigh})

    return visit(index, tree)
