"""The tree of an index: indicators to domains to one score, as data and as a table."""

from __future__ import annotations

import inspect
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Annotated, Any, Literal

import numpy as np
from pydantic import (
    ConfigDict,
    Field,
    PlainSerializer,
    PlainValidator,
    field_validator,
    model_validator,
)

from commonweal.errors import DataError, StudyError, UnknownNameError, nearest
from commonweal.files.inputs import read_strict
from commonweal.index.aggregate import AGGREGATORS, needs_equal_weights
from commonweal.index.importance import WEIGHINGS
from commonweal.index.methods import (
    Function,
    MethodError,
    MethodSpec,
    StrictModel,
    as_data,
    checked_method,
    function_of,
    name_of,
    refuse_at_once,
    settings_of,
)
from commonweal.index.normalise import NORMALISERS
from commonweal.index.tables import keys, weights_of

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping
    from importlib.resources.abc import Traversable

    import polars as pl

    from commonweal.index.tables import Floats, WeightsLike


__all__ = [
    "Node",
    "child_weights",
    "framework_table",
    "load_preset",
    "presets",
    "with_indicators",
    "without_indicators",
]


STATED = "stated"
"""The value of `Node.weigh` by which the children say their weights themselves."""


def checked_transform(how: Any) -> MethodSpec:
    """Check a way of normalising as a study names it; raises `MethodError`."""
    # 'ties' stands beside the transform, and 'base' beside the indicator.
    inside = ("ties", "from_top", "reference", "units")
    checked = checked_method(how, NORMALISERS, "transform", inside)
    if name_of(checked) == "distance_to_reference" and not callable(checked):
        # In a study it is the code of an area, and some codes look like positions.
        settings = settings_of(checked)
        return {name_of(checked): {**settings, "unit": str(settings["unit"])}}
    if settings_of(checked):
        refuse_at_once(function_of(checked, NORMALISERS), [])
    return checked


def checked_aggregate(how: Any) -> MethodSpec:
    """Check a way of aggregating as a study names it; raises `MethodError`."""
    return checked_method(how, AGGREGATORS, "aggregate", ("weights", "workers", "reference"))


def _weigh(how: Any) -> MethodSpec:
    if how == STATED:
        return STATED
    return checked_method(how, WEIGHINGS, "weighing", ("names", "build"))


def _settings(function: Function) -> Collection[str]:
    try:
        return inspect.signature(function).parameters
    except ValueError:  # some functions of C do not say
        return ()


_AsData = PlainSerializer(as_data)

Transform = Annotated[MethodSpec, PlainValidator(checked_transform), _AsData]
Aggregate = Annotated[MethodSpec, PlainValidator(checked_aggregate), _AsData]
Weigh = Annotated[MethodSpec, PlainValidator(_weigh), _AsData]


LEAST_WEIGHT = 1e-12
"""Beside weights of up to 1e12 a smaller one is lost to rounding."""


class Node(StrictModel):
    """One node of the tree: an indicator (a leaf), or children with a way to combine them.

    Attributes
    ----------
    label
        Its name for readers.
    weight
        Its weight in its parent, above 0 (from 1e-12 to 1e12).
    indicator
        On a leaf: the name of the study's indicator.
    children
        On a node: its children by name.
    base
        On a leaf: the indicators, other years of its own say, from which its transform takes what
        it takes from the data: least and greatest, mean and deviation, the values to rank among.
    enters_as
        How it enters its parent, where the parent's `transform` does not fit it.
    transform
        On a node: what is done to each child before weighting: one of
        `commonweal.index.NORMALISERS`, by name or with settings (``{"min_max": {"low": 1}}``), or
        a function of (n_areas,) need. Bounds, targets and middles are in the indicator's own
        units; a reference unit is an area's code.
    aggregate
        On a node: how the weighted children become its score: one of
        `commonweal.index.AGGREGATORS`, in the same ways.
    weigh
        On a node: ``stated`` takes the children's weights; one of `commonweal.index.WEIGHINGS`
        computes them from the transformed children, which then state none.
    ties
        On a node: the rank that tied areas share in a transform by ranks.
    available
        On a node: share of the children's weight that an area must have to get a score.
    reference
        Where the recipe is published.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    label: str = ""
    weight: float = Field(default=1.0, gt=0, le=1e12, allow_inf_nan=False)
    indicator: str | None = None
    base: tuple[str, ...] = ()
    children: dict[str, Node] = Field(default_factory=dict)
    enters_as: Transform | None = None
    transform: Transform = "exponential"
    aggregate: Aggregate = "sum"
    weigh: Weigh = STATED
    ties: Literal["min", "average", "max", "dense", "ordinal"] = "average"
    available: float = Field(default=1.0, ge=0, le=1)
    reference: str = ""

    @field_validator("weight")
    @classmethod
    def _counts(cls, weight: float) -> float:
        if weight < LEAST_WEIGHT:
            raise ValueError(f"found {weight}; expected {LEAST_WEIGHT:g} or more")
        return weight

    @model_validator(mode="after")
    def _leaf_or_parent(self) -> Node:
        if (self.indicator is None) == (not self.children):
            found = "both" if self.children else "neither"
            raise ValueError(f"has {found} of 'indicator' and 'children'; expected exactly one")
        if self.base and self.children:
            raise MethodError("goes with an indicator; found children", "base")
        for key in ("transform", "aggregate", "weigh", "ties", "available"):
            if (
                self.indicator is not None
                and getattr(self, key) != type(self).model_fields[key].default
            ):
                else_ = "; 'enters_as' says how it enters" if key == "transform" else ""
                raise MethodError(f"goes with children; found an indicator{else_}", key)
        return self

    @model_validator(mode="after")
    def _bases_are_used(self) -> Node:
        for name, child in self.children.items():
            how = self.transform if child.enters_as is None else child.enters_as
            function = function_of(how, NORMALISERS)
            if child.base and "reference" not in _settings(function):
                with_base = ", ".join(
                    n for n, f in NORMALISERS.items() if "reference" in _settings(f)
                )
                found = f"'{name_of(how)}' has no base; expected one of: {with_base}"
                raise MethodError(found, "children", name, "base")
        return self

    @model_validator(mode="after")
    def _weights_are_used(self) -> Node:
        why, alike = needs_equal_weights(self.aggregate), next(iter(self.weights.values()), 1.0)
        if self.weigh != STATED:
            why, alike = f"'weigh: {name_of(self.weigh)}' computes the weights", 1.0
        for name, weight in self.weights.items():
            if why and weight != alike:
                found = f"found {weight:g}; {why}, expected none"
                raise MethodError(found, "children", name, "weight")
        return self

    @model_validator(mode="after")
    def _settings_fit_the_children(self) -> Node:
        lists = [
            (len(value), at, name_of(how), key)
            for at, how in (("aggregate", self.aggregate), ("weigh", self.weigh))
            for key, value in settings_of(how).items()
            if isinstance(value, list | tuple)
        ]
        for length, *at in lists:
            if self.children and length != len(self.children):
                found = f"found {length} of {at[-1]}; expected {len(self.children)}, one a child"
                raise MethodError(found, *at)
        if settings_of(self.aggregate) or name_of(self.aggregate) == "ordered":
            n_children = len(self.children) or max([2, *(length for length, *_ in lists)])
            try:
                refuse_at_once(function_of(self.aggregate, AGGREGATORS), np.empty((0, n_children)))
            except MethodError as error:
                raise MethodError(str(error), "aggregate") from None
        return self

    def walk(self, path: str) -> Iterator[tuple[str, Node]]:
        """Yield every node below and including this one, parents first, with slash-joined paths."""
        yield path, self
        for name, child in self.children.items():
            yield from child.walk(f"{path}/{name}")

    @property
    def weights(self) -> dict[str, float]:
        """The children's weights by name."""
        return {name: child.weight for name, child in self.children.items()}


