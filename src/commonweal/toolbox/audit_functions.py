"""What a log may call: known functions from arrays and plain settings to one array.

No name is ever looked up outside this registry, and nothing in a log is evaluated.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, TypeAlias

import numpy as np

from commonweal.errors import UnknownNameError
from commonweal.index.denominate import denominate
from commonweal.index.framework import Node
from commonweal.index.impute import impute_columns, impute_regression, impute_rows
from commonweal.index.impute_panel import impute_panel
from commonweal.index.normalise import NORMALISERS, normalise
from commonweal.index.rank import rank
from commonweal.index.score import score_tree
from commonweal.index.screen import screen_indicators, screen_units
from commonweal.index.shrink import shrink_counts, shrink_means
from commonweal.index.treat import treat
from commonweal.index.types import Floats

__all__ = ["FUNCTIONS", "Function"]

Function: TypeAlias = Callable[..., Floats]
"""Takes arrays in order and settings by name, and gives one array."""


def _denominate(x: Floats, denominators: Floats, **settings: Any) -> Floats:
    return denominate(x, settings.pop("names"), denominators, **settings)


def _normalise(x: Floats, how: str = "min_max", **settings: Any) -> Floats:
    if how not in NORMALISERS:
        raise UnknownNameError("normaliser", how, NORMALISERS)
    return normalise(x, how, **settings)


def _score(
    x: Floats,
    tree: Mapping[str, Any],
    names: Sequence[str],
    index: str = "index",
    codes: Sequence[str] | None = None,
) -> Floats:
    """Score every node: (n_units, n_nodes), parents first, as `Node.walk` gives them."""
    at = {name: j for j, name in enumerate(names)}

    def leaf(name: str) -> Floats:
        if name not in at:
            raise UnknownNameError("indicator", name, at)
        return x[:, at[name]]

    need, _ = score_tree(index, Node.model_validate(tree), leaf, codes=codes)
    return np.column_stack(list(need.values()))


def _units_kept(x: Floats, **settings: Any) -> Floats:
    units = [str(i) for i in range(len(x))]
    return screen_units(x, settings.pop("units", units), **settings).kept.astype(np.float64)


def _columns(x: Floats, kept: Floats) -> Floats:
    return x[:, kept.astype(np.bool_)]


FUNCTIONS: Mapping[str, Function] = MappingProxyType(
    {
        "denominate": _denominate,
        "impute_columns": lambda x, **s: impute_columns(x, **s).values,
        "impute_rows": lambda x, **s: impute_rows(x, **s).values,
        "impute_regression": lambda x, **s: impute_regression(x, **s).values,
        "impute_panel": lambda x, **s: impute_panel(x, **s).values,
        "shrink_counts": lambda events, at_risk, **s: shrink_counts(events, at_risk, **s).value,
        "shrink_means": lambda means, errors, **s: shrink_means(means, errors, **s).value,
        "units_kept": _units_kept,
        "indicators_kept": lambda x, **s: screen_indicators(x, **s).kept.astype(np.float64),
        "rows": lambda x, kept: x[kept.astype(np.bool_)],
        "columns": _columns,
        "treat": lambda x, **s: treat(x, **s).values,
        "normalise": _normalise,
        "score": _score,
        "rank": lambda x, **s: np.column_stack([rank(column, **s) for column in x.T]),
    }
)
"""What a log may call, by name; settings are those of the functions of the same name. ``denominate``
takes values and denominators, ``shrink_counts`` events and those at risk, ``shrink_means`` means and
standard errors, a column each; ``units_kept`` and ``indicators_kept`` give 1 for those that stay and
0 for the rest, which ``rows`` and ``columns`` take after the values; ``score`` takes normalised
values, a ``tree``, the ``names`` of the columns, the name of the ``index`` and, for a distance to a
reference area, the ``codes``, and gives every node, parents first; ``rank`` ranks each column, 1 = highest."""
