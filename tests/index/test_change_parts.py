"""What a change is made of: parts that add up, and nothing put down to what did not change."""

from __future__ import annotations

from itertools import permutations
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from commonweal.areas import Areas, crosswalk_from_pairs
from commonweal.errors import DataError
from commonweal.index import Node, score
from commonweal.index.decomposition import drivers, split_change, split_years
from commonweal.index.panel import score_panel
from commonweal.index.trends import movers, trend

from .panels import panel_of, tree_of

if TYPE_CHECKING:
    from commonweal.indicators import Panel

TABLE = arrays(np.float64, (5, 3), elements=st.floats(1, 50))
VALUES = arrays(np.float64, (3, 9, 4), elements=st.integers(1, 60).map(float))
WAYS = st.sampled_from(
    [
        ("min_max", "arithmetic"),
        ("exponential", "sum"),
        ("percentile_rank", "mean_min"),
        ({"z_score": {"mean": 100, "sd": 10}}, "mazziotta_pareto"),
        ("normal_score", "median"),
    ]
)


@settings(max_examples=15)
@given(TABLE, TABLE, arrays(np.float64, (2, 3), elements=st.floats(0.1, 3)), st.floats(-5, 5))
def test_three_factors_add_up_whichever_came_first(
    old: np.ndarray, new: np.ndarray, weights: np.ndarray, shift: float
) -> None:
    def build(x: np.ndarray, w: np.ndarray, plus: float) -> np.ndarray:
        return np.exp(np.log(x) @ w / w.sum()) * (1 + plus**2)

    change = split_change(build, x=(old, new), w=(weights[0], weights[1]), plus=(0.0, shift))
    np.testing.assert_allclose(sum(change.parts.values()), change.total, atol=1e-9)
    back = split_change(build, x=(new, old), w=(weights[1], weights[0]), plus=(shift, 0.0))
    for name, part in change.parts.items():
        np.testing.assert_allclose(back.parts[name], -part, atol=1e-9)
    np.testing.assert_allclose(
        sum(change.alone.values()) + change.interaction, change.total, atol=1e-9
    )
    # By the definition: the mean over all orders in which the three could have come.
    for name in change.parts:
        steps = []
        for order in permutations(change.parts):
            now = {"x": old, "w": weights[0], "plus": 0.0}
            then = {"x": new, "w": weights[1], "plus": shift}
            for step in order:
                before = build(**now)  # type: ignore[arg-type]
                now[step] = then[step]
                if step == name:
                    steps.append(build(**now) - before)  # type: ignore[arg-type]
        np.testing.assert_allclose(change.parts[name], np.mean(steps, axis=0), atol=1e-9)


def test_what_has_not_changed_is_not_built_and_did_nothing() -> None:
    calls = []

    def build(data: float, method: float) -> np.ndarray:
        calls.append((data, method))
        return np.array([data * method])

    change = split_change(build, data=(2.0, 5.0), method=(3.0, 3.0))
    assert calls == [(2.0, 3.0), (5.0, 3.0)]
    assert change.parts == {"data": np.array([9.0]), "method": np.array([0.0])}
    assert split_change(build, data=(2.0, 2.0), method=(3.0, 3.0)).total == 0


@settings(max_examples=15)
@given(VALUES, WAYS)
def test_a_change_between_years_adds_up_at_every_node(values: np.ndarray, way: object) -> None:
    values = values + np.arange(9)[:, None] / 16  # no constants
    old, new = tree_of(*way), tree_of(*way).model_copy(update={"label": "new"})  # type: ignore[misc]
    heavier = new.children["i3"].model_copy(update={"weight": 9.0})
    new = new.model_copy(update={"children": {**new.children, "i3": heavier}})
    panel = panel_of(values)
    split = split_years("x", panel, (2015, 2023), (old, new))
    assert list(split) == [path for path, _ in new.walk("x")]
    for path, change in split.items():
        whole = score("x", new, panel.year(2023)).need[path]
        whole = whole - score("x", old, panel.year(2015)).need[path]
        np.testing.assert_array_equal(change.total, whole)
        np.testing.assert_allclose(sum(change.parts.values()), whole, atol=1e-9)
        if path.startswith("x/domain"):  # below the weight that has changed
            np.testing.assert_allclose(change.parts["method"], 0, atol=1e-12)
        if not path.endswith(("x", "domain")):  # an indicator is what it is
            np.testing.assert_allclose(change.parts["data"], whole, atol=1e-12)


@settings(max_examples=15)
@given(VALUES, WAYS)
def test_without_new_data_only_the_method_can_have_done_it(values: np.ndarray, way: object) -> None:
    values = values + np.arange(9)[:, None] / 16
    values[2] = values[0]
    tree = tree_of(*way)  # type: ignore[misc]
    new = tree.model_copy(update={"available": 0.5, "weight": 1.0})
    change = split_years("x", panel_of(values), (2015, 2023), (tree, new))["x"]
    for part in (change.parts["data"], change.parts["base"], change.alone["data"]):
        np.testing.assert_array_equal(part, 0)
    same = split_years("x", panel_of(values), (2015, 2023), tree)["x"]
    np.testing.assert_array_equal(same.total, 0)