def _folder() -> Traversable:
    # Not as a package of its own: importing that would take the place of the function `presets`.
    return resources.files("commonweal.index") / "presets"


def presets() -> list[str]:
    """Names of the official recipes that ship."""
    files = _folder().iterdir()
    return sorted(f.name.removesuffix(".yaml") for f in files if f.name.endswith(".yaml"))


@cache
def load_preset(name: str) -> Node:
    """Read an official recipe.

    Raises
    ------
    UnknownNameError
        If there is no such preset.

    Examples
    --------
    >>> load_preset("iod2019").weights["crime"]
    0.093
    """
    if name not in presets():
        raise UnknownNameError("preset", name, presets())
    text = (_folder() / f"{name}.yaml").read_text("utf-8")
    return Node.model_validate(read_strict(text))


def with_indicators(tree: Node, given: dict[str, str], index: str) -> Node:
    """Replace the preset's leaf indicators by the study's own.

    Parameters
    ----------
    tree
        A preset.
    given
        Indicator names of the study by leaf name of the preset.
    index
        Name of the index, for messages.

    Raises
    ------
    StudyError
        If a name in `given` is no leaf of the preset.
    """
    leaves = {path.rsplit("/", 1)[-1] for path, node in tree.walk(index) if node.indicator}
    for name in given:
        if name not in leaves:
            raise StudyError(
                f"index.{index}.indicators.{name}: no such leaf; {nearest(name, leaves)}"
            )

    def swap(name: str, node: Node) -> Node:
        if node.indicator is not None:
            return node.model_copy(update={"indicator": given.get(name, node.indicator)})
        children: dict[str, Any] = {n: swap(n, c) for n, c in node.children.items()}
        return node.model_copy(update={"children": children})

    return swap(index, tree)


def without_indicators(tree: Node, names: Collection[str], index: str) -> Node:
    """Leave out leaves, and the nodes that are empty then; the others keep their weights.

    Parameters
    ----------
    tree
        The framework of an index.
    names
        Indicators that are left out; those that it does not use do not matter.
    index
        Name of the index, for messages.

    Raises
    ------
    StudyError
        If nothing is left of it, or a leaf loses the base that it is measured against.

    Examples
    --------
    >>> leaves = {"pubs": Node(indicator="pubs"), "halls": Node(indicator="halls", weight=2)}
    >>> without_indicators(Node(children=leaves), ["pubs"], "assets").weights
    {'halls': 2.0}
    """

    def visit(node: Node) -> Node | None:
        if node.indicator is not None:
            lost = [name for name in node.base if name in names and node.indicator not in names]
            if lost:
                raise StudyError(
                    f"index {index}: '{lost[0]}' is left out, and is the base of '{node.indicator}'"
                )
            return None if node.indicator in names else node
        below = {name: visit(child) for name, child in node.children.items()}
        stay = {name: child for name, child in below.items() if child is not None}
        return node.model_copy(update={"children": stay}) if stay else None

    found = visit(tree)
    if found is None:
        raise StudyError(f"index {index}: every indicator is left out; expected one to stay")
    return found


def with_weights(tree: Node, index: str, weights: Mapping[str, Floats]) -> Node:
    """Put computed weights, by node path, in the place of those that are stated."""

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


def child_weights(
    path: str, node: Node, weights: Mapping[str, WeightsLike] | None = None
) -> Floats:
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
    index: str, tree: Node, weights: Mapping[str, WeightsLike] | None = None
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
