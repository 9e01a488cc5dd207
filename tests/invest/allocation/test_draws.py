"""How often an area is selected when the choices behind the indices vary."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from tests.invest.allocation.places import areas_of, rule_of

from commonweal.designation.uncertainty import CertaintySpec
from commonweal.errors import StudyError
from commonweal.index import Node, score
from commonweal.indicators import Indicator, Indicators
from commonweal.invest.allocation.allocate import (
    AllocationCertainty,
    allocate,
    allocation_certainty,
)

if TYPE_CHECKING:
    from commonweal.invest.allocation.allocate import Allocation


def worked(
    n: int = 60, vary: Any = None, draws: int = 400, **rule: Any
) -> tuple[Allocation, AllocationCertainty]:
    """Give n places in three towns whose index is the mean of two indicators at odds."""
    rng = np.random.default_rng(3)
    codes = [f"P{i:03d}" for i in range(n)]
    areas = areas_of(codes, [1.0] * n, town=["NSW"[i % 3] for i in range(n)])
    values = rng.normal(size=(n, 2))
    meta = tuple(Indicator(k, k, "", "more", "made up") for k in "xy")
    indicators = Indicators("own", codes, values, meta)
    tree = Node.model_validate(
        {
            "children": {k: {"indicator": k, "weight": 0.5} for k in "xy"},
            "aggregate": "arithmetic",
            "transform": "none",
        }
    )
    scores = {"a": score("a", tree, indicators)}
    rule = {"money": {"awards": 9, "official": True}, **rule}
    a = allocate(rule_of(**rule), scores, areas)
    spec = CertaintySpec.model_validate(
        {"draws": draws, "seed": 5, "vary": vary or [{"weights": "a", "interval": 0.9}]}
    )
    return a, allocation_certainty(a, scores, {"a": indicators}, spec)


def test_each_draw_gives_as_many_awards_and_keeps_count() -> None:
    a, c = worked()
    assert c.n_draws == 400
    assert c.selected.sum() == pytest.approx(9)  # shares of draws add up to the number of awards
    assert c.kept.min() >= 0
    assert c.kept.mean() == pytest.approx(c.selected[a.selected].sum())
    assert 0 < c.kept.mean() < 9


@pytest.mark.parametrize("scale", ["score", "z", "rank"])
def test_two_sets_of_weights_give_a_mix_of_the_two_lists(scale: str) -> None:
    ends = [[0.9, 0.1], [0.1, 0.9]]
    rank = {"of": {"a": 1}, "scale": scale, "official": True}
    a, c = worked(vary=[{"weights": "a", "given": ends}], rank=rank)
    x, y = np.random.default_rng(3).normal(size=(60, 2)).T
    first, second = (np.isin(np.arange(60), np.argsort(-(u * x + v * y))[:9]) for u, v in ends)
    share = c.selected[first & ~second][0]
    assert 0.4 < share < 0.6
    np.testing.assert_allclose(c.selected, share * first + (1 - share) * second)
    assert set(c.kept) == {(first & a.selected).sum(), (second & a.selected).sum()}


def test_caps_hold_in_every_draw() -> None:
    cap = {"most": 3, "in_each": "town", "official": True}
    _, c = worked(caps=[cap])
    for town in range(3):
        assert c.selected[town::3].sum() == pytest.approx(3)


def test_thresholds_follow_the_draws_and_exclusions_stay() -> None:
    eligible = [{"index": "a", "worst": 9, "official": True}]
    free, c_free = worked()
    kept, c_kept = worked(eligible=eligible)
    np.testing.assert_array_equal(free.selected, kept.selected)
    np.testing.assert_allclose(c_free.selected, c_kept.selected)
    first = free.areas.codes[int(np.argmax(free.need))]
    out = {"e": {"what": "x", "codes": [first], "official": True}}
    _, c_out = worked(exclude=out)
    assert c_out.selected[free.areas.position[first]] == 0
    assert c_out.selected.sum() == pytest.approx(9)


def test_the_same_seed_gives_the_same_and_more_draws_begin_with_the_fewer() -> None:
    _, one = worked(draws=130)
    _, two = worked(draws=130)
    np.testing.assert_array_equal(one.selected, two.selected)
    np.testing.assert_array_equal(one.kept, two.kept)


def test_what_does_not_vary_is_refused() -> None:
    with pytest.raises(StudyError, match="found 0"):
        worked(draws=0)
    with pytest.raises(StudyError, match="nothing that it varies touches"):
        worked(vary=[{"cut": [1, 1]}])
