"""Small indices to try things on."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from commonweal.index import Node
from commonweal.indicators import Indicator, Indicators

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    Make = Callable[..., Indicators]


@pytest.fixture(scope="session")
def make() -> Make:
    """Give a maker of indicators from columns by name; 'less' names those that turn round."""

    def build(
        errors: dict[str, NDArray[np.float64]] | None = None,
        less: tuple[str, ...] = (),
        **columns: object,
    ) -> Indicators:
        values = np.column_stack([np.asarray(c, dtype=np.float64) for c in columns.values()])
        meta = tuple(
            Indicator(n, n, "", "less" if n in less else "more", "made up") for n in columns
        )
        said = None
        if errors is not None:
            nothing = np.full(len(values), np.nan)
            said = np.column_stack([errors.get(n, nothing) for n in columns])
        codes = [f"A{i:05}" for i in range(len(values))]
        return Indicators("toy", codes, values, meta, said)

    return build


@pytest.fixture(scope="session")
def two_levels() -> Node:
    """a and b make a domain; it and c make the index."""
    return Node.model_validate(
        {
            "children": {
                "first": {
                    "weight": 0.6,
                    "children": {
                        "a": {"weight": 0.5, "indicator": "a"},
                        "b": {"weight": 0.5, "indicator": "b"},
                    },
                },
                "c": {"weight": 0.4, "indicator": "c"},
            }
        }
    )
