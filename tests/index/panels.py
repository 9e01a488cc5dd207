"""Small panels and trees to try things on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from commonweal.index import Node
from commonweal.index.aggregate import needs_equal_weights
from commonweal.indicators import Indicator, Panel

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray

YEARS = (2015, 2018, 2023)


def panel_of(values: NDArray[np.float64], years: Sequence[int] = YEARS) -> Panel:
    n_areas, n_indicators = values.shape[1:]
    meta = tuple(
        Indicator(f"i{j}", f"i{j}", "", "less" if j == 1 else "more", "made up")
        for j in range(n_indicators)
    )
    return Panel("toy", [f"A{i}" for i in range(n_areas)], tuple(years), values, meta)


def tree_of(
    transform: Any = "min_max", aggregate: Any = "arithmetic", weigh: Any = "stated", n: int = 4
) -> Node:
    """The first half of the indicators make a domain; it and the others make the index."""
    how = {"transform": transform, "aggregate": aggregate, "weigh": weigh}
    alike = weigh != "stated" or needs_equal_weights(aggregate)
    weights = [1.0 if alike else 1.0 + j for j in range(n)]
    leaves = {f"i{j}": {"indicator": f"i{j}", "weight": w} for j, w in enumerate(weights)}
    domain = {"children": dict(list(leaves.items())[: n // 2]), **how}
    return Node.model_validate(
        {"children": {"domain": domain, **dict(list(leaves.items())[n // 2 :])}, **how}
    )