def test_a_shared_rise_is_all_data_on_a_fixed_base_and_none_on_each_years_own() -> None:
    """Everyone is 10 better: no rank moves, so what each year publishes does not either."""
    panel = panel_of(
        np.stack([np.arange(1.0, 21.0), np.arange(1.0, 21.0) - 10])[:, :, None], (1, 2)
    )
    tree = Node.model_validate({"transform": "rank", "children": {"a": {"indicator": "i0"}}})
    found = trend("x", tree, panel, base=1)
    np.testing.assert_array_equal(found.own["x"].total, 0)
    np.testing.assert_array_equal(found.own["x"].parts["data"], -found.own["x"].parts["base"])
    # By hand: of 1..20, value 15 ranks 15; at 5, among the old values it ranks 5, and among the new
    # values (-9..10) the old 15 is beyond them all: 20. The mean of 5 - 15 and 15 - 20.
    assert found.own["x"].parts["data"][14] == (5 - 15 + 15 - 20) / 2
    assert found.change[14] == -10
    # A scale of ranks ends where its base does: the ten that fell below it share its last place.
    np.testing.assert_array_equal(found.rank_shift, [*range(10, -1, -1), *[0] * 9])


@pytest.fixture(scope="module")
def panel() -> Panel:
    rng = np.random.default_rng(5)
    values = rng.lognormal(3, 0.4, (3, 30, 6))
    values[0, 1, 0] = np.nan
    values[2, 2, 5] = np.nan
    values[:, 3, 4] = np.nan
    return panel_of(values)


@pytest.mark.parametrize("available", [1.0, 0.5])
@pytest.mark.parametrize(
    ("transform", "aggregate"),
    [("min_max", "arithmetic"), ("exponential", "sum"), ("percentile_rank", "mean_min")],
)
def test_drivers_add_up_to_the_change(
    transform: str, aggregate: str, available: float, panel: Panel
) -> None:
    tree = tree_of(transform, aggregate, n=6)
    domain = tree.children["domain"].model_copy(update={"available": available})
    tree = tree.model_copy(
        update={"available": available, "children": {**tree.children, "domain": domain}}
    )
    scored = score_panel("x", tree, panel, "pooled")
    found = drivers(scored, (2015, 2023))
    change = scored.need()[2] - scored.need()[0]
    top = sum(found[f"x/{name}"] for name in tree.children)
    below = sum(found[f"x/domain/i{j}"] for j in range(3))
    np.testing.assert_allclose(top, change, atol=1e-9)
    np.testing.assert_allclose(below, found["x/domain"], atol=1e-9)
    assert np.isnan(change).sum() == (3 if available == 1 else 0)
    back = drivers(scored, (2023, 2015))
    for path, points in found.items():
        np.testing.assert_allclose(back[path], -points, atol=1e-9)


def test_drivers_of_a_mean_are_weight_times_change(panel: Panel) -> None:
    tree = tree_of("z_score", "arithmetic", n=6)
    tree = tree.model_copy(update={"transform": "none"})
    flat = {f"i{j}": {"indicator": f"i{j}", "weight": 1.0 + j} for j in range(6)}
    tree = Node.model_validate(
        {"transform": "z_score", "aggregate": "arithmetic", "children": flat}
    )
    scored = score_panel("x", tree, panel, 2015)
    found = drivers(scored, (2015, 2018))
    for j in range(6):
        moved = scored.of[2018].transformed[f"x/i{j}"] - scored.of[2015].transformed[f"x/i{j}"]
        both = ~np.isnan(scored.need()[0] + scored.need()[1])
        np.testing.assert_allclose(found[f"x/i{j}"][both], (moved * (1 + j) / 21)[both], atol=1e-9)


def test_drivers_of_three_are_shapleys_value(panel: Panel) -> None:
    three = {f"i{j}": {"indicator": f"i{j}"} for j in range(2, 5)}
    tree = Node.model_validate(
        {"transform": {"min_max": {"low": 1}}, "aggregate": "geometric", "children": three}
    )
    scored = score_panel("x", tree, panel)
    x = [np.column_stack([scored.of[y].transformed[f"x/{c}"] for c in three]) for y in (2015, 2018)]
    expected = np.zeros((30, 3))
    for order in permutations(range(3)):
        now = x[0].copy()
        for j in order:
            before = np.exp(np.log(now).mean(axis=1))
            now[:, j] = x[1][:, j]
            expected[:, j] += (np.exp(np.log(now).mean(axis=1)) - before) / 6
    found = drivers(scored, (2015, 2018))
    np.testing.assert_allclose(np.column_stack(list(found.values())), expected, atol=1e-9)


