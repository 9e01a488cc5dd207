"""Draws: what they are drawn from, that they are the same anywhere, and that nothing leaks."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numba
import numpy as np
import pytest
from pydantic import ValidationError
from scipy.stats import rankdata

from commonweal.errors import DataError, StudyError, UnknownNameError
from commonweal.index import Node, score, uncertainty
from commonweal.index.kernels import rank_rows
from commonweal.index.uncertainty import (
    Settings,
    VaryErrors,
    VaryForm,
    VaryWeights,
    draw_scores,
    draw_settings,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from commonweal.index import Scores
    from commonweal.indicators import Indicators

    Make = Callable[..., Indicators]

N = 60
RNG = np.random.default_rng(5)
COLUMNS = dict(zip("abc", RNG.normal(size=(3, N)), strict=True))
ERRORS = {"a": np.full(N, 0.3), "c": np.full(N, 0.1)}
ROOT = VaryWeights(weights="x", dirichlet=10)
INNER = VaryWeights(weights="x.first", interval=0.5)
FORM = VaryForm(form="x", of=("arithmetic", "geometric"))
NOISE = VaryErrors(standard_errors="all")


def all_draws(scores: Scores, indicators: Indicators, settings: Settings) -> np.ndarray:
    return np.vstack([block.copy() for _, block in draw_scores(scores, indicators, settings)])


def drawn(
    make: Make,
    tree: Node,
    vary: Sequence[object],
    n: int = 30,
    seed: int = 1,
    **columns: np.ndarray,
) -> np.ndarray:
    indicators = make(errors=ERRORS, **{**COLUMNS, **columns})
    settings = draw_settings(vary, {"x": tree}, ["a", "c"], n, seed)  # type: ignore[arg-type]
    return all_draws(score("x", tree, indicators), indicators, settings)


class TestSettings:
    def test_dirichlet_has_the_stated_means_and_the_stated_concentration(self) -> None:
        tree = Node.model_validate(
            {"children": {n: {"indicator": n, "weight": w} for n, w in zip("ab", (0.6, 0.3), strict=True)}}
        )  # fmt: skip
        vary = VaryWeights(weights="x", dirichlet=20)
        weights = draw_settings([vary], {"x": tree}, [], 40_000, 3).weights["x"]
        np.testing.assert_allclose(weights.sum(axis=1), 0.9)
        shares = weights / 0.9
        # Dirichlet(2 x 20 x 2/3, 2 x 20 x 1/3): variance m (1 - m) / (40 + 1), +- 4 standard errors
        np.testing.assert_allclose(shares.mean(axis=0), [2 / 3, 1 / 3], atol=0.0015)
        assert shares.var(axis=0) == pytest.approx(2 / 9 / 41, rel=0.03)

    def test_three_equal_weights_with_10_are_dirichlet_10_10_10(self) -> None:
        tree = Node.model_validate({"children": {n: {"indicator": n} for n in "abc"}})
        weights = draw_settings([ROOT], {"x": tree}, [], 500, 7).weights["x"]
        expected = np.random.default_rng([7, 0]).dirichlet([10, 10, 10], 500) * 3
        np.testing.assert_allclose(weights, expected, rtol=1e-12)

    def test_an_interval_keeps_its_bounds_and_the_total(self) -> None:
        tree = Node.model_validate(
            {"children": {n: {"indicator": n, "weight": w} for n, w in zip("abc", (1, 2, 5), strict=True)}}
        )  # fmt: skip
        vary = VaryWeights(weights="x", interval=0.2)
        weights = draw_settings([vary], {"x": tree}, [], 5000, 1).weights["x"]
        np.testing.assert_allclose(weights.sum(axis=1), 8)
        # before they were rescaled each lay within 0.8 .. 1.2 of what is stated, so ratios within 1.5
        factors = weights / [1, 2, 5]
        ratio = factors.max(axis=1) / factors.min(axis=1)
        assert ratio.max() <= 1.5 + 1e-12
        assert ratio.max() > 1.4
        np.testing.assert_allclose(weights.mean(axis=0), [1, 2, 5], rtol=0.01)

    def test_each_form_has_an_equal_chance(self, two_levels: Node) -> None:
        vary = VaryForm(form="x", of=("sum", "arithmetic", "geometric"))
        forms = draw_settings([vary], {"x": two_levels}, [], 9000, 1).forms["x"]
        names, counts = np.unique(forms, return_counts=True)
        assert names.tolist() == ["arithmetic", "geometric", "sum"]
        assert np.abs(counts - 3000).max() < 4 * np.sqrt(9000 * 2 / 9)

    def test_an_entry_at_the_end_leaves_the_earlier_ones(self, two_levels: Node) -> None:
        trees = {"x": two_levels}
        few = draw_settings([ROOT, FORM], trees, ["a"], 50, 4)
        more = draw_settings([ROOT, FORM, INNER, NOISE], trees, ["a"], 50, 4)
        np.testing.assert_array_equal(few.weights["x"], more.weights["x"])
        np.testing.assert_array_equal(few.forms["x"], more.forms["x"])
        assert more.noisy == ("a",)

    def test_more_draws_begin_with_the_fewer(self, two_levels: Node) -> None:
        few, more = (
            draw_settings([ROOT, INNER, FORM], {"x": two_levels}, [], n, 4) for n in (20, 50)
        )
        for path, weights in few.weights.items():
            np.testing.assert_array_equal(weights, more.weights[path][:20])
        np.testing.assert_array_equal(few.forms["x"], more.forms["x"][:20])

    def test_another_seed_draws_others(self, two_levels: Node) -> None:
        one, two = (draw_settings([ROOT], {"x": two_levels}, [], 9, s).weights["x"] for s in (1, 2))
        assert not np.isclose(one, two).any()

    def test_a_node_that_is_not_there(self, two_levels: Node) -> None:
        wrong = VaryWeights(weights="x.frst", dirichlet=1)
        with pytest.raises(UnknownNameError, match=r"'x\.frst' not found; did you mean 'x\.first'"):
            draw_settings([wrong], {"x": two_levels}, [], 5, 1)

    @pytest.mark.parametrize("vary", [[ROOT, ROOT], [FORM, ROOT, FORM], [NOISE, NOISE]])
    def test_the_same_thing_twice(self, two_levels: Node, vary: list[VaryWeights]) -> None:
        with pytest.raises(StudyError, match=r"certainty\.vary\[[12]\].*in an earlier entry too"):
            draw_settings(vary, {"x": two_levels}, ["a"], 5, 1)

    def test_an_indicator_without_a_standard_error(self, two_levels: Node) -> None:
        vary = VaryErrors(standard_errors=("b",))
        with pytest.raises(StudyError, match=r"vary\[0\]: indicator 'b' states no.*: a, c"):
            draw_settings([vary], {"x": two_levels}, ["a", "c"], 5, 1)

    @pytest.mark.parametrize(
        "bad",
        [{}, {"dirichlet": 1, "interval": 0.1}, {"dirichlet": 0}, {"dirichlet": -1},
         {"dirichlet": float("inf")}, {"dirichlet": float("nan")}, {"interval": 1}, {"interval": 0},
         {"dirichlet": 1, "intervall": 2}],
    )  # fmt: skip
    def test_refused(self, bad: dict[str, float]) -> None:
        with pytest.raises(ValidationError):
            VaryWeights.model_validate({"weights": "x", **bad})

    def test_a_form_needs_two_ways(self) -> None:
        with pytest.raises(ValidationError, match="at least 2"):
            VaryForm.model_validate({"form": "x", "of": ["sum"]})


VARIES = {"root": [ROOT], "form": [ROOT, FORM], "inner": [INNER], "noise": [NOISE],
          "everything": [ROOT, INNER, FORM, NOISE]}  # fmt: skip


@pytest.mark.parametrize("vary", VARIES.values(), ids=VARIES)
def test_the_same_bytes_on_any_threads_and_in_any_blocks(
    make: Make, two_levels: Node, vary: list[object], monkeypatch: pytest.MonkeyPatch
) -> None:
    before, many = numba.get_num_threads(), []
    try:
        for threads, block in ((1, 128), (2, 128), (2, 7), (1, 1)):
            numba.set_num_threads(min(threads, numba.config.NUMBA_NUM_THREADS))
            monkeypatch.setattr(uncertainty, "BLOCK", block)
            scores = drawn(make, two_levels, vary)
            ranks = np.empty(scores.shape, np.int32)
            rank_rows(scores, ranks)
            many.append((scores.tobytes(), ranks.tobytes()))
    finally:
        numba.set_num_threads(before)
    assert len(set(many)) == 1
    assert drawn(make, two_levels, vary, seed=2).tobytes() != many[0][0]


@pytest.mark.parametrize("aggregate", ["sum", "arithmetic", "geometric"])
@pytest.mark.parametrize("available", [1.0, 0.5, 0.0])
def test_the_short_way_for_the_root_is_the_long_way(
    make: Make, aggregate: str, available: float
) -> None:
    """The same scores from the transformed children as from the whole tree, missing values too."""
    tree = Node.model_validate(
        {"aggregate": aggregate, "available": available,
         "children": {n: {"indicator": n, "weight": w} for n, w in zip("abc", (5, 3, 2), strict=True)}}
    )  # fmt: skip
    columns = {n: c.copy() for n, c in COLUMNS.items()}
    columns["a"][3], columns["b"][4], columns["c"][[3, 4, 9]] = np.nan, np.nan, np.nan
    indicators = make(**columns)
    scores = score("x", tree, indicators)
    settings = draw_settings([ROOT, FORM] if available else [ROOT], {"x": tree}, [], 40, 1)
    short = np.vstack([b.copy() for _, b in uncertainty._draw_root(scores, settings)])
    long = np.vstack(
        [b.copy() for _, b in uncertainty._draw_whole(scores, indicators, settings, set())]
    )
    missing = np.isnan(scores.score)
    assert np.isnan(short[:, missing]).all()
    assert not np.isnan(short[:, ~missing]).any()
    # A sum that is drawn as a mean, or the reverse, differs by a factor in each draw alone.
    np.testing.assert_allclose(short, long, rtol=1e-11)


def test_areas_with_a_score_have_one_in_every_draw(make: Make) -> None:
    """Whether enough is there is judged by the stated weights, not by those drawn."""
    tree = Node.model_validate(
        {"children": {"d": {"available": 0.5, "children": {"a": {"indicator": "a"}, "b": {"indicator": "b"}}},
                      "c": {"indicator": "c"}}}
    )  # fmt: skip
    half = COLUMNS["b"].copy()
    half[:5] = np.nan
    got = drawn(make, tree, [VaryWeights(weights="x.d", dirichlet=0.5)], b=half)
    assert not np.isnan(got).any()


def test_weights_that_draw_as_nothing_leave_no_hole(make: Make) -> None:
    tree = Node.model_validate(
        {"available": 0.4, "children": {"a": {"indicator": "a"}, "b": {"indicator": "b"}}}
    )
    one, other = COLUMNS["a"].copy(), COLUMNS["b"].copy()
    one[0], other[1] = np.nan, np.nan
    got = drawn(make, tree, [VaryWeights(weights="x", dirichlet=1e-3)], n=200, a=one, b=other)
    assert np.isfinite(got).all()


def test_the_root_as_stated_is_the_score(make: Make, two_levels: Node) -> None:
    indicators = make(**COLUMNS)
    scores = score("x", two_levels, indicators)
    stated = np.array([[0.6, 0.4]] * 3)
    got = all_draws(scores, indicators, Settings(3, 1, {"x": stated}, {}, ()))
    # Scores are settled at 12 significant digits, draws are not.
    np.testing.assert_allclose(got, np.tile(scores.score, (3, 1)), rtol=1e-11)


def test_a_planted_choice_between_the_same_changes_nothing(make: Make, two_levels: Node) -> None:
    """With equal children every weighting and form gives the same order."""
    same = {"b": COLUMNS["a"], "c": COLUMNS["a"]}
    for vary in ([ROOT], [FORM], [INNER], [VaryForm(form="x", of=("sum", "sum"))]):
        got = np.vstack([rankdata(-row, "min") for row in drawn(make, two_levels, vary, **same)])
        np.testing.assert_array_equal(got, np.tile(rankdata(-COLUMNS["a"], "min"), (30, 1)))


@pytest.mark.parametrize("error", [0.0, np.nan])
def test_no_error_no_change(make: Make, two_levels: Node, error: float) -> None:
    indicators = make(errors={"a": np.full(N, error)}, **COLUMNS)
    scores = score("x", two_levels, indicators)
    got = all_draws(scores, indicators, Settings(5, 1, {}, {}, ("a",)))
    np.testing.assert_array_equal(got, np.tile(scores.score, (5, 1)))


def test_noise_has_the_stated_size_and_only_where_stated(make: Make) -> None:
    tree = Node.model_validate({"transform": "none", "children": {"a": {"indicator": "a"}}})
    error = np.where(np.arange(N) < 30, 0.5, np.nan)
    indicators = make(errors={"a": error}, less=("a",), **COLUMNS)
    scores = score("x", tree, indicators)
    noise = all_draws(scores, indicators, Settings(2000, 1, {}, {}, ("a",))) + COLUMNS["a"]
    np.testing.assert_allclose(noise[:, 30:], 0, atol=1e-10)  # scores are settled at 12 digits
    assert noise[:, :30].std() == pytest.approx(0.5, rel=0.02)
    assert np.abs(noise[:, :30].mean(axis=0)).max() < 4.5 * 0.5 / np.sqrt(2000)


def test_an_indicator_has_the_same_noise_in_every_index_and_no_other_has_it(make: Make) -> None:
    one = Node.model_validate({"transform": "none", "children": {"a": {"indicator": "a"}}})
    two = Node.model_validate({"transform": "none", "children": {"c": {"indicator": "c"}}})
    settings = Settings(200, 1, {}, {}, ("a", "c"))
    error = np.ones(N)
    near = np.linspace(0, 1e-9, N)

    def noise(tree: Node, **columns: np.ndarray) -> np.ndarray:
        indicators = make(errors=dict.fromkeys(columns, error), **columns)
        return all_draws(score("x", tree, indicators), indicators, settings)

    alone, beside = noise(one, a=near), noise(one, c=near, a=near)
    np.testing.assert_array_equal(alone, beside)
    other = noise(two, c=near)
    assert abs(np.corrcoef(alone.ravel(), other.ravel())[0, 1]) < 4.5 / np.sqrt(alone.size)


def test_noise_in_one_index_leaves_another(make: Make) -> None:
    tree = Node.model_validate({"children": {n: {"indicator": n} for n in "ab"}})
    indicators = make(errors={"a": np.ones(N), "c": np.ones(N)}, **COLUMNS)
    scores = score("x", tree, indicators)
    quiet, loud = (
        all_draws(scores, indicators, Settings(5, 1, {}, {}, noisy))
        for noisy in (("a",), ("a", "c"))
    )
    np.testing.assert_array_equal(quiet, loud)


def test_nothing_varies(make: Make, two_levels: Node) -> None:
    indicators = make(**COLUMNS)
    with pytest.raises(StudyError, match="index x: nothing varies"):
        next(
            draw_scores(score("x", two_levels, indicators), indicators, Settings(5, 1, {}, {}, ()))
        )


def test_a_geometric_form_of_zero_is_refused(make: Make) -> None:
    tree = Node.model_validate({"transform": "min_max", "children": {"a": {"indicator": "a"}}})
    with pytest.raises((StudyError, DataError), match="x: a geometric form needs children above 0"):
        drawn(make, tree, [FORM])
