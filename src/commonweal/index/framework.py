"""The tree of an index: indicators to domains to one score, as data."""

from __future__ import annotations

from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from commonweal.errors import StudyError, UnknownNameError, nearest

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Node", "load_preset", "presets", "with_indicators"]


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
    transform
        On a node: what is done to each child before weighting (`commonweal.index.TRANSFORMS`).
    aggregate
        On a node: how the weighted children become its score.
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
    transform: Literal[
        "exponential", "normal_score", "percentile", "z_score", "min_max", "none"
    ] = "exponential"
    aggregate: Literal["sum", "arithmetic", "geometric"] = "sum"
    ties: Literal["min", "average", "max", "dense", "ordinal"] = "average"
    available: float = Field(default=1.0, ge=0, le=1)
    reference: str = ""

    @model_validator(mode="after")
    def _leaf_or_parent(self) -> Node:
        if (self.indicator is None) == (not self.children):
            found = "both" if self.children else "neither"
            raise ValueError(f"has {found} of 'indicator' and 'children'; expected exactly one")
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
    import yaml

    if name not in presets():
        raise UnknownNameError("preset", name, presets())
    text = (resources.files("commonweal.index.presets") / f"{name}.yaml").read_text("utf-8")
    return Node.model_validate(yaml.safe_load(text))


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
