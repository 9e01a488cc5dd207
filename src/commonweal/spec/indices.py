"""The indices of a study: trees of its own, or official recipes with the study's indicators."""

from __future__ import annotations

import math
from typing import Any, Literal

from pydantic import Field, model_validator

from commonweal.errors import UnknownNameError, nearest
from commonweal.files.explain import FieldError
from commonweal.index import Node, load_preset, with_indicators
from commonweal.spec.data import _Part

__all__ = ["IndexSpec", "MoveSpec"]


class MoveSpec(_Part):
    """How an index is carried from the areas that it is built on to the study's.

    Attributes
    ----------
    by
        ``link`` follows the published lookup; ``parts`` shares each small area out over the larger
        ones that it overlaps (docs/methods/wards.md).
    population
        Whose people weight the means: a date such as ``mid-2017``.
    """

    by: Literal["link", "parts"] = "link"
    population: str | None = None


class IndexSpec(Node):
    """An index: a tree of its own, or a preset with the study's indicators.

    A preset is a short way to write a tree: it is spelled out as the recipe is read, so that an
    index made from one is the same as one that states all of it, and the first three keys are empty.

    Attributes
    ----------
    preset
        A recipe that ships: ``cni``, ``iod2019``, ``iod2025``.
    indicators
        With a preset: the study's indicator for each of its leaves, where the names differ.
    weights
        With a preset: weights to use in place of its own.
    areas
        The area system to build on; the study's if not given.
    move
        How it is carried to the study's areas.
    """

    preset: str = Field(default="", exclude=True)
    indicators: dict[str, str] = Field(default_factory=dict, exclude=True)
    weights_given: dict[str, float] = Field(default_factory=dict, alias="weights", exclude=True)
    areas: str = ""
    move: MoveSpec = MoveSpec()

    @model_validator(mode="before")
    @classmethod
    def _from_preset(cls, data: Any) -> Any:
        if not isinstance(data, dict):
            return data
        given = {key: data.get(key) or {} for key in ("indicators", "weights")}
        for key, value in given.items():
            if value and not data.get("preset"):
                raise FieldError("goes with 'preset'; a tree of its own says it at each child", key)
            if not isinstance(value, dict):
                raise FieldError("found a list or text; expected keys with values", key)
        if not data.get("preset"):
            return data
        for key in ("children", "indicator"):
            if key in data:
                raise FieldError(
                    f"found both 'preset' and '{key}'; expected one of them (a preset takes your "
                    "indicators under 'indicators' and weights under 'weights')",
                    key,
                )
        try:
            tree = load_preset(str(data["preset"]))
        except UnknownNameError as error:
            raise FieldError(str(error), "preset") from None
        leaves = {path.rsplit("/", 1)[-1] for path, node in tree.walk("") if node.indicator}
        for name in given["indicators"]:
            if name not in leaves:
                raise FieldError(f"no such leaf; {nearest(str(name), leaves)}", "indicators", name)
        for name, weight in given["weights"].items():
            if name not in tree.children:
                raise FieldError(
                    f"no such domain; {nearest(str(name), tree.children)}", "weights", name
                )
            if not isinstance(weight, int | float) or not 0 < weight < math.inf:
                raise FieldError(f"found {weight!r}; expected a number above 0", "weights", name)
        tree = with_indicators(tree, given["indicators"], "it")
        children = {
            name: {**child.model_dump(), "weight": given["weights"].get(name, child.weight)}
            for name, child in tree.children.items()
        }
        own = {k: v for k, v in data.items() if k not in ("preset", "indicators", "weights")}
        return {**tree.model_dump(exclude={"children"}), "children": children, **own}

    @model_validator(mode="after")
    def _enters_nothing(self) -> IndexSpec:
        for key in ("enters_as", "base"):
            if getattr(self, key):
                raise FieldError("goes with a child; an index enters nothing", key)
        return self

    @model_validator(mode="after")
    def _move_from_somewhere(self) -> IndexSpec:
        if self.move != MoveSpec() and not self.areas:
            raise FieldError("goes with 'areas', which says where the index is built", "move")
        return self
