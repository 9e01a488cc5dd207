"""Eight places worked out by hand, and any number of others."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from commonweal.areas import Areas
from commonweal.index import Node, Scores
from commonweal.invest.allocation.programme import Programme

if TYPE_CHECKING:
    from collections.abc import Sequence

TOWNS, NATIONS = "NNNSSSWW", "XXXXXYYY"


def areas_of(
    codes: Sequence[str], people: Sequence[float], **parents: Sequence[str | None]
) -> Areas:
    table = pl.DataFrame(
        {
            "code": list(codes),
            "name": list(codes),
            "population": [None if np.isnan(p) else float(p) for p in people],
        }
    )
    table = table.with_columns(
        longitude=pl.lit(0.0),
        latitude=pl.lit(52.0),
    )
    for name, of in parents.items():
        named = [pl.Series(name, list(of), dtype=pl.String)]
        table = table.with_columns(*named, named[0].alias(f"{name}_name"))
    return Areas("own", "Places", "place", "places", table, tuple(parents))


def scores_of(areas: Areas, **need: Sequence[float]) -> dict[str, Scores]:
    node = Node.model_validate({"indicator": "x"})
    return {
        name: Scores(name, "own", areas.codes, node, {name: np.array(values, dtype=np.float64)}, {})
        for name, values in need.items()
    }


def eight() -> tuple[Areas, dict[str, Scores]]:
    areas = areas_of(
        "ABCDEFGH", [100.0 * k for k in range(1, 9)], town=list(TOWNS), nation=list(NATIONS)
    )
    return areas, scores_of(areas, a=[80, 70, 60, 50, 40, 30, 20, 10], b=list(range(1, 9)))


def rule_of(**rule: Any) -> Programme:
    """Give a rule; what it does not say is the shortest that there is."""
    base: dict[str, Any] = {
        "name": "trial",
        "title": "A trial",
        "official": "None.",
        "study": "none",
        "rank": {"of": {"a": 1}, "official": True},
        "in_need": [{"index": "a", "worst": "50%", "official": True}],
    }
    return Programme.model_validate({**base, **rule})