def test_where_areas_are_compared_pair_by_pair_nobody_drives(panel: Panel) -> None:
    scored = score_panel("x", tree_of("none", "copeland"), panel)
    found = drivers(scored, (2015, 2018))
    assert set(found) == {path for path, _ in scored.of[2015].tree.walk("x")} - {"x"}
    assert all(np.isnan(points).all() for points in found.values())
    alone = score_panel("x", Node(indicator="i2"), panel)
    assert drivers(alone, (2015, 2018)) == {}
    np.testing.assert_array_equal(alone.need()[0], panel.values[0, :, 2])


def test_a_trend_says_who_comes_and_goes(panel: Panel) -> None:
    found = trend("x", tree_of("min_max", n=6), panel, 2015)
    assert found.compared == (2015, 2023)
    assert found.state[:4] == ["both", "enters", "leaves", "neither"]
    frame = found.to_frame()
    row = frame.row(1, named=True)
    assert row["x.score_2015"] is None
    assert row["x.score_2018"] is not None
    assert row["x.change"] is row["x.domain.change"] is row["x.own_change"] is None
    whole = frame.row(0, named=True)
    parts = [whole[f"x.own_change_{part}"] for part in ("data", "method", "base")]
    assert sum(parts) == pytest.approx(whole["x.own_change"])
    assert whole["x.rank_shift"] == whole["x.rank_2015"] - whole["x.rank_2023"]
    assert whole["x.change"] == pytest.approx(whole["x.score_2023"] - whole["x.score_2015"])
    years, scores = [2015, 2018, 2023], [whole[f"x.score_{y}"] for y in (2015, 2018, 2023)]
    assert whole["x.slope"] == pytest.approx(np.polyfit(years, scores, 1)[0])
    two = trend("x", tree_of("min_max", n=6), panel_of(panel.values[:2], (2015, 2018)), 2015)
    assert "x.slope" not in two.to_frame().columns


def test_a_change_that_cannot_be_split_says_why_and_is_told_all_the_same(panel: Panel) -> None:
    values = panel.values.copy()
    values[2, :, 0] = 3.0
    found = trend("x", tree_of("min_max", n=6), panel_of(values), 2015)
    assert found.unsplit == (
        "base 2023: x.domain.i0: min-max of a constant: nothing can be compared"
    )
    assert found.own == {}
    assert np.isfinite(found.change).sum() == 27
    assert not any("own_change" in column for column in found.to_frame().columns)
    with pytest.raises(DataError, match=r"base 2023: x.domain.i0: min-max of a constant"):
        split_years("x", panel_of(values), (2015, 2023), tree_of("min_max", n=6))


def test_movers_are_those_that_moved() -> None:
    up, down = movers([1.0, -1.0, np.nan, 4.0, -3.0, 0.0, 4.0], most=2)
    assert up.tolist() == [3, 6]
    assert down.tolist() == [4, 1]


def test_a_trend_is_carried_to_other_areas_with_its_parts(panel: Panel) -> None:
    """Two and two make one; 1, 2 and 3 lack a score in a year or in both."""
    codes = list(panel.codes)
    here = areas_of("toy", codes, np.arange(1.0, 31.0))
    there = areas_of("large", [f"L{k}" for k in range(15)], np.ones(15))
    pairs = pl.DataFrame({"origin": codes, "destination": [f"L{k // 2}" for k in range(30)]})
    found = trend("x", tree_of("exponential", n=6), panel, 2015)
    moved = found.moved(crosswalk_from_pairs(here, there, pairs))
    weight = np.array([9, 10]) / 19
    np.testing.assert_allclose(moved.change[4], weight @ found.change[8:10])
    np.testing.assert_allclose(
        moved.rank_shift[4], moved.scores.rank()[0, 4] - moved.scores.rank()[2, 4]
    )
    whole = [4, 5, 14]
    top = sum(points for path, points in moved.drivers.items() if path.count("/") == 1)
    np.testing.assert_allclose(top[whole], moved.change[whole], atol=1e-9)
    own = moved.own["x"]
    np.testing.assert_allclose(sum(own.parts.values())[whole], own.total[whole], atol=1e-9)
    assert moved.state[:3] == ["both", "leaves", "both"]
    # Of L0 and L1 a part has a score in one of the two years only: what is left would not add up.
    for part in (*moved.drivers.values(), own.total, *own.parts.values(), own.alone["data"]):
        assert np.isnan(part[[0, 1]]).all()
        assert np.isfinite(part[2:]).all()


def areas_of(system: str, codes: list[str], people: np.ndarray) -> Areas:
    table = pl.DataFrame({"code": codes, "name": codes, "population": people}).with_columns(
        longitude=pl.lit(None, pl.Float64), latitude=pl.lit(None, pl.Float64)
    )
    return Areas(system, system, "area", "areas", table, (), "made up")
