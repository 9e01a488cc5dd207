"""Shrinkage: the formulas of the method sheet, spelled out, and their edges."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from commonweal.errors import DataError
from commonweal.index.rates import shrink_counts, shrink_means

from . import golden


def by_the_book(r: list[float], n: list[float]) -> tuple[list[float], list[float]]:
    """Rates and weights of the areas of one authority, one area at a time."""

    def z(r: float, n: float) -> float:
        return math.log((r + 0.5) / (n - r + 0.5))

    centre = z(sum(r), sum(n))
    t2 = sum((z(a, b) - centre) ** 2 for a, b in zip(r, n, strict=True)) / (len(r) - 1)
    rates, weights = [], []
    for a, b in zip(r, n, strict=True):
        s2 = (b + 1) * (b + 2) / (b * (a + 1) * (b - a + 1))
        w = (1 / s2) / (1 / s2 + 1 / t2)
        rates.append(1 / (1 + math.exp(-(w * z(a, b) + (1 - w) * centre))))
        weights.append(w)
    return rates, weights


def test_rates_follow_the_method_sheet() -> None:
    r, n = [3.0, 30, 10, 0, 5], [20.0, 100, 100, 7, 5]
    other_r, other_n = [1.0, 2], [50.0, 40]
    done = shrink_counts(r + other_r, n + other_n, ["A"] * 5 + ["B"] * 2)
    expected = [
        a + b for a, b in zip(by_the_book(r, n), by_the_book(other_r, other_n), strict=True)
    ]
    golden.agrees(done.value, expected[0])
    golden.agrees(done.weight, expected[1])
    golden.agrees(done.own, [*(np.array(r) / n), 0.02, 0.05])
    golden.agrees(done.authority, [48 / 232] * 5 + [3 / 90] * 2)


def test_means_follow_the_method_sheet() -> None:
    z, se, size = np.array([[10.0, 20, 12], [1.0, 5, 2], [100.0, 50, 50]])
    done = shrink_means(z, se, ["A"] * 3, size)
    centre = 13.0
    t2 = ((z - centre) ** 2).sum() / 2
    w = (1 / se**2) / (1 / se**2 + 1 / t2)
    golden.agrees(done.weight, w)
    golden.agrees(done.value, w * z + (1 - w) * centre)
    golden.agrees(done.authority, [centre] * 3)
    var_centre = (0.25 + 1.25**2 + 0.25) / 1
    golden.agrees(done.standard_error, np.sqrt(w * se**2 + (1 - w) ** 2 * var_centre))


def test_sizes_count_in_proportion() -> None:
    z, se, size = np.array([[10.0, 20, 12], [1.0, 5, 2], [0.2, 0.1, 0.1]])
    done, more = (shrink_means(z, se, ["A"] * 3, k * size) for k in (1, 1000))
    golden.agrees(done.value, more.value)
    golden.agrees(done.standard_error, more.standard_error)
    golden.agrees(done.authority, [13.0] * 3)


def test_an_area_alone_keeps_its_own_and_one_without_people_takes_the_authoritys() -> None:
    done = shrink_counts([2, 1, 4, 0, 0], [10, 10, 20, 0, 0], ["alone", "B", "B", "B", "empty"])
    assert done.weight[0] == 1
    assert done.value[0] == pytest.approx(2.5 / 11)
    assert done.weight[3] == 0
    assert done.value[3] == pytest.approx(5.5 / 31)
    assert 0 < done.standard_error[3] < 1
    assert np.isnan([done.value[4], done.weight[4], done.own[4]]).all()
    without = shrink_counts([1, 4], [10, 20], ["B", "B"])
    golden.agrees(done.value[1:3], without.value)


def test_areas_that_do_not_differ_take_the_authoritys_number() -> None:
    done = shrink_means([5.0, 5.0], [1.0, 3.0], ["A", "A"])
    golden.agrees(done.value, [5, 5])
    golden.agrees(done.weight, [0, 0])
    assert (done.standard_error > 0).all()


def test_what_is_missing_is_left_out() -> None:
    gap = np.nan
    done = shrink_counts([1, gap, 4, 3], [10, 10, 20, gap], ["A"] * 4)
    golden.agrees(done.value[[0, 2]], shrink_counts([1, 4], [10, 20], ["A"] * 2).value)
    assert np.isnan(done.value[[1, 3]]).all()
    means = shrink_means([1.0, gap, 4.0, 6.0], [1.0, 1.0, 1.0, gap], ["A"] * 4)
    assert np.isnan(means.value[1])
    assert means.weight[3] == 0
    assert means.value[3] == pytest.approx(11 / 3)
    assert np.isnan(means.standard_error[3])
    assert np.isnan(shrink_means([gap], [1.0], ["A"]).authority[0])


counts = st.integers(1, 60).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))


@given(st.lists(counts, min_size=4, max_size=12), st.randoms(use_true_random=False))
def test_shrinkage_lies_between_and_ignores_order(
    areas: list[tuple[int, int]], random: object
) -> None:
    r, n = np.array(areas, dtype=float).T
    of = [f"LA{i % 2}" for i in range(len(r))]
    done = shrink_counts(r, n, of)
    order = list(range(len(r)))
    random.shuffle(order)  # type: ignore[attr-defined]
    again = shrink_counts(r[order], n[order], [of[i] for i in order])
    golden.agrees(again.value, done.value[order])
    for la in (0, 1):
        here = slice(la, None, 2)
        own = (r[here] + 0.5) / (n[here] + 1)
        authority = (r[here].sum() + 0.5) / (n[here].sum() + 1)
        low, high = np.minimum(own, authority), np.maximum(own, authority)
        assert (done.value[here] >= low - 1e-12).all()
        assert (done.value[here] <= high + 1e-12).all()
    assert ((done.weight >= 0) & (done.weight <= 1)).all()


def test_standard_errors_are_those_of_repeated_draws() -> None:
    # 400 authorities of 20 areas whose true log-odds scatter around their authority's.
    rng = np.random.default_rng(4)
    true = rng.normal(-1.5, 0.4, (400, 20))
    n = rng.integers(30, 200, true.shape)
    p = 1 / (1 + np.exp(-true))
    r = rng.binomial(n, p)
    of = [f"LA{i}" for i in range(400) for _ in range(20)]
    done = shrink_counts(r.ravel(), n.ravel(), of)
    z = (done.value - p.ravel()) / done.standard_error
    assert 0.9 < np.std(z) < 1.15
    assert abs(np.mean(z)) < 0.1
    # Borrowing helps: the shrunk rates are nearer to the truth than the areas' own.
    assert np.mean((done.value - p.ravel()) ** 2) < 0.8 * np.mean((done.own - p.ravel()) ** 2)


def test_errors_name_the_area() -> None:
    areas = ["Ashby", "Barton"]
    with pytest.raises(DataError, match="area 'Barton': 7 events of 5 at risk"):
        shrink_counts([1, 7], [5, 5], ["A", "A"], areas)
    with pytest.raises(DataError, match="row 2: -1 events"):
        shrink_counts([1, -1], [5, 5], ["A", "A"])
    with pytest.raises(DataError, match="area 2 has no authority"):
        shrink_counts([1, 1], [5, 5], ["A", ""])
    with pytest.raises(DataError, match="authorities: 1 found; expected 2"):
        shrink_counts([1, 1], [5, 5], ["A"])
    with pytest.raises(DataError, match="at risk: 2 found; expected 1"):
        shrink_counts([1], [5, 5], ["A", "A"])
    with pytest.raises(DataError, match="at risk, row 1: an infinite value"):
        shrink_counts([1], [np.inf], ["A"])
    with pytest.raises(DataError, match="events of shape \\(1, 1\\); expected one number"):
        shrink_counts([[1]], [1], ["A"])
    with pytest.raises(DataError, match="area 'Barton': standard error 0; expected a number above"):
        shrink_means([1.0, 2.0], [1.0, 0.0], ["A", "A"], areas=areas)
    with pytest.raises(DataError, match="row 1: size nan"):
        shrink_means([1.0, 2.0], [1.0, 1.0], ["A", "A"], [np.nan, 1.0])
