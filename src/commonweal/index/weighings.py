"""Ways to weigh the children of a node, by the names that a study has."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from commonweal.index.arguments import strict
from commonweal.index.importance import to_importance
from commonweal.index.weigh import entropy, equal, factor, principal_component

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from commonweal.index.types import Floats


__all__ = [
    "WEIGHINGS",
]


def _alike(x: Floats, *, names: Sequence[str] | None = None) -> Floats:  # noqa: ARG001
    return equal(x.shape[1])


def _none(x: Floats, *, names: Sequence[str] | None = None) -> Floats:  # noqa: ARG001
    return np.ones(x.shape[1])


@strict
def _to_importance(
    x: Floats,
    target: Sequence[float] | None = None,
    correlation: Literal["pearson", "spearman"] = "pearson",
    *,
    build: Any = None,
    names: Sequence[str] | None = None,
) -> Floats:
    return to_importance(x, target, build, correlation, names).weights


WEIGHINGS: MappingProxyType[str, Callable[..., Any]] = MappingProxyType(
    {
        "equal": _alike,
        "none": _none,
        "pca": principal_component,
        "factor": factor,
        "entropy": entropy,
        "importance": _to_importance,
    }
)
"""Ways to weigh a node's children by their transformed values, by the name that a study has. Each
takes the (n_units, n_children) values, settings, and the children's ``names`` for messages."""
