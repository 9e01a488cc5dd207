"""The tree of an index: indicators to domains to one score, as data."""

from __future__ import annotations

from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Annotated, Any, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, PlainSerializer, PlainValidator, model_validator

from commonweal.errors import StudyError, UnknownNameError, nearest
from commonweal.index.aggregate import AGGREGATORS
from commonweal.index.methods import (
    How,
    MethodError,
    checked_method,
    function_of,
    name_of,
    refuse_at_once,
    settings_of,
)
from commonweal.index.normalise import NORMALISERS
from commonweal.index.weigh import WEIGHINGS
from commonweal.strict_yaml import read_strict

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Node", "load_preset", "presets", "with_indicators"]

STATED = "stated"
"""The value of `Node.weigh` by which the children say their weights themselves."""


def _transform(how: Any) -> How:
    # 'ties' stands beside the transform; a base period is what goalposts are for.
    inside = ("ties", "from_top", "reference")
    checked = checked_method(how, NORMALISERS, "transform", inside)
    if name_of(checked) in ("scaled", "goalposts"):
        refuse_at_once(function_of(checked, NORMALISERS), [])
    return checked


def _aggregate(how: Any) -> How:
    checked = checked_method(how, AGGREGATORS, "aggregate", ("weights", "workers"))
    if name_of(checked) == "ordered":
        places = settings_of(checked).get("places")
        n_children = 2 if places is None else len(places)
        refuse_at_once(function_of(checked, AGGREGATORS), np.empty((0, n_children)))
    elif settings_of(checked):
        refuse_at_once(function_of(checked, AGGREGATORS), np.empty((0, 2)))
    return checked


def _weigh(how: Any) -> How:
    return STATED if how == STATED else checked_method(how, WEIGHINGS, "weighing")


def _plain(how: How) -> str | dict[str, dict[str, Any]]:
    return name_of(how) if callable(how) else how


_AsData = PlainSerializer(_plain)

Transform = Annotated[How, PlainValidator(_transform), _AsData]
Aggregate = Annotated[How, PlainValidator(_aggregate), _AsData]
Weigh = Annotated[How, PlainValidator(_weigh), _AsData]


class Node(BaseModel):
    """One node of the tree: an indicator (a leaf), or children with a way to combine them.

    Attributes
    ----------
    label
        Its name for readers.
    weight
        Its weight in its parent, above 0.
    indicator
        On a leaf: the name of the study's indicator.
    children
        On a node: its children by name.
    enters_as
        How it enters its parent, where the parent's `transform` does not fit it.
    transform
        On a node: what is done to each child before weighting: one of
        `commonweal.index.NORMALISERS`, by name or with settings (``{"min_max": {"low": 1}}``), or
        a function of (n_areas,) need. Bounds, targets and middles are in the indicator's own
        units.
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
    weight: float = Field(default=1.0, gt=0, allow_inf_nan=False)
    indicator: str | None = None
    children: dict[str, Node] = Field(default_factory=dict)
    enters_as: Transform | None = None
    transform: Transform = "exponential"
    aggregate: Aggregate = "sum"
    weigh: Weigh = STATED
    ties: Literal["min", "average", "max", "dense", "ordinal"] = "average"
    available: float = Field(default=1.0, ge=0, le=1)
    reference: str = ""

    @model_validator(mode="after")
    def _leaf_or_parent(self) -> Node:
        if (self.indicator is None) == (not self.children):
            found = "both" if self.children else "neither"
            raise ValueError(f"has {found} of 'indicator' and 'children'; expected exactly one")
        return self

    @model_validator(mode="after")
    def _weights_are_used(self) -> Node:
        ordered = name_of(self.aggregate) == "ordered"
        if self.weigh != STATED or ordered:
            why = f"'weigh: {name_of(self.weigh)}' computes the weights"
            alike = 1.0
            if self.weigh == STATED:
                why = "'ordered' weighs places, not children"
                alike = next(iter(self.weights.values()), 1.0)
            for name, weight in self.weights.items():
                if weight != alike:
                    found = f"found {weight:g}; {why}, expected none"
                    raise MethodError(found, "children", name, "weight")
        places = settings_of(self.aggregate).get("places") if ordered else None
        if places is not None and len(places) != len(self.children):
            found = f"found {len(places)} weights of places; expected {len(self.children)}"
            raise MethodError(f"{found}, one a child", "aggregate")
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


def presets() -> list[str]:
    """Names of the official recipes that ship."""
    files = resources.files("commonweal.index.presets").iterdir()
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
    text = (resources.files("commonweal.index.presets") / f"{name}.yaml").read_text("utf-8")
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
