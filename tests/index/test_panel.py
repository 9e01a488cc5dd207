"""An index over years on one scale: the base year is itself, others are measured against it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from commonweal.errors import DataError, UnknownNameError
from commonweal.index import AGGREGATORS, NORMALISERS, WEIGHINGS, Node, score
from commonweal.index.panel import score_panel
from commonweal.index.rank import rank_among
from commonweal.indicators import Indicators

from .panels import YEARS, panel_of, tree_of

if TYPE_CHECKING:
    from commonweal.indicators import Panel

SETTINGS: dict[str, dict[str, Any]] = {
    "scaled": {"lower": -5, "upper": 80},
    "goalposts": {"lower": -5, "upper": 80},
    "distance_to_reference": {"unit": "A0"},
    "distance_to_target": {"target": 15},
}


@pytest.fixture(scope="module")
def panel() -> Panel:
    rng = np.random.default_rng(7)
    start = rng.lognormal(3, 0.5, (1, 23, 4)).round(1)
    drift = rng.normal(1, 0.2, (3, 23, 4))
    values = start * drift
    values[:, 5] = values[:, 4]  # ties
    values[1, 3, 2] = np.nan
    values[0, 8] = np.nan  # comes later
    values[2, 9] = np.nan  # has gone
    return panel_of(values)


def alone(index: str, tree: Node, panel: Panel, year: int) -> dict[str, np.ndarray]:
    found = score(index, tree, panel.year(year))
    return {**found.need, **{f"{k} entered": v for k, v in found.transformed.items()}}


def check_base(tree: Node, panel: Panel, base: int) -> None:
    of = score_panel("x", tree, panel, base).of[base]
    fixed = {**of.need, **{f"{k} entered": v for k, v in of.transformed.items()}}
    for path, expected in alone("x", tree, panel, base).items():
        np.testing.assert_array_equal(fixed[path], expected, err_msg=path)


@pytest.mark.parametrize("base", [2015, 2023])
@pytest.mark.parametrize("name", sorted(NORMALISERS))
def test_the_base_year_scores_as_if_it_were_alone(name: str, base: int, panel: Panel) -> None:
    check_base(tree_of({name: SETTINGS[name]} if name in SETTINGS else name), panel, base)


@pytest.mark.parametrize("ties", ["min", "max", "dense"])
def test_it_does_under_every_rule_for_ties(ties: str, panel: Panel) -> None:
    tree = tree_of("percentile_rank").model_copy(update={"ties": ties})
    check_base(tree, panel, 2018)


@pytest.mark.parametrize("name", sorted(AGGREGATORS))
def test_and_under_every_aggregation(name: str, panel: Panel) -> None:
    how = {"ordered": {"orness": 0.7}} if name == "ordered" else name
    check_base(tree_of({"min_max": {"low": 100, "high": 200}}, how), panel, 2015)


@pytest.mark.parametrize("name", sorted(WEIGHINGS))
def test_weights_are_those_of_the_base(name: str, panel: Panel) -> None:
    tree = tree_of("min_max", weigh=name, n=6)
    rng = np.random.default_rng(3)
    six = panel_of(rng.normal(size=(3, 40, 1)) + rng.normal(size=(3, 40, 6)))
    six.values[:, :, 1] *= -1
    check_base(tree, six, 2015)
    found = score_panel("x", tree, six, 2015)
    for year in YEARS:
        assert found.of[year].tree == found.of[2015].tree
        assert found.of[year].tree.weigh == "stated"


@pytest.mark.parametrize("name", sorted(set(NORMALISERS) - {"distance_to_reference"}))
def test_pooled_years_are_one_large_set_of_areas(name: str, panel: Panel) -> None:
    tree = tree_of({name: SETTINGS[name]} if name in SETTINGS else name, "mean_min")
    flat = panel.values.reshape(-1, 4)
    codes = [f"B{i}" for i in range(len(flat))]
    large = score("x", tree, Indicators("toy", codes, flat, panel.meta))
    found = score_panel("x", tree, panel)
    np.testing.assert_array_equal(found.need().ravel(), large.score)
    np.testing.assert_array_equal(found.need("x/domain").ravel(), large.need["x/domain"])


def test_pooled_a_reference_area_is_the_mean_of_its_years() -> None:
    panel = panel_of(np.array([[[2.0], [4.0]], [[6.0], [0.0]]]), (2019, 2024))
    tree = Node.model_validate(
        {
            "transform": {"distance_to_reference": {"unit": "A0"}},
            "children": {"a": {"indicator": "i0"}},
        }
    )
    # The least of all is 0, area 0 has 2 and 6: a score of 1 is at 4.
    np.testing.assert_allclose(score_panel("x", tree, panel).need(), [[0.5, 1], [1.5, 0]])
    np.testing.assert_allclose(score_panel("x", tree, panel, 2024).need(), [[1 / 3, 2 / 3], [1, 0]])


def test_copeland_holds_each_area_against_those_of_the_base(panel: Panel) -> None:
    tree = tree_of("none", "copeland")
    same = panel_of(np.stack([panel.values[0], panel.values[0]]), (2015, 2016))
    found = score_panel("x", tree, same, 2015)
    np.testing.assert_array_equal(*found.need())


VALUES = arrays(np.float64, (3, 8, 4), elements=st.integers(0, 30).map(float))
SOUND = st.sampled_from(["exponential", "percentile_rank", "normal_score", "rank", "borda", "none"])


@settings(max_examples=25)
@given(VALUES, SOUND, st.integers(0, 7), st.integers(1, 20))
def test_only_an_area_that_changes_itself_moves(
    values: np.ndarray, transform: str, area: int, by: int
) -> None:
    """On a fixed base more need is never a lower score, and never anybody else's business."""
    tree = tree_of(transform)
    worse = values.copy()
    worse[2, area, 0] += by
    before = score_panel("x", tree, panel_of(values), 2015).need()
    after = score_panel("x", tree, panel_of(worse), 2015).need()
    others = np.arange(8) != area
    np.testing.assert_array_equal(after[:2], before[:2])
    np.testing.assert_array_equal(after[2, others], before[2, others])
    assert after[2, area] >= before[2, area]


