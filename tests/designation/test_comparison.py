"""Two designations side by side, on the same areas and on others."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from commonweal.areas import Areas, crosswalk_from_pairs
from commonweal.designation import Designation, Rule, compare_designations, designate

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import pytest

    from commonweal.index import Scores

    MakeAreas = Callable[..., Areas]
    MakeScores = Callable[..., Scores]

NO_STORE: Any = None
"""Nothing is looked up here."""


def worst(k: int, areas: Areas, found: Scores) -> Designation:
    return designate("d", Rule.model_validate({"index": "x", "worst": k}), {"x": found}, areas)


def told(codes: Sequence[str], which: np.ndarray) -> list[str]:
    return [code for code, it in zip(codes, which, strict=True) if it]


def test_on_the_same_areas(areas_of: MakeAreas, plain: MakeScores) -> None:
    areas = areas_of(5, ["p"] * 5)
    before = worst(2, areas, plain([5.0, 4, 3, 2, 1]))
    after = worst(3, areas, plain([1.0, 5, 4, 3, np.nan]))
    found = compare_designations(before, after, NO_STORE)
    assert told(areas.codes, found.stay) == ["A00001"]
    assert told(areas.codes, found.enter) == ["A00002", "A00003"]
    assert told(areas.codes, found.leave) == ["A00000"]
    assert found.carried.tolist() == [1, 1, 0, 0, 0]
    assert found.report == {}
    frame = found.to_frame()
    assert frame.select("code", "change", "share_before").rows() == [
        ("A00002", "enters", 0),
        ("A00003", "enters", 0),
        ("A00000", "leaves", 1),
        ("A00001", "stays", 1),
    ]
    assert frame["lad"].to_list() == ["p"] * 4
    with_itself = compare_designations(before, before, NO_STORE)
    assert told(areas.codes, with_itself.stay) == ["A00000", "A00001"]
    assert not (with_itself.enter | with_itself.leave).any()


def test_on_other_areas_half_of_the_people_decide(
    areas_of: MakeAreas, plain: MakeScores, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Old 0 was selected. New 0 has half of its people from there, 1 a little less, 2 nobody."""
    here = areas_of(3, population=[300, 100, 101])
    there = areas_of(3, system="new", letter="B")
    pairs = pl.DataFrame(
        {
            "origin": ["A00000", "A00000", "A00001", "A00002"],
            "destination": ["B00000", "B00001", "B00000", "B00001"],
            "share": [1 / 3, 1 / 3, 1.0, 1.0],
        }
    )
    move = crosswalk_from_pairs(here, there, pairs)
    module = sys.modules["commonweal.designation.comparison"]
    monkeypatch.setattr(module, "build_crosswalk", lambda store, origin, destination: move)
    before = worst(1, here, plain([9.0, 1, 1]))
    new = plain([9.0, 8, 7])
    after = designate(
        "d",
        Rule.model_validate({"index": "x", "worst": 3}),
        {"x": new.moved(crosswalk_from_pairs(here, there, same_places()))},
        there,
    )
    found = compare_designations(before, after, NO_STORE)
    np.testing.assert_allclose(found.carried, [100 / 200, 100 / 201, 0])
    assert told(there.codes, found.stay) == ["B00000"]
    assert told(there.codes, found.enter) == ["B00001", "B00002"]
    assert found.report == move.report


def same_places() -> pl.DataFrame:
    return pl.DataFrame(
        {"origin": [f"A0000{i}" for i in range(3)], "destination": [f"B0000{i}" for i in range(3)]}
    )
