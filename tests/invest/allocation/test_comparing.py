"""Two rules side by side, on the same areas and on smaller ones."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl
import pytest
from tests.invest.allocation.places import areas_of, eight, rule_of

from commonweal.areas import Areas, crosswalk_from_pairs
from commonweal.errors import DataError
from commonweal.index import Node, Scores
from commonweal.invest.allocation.allocate import allocate
from commonweal.invest.allocation.comparison import (
    SelectedShares,
    compare,
    in_need_on,
    selected_shares,
)
from commonweal.sources import Store

if TYPE_CHECKING:
    from pathlib import Path


def test_who_gains_and_who_loses_under_a_cap() -> None:
    areas, scores = eight()
    money, cap = {"awards": 3, "official": True}, {"most": 1, "in_each": "town", "official": True}
    free = allocate(rule_of(money=money), scores, areas)  # A, B, C
    spread = allocate(rule_of(money=money, caps=[cap]), scores, areas)  # A, D, G
    store = Store(offline=True)
    a, b = (selected_shares(store, x, scores, areas) for x in (free, spread))
    found = compare(a, b, free.in_need)
    assert found.people(found.both) == 100
    assert found.people(found.only_first) == 200 + 300
    assert found.people(found.only_second) == 400 + 700
    assert found.people(found.only_second, in_need=True) == 400
    frame = found.to_frame()
    assert frame.select("code", "selected_by").rows() == [
        ("D", "second only"),
        ("G", "second only"),
        ("B", "first only"),
        ("C", "first only"),
        ("A", "both"),
    ]


def test_an_allocation_goes_down_to_the_areas_that_its_own_are_made_of(tmp_path: Path) -> None:
    """Two wards of three neighbourhoods; the middle one straddles them, a quarter in the first."""
    small = areas_of(["s1", "s2", "s3"], [100, 200, 300])
    wards = areas_of(["W1", "W2"], [150, 450])
    pairs = pl.DataFrame(
        {
            "origin": ["s1", "s2", "s2", "s3"],
            "destination": ["W1", "W1", "W2", "W2"],
            "share": [1.0, 0.25, 0.75, 1.0],
        }
    )
    move = crosswalk_from_pairs(small, wards, pairs)
    node = Node.model_validate({"indicator": "x"})
    built = Scores("a", "small", small.codes, node, {"a": np.array([9.0, 1.0, 2.0])}, {})
    scores = {"a": built.moved(move)}
    a = allocate(rule_of(money={"awards": 1, "official": True}), scores, wards)
    assert a.selected.tolist() == [True, False]
    store = Store(cache=tmp_path, offline=True)
    found = selected_shares(store, a, scores, small)
    np.testing.assert_allclose(found.share, [1, 0.25, 0])
    # The yardstick is read where the index was built: the worst half of three is one.
    assert in_need_on(store, a.programme, scores, small).tolist() == [True, False, False]


def test_allocations_on_different_areas_are_refused() -> None:
    one, other = areas_of("AB", [1, 1]), areas_of("ABC", [1, 1, 1])
    with pytest.raises(DataError, match="2 places and 3 places; expected the same"):
        compare(
            SelectedShares(one, np.zeros(2)),
            SelectedShares(other, np.zeros(3)),
            np.zeros(2, dtype=bool),
        )


def test_people_that_are_not_known_count_as_none() -> None:
    table = pl.DataFrame({"code": ["a", "b"], "name": ["A", "B"], "population": [5.0, None]})
    areas = Areas("own", "Two", "area", "areas", table)
    ground = SelectedShares(areas, np.ones(2))
    assert compare(ground, ground, np.ones(2, dtype=bool)).people(np.ones(2)) == 5
