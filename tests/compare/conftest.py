"""Two studies of the same twenty places, and one of the ten that pairs of them make up."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest

from commonweal.areas import crosswalk_from_pairs

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from commonweal.areas import Areas, Crosswalk
    from commonweal.study.results import Results


@pytest.fixture
def run_with(small: Any) -> Callable[..., Results]:
    """Run the study of twenty places with changes, without draws."""

    def run(**changes: Any) -> Results:
        return small.run(small.write(**changes), draws=0)

    return run


@pytest.fixture
def in_pairs(small: Any, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Results]:
    """Run the study on ten places: B01 is A01 and A02, and so on to B10; and know the way there.

    Income and halls are those of the second of each pair: B05 has the fewest halls, then B09 (A18).
    """
    pairs = pl.DataFrame(
        {
            "origin": [f"A{i:02}" for i in range(1, 21)],
            "destination": [f"B{(i + 1) // 2:02}" for i in range(1, 21)],
        }
    )

    def way(store: Any, origin: Areas, destination: Areas) -> Crosswalk:
        return crosswalk_from_pairs(origin, destination, pairs)

    for module in ("studies", "units"):
        monkeypatch.setattr(f"commonweal.compare.{module}.build_crosswalk", way)
    halls = {k: 11 - k for k in range(1, 11)} | {5: 0}

    def run(**changes: Any) -> Results:
        rows = [f"B{k:02},{2 * k},{halls[k]},0.5" for k in range(1, 11)]
        where = ["N,Northside"] * 5 + ["S,Southside"] * 5
        places = [f"B{k:02},Pair {k},{100 * (4 * k - 1)},{w}" for k, w in enumerate(where, start=1)]
        folder: Path = small.path / "pairs"
        folder.mkdir(exist_ok=True)
        there = replace(small, path=folder)
        there.indicators.write_text("\n".join(["code,income,halls,income_se", *rows]), "utf-8")
        head = "code,name,population,district,district_name"
        there.areas.write_text("\n".join([head, *places]), "utf-8")
        return there.run(there.write(areas__system="pairs", **changes), draws=0)

    return run