@settings(max_examples=25)
@given(VALUES, SOUND, st.integers(0, 2**32 - 1))
def test_permuting_areas_permutes_every_year(values: np.ndarray, transform: str, seed: int) -> None:
    order = np.random.default_rng(seed).permutation(8)
    for base in (2018, "pooled"):
        scored = score_panel("x", tree_of(transform), panel_of(values), base)  # type: ignore[arg-type]
        turned = score_panel("x", tree_of(transform), panel_of(values[:, order]), base)  # type: ignore[arg-type]
        np.testing.assert_array_equal(turned.need(), scored.need()[:, order])
        np.testing.assert_array_equal(turned.rank(), scored.rank()[:, order])


@given(
    arrays(np.float64, 9, elements=st.integers(-5, 5).map(float)),
    st.sampled_from(["min", "average", "max", "dense"]),
    st.floats(-7, 7),
    st.floats(-7, 7),
)
def test_a_rank_among_others_falls_as_need_grows_and_stays_among_them(
    base: np.ndarray, ties: Any, one: float, other: float
) -> None:
    low, high = rank_among(sorted([one, other]), base, ties)
    assert 1 <= high <= low <= 9


def test_ranks_by_year_count_the_areas_of_that_year(panel: Panel) -> None:
    found = score_panel("x", tree_of(), panel, 2015)
    assert np.isnan(found.rank()[0, 8])
    assert np.nanmax(found.rank()[0]) <= 22
    assert found.years == YEARS
    assert found.to_frame().shape[0] == 3 * 23
    assert found.to_frame().filter(code="A8", year=2015)["x.score"].to_list() == [None]


def test_what_cannot_be_scored_is_named(panel: Panel) -> None:
    tree = tree_of({"min_max": {"low": 1}}, "geometric")
    low = panel.values.copy()
    low[1] = low[0]
    low[2, 0, 0] = -1000
    with pytest.raises(DataError, match=r"2023: x.domain: geometric mean of -"):
        score_panel("x", tree, panel_of(low), 2015)
    with pytest.raises(
        UnknownNameError, match="year '2016' not found; did you mean '2018' or '2015'"
    ):
        score_panel("x", tree, panel, 2016)
    with pytest.raises(DataError, match=r"base 2015: x.domain.i0: min-max of a constant"):
        score_panel("x", tree, panel_of(np.ones((3, 5, 4))), 2015)
    empty = panel.values.copy()
    empty[1, :, 3] = np.nan
    with pytest.raises(DataError, match=r"2018: index x: no area has a score; .*i3 23"):
        score_panel("x", tree_of(), panel_of(empty), 2015)
    with pytest.raises(DataError, match=r"x.domain.i0: double takes no 'reference'"):
        score_panel("x", tree_of(double), panel, 2015)
    ordinal = tree_of("exponential").model_copy(update={"ties": "ordinal"})
    with pytest.raises(DataError, match=r"ties 'ordinal' go by the order of the areas"):
        score_panel("x", ordinal, panel, 2015)
    with pytest.raises(UnknownNameError, match="node 'x/nothing' not found"):
        score_panel("x", tree_of(), panel).need("x/nothing")


def double(x: np.ndarray) -> np.ndarray:
    return 2 * x
