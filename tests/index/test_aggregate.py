"""Sums and means of children: by hand, scaling of weights, missing children, contributions."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from commonweal.errors import DataError
from commonweal.index import AGGREGATORS, aggregate, aggregator, contributions, means
from commonweal.index.aggregate import ADDITIVE, RELATIVE
from commonweal.index.benefit import around, benefit_of_the_doubt

X = np.array([[10.0, 40.0, 80.0], [1.0, 2.0, 4.0]])
W = np.array([1.0, 2.0, 1.0])
positive = arrays(np.float64, (6, 4), elements=st.floats(0.01, 100))
weights4 = arrays(np.float64, 4, elements=st.floats(0.05, 5))
holes = arrays(np.bool_, (6, 4))


def with_holes(x: np.ndarray, gone: np.ndarray) -> np.ndarray:
    return np.where(gone, np.nan, x)


def test_by_hand() -> None:
    np.testing.assert_allclose(aggregate(X, W, "sum"), [170, 9])
    np.testing.assert_allclose(aggregate(X, W, "arithmetic"), [42.5, 2.25])
    expected = [(10 * 40 * 40 * 80) ** 0.25, (1 * 2 * 2 * 4) ** 0.25]
    np.testing.assert_allclose(aggregate(X, W, "geometric"), expected)


def test_a_sum_takes_weights_as_they_stand() -> None:
    assert aggregate(np.full((1, 2), 100.0), np.array([0.5, 0.499]), "sum")[0] == pytest.approx(
        99.9
    )


@given(x=positive, weights=weights4, gone=holes, factor=st.floats(0.01, 50))
@settings(max_examples=60)
def test_scaling_the_weights(
    x: np.ndarray, weights: np.ndarray, gone: np.ndarray, factor: float
) -> None:
    x = with_holes(x, gone)
    for how in ("arithmetic", "geometric"):
        plain = aggregate(x, weights, how, 0.0)
        np.testing.assert_allclose(aggregate(x, weights * factor, how, 0.0), plain, rtol=1e-9)
    plain = aggregate(x, weights, "sum", 0.0)
    np.testing.assert_allclose(
        aggregate(x, weights * factor, "sum", 0.0), plain * factor, rtol=1e-9
    )


@given(x=positive, weights=weights4, gone=holes)
@settings(max_examples=60)
def test_what_is_missing_is_carried_by_the_others(
    x: np.ndarray, weights: np.ndarray, gone: np.ndarray
) -> None:
    """The same as the mean of the children that are there, one area at a time."""
    x = with_holes(x, gone)
    mean = aggregate(x, weights, "arithmetic", 0.0)
    total = aggregate(x, weights, "sum", 0.0)
    geometric = aggregate(x, weights, "geometric", 0.0)
    for i, row in enumerate(x):
        there = ~np.isnan(row)
        if not there.any():
            assert np.isnan([mean[i], total[i], geometric[i]]).all()
            continue
        expected = np.average(row[there], weights=weights[there])
        assert mean[i] == pytest.approx(expected)
        assert total[i] == pytest.approx(expected * weights.sum())
        logs = np.average(np.log(row[there]), weights=weights[there])
        assert geometric[i] == pytest.approx(np.exp(logs))


@pytest.mark.parametrize("how", sorted(set(AGGREGATORS) - {"ordered", "benefit_of_the_doubt"}))
@pytest.mark.parametrize(
    ("available", "scored"),
    [(1.0, [True, False, False, False]), (0.7, [True, True, False, False]),
     (0.3, [True, True, True, False]), (0.0, [True, True, True, False])],
)  # fmt: skip
def test_how_much_must_be_there(how: str, available: float, scored: list[bool]) -> None:
    """.1 + .2 + .4 is .7000000000000001, and 1 - .3 is .7: shares on the line count as enough."""
    n = np.nan
    x = np.array([[1.0, 2, 3, 4], [1, 2, 3, n], [n, n, n, 4], [n, n, n, n]])
    got = aggregate(x, np.array([0.1, 0.2, 0.4, 0.3]), how, available)
    np.testing.assert_array_equal(~np.isnan(got), scored)


def test_enough_is_judged_by_the_stated_weights() -> None:
    x, drawn = np.array([[5.0, np.nan]]), np.array([0.01, 0.99])
    assert np.isnan(aggregate(x, drawn, "arithmetic", 0.5)[0])
    assert aggregate(x, drawn, "arithmetic", 0.5, stated=np.array([0.5, 0.5]))[0] == 5


@given(x=positive, weights=weights4, gone=holes)
@settings(max_examples=60)
def test_contributions_add_up_to_the_score(
    x: np.ndarray, weights: np.ndarray, gone: np.ndarray
) -> None:
    gone[:, 0] = False  # something is there in every area
    x = with_holes(x, gone)
    for how, of in (("sum", np.asarray), ("arithmetic", np.asarray), ("geometric", np.log)):
        parts = contributions(x, weights, how)
        np.testing.assert_array_equal(np.isnan(parts), gone)
        score = of(aggregate(x, weights, how, 0.0))
        np.testing.assert_allclose(np.nansum(parts, axis=1), score, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("bad", [0.0, -0.5])
def test_a_geometric_mean_of_nothing_or_less_is_refused(bad: float) -> None:
    with pytest.raises(
        DataError, match=rf"mean of {bad:g} \('column 2', row 1\); expected values above 0"
    ):
        aggregate(np.array([[1.0, bad], [np.nan, 3.0]]), np.ones(2), "geometric")


@pytest.mark.parametrize("how", sorted(set(AGGREGATORS) - {"ordered", *RELATIVE}))
@pytest.mark.parametrize("k", [2, 3, 7, 9, 16])
def test_equal_areas_tie_to_the_bit_wherever_they_stand(how: str, k: int) -> None:
    rng = np.random.default_rng(k)
    row, weights = rng.uniform(1, 100, k), rng.uniform(0, 1, k)
    for n in (1, 3, 7, 101):
        assert len({*aggregate(np.tile(row, (n, 1)), weights, how)}) == 1
    one = aggregate(row[None, :], weights, how)
    assert aggregate(np.vstack([rng.uniform(1, 9, (6, k)), row]), weights, how)[-1] == one[0]


def test_scores_that_are_equal_on_paper_tie() -> None:
    """A weight of .7 and one of .3 give 55 in one order of adding and 54.99999999999999 in another."""
    x = np.array([[55.0, 55.0, 55.0], [70.0, 70.0, 25.0], [10.0, 100.0, 55.0], [0.1, 0.2, 0.3]])
    for weights in ([1 / 3] * 3, [0.1, 0.1, 0.1], [0.7, 0.7, 0.7]):
        score = aggregate(x, np.array(weights), "arithmetic")
        assert score[0] == score[1] == score[2]
        assert score[3] == 0.2


def test_a_score_of_few_digits_is_left_as_it_is() -> None:
    score = np.array([0.1, 55.5, 1234.567, 3e-7, 0.0, -2.3, 6.02e23, 1e-40])
    np.testing.assert_array_equal(aggregate(score[:, None], np.ones(1), "sum"), score)


def test_an_area_is_scored_the_same_whatever_another_lacks() -> None:
    rng = np.random.default_rng(4)
    x, weights = rng.uniform(1, 100, (50, 5)), rng.uniform(0, 1, 5)
    holed = x.copy()
    holed[::7, 2] = np.nan
    whole = np.arange(50) % 7 != 0
    for how in ("sum", "arithmetic", "geometric", "harmonic", "median", "mean_min"):
        plain = AGGREGATORS[how](x, weights)
        np.testing.assert_array_equal(AGGREGATORS[how](holed, weights)[whole], plain[whole])


def test_an_uneven_profile_is_more_need_unless_it_is_said_otherwise() -> None:
    even, uneven = np.array([[100.0, 100.0]]), np.array([[80.0, 120.0]])
    w = np.ones(2)
    for how in ("mazziotta_pareto", "mean_min"):
        assert aggregate(uneven, w, how)[0] > aggregate(even, w, how)[0]
        assert aggregate(uneven, w, {how: {"uneven": "lower"}})[0] < aggregate(even, w, how)[0]
    # 100 + 20^2 / 100, and half way from the mean to the greatest
    assert aggregate(uneven, w, "mazziotta_pareto")[0] == 104
    assert aggregate(uneven, w, "mean_min")[0] == 110


def test_settings_reach_the_form() -> None:
    x = np.array([[1.0, 4.0, 16.0]])
    w = np.ones(3)
    assert aggregate(x, w, {"generalised": {"p": -1}})[0] == aggregate(x, w, "harmonic")[0]
    assert aggregate(x, w, {"ordered": {"places": [0, 1, 0]}})[0] == 4
    assert aggregate(x, w, {"ordered": {"orness": 1.0}})[0] == 16
    np.testing.assert_array_equal(aggregate(x, w, lambda x, w: x[:, 0]), [1])


def test_places_in_order_take_no_weights_of_children() -> None:
    with pytest.raises(DataError, match="'ordered' weighs places, not children"):
        aggregate(X, W, {"ordered": {"orness": 0.5}})
    for settings_ in ({}, {"orness": 0.5, "places": [1, 0, 0]}):
        with pytest.raises(DataError, match="exactly one of 'orness' and 'places'"):
            aggregator({"ordered": settings_})(X, None)


@pytest.mark.parametrize("how", sorted(ADDITIVE))
def test_a_form_without_settings_may_be_written_with_none(how: str) -> None:
    np.testing.assert_array_equal(aggregate(X, W, {how: {}}), aggregate(X, W, how))
    np.testing.assert_array_equal(contributions(X, W, {how: {}}), contributions(X, W, how))


def test_a_split_that_would_be_made_up_is_missing() -> None:
    for how in sorted(set(AGGREGATORS) - ADDITIVE):
        assert np.isnan(contributions(X, W, how)).all()
    assert np.isnan(contributions(X, W, means.arithmetic)).all()


@pytest.mark.slow
def test_the_benefit_of_the_doubt_as_a_form() -> None:
    x = np.random.default_rng(7).uniform(1, 9, (30, 3))
    x[4] = x[11]
    alike, uneven = np.ones(3), np.array([2.0, 1.0, 1.0])
    free = aggregate(x, alike, "benefit_of_the_doubt")
    np.testing.assert_allclose(free, benefit_of_the_doubt(x).score, rtol=1e-11)
    assert free[4] == free[11]
    bounds = {"lower": [0.1, 0.2, 0.0], "upper": 0.7}
    held = aggregate(x, alike, {"benefit_of_the_doubt": bounds})
    expected = benefit_of_the_doubt(x, [0.1, 0.2, 0.0], 0.7).score
    np.testing.assert_allclose(held, expected, rtol=1e-11)
    near = aggregate(x, uneven, {"benefit_of_the_doubt": {"spread": 0.2}})
    expected = benefit_of_the_doubt(x, *around(uneven, 0.2)).score
    np.testing.assert_allclose(near, expected, rtol=1e-11)
    with pytest.raises(DataError, match="finds weights for each area; expected children of one"):
        aggregate(x, uneven, "benefit_of_the_doubt")
    with pytest.raises(DataError, match="'spread' and bounds found; expected one of them"):
        aggregate(x, uneven, {"benefit_of_the_doubt": {"spread": 0.2, "upper": 0.5}})
    x[0, 1] = np.nan
    assert np.flatnonzero(np.isnan(aggregate(x, alike, "benefit_of_the_doubt", 0.0))).tolist() == [
        0
    ]


def test_infinite_values_are_refused() -> None:
    """Infinity less infinity would be taken for a missing value."""
    x = np.array([[1.0, np.inf, -np.inf], [1.0, 2.0, 3.0]])
    for how in set(AGGREGATORS) - {"ordered", "benefit_of_the_doubt"}:
        with pytest.raises(
            DataError, match="child 'column 2' has infinite values, the first in row 1"
        ):
            aggregate(x, np.ones(3), how)
