"""Small areas and indices to designate on."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl
import pytest

from commonweal.areas import Areas
from commonweal.index import Node, Scores, score
from commonweal.indicators import Indicator, Indicators

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    MakeAreas = Callable[..., Areas]
    MakeScores = Callable[..., Scores]
    MakeIndicators = Callable[..., Indicators]


@pytest.fixture(scope="session")
def areas_of() -> MakeAreas:
    """Give a maker of n areas A00000.. with an optional parent 'lad' and populations."""

    def build(
        n: int,
        lad: Sequence[str | None] | None = None,
        population: Sequence[float] | None = None,
        system: str = "toy",
        letter: str = "A",
    ) -> Areas:
        people = [100.0] * n if population is None else list(population)
        table = pl.DataFrame(
            {
                "code": [f"{letter}{i:05}" for i in range(n)],
                "name": [f"Place {i}" for i in range(n)],
                "population": people,
            },
            schema_overrides={"population": pl.Float64},
        )
        if lad is None:
            return Areas(system, "Toy", "area", "areas", table)
        table = table.with_columns(lad=pl.Series(lad, dtype=pl.String))
        return Areas(system, "Toy", "area", "areas", table, ("lad",))

    return build


@pytest.fixture(scope="session")
def indicators_of() -> MakeIndicators:
    """Give a maker of indicators by column name, higher = more need."""

    def build(
        system: str = "toy", letter: str = "A", error: float | None = None, **columns: object
    ) -> Indicators:
        values = np.column_stack([np.asarray(c, dtype=np.float64) for c in columns.values()])
        meta = tuple(Indicator(n, n, "", "more", "made up") for n in columns)
        codes = [f"{letter}{i:05}" for i in range(len(values))]
        errors = None if error is None else np.full(values.shape, error)
        return Indicators(system, codes, values, meta, errors)

    return build


@pytest.fixture(scope="session")
def plain(indicators_of: MakeIndicators) -> MakeScores:
    """Give a maker of an index whose score is the values given, as they stand."""

    def build(values: Sequence[float], index: str = "x") -> Scores:
        tree = Node.model_validate(
            {"transform": "none", "children": {"only": {"indicator": "only"}}}
        )
        return score(index, tree, indicators_of(only=values))

    return build


@pytest.fixture(scope="session")
def three() -> Node:
    """Three domains of weights 0.5, 0.3 and 0.2, exponential, added."""
    weights = {"a": 0.5, "b": 0.3, "c": 0.2}
    return Node.model_validate(
        {"children": {n: {"indicator": n, "weight": w} for n, w in weights.items()}}
    )
